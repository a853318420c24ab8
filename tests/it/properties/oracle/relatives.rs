//! Relatives of an order that filled: partners of its group, children and exits.

use super::order::{Live, Match, Moment, Phase};
use super::rounding::within;
use super::{Book, Status};
use crate::properties::scenario::{BPS, Kind, Level, Side, Size, TICK};
use crate::tables::HOUR;

impl Book<'_> {
    /// A fill of one side reduces the others by as much; a full fill cancels them.
    pub(super) fn reduce_partners(&mut self, place: usize, qty: i128, is_filled: bool) {
        let terms = self.live[place].terms.clone();
        for other in 0..self.live.len() {
            let order = &self.live[other];
            let in_group = terms.oco.is_some() && order.terms.oco == terms.oco;
            // Children of one parent that close it cancel each other.
            let siblings = terms.parent.is_some()
                && order.terms.parent == terms.parent
                && order.terms.side == terms.side;
            if other == place || !(in_group || siblings) || matches!(order.phase, Phase::Ended(_)) {
                continue;
            }
            if is_filled {
                self.end(other, Status::Canceled);
                continue;
            }
            let order = &mut self.live[other];
            if order.is_unresolved() {
                continue;
            }
            order.qty -= qty;
            order.given_up += qty;
            if order.leaves() <= 0 {
                self.end(other, Status::Canceled);
            } else {
                self.live[other].lock = self.need(&self.live[other]);
            }
        }
    }

    /// A fill arms the children, a further one makes them larger; exits lie where the average of the
    /// fills puts them.
    pub(super) fn arm_children(&mut self, parent: usize, px: i128, found: Match) {
        let Live { terms, cum, traded, .. } = self.live[parent].clone();
        let of_it = |order: &Live| {
            order.terms.parent.as_ref() == Some(&terms.id)
                && !matches!(order.phase, Phase::Ended(_))
        };
        let mut children: Vec<usize> =
            (0..self.live.len()).filter(|child| of_it(&self.live[*child])).collect();
        children.sort_by_key(|child| self.live[*child].terms.kind == Kind::Limit);
        for &child in &children {
            let order = &mut self.live[child];
            let wanted = match order.terms.size {
                Size::Units(units) => units.min(cum),
                Size::Percent(_) | Size::OfParent => cum,
            };
            order.qty = wanted - order.given_up;
            if let Some(level) = order.level {
                let level = exit_level(order, level, traded, cum);
                match order.terms.kind {
                    Kind::Limit => order.terms.price = Some(level),
                    Kind::Market | Kind::Stop | Kind::StopLimit | Kind::Trailing => {
                        order.terms.stop = Some(level);
                    }
                }
            }
            if order.phase == Phase::Waiting {
                order.phase = Phase::Working;
                order.best = px;
                order.is_new = false;
                order.is_fresh = true;
                order.since = found.at;
            }
            // Silent on a child that works already and gets larger inside a bar of unknown path: all of
            // it counts as working since it was armed.
            order.place = found.place;
        }
        for child in children {
            self.pass_at_once(child, found);
        }
    }

    /// An exit that the price of the fill which armed it has passed executes there; else it waits for
    /// the rest of the bar. That price is the one before slippage: no fill lies outside the bar.
    fn pass_at_once(&mut self, child: usize, found: Match) {
        let order = &self.live[child];
        if !order.is_working() || order.done || order.is_market {
            return;
        }
        let closes = self.opens_at() + HOUR;
        if order.until().is_some_and(|until| closes > until) {
            self.end(child, Status::Expired);
            return;
        }
        let side = order.terms.side;
        // A resting limit that the open jumped over is hit at its own price; the market is at the open.
        let px = if found.rule == "limit_gap" { self.bar().open } else { found.px };
        let passed = match (order.stop_level(), order.resting()) {
            (Some(stop), _) => within(side, stop, px),
            (None, Some(limit)) => within(side, px, limit),
            (None, None) => false,
        };
        if !passed {
            if found.at != Moment::Open
                && self.is_unknown()
                && let Some(found) = self.possible(order, Some(found.at))
            {
                self.reach(child, found);
            }
            return;
        }
        let limit = order.terms.price;
        if order.terms.kind == Kind::StopLimit {
            self.live[child].triggered = true;
            if !within(side, px, limit.expect("a stop-limit has both")) {
                return;
            }
        } else if order.stop_level().is_some() {
            self.live[child].is_market = true;
        }
        let rule = "exit_passed";
        self.fill(child, Match { px, is_maker: false, rule, limit, ..found });
    }

    /// Exits of a position that is gone are canceled.
    pub(super) fn drop_reducers(&mut self) {
        for place in 0..self.live.len() {
            let order = &self.live[place];
            let is_exit = order.terms.reduce_only && order.is_working();
            if is_exit && -order.terms.side.sign() * self.outcome.position <= 0 {
                self.end(place, Status::Canceled);
            }
        }
    }
}

/// Where an exit lies for fills of `traded` in all, on the tick of the passive side.
fn exit_level(order: &Live, level: Level, traded: i128, cum: i128) -> i128 {
    let side = order.terms.side;
    // Up for the profit of a long and the loss of a short.
    let sign = if order.terms.kind == Kind::Limit { -side.sign() } else { side.sign() };
    // Numerator and denominator of the exact level.
    let (top, bottom) = match level {
        Level::Price(px) => (px, 1),
        Level::Offset(distance) => (traded + distance * cum, cum),
        Level::Bps(bps) => {
            let part = bps / BPS;
            (traded * (10_000 + sign * part), cum * 10_000)
        }
    };
    let step = bottom * TICK;
    if side == Side::Buy { top.div_euclid(step) * TICK } else { -((-top).div_euclid(step)) * TICK }
}
