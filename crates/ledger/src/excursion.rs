//! Excursions: how far the price went for and against a position while it was open.

use model::Decimal;
use model::frame::Bar;
use model::instrument::{Contract, Instrument};
use model::numeric::DoubleFloat;
use model::time::UtcMillis;

use crate::position::Position;

/// The worst and the best moment of a position so far, in the asset of its cash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Excursion {
    /// Zero or less.
    pub(crate) worst: f64,
    /// Zero or more.
    pub(crate) best: f64,
    /// Bars at whose close the position was open.
    pub(crate) bars: u32,
    held: Stake,
    /// What of `held` was there before `grown_ts`.
    before: Stake,
    /// Instant of the latest entry.
    grown_ts: UtcMillis,
}

impl Excursion {
    /// Of a position that is opened at `ts`.
    pub(crate) const fn starting_at(ts: UtcMillis) -> Self {
        Self {
            worst: 0.0,
            best: 0.0,
            bars: 0,
            held: Stake::NOTHING,
            before: Stake::NOTHING,
            grown_ts: ts,
        }
    }

    /// Takes the position after an entry at `ts`.
    pub(crate) fn grow(&mut self, ts: UtcMillis, after: Stake) {
        if ts != self.grown_ts {
            self.before = self.held;
            self.grown_ts = ts;
        }
        self.held = after;
    }

    /// Takes the price of an exit, and the position after it.
    pub(crate) fn shrink(&mut self, px: f64, after: Stake) {
        self.count(self.held.gain_at(px));
        self.held = after;
        if after.units.abs() < self.before.units.abs() {
            self.before = after;
        }
    }

    /// Takes a bar that opened at `open`. Its range counts for what was held all through it: of an
    /// entry inside the bar only the close counts, for the rest of the range may lie before it.
    pub(crate) fn observe(&mut self, bar: &Bar, open: UtcMillis) {
        self.bars += 1;
        let through = if self.grown_ts > open { self.before } else { self.held };
        self.count(through.gain_at(bar.low));
        self.count(through.gain_at(bar.high));
        self.count(self.held.gain_at(bar.close));
    }

    fn count(&mut self, gain: f64) {
        self.worst = self.worst.min(gain);
        self.best = self.best.max(gain);
    }
}

/// A position in floats.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stake {
    /// What a price is multiplied with, or divided into; signed.
    units: f64,
    cost: f64,
    is_inverse: bool,
}

impl Stake {
    const NOTHING: Self = Self { units: 0.0, cost: 0.0, is_inverse: false };

    /// Of a position of whose gain `settled` has been paid out already.
    pub(crate) fn of(position: Position, settled: Decimal, instrument: &Instrument) -> Self {
        let quantity = position.quantity.0;
        let (units, is_inverse) = match &instrument.contract {
            Contract::Spot => (quantity, false),
            Contract::Linear { size, .. } => (quantity * size, false),
            Contract::Inverse { size, .. } => (quantity * size, true),
        };
        let cost = if is_inverse { position.cost + settled } else { position.cost - settled };
        let [units, cost] = [units, cost].map(|exact| DoubleFloat::of(exact).value());
        Self { units, cost, is_inverse }
    }

    /// Open gain at a price, in the asset of the cash.
    fn gain_at(self, px: f64) -> f64 {
        if self.is_inverse { self.cost - self.units / px } else { self.units * px - self.cost }
    }
}
