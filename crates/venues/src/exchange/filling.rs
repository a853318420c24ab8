//! Filling: size, price, fee and funds of one execution.

use std::sync::Arc;

use model::Decimal;
use model::fill::{Fill, Liquidity, PriceRule};
use model::instrument::{FeeAsset, InstrumentIx};
use model::money::{Cash, LedgerScale, Price, Quantity};
use model::numeric::{decimal_of, float_of};
use model::order::{Order, OrderSide, OrderStatus, Refusal, RefusalCode, Size, TimeInForce};
use model::planted::{self, Mistake};

use super::book::fills;
use super::relations::Entry;
use super::resting::Resting;
use super::sizing::Means;
use super::{Exchange, Moment};
use crate::fees::{Fee, fee_of};
use crate::requirement::{Draw, draws_on};
use crate::slippage::{Taking, rounded_against, slippage_bps, slipped};
use model::handshake::VenueReport;
use model::interface::{Desk, Stopped};

/// A price at which an order may fill, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    /// Price before slippage.
    pub(super) px: Price,
    /// Worst price that the order accepts.
    pub(super) limit: Option<Price>,
    pub(super) rule: PriceRule,
    pub(super) liquidity: Liquidity,
}

/// What an order gets.
#[derive(Clone, Copy, Debug)]
struct Bargain {
    quantity: Quantity,
    px: Price,
    fee: Fee,
}

/// What comes of an offer.
#[derive(Debug)]
enum Deal {
    /// Units at a price, of so many ordered.
    Trade { quantity: Quantity, order_qty: Quantity, px: Price, fee: Fee },
    /// The bar has nothing left for it.
    NoVolume,
    /// A share of which no more can be had: what has filled is all of it.
    Done,
    /// It ends.
    Ends(OrderStatus, Refusal),
}

