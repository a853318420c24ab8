//! Liquidation of perpetuals: what venues close when margin runs out (04 §6.5).

use std::sync::Arc;

use model::Decimal;
use model::delta::{Cause, OperationId, Source, Subject};
use model::fill::{Fill, Liquidity, PriceRule};
use model::frame::{Bar, BarKind, Frame};
use model::handshake::{Handshake, HandshakeStatus, VenueReport};
use model::instrument::{Contract, InstrumentIx, KeyIx, MarginMode};
use model::interface::{Desk, Stopped};
use model::margin::tiers_at;
use model::money::{Cash, Notional, Price, Quantity, ceil_to, floor_to};
use model::numeric::float_of;
use model::order::{OrderId, OrderSide};
use model::perp::PerpPosition;
use model::time::UtcMillis;

use super::book::fills;
use super::{Exchange, price_of};
use crate::books::VenueBooks;

/// Halvings by which the point is found at which margin runs out: a float has no more bits.
const HALVINGS: u32 = 60;

/// Positions that stand and fall together: one alone if isolated, else all that share a balance.
#[derive(Clone, Debug)]
struct Pool {
    cash: KeyIx,
    /// What they stand on.
    margin: Decimal,
    stakes: Vec<Stake>,
}

/// One position in the bar of a frame.
#[derive(Clone, Copy, Debug)]
struct Stake {
    place: InstrumentIx,
    position: PerpPosition,
    /// Base units of a linear, quote units of an inverse contract; with the sign of the position.
    units: f64,
    cost: f64,
    is_inverse: bool,
    /// Mark at the open, and the worst mark of the bar.
    open: f64,
    worst: f64,
}

impl Exchange {
    /// Closes what the open has left without margin, before anything fills (D77).
    pub(super) fn liquidate_at_open(
        &mut self,
        frame: &Frame,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        for pool in self.pools(frame) {
            if self.lacks_margin(&pool, 0.0, self.now) {
                self.liquidate(&pool, 0.0, frame, desk)?;
            }
        }
        Ok(())
    }

    /// Closes what the bars leave without margin. Exits whose level the price reaches first have
    /// filled by then (D77); on a tie the liquidation comes first.
    pub(super) fn liquidate_inside(
        &mut self,
        frame: &Frame,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        for pool in self.pools(frame) {
            let Some(point) = self.breaking_point(&pool) else { continue };
            for stake in &pool.stakes {
                self.walk_towards(stake, point, frame, desk)?;
            }
            // What filled on the way may have saved the rest.
            let again = self.pools(frame);
            let rest = again.iter().find(|other| other.is_same(&pool));
            if let Some((pool, point)) =
                rest.and_then(|rest| Some((rest, self.breaking_point(rest)?)))
            {
                self.liquidate(pool, point, frame, desk)?;
            }
        }
        Ok(())
    }

    /// All pools of the open positions whose margins are known.
    fn pools(&self, frame: &Frame) -> Vec<Pool> {
        let mut pools: Vec<Pool> = Vec::new();
        for (place, position) in self.accounts.read(VenueBooks::open_perps) {
            if self.settings.tiers[place.index()].is_empty() {
                continue;
            }
            let instrument = self.instruments.instrument(place);
            let cash = self.instruments.cash_key(place);
            let Some(stake) = self.stake(place, position, frame) else { continue };
            let is_pooled = instrument.margin_mode == MarginMode::Cross;
            let shared = pools.iter_mut().find(|pool| is_pooled && pool.is_shared_in(cash, self));
            if let Some(pool) = shared {
                pool.stakes.push(stake);
                continue;
            }
            let margin = if is_pooled {
                self.accounts.read(|books| books.balance(cash))
            } else {
                instrument.initial_margin(Notional::exactly(position.cost))
            };
            pools.push(Pool { cash, margin, stakes: vec![stake] });
        }
        pools
    }

    /// A position in the bar of a frame; `None` while nothing prices it.
    fn stake(&self, place: InstrumentIx, position: PerpPosition, frame: &Frame) -> Option<Stake> {
        let (open, high, low) = match (frame.mark(place), frame.bar(place)) {
            (Some(mark), _) => (mark.open, mark.high, mark.low),
            (None, Some(bar)) => (bar.open, bar.high, bar.low),
            (None, None) => {
                let mark = self.accounts.read(|books| books.mark(place))?;
                (mark, mark, mark)
            }
        };
        let (size, is_inverse) = match &self.instruments.instrument(place).contract {
            Contract::Spot => (Decimal::ONE, false),
            Contract::Linear { size, .. } => (*size, false),
            Contract::Inverse { size, .. } => (*size, true),
        };
        let is_long = position.quantity.0 > Decimal::ZERO;
        Some(Stake {
            place,
            position,
            units: float_of(position.quantity.0 * size),
            cost: float_of(position.cost),
            is_inverse,
            open,
            worst: if is_long { low } else { high },
        })
    }

    /// Whether a pool has no more margin than it must keep, `point` of the way from the open to the
    /// worst marks.
    fn lacks_margin(&self, pool: &Pool, point: f64, ts: UtcMillis) -> bool {
        let mut excess = float_of(pool.margin);
        for stake in &pool.stakes {
            let px = stake.px(point);
            let tiers = tiers_at(&self.settings.tiers[stake.place.index()], ts);
            let in_quote = if stake.is_inverse { stake.units } else { stake.units * px };
            let kept = tiers.map_or(0.0, |tiers| tiers.maintenance(in_quote));
            excess += stake.gain(px) - if stake.is_inverse { kept / px } else { kept };
        }
        excess <= 0.0
    }

