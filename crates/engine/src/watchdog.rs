//! The watchdog: says who blocks the barrier; decides and ends nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::event::Topic;

/// What every service has in hand, readable from another thread.
#[derive(Debug)]
pub struct Progress {
    hands: Vec<Arc<Hand>>,
}

impl Progress {
    pub(crate) const fn new(hands: Vec<Arc<Hand>>) -> Self {
        Self { hands }
    }
}

/// What one service has in hand.
#[derive(Debug)]
pub(crate) struct Hand {
    service: Box<str>,
    /// `seq` of the envelope and the place of its topic in one word; 0 for nothing.
    envelope: AtomicU64,
}

impl Hand {
    pub(crate) const fn new(service: Box<str>) -> Self {
        Self { service, envelope: AtomicU64::new(0) }
    }

    #[inline]
    pub(crate) fn takes(&self, seq: u64, topic: Topic) {
        self.envelope.store(seq << 8 | topic.index() as u64, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn releases(&self) {
        self.envelope.store(0, Ordering::Relaxed);
    }

    fn envelope(&self) -> Option<(u64, Topic)> {
        let envelope = self.envelope.load(Ordering::Relaxed);
        let topic = Topic::ALL.into_iter().find(|topic| topic.index() as u64 == envelope & 0xff)?;
        (envelope != 0).then_some((envelope >> 8, topic))
    }
}

/// One envelope that a service has held for too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Who holds it.
    pub service: Box<str>,
    /// What it is about.
    pub topic: Topic,
    /// Which one it is.
    pub seq: u64,
    /// For how long it has been held, at least.
    pub age: Duration,
}

/// A thread that looks at the progress of a run from time to time.
#[derive(Debug)]
pub struct Watchdog {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Watches `progress` and calls `report` once for every envelope held for longer than `patience`.
    ///
    /// # Panics
    ///
    /// If the operating system gives no thread.
    pub fn start(
        progress: Arc<Progress>,
        patience: Duration,
        report: impl Fn(&[Stuck]) + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(move || watch(&progress, patience, &stopped, &report))
            .expect("a thread can be started");
        Self { stop, thread: Some(thread) }
    }

    /// Prints BUS-STUCK as a warning of the structured log.
    pub fn warn(stuck: &[Stuck]) {
        for Stuck { service, topic, seq, age } in stuck {
            tracing::warn!(
                code = "BUS-STUCK",
                service = &**service,
                topic = topic.name(),
                seq,
                age_s = age.as_secs(),
                "a delivery blocks the barrier"
            );
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A watchdog that panicked has nothing more to say.
            drop(thread.join());
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "diagnosis only; no result depends on it")]
fn watch(progress: &Progress, patience: Duration, stop: &AtomicBool, report: &impl Fn(&[Stuck])) {
    let start = Instant::now();
    let mut seen = vec![(None, start, true); progress.hands.len()];
    while !stop.load(Ordering::Relaxed) {
        std::thread::park_timeout(patience / 4);
        let now = Instant::now();
        let mut stuck = Vec::new();
        for (hand, (known, since, is_told)) in progress.hands.iter().zip(&mut seen) {
            let envelope = hand.envelope();
            if envelope != *known {
                (*known, *since, *is_told) = (envelope, now, false);
            }
            let age = now - *since;
            if let Some((seq, topic)) = envelope
                && !*is_told
                && age >= patience
            {
                *is_told = true;
                stuck.push(Stuck { service: hand.service.clone(), topic, seq, age });
            }
        }
        if !stuck.is_empty() {
            report(&stuck);
        }
    }
}
