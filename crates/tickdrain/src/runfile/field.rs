//! Fields: what the value of a key may be, how it is read, and how it is written back.

use std::str::FromStr;

use model::time::{DAY_MS, Interval, UtcMillis};

use super::document::{Node, Value};
use super::fault::Fault;
use super::place::SourceIx;

/// A type of value that a key can have.
///
/// `write` after `read` is what the resolved run file holds, and reads as the same value again.
pub trait Field {
    /// What it is read as.
    type Value;

    /// What a value may be, as a noun.
    fn expected(&self) -> String;

    /// Reads a value.
    ///
    /// # Errors
    ///
    /// All that is wrong with it, without the key.
    fn read(&self, node: &Node) -> Result<Self::Value, Vec<Fault>>;

    /// Writes a value.
    fn write(&self, value: &Self::Value) -> toml::Value;
}

/// The fault of a value that is not what `field` takes.
pub(crate) fn wrong(field: &impl Field, node: &Node) -> Fault {
    Fault::new("CFG-VALUE", node.place.clone(), node.describe(), field.expected())
}

/// Text that is not empty; the noun says what it is.
#[derive(Clone, Copy, Debug)]
pub struct Text(pub &'static str);

impl Field for Text {
    type Value = String;

    fn expected(&self) -> String {
        format!("a string: {}", self.0)
    }

    fn read(&self, node: &Node) -> Result<String, Vec<Fault>> {
        // A shell has no quotes left to say that `--set name=7` is a text.
        let unquoted = node.place.source != SourceIx::RUN_FILE;
        let text = if unquoted { node.scalar_text() } else { node.as_str().map(str::to_owned) };
        text.filter(|text| !text.trim().is_empty()).ok_or_else(|| vec![wrong(self, node)])
    }

    fn write(&self, value: &String) -> toml::Value {
        toml::Value::String(value.clone())
    }
}

/// `true` or `false`.
#[derive(Clone, Copy, Debug)]
pub struct Flag;

impl Field for Flag {
    type Value = bool;

    fn expected(&self) -> String {
        "true or false".to_owned()
    }

    fn read(&self, node: &Node) -> Result<bool, Vec<Fault>> {
        if let Value::Boolean(value) = node.value {
            return Ok(value);
        }
        Err(vec![wrong(self, node)])
    }

    fn write(&self, value: &bool) -> toml::Value {
        toml::Value::Boolean(*value)
    }
}

/// One of some words, each with what it stands for.
#[derive(Debug)]
pub struct Choice<'a, T>(pub &'a [(&'static str, T)]);

impl<T: Copy + PartialEq> Choice<'_, T> {
    /// The word for a value.
    ///
    /// # Panics
    ///
    /// If no word stands for it.
    pub fn word(&self, value: T) -> &'static str {
        let known = self.0.iter().find(|(_, known)| *known == value);
        known.expect("every value of a choice has a word").0
    }
}

impl<T: Copy + PartialEq> Field for Choice<'_, T> {
    type Value = T;

    fn expected(&self) -> String {
        let words: Vec<String> = self.0.iter().map(|(word, _)| format!("{word:?}")).collect();
        match words.split_last() {
            Some((last, rest @ [_, ..])) => format!("{} or {last}", rest.join(", ")),
            Some((last, [])) => last.clone(),
            None => "nothing".to_owned(),
        }
    }

    fn read(&self, node: &Node) -> Result<T, Vec<Fault>> {
        let Some(text) = node.as_str() else {
            return Err(vec![wrong(self, node)]);
        };
        let known = self.0.iter().find(|(word, _)| *word == text);
        known.map(|(_, value)| *value).ok_or_else(|| {
            vec![wrong(self, node).hint_nearest(text, self.0.iter().map(|(word, _)| *word))]
        })
    }

    fn write(&self, value: &T) -> toml::Value {
        toml::Value::String(self.word(*value).to_owned())
    }
}

