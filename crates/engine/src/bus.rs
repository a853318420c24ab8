//! The event bus: delta cycles, the barrier, and the drain that polls the services.
//!
//! What services publish during a cycle is staged. When every delivery of the cycle is done, it is
//! put in canonical order, numbered and delivered in the next cycle, so the outcome cannot depend on
//! the order in which services were polled. Idle is one count: staged plus delivered but not
//! acknowledged, over all subscribers.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use model::event::{Control, Envelope, Payload, Topic};
use rand_chacha::ChaCha8Rng;

use crate::clock::Clock;
use crate::delivery::Inbox;
use crate::error::EngineError;
use crate::random::{RandomTree, shuffle};
use crate::rank::{Rank, Role};
use crate::service::{
    BacktestService, Launch, RunOutcome, ServiceFuture, ServiceReport, SharedOutcome,
};
use crate::state::{Shared, State, Step};
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
            launch: Box::new(move |inbox| Box::pin(service.run(inbox))),
        });
    }

    /// Puts all services on a bus.
    pub fn connect(mut self, clock: Clock, limits: Limits, schedule: Schedule) -> EventBus {
        self.0.sort_by_key(|subscription| subscription.rank);
        let names = self.0.iter().map(|subscription| subscription.name.clone());
        let progress = Arc::new(Progress::new(std::iter::once("engine".into()).chain(names)));
        let mut state = State::new(clock, limits, Arc::clone(&progress));
        state.add_slot("engine", Rank::first(Role::Engine), &[]);
        for Subscription { rank, name, topics, .. } in &self.0 {
            state.add_slot(name, *rank, topics);
        }
        let state: Shared = Rc::new(RefCell::new(state));
        let wakes = Arc::new(Wakes::default());
        let mut tasks = vec![Task { future: None, waker: ServiceWaker::new(0, &wakes) }];
        for (slot, subscription) in (1..).zip(self.0) {
            let inbox = Inbox::new(Rc::clone(&state), slot, limits.max_events_per_tick);
            let future = Some((subscription.launch)(inbox));
            tasks.push(Task { future, waker: ServiceWaker::new(slot, &wakes) });
        }
        let shuffler = match schedule {
            Schedule::Rank => None,
            Schedule::Shuffled(seed) => Some(RandomTree::new(seed).branch("schedule").stream()),
        };
        EventBus { state, tasks, wakes, shuffler, reports: Vec::new(), progress }
    }
}

/// The bus of one run, with the services that live on it.
pub struct EventBus {
    state: Shared,
    /// One per slot; the engine's has no future.
    tasks: Vec<Task>,
    wakes: Arc<Wakes>,
    shuffler: Option<ChaCha8Rng>,
    reports: Vec<ServiceReport>,
    progress: Arc<Progress>,
}

struct Task {
    future: Option<ServiceFuture>,
    waker: ServiceWaker,
}

impl fmt::Debug for EventBus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventBus").field("in_flight", &self.in_flight()).finish()
    }
}

impl EventBus {
    /// Opens a tick at the clock's time with one envelope of the engine.
    pub fn publish(&self, payload: Payload) {
        let mut state = self.state.borrow_mut();
        state.open_tick();
        state.publish(0, payload);
    }

    /// Staged plus delivered but not acknowledged, over all subscribers.
    pub fn in_flight(&self) -> usize {
        self.state.borrow().in_flight()
    }

    /// Envelopes numbered so far.
    pub fn events(&self) -> u64 {
        self.state.borrow().events()
    }

    /// The last committed envelope of a topic.
    pub fn latest(&self, topic: Topic) -> Option<Envelope> {
        self.state.borrow().latest(topic).cloned()
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
        self.until_all(|state, slot| state.slots[slot].is_ready).await
    }

    /// The barrier: runs everything that the open tick causes to its end.
    ///
    /// # Errors
    ///
    /// The first failure of a service, a delivery that was not acknowledged, or a tick that does not
    /// come to rest.
    pub async fn wait_until_idle(&mut self) -> Result<(), EngineError> {
        poll_fn(|context| self.poll_idle(context)).await
    }

    /// Closes the tick: `tick_closed` of every service, in rank order.
    ///
    /// # Errors
    ///
    /// The first failure of a service.
    pub async fn close_tick(&mut self) -> Result<(), EngineError> {
        let tick = {
            let mut state = self.state.borrow_mut();
            state.is_closing = true;
            state.tick
        };
        self.until_all(|state, slot| state.slots[slot].closed == tick).await?;
        self.state.borrow_mut().is_closing = false;
        Ok(())
    }

    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<Result<(), EngineError>> {
        loop {
            let ready = self.state.borrow().waiting() | self.wakes.take();
            if ready != 0
                && let Err(error) = self.poll_services(ready)
            {
                return Poll::Ready(Err(error));
            }
            let step = self.state.borrow_mut().step();
            match step {
                Step::Committed => {}
                Step::Idle => return Poll::Ready(Ok(())),
                Step::Blocked => {
                    if let Some(poison) = self.state.borrow_mut().take_poison() {
                        return Poll::Ready(Err(poison));
                    }
                    self.wakes.register(context.waker());
                    let woken = self.wakes.take();
                    if woken == 0 {
                        return self.blocked();
                    }
                    if let Err(error) = self.poll_services(woken) {
                        return Poll::Ready(Err(error));
                    }
                }
            }
        }
    }

