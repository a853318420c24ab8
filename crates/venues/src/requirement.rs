//! What an order may need of a balance before it is done (02 §3.1, rule 8).

use model::Decimal;
use model::fill::Liquidity;
use model::instrument::{FeeAsset, Instrument};
use model::money::{Cash, Price, Quantity};
use model::order::{Order, OrderSide, Pricing};
use model::time::UtcMillis;

use crate::fees::{Fee, FeeModel, Trade, fee_of};

/// An order about to be funded, and what is known of its market.
#[derive(Clone, Copy, Debug)]
pub struct Funding<'a> {
    /// The order.
    pub order: &'a Order,
    /// Units of it that may still fill.
    pub leaves: Quantity,
    /// What it trades.
    pub instrument: &'a Instrument,
    /// Last close.
    pub last_px: Price,
    /// Units held now; negative if short.
    pub position: Quantity,
    /// What the venue charges.
    pub fees: &'a dyn FeeModel,
    /// Instant of the decision.
    pub ts: UtcMillis,
}

/// Which balance an order draws on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// The quote balance, or the settle cash of a perpetual.
    Cash,
    /// The base balance.
    Base,
}

/// The balance that a trade in an instrument draws on.
pub fn draws_on(instrument: &Instrument, side: OrderSide) -> Draw {
    if side == OrderSide::Sell && !instrument.is_perpetual() { Draw::Base } else { Draw::Cash }
}

impl Funding<'_> {
    /// What the order may need; zero or more, rounded to the ledger scale.
    ///
    /// - Reduce-only orders and those that wait for a parent need nothing of their own: what they
    ///   trade is the position.
    /// - A spot sell needs the base quantity.
    /// - A spot buy needs its notional and its fee at the reference price: for market orders the last
    ///   close, for stops the worse of stop and last close, both with 5 bps on top; for limits the
    ///   limit, with the maker's fee if it will rest.
    /// - A perpetual needs the initial margin of the increase of |position| and the taker's fee, with
    ///   5 bps on top.
    pub fn need(&self) -> Decimal {
        let Self { order, leaves, instrument, .. } = *self;
        if order.reduce_only || order.parent.is_some() {
            return Decimal::ZERO;
        }
        if draws_on(instrument, order.side) == Draw::Base {
            return leaves.0;
        }
        let (px, liquidity, has_margin) = self.reference();
        let fee = self.fee(px, liquidity);
        let need = if instrument.is_perpetual() {
            let increase = increase(self.position, order.side, leaves);
            if increase.is_zero() {
                // Closing is allowed whatever there is, a losing position above all.
                return Decimal::ZERO;
            }
            let margin = instrument.initial_margin(instrument.notional(px, increase));
            (margin + fee) * with_margin()
        } else {
            let cost = instrument.notional(px, leaves).value() + fee;
            if has_margin { cost * with_margin() } else { cost }
        };
        instrument.ledger_scale.round(need.max(Decimal::ZERO))
    }

    /// Price and fee in the worst case of its fill: the reference price, no better than the last close,
    /// as a taker. Source: 04 §6.4.
    pub fn worst_case(&self) -> (Price, Fee) {
        let (reference, ..) = self.reference();
        let px = match self.order.side {
            OrderSide::Buy => reference.max(self.last_px),
            OrderSide::Sell => reference.min(self.last_px),
        };
        (px, fee_of(self.fees, &self.trade(px, Liquidity::Taker)))
    }

    /// Price at which it is reckoned, as whom, and whether the price may move until it fills.
    fn reference(&self) -> (Price, Liquidity, bool) {
        let last = self.last_px;
        let is_marketable = |price: Price| self.order.side.accepts(last, price);
        let worse = |price: Price| match self.order.side {
            OrderSide::Buy => price.max(last),
            OrderSide::Sell => price.min(last),
        };
        match self.order.pricing {
            Pricing::Market => (last, Liquidity::Taker, true),
            Pricing::Limit { price } if is_marketable(price) => (price, Liquidity::Taker, false),
            Pricing::Limit { price } => (price, Liquidity::Maker, false),
            Pricing::Stop { stop_price } => (worse(stop_price), Liquidity::Taker, true),
            Pricing::StopLimit { price, .. } => (price, Liquidity::Taker, false),
            Pricing::Trailing { trail } => {
                let distance = self.order.side.signed(trail.distance(last.value()));
                let level = Price::new(last.value() + distance).unwrap_or(last);
                (worse(level), Liquidity::Taker, true)
            }
        }
    }

    const fn trade(&self, px: Price, liquidity: Liquidity) -> Trade<'_> {
        Trade {
            instrument: self.instrument,
            side: self.order.side,
            liquidity,
            quantity: self.leaves,
            px,
            ts: self.ts,
            // The highest tariff: what was traded so far may have fallen out of the window by then.
            volume_30d: Decimal::ZERO,
        }
    }

    fn fee(&self, px: Price, liquidity: Liquidity) -> Decimal {
        let fee = fee_of(self.fees, &self.trade(px, liquidity));
        match fee.asset {
            FeeAsset::Quote => fee.amount.0,
            FeeAsset::Base => Cash::ZERO.0,
        }
    }
}

/// By how many units a trade makes |position| larger; zero or more.
pub fn increase(position: Quantity, side: OrderSide, quantity: Quantity) -> Quantity {
    let after = position.0 + side.signed(quantity.0);
    Quantity((after.abs() - position.0.abs()).max(Decimal::ZERO))
}

/// 1 + 5 bps: room for the price to move until the fill.
fn with_margin() -> Decimal {
    Decimal::new(1_0005, 4)
}
