//! `--set key=value`: changes to a run file from the command line.

use toml::de::DeTable;

use super::document::{self, Entry, Node, TableNode, Value};
use super::fault::{Fault, FaultClass, FaultLog};
use super::place::{Place, Source, SourceIx};

/// How an override is shown in a fault, in front of its text.
const FLAG: &str = "--set ";

/// One part of a dotted key, with its place.
struct Part {
    name: String,
    place: Place,
}

/// Merges one override into the tree; what is wrong with it goes to `log`.
///
/// A key is dotted, with quoted parts where needed and numbers (from 0) for elements of arrays; an
/// array with one element needs no number. The value is TOML if it parses as a TOML value, else a
/// string. Later overrides win.
pub fn apply(root: &mut TableNode, argument: &str, log: &FaultLog) {
    let source = log
        .add_source(Source { name: "command line".to_owned(), text: format!("{FLAG}{argument}") });
    let whole = Place::new(source, FLAG.len()..FLAG.len() + argument.len());
    let Some(equals) = equals_sign(argument) else {
        let fault = Fault::new("CFG-SET", whole, "an override without `=`", "key=value");
        log.record(fault.class(FaultClass::Usage));
        return;
    };
    let Some(parts) = key_parts(&argument[..equals], source) else {
        let place = Place::new(source, FLAG.len()..FLAG.len() + equals);
        let expected = "a key of the run file, such as strategy.fast or data.0.gaps";
        log.record(
            Fault::new("CFG-SET", place, format!("`{}`", &argument[..equals]), expected)
                .class(FaultClass::Usage)
                .hint("quote parts with other characters: 'initial.\"binance:BaseToken:USDT\"=1'"),
        );
        return;
    };
    let raw = &argument[equals + 1..];
    let value = raw.trim();
    let offset = FLAG.len() + equals + 1 + (raw.len() - raw.trim_start().len());
    let node = document::parse_value(value, source, offset).unwrap_or_else(|| Node {
        value: Value::String(value.to_owned()),
        place: Place::new(source, offset..offset + value.len()),
    });
    if let Err(fault) = insert(root, &parts, node) {
        log.record(*fault);
    }
}

/// The `=` that ends the key: the first one outside quotes.
fn equals_sign(argument: &str) -> Option<usize> {
    let mut quote = None;
    for (at, character) in argument.char_indices() {
        match (quote, character) {
            (None, '=') => return Some(at),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    None
}

/// Splits a dotted key with the parser of TOML itself.
fn key_parts(key: &str, source: SourceIx) -> Option<Vec<Part>> {
    let text = format!("{key} = 0");
    let document = DeTable::parse(&text).ok()?;
    let mut parts = Vec::new();
    let mut table = document.get_ref();
    loop {
        let (name, value) = table.iter().next()?;
        let span = name.span();
        parts.push(Part {
            name: name.get_ref().to_string(),
            place: Place::new(source, span.start + FLAG.len()..span.end + FLAG.len()),
        });
        let Some(inner) = value.get_ref().as_table() else {
            return Some(parts);
        };
        table = inner;
    }
}

/// Sets the value at the end of `parts`, and makes the tables on the way there.
fn insert(table: &mut TableNode, parts: &[Part], node: Node) -> Result<(), Box<Fault>> {
    let (part, rest) = parts.split_first().expect("a key has a part");
    let Some(entry) = table.get_mut(&part.name) else {
        let node = rest.iter().rev().fold(node, |inner, part| Node {
            place: part.place.clone(),
            value: Value::Table(TableNode { entries: vec![entry(part, inner)] }),
        });
        table.entries.push(entry(part, node));
        return Ok(());
    };
    descend(&mut entry.node, &part.name, rest, node)
}

fn entry(part: &Part, node: Node) -> Entry {
    Entry { key: part.name.clone(), place: part.place.clone(), node }
}

/// Goes into the node that `name` leads to.
fn descend(target: &mut Node, name: &str, rest: &[Part], node: Node) -> Result<(), Box<Fault>> {
    let Some((part, after)) = rest.split_first() else {
        *target = node;
        return Ok(());
    };
    match &mut target.value {
        // A section that could be repeated is its own first element.
        Value::Table(table)
            if part.name == "0" && !after.is_empty() && table.get("0").is_none() =>
        {
            insert(table, after, node)
        }
        Value::Table(table) => insert(table, rest, node),
        Value::Array(elements) => {
            let count = elements.len();
            if let Ok(index) = part.name.parse::<usize>() {
                let Some(element) = elements.get_mut(index) else {
                    return Err(no_element(part, name, count));
                };
                return descend(element, name, after, node);
            }
            match elements.as_mut_slice() {
                [element] => descend(element, name, rest, node),
                _ => Err(no_element(part, name, count)),
            }
        }
        Value::String(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_) => {
            let found = format!("a key below `{name}`, which is {}", target.describe());
            Err(Box::new(Fault::new("CFG-SET", part.place.clone(), found, format!("`{name}=…`"))))
        }
    }
}

fn no_element(part: &Part, name: &str, count: usize) -> Box<Fault> {
    let expected = match count {
        0 => format!("no number, since `{name}` is empty"),
        1 => format!("0, the only element of `{name}`"),
        count => format!("an element of `{name}`, from 0 to {}", count - 1),
    };
    let found = format!("`{}`", part.name);
    Box::new(Fault::new("CFG-SET", part.place.clone(), found, expected))
}
