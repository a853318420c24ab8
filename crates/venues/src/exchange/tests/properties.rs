//! Properties: what holds of every scenario. The account of the tests watches the first four while
//! it books: fills inside their bars, limits kept, quantities that add up, ends that are final.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::Decimal;
use proptest::prelude::*;
use proptest::sample::select;

use super::scenario::{decimal, run};

/// Prices in halves, so that levels and extremes often meet.
fn halves(count: i32) -> String {
    format!("{}", f64::from(count) / 2.0)
}

/// A bar around 100; now and then one that fills nothing.
fn a_bar() -> impl Strategy<Value = String> {
    let kinds = select(vec!["real", "real", "real", "real", "real", "synthetic", "absent"]);
    let volumes = select(vec![0, 40, 100, 1_000, 1_000, 1_000]);
    (185..215, 185..215, 0..12, 0..12, volumes, kinds).prop_map(
        |(open, close, up, down, volume, kind)| match kind {
            "synthetic" => format!("synthetic {}", halves(close)),
            "absent" => "-".to_owned(),
            _ => format!(
                "{} {} {} {} {volume}",
                halves(open),
                halves(open.max(close) + up),
                halves(open.min(close) - down),
                halves(close),
            ),
        },
    )
}

/// How an order is priced: any type, around 100.
fn a_pricing() -> impl Strategy<Value = String> {
    let px = || (185..215).prop_map(halves);
    prop_oneof![
        Just("market".to_owned()),
        px().prop_map(|px| format!("limit {px}")),
        px().prop_map(|px| format!("stop {px}")),
        (px(), px()).prop_map(|(stop, limit)| format!("stop {stop} limit {limit}")),
        (1..12).prop_map(|distance| format!("trail {}", halves(distance))),
    ]
}

/// A limit or a stop order without more.
fn a_plain_order() -> impl Strategy<Value = String> {
    let pricing = prop_oneof![Just("limit"), Just("stop")];
    (select(vec!["buy", "sell"]), 1..9, pricing, 185..215).prop_map(
        |(side, quantity, pricing, px)| format!("{side} {quantity} {pricing} {}", halves(px)),
    )
}

/// An order with everything that may come with one.
fn an_order() -> impl Strategy<Value = String> {
    let flags = select(vec![
        "",
        "",
        "",
        "ioc",
        "fok",
        "until=240",
        "day",
        "post",
        "reduce",
        "oco=1",
        "oco=2",
        "reduce oco=3",
        "sl=95 tp=105",
        "sl=-3",
        "tp=+4",
        "sl=-200bps tp=+200bps",
        "parent=1",
        "parent=2 reduce",
        "oco=1 sl=-4",
    ]);
    let sizes = select(vec!["1", "3", "8", "20", "50%", "100%"]);
    (select(vec!["buy", "sell"]), sizes, a_pricing(), flags)
        .prop_map(|(side, size, pricing, flags)| format!("{side} {size} {pricing} {flags}"))
}

/// Bars, each with what is decided at the close before it.
fn a_story() -> impl Strategy<Value = String> {
    let rules = select(vec![
        "",
        "touch",
        "gaps=open",
        "path=nearest",
        "share=500",
        "share=500 nocarry",
        "slip=7",
        "path=nearest share=500",
        "impact=5/100 share=1000 clip",
        "bars=1",
        "latency=30",
    ]);
    let instruments = select(vec![
        "perp A lot=0.5 leverage=10 maker=-1 taker=5\nhave USDT=1500",
        "perp A lot=0.5 min_qty=2\nhave USDT=100000",
        "spot A lot=0.5 taker=10\nhave USDT=1500 A=12",
        "spot A lot=0.5 taker=10 base_fee\nhave USDT=1500 A=12",
        "inverse A size=100 lot=1 leverage=3 taker=5\nhave A=20",
    ]);
    let changes = prop_oneof![
        8 => Just((0, String::new())),
        1 => (1..12, Just("cancel".to_owned())),
        1 => (1..12, an_order()),
    ];
    let frame = (prop::collection::vec(an_order(), 0..3), changes, any::<bool>(), a_bar());
    (rules, instruments, prop::collection::vec(frame, 4..14)).prop_map(
        |(rules, instruments, frames)| {
            let mut story = format!("set {rules}\n{instruments}\nbar 100\n");
            let mut number = 0;
            for (orders, (changed, change), closes, bar) in frames {
                for order in orders {
                    number += 1;
                    let _ = writeln!(story, "{number} {order}");
                }
                // A replace keeps instrument and side, as the gate sees to; one of either is of the
                // order's own side.
                let _ = match (changed <= number, &*change) {
                    (false, _) | (_, "") => Ok(()),
                    (true, "cancel") => writeln!(story, "cancel {changed}"),
                    (true, terms) => replace(&mut story, changed, terms),
                };
                if closes {
                    story.push_str("close\n");
                }
                let _ = writeln!(story, "bar {bar}");
            }
            story
        },
    )
}

