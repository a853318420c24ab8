//! What happens to a tight loop, and what it wants done.

use model::handshake::{Handshake, HandshakeStatus};
use model::order::RefusalCode;
use model::tight_loop::{LoopEnd, WalStage};

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// There is an order to execute: the first of a list, or the next one.
    Order,
    /// A venue reports on its own: a later fill, expiry or cancel, or a liquidation.
    Report,
    /// An interface takes the order.
    Routed,
    /// No interface takes it.
    NotRouted,
    /// The venue has answered.
    Answered(Answer),
    /// Asked for its status, the venue says that it has never seen the order.
    Unknown,
    /// The changes are in our books, now or already.
    Applied,
    /// Both books were compared.
    Compared {
        /// Whether they agree.
        agree: bool,
    },
    /// All four snapshots were committed.
    Valued,
    /// The call under way failed, timed out included; trying again may help.
    CallFailed,
    /// The wait is over.
    Elapsed,
    /// What nobody can go on from: a fatal error, or a component in a critical state.
    Fatal,
    /// The list is done.
    ListDone,
}

/// What a handshake means for the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It changed something: there are fills, or an operation is complete.
    Changed,
    /// It rests, or a cancel that was asked for has succeeded; nothing to apply.
    AsAsked,
    /// Refused, or ended without a fill; nothing to apply.
    Refused,
    /// Tried and failed at no cost.
    FailedFree,
    /// Tried and failed; gas is to be applied.
    FailedWithGas,
    /// The venue has not said yet.
    Pending,
}

impl Answer {
    /// What a handshake means, by the rows of 07 §9.1 that leave Executing.
    pub fn of(handshake: &Handshake) -> Self {
        let is_empty = handshake.deltas.is_empty();
        match handshake.status {
            HandshakeStatus::Confirmed | HandshakeStatus::Partial => Self::Changed,
            HandshakeStatus::Working => Self::AsAsked,
            HandshakeStatus::Pending => Self::Pending,
            HandshakeStatus::Failed | HandshakeStatus::RolledBack if is_empty => Self::FailedFree,
            HandshakeStatus::Failed | HandshakeStatus::RolledBack => Self::FailedWithGas,
            HandshakeStatus::Canceled | HandshakeStatus::Expired if !is_empty => Self::Changed,
            HandshakeStatus::Canceled if was_asked_for(handshake) => Self::AsAsked,
            HandshakeStatus::Rejected | HandshakeStatus::Canceled | HandshakeStatus::Expired => {
                Self::Refused
            }
        }
    }
}

fn was_asked_for(handshake: &Handshake) -> bool {
    handshake.refusal.as_ref().is_some_and(|refusal| refusal.code == RefusalCode::Canceled)
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Look for the interface.
    Route,
    /// Send the order; the only action that does.
    Execute,
    /// Ask the venue by client id what became of it; nothing is sent again.
    QueryStatus,
    /// Take the handshake that the venue has reported.
    TakeHandshake,
    /// Apply the deltas of the handshake; asked for once in a loop.
    Apply,
    /// Query real positions, then compare.
    Compare,
    /// Exposure, risk and result, committed together.
    RunChain,
    /// Wait.
    Sleep {
        /// So many milliseconds.
        ms: i64,
    },
    /// The loop is over.
    Finish(LoopEnd),
    /// All loops are over.
    Rest,
}

/// An action, and what is logged before it is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// To be logged first.
    pub log: Option<WalStage>,
    /// To be done then.
    pub action: Action,
}

impl Step {
    pub(super) const fn of(action: Action) -> Self {
        Self { log: None, action }
    }

    pub(super) const fn after(stage: WalStage, action: Action) -> Self {
        Self { log: Some(stage), action }
    }
}
