//! The manager: takes a list of orders, runs them one at a time, and owns what failure leads to (D03).

use model::handshake::{Handshake, HandshakeStatus};
use model::interface::{Desk, InterfaceError, Submission};
use model::order::{OrderStatus, Refusal, RefusalCode};
use model::tight_loop::{LoopEnd, LoopRecord, LoopState, WalEntry, WalRecord, WalStage};
use model::time::UtcMillis;
use tracing::trace_span;
use venues::interfaces::VenueInterfaceManager;

use crate::failure::{Component, FailureClass, FailureReason, Incident, SystemFailure};
use crate::fault_injection::FaultScript;
use crate::health::{Health, HealthMonitor, HealthWindow};
use crate::loop_desk::{Core, LoopDesk};
use crate::outcome::{OrderOutcome, Processed, RunStop, op_id_of, skipped, tell_end};
use crate::ports::{LedgerPort, LoopObserver};
use crate::profile::{FailedOrderPolicy, RetryPolicy};
use crate::skips::Skips;
use crate::tight_loop::{Action, Event, Step, TightLoop};

/// Executes orders one after the other, each to the end of its tight loop.
///
/// It holds neither positions nor venues: it asks the ledger to change the ones and the router for
/// the others. One attempt each, since engine time does not pass while a loop runs; the driver that
/// waits is that of live runs.
#[derive(Debug)]
pub struct ExecutionManager {
    core: Core,
    skips: Skips,
}

impl ExecutionManager {
    /// A manager for a backtest.
    pub fn new(on_failed_order: FailedOrderPolicy) -> Self {
        Self {
            core: Core {
                machine: TightLoop::new(RetryPolicy::BACKTEST),
                health: HealthMonitor::new(HealthWindow::BACKTEST),
                faults: FaultScript::default(),
                health_now: 0,
            },
            skips: Skips::new(on_failed_order),
        }
    }

    /// The same with failures that a script asks for.
    pub fn with_faults(mut self, faults: FaultScript) -> Self {
        self.core.faults = faults;
        self
    }

    /// Health of the parts of the loop, to note a failure from outside of it; only tests do.
    pub const fn health_mut(&mut self) -> &mut HealthMonitor {
        &mut self.core.health
    }

    /// Health of the parts of the loop.
    pub const fn health(&self) -> &HealthMonitor {
        &self.core.health
    }

    /// Health of the worst part of the loop at the last order.
    pub fn health_now(&self) -> Health {
        self.core.health.worst(self.core.health_now)
    }

    /// Whether it takes no orders any more: the run ends after this frame.
    pub fn has_stopped(&self) -> bool {
        self.skips.are_final()
    }

    /// Executes orders in the order of the list, each to the end of its loop before the next begins.
    ///
    /// There is one outcome per order, also for those that failed or were skipped. A refusal skips
    /// nothing; what `Failed` and `RolledBack` skip is the policy's business.
    pub fn process_orders(
        &mut self,
        ts: UtcMillis,
        submissions: &[Submission],
        venues: &mut VenueInterfaceManager,
        ledger: &mut dyn LedgerPort,
        observer: &mut dyn LoopObserver,
    ) -> Processed {
        self.advance_to(ts);
        let mut ending = Ok(());
        let mut outcomes = Vec::with_capacity(submissions.len());
        for submission in submissions {
            let record = if self.skips.includes(submission) {
                let record = skipped(submission, RefusalCode::Skipped, ts);
                tell_end(submission, OrderStatus::Canceled, &record, observer);
                record
            } else {
                let (record, stop) = self.process(ts, submission, venues, ledger, observer);
                if let Some(stop) = stop {
                    ending = Err(stop);
                }
                record
            };
            outcomes.push(OrderOutcome { submission: submission.clone(), record });
        }
        self.rest(ts);
        Processed { outcomes, ending }
    }

