//! Services: what runs on the bus, and the one loop around every handler.

use std::error::Error;

use model::event::{Envelope, Scalar, Topic};
use model::time::UtcMillis;

use crate::delivery::{Inbox, Outbox};
use crate::error::EngineError;

/// A component on the bus.
pub trait BacktestService {
    /// The service's own error enum; it becomes the `source` of [`EngineError::Service`].
    type Error: Error + Send + Sync + 'static;

    /// Stable name, as it appears in the log.
    fn name(&self) -> &str;

    /// Topics to deliver. Read once, at subscription.
    fn topics(&self) -> &'static [Topic];

    /// Topics that handlers look up with [`Outbox::latest`], without a delivery for each.
    fn looks_up(&self) -> &'static [Topic] {
        &[]
    }

    /// Reacts to one envelope; consequences go to `outbox`, to be published at the same tick.
    ///
    /// # Errors
    ///
    /// Any error ends the run. A refused order is an event, not an error.
    fn handle(&mut self, envelope: &Envelope, outbox: &mut Outbox) -> Result<(), Self::Error>;

    /// Whether [`tick_closed`](Self::tick_closed) does something.
    ///
    /// A service that sets it to `false` is not woken at the close of a tick, which makes an idle tick
    /// cheaper; its loop then goes on from one tick to the next without a break.
    const CLOSES_TICKS: bool = true;

    /// Runs after the barrier of tick `ts`, in rank order; without an outbox it cannot publish.
    ///
    /// # Errors
    ///
    /// Any error ends the run.
    fn tick_closed(&mut self, _ts: UtcMillis) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Called once, after the last tick or after another service failed; `outcome` says which.
    ///
    /// # Errors
    ///
    /// Any error marks the run failed.
    fn finish(&mut self, outcome: &RunOutcome) -> Result<ServiceReport, Self::Error>;

    /// The loop. Override it only for a service that awaits real I/O inside the guard, or that
    /// records whole cycles.
    fn run(self, inbox: Inbox) -> impl Future<Output = Result<ServiceReport, EngineError>>
    where
        Self: Sized,
    {
        drive(self, inbox)
    }
}

/// Delivers envelopes to a service until the run is over.
///
/// # Errors
///
/// The first error of the service, with the envelope at fault.
pub async fn drive<S>(mut service: S, mut inbox: Inbox) -> Result<ServiceReport, EngineError>
where
    S: BacktestService,
{
    let mut outbox = inbox.outbox();
    while let Some(ts) = inbox.next_tick().await {
        // Ends when the barrier of `ts` is reached.
        while let Some(delivery) = inbox.consume().await {
            // On an error `delivery` is dropped unacknowledged: the run ends instead of hanging, and
            // the bus, which owns what the outbox collected, hands it to the audit as evidence.
            let envelope = delivery.envelope();
            service
                .handle(envelope, &mut outbox)
                .map_err(|error| failed(&service, Some(envelope.seq), error))?;
            // Publishes, then releases, so the in-flight count cannot touch zero mid-cascade.
            delivery.ack(&mut outbox);
        }
        if inbox.is_over() {
            break;
        }
        service.tick_closed(ts).map_err(|error| failed(&service, None, error))?;
    }
    service.finish(&inbox.outcome()).map_err(|error| failed(&service, None, error))
}

/// The engine's error for an error of `service`; `seq` names the envelope at fault, the hooks have
/// none.
pub fn failed<S: BacktestService>(service: &S, seq: Option<u64>, error: S::Error) -> EngineError {
    EngineError::Service { service: service.name().into(), seq, source: Box::new(error) }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// All frames were drained.
    Completed,
    /// The user stopped it.
    Interrupted,
    /// An error ended it.
    Failed,
}

impl RunStatus {
    /// The status as `summary.json` spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "ok",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

/// What services are told at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOutcome {
    /// How the run ended.
    pub status: RunStatus,
    /// The first error with its causes, if one ended the run.
    pub failure: Option<Box<str>>,
    /// Frames that were drained.
    pub frames: u64,
    /// Events that were numbered.
    pub events: u64,
}

/// What a service has to say at the end: named scalars.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceReport {
    /// The service.
    pub service: String,
    /// Its figures, in order.
    pub figures: Vec<(&'static str, Scalar)>,
}

impl ServiceReport {
    /// An empty report of `service`.
    pub fn new(service: &str) -> Self {
        Self { service: service.to_owned(), figures: Vec::new() }
    }

    /// The report with one more figure.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Scalar>) -> Self {
        self.figures.push((name, value.into()));
        self
    }

    /// A figure by name.
    pub fn figure(&self, name: &str) -> Option<&Scalar> {
        self.figures.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// A service that is ready to run: its loop as a future, with its inbox given.
pub(crate) type ServiceFuture =
    std::pin::Pin<Box<dyn Future<Output = Result<ServiceReport, EngineError>>>>;

/// A service that waits for its inbox.
pub(crate) type Launch = Box<dyn FnOnce(Inbox) -> ServiceFuture>;
