//! The semantic part of a resolved run file: what a result depends on, in one canonical text.

use model::parameter::ParameterValue;
use toml::{Table, Value};

use super::strategy::StrategyConfig;

/// Sections and keys on which no result depends.
const WITHOUT_EFFECT: [&str; 4] = ["name", "audit", "results", "engine"];

/// The resolved table without names, paths and output options, sorted by key.
///
/// Files that parameters name are replaced by the hash of what they hold; data files are hashed
/// where they are read.
pub(super) fn semantic_toml(resolved: &Table, strategies: &[StrategyConfig]) -> String {
    let mut table = resolved.clone();
    for key in WITHOUT_EFFECT {
        table.remove(key);
    }
    for series in tables(table.get_mut("data")) {
        series.remove("path");
    }
    for (section, strategy) in tables(table.get_mut("strategy")).zip(strategies) {
        for (name, value) in strategy.parameters.iter() {
            if let ParameterValue::File { text, .. } = value {
                let hash = blake3::hash(text.as_bytes()).to_hex();
                section.insert(name.to_owned(), Value::String(format!("blake3:{hash}")));
            }
        }
    }
    sorted(table).to_string()
}

/// The tables of a section that is a table or an array of them.
fn tables(section: Option<&mut Value>) -> impl Iterator<Item = &mut Table> {
    let sections = match section {
        Some(Value::Array(sections)) => sections.as_mut_slice(),
        Some(section) => std::slice::from_mut(section),
        None => &mut [],
    };
    sections.iter_mut().filter_map(Value::as_table_mut)
}

fn sorted(table: Table) -> Table {
    let mut entries: Vec<(String, Value)> =
        table.into_iter().map(|(key, value)| (key, sorted_value(value))).collect();
    entries.sort_by(|(left, _), (right, _)| left.cmp(right));
    entries.into_iter().collect()
}

fn sorted_value(value: Value) -> Value {
    match value {
        Value::Table(table) => Value::Table(sorted(table)),
        Value::Array(values) => Value::Array(values.into_iter().map(sorted_value).collect()),
        scalar @ (Value::String(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)) => scalar,
    }
}
