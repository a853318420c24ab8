//! Lending: health of a position at a pool, and what the pool takes when it liquidates one.

/// How a reserve counts as collateral.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CollateralTerms {
    /// Largest debt that one unit of its value allows to be taken; a fraction.
    pub ltv: f64,
    /// Weight in the health factor; a fraction, above `ltv`.
    pub liquidation_threshold: f64,
    /// What a liquidator gets on top; a fraction.
    pub liquidation_bonus: f64,
}

/// A reserve at a lending pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reserve {
    /// Its own terms.
    pub terms: CollateralTerms,
    /// The e-mode category that it belongs to, and the terms there.
    pub emode: Option<(u8, CollateralTerms)>,
}

impl Reserve {
    /// The terms that hold while everything that is borrowed is of `category`.
    pub fn terms_in(&self, category: Option<u8>) -> CollateralTerms {
        match self.emode {
            Some((own, terms)) if Some(own) == category => terms,
            _ => self.terms,
        }
    }
}

/// Collateral and debt of one account at one pool, in one currency at oracle values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LendingLoad {
    /// Σ collateral.
    pub collateral: f64,
    /// Σ collateral · liquidation threshold.
    pub weighted: f64,
    /// Σ collateral · LTV: what may be borrowed in all.
    pub capacity: f64,
    /// Σ debt.
    pub debt: f64,
}

impl LendingLoad {
    /// Counts a collateral in.
    pub fn supply(&mut self, value: f64, terms: CollateralTerms) {
        self.collateral += value;
        self.weighted += value * terms.liquidation_threshold;
        self.capacity += value * terms.ltv;
    }

    /// Health factor: Σ(collateral · LT) / Σ debt; +∞ without debt. Source: 04 §6.1.
    pub fn health_factor(&self) -> f64 {
        if self.debt > 0.0 { self.weighted / self.debt } else { f64::INFINITY }
    }

    /// Loan to value: Σ debt / Σ collateral; zero without debt, +∞ without collateral.
    pub fn ltv(&self) -> f64 {
        match (self.debt > 0.0, self.collateral > 0.0) {
            (false, _) => 0.0,
            (true, true) => self.debt / self.collateral,
            (true, false) => f64::INFINITY,
        }
    }

    /// What may still be borrowed; negative once the debt is beyond it.
    pub fn borrow_power(&self) -> f64 {
        self.capacity - self.debt
    }
}

/// Fall of the ratio of collateral price to debt price at which the health factor is 1: 1 − 1/HF.
///
/// Negative if it has been passed; 1 without debt. Source: 04 §6.1, pinned by 04 §6.6.
pub fn fall_to_liquidation(health_factor: f64) -> f64 {
    1.0 - 1.0 / health_factor
}

/// Years in which interest alone takes the health factor to 1, at a net `carry` per year that lowers
/// it: borrow rate less staking and supply rates. `None` if the carry does not lower it.
///
/// ln(HF) / carry. Source: 04 §6.1, pinned by 04 §6.6.
pub fn years_to_liquidation(health_factor: f64, carry: f64) -> Option<f64> {
    (carry > 0.0 && health_factor.is_finite()).then(|| libm::log(health_factor) / carry)
}

/// What a liquidation is decided on, in base currency (USD) at oracle values. Source: 04 §6.5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiquidationCase {
    /// Health factor before.
    pub health_factor: f64,
    /// The largest collateral.
    pub collateral: f64,
    /// All collaterals.
    pub total_collateral: f64,
    /// The largest debt.
    pub debt: f64,
    /// All debts.
    pub total_debt: f64,
    /// What the liquidator gets on top; a fraction.
    pub bonus: f64,
}

/// What a pool takes, in base currency.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LiquidationStep {
    /// Debt that is repaid.
    pub repaid: f64,
    /// Collateral that is seized.
    pub seized: f64,
    /// Debt that is left without any collateral: burned by the pool.
    pub bad_debt: f64,
}

/// Below this health factor all of the debt may be repaid.
const FULL_CLOSE_HEALTH: f64 = 0.95;

/// A collateral or debt below this may be repaid as a whole, in base currency.
const SMALL: f64 = 2_000.0;

/// What may not be left of a side that is not used up, in base currency.
const LEFTOVER: f64 = 1_000.0;

