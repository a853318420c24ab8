//! The feed: data files read, checked, resampled and merged into frames on a thread of their own.

mod candles;
mod extras;
mod facts;
mod frames;
mod merge;
mod points;
mod producer;
mod stop;
mod sub_series;
mod trail;
mod window;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::{Builder, JoinHandle};

use engine::feed::BarFeed;
use futures_core::Stream;
use model::frame::{Frame, FrameBatch};
use model::time::{Interval, UtcMillis};
use tokio::sync::mpsc;

use crate::candles::{DataError, SeriesSpec};
use crate::points::PointSpec;
use producer::Producer;
use stop::StopFlag;

pub use facts::{FactsHandle, SeriesFacts};

/// Which instants become frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Align {
    /// Those at which at least one series has a bar.
    #[default]
    Outer,
    /// Those at which every series has one.
    Inner,
}

/// What a feed reads and how it cuts it into frames.
#[derive(Clone, Debug)]
pub struct FeedSpec {
    /// The series, one per instrument.
    pub series: Vec<SeriesSpec>,
    /// Series of the same instruments that supply nothing but finer bars, one per instrument at
    /// most: they make no frame, fill no hole and cover no start. Where one has no row within a
    /// frame, or the frame's own bar was filled in, there are no finer bars. Each takes the place
    /// of those that `keeps_sub_bars` would keep.
    pub sub_series: Vec<SeriesSpec>,
    /// Series of mark prices, one per instrument at most. Shorter or longer than frames by a whole
    /// factor; they make no frame and cover no start.
    pub marks: Vec<SeriesSpec>,
    /// Funding events and prices, each series once; they make no frame and cover no start.
    pub points: Vec<PointSpec>,
    /// Number of instruments in the run's table; those without a series never have a bar.
    pub width: usize,
    /// Length of a frame.
    pub interval: Interval,
    /// Frames that open at or after it belong to the run; `None` for the first of the data.
    pub start: Option<UtcMillis>,
    /// Frames that close at or before it belong to the run; `None` for the last of the data.
    pub end: Option<UtcMillis>,
    /// Frames that are delivered, flagged, before those of the run. Without a start, the first
    /// frames of the data are flagged instead.
    pub warmup: u32,
    /// Which instants become frames.
    pub align: Align,
    /// Whether the frames of series that are resampled keep the finer bars. Never changes a bar.
    pub keeps_sub_bars: bool,
    /// Batches that may be ready before they are asked for. Never changes a frame.
    pub read_ahead: usize,
    /// Frames per batch; fewer where they hold many finer bars. Never changes a frame.
    pub batch_rows: usize,
}

impl FeedSpec {
    /// Default of `read_ahead`.
    pub const READ_AHEAD: usize = 4;
    /// Default of `batch_rows`.
    pub const BATCH_ROWS: usize = 4_096;

    /// All of `series` in frames of `interval`, for a table of `width` instruments.
    pub const fn new(series: Vec<SeriesSpec>, width: usize, interval: Interval) -> Self {
        Self {
            series,
            sub_series: Vec::new(),
            marks: Vec::new(),
            points: Vec::new(),
            width,
            interval,
            start: None,
            end: None,
            warmup: 0,
            align: Align::Outer,
            keeps_sub_bars: false,
            read_ahead: Self::READ_AHEAD,
            batch_rows: Self::BATCH_ROWS,
        }
    }
}

type Message = Result<Arc<FrameBatch>, DataError>;

/// Frames of candle files, read ahead by a bounded number of batches.
///
/// Dropping it ends its thread.
#[derive(Debug)]
pub struct CandleFeed {
    batch: Arc<FrameBatch>,
    row: usize,
    messages: mpsc::Receiver<Message>,
    reader: Option<JoinHandle<()>>,
    stop: StopFlag,
    facts: FactsHandle,
}

impl CandleFeed {
    /// Opens all files, checks their columns and reads as far as the first frame of the run.
    ///
    /// # Errors
    ///
    /// If a file cannot be used, if the first rows are at fault, or if the window holds no frame.
    ///
    /// # Panics
    ///
    /// If a series names an instrument beyond `width`, or one that another series names; if a
    /// series of finer bars names one that no series makes frames of, or that another of them names;
    /// if a series of marks or points names what another one does.
    pub fn open(spec: &FeedSpec) -> Result<Self, DataError> {
        let facts = FactsHandle::default();
        let stop = StopFlag::default();
        let mut producer = Producer::open(spec, facts.clone(), stop.clone())?;
        producer.read_to_first_frame()?;
        let (sender, messages) = mpsc::channel(spec.read_ahead.max(1));
        let reader = Builder::new()
            .name("candle-feed".to_owned())
            .spawn(move || producer.run(&sender))
            .map_err(|source| DataError::Thread { source })?;
        let batch = Arc::new(FrameBatch::with_capacity(spec.width, 0));
        Ok(Self { batch, row: 0, messages, reader: Some(reader), stop, facts })
    }

    /// What the feed has read, file by file; still there when the feed is gone.
    pub fn facts(&self) -> FactsHandle {
        self.facts.clone()
    }

    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame, DataError>>> {
        loop {
            match self.messages.poll_recv(context) {
                Poll::Ready(Some(Ok(batch))) => {
                    self.batch = batch;
                    self.row = 1;
                    if let Some(frame) = self.batch.frame(0) {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => {
                    self.join();
                    return Poll::Ready(None);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Waits for the thread, which ends at the latest when it has decoded the chunk at hand.
    fn join(&mut self) {
        let ended = self.reader.take().map_or(Ok(()), JoinHandle::join);
        if let Err(panic) = ended
            && !std::thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Stream for CandleFeed {
    type Item = Result<Frame, DataError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(frame) = self.batch.frame(self.row) {
            self.row += 1;
            return Poll::Ready(Some(Ok(frame)));
        }
        self.poll_batch(context)
    }
}

impl BarFeed for CandleFeed {
    type Error = DataError;
}

impl Drop for CandleFeed {
    fn drop(&mut self) {
        self.stop.raise();
        self.messages.close();
        self.join();
    }
}

#[cfg(test)]
mod tests;
