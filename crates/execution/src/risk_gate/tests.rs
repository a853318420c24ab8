//! What orders would do to the account, judged through the gate: 04 §6.4, one line per group.

mod desk;

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use model::operation::{Amount, GroupId, Operation, OperationRequest};
use model::order::{IntentGroup, OperationIntent, OrderId, Request, StrategyIx};
use model::risk::RiskType;

use desk::Desk;

/// Each group judged after those before it, all at one tick: verdicts and what bound them.
fn check(world: &str, groups: &str, expected: &Expect) {
    let mut desk = Desk::new(world);
    let mut found = String::new();
    for group in groups.lines().map(str::trim) {
        let judged = desk.judge(group);
        let said = judged.verdicts.iter().map(|verdict| match verdict.refusal() {
            Some(refusal) => refusal.to_string(),
            None => "yes".to_owned(),
        });
        let said = said.collect::<Vec<_>>().join("; ");
        write!(found, "{group} → {said}").unwrap();
        if let Some(impact) = &judged.impact {
            if let Some(bound) = impact.binding {
                let (before, after) = (bound.before.unwrap_or(f64::NAN), bound.after.unwrap());
                write!(found, " | {} {before:.4} → {after:.4}", bound.metric.name()).unwrap();
            }
            if let Some(delta) = impact.leg_delta {
                write!(found, " | legs {delta:.4}").unwrap();
            }
            write!(found, " | cost {:.2}", impact.cost()).unwrap();
        }
        found.push('\n');
    }
    expected.assert_eq(&found);
}

