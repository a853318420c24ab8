//! The audit log: everything that happened, append-only, chained, readable with pyarrow as it is.
//!
//! One Arrow IPC stream per record kind under `audit/`, all sharing `seq`; `commits.jsonl` chains
//! them. The [`AuditRunner`] collects columns on the engine's thread and hands
//! them over every 4,096 ticks; encoding and writing happen on a thread of their own.

pub mod chain_watch;
pub mod commit;
#[cfg(test)]
pub(crate) mod fixtures;
pub(crate) mod holdings;
pub mod kind;
pub(crate) mod loop_tables;
mod order_tables;
pub mod reading;
pub mod recording;
pub mod records;
pub mod runner;
pub(crate) mod tables;
#[cfg(test)]
mod tests;
mod write_back;
mod writer;

pub use chain_watch::ChainPlan;
pub use kind::Kind;
pub use reading::{Event, LogReader, Record};
pub use recording::{LogPlan, Recorded, Recording, RecordingPlan, record};
pub use runner::AuditRunner;
