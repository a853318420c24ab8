//! What has been committed: the present cycle, and what is remembered of past ones.

use std::rc::Rc;

use model::event::{Envelope, Topic};
use model::time::UtcMillis;

use crate::cycle::{Cycle, Latest, Trail};
use crate::lane::Topics;

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
    pub(crate) fn next_cycle(&mut self) -> &mut Cycle {
        let cycle = Rc::make_mut(&mut self.cycle);
        self.latest.retire(cycle);
        cycle
    }

    /// Numbers the envelopes of the present cycle, in order; `deliver` hands one of a topic to those
    /// who hear it, and says whether there are any.
    #[inline]
    pub(crate) fn number(&mut self, ts: UtcMillis, deliver: impl Fn(Topic) -> bool) {
        let cycle = Rc::get_mut(&mut self.cycle).expect("nobody holds a cycle that has no numbers");
        for envelope in &mut cycle.envelopes {
            let topic = envelope.topic();
            self.seq += 1;
            let seq_topic = &mut self.seq_topic[topic.index()];
            *seq_topic += 1;
            (envelope.seq, envelope.seq_topic, envelope.ts) = (self.seq, *seq_topic, ts);
            cycle.topics.insert(topic);
            if !deliver(topic) {
                warn_unheard(&mut self.unheard, topic);
            }
        }
    }

    /// Remembers who caused what in the present cycle.
    #[cold]
    pub(crate) fn record_trail(&mut self) {
        self.cycle.envelopes.iter().for_each(|envelope| self.trail.record(envelope));
    }
}

#[cold]
fn warn_unheard(unheard: &mut Topics, topic: Topic) {
    if !unheard.has(topic) {
        unheard.insert(topic);
        tracing::debug!(topic = topic.name(), "nobody is subscribed to this topic");
    }
}
