//! Reconciliation: what we believe next to what venues say.

use rust_decimal::Decimal;

use crate::instrument::KeyIx;
use crate::interface::Holding;

/// The result of comparing two books, position by position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// Positions compared.
    pub compared: usize,
    /// Those that differ by more than their tolerance, in the order of their keys.
    pub mismatches: Vec<Mismatch>,
}

impl Reconciliation {
    /// Whether both books agree.
    pub const fn is_match(&self) -> bool {
        self.mismatches.is_empty()
    }
}

/// One position on which two books disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which position.
    pub key: KeyIx,
    /// What we believe.
    pub simulated: Holding,
    /// What the venue says.
    pub real: Holding,
    /// How far they may differ; zero in backtests.
    pub tolerance: Decimal,
}

impl Mismatch {
    /// What differs, as we believe it and as the venue says it: the amounts, or where those agree
    /// what the position was entered at.
    pub fn sides(&self) -> (Decimal, Decimal) {
        let (simulated, real) = (self.simulated, self.real);
        if simulated.amount == real.amount {
            (simulated.cost, real.cost)
        } else {
            (simulated.amount, real.amount)
        }
    }

    /// Simulated less real, of what differs.
    pub fn difference(&self) -> Decimal {
        let (simulated, real) = self.sides();
        simulated - real
    }
}

/// How far two books may differ on a position: the larger of both (D48).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tolerance {
    /// In the unit of the key.
    pub absolute: Decimal,
    /// As a share of what the venue says.
    pub relative: Decimal,
}

impl Tolerance {
    /// To the last digit, as in backtests.
    pub const EXACT: Self = Self { absolute: Decimal::ZERO, relative: Decimal::ZERO };

    /// How far an amount may be from `real`.
    pub fn around(self, real: Decimal) -> Decimal {
        if self == Self::EXACT {
            return Decimal::ZERO;
        }
        self.absolute.max(self.relative * real.abs())
    }
}
