//! All series side by side: one row of bars per instant.

use std::collections::VecDeque;

use model::frame::{Bar, FrameBatch};
use model::instrument::InstrumentIx;

use super::candles::Purpose;
use super::facts::SeriesFacts;
use super::frames::FrameBars;
use super::stop::StopFlag;
use super::window::{Window, first_frame_ms};
use super::{Align, FeedSpec};
use crate::candles::{DataError, SeriesSpec};

/// One series and its next bar.
struct Head {
    bars: FrameBars,
    instrument: InstrumentIx,
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
    /// Whether any series keeps the finer bars of its frames.
    keeps_sub_bars: bool,
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
            let SeriesSpec { instrument, name, .. } = series;
            assert!(instrument.index() < spec.width, "{name} is in the run's table");
            assert!(heads.iter().all(|head| head.instrument != *instrument), "{name} is read once");
            let mut bars = FrameBars::open(series, spec.interval, frames, purpose)?;
            if purpose == Purpose::Run && spec.keeps_sub_bars {
                bars.keep_sub_bars();
            }
            let instrument = *instrument;
            heads.push(Head { bars, instrument, ts: ENDED, bar: Bar::default(), stale: true });
        }
        // Where two series are at fault at the same instant, the lower rank is heard.
        heads.sort_by_key(|head| head.instrument);
        let row = vec![Bar::default(); spec.width];
        let keeps_sub_bars = heads.iter().any(|head| head.bars.sub_bars().is_some());
        Ok(Self { heads, align: spec.align, row, keeps_sub_bars, stop })
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
                self.row[head.instrument.index()] =
                    if head.stale { head.bar } else { Bar::default() };
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

    /// Gives the frame at hand, the last of `batch`, its finer bars.
    pub(super) fn push_sub_bars(&self, batch: &mut FrameBatch) {
        if !self.keeps_sub_bars {
            return;
        }
        // The heads whose bars are in the frame, in rank order.
        for head in self.heads.iter().filter(|head| head.stale) {
            if let Some(sub_bars) = head.bars.sub_bars() {
                batch.push_sub_bars(head.instrument, sub_bars);
            }
        }
    }

    /// What has been read, in the order of the specification.
    pub(super) fn facts(&self, spec: &FeedSpec) -> Vec<SeriesFacts> {
        let head = |instrument| self.heads.iter().find(|head| head.instrument == instrument);
        spec.series
            .iter()
            .filter_map(|series| head(series.instrument))
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
