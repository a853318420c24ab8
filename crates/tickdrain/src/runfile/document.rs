//! A run file as a tree of nodes, each with its place.

use toml::de::{DeTable, DeValue};

use super::fault::{Fault, FaultLog};
use super::place::{Place, SourceIx};

/// A value with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands; for a section, its header.
    pub place: Place,
}

/// A TOML value; numbers keep the text they were written with, so that 0.1 is exactly 0.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A string.
    String(String),
    /// A whole number that fits 64 bits, and the text of one that does not.
    Integer(Result<i64, String>),
    /// A number with a point or an exponent, without underscores.
    Float(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A date or a time, as TOML writes it.
    Datetime(String),
    /// An array.
    Array(Vec<Node>),
    /// A table or a section.
    Table(TableNode),
}

/// The entries of a table, in the order of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableNode {
    /// The entries; no key twice.
    pub entries: Vec<Entry>,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key, without quotes.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// The value.
    pub node: Node,
}

impl TableNode {
    /// A table without entries, to read defaults from.
    pub const EMPTY: &'static Self = &Self { entries: Vec::new() };

    /// The entry of a key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The entry of a key, to change it.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.key == key)
    }
}

impl Node {
    /// What the value is, as a noun.
    pub fn describe(&self) -> String {
        match &self.value {
            Value::String(text) => format!("the string {text:?}"),
            Value::Integer(Ok(number)) => format!("the integer {number}"),
            Value::Integer(Err(text)) => format!("the integer {text}, which exceeds 64 bits,"),
            Value::Float(text) => format!("the number {text}"),
            Value::Boolean(value) => format!("the boolean {value}"),
            Value::Datetime(text) => format!("the time {text}"),
            Value::Array(nodes) => format!("an array of {} values", nodes.len()),
            Value::Table(_) => "a table".to_owned(),
        }
    }

    /// The text, if the value is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = &self.value { Some(text) } else { None }
    }

    /// The table, if the value is one.
    pub fn as_table(&self) -> Option<&TableNode> {
        if let Value::Table(table) = &self.value { Some(table) } else { None }
    }

    /// The elements, if the value is an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Value::Array(nodes) = &self.value { Some(nodes) } else { None }
    }

    /// The text of a scalar, whatever its type.
    pub fn scalar_text(&self) -> Option<String> {
        match &self.value {
            Value::String(text)
            | Value::Float(text)
            | Value::Datetime(text)
            | Value::Integer(Err(text)) => Some(text.clone()),
            Value::Integer(Ok(number)) => Some(number.to_string()),
            Value::Boolean(value) => Some(value.to_string()),
            Value::Array(_) | Value::Table(_) => None,
        }
    }
}

/// Parses the run file; syntax errors, all of them, go to `log`.
///
/// After an error the tree holds what could still be made out.
pub fn parse(text: &str, log: &FaultLog) -> TableNode {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        log.record(syntax_fault(&error, SourceIx::RUN_FILE));
    }
    convert_table(table.get_ref(), SourceIx::RUN_FILE, 0)
}

/// Parses one value that starts at byte `offset` of its source; `None` if the text is no value.
pub(super) fn parse_value(text: &str, source: SourceIx, offset: usize) -> Option<Node> {
    let value = DeValue::parse(text).ok()?;
    Some(convert(value.get_ref(), value.span(), source, offset))
}

fn syntax_fault(error: &toml::de::Error, source: SourceIx) -> Fault {
    let place = Place { source, span: error.span() };
    let (found, expected) = match error.message().split_once(", expected ") {
        Some((found, "nothing")) => (found, ""),
        Some((found, expected)) => (found, expected),
        None => (error.message(), ""),
    };
    Fault::new("CFG-SYNTAX", place, found, expected).headline(found)
}

fn convert_table(table: &DeTable<'_>, source: SourceIx, offset: usize) -> TableNode {
    let entries = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            place: Place::new(source, key.span().start + offset..key.span().end + offset),
            node: convert(value.get_ref(), value.span(), source, offset),
        })
        .collect();
    TableNode { entries }
}

fn convert(
    value: &DeValue<'_>,
    span: std::ops::Range<usize>,
    source: SourceIx,
    offset: usize,
) -> Node {
    let place = Place::new(source, span.start + offset..span.end + offset);
    let value = match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(integer) => Value::Integer(
            i64::from_str_radix(integer.as_str(), integer.radix())
                .map_err(|_too_large| integer.to_string()),
        ),
        DeValue::Float(float) => Value::Float(float.as_str().to_owned()),
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Datetime(value) => Value::Datetime(value.to_string()),
        DeValue::Array(nodes) => Value::Array(
            nodes.iter().map(|node| convert(node.get_ref(), node.span(), source, offset)).collect(),
        ),
        DeValue::Table(table) => Value::Table(convert_table(table, source, offset)),
    };
    Node { value, place }
}
