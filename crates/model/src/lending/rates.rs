//! Interest rates of a pool by how much of it is lent: what our own size does to them.

use rust_decimal::{Decimal, RoundingStrategy};

/// Places of a rate that a formula yields.
const RATE_PLACES: u32 = 18;

/// How the borrow rate of a reserve follows its utilization; all are fractions, rates per year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateCurve {
    /// Rate at no utilization.
    pub base: Decimal,
    /// Added up to the optimal utilization.
    pub slope1: Decimal,
    /// Added beyond it.
    pub slope2: Decimal,
    /// The kink, in (0, 1).
    pub optimal: Decimal,
    /// Share of the interest that the protocol keeps.
    pub reserve_factor: Decimal,
}

/// Rates of a reserve at one utilization; fractions, rates per year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// debt / (cash + debt).
    pub utilization: Decimal,
    /// What borrowers pay.
    pub borrow: Decimal,
    /// What suppliers get.
    pub supply: Decimal,
}

impl RateCurve {
    /// Rates of a pool with this much cash and debt, both zero or more, in tokens; our own included.
    ///
    /// U ≤ U*: base + s1·U/U*; else base + s1 + s2·(U − U*)/(1 − U*); supply = borrow·U·(1 − RF).
    /// An empty pool is not utilized. Source: 03 §4.3, vector `rates_follow_the_kink`.
    pub fn rates(&self, cash: Decimal, debt: Decimal) -> Rates {
        let total = cash + debt;
        let utilization = if total.is_zero() { Decimal::ZERO } else { debt / total };
        let borrow = if utilization <= self.optimal {
            self.base + self.slope1 * utilization / self.optimal
        } else {
            let beyond = (utilization - self.optimal) / (Decimal::ONE - self.optimal);
            self.base + self.slope1 + self.slope2 * beyond
        };
        let supply = borrow * utilization * (Decimal::ONE - self.reserve_factor);
        Rates { utilization: rate(utilization), borrow: rate(borrow), supply: rate(supply) }
    }
}

fn rate(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(RATE_PLACES, RoundingStrategy::MidpointNearestEven)
}
