//! Where belief and venue meet: the gate that judges intents, the service that executes orders, and the
//! manager that runs each of them through the tight loop.

mod breaker;
pub mod execution_service;
pub mod failure;
pub mod fault_injection;
mod frame_steps;
pub mod health;
mod judgement;
mod ledger_port;
mod loop_desk;
pub mod manager;
mod narrator;
mod operations;
pub mod outcome;
pub mod ports;
pub mod profile;
pub mod risk_gate;
pub mod skips;
mod snapshots;
pub mod tight_loop;

pub use execution_service::{ExecutionService, ExecutionSettings};
pub use judgement::{ImpactTerms, OperationRules};
pub use manager::ExecutionManager;
pub use risk_gate::RiskGate;
