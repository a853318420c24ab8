//! Slippage: how far a taker's price lies from the price of the bar.

use model::Decimal;
use model::money::{Bps, Price, ceil_to, floor_to};
use model::numeric::float_of;
use model::order::OrderSide;

/// Models of slippage; applied to fills that take liquidity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slippage {
    /// The price of the bar.
    #[default]
    None,
    /// A fixed distance against the account: px · (1 ± b / 10⁴).
    Fixed(Bps),
}

impl Slippage {
    /// The price after slippage, rounded to `tick` against the account.
    ///
    /// Source: 10 §12.5. `None` for a sale that rounds down to nothing: there is no such price, and
    /// one tick would be better than the market.
    pub fn apply(self, base: Price, side: OrderSide, tick: Decimal) -> Option<Price> {
        let distance = match self {
            Self::None => Decimal::ZERO,
            Self::Fixed(rate) => base.value() * rate.fraction(),
        };
        let rounded = match side {
            OrderSide::Buy => ceil_to(base.value() + distance, tick),
            OrderSide::Sell => floor_to(base.value() - distance, tick),
        };
        Price::new(rounded)
    }
}

/// Distance from `base` to `px` against the account, in basis points.
pub fn slippage_bps(base: Price, px: Price, side: OrderSide) -> f64 {
    let distance = match side {
        OrderSide::Buy => px.value() - base.value(),
        OrderSide::Sell => base.value() - px.value(),
    };
    if distance.is_zero() { 0.0 } else { float_of(distance) / float_of(base.value()) * 1e4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slippage_and_rounding_go_against_the_account() {
        let px = |text: &str| Price::new(text.parse().unwrap()).unwrap();
        let tick = Decimal::new(1, 2);
        let five = Slippage::Fixed(Bps(Decimal::new(5, 0)));
        for (slippage, side, base, expected) in [
            (Slippage::None, OrderSide::Buy, "50000", "50000"),
            (Slippage::None, OrderSide::Buy, "50000.001", "50000.01"),
            (Slippage::None, OrderSide::Sell, "50000.009", "50000.00"),
            (five, OrderSide::Buy, "50000", "50025"),
            (five, OrderSide::Sell, "50000", "49975"),
            (five, OrderSide::Buy, "100.01", "100.07"),
        ] {
            assert_eq!(slippage.apply(px(base), side, tick), Some(px(expected)), "{base} {side:?}");
        }
        assert_eq!(five.apply(px("0.01"), OrderSide::Sell, tick), None);
        assert!((slippage_bps(px("50000"), px("50025"), OrderSide::Buy) - 5.0).abs() < 1e-12);
        assert!((slippage_bps(px("50000"), px("49975"), OrderSide::Sell) - 5.0).abs() < 1e-12);
    }
}
