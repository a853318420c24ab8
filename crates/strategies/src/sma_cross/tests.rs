#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::fmt::Write;

use expect_test::{Expect, expect};
use model::money::Quantity;
use model::order::{OrderStatus, Request};
use model::parameter::ParameterValue;
use model::time::UtcMillis;

use super::*;
use crate::stage::{PERP, SPOT, Stage};

fn build(stage: &Stage, direction: &'static str) -> Result<SmaCross, ParameterError> {
    let instruments = stage.instruments.instruments().map(|(place, _)| place).collect();
    stage.build([
        ("fast", ParameterValue::Integer(1)),
        ("slow", ParameterValue::Integer(2)),
        ("size", ParameterValue::Size("50%".parse().unwrap())),
        ("direction", ParameterValue::Choice(direction)),
        ("instruments", ParameterValue::Instruments(instruments)),
    ])
}

/// Trades one instrument. A frame is a close and, where orders end before it, the position that
/// they leave.
fn check(id: &str, direction: &'static str, frames: &[(f64, Option<i64>)], expected: &Expect) {
    let mut stage = Stage::new(&[id]);
    let mut strategy = build(&stage, direction).unwrap();
    let mut waiting: Vec<OrderId> = Vec::new();
    let mut text = String::new();
    for (hours, (close, position)) in (1i64..).zip(frames) {
        if let Some(units) = position {
            stage.hold(InstrumentIx(0), *units);
            waiting.drain(..).for_each(|order| strategy.on_order_update(&ended(order)));
        }
        let ts = UtcMillis::new(hours * 3_600_000);
        for request in stage.decide(&mut strategy, ts, *close).unwrap() {
            writeln!(text, "{hours}: {}", stage.show(&request)).unwrap();
            if let Request::Submit(intent) = request {
                waiting.push(intent.order_id);
            }
        }
    }
    expected.assert_eq(&text);
}

fn ended(order_id: OrderId) -> OrderUpdate {
    OrderUpdate {
        order_id,
        status: OrderStatus::Filled,
        order_qty: None,
        cum_qty: Quantity::ZERO,
        avg_px: None,
        refusal: None,
        terms: None,
        repeats: None,
    }
}

/// Crosses at the third, fourth and fifth frame: up, down, up.
const CROSSES: [f64; 5] = [2.0, 1.0, 2.0, 1.0, 2.0];

fn crossed(positions: [Option<i64>; 5]) -> Vec<(f64, Option<i64>)> {
    CROSSES.into_iter().zip(positions).collect()
}

