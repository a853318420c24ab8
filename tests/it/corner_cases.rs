//! Corner cases of order simulation that random runs have found, each as small as it gets.

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use tickdrain::App;

use crate::tables::{HOUR, Scene, Table};

/// 2024-01-01.
const START: i64 = 1_704_067_200_000;

/// Runs requests on bars and compares the fills, then the orders.
///
/// Bars are open, high, low, close and volume, an hour each. A request is `bar id`, then the cells
/// of `COLUMNS`; it is decided at the close of that bar, counted from 0, and `expire_at` is a number
/// of hours. A fill states its time in hours: the open of the bar of that number, or the close of the
/// one before it.
fn check(settings: &str, bars: &[&str], requests: &[&str], expected: &Expect) {
    let scene = Scene::new(&format!(
        r#"
        share_class = "USDT"
        interval = "1h"
        [initial]
        "binance:BaseToken:USDT" = "1000000"
        [[instruments]]
        id = "binance:perp:ETHUSDT"
        base = "ETH"
        quote = "USDT"
        settle = "USDT"
        tick = "0.01"
        lot = "1"
        min_qty = "1"
        min_notional = "0"
        [[data]]
        of = "binance:perp:ETHUSDT"
        path = "candles.csv"
        time_unit = "ms"
        [venues.binance]
        maker_bps = 0
        taker_bps = 0
        [execution]
        {settings}
        [strategy]
        kind = "scripted"
        orders = "orders.csv"
        "#
    ));
    let mut candles = "ts,open,high,low,close,volume\n".to_owned();
    for (ts, bar) in (START..).step_by(3_600_000).zip(bars) {
        writeln!(candles, "{ts},{}", bar.split_whitespace().collect::<Vec<_>>().join(",")).unwrap();
    }
    std::fs::write(scene.path("candles.csv"), candles).unwrap();
    let mut orders = format!("decide_ts,order_id,instrument,{COLUMNS}\n");
    for request in requests {
        let (at, rest) = request.split_once(' ').unwrap();
        let (id, cells) = rest.split_once(' ').unwrap();
        let decided = START + (at.parse::<i64>().unwrap() + 1) * HOUR;
        let mut cells: Vec<String> = cells.split(',').map(|cell| cell.trim().to_owned()).collect();
        cells.resize(COLUMNS.split(',').count(), String::new());
        if let Ok(hours) = cells[EXPIRE_AT].parse::<i64>() {
            cells[EXPIRE_AT] = (START + hours * HOUR).to_string();
        }
        writeln!(orders, "{decided},{id},binance:perp:ETHUSDT,{}", cells.join(",")).unwrap();
    }
    std::fs::write(scene.path("orders.csv"), orders).unwrap();
    scene.run(App::new(), &[], "out");
    let fills = Table::read(&scene.path("out/fills.parquet"));
    let [order, side, rule] = ["order_id", "side", "price_rule"].map(|name| fills.texts(name));
    let [qty, px] = ["last_qty", "last_px"].map(|name| fills.decimals(name));
    let mut found = String::new();
    for (row, ts) in fills.times("ts").into_iter().enumerate() {
        let hours = (ts - START) / HOUR;
        let qty = qty[row] / 10_i128.pow(18);
        let px = px[row] / 10_i128.pow(16);
        let (whole, cents) = (px / 100, px % 100);
        let (order, side, rule) = (&order[row], &side[row], &rule[row]);
        writeln!(found, "{hours}h {order} {side} {qty} at {whole}.{cents:02} {rule}").unwrap();
    }
    let orders = Table::read(&scene.path("out/orders.parquet"));
    for (id, status) in orders.texts("order_id").iter().zip(orders.texts("status")) {
        writeln!(found, "{id} {status}").unwrap();
    }
    expected.assert_eq(&found);
}

const COLUMNS: &str =
    "side,type,qty,price,stop_price,tif,expire_at,reduce_only,parent,take_profit,stop_loss";
/// Place of `expire_at` in `COLUMNS`.
const EXPIRE_AT: usize = 6;

