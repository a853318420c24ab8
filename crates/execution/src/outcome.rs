//! Outcomes: what has become of every order that was handed over.

use std::sync::Arc;

use model::delta::{OperationId, Subject};
use model::handshake::{Handshake, HandshakeStatus};
use model::interface::Submission;
use model::money::Quantity;
use model::order::{OrderId, OrderStatus, OrderUpdate, Origin, Refusal, RefusalCode, StrategyIx};
use model::tight_loop::{Attempts, LoopEnd, LoopRecord, StatePath};
use model::time::UtcMillis;

use crate::failure::SystemFailure;
use crate::ports::LoopObserver;

/// What has become of one order or atomic group.
#[derive(Debug)]
pub struct OrderOutcome {
    /// What was handed over.
    pub submission: Submission,
    /// Its loop, with handshake, comparison, path and attempts.
    pub record: LoopRecord,
}

impl OrderOutcome {
    /// How the venue answered; `None` if the run ended before it did.
    pub fn status(&self) -> Option<HandshakeStatus> {
        self.record.handshake.as_ref().map(|handshake| handshake.status)
    }

    /// Whether it never began because an order before it failed.
    pub const fn is_skipped(&self) -> bool {
        matches!(self.record.end, LoopEnd::Skipped)
    }
}

/// What has become of a list of orders.
#[derive(Debug)]
#[must_use = "the run may have to end"]
pub struct Processed {
    /// One outcome per order, in the order of the list.
    pub outcomes: Vec<OrderOutcome>,
    /// Whether, and why, the run has to end.
    pub ending: Result<(), RunStop>,
}

/// Why the run has to end.
#[derive(Debug, thiserror::Error)]
pub enum RunStop {
    /// An operation was tried and failed, and `on_failed_order` is `abort_run`; the frame is finished
    /// first.
    #[error("EXEC-FAILED: {op_id} failed (on_failed_order = \"abort_run\")")]
    OrderFailed {
        /// Which operation.
        op_id: OperationId,
    },
    /// The circuit breaker has latched, and `on_critical` is `stop_run`; the frame is finished first.
    #[error("RISK-CRITICAL: {cause} at {ts} (on_critical = \"stop_run\")")]
    Critical {
        /// Which risk turned critical, or that a venue liquidated.
        cause: &'static str,
        /// When.
        ts: UtcMillis,
    },
    /// Nothing can go on.
    #[error(transparent)]
    System(#[from] SystemFailure),
}

/// Name of the operation that a submission is.
///
/// # Panics
///
/// On a group without members, which the gate does not let through.
pub fn op_id_of(submission: &Submission) -> OperationId {
    match submission {
        Submission::Trade(order) => OperationId::submission(order.order_id),
        Submission::Operation(order) => OperationId::submission(order.order_id),
        Submission::Group(members) => {
            let first = members.first().expect("the gate lets no empty group through");
            match first.request.atomic {
                Some(slot) => OperationId { subject: Subject::Group(slot.group), number: 0 },
                None => OperationId::submission(first.order_id),
            }
        }
    }
}

/// The strategy and the instant of the decision: orders that were asked for together share both.
pub(crate) fn intent_group_of(submission: &Submission) -> (StrategyIx, UtcMillis) {
    match submission {
        Submission::Trade(order) => (order.order_id.strategy, order.ts_decided),
        Submission::Operation(order) => (order.order_id.strategy, order.ts_decided),
        Submission::Group(members) => {
            let first = members.first().expect("the gate lets no empty group through");
            (first.order_id.strategy, first.ts_decided)
        }
    }
}

/// Where a submission comes from.
pub(crate) fn origin_of(submission: &Submission) -> Origin {
    match submission {
        Submission::Trade(order) => order.origin,
        Submission::Operation(order) => order.request.origin,
        Submission::Group(members) => {
            members.first().map_or(Origin::Strategy, |first| first.request.origin)
        }
    }
}

/// Tells of the orders of a submission that they have ended, if its loop was refused.
pub fn tell_end(
    submission: &Submission,
    status: OrderStatus,
    record: &LoopRecord,
    observer: &mut dyn LoopObserver,
) {
    let handshake = record.handshake.as_ref();
    let Some(refusal) = handshake.and_then(|handshake| handshake.refusal.as_ref()) else { return };
    for update in ends_of(submission, status, refusal) {
        observer.update(Arc::new(update));
    }
}

/// News that the orders of a submission never reached their venue, because of a refusal.
pub fn ends_of(
    submission: &Submission,
    status: OrderStatus,
    refusal: &Refusal,
) -> Vec<OrderUpdate> {
    let end = |order_id: OrderId| OrderUpdate {
        order_id,
        status,
        order_qty: None,
        cum_qty: Quantity::ZERO,
        avg_px: None,
        refusal: Some(refusal.clone()),
        terms: None,
        repeats: None,
    };
    match submission {
        Submission::Trade(order) => vec![end(order.order_id)],
        Submission::Operation(order) => vec![end(order.order_id)],
        Submission::Group(members) => members.iter().map(|member| end(member.order_id)).collect(),
    }
}

/// The outcome of an order that is not executed because one before it failed, or orders are blocked.
pub fn skipped(submission: &Submission, code: RefusalCode, ts: UtcMillis) -> LoopRecord {
    let op_id = op_id_of(submission);
    let handshake = Handshake::without_deltas(op_id, HandshakeStatus::Canceled, ts)
        .because(Refusal::new(code, "skipped"));
    LoopRecord {
        op_id,
        path: StatePath::default(),
        attempts: Attempts::default(),
        compared: 0,
        diffs: Vec::new(),
        handshake: Some(handshake),
        applied: false,
        chain: None,
        end: LoopEnd::Skipped,
    }
}