impl Exchange {
    /// Fills an order at an offer as far as the bar allows, and leaves the rest where it belongs.
    pub(super) fn take(
        &mut self,
        seq: u64,
        offer: Offer,
        moment: Moment<'_>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        match self.deal(seq, offer, moment) {
            Deal::NoVolume => self.rest_or_cancel(seq, moment, desk),
            Deal::Done => {
                if let Some(resting) = self.orders.get_mut(&seq) {
                    resting.order_qty = Some(resting.cum_qty);
                }
                self.end(seq, OrderStatus::Filled, None, desk)
            }
            Deal::Ends(status, refusal) => {
                // What has filled in part was not refused.
                let has_filled =
                    self.orders.get(&seq).is_some_and(|order| !order.cum_qty.is_zero());
                let status = if has_filled { OrderStatus::Canceled } else { status };
                let why = (refusal.code, refusal.detail.into_string());
                self.end(seq, status, Some(why), desk)
            }
            Deal::Trade { quantity, order_qty, px, fee } => {
                if let Some(resting) = self.orders.get_mut(&seq) {
                    resting.order_qty = Some(order_qty);
                }
                let fill = self.fill(seq, Bargain { quantity, px, fee }, offer, moment);
                self.carry_out(seq, fill, moment.market_px(offer.px), moment, desk)?;
                if self.orders.contains_key(&seq) {
                    self.rest_or_cancel(seq, moment, desk)?;
                }
                Ok(())
            }
        }
    }

    /// What an order gets at an offer, before anything is booked.
    fn deal(&self, seq: u64, offer: Offer, moment: Moment<'_>) -> Deal {
        let resting = &self.orders[&seq];
        let order = &*resting.order;
        if !fills(moment.bar) {
            return Deal::NoVolume;
        }
        if self.settings.unfilled.has(order) {
            let refusal = Refusal::new(RefusalCode::Unfilled, "the run file says so");
            return Deal::Ends(OrderStatus::Canceled, refusal);
        }
        // A share is resolved at the price before its own impact, which can only make it smaller.
        let means = self.means(seq, offer.px, offer.liquidity, moment);
        let likely = wanted(resting, &means);
        let Some(px) = self.price(order, self.within_budget(order, likely.1), offer, moment) else {
            let tick = means.instrument.tick;
            let detail = format!("{} is less than one tick, {tick}", offer.px.value());
            return Deal::Ends(OrderStatus::Rejected, Refusal::new(RefusalCode::VenueTick, detail));
        };
        let means = Means { px, ..means };
        // A number of units is the same at any price.
        let is_units = matches!(order.size, Size::Units(_));
        let (ordered, wanted) = if is_units { likely } else { wanted(resting, &means) };
        let is_share = resting.order_qty.is_none() || is_open_share(resting, &means);
        if is_share && !resting.cum_qty.is_zero() && means.is_too_small(wanted) {
            return Deal::Done;
        }
        if wanted.0 <= Decimal::ZERO || is_share && means.is_too_small(wanted) {
            return Deal::Ends(OrderStatus::Canceled, nothing_left(order, wanted, &means));
        }
        let quantity = self.within_budget(order, wanted);
        if order.tif == TimeInForce::Fok && quantity < wanted {
            let detail =
                format!("{} of {} could fill", quantity.0.normalize(), wanted.0.normalize());
            return Deal::Ends(
                OrderStatus::Canceled,
                Refusal::new(RefusalCode::FillOrKill, detail),
            );
        }
        if quantity.0 <= Decimal::ZERO {
            return Deal::NoVolume;
        }
        let fee = fee_of(means.fees, &means.trade(quantity));
        if let Some(refusal) = short_of_funds(&means, order, quantity, fee) {
            return Deal::Ends(OrderStatus::Rejected, refusal);
        }
        // What a reduce-only order was clipped by is not left to do.
        let order_qty =
            if order.reduce_only { Quantity(resting.cum_qty.0 + wanted.0) } else { ordered };
        Deal::Trade { quantity, order_qty, px, fee }
    }

    /// As much of a quantity as the bar may still fill.
    fn within_budget(&self, order: &Order, quantity: Quantity) -> Quantity {
        match self.books[order.instrument.index()].budget {
            Some(budget) => quantity.min(budget.floor_to(self.lot(order.instrument))),
            None => quantity,
        }
    }

    fn means(&self, seq: u64, px: Price, liquidity: Liquidity, moment: Moment<'_>) -> Means<'_> {
        let order = &*self.orders[&seq].order;
        let place = order.instrument;
        let instrument = self.instruments.instrument(place);
        let base = match draws_on(instrument, order.side) {
            Draw::Base => self.available(seq, self.instruments.base_key(place)),
            Draw::Cash => Decimal::ZERO,
        };
        Means {
            instrument,
            fees: &*self.settings.models.fees[place.index()],
            side: order.side,
            liquidity,
            px,
            ts: moment.ts,
            volume_30d: self.turnover.before(place, moment.ts),
            position: self.held(place),
            cash: self.available(seq, self.instruments.cash_key(place)),
            base,
        }
    }

    /// Base price, slippage, limit, tick (10 §12.2): the limit wins. `None` if nothing is left of it.
    fn price(
        &self,
        order: &Order,
        quantity: Quantity,
        offer: Offer,
        moment: Moment<'_>,
    ) -> Option<Price> {
        let instrument = self.instruments.instrument(order.instrument);
        let mut px = offer.px.value();
        if offer.liquidity == Liquidity::Taker && quantity.0 > Decimal::ZERO {
            let taking = Taking {
                instrument,
                side: order.side,
                quantity,
                base_px: offer.px,
                bar: moment.bar,
            };
            let distance = self.settings.models.slippage.distance(&taking);
            px = slipped(offer.px, order.side, distance);
            if self.settings.rules.clip_to_bar {
                px = clipped(px, moment);
            }
        }
        let rounded = rounded_against(px, order.side, instrument.tick);
        match (offer.limit.filter(|_| !planted::has(Mistake::BeyondLimit)), order.side) {
            (Some(limit), OrderSide::Buy) => rounded.map(|px| px.min(limit)),
            (Some(limit), OrderSide::Sell) => Some(rounded.map_or(limit, |px| px.max(limit))),
            (None, _) => rounded,
        }
    }

    /// Books a fill, and everything that follows from it.
    fn carry_out(
        &mut self,
        seq: u64,
        fill: Fill,
        market_px: Price,
        moment: Moment<'_>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let (place, quantity, px) = (fill.instrument, fill.last_qty, fill.last_px);
        let liquidity = fill.liquidity;
        self.books[place.index()].spend(quantity);
        let instrument = self.instruments.instrument(place);
        let traded = instrument.quote_notional(px, quantity);
        self.turnover.add(place, moment.ts, traded);
        let smallest = instrument.lot.max(instrument.min_qty);
        let deltas = self.accounts.change(|books| books.book_fill(&fill, market_px));
        let resting = self.orders.get_mut(&seq).expect("an order that fills is working");
        resting.add_fill(quantity, px);
        let leaves = resting.leaves().unwrap_or(Quantity::ZERO);
        let entry = Entry {
            order: Arc::clone(&resting.order),
            filled: resting.cum_qty,
            average: resting.avg_px.unwrap_or(px),
            fill_px: px,
            market_px,
            liquidity,
        };
        let may_grow = self.may_grow(&self.orders[&seq]);
        let is_filled = leaves.is_zero() && !may_grow;
        let is_dust = leaves.0 < smallest && !may_grow;
        let status = self.status_after(&self.orders[&seq], is_filled, is_dust, moment.step);
        self.answer_fill(seq, status, fill, deltas, desk)?;
        if is_filled {
            let late = planted::has(Mistake::NewsAfterEnd)
                .then(|| self.orders[&seq].update(OrderStatus::PartiallyFilled, None));
            self.finish(seq, OrderStatus::Filled, None, desk)?;
            if let Some(late) = late {
                desk.take(VenueReport::Update(Arc::new(late)))?;
            }
        } else if is_dust {
            let detail = format!("{} is less than {smallest}", leaves.0.normalize());
            self.finish(seq, OrderStatus::Canceled, Some((RefusalCode::Dust, detail)), desk)?;
        } else {
            let resting = &self.orders[&seq];
            let update = resting.update(OrderStatus::PartiallyFilled, None);
            if resting.is_done() {
                self.unrest(seq);
            }
            desk.take(VenueReport::Update(Arc::new(update)))?;
            self.relock(seq, desk)?;
        }
        self.reduce_group(&entry.order, quantity, is_filled, desk)?;
        self.arm_children(&entry, moment, desk)?;
        if !self.places.contains_key(&entry.order.order_id) {
            self.release_children(&entry.order, desk)?;
        }
        self.cancel_reducers(place, desk)
    }

    fn fill(&mut self, seq: u64, bargain: Bargain, offer: Offer, moment: Moment<'_>) -> Fill {
        self.last_trade_id += 1;
        let Bargain { quantity, px, fee } = bargain;
        let order = &*self.orders[&seq].order;
        let instrument = self.instruments.instrument(order.instrument);
        let fee_key = match fee.asset {
            FeeAsset::Quote => self.instruments.cash_key(order.instrument),
            FeeAsset::Base => self.instruments.base_key(order.instrument),
        };
        let (mut scale, mut ts) = (instrument.ledger_scale, moment.ts);
        if planted::has(Mistake::RoundNotional) {
            scale = LedgerScale(0);
        }
        if planted::has(Mistake::BeforeEligible) {
            ts = ts.before(self.settings.interval);
        }
        Fill {
            trade_id: self.last_trade_id,
            order_id: order.order_id,
            instrument: order.instrument,
            side: order.side,
            ts,
            last_qty: quantity,
            last_px: px,
            notional: instrument.notional(px, quantity).booked(scale),
            fee: fee.amount,
            fee_key,
            liquidity: offer.liquidity,
            slippage_bps: match offer.liquidity {
                Liquidity::Taker => slippage_bps(offer.px, px, order.side),
                Liquidity::Maker => 0.0,
            },
            price_rule: offer.rule,
            px_ref: offer.px,
            bar_range: Some((moment.bar.low, moment.bar.high)),
            bar_share: (moment.bar.volume > 0.0).then(|| float_of(quantity.0) / moment.bar.volume),
            cash_value: 1.0,
            realized: Cash::ZERO,
            lots: Vec::new(),
            closed: None,
        }
    }

    /// The lot of an instrument.
    pub(super) fn lot(&self, place: InstrumentIx) -> Decimal {
        self.instruments.instrument(place).lot
    }
}

