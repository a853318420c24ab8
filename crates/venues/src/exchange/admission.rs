//! Admission: how an order comes to the exchange.

use std::sync::Arc;

use model::handshake::{HandshakeStatus, VenueReport};
use model::instrument::InstrumentIx;
use model::interface::{Desk, Stopped};
use model::money::{Price, Quantity};
use model::numeric::float_of;
use model::order::{
    CancelOrder, Exit, Exits, Order, OrderId, OrderStatus, OrderUpdate, Origin, Pricing, Refusal,
    RefusalCode, Size, TimeInForce,
};
use model::snapshot::Reservation;
use model::time::UtcMillis;

use super::Exchange;
use super::book::{Change, ChangeKind, Trailer};
use super::client_ids::Identity;
use super::resting::{Arrival, Resting, Stage};
use crate::latency::OrderDraw;

impl Exchange {
    /// Takes an order that was decided at the last frame, whose close of its instrument was
    /// `last_px`; what it may need, if it is on its way now.
    ///
    /// The same client id with the same terms is acknowledged again and nothing else; with other
    /// terms the order is rejected.
    ///
    /// # Errors
    ///
    /// The desk has stopped.
    pub fn send(
        &mut self,
        order: &Arc<Order>,
        last_px: Price,
        desk: &mut dyn Desk,
    ) -> Result<Option<Reservation>, Stopped> {
        match self.clients.identify(order) {
            Identity::New => {}
            Identity::Repeats(first) => {
                desk.take(VenueReport::Update(Arc::new(self.repeated(order, first))))?;
                return Ok(None);
            }
            Identity::Taken(_) => return self.refuse_name(order, last_px, desk).map(|()| None),
        }
        let filled = self.filled_of(order.parent);
        let stage = if order.parent.is_some() && filled.is_none() {
            Stage::Dormant
        } else {
            Stage::Traveling(self.arrival(order.order_id, order.ts_eligible))
        };
        let seq = self.enter(Arc::clone(order), last_px, stage);
        let lot = self.lot(order.instrument);
        if let (Some(_), Some(child)) = (filled, self.orders.get_mut(&seq)) {
            child.parent_filled = filled;
            child.resize(lot);
        }
        self.enter_exits(order, last_px);
        let lock = self.need_of(seq);
        if let Some(resting) = self.orders.get_mut(&seq) {
            resting.lock = lock;
        }
        Ok(Some(lock))
    }

    /// Another order has its name.
    fn refuse_name(
        &self,
        order: &Arc<Order>,
        last_px: Price,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let name = order.client_order_id.as_deref().unwrap_or_default();
        let detail = format!("`{name}` names another order with other terms");
        let refusal = Refusal::new(RefusalCode::VenueClientId, detail);
        let lock = self.no_lock(order);
        let mut refused = Resting::new(Arc::clone(order), last_px, Stage::Dormant, lock);
        let why = Some(refusal.clone());
        let answer = refused.answer(HandshakeStatus::Rejected, why, order.ts_eligible);
        desk.take(VenueReport::Handshake(answer))?;
        let update = refused.update(OrderStatus::Rejected, Some(refusal));
        desk.take(VenueReport::Update(Arc::new(update)))
    }

    /// Takes a cancel; it is on its way as long as an order would be.
    pub fn cancel(&mut self, cancel: CancelOrder) {
        self.cancel_because(cancel, RefusalCode::Canceled);
    }

    /// The same for another reason than its strategy's wish.
    pub fn cancel_because(&mut self, cancel: CancelOrder, code: RefusalCode) {
        self.change(cancel.order_id, cancel.ts_decided, ChangeKind::Cancel(code));
    }

    /// Takes new terms of an order; they are on their way as long as an order would be.
    pub fn replace(&mut self, order: &Arc<Order>) {
        let kind = ChangeKind::Replace(Arc::clone(order));
        self.change(order.order_id, order.ts_eligible, kind);
    }

    fn change(&mut self, order_id: OrderId, ts: UtcMillis, kind: ChangeKind) {
        let arrival = self.arrival(order_id, ts);
        let Some(resting) = self.places.get(&order_id).and_then(|seq| self.orders.get(seq)) else {
            // The order has ended in the meantime; there is nothing left to change.
            return;
        };
        let book = &mut self.books[resting.order.instrument.index()];
        book.changes.push(Change { order_id, arrival, kind });
    }

    fn arrival(&self, order_id: OrderId, ts: UtcMillis) -> Arrival {
        let draw = OrderDraw::of(self.settings.seed, order_id);
        let latency = self.settings.models.latency.latency(draw);
        Arrival {
            not_before: UtcMillis::new(ts.millis() + latency.millis),
            bars_left: latency.bars,
        }
    }

