//! A question about one frame, asked of a run that is computed again: what was looked at?

use std::cell::RefCell;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use engine::delivery::Outbox;
use engine::feed::BarFeed;
use engine::service::{BacktestService, RunOutcome, ServiceReport};
use futures_core::Stream;
use model::event::{Envelope, Payload, Topic};
use model::frame::Frame;
use model::strategy::Decision;
use model::time::UtcMillis;
use store::feed::{CandleFeed, FactsHandle};

/// A service that keeps the decisions of one frame; clones share what they hear.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The frame.
    pub(crate) ts: UtcMillis,
    answers: Rc<RefCell<Vec<(u16, Decision)>>>,
}

impl Question {
    pub(crate) fn about(ts: UtcMillis) -> Self {
        Self { ts, answers: Rc::default() }
    }

    /// The decisions of the frame, each with the place of its publisher in rank order.
    pub(crate) fn answers(&self) -> Vec<(u16, Decision)> {
        self.answers.borrow().clone()
    }
}

impl BacktestService for Question {
    type Error = Infallible;

    const CLOSES_TICKS: bool = false;

    fn name(&self) -> &'static str {
        "question"
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Decision]
    }

    fn handle(&mut self, envelope: &Envelope, _outbox: &mut Outbox) -> Result<(), Infallible> {
        if let (Payload::Decision(decision), true) = (&envelope.payload, envelope.ts == self.ts) {
            self.answers.borrow_mut().push((envelope.publisher.0, decision.clone()));
        }
        Ok(())
    }

    fn finish(&mut self, _outcome: &RunOutcome) -> Result<ServiceReport, Infallible> {
        Ok(ServiceReport::new("question"))
    }
}

/// A feed that ends after the first frame behind `last`.
#[derive(Debug)]
pub(crate) struct Until<F> {
    feed: F,
    last: UtcMillis,
    is_over: bool,
}

impl<F> Until<F> {
    pub(crate) const fn new(feed: F, last: UtcMillis) -> Self {
        Self { feed, last, is_over: false }
    }
}

impl<F: BarFeed> Stream for Until<F> {
    type Item = Result<Frame, F::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let next = ready!(Pin::new(&mut self.feed).poll_next(context));
        self.is_over = matches!(&next, Some(Ok(frame)) if frame.ts() > self.last);
        Poll::Ready(next)
    }
}

/// A feed over data files, which tells what it has read of them.
pub(crate) trait Frames: BarFeed {
    /// What was read.
    fn facts(&self) -> FactsHandle;
}

impl Frames for CandleFeed {
    fn facts(&self) -> FactsHandle {
        self.facts()
    }
}

impl<F: Frames> Frames for Until<F> {
    fn facts(&self) -> FactsHandle {
        self.feed.facts()
    }
}

impl<F: BarFeed> BarFeed for Until<F> {
    type Error = F::Error;
}
