//! The watchdog: says who blocks the barrier; decides and ends nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::event::Topic;

/// What every service has in hand, readable from another thread.
#[derive(Debug)]
pub struct Progress {
    tick: AtomicU64,
    hands: Vec<Hand>,
}

#[derive(Debug)]
struct Hand {
    service: Box<str>,
    /// `seq` of the envelope in hand, 0 for none.
    seq: AtomicU64,
    topic: AtomicU8,
}

impl Progress {
    pub(crate) fn new(services: impl IntoIterator<Item = Box<str>>) -> Self {
        let hand = |service| Hand { service, seq: AtomicU64::new(0), topic: AtomicU8::new(0) };
        Self { tick: AtomicU64::new(0), hands: services.into_iter().map(hand).collect() }
    }

    pub(crate) fn tick(&self) {
        // The engine is the only writer, so a load and a store are enough.
        self.tick.store(self.tick.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(crate) fn delivered(&self, slot: usize, seq: u64, topic: Topic) {
        let hand = &self.hands[slot];
        hand.seq.store(seq, Ordering::Relaxed);
        hand.topic.store(u8::try_from(topic.index()).unwrap_or(u8::MAX), Ordering::Relaxed);
    }

    pub(crate) fn released(&self, slot: usize) {
        self.hands[slot].seq.store(0, Ordering::Relaxed);
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
    let mut seen: Vec<(u64, Instant, bool)> = vec![(0, Instant::now(), true); progress.hands.len()];
    while !stop.load(Ordering::Relaxed) {
        std::thread::park_timeout(patience / 4);
        let now = Instant::now();
        let mut stuck = Vec::new();
        for (hand, (seq, since, told)) in progress.hands.iter().zip(&mut seen) {
            let current = hand.seq.load(Ordering::Relaxed);
            if current != *seq {
                (*seq, *since, *told) = (current, now, current == 0);
            }
            let age = now - *since;
            if !*told && age >= patience {
                *told = true;
                let topic = Topic::ALL[usize::from(hand.topic.load(Ordering::Relaxed))];
                stuck.push(Stuck { service: hand.service.clone(), topic, seq: current, age });
            }
        }
        if !stuck.is_empty() {
            report(&stuck);
        }
    }
}
