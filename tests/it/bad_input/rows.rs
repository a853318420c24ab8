//! Rows that cannot be bars, or cannot follow each other.

use expect_test::{Expect, expect};
use serde_json::json;

use super::super::support::{CandleRow, write_parquet};
use super::{Case, HOUR_MS, check, check_command, hours};

/// Places of the values in a row.
const OPEN: usize = 0;
const HIGH: usize = 1;
const LOW: usize = 2;
const CLOSE: usize = 3;
const VOLUME: usize = 4;

/// Spoils the hours in a Parquet file, where every value can be anything.
fn check_rows(spoil: impl FnOnce(&mut Vec<CandleRow>), expected: &Expect) {
    let case = Case::over("candles.parquet");
    let mut rows = hours();
    spoil(&mut rows);
    write_parquet(&case.path("candles.parquet"), &rows);
    check(&case, expected);
}

/// Puts a value into row 5.
fn check_value(column: usize, value: impl Into<Option<f64>>, expected: &Expect) {
    check_rows(|rows| rows[4].1[column] = value.into(), expected);
}

#[test]
fn rows_out_of_order() {
    check_rows(
        |rows| rows.swap(4, 5),
        &expect![[r#"
        error[DATA-GAP]: <folder>/candles.parquet row 5, time: found 2024-01-01T05:00:00Z after 2024-01-01T03:00:00Z, 1 missing, expected 2024-01-01T04:00:00Z
          where:    <folder>/candles.parquet, row 5, column time
          found:    2024-01-01T05:00:00Z after 2024-01-01T03:00:00Z, 1 missing
          expected: 2024-01-01T04:00:00Z
          hint:     gaps = "skip" leaves the bars out, gaps = "synthetic" repeats the last close
        exit code 65

        check
        error[DATA-GAP]: <folder>/candles.parquet row 5, time: found 2024-01-01T05:00:00Z after 2024-01-01T03:00:00Z, 1 missing, expected 2024-01-01T04:00:00Z
          where:    <folder>/candles.parquet, row 5, column time
          found:    2024-01-01T05:00:00Z after 2024-01-01T03:00:00Z, 1 missing
          expected: 2024-01-01T04:00:00Z
          hint:     gaps = "skip" leaves the bars out, gaps = "synthetic" repeats the last close
        error[DATA-ORDER]: <folder>/candles.parquet row 6, time: found 2024-01-01T04:00:00Z after 2024-01-01T05:00:00Z, expected times that increase from row to row
          where:    <folder>/candles.parquet, row 6, column time
          found:    2024-01-01T04:00:00Z after 2024-01-01T05:00:00Z
          expected: times that increase from row to row
          hint:     sort the file by time
        error[DATA-GAP]: <folder>/candles.parquet row 7, time: found 2024-01-01T06:00:00Z after 2024-01-01T04:00:00Z, 1 missing, expected 2024-01-01T05:00:00Z
          where:    <folder>/candles.parquet, row 7, column time
          found:    2024-01-01T06:00:00Z after 2024-01-01T04:00:00Z, 1 missing
          expected: 2024-01-01T05:00:00Z
          hint:     gaps = "skip" leaves the bars out, gaps = "synthetic" repeats the last close
        exit code 65
    "#]],
    );
}

#[test]
fn a_row_that_is_there_twice() {
    check_rows(
        |rows| rows.insert(5, rows[4]),
        &expect![[r#"
        error[DATA-REPEATED]: <folder>/candles.parquet row 6: found 2024-01-01T04:00:00Z again, all values equal, expected one row per time
          where:    <folder>/candles.parquet, row 6
          found:    2024-01-01T04:00:00Z again, all values equal
          expected: one row per time
          hint:     remove the repeated row
        exit code 65
    "#]],
    );
}

#[test]
fn two_rows_of_one_time_that_contradict_each_other() {
    let conflict = |rows: &mut Vec<CandleRow>| {
        rows.insert(5, rows[4]);
        rows[5].1[CLOSE] = Some(109.55);
    };
    check_rows(
        conflict,
        &expect![[r#"
        error[DATA-CONFLICT]: <folder>/candles.parquet row 6, close: found 109.55 after 109.5, both at 2024-01-01T04:00:00Z, expected one row per time
          where:    <folder>/candles.parquet, row 6, column close
          found:    109.55 after 109.5, both at 2024-01-01T04:00:00Z
          expected: one row per time
          hint:     decide which of the rows is true and remove the other
        exit code 65
    "#]],
    );
}

#[test]
fn a_value_that_is_missing() {
    check_value(
        CLOSE,
        None,
        &expect![[r#"
        error[DATA-NULL]: <folder>/candles.parquet row 5, close: found no value, expected a price
          where:    <folder>/candles.parquet, row 5, column close
          found:    no value
          expected: a price
          hint:     correct or remove the row at its source
        exit code 65
    "#]],
    );
    check_value(
        VOLUME,
        None,
        &expect![[r#"
        error[DATA-NULL]: <folder>/candles.parquet row 5, volume: found no value, expected a volume
          where:    <folder>/candles.parquet, row 5, column volume
          found:    no value
          expected: a volume
          hint:     correct or remove the row at its source
        exit code 65
    "#]],
    );
    check_rows(
        |rows| rows[4].0 = None,
        &expect![[r#"
        error[DATA-NULL]: <folder>/candles.parquet row 5, time: found no value, expected a time
          where:    <folder>/candles.parquet, row 5, column time
          found:    no value
          expected: a time
          hint:     correct or remove the row at its source
        exit code 65

        check
        error[DATA-NULL]: <folder>/candles.parquet row 5, time: found no value, expected a time
          where:    <folder>/candles.parquet, row 5, column time
          found:    no value
          expected: a time
          hint:     correct or remove the row at its source
        error[DATA-GAP]: <folder>/candles.parquet row 6, time: found 2024-01-01T05:00:00Z after 2024-01-01T03:00:00Z, 1 missing, expected 2024-01-01T04:00:00Z
          where:    <folder>/candles.parquet, row 6, column time
          found:    2024-01-01T05:00:00Z after 2024-01-01T03:00:00Z, 1 missing
          expected: 2024-01-01T04:00:00Z
          hint:     gaps = "skip" leaves the bars out, gaps = "synthetic" repeats the last close
        exit code 65
    "#]],
    );
}

#[test]
fn a_price_of_zero() {
    check_value(
        LOW,
        0.0,
        &expect![[r#"
        error[DATA-PRICE]: <folder>/candles.parquet row 5, low: found 0, expected a finite price above zero
          where:    <folder>/candles.parquet, row 5, column low
          found:    0
          expected: a finite price above zero
          hint:     correct or remove the row at its source
        exit code 65
    "#]],
    );
}

#[test]
fn a_negative_price() {
    check_value(
        OPEN,
        -110.0,
        &expect![[r#"
        error[DATA-PRICE]: <folder>/candles.parquet row 5, open: found -110, expected a finite price above zero
          where:    <folder>/candles.parquet, row 5, column open
          found:    -110
          expected: a finite price above zero
          hint:     correct or remove the row at its source
        exit code 65
    "#]],
    );
}

#[test]
fn a_price_that_is_no_number() {
    check_value(
        HIGH,
        f64::NAN,
        &expect![[r#"
        error[DATA-PRICE]: <folder>/candles.parquet row 5, high: found NaN, expected a finite price above zero
          where:    <folder>/candles.parquet, row 5, column high
          found:    NaN
          expected: a finite price above zero
          hint:     correct or remove the row at its source
        exit code 65
    "#]],
    );
}

#[test]
fn an_infinite_price() {
    check_value(
        HIGH,
        f64::INFINITY,
        &expect![[r#"
        error[DATA-PRICE]: <folder>/candles.parquet row 5, high: found inf, expected a finite price above zero
          where:    <folder>/candles.parquet, row 5, column high
          found:    inf
          expected: a finite price above zero
          hint:     correct or remove the row at its source
        exit code 65
    "#]],
    );
}

#[test]
fn a_negative_volume() {
    check_value(
        VOLUME,
        -1.0,
        &expect![[r#"
        error[DATA-VOLUME]: <folder>/candles.parquet row 5, volume: found -1, expected a finite volume of zero or more
          where:    <folder>/candles.parquet, row 5, column volume
          found:    -1
          expected: a finite volume of zero or more
          hint:     correct or remove the row at its source
        exit code 65
    "#]],
    );
}

#[test]
fn a_high_below_the_low() {
    let swapped = |rows: &mut Vec<CandleRow>| rows[4].1.swap(HIGH, LOW);
    check_rows(
        swapped,
        &expect![[r#"
        error[DATA-RANGE]: <folder>/candles.parquet row 5, high: found 109 with open 109.6, expected a high not below the other prices
          where:    <folder>/candles.parquet, row 5, column high
          found:    109 with open 109.6
          expected: a high not below the other prices
          hint:     correct or remove the row at its source
        exit code 65

        check
        error[DATA-RANGE]: <folder>/candles.parquet row 5, high: found 109 with open 109.6, expected a high not below the other prices
          where:    <folder>/candles.parquet, row 5, column high
          found:    109 with open 109.6
          expected: a high not below the other prices
          hint:     correct or remove the row at its source
        error[DATA-RANGE]: <folder>/candles.parquet row 5, low: found 110.1 with open 109.6, expected a low not above the other prices
          where:    <folder>/candles.parquet, row 5, column low
          found:    110.1 with open 109.6
          expected: a low not above the other prices
          hint:     correct or remove the row at its source
        exit code 65
    "#]],
    );
}

#[test]
fn a_close_above_the_high() {
    check_value(
        CLOSE,
        200.0,
        &expect![[r#"
        error[DATA-RANGE]: <folder>/candles.parquet row 5, high: found 110.1 with close 200, expected a high not below the other prices
          where:    <folder>/candles.parquet, row 5, column high
          found:    110.1 with close 200
          expected: a high not below the other prices
          hint:     correct or remove the row at its source
        exit code 65
    "#]],
    );
}

#[test]
fn cells_of_text_that_are_no_values() {
    let rows = "2024-01-01T00:00:00Z,100,101,99,100,1\n\
                2024-01-01T01:00:00Z,1e400,101,99,100,1\n\
                yesterday,100,101,99,100,1\n\
                2024-01-01T03:00:00Z,100,NaN,99,n/a,1\n\
                2024-01-01T04:00:00Z,100,,99,100,1\n";
    let text = format!("ts,open,high,low,close,volume\n{rows}");
    check(
        &Case::sound().file("candles.csv", text),
        &expect![[r#"
        error[DATA-PRICE]: <folder>/candles.csv row 2 (line 3), open: found inf, expected a finite price above zero
          where:    <folder>/candles.csv, row 2 (line 3), column open
          found:    inf
          expected: a finite price above zero
          hint:     correct or remove the row at its source
        exit code 65

        check
        error[DATA-PRICE]: <folder>/candles.csv row 2 (line 3), open: found inf, expected a finite price above zero
          where:    <folder>/candles.csv, row 2 (line 3), column open
          found:    inf
          expected: a finite price above zero
          hint:     correct or remove the row at its source
        error[DATA-VALUE]: <folder>/candles.csv row 3 (line 4), time: found `yesterday`, expected a time such as 2024-01-31T12:00:00Z
          where:    <folder>/candles.csv, row 3 (line 4), column time
          found:    `yesterday`
          expected: a time such as 2024-01-31T12:00:00Z
          hint:     correct or remove the row at its source
        error[DATA-PRICE]: <folder>/candles.csv row 4 (line 5), high: found NaN, expected a finite price above zero
          where:    <folder>/candles.csv, row 4 (line 5), column high
          found:    NaN
          expected: a finite price above zero
          hint:     correct or remove the row at its source
        error[DATA-VALUE]: <folder>/candles.csv row 4 (line 5), close: found `n/a`, expected a number
          where:    <folder>/candles.csv, row 4 (line 5), column close
          found:    `n/a`
          expected: a number
          hint:     correct or remove the row at its source
        error[DATA-GAP]: <folder>/candles.csv row 4 (line 5), time: found 2024-01-01T03:00:00Z after 2024-01-01T01:00:00Z, 1 missing, expected 2024-01-01T02:00:00Z
          where:    <folder>/candles.csv, row 4 (line 5), column time
          found:    2024-01-01T03:00:00Z after 2024-01-01T01:00:00Z, 1 missing
          expected: 2024-01-01T02:00:00Z
          hint:     gaps = "skip" leaves the bars out, gaps = "synthetic" repeats the last close
        error[DATA-NULL]: <folder>/candles.csv row 5 (line 6), high: found no value, expected a price
          where:    <folder>/candles.csv, row 5 (line 6), column high
          found:    no value
          expected: a price
          hint:     correct or remove the row at its source
        exit code 65
    "#]],
    );
}

#[test]
fn an_interval_that_the_rows_do_not_have() {
    let half = |rows: &mut Vec<CandleRow>| {
        rows.truncate(2);
        for (at, row) in (0..).zip(rows) {
            row.0 = Some(1_704_067_200_000 + at * HOUR_MS / 2);
        }
    };
    check_rows(
        half,
        &expect![[r#"
        error[DATA-INTERVAL]: <folder>/candles.parquet row 2, time: found 2024-01-01T00:30:00Z after 2024-01-01T00:00:00Z, expected rows 1h apart
          where:    <folder>/candles.parquet, row 2, column time
          found:    2024-01-01T00:30:00Z after 2024-01-01T00:00:00Z
          expected: rows 1h apart
          hint:     interval (or time_unit) is probably wrong for this file
        exit code 65
    "#]],
    );
}

/// Hours of which the sixth and seventh are missing.
fn holed(policy: &str) -> Case {
    let mut rows = hours();
    rows.drain(5..7);
    let gaps = format!("gaps = \"{policy}\"\n\n[strategy]");
    Case::of(&rows).changed("[strategy]", &gaps)
}

#[test]
fn a_hole_is_an_error_unless_the_run_file_says_what_to_do() {
    check(
        &holed("error"),
        &expect![[r#"
        error[DATA-GAP]: <folder>/candles.csv row 6 (line 7), time: found 2024-01-01T07:00:00Z after 2024-01-01T04:00:00Z, 2 missing, expected 2024-01-01T05:00:00Z
          where:    <folder>/candles.csv, row 6 (line 7), column time
          found:    2024-01-01T07:00:00Z after 2024-01-01T04:00:00Z, 2 missing
          expected: 2024-01-01T05:00:00Z
          hint:     gaps = "skip" leaves the bars out, gaps = "synthetic" repeats the last close
        exit code 65
    "#]],
    );
    for (policy, frames, synthetic) in [("skip", 10, 0), ("synthetic", 12, 2)] {
        let case = holed(policy);
        assert_eq!(case.summary("/frames"), frames, "{policy}");
        let integrity = |key: &str| case.summary_of("out", &format!("/integrity/{key}"));
        assert_eq!(integrity("gaps"), 2, "{policy}");
        assert_eq!(integrity("synthetic_bars"), synthetic, "{policy}");
        let said = format!("binance:spot:BTCUSDT: gaps = {policy}");
        assert_eq!(integrity("policies"), json!([said]));
        assert_eq!(case.summary_of("out", "/inputs/0/holes"), 1, "{policy}");
        assert_eq!(case.run(&["check", "run.toml"]).status.code(), Some(0), "{policy}");
    }
}

#[test]
fn an_inspection_says_whether_a_file_is_missing_or_wrong() {
    let mut rows = hours();
    rows[4].1[LOW] = Some(0.0);
    let case = Case::of(&rows);
    check_command(
        &case,
        &["data", "inspect", "candles.csv"],
        &expect![[r#"
        error[DATA-PRICE]: candles.csv row 5 (line 6), low: found 0, expected a finite price above zero
          where:    candles.csv, row 5 (line 6), column low
          found:    0
          expected: a finite price above zero
          hint:     correct or remove the row at its source
        exit code 65
    "#]],
    );
    check_command(
        &case,
        &["data", "inspect", "missing.csv"],
        &expect![[r#"
            error[DATA-OPEN]: cannot open missing.csv
              where:    missing.csv
              cause:    No such file or directory (os error 2)
            exit code 74
        "#]],
    );
}
