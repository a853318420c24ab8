//! Frames: everything that became known in one interval, and the view of it that strategies get.

use std::sync::Arc;

use crate::instrument::InstrumentIx;
use crate::time::UtcMillis;

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
    /// Those of all bars, one after another.
    sub_bars: Vec<SubBar>,
    /// For each of `bars`, the end of its own in `sub_bars`; stops at the last bar that was given
    /// any, so that it stays unallocated where nobody keeps them.
    sub_bar_ends: Vec<usize>,
}

impl FrameBatch {
    /// An empty batch for `width` instruments with room for `frames` frames.
    pub fn with_capacity(width: usize, frames: usize) -> Self {
        Self {
            width,
            ts: Vec::with_capacity(frames),
            warmup: Vec::with_capacity(frames),
            bars: Vec::with_capacity(frames * width),
            sub_bars: Vec::new(),
            sub_bar_ends: Vec::new(),
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
        let row = self.len().checked_sub(1).expect("finer bars follow their frame");
        let place = row * self.width + instrument.index();
        assert!(self.sub_bar_ends.len() <= place, "finer bars come once, in rank order");
        self.sub_bar_ends.resize(place, self.sub_bars.len());
        self.sub_bars.extend_from_slice(sub_bars);
        self.sub_bar_ends.push(self.sub_bars.len());
    }

    /// Number of finer bars in all frames.
    pub const fn sub_bar_count(&self) -> usize {
        self.sub_bars.len()
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
#[derive(Clone, Debug)]
pub struct Frame {
    batch: Arc<FrameBatch>,
    row: usize,
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
        let FrameBatch { width, sub_bars, sub_bar_ends, .. } = &*self.batch;
        assert!(instrument.index() < *width, "the instrument has a bar in every frame");
        let place = self.row * width + instrument.index();
        let Some(&end) = sub_bar_ends.get(place) else { return &[] };
        let start = place.checked_sub(1).map_or(0, |before| sub_bar_ends[before]);
        &sub_bars[start..end]
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
mod tests {
    use super::*;

    #[test]
    fn a_frame_shows_the_bars_of_its_own_row_only() {
        let real = Bar { close: 2.0, kind: BarKind::Real, ..Bar::default() };
        let mut batch = FrameBatch::with_capacity(2, 2);
        batch.push(UtcMillis::new(1), true, &[real, Bar::default()]);
        batch.push(UtcMillis::new(2), false, &[Bar::default(), Bar::synthetic(3.0)]);
        let batch = Arc::new(batch);
        let frames: Vec<Frame> = batch.frames().collect();
        let closes =
            |frame: &Frame| [0, 1].map(|place| frame.bar(InstrumentIx(place)).map(|bar| bar.close));
        assert_eq!(closes(&frames[0]), [Some(2.0), None]);
        assert_eq!(closes(&frames[1]), [None, Some(3.0)]);
        assert!(frames[0].is_warmup() && !frames[1].is_warmup());
        assert!(batch.frame(2).is_none());
    }
    #[test]
    fn a_frame_shows_the_sub_bars_of_its_own_bars_only() {
        let mut batch = FrameBatch::with_capacity(3, 0);
        let mut push = |ts, sub_bars: &[(u16, &[i64])]| {
            batch.push(UtcMillis::new(ts), false, &[Bar::synthetic(1.0); 3]);
            for (instrument, closes) in sub_bars {
                let sub_bar = |ts: &i64| SubBar { ts: UtcMillis::new(*ts), bar: Bar::default() };
                let sub_bars: Vec<SubBar> = closes.iter().map(sub_bar).collect();
                batch.push_sub_bars(InstrumentIx(*instrument), &sub_bars);
            }
        };
        push(10, &[]);
        push(20, &[(0, &[15, 20]), (2, &[])]);
        push(30, &[(1, &[24]), (2, &[22, 26, 30])]);
        push(40, &[]);
        assert_eq!(batch.sub_bar_count(), 6);
        let batch = Arc::new(batch);
        let told: Vec<[Vec<i64>; 3]> = batch
            .frames()
            .map(|frame| {
                [0, 1, 2].map(|place| {
                    let sub_bars = frame.sub_bars(InstrumentIx(place));
                    sub_bars.iter().map(|sub_bar| sub_bar.ts.millis()).collect()
                })
            })
            .collect();
        let none = Vec::new;
        let expected = [
            [none(), none(), none()],
            [vec![15, 20], none(), none()],
            [none(), vec![24], vec![22, 26, 30]],
            [none(), none(), none()],
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_batch_without_sub_bars_allocates_nothing_for_them() {
        let mut batch = FrameBatch::with_capacity(2, 4_096);
        for ts in 0..4_096 {
            batch.push(UtcMillis::new(ts), false, &[Bar::default(); 2]);
        }
        assert_eq!((batch.sub_bars.capacity(), batch.sub_bar_ends.capacity()), (0, 0));
    }

    #[test]
    #[should_panic(expected = "finer bars come once, in rank order")]
    fn sub_bars_come_in_rank_order() {
        let mut batch = FrameBatch::with_capacity(2, 0);
        batch.push(UtcMillis::new(1), false, &[Bar::default(); 2]);
        batch.push_sub_bars(InstrumentIx(1), &[]);
        batch.push_sub_bars(InstrumentIx(0), &[]);
    }
}
