//! Token amounts as whole numbers of their smallest unit.

use ruint::aliases::U256;
use rust_decimal::{Decimal, RoundingStrategy};

/// 10 to a power of at most 77.
pub(super) fn power_of_ten(places: u32) -> U256 {
    U256::from(10).pow(U256::from(places))
}

/// Whole smallest units of an amount, digits beyond them cut off; `None` if negative.
pub(super) fn units_of(amount: Decimal, decimals: u32) -> Option<U256> {
    let mantissa = U256::from(u128::try_from(amount.mantissa()).ok()?);
    Some(match decimals.checked_sub(amount.scale()) {
        Some(places) => mantissa.checked_mul(power_of_ten(places))?,
        None => mantissa / power_of_ten(amount.scale() - decimals),
    })
}

/// The amount of whole smallest units; `None` if 28 digits cannot hold it.
pub(super) fn amount_of(units: U256, decimals: u32) -> Option<Decimal> {
    let units = i128::try_from(u128::try_from(units).ok()?).ok()?;
    Decimal::try_from_i128_with_scale(units, decimals).ok().map(|amount| amount.normalize())
}

/// A credit at token decimals: rounded towards zero (D74).
pub fn rounded_down(amount: Decimal, decimals: u32) -> Decimal {
    amount.round_dp_with_strategy(decimals, RoundingStrategy::ToZero)
}

/// A debit at token decimals: rounded away from zero (D74).
pub fn rounded_up(amount: Decimal, decimals: u32) -> Decimal {
    amount.round_dp_with_strategy(decimals, RoundingStrategy::AwayFromZero)
}
