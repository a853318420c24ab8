//! The run file: what a run is, read in one pass that finds every fault and writes every default.
//!
//! [`document`] turns text into a tree with places, [`overrides`] merges `--set key=value` into it,
//! [`reader`] reads it key by key, and [`config`] is what comes out.

mod allocation;
pub mod config;
pub mod data;
pub mod document;
pub mod execution;
pub mod fault;
pub mod field;
pub mod initial;
pub mod instruments;
mod key;
pub mod number;
pub mod options;
pub mod overrides;
pub mod parameter;
pub mod path;
pub mod place;
pub mod pnl;
pub mod points;
pub mod reader;
mod render;
pub mod risk;
mod semantic;
mod settlement;
pub mod strategy;
mod subscriptions;
mod table;
pub mod transfers;
pub mod venues;

#[cfg(test)]
pub(crate) mod tests;
