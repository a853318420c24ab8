//! The state of the bus: what is staged, what is delivered, and the one count over both.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use model::event::{Envelope, Payload, Publisher, Topic};

use crate::bus::Limits;
use crate::clock::Clock;
use crate::cycle::{Cycle, Latest, Trail};
use crate::error::EngineError;
use crate::rank::{Rank, Role};
use crate::service::RunOutcome;
use crate::watchdog::Progress;

/// Shared by the bus, the inboxes and the outboxes of one run.
pub(crate) type Shared = Rc<RefCell<State>>;

/// What a handler has put into its outbox; owned by the bus, so a panic loses nothing.
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
    pub(crate) outbox: OutboxItems,
    staged: Vec<Staged>,
    /// The tick that it has entered, and the tick that it has closed.
    pub(crate) entered: u64,
    pub(crate) closed: u64,
    /// Whether it has asked for its first tick.
    pub(crate) is_ready: bool,
}

#[derive(Debug)]
struct Staged {
    cause_seq: Option<u64>,
    payload: Payload,
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
            outbox: OutboxItems::default(),
            staged: Vec::new(),
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

    pub(crate) fn now(&self) -> model::time::UtcMillis {
        self.clock.now()
    }

    pub(crate) fn take_poison(&mut self) -> Option<EngineError> {
        self.poison.take()
    }

