//! Every fill, status and balance of random runs against the oracle.

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::path::Path;

use tickdrain::App;

use super::oracle::{Fill, Outcome, Status, simulate};
use super::scenario::{Dice, LOT, Menu, Request, Rules, START, Scenario, Side, TICK, Tif, draw};
use super::{count, run};
use crate::tables::{HOUR, Table};

/// What a run left, in the oracle's words.
pub(crate) fn outcome(folder: &Path, rules: &Rules) -> Outcome {
    let fills = fills(folder);
    let orders = Table::read(&folder.join("orders.parquet"));
    let cum = orders.decimals("cum_qty").into_iter().map(|units| units / 1_000_000);
    let rows = orders.texts("order_id").into_iter().zip(orders.texts("status")).zip(cum);
    let orders = rows.map(|((id, status), cum)| (id, (parsed(&status), cum))).collect();
    let table = Table::read(&folder.join("positions.parquet"));
    let (mut cash, mut position) = (rules.cash, if rules.is_perp { 0 } else { rules.base });
    for (key, quantity) in table.texts("position_key").iter().zip(table.decimals("quantity")) {
        let amount = quantity / 1_000_000;
        if key.ends_with("BaseToken:USDT") { cash = amount } else { position = amount }
    }
    Outcome { fills, orders, cash, position }
}

fn parsed(status: &str) -> Status {
    match status {
        "accepted" => Status::Accepted,
        "partially_filled" => Status::PartiallyFilled,
        "filled" => Status::Filled,
        "canceled" => Status::Canceled,
        "expired" => Status::Expired,
        "rejected" => Status::Rejected,
        "denied" => Status::Denied,
        other => panic!("{other}"),
    }
}

/// Price rules that the oracle knows.
const RULES: [&str; 11] = [
    "market_open",
    "limit_open",
    "limit",
    "limit_gap",
    "stop",
    "stop_gap",
    "stop_limit",
    "stop_limit_gap",
    "trailing",
    "trailing_gap",
    "exit_passed",
];

/// The rows of `fills.parquet`.
pub(crate) fn fills(folder: &Path) -> Vec<Fill> {
    let table = Table::read(&folder.join("fills.parquet"));
    let [qty, px, fee] = ["last_qty", "last_px", "fee"].map(|name| table.decimals(name));
    let [order, side, liquidity, rule] =
        ["order_id", "side", "liquidity", "price_rule"].map(|name| table.texts(name));
    let ts = table.times("ts");
    let fill = |row: usize| Fill {
        order: order[row].clone(),
        ts: ts[row],
        side: if side[row] == "buy" { Side::Buy } else { Side::Sell },
        qty: qty[row] / 1_000_000,
        px: px[row] / 1_000_000,
        fee: fee[row] / 1_000_000,
        is_maker: liquidity[row] == "maker",
        rule: RULES.into_iter().find(|known| *known == rule[row]).expect("a known rule"),
    };
    (0..ts.len()).map(fill).collect()
}

/// The bar of every fill, and whether it was inside it rather than at its open.
pub(crate) fn places(fills: &[Fill]) -> Vec<(usize, bool)> {
    let mut places: Vec<(usize, bool)> = Vec::new();
    for fill in fills {
        let hours = usize::try_from((fill.ts - START) / HOUR).unwrap();
        let at_open = fill.rule.ends_with("open") || fill.rule.ends_with("gap");
        places.push(match fill.rule {
            // Where the fill was that armed it, right before.
            "exit_passed" => *places.last().unwrap(),
            _ if at_open => (hours, false),
            _ => (hours - 1, true),
        });
    }
    places
}

/// How a run differs from the oracle.
fn difference(scenario: &Scenario) -> Option<String> {
    let scene = scenario.scene();
    run(&scene, App::new(), "out");
    let found = outcome(&scene.path("out"), &scenario.rules);
    let expected = simulate(scenario);
    let place =
        found.fills.iter().zip(&expected.fills).position(|(found, expected)| found != expected);
    let longer = found.fills.len().min(expected.fills.len());
    let place = place.unwrap_or(longer);
    if found.fills.get(place) != expected.fills.get(place) {
        let (found, expected) = (found.fills.get(place), expected.fills.get(place));
        return Some(format!("fill {place}:\n  found    {found:?}\n  expected {expected:?}"));
    }
    for (id, expected) in &expected.orders {
        let found = found.orders.get(id);
        if found != Some(expected) {
            return Some(format!("order {id}: found {found:?}, expected {expected:?}"));
        }
    }
    let balances = [(found.cash, expected.cash), (found.position, expected.position)];
    let texts = balances.map(|(found, expected)| format!("{found}, expected {expected}"));
    (found != expected).then(|| format!("cash {}, position {}", texts[0], texts[1]))
}

fn report(scenario: Scenario, seed: u64) -> String {
    let small = scenario.shrink(|scenario| difference(scenario).is_some());
    let difference = difference(&small).unwrap();
    let (rules, candles, orders) = (small.rules, small.candles_csv(0), small.orders_csv(0));
    let fills: Vec<String> =
        simulate(&small).fills.iter().map(|fill| format!("expected {fill:?}")).collect();
    let fills = fills.join("\n");
    format!("seed {seed}: {difference}\n{rules:?}\n{candles}{orders}{fills}")
}

fn check(seed: u64, draw: fn(&mut Dice) -> Scenario) -> usize {
    let scenario = draw(&mut Dice::new(seed));
    let fills = simulate(&scenario).fills.len();
    if difference(&scenario).is_none() {
        return fills;
    }
    panic!("{}", report(scenario, seed))
}

/// Random orders of all kinds, but for what the oracle does not follow: children of entries that fill
/// in parts, and children whose time may run out while they wait.
fn draw_all(dice: &mut Dice, is_perp: bool) -> Scenario {
    let mut scenario = draw(dice, is_perp, Menu::ALL);
    let fills_in_parts = scenario.rules.participation > 0;
    if fills_in_parts {
        scenario.requests.retain(|request| match request {
            Request::Submit(order) => order.parent.is_none(),
            Request::Cancel { .. } => false,
        });
    }
    for request in &mut scenario.requests {
        let Request::Submit(order) = request else { continue };
        if order.parent.is_some() {
            order.tif = Tif::Gtc;
        }
        if fills_in_parts {
            (order.take_profit, order.stop_loss) = (None, None);
        }
    }
    scenario
}

#[test]
fn perpetual_orders_fill_as_the_oracle_says() {
    let fills: usize = (0..count(150)).map(|seed| check(seed, |dice| draw_all(dice, true))).sum();
    assert!(fills > 100, "{fills} fills");
}

#[test]
fn spot_orders_fill_as_the_oracle_says() {
    let fills: usize = (0..count(100)).map(|seed| check(seed, |dice| draw_all(dice, false))).sum();
    assert!(fills > 100, "{fills} fills");
}

#[test]
fn shares_of_what_is_free_fill_as_the_oracle_says() {
    let scenario = |dice: &mut Dice| {
        let menu = Menu { shares: true, related: false, reduce_only: false, cancels: true };
        let mut scenario = draw(dice, false, menu);
        // A share that is carried is sized anew, which the oracle does not do.
        scenario.rules.participation = 0;
        scenario.rules.cash = dice.range(1_000, 10_000_000) * TICK;
        scenario.rules.base = dice.range(0, 100_000) * LOT;
        scenario
    };
    let fills: usize = (0..count(100)).map(|seed| check(seed, scenario)).sum();
    assert!(fills > 100, "{fills} fills");
}
