//! Bars taken apart: finer candles say which exit came first.

use expect_test::expect;
use tickdrain::App;

use crate::support;
use crate::tables::{Candle, HOUR, Scene, Table};

/// Quarters of four hours: a long at 100 in the second hour, after which one exit is reached and then
/// the other.
fn quarters(target_first: bool) -> Vec<Candle> {
    let quiet = "100 101 99 100 1\n".repeat(4);
    let (up, down) = ("100 106  99 104 1\n", "104 105  94  96 1\n");
    let (dip, rise) = ("100 101  94  96 1\n", " 96 106  96 104 1\n");
    let both = if target_first { up.to_owned() + down } else { dip.to_owned() + rise };
    let last = if target_first { "96 97 95 96 1\n" } else { "104 104 103 104 1\n" };
    let text = quiet.clone() + &quiet + &both + &last.repeat(2) + &last.repeat(4);
    Candle::series(HOUR / 4, &text)
}

/// The hours that four quarters make up each.
fn hours(quarters: &[Candle]) -> Vec<Candle> {
    let hour = |parts: &[Candle]| Candle {
        ts: parts[0].ts,
        open: parts[0].open,
        high: parts.iter().map(|part| part.high).fold(f64::MIN, f64::max),
        low: parts.iter().map(|part| part.low).fold(f64::MAX, f64::min),
        close: parts[3].close,
        volume: parts.iter().map(|part| part.volume).sum(),
    };
    quarters.chunks(4).map(hour).collect()
}

const RUN_FILE: &str = r#"share_class = "USDT"
interval = "1h"

[initial]
"binance:BaseToken:USDT" = "1000"

[execution]
path = "sub_bars"

[venues.binance]
maker_bps = 0
taker_bps = 0

[strategy]
kind = "scripted"
orders = "orders.csv"

"#;

const QUARTERS: &str = "[[data]]\nof = \"binance:spot:BTCUSDT\"\npath = \"quarters.csv\"\n\
                        interval = \"15m\"\ntime_unit = \"ms\"\n";

const HOURS: &str = "[[data]]\nof = \"binance:spot:BTCUSDT\"\npath = \"hours.csv\"\n\
                     interval = \"1h\"\ntime_unit = \"ms\"\n";

const ORDERS: &str = "decide_ts,order_id,instrument,side,qty,take_profit,stop_loss\n\
                      2024-01-01T01:00:00Z,long,binance:spot:BTCUSDT,buy,1,105,95\n";

fn scene(data: &str, target_first: bool) -> Scene {
    let quarters = quarters(target_first);
    Scene::new(&(RUN_FILE.to_owned() + data))
        .file("quarters.csv", Candle::csv(&quarters))
        .file("hours.csv", Candle::csv(&hours(&quarters)))
        .file("orders.csv", ORDERS)
}

fn fills(scene: &Scene, overrides: &[&str], out: &str) -> String {
    scene.run(App::new(), overrides, out);
    let table = Table::read(&scene.path(out).join("fills.parquet"));
    table.lines(&["ts", "order_id", "last_px", "price_rule"])
}

