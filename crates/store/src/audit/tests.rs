//! What the streams of orders look like.

use std::sync::Arc;

use expect_test::{Expect, expect};
use model::impact::{AccountFigures, GroupImpact};
use model::ladder::RiskLevel;
use model::money::{Bps, Cash};
use model::order::{
    CancelOrder, Level, OcoGroup, OrderRequest, OrderSide, OrderStatus, RefusalCode, Request, Size,
    StrategyIx, TimeInForce, Trail, Verdict, VerdictGroup,
};
use model::risk::{RiskImpact, RiskType};

use super::fixtures::{
    LINEAR, Script, decimal, fill, id, limit, lot, minute, names, news, order, refusal, replace,
    submit, units,
};
use super::kind::Kind;
use super::records::RareEvent;
use super::tables::{batch_of, schema_of};
use crate::columns::shown::shown;

/// Compares the streams of some kinds, all columns of each.
fn check(mut script: Script, kinds: &[Kind], expected: &Expect) {
    let names = names();
    let mut text = String::new();
    for kind in Kind::ALL {
        let batch = batch_of(kind, &schema_of(kind), &mut script.records, &names).unwrap();
        if let (Some(batch), true) = (batch, kinds.contains(&kind)) {
            text += &shown(&batch, &[]);
        }
    }
    expected.assert_eq(&text);
}

