//! Orders: their rows, and how they are counted.

use expect_test::{Expect, expect};
use model::money::{Bps, Quantity};
use model::order::{
    Level, OcoGroup, OrderRequest, OrderSide, OrderStatus, OrderUpdate, RefusalCode, Size,
    StrategyIx, Trail, Verdict,
};

use super::run;
use crate::audit::fixtures::{
    LINEAR, SPOT, Script, decimal, id, limit, minute, news, order, refusal, replace, submit, units,
};

/// News of an order that ended, with a reason.
fn ended(number: u32, status: OrderStatus, cum_qty: &str, code: RefusalCode) -> OrderUpdate {
    OrderUpdate { refusal: Some(refusal(code)), ..news(number, status, cum_qty) }
}

/// Compares the order table of a run, and how its orders are counted.
fn check_orders(scripts: Vec<Script>, columns: &[&str], expected: &Expect) {
    let (figures, table) = run(scripts, "orders.parquet", columns);
    let counts = &figures.orders;
    let reasons = [
        ("denied", &counts.denied_by_reason),
        ("rejected", &counts.rejected_by_reason),
        ("canceled", &counts.canceled_by_reason),
    ];
    let mut text = table
        + &format!(
            "submitted {} denied {} rejected {} canceled {} expired {} partially {} filled {} working {}, \
             replaces denied {}\n",
            counts.submitted,
            counts.denied,
            counts.rejected,
            counts.canceled,
            counts.expired,
            counts.partially_filled,
            counts.filled,
            counts.working,
            counts.replaces_denied,
        );
    for (status, reasons) in reasons {
        let lines = reasons.iter().map(|(code, count)| format!("{status} {code} {count}\n"));
        text.extend(lines);
    }
    expected.assert_eq(&text);
}

/// What tells how an order ended.
const LIFE: &[&str] =
    &["order_id", "seq", "operation", "side", "type", "order_qty", "status", "cum_qty", "reason"];

/// What tells its terms.
const TERMS: &[&str] = &[
    "order_id",
    "ts_eligible",
    "type",
    "order_qty",
    "price",
    "stop_price",
    "trail",
    "trail_bps",
    "tif",
    "expire_at",
    "post_only",
    "reduce_only",
    "oco_group",
    "parent",
    "status",
];

