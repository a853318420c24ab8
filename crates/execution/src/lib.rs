//! Where belief and venue meet: the gate that judges intents, the service that executes orders, and the
//! manager that runs each of them through the tight loop.

mod clerk;
pub mod execution_service;
pub mod failure;
pub mod fault_injection;
pub mod health;
mod judgement;
mod loop_desk;
pub mod manager;
pub mod outcome;
pub mod ports;
pub mod profile;
pub mod risk_gate;
pub mod skips;
mod snapshots;
pub mod tight_loop;

pub use execution_service::{ExecutionService, ExecutionSettings};
pub use manager::ExecutionManager;
pub use risk_gate::RiskGate;
