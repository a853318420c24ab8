//! Engine time: the one clock of a run.

use std::cell::Cell;
use std::rc::Rc;

use model::time::UtcMillis;

/// The present instant, shared by everything that runs inside a tick.
///
/// Only the run loop advances it, and only after the barrier.
#[derive(Clone, Debug, Default)]
pub struct Clock(Rc<Cell<UtcMillis>>);

impl Clock {
    /// The present instant.
    pub fn now(&self) -> UtcMillis {
        self.0.get()
    }

    /// Moves to `ts`.
    ///
    /// # Panics
    ///
    /// If that is in the past: feeds yield frames in increasing time.
    pub(crate) fn advance_to(&self, ts: UtcMillis) {
        assert!(self.0.get() <= ts, "time moves forward: {} then {ts}", self.0.get());
        self.0.set(ts);
    }
}
