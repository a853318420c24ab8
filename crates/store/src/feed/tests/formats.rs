//! Files that cannot be read, and what is known of those that can.

use std::fs;
use std::path::Path;

use expect_test::expect;
use tempfile::TempDir;

use super::files::{Format, minutes, write_text};
use super::scenario::tell_series;
use crate::candles::{fingerprint, inspect};

#[test]
fn files_that_cannot_be_opened_or_read() {
    let folder = TempDir::new().unwrap();
    let place = |name: &str| folder.path().join(name);
    let day = |day: i64| (Some(day * 86_400_000), [Some(1.0); 5]);
    let rows: Vec<_> = (0..50).map(day).collect();
    let sound = fs::read(Format::Parquet.write(folder.path(), "sound", &rows, false)).unwrap();
    fs::write(place("truncated.parquet"), &sound[..sound.len() / 2]).unwrap();
    write_text(&place("text.parquet"), "ts,open\n");
    write_text(&place("empty.parquet"), "");
    write_text(&place("zipped.csv.gz"), "");
    fs::create_dir(place("folder.parquet")).unwrap();
    let tell = |name: &str| tell_series(&minutes("A", 0, vec![place(name)]));
    expect![[r#"
        0 rows, - to -
        DATA-OPEN Io missing
    "#]]
    .assert_eq(&tell("missing.parquet"));
    expect![[r#"
        0 rows, - to -
        DATA-OPEN Io folder
    "#]]
    .assert_eq(&tell("folder.parquet"));
    expect![[r#"
        0 rows, - to -
        DATA-FORMAT Content truncated
          expected: a complete Parquet file
          hint: fetch the file again, it may be cut off
    "#]]
    .assert_eq(&tell("truncated.parquet"));
    expect![[r#"
        0 rows, - to -
        DATA-FORMAT Content text
          expected: a complete Parquet file
          hint: fetch the file again, it may be cut off
    "#]]
    .assert_eq(&tell("text.parquet"));
    expect![[r#"
        0 rows, - to -
        DATA-FORMAT Content empty
          expected: a complete Parquet file
          hint: fetch the file again, it may be cut off
    "#]]
    .assert_eq(&tell("empty.parquet"));
    expect![[r#"
        0 rows, - to -
        DATA-FORMAT Content zipped.csv
          expected: a file name ending in .parquet or .csv
          hint: convert the file first
    "#]]
    .assert_eq(&tell("zipped.csv.gz"));
}

#[test]
fn all_faults_are_counted_and_the_first_hundred_listed() {
    let folder = TempDir::new().unwrap();
    let rows: Vec<_> = (0..300)
        .map(|minute| (Some(minute * 60_000), [Some(0.0), None, None, None, None]))
        .collect();
    let path = Format::Csv.write(folder.path(), "one", &rows, false);
    let inspection = inspect(&minutes("A", 0, vec![path, folder.path().join("missing.csv")]));
    assert_eq!(
        (inspection.rows, inspection.fault_count, inspection.faults.len()),
        (300, 1_501, 100)
    );
}

#[test]
fn the_fingerprint_is_the_hash_of_all_bytes() {
    let folder = TempDir::new().unwrap();
    let text = "a".repeat(300_000);
    let path = write_text(&folder.path().join("one.csv"), &text);
    let found = fingerprint(&path).unwrap();
    assert_eq!((found.blake3, found.bytes), (blake3::hash(text.as_bytes()), 300_000));
    assert_eq!(fingerprint(Path::new("missing")).unwrap_err().code(), "DATA-OPEN");
}
