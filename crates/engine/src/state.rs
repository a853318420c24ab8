//! The state of the bus: what is staged, what is delivered, and the one count over both.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Poll;

use model::event::{Envelope, Payload, Topic};
use model::time::UtcMillis;

use crate::bus::Limits;
use crate::clock::Clock;
use crate::committed::Committed;
use crate::cycle::{Cycle, Latest};
use crate::error::EngineError;
use crate::lane::Lane;
use crate::service::RunOutcome;

/// Shared by the bus, the inboxes and the outboxes of one run.
pub(crate) type Shared = Rc<State>;

/// What a service that asks for a delivery gets.
#[derive(Debug)]
pub(crate) enum Taken {
    /// The present cycle, and the place of its first delivery there.
    Delivery(Rc<Cycle>, usize),
    /// The barrier has been reached.
    TickIsClosing,
    /// It has to wait.
    NothingYet,
}

/// What the drain finds when no service can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A cycle was committed: there is something to deliver.
    Committed,
    /// Somebody holds a delivery.
    Blocked,
    /// Nothing is outstanding: the barrier.
    Idle,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    /// Counts beyond which cycles are remembered.
    near_limits: Limits,
    /// In rank order, the engine first.
    pub(crate) lanes: Box<[Rc<Lane>]>,
    pub(crate) subscribers: [Cell<Subscribers>; Topic::ALL.len()],
    pub(crate) committed: RefCell<Committed>,
    /// Staged and delivered but not acknowledged, over all subscribers: the one count.
    pub(crate) in_flight: Cell<usize>,
    /// The part of `in_flight` that is staged.
    pub(crate) staged: Cell<usize>,
    /// Publishers with something staged, one bit each.
    staging: Cell<u64>,
    /// Services with deliveries in the present cycle that they have not taken, one bit each.
    pub(crate) waiting: Cell<u64>,
    pub(crate) tick: Cell<u64>,
    pub(crate) is_closing: Cell<bool>,
    pub(crate) events_in_tick: Cell<usize>,
    pub(crate) cycles_in_tick: Cell<usize>,
    /// Whether cycles of this tick are remembered, to name a loop.
    has_trail: Cell<bool>,
    is_poisoned: Cell<bool>,
    poison: RefCell<Option<EngineError>>,
    is_over: Cell<bool>,
    outcome: RefCell<Option<Rc<RunOutcome>>>,
}

/// Who hears a topic: one bit each, and how many they are (counting bits takes a dozen instructions).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Subscribers {
    bits: u64,
    count: usize,
}

impl Subscribers {
    pub(crate) const fn new(bits: u64) -> Self {
        Self { bits, count: bits.count_ones() as usize }
    }

    pub(crate) const fn only(self, bits: u64) -> Self {
        Self::new(self.bits & bits)
    }

    /// What an envelope counts until its cycle is committed: what nobody hears counts once, so that
    /// it gets its number like every other.
    pub(crate) const fn weight(self) -> usize {
        if self.count == 0 { 1 } else { self.count }
    }
}

impl State {
    pub(crate) fn new(
        clock: Clock,
        limits: Limits,
        lanes: Box<[Rc<Lane>]>,
        latest: Latest,
    ) -> Self {
        let subscribers = Topic::ALL.map(|topic| {
            let hears = lanes.iter().filter(|lane| lane.hears.has(topic));
            Cell::new(Subscribers::new(hears.fold(0, |bits, lane| bits | lane.bit)))
        });
        let near_limits = Limits {
            max_events_per_tick: limits.max_events_per_tick / 8,
            max_cycles_per_tick: limits.max_cycles_per_tick / 2,
        };
        Self {
            clock,
            limits,
            near_limits,
            lanes,
            subscribers,
            committed: RefCell::new(Committed::new(latest)),
            in_flight: Cell::new(0),
            staged: Cell::new(0),
            staging: Cell::new(0),
            waiting: Cell::new(0),
            tick: Cell::new(0),
            is_closing: Cell::new(false),
            events_in_tick: Cell::new(0),
            cycles_in_tick: Cell::new(0),
            has_trail: Cell::new(false),
            is_poisoned: Cell::new(false),
            poison: RefCell::new(None),
            is_over: Cell::new(false),
            outcome: RefCell::new(None),
        }
    }

