//! Columns: how values of the model look in Arrow, in the log and in the results alike.

use std::fmt::{Display, Write as _};
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, Decimal128Array, StringArray, TimestampMillisecondArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use model::Decimal;
use model::order::Trail;
use model::time::UtcMillis;

/// Digits and places of every ledger amount: `decimal128(38, 18)`.
const PRECISION: u8 = 38;
const PLACES: u32 = 18;

/// What 38 digits cannot hold any more.
const LIMIT: u128 = 10_u128.pow(38);

/// Type of every instant: milliseconds, UTC.
pub(crate) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

/// Type of every ledger amount.
pub(crate) const DECIMAL: DataType = DataType::Decimal128(PRECISION, 18);

/// A schema of columns, nullable where their name ends in `?`.
pub(crate) fn schema(columns: &[(&str, DataType)]) -> SchemaRef {
    let field = |(name, kind): &(&str, DataType)| {
        let required = name.strip_suffix('?');
        Field::new(required.unwrap_or(name), kind.clone(), required.is_some())
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// A column of instants.
pub(crate) fn times(values: impl IntoIterator<Item = Option<UtcMillis>>) -> ArrayRef {
    let millis = values.into_iter().map(|value| value.map(UtcMillis::millis));
    Arc::new(millis.collect::<TimestampMillisecondArray>().with_timezone("UTC"))
}

/// A column of ledger amounts.
///
/// # Errors
///
/// An amount of 10²⁰ or more, which `decimal128(38, 18)` cannot hold.
pub(crate) fn decimals(
    values: impl IntoIterator<Item = Option<Decimal>>,
) -> Result<ArrayRef, ArrowError> {
    let units = |value: Decimal| units_of(value).ok_or(value);
    let column: Result<Decimal128Array, Decimal> =
        values.into_iter().map(|value| value.map(units).transpose()).collect();
    let column = column.map_err(|value| {
        ArrowError::ComputeError(format!("{value} does not fit into decimal128(38, 18)"))
    })?;
    Ok(Arc::new(column.with_precision_and_scale(PRECISION, 18)?))
}

/// A column of texts.
pub(crate) fn texts<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// A column of things as they print, without a text of its own for each.
pub(crate) fn printed<T: Display>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    let mut column = StringBuilder::new();
    for value in values {
        write!(column, "{value}").expect("a column takes every text");
        column.append_value("");
    }
    Arc::new(column.finish())
}

/// A column of things as they print, which may be missing.
pub(crate) fn some_printed<T: Display>(values: impl IntoIterator<Item = Option<T>>) -> ArrayRef {
    let mut column = StringBuilder::new();
    for value in values {
        match value {
            Some(value) => {
                write!(column, "{value}").expect("a column takes every text");
                column.append_value("");
            }
            None => column.append_null(),
        }
    }
    Arc::new(column.finish())
}

/// A column of texts that may be missing.
pub(crate) fn some_texts<T: AsRef<str>>(values: impl IntoIterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

/// The distance of a trailing order, where it is in quote currency.
pub(crate) const fn trail_absolute(trail: Trail) -> Option<Decimal> {
    match trail {
        Trail::Absolute(distance) => Some(distance),
        Trail::Bps(_) => None,
    }
}

/// The distance of a trailing order, where it is in basis points.
pub(crate) const fn trail_bps(trail: Trail) -> Option<Decimal> {
    match trail {
        Trail::Bps(rate) => Some(rate.0),
        Trail::Absolute(_) => None,
    }
}

/// A decimal as an integer number of 10⁻¹⁸; derived values with more places are rounded half-even.
fn units_of(value: Decimal) -> Option<i128> {
    let value = if value.scale() > PLACES { value.round_dp(PLACES) } else { value };
    let units = value.mantissa().checked_mul(10_i128.checked_pow(PLACES - value.scale())?)?;
    (units.unsigned_abs() < LIMIT).then_some(units)
}

#[cfg(test)]
pub(crate) mod shown;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_every_digit() {
        for (text, units) in [
            ("1", 1_000_000_000_000_000_000),
            ("-0.000000000000000001", -1),
            ("79228162514.264337593543950335", 79_228_162_514_264_337_593_543_950_335),
            ("0.3333333333333333333333333333", 333_333_333_333_333_333),
        ] {
            assert_eq!(units_of(text.parse().unwrap()), Some(units), "{text}");
        }
    }

    #[test]
    fn an_amount_that_does_not_fit_is_an_error() {
        for text in ["100000000000000000000", "-79228162514264337593543950335"] {
            let error = decimals([Some(text.parse().unwrap())]).unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
        }
        assert!(decimals([Some("99999999999999999999".parse().unwrap())]).is_ok());
    }
}
