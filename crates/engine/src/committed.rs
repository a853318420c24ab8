//! What has been committed: the present cycle, and what is remembered of past ones.

use std::rc::Rc;

use model::event::{Envelope, Publisher, Topic};
use model::time::UtcMillis;

use crate::cycle::{Cycle, Latest, Trail};
use crate::lane::{Said, Topics};

/// Envelopes with their numbers.
#[derive(Debug)]
pub(crate) struct Committed {
    cycle: Rc<Cycle>,
    latest: Latest,
    seq: u64,
    seq_topic: [u64; Topic::ALL.len()],
    unheard: Topics,
    pub(crate) trail: Trail,
}

impl Committed {
    pub(crate) fn new(latest: Latest) -> Self {
        Self {
            cycle: Rc::default(),
            latest,
            seq: 0,
            seq_topic: [0; Topic::ALL.len()],
            unheard: Topics::default(),
            trail: Trail::default(),
        }
    }

    /// The present cycle.
    pub(crate) const fn cycle(&self) -> &Rc<Cycle> {
        &self.cycle
    }

    /// The last number that was given.
    pub(crate) const fn seq(&self) -> u64 {
        self.seq
    }

    /// The last committed envelope of `topic`.
    pub(crate) fn latest(&self, topic: Topic) -> Option<&Envelope> {
        self.latest.find(topic, &self.cycle)
    }

    /// Ends the present cycle and begins the next one, in the same buffer unless somebody still holds
    /// it.
    #[inline]
    pub(crate) fn next_cycle(&mut self) -> Page<'_> {
        let Self { cycle, latest, seq, seq_topic, unheard, .. } = self;
        let cycle = Rc::make_mut(cycle);
        latest.retire(cycle);
        Page { cycle, seq, seq_topic, unheard }
    }

    /// Remembers who caused what in the present cycle.
    #[cold]
    pub(crate) fn record_trail(&mut self) {
        self.cycle.envelopes.iter().for_each(|envelope| self.trail.record(envelope));
    }
}

/// The cycle that is being committed.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) cycle: &'a mut Cycle,
    seq: &'a mut u64,
    seq_topic: &'a mut [u64; Topic::ALL.len()],
    unheard: &'a mut Topics,
}

impl Page<'_> {
    /// Numbers a payload and puts it into the cycle.
    #[inline]
    pub(crate) fn append(&mut self, publisher: Publisher, ts: UtcMillis, said: Said) {
        let Said { cause_seq, payload } = said;
        *self.seq += 1;
        let topic = payload.topic();
        let seq_topic = &mut self.seq_topic[topic.index()];
        *seq_topic += 1;
        let (seq, seq_topic) = (*self.seq, *seq_topic);
        let cycle = &mut *self.cycle;
        cycle.topics.insert(topic);
        // Made where it stays, once there is room: `push` makes it on the stack, and copying it from
        // there waits for every store of it.
        let mut payload = Some(payload);
        cycle.envelopes.resize_with(cycle.envelopes.len() + 1, || {
            let payload = payload.take().expect("one envelope is made");
            Envelope { seq, seq_topic, ts, cause_seq, publisher, payload }
        });
    }

    #[cold]
    pub(crate) fn warn_unheard(&mut self, topic: Topic) {
        if !self.unheard.has(topic) {
            self.unheard.insert(topic);
            tracing::debug!(topic = topic.name(), "nobody is subscribed to this topic");
        }
    }
}
