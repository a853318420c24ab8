//! The desk of a synchronous loop: takes what a venue reports and finishes it before the venue goes on.

use model::delta::OperationId;
use model::handshake::{Handshake, VenueReport};
use model::interface::{Desk, InterfaceError, Stopped};
use model::operation::Operation;
use model::reconciliation::Reconciliation;
use model::tight_loop::{ChainCommit, LoopEnd, LoopRecord, WalEntry, WalRecord, WalStage};
use model::time::UtcMillis;
use tracing::trace_span;

use crate::failure::{Component, FailureClass, FailureReason, Incident, SystemFailure};
use crate::fault_injection::FaultScript;
use crate::health::HealthMonitor;
use crate::ports::{LedgerPort, LoopObserver};
use crate::tight_loop::{Action, Answer, Event, GiveUp, Step, TightLoop};

/// What outlives a desk.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) machine: TightLoop,
    pub(crate) health: HealthMonitor,
    pub(crate) faults: FaultScript,
    /// Now, in the unit of the health window.
    pub(crate) health_now: i64,
}

/// Manager, ledger and observer for as long as one venue works.
pub(crate) struct LoopDesk<'a> {
    pub(crate) core: &'a mut Core,
    pub(crate) ledger: &'a mut dyn LedgerPort,
    pub(crate) observer: &'a mut dyn LoopObserver,
    pub(crate) ts: UtcMillis,
    /// The submission whose answer is the next handshake; without one the venue moves on its own.
    pub(crate) awaits: Option<OperationId>,
    /// What is executed, for the script of faults.
    pub(crate) operation: Option<Operation>,
    /// The loop of the submission, once it is over.
    pub(crate) answer: Option<LoopRecord>,
    /// The first operation that was tried and failed.
    pub(crate) failed_order: Option<OperationId>,
    /// Why the desk has stopped.
    pub(crate) failure: Option<SystemFailure>,
}

/// What a loop has found on its way.
#[derive(Default)]
struct Findings {
    reconciliation: Reconciliation,
    applied: bool,
    chain: Option<ChainCommit>,
    /// The last thing that went wrong.
    reason: Option<FailureReason>,
}

impl Desk for LoopDesk<'_> {
    fn take(&mut self, report: VenueReport) -> Result<(), Stopped> {
        if self.failure.is_some() {
            return Err(Stopped);
        }
        match report {
            VenueReport::Handshake(handshake) => return self.take_handshake(handshake),
            VenueReport::Update(update) => {
                self.ledger.follow(&update);
                self.observer.update(update);
            }
            VenueReport::Locked { order_id, reserved } => {
                self.ledger.lock(order_id, reserved);
                self.observer.locked(order_id, reserved);
            }
        }
        Ok(())
    }
}

impl<'a> LoopDesk<'a> {
    /// A desk at which nothing is awaited.
    pub(crate) fn new(
        core: &'a mut Core,
        ledger: &'a mut dyn LedgerPort,
        observer: &'a mut dyn LoopObserver,
        ts: UtcMillis,
    ) -> Self {
        Self {
            core,
            ledger,
            observer,
            ts,
            awaits: None,
            operation: None,
            answer: None,
            failed_order: None,
            failure: None,
        }
    }

    fn take_handshake(&mut self, mut handshake: Handshake) -> Result<(), Stopped> {
        let op_id = handshake.op_id;
        let awaited = self.awaits.take();
        if awaited.is_some() {
            self.core.faults.answer(&mut handshake);
        }
        let step = if awaited.is_none() { self.begin_report() } else { None };
        if let Some(Step { log: Some(stage), .. }) = step {
            self.log(stage, op_id, None, &Reconciliation::default());
        }
        let fault = match awaited {
            Some(expected) if expected != op_id => {
                Some(FailureReason::WrongAnswer { found: op_id })
            }
            _ => handshake.check().err().map(FailureReason::Handshake),
        };
        let record = match fault {
            Some(reason) => self.fail(awaited.unwrap_or(op_id), Some(handshake), reason),
            None => self.conclude(handshake),
        };
        self.observer.finished(&record);
        if awaited.is_some() {
            self.answer = Some(record);
        }
        if self.failure.is_some() { Err(Stopped) } else { Ok(()) }
    }

    /// A venue moves on its own: the loop before it, if any, is over.
    fn begin_report(&mut self) -> Option<Step> {
        if self.core.machine.state().is_end() {
            self.core.machine.on(Event::ListDone, self.ts).ok()?;
        }
        self.core.machine.on(Event::Report, self.ts).ok()
    }

