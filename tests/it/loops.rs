//! Loops of a run as its log and its results show them.

use expect_test::expect;
use store::audit::Kind;
use tickdrain::App;

use crate::tables::{Candle, HOUR, Scene, Table, orders};

/// A coin and its perpetual on the same candles; a payment of one in a thousand falls due at 03:00.
const TEXT: &str = r#"
    share_class = "USDT"
    interval = "1h"
    [initial]
    "binance:BaseToken:USDT" = "1000"
    [venues.binance]
    maker_bps = 0
    taker_bps = 0
    leverage = 20
    [risk]
    max_leg_delta = 9
    [strategy]
    kind = "scripted"
    orders = "orders.csv"
    [[data]]
    of = "binance:spot:BTCUSDT"
    path = "candles.csv"
    time_unit = "ms"
    [[data]]
    of = "binance:perp:BTCUSDT"
    path = "candles.csv"
    time_unit = "ms"
    [[data]]
    kind = "funding"
    of = "binance:perp:BTCUSDT"
    path = "funding.csv"
"#;

/// The open of 02:00 lies above the close before it: what costs nearly all the cash is rejected.
fn scene() -> Scene {
    let candles = Candle::series(
        HOUR,
        "100 100 100 100 9
         100 120 100 120 9
         130 130 120 120 9
         120 120 120 120 9
         120 120 120 120 9",
    );
    let rows = orders(
        "binance:spot:BTCUSDT",
        "01 hedge short 1 instrument=binance:perp:BTCUSDT
         01 rest  buy 1 limit price=50
         02 gap   buy 7.5
         02 next  buy 0.1
         03 later buy 1",
    );
    Scene::new(TEXT)
        .file("candles.csv", Candle::csv(&candles))
        .file("funding.csv", "time,rate,mark_price\n2024-01-01T03:00:00Z,0.001,120\n")
        .file("orders.csv", rows)
}

const POLICY: &str = "execution.on_failed_order=\"abort_timestep\"";

#[test]
fn an_order_that_the_venue_refuses_stops_nothing() {
    let scene = scene();
    scene.run(App::new(), &[POLICY], "out");
    let read = |name: &str| Table::read(&scene.path("out").join(name));
    expect![[r"
        hedge  filled  1  -
        rest  accepted  0  -
        gap  rejected  0  VEN-BALANCE: needs 975, has 924
        next  filled  0.1  -
        later  filled  1  -
    "]]
    .assert_eq(&read("orders.parquet").lines(&["order_id", "status", "cum_qty", "reason"]));
    // What fell due in the frame is settled, and it has its snapshot.
    expect![[r"
        2024-01-01T03:00:00Z  funding  2024-01-01T03:00:00Z  0.12
    "]]
    .assert_eq(&read("settlements.parquet").lines(&["ts", "kind", "event_ts", "amount"]));
    expect![[r"
        2024-01-01T01:00:00Z  1000
        2024-01-01T02:00:00Z  980
        2024-01-01T03:00:00Z  979.12
        2024-01-01T04:00:00Z  979.12
        2024-01-01T05:00:00Z  979.12
    "]]
    .assert_eq(&read("equity.parquet").lines(&["ts", "equity"]));
}

#[test]
fn every_fill_has_its_loop_and_every_change_its_row() {
    let scene = scene();
    scene.run(App::new(), &[POLICY], "out");
    let log = |kind| Table::logged(&scene.path("out"), kind);
    expect![[r"
        2024-01-01T02:00:00Z  hedge/0  confirmed  success  routing > executing > reconciling > success
        2024-01-01T02:00:00Z  rest/0  working  success  routing > executing > success
        2024-01-01T03:00:00Z  gap/0  rejected  failure  routing > executing > failure
        2024-01-01T03:00:00Z  next/0  confirmed  success  routing > executing > reconciling > success
        2024-01-01T04:00:00Z  later/0  confirmed  success  routing > executing > reconciling > success
    "]].assert_eq(&log(Kind::TightLoop).lines(&["ts", "op_id", "status", "end", "path"]));
    expect![[r"
        2024-01-01T02:00:00Z  hedge  1
        2024-01-01T03:00:00Z  next  0.1
        2024-01-01T04:00:00Z  later  1
    "]]
    .assert_eq(&log(Kind::Fill).lines(&["ts", "order_id", "last_qty"]));
    // Trades and settlements; nothing else has changed a balance.
    expect![[r"
        2024-01-01T02:00:00Z  hedge/0  binance:Perp:BTCUSDT  -1  trade  trade
        2024-01-01T03:00:00Z  next/0  binance:BaseToken:BTC  0.1  trade  trade
        2024-01-01T03:00:00Z  next/0  binance:BaseToken:USDT  -13  trade  trade
        2024-01-01T03:00:00Z  funding binance:Perp:BTCUSDT 2024-01-01T03:00:00Z/0  binance:BaseToken:USDT  0.12  funding  funding
        2024-01-01T04:00:00Z  later/0  binance:BaseToken:BTC  1  trade  trade
        2024-01-01T04:00:00Z  later/0  binance:BaseToken:USDT  -120  trade  trade
    "]].assert_eq(&log(Kind::Delta).lines(&[
        "ts",
        "op_id",
        "position_key",
        "amount",
        "source",
        "cause",
    ]));
}

#[test]
fn a_copy_of_our_book_agrees_with_it_and_comes_to_the_same() {
    let scene = scene();
    scene.run(App::new(), &[POLICY], "venue");
    scene.run(App::new(), &[POLICY, "execution.real_source=\"copy\""], "copy");
    let both = |name: &str, columns: &[&str]| {
        ["venue", "copy"].map(|out| Table::read(&scene.path(out).join(name)).lines(columns))
    };
    for [venue, copy] in [
        both("equity.parquet", &["ts", "equity"]),
        both("positions.parquet", &["ts", "position_key", "quantity"]),
        both("orders.parquet", &["order_id", "status", "cum_qty", "reason"]),
    ] {
        assert!(!venue.is_empty());
        assert_eq!(venue, copy);
    }
}
