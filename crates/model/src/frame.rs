//! Frames: everything that became known in one interval, and the view of it that strategies get.

mod points;
mod ragged;

use std::sync::Arc;

use crate::instrument::InstrumentIx;
use crate::time::UtcMillis;

pub use points::{FundingPoint, MarkBar, PricePoint};
use ragged::Ragged;

/// Whether an instrument has a bar in a frame, and of which kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BarKind {
    /// No bar: a hole under `gaps = "skip"`, before the listing or after the end of the series.
    #[default]
    Absent,
    /// As published, a zero-volume bar included.
    Real,
    /// Filled in under `gaps = "synthetic"`: the last close, no volume, fills nothing.
    Synthetic,
}

/// Prices of one instrument over (T−Δ, T].
///
/// Prices are in quote currency per base unit and as the file states them; volume in base units.
/// Sources guarantee positive, finite prices with `low ≤ open, close ≤ high`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bar {
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Base units traded; zero or more.
    pub volume: f64,
    /// Real, synthetic or not there.
    pub kind: BarKind,
}

impl Bar {
    /// The bar that fills a hole after `close`.
    pub const fn synthetic(close: f64) -> Self {
        Self { open: close, high: close, low: close, close, volume: 0.0, kind: BarKind::Synthetic }
    }
}

/// A finer bar within the bar of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SubBar {
    /// Its own close, by which it is named; within (T−Δ, T] of the frame.
    pub ts: UtcMillis,
    /// Its prices; real or synthetic, never absent.
    pub bar: Bar,
}

/// Consecutive frames in columns, as the reader thread hands them over.
#[derive(Clone, Debug, Default)]
pub struct FrameBatch {
    width: usize,
    ts: Vec<UtcMillis>,
    warmup: Vec<bool>,
    /// `width` bars per frame, absent ones included.
    bars: Vec<Bar>,
    /// Those of each of `bars`.
    sub_bars: Ragged<SubBar>,
    /// Those of each frame, in rank order of their instruments.
    marks: Ragged<(InstrumentIx, MarkBar)>,
    /// Those of each frame, in order of time and rank.
    funding: Ragged<FundingPoint>,
    /// Those of each frame, in order of time and rank.
    prices: Ragged<PricePoint>,
}

impl FrameBatch {
    /// An empty batch for `width` instruments with room for `frames` frames.
    pub fn with_capacity(width: usize, frames: usize) -> Self {
        Self {
            width,
            ts: Vec::with_capacity(frames),
            warmup: Vec::with_capacity(frames),
            bars: Vec::with_capacity(frames * width),
            sub_bars: Ragged::default(),
            marks: Ragged::default(),
            funding: Ragged::default(),
            prices: Ragged::default(),
        }
    }

    /// Appends a frame.
    ///
    /// # Panics
    ///
    /// If `bars` does not hold one bar per instrument.
    pub fn push(&mut self, ts: UtcMillis, warmup: bool, bars: &[Bar]) {
        assert_eq!(bars.len(), self.width, "a frame has one bar per instrument");
        self.ts.push(ts);
        self.warmup.push(warmup);
        self.bars.extend_from_slice(bars);
    }

    /// Gives an instrument's bar of the last frame its finer bars, in order of time.
    ///
    /// # Panics
    ///
    /// If there is no frame, if the instrument has no place in it, or if it or one of higher rank
    /// has been given its finer bars already.
    pub fn push_sub_bars(&mut self, instrument: InstrumentIx, sub_bars: &[SubBar]) {
        assert!(instrument.index() < self.width, "the instrument has a bar in every frame");
        let place = self.last_row() * self.width + instrument.index();
        assert!(self.sub_bars.put(place, sub_bars), "finer bars come once, in rank order");
    }

    /// Gives the last frame its mark bars, in rank order of their instruments.
    ///
    /// # Panics
    ///
    /// If there is no frame, if it has been given its own already, or if they are out of order.
    pub fn push_marks(&mut self, marks: &[(InstrumentIx, MarkBar)]) {
        let in_order = marks.is_sorted_by(|(one, _), (next, _)| one < next);
        assert!(in_order, "every instrument has one mark bar, in rank order");
        assert!(self.marks.put(self.last_row(), marks), "mark bars come once per frame");
    }

    /// Gives the last frame the funding events since the frame before it, in order of time and rank.
    ///
    /// # Panics
    ///
    /// If there is no frame, if it has been given its own already, or if they are out of order.
    pub fn push_funding(&mut self, funding: &[FundingPoint]) {
        let key = |point: &FundingPoint| (point.ts, point.instrument);
        assert!(funding.is_sorted_by_key(key), "events come in order of time and rank");
        assert!(self.funding.put(self.last_row(), funding), "events come once per frame");
    }

    /// Gives the last frame the prices since the frame before it, in order of time and rank.
    ///
    /// # Panics
    ///
    /// If there is no frame, if it has been given its own already, or if they are out of order.
    pub fn push_prices(&mut self, prices: &[PricePoint]) {
        let key = |point: &PricePoint| (point.ts, point.series);
        assert!(prices.is_sorted_by_key(key), "prices come in order of time and rank");
        assert!(self.prices.put(self.last_row(), prices), "prices come once per frame");
    }