    pub(crate) fn poison(&mut self, error: EngineError) {
        // The first error is the one that counts.
        self.poison.get_or_insert(error);
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

    /// Stages one payload of the engine or of a handler, counted once per matched subscriber.
    ///
    /// A payload that nobody hears still counts once, until its cycle is committed: it gets its
    /// number like every other.
    fn stage(&mut self, slot: usize, cause_seq: Option<u64>, payload: Payload) {
        let topic = payload.topic();
        let publisher = &mut self.slots[slot];
        if publisher.may_publish & (1 << topic.index()) == 0 {
            let service = publisher.name.clone();
            self.poison(EngineError::NotAllowed { service, topic });
            return;
        }
        publisher.staged.push(Staged { cause_seq, payload });
        let count = self.deliveries_of(topic);
        self.in_flight += count;
        self.staged += count;
        self.events_in_tick += 1;
    }

    fn deliveries_of(&self, topic: Topic) -> usize {
        (self.subscribers[topic.index()].count_ones() as usize).max(1)
    }

    pub(crate) fn publish(&mut self, slot: usize, payload: Payload) {
        self.stage(slot, None, payload);
    }

    /// The next delivery of a service, if it has one in the present cycle.
    pub(crate) fn take(&mut self, slot: usize) -> Option<(Rc<Cycle>, u32)> {
        if self.refuses_second_loan(slot) {
            return None;
        }
        let service = &mut self.slots[slot];
        let place = *service.pending.get(service.taken)?;
        service.taken += 1;
        service.lent = 1;
        if service.taken == service.pending.len() {
            self.waiting &= !(1 << slot);
        }
        let envelope = &self.cycle.envelopes[place as usize];
        self.progress.delivered(slot, envelope.seq, envelope.topic());
        Some((Rc::clone(&self.cycle), place))
    }

    /// All deliveries of a service in the present cycle at once.
    pub(crate) fn take_cycle(&mut self, slot: usize) -> Option<(Rc<Cycle>, Vec<u32>)> {
        if self.refuses_second_loan(slot) {
            return None;
        }
        let service = &mut self.slots[slot];
        if service.pending.is_empty() {
            return None;
        }
        let places = std::mem::take(&mut service.pending);
        service.lent = places.len();
        self.waiting &= !(1 << slot);
        let envelope = &self.cycle.envelopes[places[0] as usize];
        self.progress.delivered(slot, envelope.seq, envelope.topic());
        Some((Rc::clone(&self.cycle), places))
    }

    /// Whether a service that asks for a delivery still holds one; it has forgotten it then.
    fn refuses_second_loan(&mut self, slot: usize) -> bool {
        if self.slots[slot].lent == 0 {
            return false;
        }
        let (service, topic, seq) = self.in_hand(slot);
        self.poison(EngineError::DeliveryForgotten { service, topic, seq });
        true
    }

    /// Name of a service and the envelope that it holds (the last of those that it took).
    pub(crate) fn in_hand(&self, slot: usize) -> (Box<str>, Topic, u64) {
        let service = &self.slots[slot];
        let place = match service.taken {
            0 => 0,
            taken => service.pending.get(taken - 1).map_or(0, |place| *place as usize),
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
    pub(crate) fn ack(&mut self, slot: usize, cause_seq: u64) {
        let outbox = Rc::clone(&self.slots[slot].outbox);
        for payload in outbox.borrow_mut().drain(..) {
            self.stage(slot, Some(cause_seq), payload);
        }
        let service = &mut self.slots[slot];
        self.in_flight -= service.lent;
        service.lent = 0;
        self.progress.released(slot);
        if self.events_in_tick > self.limits.max_events_per_tick {
            self.poison_loop();
        }
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
        self.cycles_in_tick += 1;
        if self.cycles_in_tick > self.limits.max_cycles_per_tick {
            self.poison_loop();
            return Step::Blocked;
        }
        self.commit();
        Step::Committed
    }

    /// Puts what is staged in canonical order, numbers it, and delivers it.
    fn commit(&mut self) {
        let mut cycle = self.next_cycle();
        let envelopes = &mut Rc::get_mut(&mut cycle).expect("a fresh cycle").envelopes;
        for slot in 0..self.slots.len() {
            if self.slots[slot].staged.is_empty() {
                continue;
            }
            let mut staged = std::mem::take(&mut self.slots[slot].staged);
            for item in staged.drain(..) {
                let envelope = self.number(slot, item);
                self.deliver(&envelope, envelopes.len());
                envelopes.push(envelope);
            }
            self.slots[slot].staged = staged;
        }
        if self.cycles_in_tick > self.limits.max_cycles_per_tick / 2 {
            for envelope in envelopes.iter() {
                self.trail.record(envelope);
            }
        }
        self.cycle = cycle;
        self.staged = 0;
    }

    /// The buffer of the cycle that is over, emptied; a new one if somebody still holds it.
    fn next_cycle(&mut self) -> Rc<Cycle> {
        let mut cycle = std::mem::take(&mut self.cycle);
        match Rc::get_mut(&mut cycle) {
            Some(past) => {
                self.latest.retire(past);
                cycle
            }
            None => Rc::default(),
        }
    }

    fn number(&mut self, slot: usize, item: Staged) -> Envelope {
        let topic = item.payload.topic().index();
        self.seq += 1;
        self.seq_topic[topic] += 1;
        Envelope {
            seq: self.seq,
            seq_topic: self.seq_topic[topic],
            ts: self.clock.now(),
            cause_seq: item.cause_seq,
            publisher: Publisher(u16::try_from(slot).expect("at most 64 slots")),
            payload: item.payload,
        }
    }

    fn deliver(&mut self, envelope: &Envelope, place: usize) {
        let topic = envelope.topic();
        let place = u32::try_from(place).expect("a cycle is limited");
        self.latest.note(topic, place);
        let mut subscribers = self.subscribers[topic.index()];
        if subscribers == 0 {
            // Nobody hears it: it has its number, and its count is released.
            self.in_flight -= 1;
            if !std::mem::replace(&mut self.unheard[topic.index()], true) {
                tracing::warn!(topic = topic.name(), "nobody is subscribed to this topic");
            }
        }
        while subscribers != 0 {
            let slot = subscribers.trailing_zeros() as usize;
            subscribers &= subscribers - 1;
            let service = &mut self.slots[slot];
            if service.taken > 0 || self.waiting & (1 << slot) == 0 {
                // First delivery of this cycle: what the last one left is done with.
                service.pending.clear();
                service.taken = 0;
                self.waiting |= 1 << slot;
            }
            service.pending.push(place);
        }
    }

    fn poison_loop(&mut self) {
        let path = self.trail.describe(|publisher| self.name_of(publisher));
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
            let outbox = Rc::clone(&self.slots[slot].outbox);
            for payload in outbox.borrow_mut().drain(..) {
                self.slots[slot].staged.push(Staged { cause_seq, payload });
            }
        }
        for service in &mut self.slots {
            service.pending.clear();
            service.taken = 0;
            service.lent = 0;
        }
        let topics: Vec<Topic> = self
            .slots
            .iter()
            .flat_map(|service| service.staged.iter().map(|staged| staged.payload.topic()))
            .collect();
        self.in_flight = topics.into_iter().map(|topic| self.deliveries_of(topic)).sum();
        self.commit();
        self.poison = None;
    }

    /// Publishes the engine's last word on a failure.
    pub(crate) fn commit_last_word(&mut self, payload: Payload) {
        self.stage(0, None, payload);
        self.commit();
    }
}