#[test]
fn an_order_ends_as_its_last_news_says() {
    use OrderStatus::{Accepted, Canceled, Expired, Filled, PartiallyFilled, Rejected};
    let buy = limit(OrderSide::Buy, "95");
    let nothing = OrderRequest { instrument: None, side: None, ..buy.clone() };
    let perpetual = OrderRequest { instrument: Some(LINEAR), ..buy.clone() };
    let share = OrderRequest::market(SPOT, OrderSide::Sell, Size::ALL);
    let mut script = Script::default();
    script.accept(&[
        (1, share),
        (2, buy.clone()),
        (3, buy.clone()),
        (4, buy.clone().until(minute(9))),
        (5, perpetual.clone()),
        (6, perpetual),
    ]);
    script.ask(vec![submit(7, &nothing)]);
    let instrument = refusal(RefusalCode::Instrument);
    script.judge(vec![Verdict::Denied { order_id: id(7), refusal: instrument }]);
    script.update(OrderUpdate {
        order_qty: Some(Quantity(decimal("1.5"))),
        ..news(1, Filled, "1.5")
    });
    script.update(news(2, PartiallyFilled, "1"));
    script.update(ended(2, Canceled, "1", RefusalCode::Canceled));
    script.update(ended(3, Rejected, "0", RefusalCode::VenueBalance));
    script.update(ended(4, Expired, "0", RefusalCode::Expired));
    script.update(news(5, PartiallyFilled, "1"));
    script.update(news(6, Accepted, "0"));
    check_orders(
        vec![script],
        LIFE,
        &expect![[r"
        order_id seq operation  side type   order_qty status           cum_qty reason
        s-1      1   spot_trade sell market 1.5       filled           1.5     -
        s-2      1   spot_trade buy  limit  2         canceled         1       VEN-CANCELED: why
        s-3      1   spot_trade buy  limit  2         rejected         0       VEN-BALANCE: why
        s-4      1   spot_trade buy  limit  2         expired          0       VEN-EXPIRED: why
        s-5      1   perp_trade buy  limit  2         partially_filled 1       -
        s-6      1   perp_trade buy  limit  2         accepted         0       -
        s-7      3   -          -    limit  2         denied           0       RISK-INSTRUMENT: why
        submitted 7 denied 1 rejected 1 canceled 1 expired 1 partially 2 filled 1 working 2, replaces denied 0
        denied RISK-INSTRUMENT 1
        rejected VEN-BALANCE 1
        canceled VEN-CANCELED 1
    "]],
    );
}

#[test]
fn the_exits_of_a_bracket_are_orders_once_their_entry_is_accepted() {
    use OrderStatus::{Accepted, Canceled, Filled};
    let bracket = limit(OrderSide::Buy, "95")
        .take_profit(Level::Price(decimal("105")))
        .stop_loss(Level::OffsetBps(Bps(decimal("-100"))));
    let mut script = Script::default();
    script.accept(&[(1, bracket.clone().named("filled")), (4, bracket.clone().named("waits"))]);
    script.accept(&[(7, bracket.clone().named("canceled"))]);
    script.ask(vec![submit(10, &bracket.clone().named("denied"))]);
    let balance = refusal(RefusalCode::Balance);
    script.judge(vec![Verdict::Denied { order_id: id(10), refusal: balance }]);
    script.update(news(1, Filled, "2"));
    let armed = |number, request: OrderRequest| OrderUpdate {
        terms: Some(order(number, &request.reduce_only(), minute(9))),
        ..news(number, Accepted, "0")
    };
    let stop = OrderRequest::stop(SPOT, OrderSide::Sell, units("2"), decimal("94.05"));
    script.update(armed(3, stop));
    script.update(armed(2, limit(OrderSide::Sell, "105")));
    script.update(news(2, Filled, "2"));
    script.update(ended(3, Canceled, "0", RefusalCode::OneCancelsOther));
    script.update(ended(7, Canceled, "0", RefusalCode::Canceled));
    let columns = &[
        "order_id",
        "seq",
        "ts_eligible",
        "side",
        "type",
        "order_qty",
        "price",
        "stop_price",
        "reduce_only",
        "parent",
        "status",
        "reason",
    ];
    check_orders(
        vec![script],
        columns,
        &expect![[r"
        order_id    seq ts_eligible side type  order_qty price stop_price reduce_only parent   status   reason
        filled      1   1           buy  limit 2         95    -          false       -        filled   -
        filled-tp   1   9           sell limit 2         105   -          true        filled   filled   -
        filled-sl   1   9           sell stop  2         -     94.05      true        filled   canceled VEN-OCO: why
        waits       1   1           buy  limit 2         95    -          false       -        accepted -
        waits-tp    1   -           sell limit -         105   -          true        waits    accepted -
        waits-sl    1   -           sell stop  -         -     -          true        waits    accepted -
        canceled    3   3           buy  limit 2         95    -          false       -        canceled VEN-CANCELED: why
        canceled-tp 3   -           sell limit -         105   -          true        canceled canceled VEN-PARENT: its entry ended without a fill
        canceled-sl 3   -           sell stop  -         -     -          true        canceled canceled VEN-PARENT: its entry ended without a fill
        denied      5   -           buy  limit 2         95    -          false       -        denied   RISK-BALANCE: why
        submitted 10 denied 1 rejected 0 canceled 4 expired 0 partially 0 filled 2 working 3, replaces denied 0
        denied RISK-BALANCE 1
        canceled VEN-CANCELED 1
        canceled VEN-OCO 1
        canceled VEN-PARENT 2
    "]],
    );
}

#[test]
fn new_terms_of_an_entry_move_its_exits_or_end_them() {
    use OrderStatus::{Accepted, Filled};
    let price = |text| Level::Price(decimal(text));
    let bracket =
        |entry, stop| limit(OrderSide::Buy, entry).take_profit(price("105")).stop_loss(price(stop));
    let mut script = Script::default();
    script.accept(&[(1, bracket("95", "90")), (4, bracket("95", "90"))]);
    let moved = bracket("96", "91");
    let alone = limit(OrderSide::Buy, "96");
    for (number, request) in [(1, moved), (4, alone)] {
        let terms = Some(order(number, &request, minute(3)));
        script.update(OrderUpdate { terms, ..news(number, Accepted, "0") });
    }
    script.update(news(4, Filled, "2"));
    let columns = &["order_id", "order_qty", "price", "stop_price", "status", "reason"];
    check_orders(
        vec![script],
        columns,
        &expect![[r"
        order_id order_qty price stop_price status   reason
        s-1      2         96    -          accepted -
        s-2      -         105   -          accepted -
        s-3      -         -     91         accepted -
        s-4      2         96    -          filled   -
        s-5      -         105   -          canceled VEN-CANCELED: the new terms of its entry have no such exit
        s-6      -         -     90         canceled VEN-CANCELED: the new terms of its entry have no such exit
        submitted 6 denied 0 rejected 0 canceled 2 expired 0 partially 0 filled 1 working 3, replaces denied 0
        canceled VEN-CANCELED 2
    "]],
    );
}

#[test]
fn a_row_shows_the_terms_that_its_order_had_last() {
    use OrderStatus::{Accepted, Canceled};
    let group = OcoGroup { strategy: StrategyIx(0), number: 1 };
    let trail = Trail::Bps(Bps(decimal("200")));
    let trailing = OrderRequest::trailing(LINEAR, OrderSide::Sell, units("1"), trail)
        .reduce_only()
        .one_cancels_other(group)
        .child_of(id(1));
    let absolute = OrderRequest {
        trail: Some(Trail::Absolute(decimal("1.5"))),
        ..trailing.clone().until(minute(9))
    };
    let entry = limit(OrderSide::Buy, "95").post_only();
    let mut script = Script::default();
    script.accept(&[(1, entry.clone()), (2, trailing), (3, absolute), (4, entry.clone())]);
    let replaced = OrderRequest { size: units("3"), ..limit(OrderSide::Buy, "96") };
    script.ask(vec![replace(1, &replaced), replace(4, &replaced)]);
    script.judge(vec![
        Verdict::ReplaceAccepted(order(1, &replaced, minute(3))),
        Verdict::ReplaceDenied { order_id: id(4), refusal: refusal(RefusalCode::Balance) },
    ]);
    script.update(OrderUpdate {
        terms: Some(order(1, &replaced, minute(3))),
        ..news(1, Accepted, "0")
    });
    script.update(ended(4, Canceled, "0", RefusalCode::Canceled));
    check_orders(
        vec![script],
        TERMS,
        &expect![[r"
        order_id ts_eligible type     order_qty price stop_price trail trail_bps tif expire_at post_only reduce_only oco_group parent status
        s-1      1           limit    3         96    -          -     -         gtc -         false     false       -         -      accepted
        s-2      1           trailing 1         -     -          -     200       gtc -         false     true        s-1       s-1    accepted
        s-3      1           trailing 1         -     -          1.5   -         gtd 9         false     true        s-1       s-1    accepted
        s-4      1           limit    2         95    -          -     -         gtc -         true      false       -         -      canceled
        submitted 4 denied 0 rejected 0 canceled 1 expired 0 partially 0 filled 0 working 3, replaces denied 1
        denied RISK-BALANCE 1
        canceled VEN-CANCELED 1
    "]],
    );
}

#[test]
fn an_order_that_only_repeats_another_has_no_row() {
    use OrderStatus::{Accepted, Filled};
    let bracket = limit(OrderSide::Buy, "95").named("entry").stop_loss(Level::Price(decimal("90")));
    let mut script = Script::default();
    script.accept(&[(1, bracket.clone()), (4, bracket)]);
    script.update(OrderUpdate { repeats: Some(id(1)), ..news(4, Accepted, "0") });
    script.update(news(1, Filled, "2"));
    check_orders(
        vec![script],
        LIFE,
        &expect![[r"
        order_id seq operation  side type  order_qty status   cum_qty reason
        entry    1   spot_trade buy  limit 2         filled   2       -
        entry-sl 1   spot_trade sell stop  -         accepted 0       -
        submitted 2 denied 0 rejected 0 canceled 0 expired 0 partially 0 filled 1 working 1, replaces denied 0
    "]],
    );
}

#[test]
fn rows_are_sorted_by_seq_whatever_ends_first() {
    use OrderStatus::Filled;
    let buy = limit(OrderSide::Buy, "95");
    let (mut first, mut second) = (Script::default(), Script::default());
    first.accept(&[(1, buy.clone())]);
    first.accept(&[(2, buy.clone())]);
    first.update(news(2, Filled, "2"));
    second.continue_after(&first);
    second.accept(&[(3, buy)]);
    second.update(news(3, Filled, "2"));
    second.update(news(1, Filled, "2"));
    check_orders(
        vec![first, second],
        &["order_id", "seq", "status"],
        &expect![[r"
        order_id seq status
        s-1      1   filled
        s-2      3   filled
        s-3      6   filled
        submitted 3 denied 0 rejected 0 canceled 0 expired 0 partially 0 filled 3 working 0, replaces denied 0
    "]],
    );
}
