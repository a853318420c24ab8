//! A strategy that asks for anything.

use std::rc::Rc;

use model::Decimal;
use model::frame::MarketView;
use model::instrument::InstrumentIx;
use model::money::{Bps, Quantity};
use model::operation::{Amount, OperationRequest};
use model::order::{Level, OrderId, OrderRequest, OrderSide, Size, TimeInForce, Trail};
use model::snapshot::AccountSnapshot;
use model::strategy::{Decision, OrderDesk, Strategy, StrategyError};
use model::time::UtcMillis;

use crate::dice::{Dice, rounded};
use crate::world::{HOUR, INVERSE_SIZE, World};

/// Asks for `left` orders, at most `per_frame` of them at once, and cancels and replaces some.
#[derive(Debug)]
pub(crate) struct Trader {
    world: Rc<World>,
    dice: Dice,
    left: usize,
    per_frame: usize,
    sent: Vec<(OrderId, OrderRequest)>,
}

impl Trader {
    pub(crate) const fn new(world: Rc<World>, seed: u64, left: usize, per_frame: usize) -> Self {
        Self { world, dice: Dice::new(!seed), left, per_frame, sent: Vec::new() }
    }

    fn trade(&mut self, market: MarketView<'_>, desk: &mut OrderDesk<'_>) {
        let count = u16::try_from(self.world.instruments.len()).expect("few instruments");
        let place = u16::try_from(self.dice.below(count.into())).expect("one of them");
        let place = InstrumentIx(place);
        let Some(bar) = market.bar(place) else { return };
        let request = self.draw(place, bar.close, market.ts());
        self.sent.push((desk.submit(request.clone()), request));
        self.left -= 1;
    }

    /// An order for 100 to 20,000 USDT.
    fn draw(&mut self, place: InstrumentIx, close: f64, ts: UtcMillis) -> OrderRequest {
        let world = Rc::clone(&self.world);
        let instrument = world.instruments.instrument(place);
        let dice = &mut self.dice;
        let side = if dice.chance(50) { OrderSide::Buy } else { OrderSide::Sell };
        let up = if side == OrderSide::Buy { 1.0 } else { -1.0 };
        let worth = dice.between(100.0, 20_000.0);
        let units = if instrument.is_perpetual() && &*instrument.quote == "USD" {
            (rounded(worth, 0) / Decimal::new(INVERSE_SIZE, 0)).floor()
        } else {
            rounded(worth / close, 3)
        };
        let size = match dice.below(20) {
            0 => Size::Share(Decimal::new(5, 2)),
            _ => Size::Units(Quantity(units)),
        };
        let away = |dice: &mut Dice, sign: f64| {
            rounded(close * (1.0 + sign * dice.between(-0.002, 0.01)), 2)
        };
        let request = match dice.below(10) {
            0..=3 => OrderRequest::market(place, side, size),
            4..=6 => {
                let price = away(dice, -up);
                let request = OrderRequest::limit(place, side, size, price);
                match dice.below(8) {
                    0 => request.tif(TimeInForce::Ioc),
                    1 => request.tif(TimeInForce::Fok),
                    2 => request.tif(TimeInForce::Day),
                    3 => request.until(UtcMillis::new(ts.millis() + 5 * HOUR)),
                    4 => request.post_only(),
                    _ => request,
                }
            }
            7 => OrderRequest::stop(place, side, size, away(dice, up)),
            8 => {
                let (stop, limit) = (away(dice, up), away(dice, up));
                OrderRequest::stop(place, side, size, stop).with_limit(limit)
            }
            _ => OrderRequest::trailing(place, side, size, Trail::Bps(Bps(Decimal::ONE_HUNDRED))),
        };
        if !instrument.is_perpetual() {
            return request;
        }
        if self.dice.chance(15) {
            return request.reduce_only();
        }
        if self.dice.chance(10) {
            let bps = |bps: i64| {
                let sign = if side == OrderSide::Buy { 1 } else { -1 };
                Level::OffsetBps(Bps(Decimal::new(sign * bps, 0)))
            };
            return request.take_profit(bps(150)).stop_loss(bps(-120));
        }
        request
    }

    /// A small part of what there is, or more than there is.
    fn transfer(&mut self, account: &AccountSnapshot, desk: &mut OrderDesk<'_>) {
        let route = &self.world.routes[self.dice.below(self.world.routes.len())];
        let held = account.book.balances[route.source.index()];
        let share = Decimal::new(if self.dice.chance(5) { 11 } else { 1 }, 1);
        let amount = (held * share).round_dp(4).max(Decimal::ONE);
        let venue = self.world.instruments.key(route.source).venue();
        let amount = if self.dice.chance(3) { Amount::Max } else { Amount::Units(amount) };
        desk.operate(OperationRequest::transfer(route.source, route.target, venue, amount));
        self.left -= 1;
    }

    /// Ends one of the last orders, or asks for twice as much of it.
    fn change(&mut self, desk: &mut OrderDesk<'_>) {
        let first = self.sent.len().saturating_sub(200);
        if first == self.sent.len() {
            return;
        }
        let place = first + self.dice.below(self.sent.len() - first);
        let (order_id, request) = &self.sent[place];
        match request.size.units() {
            Some(units) if self.dice.chance(25) => {
                let size = Size::Units(Quantity(units.0 * Decimal::TWO));
                desk.replace(*order_id, OrderRequest { size, ..request.clone() });
            }
            _ => desk.cancel(*order_id),
        }
    }
}

impl Strategy for Trader {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        account: &AccountSnapshot,
        desk: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        for _ in 0..self.per_frame.min(self.left) {
            match self.dice.below(100) {
                0..=4 => self.transfer(account, desk),
                5..=24 => self.change(desk),
                _ => self.trade(market, desk),
            }
        }
        Ok(Decision::HOLD)
    }
}
