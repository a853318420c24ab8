//! The state of the bus: what is staged, what is delivered, and the one count over both.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use model::event::{Envelope, Payload, Publisher, Topic};
use model::time::UtcMillis;

use crate::bus::Limits;
use crate::clock::Clock;
use crate::cycle::{Cycle, Latest, Trail};
use crate::error::EngineError;
use crate::rank::{Rank, Role};
use crate::service::RunOutcome;
use crate::watchdog::Progress;

/// Shared by the bus, the inboxes and the outboxes of one run.
pub(crate) type Shared = Rc<RefCell<State>>;

/// What a publisher has put into its outbox; owned by the bus, so a panic loses nothing. It stays
/// there until its cycle is committed.
pub(crate) type OutboxItems = Rc<RefCell<Vec<Payload>>>;

/// A publisher and, but for the engine, a subscriber.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) name: Box<str>,
    pub(crate) role: Role,
    /// Topics that it may publish, one bit each.
    may_publish: u64,
    /// Places of its deliveries in the present cycle, and how many of them it has taken.
    pending: Vec<u32>,
    taken: usize,
    /// Deliveries on loan: taken and not acknowledged.
    lent: usize,
    /// Place of the first of them.
    in_hand: usize,
    pub(crate) outbox: OutboxItems,
    /// Parts of the outbox that are acknowledged and wait for the next cycle.
    staged: Vec<Staged>,
    staged_end: usize,
    /// The tick that it has entered, and the tick that it has closed.
    pub(crate) entered: u64,
    pub(crate) closed: u64,
    /// Whether it has asked for its first tick.
    pub(crate) is_ready: bool,
}

/// How far into a publisher's outbox the consequences of one envelope reach.
#[derive(Clone, Copy, Debug)]
struct Staged {
    cause_seq: Option<u64>,
    end: usize,
}

/// What a service that asks for a delivery gets.
#[derive(Debug)]
pub(crate) enum Taken<P> {
    /// Envelopes of the present cycle, by their places.
    Delivery(Rc<Cycle>, P),
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
    clock: Clock,
    limits: Limits,
    pub(crate) slots: Vec<Slot>,
    /// Subscribers per topic, one bit each.
    subscribers: [u64; Topic::ALL.len()],
    unheard: [bool; Topic::ALL.len()],
    cycle: Rc<Cycle>,
    latest: Latest,
    /// Staged and delivered but not acknowledged, over all subscribers: the one count.
    in_flight: usize,
    /// The part of `in_flight` that is staged.
    staged: usize,
    /// Publishers with something staged, one bit each.
    staging: u64,
    /// Services with deliveries in the present cycle that they have not taken, one bit each.
    waiting: u64,
    seq: u64,
    seq_topic: [u64; Topic::ALL.len()],
    pub(crate) tick: u64,
    pub(crate) is_closing: bool,
    events_in_tick: usize,
    cycles_in_tick: usize,
    trail: Trail,
    poison: Option<EngineError>,
    pub(crate) outcome: Option<Rc<RunOutcome>>,
    progress: Arc<Progress>,
}

impl State {
    pub(crate) fn new(clock: Clock, limits: Limits, progress: Arc<Progress>) -> Self {
        Self {
            clock,
            limits,
            slots: Vec::new(),
            subscribers: [0; Topic::ALL.len()],
            unheard: [false; Topic::ALL.len()],
            cycle: Rc::default(),
            latest: Latest::new(),
            in_flight: 0,
            staged: 0,
            staging: 0,
            waiting: 0,
            seq: 0,
            seq_topic: [0; Topic::ALL.len()],
            tick: 0,
            is_closing: false,
            events_in_tick: 0,
            cycles_in_tick: 0,
            trail: Trail::default(),
            poison: None,
            outcome: None,
            progress,
        }
    }

