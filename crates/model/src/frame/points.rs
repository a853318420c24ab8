//! Point data of a frame: marks, funding and prices that became known since the frame before it.

use rust_decimal::Decimal;

use crate::instrument::{InstrumentIx, SeriesIx};
use crate::time::UtcMillis;

/// A funding event of a perpetual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FundingPoint {
    /// The perpetual.
    pub instrument: InstrumentIx,
    /// When it was settled, as the file states it; jitter of milliseconds included.
    pub ts: UtcMillis,
    /// Fraction of the position's notional, per interval and never per year: a positive rate is
    /// paid by longs to shorts. Sources guarantee −1 < rate < 1.
    pub rate: Decimal,
    /// Price of the notional, in quote currency; positive.
    ///
    /// The mark that the file states for the event; else the last close of the perpetual's mark
    /// series at or before `ts`, not older than one interval of that series; else the last close of
    /// its candles, not older than one interval of those; else `None`.
    pub mark: Option<Decimal>,
}

/// Mark prices of a perpetual over (T−Δ, T], in quote currency.
///
/// Sources guarantee positive, finite prices with `low ≤ open, close ≤ high`. Of a series whose bars
/// are longer than a frame, all four are the close: what happened before T−Δ is no part of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarkBar {
    /// First mark.
    pub open: f64,
    /// Highest mark.
    pub high: f64,
    /// Lowest mark.
    pub low: f64,
    /// Last mark: that of T, unless the series has no bar that closes there.
    pub close: f64,
}

/// A price of a series that is nobody's market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PricePoint {
    /// The series.
    pub series: SeriesIx,
    /// From when on it holds, as the file states it.
    pub ts: UtcMillis,
    /// Units of quote per unit of base; positive and finite.
    pub value: f64,
}