    /// Everything from the venue's answer to the end of its loop.
    fn conclude(&mut self, mut handshake: Handshake) -> LoopRecord {
        let op_id = handshake.op_id;
        let mut found = Findings::default();
        let mut event = Event::Answered(Answer::of(&handshake));
        self.note_answer(&handshake);
        let end = loop {
            let step = match self.core.machine.on(event, self.ts) {
                Ok(step) => step,
                Err(illegal) => {
                    return self.fail(op_id, Some(handshake), FailureReason::Transition(illegal));
                }
            };
            if let Some(stage) = step.log {
                self.log(stage, op_id, Some(&handshake), &found.reconciliation);
            }
            event = match step.action {
                Action::Apply => self.apply(&mut handshake, &mut found),
                Action::Compare => self.compare(op_id, &mut found),
                Action::RunChain => self.run_chain(op_id, &mut found),
                Action::Finish(end) => break end,
                Action::Route
                | Action::Execute
                | Action::QueryStatus
                | Action::TakeHandshake
                | Action::Sleep { .. }
                | Action::Rest => {
                    // Only a policy with retries waits, and none drives itself by calls.
                    found.reason = Some(FailureReason::Wait);
                    Event::Fatal
                }
            };
        };
        if end == LoopEnd::SystemFailure {
            let reason = found.reason.take();
            self.stop(op_id, reason);
        }
        self.record(op_id, Some(handshake), found, end)
    }

    fn apply(&mut self, handshake: &mut Handshake, found: &mut Findings) -> Event {
        let _span = trace_span!("apply").entered();
        if let Err(fault) = self.core.faults.call(Component::Apply, self.operation) {
            return found.give_up(FailureReason::Injected(fault));
        }
        self.core.faults.slip(handshake);
        let applied = self.ledger.apply(handshake);
        match applied {
            Ok(_) => {
                found.applied = true;
                Event::Applied
            }
            Err(error) => found.give_up(FailureReason::Apply(error)),
        }
    }

    fn compare(&mut self, op_id: OperationId, found: &mut Findings) -> Event {
        let _span = trace_span!("reconcile").entered();
        if let Err(fault) = self.core.faults.call(Component::QueryReal, self.operation) {
            found.reason = Some(FailureReason::Injected(fault));
            return self.failed_call(op_id, Component::QueryReal);
        }
        if let Err(error) = self.ledger.query_real() {
            found.reason = Some(FailureReason::QueryReal(error));
            return self.failed_call(op_id, Component::QueryReal);
        }
        if let Err(fault) = self.core.faults.call(Component::Reconcile, self.operation) {
            found.reason = Some(FailureReason::Injected(fault));
            return self.failed_call(op_id, Component::Reconcile);
        }
        found.reconciliation = self.ledger.reconcile();
        let mismatches = &found.reconciliation.mismatches;
        if let Some(first) = mismatches.first() {
            let first = Box::new(*first);
            found.reason = Some(FailureReason::Mismatch { count: mismatches.len(), first });
            self.note("REC-MISMATCH", FailureClass::Retriable, Component::Reconcile, op_id);
        }
        Event::Compared { agree: found.reconciliation.is_match() }
    }

    fn run_chain(&mut self, op_id: OperationId, found: &mut Findings) -> Event {
        let _span = trace_span!("chain").entered();
        for component in [Component::Exposure, Component::Risk, Component::Pnl] {
            if let Err(fault) = self.core.faults.call(component, self.operation) {
                found.reason = Some(FailureReason::Injected(fault));
                return self.failed_call(op_id, component);
            }
        }
        match self.ledger.run_chain(self.ts) {
            Ok(commit) => {
                found.chain = Some(commit);
                Event::Valued
            }
            Err(error) => {
                found.reason = Some(FailureReason::Chain(error));
                self.failed_call(op_id, Component::Exposure)
            }
        }
    }

    fn failed_call(&mut self, op_id: OperationId, component: Component) -> Event {
        self.note("EXEC-CALL", FailureClass::Retriable, component, op_id);
        Event::CallFailed
    }

    /// What the answer means for health and for the orders that follow.
    fn note_answer(&mut self, handshake: &Handshake) {
        if handshake.status.is_failure() {
            self.failed_order.get_or_insert(handshake.op_id);
            let class = FailureClass::OperationFailed;
            self.note("EXEC-FAILED", class, Component::Execute, handshake.op_id);
        } else if Answer::of(handshake) == Answer::Refused {
            let code = handshake.refusal.as_ref().map_or("VEN-REFUSED", |why| why.code.name());
            self.note(code, FailureClass::Refused, Component::Execute, handshake.op_id);
        }
    }

    fn note(
        &mut self,
        code: &'static str,
        class: FailureClass,
        component: Component,
        op_id: OperationId,
    ) {
        self.core.health.note(component, class, self.core.health_now);
        self.observer.incident(Incident { code, class, component, op_id, ts: self.ts });
    }

