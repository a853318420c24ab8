//! What we believe: the account, its positions and their value.
//!
//! Rule of this crate: the only writer of our own book. No bus, no async, and no sight of `venues`.

pub mod account;
mod books;
pub mod chain;
mod excursion;
pub mod exposure;
#[cfg(test)]
mod fixture;
mod lots;
mod part;
mod path;
pub mod pnl;
mod position;
pub mod risk;
mod round_trip;
mod route;
mod staged;
mod valuation;
mod working;

pub use account::{Account, AccountError};
pub use valuation::Valuation;
