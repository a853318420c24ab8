//! Parameters of strategies: how the value of each kind is read and written.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use model::parameter::{ParameterKind, ParameterSpec, ParameterValue};

use super::allocation::allocation_of;
use super::document::Node;
use super::fault::Fault;
use super::field::{Choice, Field, Flag, wrong};
use super::number::{Amount, Number, Whole, parse_decimal, write_decimal};
use super::path::{FilePath, unreadable};

/// A text file that is read at once.
pub(super) struct TextFile<'a>(pub(super) FilePath<'a>);

impl Field for TextFile<'_> {
    type Value = (PathBuf, Arc<str>);

    fn expected(&self) -> String {
        self.0.expected()
    }

    fn read(&self, node: &Node) -> Result<Self::Value, Vec<Fault>> {
        let path = self.0.read(node)?;
        match fs::read_to_string(&path) {
            Ok(text) => Ok((path, text.into())),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(vec![wrong(self, node).hint(format!("{}: {error}", path.display()))])
            }
            Err(error) => Err(vec![unreadable(self, node, &path, &error.to_string())]),
        }
    }

    fn write(&self, (path, _): &Self::Value) -> toml::Value {
        self.0.write(path)
    }
}

/// A parameter whose value stands in the run file itself.
pub(super) struct Scalar<'a>(pub(super) &'a ParameterSpec);

impl Field for Scalar<'_> {
    type Value = ParameterValue;

    fn expected(&self) -> String {
        let Self(spec) = self;
        let expected = match spec.kind {
            ParameterKind::Integer { min, max } => Whole { min, max }.expected(),
            ParameterKind::Decimal { min, max } => Number { min, max }.expected(),
            ParameterKind::Size => Amount.expected(),
            ParameterKind::Choice(words) => words_field(words, |field| field.expected()),
            ParameterKind::Flag => Flag.expected(),
            ParameterKind::Instruments | ParameterKind::File | ParameterKind::Allocation => {
                String::new()
            }
        };
        match spec.unit {
            "" => expected,
            unit => format!("{expected} ({unit})"),
        }
    }

    fn read(&self, node: &Node) -> Result<ParameterValue, Vec<Fault>> {
        let value = match self.0.kind {
            ParameterKind::Integer { min, max } => {
                Whole { min, max }.read(node).map(ParameterValue::Integer)
            }
            ParameterKind::Decimal { min, max } => {
                Number { min, max }.read(node).map(ParameterValue::Decimal)
            }
            ParameterKind::Size => Amount.read(node).map(ParameterValue::Size),
            ParameterKind::Choice(words) => {
                words_field(words, |field| field.read(node)).map(ParameterValue::Choice)
            }
            ParameterKind::Flag => Flag.read(node).map(ParameterValue::Flag),
            ParameterKind::Instruments | ParameterKind::File | ParameterKind::Allocation => {
                Err(vec![wrong(self, node)])
            }
        };
        value.map_err(|mut faults| {
            for fault in &mut faults {
                fault.expected = self.expected();
            }
            faults
        })
    }

    fn write(&self, value: &ParameterValue) -> toml::Value {
        match value {
            ParameterValue::Integer(value) => toml::Value::Integer(*value),
            ParameterValue::Decimal(value) => write_decimal(*value),
            ParameterValue::Size(value) => Amount.write(value),
            ParameterValue::Choice(word) => toml::Value::String((*word).to_owned()),
            ParameterValue::Flag(value) => toml::Value::Boolean(*value),
            other @ (ParameterValue::Instruments(_)
            | ParameterValue::File { .. }
            | ParameterValue::Allocation(_)) => {
                unreachable!("a scalar parameter holds a scalar: {other:?}")
            }
        }
    }
}

fn words_field<T>(words: &[&'static str], then: impl FnOnce(&Choice<'_, &'static str>) -> T) -> T {
    let words: Vec<(&'static str, &'static str)> =
        words.iter().map(|word| (*word, *word)).collect();
    then(&Choice(&words))
}

/// The default of a scalar parameter; `None` if it has none, or one that it would refuse itself.
pub(crate) fn default_value(spec: &ParameterSpec) -> Option<ParameterValue> {
    let default = spec.default?.trim_matches('"');
    match spec.kind {
        ParameterKind::Integer { min, max } => default
            .parse()
            .ok()
            .filter(|value| (min..=max).contains(value))
            .map(ParameterValue::Integer),
        ParameterKind::Decimal { min, max } => parse_decimal(default)
            .filter(|value| (min..=max).contains(value))
            .map(ParameterValue::Decimal),
        ParameterKind::Size => default.parse().ok().map(ParameterValue::Size),
        ParameterKind::Choice(words) => {
            words.iter().find(|word| **word == default).map(|word| ParameterValue::Choice(word))
        }
        ParameterKind::Flag => default.parse().ok().map(ParameterValue::Flag),
        ParameterKind::Allocation => allocation_of(default).map(ParameterValue::Allocation),
        ParameterKind::Instruments | ParameterKind::File => None,
    }
}
