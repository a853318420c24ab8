//! The machine: legal transitions, attempts and deadlines.

use std::mem;

use model::tight_loop::{Attempts, LoopEnd, LoopState, StatePath, WalStage};
use model::time::UtcMillis;

use super::{Action, Answer, Event, Step};
use crate::profile::RetryPolicy;

/// One tight loop after the other; never two at once.
#[derive(Clone, Debug)]
pub struct TightLoop {
    policy: RetryPolicy,
    state: LoopState,
    waits_for: WaitsFor,
    path: StatePath,
    attempts: Attempts,
    /// Calls of the venue that have failed, or were answered with "not yet".
    failed_calls: u32,
    /// Comparisons that have failed: a mismatch, or an error on the way.
    failed_compares: u32,
    /// Instant from which nothing more is tried.
    deadline: Option<UtcMillis>,
    /// What was applied is the gas of a failure: agreement ends in Failure.
    only_gas: bool,
    give_up: Option<GiveUp>,
    /// The state that the failure struck.
    failed_in: LoopState,
}

/// Which event the present state waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum WaitsFor {
    #[default]
    Order,
    Route,
    /// The answer to a submission, or what a venue reports on its own.
    Answer,
    /// The answer to the question what became of an order.
    Status,
    Applied,
    Compared,
    Valued,
    TimerOfStatus,
    TimerOfCompare,
}

/// The last word that a loop left before the process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// It was about to be sent: the venue is asked what became of it.
    Submitted,
    /// What it changed was about to be applied.
    Confirmed {
        /// Whether that is the gas of a failure.
        only_gas: bool,
    },
    /// It was applied: both books are compared.
    Applied {
        /// Whether that was the gas of a failure.
        only_gas: bool,
    },
}

/// Why a loop ended the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GiveUp {
    /// No attempt is left.
    RetriesExhausted,
    /// No time is left.
    Deadline,
    /// Nobody can go on from what has happened.
    Fatal,
}

/// An event that the state does not know: a driver at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("EXEC-TRANSITION: {event:?} while {}", state.name())]
pub struct IllegalEvent {
    /// The state, unchanged.
    pub state: LoopState,
    /// The event.
    pub event: Event,
}

