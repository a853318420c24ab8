//! Clocks: what time it is, and how to wait; injected, so that tests decide.
//!
//! A clock of the real world belongs to whoever wires a real venue; none is wired yet.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use model::time::UtcMillis;

/// A future that is not sent to another thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The only source of time in a live run.
pub trait Clock {
    /// Now.
    fn now(&self) -> UtcMillis;

    /// Waits for so many milliseconds.
    fn sleep(&self, ms: i64) -> LocalFuture<'_, ()>;
}

/// The call took longer than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut;

/// Waits for a call, but no longer than `limit_ms`; the call that is given up is dropped.
///
/// # Errors
///
/// The limit came first.
pub async fn within<T>(
    clock: &dyn Clock,
    limit_ms: Option<i64>,
    call: impl Future<Output = T>,
) -> Result<T, TimedOut> {
    let Some(limit_ms) = limit_ms else { return Ok(call.await) };
    let mut call = pin!(call);
    let mut limit = clock.sleep(limit_ms);
    poll_fn(|context| {
        // The call first: an answer at the very limit is an answer.
        if let Poll::Ready(answer) = call.as_mut().poll(context) {
            return Poll::Ready(Ok(answer));
        }
        limit.as_mut().poll(context).map(|()| Err(TimedOut))
    })
    .await
}

/// A clock that moves on when everybody waits.
#[derive(Debug, Default)]
pub struct SimulatedClock {
    now_ms: Cell<i64>,
    timers: RefCell<BTreeSet<i64>>,
}

impl SimulatedClock {
    /// Runs a future to its end. Whenever it waits, the clock jumps to the next timer.
    ///
    /// # Panics
    ///
    /// If the future waits for something that is no timer of this clock.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return value;
            }
            let next = self.timers.borrow_mut().pop_first();
            let next = next.expect("whoever waits waits for the clock");
            self.now_ms.set(next.max(self.now_ms.get()));
        }
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> UtcMillis {
        UtcMillis::new(self.now_ms.get())
    }

    fn sleep(&self, ms: i64) -> LocalFuture<'_, ()> {
        let end = self.now_ms.get() + ms.max(0);
        Box::pin(poll_fn(move |_| {
            if self.now_ms.get() >= end {
                return Poll::Ready(());
            }
            self.timers.borrow_mut().insert(end);
            Poll::Pending
        }))
    }
}
