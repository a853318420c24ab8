//! The clerk: takes what venues report, one report at a time, and tells the bus.

use std::sync::Arc;

use engine::delivery::Outbox;
use ledger::PositionUpdateHandler;
use model::Decimal;
use model::event::Payload;
use model::handshake::{Handshake, VenueReport};
use model::instrument::InstrumentTable;
use model::interface::{Desk, Stopped};
use model::order::OrderUpdate;
use model::snapshot::Reservation;

use crate::execution_service::ExecutionError;

/// Our ledger and the bus, as venues see them while they work.
#[derive(Debug)]
pub(crate) struct Clerk<'a> {
    pub(crate) instruments: &'a InstrumentTable,
    pub(crate) ledger: &'a mut PositionUpdateHandler,
    pub(crate) outbox: &'a mut Outbox,
    /// Executions so far.
    pub(crate) fills: &'a mut i64,
    /// Why the desk has stopped.
    pub(crate) error: Option<ExecutionError>,
}

impl Clerk<'_> {
    /// The result of a step of a venue, with the reason of a desk that has stopped.
    pub(crate) fn close<T>(self, result: Result<T, Stopped>) -> Result<T, ExecutionError> {
        result.map_err(|Stopped| self.error.expect("a desk that has stopped knows why"))
    }

    /// Follows an order in the ledger, then publishes the news.
    fn follow(&mut self, update: Arc<OrderUpdate>) {
        let known = self.ledger.book().working(update.order_id).map(|known| known.reserved);
        if update.status.is_final() {
            self.ledger.end_order(update.order_id);
        } else {
            match (known, update.terms.clone()) {
                (Some(reserved), terms) => {
                    self.ledger.rework_order(update.order_id, terms, update.cum_qty, reserved);
                }
                // An exit that its entry's fill has armed: what it trades is the position.
                (None, Some(order)) => {
                    let key = self.instruments.cash_key(order.instrument);
                    self.ledger.accept_order(order, Reservation { key, amount: Decimal::ZERO });
                }
                (None, None) => {}
            }
        }
        self.outbox.publish(Payload::OrderUpdate(update));
    }

    /// Applies an answer once, asks the venues and compares.
    fn settle(&mut self, mut handshake: Handshake) -> Result<(), ExecutionError> {
        if handshake.deltas.is_empty() {
            return Ok(());
        }
        self.ledger.apply(&mut handshake)?;
        self.ledger.query_real()?;
        let reconciliation = self.ledger.reconcile();
        if let Some(mismatch) = reconciliation.mismatches.first() {
            return Err(ExecutionError::Reconciliation {
                op_id: handshake.op_id,
                key: self.instruments.key(mismatch.key).clone(),
                simulated: mismatch.simulated.amount,
                real: mismatch.real.amount,
                difference: mismatch.difference(),
            });
        }
        if let Some(fill) = handshake.fill {
            *self.fills += 1;
            self.outbox.publish(Payload::Fill(fill));
        }
        Ok(())
    }
}

impl Desk for Clerk<'_> {
    fn take(&mut self, report: VenueReport) -> Result<(), Stopped> {
        match report {
            VenueReport::Handshake(handshake) => {
                if let Err(error) = self.settle(handshake) {
                    self.error = Some(error);
                    return Err(Stopped);
                }
            }
            VenueReport::Update(update) => self.follow(update),
            VenueReport::Locked { order_id, reserved } => {
                if let Some(known) = self.ledger.book().working(order_id) {
                    let cum_qty = known.cum_qty;
                    self.ledger.rework_order(order_id, None, cum_qty, reserved);
                }
            }
        }
        Ok(())
    }
}
