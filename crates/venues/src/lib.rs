//! What venues say: how orders fill on bars, at which price and at which cost.
//!
//! Rule of this crate: it cannot see `ledger`, so that comparing the two means something.

pub mod books;
pub mod cex;
pub mod exchange;
pub mod fees;
pub mod interfaces;
pub mod latency;
pub mod on_chain;
pub mod participation;
pub mod path;
pub mod requirement;
pub mod slippage;
pub mod transfer;

pub use exchange::{Exchange, ExchangeSettings};
