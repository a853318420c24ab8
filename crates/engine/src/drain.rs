//! The drain: polls the services of a bus until nothing is outstanding.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::bus::EventBus;
use crate::error::EngineError;
use crate::lane::Lane;
use crate::random::shuffle;
use crate::service::ServiceReport;
use crate::state::Step;

impl EventBus {
    /// Runs a poll of several services and turns a panic of one into its error.
    #[inline]
    pub(crate) fn catching<T>(
        &mut self,
        poll: impl FnOnce(&mut Self) -> Poll<Result<T, EngineError>>,
    ) -> Poll<Result<T, EngineError>> {
        match catch_unwind(AssertUnwindSafe(|| poll(self))) {
            Ok(polled) => polled,
            Err(panic) => Poll::Ready(Err(self.panicked(panic.as_ref()))),
        }
    }

    /// The error for a panic of the service that was being polled.
    #[cold]
    fn panicked(&mut self, panic: &(dyn Any + Send)) -> EngineError {
        let lane = Rc::clone(&self.state.lanes[self.polled]);
        self.stop(&lane);
        if let Some(error @ EngineError::Loop { .. }) = self.state.take_poison() {
            // A handler without end is stopped by a panic, which is only the consequence.
            return error;
        }
        let message = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "a panic without a message".to_owned());
        let seq = lane.holds_delivery().then(|| self.state.in_hand(&lane).1);
        EngineError::Panicked { service: lane.name.clone(), seq, message }
    }

    /// Drops a service with whatever it holds.
    pub(crate) fn stop(&mut self, lane: &Lane) {
        self.tasks[lane.slot].future = None;
    }

    #[inline]
    pub(crate) fn poll_idle(&mut self, context: &Context<'_>) -> Poll<Result<(), EngineError>> {
        loop {
            let ready = self.state.waiting.get() | self.wakes.take();
            if let Err(error) = self.poll_services(ready) {
                return Poll::Ready(Err(error));
            }
            match self.state.step() {
                Step::Committed => {}
                Step::Idle => return Poll::Ready(Ok(())),
                Step::Blocked => match self.poll_blocked(context) {
                    Poll::Ready(Ok(())) => {}
                    other @ (Poll::Ready(Err(_)) | Poll::Pending) => return other,
                },
            }
        }
    }

    /// Nothing goes on by itself: waits for a wake. Ready when there is something to poll again.
    #[cold]
    fn poll_blocked(&mut self, context: &Context<'_>) -> Poll<Result<(), EngineError>> {
        if let Some(poison) = self.state.take_poison() {
            return Poll::Ready(Err(poison));
        }
        self.wakes.register(context.waker());
        let woken = self.wakes.take();
        if woken == 0 { self.blocked() } else { Poll::Ready(self.poll_services(woken)) }
    }

    /// Somebody suspends with a delivery in hand or to come. One that nothing can wake has lost it.
    fn blocked(&self) -> Poll<Result<(), EngineError>> {
        let suspended = self.state.holding() | self.state.waiting.get();
        let stuck = bits(suspended).find(|slot| !self.tasks[*slot].waker.may_wake(*slot));
        stuck.map_or(Poll::Pending, |slot| {
            let lane = &self.state.lanes[slot];
            let (service, (topic, seq)) = (lane.name.clone(), self.state.in_hand(lane));
            Poll::Ready(Err(EngineError::Unwakeable { service, topic, seq }))
        })
    }

    #[inline]
    pub(crate) fn poll_close(&mut self, context: &Context<'_>) -> Poll<Result<(), EngineError>> {
        let tick = self.state.tick.get();
        for place in 0..self.closers.len() {
            let lane = Rc::clone(&self.closers[place]);
            match self.poll_until(&lane, &|lane: &Lane| lane.closed.get() == tick, context) {
                Poll::Ready(Ok(())) => {}
                other @ (Poll::Ready(Err(_)) | Poll::Pending) => return other,
            }
        }
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn poll_services(&mut self, ready: u64) -> Result<(), EngineError> {
        if self.shuffler.is_some() {
            return self.poll_shuffled(ready);
        }
        bits(ready).try_for_each(|slot| self.poll_service(slot))
    }

    #[cold]
    fn poll_shuffled(&mut self, ready: u64) -> Result<(), EngineError> {
        let mut order: Vec<usize> = bits(ready).collect();
        if let Some(stream) = &mut self.shuffler {
            shuffle(&mut order, stream);
        }
        order.into_iter().try_for_each(|slot| self.poll_service(slot))
    }

    /// Polls one service. An error that it returns comes before what its delivery reports on being
    /// dropped, which is only the consequence.
    #[inline]
    fn poll_service(&mut self, slot: usize) -> Result<(), EngineError> {
        self.polled = slot;
        let task = &mut self.tasks[slot];
        let Some(future) = &mut task.future else { return Ok(()) };
        let mut context = Context::from_waker(task.waker.waker());
        match future.as_mut().poll(&mut context) {
            Poll::Pending if self.state.is_poisoned() => {
                self.state.take_poison().map_or(Ok(()), Err)
            }
            Poll::Pending => Ok(()),
            Poll::Ready(ended) => self.ended(slot, ended),
        }
    }

    /// A service has left its loop, which it does once.
    #[cold]
    fn ended(
        &mut self,
        slot: usize,
        ended: Result<ServiceReport, EngineError>,
    ) -> Result<(), EngineError> {
        self.tasks[slot].future = None;
        let report = ended?;
        if let Some(poison) = self.state.take_poison() {
            return Err(poison);
        }
        if !self.state.is_over() {
            return Err(EngineError::EndedEarly { service: self.state.lanes[slot].name.clone() });
        }
        self.reports.push(report);
        Ok(())
    }

    /// Polls one service outside of a drain.
    pub(crate) fn poll_alone(&mut self, lane: &Lane) -> Result<(), EngineError> {
        match self.catching(|bus| Poll::Ready(bus.poll_service(lane.slot))) {
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    /// Polls every service, in rank order, until `done` holds for it.
    pub(crate) async fn until_all(
        &mut self,
        done: impl Fn(&Lane) -> bool,
    ) -> Result<(), EngineError> {
        for slot in 1..self.tasks.len() {
            let lane = Rc::clone(&self.state.lanes[slot]);
            poll_fn(|context| self.catching(|bus| bus.poll_until(&lane, &done, context))).await?;
        }
        Ok(())
    }

    /// Polls a service that is not done.
    #[inline]
    fn poll_until(
        &mut self,
        lane: &Lane,
        done: &impl Fn(&Lane) -> bool,
        context: &Context<'_>,
    ) -> Poll<Result<(), EngineError>> {
        if self.is_done(lane, done) {
            return Poll::Ready(Ok(()));
        }
        if let Err(error) = self.poll_service(lane.slot) {
            return Poll::Ready(Err(error));
        }
        if self.is_done(lane, done) {
            Poll::Ready(Ok(()))
        } else {
            self.poll_again(lane, done, context)
        }
    }

    /// Polls a service that suspends a second time, so that no wake between its first poll and the
    /// registration is lost.
    #[cold]
    fn poll_again(
        &mut self,
        lane: &Lane,
        done: &impl Fn(&Lane) -> bool,
        context: &Context<'_>,
    ) -> Poll<Result<(), EngineError>> {
        self.wakes.register(context.waker());
        if let Err(error) = self.poll_service(lane.slot) {
            return Poll::Ready(Err(error));
        }
        if self.is_done(lane, done) {
            return Poll::Ready(Ok(()));
        }
        if self.tasks[lane.slot].waker.may_wake(lane.slot) {
            return Poll::Pending;
        }
        // It cannot be polled to its end, so it is not asked again.
        self.stop(lane);
        Poll::Ready(Err(EngineError::Asleep { service: lane.name.clone() }))
    }

    #[inline]
    fn is_done(&self, lane: &Lane, done: &impl Fn(&Lane) -> bool) -> bool {
        done(lane) || self.tasks[lane.slot].future.is_none()
    }
}

/// The set bits of a mask, lowest first.
fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (mask != 0).then(|| {
            let bit = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            bit
        })
    })
}
