//! The shipped strategies: pure decisions over snapshots.
//!
//! Rule of this crate: it depends on `model` alone, so a strategy can reach nothing that it could
//! cheat with.

pub mod buy_and_hold;
pub mod indicators;
pub mod scripted;
pub mod sma_cross;
#[cfg(test)]
mod stage;

pub use buy_and_hold::BuyAndHold;
pub use scripted::Scripted;
pub use sma_cross::SmaCross;