    /// Adds a publisher; slots are added in rank order, the engine first.
    pub(crate) fn add_slot(&mut self, name: &str, rank: Rank, topics: &[Topic]) -> usize {
        let slot = self.slots.len();
        assert!(slot < 64, "a bus has at most 63 services");
        for topic in topics {
            self.subscribers[topic.index()] |= 1 << slot;
        }
        let allowed = rank.role.may_publish();
        self.slots.push(Slot {
            name: name.into(),
            role: rank.role,
            may_publish: allowed.iter().fold(0, |bits, topic| bits | 1 << topic.index()),
            pending: Vec::new(),
            taken: 0,
            lent: 0,
            in_hand: 0,
            outbox: OutboxItems::default(),
            staged: Vec::new(),
            staged_end: 0,
            entered: 0,
            closed: 0,
            is_ready: false,
        });
        slot
    }

    pub(crate) const fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(crate) const fn events(&self) -> u64 {
        self.seq
    }

    /// Asked after every poll, so it looks before it moves an error around.
    pub(crate) fn take_poison(&mut self) -> Option<EngineError> {
        if self.poison.is_some() { self.poison.take() } else { None }
    }

    pub(crate) fn poison(&mut self, error: EngineError) {
        // The first error is the one that counts.
        self.poison.get_or_insert(error);
    }

    /// Keeps the last envelope of `topics` for services that look them up.
    pub(crate) fn keep_latest(&mut self, topics: &[Topic]) {
        self.latest.keep(topics);
    }

    pub(crate) fn latest(&self, topic: Topic) -> Option<&Envelope> {
        self.latest.find(topic, &self.cycle)
    }

    /// Opens the next tick at the clock's time.
    pub(crate) fn open_tick(&mut self) {
        self.tick += 1;
        self.events_in_tick = 0;
        self.cycles_in_tick = 0;
        self.trail.clear();
        self.progress.tick();
    }

    /// Stages what a publisher has added to its outbox, counted once per matched subscriber.
    ///
    /// A payload that nobody hears still counts once, until its cycle is committed: it gets its
    /// number like every other.
    #[inline]
    fn stage(&mut self, slot: usize, cause_seq: Option<u64>) {
        let publisher = &mut self.slots[slot];
        let outbox = publisher.outbox.borrow();
        let end = outbox.len();
        if end == publisher.staged_end {
            return;
        }
        let mut count = 0;
        let mut refused = None;
        for payload in &outbox[publisher.staged_end..] {
            let topic = payload.topic();
            if publisher.may_publish & (1 << topic.index()) == 0 {
                refused = Some(topic);
            }
            count += (self.subscribers[topic.index()].count_ones() as usize).max(1);
        }
        self.events_in_tick += end - publisher.staged_end;
        publisher.staged.push(Staged { cause_seq, end });
        publisher.staged_end = end;
        drop(outbox);
        self.staging |= 1 << slot;
        self.in_flight += count;
        self.staged += count;
        if let Some(topic) = refused {
            self.not_allowed(slot, topic);
        }
        if self.events_in_tick > self.limits.max_events_per_tick {
            self.poison_endless_cascade();
        }
    }

    #[cold]
    fn not_allowed(&mut self, slot: usize, topic: Topic) {
        let service = self.slots[slot].name.clone();
        self.poison(EngineError::NotAllowed { service, topic });
    }

    pub(crate) fn publish(&mut self, slot: usize, payload: Payload) {
        self.slots[slot].outbox.borrow_mut().push(payload);
        self.stage(slot, None);
    }

    /// Closes a service's present tick and enters the next, if there is one.
    #[inline]
    pub(crate) fn enter_tick(&mut self, slot: usize) -> Poll<Option<UtcMillis>> {
        let service = &mut self.slots[slot];
        service.is_ready = true;
        // Asking for the next tick closes the present one.
        service.closed = service.entered;
        if self.outcome.is_some() {
            return Poll::Ready(None);
        }
        if service.entered == self.tick {
            return Poll::Pending;
        }
        service.entered = self.tick;
        Poll::Ready(Some(self.clock.now()))
    }

