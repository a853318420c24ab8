//! The inside of a bar: stops, trailing stops and limits that it reaches (10 §12.2, §12.4).

use model::fill::{Liquidity, PriceRule};
use model::frame::{Bar, Frame};
use model::instrument::InstrumentIx;
use model::money::Price;
use model::order::{OrderSide, OrderType};
use model::time::UtcMillis;

use super::book::fills;
use super::filling::Offer;
use super::ladder::{Cursor, Direction, Rung};
use super::relations::Entry;
use super::resting::{Behaviour, Resting};
use super::{Exchange, Moment, Step, price_of};
use crate::path::BarPath;
use model::interface::{Desk, Stopped};

impl Exchange {
    /// Fills what the bar of an instrument reaches after its open.
    pub(super) fn match_inside(
        &mut self,
        place: InstrumentIx,
        frame: &Frame,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let bar = &frame.bars()[place.index()];
        if !fills(bar) {
            return Ok(());
        }
        let parts = frame.sub_bars(place);
        if parts.is_empty() || !self.settings.models.path.takes_sub_bars() {
            return self.walk(place, bar, frame.ts(), desk);
        }
        for (index, part) in parts.iter().enumerate() {
            if fills(&part.bar) {
                let is_first = index == 0;
                self.walk_part(place, &part.bar, part.ts, is_first, desk)?;
            }
        }
        Ok(())
    }

    /// A finer bar: its open may have jumped over what rests, except the first, which opens the bar.
    fn walk_part(
        &mut self,
        place: InstrumentIx,
        bar: &Bar,
        ts: UtcMillis,
        is_first: bool,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        if !is_first {
            let mut jumped = Vec::new();
            self.collect_gaps(place, price_of(bar.open), &mut jumped);
            jumped.sort_unstable();
            for seq in jumped {
                if self.orders.get(&seq).is_some_and(|resting| !resting.is_done()) {
                    let moment = Moment { bar, step: Step::FinerOpen, ts };
                    self.meet_open(seq, moment, desk)?;
                }
            }
        }
        self.walk(place, bar, ts, desk)
    }

    pub(super) fn walk(
        &mut self,
        place: InstrumentIx,
        bar: &Bar,
        ts: UtcMillis,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let book = self.book_of(place);
        if !book.up.may_reach(bar.high) && !book.down.may_reach(bar.low) {
            return Ok(());
        }
        let (high, low, close) = (bar.high, bar.low, bar.close);
        let legs = match self.settings.models.path.path(bar) {
            BarPath::Unknown => {
                let moment = Moment { bar, step: Step::InsideUnknown, ts };
                return self.walk_unknown(place, moment, desk);
            }
            BarPath::HighFirst => {
                [(Direction::Up, high), (Direction::Down, low), (Direction::Up, close)]
            }
            BarPath::LowFirst => {
                [(Direction::Down, low), (Direction::Up, high), (Direction::Down, close)]
            }
        };
        let moment = Moment { bar, step: Step::InsideLeg, ts };
        let mut from = price_of(bar.open);
        for (direction, to) in legs {
            let to = price_of(to);
            self.walk_leg(place, (direction, from, to), moment, desk)?;
            from = to;
        }
        Ok(())
    }

    /// Pessimistic: stops before limits, and of each what hurts the position first. What one side of
    /// the open passes is known to be passed in the order of its prices.
    fn walk_unknown(
        &mut self,
        place: InstrumentIx,
        moment: Moment<'_>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let book = self.book_of(place);
        let up = book.up.reached(price_of(moment.bar.high));
        let down = book.down.reached(price_of(moment.bar.low));
        let is_short = self.held(place).0.is_sign_negative();
        let (first, second) = if is_short { (up, down) } else { (down, up) };
        let is_limit =
            |(_, seq): &Rung| matches!(self.orders[seq].behaviour(), Behaviour::Limits(_));
        let (limits, stops): (Vec<Rung>, Vec<Rung>) =
            first.into_iter().chain(second).partition(is_limit);
        for rung in stops.into_iter().chain(limits) {
            let waits = self.orders.get(&rung.1).and_then(|resting| resting.rung);
            let is_idle = self.is_idle(rung.1, place);
            if !is_idle && waits.is_some_and(|(_, waits)| waits == rung) {
                let reach = self.reach_of(rung.1, moment);
                self.visit(rung.1, reach, moment, desk)?;
            }
        }
        Ok(())
    }

    /// Walks one stretch of a bar: what it passes, in the order in which it passes. One without a
    /// length has a direction all the same: an open at the high touches what waits there.
    fn walk_leg(
        &mut self,
        place: InstrumentIx,
        (direction, from, to): (Direction, Price, Price),
        moment: Moment<'_>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let mut cursor = Cursor::At(from);
        while let Some(rung) = self.books[place.index()].ladder(direction).next_after(cursor, to) {
            cursor = Cursor::After(rung);
            if !self.is_idle(rung.1, place) {
                self.visit(rung.1, to, moment, desk)?;
            }
        }
        Ok(())
    }