/// The market order has all of the volume of bar 1, in which the stop at 95 is reached.
#[test]
fn a_stop_that_the_bar_reaches_is_triggered_even_if_its_volume_is_used_up() {
    for path in ["pessimistic", "nearest_extreme"] {
        let settings = format!("participation_bps = 1000\npath = {path:?}");
        let bars = ["100 101 99 100 100", "100 102 94 99 100", "99 100 98 99 100"];
        let requests = ["0 m buy,market,10", "0 s sell,stop,5,,95"];
        check(
            &settings,
            &bars,
            &requests,
            &expect![[r"
                1h m buy 10 at 100.00 market_open
                2h s sell 5 at 99.00 market_open
                m filled
                s filled
            "]],
        );
    }
}

/// The entry slips from 100 to 102, beyond its stop at 101 and the high of 100.5.
#[test]
fn slippage_of_the_entry_does_not_carry_an_exit_out_of_the_bar() {
    check(
        "slippage = { model = \"fixed\", bps = 200 }",
        &["100 100 100 100 9", "100 100.5 99 100 9"],
        &["0 m buy,limit,1,105,,,,,,,101"],
        &expect![[r"
            1h m buy 1 at 102.00 limit_open
            1h m-sl sell 1 at 98.00 exit_passed
            m filled
            m-sl filled
        "]],
    );
}

/// The bar opens at 90, below the limit at 99 and its stop at 95: the market is at 90.
#[test]
fn a_limit_that_the_open_jumps_over_leaves_its_stop_at_the_open() {
    check(
        "",
        &["100 100 100 100 9", "100 101 99.5 100 9", "90 91 89 90 9"],
        &["0 m buy,limit,1,99,,,,,,,95"],
        &expect![[r"
            2h m buy 1 at 99.00 limit_gap
            2h m-sl sell 1 at 90.00 exit_passed
            m filled
            m-sl filled
        "]],
    );
}

/// Open and high are the limit, so the way up is of no length.
#[test]
fn a_touch_of_the_open_fills_on_a_known_path() {
    check(
        "path = \"nearest_extreme\"\ntouch_fills = true",
        &["100 100 100 100 9", "100 100 100 100 9", "101 101 100 100 9"],
        &["0 s sell,limit,1,101"],
        &expect![[r"
            3h s sell 1 at 101.00 limit
            s filled
        "]],
    );
}

/// The price rises to the stop at 103 and comes back to the limit at 102: the high of 104, beyond the
/// target, may have been before.
#[test]
fn a_target_waits_when_the_entry_was_met_on_the_way_back() {
    check(
        "",
        &["100 100 100 100 9", "100 104 99 101 9", "101 102 100 101 9"],
        &["0 m buy,stop_limit,1,102,103,,,,,103.5,"],
        &expect![[r"
            2h m buy 1 at 102.00 limit
            m filled
            m-tp accepted
        "]],
    );
}

/// The second part of the entry moves the target from 103 to 104.75 while the bar opens at 103.5.
#[test]
fn a_target_that_a_further_fill_moves_away_from_the_open_does_not_fill_there() {
    check(
        "participation_bps = 1000",
        &["100 100 100 100 9", "100 100 100 100 20", "103.5 103.5 100 103 40"],
        &["0 m buy,market,4,,,,,,,+3,"],
        &expect![[r"
            1h m buy 2 at 100.00 market_open
            2h m buy 2 at 103.50 market_open
            m filled
            m-tp accepted
        "]],
    );
}

/// The entry at the open of bar 2 arms a child that was good until the close of bar 1.
#[test]
fn a_child_that_is_armed_after_its_time_expires() {
    check(
        "",
        &["100 100 100 100 9", "100 100 100 100 9", "103 106 102 105 9"],
        &["0 m buy,stop,1,,103", "0 t sell,limit,1,105,,gtd,2,,m"],
        &expect![[r"
            2h m buy 1 at 103.00 stop_gap
            m filled
            t expired
        "]],
    );
}