    /// Lets a venue move on its own: later fills, expiries, cancels and liquidations, each a loop.
    ///
    /// # Errors
    ///
    /// The run has to end.
    pub fn let_venue_move(
        &mut self,
        ts: UtcMillis,
        ledger: &mut dyn LedgerPort,
        observer: &mut dyn LoopObserver,
        movement: impl FnOnce(&mut dyn Desk) -> Result<(), InterfaceError>,
    ) -> Result<(), RunStop> {
        self.advance_to(ts);
        let mut desk = LoopDesk::new(&mut self.core, ledger, observer, ts);
        let moved = movement(&mut desk);
        let (failure, failed_order) = (desk.failure.take(), desk.failed_order);
        if let Some(failure) = failure {
            self.skips.stop();
            return Err(failure.into());
        }
        if let Err(error) = moved {
            return Err(self.give_up(ts, FailureReason::Interface(error), observer).into());
        }
        self.rest(ts);
        match failed_order {
            Some(op_id) => self.skips.after_failure(op_id, None).map_or(Ok(()), Err),
            None => Ok(()),
        }
    }

    fn advance_to(&mut self, ts: UtcMillis) {
        if self.skips.begin(ts) {
            self.core.health_now = match self.core.health.window() {
                HealthWindow::Frames(_) => self.core.health_now + 1,
                HealthWindow::Millis(_) => ts.millis(),
            };
        }
    }

    /// One order, from Routing to the end of its loop.
    fn process(
        &mut self,
        ts: UtcMillis,
        submission: &Submission,
        venues: &mut VenueInterfaceManager,
        ledger: &mut dyn LedgerPort,
        observer: &mut dyn LoopObserver,
    ) -> (LoopRecord, Option<RunStop>) {
        let op_id = op_id_of(submission);
        let critical = self.core.health.critical();
        let operation = venues.operation(submission);
        let state = self.core.machine.state();
        assert!(
            state == LoopState::Idle || state.is_end(),
            "{op_id} may not begin while another order is {}",
            state.name()
        );
        let mut desk = LoopDesk::new(&mut self.core, ledger, observer, ts);
        desk.operation = operation;
        let record = if let Some(component) = critical {
            let record = desk.fail(op_id, None, FailureReason::Critical(component));
            desk.observer.finished(&record);
            record
        } else {
            run(&mut desk, submission, venues)
        };
        let (failure, failed_order) = (desk.failure.take(), desk.failed_order);
        if has_not_happened(&record) {
            self.skips.after_refusal(submission);
        }
        let stop = match (failure, failed_order) {
            (Some(failure), _) => {
                self.skips.stop();
                Some(failure.into())
            }
            (None, Some(failed)) => self.skips.after_failure(failed, Some(submission)),
            (None, None) => None,
        };
        (record, stop)
    }

    fn give_up(
        &mut self,
        ts: UtcMillis,
        reason: FailureReason,
        observer: &mut dyn LoopObserver,
    ) -> SystemFailure {
        self.skips.stop();
        self.core.health.note(Component::Execute, FailureClass::Fatal, self.core.health_now);
        let state = self.core.machine.state();
        self.core.machine.abort(ts);
        let failure = SystemFailure { op_id: None, state, ts, reason };
        observer.failed(&failure);
        failure
    }

    /// The list is done.
    fn rest(&mut self, ts: UtcMillis) {
        if matches!(self.core.machine.state(), LoopState::Success | LoopState::Failure) {
            self.core.machine.on(Event::ListDone, ts).expect("a loop that is over can rest");
        }
    }
}

/// Whether an order ended without what it was for: steps that build on it are skipped.
fn has_not_happened(record: &LoopRecord) -> bool {
    record.handshake.as_ref().is_some_and(|handshake| match handshake.status {
        HandshakeStatus::Rejected
        | HandshakeStatus::Failed
        | HandshakeStatus::RolledBack
        | HandshakeStatus::Expired
        | HandshakeStatus::Canceled => true,
        HandshakeStatus::Confirmed
        | HandshakeStatus::Partial
        | HandshakeStatus::Working
        | HandshakeStatus::Pending => false,
    })
}

