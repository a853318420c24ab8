//! Parameters of strategies: what they are called, what they may be, and their values in a run.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::instrument::InstrumentIx;
use crate::order::Size;

/// A parameter that a strategy declares.
#[derive(Clone, Copy, Debug)]
pub struct ParameterSpec {
    /// Name in the run file.
    pub name: &'static str,
    /// What its value may be.
    pub kind: ParameterKind,
    /// Unit of the value; empty where there is none.
    pub unit: &'static str,
    /// Value when the run file does not give one, as the run file would spell it; without it the
    /// parameter is required.
    pub default: Option<&'static str>,
    /// What it does, in a sentence.
    pub doc: &'static str,
}

/// What the value of a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// A whole number from `min` to `max`.
    Integer {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// A decimal from `min` to `max`.
    Decimal {
        /// Smallest value.
        min: Decimal,
        /// Largest value.
        max: Decimal,
    },
    /// An amount of base units or a share such as `"100%"`.
    Size,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Instrument ids; when absent, the one instrument of a run that has one.
    Instruments,
    /// A text file, relative to the run file.
    File,
    /// `true` or `false`.
    Flag,
    /// Shares of venues that add up to one, such as `{ binance = 0.6, okx = 0.4 }`.
    Allocation,
}

/// The value of a parameter in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterValue {
    /// A whole number.
    Integer(i64),
    /// A decimal.
    Decimal(Decimal),
    /// An amount or a share.
    Size(Size),
    /// A word.
    Choice(&'static str),
    /// Instruments.
    Instruments(Vec<InstrumentIx>),
    /// A file with its content.
    File {
        /// Where it was read from, for messages.
        path: PathBuf,
        /// What it holds.
        text: Arc<str>,
    },
    /// Yes or no.
    Flag(bool),
    /// Shares of venues.
    Allocation(Allocation),
}

/// How something is divided among venues.
///
/// Invariant: no share is negative, and they add up to exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation(BTreeMap<Box<str>, Decimal>);

impl Allocation {
    /// The allocation of these shares; `None` unless they add up to exactly one and none is negative.
    pub fn new(shares: impl IntoIterator<Item = (Box<str>, Decimal)>) -> Option<Self> {
        let shares: BTreeMap<Box<str>, Decimal> = shares.into_iter().collect();
        let total: Decimal = shares.values().sum();
        let sound = total == Decimal::ONE && shares.values().all(|share| *share >= Decimal::ZERO);
        sound.then_some(Self(shares))
    }

    /// The share of a venue; zero if it has none.
    pub fn share(&self, venue: &str) -> Decimal {
        self.0.get(venue).copied().unwrap_or_default()
    }

    /// Venues and their shares, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Decimal)> {
        self.0.iter().map(|(venue, share)| (&**venue, *share))
    }
}

/// The values of all declared parameters, defaults included.
///
/// The getters panic on a name or type that was not declared: that is a mistake in the strategy's
/// own source, found by its first test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<&'static str, ParameterValue>);

impl Parameters {
    /// Sets a value.
    pub fn set(&mut self, name: &'static str, value: ParameterValue) {
        self.0.insert(name, value);
    }

    /// All values by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &ParameterValue)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// A whole number.
    ///
    /// # Panics
    ///
    /// If no integer of this name is declared.
    pub fn integer(&self, name: &str) -> i64 {
        match self.0.get(name) {
            Some(ParameterValue::Integer(value)) => *value,
            other => panic!("parameter `{name}` is not declared as an integer: {other:?}"),
        }
    }

    /// A whole number of things.
    ///
    /// # Panics
    ///
    /// If no integer of this name is declared, or one that may be negative.
    pub fn count(&self, name: &str) -> usize {
        usize::try_from(self.integer(name)).expect("a count is declared with min ≥ 0")
    }

    /// A decimal.
    ///
    /// # Panics
    ///
    /// If no decimal of this name is declared.
    pub fn decimal(&self, name: &str) -> Decimal {
        match self.0.get(name) {
            Some(ParameterValue::Decimal(value)) => *value,
            other => panic!("parameter `{name}` is not declared as a decimal: {other:?}"),
        }
    }

    /// An amount or a share.
    ///
    /// # Panics
    ///
    /// If no size of this name is declared.
    pub fn size(&self, name: &str) -> Size {
        match self.0.get(name) {
            Some(ParameterValue::Size(value)) => *value,
            other => panic!("parameter `{name}` is not declared as a size: {other:?}"),
        }
    }

