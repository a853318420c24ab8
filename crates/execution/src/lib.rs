//! Where belief and venue meet: the gate that judges intents and the service that executes orders.

mod clerk;
pub mod execution_service;
mod judgement;
pub mod risk_gate;
mod snapshots;

pub use execution_service::{ExecutionService, ExecutionSettings};
pub use judgement::OperationRules;
pub use risk_gate::RiskGate;
