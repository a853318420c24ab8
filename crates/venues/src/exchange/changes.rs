//! Changes: cancels and replaces that reach the venue.

use std::sync::Arc;

use model::instrument::InstrumentIx;
use model::order::{Order, OrderStatus, RefusalCode, Size};
use model::time::UtcMillis;

use super::Exchange;
use super::book::ChangeKind;
use super::resting::Stage;
use model::handshake::VenueReport;
use model::interface::{Desk, Stopped};

impl Exchange {
    /// Carries out the changes that are there at a real bar that opens at `open`, oldest first.
    ///
    /// Orders that replaces have sent to the end of the queue are pushed to `queue`.
    pub(super) fn apply_changes(
        &mut self,
        place: InstrumentIx,
        open: UtcMillis,
        queue: &mut Vec<u64>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let changes = std::mem::take(&mut self.books[place.index()].changes);
        for mut change in changes {
            if !change.arrival.is_due(open) {
                self.books[place.index()].changes.push(change);
                continue;
            }
            let Some(&seq) = self.places.get(&change.order_id) else { continue };
            match change.kind {
                ChangeKind::Cancel(code) => {
                    let is_own = code == RefusalCode::Canceled;
                    let why = if is_own { "canceled by its strategy" } else { "canceled" };
                    let why = (code, why.to_owned());
                    self.end(seq, OrderStatus::Canceled, Some(why), desk)?;
                }
                ChangeKind::Replace(order) => {
                    self.exchange_terms(seq, &order, open, queue, desk)?;
                }
            }
        }
        Ok(())
    }

    /// Gives an order new terms. It keeps its place only if nothing but its quantity got smaller;
    /// one that is to be no larger than what has filled is done.
    fn exchange_terms(
        &mut self,
        seq: u64,
        terms: &Order,
        open: UtcMillis,
        queue: &mut Vec<u64>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let resting = &self.orders[&seq];
        let (old, cum_qty) = (Arc::clone(&resting.order), resting.cum_qty);
        // The links are those of the order; what was exchanged are its terms.
        let terms = Order {
            exits: old.exits,
            origin: old.origin,
            parent: old.parent,
            reduce_only: old.reduce_only || terms.reduce_only,
            oco_group: old.oco_group,
            client_order_id: old.client_order_id.clone(),
            ts_decided: old.ts_decided,
            ..terms.clone()
        };
        if let Size::Units(quantity) = terms.size
            && quantity <= cum_qty
        {
            let resting = self.orders.get_mut(&seq).expect("a working order");
            resting.order_qty = Some(cum_qty);
            return self.end(seq, OrderStatus::Filled, None, desk);
        }
        let shrinks =
            matches!((terms.size, old.size), (Size::Units(new), Size::Units(old)) if new <= old);
        let same = Order { size: old.size, ts_eligible: old.ts_eligible, ..terms.clone() } == *old;
        let lot = self.lot(terms.instrument);
        if shrinks && same || resting.stage == Stage::Dormant {
            let book = &mut self.books[terms.instrument.index()];
            if resting.stage == Stage::Dormant {
                book.expiries.retain(|(_, expiring)| *expiring != seq);
                book.expiries.extend(terms.expire_at.map(|last| (last, seq)));
            }
            let resting = self.orders.get_mut(&seq).expect("a working order");
            resting.order = Arc::new(terms);
            resting.is_replaced = true;
            if resting.stage != Stage::Dormant {
                resting.resize(lot);
            }
            return self.tell_terms(seq, desk);
        }
        let is_working = resting.stage == Stage::Working;
        let expires = terms.expire_at.is_some_and(|last| last < open.after(self.settings.interval));
        let moved = self.requeue(seq, terms);
        self.tell_terms(moved, desk)?;
        if is_working && expires {
            return self.expire(moved, desk);
        }
        if is_working {
            queue.push(moved);
        }
        Ok(())
    }

    /// Moves an order behind all others, with new terms and what it has filled so far.
    fn requeue(&mut self, seq: u64, terms: Order) -> u64 {
        let old = self.remove(seq).expect("a working order");
        let (is_working, lot) = (old.stage == Stage::Working, self.lot(terms.instrument));
        let stage = if is_working { Stage::Dormant } else { old.stage };
        let moved = self.enter(Arc::new(terms), old.last_px, stage);
        let resting = self.orders.get_mut(&moved).expect("just entered");
        (resting.cum_qty, resting.avg_px) = (old.cum_qty, old.avg_px);
        (resting.parent_filled, resting.given_up) = (old.parent_filled, old.given_up);
        (resting.extreme, resting.lock, resting.loops) = (old.extreme, old.lock, old.loops);
        resting.is_replaced = true;
        resting.resize(lot);
        if is_working {
            self.arrive(moved);
            self.hold(moved);
        }
        moved
    }

    /// Says what the terms of an order are now, and holds back what they need.
    fn tell_terms(&mut self, seq: u64, desk: &mut dyn Desk) -> Result<(), Stopped> {
        let update = self.orders[&seq].update_with_terms();
        desk.take(VenueReport::Update(Arc::new(update)))?;
        self.relock(seq, desk)
    }
}
