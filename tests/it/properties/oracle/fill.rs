//! A fill: its price and quantity, and what it does to cash and position.

use super::order::{Match, Moment};
use super::rounding::{aggressive, down, product, rounded, within};
use super::{Book, Fill, Status};
use crate::properties::scenario::{Kind, LOT, START, Size, Tif};
use crate::tables::HOUR;

impl Book<'_> {
    pub(super) fn fill(&mut self, place: usize, found: Match) {
        self.live[place].done = true;
        let order = &self.live[place];
        let side = order.terms.side;
        let slip = if found.is_maker { 0 } else { self.rules.slippage };
        let mut px = aggressive(side, found.px + side.sign() * product(found.px, slip));
        if let Some(limit) = found.limit.filter(|limit| !within(side, px, *limit)) {
            px = limit;
        }
        let rate = if found.is_maker { self.rules.maker } else { self.rules.taker };
        let mut qty = match order.terms.size {
            Size::Percent(percent) => self.share(place, percent, px, rate),
            Size::Units(_) | Size::OfParent => order.leaves(),
        };
        let is_share = matches!(order.terms.size, Size::Percent(_));
        let against = -side.sign() * self.outcome.position;
        if order.terms.reduce_only {
            qty = qty.min(down(against.max(0), LOT));
        }
        if self.bar().volume == 0 {
            self.not_filled(place);
            return;
        }
        if qty <= 0 {
            self.end(place, Status::Canceled);
            return;
        }
        let wanted = qty;
        if let Some(budget) = self.budget {
            qty = qty.min(down(budget, LOT));
        }
        if order.terms.tif == Tif::Fok && qty < wanted {
            self.end(place, Status::Canceled);
            return;
        }
        if qty == 0 {
            self.not_filled(place);
            return;
        }
        if !self.covers(place, qty, px, rate) {
            self.end(place, Status::Rejected);
            return;
        }
        let order = &mut self.live[place];
        if is_share {
            order.terms.size = Size::Units(wanted);
            order.qty = wanted;
        } else if order.terms.reduce_only {
            // Silent: what it was clipped by is not left to do.
            order.qty = order.cum + wanted;
        }
        self.book(place, qty, px, rate, found);
        let order = &mut self.live[place];
        order.traded += px * qty;
        order.base_px = found.px;
        let is_filled = order.leaves() == 0;
        if is_filled {
            self.end(place, Status::Filled);
        } else {
            self.live[place].lock = self.need(&self.live[place]);
        }
        self.reduce_partners(place, qty, is_filled);
        self.arm_children(place, px, found);
        self.drop_reducers();
        if !is_filled {
            self.not_filled(place);
        }
    }

    /// What becomes of the rest of a market order that the volume did not allow.
    pub(super) fn not_filled(&mut self, place: usize) {
        let order = &self.live[place];
        let is_market = order.is_market || order.terms.kind == Kind::Market;
        let at_once = matches!(order.terms.tif, Tif::Ioc | Tif::Fok);
        if self.live[place].is_working() && (at_once || (is_market && !self.rules.market_carry)) {
            self.end(place, Status::Canceled);
        }
    }

    fn book(&mut self, place: usize, qty: i128, px: i128, rate: i128, found: Match) {
        let order = &mut self.live[place];
        let sign = order.terms.side.sign();
        let notional = product(px, qty);
        // Price, quantity and rate have so few digits that the product is exact.
        let fee = product(notional, rate);
        let position = self.outcome.position;
        if self.rules.is_perp {
            self.outcome.cash -= fee;
            let closed = if position * sign < 0 { qty.min(position.abs()) } else { 0 };
            if closed > 0 {
                let part = rounded(self.cost * closed, position.abs());
                self.cost -= part;
                // Cost is signed like the position.
                self.outcome.cash += -sign * product(px, closed) - part;
            }
            self.cost += sign * product(px, qty - closed);
        } else {
            self.outcome.cash -= sign * notional + fee;
        }
        self.outcome.position += sign * qty;
        order.cum += qty;
        if let Some(budget) = &mut self.budget {
            *budget -= qty;
        }
        let ts = START
            + i64::try_from(self.now).expect("few bars") * HOUR
            + if found.at == Moment::Open { 0 } else { HOUR };
        self.outcome.fills.push(Fill {
            order: order.terms.id.clone(),
            ts,
            side: order.terms.side,
            qty,
            px,
            fee,
            is_maker: found.is_maker,
            rule: found.rule,
        });
    }
}
