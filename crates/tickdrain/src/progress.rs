//! Progress: a bar on a terminal, nothing elsewhere.

use std::fmt::Write;
use std::io::IsTerminal as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use engine::feed::BarFeed;
use futures_core::Stream;
use indicatif::{HumanFloatCount, ProgressBar, ProgressState, ProgressStyle};
use model::frame::Frame;

/// Frames between two looks at the bar.
const STEP: u64 = 16_384;

/// A feed that shows how far it has come.
#[derive(Debug)]
pub(crate) struct Watched<F> {
    feed: F,
    bar: Option<ProgressBar>,
    frames: u64,
}

impl<F> Watched<F> {
    /// Shows `total` bars, if somebody looks.
    pub(crate) fn new(feed: F, total: Option<u64>, wanted: bool) -> Self {
        let bar = (wanted && std::io::stderr().is_terminal()).then(|| bar_of(total));
        Self { feed, bar, frames: 0 }
    }
}

fn bar_of(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => {
            (ProgressBar::new(total), "{bar:32} {human_pos}/{human_len} bars  {rate}  ETA {eta}")
        }
        None => (ProgressBar::no_length(), "{spinner} {human_pos} bars  {rate}"),
    };
    // The template is a constant: if it were wrong, the default one would do.
    let style = ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar());
    bar.set_style(style.with_key("rate", |state: &ProgressState, text: &mut dyn Write| {
        // A terminal that takes no text shows no rate.
        let _ = write!(text, "{} bars/s", HumanFloatCount(state.per_sec().round()));
    }));
    bar
}

impl<F: BarFeed> Stream for Watched<F> {
    type Item = Result<Frame, F::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let frame = ready!(Pin::new(&mut self.feed).poll_next(context));
        self.frames += 1;
        if let Some(bar) = &self.bar {
            if frame.is_none() {
                bar.finish_and_clear();
            } else if self.frames.is_multiple_of(STEP) {
                bar.set_position(self.frames);
            }
        }
        Poll::Ready(frame)
    }
}

impl<F: BarFeed> BarFeed for Watched<F> {
    type Error = F::Error;
}
