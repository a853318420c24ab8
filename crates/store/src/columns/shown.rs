//! Batches as text, for tests: chosen columns, aligned, `-` where a value is missing.

use std::fmt::Display;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Float64Type, TimestampMillisecondType, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use model::Decimal;

/// The rows of `batch` under the names of `columns`; all columns if none is named.
///
/// Instants are shown in minutes.
pub(crate) fn shown(batch: &RecordBatch, columns: &[&str]) -> String {
    let schema = batch.schema();
    let all = || schema.fields().iter().map(|field| field.name().as_str()).collect();
    let columns: Vec<&str> = if columns.is_empty() { all() } else { columns.to_vec() };
    let cells = columns.iter().map(|name| {
        let column = batch.column_by_name(name).expect("a column of the table");
        let mut cells = vec![(*name).to_owned()];
        cells.extend((0..batch.num_rows()).map(|row| cell(column, row)));
        let width = cells.iter().map(String::len).max().unwrap_or(0);
        (cells, width)
    });
    let cells: Vec<(Vec<String>, usize)> = cells.collect();
    let line = |row: usize| {
        let padded = cells.iter().map(|(column, width)| format!("{:width$}", column[row]));
        padded.collect::<Vec<_>>().join(" ").trim_end().to_owned()
    };
    (0..=batch.num_rows()).map(|row| line(row) + "\n").collect()
}

fn cell(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return "-".to_owned();
    }
    if let Some(instants) = column.as_primitive_opt::<TimestampMillisecondType>() {
        return (instants.value(row) / 60_000).to_string();
    }
    if let Some(decimals) = column.as_primitive_opt::<Decimal128Type>() {
        let value = Decimal::from_i128_with_scale(decimals.value(row), 18);
        return value.normalize().to_string();
    }
    let known = [
        column.as_string_opt::<i32>().map(|texts| texts.value(row).to_owned()),
        column.as_boolean_opt().map(|flags| flags.value(row).to_string()),
        number::<UInt16Type>(column, row),
        number::<UInt32Type>(column, row),
        number::<UInt64Type>(column, row),
        number::<Float64Type>(column, row),
    ];
    known.into_iter().flatten().next().expect("a type that tables have")
}

fn number<T: ArrowPrimitiveType<Native: Display>>(
    column: &dyn Array,
    row: usize,
) -> Option<String> {
    column.as_primitive_opt::<T>().map(|numbers| numbers.value(row).to_string())
}
