//! Venues that take their time: the async twin of the interfaces of `model`.

use std::cell::RefCell;
use std::rc::Rc;

use model::delta::OperationId;
use model::handshake::Handshake;
use model::instrument::KeyIx;
use model::interface::{Holding, InterfaceError, PositionInterface, Submission};
use model::operation::Operation;

use super::clock::LocalFuture;

/// A venue that is reached over a network.
pub trait LiveVenue {
    /// Its name.
    fn name(&self) -> &str;

    /// What it takes; no two venues of a run share an operation under one name.
    fn operations(&self) -> &[Operation];

    /// Sends an order under `client_id`. A venue executes one client id once.
    fn submit<'a>(
        &'a self,
        client_id: OperationId,
        submission: &'a Submission,
    ) -> LocalFuture<'a, Result<Handshake, CallError>>;

    /// What became of an order; `None` if the venue has never seen it.
    fn status(
        &self,
        client_id: OperationId,
    ) -> LocalFuture<'_, Result<Option<Handshake>, CallError>>;

    /// What it holds for us.
    fn holdings(&self) -> LocalFuture<'_, Result<Vec<(KeyIx, Holding)>, CallError>>;

    /// What it has done on its own since it was last asked: later fills, expiries, cancels.
    fn reports(&self) -> LocalFuture<'_, Result<Vec<Handshake>, CallError>>;

    /// Whether it is there.
    fn heartbeat(&self) -> LocalFuture<'_, Result<(), CallError>>;
}

/// Why a venue did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No connection, or an error on its side.
    #[error("unreachable")]
    Unreachable,
    /// Asked too often.
    #[error("rate limited")]
    RateLimited,
    /// No answer in time.
    #[error("timed out")]
    TimedOut,
}

impl CallError {
    /// The error as the loop knows it.
    pub fn of(self, venue: &str) -> InterfaceError {
        InterfaceError::Unreachable { venue: venue.into(), reason: self.to_string().into() }
    }
}

/// What one venue said last; the position monitor reads it like any venue.
#[derive(Clone, Debug)]
pub struct PositionCache {
    venue: Box<str>,
    said: Rc<RefCell<Vec<(KeyIx, Holding)>>>,
}

impl PositionCache {
    /// A cache of a venue that has said nothing.
    pub fn new(venue: &str) -> Self {
        Self { venue: venue.into(), said: Rc::default() }
    }

    /// Keeps what the venue says.
    pub fn keep(&self, holdings: Vec<(KeyIx, Holding)>) {
        *self.said.borrow_mut() = holdings;
    }
}

impl PositionInterface for PositionCache {
    fn venue(&self) -> &str {
        &self.venue
    }

    fn query(&self, holdings: &mut [Holding]) -> Result<(), InterfaceError> {
        for (key, holding) in &*self.said.borrow() {
            holdings[key.index()] = *holding;
        }
        Ok(())
    }
}