#[test]
fn an_intent_has_one_row_per_request_with_all_that_was_asked_for() {
    let group = OcoGroup { strategy: StrategyIx(0), number: 1 };
    let bracket = limit(OrderSide::Buy, "95")
        .named("entry")
        .until(minute(9))
        .post_only()
        .take_profit(Level::OffsetBps(Bps(decimal("50"))))
        .stop_loss(Level::Offset(decimal("-5")));
    let trailing = |trail| {
        OrderRequest::trailing(LINEAR, OrderSide::Sell, Size::ALL, trail)
            .child_of(id(1))
            .reduce_only()
            .one_cancels_other(group)
    };
    let nothing = OrderRequest { instrument: None, side: None, ..limit(OrderSide::Buy, "95") };
    let mut script = Script::default();
    script.ask(vec![
        submit(1, &bracket),
        submit(4, &trailing(Trail::Bps(Bps(decimal("200"))))),
        submit(5, &trailing(Trail::Absolute(decimal("1.5"))).tif(TimeInForce::Day)),
        submit(6, &nothing),
        Request::Cancel(id(4)),
        replace(1, &OrderRequest::stop(LINEAR, OrderSide::Buy, units("1"), decimal("99"))),
    ]);
    check(
        script,
        &[Kind::Intent],
        &expect![[r"
            seq ts cause_seq publisher action  order_id instrument           side type     order_qty share price stop_price trail trail_bps tif expire_at post_only reduce_only oco_group parent take_profit stop_loss venue token_in token_out source_key target_key min_out
            1   1  0         1         submit  entry    binance:spot:BTCUSDT buy  limit    2         -     95    -          -     -         gtd 9         true      false       -         -      +50bps      -5        -     -        -         -          -          -
            1   1  0         1         submit  s-4      binance:perp:BTCUSDT sell trailing -         1     -     -          -     200       gtc -         false     true        s-1       entry  -           -         -     -        -         -          -          -
            1   1  0         1         submit  s-5      binance:perp:BTCUSDT sell trailing -         1     -     -          1.5   -         day -         false     true        s-1       entry  -           -         -     -        -         -          -          -
            1   1  0         1         submit  s-6      -                    -    limit    2         -     95    -          -     -         gtc -         false     false       -         -      -           -         -     -        -         -          -          -
            1   1  0         1         cancel  s-4      -                    -    -        -         -     -     -          -     -         -   -         false     false       -         -      -           -         -     -        -         -          -          -
            1   1  0         1         replace entry    binance:perp:BTCUSDT buy  stop     1         -     -     99         -     -         gtc -         false     false       -         -      -           -         -     -        -         -          -          -
        "]],
    );
}

#[test]
fn a_verdict_has_one_row_per_request_with_the_terms_as_granted() {
    let entry = limit(OrderSide::Buy, "95").until(minute(9));
    let stop = OrderRequest::stop(LINEAR, OrderSide::Sell, Size::ALL, decimal("90"));
    let mut script = Script::default();
    script.judge(vec![
        Verdict::Accepted(order(1, &entry, minute(1))),
        Verdict::Denied { order_id: id(2), refusal: refusal(RefusalCode::Balance) },
        Verdict::CancelAccepted(CancelOrder { order_id: id(3), ts_decided: minute(1) }),
        Verdict::ReplaceAccepted(order(4, &stop, minute(1))),
        Verdict::ReplaceDenied { order_id: id(5), refusal: refusal(RefusalCode::Replace) },
    ]);
    check(
        script,
        &[Kind::Verdict],
        &expect![[r"
            seq ts cause_seq action  order_id is_accepted order_qty price stop_price expire_at ts_eligible code         detail impact_metric impact_before impact_after expected_cost
            1   1  0         submit  s-1      true        2         95    -          9         1           -            -      -             -             -            -
            1   1  0         submit  s-2      false       -         -     -          -         -           RISK-BALANCE why    -             -             -            -
            1   1  0         cancel  s-3      true        -         -     -          -         -           -            -      -             -             -            -
            1   1  0         replace s-4      true        -         -     90         -         1           -            -      -             -             -            -
            1   1  0         replace s-5      false       -         -     -          -         -           RISK-REPLACE why    -             -             -            -
        "]],
    );
}

#[test]
fn verdicts_tell_what_bound_their_orders_and_what_each_would_cost() {
    let entry = limit(OrderSide::Buy, "95");
    let binding = RiskImpact {
        metric: RiskType::DeltaRisk,
        before: Some(0.0),
        after: Some(0.25),
        level_before: RiskLevel::Ok,
        level_after: RiskLevel::Critical,
    };
    let impact = GroupImpact {
        positions: Vec::new(),
        before: AccountFigures::default(),
        after: AccountFigures::default(),
        metrics: vec![binding],
        binding: Some(binding),
        leg_delta: None,
        costs: vec![Some(0.5), None, Some(0.25)],
    };
    let verdicts = vec![
        Verdict::Accepted(order(1, &entry, minute(1))),
        Verdict::CancelAccepted(CancelOrder { order_id: id(3), ts_decided: minute(1) }),
        Verdict::Denied { order_id: id(2), refusal: refusal(RefusalCode::Impact) },
    ];
    let impact = Some(Arc::new(impact));
    let group = VerdictGroup { strategy: StrategyIx(0), verdicts, impact };
    let mut script = Script::default();
    script.event(RareEvent::Verdict(Arc::new(group)));
    check(
        script,
        &[Kind::Verdict],
        &expect![[r"
        seq ts cause_seq action order_id is_accepted order_qty price stop_price expire_at ts_eligible code        detail impact_metric impact_before impact_after expected_cost
        1   1  0         submit s-1      true        2         95    -          -         1           -           -      delta_risk    0             0.25         0.5
        1   1  0         cancel s-3      true        -         -     -          -         -           -           -      -             -             -            -
        1   1  0         submit s-2      false       -         -     -          -         -           RISK-IMPACT why    delta_risk    0             0.25         0.25
    "]],
    );
}

#[test]
fn news_tell_new_terms_and_what_an_order_repeats() {
    let entry = limit(OrderSide::Buy, "95").named("entry").stop_loss(Level::Offset(decimal("-5")));
    let stop = OrderRequest::stop(LINEAR, OrderSide::Sell, units("1"), decimal("90"));
    let mut script = Script::default();
    script.ask(vec![submit(1, &entry), submit(4, &entry)]);
    script.update(news(1, OrderStatus::PartiallyFilled, "1"));
    let mut armed = news(3, OrderStatus::Accepted, "0");
    armed.terms = Some(order(3, &stop, minute(2)));
    script.update(armed);
    let mut repeated = news(4, OrderStatus::Accepted, "0");
    repeated.repeats = Some(id(1));
    script.update(repeated);
    let mut canceled = news(3, OrderStatus::Canceled, "0");
    canceled.refusal = Some(refusal(RefusalCode::PositionClosed));
    script.update(canceled);
    check(
        script,
        &[Kind::OrderUpdate],
        &expect![[r"
            seq ts cause_seq order_id status           order_qty cum_qty avg_px price stop_price instrument           side type parent repeats code                detail
            2   2  1         entry    partially_filled -         1       100    -     -          -                    -    -    -      -       -                   -
            3   3  2         entry-sl accepted         -         0       -      -     90         binance:perp:BTCUSDT sell stop -      -       -                   -
            4   4  3         entry    accepted         -         0       -      -     -          -                    -    -    -      entry   -                   -
            5   5  4         entry-sl canceled         -         0       -      -     -          -                    -    -    -      -       VEN-POSITION-CLOSED why
        "]],
    );
}

#[test]
fn a_fill_is_followed_by_the_lots_that_it_closed() {
    let mut sale = fill(1, OrderSide::Sell);
    sale.realized = Cash(decimal("10"));
    sale.lots = vec![lot("0.75", "7.5"), lot("0.25", "2.5")];
    sale.bar_share = Some(0.25);
    let mut script = Script::default();
    script.fill(fill(2, OrderSide::Buy));
    script.fill(sale);
    check(
        script,
        &[Kind::Fill, Kind::Lot],
        &expect![[r"
            seq ts cause_seq trade_id order_id ts_event instrument           side last_qty last_px notional fee fee_key                liquidity slippage_bps price_rule  bar_share px_ref bar_low bar_high realized cash_value
            1   1  0         1        s-2      0        binance:spot:BTCUSDT buy  1        100     100      0   binance:BaseToken:USDT taker     0            market_open -         100    -       -        0        1
            2   2  1         1        s-1      0        binance:spot:BTCUSDT sell 1        100     100      0   binance:BaseToken:USDT taker     0            market_open 0.25      100    -       -        10       1
            seq ts cause_seq trade_id order_id instrument           entry_ts quantity entry_px gross entry_fee exit_fee
            2   2  1         1        s-1      binance:spot:BTCUSDT 1        0.75     90       7.5   0.09      0.1
            2   2  1         1        s-1      binance:spot:BTCUSDT 1        0.25     90       2.5   0.09      0.1
        "]],
    );
}
