//! Wakers of services: real ones, so a handler with I/O may suspend inside the guard.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};
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

    /// Whether a service has been woken since the last call of [`take`](Self::take).
    pub(crate) fn has(&self, slot: usize) -> bool {
        self.bits.load(Ordering::Acquire) & (1 << slot) != 0
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

    /// Whether the service has been woken, or somebody else holds a clone and may still wake it.
    pub(crate) fn may_wake(&self, slot: usize) -> bool {
        // One reference is `handle`, one is `waker`. Another thread may wake the service and let go of
        // its clone at any moment, in this order: so the count is read first, and then the wake.
        let is_held = Arc::strong_count(&self.handle) > 2;
        fence(Ordering::Acquire);
        is_held || self.handle.wakes.has(slot)
    }
}
