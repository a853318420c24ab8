//! The ends of orders: by their time in force, along with their parent, and what the run leaves.

use super::order::{Moment, Phase};
use super::{Book, Outcome, Status};
use crate::properties::scenario::{Kind, Side};
use crate::tables::HOUR;

impl Book<'_> {
    /// Orders of which no bar qualifies end at their first one.
    pub(super) fn expire_unmatched(&mut self) {
        for place in 0..self.live.len() {
            let order = &self.live[place];
            let closes = self.opens_at() + HOUR;
            if order.is_working() && order.until().is_some_and(|until| closes > until) {
                self.end(place, Status::Expired);
            }
        }
    }

    pub(super) fn close_phase(&mut self) {
        let (bar, next) = (self.bar(), self.opens_at() + 2 * HOUR);
        for place in 0..self.live.len() {
            let order = &mut self.live[place];
            if !order.is_working() {
                continue;
            }
            if order.terms.kind == Kind::Trailing && bar.volume > 0 {
                // Silent: of the bar inside which it was armed only the close surely came later.
                let is_late = order.since != Moment::Open;
                order.best = match order.terms.side {
                    Side::Sell => order.best.max(if is_late { bar.close } else { bar.high }),
                    Side::Buy => order.best.min(if is_late { bar.close } else { bar.low }),
                };
            }
            order.is_new = false;
            let order = &self.live[place];
            if order.until().is_some_and(|until| next > until) {
                self.end(place, Status::Expired);
            }
        }
    }

    pub(super) fn end(&mut self, place: usize, status: Status) {
        let order = &mut self.live[place];
        if matches!(order.phase, Phase::Ended(_)) {
            return;
        }
        order.phase = Phase::Ended(status);
        if order.cum > 0 {
            return;
        }
        let id = order.terms.id.clone();
        for child in 0..self.live.len() {
            if self.live[child].terms.parent.as_deref() == Some(&id) {
                self.end(child, Status::Canceled);
            }
        }
    }

    pub(super) fn finish(mut self) -> Outcome {
        for order in self.live {
            let status = match order.phase {
                Phase::Ended(status) => status,
                Phase::Waiting | Phase::Sent(_) | Phase::Working if order.cum == 0 => {
                    Status::Accepted
                }
                Phase::Waiting | Phase::Sent(_) | Phase::Working => Status::PartiallyFilled,
            };
            self.outcome.orders.insert(order.terms.id, (status, order.cum));
        }
        self.outcome
    }
}