    /// The venue's call has come back without doing what it was asked.
    pub(crate) fn call_failed(&mut self, op_id: OperationId, reason: FailureReason) -> LoopRecord {
        self.note(reason.code(), FailureClass::Retriable, Component::Execute, op_id);
        match self.core.machine.on(Event::CallFailed, self.ts) {
            Ok(Step { action: Action::Finish(_), .. }) => {}
            Ok(_) => return self.fail(op_id, None, FailureReason::Wait),
            Err(illegal) => return self.fail(op_id, None, FailureReason::Transition(illegal)),
        }
        self.stop(op_id, Some(reason));
        self.record(op_id, None, Findings::default(), LoopEnd::SystemFailure)
    }

    /// Ends the loop and the run.
    pub(crate) fn fail(
        &mut self,
        op_id: OperationId,
        handshake: Option<Handshake>,
        reason: FailureReason,
    ) -> LoopRecord {
        self.core.machine.abort(self.ts);
        self.stop(op_id, Some(reason));
        self.record(op_id, handshake, Findings::default(), LoopEnd::SystemFailure)
    }

    fn stop(&mut self, op_id: OperationId, reason: Option<FailureReason>) {
        let attempts = self.core.machine.attempts();
        let attempts = attempts.compare.max(attempts.execute + attempts.query_status);
        let reason = match (self.core.machine.give_up(), reason) {
            (Some(GiveUp::Deadline), _) => FailureReason::Deadline { attempts },
            (_, Some(reason)) => reason,
            (_, None) => FailureReason::RetriesExhausted { attempts },
        };
        let component = component_of(&reason);
        self.core.health.note(component, FailureClass::Fatal, self.core.health_now);
        let state = self.core.machine.failed_in();
        let failure = SystemFailure { op_id: Some(op_id), state, ts: self.ts, reason };
        self.observer.failed(&failure);
        self.failure = Some(failure);
    }

    pub(crate) fn log(
        &mut self,
        stage: WalStage,
        op_id: OperationId,
        handshake: Option<&Handshake>,
        reconciliation: &Reconciliation,
    ) {
        let entry = match (stage, handshake) {
            (WalStage::Confirmed, Some(handshake)) => WalEntry::Confirmed(handshake),
            (WalStage::Applied, _) => WalEntry::Applied,
            (WalStage::Reconciled, _) => WalEntry::Reconciled(reconciliation),
            (WalStage::Submitted | WalStage::Intent | WalStage::Confirmed, _) => {
                WalEntry::Submitted(None)
            }
        };
        self.observer.record(WalRecord { op_id, ts: self.ts, entry });
    }

    /// The record of the loop that has just ended.
    fn record(
        &mut self,
        op_id: OperationId,
        handshake: Option<Handshake>,
        found: Findings,
        end: LoopEnd,
    ) -> LoopRecord {
        LoopRecord {
            op_id,
            attempts: self.core.machine.attempts(),
            path: self.core.machine.take_path(),
            compared: found.reconciliation.compared,
            diffs: found.reconciliation.mismatches,
            handshake,
            applied: found.applied,
            chain: found.chain,
            end,
        }
    }

    /// An end without the venue's doing: nothing takes the order, or it is skipped.
    pub(crate) fn without_venue(&mut self, handshake: Handshake, end: LoopEnd) -> LoopRecord {
        self.record(handshake.op_id, Some(handshake), Findings::default(), end)
    }

    /// Ends the run after a loop that is over.
    pub(crate) fn give_up(&mut self, op_id: OperationId, reason: FailureReason) {
        self.core.machine.abort(self.ts);
        self.stop(op_id, Some(reason));
    }

    /// Whether the interface returned early because the desk has failed.
    pub(crate) fn has_stopped(&self, error: &InterfaceError) -> bool {
        matches!(error, InterfaceError::Stopped(_)) && self.failure.is_some()
    }
}

impl Findings {
    fn give_up(&mut self, reason: FailureReason) -> Event {
        self.reason = Some(reason);
        Event::Fatal
    }
}

fn component_of(reason: &FailureReason) -> Component {
    match reason {
        FailureReason::Mismatch { .. } => Component::Reconcile,
        FailureReason::Critical(component) => *component,
        FailureReason::Apply(_) => Component::Apply,
        FailureReason::QueryReal(_) => Component::QueryReal,
        FailureReason::Chain(_) => Component::Exposure,
        FailureReason::Injected(fault) => fault.0.component,
        FailureReason::RetriesExhausted { .. }
        | FailureReason::Deadline { .. }
        | FailureReason::Interface(_)
        | FailureReason::Silent
        | FailureReason::WrongAnswer { .. }
        | FailureReason::Handshake(_)
        | FailureReason::Transition(_)
        | FailureReason::Wait => Component::Execute,
    }
}