    /// One of the declared words.
    ///
    /// # Panics
    ///
    /// If no choice of this name is declared.
    pub fn choice(&self, name: &str) -> &'static str {
        match self.0.get(name) {
            Some(ParameterValue::Choice(value)) => value,
            other => panic!("parameter `{name}` is not declared as a choice: {other:?}"),
        }
    }

    /// Instruments; at least one.
    ///
    /// # Panics
    ///
    /// If no instruments of this name are declared.
    pub fn instruments(&self, name: &str) -> &[InstrumentIx] {
        match self.0.get(name) {
            Some(ParameterValue::Instruments(value)) => value,
            other => panic!("parameter `{name}` is not declared as instruments: {other:?}"),
        }
    }

    /// The text of a file.
    ///
    /// # Panics
    ///
    /// If no file of this name is declared.
    pub fn text(&self, name: &str) -> &str {
        match self.0.get(name) {
            Some(ParameterValue::File { text, .. }) => text,
            other => panic!("parameter `{name}` is not declared as a file: {other:?}"),
        }
    }

    /// Where a file was read from.
    ///
    /// # Panics
    ///
    /// If no file of this name is declared.
    pub fn path(&self, name: &str) -> &Path {
        match self.0.get(name) {
            Some(ParameterValue::File { path, .. }) => path,
            other => panic!("parameter `{name}` is not declared as a file: {other:?}"),
        }
    }

    /// Yes or no.
    ///
    /// # Panics
    ///
    /// If no flag of this name is declared.
    pub fn flag(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(ParameterValue::Flag(value)) => *value,
            other => panic!("parameter `{name}` is not declared as a flag: {other:?}"),
        }
    }
}

impl Parameters {
    /// Shares of venues.
    ///
    /// # Panics
    ///
    /// If no allocation of this name is declared.
    pub fn allocation(&self, name: &str) -> &Allocation {
        match self.0.get(name) {
            Some(ParameterValue::Allocation(value)) => value,
            other => panic!("parameter `{name}` is not declared as an allocation: {other:?}"),
        }
    }
}

/// Why a strategy cannot be built: all that is wrong with its parameters, at least one fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterError(Vec<ParameterFault>);

/// A parameter, or a line of a file that one names, that does not fit the others or the run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}: {found}; expected {expected}")]
pub struct ParameterFault {
    /// Which parameter.
    pub parameter: &'static str,
    /// Place inside a file parameter, from 1.
    pub line: Option<u64>,
    /// What its value is.
    pub found: String,
    /// What it should be.
    pub expected: String,
}

impl ParameterError {
    /// An error of all these faults.
    ///
    /// # Panics
    ///
    /// If there is none: nothing is wrong then.
    pub fn new(faults: Vec<ParameterFault>) -> Self {
        assert!(!faults.is_empty(), "an error has at least one fault");
        Self(faults)
    }

    /// The faults, in the order in which they were found.
    pub fn faults(&self) -> &[ParameterFault] {
        &self.0
    }
}

impl From<ParameterFault> for ParameterError {
    fn from(fault: ParameterFault) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.0.iter().enumerate() {
            let separator = if place == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl Error for ParameterError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allocation_adds_up_to_exactly_one() {
        let of = |shares: &[(&str, &str)]| {
            Allocation::new(
                shares.iter().map(|(venue, share)| ((*venue).into(), share.parse().unwrap())),
            )
        };
        let third = "0.3333333333333333333333333333";
        let allocation = of(&[("okx", "0.3"), ("binance", "0.4"), ("bybit", "0.3")]).unwrap();
        assert_eq!(
            allocation.iter().map(|(venue, _)| venue).collect::<Vec<_>>(),
            ["binance", "bybit", "okx"]
        );
        assert_eq!(allocation.share("binance"), Decimal::new(4, 1));
        assert_eq!(allocation.share("kraken"), Decimal::ZERO);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("okx", "1.1"), ("bybit", "-0.1")]), None);
        assert_eq!(of(&[("okx", third), ("binance", third), ("bybit", third)]), None);
    }

    #[test]
    fn an_error_reads_as_its_faults() {
        let fault = |parameter, found: &str| ParameterFault {
            parameter,
            line: None,
            found: found.to_owned(),
            expected: "less".to_owned(),
        };
        let error = ParameterError::new(vec![fault("fast", "30"), fault("slow", "40")]);
        assert_eq!(error.to_string(), "fast: 30; expected less\nslow: 40; expected less");
    }
}
