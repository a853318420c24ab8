//! Checks of points, alone and against the row above.

use model::time::{Interval, UtcMillis};

use super::PointsOf;
use crate::candles::FaultKind;
use crate::candles::check::{missing_between as bars_between, price_fault};
use crate::candles::chunk::Chunk;
use crate::candles::column::Column;

/// Values of one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PointRow {
    /// Milliseconds since the epoch.
    pub(crate) time: i64,
    /// Rate or price.
    pub(crate) value: f64,
    /// Mark price of a funding event; NaN where the file has none.
    pub(crate) mark: f64,
}

impl PointRow {
    pub(crate) fn of(chunk: &Chunk<2>, at: usize) -> Self {
        let [value, mark] = &chunk.values;
        Self { time: chunk.time[at], value: value[at], mark: mark[at] }
    }

    /// The values, as rows of one time are compared.
    pub(crate) fn values(&self, of: PointsOf) -> [(Column, f64); 2] {
        [(value_column(of), self.value), (Column::MarkPrice, self.mark)]
    }
}

const fn value_column(of: PointsOf) -> Column {
    match of {
        PointsOf::Funding(_) => Column::Rate,
        PointsOf::Price(_) => Column::Price,
    }
}

/// Everything that is wrong with the values of a row.
pub(crate) fn value_faults(of: PointsOf, chunk: &Chunk<2>, at: usize) -> Vec<FaultKind> {
    let PointRow { value, mark, .. } = PointRow::of(chunk, at);
    let column = value_column(of);
    let value_fault = match (chunk.oddity(at, column), of) {
        (Some(oddity), _) => Some(oddity.fault()),
        (None, PointsOf::Price(_)) => price_fault(column, value),
        // Comparisons with NaN are false.
        (None, PointsOf::Funding(_)) if value.abs() < 1.0 => None,
        (None, PointsOf::Funding(_)) => Some(FaultKind::Rate { found: value }),
    };
    let mark_fault = match chunk.oddity(at, Column::MarkPrice) {
        // Venues do not state a mark for every event: a cell may be empty.
        Some(oddity) => oddity.text.is_some().then(|| oddity.fault()),
        None if mark.is_nan() => None,
        None => price_fault(Column::MarkPrice, mark),
    };
    value_fault.into_iter().chain(mark_fault).collect()
}

/// Points missing between two rows.
///
/// A hole is a distance above one and a half intervals (03 §4.2). Shorter distances are none, however
/// short: venues shorten the interval of a perpetual in times of stress.
pub(crate) const fn missing_between(previous_ms: i64, found_ms: i64, interval: Interval) -> i64 {
    let (step, interval) = (found_ms.saturating_sub(previous_ms), interval.millis());
    if step.saturating_mul(2) <= interval.saturating_mul(3) {
        return 0;
    }
    bars_between(previous_ms, found_ms, interval)
}

/// The fault of a hole.
pub(crate) fn gap_fault(
    previous_ms: i64,
    found_ms: i64,
    interval: Interval,
    missing: u64,
) -> FaultKind {
    let (previous, found) = (UtcMillis::new(previous_ms), UtcMillis::new(found_ms));
    FaultKind::PointGap { previous, found, interval, missing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_more_than_one_and_a_half_intervals() {
        const HOUR: i64 = 3_600_000;
        let interval = Interval::from_millis(8 * HOUR).unwrap();
        for (step, missing) in [
            (1, 0),
            (2 * HOUR, 0),
            (8 * HOUR, 0),
            (12 * HOUR, 0),
            (12 * HOUR + 1, 1),
            (16 * HOUR, 1),
            // Two to the hour, late or early by milliseconds.
            (16 * HOUR - 15, 1),
            (16 * HOUR + 15, 1),
            (32 * HOUR, 3),
            (752 * HOUR, 93),
        ] {
            assert_eq!(missing_between(1_000, 1_000 + step, interval), missing, "{step}");
        }
    }
}
