//! Funding of the last seven days of one perpetual.

use std::collections::VecDeque;

use crate::frame::FundingPoint;
use crate::market::FundingTrail;
use crate::numeric::float_of;
use crate::time::{DAY_MS, UtcMillis};

/// How far back funding is looked at.
const WINDOW_MS: i64 = 7 * DAY_MS;
/// The interval that rates are scaled to.
const EIGHT_HOURS_MS: i64 = 28_800_000;

/// Events of the window, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct FundingWindow(VecDeque<(UtcMillis, f64)>);

impl FundingWindow {
    /// Takes an event, lets go of what is older than the window, and says what is left.
    pub(super) fn take(&mut self, point: &FundingPoint) -> FundingTrail {
        self.0.push_back((point.ts, float_of(point.rate)));
        let start = point.ts.millis() - WINDOW_MS;
        while self.0.front().is_some_and(|(ts, _)| ts.millis() <= start) {
            self.0.pop_front();
        }
        self.trail()
    }

    /// The mean rate, scaled from the mean distance of the events to eight hours.
    #[expect(clippy::cast_precision_loss, reason = "counts and lengths of a week")]
    fn trail(&self) -> FundingTrail {
        let count = self.0.len() as f64;
        let sum: f64 = self.0.iter().map(|(_, rate)| rate).sum();
        let negative = self.0.iter().filter(|(_, rate)| *rate < 0.0).count() as f64;
        let first = self.0.front().map_or(0, |(ts, _)| ts.millis());
        let last = self.0.back().map_or(0, |(ts, _)| ts.millis());
        let distance = if self.0.len() > 1 {
            (last - first) as f64 / (count - 1.0)
        } else {
            EIGHT_HOURS_MS as f64
        };
        FundingTrail {
            mean_8h: sum / count * (EIGHT_HOURS_MS as f64 / distance),
            negative_share: negative / count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::InstrumentIx;

    #[test]
    fn rates_of_a_week_are_scaled_to_eight_hours() {
        let hour = |hour: i64| UtcMillis::new(hour * 3_600_000);
        let point = |at: i64, rate: &str| FundingPoint {
            instrument: InstrumentIx(0),
            ts: hour(at),
            rate: rate.parse().unwrap(),
            mark: None,
        };
        let mut window = FundingWindow::default();
        assert_eq!(
            window.take(&point(8, "0.0001")),
            FundingTrail { mean_8h: 1e-4, negative_share: 0.0 }
        );
        // Four-hourly from here on: what is paid in eight hours is twice the rate.
        let trail = window.take(&point(12, "-0.0003"));
        assert!((trail.mean_8h + 2e-4).abs() < 1e-15, "{trail:?}");
        assert!((trail.negative_share - 0.5).abs() < 1e-15);
        let trail = window.take(&point(8 + 7 * 24, "0.0001"));
        assert!((trail.negative_share - 0.5).abs() < 1e-15, "the first is a week old: {trail:?}");
    }
}
