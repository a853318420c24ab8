//! Margin: maintenance margin by tier, liquidation prices, and the load of a margin account.

use crate::time::UtcMillis;

/// A bracket of notional and the maintenance margin that it asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarginTier {
    /// Smallest notional of the bracket, in quote currency; zero or more.
    pub floor: f64,
    /// Maintenance margin as a fraction of notional.
    pub mmr: f64,
    /// Initial margin as a fraction of notional; above the maintenance margin.
    pub imr: f64,
    /// What is taken off, so that margin is continuous over the brackets; set by [`MarginTiers::new`].
    amount: f64,
}

impl MarginTier {
    /// A tier; its deduction follows from those below it.
    pub const fn new(floor: f64, mmr: f64, imr: f64) -> Self {
        Self { floor, mmr, imr, amount: 0.0 }
    }

    /// Deduction, in quote currency.
    pub const fn amount(&self) -> f64 {
        self.amount
    }
}

/// Why margin tiers cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum MarginTierError {
    /// No tier, or the first does not start at zero.
    #[error("CFG-MARGIN: the first margin tier does not start at a notional of 0")]
    Start,
    /// Floors or rates do not increase.
    #[error("CFG-MARGIN: tier {tier} does not lie above the one before it")]
    Order {
        /// Number of the tier, from 1.
        tier: usize,
    },
    /// A position could be liquidated as soon as it is opened.
    #[error(
        "CFG-MARGIN: tier {tier} has a maintenance margin of {mmr} and an initial margin of {imr}"
    )]
    Initial {
        /// Number of the tier, from 1.
        tier: usize,
        /// Maintenance margin.
        mmr: f64,
        /// Initial margin.
        imr: f64,
    },
}

/// Margin tiers of an instrument from one instant on. Source: 04 §6.1.
#[derive(Clone, Debug, PartialEq)]
pub struct MarginTiers {
    /// From when they hold.
    pub valid_from: UtcMillis,
    tiers: Vec<MarginTier>,
}

impl MarginTiers {
    /// Tiers from the smallest notional up; their deductions are
    /// `amount_k = amount_{k−1} + floor_k · (mmr_k − mmr_{k−1})`.
    ///
    /// # Errors
    ///
    /// The first does not start at zero, they do not increase, or mmr ≥ imr.
    pub fn new(valid_from: UtcMillis, tiers: &[MarginTier]) -> Result<Self, MarginTierError> {
        if tiers.first().is_none_or(|first| first.floor.abs() > 0.0) {
            return Err(MarginTierError::Start);
        }
        let mut made: Vec<MarginTier> = Vec::with_capacity(tiers.len());
        for (place, tier) in tiers.iter().enumerate() {
            let number = place + 1;
            let MarginTier { floor, mmr, imr, .. } = *tier;
            if !(mmr > 0.0 && mmr < imr) {
                return Err(MarginTierError::Initial { tier: number, mmr, imr });
            }
            let amount = match made.last() {
                Some(below) if floor > below.floor && mmr >= below.mmr => {
                    below.amount + floor * (mmr - below.mmr)
                }
                Some(_) => return Err(MarginTierError::Order { tier: number }),
                None => 0.0,
            };
            made.push(MarginTier { amount, ..*tier });
        }
        Ok(Self { valid_from, tiers: made })
    }

    /// The tier of a notional; its size counts.
    pub fn tier(&self, notional: f64) -> &MarginTier {
        let above = self.tiers.partition_point(|tier| tier.floor <= notional.abs());
        &self.tiers[above.saturating_sub(1)]
    }

    /// Maintenance margin of a notional: notional · mmr − amount, in quote currency.
    pub fn maintenance(&self, notional: f64) -> f64 {
        let tier = self.tier(notional);
        notional.abs() * tier.mmr - tier.amount
    }
}

