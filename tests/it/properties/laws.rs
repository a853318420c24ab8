//! Laws that hold for any run, without knowing what it should do.

use std::collections::BTreeMap;
use std::path::Path;

use tickdrain::App;

use super::fills::{fills, outcome, places};
use super::oracle::{Fill, Status, product};
use super::scenario::{
    Bar, Dice, LOT, Menu, ONE, Order, Request, Rules, Scenario, Size, TICK, candles_csv, draw,
    draw_bars, text,
};
use super::{count, run};
use crate::support;
use crate::tables::{HOUR, Table};

/// Says which seed it was when a check fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            support::say(&format!("seed {}", self.0));
        }
    }
}

/// Runs random scenarios and hands each to `check` with its run folder; how many fills there were.
fn each(
    normal: u64,
    draw: impl Fn(&mut Dice) -> Scenario,
    check: impl Fn(&Scenario, &Path, &[Fill]),
) {
    let mut sum = 0;
    for seed in 0..count(normal) {
        let scenario = draw(&mut Dice::new(seed));
        let scene = scenario.scene();
        run(&scene, App::new(), "out");
        let fills = fills(&scene.path("out"));
        let _named = Seed(seed);
        check(&scenario, &scene.path("out"), &fills);
        sum += fills.len();
    }
    assert!(sum > 50, "{sum} fills");
}

fn either(dice: &mut Dice) -> Scenario {
    let is_perp = dice.chance(50);
    draw(dice, is_perp, Menu::ALL)
}

#[test]
fn cash_and_units_at_the_end_are_those_of_the_start_and_the_fills() {
    let flat = std::cell::Cell::new(0);
    each(60, either, |scenario, folder, fills| {
        let found = outcome(folder, &scenario.rules);
        let mut cash = scenario.rules.cash;
        let mut units = if scenario.rules.is_perp { 0 } else { scenario.rules.base };
        for fill in fills {
            cash -= fill.side.sign() * product(fill.px, fill.qty) + fill.fee;
            units += fill.side.sign() * fill.qty;
        }
        assert_eq!(found.position, units);
        // The cash of a perpetual is that of the fills once it is flat.
        if !scenario.rules.is_perp || units == 0 {
            assert_eq!(found.cash, cash);
            flat.set(flat.get() + usize::from(scenario.rules.is_perp && !fills.is_empty()));
        }
    });
    assert!(flat.get() > 1, "{} perpetuals were flat", flat.get());
}

/// The one exception is stated in 10 §12.2: a resting order that the open jumps over is hit at its
/// own price.
#[test]
fn no_fill_lies_outside_its_bar_before_slippage() {
    let without_slippage = |dice: &mut Dice| {
        let mut scenario = either(dice);
        scenario.rules.slippage = 0;
        scenario
    };
    each(60, without_slippage, |scenario, _, fills| {
        for (fill, (bar, _)) in fills.iter().zip(places(fills)) {
            let Bar { high, low, .. } = scenario.bars[bar];
            let is_hit = fill.rule == "limit_gap" && scenario.rules.conservative_gaps;
            assert!(is_hit || (low..=high).contains(&fill.px), "{fill:?}");
        }
    });
}

#[test]
fn a_limit_never_fills_worse_than_its_price() {
    each(60, either, |_, folder, fills| {
        let orders = Table::read(&folder.join("orders.parquet"));
        let kinds = orders.texts("type");
        let limits: BTreeMap<String, i128> = orders
            .texts("order_id")
            .into_iter()
            .zip(orders.decimals("price"))
            .zip(kinds)
            .filter(|(_, kind)| kind.contains("limit"))
            .map(|((id, px), _)| (id, px / 1_000_000))
            .collect();
        for fill in fills {
            let Some(limit) = limits.get(&fill.order) else { continue };
            // An exit's limit moves with the average of its entry's fills; what counts is the last.
            if !fill.order.ends_with("-tp") {
                assert!(fill.side.sign() * (limit - fill.px) >= 0, "{fill:?}, limit {limit}");
            }
        }
    });
}

