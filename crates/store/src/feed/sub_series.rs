//! Bars of an instrument whose frames another series makes: finer ones, and those of marks.

use model::frame::{BarKind, SubBar};
use model::time::{Interval, UtcMillis};

use super::candles::{Candles, Closed, Purpose};
use super::facts::SeriesFacts;
use super::stop::StopFlag;
use super::trail::Trail;
use super::window::Window;
use crate::candles::{DataError, SeriesSpec};

pub(super) struct SubSeries {
    candles: Candles,
    /// Length of a frame.
    frame_ms: i64,
    /// The first bar of a later frame.
    pending: Option<Closed>,
    /// Those of the last frame.
    sub_bars: Vec<SubBar>,
}

impl SubSeries {
    /// Opens `spec` for frames of a length; `window` holds the bars that make them up.
    pub(super) fn open(
        spec: &SeriesSpec,
        frame: Interval,
        window: Window,
    ) -> Result<Self, DataError> {
        Ok(Self {
            candles: Candles::open(spec, window, Purpose::Run)?,
            frame_ms: frame.millis(),
            pending: None,
            sub_bars: Vec::new(),
        })
    }

    /// Keeps the closes of the bars that are read.
    pub(super) fn keep_trail(&mut self) {
        self.candles.keep_trail();
    }

    /// The closes that are kept.
    pub(super) const fn trail(&mut self) -> Option<&mut Trail> {
        self.candles.trail()
    }

    /// Reads on to the end of the frame that closes at `ts`; frames come in order of time.
    pub(super) fn read_frame(&mut self, ts: i64) -> Result<(), DataError> {
        self.sub_bars.clear();
        let open = ts - self.frame_ms;
        let mut any_real = false;
        while let Some((close, bar)) = self.next()? {
            if close > ts {
                self.pending = Some((close, bar));
                break;
            }
            // What closes earlier belongs to frames that are not there or were passed over.
            if close > open {
                any_real |= bar.kind == BarKind::Real;
                self.sub_bars.push(SubBar { ts: UtcMillis::new(close), bar });
            }
            if close == ts {
                // Whatever is wrong behind the frame must not hold it back.
                break;
            }
        }
        if !any_real {
            // Without a row of its own the frame is not covered: bars that were filled in, which
            // fill nothing, must not stand in for a bar at which there was trade.
            self.sub_bars.clear();
        }
        Ok(())
    }

    /// Leaves a frame without finer bars; the next one reads past them.
    pub(super) fn pass_over_frame(&mut self) {
        self.sub_bars.clear();
    }

    /// Reads what lies behind the last frame, so that all rows of the window are checked.
    pub(super) fn read_out(&mut self, stop: &StopFlag) -> Result<(), DataError> {
        while !stop.is_raised() && self.next()?.is_some() {}
        Ok(())
    }

    /// The finer bars of the frame that was read last.
    pub(super) fn sub_bars(&self) -> &[SubBar] {
        &self.sub_bars
    }

    pub(super) fn facts(&self) -> &[SeriesFacts] {
        self.candles.facts()
    }

    fn next(&mut self) -> Result<Option<Closed>, DataError> {
        match self.pending.take() {
            Some(bar) => Ok(Some(bar)),
            None => self.candles.next(),
        }
    }
}
