//! Checks of a batch of deltas before it is applied: all of it, or none (02 §3.4).

use rust_decimal::Decimal;

use crate::delta::{Delta, DeltaBatch};
use crate::instrument::{InstrumentTable, KeyIx};
use crate::key::{PositionKey, PositionType};
use crate::operation_deltas::net_per_key;

/// How far below zero a balance may be by rounding alone.
pub const SIGN_TOLERANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 12);

/// How far the values of a batch may miss its fees by rounding alone.
pub const VALUE_TOLERANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 9);

/// What a batch is checked against.
pub trait Positions {
    /// Whether the run has declared that it may touch this position.
    fn is_subscribed(&self, key: KeyIx) -> bool;

    /// What is held of it.
    fn amount(&self, key: KeyIx) -> Decimal;

    /// Whether this balance may be negative: at a venue that allows it, or settle cash that open
    /// profit carries (01 §2.2, D86).
    fn may_be_negative(&self, key: KeyIx) -> bool;
}

/// Why a batch is not applied; nothing of it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum BatchFault {
    #[error("POS-KEY: {op} changes {key}, which the run does not declare")]
    NotSubscribed { op: Box<str>, key: PositionKey },

    #[error("POS-ZERO: {op} changes {key} by nothing")]
    Zero { op: Box<str>, key: PositionKey },

    #[error("POS-SIGN: {op} leaves {after} of {key}, which cannot be negative")]
    Negative { op: Box<str>, key: PositionKey, after: Decimal },

    #[error("POS-OVERFLOW: {op} leaves more of {key} than 28 digits hold")]
    Overflow { op: Box<str>, key: PositionKey },

    #[error("POS-FLASH-DEBT: {op} leaves {after} of {key} outside a group")]
    FlashDebt { op: Box<str>, key: PositionKey, after: Decimal },
}

/// Checks a batch: its keys are declared, no delta is zero, and after all of it every position has a
/// sign that its type allows. The order of the deltas does not matter.
///
/// Decimals are always finite; what does not fit into 28 digits is the fault that is left.
///
/// # Errors
///
/// The first rule that it breaks.
pub fn check_batch(
    batch: &DeltaBatch,
    table: &InstrumentTable,
    positions: &dyn Positions,
) -> Result<(), BatchFault> {
    let op = || batch.op_id.to_string().into_boxed_str();
    for delta in &batch.deltas {
        let key = table.key(delta.key);
        if !positions.is_subscribed(delta.key) {
            return Err(BatchFault::NotSubscribed { op: op(), key: key.clone() });
        }
        if delta.amount.is_zero() {
            return Err(BatchFault::Zero { op: op(), key: key.clone() });
        }
    }
    for net in net_per_key(&batch.deltas) {
        let key = table.key(net.key);
        let Some(after) = positions.amount(net.key).checked_add(net.amount) else {
            return Err(BatchFault::Overflow { op: op(), key: key.clone() });
        };
        let fault =
            match key.kind() {
                PositionType::Perp => None,
                PositionType::BaseToken if positions.may_be_negative(net.key) => None,
                PositionType::FlashDebt => (!after.is_zero()).then(|| BatchFault::FlashDebt {
                    op: op(),
                    key: key.clone(),
                    after,
                }),
                PositionType::BaseToken
                | PositionType::AToken
                | PositionType::DebtToken
                | PositionType::Lst
                | PositionType::Claim
                | PositionType::Transit => (after < -SIGN_TOLERANCE)
                    .then(|| BatchFault::Negative { op: op(), key: key.clone(), after }),
            };
        if let Some(fault) = fault {
            return Err(fault);
        }
    }
    Ok(())
}

/// A batch whose values do not add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("POS-CONSERVATION: the values of a batch add up to {found}; its fees are {fees}")]
pub struct ConservationFault {
    /// Σ value of the deltas.
    pub found: Decimal,
    /// What was paid; costs positive.
    pub fees: Decimal,
}

/// Checks that the values of deltas add up to minus the fees.
///
/// `value` is what one unit of a position is worth at the fill, in any one currency; that of a debt is
/// negative. `rounding` is the sum of one smallest unit of each rounded token, in that currency.
///
/// # Errors
///
/// They miss by more than [`VALUE_TOLERANCE`] and the rounding.
pub fn check_conservation(
    deltas: &[Delta],
    value: impl Fn(KeyIx) -> Decimal,
    fees: Decimal,
    rounding: Decimal,
) -> Result<(), ConservationFault> {
    let found: Decimal = deltas.iter().map(|delta| delta.amount * value(delta.key)).sum();
    if (found + fees).abs() <= VALUE_TOLERANCE + rounding {
        return Ok(());
    }
    Err(ConservationFault { found, fees })
}

