//! Random frames: bars of every instrument, marks and funding of perpetuals, some hours missing.

use std::sync::Arc;

use model::frame::{Bar, BarKind, FrameBatch, FundingPoint, MarkBar};
use model::instrument::InstrumentIx;
use model::time::UtcMillis;

use crate::dice::{Dice, rounded};
use crate::world::{COINS, HOUR, World};

/// 2024-01-01, in milliseconds.
pub(crate) const START: i64 = 1_704_067_200_000;

/// Funding falls due every so many hours.
const FUNDING_HOURS: i64 = 8;

/// The prices of an instrument so far.
#[derive(Clone, Copy, Debug)]
struct Last {
    close: f64,
    mark: f64,
}

/// `hours` of a world, of which about one in thirty is missing; what funding fell due then comes with
/// the next frame.
pub(crate) fn frames(world: &World, hours: i64, seed: u64) -> Arc<FrameBatch> {
    let dice = &mut Dice::new(seed);
    let mut batch = FrameBatch::with_capacity(world.coins.len(), 0);
    let mut mids = COINS.map(|(_, px)| px);
    let start = |coin: &usize| Last { close: COINS[*coin].1, mark: COINS[*coin].1 };
    let mut lasts: Vec<Last> = world.coins.iter().map(start).collect();
    let mut funding = Vec::new();
    for hour in 1..=hours {
        let ts = UtcMillis::new(START + hour * HOUR);
        for mid in &mut mids {
            *mid *= 1.0 + 0.012 * dice.signed();
        }
        let is_missing = hour > 1 && hour < hours && dice.chance(3);
        let (mut bars, mut marks) = (Vec::new(), Vec::new());
        for (place, instrument) in world.instruments.instruments() {
            let (last, mid) = (&mut lasts[place.index()], mids[world.coins[place.index()]]);
            let opened = last.mark;
            last.mark = cents(mid * (1.0 + 0.0005 * dice.signed()));
            if instrument.is_perpetual() {
                marks.push((place, mark(dice, opened, last.mark)));
                if hour % FUNDING_HOURS == 0 {
                    funding.push(event(dice, place, ts, last.mark));
                }
            }
            bars.push(bar(dice, last, mid, hour == 1));
        }
        if is_missing {
            continue;
        }
        batch.push(ts, false, &bars);
        batch.push_marks(&marks);
        batch.push_funding(&funding);
        funding.clear();
    }
    Arc::new(batch)
}

/// A price in whole cents, one at least.
fn cents(px: f64) -> f64 {
    ((px * 100.0).round() / 100.0).max(0.01)
}

/// From about the last close to about the middle of all venues; one in fifty is absent.
fn bar(dice: &mut Dice, last: &mut Last, mid: f64, is_first: bool) -> Bar {
    if !is_first && dice.chance(2) {
        return Bar::default();
    }
    let open = cents(last.close * (1.0 + 0.001 * dice.signed()));
    let close = cents(mid * (1.0 + 0.001 * dice.signed()));
    last.close = close;
    let high = cents(open.max(close) * (1.0 + dice.between(0.0001, 0.006)));
    let low = cents(open.min(close) * (1.0 - dice.between(0.0001, 0.006)));
    // Enough for most orders, and too little for some.
    let volume = (dice.between(5_000.0, 200_000.0) / mid).round().max(1.0);
    Bar { open, high, low, close, volume, kind: BarKind::Real }
}

fn mark(dice: &mut Dice, open: f64, close: f64) -> MarkBar {
    let high = cents(open.max(close) * (1.0 + dice.between(0.0001, 0.004)));
    let low = cents(open.min(close) * (1.0 - dice.between(0.0001, 0.004)));
    MarkBar { open, high, low, close }
}

fn event(dice: &mut Dice, instrument: InstrumentIx, ts: UtcMillis, mark: f64) -> FundingPoint {
    let rate = rounded(dice.between(-0.0004, 0.0006), 8);
    FundingPoint { instrument, ts, rate, mark: Some(rounded(mark, 2)) }
}
