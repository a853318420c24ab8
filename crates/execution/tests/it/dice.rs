//! Dice: seeded draws of a test's own.

use model::Decimal;
use model::numeric::decimal_of;

/// `SplitMix64`: small, and the same everywhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed ^ 0x5dee_ce66_d1ce_4e5b)
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A whole number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a small number");
        usize::try_from(self.next() % bound).expect("below a small number")
    }

    /// Whether something happens that does so in `percent` of all cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A float from -1 to 1.
    pub(crate) fn signed(&mut self) -> f64 {
        let bits = u32::try_from(self.next() >> 32).expect("32 bits");
        f64::from(bits) / f64::from(u32::MAX) * 2.0 - 1.0
    }

    /// A float from `low` to `high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        f64::midpoint(self.signed(), 1.0) * (high - low) + low
    }
}

/// A price or a quantity as a decimal, rounded.
pub(crate) fn rounded(value: f64, places: u32) -> Decimal {
    decimal_of(value).expect("a finite number").round_dp(places)
}
