//! Rounding to the ledger scale, to the tick and to the lot.

use crate::properties::scenario::{ONE, Side, TICK};

/// `value / by`, rounded half-even.
pub(crate) fn rounded(value: i128, by: i128) -> i128 {
    let (quotient, rest) = (value.div_euclid(by), value.rem_euclid(by));
    match (2 * rest).cmp(&by) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + quotient % 2,
    }
}

/// The product of two amounts, rounded half-even to the ledger scale (D74).
pub(crate) fn product(left: i128, right: i128) -> i128 {
    rounded(left * right, ONE)
}

pub(super) fn down(value: i128, step: i128) -> i128 {
    value.div_euclid(step) * step
}

fn up(value: i128, step: i128) -> i128 {
    -down(-value, step)
}

/// To the tick, away from what the side wants to pay or get.
pub(super) fn passive(side: Side, px: i128) -> i128 {
    if side == Side::Buy { down(px, TICK) } else { up(px, TICK) }
}

/// To the tick against the account.
pub(super) fn aggressive(side: Side, px: i128) -> i128 {
    passive(side.other(), px)
}

/// Whether `px` is at least as good as `limit`.
pub(super) fn within(side: Side, px: i128, limit: i128) -> bool {
    side.sign() * (limit - px) >= 0
}
