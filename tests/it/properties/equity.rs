//! Equity at every frame, from the fills and the closes alone.

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use tickdrain::App;

use super::fills::{fills, places};
use super::oracle::{Fill, product, rounded};
use super::scenario::{Dice, Menu, ONE, Scenario, draw};
use super::{count, run};
use crate::tables::Table;

/// The float nearest to an amount.
fn float(amount: i128) -> f64 {
    super::scenario::text(amount).parse().unwrap()
}

/// Units in the last place between two floats of one sign.
fn ulps(left: f64, right: f64) -> u64 {
    left.to_bits().abs_diff(right.to_bits())
}

/// Frames of equity, and the fills up to and including each.
fn frames(scenario: &Scenario, file: &str) -> Vec<(f64, Vec<Fill>)> {
    let scene = scenario.scene_of(file, 0);
    run(&scene, App::new(), "out");
    let fills = fills(&scene.path("out"));
    let places = places(&fills);
    let equity = Table::read(&scene.path("out/equity.parquet")).floats("equity");
    assert_eq!(equity.len(), scenario.bars.len());
    let by = |frame: usize| {
        let until = places.iter().take_while(|(bar, _)| *bar <= frame).count();
        fills[..until].to_vec()
    };
    equity.into_iter().enumerate().map(|(frame, equity)| (equity, by(frame))).collect()
}

#[test]
fn equity_is_cash_and_units_at_the_close() {
    for seed in 0..count(40) {
        let scenario = draw(&mut Dice::new(seed), false, Menu::ALL);
        for (frame, (equity, fills)) in frames(&scenario, &scenario.run_file()).iter().enumerate() {
            let (mut cash, mut units) = (scenario.rules.cash, scenario.rules.base);
            for fill in fills {
                cash -= fill.side.sign() * product(fill.px, fill.qty) + fill.fee;
                units += fill.side.sign() * fill.qty;
            }
            let expected = float(cash + product(units, scenario.bars[frame].close));
            assert!(
                ulps(*equity, expected) <= 2,
                "seed {seed}, frame {frame}: {equity}, {expected}"
            );
        }
    }
}

/// Whatever the entry price: realised and open gains together are units at the close less what was
/// paid for them. What a partial exit rounds off the cost stays in the cost, so the sum is exact and
/// the floats are within 2 units in the last place, as for spot.
#[test]
fn equity_of_a_linear_perpetual_is_cash_and_open_gain() {
    for seed in 0..count(40) {
        let scenario = draw(&mut Dice::new(seed), true, Menu::ALL);
        for (frame, (equity, fills)) in frames(&scenario, &scenario.run_file()).iter().enumerate() {
            let (mut value, mut units) = (scenario.rules.cash, 0);
            for fill in fills {
                value -= fill.side.sign() * product(fill.px, fill.qty) + fill.fee;
                units += fill.side.sign() * fill.qty;
            }
            let expected = float(value + product(units, scenario.bars[frame].close));
            assert!(
                ulps(*equity, expected) <= 2,
                "seed {seed}, frame {frame}: {equity}, {expected}"
            );
        }
    }
}

/// The same in coin, with value / price for price × value. Every fill rounds a quotient or two to
/// 10⁻¹², the open gain is one more: the bound is one unit of 10⁻¹² per fill, one for the frame, and
/// 2 units in the last place.
#[test]
fn equity_of_an_inverse_perpetual_is_coin_and_open_gain() {
    for seed in 0..count(40) {
        let scenario = draw(&mut Dice::new(seed), true, Menu::ALL);
        let file = scenario.run_file();
        let file = file
            .replace("share_class = \"USDT\"", "share_class = \"ETH\"")
            .replace("BaseToken:USDT", "BaseToken:ETH")
            .replace("\"linear\"", "\"inverse\"")
            .replace("settle = \"USDT\"", "settle = \"ETH\"")
            .replace("contract_size = \"1\"", "contract_size = \"10\"");
        let per = |value: i128, px: i128| rounded(value * 10 * ONE, px);
        for (frame, (equity, fills)) in frames(&scenario, &file).iter().enumerate() {
            let (mut value, mut units) = (scenario.rules.cash, 0);
            for fill in fills {
                value += fill.side.sign() * per(fill.qty, fill.px) - fill.fee;
                units += fill.side.sign() * fill.qty;
            }
            let expected = float(value - per(units, scenario.bars[frame].close));
            let last = f64::from_bits(expected.to_bits() + 1) - expected;
            let rounds = f64::from(u32::try_from(fills.len() + 1).unwrap());
            let off = (equity - expected).abs();
            assert!(
                off <= rounds * 1e-12 + 2.0 * last,
                "seed {seed}, frame {frame}: {equity}, {expected}"
            );
        }
    }
}
