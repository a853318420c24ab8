//! Orders that the gate denies: each is a row of the results with its reason, and none ends the run.

use std::fs;
use std::process::Output;

use expect_test::expect;
use model::order::RefusalCode;
use serde_json::Value;

use super::super::support::write_csv;
use super::super::tables::{Table, orders};
use super::{Case, hours, stdout};

/// Two instruments and a perpetual; the first frame is a warm-up, and ETHUSDT has no bar before
/// the last hours.
const RUN_FILE: &str = r#"share_class = "USDT"
interval = "1h"
warmup = 1

[initial]
"binance:BaseToken:USDT" = "5000"

[[instruments]]
id = "binance:spot:BTCUSDT"
tick = "0.01"
lot = "0.001"
min_qty = "0.01"
max_qty = "50"
min_notional = "5"
price_band_bps = 500

[[data]]
of = "binance:spot:BTCUSDT"
path = "candles.csv"

[[data]]
of = "binance:perp:BTCUSDT"
path = "candles.csv"

[[data]]
of = "binance:spot:ETHUSDT"
path = "late.csv"

[strategy]
kind = "scripted"
orders = "orders.csv"
"#;

fn case(rows: &str) -> Case {
    let case = Case::sound()
        .file("run.toml", RUN_FILE)
        .file("orders.csv", orders("binance:spot:BTCUSDT", rows));
    write_csv(&case.path("late.csv"), &hours()[9..]);
    case
}

/// Orders that are denied for every reason there is, and three that are not.
const EVERY_RULE: &str = "
    01 early          buy market 1
    02 held           buy market 1
    03 no-instrument  instrument= buy market 1
    03 no-side        market 1
    03 no-price-yet   instrument=binance:spot:ETHUSDT buy market 1
    03 share          buy market 150%
    03 zero           buy market 0
    03 negative       buy market -1
    03 below-lot      buy market 0.0009
    03 below-min      buy market 0.0099
    03 above-max      buy market 50.001
    03 notional       buy market 0.04
    03 no-limit       buy limit 1
    03 limit-zero     buy limit 1 price=0
    03 limit-under-0  buy limit 1 price=-5
    03 market-price   buy market 1 price=100
    03 no-stop        sell stop 1
    03 stop-under-0   sell stop 1 stop_price=-5
    03 stop-limit     buy stop_limit 1 stop_price=111
    03 no-trail       sell trailing 1
    03 trail-zero     sell trailing 1 trail=0
    03 limit-trail    sell limit 1 price=111 trail=5
    03 band-buy       buy limit 1 price=116
    03 band-sell      sell limit 1 price=104
    03 post-market    buy market 1 post_only=true
    03 post-ioc       buy limit 1 price=100 tif=ioc post_only=true
    03 target-below   buy market 1 take_profit=100
    03 stop-above     buy limit 1 price=105 stop_loss=106
    03 short-target   instrument=binance:perp:BTCUSDT sell market 1 take_profit=+5
    03 short-stop     instrument=binance:perp:BTCUSDT sell market 1 stop_loss=100
    03 gtd-never      buy limit 1 price=100 tif=gtd
    03 gtd-past       buy limit 1 price=100 tif=gtd expire_at=2024-01-01T03:00:00Z
    03 gtc-until      buy limit 1 price=100 expire_at=2024-01-02
    03 reduce-none    instrument=binance:perp:BTCUSDT buy market 1 reduce_only=true
    03 reduce-more    buy market 1 reduce_only=true
    03 unaffordable   buy market 49
    03 perp-margin    instrument=binance:perp:BTCUSDT buy market 49
    03 not-held       sell market 2
    03 exits-of-sale  sell market 1 take_profit=90
    03 resting        buy limit 1 price=108
    03 resting        buy limit 1 price=-1 replace
    03 resting        sell limit 1 price=111 replace
    03 two-of-two-a   sell limit 0.6 price=111
    03 two-of-two-b   sell limit 0.6 price=111
    03 parent-gone    sell limit 1 price=111 parent=held
    03 parent-other   instrument=binance:perp:BTCUSDT sell market 1 parent=resting
    04 held           replace 2";

fn every_rule() -> (Case, Output) {
    let case = case(EVERY_RULE);
    let output = case.run(&["backtest", "run.toml", "--out", "out"]);
    (case, output)
}

