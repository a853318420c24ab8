//! Parquet files: types, and bytes that are no Parquet file.

use std::fs;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, Date32Array, Decimal128Array, Float32Array, Float64Array, Int32Array, Int64Array,
    StringArray, TimestampMicrosecondArray, TimestampNanosecondArray, TimestampSecondArray,
    UInt64Array,
};
use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::files::{Format, minutes, write_columns};
use super::scenario::tell_series;
use crate::candles::{DataError, SeriesSpec, TimeUnit, inspect};

#[expect(clippy::needless_pass_by_value, reason = "a reference at every call would say nothing")]
fn parquet(columns: Vec<(&str, ArrayRef)>, unit: Option<TimeUnit>, expected: Expect) {
    let folder = TempDir::new().unwrap();
    let path = write_columns(&folder.path().join("one.parquet"), columns, false);
    let spec = SeriesSpec {
        interval: "1d".parse().unwrap(),
        time_unit: unit,
        ..minutes("A", 0, vec![path])
    };
    expected.assert_eq(&tell_series(&spec));
}

fn with_time(time: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let ones = || Arc::new(Float64Array::from(vec![1.0; 2])) as ArrayRef;
    let mut columns = vec![("ts", time)];
    columns.extend(["open", "high", "low", "close", "volume"].map(|name| (name, ones())));
    columns
}

#[test]
fn parquet_times_of_every_type() {
    const DAY: i64 = 86_400;
    let days = [19_723, 19_724_i64];
    let times = |unit: i64| days.map(|day| day * DAY * unit).to_vec();
    let same = || {
        expect![[r"
            2 rows, 2024-01-01T00:00:00Z to 2024-01-02T00:00:00Z
        "]]
    };
    let seconds = TimestampSecondArray::from(times(1));
    parquet(with_time(Arc::new(seconds)), None, same());
    let micros = TimestampMicrosecondArray::from(times(1_000_000)).with_timezone("+02:00");
    parquet(with_time(Arc::new(micros)), None, same());
    let nanos = TimestampNanosecondArray::from(times(1_000_000_000));
    parquet(with_time(Arc::new(nanos)), None, same());
    parquet(with_time(Arc::new(Date32Array::from(vec![19_723, 19_724]))), None, same());
    let millis = || Arc::new(Int64Array::from(times(1_000)));
    parquet(with_time(millis()), Some(TimeUnit::Ms), same());
    let seconds = vec![1_704_067_200, 1_704_153_600];
    parquet(with_time(Arc::new(Int32Array::from(seconds))), Some(TimeUnit::S), same());
    let nanos = vec![1_704_067_200_000_000_000_u64, 1_704_153_600_000_000_000];
    parquet(with_time(Arc::new(UInt64Array::from(nanos))), Some(TimeUnit::Ns), same());
    parquet(
        with_time(millis()),
        None,
        expect![[r#"
            0 rows, - to -
            DATA-UNIT Content one time
              found: integers
              expected: timestamps, or a stated unit
              hint: set time_unit = "ms" (or s, us, ns) for this file
        "#]],
    );
    let texts = StringArray::from(vec!["2024-01-01", "2024-01-02"]);
    parquet(
        with_time(Arc::new(texts)),
        None,
        expect![[r#"
            0 rows, - to -
            DATA-COLUMN Content one time
              found: Utf8
              expected: a timestamp, a date or integers
              hint: convert the file first
        "#]],
    );
}

#[test]
fn parquet_numbers_of_every_type() {
    let decimals = Decimal128Array::from(vec![150, 250]).with_precision_and_scale(10, 2).unwrap();
    let mut columns = with_time(Arc::new(Date32Array::from(vec![19_723, 19_724])));
    columns[1].1 = Arc::new(decimals);
    columns[2].1 = Arc::new(Float32Array::from(vec![2.0, 3.0]));
    columns[3].1 = Arc::new(Int32Array::from(vec![1, 1]));
    columns[4].1 = Arc::new(Int64Array::from(vec![2, 3]));
    columns[5].1 = Arc::new(UInt64Array::from(vec![Some(7), None]));
    // But for the null, the rows are sound: every column was read as numbers.
    parquet(
        columns.clone(),
        None,
        expect![[r#"
            2 rows, 2024-01-01T00:00:00Z to 2024-01-02T00:00:00Z
            DATA-NULL Content one row 2 volume
              found: no value
              expected: a volume
              hint: correct or remove the row at its source
        "#]],
    );
    columns[4].1 = Arc::new(StringArray::from(vec!["2", "3"]));
    parquet(
        columns,
        None,
        expect![[r#"
            0 rows, - to -
            DATA-COLUMN Content one close
              found: Utf8
              expected: numbers
              hint: convert the file first
        "#]],
    );
}

#[test]
fn a_damaged_parquet_file_is_a_fault_and_never_a_panic() {
    let folder = TempDir::new().unwrap();
    let day = |day: i64| (Some(day * 86_400_000), [Some(1.0); 5]);
    let rows: Vec<_> = (0..20).map(day).collect();
    let path = Format::Parquet.write(folder.path(), "one", &rows, false);
    let sound = fs::read(&path).unwrap();
    for (at, flip) in (0..sound.len()).zip([0x01, 0x80, 0xff].into_iter().cycle()) {
        let mut damaged = sound.clone();
        damaged[at] ^= flip;
        fs::write(&path, &damaged).unwrap();
        let spec = minutes("A", 0, vec![path.clone()]);
        // A flipped bit of a value may pass unseen: the file has no checksums.
        let known = |fault: &DataError| fault.code().starts_with("DATA-");
        assert!(inspect(&spec).faults.iter().all(known), "byte {at}");
    }
}

#[test]
fn a_file_that_was_generated_says_so() {
    let folder = TempDir::new().unwrap();
    let rows = [(Some(0), [Some(1.0); 5])];
    for synthetic in [true, false] {
        let path = Format::Parquet.write(folder.path(), "one", &rows, synthetic);
        assert_eq!(inspect(&minutes("A", 0, vec![path])).synthetic_data, synthetic);
    }
}
