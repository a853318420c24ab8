//! The ledger at its port.

use ledger::{Application, LedgerError as Refused, PositionUpdateHandler};
use model::handshake::Handshake;
use model::interface::InterfaceError;
use model::order::{OrderId, OrderUpdate};
use model::reconciliation::Reconciliation;
use model::snapshot::Reservation;
use model::tight_loop::ChainCommit;
use model::time::UtcMillis;

use crate::failure::BoxError;
use crate::ports::{LedgerError, LedgerPort};

impl LedgerPort for PositionUpdateHandler {
    fn apply(&mut self, handshake: &mut Handshake) -> Result<Application, LedgerError> {
        match PositionUpdateHandler::apply(self, handshake) {
            Ok(application) => Ok(application),
            Err(Refused::Conflict { op_id }) => Err(LedgerError::Conflict { op_id }),
            Err(refused) => Err(LedgerError::Invalid(Box::new(refused))),
        }
    }

    fn query_real(&mut self) -> Result<(), InterfaceError> {
        PositionUpdateHandler::query_real(self)
    }

    fn reconcile(&mut self) -> Reconciliation {
        PositionUpdateHandler::reconcile(self)
    }

    fn run_chain(&mut self, ts: UtcMillis) -> Result<ChainCommit, BoxError> {
        Ok(PositionUpdateHandler::run_chain(self, ts)?)
    }

    fn follow(&mut self, update: &OrderUpdate) {
        self.follow_order(update);
    }

    fn lock(&mut self, order_id: OrderId, reserved: Reservation) {
        self.lock_order(order_id, reserved);
    }
}