#[test]
fn an_opening_that_leaves_too_little_margin_is_denied() {
    check(
        "hold bybit:BaseToken:USDT 5000
         risk cex_margin_ratio",
        "buy bybit 1
         buy bybit 0.5
         buy bybit 0.1
         sell bybit 100%
         cancel 7",
        &expect![[r"
            buy bybit 1 → RISK-IMPACT: cex_margin_ratio from inf to 0.100000, which is critical | cex_margin_ratio inf → 0.1000 | cost 0.00
            buy bybit 0.5 → yes | cex_margin_ratio inf → 0.2000 | cost 0.00
            buy bybit 0.1 → RISK-IMPACT: cex_margin_ratio from 0.200000 to 0.166667, which is reduce_only | cex_margin_ratio 0.2000 → 0.1667 | cost 0.00
            sell bybit 100% → yes | cex_margin_ratio 0.2000 → inf | cost 0.00
            cancel 7 → yes
        "]],
    );
}

#[test]
fn a_close_is_accepted_at_a_margin_that_denies_openings() {
    check(
        "hold bybit:BaseToken:USDT 5000
         perp bybit 1
         risk cex_margin_ratio",
        "buy bybit 0.001
         sell bybit 0.5 reduce
         buy bybit 0.1
         buy bybit 0.5",
        &expect![[r"
            buy bybit 0.001 → RISK-IMPACT: cex_margin_ratio from 0.100000 to 0.099900, which is critical | cex_margin_ratio 0.1000 → 0.0999 | cost 0.00
            sell bybit 0.5 reduce → yes | cex_margin_ratio 0.1000 → 0.2000 | cost 0.00
            buy bybit 0.1 → RISK-IMPACT: cex_margin_ratio from 0.200000 to 0.166667, which is reduce_only | cex_margin_ratio 0.2000 → 0.1667 | cost 0.00
            buy bybit 0.5 → RISK-IMPACT: cex_margin_ratio from 0.200000 to 0.100000, which is critical | cex_margin_ratio 0.2000 → 0.1000 | cost 0.00
        "]],
    );
}

#[test]
fn what_a_strategy_was_granted_counts_for_the_next_one_until_the_next_snapshot() {
    let world = "hold bybit:BaseToken:USDT 5000\n risk cex_margin_ratio";
    check(
        world,
        "buy bybit 0.3
         buy bybit 0.3",
        &expect![[r"
            buy bybit 0.3 → yes | cex_margin_ratio inf → 0.3333 | cost 0.00
            buy bybit 0.3 → RISK-IMPACT: cex_margin_ratio from 0.333333 to 0.166667, which is reduce_only | cex_margin_ratio 0.3333 → 0.1667 | cost 0.00
        "]],
    );
    let mut desk = Desk::new(world);
    for _ in 0..2 {
        let judged = desk.judge("buy bybit 0.5");
        assert_eq!(judged.verdicts[0].refusal(), None);
        desk.gate.promises.clear();
        desk.gate.impact.clear();
    }
}

#[test]
fn a_purchase_and_its_hedge_are_judged_as_a_pair() {
    check(
        "hold binance:BaseToken:USDT 60000
         hold bybit:BaseToken:USDT 40000
         fee 10
         risk delta_risk",
        "buy spot 0.5
         sell bybit 0.5
         buy spot 0.5; sell bybit 0.5
         buy spot 0.5 limit=49000; sell bybit 0.5 limit=51000",
        &expect![[r"
            buy spot 0.5 → RISK-IMPACT: delta_risk from 0.000000 to 0.250063, which is critical | delta_risk 0.0000 → 0.2501 | cost 25.00
            sell bybit 0.5 → RISK-IMPACT: delta_risk from 0.000000 to 0.250063, which is critical | delta_risk 0.0000 → 0.2501 | cost 25.00
            buy spot 0.5; sell bybit 0.5 → yes; yes | delta_risk 0.0000 → 0.0000 | legs 0.2500 | cost 50.00
            buy spot 0.5 limit=49000; sell bybit 0.5 limit=51000 → yes; yes | delta_risk 0.0000 → 0.0000 | legs 0.2500 | cost 50.00
        "]],
    );
}

#[test]
fn a_group_that_is_too_far_off_target_half_way_is_denied() {
    check(
        "hold binance:BaseToken:USDT 70000
         hold bybit:BaseToken:USDT 20000
         hold okx:BaseToken:USDT 10000",
        "buy spot 1.2; sell bybit 1.2
         buy spot 0.6; sell bybit 0.6; buy spot 0.6; sell okx 0.6
         buy bybit 2
         sell bybit 1; sell bybit 1",
        &expect![[r"
            buy spot 1.2; sell bybit 1.2 → RISK-LEG: a delta of 0.600000 of equity, at most 0.5; RISK-LEG: a delta of 0.600000 of equity, at most 0.5 | legs 0.6000 | cost 0.00
            buy spot 0.6; sell bybit 0.6; buy spot 0.6; sell okx 0.6 → yes; yes; yes; yes | legs 0.3000 | cost 0.00
            buy bybit 2 → yes
            sell bybit 1; sell bybit 1 → yes; yes
        "]],
    );
}

#[test]
fn a_group_that_mends_a_delta_may_pass_through_what_is_left_of_it() {
    check(
        "hold binance:BaseToken:USDT 20000
         hold bybit:BaseToken:USDT 20000
         hold okx:BaseToken:USDT 10000
         perp bybit -1.2",
        "buy bybit 0.4; buy okx 0.4
         buy okx 2.4; sell bybit 1.2",
        &expect![[r"
            buy bybit 0.4; buy okx 0.4 → yes; yes | legs 0.8000 | cost 0.00
            buy okx 2.4; sell bybit 1.2 → RISK-LEG: a delta of 2.000000 of equity, at most 0.5; RISK-LEG: a delta of 2.000000 of equity, at most 0.5 | legs 2.0000 | cost 0.00
        "]],
    );
}

#[test]
fn exits_that_wait_are_no_relief_and_replaces_are_judged_anew() {
    check(
        "hold bybit:BaseToken:USDT 5000
         perp bybit 0.2
         risk cex_margin_ratio",
        "buy bybit 0.8; sell bybit 0.2 reduce stop=45000
         buy bybit 0.8; sell bybit 0.8 parent=3
         buy bybit 0.2 limit=49000
         replace 5 buy bybit 0.5 limit=49000
         replace 5 buy bybit 0.1 limit=49000
         buy bybit 0.1 limit=49000 oco=1; sell bybit 0.2 stop=48000 oco=1",
        &expect![[r"
            buy bybit 0.8; sell bybit 0.2 reduce stop=45000 → RISK-IMPACT: cex_margin_ratio from 0.500000 to 0.100000, which is critical; yes | cex_margin_ratio 0.5000 → 0.1000 | cost 0.00
            buy bybit 0.8; sell bybit 0.8 parent=3 → RISK-IMPACT: cex_margin_ratio from 0.500000 to 0.100000, which is critical; RISK-IMPACT: cex_margin_ratio from 0.500000 to 0.100000, which is critical | cex_margin_ratio 0.5000 → 0.1000 | cost 0.00
            buy bybit 0.2 limit=49000 → yes | cex_margin_ratio 0.5000 → 0.2500 | cost 0.00
            replace 5 buy bybit 0.5 limit=49000 → RISK-IMPACT: cex_margin_ratio from 0.250000 to 0.142857, which is critical | cex_margin_ratio 0.2500 → 0.1429 | cost 0.00
            replace 5 buy bybit 0.1 limit=49000 → yes | cex_margin_ratio 0.2500 → 0.3333 | cost 0.00
            buy bybit 0.1 limit=49000 oco=1; sell bybit 0.2 stop=48000 oco=1 → yes; yes | cex_margin_ratio 0.3333 → 0.2500 | cost 0.00
        "]],
    );
}

#[test]
fn an_impact_tells_positions_exposure_risk_and_cost() {
    let mut desk = Desk::new(
        "hold binance:BaseToken:USDT 60000
         hold bybit:BaseToken:USDT 40000
         fee 10
         risk delta_risk",
    );
    let judged = desk.judge("buy spot 0.5; cancel 9; sell bybit 0.5");
    let impact = judged.impact.unwrap();
    let positions = impact
        .positions
        .iter()
        .map(|(key, change)| format!("{} {}", desk.gate.instruments.key(*key), change.normalize()));
    expect![[r"
        binance:BaseToken:BTC 0.5
        binance:BaseToken:USDT -25025
        bybit:Perp:BTCUSDT -0.5
        bybit:BaseToken:USDT -25"]]
    .assert_eq(&positions.collect::<Vec<_>>().join("\n"));
    assert_eq!(impact.costs, [Some(25.0), None, Some(25.0)]);
    assert!((impact.after.equity - impact.before.equity + impact.cost()).abs() < 1e-9);
    assert!((impact.after.gross - 50_000.0).abs() < 1e-9);
    assert!(impact.after.net.abs() < 1e-9);
    assert_eq!(impact.metrics.len(), RiskType::ALL.len());
}

#[test]
fn nothing_is_computed_where_nothing_could_deny() {
    let mut desk = Desk::new("hold binance:BaseToken:USDT 60000");
    assert_eq!(desk.judge("buy spot 0.5").impact, None);
    assert_eq!(desk.judge("cancel 1").impact, None);
}

#[test]
fn members_of_an_atomic_group_are_denied_together_and_one_says_why() {
    let mut desk = Desk::new("hold binance:BaseToken:USDT 60000");
    let group = GroupId { strategy: StrategyIx(0), number: 1 };
    let of_token = |operation, token: &str, units: i64| {
        OperationRequest::of_token(operation, "aave_v3", token, Amount::Units(units.into()))
    };
    let wishes = [
        of_token(Operation::Supply, "USDT", 1).in_group(group, 1),
        of_token(Operation::Borrow, "WETH", 0).in_group(group, 2),
        of_token(Operation::Supply, "WETH", 1).in_group(group, 3),
        of_token(Operation::Supply, "USDT", 1),
    ];
    let requests = (1..).zip(wishes).map(|(number, request)| {
        let order_id = OrderId { strategy: StrategyIx(0), number };
        Request::Operate(OperationIntent { order_id, client_order_id: None, request })
    });
    let asked = IntentGroup { strategy: StrategyIx(0), requests: requests.collect() };
    let judged = desk.gate.judge(&asked, Some(&desk.account)).unwrap();
    let said = judged.verdicts.iter().map(|verdict| match verdict.refusal() {
        Some(refusal) => format!("{} {refusal}", verdict.order_id().number),
        None => format!("{} yes", verdict.order_id().number),
    });
    expect![[r"
        1 RISK-ATOMIC-MEMBER: RISK-AMOUNT
        2 RISK-AMOUNT: 0, expected more than 0
        3 RISK-ATOMIC-MEMBER: RISK-AMOUNT
        4 yes"]]
    .assert_eq(&said.collect::<Vec<_>>().join("\n"));
}
