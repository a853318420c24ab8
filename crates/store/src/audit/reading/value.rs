//! Values of records, as a reader of the log sees them.

use std::fmt;
use std::str::FromStr;

use model::Decimal;
use model::time::UtcMillis;

/// A ledger amount as the log has it: an integer number of 10⁻¹⁸.
///
/// Sums are exact. It is not the decimal that the books reckon with, on purpose: what is verified
/// with it shares no arithmetic with what wrote it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Units(pub i128);

impl Units {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// One.
    pub const ONE: Self = Self(Self::PER_ONE);

    /// Units in one.
    pub const PER_ONE: i128 = 1_000_000_000_000_000_000;

    /// The sum, unless it does not fit.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, unless it does not fit.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The nearest float.
    #[expect(clippy::cast_precision_loss, reason = "a float is asked for")]
    pub fn to_f64(self) -> f64 {
        // Exactly rounded, by way of the text, where the digits do not fit.
        if self.0.unsigned_abs() < 1 << 53 {
            return self.0 as f64 / Self::PER_ONE as f64;
        }
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

impl std::ops::Neg for Units {
    type Output = Self;

    fn neg(self) -> Self {
        // The log's type has 38 digits, so the lowest integer never comes from there.
        Self(self.0.saturating_neg())
    }
}

/// Without trailing zeros.
impl fmt::Display for Units {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let per_one = Self::PER_ONE.unsigned_abs();
        let (whole, rest) = (self.0.unsigned_abs() / per_one, self.0.unsigned_abs() % per_one);
        if rest == 0 {
            return formatter.pad(&format!("{sign}{whole}"));
        }
        let rest = format!("{rest:018}");
        formatter.pad(&format!("{sign}{whole}.{}", rest.trim_end_matches('0')))
    }
}

/// Why a text is no amount of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no amount of at most 20 digits and 18 decimals")]
pub struct ParseUnitsError(String);

impl FromStr for Units {
    type Err = ParseUnitsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseUnitsError(text.to_owned());
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || rest.len() > 18 || !is_number(whole) || !is_number(rest) {
            return Err(error());
        }
        let units: i128 = format!("{whole}{rest:0<18}").parse().ok().ok_or_else(error)?;
        Ok(Self(if digits.len() < text.len() { -units } else { units }))
    }
}

impl From<Decimal> for Units {
    /// Rounded to 18 decimals; what the model reckons with always fits.
    fn from(value: Decimal) -> Self {
        value.round_dp(18).normalize().to_string().parse().unwrap_or_default()
    }
}

/// One value of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// There is none.
    Null,
    /// A number of things.
    Count(u64),
    /// A figure: share class, a rate, a price of a bar.
    Float(f64),
    /// Yes or no.
    Flag(bool),
    /// A name or a word.
    Text(&'a str),
    /// A ledger amount.
    Amount(Units),
    /// An instant.
    Time(UtcMillis),
}

impl Value<'_> {
    /// Whether there is none.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether both are the same, bit by bit: no number is not itself for a float.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(one), Self::Float(two)) => one.to_bits() == two.to_bits(),
            _ => self == other,
        }
    }

    /// As a float, if it is a number of any kind.
    #[expect(clippy::cast_precision_loss, reason = "a float is asked for")]
    pub fn to_f64(&self) -> Option<f64> {
        match self {
            Self::Count(count) => Some(*count as f64),
            Self::Float(value) => Some(*value),
            Self::Amount(units) => Some(units.to_f64()),
            Self::Null | Self::Flag(_) | Self::Text(_) | Self::Time(_) => None,
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.pad("-"),
            Self::Count(count) => count.fmt(formatter),
            Self::Float(value) => value.fmt(formatter),
            Self::Flag(flag) => formatter.pad(if *flag { "yes" } else { "no" }),
            Self::Text(text) => formatter.pad(text),
            Self::Amount(units) => units.fmt(formatter),
            Self::Time(ts) => formatter.pad(&ts.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_shown_to_the_last_digit() {
        for (text, units) in [
            ("0", 0),
            ("1", 1_000_000_000_000_000_000),
            ("-0.000000000000000001", -1),
            ("24975.5", 24_975_500_000_000_000_000_000),
            ("99999999999999999999.999999999999999999", 10_i128.pow(38) - 1),
        ] {
            assert_eq!(text.parse(), Ok(Units(units)), "{text}");
            assert_eq!(Units(units).to_string(), text);
        }
        for text in ["", ".5", "-", "1e3", "0.0000000000000000001", "+1", "1.2.3", "٣"] {
            assert!(text.parse::<Units>().is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_become_the_nearest_float() {
        for text in ["0.1", "-9999.7436375837", "40869.59", "123456789.123456789"] {
            let units: Units = text.parse().unwrap();
            assert_eq!(units.to_f64().to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
    }
}
