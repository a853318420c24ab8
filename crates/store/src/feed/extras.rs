//! What frames carry beside bars: marks, funding and prices since the frame before.

use model::Decimal;
use model::frame::{FrameBatch, FundingPoint, MarkBar, PricePoint, SubBar};
use model::instrument::{InstrumentIx, SeriesIx};
use model::numeric::{FixedPoint, decimal_of};
use model::time::{Interval, UtcMillis};

use super::FeedSpec;
use super::facts::SeriesFacts;
use super::merge::Head;
use super::points::Points;
use super::stop::StopFlag;
use super::sub_series::SubSeries;
use super::trail::Trail;
use super::window::Window;
use crate::candles::{DataError, SeriesSpec};
use crate::points::{PointRow, PointsOf};

/// The mark series of an instrument.
struct Marks {
    instrument: InstrumentIx,
    series: SubSeries,
    /// Whether its bars are longer than a frame.
    coarse: bool,
}

impl Marks {
    fn open(spec: &SeriesSpec, frame: Interval, frames: Window) -> Result<Self, DataError> {
        let coarse = spec.interval > frame;
        let divides = |long: Interval, short: Interval| long.millis() % short.millis() == 0;
        if !divides(frame, spec.interval) && !divides(spec.interval, frame) {
            return Err(DataError::interval(spec, frame));
        }
        let mut series = SubSeries::open(spec, frame, frames.of_sub_bars(frame))?;
        series.keep_trail();
        Ok(Self { instrument: spec.instrument, series, coarse })
    }

    /// The mark bar of the frame that was read last.
    fn bar(&self) -> Option<MarkBar> {
        let (first, later) = self.series.sub_bars().split_first()?;
        let whole = later.iter().fold(mark_bar(first), |whole, next| MarkBar {
            high: whole.high.max(next.bar.high),
            low: whole.low.min(next.bar.low),
            close: next.bar.close,
            ..whole
        });
        if self.coarse {
            // Its extremes may lie before the frame.
            let close = whole.close;
            return Some(MarkBar { open: close, high: close, low: close, close });
        }
        Some(whole)
    }
}

fn mark_bar(SubBar { bar, .. }: &SubBar) -> MarkBar {
    MarkBar { open: bar.open, high: bar.high, low: bar.low, close: bar.close }
}

/// The series of a run that make no frame and are carried by those of others.
#[derive(Default)]
pub(super) struct Extras {
    frame_ms: i64,
    marks: Vec<Marks>,
    points: Vec<Points>,
    /// Whether a frame has been read.
    begun: bool,
    mark_bars: Vec<(InstrumentIx, MarkBar)>,
    funding: Vec<FundingPoint>,
    prices: Vec<PricePoint>,
}

impl Extras {
    /// Opens the series of `spec`, and has the heads keep what funding is marked by.
    pub(super) fn open(
        spec: &FeedSpec,
        frames: Window,
        heads: &mut [Head],
    ) -> Result<Self, DataError> {
        let mut extras = Self { frame_ms: spec.interval.millis(), ..Self::default() };
        for series in &spec.marks {
            let SeriesSpec { instrument, name, .. } = series;
            assert!(instrument.index() < spec.width, "{name} is in the run's table");
            let known = extras.marks.iter().any(|marks| marks.instrument == *instrument);
            assert!(!known, "{name} has its marks from one series");
            extras.marks.push(Marks::open(series, spec.interval, frames)?);
        }
        extras.marks.sort_by_key(|marks| marks.instrument);
        for series in &spec.points {
            let known = extras.points.iter().any(|points| points.of() == series.of);
            assert!(!known, "{} is read once", series.name);
            if let PointsOf::Funding(instrument) = series.of {
                assert!(instrument.index() < spec.width, "{} is in the run's table", series.name);
                let mut heads = heads.iter_mut();
                if let Some(head) = heads.find(|head| head.instrument == instrument) {
                    head.bars.keep_trail();
                }
            }
            extras.points.push(Points::open(series, frames.of_sub_bars(spec.interval))?);
        }
        Ok(extras)
    }

    const fn is_empty(&self) -> bool {
        self.marks.is_empty() && self.points.is_empty()
    }