    fn repeated(&self, order: &Order, first: OrderId) -> OrderUpdate {
        let known = self.places.get(&first).and_then(|seq| self.orders.get(seq));
        let status = known.map_or(OrderStatus::Accepted, Resting::status);
        OrderUpdate {
            order_id: order.order_id,
            status,
            order_qty: order.size.units(),
            cum_qty: Quantity::ZERO,
            avg_px: None,
            refusal: None,
            terms: None,
            repeats: Some(first),
        }
    }

    /// Gives an order its place among all orders.
    pub(super) fn enter(&mut self, order: Arc<Order>, last_px: Price, stage: Stage) -> u64 {
        self.last_seq += 1;
        let seq = self.last_seq;
        self.places.insert(order.order_id, seq);
        if let Some(group) = order.oco_group {
            self.groups.entry(group).or_default().push(seq);
        }
        if let Some(parent) = order.parent {
            self.children.entry(parent).or_default().push(seq);
        }
        let book = &mut self.books[order.instrument.index()];
        match (stage, order.expire_at) {
            (Stage::Traveling(_), _) => book.traveling.push(seq),
            // Its time runs while it waits for its parent.
            (Stage::Dormant, Some(last)) => {
                book.expiries.insert((last, seq));
            }
            (Stage::Dormant | Stage::Working, _) => {}
        }
        let no_lock = self.no_lock(&order);
        self.orders.insert(seq, Resting::new(order, last_px, stage, no_lock));
        seq
    }

    /// The exits of a bracket are children: a stop and a limit that close what the entry opens.
    fn enter_exits(&mut self, entry: &Order, last_px: Price) {
        let Exits { take_profit, stop_loss } = entry.exits;
        for (exit, is_stop) in [(stop_loss, true), (take_profit, false)] {
            if let Some(exit) = exit {
                let exit = exit_order(entry, exit, is_stop, last_px);
                self.enter(Arc::new(exit), last_px, Stage::Dormant);
            }
        }
    }

    /// The order is at the venue from now on; it holds back nothing until its turn comes.
    pub(super) fn arrive(&mut self, seq: u64) {
        let Some(resting) = self.orders.get_mut(&seq) else { return };
        resting.stage = Stage::Working;
        let order = &resting.order;
        let book = &mut self.books[order.instrument.index()];
        if let Some(last) = order.expire_at {
            book.expiries.insert((last, seq));
        }
        if order.reduce_only {
            book.reducers.push(seq);
        }
        if let Pricing::Trailing { .. } = order.pricing {
            let start = *resting.extreme.get_or_insert(resting.last_px.value());
            let (side, extreme) = (order.side, float_of(start));
            book.trailers.push(Trailer { seq, side, extreme, is_fresh: false });
        }
    }

    /// What a parent has filled so far; `None` without a parent or a fill.
    fn filled_of(&self, parent: Option<OrderId>) -> Option<Quantity> {
        let seq = self.places.get(&parent?)?;
        self.orders.get(seq).map(|parent| parent.cum_qty).filter(|filled| !filled.is_zero())
    }

    fn no_lock(&self, order: &Order) -> Reservation {
        let key = self.instruments.cash_key(order.instrument);
        Reservation { key, amount: model::Decimal::ZERO }
    }

    pub(super) fn book_of(&self, instrument: InstrumentIx) -> &super::book::Book {
        &self.books[instrument.index()]
    }
}

/// The order that an exit becomes; its level is that of an entry at `fill_px`, until there is a fill.
pub(super) fn exit_order(entry: &Order, exit: Exit, is_stop: bool, fill_px: Price) -> Order {
    let level = Price::new(exit.level.at(fill_px.value())).unwrap_or(fill_px);
    let pricing =
        if is_stop { Pricing::Stop { stop_price: level } } else { Pricing::Limit { price: level } };
    Order {
        order_id: exit.order_id,
        client_order_id: None,
        side: entry.side.opposite(),
        pricing,
        tif: TimeInForce::Gtc,
        expire_at: None,
        size: Size::ALL,
        post_only: false,
        reduce_only: true,
        oco_group: None,
        parent: Some(entry.order_id),
        exits: Exits::default(),
        origin: Origin::Strategy,
        ..entry.clone()
    }
}

impl Resting {
    pub(super) fn new(order: Arc<Order>, last_px: Price, stage: Stage, lock: Reservation) -> Self {
        let order_qty = if order.parent.is_some() { None } else { order.size.units() };
        Self {
            order,
            stage,
            order_qty,
            cum_qty: Quantity::ZERO,
            avg_px: None,
            given_up: Quantity::ZERO,
            parent_filled: None,
            is_replaced: false,
            is_triggered: false,
            extreme: None,
            last_px,
            lock,
            is_holding: false,
            loops: 0,
            is_over: false,
            rung: None,
        }
    }
}
