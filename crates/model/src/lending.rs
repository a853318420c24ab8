//! Lending pools as Aave reckons them: ray arithmetic, growth of indices, scaled balances, rates.
//!
//! Everything here is integer arithmetic on 27 decimals, rounded as the pool rounds it, so that
//! balances equal the protocol's to the last unit (D70). Source: 03 §4.3, 02 §3.3.

use ruint::aliases::U256;
use rust_decimal::Decimal;

mod collateral;
mod rates;
mod units;

pub use collateral::{
    CollateralTerms, LendingLoad, LiquidationCase, LiquidationStep, Reserve, fall_to_liquidation,
    years_to_liquidation,
};
pub use rates::{RateCurve, Rates};
pub use units::{rounded_down, rounded_up};

use units::{amount_of, units_of};

/// Decimals of a ray.
const RAY_PLACES: u32 = 27;

const RAY: U256 = U256::from_limbs([0x9fd0_803c_e800_0000, 0x033b_2e3c, 0, 0]);

/// Seconds of a year of 365 days.
pub const YEAR_SECONDS: u64 = 31_536_000;

/// A factor or a yearly rate on 27 decimals, as the pool keeps it; never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ray(U256);

impl Ray {
    /// One: what an index starts with.
    pub const ONE: Self = Self(RAY);

    /// Nothing: a rate of zero.
    pub const ZERO: Self = Self(U256::ZERO);

    /// The ray of a fraction, half up where it has more than 27 decimals; `None` if negative.
    pub fn of(value: Decimal) -> Option<Self> {
        let value = value.normalize();
        let mantissa = U256::from(u128::try_from(value.mantissa()).ok()?);
        Some(Self(match RAY_PLACES.checked_sub(value.scale()) {
            Some(places) => mantissa * units::power_of_ten(places),
            None => (mantissa + U256::from(5)) / U256::from(10),
        }))
    }

    /// As a decimal, cut where 28 digits end; `None` from about 7.9 · 10²⁸ on.
    pub fn value(self) -> Option<Decimal> {
        (0..=RAY_PLACES).find_map(|cut| {
            let mantissa = u128::try_from(self.0 / units::power_of_ten(cut)).ok()?;
            let mantissa = i128::try_from(mantissa).ok()?;
            Decimal::try_from_i128_with_scale(mantissa, RAY_PLACES - cut).ok()
        })
    }

    /// The product, half up, as the pool's `rayMul`; `None` beyond 256 bits.
    pub fn times(self, other: Self) -> Option<Self> {
        let product = self.0.checked_mul(other.0)?.checked_add(RAY / U256::from(2))?;
        Some(Self(product / RAY))
    }

    fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    fn over(self, divisor: u64) -> Self {
        Self(self.0 / U256::from(divisor))
    }
}

/// Growth of a supply index over `seconds` at a yearly `rate`: linear per update.
///
/// 1 + R·dt/Y, cut at 27 decimals. Source: 03 §4.3; `None` beyond 256 bits.
pub fn linear_growth(rate: Ray, seconds: u64) -> Option<Ray> {
    yearly_share(rate, seconds)?.plus(Ray::ONE)
}

/// Growth of a borrow index over `seconds` at a yearly `rate`: Aave's binomial.
///
/// 1 + x + x²/2 + x³/6 with x = R·dt/Y, in the order of the pool's own terms.
/// Source: 03 §4.3; `None` beyond 256 bits.
pub fn compounded_growth(rate: Ray, seconds: u64) -> Option<Ray> {
    let x = yearly_share(rate, seconds)?;
    let terms = x.over(2).plus(x.times(x.over(6))?)?;
    Ray::ONE.plus(x)?.plus(x.times(terms)?)
}

fn yearly_share(rate: Ray, seconds: u64) -> Option<Ray> {
    let product = rate.0.checked_mul(U256::from(seconds))?;
    Some(Ray(product).over(YEAR_SECONDS))
}

/// Which way the pool rounds, always in its own favour (02 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Credits of ours: what is minted to us or paid to us.
    Down,
    /// Debits of ours: what is burned or owed.
    Up,
}

/// What an amount is in scaled units: amount / index at the token's decimals.
///
/// Supply mints down, withdraw burns up, borrow mints debt up, repay burns debt down.
/// `None` for a negative amount or beyond 28 digits. Source: 02 §3.2, vector `supplied_weeth`.
pub fn scaled(amount: Decimal, index: Ray, decimals: u32, rounding: Rounding) -> Option<Decimal> {
    if index.0.is_zero() {
        return None;
    }
    amount_of(divided(units_of(amount, decimals)?.checked_mul(RAY)?, index.0, rounding), decimals)
}

/// What scaled units are worth: scaled · index at the token's decimals; of a supply rounded down, of
/// a debt up. Never divided. `None` for negative units or beyond 28 digits.
pub fn balance(scaled: Decimal, index: Ray, decimals: u32, rounding: Rounding) -> Option<Decimal> {
    let product = units_of(scaled, decimals)?.checked_mul(index.0)?;
    amount_of(divided(product, RAY, rounding), decimals)
}

fn divided(dividend: U256, divisor: U256, rounding: Rounding) -> U256 {
    let (quotient, rest) = dividend.div_rem(divisor);
    match rounding {
        Rounding::Up if !rest.is_zero() => quotient + U256::from(1),
        Rounding::Up | Rounding::Down => quotient,
    }
}

#[cfg(test)]
mod tests;