#[test]
fn the_exit_that_the_finer_bars_show_first_is_taken() {
    let both = HOURS.to_owned() + QUARTERS;
    // The finer series may also come first.
    let swapped = QUARTERS.to_owned() + HOURS;
    for data in [QUARTERS, &both, &swapped] {
        expect![[r"
            2024-01-01T01:00:00Z  long  100  market_open
            2024-01-01T02:15:00Z  long-tp  105  limit
        "]]
        .assert_eq(&fills(&scene(data, true), &[], "out"));
        expect![[r"
            2024-01-01T01:00:00Z  long  100  market_open
            2024-01-01T02:15:00Z  long-sl  95  stop
        "]]
        .assert_eq(&fills(&scene(data, false), &[], "out"));
    }
    // The hour alone does not tell, so what is worse is taken.
    let scene = scene(QUARTERS, true);
    expect![[r"
        2024-01-01T01:00:00Z  long  100  market_open
        2024-01-01T03:00:00Z  long-sl  95  stop
    "]]
    .assert_eq(&fills(&scene, &["execution.path=pessimistic"], "worse"));
}

/// A finer bar of which the order of prices is not known either is taken pessimistically.
#[test]
fn a_finer_bar_with_both_exits_does_not_tell_either() {
    let mut quarters = quarters(true);
    quarters[8] = Candle { low: 94.0, ..quarters[8] };
    let scene = scene(QUARTERS, true).file("quarters.csv", Candle::csv(&quarters));
    expect![[r"
        2024-01-01T01:00:00Z  long  100  market_open
        2024-01-01T02:15:00Z  long-sl  95  stop
    "]]
    .assert_eq(&fills(&scene, &[], "out"));
}

/// Finer candles are used as far as they go; where there are none, the bar itself decides.
#[test]
fn an_hour_without_finer_candles_does_not_tell() {
    let (hours_and_quarters, quarters) = (HOURS.to_owned() + QUARTERS, quarters(true));
    let scene = scene(&hours_and_quarters, true);
    let scene = scene.file("quarters.csv", Candle::csv(&quarters[..8]));
    expect![[r"
        2024-01-01T01:00:00Z  long  100  market_open
        2024-01-01T03:00:00Z  long-sl  95  stop
    "]]
    .assert_eq(&fills(&scene, &[], "out"));
}

#[test]
fn another_finer_file_is_another_run() {
    let data = HOURS.to_owned() + QUARTERS;
    let scene = scene(&data, true);
    let id = |scene: &Scene, out| scene.run(App::new(), &[], out).summary.run_id;
    let first = id(&scene, "a");
    assert_eq!(id(&scene, "b"), first);
    let mut quarters = quarters(true);
    // A volume that nothing depends on.
    quarters.last_mut().expect("there are some").volume += 0.5;
    let scene = scene.file("quarters.csv", Candle::csv(&quarters));
    assert_ne!(id(&scene, "c"), first);
}

#[test]
fn a_check_lists_the_finer_series() {
    let data = HOURS.to_owned() + QUARTERS;
    let scene = scene(&data, true);
    let check = || {
        let output = support::run(&scene.path(""), &["check", "run.toml"]);
        let folder = scene.path("").canonicalize().expect("it exists").display().to_string();
        let text = |bytes| String::from_utf8(bytes).expect("text").replace(&folder, "<folder>");
        text(output.stdout) + &text(output.stderr)
    };
    expect![[r"
        binance:spot:BTCUSDT: 4 rows, 2024-01-01T00:00:00Z to 2024-01-01T03:00:00Z, 0 holes (0 bars missing)
        binance:spot:BTCUSDT: 16 rows, 2024-01-01T00:00:00Z to 2024-01-01T03:45:00Z, 0 holes (0 bars missing)
        run: nothing to complain about
    "]].assert_eq(&check());
    let mut quarters = quarters(true);
    quarters[5].high = 1.0;
    quarters.swap(9, 10);
    std::fs::write(scene.path("quarters.csv"), Candle::csv(&quarters)).expect("it is ours");
    expect![[r#"
        binance:spot:BTCUSDT: 4 rows, 2024-01-01T00:00:00Z to 2024-01-01T03:00:00Z, 0 holes (0 bars missing)
        binance:spot:BTCUSDT: 16 rows, 2024-01-01T00:00:00Z to 2024-01-01T03:45:00Z, 2 holes (2 bars missing)
        error[DATA-RANGE]: <folder>/quarters.csv row 6 (line 7), high: found 1 with open 100, expected a high not below the other prices
          where:    <folder>/quarters.csv, row 6 (line 7), column high
          found:    1 with open 100
          expected: a high not below the other prices
          hint:     correct or remove the row at its source
        error[DATA-GAP]: <folder>/quarters.csv row 10 (line 11), time: found 2024-01-01T02:30:00Z after 2024-01-01T02:00:00Z, 1 missing, expected 2024-01-01T02:15:00Z
          where:    <folder>/quarters.csv, row 10 (line 11), column time
          found:    2024-01-01T02:30:00Z after 2024-01-01T02:00:00Z, 1 missing
          expected: 2024-01-01T02:15:00Z
          hint:     gaps = "skip" leaves the bars out, gaps = "synthetic" repeats the last close
        error[DATA-ORDER]: <folder>/quarters.csv row 11 (line 12), time: found 2024-01-01T02:15:00Z after 2024-01-01T02:30:00Z, expected times that increase from row to row
          where:    <folder>/quarters.csv, row 11 (line 12), column time
          found:    2024-01-01T02:15:00Z after 2024-01-01T02:30:00Z
          expected: times that increase from row to row
          hint:     sort the file by time
        error[DATA-GAP]: <folder>/quarters.csv row 12 (line 13), time: found 2024-01-01T02:45:00Z after 2024-01-01T02:15:00Z, 1 missing, expected 2024-01-01T02:30:00Z
          where:    <folder>/quarters.csv, row 12 (line 13), column time
          found:    2024-01-01T02:45:00Z after 2024-01-01T02:15:00Z, 1 missing
          expected: 2024-01-01T02:30:00Z
          hint:     gaps = "skip" leaves the bars out, gaps = "synthetic" repeats the last close
    "#]].assert_eq(&check());
}