/// Units of an order in all, and those of them that are still to fill. A share that is not resolved
/// yet is one of what is there now, on top of what has filled (it was replaced then).
fn wanted(resting: &Resting, means: &Means<'_>) -> (Quantity, Quantity) {
    let (order, filled) = (&*resting.order, resting.cum_qty);
    let ordered = resting.order_qty.unwrap_or_else(|| match order.size {
        Size::Units(quantity) => quantity,
        Size::Share(share) => Quantity(filled.0 + means.share(share, order).0),
    });
    let mut ordered = ordered;
    if resting.order_qty.is_some() && is_open_share(resting, means) {
        // Carried into another bar, a share of cash buys what is left of the cash at most.
        let affordable = means.affordable(means.cash);
        ordered = ordered.min(Quantity(filled.0 + affordable.0));
    }
    let leaves = Quantity(ordered.0 - filled.0);
    let wanted = if order.reduce_only { leaves.min(reducible(order, means)) } else { leaves };
    (ordered, wanted)
}

/// Whether an order is a share of free cash, and not of a position or of what a parent fills.
fn is_open_share(resting: &Resting, means: &Means<'_>) -> bool {
    let order = &*resting.order;
    matches!(order.size, Size::Share(_)) && order.parent.is_none() && !means.closes(order)
}

