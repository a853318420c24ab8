//! What the means allow: cash and base that are free, what an order holds back, and shares of them.

use super::Book;
use super::order::{Live, Phase};
use super::rounding::{down, product};
use crate::properties::scenario::{BPS, Kind, LOT, ONE, Side, Trail};

impl Book<'_> {
    /// What is left of cash, or of base for a sale, after what others hold back: all for the gate,
    /// at the venue those that it has.
    pub(super) fn free(&self, side: Side, at_venue: Option<usize>) -> i128 {
        if self.rules.is_perp {
            return i128::MAX;
        }
        let counts = |order: &&Live| {
            order.terms.side == side
                && !matches!(order.phase, Phase::Ended(_))
                && at_venue.is_none_or(|own| order.seq != own && order.is_working())
        };
        let held: i128 = self.live.iter().filter(counts).map(|order| order.lock).sum();
        let all = if side == Side::Buy { self.outcome.cash } else { self.outcome.position };
        all - held
    }

    /// Rule 8 for spot orders; perpetuals have ample margin.
    pub(super) fn need(&self, order: &Live) -> i128 {
        let terms = &order.terms;
        // Silent: what only reduces needs nothing of its own. A stop-limit is reckoned at its limit.
        if self.rules.is_perp || terms.reduce_only || terms.parent.is_some() {
            return 0;
        }
        if terms.side == Side::Sell {
            return order.leaves();
        }
        let last = order.last;
        let (px, rate, buffer) = match (terms.kind, terms.price, terms.stop) {
            (Kind::Limit, Some(price), _) if price < last => (price, self.rules.maker, false),
            (Kind::Limit | Kind::StopLimit, Some(price), _) => (price, self.rules.taker, false),
            (Kind::Stop, _, Some(stop)) => (stop.max(last), self.rules.taker, true),
            (Kind::Trailing, ..) => {
                let distance = match terms.trail.expect("a trailing order follows") {
                    Trail::By(distance) => distance,
                    Trail::Bps(bps) => product(last, bps),
                };
                (last + distance, self.rules.taker, true)
            }
            _ => (last, self.rules.taker, true),
        };
        let cost = product(px, order.leaves()) + product(product(px, order.leaves()), rate);
        if buffer { product(cost, ONE + 5 * BPS) } else { cost }
    }

    /// Lots that a share of free cash pays for, or a share of what is held.
    pub(super) fn share(&self, place: usize, percent: i128, px: i128, rate: i128) -> i128 {
        let side = self.live[place].terms.side;
        let free = self.free(side, Some(place));
        if side == Side::Sell {
            return down((self.outcome.position * percent / 100).min(free), LOT);
        }
        let budget = free * percent / 100;
        let cost = |qty: i128| product(px, qty) + product(product(px, qty), rate);
        let mut qty = down(budget * ONE / (px + product(px, rate)), LOT);
        while cost(qty) > budget {
            qty -= LOT;
        }
        while cost(qty + LOT) <= budget {
            qty += LOT;
        }
        qty
    }

    /// Whether cash or base that nothing else holds back covers a fill.
    pub(super) fn covers(&self, place: usize, qty: i128, px: i128, rate: i128) -> bool {
        let side = self.live[place].terms.side;
        let notional = product(px, qty);
        let need = if side == Side::Buy { notional + product(notional, rate) } else { qty };
        need <= self.free(side, Some(place))
    }
}