    /// Reads on to the frame that closes at `ts`; frames come in order of time.
    pub(super) fn read_frame(&mut self, ts: i64, heads: &mut [Head]) -> Result<(), DataError> {
        if self.is_empty() {
            return Ok(());
        }
        self.mark_bars.clear();
        self.funding.clear();
        self.prices.clear();
        for marks in &mut self.marks {
            marks.series.read_frame(ts)?;
            self.mark_bars.extend(marks.bar().map(|bar| (marks.instrument, bar)));
        }
        let open = (!self.begun).then_some(ts - self.frame_ms);
        self.begun = true;
        for place in 0..self.points.len() {
            let read = match self.points[place].of() {
                PointsOf::Funding(instrument) => {
                    self.read_funding(place, instrument, ts, open, heads)
                }
                PointsOf::Price(series) => self.read_prices(place, series, ts, open),
            };
            read?;
        }
        self.funding.sort_by_key(|point| (point.ts, point.instrument));
        self.prices.sort_by_key(|point| (point.ts, point.series));
        let trails = self.marks.iter_mut().filter_map(|marks| marks.series.trail());
        trails.chain(heads.iter_mut().filter_map(|head| head.bars.trail())).for_each(|trail| {
            trail.forget_until(ts);
        });
        Ok(())
    }

    /// Reads the events of a series up to `ts`; nothing was held at or before the `open` of the first
    /// frame.
    fn read_funding(
        &mut self,
        place: usize,
        instrument: InstrumentIx,
        ts: i64,
        open: Option<i64>,
        heads: &mut [Head],
    ) -> Result<(), DataError> {
        while let Some(row) = self.points[place].next_until(ts)? {
            if open.is_some_and(|open| row.time <= open) {
                continue;
            }
            let mark = if row.mark.is_nan() {
                self.mark_at(instrument, row.time, heads)
            } else {
                Some(row.mark)
            };
            self.funding.push(FundingPoint {
                instrument,
                ts: UtcMillis::new(row.time),
                rate: decimal(row.value).unwrap_or_default(),
                mark: mark.and_then(decimal),
            });
        }
        Ok(())
    }

    /// The last known mark of an instrument, else the last close of its candles.
    fn mark_at(&mut self, instrument: InstrumentIx, ts: i64, heads: &mut [Head]) -> Option<f64> {
        let mut marks = self.marks.iter_mut();
        let marks = marks.find(|marks| marks.instrument == instrument);
        let last = |trail: Option<&mut Trail>| trail.and_then(|trail| trail.at(ts));
        last(marks.and_then(|marks| marks.series.trail())).or_else(|| {
            let head = heads.iter_mut().find(|head| head.instrument == instrument);
            last(head.and_then(|head| head.bars.trail()))
        })
    }

    /// Reads the prices of a series up to `ts`; of those at or before the `open` of the first frame
    /// the last one holds.
    fn read_prices(
        &mut self,
        place: usize,
        series: SeriesIx,
        ts: i64,
        open: Option<i64>,
    ) -> Result<(), DataError> {
        let point =
            |row: PointRow| PricePoint { series, ts: UtcMillis::new(row.time), value: row.value };
        let points = &mut self.points[place];
        let mut known = None;
        let mut fresh = None;
        while let Some(row) = points.next_until(ts)? {
            if open.is_none_or(|open| row.time > open) {
                fresh = Some(row);
                break;
            }
            known = Some(row);
        }
        if open.is_some() && known.is_none() {
            known = points.take_before()?;
        }
        self.prices.extend(known.into_iter().chain(fresh).map(point));
        while let Some(row) = points.next_until(ts)? {
            self.prices.push(point(row));
        }
        Ok(())
    }

    /// Reads what lies within the window but behind the last frame.
    pub(super) fn read_out(&mut self, stop: &StopFlag) -> Result<(), DataError> {
        for marks in &mut self.marks {
            marks.series.read_out(stop)?;
        }
        for points in &mut self.points {
            while !stop.is_raised() && points.next_until(i64::MAX)?.is_some() {}
        }
        Ok(())
    }

    /// Gives the frame at hand, the last of `batch`, what it carries.
    pub(super) fn push(&self, batch: &mut FrameBatch) {
        if !self.mark_bars.is_empty() {
            batch.push_marks(&self.mark_bars);
        }
        if !self.funding.is_empty() {
            batch.push_funding(&self.funding);
        }
        if !self.prices.is_empty() {
            batch.push_prices(&self.prices);
        }
    }

    /// What has been read, in the order of the specification.
    pub(super) fn facts<'a>(&'a self, spec: &'a FeedSpec) -> impl Iterator<Item = &'a SeriesFacts> {
        let marks = spec.marks.iter().filter_map(|series| {
            self.marks.iter().find(|marks| marks.instrument == series.instrument)
        });
        let of_marks = marks.flat_map(|marks| marks.series.facts());
        of_marks.chain(self.points.iter().flat_map(Points::facts))
    }
}

/// The decimal that a float stands for; rounded to 18 places if it needs more than 28 digits hold.
fn decimal(value: f64) -> Option<Decimal> {
    decimal_of(value).or_else(|| {
        let units = FixedPoint::rounded(value)?.units();
        Some(Decimal::from_i128_with_scale(units, 18).normalize())
    })
}