    /// The next delivery of a service, if it has one in the present cycle.
    #[inline]
    pub(crate) fn take(&mut self, slot: usize) -> Taken<u32> {
        let service = &mut self.slots[slot];
        if self.waiting & (1 << slot) == 0 || service.lent > 0 {
            return self.nothing_to_take(slot);
        }
        let place = service.pending[service.taken];
        service.taken += 1;
        service.lent = 1;
        service.in_hand = place as usize;
        if service.taken == service.pending.len() {
            self.waiting &= !(1 << slot);
        }
        let envelope = &self.cycle.envelopes[place as usize];
        self.progress.delivered(slot, envelope.seq, envelope.topic());
        Taken::Delivery(Rc::clone(&self.cycle), place)
    }

    /// All deliveries of a service in the present cycle at once.
    #[inline]
    pub(crate) fn take_cycle(&mut self, slot: usize) -> Taken<Vec<u32>> {
        let service = &mut self.slots[slot];
        if self.waiting & (1 << slot) == 0 || service.lent > 0 {
            return self.nothing_to_take(slot);
        }
        let mut places = std::mem::take(&mut service.pending);
        places.drain(..std::mem::take(&mut service.taken));
        service.lent = places.len();
        service.in_hand = places[0] as usize;
        self.waiting &= !(1 << slot);
        let envelope = &self.cycle.envelopes[places[0] as usize];
        self.progress.delivered(slot, envelope.seq, envelope.topic());
        Taken::Delivery(Rc::clone(&self.cycle), places)
    }

    fn nothing_to_take<P>(&mut self, slot: usize) -> Taken<P> {
        if self.holds_delivery(slot) {
            self.forgotten(slot);
            return Taken::NothingYet;
        }
        if self.is_closing { Taken::TickIsClosing } else { Taken::NothingYet }
    }

    /// A service that asks for a delivery while it holds one has forgotten that one.
    #[cold]
    fn forgotten(&mut self, slot: usize) {
        let (service, topic, seq) = self.in_hand(slot);
        self.poison(EngineError::DeliveryForgotten { service, topic, seq });
    }

    /// Name of a service and the first envelope that it holds or could take.
    pub(crate) fn in_hand(&self, slot: usize) -> (Box<str>, Topic, u64) {
        let service = &self.slots[slot];
        let place = match service.lent {
            0 => service.pending[service.taken] as usize,
            _ => service.in_hand,
        };
        let envelope = &self.cycle.envelopes[place];
        (service.name.clone(), envelope.topic(), envelope.seq)
    }

    /// Whether deliveries of this cycle remain for a service.
    pub(crate) fn has_more(&self, slot: usize) -> bool {
        let service = &self.slots[slot];
        service.taken < service.pending.len()
    }

    pub(crate) fn holds_delivery(&self, slot: usize) -> bool {
        self.slots[slot].lent > 0
    }

    /// Publishes what the handler left in its outbox, then releases its delivery.
    #[inline]
    pub(crate) fn ack(&mut self, slot: usize, cause_seq: u64) {
        self.stage(slot, Some(cause_seq));
        let service = &mut self.slots[slot];
        self.in_flight -= service.lent;
        service.lent = 0;
        self.progress.released(slot);
    }

    /// Gives back the list that a cycle delivery took, so that its memory is used again.
    pub(crate) fn give_back(&mut self, slot: usize, mut places: Vec<u32>) {
        places.clear();
        let service = &mut self.slots[slot];
        if service.pending.is_empty() {
            service.pending = places;
        }
    }

    /// The delivery in a service's hand was dropped instead of acknowledged.
    pub(crate) fn dropped(&mut self, slot: usize, topic: Topic, seq: u64) {
        let service = self.slots[slot].name.clone();
        self.poison(EngineError::DeliveryDropped { service, topic, seq });
    }