#[test]
fn orders_state_what_their_fills_come_to() {
    each(60, either, |_, folder, fills| {
        let table = Table::read(&folder.join("orders.parquet"));
        let [qty, cum, average] =
            ["order_qty", "cum_qty", "avg_px"].map(|name| table.decimals(name));
        let statuses = table.texts("status");
        for (row, id) in table.texts("order_id").into_iter().enumerate() {
            let own = fills.iter().filter(|fill| fill.order == id);
            let (filled, traded) = own
                .fold((0, 0), |(qty, traded), fill| (qty + fill.qty, traded + fill.qty * fill.px));
            let [qty, cum] = [qty[row], cum[row]].map(|units| units / 1_000_000);
            assert_eq!(cum, filled, "{id}");
            let leaves = qty - cum;
            match &*statuses[row] {
                "filled" => assert_eq!(leaves, 0, "{id}"),
                // Nothing may be left for now of a child whose parent may fill more.
                "partially_filled" => assert!(leaves >= 0 && cum > 0, "{id}"),
                "denied" | "rejected" => assert_eq!(cum, 0, "{id}"),
                _ => {}
            }
            if filled > 0 {
                // Rounded to 18 places.
                let off = average[row] * filled - traded * 1_000_000;
                assert!(off.abs() <= filled, "{id}: {} of {traded}", average[row]);
            }
        }
    });
}

/// A run file of two spot instruments.
fn two(rules: &Rules) -> String {
    let file = Scenario { rules: *rules, bars: Vec::new(), requests: Vec::new() }.run_file();
    let instrument = format!(
        "[[instruments]]\nid = \"binance:spot:BTCUSDT\"\nbase = \"BTC\"\nquote = \"USDT\"\n\
         tick = \"{tick}\"\nlot = \"{lot}\"\nmin_qty = \"{lot}\"\nmin_notional = \"0\"\n\
         [[data]]\nof = \"binance:spot:BTCUSDT\"\npath = \"other.csv\"\ntime_unit = \"ms\"\n\
         [venues.binance]",
        tick = text(TICK),
        lot = text(LOT)
    );
    let initial = "[initial]\n\"binance:BaseToken:BTC\" = \"100000\"";
    file.replace("[venues.binance]", &instrument).replace("[initial]", initial)
}

/// The scenario with other names for its orders and groups.
fn renamed(scenario: &Scenario) -> Scenario {
    let mut renamed = scenario.clone();
    for request in &mut renamed.requests {
        match request {
            Request::Cancel { id, .. } => id.insert(0, 'x'),
            Request::Submit(order) => {
                order.id.insert(0, 'x');
                for name in [&mut order.parent, &mut order.oco].into_iter().flatten() {
                    name.insert(0, 'x');
                }
            }
        }
    }
    renamed
}

#[test]
fn the_order_of_independent_orders_is_irrelevant() {
    let mut sum = 0;
    for seed in 0..count(30) {
        let dice = &mut Dice::new(seed);
        let first = draw(dice, false, Menu::ALL);
        let mut second = draw(dice, false, Menu::ALL);
        second.bars = draw_bars(dice, first.bars.len());
        let last = first.bars.len() - 1;
        second.requests.retain(|request| request.decided() < last);
        let rows = |scenario: &Scenario| -> Vec<(String, String)> {
            let row = |row: &str| (row.split(',').next().unwrap().to_owned(), row.to_owned());
            scenario.orders_csv(0).lines().skip(1).map(row).collect()
        };
        let header = first.orders_csv(0).lines().next().unwrap().to_owned();
        let ours = rows(&first);
        let mut others = rows(&renamed(&second));
        for (_, row) in &mut others {
            *row = row.replace("ETHUSDT", "BTCUSDT");
        }
        let results = [true, false].map(|ours_first| {
            let mut rows = if ours_first {
                [ours.clone(), others.clone()].concat()
            } else {
                [others.clone(), ours.clone()].concat()
            };
            rows.sort_by(|left, right| left.0.cmp(&right.0));
            let rows: Vec<String> = rows.into_iter().map(|(_, row)| row).collect();
            let scene = first.scene_of(&two(&first.rules), 0);
            let orders = format!("{header}\n{}\n", rows.join("\n"));
            std::fs::write(scene.path("orders.csv"), orders).unwrap();
            std::fs::write(scene.path("other.csv"), candles_csv(&second.bars, 0)).unwrap();
            run(&scene, App::new(), "out");
            let mut found = fills(&scene.path("out"));
            found.sort_by(|left, right| (&left.order, left.ts).cmp(&(&right.order, right.ts)));
            let equity = Table::read(&scene.path("out/equity.parquet")).floats("cash");
            (found, outcome(&scene.path("out"), &first.rules).orders, equity)
        });
        assert_eq!(results[0], results[1], "seed {seed}");
        sum += results[0].0.len();
    }
    assert!(sum > 100, "{sum} fills");
}

