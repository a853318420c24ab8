//! Ports: what the execution manager needs from the ledger, and whom it tells.

use std::sync::Arc;

pub use ledger::Application;
use model::delta::OperationId;
use model::handshake::Handshake;
use model::interface::InterfaceError;
use model::order::{OrderId, OrderUpdate};
use model::reconciliation::Reconciliation;
use model::snapshot::Reservation;
use model::tight_loop::{ChainCommit, LoopRecord, WalRecord};
use model::time::UtcMillis;

use crate::failure::{BoxError, Incident, SystemFailure};

/// The ledger as the execution manager sees it: it can ask for changes, but not make them.
pub trait LedgerPort {
    /// Applies the changes of one operation, unless they have been applied already (D06). What only
    /// the ledger knows of a fill is written into it.
    ///
    /// # Errors
    ///
    /// They break a rule of the books, and nothing was applied.
    fn apply(&mut self, handshake: &mut Handshake) -> Result<Application, LedgerError>;

    /// Asks every venue what it holds for us.
    ///
    /// # Errors
    ///
    /// A venue could not be reached, or its answer is stale.
    fn query_real(&mut self) -> Result<(), InterfaceError>;

    /// Compares both books; changes nothing, so it may be repeated.
    fn reconcile(&mut self) -> Reconciliation;

    /// Computes exposure, risk and result after the positions and commits all four.
    ///
    /// # Errors
    ///
    /// One of them failed, and none was committed.
    fn run_chain(&mut self, ts: UtcMillis) -> Result<ChainCommit, BoxError>;

    /// Follows an order that works.
    fn follow(&mut self, _update: &OrderUpdate) {}

    /// Sets aside what a working order may still need.
    fn lock(&mut self, _order_id: OrderId, _reserved: Reservation) {}
}

/// Why changes were not applied.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The operation was applied with other changes.
    #[error("POS-IDEMPOTENCY: {op_id} was applied with other changes")]
    Conflict {
        /// Name of the operation.
        op_id: OperationId,
    },
    /// They break a rule of the books.
    #[error("the changes are invalid")]
    Invalid(#[source] BoxError),
}

/// Whom the manager tells; everything in the order in which it happens.
pub trait LoopObserver {
    /// Something is about to happen: to be logged before it does.
    fn record(&mut self, record: WalRecord<'_>);

    /// News of an order.
    fn update(&mut self, update: Arc<OrderUpdate>);

    /// What a working order may still need has changed; the ledger knows.
    fn locked(&mut self, _order_id: OrderId, _reserved: Reservation) {}

    /// A loop is over.
    fn finished(&mut self, record: &LoopRecord);

    /// Something went wrong, and the run goes on.
    fn incident(&mut self, incident: Incident);

    /// Something went wrong, and the run ends.
    fn failed(&mut self, failure: &SystemFailure);
}
