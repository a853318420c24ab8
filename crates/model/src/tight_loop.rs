//! The tight loop as logs see it: its states, the path through them, and what it writes ahead.

use std::fmt;

use crate::delta::OperationId;
use crate::handshake::Handshake;
use crate::interface::Submission;
use crate::reconciliation::{Mismatch, Reconciliation};
use crate::time::UtcMillis;

/// Where a loop is (07 §9.1): seven states and the one that nothing leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LoopState {
    /// No loop is under way.
    #[default]
    Idle,
    /// Looking for the interface that takes the order.
    Routing,
    /// Waiting for the venue's answer.
    Executing,
    /// Applying what it changed, comparing both books, valuing.
    Reconciling,
    /// Waiting before the next attempt.
    Retry,
    /// Over, and as it was wanted.
    Success,
    /// Over, and not as it was wanted; the run goes on.
    Failure,
    /// Over, and the run with it.
    SystemFailure,
}

impl LoopState {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::Idle,
        Self::Routing,
        Self::Executing,
        Self::Reconciling,
        Self::Retry,
        Self::Success,
        Self::Failure,
        Self::SystemFailure,
    ];

    /// The state as logs show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Routing => "routing",
            Self::Executing => "executing",
            Self::Reconciling => "reconciling",
            Self::Retry => "retry",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::SystemFailure => "system_failure",
        }
    }

    /// Whether the loop is over.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Success | Self::Failure | Self::SystemFailure)
    }
}

/// A state and when it was entered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stop {
    /// The state.
    pub state: LoopState,
    /// When: engine time in backtests, the injected clock in live.
    pub at: UtcMillis,
}

/// The states that one loop went through, from the one that it entered first.
///
/// A loop without retries fits in place; only retries of live runs take memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatePath {
    first: [Stop; Self::IN_PLACE],
    length: usize,
    rest: Vec<Stop>,
}

impl StatePath {
    const IN_PLACE: usize = 6;

    /// Adds a state.
    pub fn push(&mut self, state: LoopState, at: UtcMillis) {
        let stop = Stop { state, at };
        match self.first.get_mut(self.length) {
            Some(place) => *place = stop,
            None => self.rest.push(stop),
        }
        self.length += 1;
    }

    /// The states in order.
    pub fn iter(&self) -> impl Iterator<Item = Stop> + '_ {
        let in_place = self.length.min(Self::IN_PLACE);
        self.first[..in_place].iter().chain(&self.rest).copied()
    }

    /// How many states it has.
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether no state was entered: the order was skipped.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }
}

/// `routing > executing > success`.
impl fmt::Display for StatePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, stop) in self.iter().enumerate() {
            let arrow = if place == 0 { "" } else { " > " };
            write!(formatter, "{arrow}{}", stop.state.name())?;
        }
        Ok(())
    }
}

/// How often each step of a loop was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// The order was sent; once, unless the venue says that it has never seen it.
    pub execute: u32,
    /// The venue was asked what became of it.
    pub query_status: u32,
    /// The changes were applied; never more than once.
    pub apply: u32,
    /// Real positions were asked for and compared.
    pub compare: u32,
    /// Exposure, risk and result were computed.
    pub chain: u32,
}

/// How a loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LoopEnd {
    /// As wanted: filled, resting, or canceled as asked.
    Success,
    /// Refused, or tried and failed; the run goes on.
    Failure,
    /// The run ends.
    SystemFailure,
    /// It never began: an order before it failed.
    Skipped,
}

impl LoopEnd {
    /// The end as logs show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::SystemFailure => "system_failure",
            Self::Skipped => "skipped",
        }
    }
}

/// A stage of which a loop leaves word before it goes on (07 §9.1); in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WalStage {
    /// An order is about to be routed.
    Intent,
    /// It is about to be sent, under its operation's name.
    Submitted,
    /// The venue says what it changed; about to be applied.
    Confirmed,
    /// The changes are in our books; about to be compared.
    Applied,
    /// Both books agree, and the account is valued.
    Reconciled,
}

impl WalStage {
    /// All stages, in order.
    pub const ALL: [Self; 5] =
        [Self::Intent, Self::Submitted, Self::Confirmed, Self::Applied, Self::Reconciled];

    /// The stage as logs show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intent => "INTENT",
            Self::Submitted => "SUBMITTED",
            Self::Confirmed => "CONFIRMED",
            Self::Applied => "APPLIED",
            Self::Reconciled => "RECONCILED",
        }
    }
}

/// One record that is written ahead, with what a restart needs of it.
#[derive(Clone, Copy, Debug)]
pub struct WalRecord<'a> {
    /// Name of the operation.
    pub op_id: OperationId,
    /// When.
    pub ts: UtcMillis,
    /// Which stage, and its evidence.
    pub entry: WalEntry<'a>,
}

/// A stage with its evidence, on loan for as long as it takes to log it.
#[derive(Clone, Copy, Debug)]
pub enum WalEntry<'a> {
    /// See [`WalStage::Intent`].
    Intent(&'a Submission),
    /// See [`WalStage::Submitted`]; without a submission, a venue has begun the loop.
    Submitted(Option<&'a Submission>),
    /// See [`WalStage::Confirmed`].
    Confirmed(&'a Handshake),
    /// See [`WalStage::Applied`].
    Applied,
    /// See [`WalStage::Reconciled`].
    Reconciled(&'a Reconciliation),
}

impl WalRecord<'_> {
    /// The stage.
    pub const fn stage(&self) -> WalStage {
        match self.entry {
            WalEntry::Intent(_) => WalStage::Intent,
            WalEntry::Submitted(_) => WalStage::Submitted,
            WalEntry::Confirmed(_) => WalStage::Confirmed,
            WalEntry::Applied => WalStage::Applied,
            WalEntry::Reconciled(_) => WalStage::Reconciled,
        }
    }
}

/// What is logged of one loop (07 §9.5).
#[derive(Clone, Debug, PartialEq)]
pub struct LoopRecord {
    /// Name of the operation.
    pub op_id: OperationId,
    /// The states it went through, and when.
    pub path: StatePath,
    /// How often each step was tried.
    pub attempts: Attempts,
    /// Positions compared last; zero if nothing was.
    pub compared: usize,
    /// Where both books differed last; empty if they agreed or were not compared.
    pub diffs: Vec<Mismatch>,
    /// The venue's answer with its deltas; `None` if none came.
    pub handshake: Option<Handshake>,
    /// Whether the deltas of the answer are in our books.
    pub applied: bool,
    /// The commit of the four snapshots that value the account after it.
    pub chain: Option<ChainCommit>,
    /// How it ended.
    pub end: LoopEnd,
}

/// Number of a commit of positions, exposure, risk and result, which are committed together (D33).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainCommit(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_every_state_in_order_however_long_it_gets() {
        let mut path = StatePath::default();
        assert!(path.is_empty());
        let states: Vec<_> = LoopState::ALL.into_iter().cycle().take(20).collect();
        for (at, state) in (0..).zip(&states) {
            path.push(*state, UtcMillis::new(at));
        }
        assert_eq!(path.len(), 20);
        assert_eq!(path.iter().map(|stop| stop.state).collect::<Vec<_>>(), states);
        assert_eq!(path.iter().last().unwrap().at, UtcMillis::new(19));
    }

    #[test]
    fn a_path_reads_as_its_states() {
        let mut path = StatePath::default();
        path.push(LoopState::Routing, UtcMillis::new(0));
        path.push(LoopState::Failure, UtcMillis::new(0));
        assert_eq!(path.to_string(), "routing > failure");
    }
}
