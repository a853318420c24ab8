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

use model::event::{Control, Payload, Topic};
use rand_chacha::ChaCha8Rng;

use crate::clock::Clock;
use crate::delivery::Inbox;
use crate::error::EngineError;
use crate::random::{RandomTree, shuffle};
use crate::rank::{Rank, Role};
use crate::run::RunReport;
use crate::service::{
    BacktestService, Launch, RunOutcome, RunStatus, ServiceFuture, ServiceReport,
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
        let names = self.0.iter().map(|subscription| subscription.name.clone());
        let progress = Arc::new(Progress::new(std::iter::once("engine".into()).chain(names)));
        let mut state = State::new(clock, limits, Arc::clone(&progress));
        state.add_slot("engine", Rank::first(Role::Engine), &[]);
        for Subscription { rank, name, topics, looks_up, .. } in &self.0 {
            state.add_slot(name, *rank, topics);
            state.keep_latest(looks_up);
        }
        let state: Shared = Rc::new(RefCell::new(state));
        let wakes = Arc::new(Wakes::default());
        let mut tasks = vec![Task { future: None, waker: ServiceWaker::new(0, &wakes) }];
        let mut closers = Vec::new();
        for (slot, subscription) in (1..).zip(self.0) {
            if subscription.closes_ticks {
                closers.push(slot);
            }
            let inbox = Inbox::new(Rc::clone(&state), slot, limits.max_events_per_tick);
            let future = Some((subscription.launch)(inbox));
            tasks.push(Task { future, waker: ServiceWaker::new(slot, &wakes) });
        }
        let shuffler = match schedule {
            Schedule::Rank => None,
            Schedule::Shuffled(seed) => Some(RandomTree::new(seed).branch("schedule").stream()),
        };
        EventBus {
            state,
            tasks,
            closers,
            polled: 0,
            wakes,
            shuffler,
            reports: Vec::new(),
            progress,
        }
    }
}

