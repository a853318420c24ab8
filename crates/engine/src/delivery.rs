//! The guard: how services get envelopes, and how they give consequences back.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use model::event::{Envelope, Payload, Topic};
use model::time::UtcMillis;

use crate::cycle::Cycle;
use crate::lane::Lane;
use crate::service::RunOutcome;
use crate::state::{Shared, Taken};

/// A service's end of the bus.
#[derive(Debug)]
pub struct Inbox {
    state: Shared,
    lane: Rc<Lane>,
}

impl Inbox {
    pub(crate) const fn new(state: Shared, lane: Rc<Lane>) -> Self {
        Self { state, lane }
    }

    /// Where the handler's consequences go.
    pub fn outbox(&self) -> Outbox {
        Outbox { state: Rc::clone(&self.state), lane: Rc::clone(&self.lane) }
    }

    /// Waits for the next tick; `None` when the run is over.
    pub fn next_tick(&mut self) -> NextTick<'_> {
        NextTick { inbox: self }
    }

    /// Borrows the next envelope of this tick; `None` when the barrier has been reached.
    ///
    /// The delivery borrows the inbox, so a second one cannot be taken while it is held. Time stands
    /// still until it is acknowledged.
    pub fn consume(&mut self) -> Consume<'_> {
        Consume { inbox: self }
    }

    /// Borrows all envelopes of the present cycle at once; `None` when the barrier has been reached.
    pub fn consume_cycle(&mut self) -> ConsumeCycle<'_> {
        ConsumeCycle { inbox: self }
    }

    /// Whether the run has ended; ticks are not closed any more then.
    pub fn is_over(&self) -> bool {
        self.state.is_over()
    }

    /// How the run ended.
    ///
    /// # Panics
    ///
    /// Before [`next_tick`](Self::next_tick) has returned `None`.
    pub fn outcome(&self) -> Rc<RunOutcome> {
        self.state.outcome().expect("the run is over when there is no next tick")
    }
}

/// Waits for a tick; see [`Inbox::next_tick`].
#[derive(Debug)]
pub struct NextTick<'a> {
    inbox: &'a mut Inbox,
}

impl Future for NextTick<'_> {
    type Output = Option<UtcMillis>;

    #[inline]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        self.inbox.state.enter_tick(&self.inbox.lane)
    }
}

/// Waits for an envelope; see [`Inbox::consume`].
#[derive(Debug)]
pub struct Consume<'a> {
    /// Made of a unique borrow: as long as this or its delivery lives, nobody else has the inbox.
    inbox: &'a Inbox,
}

impl<'a> Future for Consume<'a> {
    type Output = Option<Delivery<'a>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let inbox = self.inbox;
        match inbox.state.take(&inbox.lane) {
            Taken::Delivery(cycle, place) => Poll::Ready(Some(Delivery { inbox, cycle, place })),
            Taken::TickIsClosing => Poll::Ready(None),
            Taken::NothingYet => Poll::Pending,
        }
    }
}

/// Waits for a cycle; see [`Inbox::consume_cycle`].
#[derive(Debug)]
pub struct ConsumeCycle<'a> {
    /// As in [`Consume`].
    inbox: &'a Inbox,
}

impl<'a> Future for ConsumeCycle<'a> {
    type Output = Option<CycleDelivery<'a>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let inbox = self.inbox;
        match inbox.state.take_cycle(&inbox.lane) {
            Taken::Delivery(cycle, start) => {
                Poll::Ready(Some(CycleDelivery { inbox, cycle, start }))
            }
            Taken::TickIsClosing => Poll::Ready(None),
            Taken::NothingYet => Poll::Pending,
        }
    }
}

/// One envelope on loan. Dropping it without [`ack`](Self::ack) ends the run.
#[must_use = "a delivery that is not acknowledged ends the run"]
#[derive(Debug)]
pub struct Delivery<'a> {
    inbox: &'a Inbox,
    cycle: Rc<Cycle>,
    place: usize,
}

impl Delivery<'_> {
    /// The envelope.
    #[inline]
    pub fn envelope(&self) -> &Envelope {
        &self.cycle.envelopes[self.place]
    }

    /// Whether no other delivery of this cycle follows.
    pub fn is_last_of_cycle(&self) -> bool {
        !self.inbox.state.has_more(&self.inbox.lane)
    }

    /// Publishes what is in the outbox, then releases the envelope, so the count of the barrier
    /// cannot touch zero in between.
    #[inline]
    pub fn ack(self, _outbox: &mut Outbox) {
        self.inbox.state.ack(&self.inbox.lane);
    }
}

impl Drop for Delivery<'_> {
    #[inline]
    fn drop(&mut self) {
        // What is acknowledged is not in the service's hand any more.
        if self.inbox.lane.holds_delivery() {
            self.inbox.state.dropped(&self.inbox.lane);
        }
    }
}

/// All envelopes of one cycle on loan, for services that record. The same rules hold.
#[must_use = "a delivery that is not acknowledged ends the run"]
#[derive(Debug)]
pub struct CycleDelivery<'a> {
    inbox: &'a Inbox,
    cycle: Rc<Cycle>,
    start: usize,
}

impl CycleDelivery<'_> {
    /// The envelopes, in order.
    #[inline]
    pub fn envelopes(&self) -> impl Iterator<Item = &Envelope> {
        self.cycle.heard(self.inbox.lane.hears, self.start)
    }

    /// Publishes what is in the outbox, then releases the cycle.
    ///
    /// The cause of what is published is the last envelope.
    #[inline]
    pub fn ack(self, _outbox: &mut Outbox) {
        self.inbox.state.ack(&self.inbox.lane);
    }
}

impl Drop for CycleDelivery<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.inbox.lane.holds_delivery() {
            self.inbox.state.dropped(&self.inbox.lane);
        }
    }
}

/// What a handler wants to publish; sent at `ack`, in order.
///
/// The bus owns the content: whatever a failing handler has put here still reaches the log.
#[derive(Debug)]
pub struct Outbox {
    state: Shared,
    lane: Rc<Lane>,
}

impl Outbox {
    /// Adds a message to what is published at `ack`, at the same tick.
    ///
    /// # Panics
    ///
    /// When one handler publishes more than a tick may hold: nothing else stops it.
    #[inline]
    pub fn publish(&mut self, payload: Payload) {
        let Self { state, lane } = self;
        let mut outbox = lane.outbox.borrow_mut();
        if outbox.len() >= state.limits.max_events_per_tick {
            drop(outbox);
            state.poison_handler(lane, payload.topic());
            panic!("more than {} events of one handler", state.limits.max_events_per_tick);
        }
        if !lane.holds_delivery() {
            state.published_outside(lane, payload.topic());
        }
        lane.say(&mut outbox, payload);
    }

    /// The last committed envelope of a topic that the service
    /// [looks up](crate::service::BacktestService::looks_up).
    ///
    /// # Panics
    ///
    /// If no service said that it looks this topic up.
    pub fn latest(&self, topic: Topic) -> Option<Envelope> {
        self.state.latest(topic)
    }
}
