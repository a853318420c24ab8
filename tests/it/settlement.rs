//! What falls due without an order: funding and margins, at the instants that divide holders.

use expect_test::{Expect, expect};
use model::instrument::{InstrumentIx, KeyIx};
use tickdrain::prelude::*;

use crate::tables::{Candle, HOUR, Scene, Table};

const FUNDED: &str = r#"
    share_class = "USDT"
    interval = "1h"
    [initial]
    "binance:BaseToken:USDT" = "10000"
    [venues.binance]
    maker_bps = 0
    taker_bps = 0
    leverage = 2
    [strategy]
    kind = "scripted"
    orders = "orders.csv"
    [[data]]
    of = "binance:perp:BTCUSDT"
    path = "candles.csv"
    time_unit = "ms"
    gaps = "skip"
    [[data]]
    kind = "funding"
    of = "binance:perp:BTCUSDT"
    path = "funding.csv"
"#;

/// Hours of 2024-01-01 at which a payment of one in a thousand falls due.
fn funding(hours: &[u8]) -> String {
    let row = |hour: &u8| format!("2024-01-01T{hour:02}:00:00Z,0.001,20000\n");
    format!("time,rate,mark_price\n{}", hours.iter().map(row).collect::<String>())
}

/// Bars that stay at 20,000, but for the hours that are missing.
fn flat(hours: usize, missing: std::ops::Range<usize>) -> Vec<Candle> {
    let candles = Candle::series(HOUR, &"20000 20000 20000 20000 9\n".repeat(hours));
    let kept = candles.into_iter().enumerate().filter(|(hour, _)| !missing.contains(hour));
    kept.map(|(_, candle)| candle).collect()
}

fn bought_at(time: &str, qty: &str) -> String {
    format!(
        "decide_ts,instrument,side,qty\n2024-01-01T{time}:00Z,binance:perp:BTCUSDT,long,{qty}\n"
    )
}

fn funded(candles: &[Candle], hours: &[u8], orders: &str) -> Scene {
    Scene::new(FUNDED)
        .file("candles.csv", Candle::csv(candles))
        .file("funding.csv", funding(hours))
        .file("orders.csv", orders)
}

fn assert_settled(scene: &Scene, expected: &Expect) {
    scene.run(App::new(), &[], "out");
    let settlements = Table::read(&scene.path("out/settlements.parquet"));
    let columns = ["ts", "kind", "position_key", "event_ts", "rate", "price", "amount", "ccy"];
    expected.assert_eq(&settlements.lines(&columns));
}

