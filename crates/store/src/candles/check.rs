//! Checks of rows, alone and against the row above.

use model::time::{Interval, UtcMillis};

use super::chunk::{Chunk, NO_TIME, Row};
use super::column::Column;
use super::fault::FaultKind;

/// First and last millisecond of the years 1 to 9999.
const CALENDAR_MS: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

/// Smallest price: 18 places, which is all that the ledger keeps.
pub(super) const PRICE_MIN: f64 = 1e-18;

/// Largest price: 15 digits before the point, which leaves room for a notional in 28 digits.
pub(super) const PRICE_MAX: f64 = 1e15;

/// Largest volume, for the same reason.
pub(super) const VOLUME_MAX: f64 = 1e15;

impl Row {
    /// Whether the values can be a bar.
    ///
    /// Comparisons with NaN are false, and the bounds of low and high bound the rest.
    pub(crate) fn is_sound(&self) -> bool {
        self.low >= PRICE_MIN
            && self.low <= self.open
            && self.low <= self.close
            && self.high >= self.open
            && self.high >= self.close
            && self.high <= PRICE_MAX
            && self.volume >= 0.0
            && self.volume <= VOLUME_MAX
    }

    pub(crate) fn has_time(&self) -> bool {
        is_time(self.time)
    }

    fn values(&self) -> [(Column, f64); 5] {
        [
            (Column::Open, self.open),
            (Column::High, self.high),
            (Column::Low, self.low),
            (Column::Close, self.close),
            (Column::Volume, self.volume),
        ]
    }
}

/// Whether a time is one of the calendar.
pub(crate) fn is_time(millis: i64) -> bool {
    CALENDAR_MS.contains(&millis)
}

/// What is wrong with the time of a row, if anything.
pub(crate) fn time_fault<const N: usize>(chunk: &Chunk<N>, at: usize) -> Option<FaultKind> {
    let time = chunk.time[at];
    if is_time(time) {
        return None;
    }
    let column = Column::Time;
    Some(match chunk.oddity(at, column).map(|oddity| oddity.text.clone()) {
        Some(Some(text)) if text.parse::<i64>().is_ok() => FaultKind::UnitMissing { text },
        Some(Some(text)) => FaultKind::Unreadable { column, text },
        Some(None) => FaultKind::Null { column },
        None => FaultKind::TimeRange { millis: time.max(NO_TIME + 1) },
    })
}

/// Everything that is wrong with the prices and the volume of a row.
pub(crate) fn value_faults(chunk: &Chunk, at: usize) -> Vec<FaultKind> {
    let row = chunk.row(at);
    if row.is_sound() {
        return Vec::new();
    }
    let mut faults: Vec<FaultKind> = row
        .values()
        .into_iter()
        .filter_map(|(column, found)| match chunk.oddity(at, column) {
            Some(oddity) => Some(oddity.fault()),
            None if column == Column::Volume => {
                (!(0.0..=VOLUME_MAX).contains(&found)).then_some(FaultKind::Volume { found })
            }
            None => price_fault(column, found),
        })
        .collect();
    if faults.is_empty() {
        faults.extend(range_faults(&row));
    }
    faults
}

/// What is wrong with a price, if anything.
pub(crate) fn price_fault(column: Column, found: f64) -> Option<FaultKind> {
    (!(PRICE_MIN..=PRICE_MAX).contains(&found)).then_some(FaultKind::Price { column, found })
}

fn range_faults(row: &Row) -> impl Iterator<Item = FaultKind> {
    let edge = |column, found: f64, beyond: fn(f64, f64) -> bool| {
        [(Column::Open, row.open), (Column::Close, row.close), (Column::Low, row.low)]
            .into_iter()
            .find(|(_, other)| beyond(*other, found))
            .map(|(other_column, other)| FaultKind::Range { column, found, other_column, other })
    };
    let high = edge(Column::High, row.high, |other, high| other > high);
    let low = edge(Column::Low, row.low, |other, low| other < low);
    [high, low].into_iter().flatten()
}

/// What is wrong with the time of a row after that of the row above, if anything.
///
/// Times need not lie on a grid: months differ in length, and sessions in local time shift.
pub(crate) fn order_fault(previous: &Row, row: &Row, interval: Interval) -> Option<FaultKind> {
    let above = previous.values();
    if let Some(fault) = sequence_fault((previous.time, &above), (row.time, &row.values())) {
        return Some(fault);
    }
    let step = row.time - previous.time;
    let (before, now) = (UtcMillis::new(previous.time), UtcMillis::new(row.time));
    // Half an interval or less cannot be a short month or a shifted session.
    (step * 2 <= interval.millis()).then_some(FaultKind::Interval {
        previous: before,
        found: now,
        interval,
    })
}

/// The time of a row and its values.
pub(crate) type Stated<'a> = (i64, &'a [(Column, f64)]);

/// What is wrong with a time that does not come after that of the row above.
pub(crate) fn sequence_fault(above: Stated<'_>, here: Stated<'_>) -> Option<FaultKind> {
    let ((before, above), (time, here)) = (above, here);
    let (previous, found) = (UtcMillis::new(before), UtcMillis::new(time));
    if time < before {
        return Some(FaultKind::Order { previous, found });
    }
    if time > before {
        return None;
    }
    let ts = found;
    let mut both = above.iter().zip(here);
    let differs = both.find(|((_, above), (_, here))| above.to_bits() != here.to_bits());
    Some(match differs {
        None => FaultKind::Repeated { ts },
        Some((&(column, previous), &(_, found))) => {
            FaultKind::Conflict { ts, column, previous, found }
        }
    })
}

/// Bars missing between two rows, to the nearest whole number.
///
/// A hole is thus a step of one and a half intervals or more: shorter steps are jitter, a long
/// month, or a day on which a session shifts.
pub(crate) const fn missing_between(previous_ms: i64, found_ms: i64, interval_ms: i64) -> i64 {
    (found_ms - previous_ms + interval_ms / 2).div_euclid(interval_ms) - 1
}