/// New terms of an order on its own side.
fn replace(story: &mut String, number: i32, terms: &str) -> std::fmt::Result {
    let is_it = |line: &&str| line.starts_with(&format!("{number} "));
    let side = story.lines().find(is_it).unwrap().split(' ').nth(1).unwrap().to_owned();
    let (_, rest) = terms.split_once(' ').unwrap();
    writeln!(story, "replace {number} {side} {rest}")
}

/// The lines about each order.
fn by_order(told: &str) -> BTreeMap<String, Vec<String>> {
    let mut orders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in told.lines() {
        let id = line.split(' ').nth(1).unwrap().to_owned();
        orders.entry(id).or_default().push(line.to_owned());
    }
    orders
}

/// What a scan of all orders, bar by bar, makes of limit and stop orders (10 §12.2).
fn scanned(orders: &[(usize, String)], bars: &[String], touch: bool) -> Vec<String> {
    let mut told = Vec::new();
    let mut open: Vec<(usize, &str, bool)> = Vec::new();
    for (number, bar) in bars.iter().enumerate() {
        let decided = orders.iter().enumerate().filter(|(_, (before, _))| *before == number);
        open.extend(decided.map(|(id, (_, order))| (id + 1, order.as_str(), true)));
        let cells: Vec<&str> = bar.split(' ').collect();
        let [o, h, l, _, volume] = cells[..] else { continue };
        let bar = [o, h, l].map(decimal);
        open.retain_mut(|(id, order, is_first)| {
            let fill = if volume == "0" { None } else { met(order, bar, *is_first, touch) };
            *is_first = false;
            if let Some(fill) = &fill {
                told.push(format!("{} #{id} {fill}", number + 1));
            }
            fill.is_none()
        });
    }
    told
}

/// The fill of one order in one bar.
fn met(order: &str, [o, h, l]: [Decimal; 3], is_first: bool, touch: bool) -> Option<String> {
    let words: Vec<&str> = order.split(' ').collect();
    let (side, quantity, px) = (words[0], words[1], decimal(words[3]));
    // A sale is a purchase upside down.
    let (sign, best) = if side == "buy" { (Decimal::ONE, l) } else { (-Decimal::ONE, h) };
    let worst = if side == "buy" { h } else { l };
    let (open, level) = (o * sign, px * sign);
    let (at, how) = if words[2] == "stop" {
        match (open >= level, worst * sign >= level) {
            (true, _) => (o, "taker stop_gap open"),
            (false, true) => (px, "taker stop close"),
            (false, false) => return None,
        }
    } else {
        let through = best * sign < level || touch && best == px;
        match (is_first, open <= level, open < level, through) {
            (true, true, _, _) => (o, "taker limit_open open"),
            (false, _, true, _) => (px, "maker limit_gap open"),
            (_, _, _, true) => (px, "maker limit close"),
            _ => return None,
        }
    };
    Some(format!("{side} {quantity} at {} {how}", at.normalize()))
}