#[test]
fn an_order_decided_before_the_instant_is_funded() {
    let scene = funded(&flat(10, 0..0), &[8], &bought_at("07:00", "0.5"));
    assert_settled(
        &scene,
        &expect![[r"
            2024-01-01T08:00:00Z  funding  binance:Perp:BTCUSDT  2024-01-01T08:00:00Z  0.001  20000  -10  USDT
        "]],
    );
}

#[test]
fn an_order_decided_at_the_instant_is_not_funded() {
    let scene = funded(&flat(10, 0..0), &[8], &bought_at("08:00", "0.5"));
    assert_settled(&scene, &expect![""]);
}

/// Bought 0.2 from 01:00 on; the frames of 05:00 to 20:00 are missing and so is, until the bar that
/// opens at 20:00, the order of 04:00 for 0.3 more.
#[test]
fn payments_of_missing_frames_belong_to_what_was_held_then() {
    let orders = bought_at("01:00", "0.2") + "2024-01-01T04:00:00Z,binance:perp:BTCUSDT,long,0.3\n";
    let scene = funded(&flat(23, 4..20), &[6, 12, 20, 21], &orders);
    assert_settled(
        &scene,
        &expect![[r"
            2024-01-01T21:00:00Z  funding  binance:Perp:BTCUSDT  2024-01-01T06:00:00Z  0.001  20000  -4  USDT
            2024-01-01T21:00:00Z  funding  binance:Perp:BTCUSDT  2024-01-01T12:00:00Z  0.001  20000  -4  USDT
            2024-01-01T21:00:00Z  funding  binance:Perp:BTCUSDT  2024-01-01T20:00:00Z  0.001  20000  -4  USDT
            2024-01-01T21:00:00Z  funding  binance:Perp:BTCUSDT  2024-01-01T21:00:00Z  0.001  20000  -10  USDT
        "]],
    );
}

/// A long of 0.5 that gains 500 until 08:00, where it is paid out, and 100 after that.
#[test]
fn margins_paid_every_day_leave_equity_as_it_is() {
    let rows = "20000 20000 20000 20000 9\n".repeat(7)
        + "20000 21000 20000 21000 9\n
           21000 21200 21000 21200 9\n
           21200 21200 21200 21200 9\n";
    let rows = rows.lines().filter(|row| !row.trim().is_empty()).collect::<Vec<_>>().join("\n");
    let orders =
        bought_at("02:00", "0.5") + "2024-01-01T09:00:00Z,binance:perp:BTCUSDT,short,0.5\n";
    // The payment finds nothing held.
    let scene = funded(&Candle::series(HOUR, &rows), &[1], &orders);
    scene.run(App::new(), &[], "kept");
    scene.run(App::new(), &["venues.binance.margin_pnl_enabled=true"], "paid");
    let equity = |out: &str| Table::read(&scene.path(out).join("equity.parquet")).floats("equity");
    assert_eq!(equity("kept"), equity("paid"));
    let settlements = |out: &str| {
        let table = Table::read(&scene.path(out).join("settlements.parquet"));
        table.lines(&["ts", "kind", "position_key", "price", "amount", "ccy"])
    };
    assert_eq!(settlements("kept"), "");
    expect![[r"
        2024-01-01T08:00:00Z  margin_pnl  binance:Perp:BTCUSDT  21000  500  USDT
    "]]
    .assert_eq(&settlements("paid"));
    let trades = |out: &str| {
        Table::read(&scene.path(out).join("trades.parquet")).lines(&["entry_px", "exit_px", "pnl"])
    };
    expect![[r"
        20000  21200  600
    "]]
    .assert_eq(&trades("kept"));
    assert_eq!(trades("kept"), trades("paid"));
}

/// Sells half a contract in its first frame, and says in every frame what cash there is.
struct Teller {
    instrument: InstrumentIx,
    cash: KeyIx,
    has_sold: bool,
}

impl StrategyKind for Teller {
    const SUMMARY: &'static str = "Tells its cash.";

    fn parameters() -> &'static [ParameterSpec] {
        &[]
    }

    fn build(setup: &StrategySetup<'_>) -> Result<Self, ParameterError> {
        let (instrument, _) = setup.instruments.instruments().next().expect("the one of the run");
        Ok(Self { instrument, cash: setup.instruments.cash_key(instrument), has_sold: false })
    }
}

impl Strategy for Teller {
    fn decide(
        &mut self,
        _: MarketView<'_>,
        account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        if !std::mem::replace(&mut self.has_sold, true) {
            orders.sell(self.instrument, "0.5".parse()?);
        }
        Ok(Decision::hold(account.book.balances[self.cash.index()].normalize().to_string()))
    }
}

#[test]
fn a_strategy_that_decides_at_the_instant_sees_what_was_paid() {
    let scene = funded(&flat(5, 0..0), &[3], "");
    let text = std::fs::read_to_string(scene.path("run.toml")).expect("it was written");
    let text =
        text.replace("kind = \"scripted\"\n    orders = \"orders.csv\"", "kind = \"teller\"");
    let scene = scene.file("run.toml", text);
    scene.run(App::new().strategy::<Teller>("teller"), &[], "out");
    let decisions = Table::read(&scene.path("out/decisions.parquet"));
    expect![[r"
        2024-01-01T01:00:00Z  10000
        2024-01-01T03:00:00Z  10010
        2024-01-01T05:00:00Z  10010
    "]]
    .assert_eq(&decisions.lines(&["ts", "reason"]));
}