#[test]
fn every_rule_denies_an_order_and_the_run_goes_on() {
    let (case, output) = every_rule();
    assert_eq!(case.said(&output), "exit code 0\n");

    let table = Table::read(&case.path("out/orders.parquet"));
    expect![[r#"
        early  denied  RISK-WARMUP: orders start after the warm-up
        held  filled  -
        no-instrument  denied  RISK-INSTRUMENT: no instrument, expected one of the run
        no-side  denied  RISK-SIDE: no side, expected buy or sell
        no-price-yet  denied  RISK-NO-PRICE: binance:spot:ETHUSDT has had no bar yet
        share  denied  RISK-SHARE: a share of 1.50, expected more than 0 and at most 1
        zero  denied  RISK-QTY-ZERO: 0 of binance:spot:BTCUSDT is less than one lot, 0.001
        negative  denied  RISK-QTY-ZERO: -1 of binance:spot:BTCUSDT is less than one lot, 0.001
        below-lot  denied  RISK-QTY-ZERO: 0.0009 of binance:spot:BTCUSDT is less than one lot, 0.001
        below-min  denied  RISK-QTY-MIN: 0.0090 of binance:spot:BTCUSDT, at least 0.01
        above-max  denied  RISK-QTY-MAX: 50.001 of binance:spot:BTCUSDT, at most 50
        notional  denied  RISK-NOTIONAL-MIN: 4.388 of binance:spot:BTCUSDT, at least 5
        no-limit  denied  RISK-PRICE: no price, which a limit order needs
        limit-zero  denied  RISK-PRICE: price 0, expected at least one tick, 0.01
        limit-under-0  denied  RISK-PRICE: price -5, expected at least one tick, 0.01
        market-price  denied  RISK-PRICE: price 100, but a market order has none
        no-stop  denied  RISK-STOP-PRICE: no stop_price, which a stop order needs
        stop-under-0  denied  RISK-STOP-PRICE: stop_price -5, expected at least one tick, 0.01
        stop-limit  denied  RISK-PRICE: no price, which a stop_limit order needs
        no-trail  denied  RISK-TRAIL: no distance, which a trailing order needs
        trail-zero  denied  RISK-TRAIL: a distance of 0, expected more than 0
        limit-trail  denied  RISK-TRAIL: a distance, but a limit order has none
        band-buy  denied  RISK-PRICE-BAND: 116 lies beyond 115.185, 500 bps from 109.7
        band-sell  denied  RISK-PRICE-BAND: 104 lies beyond 104.215, 500 bps from 109.7
        post-market  denied  RISK-POST-ONLY: post-only, but an order of type market and time in force gtc never rests
        post-ioc  denied  RISK-POST-ONLY: post-only, but an order of type limit and time in force ioc never rests
        target-below  denied  RISK-BRACKET: take_profit 100 on the wrong side of a buy at 109.7
        stop-above  denied  RISK-BRACKET: stop_loss 106 on the wrong side of a buy at 105
        short-target  denied  RISK-BRACKET: take_profit +5 on the wrong side of a sell at 109.7
        short-stop  denied  RISK-BRACKET: stop_loss 100 on the wrong side of a sell at 109.7
        gtd-never  denied  RISK-EXPIRE-AT: no expire_at, which a gtd order needs
        gtd-past  denied  RISK-EXPIRE-AT: 2024-01-01T03:00:00Z is not after 2024-01-01T03:00:00Z
        gtc-until  denied  RISK-EXPIRE-AT: 2024-01-02T00:00:00Z, but a gtc order has none
        reduce-none  denied  RISK-REDUCE-ONLY: a buy of binance:perp:BTCUSDT reduces nothing
        reduce-more  denied  RISK-REDUCE-ONLY: a buy of binance:spot:BTCUSDT reduces nothing
        unaffordable  denied  RISK-BALANCE: needs 5383.36563765 of binance:BaseToken:USDT, 4890.0902 free
        perp-margin  denied  RISK-BALANCE: needs 5380.676643825 of binance:BaseToken:USDT, 4890.0902 free
        not-held  denied  RISK-POSITION: needs 2 of binance:BaseToken:BTC, 1 free
        exits-of-sale  denied  RISK-EXITS: a sell that opens no position has no exits
        resting  accepted  -
        two-of-two-a  accepted  -
        two-of-two-b  denied  RISK-POSITION: needs 0.6 of binance:BaseToken:BTC, 0.4 free
        parent-gone  denied  RISK-PARENT: its parent is not working: a child comes with it, or before it has filled
        parent-other  denied  RISK-PARENT: its parent trades something else
    "#]].assert_eq(&table.lines(&["order_id", "status", "reason"]));

    let denied = case.summary_of("out", "/orders/denied_by_reason");
    expect![[r#"
        {
          "RISK-BALANCE": 2,
          "RISK-BRACKET": 4,
          "RISK-EXITS": 1,
          "RISK-EXPIRE-AT": 3,
          "RISK-INSTRUMENT": 1,
          "RISK-NO-PRICE": 1,
          "RISK-NOTIONAL-MIN": 1,
          "RISK-PARENT": 2,
          "RISK-POSITION": 2,
          "RISK-POST-ONLY": 2,
          "RISK-PRICE": 6,
          "RISK-PRICE-BAND": 2,
          "RISK-QTY-MAX": 1,
          "RISK-QTY-MIN": 1,
          "RISK-QTY-ZERO": 3,
          "RISK-REDUCE-ONLY": 2,
          "RISK-REPLACE": 2,
          "RISK-SHARE": 1,
          "RISK-SIDE": 1,
          "RISK-STOP-PRICE": 2,
          "RISK-TRAIL": 3,
          "RISK-WARMUP": 1
        }
    "#]]
    .assert_eq(&(serde_json::to_string_pretty(&denied).unwrap() + "\n"));
    // The table above is whole: there is no other code of the gate.
    let denied = denied.as_object().unwrap();
    // Those of what orders do to the account, of operations and of plans are said of other files.
    let of_others = RefusalCode::Impact..=RefusalCode::Breaker;
    let of_trades = RefusalCode::ALL.iter().filter(|code| !of_others.contains(code));
    for code in of_trades.filter(|code| code.name().starts_with("RISK-")) {
        assert!(denied.contains_key(code.name()), "no order is denied for {}", code.name());
    }
    let counts = ["submitted", "denied", "replaces_denied", "filled", "working"];
    let counts = counts.map(|name| case.summary_of("out", &format!("/orders/{name}")));
    let sum: u64 = denied.values().filter_map(Value::as_u64).sum();
    assert_eq!(counts, [44, 41, 3, 1, 2].map(Value::from));
    assert_eq!(sum, 41 + 3);

    let page = stdout(&output);
    let listed: Vec<&str> = page.lines().filter(|line| line.starts_with("denied ")).collect();
    let expected: Vec<String> =
        denied.iter().map(|(code, count)| format!("denied {code}: {count}")).collect();
    assert_eq!(listed, expected);
    assert!(page.contains("41 denied"), "{page}");
    assert!(!page.contains("ALL ORDERS"), "{page}");
}

/// The warning is on standard error in every mode, also in those that print no page.
#[test]
fn a_run_whose_orders_were_all_denied_says_so_whatever_it_is_asked_to_print() {
    let case = case(
        "02 large          buy market 49
         03 small          buy market 0.001
         03 none           sell market 1 take_profit=+1",
    );
    let run = |options: &[&str]| {
        let _old = fs::remove_dir_all(case.path("out"));
        case.run(&[&["backtest", "run.toml", "--out", "out"], options].concat())
    };
    let page = run(&[]);
    expect![[r#"
        warning: all orders of the run (3) were denied
          found:    RISK-BALANCE: 1, RISK-BRACKET: 1, RISK-QTY-MIN: 1
          hint:     `reason` in out/orders.parquet says why
        exit code 0
    "#]]
    .assert_eq(&case.said(&page));
    let printed = stdout(&page);
    assert!(printed.contains("\nALL ORDERS WERE DENIED: nothing was traded.\n"), "{printed}");
    assert!(printed.contains("\ndenied RISK-BALANCE: 1\n"), "{printed}");

    let quiet = run(&["--quiet"]);
    assert_eq!(case.said(&quiet), case.said(&page));
    assert_eq!(stdout(&quiet), "out\n");

    let json = run(&["--json"]);
    expect![[r#"
        warning: all orders of the run (3) were denied
          found:    RISK-BALANCE: 1, RISK-BRACKET: 1, RISK-QTY-MIN: 1
          hint:     `reason` in out/orders.parquet says why
        out
        exit code 0
    "#]]
    .assert_eq(&case.said(&json));
    let summary: Value = serde_json::from_slice(&json.stdout).expect("one JSON document");
    assert_eq!(summary["orders"]["denied"], 3);

    let without_log = run(&["--no-audit", "--quiet"]);
    assert_eq!(case.said(&without_log), case.said(&page));
}