#[cfg(test)]
mod tests {
    use crate::delta::{Cause, OperationId, Source, Subject};
    use crate::time::UtcMillis;

    use super::*;

    struct Held(Vec<(&'static str, bool)>);

    impl Positions for Held {
        fn is_subscribed(&self, key: KeyIx) -> bool {
            key.index() < self.0.len()
        }

        fn amount(&self, key: KeyIx) -> Decimal {
            self.0[key.index()].0.parse().unwrap()
        }

        fn may_be_negative(&self, key: KeyIx) -> bool {
            self.0[key.index()].1
        }
    }

    const KEYS: [&str; 6] = [
        "wallet:BaseToken:USDT",
        "binance:BaseToken:USDT",
        "binance:Perp:BTCUSDT",
        "aave_v3:debtToken:debtWETH",
        "morpho:FlashDebt:WETH",
        "okx:BaseToken:BTC",
    ];

    fn check(changes: &[(u16, &str)]) -> String {
        let mut table = InstrumentTable::new();
        for key in KEYS {
            table.add_key(key.parse().unwrap());
        }
        let held =
            Held(vec![("10", false), ("10", true), ("0", false), ("1", false), ("0", false)]);
        let delta = |(key, amount): &(u16, &str)| {
            Delta::new(KeyIx(*key), amount.parse().unwrap(), Cause::Trade)
        };
        let deltas: Vec<Delta> = changes.iter().map(delta).collect();
        let op_id = OperationId { subject: Subject::Initial, number: 0 };
        let (source, ts_event) = (Source::Trade, UtcMillis::new(0));
        let mut batch = DeltaBatch { op_id, source, ts_event, deltas };
        let found = check_batch(&batch, &table, &held);
        batch.deltas.reverse();
        assert_eq!(check_batch(&batch, &table, &held).is_ok(), found.is_ok(), "order matters");
        found.map_or_else(|fault| fault.to_string(), |()| "ok".to_owned())
    }

    #[test]
    fn a_batch_leaves_signs_that_types_allow() {
        for (changes, expected) in [
            (&[(0, "-10"), (1, "10")][..], "ok"),
            (&[(0, "-15"), (0, "5")], "ok"),
            (&[(0, "-10.000000000001")], "ok"),
            (
                &[(0, "-10.000000000002")],
                "POS-SIGN: initial #0 leaves -0.000000000002 of wallet:BaseToken:USDT, which cannot be negative",
            ),
            (&[(1, "-100")], "ok"),
            (&[(2, "-1")], "ok"),
            (
                &[(3, "-2")],
                "POS-SIGN: initial #0 leaves -1 of aave_v3:debtToken:debtWETH, which cannot be negative",
            ),
            (&[(4, "1"), (4, "-1")], "ok"),
            (
                &[(4, "1")],
                "POS-FLASH-DEBT: initial #0 leaves 1 of morpho:FlashDebt:WETH outside a group",
            ),
            (
                &[(0, "1"), (5, "1")],
                "POS-KEY: initial #0 changes okx:BaseToken:BTC, which the run does not declare",
            ),
            (&[(0, "0")], "POS-ZERO: initial #0 changes wallet:BaseToken:USDT by nothing"),
            (
                &[(0, "79228162514264337593543950335")],
                "POS-OVERFLOW: initial #0 leaves more of wallet:BaseToken:USDT than 28 digits hold",
            ),
        ] {
            assert_eq!(check(changes), expected);
        }
    }

    #[test]
    fn values_add_up_to_minus_the_fees() {
        let deltas = [
            Delta::new(KeyIx(0), Decimal::new(5, 1), Cause::Trade),
            Delta::new(KeyIx(1), Decimal::from(-25_025), Cause::Trade),
        ];
        let value = |key: KeyIx| if key.0 == 0 { Decimal::from(50_000) } else { Decimal::ONE };
        let fee = Decimal::from(25);
        assert_eq!(check_conservation(&deltas, value, fee, Decimal::ZERO), Ok(()));
        let smallest = Decimal::new(1, 6);
        assert_eq!(check_conservation(&deltas, value, fee + smallest, smallest), Ok(()));
        let fault = check_conservation(&deltas, value, Decimal::ZERO, smallest).unwrap_err();
        assert_eq!(fault.found, Decimal::from(-25));
    }
}