    /// Whether an order has nothing to do with a price: a limit, where nothing is left to fill. A
    /// stop is triggered all the same.
    fn is_idle(&self, seq: u64, place: InstrumentIx) -> bool {
        let is_limit = |resting: &Resting| matches!(resting.behaviour(), Behaviour::Limits(_));
        self.orders.get(&seq).is_none_or(is_limit)
            && self.book_of(place).is_exhausted(self.lot(place))
    }

    /// How far the bar goes towards the price at which an order waits.
    fn reach_of(&self, seq: u64, moment: Moment<'_>) -> Price {
        let side = self.orders[&seq].order.side;
        let goes_up = match self.orders[&seq].behaviour() {
            Behaviour::Limits(_) => side == OrderSide::Sell,
            Behaviour::Stops(_) | Behaviour::StopsThenLimits(..) | Behaviour::Takes => {
                side == OrderSide::Buy
            }
        };
        price_of(if goes_up { moment.bar.high } else { moment.bar.low })
    }

    /// What an order does that the price has reached, on its way as far as `to`.
    fn visit(
        &mut self,
        seq: u64,
        to: Price,
        moment: Moment<'_>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let resting = &self.orders[&seq];
        let side = resting.order.side;
        match resting.behaviour() {
            Behaviour::Takes => Ok(()),
            Behaviour::Limits(price) => {
                if self.trades_through(side, price, to) {
                    self.take(seq, Offer::resting(price), moment, desk)
                } else {
                    Ok(())
                }
            }
            Behaviour::Stops(level) => {
                let is_trailing = resting.order.order_type() == OrderType::Trailing;
                let rule = if is_trailing { PriceRule::Trailing } else { PriceRule::Stop };
                self.trigger(seq);
                let offer = Offer { px: level, limit: None, rule, liquidity: Liquidity::Taker };
                self.take(seq, offer, moment, desk)
            }
            Behaviour::StopsThenLimits(level, price) => {
                self.trigger(seq);
                let (rule, liquidity) = (PriceRule::StopLimit, Liquidity::Taker);
                let offer = Offer { px: level, limit: Some(price), rule, liquidity };
                self.meet_limit(seq, offer, moment, desk)?;
                // Only a close beyond the limit proves that the price came back to it.
                let rests = self.orders.get(&seq).is_some_and(|resting| resting.cum_qty.is_zero());
                let close = price_of(moment.bar.close);
                let came_back = self.trades_through(side, price, close);
                if moment.step == Step::InsideUnknown && rests && came_back {
                    self.take(seq, Offer::resting(price), moment, desk)?;
                }
                Ok(())
            }
        }
    }

    /// What a child does that was armed inside a bar of unknown order: a stop is taken to be reached
    /// if the bar reaches it at all, a limit only if the bar must have come to it afterwards.
    pub(super) fn visit_fresh(
        &mut self,
        seq: u64,
        entry: &Entry,
        moment: Moment<'_>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let Some((_, (level, _))) = self.orders[&seq].rung else { return Ok(()) };
        let side = self.orders[&seq].order.side;
        let reach = self.reach_of(seq, moment);
        if !matches!(self.orders[&seq].behaviour(), Behaviour::Limits(_)) {
            let is_reached = super::opening::is_beyond(side, reach, level);
            return if is_reached { self.visit(seq, reach, moment, desk) } else { Ok(()) };
        }
        // A taker's fill was passed on the way from the open, so every price beyond came after it; a
        // maker's on the way back.
        let is_taker = entry.liquidity == Liquidity::Taker;
        let came_up = (entry.order.side == OrderSide::Buy) == is_taker;
        let is_onward = came_up == (side == OrderSide::Sell);
        let close = price_of(moment.bar.close);
        let is_proven = if is_onward {
            self.trades_through(side, level, reach)
        } else {
            match side {
                OrderSide::Sell => close >= level,
                OrderSide::Buy => close <= level,
            }
        };
        if is_proven { self.take(seq, Offer::resting(level), moment, desk) } else { Ok(()) }
    }

    /// Whether a price that goes as far as `to` fills a limit that rests at `price`.
    fn trades_through(&self, side: OrderSide, price: Price, to: Price) -> bool {
        let touches = self.settings.rules.touch_fills && to == price;
        touches
            || match side {
                OrderSide::Buy => to < price,
                OrderSide::Sell => to > price,
            }
    }
}

impl Offer {
    /// A resting limit is hit at its own price.
    const fn resting(price: Price) -> Self {
        Self { px: price, limit: Some(price), rule: PriceRule::Limit, liquidity: Liquidity::Maker }
    }
}
