//! What we believe: positions, their comparison with what venues say, and their value.
//!
//! Rule of this crate: the only writer of our own book. No bus, no async, and no sight of `venues`.

mod applied;
mod books;
pub mod chain;
mod excursion;
pub mod exposure;
#[cfg(test)]
mod fixture;
pub mod handler;
mod lots;
mod part;
pub mod pnl;
mod position;
pub mod positions;
pub mod reconciliation;
pub mod risk;
mod round_trip;
mod route;
mod spares;
mod staged;
mod trades;
mod working;

pub use handler::{Application, LedgerError, LedgerSetup, PositionUpdateHandler};
pub use positions::{PositionMonitor, RealSource};
pub use reconciliation::ReconciliationComponent;
