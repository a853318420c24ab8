//! The vocabulary of Tickdrain: values, instruments, frames, orders, events and pure formulas.
//!
//! Rule of this crate: no I/O, no async, no clock, no randomness. Everything here is pure and total,
//! so it can be tested with a table and trusted everywhere else.

pub mod conversion;
pub mod delta;
pub mod event;
pub mod exposure;
pub mod fill;
pub mod frame;
pub mod gas;
pub mod handshake;
pub mod impact;
pub mod instrument;
pub mod interface;
pub mod key;
pub mod ladder;
pub mod lending;
pub mod margin;
pub mod market;
pub mod metrics;
pub mod money;
pub mod nearest;
pub mod numeric;
pub mod operation;
pub mod operation_deltas;
pub mod order;
pub mod parameter;
pub mod perp;
pub mod planted;
pub mod pnl;
pub mod protocol;
pub mod reconciliation;
pub mod risk;
pub mod settlement;
pub mod snapshot;
pub mod staking;
pub mod strategy;
pub mod tight_loop;
pub mod time;
pub mod trade;
pub mod validation;

pub use rust_decimal::Decimal;
