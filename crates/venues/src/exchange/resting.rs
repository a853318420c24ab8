//! An order at the exchange.

use std::sync::Arc;

use model::Decimal;
use model::money::{Price, Quantity};
use model::order::{Order, OrderSide, OrderStatus, OrderUpdate, Pricing, Refusal, Size, Trail};
use model::snapshot::Reservation;
use model::time::UtcMillis;

use super::ladder::{Direction, Rung};

/// Where an order is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It waits for its parent's fill.
    Dormant,
    /// It is on its way to the venue.
    Traveling(Arrival),
    /// The venue has it.
    Working,
}

/// When a request reaches the venue: at the first real bar that opens at or after `not_before`, once
/// `bars_left` real bars have passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) not_before: UtcMillis,
    pub(super) bars_left: u32,
}

impl Arrival {
    /// Whether it is there at a real bar that opens at `open`; if not, the bar is counted.
    pub(super) fn is_due(&mut self, open: UtcMillis) -> bool {
        if self.bars_left > 0 {
            self.bars_left -= 1;
            return false;
        }
        self.not_before <= open
    }
}

/// An order that has not ended.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Resting {
    pub(super) order: Arc<Order>,
    pub(super) stage: Stage,
    /// Units ordered, once known.
    pub(super) order_qty: Option<Quantity>,
    pub(super) cum_qty: Quantity,
    pub(super) avg_px: Option<Price>,
    /// Units that others of its group have filled in its stead.
    pub(super) given_up: Quantity,
    /// Units that its parent has filled: it may have no more. `None` without a parent or a fill.
    pub(super) parent_filled: Option<Quantity>,
    /// Whether its terms were replaced: an exit then stays where it was put.
    pub(super) is_replaced: bool,
    /// Whether a stop has been triggered: from then on it is a market or a limit order.
    pub(super) is_triggered: bool,
    /// Best price so far of a trailing order.
    pub(super) extreme: Option<Decimal>,
    /// Last close at the decision.
    pub(super) last_px: Price,
    /// What it holds back of the account.
    pub(super) lock: Reservation,
    /// Whether it does so already: from when its turn came at the venue.
    pub(super) is_holding: bool,
    /// Answers that the venue has given on it: number of the next one.
    pub(super) loops: u32,
    /// Whether the last of them said that it is over.
    pub(super) is_over: bool,
    /// Where it waits on a ladder.
    pub(super) rung: Option<(Direction, Rung)>,
}

/// What an order does when a price comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// Trades at the next price.
    Takes,
    /// Trades at its price or better.
    Limits(Price),
    /// Takes once its level is reached.
    Stops(Price),
    /// Becomes a limit order once its level is reached.
    StopsThenLimits(Price, Price),
}

impl Resting {
    /// How it behaves now.
    pub(super) fn behaviour(&self) -> Behaviour {
        match self.order.pricing {
            Pricing::Market => Behaviour::Takes,
            Pricing::Limit { price } => Behaviour::Limits(price),
            Pricing::StopLimit { price, .. } if self.is_triggered => Behaviour::Limits(price),
            Pricing::Stop { .. } | Pricing::Trailing { .. } if self.is_triggered => {
                Behaviour::Takes
            }
            Pricing::Stop { stop_price } => Behaviour::Stops(stop_price),
            Pricing::StopLimit { stop_price, price } => {
                Behaviour::StopsThenLimits(stop_price, price)
            }
            Pricing::Trailing { trail } => Behaviour::Stops(self.trailing_level(trail)),
        }
    }

    /// A protective sell trails below the highest price, a protective buy above the lowest.
    ///
    /// A distance that leaves no positive price leaves the stop at the smallest price there is.
    fn trailing_level(&self, trail: Trail) -> Price {
        let extreme = self.extreme.unwrap_or(self.last_px.value());
        let distance = self.order.side.signed(trail.distance(extreme));
        let smallest = Price::new(Decimal::new(1, 28)).expect("a positive price");
        Price::new(extreme + distance).unwrap_or(smallest)
    }

    /// The ladder on which it waits, and the price.
    pub(super) fn place(&self) -> Option<(Direction, Price)> {
        let is_buy = self.order.side == OrderSide::Buy;
        match self.behaviour() {
            Behaviour::Takes => None,
            Behaviour::Limits(price) => {
                Some((if is_buy { Direction::Down } else { Direction::Up }, price))
            }
            Behaviour::Stops(level) | Behaviour::StopsThenLimits(level, _) => {
                Some((if is_buy { Direction::Up } else { Direction::Down }, level))
            }
        }
    }

    /// Units that may still fill; `None` while a share is not resolved.
    pub(super) fn leaves(&self) -> Option<Quantity> {
        self.order_qty.map(|ordered| Quantity(ordered.0 - self.cum_qty.0))
    }

    /// Whether nothing of it is left for now; only a fill of its parent can bring more.
    pub(super) fn is_done(&self) -> bool {
        self.leaves().is_some_and(Quantity::is_zero)
    }

    /// Whether a child that gets all that is left for now would still be smaller than it was asked
    /// for.
    pub(super) fn is_below_its_size(&self) -> bool {
        let given_up = if self.is_replaced { Decimal::ZERO } else { self.given_up.0 };
        let ordered = self.order_qty.map_or(Decimal::ZERO, |ordered| ordered.0);
        self.order.size.units().is_none_or(|size| ordered + given_up < size.0)
    }

    /// Takes its quantity from its size: of what its parent has filled, if it has one. What others of
    /// its group have filled is not left to it; a replaced size is one of which that is off already.
    pub(super) fn resize(&mut self, lot: Decimal) {
        let Some(filled) = self.parent_filled else {
            self.order_qty = self.order.size.units();
            return;
        };
        let rest = Quantity(filled.0 - self.given_up.0);
        self.order_qty = Some(match self.order.size {
            Size::Units(quantity) if self.is_replaced => quantity.min(rest),
            Size::Units(quantity) => Quantity(quantity.min(filled).0 - self.given_up.0),
            Size::Share(share) => {
                let part = Quantity(filled.0 * share).floor_to(lot);
                Quantity((part.0 - self.given_up.0).max(self.cum_qty.0))
            }
        });
    }

    /// Accepted, or filled in part.
    pub(super) fn status(&self) -> OrderStatus {
        if self.cum_qty.is_zero() { OrderStatus::Accepted } else { OrderStatus::PartiallyFilled }
    }

    /// News of it.
    pub(super) fn update(&self, status: OrderStatus, refusal: Option<Refusal>) -> OrderUpdate {
        OrderUpdate {
            order_id: self.order.order_id,
            status,
            order_qty: self.order_qty,
            cum_qty: self.cum_qty,
            avg_px: self.avg_px,
            refusal,
            terms: None,
            repeats: None,
        }
    }

    /// News of it with its terms, which are new.
    pub(super) fn update_with_terms(&self) -> OrderUpdate {
        let terms = Some(Arc::clone(&self.order));
        OrderUpdate { terms, ..self.update(self.status(), None) }
    }

    /// Counts a fill.
    pub(super) fn add_fill(&mut self, quantity: Quantity, px: Price) {
        let before = self.cum_qty;
        self.cum_qty.0 += quantity.0;
        self.avg_px = match self.avg_px {
            Some(average) if average != px => {
                let sum = (average * before).value() + (px * quantity).value();
                Price::new(sum / self.cum_qty.0)
            }
            _ => Some(px),
        };
    }
}
