//! The run: next frame, advance the clock, publish, drain. Everything else is a service.

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use model::event::{Control, Payload};

use crate::bus::{EventBus, Limits, Schedule, Subscriptions};
use crate::clock::Clock;
use crate::error::EngineError;
use crate::feed::BarFeed;
use crate::rank::Rank;
use crate::service::{BacktestService, RunOutcome, RunStatus, ServiceReport};
use crate::watchdog::Watchdog;

/// A run that is put together and not started.
#[derive(Debug)]
pub struct BacktestEngine {
    settings: Settings,
    services: Subscriptions,
}

/// What the engine itself needs to know.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// When a tick counts as endless.
    pub limits: Limits,
    /// In which order services are polled; changes no result.
    pub schedule: Schedule,
    /// Set from outside to stop after the present frame.
    pub stop: Arc<AtomicBool>,
    /// How long an envelope may be held before the watchdog names it; without it nobody watches.
    pub patience: Option<Duration>,
}

/// What a finished run has to say.
#[derive(Debug)]
pub struct RunReport {
    /// How it ended.
    pub outcome: RunOutcome,
    /// The reports of the services, in rank order.
    pub services: Vec<ServiceReport>,
    /// The first error, if the run failed.
    pub error: Option<EngineError>,
}

impl BacktestEngine {
    /// An engine without services.
    pub fn new(settings: Settings) -> Self {
        Self { settings, services: Subscriptions::default() }
    }

    /// Adds a service at its rank.
    #[must_use]
    pub fn service<S: BacktestService + 'static>(mut self, rank: Rank, service: S) -> Self {
        self.services.subscribe(rank, service);
        self
    }

    /// Runs `feed` to its end.
    ///
    /// Never fails: a failed run has a report too, with its first error.
    pub async fn run<F: BarFeed>(self, feed: F) -> RunReport {
        let Self { settings, services } = self;
        let clock = Clock::default();
        let mut bus = services.connect(clock.clone(), settings.limits, settings.schedule);
        let _watchdog = settings
            .patience
            .map(|patience| Watchdog::start(bus.progress(), patience, Watchdog::warn));
        let mut frames = 0;
        let ended = tick_and_drain(feed, &clock, &mut bus, &settings.stop, &mut frames).await;
        if let Err(error) = &ended {
            bus.leave_evidence(error);
        }
        let outcome = RunOutcome {
            status: *ended.as_ref().unwrap_or(&RunStatus::Failed),
            failure: ended.as_ref().err().map(|error| error.chain().into()),
            frames,
            events: bus.events(),
        };
        bus.finish(outcome, ended.err()).await
    }
}

/// Time moves only here. Each frame, and everything that it causes, is finished before the next.
async fn tick_and_drain<F: BarFeed>(
    feed: F,
    clock: &Clock,
    bus: &mut EventBus,
    stop: &AtomicBool,
    drained: &mut u64,
) -> Result<RunStatus, EngineError> {
    let mut frames = pin!(feed.map_err(feed_error).peekable());
    bus.start().await?;
    let first = match frames.as_mut().peek().await {
        Some(Ok(frame)) => frame.ts(),
        Some(Err(_)) => clock.now(),
        None => return Err(EngineError::EmptyFeed),
    };
    clock.advance_to(first);
    announce(bus, Control::EngineReady).await?;

    while let Some(frame) = frames.next().await.transpose()? {
        clock.advance_to(frame.ts());
        bus.publish(Payload::Frame(frame));
        bus.wait_until_idle().await?; // The barrier.
        if bus.closes_ticks() {
            bus.close_tick().await?;
        }
        *drained += 1;
        if stop.load(Ordering::Relaxed) {
            announce(bus, Control::Interrupted).await?;
            return Ok(RunStatus::Interrupted);
        }
    }

    announce(bus, Control::Eof).await?;
    Ok(RunStatus::Completed)
}

/// A tick without a frame, at the present time.
async fn announce(bus: &mut EventBus, control: Control) -> Result<(), EngineError> {
    bus.publish(Payload::Control(control));
    bus.wait_until_idle().await?;
    bus.close_tick().await
}

fn feed_error<E: Error + Send + Sync + 'static>(error: E) -> EngineError {
    EngineError::Feed { source: Box::new(error) }
}
