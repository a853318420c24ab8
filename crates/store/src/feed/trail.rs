//! The last closes of a series: by them events are marked that state no mark of their own.

use std::collections::VecDeque;

use model::time::Interval;

/// Closes of bars in order of time, as far back as an event may still ask for them.
#[derive(Clone, Debug)]
pub(super) struct Trail {
    interval: i64,
    closes: VecDeque<(i64, f64)>,
}

impl Trail {
    pub(super) const fn new(interval: Interval) -> Self {
        Self { interval: interval.millis(), closes: VecDeque::new() }
    }

    pub(super) fn push(&mut self, close: i64, px: f64) {
        self.closes.push_back((close, px));
    }

    /// The last close at or before `ts`, unless it is older than one interval.
    pub(super) fn at(&self, ts: i64) -> Option<f64> {
        let last = self.closes.iter().rev().find(|(close, _)| *close <= ts);
        last.filter(|(close, _)| ts - close <= self.interval).map(|(_, px)| *px)
    }

    /// Forgets what no event after `ts` can ask for.
    pub(super) fn forget_until(&mut self, ts: i64) {
        while self.closes.get(1).is_some_and(|(close, _)| *close <= ts) {
            self.closes.pop_front();
        }
    }
}