/// Orders that do not depend on each other, with fees that are a rate.
fn separate(dice: &mut Dice) -> Scenario {
    let menu = Menu { shares: false, related: false, reduce_only: false, cancels: true };
    let is_perp = dice.chance(50);
    let mut scenario = draw(dice, is_perp, menu);
    scenario.rules.participation = 0;
    scenario
}

#[test]
fn splitting_an_order_changes_nothing() {
    each(40, separate, |scenario, folder, fills| {
        let dice = &mut Dice::new(7);
        let mut split = scenario.clone();
        split.requests.clear();
        let mut parts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for request in &scenario.requests {
            match request {
                Request::Cancel { decided, id } => {
                    let cancel =
                        |id: &String| Request::Cancel { decided: *decided, id: id.clone() };
                    split.requests.extend(parts[id].iter().map(cancel));
                }
                Request::Submit(order) => {
                    let Size::Units(units) = order.size else { panic!("no shares") };
                    let lots = units / LOT;
                    let count = dice.range(1, lots.min(4));
                    for part in 0..count {
                        let more = i128::from(part < lots % count);
                        let id = format!("{}p{part}", order.id);
                        let size = Size::Units((lots / count + more) * LOT);
                        let part = Order { id: id.clone(), size, ..order.clone() };
                        split.requests.push(Request::Submit(part));
                        parts.entry(order.id.clone()).or_default().push(id);
                    }
                }
            }
        }
        let scene = split.scene();
        run(&scene, App::new(), "out");
        let [whole, split] = [folder, &scene.path("out")].map(|folder| {
            let outcome = outcome(folder, &scenario.rules);
            (outcome.cash, outcome.position)
        });
        assert_eq!(whole.1, split.1, "units");
        // A perpetual rounds the cost of each part that closes: half a unit of the ledger each.
        let parts = i128::try_from(fills.len()).unwrap() * 4;
        let bound = if scenario.rules.is_perp { parts } else { 0 };
        assert!((whole.0 - split.0).abs() <= bound, "{} and {}", whole.0, split.0);
    });
}

/// With a lot of 10⁻¹² every size and every amount is off by less than one unit of the ledger. A fill
/// leaves less than one lot, its price at most, and rounds two amounts; what it is off by is worth
/// at most the ratio of the highest and the lowest price more at the end, once per later fill.
#[test]
fn double_the_capital_doubles_the_profit() {
    let mut sum = 0;
    for seed in 0..count(40) {
        let dice = &mut Dice::new(seed);
        let menu = Menu { shares: true, related: false, reduce_only: false, cancels: true };
        let mut scenario = draw(dice, false, menu);
        scenario.rules.participation = 0;
        scenario.rules.cash = dice.range(1_000, 100_000) * ONE;
        scenario.rules.base = dice.range(0, 100) * ONE;
        let [single, double] = [1, 2].map(|factor| {
            let mut scenario = scenario.clone();
            scenario.rules.cash *= factor;
            scenario.rules.base *= factor;
            let lot = format!("\"{}\"", text(LOT));
            let file = scenario.run_file().replace(&lot, "\"0.000000000001\"");
            let scene = scenario.scene_of(&file, 0);
            run(&scene, App::new(), "out");
            outcome(&scene.path("out"), &scenario.rules)
        });
        let close = scenario.bars.last().unwrap().close;
        let value = |cash: i128, units: i128| cash + product(units, close);
        let gap = value(double.cash, double.position) - 2 * value(single.cash, single.position);
        let highest = scenario.bars.iter().map(|bar| bar.high).max().unwrap();
        let lowest = scenario.bars.iter().map(|bar| bar.low).min().unwrap();
        // What is left over may come to a lot in one run and to none in the other.
        let fills = single.fills.len().max(double.fills.len());
        let fills = i128::try_from(fills).unwrap();
        // Units of 10⁻¹², in thousandths for the ratio.
        let ratio = (highest * 1_000 / lowest + 1).max(1_001);
        let bound =
            (0..fills).fold(0, |bound, _| (bound + 3 * (highest / ONE + 3)) * ratio / 1_000 + 1);
        assert!(gap.abs() <= bound, "seed {seed}: {gap} of {bound} after {fills} fills");
        sum += fills;
    }
    assert!(sum > 100, "{sum} fills");
}

