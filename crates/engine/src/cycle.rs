//! One delta cycle: the envelopes that are delivered together, and the memory of past ones.

use model::event::{Envelope, Publisher, Topic};

use crate::lane::Topics;

/// The envelopes of the present cycle, in canonical order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cycle {
    pub(crate) envelopes: Vec<Envelope>,
    /// The topics among them.
    pub(crate) topics: Topics,
}

impl Cycle {
    /// Appends the first `count` envelopes of an outbox; the others stay in it.
    #[inline]
    pub(crate) fn take(&mut self, outbox: &mut Vec<Envelope>, count: usize) {
        if self.envelopes.is_empty() && count == outbox.len() {
            // Nearly every cycle is all of one outbox: nothing is moved.
            std::mem::swap(&mut self.envelopes, outbox);
        } else {
            self.envelopes.extend(outbox.drain(..count));
        }
    }

    /// Place of the first envelope from `start` on whose topic is one of `topics`.
    #[inline]
    pub(crate) fn find(&self, topics: Topics, start: usize) -> Option<usize> {
        if self.topics.is_within(topics) {
            return (start < self.envelopes.len()).then_some(start);
        }
        let rest = self.envelopes.get(start..)?;
        Some(start + rest.iter().position(|envelope| topics.has(envelope.topic()))?)
    }

    /// How many there are from `start` on, which is one of them, and the number of the last.
    #[inline]
    pub(crate) fn extent(&self, topics: Topics, start: usize) -> (usize, u64) {
        if self.topics.is_within(topics)
            && let Some(last) = self.envelopes.last()
        {
            return (self.envelopes.len() - start, last.seq);
        }
        self.heard(topics, start).fold((0, 0), |(count, _), envelope| (count + 1, envelope.seq))
    }

    /// The envelopes from `start` on whose topic is one of `topics`.
    #[inline]
    pub(crate) fn heard(&self, topics: Topics, start: usize) -> impl Iterator<Item = &Envelope> {
        self.envelopes[start..].iter().filter(move |envelope| topics.has(envelope.topic()))
    }
}

/// The last committed envelope of every topic that some service looks up.
///
/// Those of the present cycle stay where they are and are only moved here when the cycle is over, so
/// keeping them costs no copy.
#[derive(Debug)]
pub(crate) struct Latest {
    past: [Option<Envelope>; Topic::ALL.len()],
    /// Topics that are looked up.
    kept: Topics,
}

impl Latest {
    pub(crate) fn new() -> Self {
        Self { past: [const { None }; Topic::ALL.len()], kept: Topics::default() }
    }

    /// Keeps `topics` from now on.
    pub(crate) fn keep(&mut self, topics: &[Topic]) {
        for topic in topics {
            self.kept.insert(*topic);
        }
    }

    /// Ends the present cycle: keeps the last envelope of each topic and drops the others.
    #[inline]
    pub(crate) fn retire(&mut self, cycle: &mut Cycle) {
        if cycle.topics.meets(self.kept) {
            self.keep_last(cycle);
        }
        cycle.envelopes.clear();
        cycle.topics = Topics::default();
    }

    fn keep_last(&mut self, cycle: &mut Cycle) {
        let mut wanted = self.kept;
        // From the last one backwards, the first of a topic is its latest.
        while !wanted.is_empty()
            && let Some(envelope) = cycle.envelopes.pop()
        {
            let topic = envelope.topic();
            if wanted.has(topic) {
                wanted.remove(topic);
                self.past[topic.index()] = Some(envelope);
            }
        }
    }

    /// The last committed envelope of `topic`.
    ///
    /// # Panics
    ///
    /// If no service said that it looks this topic up.
    pub(crate) fn find<'a>(&'a self, topic: Topic, cycle: &'a Cycle) -> Option<&'a Envelope> {
        assert!(self.kept.has(topic), "no service says that it looks up `{}`", topic.name());
        let present = cycle.envelopes.iter().rev().find(|envelope| envelope.topic() == topic);
        present.or(self.past[topic.index()].as_ref())
    }
}

/// Who caused what in the last cycles before a limit, to name the loop.
///
/// Numbers are without gaps, so a step is found by its distance from the first.
#[derive(Debug, Default)]
pub(crate) struct Trail(Vec<Step>);

#[derive(Clone, Copy, Debug)]
struct Step {
    seq: u64,
    cause_seq: Option<u64>,
    topic: Topic,
    publisher: Publisher,
}

impl Trail {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn record(&mut self, envelope: &Envelope) {
        self.0.push(Step {
            seq: envelope.seq,
            cause_seq: envelope.cause_seq,
            topic: envelope.topic(),
            publisher: envelope.publisher,
        });
    }

    /// The hops between two envelopes of the same topic and publisher of which one caused the other,
    /// oldest first: `custom by ping → custom by pong → custom by ping`.
    ///
    /// What the loop causes aside is left out: the way leads back from the last envelope, and the
    /// first topic and publisher that come again are in the loop.
    pub(crate) fn describe(&self, name: impl Fn(Publisher) -> String) -> String {
        let Some(last) = self.0.last() else { return "no event was delivered".to_owned() };
        let mut hops = vec![*last];
        while let Some(cause) = hops.last().and_then(|step| self.find(step.cause_seq?)) {
            let is_same = |hop: &Step| (hop.topic, hop.publisher) == (cause.topic, cause.publisher);
            let again = hops.iter().position(is_same);
            hops.push(cause);
            if let Some(start) = again {
                hops.drain(..start);
                break;
            }
        }
        let hop_text = |hop: &Step| format!("{} by `{}`", hop.topic.name(), name(hop.publisher));
        let texts: Vec<String> = hops.iter().rev().map(hop_text).collect();
        texts.join(" → ")
    }

    fn find(&self, seq: u64) -> Option<Step> {
        let distance = seq.checked_sub(self.0.first()?.seq)?;
        self.0.get(usize::try_from(distance).ok()?).copied()
    }
}