/// The tiers that hold at an instant: the last that have come into force.
pub fn tiers_at(history: &[MarginTiers], ts: UtcMillis) -> Option<&MarginTiers> {
    history.iter().filter(|tiers| tiers.valid_from <= ts).max_by_key(|tiers| tiers.valid_from)
}

/// A linear perpetual with what stands behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarginedPosition {
    /// Base units; negative if short, never zero.
    pub quantity: f64,
    /// Average entry, in quote currency.
    pub entry: f64,
    /// What it may lose: its own margin, or under cross margin the cash of the account and what its
    /// other positions have gained; in quote currency.
    pub margin: f64,
    /// Taker fee that the venue counts into the maintenance margin (`liquidation_fee_in_mmr`); zero
    /// where it does not.
    pub fee_in_mmr: f64,
}

impl MarginedPosition {
    /// Mark at which the venue liquidates it; `None` if no positive price does.
    ///
    /// Long (q·E − W − amt)/(q·(1 − mmr)), short (W + q·E + amt)/(q·(1 + mmr)), with the tier of the
    /// notional at that price, found by iteration. Source: 04 §6.5.
    pub fn liquidation_px(&self, tiers: &MarginTiers) -> Option<f64> {
        let size = self.quantity.abs();
        let mut notional = size * self.entry;
        let mut px = f64::NAN;
        // One step per tier settles it; an edge that two tiers meet at is no cycle, since margin is
        // continuous there.
        for _ in 0..=tiers.tiers.len() {
            let tier = tiers.tier(notional);
            let mmr = tier.mmr + self.fee_in_mmr;
            px = if self.quantity > 0.0 {
                (size * self.entry - self.margin - tier.amount) / (size * (1.0 - mmr))
            } else {
                (self.margin + size * self.entry + tier.amount) / (size * (1.0 + mmr))
            };
            let next = size * px;
            if tiers.tier(next) == tier {
                break;
            }
            notional = next;
        }
        (px > 0.0).then_some(px)
    }
}

/// What a margin account holds against its positions, in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MarginLoad {
    /// Settle cash and what open positions have gained.
    pub equity: f64,
    /// Sum of the sizes of all notionals.
    pub notional: f64,
    /// Sum of their maintenance margins.
    pub maintenance: f64,
}

impl MarginLoad {
    /// Margin fraction f: equity over notional; +∞ without a position. Source: 04 §6.1.
    pub fn fraction(&self) -> f64 {
        if self.notional > 0.0 { self.equity / self.notional } else { f64::INFINITY }
    }

    /// Maintenance margin over equity: 1 or more is a liquidation; +∞ without equity.
    pub fn usage(&self) -> f64 {
        match (self.maintenance > 0.0, self.equity > 0.0) {
            (false, _) => 0.0,
            (true, true) => self.maintenance / self.equity,
            (true, false) => f64::INFINITY,
        }
    }
}

