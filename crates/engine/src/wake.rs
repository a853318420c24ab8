//! Wakers of services: real ones, so a handler with I/O may suspend inside the guard.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

/// Which services have been woken, one bit each, and the task to wake in turn.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    bits: AtomicU64,
    outer: AtomicWaker,
}

impl Wakes {
    /// The services woken since the last call.
    pub(crate) fn take(&self) -> u64 {
        // The load is nearly free; the exchange locks the bus.
        if self.bits.load(Ordering::Acquire) == 0 { 0 } else { self.bits.swap(0, Ordering::AcqRel) }
    }

    /// The task that polls the drain.
    pub(crate) fn register(&self, waker: &Waker) {
        self.outer.register(waker);
    }
}

/// The waker of one service.
#[derive(Debug)]
pub(crate) struct ServiceWaker {
    handle: Arc<Handle>,
    waker: Waker,
}

#[derive(Debug)]
struct Handle {
    bit: u64,
    wakes: Arc<Wakes>,
}

impl Wake for Handle {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wakes.bits.fetch_or(self.bit, Ordering::AcqRel);
        self.wakes.outer.wake();
    }
}

impl ServiceWaker {
    pub(crate) fn new(slot: usize, wakes: &Arc<Wakes>) -> Self {
        let handle = Arc::new(Handle { bit: 1 << slot, wakes: Arc::clone(wakes) });
        Self { waker: Waker::from(Arc::clone(&handle)), handle }
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Whether somebody else holds a clone, so that the service can still be woken.
    pub(crate) fn is_held(&self) -> bool {
        // One reference is `handle`, one is `waker`.
        Arc::strong_count(&self.handle) > 2
    }
}
