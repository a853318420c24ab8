//! The tight loop of one order, group or venue's own move, as a state machine without I/O (07 §9.1).
//!
//! Events go in, steps come out: what to log first and what to do next. Backtests drive it with
//! calls, live runs with awaits. It reads no clock: whoever drives it says what time it is.

mod event;
mod machine;
#[cfg(test)]
mod tests;

pub use event::{Action, Answer, Event, Step};
pub use machine::{GiveUp, IllegalEvent, Resume, TightLoop};
