//! Round trips from the fills and the bars alone.

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use tickdrain::App;

use super::fills::{fills, places};
use super::oracle::{Fill, product, rounded};
use super::scenario::{Bar, Dice, Menu, Order, Request, Rules, Scenario, Side, Size, draw, text};
use super::{count, run};
use crate::tables::Table;

/// A trip, and what it is worth while it is under way.
#[derive(Clone, Debug)]
struct Trip {
    side: Side,
    entry_ts: i64,
    exit_ts: i64,
    qty_max: i128,
    /// Quantity and value of entries and of exits.
    legs: [(i128, i128); 2],
    pnl: i128,
    fees: i128,
    worst: f64,
    best: f64,
    bars: usize,
}

/// Units held and what they cost; both signed.
#[derive(Clone, Copy, Debug, Default)]
struct Stake {
    units: i128,
    cost: i128,
}

impl Stake {
    fn gain(self, px: i128) -> f64 {
        float(product(self.units, px) - self.cost)
    }
}

fn float(amount: i128) -> f64 {
    text(amount).parse().unwrap()
}

/// The trips of a position that costs the average of its entries.
struct Book {
    held: Stake,
    /// What has been held since the open of the present bar.
    through: Stake,
    trip: Option<Trip>,
    done: Vec<Trip>,
}

impl Book {
    fn take(&mut self, fill: &Fill, is_inside: bool) {
        let sign = fill.side.sign();
        let closed =
            if self.held.units * sign < 0 { fill.qty.min(self.held.units.abs()) } else { 0 };
        let fee = rounded(fill.fee * closed, fill.qty);
        if closed > 0 {
            let cost = rounded(self.held.cost * closed, self.held.units.abs());
            let trip = self.trip.as_mut().unwrap();
            let gain = self.held.gain(fill.px);
            (trip.worst, trip.best) = (trip.worst.min(gain), trip.best.max(gain));
            trip.legs[1].0 += closed;
            trip.legs[1].1 += product(fill.px, closed);
            trip.pnl += -sign * product(fill.px, closed) - cost - fee;
            trip.fees += fee;
            self.held.units += sign * closed;
            self.held.cost -= cost;
            if self.held.units.abs() < self.through.units.abs() || !is_inside {
                self.through = self.held;
            }
            if self.held.units == 0 {
                trip.exit_ts = fill.ts;
                self.done.extend(self.trip.take());
            }
        }
        let opened = fill.qty - closed;
        if opened > 0 {
            let trip = self.trip.get_or_insert(Trip {
                side: fill.side,
                entry_ts: fill.ts,
                exit_ts: 0,
                qty_max: 0,
                legs: [(0, 0); 2],
                pnl: 0,
                fees: 0,
                worst: 0.0,
                best: 0.0,
                bars: 0,
            });
            self.held.units += sign * opened;
            self.held.cost += sign * product(fill.px, opened);
            trip.legs[0].0 += opened;
            trip.legs[0].1 += product(fill.px, opened);
            trip.pnl -= fill.fee - fee;
            trip.fees += fill.fee - fee;
            trip.qty_max = trip.qty_max.max(self.held.units.abs());
            if !is_inside {
                self.through = self.held;
            }
        }
    }

    /// A bar counts whole for what was held through it, with its close for the rest.
    fn close(&mut self, bar: &Bar) {
        if let Some(trip) = &mut self.trip {
            trip.bars += 1;
            let gains = [
                self.through.gain(bar.low),
                self.through.gain(bar.high),
                self.held.gain(bar.close),
            ];
            trip.worst = gains.into_iter().fold(trip.worst, f64::min);
            trip.best = gains.into_iter().fold(trip.best, f64::max);
        }
        self.through = self.held;
    }
}