impl LiquidationCase {
    /// What one liquidation takes; `None` while HF ≥ 1, or if it would leave too little of one side.
    ///
    /// Source: 04 §6.5: close factor 100 % if HF ≤ 0.95 or a side is below 2,000 USD, else 50 %; at
    /// least 1,000 USD of a side stay if both do.
    pub fn step(&self) -> Option<LiquidationStep> {
        let Self { health_factor, collateral, total_collateral, debt, total_debt, bonus } = *self;
        if health_factor >= 1.0 || debt <= 0.0 || collateral <= 0.0 {
            return None;
        }
        let all = health_factor <= FULL_CLOSE_HEALTH || collateral < SMALL || debt < SMALL;
        let close_factor = if all { 1.0 } else { 0.5 };
        let mut repaid = debt.min(close_factor * total_debt);
        let mut seized = repaid * (1.0 + bonus);
        if seized >= collateral {
            repaid = collateral / (1.0 + bonus);
            // If that was all the collateral, whatever debt is left stands on nothing.
            let last = total_collateral <= collateral;
            let bad_debt = if last { (total_debt - repaid).max(0.0) } else { 0.0 };
            return Some(LiquidationStep { repaid, seized: collateral, bad_debt });
        }
        if repaid < debt {
            let most = (debt - LEFTOVER).min((collateral - LEFTOVER) / (1.0 + bonus));
            if repaid > most {
                repaid = most;
                seized = repaid * (1.0 + bonus);
            }
            if repaid <= 0.0 {
                return None;
            }
        }
        Some(LiquidationStep { repaid, seized, bad_debt: 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{found} ≠ {expected}");
    }

    fn case(unit: f64, collateral: f64, debt: f64, lt: f64, bonus: f64) -> LiquidationCase {
        let health_factor = collateral * lt / debt;
        let (collateral, debt) = (collateral * unit, debt * unit);
        LiquidationCase {
            health_factor,
            collateral,
            total_collateral: collateral,
            debt,
            total_debt: debt,
            bonus,
        }
    }

    #[test]
    fn a_pool_liquidates_as_in_the_vectors_of_the_specification() {
        // Source: 04 §6.5: unit, collateral, debt, LT, bonus → repaid, seized, bad debt.
        for (unit, collateral, debt, lt, bonus, expected) in [
            (3_000.0, 100.0, 95.0 / 0.98, 0.95, 0.01, [48.469_388, 48.954_082, 0.0]),
            (1.0, 10_000.0, 8_600.0, 0.83, 0.05, [4_300.0, 4_515.0, 0.0]),
            (3_000.0, 100.0, 95.0 / 0.94, 0.95, 0.01, [99.009_901, 100.0, 2.053_929]),
        ] {
            let step = case(unit, collateral, debt, lt, bonus).step().unwrap();
            for (found, expected) in [step.repaid, step.seized, step.bad_debt].iter().zip(expected)
            {
                close(found / unit, expected);
            }
        }
        let after = (100.0 - 48.954_082) * 0.95 / 48.469_388;
        close(after, 1.000_5);
        close(5_485.0 * 0.83 / 4_300.0, 1.058_733);
    }

    #[test]
    fn small_sides_are_closed_whole_and_healthy_ones_not_at_all() {
        assert_eq!(case(1.0, 10_000.0, 8_000.0, 0.83, 0.05).step(), None);
        let whole = case(1.0, 2_100.0, 1_900.0, 0.9, 0.05).step().unwrap();
        close(whole.repaid, 1_900.0);
        // Half of the debt, but 1,000 of it would not stay: it repays less.
        let less = case(1.0, 2_250.0, 2_005.0, 0.89, 0.01).step().unwrap();
        close(less.repaid, 1_002.5);
        let mixed =
            LiquidationCase { total_debt: 3_000.0, ..case(1.0, 2_400.0, 2_100.0, 0.87, 0.01) };
        close(mixed.step().unwrap().repaid, 1_100.0);
    }

    #[test]
    fn health_and_loan_to_value() {
        let own =
            CollateralTerms { ltv: 0.8, liquidation_threshold: 0.83, liquidation_bonus: 0.05 };
        let emode =
            CollateralTerms { ltv: 0.93, liquidation_threshold: 0.95, liquidation_bonus: 0.01 };
        let reserve = Reserve { terms: own, emode: Some((1, emode)) };
        assert_eq!(reserve.terms_in(Some(1)), emode);
        assert_eq!(reserve.terms_in(Some(2)), own);
        assert_eq!(reserve.terms_in(None), own);
        let mut load = LendingLoad { debt: 80.0, ..LendingLoad::default() };
        load.supply(100.0, emode);
        close(load.health_factor(), 1.1875);
        close(load.ltv(), 0.8);
        close(load.borrow_power(), 13.0);
        assert!(LendingLoad::default().health_factor().is_infinite());
        assert!(LendingLoad::default().ltv().abs() <= 0.0);
    }

    #[test]
    fn distances_to_liquidation() {
        // Source: 04 §6.6.
        for (health, fall) in [(0.95 / 0.65, 0.315_789), (1.1501, 0.130_510), (1.045, 0.043_062)] {
            close(fall_to_liquidation(health), fall);
        }
        close(years_to_liquidation(1.045, 0.03).unwrap(), 1.467_229);
        close((years_to_liquidation(1.045, 0.226 - 0.028).unwrap() * 365.0).floor(), 81.0);
        assert_eq!(years_to_liquidation(1.045, -0.01), None);
    }
}
