//! The driver of live runs: the machine of the tight loop with awaits between its steps.

mod budgets;
mod upkeep;

use std::collections::BTreeSet;
use std::rc::Rc;

use execution::failure::{Component, FailureClass, FailureReason, Incident, SystemFailure};
use execution::health::{Health, HealthMonitor, HealthWindow};
use execution::outcome::{OrderOutcome, Processed, RunStop, op_id_of, skipped, tell_end};
use execution::ports::{LedgerPort, LoopObserver};
use execution::profile::{FailedOrderPolicy, RetryPolicy};
use execution::skips::Skips;
use execution::tight_loop::{Action, Answer, Event, GiveUp, Resume, Step, TightLoop};
use model::delta::OperationId;
use model::handshake::{Handshake, HandshakeStatus};
use model::interface::Submission;
use model::order::{OrderStatus, Refusal, RefusalCode};
use model::reconciliation::Reconciliation;
use model::tight_loop::{
    ChainCommit, LoopEnd, LoopRecord, LoopState, WalEntry, WalRecord, WalStage,
};

use super::clock::{Clock, within};
use super::venue::{CallError, LiveVenue, PositionCache};
use super::wal::WalPort;
pub use budgets::LatencyBudgets;

/// How a live run behaves.
#[derive(Clone, Copy, Debug)]
pub struct LiveSettings {
    /// Attempts, deadline and timeouts.
    pub retry: RetryPolicy,
    /// What an order that fails does to those after it.
    pub on_failed_order: FailedOrderPolicy,
    /// What takes longer is an incident.
    pub budgets: LatencyBudgets,
    /// Milliseconds from one refresh to the next.
    pub refresh_ms: i64,
    /// Whether a drift that a refresh finds blocks new orders (D26).
    pub drift_blocks_orders: bool,
}

impl LiveSettings {
    /// Real venues.
    pub const LIVE: Self = Self {
        retry: RetryPolicy::LIVE,
        on_failed_order: FailedOrderPolicy::SkipGroup,
        budgets: LatencyBudgets::LIVE,
        refresh_ms: 60_000,
        drift_blocks_orders: false,
    };

    /// Testnets: one retry.
    pub const STAGING: Self = Self { retry: RetryPolicy::STAGING, ..Self::LIVE };
}

/// Executes orders at venues that take their time, one at a time.
pub struct LiveDriver<C, L, W, O> {
    pub(super) clock: Rc<C>,
    /// The ledger.
    pub ledger: L,
    /// Where it writes ahead.
    pub wal: W,
    /// Whom it tells.
    pub observer: O,
    settings: LiveSettings,
    venues: Vec<(Rc<dyn LiveVenue>, PositionCache)>,
    /// Venues whose last heartbeat failed.
    down: BTreeSet<Box<str>>,
    machine: TightLoop,
    health: HealthMonitor,
    skips: Skips,
    accepts_orders: bool,
    has_drifted: bool,
}

/// By hand, since venues and ports need not be shown.
impl<C, L, W, O> std::fmt::Debug for LiveDriver<C, L, W, O> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("LiveDriver")
            .field("settings", &self.settings)
            .field("machine", &self.machine)
            .finish_non_exhaustive()
    }
}

/// What one loop carries along.
#[derive(Default)]
struct Progress {
    handshake: Option<Handshake>,
    reconciliation: Reconciliation,
    applied: bool,
    chain: Option<ChainCommit>,
    reason: Option<FailureReason>,
}

impl<C: Clock, L: LedgerPort, W: WalPort, O: LoopObserver> LiveDriver<C, L, W, O> {
    /// A driver that takes no orders yet: [`super::recover`] comes first.
    pub fn new(
        clock: Rc<C>,
        settings: LiveSettings,
        venues: Vec<(Rc<dyn LiveVenue>, PositionCache)>,
        (ledger, wal, observer): (L, W, O),
    ) -> Self {
        Self {
            clock,
            ledger,
            wal,
            observer,
            settings,
            venues,
            down: BTreeSet::new(),
            machine: TightLoop::new(settings.retry),
            health: HealthMonitor::new(HealthWindow::LIVE),
            skips: Skips::new(settings.on_failed_order),
            accepts_orders: false,
            has_drifted: false,
        }
    }

    /// How it is.
    pub fn health(&self) -> Health {
        self.health.worst(self.clock.now().millis())
    }