impl TightLoop {
    /// A machine at rest.
    pub fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            state: LoopState::Idle,
            waits_for: WaitsFor::Order,
            path: StatePath::default(),
            attempts: Attempts::default(),
            failed_calls: 0,
            failed_compares: 0,
            deadline: None,
            only_gas: false,
            give_up: None,
            failed_in: LoopState::Idle,
        }
    }

    /// Where it is.
    pub const fn state(&self) -> LoopState {
        self.state
    }

    /// How often each step of the present loop was begun.
    pub const fn attempts(&self) -> Attempts {
        self.attempts
    }

    /// Why it ended the run, if it did.
    pub const fn give_up(&self) -> Option<GiveUp> {
        self.give_up
    }

    /// The state in which it failed; idle if it has not.
    pub const fn failed_in(&self) -> LoopState {
        self.failed_in
    }

    /// The states of the loop that has ended; they are forgotten.
    pub fn take_path(&mut self) -> StatePath {
        mem::take(&mut self.path)
    }

    /// Takes an event at `now` and says what to do.
    ///
    /// # Errors
    ///
    /// An event that the state does not know; the state stays as it is.
    pub fn on(&mut self, event: Event, now: UtcMillis) -> Result<Step, IllegalEvent> {
        use LoopState::{Executing, Failure, Idle, Reconciling, Retry, Routing, Success};
        let illegal = IllegalEvent { state: self.state, event };
        Ok(match (self.state, self.waits_for, event) {
            (LoopState::SystemFailure, ..) => return Err(illegal),
            (.., Event::Fatal) | (Routing, _, Event::CallFailed) => self.fail(GiveUp::Fatal, now),

            (Idle | Success | Failure, _, Event::Order) => self.begin(Routing, now),
            (Idle, _, Event::Report) => self.begin(Executing, now),
            (Success | Failure, _, Event::ListDone) => self.rest(),

            (Routing, WaitsFor::Route, Event::Routed) => self.submit(now),
            (Routing, WaitsFor::Route, Event::NotRouted) => self.end(LoopEnd::Failure, now),

            (Executing, WaitsFor::Answer | WaitsFor::Status, Event::Answered(answer)) => {
                self.answered(answer, now)
            }
            (Executing, WaitsFor::Status, Event::Unknown) => self.execute(now),
            (Executing, WaitsFor::Answer | WaitsFor::Status, Event::CallFailed) => {
                self.ask_later(now)
            }

            (Reconciling, WaitsFor::Applied, Event::Applied) => {
                let Step { action, .. } = self.compare(now);
                Step { log: Some(WalStage::Applied), action }
            }
            (Reconciling, WaitsFor::Compared, Event::Compared { agree: true }) => self.value(),
            (Reconciling, WaitsFor::Compared, Event::Compared { agree: false })
            | (Reconciling, WaitsFor::Compared | WaitsFor::Valued, Event::CallFailed) => {
                self.compare_later(now)
            }
            (Reconciling, WaitsFor::Valued, Event::Valued) => {
                let end = if self.only_gas { LoopEnd::Failure } else { LoopEnd::Success };
                let Step { action, .. } = self.end(end, now);
                Step::after(WalStage::Reconciled, action)
            }

            (Retry, WaitsFor::TimerOfStatus, Event::Elapsed) => self.ask(now),
            (Retry, WaitsFor::TimerOfCompare, Event::Elapsed) => {
                if self.is_late(now) {
                    return Ok(self.fail(GiveUp::Deadline, now));
                }
                self.enter(Reconciling, WaitsFor::Compared, now);
                self.compare(now)
            }
            _ => return Err(illegal),
        })
    }

    /// Takes up a loop that a restart found half done (07 §9.4).
    ///
    /// # Errors
    ///
    /// Another loop is under way.
    pub fn resume(&mut self, from: Resume, now: UtcMillis) -> Result<Step, IllegalEvent> {
        if self.state != LoopState::Idle {
            return Err(IllegalEvent { state: self.state, event: Event::Report });
        }
        self.forget();
        self.start_clock(now);
        Ok(match from {
            Resume::Submitted => self.ask(now),
            Resume::Confirmed { only_gas } => {
                self.only_gas = only_gas;
                self.enter(LoopState::Reconciling, WaitsFor::Applied, now);
                self.attempts.apply += 1;
                Step::of(Action::Apply)
            }
            Resume::Applied { only_gas } => {
                self.only_gas = only_gas;
                self.enter(LoopState::Reconciling, WaitsFor::Compared, now);
                self.compare(now)
            }
        })
    }

    /// Ends the loop and the run; a machine that has failed already stays as it is.
    pub fn abort(&mut self, now: UtcMillis) {
        if self.state != LoopState::SystemFailure {
            self.fail(GiveUp::Fatal, now);
        }
    }

    fn begin(&mut self, state: LoopState, now: UtcMillis) -> Step {
        self.forget();
        if state == LoopState::Routing {
            self.enter(state, WaitsFor::Route, now);
            return Step::after(WalStage::Intent, Action::Route);
        }
        self.start_clock(now);
        self.enter(state, WaitsFor::Answer, now);
        Step::after(WalStage::Submitted, Action::TakeHandshake)
    }

    fn submit(&mut self, now: UtcMillis) -> Step {
        self.start_clock(now);
        self.enter(LoopState::Executing, WaitsFor::Answer, now);
        self.attempts.execute += 1;
        Step::after(WalStage::Submitted, Action::Execute)
    }

    /// Sends again what the venue has never seen, under the same name.
    fn execute(&mut self, now: UtcMillis) -> Step {
        if self.is_late(now) {
            return self.fail(GiveUp::Deadline, now);
        }
        self.waits_for = WaitsFor::Answer;
        self.attempts.execute += 1;
        Step::of(Action::Execute)
    }

    fn answered(&mut self, answer: Answer, now: UtcMillis) -> Step {
        match answer {
            Answer::AsAsked => self.end(LoopEnd::Success, now),
            Answer::Refused | Answer::FailedFree => self.end(LoopEnd::Failure, now),
            Answer::Pending => self.ask_later(now),
            Answer::Changed | Answer::FailedWithGas => {
                self.only_gas = answer == Answer::FailedWithGas;
                self.enter(LoopState::Reconciling, WaitsFor::Applied, now);
                self.attempts.apply += 1;
                Step::after(WalStage::Confirmed, Action::Apply)
            }
        }
    }

    fn ask_later(&mut self, now: UtcMillis) -> Step {
        self.failed_calls += 1;
        self.sleep(self.policy.call.wait_ms(self.failed_calls), WaitsFor::TimerOfStatus, now)
    }

    fn ask(&mut self, now: UtcMillis) -> Step {
        if self.is_late(now) {
            return self.fail(GiveUp::Deadline, now);
        }
        self.enter(LoopState::Executing, WaitsFor::Status, now);
        self.attempts.query_status += 1;
        Step::of(Action::QueryStatus)
    }

    /// The first comparison may come at any time: what was applied must be looked at once.
    fn compare(&mut self, now: UtcMillis) -> Step {
        if self.attempts.compare > 0 && self.is_late(now) {
            return self.fail(GiveUp::Deadline, now);
        }
        self.waits_for = WaitsFor::Compared;
        self.attempts.compare += 1;
        Step::of(Action::Compare)
    }

    fn compare_later(&mut self, now: UtcMillis) -> Step {
        self.failed_compares += 1;
        let wait = self.policy.reconcile_wait_ms(self.failed_compares);
        self.sleep(wait, WaitsFor::TimerOfCompare, now)
    }

    fn value(&mut self) -> Step {
        self.waits_for = WaitsFor::Valued;
        self.attempts.chain += 1;
        Step::of(Action::RunChain)
    }

    fn sleep(&mut self, wait_ms: Option<i64>, then: WaitsFor, now: UtcMillis) -> Step {
        let Some(ms) = wait_ms else { return self.fail(GiveUp::RetriesExhausted, now) };
        if self.is_late(now) {
            return self.fail(GiveUp::Deadline, now);
        }
        // Nothing is tried after the deadline, so there is nothing to wait for beyond it.
        let left = self.deadline.map_or(ms, |deadline| deadline.millis() - now.millis());
        self.enter(LoopState::Retry, then, now);
        Step::of(Action::Sleep { ms: ms.min(left) })
    }

    fn end(&mut self, end: LoopEnd, now: UtcMillis) -> Step {
        let state = match end {
            LoopEnd::Success => LoopState::Success,
            LoopEnd::Failure | LoopEnd::Skipped => LoopState::Failure,
            LoopEnd::SystemFailure => LoopState::SystemFailure,
        };
        self.enter(state, WaitsFor::Order, now);
        Step::of(Action::Finish(end))
    }

    fn fail(&mut self, give_up: GiveUp, now: UtcMillis) -> Step {
        self.give_up = Some(give_up);
        self.failed_in = self.state;
        self.end(LoopEnd::SystemFailure, now)
    }

    fn rest(&mut self) -> Step {
        self.state = LoopState::Idle;
        self.waits_for = WaitsFor::Order;
        Step::of(Action::Rest)
    }

    fn forget(&mut self) {
        self.path = StatePath::default();
        self.attempts = Attempts::default();
        self.failed_calls = 0;
        self.failed_compares = 0;
        self.deadline = None;
        self.only_gas = false;
    }

    fn start_clock(&mut self, now: UtcMillis) {
        let deadline_ms = self.policy.deadline_ms;
        self.deadline = deadline_ms.map(|ms| UtcMillis::new(now.millis() + ms));
    }

    fn enter(&mut self, state: LoopState, waits_for: WaitsFor, now: UtcMillis) {
        self.state = state;
        self.waits_for = waits_for;
        self.path.push(state, now);
    }

    fn is_late(&self, now: UtcMillis) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }
}
