//! Rules that hold for all orders of a run, as its run file states them.

use super::amount::{BPS, ONE};
use super::dice::Dice;

/// What holds for all orders of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are switches of the run file")]
pub(crate) struct Rules {
    pub(crate) is_perp: bool,
    pub(crate) cash: i128,
    /// Base units at the start, spot only.
    pub(crate) base: i128,
    pub(crate) slippage: i128,
    pub(crate) maker: i128,
    pub(crate) taker: i128,
    pub(crate) participation: i128,
    pub(crate) market_carry: bool,
    pub(crate) nearest_extreme: bool,
    pub(crate) touch_fills: bool,
    pub(crate) conservative_gaps: bool,
    pub(crate) latency_bars: usize,
}

impl Rules {
    /// Ample means, no costs, no limits.
    pub(crate) const FREE: Self = Self {
        is_perp: false,
        cash: 100_000_000 * ONE,
        base: 100_000 * ONE,
        slippage: 0,
        maker: 0,
        taker: 0,
        participation: 0,
        market_carry: true,
        nearest_extreme: false,
        touch_fills: false,
        conservative_gaps: true,
        latency_bars: 0,
    };

    /// Random rules, with ample means.
    pub(crate) fn draw(dice: &mut Dice, is_perp: bool) -> Self {
        Self {
            is_perp,
            slippage: if dice.chance(50) { dice.range(0, 300) * BPS / 10 } else { 0 },
            maker: dice.range(-20, 50) * BPS / 10,
            taker: dice.range(0, 100) * BPS / 10,
            participation: if dice.chance(50) { dice.range(1, 5_000) * BPS } else { 0 },
            market_carry: dice.chance(75),
            nearest_extreme: dice.chance(40),
            touch_fills: dice.chance(40),
            conservative_gaps: dice.chance(60),
            latency_bars: if dice.chance(60) { 0 } else { dice.place(4) },
            ..Self::FREE
        }
    }

    pub(crate) fn instrument(&self) -> &'static str {
        if self.is_perp { "binance:perp:ETHUSDT" } else { "binance:spot:ETHUSDT" }
    }
}