proptest! {

    #[test]
    fn fills_limits_quantities_and_ends_are_what_they_must_be(story in a_story()) {
        run(&story);
    }

    #[test]
    fn the_ladders_agree_with_a_scan_of_all_orders(
        orders in prop::collection::vec((0..6_usize, a_plain_order()), 1..60),
        bars in prop::collection::vec(a_bar(), 6),
        touch: bool,
        nearest: bool,
    ) {
        let mut story = "have USDT=1000000\nperp A\n".to_owned();
        let _ = writeln!(story, "set {}", if touch { "touch" } else { "" });
        let _ = writeln!(story, "set {}", if nearest { "path=nearest" } else { "" });
        for (number, bar) in bars.iter().enumerate() {
            for (id, (_, order)) in orders.iter().enumerate().filter(|(_, at)| at.0 == number) {
                let _ = writeln!(story, "{} {order}", id + 1);
            }
            let _ = writeln!(story, "bar {bar}");
        }
        let desk = run(&story);
        let mut told: Vec<String> =
            desk.told.lines().filter(|line| line.contains(" at ")).map(str::to_owned).collect();
        let mut expected = scanned(&orders, &bars, touch);
        // Which of two that fill in one bar comes first is the path's business.
        told.sort();
        expected.sort();
        prop_assert_eq!(told, expected, "{}", story);
    }

    #[test]
    fn the_order_of_independent_orders_is_irrelevant(
        orders in prop::collection::vec((0..5_usize, an_order()), 2..16),
        bars in prop::collection::vec((a_bar(), a_bar()), 5),
    ) {
        // Each instrument has a venue's balance to itself: what one does, the other cannot feel.
        let told = |swap: bool| {
            let mut story = "inverse A size=100 lot=0.5 leverage=10
                inverse B size=100 lot=0.5 leverage=10
                have A=100000 B=100000\n".to_owned();
            for (number, (a, b)) in bars.iter().enumerate() {
                let decided = orders.iter().enumerate().filter(|(_, at)| at.0 == number);
                // Relations name orders by number: those of one instrument stay among themselves.
                let lines = decided.filter(|(_, (_, order))| !order.contains("parent"));
                let line = |(id, (_, order)): (usize, &(usize, String))| {
                    let on = if id % 2 == 0 { "A" } else { "B" };
                    let order = order.replace("oco=", if id % 2 == 0 { "oco=1" } else { "oco=2" });
                    (id % 2, format!("{} {order} on={on}", id + 1))
                };
                let mut lines: Vec<(usize, String)> = lines.map(line).collect();
                lines.sort_by_key(|(instrument, _)| (*instrument == 0) == swap);
                for (_, line) in lines {
                    let _ = writeln!(story, "{line}");
                }
                let _ = writeln!(story, "bar {a} | {b}");
            }
            by_order(&run(&story).told)
        };
        prop_assert_eq!(told(false), told(true));
    }

    #[test]
    fn splitting_an_order_changes_nothing(
        parts in prop::collection::vec(1..1_000_000_i64, 1..12),
        px in 1..10_000_000_i64,
        rate in 0..1_000_i64,
        sells: bool,
    ) {
        // Impact, participation and minimum fees are what a split can change; here are none.
        let cash = |parts: &[i64]| {
            let side = if sells { "sell" } else { "buy" };
            let mut story = format!(
                "spot A taker={}\nhave USDT=1000000000 A=1000000\n",
                Decimal::new(rate, 2),
            );
            for (id, part) in parts.iter().enumerate() {
                let _ = writeln!(story, "{} {side} {} market", id + 1, Decimal::new(*part, 7));
            }
            let _ = writeln!(story, "bar {}", Decimal::new(px, 2));
            run(&story).account.balances.iter().sum::<Decimal>()
        };
        let whole: i64 = parts.iter().sum();
        let difference = cash(&parts) - cash(&[whole]);
        // Notionals have at most 9 places and are exact; each fee is rounded once to 12 places, so
        // n parts and the whole differ by (n + 1) half units of the last place at most.
        let bound = Decimal::new(5, 13) * Decimal::from(parts.len() + 1);
        prop_assert!(difference.abs() <= bound, "{}", difference);
    }
}
