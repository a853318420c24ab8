//! The open of a bar: market orders, gaps, and limits that are new.

use super::order::{Match, Moment};
use super::rounding::within;
use super::{Book, Status};
use crate::properties::scenario::{Kind, Tif};

impl Book<'_> {
    pub(super) fn open_phase(&mut self) {
        let mut place = 0;
        while place < self.live.len() {
            self.at_open(place);
            place += 1;
        }
    }

    fn at_open(&mut self, place: usize) {
        let bar = self.bar();
        let order = &self.live[place];
        if !order.is_working() || order.done || order.is_fresh {
            return;
        }
        let (side, first) = (order.terms.side, order.is_new);
        let trades = bar.volume > 0;
        let at_open = |px, is_maker, rule, limit| Match {
            px,
            is_maker,
            rule,
            limit,
            at: Moment::Open,
            place: (0, 0),
        };
        if order.is_market || order.terms.kind == Kind::Market {
            let rule = "market_open";
            self.fill(place, at_open(bar.open, false, rule, None));
            return;
        }
        if let Some(stop) = order.stop_level() {
            if !trades || !within(side, stop, bar.open) {
                if matches!(order.terms.tif, Tif::Ioc | Tif::Fok) {
                    self.end(place, Status::Canceled);
                }
                return;
            }
            let rule = order.names()[1];
            let limit = order.terms.price;
            if order.terms.kind == Kind::StopLimit {
                self.live[place].triggered = true;
                if !within(side, bar.open, limit.expect("a stop-limit has both")) {
                    self.not_filled(place);
                    return;
                }
            } else {
                self.live[place].is_market = true;
            }
            self.fill(place, at_open(bar.open, false, rule, limit));
            return;
        }
        let limit = order.resting().expect("an order rests or waits for its stop");
        if first && within(side, bar.open, limit) {
            if order.terms.post_only {
                self.end(place, Status::Rejected);
            } else {
                self.fill(place, at_open(bar.open, false, "limit_open", Some(limit)));
            }
        } else if first && matches!(order.terms.tif, Tif::Ioc | Tif::Fok) {
            self.end(place, Status::Canceled);
        } else if trades && !first && within(side, bar.open, limit) && bar.open != limit {
            let px = if self.rules.conservative_gaps { limit } else { bar.open };
            self.fill(place, at_open(px, true, "limit_gap", Some(limit)));
        }
    }
}