    pub(crate) fn events(&self) -> u64 {
        self.committed.borrow().seq()
    }

    /// Asked after every poll, so it is a flag of its own.
    #[inline]
    pub(crate) fn is_poisoned(&self) -> bool {
        self.is_poisoned.get()
    }

    pub(crate) fn take_poison(&self) -> Option<EngineError> {
        self.is_poisoned.set(false);
        self.poison.take()
    }

    #[cold]
    pub(crate) fn poison(&self, error: EngineError) {
        // The first error is the one that counts.
        self.poison.borrow_mut().get_or_insert(error);
        self.is_poisoned.set(true);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    pub(crate) fn outcome(&self) -> Option<Rc<RunOutcome>> {
        self.outcome.borrow().clone()
    }

    /// Ends the run: nothing is delivered any more, whoever waits for a delivery goes on to the end.
    pub(crate) fn end(&self, outcome: RunOutcome) {
        *self.outcome.borrow_mut() = Some(Rc::new(outcome));
        self.is_over.set(true);
        self.is_closing.set(true);
    }

    pub(crate) fn latest(&self, topic: Topic) -> Option<Envelope> {
        self.committed.borrow().latest(topic).cloned()
    }

    /// The present cycle.
    pub(crate) fn cycle(&self) -> Rc<Cycle> {
        Rc::clone(self.committed.borrow().cycle())
    }

    /// Opens the next tick at the clock's time.
    pub(crate) fn open_tick(&self) {
        self.tick.set(self.tick.get() + 1);
        self.events_in_tick.set(0);
        self.cycles_in_tick.set(0);
        if self.has_trail.get() {
            self.forget_trail();
        }
    }

    /// The last tick was near a limit.
    #[cold]
    fn forget_trail(&self) {
        self.has_trail.set(false);
        self.committed.borrow_mut().trail.clear();
    }

    /// Stages what a publisher has added to its outbox, counted once per matched subscriber.
    #[inline]
    pub(crate) fn stage(&self, lane: &Lane) {
        self.stage_outbox(lane, &lane.outbox.borrow());
    }

    #[inline]
    fn stage_outbox(&self, lane: &Lane, outbox: &[Envelope]) {
        let (start, end) = (lane.staged_end.get(), outbox.len());
        if start == end {
            return;
        }
        let mut weight = 0;
        for envelope in &outbox[start..] {
            let topic = envelope.topic();
            if !lane.may_publish.has(topic) {
                self.not_allowed(lane, topic);
            }
            weight += self.subscribers[topic.index()].get().weight();
        }
        lane.staged_end.set(end);
        self.staging.set(self.staging.get() | lane.bit);
        self.in_flight.set(self.in_flight.get() + weight);
        self.staged.set(self.staged.get() + weight);
    }

    /// Publishes a message of the engine.
    #[inline]
    pub(crate) fn publish(&self, payload: Payload) {
        let engine = &self.lanes[0];
        let mut outbox = engine.outbox.borrow_mut();
        engine.say(&mut outbox, payload);
        self.stage_outbox(engine, &outbox);
    }

    /// Closes a service's present tick and enters the next, if there is one.
    #[inline]
    pub(crate) fn enter_tick(&self, lane: &Lane) -> Poll<Option<UtcMillis>> {
        lane.is_ready.set(true);
        // Asking for the next tick closes the present one.
        lane.closed.set(lane.entered.get());
        if self.is_over.get() {
            return Poll::Ready(None);
        }
        if lane.entered.get() == self.tick.get() {
            return Poll::Pending;
        }
        lane.entered.set(self.tick.get());
        Poll::Ready(Some(self.clock.now()))
    }

    /// The next delivery of a service, if it has one in the present cycle.
    #[inline]
    pub(crate) fn take(&self, lane: &Lane) -> Taken {
        if !self.has_more(lane) || lane.holds_delivery() {
            return self.nothing_to_take(lane);
        }
        let cycle = self.cycle();
        let place = cycle.find(lane.hears, lane.next.get()).expect("it waits for something");
        match cycle.find(lane.hears, place + 1) {
            Some(next) => lane.next.set(next),
            None => self.has_taken_all(lane),
        }
        let envelope = &cycle.envelopes[place];
        lane.takes(envelope, place, 1, envelope.seq);
        Taken::Delivery(cycle, place)
    }

    /// All deliveries that a service has left in the present cycle at once.
    #[inline]
    pub(crate) fn take_cycle(&self, lane: &Lane) -> Taken {
        if !self.has_more(lane) || lane.holds_delivery() {
            return self.nothing_to_take(lane);
        }
        let cycle = self.cycle();
        let place = cycle.find(lane.hears, lane.next.get()).expect("it waits for something");
        let (count, last) = cycle.extent(lane.hears, place);
        self.has_taken_all(lane);
        lane.takes(&cycle.envelopes[place], place, count, last);
        Taken::Delivery(cycle, place)
    }

    /// Whether deliveries of this cycle remain for a service.
    #[inline]
    pub(crate) fn has_more(&self, lane: &Lane) -> bool {
        self.waiting.get() & lane.bit != 0
    }

    #[inline]
    fn has_taken_all(&self, lane: &Lane) {
        self.waiting.set(self.waiting.get() & !lane.bit);
        lane.next.set(0);
    }

    #[inline]
    fn nothing_to_take(&self, lane: &Lane) -> Taken {
        if lane.holds_delivery() {
            self.forgotten(lane);
            return Taken::NothingYet;
        }
        if self.is_closing.get() { Taken::TickIsClosing } else { Taken::NothingYet }
    }

    /// Publishes what the handler left in its outbox, then releases its delivery.
    #[inline]
    pub(crate) fn ack(&self, lane: &Lane) {
        self.stage(lane);
        self.in_flight.set(self.in_flight.get() - lane.lent.replace(0));
        lane.hand.releases();
    }

    /// Services that hold a delivery, one bit each.
    pub(crate) fn holding(&self) -> u64 {
        let holding = self.lanes.iter().filter(|lane| lane.holds_delivery());
        holding.fold(0, |bits, lane| bits | lane.bit)
    }

    /// Goes on to the next cycle, once every delivery of the present one is done.
    #[inline]
    pub(crate) fn step(&self) -> Step {
        if self.in_flight.get() > self.staged.get() {
            return Step::Blocked;
        }
        if self.staged.get() == 0 {
            return Step::Idle;
        }
        if self.cycles_in_tick.get() == self.limits.max_cycles_per_tick {
            self.poison_cascade();
            return Step::Blocked;
        }
        self.cycles_in_tick.set(self.cycles_in_tick.get() + 1);
        self.commit();
        if self.events_in_tick.get() > self.limits.max_events_per_tick {
            // Looked at when a cycle is whole, so that the order of polling has no part in it.
            self.poison_cascade();
            return Step::Blocked;
        }
        Step::Committed
    }

    /// Puts what is staged in canonical order, numbers it, and delivers it.
    pub(crate) fn commit(&self) {
        let committed = &mut *self.committed.borrow_mut();
        let cycle = committed.next_cycle();
        self.staged.set(0);
        let mut staging = self.staging.replace(0);
        while staging != 0 {
            let lane = &*self.lanes[staging.trailing_zeros() as usize];
            staging &= staging - 1;
            cycle.take(&mut lane.outbox.borrow_mut(), lane.staged_end.replace(0));
        }
        let events = self.events_in_tick.get() + cycle.envelopes.len();
        self.events_in_tick.set(events);
        committed.number(self.clock.now(), |topic| self.deliver(topic));
        if self.cycles_in_tick.get() > self.near_limits.max_cycles_per_tick
            || events > self.near_limits.max_events_per_tick
        {
            // Near a limit: the last cycles are enough to name a loop.
            self.has_trail.set(true);
            committed.record_trail();
        }
    }

    /// Hands an envelope to the subscribers of its topic; says whether there are any.
    #[inline]
    fn deliver(&self, topic: Topic) -> bool {
        let subscribers = self.subscribers[topic.index()].get();
        self.waiting.set(self.waiting.get() | subscribers.bits);
        let is_heard = subscribers.bits != 0;
        if !is_heard {
            // It has its number, and its count is released.
            self.in_flight.set(self.in_flight.get() - 1);
        }
        is_heard
    }
}
