//! The guard: how services get envelopes, and how they give consequences back.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use model::event::{Envelope, Payload, Topic};
use model::time::UtcMillis;

use crate::cycle::Cycle;
use crate::service::RunOutcome;
use crate::state::{OutboxItems, Shared};

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
        Outbox { state: Rc::clone(&self.state), items: Rc::clone(&self.items), limit: self.limit }
    }

    /// Waits for the next tick; `None` when the run is over.
    pub async fn next_tick(&mut self) -> Option<UtcMillis> {
        poll_fn(|_| {
            let mut state = self.state.borrow_mut();
            let (tick, now, over) = (state.tick, state.now(), state.outcome.is_some());
            let slot = &mut state.slots[self.slot];
            slot.is_ready = true;
            // Asking for the next tick closes the present one.
            slot.closed = slot.entered;
            if over {
                return Poll::Ready(None);
            }
            if slot.entered == tick {
                return Poll::Pending;
            }
            slot.entered = tick;
            Poll::Ready(Some(now))
        })
        .await
    }

    /// Borrows the next envelope of this tick; `None` when the barrier has been reached.
    ///
    /// The delivery borrows the inbox, so a second one cannot be taken while it is held. Time stands
    /// still until it is acknowledged.
    pub async fn consume(&mut self) -> Option<Delivery<'_>> {
        let taken = poll_fn(|_| {
            let mut state = self.state.borrow_mut();
            match state.take(self.slot) {
                Some(taken) => Poll::Ready(Some(taken)),
                None if state.is_closing || state.outcome.is_some() => Poll::Ready(None),
                None => Poll::Pending,
            }
        })
        .await;
        taken.map(|(cycle, place)| Delivery { inbox: self, cycle, place: place as usize })
    }

    /// Borrows all envelopes of the present cycle at once; `None` when the barrier has been reached.
    pub async fn consume_cycle(&mut self) -> Option<CycleDelivery<'_>> {
        let taken = poll_fn(|_| {
            let mut state = self.state.borrow_mut();
            match state.take_cycle(self.slot) {
                Some(taken) => Poll::Ready(Some(taken)),
                None if state.is_closing || state.outcome.is_some() => Poll::Ready(None),
                None => Poll::Pending,
            }
        })
        .await;
        taken.map(|(cycle, places)| CycleDelivery { inbox: self, cycle, places })
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
    pub fn envelope(&self) -> &Envelope {
        &self.cycle.envelopes[self.place]
    }

    /// Whether no other delivery of this cycle follows.
    pub fn is_last_of_cycle(&self) -> bool {
        !self.inbox.state.borrow().has_more(self.inbox.slot)
    }

    /// Publishes what is in the outbox, then releases the envelope, so the count of the barrier
    /// cannot touch zero in between.
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
    items: OutboxItems,
    limit: usize,
}

impl Outbox {
    /// Adds a message to what is published at `ack`, at the same tick.
    ///
    /// # Panics
    ///
    /// When one handler publishes more than a tick may hold: it does not stop.
    pub fn publish(&mut self, payload: Payload) {
        let mut items = self.items.borrow_mut();
        assert!(
            items.len() < self.limit,
            "BUS-LOOP: one handler published more than {} events (engine.max_events_per_tick)",
            self.limit
        );
        items.push(payload);
    }

    /// The last committed envelope of a topic, without being subscribed to all of them.
    pub fn latest(&self, topic: Topic) -> Option<Envelope> {
        self.state.borrow().latest(topic).cloned()
    }
}