/// Ratio of price to entry at which a 1:1 short on the coin as its margin is liquidated: 1/(h + mmr).
///
/// Source: 04 §6.5, cross-collateral basis with haircut h.
pub fn coin_margin_liquidation_ratio(haircut: f64, mmr: f64) -> f64 {
    1.0 / (haircut + mmr)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binance() -> MarginTiers {
        let tier = |floor, mmr| MarginTier::new(floor, mmr, 2.0 * mmr);
        let tiers = [
            tier(0.0, 0.004),
            tier(50_000.0, 0.005),
            tier(250_000.0, 0.01),
            tier(1_000_000.0, 0.025),
            tier(5_000_000.0, 0.05),
            tier(20_000_000.0, 0.1),
        ];
        MarginTiers::new(UtcMillis::new(0), &tiers).unwrap()
    }

    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() <= 1e-6 * expected.abs().max(1e-9),
            "{found} ≠ {expected}"
        );
    }

    #[test]
    fn deductions_make_maintenance_margin_continuous() {
        // Source: 04 §6.1, Binance BTCUSDT: .4 %/0, .5 %/50, 1 %/1,300.
        let tiers = binance();
        for (notional, amount) in [(49_999.0, 0.0), (50_000.0, 50.0), (250_000.0, 1_300.0)] {
            close(tiers.tier(notional).amount(), amount);
        }
        for floor in [50_000.0, 250_000.0, 1_000_000.0, 5_000_000.0, 20_000_000.0] {
            close(tiers.maintenance(floor - 1e-6), tiers.maintenance(floor));
        }
        // Source: 04 §6.6, three shorts at 52,010.
        let total: f64 =
            [0.64, 0.48, 0.48].iter().map(|q| binance().maintenance(q * 52_010.0)).sum();
        close(total, 332.864);
    }

    #[test]
    fn tiers_that_liquidate_at_once_are_refused() {
        let of = |tiers: &[MarginTier]| MarginTiers::new(UtcMillis::new(0), tiers).unwrap_err();
        assert_eq!(of(&[]), MarginTierError::Start);
        let impossible = MarginTier::new(0.0, 0.1, 0.05);
        assert_eq!(of(&[impossible]), MarginTierError::Initial { tier: 1, mmr: 0.1, imr: 0.05 });
        let first = MarginTier::new(0.0, 0.01, 0.02);
        assert_eq!(of(&[first, first]), MarginTierError::Order { tier: 2 });
    }

    #[test]
    fn the_tiers_in_force_are_the_last_that_have_come() {
        let tiers = [MarginTier::new(0.0, 0.01, 0.02)];
        let at = |ts| MarginTiers::new(UtcMillis::new(ts), &tiers).unwrap();
        let history = [at(10), at(20)];
        assert_eq!(tiers_at(&history, UtcMillis::new(5)), None);
        assert_eq!(tiers_at(&history, UtcMillis::new(19)), Some(&history[0]));
        assert_eq!(tiers_at(&history, UtcMillis::new(20)), Some(&history[1]));
    }

    #[test]
    fn a_perpetual_is_liquidated_at_the_tier_of_that_price() {
        // Source: 04 §6.5.
        for (quantity, margin, expected) in [
            (1.0, 10_000.0, 40_160.642_570),
            (-1.0, 10_000.0, 59_751.243_781),
            (-0.64, 8_000.0, 62_250.996_016),
        ] {
            let position = MarginedPosition { quantity, entry: 50_000.0, margin, fee_in_mmr: 0.0 };
            close(position.liquidation_px(&binance()).unwrap(), expected);
        }
        let safe =
            MarginedPosition { quantity: 1.0, entry: 50_000.0, margin: 50_000.0, fee_in_mmr: 0.0 };
        assert_eq!(safe.liquidation_px(&binance()), None);
        let with_fee =
            MarginedPosition { quantity: 1.0, entry: 50_000.0, margin: 10_000.0, fee_in_mmr: 5e-4 };
        close(with_fee.liquidation_px(&binance()).unwrap(), 40_000.0 / 0.9955);
    }

    #[test]
    fn a_coin_margined_basis_is_liquidated_far_away() {
        for (mmr, expected) in [(0.004, 18.518_519), (0.01, 16.666_667), (0.025, 13.333_333)] {
            close(coin_margin_liquidation_ratio(0.05, mmr), expected);
        }
    }

    #[test]
    fn an_account_without_positions_has_no_margin_load() {
        let idle = MarginLoad { equity: 100.0, ..MarginLoad::default() };
        assert!(idle.fraction().is_infinite() && idle.usage().abs() <= 0.0);
        let basis = MarginLoad { equity: 16_784.0, notional: 83_216.0, maintenance: 332.864 };
        close(basis.fraction(), 0.201_691_982);
        close(basis.usage(), 0.019_832_221);
        assert!(MarginLoad { equity: -1.0, ..basis }.usage().is_infinite());
    }
}
