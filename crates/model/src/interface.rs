//! Interfaces: how orders reach a venue, and how it is asked what it holds for us.

use std::fmt::Debug;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::handshake::VenueReport;
use crate::operation::{Operation, OperationOrder};
use crate::order::Order;
use crate::time::UtcMillis;

/// What is sent to a venue as one: an order, an operation, or an atomic group of them.
#[derive(Clone, Debug)]
pub enum Submission {
    /// An order on a market.
    Trade(Arc<Order>),
    /// An operation that is no trade.
    Operation(Arc<OperationOrder>),
    /// Operations that succeed together or not at all, in sequence.
    Group(Arc<[Arc<OperationOrder>]>),
}

/// Executes what is sent to one venue.
pub trait ExecutionInterface: Debug {
    /// The venue, and what of it this interface takes; no two interfaces share an operation.
    fn takes(&self) -> (&str, &[Operation]);

    /// Executes one submission at `ts` and reports everything that comes of it, first its handshake.
    ///
    /// Each report is made at the instant at which the venue's books say so and nothing further.
    ///
    /// # Errors
    ///
    /// The desk has stopped, or the venue could not be reached.
    fn execute(
        &mut self,
        ts: UtcMillis,
        submission: &Submission,
        desk: &mut dyn Desk,
    ) -> Result<(), InterfaceError>;
}

/// Takes what venues report: one report is dealt with before the venue goes on.
pub trait Desk {
    /// Takes a report.
    ///
    /// # Errors
    ///
    /// The desk cannot go on and has kept the reason.
    fn take(&mut self, report: VenueReport) -> Result<(), Stopped>;
}

/// The desk has stopped; why is its own to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the desk has stopped")]
pub struct Stopped;

/// Why an interface did not execute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum InterfaceError {
    #[error(transparent)]
    Stopped(#[from] Stopped),

    #[error("EXEC-UNREACHABLE: {venue}: {reason}")]
    Unreachable { venue: Box<str>, reason: Box<str> },
}

/// Says what one venue holds for us. Only the position monitor asks.
pub trait PositionInterface: Debug {
    /// The venue.
    fn venue(&self) -> &str;

    /// Writes what the venue holds into the places of its own keys, and nothing elsewhere.
    ///
    /// # Errors
    ///
    /// The venue could not be reached, or its answer is stale.
    fn query(&self, holdings: &mut [Holding]) -> Result<(), InterfaceError>;
}

/// What is held of one position key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// In the unit of the key; contracts of a perpetual, negative if short.
    pub amount: Decimal,
    /// What a perpetual was entered at, in its settle currency and with its sign; zero elsewhere.
    pub cost: Decimal,
}