#[test]
fn buying_and_holding_without_fees_is_the_price() {
    for seed in 0..count(20) {
        let dice = &mut Dice::new(seed);
        let scenario = Scenario {
            rules: Rules { base: 0, ..Rules::FREE },
            bars: draw_bars(dice, 30).into_iter().map(|bar| Bar { volume: ONE, ..bar }).collect(),
            requests: Vec::new(),
        };
        let lot = format!("\"{}\"", text(LOT));
        let file = scenario.run_file().replace(&lot, "\"0.000000000001\"");
        let file = file.replace("\"scripted\"\norders = \"orders.csv\"", "\"buy_and_hold\"");
        let scene = scenario.scene_of(&file, 0);
        run(&scene, App::new(), "out");
        let equity = Table::read(&scene.path("out/equity.parquet")).floats("equity");
        let (start, end) = (equity[0], equity[equity.len() - 1]);
        let price = float(scenario.bars[29].close) / float(scenario.bars[1].open);
        // Less than a lot of 10⁻¹² stays cash of 10⁸.
        assert!((end / start / price - 1.0).abs() < 1e-15 * 4.0, "seed {seed}: {end} {start}");
    }
}

#[expect(clippy::cast_precision_loss, reason = "compared within a few units in the last place")]
fn float(amount: i128) -> f64 {
    amount as f64 / 1e12
}

#[test]
fn whole_days_later_the_fills_are_the_same() {
    each(30, either, |scenario, folder, fills| {
        let shift = (1 + i64::try_from(fills.len() % 40).unwrap()) * 24 * HOUR;
        let scene = scenario.scene_of(&scenario.run_file(), shift);
        run(&scene, App::new(), "out");
        let [here, mut there] =
            [folder, &scene.path("out")].map(|folder| outcome(folder, &scenario.rules));
        for fill in &mut there.fills {
            fill.ts -= shift;
        }
        assert_eq!(here, there);
    });
}

/// What a run that ends at a bar has done is what a run that goes on has done by then, whatever comes.
#[test]
fn what_comes_later_changes_nothing_before_it() {
    each(40, either, |scenario, folder, fills| {
        let dice = &mut Dice::new(u64::try_from(fills.len()).unwrap());
        let cut = 2 + dice.place(scenario.bars.len() - 3);
        let mut short = scenario.clone();
        short.bars.truncate(cut);
        short.requests.retain(|request| request.decided() < cut);
        let mut noisy = scenario.clone();
        let noise = draw_bars(dice, scenario.bars.len() - cut);
        noisy.bars.truncate(cut);
        noisy.bars.extend(noise);
        let scenes = [short.scene(), noisy.scene()];
        for scene in &scenes {
            run(scene, App::new(), "out");
        }
        let [short, noisy] = scenes.each_ref().map(|scene| scene.path("out"));
        let before = before_the_end(&short);
        for other in [folder, &noisy] {
            let later = before_the_end(other);
            assert!(later.0.starts_with(&before.0), "fills");
            assert!(later.1.starts_with(&before.1), "equity");
            for (id, status) in &before.2 {
                let then = later.2[id];
                let is_working = matches!(status.0, Status::Accepted | Status::PartiallyFilled);
                assert!(is_working || *status == then, "{id}: {status:?}, then {then:?}");
            }
        }
    });
}

type Before = (Vec<Fill>, Vec<u64>, BTreeMap<String, (Status, i128)>);

fn before_the_end(folder: &Path) -> Before {
    let found = outcome(folder, &Rules::FREE);
    let equity = Table::read(&folder.join("equity.parquet")).floats("equity");
    (found.fills, equity.into_iter().map(f64::to_bits).collect(), found.orders)
}
