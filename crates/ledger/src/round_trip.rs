//! Round trips: a position from flat to flat, long or short.

use model::Decimal;
use model::fill::{Fill, RoundTrip};
use model::frame::Bar;
use model::instrument::{Contract, Instrument};
use model::money::{Cash, Price, Quantity};
use model::numeric::float_of;
use model::order::OrderSide;
use model::time::UtcMillis;

use crate::excursion::{Excursion, Stake};
use crate::part::{Part, share};
use crate::position::{Change, Position, Step};

/// Significant digits of an average price of an inverse contract: a quotient of quotients is not
/// exact in its last ones.
const PRICE_DIGITS: u32 = 20;

/// A round trip that is under way.
#[derive(Clone, Debug)]
pub(crate) struct OpenTrip {
    side: OrderSide,
    entry_ts: UtcMillis,
    qty_max: Decimal,
    entry: Leg,
    exit: Leg,
    cash: Decimal,
    fees: Decimal,
    /// Part of the cash: gains of what is still held that have been paid out already.
    settled: Decimal,
    excursion: Excursion,
}

impl OpenTrip {
    /// Books a fill on the trip that may be under way in its instrument, and completes it if the
    /// position is flat then. An entry into a flat position begins the next one.
    ///
    /// What the run started with has no entry price and makes no trip, nor does what is added to it.
    pub(crate) fn book(
        under_way: &mut Option<Box<Self>>,
        fill: &Fill,
        change: &Change,
        instrument: &Instrument,
    ) -> Option<RoundTrip> {
        let is_flat = change.between.is_flat_in_report(instrument);
        let mut completed = None;
        if let Some(step) = &change.closing {
            if let Some(trip) = under_way {
                trip.reduce(fill, step, change.between, instrument);
            }
            if is_flat {
                completed = under_way.take().and_then(|trip| trip.complete(fill, instrument));
            }
        }
        if let Some(step) = &change.opening {
            if is_flat && under_way.is_none() {
                *under_way = Some(Box::new(Self::begin(fill)));
            }
            if let Some(trip) = under_way {
                trip.add(fill, step, change.after, instrument);
            }
        }
        completed
    }

    /// Takes a bar that opened at `open`.
    pub(crate) fn observe(&mut self, bar: &Bar, open: UtcMillis) {
        self.excursion.observe(bar, open);
    }

    /// Takes a gain or a loss that the venue has paid out while the position stays open.
    pub(crate) fn settle(&mut self, amount: Decimal) {
        self.cash += amount;
        self.settled += amount;
    }

    fn begin(fill: &Fill) -> Self {
        Self {
            side: fill.side,
            entry_ts: fill.ts,
            qty_max: Decimal::ZERO,
            entry: Leg::default(),
            exit: Leg::default(),
            cash: Decimal::ZERO,
            fees: Decimal::ZERO,
            settled: Decimal::ZERO,
            excursion: Excursion::starting_at(fill.ts),
        }
    }

    fn add(&mut self, fill: &Fill, step: &Step, after: Position, instrument: &Instrument) {
        self.entry.add(fill.last_px, step.part, instrument);
        self.pay(step);
        self.qty_max = self.qty_max.max(after.quantity.0.abs());
        self.excursion.grow(fill.ts, Stake::of(after, self.settled, instrument));
    }

    fn reduce(&mut self, fill: &Fill, step: &Step, after: Position, instrument: &Instrument) {
        self.exit.add(fill.last_px, step.part, instrument);
        self.pay(step);
        let held = after.quantity.0.abs();
        let scale = instrument.ledger_scale;
        self.settled = share(self.settled, held, held + step.part.quantity, scale);
        let stake = Stake::of(after, self.settled, instrument);
        self.excursion.shrink(float_of(fill.last_px.value()), stake);
    }

    fn pay(&mut self, step: &Step) {
        self.cash += step.cash;
        self.fees += step.part.fee_value;
    }

    fn complete(self, fill: &Fill, instrument: &Instrument) -> Option<RoundTrip> {
        Some(RoundTrip {
            instrument: fill.instrument,
            side: self.side,
            entry_ts: self.entry_ts,
            exit_ts: fill.ts,
            qty_max: Quantity(self.qty_max),
            entry_px: self.entry.average(instrument)?,
            exit_px: self.exit.average(instrument)?,
            pnl: Cash(self.cash),
            fees: Cash(self.fees),
            cash_value: fill.cash_value,
            return_on_entry: float_of(self.cash) / float_of(self.entry.notional),
            mae: self.excursion.worst,
            mfe: self.excursion.best,
            bars: self.excursion.bars,
        })
    }
}

/// Everything traded on one side of a trip.
#[derive(Clone, Copy, Debug, Default)]
struct Leg {
    quantity: Decimal,
    /// As booked, in the asset of the cash.
    notional: Decimal,
    /// Σ px · q; of an inverse contract Σ q / px.
    weight: Decimal,
}

impl Leg {
    fn add(&mut self, px: Price, part: Part, instrument: &Instrument) {
        self.quantity += part.quantity;
        self.notional += part.notional;
        self.weight += match instrument.contract {
            Contract::Spot | Contract::Linear { .. } => px.value() * part.quantity,
            Contract::Inverse { .. } => part.quantity / px.value(),
        };
    }

    /// The one price at which all its units would be worth the same.
    fn average(self, instrument: &Instrument) -> Option<Price> {
        let average = match instrument.contract {
            Contract::Spot | Contract::Linear { .. } => self.weight.checked_div(self.quantity)?,
            Contract::Inverse { .. } => {
                self.quantity.checked_div(self.weight)?.round_sf(PRICE_DIGITS)?
            }
        };
        Price::new(average)
    }
}
