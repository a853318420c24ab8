//! The open of a bar: what reaches the venue, and what fills at once (10 §12.2).

use std::sync::Arc;

use model::fill::{Liquidity, PriceRule};
use model::frame::Frame;
use model::instrument::InstrumentIx;
use model::money::Price;
use model::order::{Order, OrderId, OrderSide, OrderStatus, OrderType, RefusalCode, TimeInForce};
use model::time::UtcMillis;

use super::book::fills;
use super::filling::Offer;
use super::ladder::Rung;
use super::resting::{Behaviour, Stage};
use super::{Exchange, Moment, Step, is_eligible, price_of};
use crate::books::VenueBooks;
use model::interface::{Desk, Stopped};

/// An order that is due at the open of a bar.
#[derive(Clone, Debug)]
pub struct Due {
    /// Its place among all orders.
    pub seq: u64,
    /// Its terms, if it has just come and is to be submitted; else it waits at the venue.
    pub sent: Option<Arc<Order>>,
    /// Whether an emergency plan wants it: it is worked before all others.
    pub is_emergency: bool,
}

impl Exchange {
    /// Begins a frame: what has come to the venue is there, and what is due at the open is listed,
    /// oldest order first, over all instruments; those of emergency plans before all others.
    ///
    /// # Errors
    ///
    /// The desk has stopped.
    pub fn begin_open(&mut self, frame: &Frame, desk: &mut dyn Desk) -> Result<Vec<Due>, Stopped> {
        self.session.clear();
        self.now = frame.ts().before(self.settings.interval);
        if self.accounts.read(VenueBooks::holds_perps) {
            self.session.frame = Some(frame.clone());
            self.liquidate_at_open(frame, desk)?;
        }
        if self.orders.is_empty() {
            return Ok(Vec::new());
        }
        if !self.awake(frame) {
            return Ok(Vec::new());
        }
        self.session.frame = Some(frame.clone());
        let mut queue = std::mem::take(&mut self.session.queue);
        queue.clear();
        for at in 0..self.session.awake.len() {
            self.collect(self.session.awake[at], frame, self.now, &mut queue, desk)?;
        }
        queue.sort_unstable();
        queue.dedup();
        let mut dues = Vec::with_capacity(queue.len());
        dues.extend(queue.iter().filter_map(|seq| self.due(*seq)));
        dues.sort_by_key(|due| (!due.is_emergency, due.seq));
        self.session.queue = queue;
        Ok(dues)
    }

    fn due(&self, seq: u64) -> Option<Due> {
        let resting = self.orders.get(&seq)?;
        let is_new = resting.loops == 0;
        let is_emergency = resting.order.origin.is_emergency();
        Some(Due { seq, sent: is_new.then(|| Arc::clone(&resting.order)), is_emergency })
    }

    /// Place of the last order that came.
    pub const fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Whether an order has come, or is on its way, and has not ended.
    pub fn has(&self, order_id: OrderId) -> bool {
        self.places.contains_key(&order_id)
    }

    /// Forgets an order that was never submitted; nothing is reported.
    pub fn withdraw(&mut self, order_id: OrderId) {
        if let Some(&seq) = self.places.get(&order_id) {
            self.remove(seq);
        }
    }

    /// What an order that was sent does at the open.
    ///
    /// # Errors
    ///
    /// The desk has stopped.
    pub fn execute(&mut self, order_id: OrderId, desk: &mut dyn Desk) -> Result<(), Stopped> {
        let Some(&seq) = self.places.get(&order_id) else { return Ok(()) };
        self.work(seq, desk)?;
        // Whatever it waits for, the venue says that it has it.
        self.answer_rest(seq, self.now, desk)
    }

