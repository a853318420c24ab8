//! What the bus keeps for one service: its deliveries, its outbox, and how far it has come.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use model::event::{Envelope, Payload, Publisher, Topic};
use model::time::UtcMillis;

use crate::rank::{Rank, Role};
use crate::watchdog::Hand;

/// A publisher and, but for the engine, a subscriber.
///
/// Everything happens on one thread, so a service changes its own lane without borrowing the bus.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) name: Box<str>,
    pub(crate) role: Role,
    /// Its place in rank order, and the bit of that place.
    pub(crate) slot: usize,
    pub(crate) bit: u64,
    pub(crate) publisher: Publisher,
    /// Topics that it is subscribed to, and those that it may publish.
    pub(crate) hears: Topics,
    pub(crate) may_publish: Topics,
    /// Place in the present cycle at which it looks for its next delivery.
    pub(crate) next: Cell<usize>,
    /// Deliveries on loan, that is taken and not acknowledged, and the place of the first of them.
    pub(crate) lent: Cell<usize>,
    pub(crate) in_hand: Cell<usize>,
    /// Number of the last envelope that it took: the cause of what it publishes.
    pub(crate) cause_seq: Cell<Option<u64>>,
    /// What it publishes. The bus owns it, so a panic loses nothing; it stays here until its cycle is
    /// committed.
    pub(crate) outbox: RefCell<Vec<Envelope>>,
    /// Up to where the outbox is acknowledged and waits for the next cycle.
    pub(crate) staged_end: Cell<usize>,
    /// The tick that it has entered, and the tick that it has closed.
    pub(crate) entered: Cell<u64>,
    pub(crate) closed: Cell<u64>,
    /// Whether it has asked for its first tick.
    pub(crate) is_ready: Cell<bool>,
    /// What the watchdog sees.
    pub(crate) hand: Arc<Hand>,
}

impl Lane {
    pub(crate) fn new(slot: usize, name: Box<str>, rank: Rank, topics: &[Topic]) -> Self {
        assert!(slot < 64, "a bus has at most 63 services");
        Self {
            hand: Arc::new(Hand::new(name.clone())),
            name,
            role: rank.role,
            slot,
            bit: 1 << slot,
            #[expect(clippy::cast_possible_truncation, reason = "at most 64 slots")]
            publisher: Publisher(slot as u16),
            hears: Topics::of(topics),
            may_publish: Topics::of(rank.role.may_publish()),
            next: Cell::new(0),
            lent: Cell::new(0),
            in_hand: Cell::new(0),
            cause_seq: Cell::new(None),
            outbox: RefCell::default(),
            staged_end: Cell::new(0),
            entered: Cell::new(0),
            closed: Cell::new(0),
            is_ready: Cell::new(false),
        }
    }

    #[inline]
    pub(crate) fn holds_delivery(&self) -> bool {
        self.lent.get() > 0
    }

    /// Notes that `count` envelopes are in hand: the first, with its place, and the number of the last.
    #[inline]
    pub(crate) fn takes(&self, first: &Envelope, place: usize, count: usize, last: u64) {
        self.lent.set(count);
        self.in_hand.set(place);
        self.cause_seq.set(Some(last));
        self.hand.takes(first.seq, first.topic());
    }

    /// Puts a message into the outbox, whose cause is what was taken last. Its numbers and its time it
    /// gets when its cycle is committed.
    #[inline]
    pub(crate) fn say(&self, outbox: &mut Vec<Envelope>, payload: Payload) {
        let (cause_seq, publisher) = (self.cause_seq.get(), self.publisher);
        let mut payload = Some(payload);
        // Made where it stays, once there is room: `push` makes it on the stack, and copying it from
        // there waits for every store of it.
        outbox.resize_with(outbox.len() + 1, || {
            let payload = payload.take().expect("one envelope is made");
            Envelope {
                seq: 0,
                seq_topic: 0,
                ts: UtcMillis::default(),
                cause_seq,
                publisher,
                payload,
            }
        });
    }
}

/// A set of topics, one bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Topics(u64);

impl Topics {
    pub(crate) fn of(topics: &[Topic]) -> Self {
        Self(topics.iter().fold(0, |bits, topic| bits | 1 << topic.index()))
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub(crate) const fn has(self, topic: Topic) -> bool {
        self.0 & (1 << topic.index()) != 0
    }

    #[inline]
    pub(crate) const fn insert(&mut self, topic: Topic) {
        self.0 |= 1 << topic.index();
    }

    /// Whether some topic is in both.
    #[inline]
    pub(crate) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether all its topics are in `other`.
    #[inline]
    pub(crate) const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    pub(crate) const fn remove(&mut self, topic: Topic) {
        self.0 &= !(1 << topic.index());
    }
}
