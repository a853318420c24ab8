//! Columns: how values of the model look in Arrow, in the log and in the results alike.

use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, StringArray, TimestampMillisecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use model::Decimal;
use model::time::UtcMillis;

/// Digits and places of every ledger amount: `decimal128(38, 18)`.
const PRECISION: u8 = 38;
const PLACES: u32 = 18;

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
pub(crate) fn decimals(values: impl IntoIterator<Item = Option<Decimal>>) -> ArrayRef {
    let units = values.into_iter().map(|value| value.map(units_of));
    let column = units.collect::<Decimal128Array>().with_precision_and_scale(PRECISION, 18);
    Arc::new(column.expect("38 digits with 18 places is a type"))
}

/// A column of texts.
pub(crate) fn texts<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// A column of texts that may be missing.
pub(crate) fn some_texts<T: AsRef<str>>(values: impl IntoIterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

/// A decimal as an integer number of 10⁻¹⁸; derived values with more places are rounded half-even.
///
/// A decimal has at most 28 digits, so it always fits into 38.
fn units_of(value: Decimal) -> i128 {
    let value = if value.scale() > PLACES { value.round_dp(PLACES) } else { value };
    value.mantissa() * 10_i128.pow(PLACES - value.scale())
}

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
            assert_eq!(units_of(text.parse().unwrap()), units, "{text}");
        }
    }
}