    /// What an order that waits at the venue does at the open.
    ///
    /// # Errors
    ///
    /// The desk has stopped.
    pub fn work(&mut self, seq: u64, desk: &mut dyn Desk) -> Result<(), Stopped> {
        self.hold(seq);
        // One that a rival has left with nothing waits for its parent to fill more.
        let Some(resting) = self.orders.get(&seq).filter(|resting| !resting.is_done()) else {
            return Ok(());
        };
        let Some(frame) = self.session.frame.clone() else { return Ok(()) };
        let bar = &frame.bars()[resting.order.instrument.index()];
        let moment = Moment { bar, step: Step::Open, ts: self.now };
        self.meet_open(seq, moment, desk)
    }

    /// Changes first, then arrivals, then what waits for this open.
    fn collect(
        &mut self,
        place: InstrumentIx,
        frame: &Frame,
        open: UtcMillis,
        queue: &mut Vec<u64>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let bar = &frame.bars()[place.index()];
        if !is_eligible(bar) {
            return Ok(());
        }
        self.open_budget(place, frame);
        self.apply_changes(place, open, queue, desk)?;
        let traveling = std::mem::take(&mut self.books[place.index()].traveling);
        for seq in traveling {
            let Some(resting) = self.orders.get_mut(&seq) else { continue };
            let Stage::Traveling(arrival) = &mut resting.stage else { continue };
            if !arrival.is_due(open) {
                self.books[place.index()].traveling.push(seq);
                continue;
            }
            let expires = resting.order.expire_at.is_some_and(|last| last < frame.ts());
            self.arrive(seq);
            if expires {
                self.expire(seq, desk)?;
            } else {
                queue.push(seq);
            }
        }
        let book = &mut self.books[place.index()];
        queue.append(&mut book.takers);
        if fills(bar) {
            self.collect_gaps(place, price_of(bar.open), queue);
        }
        Ok(())
    }

    /// What the bar of a frame may fill, once for all of its steps.
    pub(super) fn open_budget(&mut self, place: InstrumentIx, frame: &Frame) {
        let book = &mut self.books[place.index()];
        if book.budget_ts != Some(frame.ts()) {
            let (instrument, bar) =
                (self.instruments.instrument(place), &frame.bars()[place.index()]);
            book.budget = self.settings.models.participation.budget(instrument, bar);
            book.budget_ts = Some(frame.ts());
        }
    }

    /// Resting orders that the open has reached or jumped over.
    pub(super) fn collect_gaps(&self, place: InstrumentIx, open: Price, queue: &mut Vec<u64>) {
        let book = self.book_of(place);
        let jumped = |(price, seq): &Rung| {
            let resting = &self.orders[seq];
            match resting.behaviour() {
                Behaviour::Limits(_) => is_jumped(resting.order.side, open, *price),
                Behaviour::Stops(_) | Behaviour::StopsThenLimits(..) | Behaviour::Takes => true,
            }
        };
        let reached = book.up.reached(open).into_iter().chain(book.down.reached(open));
        queue.extend(reached.filter(jumped).map(|(_, seq)| seq));
    }

