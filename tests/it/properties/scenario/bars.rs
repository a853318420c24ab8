//! Bars, their draw and their candle file.

use std::fmt::Write as _;

use super::amount::{LOT, TICK, text};
use super::dice::Dice;

/// 2024-01-01.
pub(crate) const START: i64 = 1_704_067_200_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) open: i128,
    pub(crate) high: i128,
    pub(crate) low: i128,
    pub(crate) close: i128,
    pub(crate) volume: i128,
}

/// Bars around 100: quiet and wild ones, gaps, some without volume.
pub(crate) fn draw_bars(dice: &mut Dice, count: usize) -> Vec<Bar> {
    let mut last = dice.range(9_000, 11_000);
    let step = dice.pick(&[1, 20, 100, 400]);
    let mut bar = |_| {
        let gap = if dice.chance(25) { dice.range(-step, step) } else { 0 };
        let open = (last + gap).clamp(5_000, 20_000);
        let close = (open + dice.range(-step, step)).clamp(5_000, 20_000);
        let mut reach = || if dice.chance(30) { 0 } else { dice.range(0, step) };
        let (high, low) = (open.max(close) + reach(), open.min(close) - reach());
        let volume = if dice.chance(8) { 0 } else { dice.range(1, 400) * 500 };
        last = close;
        let [open, high, low, close] = [open, high, low, close].map(|px| px * TICK);
        Bar { open, high, low, close, volume: volume * LOT }
    };
    (0..count).map(&mut bar).collect()
}

/// Bars as a candle file, `shift` milliseconds after [`START`].
pub(crate) fn candles_csv(bars: &[Bar], shift: i64) -> String {
    let mut csv = "ts,open,high,low,close,volume\n".to_owned();
    for (ts, bar) in (START + shift..).step_by(3_600_000).zip(bars) {
        let [open, high, low, close, volume] =
            [bar.open, bar.high, bar.low, bar.close, bar.volume].map(text);
        writeln!(csv, "{ts},{open},{high},{low},{close},{volume}").expect("a text");
    }
    csv
}
