//! Relations between orders: groups of which one cancels the other, brackets, reduce-only orders.

use std::sync::Arc;

use model::fill::{Liquidity, PriceRule};
use model::instrument::InstrumentIx;
use model::money::{Price, Quantity, ceil_to, floor_to};
use model::order::{Exit, Order, OrderId, OrderSide, OrderStatus, Pricing, RefusalCode};

use super::book::Trailer;
use super::filling::Offer;
use super::opening::is_beyond;
use super::resting::{Behaviour, Resting, Stage};
use super::{Exchange, Moment, Step};
use model::handshake::VenueReport;
use model::interface::{Desk, Stopped};

/// A parent whose fill arms its children.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) order: Arc<Order>,
    /// Units that it has filled so far.
    pub(super) filled: Quantity,
    /// Their average price.
    pub(super) average: Price,
    /// Price of its last fill.
    pub(super) fill_px: Price,
    /// Where the market was then: slippage is not in it, nor is a limit that the open jumped over.
    pub(super) market_px: Price,
    /// Whether its last fill took what came or was come to.
    pub(super) liquidity: Liquidity,
}

impl Exchange {
    /// What depends on an order that has ended.
    pub(super) fn after_end(
        &mut self,
        ended: &Resting,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let order = &ended.order;
        if ended.cum_qty.is_zero() {
            for child in self.children.remove(&order.order_id).unwrap_or_default() {
                let why = (RefusalCode::ParentEnded, "its parent ended without a fill".to_owned());
                self.end(child, OrderStatus::Canceled, Some(why), desk)?;
            }
        }
        if let Some(parent) = order.parent
            && let Some(siblings) = self.children.get_mut(&parent)
        {
            siblings.retain(|sibling| self.orders.contains_key(sibling));
            if siblings.is_empty() {
                self.children.remove(&parent);
            }
        }
        // What it held back for its group is now for the others to hold.
        let members = order.oco_group.and_then(|group| self.groups.get(&group)).cloned();
        for member in members.unwrap_or_default() {
            self.relock(member, desk)?;
        }
        Ok(())
    }

    /// Whether an order is a child whose parent still works. It is not over while the parent may fill
    /// more, for that has to be guarded too: it waits with nothing left.
    pub(super) fn may_grow(&self, child: &Resting) -> bool {
        child.is_below_its_size()
            && child.order.parent.is_some_and(|parent| self.places.contains_key(&parent))
    }

    /// Ends the children of an order that has ended, those of which nothing is left.
    pub(super) fn release_children(
        &mut self,
        ended: &Order,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let Some(children) = self.children.get(&ended.order_id).cloned() else { return Ok(()) };
        for seq in children {
            let Some(child) = self.orders.get(&seq).filter(|child| child.is_done()) else {
                continue;
            };
            if child.cum_qty.is_zero() {
                let why = (RefusalCode::OneCancelsOther, "another of its group filled".to_owned());
                self.end(seq, OrderStatus::Canceled, Some(why), desk)?;
            } else {
                self.end(seq, OrderStatus::Filled, None, desk)?;
            }
        }
        self.cancel_reducers(ended.instrument, desk)
    }

    /// A fill of one order of a group reduces the others, a full fill cancels them. The children of
    /// one parent that close it are such a group too.
    pub(super) fn reduce_group(
        &mut self,
        order: &Order,
        quantity: Quantity,
        is_filled: bool,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        for seq in self.rivals(order) {
            let Some(rival) = self.orders.get(&seq) else { continue };
            let may_grow = self.may_grow(rival);
            let given = rival.leaves().map(|leaves| leaves.min(quantity));
            if is_filled || given == rival.leaves() && given.is_some() && !may_grow {
                let why = (RefusalCode::OneCancelsOther, "another of its group filled".to_owned());
                self.end(seq, OrderStatus::Canceled, Some(why), desk)?;
            } else if let (Some(given), Some(rival)) = (given, self.orders.get_mut(&seq)) {
                rival.order_qty = rival.order_qty.map(|ordered| Quantity(ordered.0 - given.0));
                rival.given_up.0 += given.0;
                let update = rival.update(rival.status(), None);
                if rival.is_done() {
                    self.unrest(seq);
                }
                desk.take(VenueReport::Update(Arc::new(update)))?;
                self.relock(seq, desk)?;
            }
        }
        Ok(())
    }