/// The bus of one run, with the services that live on it.
pub struct EventBus {
    state: Shared,
    /// One per slot; the engine's has no future.
    tasks: Vec<Task>,
    /// Slots of the services that close ticks, in rank order.
    closers: Vec<usize>,
    /// The service that is being polled, to name it when it panics.
    polled: usize,
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
        poll_fn(|context| self.catching(|bus| bus.poll_idle(context))).await
    }

    /// Closes the tick: `tick_closed` of every service that has one, in rank order.
    ///
    /// # Errors
    ///
    /// The first failure of a service.
    pub async fn close_tick(&mut self) -> Result<(), EngineError> {
        self.state.borrow_mut().is_closing = true;
        poll_fn(|context| self.catching(|bus| bus.poll_close(context))).await?;
        self.state.borrow_mut().is_closing = false;
        Ok(())
    }

    /// Runs a poll of several services and turns a panic of one into its error.
    fn catching<T>(
        &mut self,
        poll: impl FnOnce(&mut Self) -> Poll<Result<T, EngineError>>,
    ) -> Poll<Result<T, EngineError>> {
        match catch_unwind(AssertUnwindSafe(|| poll(self))) {
            Ok(polled) => polled,
            Err(panic) => {
                let slot = self.polled;
                self.tasks[slot].future = None;
                // A handler without end is stopped by a panic, which is only the consequence.
                let poison = self.state.borrow_mut().take_poison();
                let error = match poison {
                    Some(error @ EngineError::Loop { .. }) => error,
                    _ => self.panicked(slot, panic.as_ref()),
                };
                Poll::Ready(Err(error))
            }
        }
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
                Step::Blocked => match self.poll_blocked(context) {
                    Poll::Ready(Ok(())) => {}
                    other @ (Poll::Ready(Err(_)) | Poll::Pending) => return other,
                },
            }
        }
    }

    /// Nothing goes on by itself: waits for a wake. Ready when there is something to poll again.
    fn poll_blocked(&mut self, context: &Context<'_>) -> Poll<Result<(), EngineError>> {
        if let Some(poison) = self.state.borrow_mut().take_poison() {
            return Poll::Ready(Err(poison));
        }
        self.wakes.register(context.waker());
        let woken = self.wakes.take();
        if woken == 0 { self.blocked() } else { Poll::Ready(self.poll_services(woken)) }
    }

    fn poll_close(&mut self, context: &Context<'_>) -> Poll<Result<(), EngineError>> {
        let tick = self.state.borrow().tick;
        for place in 0..self.closers.len() {
            let slot = self.closers[place];
            let has_closed = |state: &State, slot: usize| state.slots[slot].closed == tick;
            match self.poll_until(slot, &has_closed, context) {
                Poll::Ready(Ok(())) => {}
                other @ (Poll::Ready(Err(_)) | Poll::Pending) => return other,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Somebody suspends with a delivery in hand or to come. One that nothing can wake has lost it.
    fn blocked(&self) -> Poll<Result<(), EngineError>> {
        let state = self.state.borrow();
        let suspended = state.holding() | state.waiting();
        let stuck = bits(suspended).find(|slot| !self.tasks[*slot].waker.may_wake(*slot));
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
    #[inline]
    fn poll_service(&mut self, slot: usize) -> Result<(), EngineError> {
        let task = &mut self.tasks[slot];
        let Some(future) = &mut task.future else { return Ok(()) };
        self.polled = slot;
        let mut context = Context::from_waker(task.waker.waker());
        match future.as_mut().poll(&mut context) {
            Poll::Pending => match self.state.borrow_mut().take_poison() {
                Some(poison) => Err(poison),
                None => Ok(()),
            },
            Poll::Ready(ended) => {
                task.future = None;
                let report = ended?;
                let mut state = self.state.borrow_mut();
                if let Some(poison) = state.take_poison() {
                    return Err(poison);
                }
                if state.outcome.is_none() {
                    return Err(EngineError::EndedEarly {
                        service: state.slots[slot].name.clone(),
                    });
                }
                self.reports.push(report);
                Ok(())
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
        for slot in 1..self.tasks.len() {
            poll_fn(|context| self.catching(|bus| bus.poll_until(slot, &done, context))).await?;
        }
        Ok(())
    }

    /// Polls a service that is not done; a second time if it suspends, so that no wake between its
    /// poll and the registration is lost.
    #[inline]
    fn poll_until(
        &mut self,
        slot: usize,
        done: &impl Fn(&State, usize) -> bool,
        context: &Context<'_>,
    ) -> Poll<Result<(), EngineError>> {
        for is_registered in [false, true] {
            if self.is_done(slot, done) {
                return Poll::Ready(Ok(()));
            }
            if is_registered {
                self.wakes.register(context.waker());
            }
            if let Err(error) = self.poll_service(slot) {
                return Poll::Ready(Err(error));
            }
        }
        if self.is_done(slot, done) {
            return Poll::Ready(Ok(()));
        }
        if self.tasks[slot].waker.may_wake(slot) {
            return Poll::Pending;
        }
        // It cannot be polled to its end, so it is not asked again.
        self.tasks[slot].future = None;
        let service = self.state.borrow().slots[slot].name.clone();
        Poll::Ready(Err(EngineError::Asleep { service }))
    }

    fn is_done(&self, slot: usize, done: &impl Fn(&State, usize) -> bool) -> bool {
        self.tasks[slot].future.is_none() || done(&self.state.borrow(), slot)
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
        // Nothing is delivered any more: whoever waits for a delivery goes on to the end.
        self.state.borrow_mut().is_closing = true;
        loop {
            self.state.borrow_mut().outcome = Some(Rc::new(outcome.clone()));
            let Err(late) = self.until_all(|_, _| false).await else { break };
            if error.is_none() {
                outcome.status = RunStatus::Failed;
                outcome.failure = Some(late.chain().into());
                error = Some(late);
            }
        }
        RunReport { outcome, services: std::mem::take(&mut self.reports), error }
    }

    /// Leaves the evidence of a failure to the audit: the rest of the present cycle, what was staged,
    /// what lay in the outboxes, and the error. The service at fault and those that suspend are
    /// stopped.
    pub(crate) fn leave_evidence(&mut self, error: &EngineError) {
        let audit: Vec<usize> = {
            let mut state = self.state.borrow_mut();
            state.is_closing = false;
            state.silence_all_but_audit();
            let is_audit = |slot: &usize| state.slots[*slot].role == Role::Audit;
            let audit: Vec<usize> = (1..self.tasks.len()).filter(is_audit).collect();
            if audit.iter().any(|slot| state.has_closed(*slot)) {
                // Between two ticks nothing is delivered: the failure gets one of its own.
                state.open_tick();
            }
            audit
        };
        let holding = self.state.borrow().holding();
        for slot in 1..self.tasks.len() {
            let is_at_fault = error.service() == Some(&*self.state.borrow().slots[slot].name);
            if is_at_fault || holding & (1 << slot) != 0 {
                // Dropped with the delivery that it may hold: neither can finish.
                self.tasks[slot].future = None;
            }
        }
        // Nothing that is said of those deliveries counts any more.
        self.state.borrow_mut().take_poison();
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
            let polled = self.catching(|bus| Poll::Ready(bus.poll_service(*slot)));
            if let Poll::Ready(Err(error)) = polled {
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
