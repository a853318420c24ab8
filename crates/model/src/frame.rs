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

/// Consecutive frames in columns, as the reader thread hands them over.
#[derive(Clone, Debug, Default)]
pub struct FrameBatch {
    width: usize,
    ts: Vec<UtcMillis>,
    warmup: Vec<bool>,
    /// `width` bars per frame, absent ones included.
    bars: Vec<Bar>,
}

impl FrameBatch {
    /// An empty batch for `width` instruments with room for `frames` frames.
    pub fn with_capacity(width: usize, frames: usize) -> Self {
        Self {
            width,
            ts: Vec::with_capacity(frames),
            warmup: Vec::with_capacity(frames),
            bars: Vec::with_capacity(frames * width),
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
}
