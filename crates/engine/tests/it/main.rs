//! The promises of the bus, the barrier and the run loop, seen from outside.

mod support;

mod barrier;
mod count;
mod cycles;
mod determinism;
mod evidence;
mod failures;
mod joins;
mod lifecycle;
mod limits;
mod sequences;
mod watchdog;
