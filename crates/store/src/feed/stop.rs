//! The way to end a reader that nobody listens to any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Raised once, by the feed; looked at between frames, by its reader.
#[derive(Clone, Debug, Default)]
pub(super) struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    pub(super) fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