    /// Takes orders from now on.
    pub const fn open_for_orders(&mut self) {
        self.accepts_orders = true;
    }

    /// Executes a list of orders, each to the end of its loop; one outcome per order.
    ///
    /// Orders for a venue whose heartbeat fails are blocked, the others go on.
    pub async fn process_orders(&mut self, submissions: &[Submission]) -> Processed {
        let frame = self.clock.now();
        self.skips.begin(frame);
        let mut ending = Ok(());
        let mut outcomes = Vec::with_capacity(submissions.len());
        for submission in submissions {
            let skip = if self.skips.includes(submission) {
                Some(RefusalCode::Skipped)
            } else {
                self.is_blocked(submission).then_some(RefusalCode::Halted)
            };
            let record = if let Some(code) = skip {
                let record = skipped(submission, code, self.clock.now());
                tell_end(submission, OrderStatus::Canceled, &record, &mut self.observer);
                record
            } else {
                let (record, failure) = self.process(submission).await;
                if let Some(failure) = failure {
                    self.skips.stop();
                    ending = Err(failure.into());
                } else if record.handshake.as_ref().is_some_and(|said| said.status.is_failure())
                    && let Some(stop) = self.skips.after_failure(record.op_id, Some(submission))
                {
                    ending = Err(stop);
                }
                record
            };
            outcomes.push(OrderOutcome { submission: submission.clone(), record });
        }
        self.rest();
        Processed { outcomes, ending }
    }

    /// Takes up a loop that a restart found half done.
    pub(super) async fn resume(
        &mut self,
        op_id: OperationId,
        submission: Option<&Submission>,
        handshake: Option<Handshake>,
        from: Resume,
    ) -> Result<(), SystemFailure> {
        self.rest();
        let step = self.machine.resume(from, self.clock.now());
        let progress = Progress { handshake, ..Progress::default() };
        self.drive(op_id, submission, step, progress).await.1.map_or(Ok(()), Err)
    }

    async fn process(&mut self, submission: &Submission) -> (LoopRecord, Option<SystemFailure>) {
        let op_id = op_id_of(submission);
        let step = self.machine.on(Event::Order, self.clock.now());
        self.drive(op_id, Some(submission), step, Progress::default()).await
    }

    /// Follows the machine from one step to the next until the loop is over.
    async fn drive(
        &mut self,
        op_id: OperationId,
        submission: Option<&Submission>,
        mut step: Result<Step, execution::tight_loop::IllegalEvent>,
        mut progress: Progress,
    ) -> (LoopRecord, Option<SystemFailure>) {
        let began = self.clock.now().millis();
        let end = loop {
            let Step { log, action } = match step {
                Ok(step) => step,
                Err(illegal) => {
                    progress.reason = Some(FailureReason::Transition(illegal));
                    self.machine.abort(self.clock.now());
                    break LoopEnd::SystemFailure;
                }
            };
            if let Some(stage) = log {
                self.log(stage, op_id, submission, &progress);
            }
            let step_began = self.clock.now().millis();
            let event = match action {
                Action::Route => self.route(op_id, submission, &mut progress),
                Action::Execute => self.execute(op_id, submission, &mut progress).await,
                Action::QueryStatus => self.ask(op_id, submission, &mut progress).await,
                Action::TakeHandshake => answer(progress.handshake.as_ref()),
                Action::Apply => self.apply(&mut progress),
                Action::Compare => self.compare(op_id, &mut progress).await,
                Action::RunChain => self.run_chain(op_id, &mut progress),
                Action::Sleep { ms } => {
                    self.clock.sleep(ms).await;
                    Event::Elapsed
                }
                Action::Finish(end) => break end,
                Action::Rest => Event::Fatal,
            };
            self.check_step(action, step_began, op_id);
            step = self.machine.on(event, self.clock.now());
        };
        let attempts = self.machine.attempts();
        self.check_order(attempts, began, op_id);
        let record = LoopRecord {
            op_id,
            path: self.machine.take_path(),
            attempts,
            compared: progress.reconciliation.compared,
            diffs: progress.reconciliation.mismatches,
            handshake: progress.handshake,
            applied: progress.applied,
            chain: progress.chain,
            end,
        };
        self.wal.close(&record);
        self.observer.finished(&record);
        if end != LoopEnd::SystemFailure {
            if let (Some(submission), true) = (submission, record.attempts.execute == 0) {
                tell_end(submission, OrderStatus::Rejected, &record, &mut self.observer);
            }
            return (record, None);
        }
        let tried = attempts.compare.max(attempts.execute + attempts.query_status);
        let reason = match (self.machine.give_up(), progress.reason) {
            (Some(GiveUp::Deadline), _) => FailureReason::Deadline { attempts: tried },
            (_, Some(reason)) => reason,
            (_, None) => FailureReason::RetriesExhausted { attempts: tried },
        };
        let (now, state) = (self.clock.now(), self.machine.failed_in());
        let failure = SystemFailure { op_id: Some(op_id), state, ts: now, reason };
        self.health.note(Component::Execute, FailureClass::Fatal, now.millis());
        self.accepts_orders = false;
        self.observer.failed(&failure);
        (record, Some(failure))
    }

