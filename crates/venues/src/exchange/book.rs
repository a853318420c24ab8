//! The book of one instrument: what waits for its bars.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::Decimal;
use model::frame::{Bar, BarKind};
use model::money::Quantity;
use model::order::{Order, OrderId, OrderSide, RefusalCode};
use model::time::UtcMillis;

use super::ladder::{Direction, Ladder};
use super::resting::Arrival;

/// A request about an order, on its way to the venue.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) order_id: OrderId,
    pub(super) arrival: Arrival,
    pub(super) kind: ChangeKind,
}

#[derive(Clone, Debug)]
pub(super) enum ChangeKind {
    Cancel(RefusalCode),
    Replace(Arc<Order>),
}

/// A trailing order: the best price that it has seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trailer {
    pub(super) seq: u64,
    pub(super) side: OrderSide,
    pub(super) extreme: f64,
    /// Armed inside the present bar, of which only the close is known to come after it.
    pub(super) is_fresh: bool,
}

impl Trailer {
    /// The price of a bar that is best for the trail.
    pub(super) const fn best_of(&self, bar: &Bar) -> f64 {
        match self.side {
            OrderSide::Sell => bar.high,
            OrderSide::Buy => bar.low,
        }
    }

    /// Whether a price is better than the best so far.
    pub(super) fn is_better(&self, price: f64) -> bool {
        match self.side {
            OrderSide::Sell => price > self.extreme,
            OrderSide::Buy => price < self.extreme,
        }
    }
}

/// What waits for the bars of one instrument.
#[derive(Clone, Debug)]
pub(super) struct Book {
    /// Orders on their way, oldest first.
    pub(super) traveling: Vec<u64>,
    /// Cancels and replaces on their way, oldest first.
    pub(super) changes: Vec<Change>,
    /// Orders that take the next open, oldest first.
    pub(super) takers: Vec<u64>,
    pub(super) up: Ladder,
    pub(super) down: Ladder,
    pub(super) trailers: Vec<Trailer>,
    /// Working orders that may only reduce, oldest first.
    pub(super) reducers: Vec<u64>,
    /// Last instants of working orders.
    pub(super) expiries: BTreeSet<(UtcMillis, u64)>,
    /// Units that the present bar may still fill; `None` without a limit.
    pub(super) budget: Option<Quantity>,
    /// The close of the bar that the budget is of.
    pub(super) budget_ts: Option<UtcMillis>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            traveling: Vec::new(),
            changes: Vec::new(),
            takers: Vec::new(),
            up: Ladder::new(Direction::Up),
            down: Ladder::new(Direction::Down),
            trailers: Vec::new(),
            reducers: Vec::new(),
            expiries: BTreeSet::new(),
            budget: None,
            budget_ts: None,
        }
    }
}

impl Book {
    /// Whether a bar can do nothing here; `next_close` is that of the bar after it.
    pub(super) fn is_calm(&self, bar: &Bar, next_close: UtcMillis) -> bool {
        let is_waiting =
            self.traveling.is_empty() && self.changes.is_empty() && self.takers.is_empty();
        let expires = self.expiries.first().is_some_and(|(last, _)| *last < next_close);
        is_waiting
            && !expires
            && (bar.kind != BarKind::Real
                || !(self.up.may_reach(bar.high)
                    || self.down.may_reach(bar.low)
                    || self.trailers.iter().any(|trailer| trailer.is_better(trailer.best_of(bar)))))
    }

    pub(super) fn ladder(&mut self, direction: Direction) -> &mut Ladder {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }

    /// Takes `quantity` out of the budget.
    pub(super) fn spend(&mut self, quantity: Quantity) {
        if let Some(budget) = &mut self.budget {
            budget.0 -= quantity.0;
        }
    }

    /// Whether the bar can fill nothing more.
    pub(super) fn is_exhausted(&self, lot: Decimal) -> bool {
        self.budget.is_some_and(|budget| budget.0 < lot)
    }
}

/// Whether a bar fills anything at all: real and with volume.
pub(super) fn fills(bar: &Bar) -> bool {
    bar.kind == BarKind::Real && bar.volume > 0.0
}