    /// How far on the way from the open to the worst marks margin runs out; `None` if it does not.
    fn breaking_point(&self, pool: &Pool) -> Option<f64> {
        if !self.lacks_margin(pool, 1.0, self.now) {
            return None;
        }
        let (mut before, mut after) = (0.0, 1.0);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(before, after);
            if self.lacks_margin(pool, middle, self.now) { after = middle } else { before = middle }
        }
        Some(after)
    }

    /// Fills what the trades reach before the point at which margin runs out.
    fn walk_towards(
        &mut self,
        stake: &Stake,
        point: f64,
        frame: &Frame,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let bar = &frame.bars()[stake.place.index()];
        if !fills(bar) || self.orders.is_empty() {
            return Ok(());
        }
        let tick = float_of(self.instruments.instrument(stake.place).tick);
        let limit = stake.px(point);
        let (high, low) = if stake.units > 0.0 {
            (bar.open, bar.low.max(limit + tick).min(bar.open))
        } else {
            (bar.high.min(limit - tick).max(bar.open), bar.open)
        };
        let close = if stake.units > 0.0 { low } else { high };
        let way = Bar { high, low, close, kind: BarKind::Real, ..*bar };
        self.walk(stake.place, &way, frame.ts(), desk)
    }

    /// Closes all positions of a pool. The account loses all that they stood on, and no more.
    fn liquidate(
        &mut self,
        pool: &Pool,
        point: f64,
        frame: &Frame,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let mut left = pool.margin;
        for (at, stake) in pool.stakes.iter().enumerate() {
            let is_last = at + 1 == pool.stakes.len();
            left = self.close_out(stake, point, (left, is_last), frame, desk)?;
        }
        for stake in &pool.stakes {
            self.cancel_reducers(stake.place, desk)?;
        }
        Ok(())
    }

    /// Closes one position; the last of its pool takes what is left. Returns what is left then.
    fn close_out(
        &mut self,
        stake: &Stake,
        point: f64,
        (left, is_last): (Decimal, bool),
        frame: &Frame,
        desk: &mut dyn Desk,
    ) -> Result<Decimal, Stopped> {
        let place = stake.place;
        let instrument = self.instruments.instrument(place).clone();
        let held = stake.position.quantity;
        let (tick, exact) = (instrument.tick, price_of(stake.px(point)).value());
        let is_long = held.0 > Decimal::ZERO;
        let rounded = if is_long { floor_to(exact, tick) } else { ceil_to(exact, tick) };
        let px = Price::new(rounded).or_else(|| Price::new(tick)).expect("a positive tick");
        let side = if is_long { OrderSide::Sell } else { OrderSide::Buy };
        let quantity = Quantity(held.0.abs());
        let notional = instrument.notional(px, quantity).booked(instrument.ledger_scale);
        let realized = stake.position.trade(side, quantity, notional, &instrument).realized;
        let rest = left + realized;
        let penalty = if is_last { rest } else { Decimal::ZERO };
        self.last_trade_id += 1;
        self.liquidations += 1;
        let fill = Fill {
            trade_id: self.last_trade_id,
            order_id: OrderId::of_venue(self.liquidations),
            instrument: place,
            side,
            ts: self.now,
            last_qty: quantity,
            last_px: px,
            notional,
            fee: Cash(penalty),
            fee_key: self.instruments.cash_key(place),
            liquidity: Liquidity::Taker,
            slippage_bps: 0.0,
            px_ref: px,
            bar_range: None,
            bar_share: None,
            price_rule: PriceRule::Liquidation,
            cash_value: 1.0,
            realized: Cash::ZERO,
            lots: Vec::new(),
            closed: None,
        };
        let mut deltas = self.accounts.change(|books| books.book_fill(&fill, px));
        for delta in deltas.iter_mut().filter(|delta| delta.cause == Cause::Fee) {
            delta.cause = Cause::Liquidation;
        }
        let (key, ts) = (self.instruments.base_key(place), frame.ts());
        let op_id =
            OperationId { subject: Subject::Liquidation { key, ts }, number: self.liquidations };
        desk.take(VenueReport::Handshake(Handshake {
            source: Source::Liquidation,
            deltas,
            fill: Some(Arc::new(fill)),
            ..Handshake::without_deltas(op_id, HandshakeStatus::Confirmed, self.now)
        }))?;
        Ok(rest - penalty)
    }
}

impl Pool {
    /// Whether it is the one that shares a balance.
    fn is_shared_in(&self, cash: KeyIx, exchange: &Exchange) -> bool {
        let first = self.stakes[0].place;
        self.cash == cash && exchange.instruments.instrument(first).margin_mode == MarginMode::Cross
    }

    /// Whether it is the same pool later on.
    fn is_same(&self, other: &Self) -> bool {
        self.cash == other.cash
            && self
                .stakes
                .iter()
                .any(|stake| other.stakes.iter().any(|known| known.place == stake.place))
    }
}

impl Stake {
    /// The mark, `point` of the way from the open to the worst.
    fn px(&self, point: f64) -> f64 {
        self.open + point * (self.worst - self.open)
    }

    /// What the position has gained at a mark, in the settle currency.
    fn gain(&self, px: f64) -> f64 {
        if self.is_inverse { self.cost - self.units / px } else { self.units * px - self.cost }
    }
}