    /// Somebody holds a delivery and suspends. A service that nothing can wake has lost it.
    fn blocked(&self) -> Poll<Result<(), EngineError>> {
        let state = self.state.borrow();
        let stuck = bits(state.holding()).find(|slot| !self.tasks[*slot].waker.is_held());
        stuck.map_or(Poll::Pending, |slot| {
            let (service, topic, seq) = state.in_hand(slot);
            Poll::Ready(Err(EngineError::Unwakeable { service, topic, seq }))
        })
    }

    fn poll_services(&mut self, ready: u64) -> Result<(), EngineError> {
        if let Some(stream) = &mut self.shuffler {
            let mut order: Vec<usize> = bits(ready).collect();
            shuffle(&mut order, stream);
            return order.into_iter().try_for_each(|slot| self.poll_service(slot));
        }
        bits(ready).try_for_each(|slot| self.poll_service(slot))
    }

    /// Polls one service. An error that it returns comes before what its delivery reports on being
    /// dropped, which is only the consequence.
    fn poll_service(&mut self, slot: usize) -> Result<(), EngineError> {
        let Some(task) = self.tasks.get_mut(slot) else { return Ok(()) };
        let Some(future) = &mut task.future else { return Ok(()) };
        let mut context = Context::from_waker(task.waker.waker());
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context))) {
            Ok(Poll::Pending) => match self.state.borrow_mut().take_poison() {
                Some(poison) => Err(poison),
                None => Ok(()),
            },
            Ok(Poll::Ready(Ok(report))) => {
                task.future = None;
                self.reports.push(report);
                let state = self.state.borrow();
                if state.outcome.is_some() {
                    return Ok(());
                }
                Err(EngineError::EndedEarly { service: state.slots[slot].name.clone() })
            }
            Ok(Poll::Ready(Err(error))) => {
                task.future = None;
                Err(error)
            }
            Err(panic) => {
                task.future = None;
                Err(self.panicked(slot, panic.as_ref()))
            }
        }
    }

    fn panicked(&self, slot: usize, panic: &(dyn Any + Send)) -> EngineError {
        let state = self.state.borrow();
        let message = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "a panic without a message".to_owned());
        let seq = state.holds_delivery(slot).then(|| state.in_hand(slot).2);
        EngineError::Panicked { service: state.slots[slot].name.clone(), seq, message }
    }

    /// Polls every service, in rank order, until `done` holds for it.
    async fn until_all(&mut self, done: impl Fn(&State, usize) -> bool) -> Result<(), EngineError> {
        poll_fn(|context| {
            self.wakes.register(context.waker());
            for slot in 1..self.tasks.len() {
                let is_done = |bus: &Self| {
                    bus.tasks[slot].future.is_none() || done(&bus.state.borrow(), slot)
                };
                if is_done(self) {
                    continue;
                }
                if let Err(error) = self.poll_service(slot) {
                    return Poll::Ready(Err(error));
                }
                if !is_done(self) {
                    return Poll::Pending;
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Ends the run: every service finishes, in rank order, and gives its report.
    ///
    /// # Errors
    ///
    /// The first failure of a service; the others have finished all the same.
    pub(crate) async fn finish(
        &mut self,
        outcome: RunOutcome,
    ) -> (Vec<ServiceReport>, Option<EngineError>) {
        self.state.borrow_mut().outcome = Some(SharedOutcome::new(outcome));
        let mut first_error = None;
        while let Err(error) = self.until_all(|_, _| false).await {
            first_error.get_or_insert(error);
        }
        (std::mem::take(&mut self.reports), first_error)
    }

    /// Leaves the evidence of a failure to the audit: the rest of the present cycle, what was staged,
    /// what lay in the outboxes, and the error. Services that suspend are stopped.
    pub(crate) fn leave_evidence(&mut self, error: &EngineError) {
        let audit: Vec<usize> = {
            let mut state = self.state.borrow_mut();
            state.take_poison();
            state.is_closing = false;
            state.silence_all_but_audit();
            (1..self.tasks.len()).filter(|slot| state.slots[*slot].role == Role::Audit).collect()
        };
        let holding = self.state.borrow().holding();
        for slot in bits(holding) {
            // Dropped with its delivery: whoever holds one cannot finish.
            self.tasks[slot].future = None;
        }
        let last_word = Payload::Control(Control::Failed {
            service: error.service().unwrap_or("engine").into(),
            message: error.chain().into(),
        });
        self.record(&audit);
        self.state.borrow_mut().commit_evidence();
        self.record(&audit);
        self.state.borrow_mut().commit_last_word(last_word);
        self.record(&audit);
    }

    /// Lets the audit take what is delivered to it. An audit that fails now has nobody to tell.
    fn record(&mut self, audit: &[usize]) {
        for slot in audit {
            if let Err(error) = self.poll_service(*slot) {
                tracing::error!(error = error.chain(), "the audit failed on the evidence");
            }
        }
    }
}

/// The set bits of a mask, lowest first.
fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (mask != 0).then(|| {
            let bit = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            bit
        })
    })
}
