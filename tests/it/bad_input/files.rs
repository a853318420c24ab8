//! Files that are not there, or are not what their names say.

use std::fs;

use expect_test::expect;

use super::super::support::write_parquet;
use super::{Case, RUN_FILE, check, check_command, hours};

#[test]
fn a_run_file_that_is_missing() {
    let case = Case::sound();
    check_command(
        &case,
        &["backtest", "runs.toml"],
        &expect![[r#"
        error[CFG-FILE]: cannot read the run file: No such file or directory (os error 2)
        --> runs.toml
         = note: expected a run file
        exit code 74
    "#]],
    );
    check_command(
        &case,
        &["check", "runs.toml"],
        &expect![[r#"
        error[CFG-FILE]: cannot read the run file: No such file or directory (os error 2)
        --> runs.toml
         = note: expected a run file
        exit code 74
    "#]],
    );
}

#[test]
fn a_run_file_that_is_no_text() {
    check(
        &Case::sound().file("run.toml", [0xff, 0xfe, 0x00]),
        &expect![[r#"
        error[CFG-FILE]: cannot read the run file: stream did not contain valid UTF-8
        --> run.toml
         = note: expected a run file
        exit code 78
    "#]],
    );
}

#[test]
fn a_run_file_that_is_no_toml() {
    check(
        &Case::sound().changed("interval =", "interval"),
        &expect![[r#"
        error[CFG-SYNTAX]: key with no value
         --> run.toml:2:10
          |
        2 | interval "1h"
          |          ^ expected `=`
        exit code 78
    "#]],
    );
}

#[test]
fn a_data_file_that_is_missing() {
    check(
        &Case::over("candles.parquet"),
        &expect![[r#"
        error[CFG-FILE]: data.path: found the string "candles.parquet"
         --> run.toml:9:8
          |
        9 | path = "candles.parquet"
          |        ^^^^^^^^^^^^^^^^^ expected a file, relative to the run file, that ends in .parquet or .csv
          |
          = help: <folder>/candles.parquet: No such file or directory (os error 2)
        exit code 74
    "#]],
    );
}

#[test]
fn a_folder_instead_of_a_data_file() {
    let case = Case::over("candles.parquet");
    fs::create_dir(case.path("candles.parquet")).unwrap();
    check(
        &case,
        &expect![[r#"
        error[CFG-FILE]: data.path: found the string "candles.parquet"
         --> run.toml:9:8
          |
        9 | path = "candles.parquet"
          |        ^^^^^^^^^^^^^^^^^ expected a file, relative to the run file, that ends in .parquet or .csv
          |
          = help: <folder>/candles.parquet: is not a file
        exit code 74
    "#]],
    );
}

#[test]
fn an_empty_file() {
    check(
        &Case::over("candles.parquet").file("candles.parquet", ""),
        &expect![[r#"
        error[DATA-FORMAT]: <folder>/candles.parquet is not a sound Parquet file
          where:    <folder>/candles.parquet
          expected: a complete Parquet file
          hint:     fetch the file again, it may be cut off
          cause:    EOF: Parquet file too small. Size is 0 but need 8
        exit code 65
    "#]],
    );
    check(
        &Case::sound().file("candles.csv", ""),
        &expect![[r#"
        error[DATA-EMPTY]: <folder>/candles.csv has no rows
          where:    <folder>/candles.csv
          found:    no rows
          expected: at least one row
        exit code 65
    "#]],
    );
}

#[test]
fn a_file_without_rows() {
    check(
        &Case::of(&[]),
        &expect![[r#"
        error[DATA-EMPTY]: <folder>/candles.csv has no rows
          where:    <folder>/candles.csv
          found:    no rows
          expected: at least one row
        exit code 65
    "#]],
    );
}

#[test]
fn a_text_that_calls_itself_parquet() {
    let case = Case::over("candles.parquet").file("candles.parquet", RUN_FILE);
    check(
        &case,
        &expect![[r#"
        error[DATA-FORMAT]: <folder>/candles.parquet is not a sound Parquet file
          where:    <folder>/candles.parquet
          expected: a complete Parquet file
          hint:     fetch the file again, it may be cut off
          cause:    Parquet error: Invalid Parquet file. Corrupt footer
        exit code 65
    "#]],
    );
}

#[test]
fn a_parquet_file_that_is_cut_off() {
    let case = Case::over("candles.parquet");
    let path = case.path("candles.parquet");
    write_parquet(&path, &hours());
    let whole = fs::read(&path).unwrap();
    check(
        &case.file("candles.parquet", &whole[..whole.len() / 2]),
        &expect![[r#"
        error[DATA-FORMAT]: <folder>/candles.parquet is not a sound Parquet file
          where:    <folder>/candles.parquet
          expected: a complete Parquet file
          hint:     fetch the file again, it may be cut off
          cause:    Parquet error: Invalid Parquet file. Corrupt footer
        exit code 65
    "#]],
    );
}

#[test]
fn a_parquet_file_that_is_cut_off_anywhere_is_never_a_panic() {
    let case = Case::over("candles.parquet");
    let path = case.path("candles.parquet");
    write_parquet(&path, &hours());
    let whole = fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(whole.len() / 16) {
        fs::write(&path, &whole[..length]).unwrap();
        let output = case.run(&["check", "run.toml"]);
        assert_eq!(output.status.code(), Some(65), "{length} bytes: {}", case.said(&output));
    }
}

#[test]
fn a_parquet_file_with_overwritten_bytes_is_never_a_panic() {
    let case = Case::over("candles.parquet");
    let path = case.path("candles.parquet");
    write_parquet(&path, &hours());
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 24) {
        let mut bytes = whole.clone();
        let end = (at + 4).min(bytes.len());
        bytes[at..end].fill(0xff);
        fs::write(&path, &bytes).unwrap();
        let output = case.run(&["check", "run.toml"]);
        let code = output.status.code();
        // What nothing reads, such as a statistic, may be anything.
        assert!(matches!(code, Some(0 | 65)), "byte {at}: {}", case.said(&output));
    }
}

#[test]
fn a_csv_file_with_a_short_line() {
    let text = "ts,open,high,low,close,volume\n\
                2024-01-01T00:00:00Z,100,101,99,100,1\n\
                2024-01-01T01:00:00Z,100,101,99,100\n";
    check(
        &Case::sound().file("candles.csv", text),
        &expect![[r#"
            error[DATA-FORMAT]: <folder>/candles.csv is not a sound CSV file
              where:    <folder>/candles.csv, line 3
              expected: as many cells in each line as in the header
              cause:    CSV error: record 2 (line: 3, byte: 68): found record with 5 fields, but the previous record has 6 fields
            exit code 65
        "#]],
    );
}

#[test]
fn a_column_of_another_name() {
    let text = "ts,open,high,low,closed,volume\n2024-01-01T00:00:00Z,100,101,99,100,1\n";
    check(
        &Case::sound().file("candles.csv", text),
        &expect![[r#"
        error[DATA-COLUMN]: <folder>/candles.csv has no column `close`
          where:    <folder>/candles.csv, column close
          found:    the columns ts, open, high, low, closed, volume
          expected: a column `close`
          hint:     columns = { close = "closed" } if that is the one
        exit code 65
    "#]],
    );
}

#[test]
fn a_column_that_is_missing() {
    let text = "ts,open,high,low,close\n2024-01-01T00:00:00Z,100,101,99,100\n";
    check(
        &Case::sound().file("candles.csv", text),
        &expect![[r#"
        error[DATA-COLUMN]: <folder>/candles.csv has no column `volume`
          where:    <folder>/candles.csv, column volume
          found:    the columns ts, open, high, low, close
          expected: a column `volume`
          hint:     columns = { volume = "…" } names it
        exit code 65
    "#]],
    );
}

#[test]
fn a_file_without_a_header() {
    let text = "1704067200000,100,101,99,100,1\n1704070800000,100,101,99,100,1\n";
    check(
        &Case::sound().file("candles.csv", text),
        &expect![[r#"
        error[DATA-COLUMN]: <folder>/candles.csv has no column `time`
          where:    <folder>/candles.csv, column time
          found:    the columns 1704067200000, 100, 101, 99, 100, 1
          expected: a column `time`
          hint:     the first line must name the columns
        exit code 65
    "#]],
    );
}

#[test]
fn a_column_name_that_the_run_file_makes_up() {
    let case = Case::sound().changed("[strategy]", "columns = { volume = \"vol\" }\n[strategy]");
    check(
        &case,
        &expect![[r#"
        error[DATA-COLUMN]: <folder>/candles.csv has no column `vol`
          where:    <folder>/candles.csv, column volume
          found:    the columns ts, open, high, low, close, volume
          expected: a column `vol`
          hint:     columns = { volume = "…" } names it
        exit code 65
    "#]],
    );
}

#[test]
fn integers_without_a_unit() {
    let text = "ts,open,high,low,close,volume\n1704067200000,100,101,99,100,1\n";
    check(
        &Case::sound().file("candles.csv", text),
        &expect![[r#"
        error[DATA-UNIT]: <folder>/candles.csv row 1 (line 2), time: found the integer 1704067200000, expected a calendar time, or a stated unit
          where:    <folder>/candles.csv, row 1 (line 2), column time
          found:    the integer 1704067200000
          expected: a calendar time, or a stated unit
          hint:     set time_unit = "ms" (or s, us, ns) for this file
        exit code 65
    "#]],
    );
    check(
        &Case::sound()
            .file("candles.csv", text)
            .changed("[strategy]", "time_unit = \"s\"\n[strategy]"),
        &expect![[r#"
            error[DATA-TIME]: <folder>/candles.csv row 1 (line 2), time: found 1704067200000000 ms since 1970, expected a time in the years 1 to 9999
              where:    <folder>/candles.csv, row 1 (line 2), column time
              found:    1704067200000000 ms since 1970
              expected: a time in the years 1 to 9999
              hint:     time_unit is probably wrong for this file
            exit code 65
        "#]],
    );
}

#[test]
fn another_file_format() {
    let case = Case::over("candles.feather").file("candles.feather", "");
    check(
        &case,
        &expect![[r#"
        error[CFG-VALUE]: data.path: found the string "candles.feather"
         --> run.toml:9:8
          |
        9 | path = "candles.feather"
          |        ^^^^^^^^^^^^^^^^^ expected a file, relative to the run file, that ends in .parquet or .csv
        exit code 78
    "#]],
    );
}
