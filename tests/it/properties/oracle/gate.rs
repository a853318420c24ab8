//! The gate: what a decision becomes, and which orders are denied.

use super::order::{Live, Moment, Phase};
use super::rounding::passive;
use super::{Book, Status};
use crate::properties::scenario::{Kind, Level, Order, Request, Size, Tif};
use crate::tables::HOUR;

impl Book<'_> {
    pub(super) fn decide(&mut self, request: &Request) {
        match request {
            Request::Cancel { id, .. } => self.cancels.push((self.first_bar(), id.clone())),
            Request::Submit(order) => self.submit(order),
        }
    }

    fn submit(&mut self, order: &Order) {
        let mut terms = order.clone();
        let is_known = |id: &String| {
            let mut known = self.live.iter();
            known.any(|order| order.terms.id == *id && !matches!(order.phase, Phase::Ended(_)))
        };
        // Silent: a child of an order that was refused or has ended is denied.
        let is_orphan = terms.parent.as_ref().is_some_and(|parent| !is_known(parent));
        if is_orphan || self.is_denied(&mut terms) {
            self.outcome.orders.insert(order.id.clone(), (Status::Denied, 0));
            return;
        }
        // Children that close what the parent opens only reduce (12.4).
        terms.reduce_only |= terms.parent.is_some();
        let seq = self.live.len();
        let phase =
            if terms.parent.is_some() { Phase::Waiting } else { Phase::Sent(self.first_bar()) };
        let qty = match terms.size {
            Size::Units(units) => units,
            Size::Percent(_) | Size::OfParent => 0,
        };
        let exits = [("-sl", terms.stop_loss), ("-tp", terms.take_profit)];
        let blank = Live {
            terms,
            seq,
            phase,
            qty,
            cum: 0,
            is_new: true,
            triggered: false,
            is_market: false,
            best: self.bar().close,
            since: Moment::Open,
            place: (0, 0),
            done: false,
            is_fresh: false,
            given_up: 0,
            traded: 0,
            base_px: 0,
            last: self.bar().close,
            lock: 0,
            level: None,
        };
        let need = self.need(&blank);
        if !blank.is_unresolved() && need > 0 && need > self.free(blank.terms.side, None) {
            self.outcome.orders.insert(order.id.clone(), (Status::Denied, 0));
            return;
        }
        self.live
            .push(Live { lock: if blank.is_unresolved() { 0 } else { need }, ..blank.clone() });
        for (suffix, level) in exits {
            let Some(level) = level else { continue };
            let id = format!("{}{suffix}", order.id);
            let mut exit = Order::market(&id, self.now, order.side.other(), Size::OfParent);
            exit.kind = if suffix == "-tp" { Kind::Limit } else { Kind::Stop };
            exit.reduce_only = true;
            exit.parent = Some(order.id.clone());
            let seq = self.live.len();
            let exit = Live {
                terms: exit,
                seq,
                phase: Phase::Waiting,
                qty: 0,
                level: Some(level),
                ..blank.clone()
            };
            self.live.push(exit);
        }
    }

    /// Rounds to tick and lot (D85), then applies the rules of 02 §3.1 that scenarios can break.
    fn is_denied(&self, terms: &mut Order) -> bool {
        let side = terms.side;
        let position = self.outcome.position;
        terms.price = terms.price.map(|px| passive(side, px));
        terms.stop = terms.stop.map(|px| passive(side, px));
        let closes = self.opens_at() + HOUR;
        if let Tif::Gtd(until) = terms.tif
            && until <= closes
        {
            return true;
        }
        if terms.reduce_only && terms.parent.is_none() {
            if position * side.sign() >= 0 {
                return true;
            }
            if let Size::Units(units) = &mut terms.size {
                *units = (*units).min(position.abs());
            }
        }
        if terms.take_profit.is_none() && terms.stop_loss.is_none() {
            return false;
        }
        // Rule 11; silent on an order that turns a position round: it opens one.
        let after = match terms.size {
            Size::Units(units) => position * side.sign() + units,
            Size::Percent(_) | Size::OfParent => position * side.sign() + 1,
        };
        // Rule 5; silent on the reference: the limit, else the stop, else the last close.
        let reference = terms.price.or(terms.stop).unwrap_or(self.bar().close);
        let wrong = |level: Option<Level>, sign: i128| match level {
            None => false,
            Some(Level::Price(px)) => sign * (px - reference) <= 0,
            Some(Level::Offset(distance)) => sign * distance <= 0,
            Some(Level::Bps(bps)) => bps <= 0,
        };
        after <= 0 || wrong(terms.take_profit, side.sign()) || wrong(terms.stop_loss, -side.sign())
    }
}
