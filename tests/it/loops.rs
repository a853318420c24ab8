//! Loops of a run as its log and its results show them.

use std::path::Path;
use std::rc::Rc;

use execution::fault_injection::{FaultScript, Slip};
use expect_test::expect;
use model::handshake::{Handshake, HandshakeStatus};
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

/// As above, but what is refused there is tried and fails here: the rest of the frame is skipped, and
/// of the frame itself nothing else.
#[test]
fn an_operation_that_fails_skips_the_rest_of_its_frame_and_nothing_else() {
    let scene = scene();
    let fails = |handshake: &mut Handshake| handshake.status = HandshakeStatus::Failed;
    let app = App::new().planting(move |execution| {
        // The answer to `gap`, after those to `hedge` and `rest`.
        let slip = Slip { nth: 3, make: Rc::new(fails) };
        execution.with_faults(FaultScript::default().with_answer(slip))
    });
    scene.run(app, &[POLICY], "out");
    let read = |name: &str| Table::read(&scene.path("out").join(name));
    let logged = |kind, columns: &[&str]| Table::logged(&scene.path("out"), kind).lines(columns);
    expect![[r"
        hedge  filled  1  -
        rest  accepted  0  -
        gap  rejected  0  VEN-BALANCE: needs 975, has 924
        next  canceled  0  EXEC-SKIPPED: skipped
        later  filled  1  -
    "]]
    .assert_eq(&read("orders.parquet").lines(&["order_id", "status", "cum_qty", "reason"]));
    expect![[r"
        2024-01-01T03:00:00Z  funding  2024-01-01T03:00:00Z  0.12
    "]]
    .assert_eq(&read("settlements.parquet").lines(&["ts", "kind", "event_ts", "amount"]));
    expect![[r"
        2024-01-01T01:00:00Z  1000
        2024-01-01T02:00:00Z  980
        2024-01-01T03:00:00Z  980.12
        2024-01-01T04:00:00Z  980.12
        2024-01-01T05:00:00Z  980.12
    "]]
    .assert_eq(&read("equity.parquet").lines(&["ts", "equity"]));
    expect![[r"
        2024-01-01T02:00:00Z  hedge/0  confirmed  success  routing > executing > reconciling > success
        2024-01-01T02:00:00Z  rest/0  working  success  routing > executing > success
        2024-01-01T03:00:00Z  gap/0  failed  failure  routing > executing > failure
        2024-01-01T04:00:00Z  later/0  confirmed  success  routing > executing > reconciling > success
    "]].assert_eq(&logged(Kind::TightLoop, &["ts", "op_id", "status", "end", "path"]));
    expect![[r"
        2024-01-01T01:00:00Z  1000  0
        2024-01-01T02:00:00Z  980  1
        2024-01-01T03:00:00Z  980.12  1
        2024-01-01T04:00:00Z  980.12  1
        2024-01-01T05:00:00Z  980.12  1
    "]]
    .assert_eq(&logged(Kind::Account, &["ts", "equity", "working_orders"]));
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

/// What is shown of the records of a kind.
fn shown(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Frame => &["bars"],
        Kind::Account => &["equity", "working_orders"],
        Kind::Decision => &["action", "pattern"],
        Kind::Intent => &["action", "order_id"],
        Kind::Verdict => &["action", "order_id", "is_accepted"],
        Kind::OrderUpdate => &["order_id", "status"],
        Kind::Fill => &["order_id", "last_qty", "last_px"],
        Kind::Lot => &["order_id", "quantity"],
        Kind::TightLoop => &["op_id", "end", "compares", "chain"],
        Kind::Delta => &["op_id", "position_key", "amount"],
        Kind::Mismatch => &["op_id", "position_key"],
        Kind::Settlement => &["kind", "amount"],
        Kind::Alert | Kind::Risk => &["risk_type"],
        Kind::Exposure => &["asset", "net_delta"],
        Kind::Pnl => &["total"],
        Kind::Control => &["name"],
        Kind::Custom => &["kind"],
    }
}

/// The records of one frame, in their order; those of one event are together, kind by kind.
fn trace(folder: &Path, ts: &str) -> String {
    let mut records = Vec::new();
    for kind in Kind::ALL {
        let table = Table::logged(folder, kind);
        let heads = table.lines(&["seq", "ts"]);
        for (head, shown) in heads.lines().zip(table.lines(shown(kind)).lines()) {
            let (seq, at) = head.split_once("  ").expect("two columns");
            if at == ts {
                records.push((
                    seq.parse::<u64>().expect("a number"),
                    kind.name(),
                    shown.to_owned(),
                ));
            }
        }
    }
    // Stable, so the kinds of one event stay in their order.
    records.sort_by_key(|(seq, ..)| *seq);
    let line = |(_, kind, shown): (u64, &str, String)| format!("{kind}: {shown}\n");
    records.into_iter().map(line).collect()
}

/// 03:00 executes what was decided at 02:00, settles funding of 03:00, values the account, and decides.
#[test]
fn the_records_of_a_frame_are_in_the_order_of_its_steps() {
    let scene = scene();
    scene.run(App::new(), &[POLICY], "out");
    expect![[r"
        frame: 2
        tight_loop: gap/0  failure  0  -
        order_update: gap  rejected
        tight_loop: next/0  success  1  4
        delta: next/0  binance:BaseToken:BTC  0.1
        delta: next/0  binance:BaseToken:USDT  -13
        fill: next  0.1  130
        order_update: next  filled
        delta: funding binance:Perp:BTCUSDT 2024-01-01T03:00:00Z/0  binance:BaseToken:USDT  0.12
        settlement: funding  0.12
        account: 979.12  1
        exposure: USDT  987.12
        exposure: BTC  -0.9
        pnl: -20.88
        intent: submit  later
        decision: trade  1
        verdict: submit  later  true
    "]]
    .assert_eq(&trace(&scene.path("out"), "2024-01-01T03:00:00Z"));
    // Without orders the account is valued and decided on at once.
    expect![[r"
        frame: 2
        account: 979.12  1
        exposure: USDT  867.12
        exposure: BTC  0.1
        pnl: -20.88
        decision: hold  1
        control: eof
    "]]
    .assert_eq(&trace(&scene.path("out"), "2024-01-01T05:00:00Z"));
}

#[test]
fn a_decision_names_the_snapshot_that_it_was_made_on() {
    let scene = scene();
    scene.run(App::new(), &[POLICY], "out");
    let logged = |kind, columns: &[&str]| Table::logged(&scene.path("out"), kind).lines(columns);
    let snapshots = logged(Kind::Account, &["ts", "seq"]);
    assert_eq!(snapshots.lines().count(), 5);
    assert_eq!(logged(Kind::Decision, &["ts", "cause_seq"]), snapshots);
}

#[test]
fn a_change_has_a_key_and_an_amount_and_may_have_a_price_and_a_fee() {
    let scene = scene();
    let text = std::fs::read_to_string(scene.path("run.toml")).expect("it was written");
    let scene = scene.file("run.toml", text.replace("taker_bps = 0", "taker_bps = 10"));
    scene.run(App::new(), &[POLICY], "out");
    let changes = Table::logged(&scene.path("out"), Kind::Delta);
    let columns = changes.columns();
    // Of what a change is, nothing can be absent; of where it comes from, everything else.
    let (may_be_null, always): (Vec<_>, Vec<_>) =
        columns.iter().partition(|name| name.ends_with('?'));
    assert_eq!(
        always,
        ["seq", "ts", "op_id", "ts_event", "position_key", "amount", "source", "cause"]
    );
    assert_eq!(may_be_null, ["cause_seq?", "px?", "px_ref?", "fee?", "fee_key?"]);
    expect![[r"
        hedge/0  binance:Perp:BTCUSDT  -1  trade  100  100  -  -
        hedge/0  binance:BaseToken:USDT  -0.1  trade  100  100  -  -
        next/0  binance:BaseToken:BTC  0.1  trade  130  130  -  -
        next/0  binance:BaseToken:USDT  -13.013  trade  130  130  0.013  binance:BaseToken:USDT
        funding binance:Perp:BTCUSDT 2024-01-01T03:00:00Z/0  binance:BaseToken:USDT  0.12  funding  -  -  -  -
        later/0  binance:BaseToken:BTC  1  trade  120  120  -  -
        later/0  binance:BaseToken:USDT  -120.12  trade  120  120  0.12  binance:BaseToken:USDT
    "]].assert_eq(&changes.lines(&[
        "op_id",
        "position_key",
        "amount",
        "source",
        "px",
        "px_ref",
        "fee",
        "fee_key",
    ]));
}

#[test]
fn ten_orders_of_one_frame_are_ten_loops_one_after_the_other() {
    let rows: Vec<String> = (1..=10).map(|number| format!("01 n{number} buy 0.{number}")).collect();
    let rows = orders("binance:spot:BTCUSDT", &rows.join("\n"));
    let scene = scene().file("orders.csv", rows);
    scene.run(App::new(), &["initial.\"binance:BaseToken:USDT\"=\"100000\""], "out");
    let loops = Table::logged(&scene.path("out"), Kind::TightLoop);
    expect![[r"
        8  2024-01-01T02:00:00Z  n1/0  success  1  2
        11  2024-01-01T02:00:00Z  n2/0  success  1  3
        14  2024-01-01T02:00:00Z  n3/0  success  1  4
        17  2024-01-01T02:00:00Z  n4/0  success  1  5
        20  2024-01-01T02:00:00Z  n5/0  success  1  6
        23  2024-01-01T02:00:00Z  n6/0  success  1  7
        26  2024-01-01T02:00:00Z  n7/0  success  1  8
        29  2024-01-01T02:00:00Z  n8/0  success  1  9
        32  2024-01-01T02:00:00Z  n9/0  success  1  10
        35  2024-01-01T02:00:00Z  n10/0  success  1  11
    "]]
    .assert_eq(&loops.lines(&["seq", "ts", "op_id", "end", "compares", "chain"]));
    let fills = Table::logged(&scene.path("out"), Kind::Fill);
    assert_eq!(fills.lines(&["ts"]).lines().count(), 10);
}
