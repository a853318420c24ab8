//! The event bus: delta cycles and the barrier.
//!
//! What services publish during a cycle is staged. When every delivery of the cycle is done, it is
//! put in canonical order, numbered and delivered in the next cycle, so the outcome cannot depend on
//! the order in which services were polled. Idle is one count: staged plus delivered but not
//! acknowledged, over all subscribers.

use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;

use model::event::{Payload, Topic};
use rand_chacha::ChaCha8Rng;

use crate::clock::Clock;
use crate::cycle::Latest;
use crate::delivery::Inbox;
use crate::error::EngineError;
use crate::lane::Lane;
use crate::random::RandomTree;
use crate::rank::{Rank, Role};
use crate::run::RunReport;
use crate::service::{
    BacktestService, Launch, RunOutcome, RunStatus, ServiceFuture, ServiceReport,
};
use crate::state::{Shared, State};
use crate::wake::{ServiceWaker, Wakes};
use crate::watchdog::Progress;

/// Counts that end a run which does not come to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Envelopes per tick.
    pub max_events_per_tick: usize,
    /// Delta cycles per tick.
    pub max_cycles_per_tick: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_events_per_tick: 100_000, max_cycles_per_tick: 1_000 }
    }
}

/// In which order the drain polls services that have something to do.
///
/// No order changes a result; the random one is there to prove it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// By rank.
    #[default]
    Rank,
    /// Shuffled anew for every cycle, from a seed.
    Shuffled(u64),
}

/// Services that will be on a bus; the order of subscription has no effect.
#[derive(Default)]
pub struct Subscriptions(Vec<Subscription>);

struct Subscription {
    rank: Rank,
    name: Box<str>,
    topics: &'static [Topic],
    looks_up: &'static [Topic],
    closes_ticks: bool,
    launch: Launch,
}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.0.iter().map(|one| (&one.name, one.rank))).finish()
    }
}

impl Subscriptions {
    /// Adds a service at its rank.
    ///
    /// # Panics
    ///
    /// If the rank is taken.
    pub fn subscribe<S: BacktestService + 'static>(&mut self, rank: Rank, service: S) {
        assert!(self.0.iter().all(|other| other.rank != rank), "rank {rank:?} is taken twice");
        self.0.push(Subscription {
            rank,
            name: service.name().into(),
            topics: service.topics(),
            looks_up: service.looks_up(),
            closes_ticks: S::CLOSES_TICKS,
            launch: Box::new(move |inbox| Box::pin(service.run(inbox))),
        });
    }

    /// Puts all services on a bus.
    pub fn connect(mut self, clock: Clock, limits: Limits, schedule: Schedule) -> EventBus {
        self.0.sort_by_key(|subscription| subscription.rank);
        let mut latest = Latest::new();
        let engine = Lane::new(0, "engine".into(), Rank::first(Role::Engine), &[]);
        let mut lanes = vec![Rc::new(engine)];
        for Subscription { rank, name, topics, looks_up, .. } in &self.0 {
            lanes.push(Rc::new(Lane::new(lanes.len(), name.clone(), *rank, topics)));
            latest.keep(looks_up);
        }
        let hands = lanes.iter().map(|lane| Arc::clone(&lane.hand)).collect();
        let state = Rc::new(State::new(clock, limits, lanes.into(), latest));
        let wakes = Arc::new(Wakes::default());
        let mut tasks = vec![Task { future: None, waker: ServiceWaker::new(0, &wakes) }];
        let mut closers = Vec::new();
        for (lane, subscription) in state.lanes[1..].iter().zip(self.0) {
            if subscription.closes_ticks {
                closers.push(Rc::clone(lane));
            }
            let inbox = Inbox::new(Rc::clone(&state), Rc::clone(lane));
            let future = Some((subscription.launch)(inbox));
            tasks.push(Task { future, waker: ServiceWaker::new(lane.slot, &wakes) });
        }
        let shuffler = match schedule {
            Schedule::Rank => None,
            Schedule::Shuffled(seed) => Some(RandomTree::new(seed).branch("schedule").stream()),
        };
        let progress = Arc::new(Progress::new(hands));
        let (polled, reports) = (0, Vec::new());
        EventBus { state, tasks, closers, polled, wakes, shuffler, reports, progress }
    }
}

/// The bus of one run, with the services that live on it.
pub struct EventBus {
    pub(crate) state: Shared,
    /// One per lane; the engine's has no future.
    pub(crate) tasks: Vec<Task>,
    /// The services that close ticks, in rank order.
    pub(crate) closers: Vec<Rc<Lane>>,
    /// The service that is being polled, to name it when it panics.
    pub(crate) polled: usize,
    pub(crate) wakes: Arc<Wakes>,
    pub(crate) shuffler: Option<ChaCha8Rng>,
    pub(crate) reports: Vec<ServiceReport>,
    progress: Arc<Progress>,
}

/// A service that is running.
pub(crate) struct Task {
    pub(crate) future: Option<ServiceFuture>,
    pub(crate) waker: ServiceWaker,
}

impl fmt::Debug for EventBus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventBus").field("in_flight", &self.in_flight()).finish()
    }
}

impl EventBus {
    /// Opens a tick at the clock's time with one envelope of the engine.
    pub fn publish(&self, payload: Payload) {
        self.state.open_tick();
        self.state.publish(payload);
    }

    /// Staged plus delivered but not acknowledged, over all subscribers.
    pub fn in_flight(&self) -> usize {
        self.state.in_flight.get()
    }

    /// Envelopes numbered so far.
    pub fn events(&self) -> u64 {
        self.state.events()
    }

    /// What services have in hand, for a watchdog.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Polls every service up to its first tick, in rank order.
    ///
    /// # Errors
    ///
    /// A service that ends or fails before it is ready.
    pub async fn start(&mut self) -> Result<(), EngineError> {
        self.until_all(|lane| lane.is_ready.get()).await
    }

    /// The barrier: runs everything that the open tick causes to its end.
    ///
    /// # Errors
    ///
    /// The first failure of a service, a delivery that was not acknowledged, or a tick that does not
    /// come to rest.
    pub async fn wait_until_idle(&mut self) -> Result<(), EngineError> {
        poll_fn(|context| self.catching(|bus| bus.poll_idle(context))).await
    }

    /// Whether some service has a `tick_closed`.
    pub const fn closes_ticks(&self) -> bool {
        !self.closers.is_empty()
    }

    /// Closes the tick: `tick_closed` of every service that has one, in rank order.
    ///
    /// # Errors
    ///
    /// The first failure of a service.
    pub async fn close_tick(&mut self) -> Result<(), EngineError> {
        if !self.closes_ticks() {
            return Ok(());
        }
        self.state.is_closing.set(true);
        poll_fn(|context| self.catching(|bus| bus.poll_close(context))).await?;
        self.state.is_closing.set(false);
        Ok(())
    }

    /// Ends the run: every service finishes, in rank order, and gives its report.
    ///
    /// A service that fails now makes a completed run a failed one; the others finish all the same,
    /// and those after it, the audit among them, are told.
    pub(crate) async fn finish(
        &mut self,
        mut outcome: RunOutcome,
        mut error: Option<EngineError>,
    ) -> RunReport {
        loop {
            self.state.end(outcome.clone());
            let Err(late) = self.until_all(|_| false).await else { break };
            if error.is_none() {
                outcome.status = RunStatus::Failed;
                outcome.failure = Some(late.chain().into());
                error = Some(late);
            }
        }
        RunReport { outcome, services: std::mem::take(&mut self.reports), error }
    }
}
