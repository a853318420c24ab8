//! The scheduler: bus, barrier, services, strategy host and the run loop.
//!
//! Rule of this crate: the only scheduler, and it knows no component by name. Start reading at
//! [`run::BacktestEngine::run`].

pub mod bus;
pub mod clock;
mod committed;
mod cycle;
pub mod delivery;
mod drain;
pub mod error;
mod evidence;
pub mod feed;
mod lane;
pub mod random;
pub mod rank;
pub mod run;
pub mod service;
mod state;
pub mod strategy_runner;
mod wake;
pub mod watchdog;