/// The length of a bar: `"1m"`, `"1h"`, `"1d"`.
#[derive(Clone, Copy, Debug)]
pub struct Length;

impl Field for Length {
    type Value = Interval;

    fn expected(&self) -> String {
        "a duration such as \"1m\", \"15m\", \"1h\" or \"1d\"".to_owned()
    }

    fn read(&self, node: &Node) -> Result<Interval, Vec<Fault>> {
        match read_text::<Interval>(self, node)? {
            // Times that are reckoned with it have to stay times.
            length if length.millis() > DELAY_MS_MAX => {
                Err(vec![wrong(self, node).hint("ten years, 3650d, is as long as it may be")])
            }
            length => Ok(length),
        }
    }

    fn write(&self, value: &Interval) -> toml::Value {
        toml::Value::String(value.to_string())
    }
}

/// Ten years, beyond which a delay is a slip: no data are that long, and times have an end.
const DELAY_MS_MAX: i64 = 3_650 * DAY_MS;

/// A duration of at most ten years that may be zero: `"0s"` is `None`.
#[derive(Clone, Copy, Debug)]
pub struct Delay;

impl Field for Delay {
    type Value = Option<Interval>;

    fn expected(&self) -> String {
        "a duration such as \"0s\", \"250ms\" or \"1m\", at most \"3650d\"".to_owned()
    }

    fn read(&self, node: &Node) -> Result<Option<Interval>, Vec<Fault>> {
        match node.as_str().map(str::trim) {
            Some("0s" | "0ms" | "0m" | "0h" | "0d") => Ok(None),
            _ => match read_text::<Interval>(self, node)? {
                delay if delay.millis() > DELAY_MS_MAX => Err(vec![wrong(self, node)]),
                delay => Ok(Some(delay)),
            },
        }
    }

    fn write(&self, value: &Option<Interval>) -> toml::Value {
        toml::Value::String(value.map_or_else(|| "0s".to_owned(), |length| length.to_string()))
    }
}

/// A date (00:00 UTC) or a time, with or without quotes.
#[derive(Clone, Copy, Debug)]
pub struct Instant;

impl Field for Instant {
    type Value = UtcMillis;

    fn expected(&self) -> String {
        "a date such as \"2024-01-31\" or a time such as \"2024-01-31T12:00:00Z\"".to_owned()
    }

    fn read(&self, node: &Node) -> Result<UtcMillis, Vec<Fault>> {
        if let Value::Datetime(text) = &node.value {
            return text.parse().ok().ok_or_else(|| vec![wrong(self, node)]);
        }
        read_text(self, node)
    }

    fn write(&self, value: &UtcMillis) -> toml::Value {
        toml::Value::String(value.to_string())
    }
}

/// One value, or an array of at least one.
#[derive(Clone, Copy, Debug)]
pub struct OneOrMany<F>(pub F);

impl<F: Field> Field for OneOrMany<F> {
    type Value = Vec<F::Value>;

    fn expected(&self) -> String {
        format!("{}, or a list", self.0.expected())
    }

    fn read(&self, node: &Node) -> Result<Vec<F::Value>, Vec<Fault>> {
        let nodes = node.as_array().unwrap_or(std::slice::from_ref(node));
        if nodes.is_empty() {
            return Err(vec![wrong(self, node)]);
        }
        let mut values = Vec::with_capacity(nodes.len());
        let mut faults = Vec::new();
        for node in nodes {
            match self.0.read(node) {
                Ok(value) => values.push(value),
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(values) } else { Err(faults) }
    }

    fn write(&self, values: &Vec<F::Value>) -> toml::Value {
        match values.as_slice() {
            [value] => self.0.write(value),
            values => toml::Value::Array(values.iter().map(|value| self.0.write(value)).collect()),
        }
    }
}

fn read_text<T: FromStr>(field: &impl Field, node: &Node) -> Result<T, Vec<Fault>> {
    node.as_str().and_then(|text| text.trim().parse().ok()).ok_or_else(|| vec![wrong(field, node)])
}
