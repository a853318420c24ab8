//! Published data that is known to be wrong, or not what the run takes it for.

use std::fs;

use expect_test::{Expect, expect};

use super::super::support::shared;
use super::{Case, check};

/// A run over a file of the shared market data that is known to be wrong: what `backtest` says, and
/// how many faults `check` lists.
fn check_defect(name: &str, interval: &str, expected: &Expect) {
    let Some(path) = shared(&format!("defects/{name}")) else { return };
    let case = Case::over(name)
        .file(name, fs::read(path).expect("it exists"))
        .changed("interval = \"1h\"", &format!("interval = \"{interval}\""));
    let said = case.said(&case.run(&["backtest", "run.toml", "--out", "out"]));
    let checked = case.said(&case.run(&["check", "run.toml"]));
    let listed = checked.matches("error[").count();
    expected.assert_eq(&format!("{said}faults listed by check: {listed}\n"));
}

#[test]
fn published_candles_that_are_unsorted_and_contradict_each_other() {
    let name = "BTC_USDT_5m_unsorted_conflicting";
    check_defect(
        &format!("{name}.csv"),
        "5m",
        &expect![[r#"
        error[DATA-ORDER]: <folder>/BTC_USDT_5m_unsorted_conflicting.csv row 3 (line 4), time: found 2025-10-15T00:00:00Z after 2025-10-15T08:05:00Z, expected times that increase from row to row
          where:    <folder>/BTC_USDT_5m_unsorted_conflicting.csv, row 3 (line 4), column time
          found:    2025-10-15T00:00:00Z after 2025-10-15T08:05:00Z
          expected: times that increase from row to row
          hint:     sort the file by time
        exit code 65
        faults listed by check: 2
    "#]],
    );
    check_defect(
        &format!("{name}.parquet"),
        "5m",
        &expect![[r#"
        error[DATA-ORDER]: <folder>/BTC_USDT_5m_unsorted_conflicting.parquet row 3, time: found 2025-10-15T00:00:00Z after 2025-10-15T08:05:00Z, expected times that increase from row to row
          where:    <folder>/BTC_USDT_5m_unsorted_conflicting.parquet, row 3, column time
          found:    2025-10-15T00:00:00Z after 2025-10-15T08:05:00Z
          expected: times that increase from row to row
          hint:     sort the file by time
        exit code 65
        faults listed by check: 2
    "#]],
    );
}

#[test]
fn published_candles_with_holes() {
    check_defect(
        "binance_BTCUSDT-PERP_1h_23h_holes.parquet",
        "1h",
        &expect![[r#"
        error[DATA-GAP]: <folder>/binance_BTCUSDT-PERP_1h_23h_holes.parquet row 962, time: found 2024-02-11T00:00:00Z after 2024-02-10T00:00:00Z, 23 missing, expected 2024-02-10T01:00:00Z
          where:    <folder>/binance_BTCUSDT-PERP_1h_23h_holes.parquet, row 962, column time
          found:    2024-02-11T00:00:00Z after 2024-02-10T00:00:00Z, 23 missing
          expected: 2024-02-10T01:00:00Z
          hint:     gaps = "skip" leaves the bars out, gaps = "synthetic" repeats the last close
        exit code 65
        faults listed by check: 12
    "#]],
    );
}

#[test]
fn published_candles_with_repeated_rows() {
    check_defect(
        "bybit_ETHUSDT-PERP_1h_repeated_rows.parquet",
        "1h",
        &expect![[r#"
        error[DATA-REPEATED]: <folder>/bybit_ETHUSDT-PERP_1h_repeated_rows.parquet row 962: found 2024-02-10T00:00:00Z again, all values equal, expected one row per time
          where:    <folder>/bybit_ETHUSDT-PERP_1h_repeated_rows.parquet, row 962
          found:    2024-02-10T00:00:00Z again, all values equal
          expected: one row per time
          hint:     remove the repeated row
        exit code 65
        faults listed by check: 12
    "#]],
    );
}

#[test]
fn a_placeholder_instead_of_published_candles() {
    check_defect(
        "placeholder_ramp_EIGENUSDT.csv",
        "1d",
        &expect![[r#"
        error[DATA-COLUMN]: <folder>/placeholder_ramp_EIGENUSDT.csv has no column `open`
          where:    <folder>/placeholder_ramp_EIGENUSDT.csv, column open
          found:    the columns timestamp, price
          expected: a column `open`
          hint:     columns = { open = "…" } names it
        exit code 65
        faults listed by check: 1
    "#]],
    );
}

#[test]
fn funding_rates_instead_of_candles() {
    let Some(path) = shared("defects/okx_BTCUSDT-PERP_funding_as_published.parquet") else {
        return;
    };
    let case = Case::over("funding.parquet").file("funding.parquet", fs::read(path).unwrap());
    check(
        &case,
        &expect![[r#"
        error[DATA-COLUMN]: <folder>/funding.parquet has no column `open`
          where:    <folder>/funding.parquet, column open
          found:    the columns ts, funding_rate, real_funding_rate
          expected: a column `open`
          hint:     columns = { open = "…" } names it
        exit code 65
    "#]],
    );
}