fn trips(scenario: &Scenario, fills: &[Fill]) -> Vec<Trip> {
    let nothing = Stake::default();
    let mut book = Book { held: nothing, through: nothing, trip: None, done: Vec::new() };
    let places = places(fills);
    let mut fills = fills.iter().zip(places).peekable();
    for (now, bar) in scenario.bars.iter().enumerate() {
        while let Some((fill, (_, is_inside))) = fills.next_if(|(_, (bar, _))| *bar == now) {
            book.take(fill, is_inside);
        }
        book.close(bar);
    }
    book.done
}

/// What floats of a product of twelve-digit numbers may be off by.
fn is_near(found: f64, expected: f64, scale: f64) -> bool {
    (found - expected).abs() <= 1e-12 * scale.abs().max(1.0)
}

fn check(seed: u64, is_perp: bool, is_average: bool) -> usize {
    let mut scenario = draw(&mut Dice::new(seed), is_perp, Menu::ALL);
    scenario.rules = Rules { base: 0, ..scenario.rules };
    if !is_perp {
        let all = |decided| {
            Order::market(&format!("all{decided}"), decided, Side::Sell, Size::Percent(100))
        };
        let last = scenario.bars.len() - 1;
        scenario.requests.extend((6..last).step_by(7).map(all).map(Request::Submit));
        scenario.requests.sort_by_key(Request::decided);
    }
    let scene = scenario.scene();
    run(&scene, App::new(), "out");
    let fills = fills(&scene.path("out"));
    let expected = trips(&scenario, &fills);
    let table = Table::read(&scene.path("out/trades.parquet"));
    let [entry_ts, exit_ts] = ["entry_ts", "exit_ts"].map(|name| table.times(name));
    let [qty, entry_px, exit_px] =
        ["qty_max", "entry_px", "exit_px"].map(|name| table.decimals(name));
    let [pnl, fees, mae, mfe] = ["pnl", "fees", "mae", "mfe"].map(|name| table.floats(name));
    let (sides, bars) = (table.texts("side"), table.counts("bars"));
    assert_eq!(entry_ts.len(), expected.len(), "seed {seed}");
    for (row, trip) in expected.iter().enumerate() {
        let whole = format!("seed {seed}, trade {row}: {trip:?}");
        assert_eq!((entry_ts[row], exit_ts[row]), (trip.entry_ts, trip.exit_ts), "{whole}");
        assert_eq!(
            (&*sides[row], qty[row] / 1_000_000),
            (trip.side.text(), trip.qty_max),
            "{whole}"
        );
        for (px, (qty, value)) in [entry_px[row], exit_px[row]].into_iter().zip(trip.legs) {
            // Rounded to 18 places; the value is exact.
            let off = px / 1_000 * (qty / 1_000_000_000) - value * 1_000_000;
            assert!(off.abs() <= qty / 1_000_000_000, "{whole}: {px} {off}");
        }
        let scale = float(trip.legs[0].1);
        assert!(is_near(pnl[row], float(trip.pnl), scale), "{whole}: {}", pnl[row]);
        assert!(is_near(fees[row], float(trip.fees), scale), "{whole}: {}", fees[row]);
        assert_eq!(usize::try_from(bars[row]).unwrap(), trip.bars, "{whole}");
        if is_average {
            assert!(is_near(mae[row], trip.worst, scale), "{whole}: mae {}", mae[row]);
            assert!(is_near(mfe[row], trip.best, scale), "{whole}: mfe {}", mfe[row]);
        }
    }
    expected.len()
}

#[test]
fn trades_of_perpetuals_follow_from_the_fills_and_the_bars() {
    let trades: usize = (0..count(60)).map(|seed| check(seed, true, true)).sum();
    assert!(trades > 50, "{trades} trades");
}

/// Spot books by lots, first in first out, and here by the average: flat to flat the sums agree. What
/// is still held in between costs differently, so the excursions are compared where it is sold whole.
#[test]
fn trades_of_spot_by_lots_agree_with_the_average_once_flat() {
    let trades: usize = (0..count(60)).map(|seed| check(seed, false, false)).sum();
    assert!(trades > 20, "{trades} trades");
}
