//! The collecting reader: asks a table for its keys, records what is wrong with them, goes on, and
//! writes down what each key came to be.

use super::document::{Entry, Node, TableNode};
use super::fault::{Fault, FaultLog};
use super::field::Field;
use super::place::Place;

/// Reads one table.
///
/// Reading also writes: each value, given or default, goes into the table that
/// [`finish`](Self::finish) returns. So the resolved run file cannot disagree with what was read.
#[derive(Debug)]
pub struct TableReader<'a> {
    table: &'a TableNode,
    place: Place,
    path: String,
    log: &'a FaultLog,
    asked: Vec<String>,
    resolved: toml::Table,
}

impl<'a> TableReader<'a> {
    /// A reader of a table at `place` whose dotted name is `path` (empty for the whole file).
    pub fn new(table: &'a TableNode, place: Place, path: String, log: &'a FaultLog) -> Self {
        Self { table, place, path, log, asked: Vec::new(), resolved: toml::Table::new() }
    }

    /// The log that faults go to.
    pub const fn log(&self) -> &'a FaultLog {
        self.log
    }

    /// Dotted name of a key of this table.
    pub fn key_path(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Where a key's value stands; the table, if it has none.
    pub fn place(&self, key: &str) -> Place {
        self.table.get(key).map_or_else(|| self.place.clone(), |entry| entry.node.place.clone())
    }

    /// The value of a key as it stands in the text; the key counts as known from now on.
    pub fn node(&mut self, key: &str) -> Option<&'a Node> {
        if !self.asked.iter().any(|asked| asked == key) {
            self.asked.push(key.to_owned());
        }
        self.peek(key)
    }

    /// The value of a key, without asking for it.
    pub fn peek(&self, key: &str) -> Option<&'a Node> {
        self.table.get(key).map(|entry| &entry.node)
    }

    /// A key that may be absent.
    pub fn optional<F: Field>(&mut self, key: &str, field: &F) -> Option<F::Value> {
        let node = self.node(key)?;
        match field.read(node) {
            Ok(value) => {
                self.put(key, field.write(&value));
                Some(value)
            }
            Err(faults) => {
                for fault in faults {
                    self.log.record(fault.key(self.key_path(key)));
                }
                None
            }
        }
    }

    /// A key that must be there; `None` after a fault.
    pub fn required<F: Field>(&mut self, key: &str, field: &F) -> Option<F::Value> {
        if self.node(key).is_none() {
            self.record_missing(key, field.expected());
        }
        self.optional(key, field)
    }

    /// A key with a default, which also stands in for a value that is wrong.
    pub fn or_default<F: Field>(&mut self, key: &str, field: &F, default: F::Value) -> F::Value {
        self.optional(key, field).unwrap_or_else(|| {
            self.put(key, field.write(&default));
            default
        })
    }

    /// A key of which only the default is implemented.
    pub fn only_default<F: Field>(&mut self, key: &str, field: &F, default: F::Value) -> F::Value
    where
        F::Value: PartialEq,
    {
        let implemented = field.write(&default);
        let value = self.or_default(key, field, default);
        let written = field.write(&value);
        if written != implemented {
            let subject = format!("{} = {written}", self.key_path(key));
            self.log.record(
                Fault::not_implemented(self.place(key), &subject, implemented.to_string())
                    .key(self.key_path(key)),
            );
        }
        value
    }

    /// The table of a key; an empty one if it is absent or no table.
    pub fn table(&mut self, key: &str) -> TableReader<'a> {
        self.table_of(key, "a table")
    }

    /// The table of a key of which only a certain one, such as `expected`, can be meant.
    pub fn table_of(&mut self, key: &str, expected: &str) -> TableReader<'a> {
        let node = self.node(key);
        let table = node.and_then(Node::as_table);
        if let (Some(node), None) = (node, table) {
            self.record_type(key, node, expected);
        }
        let (table, place) = (table.unwrap_or(TableNode::EMPTY), self.place(key));
        TableReader::new(table, place, self.key_path(key), self.log)
    }

    /// The tables of a key: an array of them, or a single one; none if it is absent.
    pub fn tables(&mut self, key: &str) -> Vec<TableReader<'a>> {
        self.tables_of(key, "a table")
    }

    /// The tables of a key of which only certain ones, such as `expected`, can be meant.
    pub fn tables_of(&mut self, key: &str, expected: &str) -> Vec<TableReader<'a>> {
        let Some(node) = self.node(key) else {
            return Vec::new();
        };
        let nodes = node.as_array().unwrap_or(std::slice::from_ref(node));
        let mut readers = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            let path = match nodes.len() {
                1 => self.key_path(key),
                _ => join(&self.key_path(key), &index.to_string()),
            };
            match node.as_table() {
                Some(table) => readers.push(Self::new(table, node.place.clone(), path, self.log)),
                None => self.record_type(key, node, expected),
            }
        }
        readers
    }

    /// The entries of a table whose keys are free; all of them count as known from now on.
    pub fn free_keys(&mut self) -> &'a [Entry] {
        self.asked.extend(self.table.entries.iter().map(|entry| entry.key.clone()));
        &self.table.entries
    }

    /// Writes a key into the resolved table, last.
    pub fn put(&mut self, key: &str, value: toml::Value) {
        self.resolved.insert(key.to_owned(), value);
    }

    /// Records a fault of a key, at its value.
    pub fn record(
        &self,
        key: &str,
        code: &'static str,
        found: String,
        expected: impl Into<String>,
    ) {
        let fault = Fault::new(code, self.place(key), found, expected);
        self.log.record(fault.key(self.key_path(key)));
    }

    /// Whether a key is absent or holds nothing: an empty table or an empty array.
    pub fn is_vacant(&mut self, key: &str) -> bool {
        self.node(key).is_none_or(|node| {
            node.as_table().is_some_and(|table| table.entries.is_empty())
                || node.as_array().is_some_and(<[Node]>::is_empty)
        })
    }

    /// Records that a key is missing.
    pub fn record_missing(&self, key: &str, expected: impl Into<String>) {
        let path = self.key_path(key);
        self.log.record(
            Fault::new("CFG-MISSING", self.place(key), "nothing", expected)
                .headline(format!("{path} is missing"))
                .key(path),
        );
    }

    fn record_type(&self, key: &str, node: &Node, expected: &str) {
        let fault = Fault::new("CFG-VALUE", node.place.clone(), node.describe(), expected);
        self.log.record(fault.key(self.key_path(key)));
    }

    /// Records all keys that were not asked for, and gives the table as resolved.
    pub fn finish(self) -> toml::Table {
        let known = || self.asked.iter().map(String::as_str);
        for entry in &self.table.entries {
            if known().any(|asked| asked == entry.key) {
                continue;
            }
            let expected = match self.asked.as_slice() {
                [] => "no keys here".to_owned(),
                [only] => format!("only {only}"),
                asked => format!("one of {}", asked.join(", ")),
            };
            let headline = match self.path.as_str() {
                "" => format!("unknown key `{}`", entry.key),
                path => format!("unknown key `{}` in {path}", entry.key),
            };
            let found = format!("`{}`", entry.key);
            self.log.record(
                Fault::new("CFG-UNKNOWN-KEY", entry.place.clone(), found, expected)
                    .key(self.key_path(&entry.key))
                    .headline(headline)
                    .hint_nearest(&entry.key, known()),
            );
        }
        self.resolved
    }

    /// Gives the table as resolved without a word on unknown keys: what they should be is unknown.
    pub fn abandon(self) -> toml::Table {
        self.resolved
    }
}

/// Joins a dotted name and a key, which is quoted where TOML needs it.
fn join(path: &str, key: &str) -> String {
    let bare =
        !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let key = if bare { key.to_owned() } else { format!("{key:?}") };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}
