//! Checks of a batch of deltas before it is applied: all of it, or none (02 §3.4).

use rust_decimal::Decimal;

use crate::delta::{Delta, OperationId};
use crate::instrument::{InstrumentTable, KeyIx};
use crate::key::{PositionKey, PositionType};

/// How far below zero a balance may be by rounding alone.
pub const SIGN_TOLERANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 12);

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
    #[error("POS-KEY: {op_id} changes key {}, which the run does not declare", key.0)]
    NotSubscribed { op_id: OperationId, key: KeyIx },

    #[error("POS-ZERO: {op_id} changes {key} by nothing")]
    Zero { op_id: OperationId, key: PositionKey },

    #[error("POS-SIGN: {op_id} leaves {after} of {key}, which cannot be negative")]
    Negative { op_id: OperationId, key: PositionKey, after: Decimal },

    #[error("POS-OVERFLOW: {op_id} leaves more of {key} than 28 digits hold")]
    Overflow { op_id: OperationId, key: PositionKey },

    #[error("POS-FLASH-DEBT: {op_id} leaves {after} of {key} outside a group")]
    FlashDebt { op_id: OperationId, key: PositionKey, after: Decimal },
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
    op_id: OperationId,
    deltas: &[Delta],
    table: &InstrumentTable,
    positions: &dyn Positions,
) -> Result<(), BatchFault> {
    for (place, delta) in deltas.iter().enumerate() {
        if !positions.is_subscribed(delta.key) {
            return Err(BatchFault::NotSubscribed { op_id, key: delta.key });
        }
        if delta.amount.is_zero() {
            return Err(BatchFault::Zero { op_id, key: table.key(delta.key).clone() });
        }
        let is_first = deltas[..place].iter().all(|before| before.key != delta.key);
        if is_first {
            let of_key = deltas[place..].iter().filter(|other| other.key == delta.key);
            check_sign(op_id, delta.key, of_key.map(|other| other.amount), table, positions)?;
        }
    }
    Ok(())
}

/// Checks one position as it would be after all of its changes.
fn check_sign(
    op_id: OperationId,
    place: KeyIx,
    mut changes: impl Iterator<Item = Decimal>,
    table: &InstrumentTable,
    positions: &dyn Positions,
) -> Result<(), BatchFault> {
    let (before, key) = (positions.amount(place), table.key(place));
    let after = changes.try_fold(before, Decimal::checked_add);
    let Some(after) = after else {
        return Err(BatchFault::Overflow { op_id, key: key.clone() });
    };
    match key.kind() {
        PositionType::Perp => Ok(()),
        PositionType::BaseToken if positions.may_be_negative(place) => Ok(()),
        PositionType::FlashDebt if after.is_zero() => Ok(()),
        PositionType::FlashDebt => Err(BatchFault::FlashDebt { op_id, key: key.clone(), after }),
        PositionType::BaseToken
        | PositionType::AToken
        | PositionType::DebtToken
        | PositionType::Lst
        | PositionType::Claim
        | PositionType::Transit => {
            // What is negative already may become less so.
            if after < -SIGN_TOLERANCE && after < before {
                return Err(BatchFault::Negative { op_id, key: key.clone(), after });
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::delta::{Cause, Subject};

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
        let found = check_batch(op_id, &deltas, &table, &held);
        let reversed: Vec<Delta> = deltas.into_iter().rev().collect();
        let backwards = check_batch(op_id, &reversed, &table, &held);
        assert_eq!(backwards.is_ok(), found.is_ok(), "order matters");
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
                "POS-KEY: initial #0 changes key 5, which the run does not declare",
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
}
