//! The guard: how services get envelopes, and how they give consequences back.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use model::event::{Envelope, Payload, Topic};
use model::time::UtcMillis;

use crate::cycle::Cycle;
use crate::service::RunOutcome;
use crate::state::{OutboxItems, Shared, Taken};

/// A service's end of the bus.
#[derive(Debug)]
pub struct Inbox {
    state: Shared,
    slot: usize,
    items: OutboxItems,
    limit: usize,
}

impl Inbox {
    pub(crate) fn new(state: Shared, slot: usize, limit: usize) -> Self {
        let items = Rc::clone(&state.borrow().slots[slot].outbox);
        Self { state, slot, items, limit }
    }

    /// Where the handler's consequences go.
    pub fn outbox(&self) -> Outbox {
        let Self { state, slot, items, limit } = self;
        Outbox { state: Rc::clone(state), slot: *slot, items: Rc::clone(items), limit: *limit }
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
        Consume { inbox: Some(self) }
    }

    /// Borrows all envelopes of the present cycle at once; `None` when the barrier has been reached.
    pub fn consume_cycle(&mut self) -> ConsumeCycle<'_> {
        ConsumeCycle { inbox: Some(self) }
    }

    /// Whether the run has ended; ticks are not closed any more then.
    pub fn is_over(&self) -> bool {
        self.state.borrow().outcome.is_some()
    }

    /// How the run ended.
    ///
    /// # Panics
    ///
    /// Before [`next_tick`](Self::next_tick) has returned `None`.
    pub fn outcome(&self) -> Rc<RunOutcome> {
        self.state.borrow().outcome.clone().expect("the run is over when there is no next tick")
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
        self.inbox.state.borrow_mut().enter_tick(self.inbox.slot)
    }
}

/// Waits for an envelope; see [`Inbox::consume`].
#[derive(Debug)]
pub struct Consume<'a> {
    inbox: Option<&'a mut Inbox>,
}

impl<'a> Future for Consume<'a> {
    type Output = Option<Delivery<'a>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let inbox = self.inbox.take().expect("a future is not polled after it has ended");
        let taken = inbox.state.borrow_mut().take(inbox.slot);
        match taken {
            Taken::Delivery(cycle, place) => {
                Poll::Ready(Some(Delivery { inbox, cycle, place: place as usize }))
            }
            Taken::TickIsClosing => Poll::Ready(None),
            Taken::NothingYet => {
                self.inbox = Some(inbox);
                Poll::Pending
            }
        }
    }
}

/// Waits for a cycle; see [`Inbox::consume_cycle`].
#[derive(Debug)]
pub struct ConsumeCycle<'a> {
    inbox: Option<&'a mut Inbox>,
}

impl<'a> Future for ConsumeCycle<'a> {
    type Output = Option<CycleDelivery<'a>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let inbox = self.inbox.take().expect("a future is not polled after it has ended");
        let taken = inbox.state.borrow_mut().take_cycle(inbox.slot);
        match taken {
            Taken::Delivery(cycle, places) => {
                Poll::Ready(Some(CycleDelivery { inbox, cycle, places }))
            }
            Taken::TickIsClosing => Poll::Ready(None),
            Taken::NothingYet => {
                self.inbox = Some(inbox);
                Poll::Pending
            }
        }
    }
}

/// One envelope on loan. Dropping it without [`ack`](Self::ack) ends the run.
#[must_use = "a delivery that is not acknowledged ends the run"]
#[derive(Debug)]
pub struct Delivery<'a> {
    inbox: &'a mut Inbox,
    cycle: Rc<Cycle>,
    place: usize,
}

/// Place of a delivery that has been acknowledged.
const DONE: usize = usize::MAX;

impl Delivery<'_> {
    /// The envelope.
    #[inline]
    pub fn envelope(&self) -> &Envelope {
        &self.cycle.envelopes[self.place]
    }

    /// Whether no other delivery of this cycle follows.
    pub fn is_last_of_cycle(&self) -> bool {
        !self.inbox.state.borrow().has_more(self.inbox.slot)
    }

    /// Publishes what is in the outbox, then releases the envelope, so the count of the barrier
    /// cannot touch zero in between.
    #[inline]
    pub fn ack(mut self, _outbox: &mut Outbox) {
        let seq = self.envelope().seq;
        self.place = DONE;
        self.inbox.state.borrow_mut().ack(self.inbox.slot, seq);
    }
}

impl Drop for Delivery<'_> {
    fn drop(&mut self) {
        if self.place != DONE {
            let (topic, seq) = (self.envelope().topic(), self.envelope().seq);
            self.inbox.state.borrow_mut().dropped(self.inbox.slot, topic, seq);
        }
    }
}

/// All envelopes of one cycle on loan, for services that record. The same rules hold.
#[must_use = "a delivery that is not acknowledged ends the run"]
#[derive(Debug)]
pub struct CycleDelivery<'a> {
    inbox: &'a mut Inbox,
    cycle: Rc<Cycle>,
    places: Vec<u32>,
}

impl CycleDelivery<'_> {
    /// The envelopes, in order.
    pub fn envelopes(&self) -> impl Iterator<Item = &Envelope> {
        self.places.iter().map(|place| &self.cycle.envelopes[*place as usize])
    }

    /// Publishes what is in the outbox, then releases the cycle.
    pub fn ack(mut self, _outbox: &mut Outbox) {
        let seq = self.last_seq();
        let places = std::mem::take(&mut self.places);
        let mut state = self.inbox.state.borrow_mut();
        state.ack(self.inbox.slot, seq);
        state.give_back(self.inbox.slot, places);
    }

    fn last_seq(&self) -> u64 {
        self.envelopes().last().expect("a delivery has an envelope").seq
    }
}

impl Drop for CycleDelivery<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.places.first() {
            let envelope = &self.cycle.envelopes[*place as usize];
            let (topic, seq) = (envelope.topic(), envelope.seq);
            self.inbox.state.borrow_mut().dropped(self.inbox.slot, topic, seq);
        }
    }
}

/// What a handler wants to publish; sent at `ack`, in order.
///
/// The bus owns the content: whatever a failing handler has put here still reaches the log.
#[derive(Debug)]
pub struct Outbox {
    state: Shared,
    slot: usize,
    items: OutboxItems,
    limit: usize,
}

impl Outbox {
    /// Adds a message to what is published at `ack`, at the same tick.
    ///
    /// # Panics
    ///
    /// When one handler publishes more than a tick may hold: nothing else stops it.
    pub fn publish(&mut self, payload: Payload) {
        let mut items = self.items.borrow_mut();
        if items.len() >= self.limit {
            self.state.borrow_mut().endless(self.slot, payload.topic());
            panic!("more than {} events of one handler", self.limit);
        }
        if !self.state.borrow().holds_delivery(self.slot) {
            self.state.borrow_mut().published_outside(self.slot, payload.topic());
        }
        items.push(payload);
    }

    /// The last committed envelope of a topic that the service
    /// [looks up](crate::service::BacktestService::looks_up).
    ///
    /// # Panics
    ///
    /// If no service said that it looks this topic up.
    pub fn latest(&self, topic: Topic) -> Option<Envelope> {
        self.state.borrow().latest(topic).cloned()
    }
}
