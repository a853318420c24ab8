//! The source of frames, as the run loop sees it.

use std::error::Error;

use futures_core::Stream;
use model::frame::Frame;

/// An async stream of frames in strictly increasing time.
///
/// The run loop asks for one frame after another and drains each before it asks for the next, so a
/// feed may read ahead but can never run ahead.
pub trait BarFeed: Stream<Item = Result<Frame, Self::Error>> + Unpin {
    /// Why the feed cannot produce its next frame; ends the run.
    type Error: Error + Send + Sync + 'static;
}
