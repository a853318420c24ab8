//! Arrow arrays to milliseconds and floats.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal128Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{ArrowNativeType, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit as ArrowUnit};
use model::time::DAY_MS;

use super::TimeUnit;

/// Reads a column of a type that is known since its file was opened.
pub(super) type Decode<T> = fn(&ArrayRef, Scale) -> ScalarBuffer<T>;

/// What the numbers of a column have to be scaled by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scale {
    /// Nothing.
    None,
    /// Milliseconds per unit, or units per millisecond.
    Time(TimeUnit),
    /// A power of ten to divide by.
    Divisor(f64),
}

/// How to read a column, and the scale of its numbers.
pub(super) type Decoder<T> = (Decode<T>, Scale);

/// How prices or volumes of a type are read; `None` if the type holds no numbers.
#[expect(clippy::wildcard_enum_match_arm, reason = "all types that hold no numbers are refused")]
pub(super) fn numbers(kind: &DataType) -> Option<Decoder<f64>> {
    let decode: Decode<f64> = match kind {
        DataType::Float64 => |array, _| array.as_primitive::<Float64Type>().values().clone(),
        DataType::Float32 => widen::<Float32Type>,
        DataType::Int8 => widen::<Int8Type>,
        DataType::Int16 => widen::<Int16Type>,
        DataType::Int32 => widen::<Int32Type>,
        DataType::UInt8 => widen::<UInt8Type>,
        DataType::UInt16 => widen::<UInt16Type>,
        DataType::UInt32 => widen::<UInt32Type>,
        DataType::Int64 => |array, _| {
            array
                .as_primitive::<Int64Type>()
                .values()
                .iter()
                .map(|&value| rounded(value.into()))
                .collect()
        },
        DataType::UInt64 => |array, _| {
            array
                .as_primitive::<UInt64Type>()
                .values()
                .iter()
                .map(|&value| rounded(value.into()))
                .collect()
        },
        DataType::Decimal128(_, scale) => {
            return Some((decimals, Scale::Divisor(power_of_ten(*scale))));
        }
        _ => return None,
    };
    Some((decode, Scale::None))
}

/// Why a column cannot be read as times.
pub(super) enum NoTimes {
    /// Integers, and no unit is stated.
    UnitMissing,
    /// A type that holds no times.
    Type,
}

/// How times of a type are read, as milliseconds since the epoch.
#[expect(clippy::wildcard_enum_match_arm, reason = "all types that hold no times are refused")]
pub(super) fn times(kind: &DataType, unit: Option<TimeUnit>) -> Result<Decoder<i64>, NoTimes> {
    let stated = || unit.map(Scale::Time).ok_or(NoTimes::UnitMissing);
    Ok(match kind {
        DataType::Timestamp(ArrowUnit::Second, _) => {
            (instants::<TimestampSecondType>, Scale::Time(TimeUnit::S))
        }
        DataType::Timestamp(ArrowUnit::Millisecond, _) => {
            (instants::<TimestampMillisecondType>, Scale::Time(TimeUnit::Ms))
        }
        DataType::Timestamp(ArrowUnit::Microsecond, _) => {
            (instants::<TimestampMicrosecondType>, Scale::Time(TimeUnit::Us))
        }
        DataType::Timestamp(ArrowUnit::Nanosecond, _) => {
            (instants::<TimestampNanosecondType>, Scale::Time(TimeUnit::Ns))
        }
        DataType::Date32 => (
            |array, _| {
                let days = array.as_primitive::<Date32Type>().values();
                days.iter().map(|&day| i64::from(day) * DAY_MS).collect()
            },
            Scale::None,
        ),
        DataType::Date64 => (instants::<Date64Type>, Scale::Time(TimeUnit::Ms)),
        DataType::Int64 => (instants::<Int64Type>, stated()?),
        DataType::Int32 => (integers::<Int32Type>, stated()?),
        DataType::UInt32 => (integers::<UInt32Type>, stated()?),
        DataType::UInt64 => (
            |array, scale| {
                let values = array.as_primitive::<UInt64Type>().values();
                values
                    .iter()
                    .map(|&value| millis(value.try_into().unwrap_or(i64::MAX), scale))
                    .collect()
            },
            stated()?,
        ),
        _ => return Err(NoTimes::Type),
    })
}

/// The values of an array with `null` where it has none.
pub(super) fn without_nulls<T: ArrowNativeType>(
    values: ScalarBuffer<T>,
    array: &ArrayRef,
    null: T,
) -> ScalarBuffer<T> {
    if array.null_count() == 0 {
        return values;
    }
    let mut values = values.to_vec();
    for at in null_places(array) {
        values[at] = null;
    }
    values.into()
}

/// Places without a value.
pub(super) fn null_places(array: &ArrayRef) -> impl Iterator<Item = usize> {
    (0..array.len()).filter(|&at| array.is_null(at))
}

fn widen<T: ArrowPrimitiveType>(array: &ArrayRef, _: Scale) -> ScalarBuffer<f64>
where
    T::Native: Into<f64>,
{
    array.as_primitive::<T>().values().iter().map(|&value| value.into()).collect()
}

fn decimals(array: &ArrayRef, scale: Scale) -> ScalarBuffer<f64> {
    let Scale::Divisor(divisor) = scale else { unreachable!("decimals have a divisor") };
    let values = array.as_primitive::<Decimal128Type>().values();
    values.iter().map(|&value| rounded(value) / divisor).collect()
}

fn instants<T: ArrowPrimitiveType<Native = i64>>(
    array: &ArrayRef,
    scale: Scale,
) -> ScalarBuffer<i64> {
    let values = array.as_primitive::<T>().values();
    if matches!(scale, Scale::Time(TimeUnit::Ms)) {
        return values.clone();
    }
    values.iter().map(|&value| millis(value, scale)).collect()
}

fn integers<T: ArrowPrimitiveType>(array: &ArrayRef, scale: Scale) -> ScalarBuffer<i64>
where
    T::Native: Into<i64>,
{
    array.as_primitive::<T>().values().iter().map(|&value| millis(value.into(), scale)).collect()
}

const fn millis(value: i64, scale: Scale) -> i64 {
    match scale {
        Scale::Time(unit) => unit.to_millis(value),
        Scale::None | Scale::Divisor(_) => value,
    }
}

#[expect(clippy::cast_precision_loss, reason = "prices are floats; the nearest one is meant")]
const fn rounded(value: i128) -> f64 {
    value as f64
}

/// Exact up to 10^22, so that a decimal of up to 15 digits becomes the float its text would.
fn power_of_ten(exponent: i8) -> f64 {
    let power = (0..exponent.unsigned_abs()).fold(1.0, |power, _| power * 10.0);
    if exponent < 0 { 1.0 / power } else { power }
}