    pub(crate) const fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Whether a service has closed the present tick, or there has been none.
    pub(crate) fn has_closed(&self, slot: usize) -> bool {
        self.slots[slot].closed == self.tick
    }

    /// A handler has published as much as a whole tick may hold and goes on.
    #[cold]
    pub(crate) fn endless(&mut self, slot: usize, topic: Topic) {
        let path = format!("{} by `{}` without end", topic.name(), self.slots[slot].name);
        self.poison_loop(path);
    }

    /// A service has published something that no envelope caused.
    #[cold]
    pub(crate) fn published_outside(&mut self, slot: usize, topic: Topic) {
        let service = self.slots[slot].name.clone();
        self.poison(EngineError::PublishedOutside { service, topic });
    }

    /// Services that hold a delivery, one bit each.
    pub(crate) fn holding(&self) -> u64 {
        let holds = |(slot, service): (usize, &Slot)| u64::from(service.lent > 0) << slot;
        self.slots.iter().enumerate().map(holds).fold(0, |bits, bit| bits | bit)
    }

    /// Goes on to the next cycle, once every delivery of the present one is done.
    pub(crate) fn step(&mut self) -> Step {
        if self.in_flight > self.staged {
            return Step::Blocked;
        }
        if self.staged == 0 {
            return Step::Idle;
        }
        if self.cycles_in_tick == self.limits.max_cycles_per_tick {
            self.poison_endless_cascade();
            return Step::Blocked;
        }
        self.cycles_in_tick += 1;
        self.commit();
        Step::Committed
    }

    /// Puts what is staged in canonical order, numbers it, and delivers it.
    fn commit(&mut self) {
        self.retire_cycle();
        let mut staging = std::mem::take(&mut self.staging);
        while staging != 0 {
            let slot = staging.trailing_zeros() as usize;
            staging &= staging - 1;
            self.commit_outbox(slot);
        }
        if self.cycles_in_tick > self.limits.max_cycles_per_tick / 2
            || self.events_in_tick > self.limits.max_events_per_tick / 8
        {
            // Near a limit: the last cycles are enough to name a loop.
            for envelope in &self.cycle.envelopes {
                self.trail.record(envelope);
            }
        }
        self.staged = 0;
    }

    /// Moves what a publisher has staged into the cycle; what is not acknowledged stays.
    fn commit_outbox(&mut self, slot: usize) {
        let publisher = &mut self.slots[slot];
        if let [Staged { cause_seq, end: 1 }] = *publisher.staged {
            // One consequence of one envelope: nearly every cycle of nearly every tick.
            let payload = publisher.outbox.borrow_mut().pop();
            publisher.staged.clear();
            publisher.staged_end = 0;
            return self.deliver(slot, cause_seq, payload.expect("what is staged is there"));
        }
        let outbox = Rc::clone(&publisher.outbox);
        let mut staged = std::mem::take(&mut publisher.staged);
        let end = std::mem::take(&mut publisher.staged_end);
        let mut outbox = outbox.borrow_mut();
        let mut payloads = outbox.drain(..end);
        let mut start = 0;
        for part in &staged {
            for payload in payloads.by_ref().take(part.end - start) {
                self.deliver(slot, part.cause_seq, payload);
            }
            start = part.end;
        }
        staged.clear();
        self.slots[slot].staged = staged;
    }

    /// Empties the buffer of the cycle that is over; takes a new one if somebody still holds it.
    fn retire_cycle(&mut self) {
        if let Some(past) = Rc::get_mut(&mut self.cycle) {
            self.latest.retire(past);
        } else {
            let mut past = Cycle { envelopes: self.cycle.envelopes.clone() };
            self.latest.retire(&mut past);
            self.cycle = Rc::default();
        }
    }

