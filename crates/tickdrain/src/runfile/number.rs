//! Numbers: whole ones, decimals to the last digit, and sizes of orders.

use model::Decimal;
use model::order::Size;

use super::document::{Node, Value};
use super::fault::Fault;
use super::field::{Field, wrong};

/// A whole number from `min` to `max`.
#[derive(Clone, Copy, Debug)]
pub struct Whole {
    /// Smallest value.
    pub min: i64,
    /// Largest value.
    pub max: i64,
}

impl Field for Whole {
    type Value = i64;

    fn expected(&self) -> String {
        match (self.min, self.max) {
            (i64::MIN, i64::MAX) => "a whole number".to_owned(),
            (min, i64::MAX) => format!("a whole number from {min}"),
            (min, max) => format!("a whole number from {min} to {max}"),
        }
    }

    fn read(&self, node: &Node) -> Result<i64, Vec<Fault>> {
        if let Value::Integer(Ok(number)) = node.value
            && (self.min..=self.max).contains(&number)
        {
            return Ok(number);
        }
        Err(vec![wrong(self, node)])
    }

    fn write(&self, value: &i64) -> toml::Value {
        toml::Value::Integer(*value)
    }
}

/// A decimal from `min` to `max`, given as a number or as a string.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// Smallest value.
    pub min: Decimal,
    /// Largest value; there is none at [`Decimal::MAX`].
    pub max: Decimal,
}

/// 10^15, the largest amount of anything: a notional has to fit into 28 digits.
const MOST: Decimal = Decimal::from_parts(0xa4c6_8000, 0x0003_8d7e, 0, false, 0);

/// 10^-18, the smallest amount: the ledger keeps 18 places.
const LEAST: Decimal = Decimal::from_parts(1, 0, 0, false, 18);

impl Number {
    /// Zero or more, up to 10^15.
    pub const NOT_NEGATIVE: Self = Self { min: Decimal::ZERO, max: MOST };
}

impl Field for Number {
    type Value = Decimal;

    fn expected(&self) -> String {
        match (self.min == Decimal::MIN, self.max == Decimal::MAX) {
            (true, true) => "a decimal".to_owned(),
            (true, false) => format!("a decimal up to {}", self.max),
            (false, true) => format!("a decimal from {}", self.min),
            (false, false) => format!("a decimal from {} to {}", self.min, self.max),
        }
    }

    fn read(&self, node: &Node) -> Result<Decimal, Vec<Fault>> {
        read_decimal(node)
            .filter(|value| (self.min..=self.max).contains(value))
            .ok_or_else(|| vec![wrong(self, node)])
    }

    fn write(&self, value: &Decimal) -> toml::Value {
        write_decimal(*value)
    }
}

/// A decimal from 10^-18 to 10^15, given as a number or as a string.
#[derive(Clone, Copy, Debug)]
pub struct Positive;

impl Field for Positive {
    type Value = Decimal;

    fn expected(&self) -> String {
        "a decimal from 1e-18 to 1e15".to_owned()
    }

    fn read(&self, node: &Node) -> Result<Decimal, Vec<Fault>> {
        read_decimal(node)
            .filter(|value| (LEAST..=MOST).contains(value))
            .ok_or_else(|| vec![wrong(self, node)])
    }

    fn write(&self, value: &Decimal) -> toml::Value {
        write_decimal(*value)
    }
}

/// The decimal that a node spells, to the last digit; `None` if it has more than 28 of them.
fn read_decimal(node: &Node) -> Option<Decimal> {
    match &node.value {
        Value::Integer(Ok(number)) => Some(Decimal::from(*number)),
        Value::Integer(Err(text)) | Value::Float(text) | Value::String(text) => {
            parse_decimal(text.trim())
        }
        Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}

/// Reads `10`, `0.1` or `1e-3`, exactly.
pub(super) fn parse_decimal(text: &str) -> Option<Decimal> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return Decimal::from_str_exact(text).ok();
    };
    let mut value = Decimal::from_str_exact(mantissa).ok()?.normalize();
    let exponent: i32 = exponent.parse().ok()?;
    let places = i32::try_from(value.scale()).ok()?.checked_sub(exponent)?;
    if let Ok(places) = u32::try_from(places) {
        value.set_scale(places).ok()?;
        return Some(value);
    }
    value.set_scale(0).ok()?;
    // More than 28 factors of ten overflow in any case; a larger exponent is not worth counting.
    (0..places.unsigned_abs().min(29)).try_fold(value, |value, _| value.checked_mul(Decimal::TEN))
}

/// A positive amount of base units or a share such as `"100%"`.
#[derive(Clone, Copy, Debug)]
pub struct Amount;

impl Field for Amount {
    type Value = Size;

    fn expected(&self) -> String {
        "an amount of base units above 0 or a share above \"0%\" up to \"100%\"".to_owned()
    }

    fn read(&self, node: &Node) -> Result<Size, Vec<Fault>> {
        let units = read_decimal(node).map(|units| units.to_string());
        units
            .or_else(|| node.as_str().map(str::to_owned))
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| vec![wrong(self, node)])
    }

    fn write(&self, value: &Size) -> toml::Value {
        match value {
            Size::Units(quantity) => write_decimal(quantity.0),
            Size::Share(_) => toml::Value::String(value.to_string()),
        }
    }
}

/// A decimal, written without an exponent and without trailing zeros.
pub(super) fn write_decimal(value: Decimal) -> toml::Value {
    toml::Value::String(value.normalize().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_powers_of_ten() {
        assert_eq!(MOST, Decimal::from(1_000_000_000_000_000_i64));
        assert_eq!(Some(LEAST), parse_decimal("1e-18"));
    }

    #[test]
    fn exponents_are_read_exactly_or_not_at_all() {
        for (text, value) in [
            ("1e3", "1000"),
            ("1.5E+2", "150"),
            ("2.50e-3", "0.0025"),
            ("-1e0", "-1"),
            ("1e28", "10000000000000000000000000000"),
            ("1e-28", "0.0000000000000000000000000001"),
        ] {
            assert_eq!(parse_decimal(text), Some(value.parse().unwrap()), "{text}");
        }
        for text in [
            "1e29",
            "1e-29",
            "1e",
            "e1",
            "1e99999999999",
            "inf",
            "1.2345678901234567890123456789012e1",
        ] {
            assert_eq!(parse_decimal(text), None, "{text}");
        }
    }
}