    /// What an order does at an open.
    pub(super) fn meet_open(
        &mut self,
        seq: u64,
        moment: Moment<'_>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let resting = &self.orders[&seq];
        let (side, is_resting) = (resting.order.side, resting.rung.is_some());
        let is_trailing = resting.order.order_type() == OrderType::Trailing;
        let open = price_of(moment.bar.open);
        let taker = Liquidity::Taker;
        match resting.behaviour() {
            Behaviour::Takes => {
                let rule = PriceRule::MarketOpen;
                self.take(
                    seq,
                    Offer { px: open, limit: None, rule, liquidity: taker },
                    moment,
                    desk,
                )
            }
            // A fill of its parent may have moved an exit since it was collected.
            Behaviour::Limits(price) if is_resting && !is_jumped(side, open, price) => Ok(()),
            Behaviour::Limits(price) if is_resting => {
                let px = if self.settings.rules.conservative_gaps { price } else { open };
                let (rule, liquidity) = (PriceRule::LimitGap, Liquidity::Maker);
                self.take(seq, Offer { px, limit: Some(price), rule, liquidity }, moment, desk)
            }
            Behaviour::Limits(price) => {
                let rule = PriceRule::LimitOpen;
                self.meet_limit(
                    seq,
                    Offer { px: open, limit: Some(price), rule, liquidity: taker },
                    moment,
                    desk,
                )
            }
            Behaviour::Stops(level) if fills(moment.bar) && is_beyond(side, open, level) => {
                let rule = if is_trailing { PriceRule::TrailingGap } else { PriceRule::StopGap };
                self.trigger(seq);
                self.take(
                    seq,
                    Offer { px: open, limit: None, rule, liquidity: taker },
                    moment,
                    desk,
                )
            }
            Behaviour::StopsThenLimits(level, price)
                if fills(moment.bar) && is_beyond(side, open, level) =>
            {
                let rule = PriceRule::StopLimitGap;
                self.trigger(seq);
                self.meet_limit(
                    seq,
                    Offer { px: open, limit: Some(price), rule, liquidity: taker },
                    moment,
                    desk,
                )
            }
            Behaviour::Stops(_) | Behaviour::StopsThenLimits(..) => {
                self.rest_or_cancel(seq, moment, desk)
            }
        }
    }

    /// A limit order that comes to the market: takes if it can, else rests.
    pub(super) fn meet_limit(
        &mut self,
        seq: u64,
        offer: Offer,
        moment: Moment<'_>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let order = &self.orders[&seq].order;
        let is_marketable = offer.limit.is_none_or(|limit| order.side.accepts(offer.px, limit));
        if !is_marketable {
            return self.rest_or_cancel(seq, moment, desk);
        }
        if order.post_only {
            let detail = format!("would take at {}", offer.px.value());
            let why = (RefusalCode::VenuePostOnly, detail);
            return self.end(seq, OrderStatus::Rejected, Some(why), desk);
        }
        self.take(seq, offer, moment, desk)
    }

    /// A stop has been reached: from now on it is a market or a limit order.
    pub(super) fn trigger(&mut self, seq: u64) {
        self.unrest(seq);
        if let Some(resting) = self.orders.get_mut(&seq) {
            resting.is_triggered = true;
        }
    }

    /// What an order does that could not fill (any more) at this step.
    pub(super) fn rest_or_cancel(
        &mut self,
        seq: u64,
        moment: Moment<'_>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let Some(resting) = self.orders.get(&seq).filter(|resting| !resting.is_done()) else {
            return Ok(());
        };
        let (tif, is_taker) = (resting.order.tif, resting.behaviour() == Behaviour::Takes);
        let code = match (moment.step, tif) {
            (Step::Open | Step::Close, TimeInForce::Ioc) => RefusalCode::Immediate,
            (Step::Open | Step::Close, TimeInForce::Fok) => RefusalCode::FillOrKill,
            _ if is_taker && !self.settings.rules.market_carry => RefusalCode::NotCarried,
            _ => {
                if resting.rung.is_none() {
                    self.rest(seq);
                }
                return self.answer_rest(seq, moment.ts, desk);
            }
        };
        let left = self.leaves_of(seq).0.normalize();
        let detail = format!("{left} not filled at {}", moment.ts);
        self.end(seq, OrderStatus::Canceled, Some((code, detail)), desk)
    }
}

/// Whether an open lies beyond the price of a limit order.
fn is_jumped(side: OrderSide, open: Price, limit: Price) -> bool {
    match side {
        OrderSide::Buy => open < limit,
        OrderSide::Sell => open > limit,
    }
}

/// Whether a price has reached a trigger.
pub(super) fn is_beyond(side: OrderSide, px: Price, level: Price) -> bool {
    match side {
        OrderSide::Buy => px >= level,
        OrderSide::Sell => px <= level,
    }
}
