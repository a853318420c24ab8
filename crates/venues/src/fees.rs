//! Fees of a trade.

use model::Decimal;
use model::money::{Bps, Cash, LedgerScale, Notional};

/// The fee on a notional: cost positive, rebate negative, rounded once to the ledger scale.
pub fn fee_on(notional: Notional, rate: Bps, scale: LedgerScale) -> Cash {
    Cash(scale.round(notional.value() * rate.fraction()))
}

/// What one unit of notional costs with its fee: 1 + rate.
pub fn with_fee(rate: Bps) -> Decimal {
    Decimal::ONE + rate.fraction()
}

#[cfg(test)]
mod tests {
    use model::money::{Price, Quantity};

    use super::*;

    #[test]
    fn a_fee_is_a_share_of_the_notional_and_a_rebate_is_negative() {
        let price = Price::new(Decimal::new(50_000, 0)).unwrap();
        let notional = price * Quantity(Decimal::new(5, 1));
        for (rate, fee) in [("10", "25"), ("5", "12.5"), ("-1", "-2.5"), ("0", "0")] {
            let rate = Bps(rate.parse().unwrap());
            assert_eq!(fee_on(notional, rate, LedgerScale::DEFAULT).0, fee.parse().unwrap());
        }
    }
}
