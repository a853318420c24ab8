//! The equity curve: drawdown per frame, and the daily marks behind the metrics.

use model::metrics::{DailyMarks, Performance};
use model::time::{Interval, UtcMillis};

use super::figures::Figures;
use crate::audit::records::AccountColumns;

/// The equity of the run, as it grows; memory is one float per day.
#[derive(Debug)]
pub(crate) struct Curve {
    interval: Interval,
    marks: Option<DailyMarks>,
    first: Option<UtcMillis>,
    last: Option<(UtcMillis, f64)>,
    peak: f64,
    start: f64,
    exposed: u64,
    frames: u64,
}

impl Curve {
    pub(crate) const fn new(interval: Interval) -> Self {
        Self {
            interval,
            marks: None,
            first: None,
            last: None,
            peak: f64::MIN,
            start: 0.0,
            exposed: 0,
            frames: 0,
        }
    }

    /// Takes the snapshots of a commit; the drawdown at each frame after the warm-up.
    pub(crate) fn take(&mut self, accounts: &AccountColumns) -> Vec<f64> {
        let rows = accounts.ts.len();
        let mut drawdown = Vec::with_capacity(rows);
        for row in accounts.warmup_rows..rows {
            let (ts, equity) = (UtcMillis::new(accounts.ts[row]), accounts.equity[row]);
            drawdown.push(self.take_one(ts, equity, accounts.gross[row]));
        }
        drawdown
    }

    fn take_one(&mut self, ts: UtcMillis, equity: f64, gross: f64) -> f64 {
        let marks = self.marks.get_or_insert_with(|| {
            // Nothing can have been traded before the first frame, so its equity is the capital.
            let open = ts.before(self.interval);
            (self.first, self.start) = (Some(open), equity);
            DailyMarks::starting_at(open, equity)
        });
        marks.take(ts, equity);
        self.last = Some((ts, equity));
        self.peak = self.peak.max(equity);
        self.frames += 1;
        if gross > 0.0 {
            self.exposed += 1;
        }
        if self.peak > 0.0 { 1.0 - equity / self.peak } else { 0.0 }
    }

    /// Completes the figures of the run.
    pub(crate) fn complete(self, figures: &mut Figures) {
        figures.first = self.first;
        figures.last = self.last.map(|(ts, _)| ts);
        figures.equity_start = self.start;
        figures.equity_end = self.last.map_or(0.0, |(_, equity)| equity);
        figures.exposure_time = (self.frames > 0).then(|| ratio(self.exposed, self.frames));
        figures.performance = Performance::of(self.marks.as_ref().map_or(&[], DailyMarks::marks));
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of frames, far below 2^53")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
