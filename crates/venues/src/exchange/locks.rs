//! Locks: what orders at the venue hold back of balances.

use model::Decimal;
use model::instrument::{InstrumentIx, KeyIx};
use model::money::Quantity;
use model::snapshot::Reservation;

use super::Exchange;
use super::resting::Resting;
use crate::requirement::{Draw, Funding, draws_on};
use model::handshake::VenueReport;
use model::interface::{Desk, Stopped};

impl Exchange {
    /// What an order has to hold back now: its need, less what the others of its group hold, since
    /// only one of them will fill.
    pub(super) fn need_of(&self, seq: u64) -> Reservation {
        let resting = &self.orders[&seq];
        let order = &*resting.order;
        let instrument = self.instruments.instrument(order.instrument);
        let key = match draws_on(instrument, order.side) {
            Draw::Cash => self.instruments.cash_key(order.instrument),
            Draw::Base => self.instruments.base_key(order.instrument),
        };
        let Some(leaves) = resting.leaves() else {
            return Reservation { key, amount: Decimal::ZERO };
        };
        let funding = Funding {
            order,
            leaves,
            instrument,
            last_px: resting.last_px,
            position: self.held(order.instrument),
            fees: &*self.settings.models.fees[order.instrument.index()],
            ts: order.ts_decided,
        };
        let need = funding.need();
        let held = self.held_by_group(seq, key);
        Reservation { key, amount: (need - held).max(Decimal::ZERO) }
    }

    /// What the other orders of its group hold back of a balance.
    fn held_by_group(&self, seq: u64, key: KeyIx) -> Decimal {
        let group = self.orders[&seq].order.oco_group;
        let members = group.and_then(|group| self.groups.get(&group));
        let others = members.into_iter().flatten().filter(|member| **member != seq);
        let locks = others.filter_map(|member| self.orders.get(member)).map(|other| other.lock);
        locks.filter(|lock| lock.key == key).map(|lock| lock.amount).sum()
    }

    /// What an order may spend of a balance: all that other orders at the venue do not hold back.
    pub(super) fn available(&self, seq: u64, key: KeyIx) -> Decimal {
        let own = &self.orders[&seq];
        let free = self.accounts.read(|books| books.free(key));
        let mut available = free - self.locked[key.index()];
        let counts = |order: &Resting| {
            if order.is_holding && order.lock.key == key {
                order.lock.amount
            } else {
                Decimal::ZERO
            }
        };
        available += counts(own);
        let group = own.order.oco_group.and_then(|group| self.groups.get(&group));
        for member in group.into_iter().flatten().filter(|member| **member != seq) {
            available += self.orders.get(member).map_or(Decimal::ZERO, counts);
        }
        let balance = self.accounts.read(|books| books.balance(key));
        if free > balance && !self.is_perpetual(own) {
            // What open positions have gained is margin and not money: nobody is paid with it.
            available = available.min(balance - self.locked_by_spot(own, key));
        }
        available
    }

    /// From now on an order holds back what it needs.
    pub(super) fn hold(&mut self, seq: u64) {
        if let Some(resting) = self.orders.get_mut(&seq).filter(|resting| !resting.is_holding) {
            resting.is_holding = true;
            self.locked[resting.lock.key.index()] += resting.lock.amount;
        }
    }

    /// What spot orders at the venue hold back of a balance, but for an order and its group.
    fn locked_by_spot(&self, own: &Resting, key: KeyIx) -> Decimal {
        let is_own = |other: &Resting| {
            other.order.order_id == own.order.order_id
                || own.order.oco_group.is_some() && other.order.oco_group == own.order.oco_group
        };
        let others = self
            .orders
            .values()
            .filter(|other| other.is_holding && other.lock.key == key && !is_own(other));
        others.filter(|other| !self.is_perpetual(other)).map(|other| other.lock.amount).sum()
    }

    /// Units held that an order in an instrument can close: on spot the balance of its base,
    /// whichever instrument it was bought in, else the position.
    pub(super) fn held(&self, place: InstrumentIx) -> Quantity {
        self.accounts.read(|books| books.closable(place))
    }

    fn is_perpetual(&self, resting: &Resting) -> bool {
        self.instruments.instrument(resting.order.instrument).is_perpetual()
    }

    /// Holds back as much as an order needs now.
    pub(super) fn relock(&mut self, seq: u64, desk: &mut dyn Desk) -> Result<(), Stopped> {
        if !self.orders.contains_key(&seq) {
            return Ok(());
        }
        let needed = self.need_of(seq);
        let Some(resting) = self.orders.get_mut(&seq) else { return Ok(()) };
        if resting.lock == needed {
            return Ok(());
        }
        if resting.is_holding {
            self.locked[resting.lock.key.index()] -= resting.lock.amount;
            self.locked[needed.key.index()] += needed.amount;
        }
        resting.lock = needed;
        let order_id = resting.order.order_id;
        desk.take(VenueReport::Locked { order_id, reserved: needed })
    }

    /// Units of an order that may still fill; zero while a share is not resolved.
    pub(super) fn leaves_of(&self, seq: u64) -> Quantity {
        self.orders.get(&seq).and_then(Resting::leaves).unwrap_or(Quantity::ZERO)
    }
}