    /// The orders that a fill of `order` reduces, oldest first.
    fn rivals(&self, order: &Order) -> Vec<u64> {
        let grouped = order.oco_group.and_then(|group| self.groups.get(&group));
        let is_own = |seq: &&u64| {
            self.orders.get(seq).is_none_or(|other| other.order.order_id == order.order_id)
        };
        let mut rivals: Vec<u64> = grouped.into_iter().flatten().copied().collect();
        let siblings = order.parent.and_then(|parent| self.children.get(&parent));
        let closes =
            |seq: &&u64| self.orders.get(seq).is_some_and(|other| other.order.side == order.side);
        if order.reduce_only {
            rivals.extend(siblings.into_iter().flatten().filter(closes));
        }
        rivals.retain(|seq| !is_own(&seq));
        rivals.sort_unstable();
        rivals.dedup();
        rivals
    }

    /// The fill of a parent arms its children, a further one makes them larger (10 §12.4).
    pub(super) fn arm_children(
        &mut self,
        entry: &Entry,
        moment: Moment<'_>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let parent = entry.order.order_id;
        let Some(children) = self.children.get(&parent).cloned() else { return Ok(()) };
        let is_stop = |seq: &u64| {
            let stops = |child: &Resting| {
                matches!(child.behaviour(), Behaviour::Stops(_) | Behaviour::StopsThenLimits(..))
            };
            self.orders.get(seq).is_some_and(stops)
        };
        let (stops, others): (Vec<u64>, Vec<u64>) = children.into_iter().partition(is_stop);
        let children: Vec<u64> = stops.into_iter().chain(others).collect();
        // All are armed before any of them trades: one of them may cancel another.
        for &seq in &children {
            self.arm(seq, entry, moment, desk)?;
        }
        for &seq in &children {
            let meets = |child: &Resting| child.stage == Stage::Working && !child.is_done();
            if self.orders.get(&seq).is_some_and(meets) {
                self.meet_armed(seq, entry, moment, desk)?;
            }
        }
        Ok(())
    }

    /// Gives a child the quantity that its parent has filled, and an exit its level.
    fn arm(
        &mut self,
        seq: u64,
        entry: &Entry,
        moment: Moment<'_>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let Some(child) = self.orders.get(&seq) else { return Ok(()) };
        let was_dormant = child.stage == Stage::Dormant;
        let mut terms = Order::clone(&child.order);
        if let Some((exit, is_stop)) = exit_of(&entry.order, terms.order_id)
            && !child.is_replaced
        {
            let tick = self.instruments.instrument(terms.instrument).tick;
            terms.pricing = exit_pricing(exit, is_stop, terms.side, entry.average, tick);
        }
        self.unrest(seq);
        let lot = self.lot(terms.instrument);
        let child = self.orders.get_mut(&seq).expect("a child that has not ended");
        child.order = Arc::new(terms);
        // One that has been through waits for its level anew.
        child.is_triggered &= !child.is_done();
        child.parent_filled = Some(entry.filled);
        child.resize(lot);
        if was_dormant {
            child.extreme = Some(entry.fill_px.value());
            child.last_px = entry.fill_px;
            self.arrive(seq);
            self.hold(seq);
            let place = self.orders[&seq].order.instrument;
            let own = |trailer: &&mut Trailer| trailer.seq == seq;
            for trailer in self.books[place.index()].trailers.iter_mut().filter(own) {
                trailer.is_fresh = !matches!(moment.step, Step::Open | Step::Close);
            }
        }
        let child = &self.orders[&seq];
        if child.stage == Stage::Working && child.behaviour() != Behaviour::Takes {
            self.rest(seq);
        }
        self.answer_rest(seq, moment.ts, desk)?;
        let update = self.orders[&seq].update_with_terms();
        desk.take(VenueReport::Update(Arc::new(update)))?;
        self.relock(seq, desk)
    }

