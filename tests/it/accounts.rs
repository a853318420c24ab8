//! One account of several strategies, currencies and contracts: every figure by hand.

use expect_test::expect;
use tickdrain::{App, Report};

use crate::tables::{Candle, HOUR, Scene, Table, orders};

/// Equity of every frame, to a millionth.
fn assert_equity(scene: &Scene, expected: &[f64]) {
    let equity = Table::read(&scene.path("out/equity.parquet")).floats("equity");
    let agree = |(found, expected): (&f64, &f64)| (found - expected).abs() < 1e-6;
    let same = equity.len() == expected.len() && equity.iter().zip(expected).all(agree);
    assert!(same, "found {equity:?}, expected {expected:?}");
}

fn trades(scene: &Scene) -> String {
    Table::read(&scene.path("out/trades.parquet")).lines(&[
        "strategy_id",
        "instrument",
        "side",
        "qty_max",
        "entry_px",
        "exit_px",
        "pnl",
        "fees",
    ])
}

/// Balances of the last frame at which each changed.
fn balances(scene: &Scene) -> String {
    Table::read(&scene.path("out/positions.parquet")).lines(&["ts", "position_key", "quantity"])
}

fn run(scene: &Scene) -> Report {
    scene.run(App::new(), &[], "out")
}

/// Two strategies: one trades BTC for USDT, the other ETH for the BTC that the first one bought.
///
/// - 01:00 `coin` buys 0.4 BTC: 8,000 and 8 of fee leave 1,992 USDT;
/// - 02:00 `cross` buys 5 ETH at 0.06: 0.3 and 0.0003 of fee leave 0.0997 BTC;
/// - 03:00 `coin` sells 0.05 BTC at 22,000: 1,100 less 1.1, 3,090.9 USDT;
/// - 04:00 `cross` sells 5 ETH at 0.04: 0.2 less 0.0002, 0.2495 BTC.
#[test]
fn strategies_with_several_quote_currencies_share_one_account() {
    let bitcoin = "20000 20000 20000 20000 9
                   20000 21000 20000 21000 9
                   21000 22000 21000 22000 9
                   22000 22000 20000 20000 9
                   20500 20500 20000 20000 9";
    let ether = "0.05 0.05 0.05 0.05 9
                 0.05 0.06 0.05 0.06 9
                 0.06 0.06 0.05 0.05 9
                 0.05 0.05 0.04 0.04 9
                 0.04 0.08 0.04 0.08 9";
    let scene = Scene::new(
        r#"
        share_class = "USDT"
        interval = "1h"
        [initial]
        "binance:BaseToken:USDT" = "10000"
        [[instruments]]
        id = "binance:spot:ETHBTC"
        base = "ETH"
        quote = "BTC"
        tick = "0.00001"
        lot = "0.0001"
        [[data]]
        of = "binance:spot:ETHBTC"
        path = "ether.csv"
        time_unit = "ms"
        [[data]]
        of = "binance:spot:BTCUSDT"
        path = "bitcoin.csv"
        time_unit = "ms"
        [[strategy]]
        kind = "scripted"
        id = "coin"
        orders = "coin.csv"
        [[strategy]]
        kind = "scripted"
        id = "cross"
        orders = "cross.csv"
        "#,
    )
    .file("bitcoin.csv", Candle::csv(&Candle::series(HOUR, bitcoin)))
    .file("ether.csv", Candle::csv(&Candle::series(HOUR, ether)))
    .file(
        "coin.csv",
        "decide_ts,instrument,side,qty\n\
         2024-01-01T01:00:00Z,binance:spot:BTCUSDT,buy,0.4\n\
         2024-01-01T03:00:00Z,binance:spot:BTCUSDT,sell,0.05\n",
    )
    .file(
        "cross.csv",
        "decide_ts,instrument,side,qty\n\
         2024-01-01T02:00:00Z,binance:spot:ETHBTC,buy,5\n\
         2024-01-01T04:00:00Z,binance:spot:ETHBTC,sell,5\n",
    );
    let report = run(&scene);
    assert_eq!(report.summary.orders.filled, 4);
    assert_equity(
        &scene,
        &[
            10_000.0,
            1_992.0 + 0.4 * 21_000.0,
            1_992.0 + 0.0997 * 22_000.0 + 5.0 * 0.05 * 22_000.0,
            3_090.9 + 0.0497 * 20_000.0 + 5.0 * 0.04 * 20_000.0,
            3_090.9 + 0.2495 * 20_000.0,
        ],
    );
    expect![[r"
        2024-01-01T01:00:00Z  binance:BaseToken:USDT  10000
        2024-01-01T02:00:00Z  binance:BaseToken:BTC  0.4
        2024-01-01T02:00:00Z  binance:BaseToken:USDT  1992
        2024-01-01T03:00:00Z  binance:BaseToken:BTC  0.0997
        2024-01-01T03:00:00Z  binance:BaseToken:ETH  5
        2024-01-01T04:00:00Z  binance:BaseToken:BTC  0.0497
        2024-01-01T04:00:00Z  binance:BaseToken:USDT  3090.9
        2024-01-01T05:00:00Z  binance:BaseToken:BTC  0.2495
        2024-01-01T05:00:00Z  binance:BaseToken:ETH  0
    "]]
    .assert_eq(&balances(&scene));
    // 0.2 less 0.3 and less fees of 0.0005 are -0.1005 BTC, at the last close before it was sold, 20,000.
    expect![[r"
        cross  binance:spot:ETHBTC  buy  5  0.06  0.04  -2010  10
    "]]
    .assert_eq(&trades(&scene));
}

const PERPETUAL: &str = r#"
    share_class = "USDT"
    interval = "1h"
    [initial]
    "binance:BaseToken:{asset}" = "{amount}"
    [venues.binance]
    maker_bps = 2
    taker_bps = 5
    leverage = 2
    [strategy]
    kind = "scripted"
    orders = "orders.csv"
    [[data]]
    of = "binance:spot:BTCUSDT"
    path = "candles.csv"
    time_unit = "ms"
    [[data]]
    path = "candles.csv"
    time_unit = "ms"
"#;

fn perpetual(asset: &str, amount: &str, more: &str, candles: &str, orders: &str) -> Scene {
    let text = PERPETUAL.replace("{asset}", asset).replace("{amount}", amount);
    let candles = Candle::csv(&Candle::series(HOUR, candles));
    Scene::new(&(text + more)).file("candles.csv", candles).file("orders.csv", orders)
}

/// A short of 0.5 at 20,000, of which 0.2 are bought back at 19,000 and the rest at 18,000, where
/// the position becomes a long of 0.2.
///
/// - 01:00 fee 5;
/// - 02:00 realised 0.2 × 1,000, fee 1.9: 10,193.1 USDT;
/// - 03:00 realised 0.3 × 2,000, fee 4.5, of which 2.7 close: 10,788.6 USDT.
#[test]
fn a_short_of_a_linear_perpetual_is_worth_what_it_costs_to_close() {
    let scene = perpetual(
        "USDT",
        "10000",
        "of = \"binance:perp:BTCUSDT\"",
        "20000 20000 20000 20000 9
         20000 20000 19000 19000 9
         19000 19000 18000 18000 9
         18000 21000 18000 21000 9",
        "decide_ts,instrument,side,qty\n\
         2024-01-01T01:00:00Z,binance:perp:BTCUSDT,short,0.5\n\
         2024-01-01T02:00:00Z,binance:perp:BTCUSDT,buy,0.2\n\
         2024-01-01T03:00:00Z,binance:perp:BTCUSDT,long,0.5\n",
    );
    run(&scene);
    assert_equity(
        &scene,
        &[10_000.0, 9_995.0 + 0.5 * 1_000.0, 10_193.1 + 0.3 * 2_000.0, 10_788.6 + 0.2 * 3_000.0],
    );
    expect![[r"
        2024-01-01T01:00:00Z  binance:BaseToken:USDT  10000
        2024-01-01T02:00:00Z  binance:BaseToken:USDT  9995
        2024-01-01T02:00:00Z  binance:Perp:BTCUSDT  -0.5
        2024-01-01T03:00:00Z  binance:BaseToken:USDT  10193.1
        2024-01-01T03:00:00Z  binance:Perp:BTCUSDT  -0.3
        2024-01-01T04:00:00Z  binance:BaseToken:USDT  10788.6
        2024-01-01T04:00:00Z  binance:Perp:BTCUSDT  0.2
    "]]
    .assert_eq(&balances(&scene));
    // 800 less 5, 1.9 and 2.7; closed at 18,400 on average.
    expect![[r"
        scripted  binance:perp:BTCUSDT  sell  0.5  20000  18400  790.4  9.6
    "]]
    .assert_eq(&trades(&scene));
}

/// A short of 100 contracts of 100 USD at 25,000, of which 40 are bought back at 20,000 and the rest
/// at 16,000; profit is in BTC.
///
/// - 01:00 fee 10,000 / 25,000 × 5 bps = 0.0002 BTC;
/// - 02:00 realised 4,000 × (1/20,000 - 1/25,000) = 0.04, fee 0.0001: 1.0397 BTC;
/// - 03:00 realised 6,000 × (1/16,000 - 1/25,000) = 0.135, fee 0.0001875: 1.1745125 BTC.
#[test]
fn a_short_of_an_inverse_perpetual_earns_the_coin() {
    let scene = perpetual(
        "BTC",
        "1",
        "of = \"binance:perp:BTCUSD\"\n[[instruments]]\nid = \"binance:perp:BTCUSD\"\nbase = \"BTC\"\n\
         quote = \"USD\"\nsettle = \"BTC\"\ncontract = \"inverse\"\ncontract_size = 100\nlot = 1\ntick = 1",
        "25000 25000 25000 25000 9
         25000 25000 20000 20000 9
         20000 20000 16000 16000 9
         16000 20000 16000 20000 9",
        "decide_ts,instrument,side,qty\n\
         2024-01-01T01:00:00Z,binance:perp:BTCUSD,sell,100\n\
         2024-01-01T02:00:00Z,binance:perp:BTCUSD,buy,40\n\
         2024-01-01T03:00:00Z,binance:perp:BTCUSD,buy,60\n",
    );
    run(&scene);
    assert_equity(
        &scene,
        &[25_000.0, (0.9998 + 0.1) * 20_000.0, (1.0397 + 0.135) * 16_000.0, 1.174_512_5 * 20_000.0],
    );
    expect![[r"
        2024-01-01T01:00:00Z  binance:BaseToken:BTC  1
        2024-01-01T02:00:00Z  binance:BaseToken:BTC  0.9998
        2024-01-01T02:00:00Z  binance:Perp:BTCUSD  -100
        2024-01-01T03:00:00Z  binance:BaseToken:BTC  1.0397
        2024-01-01T03:00:00Z  binance:Perp:BTCUSD  -60
        2024-01-01T04:00:00Z  binance:BaseToken:BTC  1.1745125
        2024-01-01T04:00:00Z  binance:Perp:BTCUSD  0
    "]]
    .assert_eq(&balances(&scene));
    // 0.175 less fees of 0.0004875 are 0.1745125 BTC, at 16,000 when it was closed.
    expect![[r"
        scripted  binance:perp:BTCUSD  sell  100  25000  17391.304347826086957  2792.2  7.8
    "]]
    .assert_eq(&trades(&scene));
}

/// Orders as text.
fn ends(scene: &Scene) -> String {
    run(scene);
    let table = Table::read(&scene.path("out/orders.parquet"));
    table.lines(&["order_id", "status", "cum_qty", "reason"])
}

/// A long of 100 contracts has gained 2,000 at 120: with cross margin more can be traded on margin,
/// but a coin costs cash, of which there are 995.
#[test]
fn what_a_position_has_gained_pays_for_nothing_on_spot() {
    let scene = perpetual(
        "USDT",
        "1000",
        "of = \"binance:perp:BTCUSDT\"",
        "100 100 100 100 9
         100 120 100 120 9
         130 130 120 120 9
         120 120 120 120 9",
        &orders(
            "binance:spot:BTCUSDT",
            "01 margin long 100 instrument=binance:perp:BTCUSDT
             02 much   buy 9
             02 gap    buy 8
             03 more   long 50 instrument=binance:perp:BTCUSDT
             03 all    buy 100%",
        ),
    );
    let text = std::fs::read_to_string(scene.path("run.toml")).expect("it was written");
    // `more` and `all` trade one coin on two instruments at one tick, both long: no hedge half-way,
    // but more delta on the way than the gate lets pass by default.
    let text = text.replace("leverage = 2", "leverage = 20") + "\n[risk]\nmax_leg_delta = 9\n";
    let scene = scene.file("run.toml", text);
    expect![[r"
        margin  filled  100  -
        much  denied  0  RISK-BALANCE: needs 1081.08027 of binance:BaseToken:USDT, 995 free
        gap  rejected  0  VEN-BALANCE: needs 1040.52, has 995
        more  filled  50  -
        all  filled  8.26253  -
    "]]
    .assert_eq(&ends(&scene));
}

/// The leverage of a venue is for its perpetuals.
#[test]
fn a_share_of_the_cash_buys_as_much_whatever_the_leverage() {
    for leverage in ["1", "20"] {
        let scene = perpetual(
            "USDT",
            "1000",
            "of = \"binance:perp:BTCUSDT\"",
            "100 100 100 100 9
             100 100 100 100 9",
            &orders("binance:spot:BTCUSDT", "01 all buy 100%"),
        );
        let text = std::fs::read_to_string(scene.path("run.toml")).expect("it was written");
        let text = text.replace("leverage = 2", &format!("leverage = {leverage}"));
        // 9.995 coins and 5 bps of 999.5 are 999.99975.
        assert_eq!(ends(&scene.file("run.toml", text)), "all  filled  9.995  -\n");
    }
}

#[test]
fn a_fee_that_takes_all_that_is_bought_is_a_rejection() {
    let scene = perpetual(
        "USDT",
        "1000",
        "of = \"binance:perp:BTCUSDT\"",
        "100 100 100 100 9
         100 100 100 100 9",
        &orders("binance:spot:BTCUSDT", "01 small buy 0.1\n01 large buy 1"),
    );
    let text = std::fs::read_to_string(scene.path("run.toml")).expect("it was written");
    let fees = "taker_bps = 5\nfee_in = \"base\"\nfees = { minimum = 20 }";
    let scene = scene.file("run.toml", text.replace("taker_bps = 5", fees));
    expect![[r"
        small  rejected  0  VEN-BALANCE: a fee of 0.2 BTC takes all of 0.1
        large  filled  1  -
    "]]
    .assert_eq(&ends(&scene));
}
