//! Bars of one series in the length of a frame.

use model::frame::{Bar, BarKind, SubBar};
use model::time::{Interval, UtcMillis};

use super::candles::{Candles, Closed, Ending, Purpose};
use super::trail::Trail;
use super::window::Window;
use crate::candles::{DataError, SeriesSpec};

/// A frame's bar in the making.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    ts: i64,
    bar: Bar,
}

pub(super) struct FrameBars {
    candles: Candles,
    /// Length of a frame where bars have to be put together.
    resample_ms: Option<i64>,
    bucket: Option<Bucket>,
    /// The first bar of the next bucket.
    pending: Option<Closed>,
    /// The bars that the last frame's bar was put together from, where they are kept.
    sub_bars: Option<Vec<SubBar>>,
}

impl FrameBars {
    pub(super) fn open(
        spec: &SeriesSpec,
        frame: Interval,
        frames: Window,
        purpose: Purpose,
    ) -> Result<Self, DataError> {
        check_interval(spec, frame)?;
        let resample = spec.interval != frame;
        let bars = if resample { frames.of_bars(frame) } else { frames };
        Ok(Self {
            candles: Candles::open(spec, bars, purpose)?,
            resample_ms: resample.then_some(frame.millis()),
            bucket: None,
            pending: None,
            sub_bars: None,
        })
    }

    /// Keeps the bars of each frame, if it has to be put together.
    pub(super) fn keep_sub_bars(&mut self) {
        self.sub_bars = self.resample_ms.map(|_| Vec::new());
    }

    /// The bars that the last bar was put together from; `None` where they are not kept.
    pub(super) fn sub_bars(&self) -> Option<&[SubBar]> {
        self.sub_bars.as_deref()
    }

    pub(super) const fn candles(&self) -> &Candles {
        &self.candles
    }

    /// Keeps the closes of its bars, whatever their length.
    pub(super) fn keep_trail(&mut self) {
        self.candles.keep_trail();
    }

    /// The closes that are kept.
    pub(super) const fn trail(&mut self) -> Option<&mut Trail> {
        self.candles.trail()
    }

    /// The next bar, named by the close of its frame; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Closed>, DataError> {
        let Some(frame_ms) = self.resample_ms else { return self.candles.next() };
        if let Some(sub_bars) = &mut self.sub_bars {
            sub_bars.clear();
        }
        loop {
            let next = match self.pending.take() {
                Some(bar) => Some(bar),
                None => self.candles.next()?,
            };
            let Some((close, bar)) = next else {
                // Rows behind the window prove that the last bucket has no more of its own.
                let complete = self.candles.ending() == Some(Ending::Window);
                let last = self.bucket.take().filter(|_| complete);
                return Ok(last.map(|bucket| (bucket.ts, bucket.bar)));
            };
            let ts = close + (-close).rem_euclid(frame_ms);
            match &mut self.bucket {
                Some(bucket) if bucket.ts == ts => add(&mut bucket.bar, &bar),
                bucket => {
                    if let Some(complete) = bucket.take() {
                        self.pending = Some((close, bar));
                        return Ok(Some((complete.ts, complete.bar)));
                    }
                    *bucket = Some(Bucket { ts, bar });
                }
            }
            if let Some(sub_bars) = &mut self.sub_bars {
                sub_bars.push(SubBar { ts: UtcMillis::new(close), bar });
            }
            if close == ts {
                // Delivered at once: whatever is wrong behind it must not hold it back.
                let complete = self.bucket.take().expect("it has just been added to");
                return Ok(Some((complete.ts, complete.bar)));
            }
        }
    }
}

/// Checks that the bars of a series make up frames.
pub(super) fn check_interval(spec: &SeriesSpec, frame: Interval) -> Result<(), DataError> {
    if frame.millis() % spec.interval.millis() == 0 {
        return Ok(());
    }
    Err(DataError::interval(spec, frame))
}

/// Adds a later bar.
///
/// Prices of synthetic bars were never traded: they count only where nothing else was.
fn add(bar: &mut Bar, later: &Bar) {
    match (bar.kind, later.kind) {
        (BarKind::Real, BarKind::Synthetic) => {}
        (BarKind::Synthetic, BarKind::Real) => *bar = *later,
        _ => {
            bar.high = bar.high.max(later.high);
            bar.low = bar.low.min(later.low);
            bar.close = later.close;
            bar.volume += later.volume;
        }
    }
}
