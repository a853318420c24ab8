//! The source of frames, as the run loop sees it.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use model::frame::{Frame, FrameBatch};

/// An async stream of frames in strictly increasing time.
///
/// The run loop asks for one frame after another and drains each before it asks for the next, so a
/// feed may read ahead but can never run ahead.
pub trait BarFeed: Stream<Item = Result<Frame, Self::Error>> + Unpin {
    /// Why the feed cannot produce its next frame; ends the run.
    type Error: Error + Send + Sync + 'static;
}

/// Frames that are in memory already: for tests, benchmarks and small experiments.
#[derive(Clone, Debug)]
pub struct InMemoryFeed {
    batch: Arc<FrameBatch>,
    next: usize,
}

impl InMemoryFeed {
    /// A feed of all frames of `batch`.
    pub const fn new(batch: Arc<FrameBatch>) -> Self {
        Self { batch, next: 0 }
    }
}

impl Stream for InMemoryFeed {
    type Item = Result<Frame, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let frame = self.batch.frame(self.next);
        self.next += 1;
        Poll::Ready(frame.map(Ok))
    }
}

impl BarFeed for InMemoryFeed {
    type Error = Infallible;
}
