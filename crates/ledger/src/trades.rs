//! Trades as a report tells them: lots first in, first out, and round trips from flat to flat.

use std::rc::Rc;

use model::Decimal;
use model::fill::{ClosedLot, Fill};
use model::frame::{BarKind, Frame};
use model::instrument::{InstrumentIx, InstrumentTable};
use model::money::{Cash, Price};
use model::time::{Interval, UtcMillis};

use crate::lots::Lots;
use crate::part::Part;
use crate::position::{Change, Position};
use crate::round_trip::OpenTrip;

/// Lots and round trips of all instruments; follows the positions and changes none.
#[derive(Debug)]
pub(crate) struct TradeBook {
    instruments: Rc<InstrumentTable>,
    /// Length of a frame: its bars open this long before the instant that names it.
    interval: Interval,
    lots: Vec<Lots>,
    trips: Vec<Option<Box<OpenTrip>>>,
}

impl TradeBook {
    pub(crate) fn new(instruments: Rc<InstrumentTable>, interval: Interval) -> Self {
        let width = instruments.len();
        Self { instruments, interval, lots: vec![Lots::default(); width], trips: vec![None; width] }
    }

    /// Follows a change of position, and says in its fill what came of it.
    pub(crate) fn book(&mut self, fill: &mut Fill, change: &Change) {
        let place = fill.instrument.index();
        fill.realized = Cash(change.realized);
        fill.lots = self.book_lots(fill, change);
        let instrument = self.instruments.instrument(fill.instrument);
        let trip = OpenTrip::book(&mut self.trips[place], fill, change, instrument);
        fill.closed = trip.map(Box::new);
    }

    /// Takes over what was held before the first trade, as one lot at `px`; what it cost.
    pub(crate) fn take_over(
        &mut self,
        place: InstrumentIx,
        held: Position,
        px: Price,
        ts: UtcMillis,
    ) -> Decimal {
        let instrument = self.instruments.instrument(place);
        let cost = instrument.notional(px, held.quantity).booked(instrument.ledger_scale).0;
        let part = Part {
            quantity: held.quantity.0.abs(),
            notional: cost.abs(),
            fee: Decimal::ZERO,
            fee_value: Decimal::ZERO,
        };
        self.lots[place.index()].open(ts, px, part);
        cost
    }

    /// Follows a gain that was paid out of an open position.
    pub(crate) fn settle(&mut self, place: InstrumentIx, amount: Decimal) {
        if let Some(trip) = &mut self.trips[place.index()] {
            trip.settle(amount);
        }
    }

    /// Follows how far open round trips went in the bars of a frame.
    pub(crate) fn observe(&mut self, frame: &Frame) {
        let open = frame.ts().before(self.interval);
        for (trip, bar) in self.trips.iter_mut().zip(frame.bars()) {
            if let Some(trip) = trip
                && bar.kind != BarKind::Absent
            {
                trip.observe(bar, open);
            }
        }
    }

    fn book_lots(&mut self, fill: &Fill, change: &Change) -> Vec<ClosedLot> {
        let lots = &mut self.lots[fill.instrument.index()];
        let instrument = self.instruments.instrument(fill.instrument);
        let closed = change
            .closing
            .map_or_else(Vec::new, |step| lots.close(step.part, fill.side.opposite(), instrument));
        if let Some(step) = change.opening {
            lots.open(fill.ts, fill.last_px, step.part);
        }
        closed
    }
}

#[cfg(test)]
impl TradeBook {
    /// The open lots of an instrument.
    pub(crate) fn lots(&self, place: InstrumentIx) -> &Lots {
        &self.lots[place.index()]
    }
}
