//! The window of a run: which frames it has and which bars make them up.

use model::time::{Interval, UtcMillis};

use super::FeedSpec;

/// Closes of bars or frames: after the first, up to and including the second instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Exclusive; milliseconds.
    pub(super) after: i64,
    /// Inclusive; milliseconds.
    pub(super) until: i64,
}

impl Window {
    /// Frames from `first` on, or all if there is none, up to the end of `spec`.
    pub(super) fn of_frames(first: Option<i64>, end: Option<UtcMillis>) -> Self {
        Self {
            after: first.map_or(i64::MIN, |first| first - 1),
            until: end.map_or(i64::MAX, UtcMillis::millis),
        }
    }

    /// The bars that make up these frames, where bars of another length are resampled.
    pub(super) fn of_bars(self, frame: Interval) -> Self {
        let frame = frame.millis();
        Self {
            // The grid instant before that of the first frame.
            after: if self.after == i64::MIN {
                i64::MIN
            } else {
                self.after.div_euclid(frame) * frame
            },
            until: if self.until == i64::MAX {
                i64::MAX
            } else {
                self.until.div_euclid(frame) * frame
            },
        }
    }

    /// The finer bars within these frames, wherever a frame lies that is made of one bar.
    pub(super) fn of_sub_bars(self, frame: Interval) -> Self {
        let first_open = self.after.saturating_add(1).saturating_sub(frame.millis());
        Self { after: first_open, ..self }
    }

    /// First and last of the instants that lie within the window, of the `count` that follow `before`
    /// at distances of `step`.
    pub(super) fn following(self, before: i64, count: i64, step: i64) -> Option<(i64, i64)> {
        if count < 1 {
            return None;
        }
        let skipped = if self.after > before { (self.after - before).div_euclid(step) } else { 0 };
        let first = before + (skipped + 1) * step;
        let kept = count.min(self.until.saturating_sub(before).div_euclid(step));
        let last = before + kept * step;
        (first <= last).then_some((first, last))
    }

    pub(super) const fn contains(self, close: i64) -> bool {
        self.after < close && close <= self.until
    }
}

/// Close of the first frame that opens at or after the start of a run.
pub(super) fn first_frame_ms(spec: &FeedSpec) -> Option<i64> {
    spec.start.map(|start| start.after(spec.interval).millis())
}
