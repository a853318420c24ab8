//! Parts of fills, and their division without a remainder.

use model::Decimal;
use model::fill::Fill;
use model::money::LedgerScale;

/// A fill as it changes a position, or a part of it: one side of a flip, one lot of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Units by which the position changes; positive.
    pub(crate) quantity: Decimal,
    /// What they are worth at the price of the fill, in the asset of the cash; positive.
    pub(crate) notional: Decimal,
    /// Fee taken out of the cash; cost positive. Zero where it was taken out of the quantity, which
    /// has paid it by being smaller.
    pub(crate) fee: Decimal,
    /// What the fee is worth in the asset of the cash, wherever it was taken; cost positive.
    pub(crate) fee_value: Decimal,
}

impl Part {
    /// A whole fill whose fee was taken out of the cash.
    pub(crate) fn with_fee_in_cash(fill: &Fill) -> Self {
        Self {
            quantity: fill.last_qty.0,
            notional: fill.notional.0,
            fee: fill.fee.0,
            fee_value: fill.fee.0,
        }
    }

    /// A whole fill whose fee was taken out of the base balance: a buy of q brings q − fee.
    pub(crate) fn with_fee_in_base(fill: &Fill, scale: LedgerScale) -> Self {
        let change = fill.side.signed(fill.last_qty.0) - fill.fee.0;
        Self {
            quantity: fill.side.signed(change),
            notional: fill.notional.0,
            fee: Decimal::ZERO,
            fee_value: scale.round(fill.fee.0 * fill.last_px.value()),
        }
    }

    /// The first `quantity` units and the rest. Amounts go pro rata, rounded once; the rest takes the
    /// remainders, so both together are exactly what there was (D74).
    pub(crate) fn split(self, quantity: Decimal, scale: LedgerScale) -> (Self, Self) {
        let share = |amount: Decimal| share(amount, quantity, self.quantity, scale);
        let first = Self {
            quantity,
            notional: share(self.notional),
            fee: share(self.fee),
            fee_value: share(self.fee_value),
        };
        let rest = Self {
            quantity: self.quantity - quantity,
            notional: self.notional - first.notional,
            fee: self.fee - first.fee,
            fee_value: self.fee_value - first.fee_value,
        };
        (first, rest)
    }
}

/// What of `amount` belongs to `quantity` of `whole` units, rounded half-even to `scale`; all of it,
/// if that is all the units.
pub(crate) fn share(
    amount: Decimal,
    quantity: Decimal,
    whole: Decimal,
    scale: LedgerScale,
) -> Decimal {
    if quantity == whole || amount.is_zero() {
        return amount;
    }
    // The product first: it is exact more often than the quotient. It may need more than 28 digits.
    let exact = match amount.checked_mul(quantity) {
        Some(product) => product / whole,
        None => amount / whole * quantity,
    };
    scale.round(exact)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_share_is_rounded_once_and_the_whole_is_never_rounded() {
        let scale = LedgerScale(2);
        for (amount, quantity, whole, expected) in [
            ("100", "1", "3", "33.33"),
            ("100", "3", "3", "100"),
            ("0.005", "3", "3", "0.005"),
            ("-0.10", "1", "4", "-0.02"),
            ("79228162514264337593543950335", "2", "4", "39614081257132168796771975167.5"),
        ] {
            let [amount, quantity, whole, expected] =
                [amount, quantity, whole, expected].map(decimal);
            assert_eq!(share(amount, quantity, whole, scale), expected, "{amount}");
        }
    }

    proptest! {
        #[test]
        fn the_two_sides_of_a_split_are_what_there_was(
            units in 2i64..1_000_000,
            first in 1i64..1_000_000,
            notional in 0i64..1_000_000_000_000,
            fee in -1_000_000i64..1_000_000,
        ) {
            let whole = Part {
                quantity: Decimal::new(units, 5),
                notional: Decimal::new(notional, 7),
                fee: Decimal::new(fee, 9),
                fee_value: Decimal::new(fee, 9),
            };
            let (first, rest) = whole.split(Decimal::new(first.min(units - 1), 5), LedgerScale(9));
            prop_assert_eq!(first.quantity + rest.quantity, whole.quantity);
            prop_assert_eq!(first.notional + rest.notional, whole.notional);
            prop_assert_eq!(first.fee + rest.fee, whole.fee);
        }
    }
}
