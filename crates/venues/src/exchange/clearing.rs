//! Clearing: who keeps the account that a venue trades for.

use std::sync::Arc;

use model::Decimal;
use model::fill::Fill;
use model::instrument::{InstrumentIx, KeyIx};
use model::money::Quantity;
use model::order::{OrderId, OrderUpdate};
use model::snapshot::Reservation;

/// The account as the exchange needs it. Whatever is taken shows in the next answers: one order is
/// finished before the next starts.
pub trait Clearing {
    /// Why an event cannot be taken; it ends the run.
    type Error;

    /// Amount at a balance that positions leave free; what orders hold back is not counted.
    fn free(&self, key: KeyIx) -> Decimal;

    /// Amount at a balance, without what open positions have gained or need.
    fn balance(&self, key: KeyIx) -> Decimal;

    /// Units held; negative if short.
    fn position(&self, instrument: InstrumentIx) -> Quantity;

    /// Takes an event: books a fill, follows an order.
    ///
    /// # Errors
    ///
    /// An event that contradicts the account.
    fn take(&mut self, event: VenueEvent) -> Result<(), Self::Error>;
}

/// What happens at a venue.
#[derive(Clone, Debug)]
pub enum VenueEvent {
    /// An execution that nobody else holds yet: the ledger fills in what only it knows.
    Fill(Arc<Fill>),
    /// News of an order.
    Update(Arc<OrderUpdate>),
    /// What a working order may still need has changed.
    Locked {
        /// Which order.
        order_id: OrderId,
        /// The new amount.
        reserved: Reservation,
    },
}