    /// Numbers one staged payload and hands it to its subscribers.
    #[inline]
    fn deliver(&mut self, slot: usize, cause_seq: Option<u64>, payload: Payload) {
        let topic = payload.topic();
        let mut subscribers = self.subscribers[topic.index()];
        self.seq += 1;
        self.seq_topic[topic.index()] += 1;
        let envelope = Envelope {
            seq: self.seq,
            seq_topic: self.seq_topic[topic.index()],
            ts: self.clock.now(),
            cause_seq,
            #[expect(clippy::cast_possible_truncation, reason = "at most 64 slots")]
            publisher: Publisher(slot as u16),
            payload,
        };
        let envelopes = &mut Rc::get_mut(&mut self.cycle).expect("a retired cycle").envelopes;
        #[expect(clippy::cast_possible_truncation, reason = "a tick has a limit of events")]
        let place = envelopes.len() as u32;
        envelopes.push(envelope);
        if subscribers == 0 {
            self.unheard(topic);
        }
        while subscribers != 0 {
            let slot = subscribers.trailing_zeros() as usize;
            subscribers &= subscribers - 1;
            let service = &mut self.slots[slot];
            if self.waiting & (1 << slot) == 0 {
                // First delivery of this cycle: what the last one left is done with.
                service.pending.clear();
                service.taken = 0;
                self.waiting |= 1 << slot;
            }
            service.pending.push(place);
        }
    }

    /// Nobody hears this topic: the envelope has its number, and its count is released.
    #[cold]
    #[inline(never)]
    fn unheard(&mut self, topic: Topic) {
        self.in_flight -= 1;
        if !std::mem::replace(&mut self.unheard[topic.index()], true) {
            tracing::debug!(topic = topic.name(), "nobody is subscribed to this topic");
        }
    }

    #[cold]
    #[inline(never)]
    fn poison_endless_cascade(&mut self) {
        let path = self.trail.describe(|publisher| self.name_of(publisher));
        self.poison_loop(path);
    }

    fn poison_loop(&mut self, path: String) {
        let error = EngineError::Loop {
            ts: self.clock.now(),
            events: self.events_in_tick,
            cycles: self.cycles_in_tick,
            path,
        };
        self.poison(error);
    }

    fn name_of(&self, publisher: Publisher) -> String {
        self.slots[usize::from(publisher.0)].name.to_string()
    }

    /// Withdraws all deliveries but those of the audit, which alone hears what comes now.
    pub(crate) fn silence_all_but_audit(&mut self) {
        let mut audit = 0;
        for (slot, service) in self.slots.iter().enumerate() {
            if service.role == Role::Audit {
                audit |= 1 << slot;
            }
        }
        self.subscribers.iter_mut().for_each(|subscribers| *subscribers &= audit);
        self.waiting &= audit;
    }

    /// Commits everything that a failure left behind: what was staged and what lay in the outboxes.
    pub(crate) fn commit_evidence(&mut self) {
        for slot in 0..self.slots.len() {
            let cause_seq = self.holds_delivery(slot).then(|| self.in_hand(slot).2);
            self.stage(slot, cause_seq);
            let service = &mut self.slots[slot];
            service.pending.clear();
            service.taken = 0;
            service.lent = 0;
        }
        self.recount();
        self.commit();
        self.poison = None;
    }

    /// Counts what is staged anew, for the subscribers that are left.
    fn recount(&mut self) {
        let hearers = |payload: &Payload| {
            (self.subscribers[payload.topic().index()].count_ones() as usize).max(1)
        };
        let of_slot = |slot: &Slot| slot.outbox.borrow().iter().map(hearers).sum::<usize>();
        self.in_flight = self.slots.iter().map(of_slot).sum();
        self.staged = self.in_flight;
    }

    /// Publishes the engine's last word on a failure.
    pub(crate) fn commit_last_word(&mut self, payload: Payload) {
        self.publish(0, payload);
        self.commit();
    }
}