    /// What an armed child does in the rest of the bar.
    ///
    /// One that is passed already executes at once at the fill price (10 §12.4), which is read as that
    /// before slippage and, for a limit that the open has jumped over, as the open: the exit then fills
    /// inside the bar and slips on its own account.
    fn meet_armed(
        &mut self,
        seq: u64,
        entry: &Entry,
        moment: Moment<'_>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let market_px = entry.market_px;
        let child = &self.orders[&seq];
        let side = child.order.side;
        let passed = match child.behaviour() {
            Behaviour::Takes => {
                self.rest(seq);
                return Ok(());
            }
            Behaviour::Stops(level) => is_beyond(side, market_px, level).then_some(None),
            Behaviour::Limits(price) => side.accepts(market_px, price).then_some(Some(price)),
            Behaviour::StopsThenLimits(level, price) => {
                if is_beyond(side, market_px, level) {
                    self.trigger(seq);
                    let offer = offer_passed(market_px, Some(price));
                    return self.meet_limit(seq, offer, moment, desk);
                }
                None
            }
        };
        if let Some(limit) = passed {
            if limit.is_none() {
                self.trigger(seq);
            }
            return self.take(seq, offer_passed(market_px, limit), moment, desk);
        }
        if moment.step == Step::InsideUnknown {
            self.visit_fresh(seq, entry, moment, desk)?;
        }
        Ok(())
    }

    /// Reduce-only orders end with the position that they were to reduce; children of a parent that
    /// still works wait for what it will open.
    pub(super) fn cancel_reducers(
        &mut self,
        place: InstrumentIx,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        if self.books[place.index()].reducers.is_empty() {
            return Ok(());
        }
        let position = self.held(place);
        let is_idle =
            |resting: &Resting| !resting.order.side.opposes(position) && !self.may_grow(resting);
        let idle = |seq: &&u64| self.orders.get(seq).is_some_and(is_idle);
        let idle: Vec<u64> =
            self.books[place.index()].reducers.iter().filter(idle).copied().collect();
        for seq in idle {
            let why = (RefusalCode::PositionClosed, "its position is closed".to_owned());
            self.end(seq, OrderStatus::Canceled, Some(why), desk)?;
        }
        Ok(())
    }
}

/// The exit of an entry that has a name.
fn exit_of(entry: &Order, order_id: OrderId) -> Option<(Exit, bool)> {
    let stop = entry.exits.stop_loss.map(|exit| (exit, true));
    let target = entry.exits.take_profit.map(|exit| (exit, false));
    [stop, target].into_iter().flatten().find(|(exit, _)| exit.order_id == order_id)
}

/// Terms of an exit for an entry at `average`, on the tick of the passive side.
fn exit_pricing(
    exit: Exit,
    is_stop: bool,
    side: OrderSide,
    average: Price,
    tick: model::Decimal,
) -> Pricing {
    let exact = exit.level.at(average.value());
    let rounded = match side {
        OrderSide::Buy => floor_to(exact, tick),
        OrderSide::Sell => ceil_to(exact, tick),
    };
    // A level below every price is one that is never reached: the smallest price there is.
    let level = Price::new(rounded).or_else(|| Price::new(tick)).unwrap_or(average);
    if is_stop { Pricing::Stop { stop_price: level } } else { Pricing::Limit { price: level } }
}

const fn offer_passed(px: Price, limit: Option<Price>) -> Offer {
    Offer { px, limit, rule: PriceRule::ExitPassed, liquidity: Liquidity::Taker }
}