/// Routes and executes; what the venue reports meanwhile is the desk's business.
fn run(
    desk: &mut LoopDesk<'_>,
    submission: &Submission,
    venues: &mut VenueInterfaceManager,
) -> LoopRecord {
    // Wall-clock time of an order: the budgets of 07 §9.6 are told by spans and decide nothing.
    let _span = trace_span!("order").entered();
    let (op_id, ts) = (op_id_of(submission), desk.ts);
    if let Err(record) = advance(desk, submission, Event::Order) {
        return *record;
    }
    if let Err(fault) = desk.core.faults.call(Component::Route, desk.operation) {
        return finish(desk, |desk| desk.fail(op_id, None, FailureReason::Injected(fault)));
    }
    let Some(interface) = venues.route(submission) else {
        return refuse(desk, submission);
    };
    if let Err(record) = advance(desk, submission, Event::Routed) {
        return *record;
    }
    if let Err(fault) = desk.core.faults.call(Component::Execute, desk.operation) {
        return finish(desk, |desk| desk.call_failed(op_id, FailureReason::Injected(fault)));
    }
    desk.awaits = Some(op_id);
    let executed = interface.execute(ts, submission, desk);
    let answer = desk.answer.take();
    match (executed, answer) {
        (Ok(()), Some(record)) => record,
        (Ok(()), None) => finish(desk, |desk| desk.call_failed(op_id, FailureReason::Silent)),
        (Err(error), Some(record)) if desk.has_stopped(&error) => record,
        // An answer was given and taken, and then the venue broke down: nobody knows what it did.
        (Err(error), Some(record)) => {
            desk.give_up(op_id, FailureReason::Interface(error));
            record
        }
        (Err(error), None) => {
            finish(desk, |desk| desk.call_failed(op_id, FailureReason::Interface(error)))
        }
    }
}

/// Takes a step that is logged with the submission.
fn advance(
    desk: &mut LoopDesk<'_>,
    submission: &Submission,
    event: Event,
) -> Result<Action, Box<LoopRecord>> {
    let (op_id, ts) = (op_id_of(submission), desk.ts);
    let Step { log, action } = desk.core.machine.on(event, ts).map_err(|illegal| {
        Box::new(finish(desk, |desk| desk.fail(op_id, None, FailureReason::Transition(illegal))))
    })?;
    let entry = match log {
        Some(WalStage::Intent) => Some(WalEntry::Intent(submission)),
        Some(WalStage::Submitted) => Some(WalEntry::Submitted(Some(submission))),
        Some(WalStage::Confirmed | WalStage::Applied | WalStage::Reconciled) | None => None,
    };
    if let Some(entry) = entry {
        desk.observer.record(WalRecord { op_id, ts, entry });
    }
    Ok(action)
}

/// No interface takes it: rejected without a call of any venue.
fn refuse(desk: &mut LoopDesk<'_>, submission: &Submission) -> LoopRecord {
    if let Err(record) = advance(desk, submission, Event::NotRouted) {
        return *record;
    }
    let (op_id, ts) = (op_id_of(submission), desk.ts);
    let operation = desk.operation.map_or("this", |operation| operation.name());
    let refusal = Refusal::new(RefusalCode::NoRoute, format!("no interface takes {operation}"));
    let handshake =
        Handshake::without_deltas(op_id, HandshakeStatus::Rejected, ts).because(refusal);
    let (code, class) = (RefusalCode::NoRoute.name(), FailureClass::Refused);
    desk.observer.incident(Incident { code, class, component: Component::Route, op_id, ts });
    let record = finish(desk, |desk| desk.without_venue(handshake, LoopEnd::Failure));
    tell_end(submission, OrderStatus::Rejected, &record, desk.observer);
    record
}

fn finish(
    desk: &mut LoopDesk<'_>,
    record: impl FnOnce(&mut LoopDesk<'_>) -> LoopRecord,
) -> LoopRecord {
    let record = record(desk);
    desk.observer.finished(&record);
    record
}

#[cfg(test)]
mod tests;