    fn route(
        &mut self,
        op_id: OperationId,
        submission: Option<&Submission>,
        progress: &mut Progress,
    ) -> Event {
        if submission.and_then(|submission| self.venue_of(submission)).is_some() {
            return Event::Routed;
        }
        let refusal = Refusal::new(RefusalCode::NoRoute, "no venue takes it");
        let said = Handshake::without_deltas(op_id, HandshakeStatus::Rejected, self.clock.now());
        progress.handshake = Some(said.because(refusal));
        Event::NotRouted
    }

    async fn execute(
        &mut self,
        op_id: OperationId,
        submission: Option<&Submission>,
        progress: &mut Progress,
    ) -> Event {
        let Some((venue, submission)) = self.call_of(submission) else { return Event::Fatal };
        let limit = self.settings.retry.execute_timeout_ms;
        let said = within(&*self.clock, limit, venue.submit(op_id, submission)).await;
        match said.unwrap_or(Err(CallError::TimedOut)) {
            Ok(handshake) => self.take(op_id, handshake, progress),
            Err(error) => self.call_failed(op_id, &*venue, error, progress),
        }
    }

    async fn ask(
        &mut self,
        op_id: OperationId,
        submission: Option<&Submission>,
        progress: &mut Progress,
    ) -> Event {
        let Some((venue, _)) = self.call_of(submission) else { return Event::Fatal };
        let limit = self.settings.retry.execute_timeout_ms;
        let said = within(&*self.clock, limit, venue.status(op_id)).await;
        match said.unwrap_or(Err(CallError::TimedOut)) {
            Ok(Some(handshake)) => self.take(op_id, handshake, progress),
            Ok(None) => Event::Unknown,
            Err(error) => self.call_failed(op_id, &*venue, error, progress),
        }
    }

    fn take(&mut self, op_id: OperationId, handshake: Handshake, progress: &mut Progress) -> Event {
        if handshake.op_id != op_id {
            progress.reason = Some(FailureReason::WrongAnswer { found: handshake.op_id });
            return Event::Fatal;
        }
        if let Err(fault) = handshake.check() {
            progress.reason = Some(FailureReason::Handshake(fault));
            return Event::Fatal;
        }
        if handshake.status.is_failure() {
            self.note("EXEC-FAILED", Component::Execute, op_id);
        }
        let event = answer(Some(&handshake));
        progress.handshake = Some(handshake);
        event
    }

    fn call_failed(
        &mut self,
        op_id: OperationId,
        venue: &dyn LiveVenue,
        error: CallError,
        progress: &mut Progress,
    ) -> Event {
        progress.reason = Some(FailureReason::Interface(error.of(venue.name())));
        self.note("EXEC-CALL", Component::Execute, op_id);
        Event::CallFailed
    }

    fn apply(&mut self, progress: &mut Progress) -> Event {
        let Some(handshake) = &mut progress.handshake else { return Event::Fatal };
        match self.ledger.apply(handshake) {
            Ok(_) => {
                progress.applied = true;
                Event::Applied
            }
            Err(error) => {
                progress.reason = Some(FailureReason::Apply(error));
                Event::Fatal
            }
        }
    }

