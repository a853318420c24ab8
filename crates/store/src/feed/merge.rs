//! All series side by side: one row of bars per instant.

use std::collections::VecDeque;

use model::frame::{Bar, BarKind, FrameBatch, SubBar};
use model::instrument::InstrumentIx;

use super::candles::Purpose;
use super::extras::Extras;
use super::facts::SeriesFacts;
use super::frames::{FrameBars, check_interval};
use super::stop::StopFlag;
use super::sub_series::SubSeries;
use super::window::{Window, first_frame_ms};
use super::{Align, FeedSpec};
use crate::candles::{DataError, SeriesSpec};

/// One series and its next bar.
pub(super) struct Head {
    pub(super) bars: FrameBars,
    /// Where its finer bars come from, unless it is from its own.
    sub_series: Option<SubSeries>,
    pub(super) instrument: InstrumentIx,
    /// Close of the next bar; [`ENDED`] if there is none.
    ts: i64,
    bar: Bar,
    /// Whether the next bar has been delivered.
    stale: bool,
}

impl Head {
    /// The finer bars of the bar that has been delivered; `None` where they are not kept.
    fn sub_bars(&self) -> Option<&[SubBar]> {
        match &self.sub_series {
            Some(sub_series) => Some(sub_series.sub_bars()),
            None => self.bars.sub_bars(),
        }
    }
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
    /// What frames carry beside bars.
    extras: Extras,
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
            let bars = FrameBars::open(series, spec.interval, frames, purpose)?;
            let (sub_series, instrument) = (None, *instrument);
            let (ts, bar) = (ENDED, Bar::default());
            heads.push(Head { bars, sub_series, instrument, ts, bar, stale: true });
        }
        let mut extras = Extras::default();
        if purpose == Purpose::Run {
            extras = Extras::open(spec, frames, &mut heads)?;
            open_sub_series(spec, frames, &mut heads)?;
            let heads = heads.iter_mut().filter(|head| head.sub_series.is_none());
            for head in heads.filter(|_| spec.keeps_sub_bars) {
                head.bars.keep_sub_bars();
            }
        }
        // Where two series are at fault at the same instant, the lower rank is heard.
        heads.sort_by_key(|head| head.instrument);
        let row = vec![Bar::default(); spec.width];
        let keeps_sub_bars = heads.iter().any(|head| head.sub_bars().is_some());
        Ok(Self { heads, align: spec.align, row, keeps_sub_bars, extras, stop })
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
                self.read_sub_series(ts)?;
                self.extras.read_frame(ts, &mut self.heads)?;
                return Ok(Some(ts));
            }
        }
        Ok(None)
    }

    /// Reads the finer bars of a frame, where they come from a series of their own.
    fn read_sub_series(&mut self, ts: i64) -> Result<(), DataError> {
        if !self.keeps_sub_bars {
            return Ok(());
        }
        // The heads whose bars are in the frame, in rank order.
        for head in self.heads.iter_mut().filter(|head| head.stale) {
            let Some(sub_series) = &mut head.sub_series else { continue };
            if head.bar.kind == BarKind::Real {
                sub_series.read_frame(ts)?;
            } else {
                // A bar that was filled in fills nothing, whatever another file knows of its time.
                sub_series.pass_over_frame();
            }
        }
        Ok(())
    }

    /// Reads what lies within the window but behind the last frame.
    pub(super) fn read_out(&mut self) -> Result<(), DataError> {
        for sub_series in self.heads.iter_mut().filter_map(|head| head.sub_series.as_mut()) {
            sub_series.read_out(&self.stop)?;
        }
        self.extras.read_out(&self.stop)
    }

    /// Bars of the frame at hand, in rank order.
    pub(super) fn row(&self) -> &[Bar] {
        &self.row
    }

    /// Gives the frame at hand, the last of `batch`, its finer bars and what it carries beside bars.
    pub(super) fn push_parts(&self, batch: &mut FrameBatch) {
        self.extras.push(batch);
        if !self.keeps_sub_bars {
            return;
        }
        for head in self.heads.iter().filter(|head| head.stale) {
            if let Some(sub_bars) = head.sub_bars() {
                batch.push_sub_bars(head.instrument, sub_bars);
            }
        }
    }

    /// What has been read, in the order of the specification.
    pub(super) fn facts(&self, spec: &FeedSpec) -> Vec<SeriesFacts> {
        let head = |series: &SeriesSpec| {
            self.heads.iter().find(|head| head.instrument == series.instrument)
        };
        let of_frames = spec.series.iter().filter_map(head).map(|head| head.bars.candles().facts());
        let sub_series = spec.sub_series.iter().filter_map(head);
        let of_sub_bars = sub_series.filter_map(|head| head.sub_series.as_ref());
        let of_bars = of_frames.chain(of_sub_bars.map(SubSeries::facts)).flatten();
        of_bars.chain(self.extras.facts(spec)).cloned().collect()
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

/// Opens the series that supply only finer bars, beside those that make their frames.
fn open_sub_series(spec: &FeedSpec, frames: Window, heads: &mut [Head]) -> Result<(), DataError> {
    for sub in &spec.sub_series {
        let SeriesSpec { instrument, name, .. } = sub;
        let of_instrument = |series: &&SeriesSpec| series.instrument == *instrument;
        let series = spec.series.iter().find(of_instrument).expect("a series makes its frames");
        let head = heads.iter_mut().find(|head| head.instrument == *instrument);
        let head = head.expect("every series has a head");
        assert!(head.sub_series.is_none(), "{name} has its finer bars from one series");
        check_interval(sub, spec.interval)?;
        let bars = if series.interval == spec.interval {
            frames.of_sub_bars(spec.interval)
        } else {
            frames.of_bars(spec.interval)
        };
        head.sub_series = Some(SubSeries::open(sub, spec.interval, bars)?);
    }
    Ok(())
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