/// Units that a reduce-only order can still close.
fn reducible(order: &Order, means: &Means<'_>) -> Quantity {
    let held = match order.side {
        OrderSide::Buy => -means.position.0,
        OrderSide::Sell => means.position.0,
    };
    let held = held.max(Decimal::ZERO);
    if means.instrument.is_perpetual() {
        return Quantity(held);
    }
    Quantity(held.min(means.base)).floor_to(means.instrument.lot)
}

/// Rule 8 at the fill: lack of funds makes no partial fill.
fn short_of_funds(
    means: &Means<'_>,
    order: &Order,
    quantity: Quantity,
    fee: Fee,
) -> Option<Refusal> {
    let instrument = means.instrument;
    if fee.asset == FeeAsset::Base && fee.amount.0 >= quantity.0 {
        let (fee, quantity) = (fee.amount.0.normalize(), quantity.0.normalize());
        let detail = format!("a fee of {fee} {} takes all of {quantity}", instrument.base);
        return Some(Refusal::new(RefusalCode::VenueBalance, detail));
    }
    let cost = means.cost_with(quantity, fee);
    let is_short_of_base =
        draws_on(instrument, order.side) == Draw::Base && quantity > Quantity(means.base);
    let (need, have, code) = if is_short_of_base {
        (quantity.0, means.base, RefusalCode::VenuePosition)
    } else if instrument.is_perpetual() {
        (cost, means.cash, RefusalCode::VenueMargin)
    } else {
        (cost, means.cash, RefusalCode::VenueBalance)
    };
    // What needs nothing is allowed whatever there is: closing a losing position, for one.
    (need > have && need > Decimal::ZERO).then(|| {
        let detail = format!("needs {}, has {}", need.normalize(), have.normalize());
        Refusal::new(code, detail)
    })
}

fn nothing_left(order: &Order, wanted: Quantity, means: &Means<'_>) -> Refusal {
    let detail = if order.reduce_only {
        "nothing is left to reduce".to_owned()
    } else if means.closes(order) {
        let held = wanted.0.max(Decimal::ZERO).normalize();
        format!("{held} {} to sell is less than the smallest order", means.instrument.base)
    } else {
        let cash = means.cash.normalize();
        let asset = means.instrument.cash_asset();
        format!("{cash} {asset} of free cash is less than the smallest order")
    };
    Refusal::new(RefusalCode::VenueNothingLeft, detail)
}

/// A price kept inside the bar.
fn clipped(px: Decimal, moment: Moment<'_>) -> Decimal {
    let px = decimal_of(moment.bar.low).map_or(px, |low| px.max(low));
    decimal_of(moment.bar.high).map_or(px, |high| px.min(high))
}