#[test]
fn spot_is_bought_and_sold() {
    let filled = crossed([None, None, None, Some(5), Some(0)]);
    check(
        SPOT,
        "long",
        &filled,
        &expect![[r#"
        3: submit 1: market buy 50% of binance:spot:BTCUSDT
        4: submit 2: market sell 100% of binance:spot:BTCUSDT
        5: submit 3: market buy 50% of binance:spot:BTCUSDT
    "#]],
    );
    check(
        SPOT,
        "long",
        &crossed([None; 5]),
        &expect![[r#"
        3: submit 1: market buy 50% of binance:spot:BTCUSDT
        4: submit 2: market sell 100% of binance:spot:BTCUSDT
        5: submit 3: market buy 50% of binance:spot:BTCUSDT
    "#]],
    );
}

#[test]
fn a_perpetual_is_closed_and_opened_on_the_other_side() {
    let filled = crossed([None, None, None, Some(5), Some(-5)]);
    check(
        PERP,
        "long_short",
        &filled,
        &expect![[r#"
        3: submit 1: market buy 50% of binance:perp:BTCUSDT
        4: submit 2: market sell 100% of binance:perp:BTCUSDT, reduce only
        4: submit 3: market sell 50% of binance:perp:BTCUSDT
        5: submit 4: market buy 100% of binance:perp:BTCUSDT, reduce only
        5: submit 5: market buy 50% of binance:perp:BTCUSDT
    "#]],
    );
    let filled = crossed([None, None, None, Some(5), Some(0)]);
    check(
        PERP,
        "long",
        &filled,
        &expect![[r#"
        3: submit 1: market buy 50% of binance:perp:BTCUSDT
        4: submit 2: market sell 100% of binance:perp:BTCUSDT, reduce only
        5: submit 3: market buy 50% of binance:perp:BTCUSDT
    "#]],
    );
    let held = crossed([Some(-3), None, None, Some(5), Some(0)]);
    check(
        PERP,
        "long",
        &held,
        &expect![[r#"
        3: submit 1: market buy 100% of binance:perp:BTCUSDT, reduce only
        3: submit 2: market buy 50% of binance:perp:BTCUSDT
        4: submit 3: market sell 100% of binance:perp:BTCUSDT, reduce only
        5: submit 4: market buy 50% of binance:perp:BTCUSDT
    "#]],
    );
}

#[test]
fn a_cross_back_ends_orders_of_a_perpetual_that_wait() {
    check(
        PERP,
        "long_short",
        &crossed([None; 5]),
        &expect![[r#"
        3: submit 1: market buy 50% of binance:perp:BTCUSDT
        4: cancel 1
        4: submit 2: market sell 50% of binance:perp:BTCUSDT
        5: cancel 2
        5: submit 3: market buy 50% of binance:perp:BTCUSDT
    "#]],
    );
    let held = crossed([Some(-3), None, None, None, Some(5)]);
    check(
        PERP,
        "long_short",
        &held,
        &expect![[r#"
        3: submit 1: market buy 100% of binance:perp:BTCUSDT, reduce only
        3: submit 2: market buy 50% of binance:perp:BTCUSDT
        4: cancel 1
        4: cancel 2
    "#]],
    );
}

#[test]
fn only_perpetuals_go_short() {
    let error = build(&Stage::new(&[PERP, SPOT]), "long_short").unwrap_err();
    expect!["direction: long_short; expected `long`: binance:spot:BTCUSDT is no perpetual, and only those can be short"].assert_eq(&error.to_string());
}

fn crosses(closes: &[f64], fast: usize, slow: usize) -> Vec<Option<Cross>> {
    let mut lines = Lines::new(InstrumentIx(0), false, fast, slow);
    closes.iter().map(|close| lines.cross(FixedPoint::of(*close).unwrap())).collect()
}

#[test]
fn a_cross_is_a_change_of_side_between_two_bars() {
    use Cross::{Down, Up};
    assert_eq!(
        crosses(&[3.0, 2.0, 1.0, 2.0, 3.0, 3.0, 1.0], 1, 2),
        [None, None, None, Some(Up), None, None, Some(Down)]
    );
    // Equal averages are neither side; leaving them is a cross, entering them is none.
    assert_eq!(crosses(&[1.0, 1.0, 2.0], 1, 2), [None, None, Some(Up)]);
    assert_eq!(crosses(&[2.0, 1.0, 1.0], 1, 2), [None, None, None]);
}

#[test]
fn prices_that_stand_still_never_cross() {
    // 0.1 summed up in floats would drift off its average.
    let closes = vec![0.1; 1_000];
    assert!(crosses(&closes, 7, 30).iter().all(Option::is_none));
}

#[test]
fn closes_with_more_than_18_decimals_are_rounded() {
    let closes = [3.3, 2.2, 1.1, 4.4].map(|close| close * 0.000_012_345_678_901_234_5);
    assert!(FixedPoint::of(closes[0]).is_none());
    let mut stage = Stage::new(&[SPOT]);
    let mut strategy = build(&stage, "long_only").unwrap();
    for (hours, close) in (1..).zip(closes) {
        stage.decide(&mut strategy, UtcMillis::new(hours * 3_600_000), close).unwrap();
    }
}
