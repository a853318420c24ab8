//! Money: prices, quantities and cash as decimals, each with its own type and its own rounding.

use std::fmt;
use std::ops::{AddAssign, Mul, Neg, SubAssign};

use rust_decimal::{Decimal, RoundingStrategy};

/// Price of one base unit, in quote currency (BTC-USDT: USDT per BTC).
///
/// Invariant: strictly positive. A missing price is `Option<Price>`, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(Decimal);

impl Price {
    /// A price; `None` unless strictly positive.
    pub fn new(value: Decimal) -> Option<Self> {
        (value > Decimal::ZERO).then_some(Self(value))
    }

    /// Quote units per base unit.
    pub const fn value(self) -> Decimal {
        self.0
    }
}

/// Base units; the sign, where one makes sense, is that of the position (long is positive).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(pub Decimal);

impl Quantity {
    /// No units at all.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Whether there are no units.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The largest multiple of `lot` that is not larger in size.
    pub fn floor_to(self, lot: Decimal) -> Self {
        Self(floor_to(self.0, lot))
    }
}

/// Price times quantity, in quote currency, before any rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notional(Decimal);

impl Notional {
    /// A notional that is not price times quantity: that of an inverse contract.
    pub const fn exactly(value: Decimal) -> Self {
        Self(value)
    }

    /// The exact product, in quote currency.
    pub const fn value(self) -> Decimal {
        self.0
    }

    /// The cash that this notional is booked as: rounded once, half-even, to the ledger scale (D74).
    pub fn booked(self, scale: LedgerScale) -> Cash {
        Cash(scale.round(self.0))
    }
}

/// Price times quantity is notional; no other pair of these types multiplies.
impl Mul<Quantity> for Price {
    type Output = Notional;

    fn mul(self, quantity: Quantity) -> Notional {
        Notional(self.0 * quantity.0)
    }
}

/// An amount of one currency; positive is ours, negative is owed or spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cash(pub Decimal);

impl Cash {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);
}

impl Neg for Cash {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Cash {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Cash {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

/// Number of decimal places to which the amounts of an asset are rounded before they are booked.
///
/// Amounts on one scale add exactly, so conservation can hold to the last digit (D74).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LedgerScale(pub u32);

impl LedgerScale {
    /// Twelve places, where neither venue nor token declares fewer.
    pub const DEFAULT: Self = Self(12);

    /// Rounds half-even to this scale.
    pub fn round(self, value: Decimal) -> Decimal {
        value.round_dp_with_strategy(self.0, RoundingStrategy::MidpointNearestEven)
    }
}

/// A rate in basis points (1 bp = 0.0001); as a cost positive, as a rebate negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bps(pub Decimal);

impl Bps {
    /// The rate as a fraction: 10 bps is 0.001.
    pub fn fraction(self) -> Decimal {
        self.0 * Decimal::new(1, 4)
    }
}

impl fmt::Display for Bps {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bps", self.0.normalize())
    }
}

/// The multiple of `step` nearest to `value` from below in size (towards zero).
pub fn floor_to(value: Decimal, step: Decimal) -> Decimal {
    value - value % step
}

/// The multiple of `step` nearest to `value` from above in size (away from zero).
pub fn ceil_to(value: Decimal, step: Decimal) -> Decimal {
    let rest = value % step;
    if rest.is_zero() {
        value
    } else if value.is_sign_negative() {
        value - rest - step
    } else {
        value - rest + step
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn cash_is_rounded_half_even_to_the_ledger_scale() {
        let scale = LedgerScale(2);
        for (exact, booked) in
            [("1.005", "1.00"), ("1.015", "1.02"), ("-1.005", "-1.00"), ("1.0051", "1.01")]
        {
            assert_eq!(scale.round(decimal(exact)), decimal(booked), "{exact}");
        }
    }

    #[test]
    fn a_price_is_never_zero_or_negative() {
        assert_eq!(Price::new(Decimal::ZERO), None);
        assert_eq!(Price::new(decimal("-1")), None);
        assert!(Price::new(decimal("0.00000001")).is_some());
    }

    proptest! {
        #[test]
        fn rounding_to_a_step_moves_by_less_than_one_step(mantissa in -1_000_000_000i64..1_000_000_000, step in 1i64..1_000) {
            let (value, step) = (Decimal::new(mantissa, 4), Decimal::new(step, 3));
            let (down, up) = (floor_to(value, step), ceil_to(value, step));
            prop_assert!(down.abs() <= value.abs() && value.abs() <= up.abs());
            prop_assert!((up - down).abs() <= step);
            prop_assert!((down % step).is_zero() && (up % step).is_zero());
        }
    }
}
