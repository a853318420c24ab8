//! Slippage: how far a taker's price lies from the price of the bar.

use std::fmt;

use model::Decimal;
use model::frame::Bar;
use model::instrument::Instrument;
use model::money::{Bps, Price, Quantity, ceil_to, floor_to};
use model::numeric::{decimal_of, float_of};
use model::order::OrderSide;

/// A fill that takes liquidity, before slippage.
#[derive(Clone, Copy, Debug)]
pub struct Taking<'a> {
    /// What is traded.
    pub instrument: &'a Instrument,
    /// Bought or sold.
    pub side: OrderSide,
    /// Units; positive.
    pub quantity: Quantity,
    /// Price of the bar.
    pub base_px: Price,
    /// The bar in which it fills.
    pub bar: &'a Bar,
}

/// How far a taker's price lies from the bar's. Implement it for models of your own.
pub trait SlippageModel: fmt::Debug {
    /// Distance against the account, in basis points of the bar's price; zero or more.
    fn distance(&self, taking: &Taking<'_>) -> Bps;
}

/// The price of the bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoSlippage;

impl SlippageModel for NoSlippage {
    fn distance(&self, _taking: &Taking<'_>) -> Bps {
        Bps(Decimal::ZERO)
    }
}

/// A fixed distance: px · (1 ± b / 10⁴).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedSlippage(pub Bps);

impl SlippageModel for FixedSlippage {
    fn distance(&self, _taking: &Taking<'_>) -> Bps {
        self.0
    }
}

/// Half a spread, and an impact that grows with the share of the bar's volume:
/// h + k · (q / V)^α basis points. Source: 10 §12.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpreadImpact {
    /// The whole spread.
    pub spread: Bps,
    /// Impact of a fill as large as the bar's volume.
    pub impact: Bps,
    /// α.
    pub exponent: ImpactExponent,
}

/// How the impact grows with the share of the volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImpactExponent {
    /// α = 1.
    #[default]
    Linear,
    /// α = ½.
    SquareRoot,
}

impl SlippageModel for SpreadImpact {
    fn distance(&self, taking: &Taking<'_>) -> Bps {
        let volume = decimal_of(taking.bar.volume).unwrap_or_default();
        let share = taking.quantity.0 / volume.max(taking.instrument.lot);
        let share = match self.exponent {
            ImpactExponent::Linear => share,
            // Square roots are exact to the last bit on every machine.
            ImpactExponent::SquareRoot => decimal_of(float_of(share).sqrt()).unwrap_or_default(),
        };
        Bps((self.spread.0 / Decimal::TWO + self.impact.0 * share).round_dp(12))
    }
}

/// A distance by the size of the fill in quote currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SizeBuckets {
    /// Distance of fills up to a notional; ascending. Larger fills have the last one.
    pub buckets: Vec<(Decimal, Bps)>,
}

impl SlippageModel for SizeBuckets {
    fn distance(&self, taking: &Taking<'_>) -> Bps {
        let notional = taking.instrument.quote_notional(taking.base_px, taking.quantity);
        let fitting = self.buckets.iter().find(|(up_to, _)| notional <= *up_to);
        fitting.or(self.buckets.last()).map_or(Bps::default(), |(_, distance)| *distance)
    }
}

/// The price at a distance against the account, not rounded.
pub fn slipped(base: Price, side: OrderSide, distance: Bps) -> Decimal {
    base.value() + side.signed(base.value() * distance.fraction())
}

/// Rounds a price to the tick against the account; `None` for a sale that rounds down to nothing:
/// there is no such price, and one tick would be better than the market.
pub fn rounded_against(px: Decimal, side: OrderSide, tick: Decimal) -> Option<Price> {
    Price::new(match side {
        OrderSide::Buy => ceil_to(px, tick),
        OrderSide::Sell => floor_to(px, tick),
    })
}

/// Distance from `base` to `px` against the account, in basis points.
pub fn slippage_bps(base: Price, px: Price, side: OrderSide) -> f64 {
    let distance = side.signed(px.value() - base.value());
    if distance.is_zero() { 0.0 } else { float_of(distance) / float_of(base.value()) * 1e4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn px(text: &str) -> Price {
        Price::new(decimal(text)).unwrap()
    }

    fn price(model: &dyn SlippageModel, side: OrderSide, base: &str, quantity: &str) -> Decimal {
        let instrument = Instrument::spot("binance:spot:BTCUSDT".parse().unwrap(), "BTC", "USDT");
        let bar = Bar { volume: 100.0, ..Bar::default() };
        let quantity = Quantity(decimal(quantity));
        let base_px = px(base);
        let taking = Taking { instrument: &instrument, side, quantity, base_px, bar: &bar };
        slipped(base_px, side, model.distance(&taking))
    }

    #[test]
    fn slippage_goes_against_the_account() {
        let fixed = FixedSlippage(Bps(decimal("5")));
        let bps = |text: &str| Bps(decimal(text));
        let impact = |exponent| SpreadImpact { spread: bps("5"), impact: bps("100"), exponent };
        let (linear, root) = (impact(ImpactExponent::Linear), impact(ImpactExponent::SquareRoot));
        let steps = [("10000", "1"), ("100000", "4")];
        let buckets = steps.map(|(up_to, distance)| (decimal(up_to), bps(distance))).to_vec();
        let buckets = SizeBuckets { buckets };
        for (model, side, base, quantity, expected) in [
            (&NoSlippage as &dyn SlippageModel, OrderSide::Buy, "50000", "1", "50000"),
            (&fixed, OrderSide::Buy, "50000", "1", "50025"),
            (&fixed, OrderSide::Sell, "50000", "1", "49975"),
            // 10 §12.5: 2.5 + 5 = 7.5 bps.
            (&linear, OrderSide::Buy, "50000", "5", "50037.5"),
            (&linear, OrderSide::Sell, "50000", "5", "49962.5"),
            (&root, OrderSide::Buy, "50000", "4", "50112.5"),
            (&buckets, OrderSide::Buy, "50000", "0.1", "50005"),
            (&buckets, OrderSide::Buy, "50000", "9", "50020"),
        ] {
            assert_eq!(price(model, side, base, quantity), decimal(expected), "{model:?}");
        }
    }

    #[test]
    fn rounding_goes_against_the_account() {
        let tick = Decimal::new(1, 2);
        for (side, exact, expected) in [
            (OrderSide::Buy, "50000.001", Some("50000.01")),
            (OrderSide::Sell, "50000.009", Some("50000.00")),
            (OrderSide::Sell, "0.009", None),
        ] {
            assert_eq!(rounded_against(decimal(exact), side, tick), expected.map(px), "{exact}");
        }
        assert!((slippage_bps(px("50000"), px("50025"), OrderSide::Buy) - 5.0).abs() < 1e-12);
        assert!((slippage_bps(px("50000"), px("49975"), OrderSide::Sell) - 5.0).abs() < 1e-12);
    }
}
