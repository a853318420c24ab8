//! Failures: the four classes of 07 §9.3, their severities, and the one that ends the run.

use std::error::Error;

use model::delta::OperationId;
use model::handshake::HandshakeFault;
use model::interface::InterfaceError;
use model::reconciliation::Mismatch;
use model::tight_loop::LoopState;
use model::time::UtcMillis;

use crate::fault_injection::InjectedFault;
use crate::ports::LedgerError;
use crate::tight_loop::IllegalEvent;

/// The cause of a failure, whatever its type.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What kind of failure it is; there is no fifth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureClass {
    /// The run ends.
    Fatal,
    /// Trying again may help; live and staging only.
    Retriable,
    /// It was tried and failed: `on_failed_order` decides.
    OperationFailed,
    /// Normal business: an event, and the strategy is told.
    Refused,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Low,
    /// Bad if it goes on.
    Medium,
    /// Something was not done.
    High,
    /// The run ends.
    Critical,
}

impl FailureClass {
    /// How bad failures of the class are.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Fatal => Severity::Critical,
            Self::OperationFailed => Severity::High,
            Self::Retriable => Severity::Medium,
            Self::Refused => Severity::Low,
        }
    }

    /// Whether health suffers from it.
    pub const fn is_error(self) -> bool {
        !matches!(self, Self::Refused)
    }
}

impl Severity {
    /// The severity as logs show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

/// A part of the tight loop that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// Finding the interface.
    Route,
    /// The venue's interface.
    Execute,
    /// Applying deltas.
    Apply,
    /// Asking venues what they hold.
    QueryReal,
    /// Comparing both books.
    Reconcile,
    /// Exposure.
    Exposure,
    /// Risk.
    Risk,
    /// Result.
    Pnl,
}

impl Component {
    /// All components, in the order of the loop.
    pub const ALL: [Self; 8] = [
        Self::Route,
        Self::Execute,
        Self::Apply,
        Self::QueryReal,
        Self::Reconcile,
        Self::Exposure,
        Self::Risk,
        Self::Pnl,
    ];

    /// The component as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Execute => "execute",
            Self::Apply => "apply",
            Self::QueryReal => "query_real",
            Self::Reconcile => "reconcile",
            Self::Exposure => "exposure",
            Self::Risk => "risk",
            Self::Pnl => "pnl",
        }
    }
}

/// Something that went wrong, or was refused, and that the run survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incident {
    /// A code (D69).
    pub code: &'static str,
    /// Which kind of failure.
    pub class: FailureClass,
    /// Which part of the loop.
    pub component: Component,
    /// In which operation.
    pub op_id: OperationId,
    /// When.
    pub ts: UtcMillis,
}

/// The run cannot go on: returned up to `main`, which ends with exit code 70 (D53).
#[derive(Debug, thiserror::Error)]
#[error("{code}: {what} failed while {state}", code = reason.code(), what = Of(*op_id), state = state.name())]
pub struct SystemFailure {
    /// Which operation, if one was under way.
    pub op_id: Option<OperationId>,
    /// Where its loop was.
    pub state: LoopState,
    /// When.
    pub ts: UtcMillis,
    /// Why.
    #[source]
    pub reason: FailureReason,
}

struct Of(Option<OperationId>);

impl std::fmt::Display for Of {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(op_id) => op_id.fmt(formatter),
            None => formatter.write_str("execution"),
        }
    }
}

impl SystemFailure {
    /// The code of its reason.
    pub const fn code(&self) -> &'static str {
        self.reason.code()
    }
}

/// Why the run cannot go on.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum FailureReason {
    #[error(
        "{count} positions differ between both books, the first one by {difference}",
        difference = .first.difference()
    )]
    Mismatch { count: usize, first: Box<Mismatch> },

    #[error("no attempt is left after {attempts}")]
    RetriesExhausted { attempts: u32 },

    #[error("no time is left after {attempts} attempts")]
    Deadline { attempts: u32 },

    #[error("the component {} is in a critical state", .0.name())]
    Critical(Component),

    #[error("the venue did not execute")]
    Interface(#[source] InterfaceError),

    #[error("the venue gave no answer")]
    Silent,

    #[error("the venue answered for {found}")]
    WrongAnswer { found: OperationId },

    #[error("the venue contradicts itself")]
    Handshake(#[source] HandshakeFault),

    #[error("the changes cannot be applied")]
    Apply(#[source] LedgerError),

    #[error("real positions cannot be queried")]
    QueryReal(#[source] InterfaceError),

    #[error("the account cannot be valued")]
    Chain(#[source] BoxError),

    #[error("the loop has lost its way")]
    Transition(#[source] IllegalEvent),

    #[error("a synchronous loop would have to wait")]
    Wait,

    #[error("a failure was asked for")]
    Injected(#[source] InjectedFault),
}

impl FailureReason {
    /// The code (D69).
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Mismatch { .. } => "REC-MISMATCH",
            Self::RetriesExhausted { .. } => "EXEC-RETRIES",
            Self::Deadline { .. } => "EXEC-DEADLINE",
            Self::Critical(_) => "EXEC-CRITICAL",
            Self::Interface(_) => "EXEC-INTERFACE",
            Self::Silent => "EXEC-SILENT",
            Self::WrongAnswer { .. } => "EXEC-ANSWER",
            Self::Handshake(_) => "EXEC-HANDSHAKE",
            Self::Apply(_) => "POS-APPLY",
            Self::QueryReal(_) => "POS-QUERY",
            Self::Chain(_) => "EXEC-CHAIN",
            Self::Transition(_) => "EXEC-TRANSITION",
            Self::Wait => "EXEC-WAIT",
            Self::Injected(_) => "EXEC-INJECTED",
        }
    }
}
