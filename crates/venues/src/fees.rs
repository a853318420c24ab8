//! Fees: what a venue charges for a trade.

use std::fmt;

use model::Decimal;
use model::fill::Liquidity;
use model::instrument::{FeeAsset, Instrument};
use model::money::{Bps, Cash, Price, Quantity};
use model::order::OrderSide;
use model::time::UtcMillis;

/// A trade that a fee is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Trade<'a> {
    /// What is traded.
    pub instrument: &'a Instrument,
    /// Bought or sold.
    pub side: OrderSide,
    /// Whether it takes or makes liquidity.
    pub liquidity: Liquidity,
    /// Units; positive.
    pub quantity: Quantity,
    /// Price after slippage.
    pub px: Price,
    /// When it happens.
    pub ts: UtcMillis,
    /// Notional traded on this market of the venue, in this quote currency, on the 30 days before the
    /// day of `ts`.
    pub volume_30d: Decimal,
}

/// How a fee is reckoned: a share of the notional, at least `minimum`, and `per_trade` on top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tariff {
    /// Share of the notional; negative for a rebate.
    pub rate: Bps,
    /// Least fee of a trade, in the asset of the instrument's cash; zero for none.
    pub minimum: Cash,
    /// Added to every trade, in the asset of the instrument's cash.
    pub per_trade: Cash,
}

/// What a venue charges. Implement it for tariffs of your own.
pub trait FeeModel: fmt::Debug {
    /// The tariff that applies to a trade.
    fn tariff(&self, trade: &Trade<'_>) -> Tariff;
}

/// A fee: how much, in which asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fee {
    /// Cost positive, rebate negative; rounded once to the ledger scale.
    pub amount: Cash,
    /// In base, or in the asset of the instrument's cash.
    pub asset: FeeAsset,
}

/// The fee of a trade.
///
/// A venue that charges buys in base currency takes the same share out of the quantity.
pub fn fee_of(model: &dyn FeeModel, trade: &Trade<'_>) -> Fee {
    let Tariff { rate, minimum, per_trade } = model.tariff(trade);
    let instrument = trade.instrument;
    let scale = instrument.ledger_scale;
    let in_base = trade.side == OrderSide::Buy
        && instrument.fee_asset == FeeAsset::Base
        && !instrument.is_perpetual();
    let (whole, asset, unit) = if in_base {
        (trade.quantity.0, FeeAsset::Base, trade.px.value())
    } else {
        (instrument.notional(trade.px, trade.quantity).value(), FeeAsset::Quote, Decimal::ONE)
    };
    let mut amount = whole * rate.fraction();
    if !minimum.0.is_zero() {
        amount = amount.max(minimum.0 / unit);
    }
    if !per_trade.0.is_zero() {
        amount += per_trade.0 / unit;
    }
    Fee { amount: Cash(scale.round(amount)), asset }
}

/// One rate for makers and one for takers, by traded volume and date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MakerTaker {
    /// Tiers, in any order; at least one must hold from the first instant at no volume.
    pub tiers: Vec<FeeTier>,
    /// Least fee of a trade.
    pub minimum: Cash,
    /// Added to every trade.
    pub per_trade: Cash,
}

/// Rates that hold from an instant on, from a traded volume on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeTier {
    /// From this instant; `None` from the beginning of time.
    pub valid_from: Option<UtcMillis>,
    /// From this notional in the last 30 days, in quote currency.
    pub volume_30d: Decimal,
    /// Rate of a maker; negative for a rebate.
    pub maker: Bps,
    /// Rate of a taker.
    pub taker: Bps,
}

impl MakerTaker {
    /// The same two rates always.
    pub fn flat(maker: Bps, taker: Bps) -> Self {
        Self { tiers: vec![FeeTier { maker, taker, ..FeeTier::default() }], ..Self::default() }
    }
}

impl FeeModel for MakerTaker {
    /// Of the tiers of the latest date that has come, the one of the largest volume reached.
    fn tariff(&self, trade: &Trade<'_>) -> Tariff {
        let holds = |tier: &&FeeTier| {
            tier.valid_from.is_none_or(|from| from <= trade.ts)
                && tier.volume_30d <= trade.volume_30d
        };
        let tier = self.tiers.iter().filter(holds);
        let tier = tier.max_by_key(|tier| (tier.valid_from, tier.volume_30d));
        let rate = tier.map_or(Bps::default(), |tier| match trade.liquidity {
            Liquidity::Maker => tier.maker,
            Liquidity::Taker => tier.taker,
        });
        Tariff { rate, minimum: self.minimum, per_trade: self.per_trade }
    }
}
