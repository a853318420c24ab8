//! Round trips: a position from flat to flat, with its worst and best moment.

use model::Decimal;
use model::fill::{Fill, RoundTrip};
use model::frame::Bar;
use model::money::{Cash, Price, Quantity};
use model::numeric::float_of;
use model::order::OrderSide;
use model::time::UtcMillis;

/// A round trip that is under way.
#[derive(Clone, Debug)]
pub(crate) struct OpenTrip {
    entry_ts: UtcMillis,
    qty_max: Quantity,
    bought: Leg,
    sold: Leg,
    fees: Cash,
    mae: f64,
    mfe: f64,
    bars: u32,
    /// Whether it began flat: what the run started with has no entry price.
    is_whole: bool,
}

/// Everything traded on one side.
#[derive(Clone, Copy, Debug, Default)]
struct Leg {
    quantity: Decimal,
    notional: Decimal,
}

impl Leg {
    fn add(&mut self, fill: &Fill) {
        self.quantity += fill.last_qty.0;
        self.notional += fill.notional.0;
    }

    fn average(self) -> Option<Price> {
        if self.quantity.is_zero() { None } else { Price::new(self.notional / self.quantity) }
    }
}

impl OpenTrip {
    /// The trip that a first fill opens.
    pub(crate) fn opened_at(ts: UtcMillis, is_whole: bool) -> Self {
        Self {
            entry_ts: ts,
            qty_max: Quantity::ZERO,
            bought: Leg::default(),
            sold: Leg::default(),
            fees: Cash::ZERO,
            mae: 0.0,
            mfe: 0.0,
            bars: 0,
            is_whole,
        }
    }

    /// Takes a fill after which `held` base units are held.
    pub(crate) fn book(&mut self, fill: &Fill, held: Quantity) {
        match fill.side {
            OrderSide::Buy => self.bought.add(fill),
            OrderSide::Sell => self.sold.add(fill),
        }
        self.fees += fill.fee;
        self.qty_max = self.qty_max.max(held);
    }

    /// Takes an open gain or loss, in quote currency.
    pub(crate) fn excursion(&mut self, open_pnl: f64) {
        self.mae = self.mae.min(open_pnl);
        self.mfe = self.mfe.max(open_pnl);
    }

    /// Takes a bar through which `quantity` base units that cost `cost` were held.
    pub(crate) fn observe(&mut self, bar: &Bar, quantity: f64, cost: f64) {
        self.bars += 1;
        self.excursion(bar.low * quantity - cost);
        self.excursion(bar.high * quantity - cost);
    }

    /// The finished trip, closed by `fill`. A holding that the run started with has no entry price
    /// and makes no trip.
    pub(crate) fn close(self, fill: &Fill) -> Option<RoundTrip> {
        if !self.is_whole {
            return None;
        }
        let pnl = self.sold.notional - self.bought.notional - self.fees.0;
        Some(RoundTrip {
            instrument: fill.instrument,
            side: OrderSide::Buy,
            entry_ts: self.entry_ts,
            exit_ts: fill.ts,
            qty_max: self.qty_max,
            entry_px: self.bought.average()?,
            exit_px: self.sold.average()?,
            pnl: Cash(pnl),
            fees: self.fees,
            return_on_entry: float_of(pnl) / float_of(self.bought.notional),
            mae: self.mae,
            mfe: self.mfe,
            bars: self.bars,
        })
    }
}
