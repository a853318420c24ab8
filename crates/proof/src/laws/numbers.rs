//! Products of amounts, exactly: wide integers instead of the decimals that they were reckoned with.

use ruint::aliases::U512;
use store::audit::commit::InstrumentTerms;
use store::audit::reading::Units;

/// 10¹⁸.
fn one() -> U512 {
    U512::from(Units::PER_ONE.unsigned_abs())
}

fn wide(units: Units) -> U512 {
    U512::from(units.0.unsigned_abs())
}

/// Whether `found` is |price · quantity · size|, or for an inverse contract |quantity · size / price|,
/// rounded to the decimals of the instrument's cash; `rate` multiplies it where there is one.
///
/// Rounding moves by half a step at most, so that is how far it may lie from the exact product. All
/// signs are left to the caller.
pub(super) fn is_worth(
    found: Units,
    px: Units,
    quantity: Units,
    rate: Option<Units>,
    terms: &InstrumentTerms,
) -> bool {
    let size: Units = terms.contract_size.parse().unwrap_or_default();
    let rate = rate.unwrap_or(Units::ONE);
    let scale = 18_u32.saturating_sub(terms.cash_scale);
    let step = U512::from(10_u128.saturating_pow(scale));
    // Both sides times the same power of ten (and, for an inverse contract, times the price).
    let (exact, found, step) = if terms.contract == "inverse" {
        let exact = wide(quantity) * wide(size) * wide(rate) * one();
        (exact, wide(found) * wide(px) * one() * one(), step * wide(px) * one() * one())
    } else {
        let exact = wide(px) * wide(quantity) * wide(size) * wide(rate);
        (exact, wide(found) * one() * one() * one(), step * one() * one() * one())
    };
    exact.abs_diff(found) * U512::from(2) <= step
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Units {
        text.parse().unwrap()
    }

    #[test]
    fn amounts_are_worth_what_the_contract_says() {
        for (contract, size, px, quantity, rate, found, holds) in [
            ("spot", "1", "40869.59", "0.24443", "1", "9989.7538837", true),
            ("spot", "1", "40869.59", "0.24443", "1", "9989.7538838", false),
            ("linear", "0.001", "50000", "3", "1", "150", true),
            ("linear", "1", "50000.1", "3", "0.0001", "15.00003", true),
            ("inverse", "100", "50000", "3", "1", "0.006", true),
            ("inverse", "100", "30000", "1", "1", "0.003333333333", true),
            ("inverse", "100", "30000", "1", "1", "0.003333333335", false),
        ] {
            let terms = InstrumentTerms {
                contract: contract.to_owned(),
                contract_size: size.to_owned(),
                cash_scale: 12,
                ..InstrumentTerms::default()
            };
            let rate = Some(units(rate));
            let found_holds = is_worth(units(found), units(px), units(quantity), rate, &terms);
            assert_eq!(found_holds, holds, "{contract} {px} {quantity} {found}");
        }
    }
}
