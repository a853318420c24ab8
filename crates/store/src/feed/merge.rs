//! All series side by side: one row of bars per instant.

use std::collections::VecDeque;

use model::frame::Bar;

use super::candles::Purpose;
use super::facts::SeriesFacts;
use super::frames::FrameBars;
use super::stop::StopFlag;
use super::window::{Window, first_frame_ms};
use super::{Align, FeedSpec};
use crate::candles::DataError;

/// One series and its next bar.
struct Head {
    bars: FrameBars,
    /// Place of the instrument in a row.
    place: usize,
    /// Close of the next bar; [`ENDED`] if there is none.
    ts: i64,
    bar: Bar,
    /// Whether the next bar has been delivered.
    stale: bool,
}

/// Later than every bar.
const ENDED: i64 = i64::MAX;

/// Bars of all series, in order of their closes.
pub(super) struct Merge {
    heads: Vec<Head>,
    align: Align,
    /// One bar per instrument.
    row: Vec<Bar>,
    stop: StopFlag,
}

impl Merge {
    pub(super) fn open(
        spec: &FeedSpec,
        frames: Window,
        purpose: Purpose,
        stop: StopFlag,
    ) -> Result<Self, DataError> {
        let mut heads: Vec<Head> = Vec::with_capacity(spec.series.len());
        for series in &spec.series {
            let place = series.instrument.index();
            assert!(place < spec.width, "{} is in the run's table", series.name);
            assert!(heads.iter().all(|head| head.place != place), "{} is read once", series.name);
            let bars = FrameBars::open(series, spec.interval, frames, purpose)?;
            heads.push(Head { bars, place, ts: ENDED, bar: Bar::default(), stale: true });
        }
        // Where two series are at fault at the same instant, the lower rank is heard.
        heads.sort_by_key(|head| head.place);
        Ok(Self { heads, align: spec.align, row: vec![Bar::default(); spec.width], stop })
    }

    /// Close of the next frame, whose bars are then in [`Self::row`]; `None` after the last, and
    /// when the feed is gone.
    pub(super) fn next(&mut self) -> Result<Option<i64>, DataError> {
        while !self.stop.is_raised() {
            let mut ts = ENDED;
            for head in &mut self.heads {
                if head.stale {
                    head.stale = false;
                    (head.ts, head.bar) = head.bars.next()?.unwrap_or((ENDED, Bar::default()));
                }
                ts = ts.min(head.ts);
            }
            if ts == ENDED {
                return Ok(None);
            }
            let mut everywhere = true;
            for head in &mut self.heads {
                head.stale = head.ts == ts;
                everywhere &= head.stale;
                self.row[head.place] = if head.stale { head.bar } else { Bar::default() };
            }
            if everywhere || self.align == Align::Outer {
                return Ok(Some(ts));
            }
        }
        Ok(None)
    }

    /// Bars of the frame at hand, in rank order.
    pub(super) fn row(&self) -> &[Bar] {
        &self.row
    }

    /// What has been read, in the order of the specification.
    pub(super) fn facts(&self, spec: &FeedSpec) -> Vec<SeriesFacts> {
        let head = |place| self.heads.iter().find(|head| head.place == place);
        spec.series
            .iter()
            .filter_map(|series| head(series.instrument.index()))
            .flat_map(|head| head.bars.candles().facts().iter().cloned())
            .collect()
    }

    /// The latest open of a bar within the window.
    pub(super) fn last_open(&self) -> Option<i64> {
        self.heads.iter().filter_map(|head| head.bars.candles().last_open()).max()
    }

    /// Time of the first row of any series.
    pub(super) fn first_row(&self) -> Option<i64> {
        self.heads.iter().filter_map(|head| head.bars.candles().first_row()).min()
    }

    /// Time of the last row of any series; `None` unless all were read to their ends.
    pub(super) fn last_row(&self) -> Option<i64> {
        let last = |head: &Head| head.bars.candles().last_row();
        self.heads.iter().map(last).collect::<Option<Vec<i64>>>()?.into_iter().max()
    }
}

/// Close of the first frame to deliver: the first of the run, or of the warm-up before it.
pub(super) fn first_delivered_ms(spec: &FeedSpec) -> Result<Option<i64>, DataError> {
    let Some(first) = first_frame_ms(spec) else { return Ok(None) };
    let Ok(warmup @ 1..) = usize::try_from(spec.warmup) else { return Ok(Some(first)) };
    // Frames, not intervals: how far back they reach is known only to the data.
    let before = Window { after: i64::MIN, until: first - 1 };
    let mut merge = Merge::open(spec, before, Purpose::Scout, StopFlag::default())?;
    let mut last = VecDeque::new();
    while let Some(ts) = merge.next()? {
        if last.len() == warmup {
            last.pop_front();
        }
        last.push_back(ts);
    }
    Ok(Some(last.front().copied().unwrap_or(first)))
}
