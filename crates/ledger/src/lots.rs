//! Lots: the entries of a position that are still open, first in, first out.

use std::collections::VecDeque;

use model::fill::ClosedLot;
use model::instrument::Instrument;
use model::money::{Cash, Price, Quantity};
use model::order::OrderSide;
use model::time::UtcMillis;

use crate::part::Part;

/// The open lots of one position, oldest first; all on its side, together exactly its size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lots(VecDeque<Lot>);

/// An entry, or what exits have left of it.
#[derive(Clone, Copy, Debug)]
struct Lot {
    entry_ts: UtcMillis,
    entry_px: Price,
    left: Part,
}

impl Lots {
    /// Adds the newest lot.
    pub(crate) fn open(&mut self, entry_ts: UtcMillis, entry_px: Price, part: Part) {
        self.0.push_back(Lot { entry_ts, entry_px, left: part });
    }

    /// Closes as much as `exit` has units, oldest lots first; `side` is that of the position.
    ///
    /// Realised of a match = (exit − entry) · q · side, less its shares of both fees. The last match of
    /// a lot takes the remainder of its cost and fee, the last match of an exit those of the exit.
    /// Source: 11 §13.1, vector `a_sale_closes_the_oldest_lots_first`.
    pub(crate) fn close(
        &mut self,
        mut exit: Part,
        side: OrderSide,
        instrument: &Instrument,
    ) -> Vec<ClosedLot> {
        let scale = instrument.ledger_scale;
        let mut closed = Vec::new();
        while !exit.quantity.is_zero() {
            let lot = self.0.front_mut().expect("lots add up to the position");
            let quantity = lot.left.quantity.min(exit.quantity);
            let (entered, kept) = lot.left.split(quantity, scale);
            let (left, rest) = exit.split(quantity, scale);
            let gross = instrument.gain(side.signed(left.notional), side.signed(entered.notional));
            closed.push(ClosedLot {
                entry_ts: lot.entry_ts,
                quantity: Quantity(quantity),
                entry_px: lot.entry_px,
                gross: Cash(gross),
                entry_fee: Cash(entered.fee),
                exit_fee: Cash(left.fee),
            });
            lot.left = kept;
            exit = rest;
            if kept.quantity.is_zero() {
                self.0.pop_front();
            }
        }
        closed
    }
}

#[cfg(test)]
impl Lots {
    /// Units, cost and fee of all open lots.
    pub(crate) fn total(&self) -> (model::Decimal, model::Decimal, model::Decimal) {
        let sum = |of: fn(&Lot) -> model::Decimal| self.0.iter().map(of).sum();
        (sum(|lot| lot.left.quantity), sum(|lot| lot.left.notional), sum(|lot| lot.left.fee))
    }
}