    fn last_row(&self) -> usize {
        self.len().checked_sub(1).expect("what belongs to a frame follows it")
    }

    /// Number of finer bars and points in all frames, which the number of frames does not bound.
    pub const fn extra_count(&self) -> usize {
        self.sub_bars.len() + self.marks.len() + self.funding.len() + self.prices.len()
    }

    /// Number of frames.
    pub const fn len(&self) -> usize {
        self.ts.len()
    }

    /// Whether there are no frames.
    pub const fn is_empty(&self) -> bool {
        self.ts.is_empty()
    }

    /// The frames of a shared batch, in order.
    pub fn frames(self: &Arc<Self>) -> impl Iterator<Item = Frame> + use<> {
        let batch = Arc::clone(self);
        (0..batch.len()).map(move |row| Frame { batch: Arc::clone(&batch), row })
    }

    /// The frame at `row`; `None` beyond the last.
    pub fn frame(self: &Arc<Self>, row: usize) -> Option<Frame> {
        (row < self.len()).then(|| Frame { batch: Arc::clone(self), row })
    }
}

/// All data that became known in (T−Δ, T], named by T.
///
/// Cheap to clone: a reference into its batch.
#[derive(Debug)]
pub struct Frame {
    batch: Arc<FrameBatch>,
    row: usize,
}

impl Clone for Frame {
    fn clone(&self) -> Self {
        Self { batch: Arc::clone(&self.batch), row: self.row }
    }

    /// Does not count the holders of a batch anew: the frame before is nearly always of the same.
    fn clone_from(&mut self, source: &Self) {
        if !Arc::ptr_eq(&self.batch, &source.batch) {
            self.batch = Arc::clone(&source.batch);
        }
        self.row = source.row;
    }
}

impl Frame {
    /// T, the close of its bars.
    pub fn ts(&self) -> UtcMillis {
        self.batch.ts[self.row]
    }

    /// Whether the frame lies before the start of the run: seen, flagged, no orders.
    pub fn is_warmup(&self) -> bool {
        self.batch.warmup[self.row]
    }

    /// One bar per instrument, absent ones included, in rank order.
    pub fn bars(&self) -> &[Bar] {
        let start = self.row * self.batch.width;
        &self.batch.bars[start..start + self.batch.width]
    }

    /// The bar of an instrument, if it has one.
    pub fn bar(&self, instrument: InstrumentIx) -> Option<&Bar> {
        Some(&self.bars()[instrument.index()]).filter(|bar| bar.kind != BarKind::Absent)
    }

    /// The finer bars of an instrument's bar, in order of time; empty where none are kept.
    ///
    /// Those that are missing are left out, and those that were filled in are flagged.
    ///
    /// # Panics
    ///
    /// If the instrument has no place in the frame.
    pub fn sub_bars(&self, instrument: InstrumentIx) -> &[SubBar] {
        let FrameBatch { width, sub_bars, .. } = &*self.batch;
        assert!(instrument.index() < *width, "the instrument has a bar in every frame");
        sub_bars.of(self.row * width + instrument.index())
    }

    /// The mark prices of an instrument over the frame's interval; `None` where no bar of its mark
    /// series closes within it.
    ///
    /// A series of shorter bars is put together. One of longer bars has a mark only in the frames in
    /// which one closes, and there it is that close alone.
    pub fn mark(&self, instrument: InstrumentIx) -> Option<&MarkBar> {
        let marks = self.batch.marks.of(self.row);
        marks.iter().find(|(of, _)| *of == instrument).map(|(_, mark)| mark)
    }

    /// The funding events that became known after the frame before this one, up to and including T,
    /// in order of time and rank. Those of instants without a frame come with the next frame; those
    /// at or before the open of the first frame come with none.
    pub fn funding(&self) -> &[FundingPoint] {
        self.batch.funding.of(self.row)
    }

    /// The prices that became known after the frame before this one, up to and including T, in order
    /// of time and rank. The first frame also has the last price before it, of every series that has
    /// one.
    pub fn prices(&self) -> &[PricePoint] {
        self.batch.prices.of(self.row)
    }
}

/// What a strategy may look at: the frame of the present instant and nothing else.
///
/// It borrows the frame, so it cannot be kept until the next one.
#[derive(Clone, Copy, Debug)]
pub struct MarketView<'a> {
    frame: &'a Frame,
}

impl<'a> MarketView<'a> {
    /// A view of `frame`.
    pub const fn new(frame: &'a Frame) -> Self {
        Self { frame }
    }

    /// The present instant T.
    pub fn ts(&self) -> UtcMillis {
        self.frame.ts()
    }

    /// Whether the frame lies before the start of the run; orders are denied then.
    pub fn is_warmup(&self) -> bool {
        self.frame.is_warmup()
    }

    /// The bar of an instrument that closed at T, if there is one.
    pub fn bar(&self, instrument: InstrumentIx) -> Option<&'a Bar> {
        self.frame.bar(instrument)
    }
}

#[cfg(test)]
mod tests;