    async fn compare(&mut self, op_id: OperationId, progress: &mut Progress) -> Event {
        let queried = match self.query_venues().await {
            Ok(()) => self.ledger.query_real(),
            Err((venue, error)) => Err(error.of(&venue)),
        };
        if let Err(error) = queried {
            progress.reason = Some(FailureReason::QueryReal(error));
            self.note("EXEC-CALL", Component::QueryReal, op_id);
            return Event::CallFailed;
        }
        progress.reconciliation = self.ledger.reconcile();
        let mismatches = &progress.reconciliation.mismatches;
        if let Some(first) = mismatches.first() {
            let (count, first) = (mismatches.len(), Box::new(*first));
            progress.reason = Some(FailureReason::Mismatch { count, first });
            self.note("REC-MISMATCH", Component::Reconcile, op_id);
            return Event::Compared { agree: false };
        }
        Event::Compared { agree: true }
    }

    fn run_chain(&mut self, op_id: OperationId, progress: &mut Progress) -> Event {
        match self.ledger.run_chain(self.clock.now()) {
            Ok(commit) => {
                progress.chain = Some(commit);
                Event::Valued
            }
            Err(error) => {
                progress.reason = Some(FailureReason::Chain(error));
                self.note("EXEC-CHAIN", Component::Exposure, op_id);
                Event::CallFailed
            }
        }
    }

    fn is_blocked(&self, submission: &Submission) -> bool {
        let has_drifted = self.has_drifted && self.settings.drift_blocks_orders;
        let is_down = |venue: Rc<dyn LiveVenue>| self.down.contains(venue.name());
        !self.accepts_orders || has_drifted || self.venue_of(submission).is_some_and(is_down)
    }

    fn venue_of(&self, submission: &Submission) -> Option<Rc<dyn LiveVenue>> {
        let takes = |request: &model::operation::OperationRequest| {
            let mut venues = self.venues.iter().map(|(venue, _)| venue);
            let is_taken = |venue: &&Rc<dyn LiveVenue>| {
                venue.name() == &*request.venue && venue.operations().contains(&request.operation)
            };
            venues.find(is_taken).cloned()
        };
        match submission {
            Submission::Operation(order) => takes(&order.request),
            Submission::Group(members) => takes(&members.first()?.request),
            // No trading venue has a live adapter yet.
            Submission::Trade(_) => None,
        }
    }

    fn call_of<'a>(
        &self,
        submission: Option<&'a Submission>,
    ) -> Option<(Rc<dyn LiveVenue>, &'a Submission)> {
        let submission = submission?;
        Some((self.venue_of(submission)?, submission))
    }

    fn log(
        &mut self,
        stage: WalStage,
        op_id: OperationId,
        submission: Option<&Submission>,
        progress: &Progress,
    ) {
        let entry = match (stage, submission, &progress.handshake) {
            (WalStage::Intent, Some(submission), _) => WalEntry::Intent(submission),
            (WalStage::Confirmed, _, Some(handshake)) => WalEntry::Confirmed(handshake),
            (WalStage::Applied, ..) => WalEntry::Applied,
            (WalStage::Reconciled, ..) => WalEntry::Reconciled(&progress.reconciliation),
            (WalStage::Intent | WalStage::Submitted | WalStage::Confirmed, submission, _) => {
                WalEntry::Submitted(submission)
            }
        };
        let record = WalRecord { op_id, ts: self.clock.now(), entry };
        self.wal.write(record);
        self.observer.record(record);
    }

    fn note(&mut self, code: &'static str, component: Component, op_id: OperationId) {
        let now = self.clock.now();
        let class = if code == "EXEC-FAILED" {
            FailureClass::OperationFailed
        } else {
            FailureClass::Retriable
        };
        self.health.note(component, class, now.millis());
        self.observer.incident(Incident { code, class, component, op_id, ts: now });
    }

    fn rest(&mut self) {
        if matches!(self.machine.state(), LoopState::Success | LoopState::Failure) {
            self.machine
                .on(Event::ListDone, self.clock.now())
                .expect("a loop that is over can rest");
        }
    }
}

fn answer(handshake: Option<&Handshake>) -> Event {
    handshake.map_or(Event::Fatal, |handshake| Event::Answered(Answer::of(handshake)))
}

/// The exit code of a live run that has ended (D53).
pub const fn exit_code(ending: &Result<(), RunStop>) -> u8 {
    match ending {
        Ok(()) => 0,
        Err(RunStop::OrderFailed { .. } | RunStop::Critical { .. } | RunStop::System(_)) => {
            crate::error::exit::SYSTEM
        }
    }
}
