//! Small services, feeds and runs to test with.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use engine::delivery::{Inbox, Outbox};
use engine::error::EngineError;
use engine::feed::InMemoryFeed;
use engine::rank::{Rank, Role};
use engine::run::{BacktestEngine, RunReport, Settings};
use engine::service::{BacktestService, RunOutcome, ServiceReport};
use model::event::{Control, Custom, Envelope, Payload, Topic};
use model::frame::{Bar, BarKind, FrameBatch};
use model::time::UtcMillis;

/// Lines that services write down in the order in which things happen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn write(&self, line: impl fmt::Display) {
        self.0.borrow_mut().push(line.to_string());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    /// The lines of which `word` is the first.
    pub(crate) fn about(&self, word: &str) -> Vec<String> {
        let is_about = |line: &String| line.split(' ').next() == Some(word);
        self.lines().into_iter().filter(is_about).collect()
    }
}

/// Why a scripted handler fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("out of margin")]
    Margin,
}

type Handler = Box<dyn FnMut(&Envelope, &mut Outbox) -> Result<(), Fault>>;

/// When a scripted service fails besides in its handler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fails {
    #[default]
    Never,
    AtClose,
    AtFinish,
}

/// A service whose handler is a closure, and which writes down what is called.
pub(crate) struct Scripted<const CLOSES: bool = true> {
    name: &'static str,
    topics: &'static [Topic],
    looks_up: &'static [Topic],
    handler: Handler,
    fails: Fails,
    log: Log,
}

impl<const CLOSES: bool> Scripted<CLOSES> {
    pub(crate) fn new(
        name: &'static str,
        topics: &'static [Topic],
        log: &Log,
        handler: impl FnMut(&Envelope, &mut Outbox) -> Result<(), Fault> + 'static,
    ) -> Self {
        let (handler, log) = (Box::new(handler), log.clone());
        Self { name, topics, looks_up: &[], handler, fails: Fails::Never, log }
    }

    pub(crate) fn failing(self, fails: Fails) -> Self {
        Self { fails, ..self }
    }

    pub(crate) fn looking_up(self, looks_up: &'static [Topic]) -> Self {
        Self { looks_up, ..self }
    }
}

/// A service that hears `topics` and does nothing.
pub(crate) fn silent(name: &'static str, topics: &'static [Topic], log: &Log) -> Scripted {
    Scripted::new(name, topics, log, |_, _| Ok(()))
}

/// An audit that writes every envelope down, as `audit SEQ WHAT`.
pub(crate) fn audit(log: &Log) -> Scripted {
    let lines = log.clone();
    Scripted::new("audit", &Topic::ALL, log, move |envelope, _| {
        lines.write(format_args!("audit {} {}", envelope.seq, what(envelope)));
        Ok(())
    })
}

impl<const CLOSES: bool> BacktestService for Scripted<CLOSES> {
    type Error = Fault;

    const CLOSES_TICKS: bool = CLOSES;

    fn name(&self) -> &str {
        self.name
    }

    fn topics(&self) -> &'static [Topic] {
        self.topics
    }

    fn looks_up(&self) -> &'static [Topic] {
        self.looks_up
    }

    fn handle(&mut self, envelope: &Envelope, outbox: &mut Outbox) -> Result<(), Fault> {
        (self.handler)(envelope, outbox)
    }

    fn tick_closed(&mut self, ts: UtcMillis) -> Result<(), Fault> {
        self.log.write(format_args!("closed {} {}", self.name, minute(ts)));
        if self.fails == Fails::AtClose { Err(Fault::Margin) } else { Ok(()) }
    }

    fn finish(&mut self, outcome: &RunOutcome) -> Result<ServiceReport, Fault> {
        self.log.write(format_args!("finish {} {}", self.name, outcome.status.name()));
        let report = ServiceReport::new(self.name);
        if self.fails == Fails::AtFinish { Err(Fault::Margin) } else { Ok(report) }
    }
}

/// A service that is a loop of its own.
pub(crate) struct Looping<F> {
    pub(crate) name: &'static str,
    pub(crate) topics: &'static [Topic],
    pub(crate) body: F,
}

impl<F> BacktestService for Looping<F>
where
    F: AsyncFnOnce(Inbox) -> Result<ServiceReport, EngineError>,
{
    type Error = Infallible;

    fn name(&self) -> &str {
        self.name
    }

    fn topics(&self) -> &'static [Topic] {
        self.topics
    }

    fn handle(&mut self, _: &Envelope, _: &mut Outbox) -> Result<(), Infallible> {
        Ok(())
    }

    fn finish(&mut self, _: &RunOutcome) -> Result<ServiceReport, Infallible> {
        Ok(ServiceReport::new(self.name))
    }

    async fn run(self, inbox: Inbox) -> Result<ServiceReport, EngineError> {
        (self.body)(inbox).await
    }
}

/// A service that suspends inside the guard of every delivery before it reacts to it.
pub(crate) fn suspending(
    name: &'static str,
    topics: &'static [Topic],
    suspension: Suspension,
    mut react: impl FnMut(&Envelope, &mut Outbox) + 'static,
) -> impl BacktestService + 'static {
    let body = async move |mut inbox: Inbox| {
        let mut outbox = inbox.outbox();
        while inbox.next_tick().await.is_some() {
            while let Some(delivery) = inbox.consume().await {
                suspension.wait().await;
                react(delivery.envelope(), &mut outbox);
                suspension.wait().await;
                delivery.ack(&mut outbox);
            }
        }
        Ok(ServiceReport::new(name))
    };
    Looping { name, topics, body }
}

/// What a service awaits.
#[derive(Clone, Debug)]
pub(crate) enum Suspension {
    /// Yields some times; wakes itself at once.
    Yield(u32),
    /// Another thread that answers.
    Thread,
    /// Until the test opens the door.
    Door(Door),
}

impl Suspension {
    pub(crate) async fn wait(&self) {
        match self {
            Self::Yield(times) => {
                for _ in 0..*times {
                    yield_once().await;
                }
            }
            Self::Thread => {
                let (answer, question) = tokio::sync::oneshot::channel();
                std::thread::spawn(move || answer.send(()));
                question.await.expect("the thread answers");
            }
            Self::Door(door) => door.pass().await,
        }
    }
}

/// Suspends once and wakes itself.
pub(crate) async fn yield_once() {
    let mut has_yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A place where services wait for the test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Door {
    opened: Rc<Cell<u32>>,
    waiting: Rc<RefCell<Vec<std::task::Waker>>>,
}

impl Door {
    /// Lets one through.
    pub(crate) fn open(&self) {
        self.opened.set(self.opened.get() + 1);
        self.waiting.take().into_iter().for_each(std::task::Waker::wake);
    }

    async fn pass(&self) {
        poll_fn(|context| {
            if self.opened.get() == 0 {
                self.waiting.borrow_mut().push(context.waker().clone());
                return Poll::Pending;
            }
            self.opened.set(self.opened.get() - 1);
            Poll::Ready(())
        })
        .await;
    }
}

/// What an envelope is, as tests spell it: `frame`, `custom ping`, `control eof`, …
pub(crate) fn what(envelope: &Envelope) -> String {
    let topic = envelope.topic().name();
    match &envelope.payload {
        Payload::Custom(custom) => format!("{topic} {}", custom.kind),
        Payload::Control(Control::Failed { service, message }) => {
            format!("{topic} failed {service}: {message}")
        }
        Payload::Control(control) => format!("{topic} {}", control.name()),
        Payload::Frame(_)
        | Payload::Intent(_)
        | Payload::Verdict(_)
        | Payload::OrderUpdate(_)
        | Payload::Fill(_)
        | Payload::TightLoop(_)
        | Payload::Settlement(_)
        | Payload::Alert(_)
        | Payload::Account(_)
        | Payload::Decision(_) => format!("{topic} {}", minute(envelope.ts)),
    }
}

pub(crate) fn custom(kind: &str) -> Payload {
    Payload::Custom(Arc::new(Custom::new(kind)))
}

/// Whether an envelope is a user's message of `kind`.
pub(crate) fn is_custom(envelope: &Envelope, kind: &str) -> bool {
    matches!(&envelope.payload, Payload::Custom(custom) if *custom.kind == *kind)
}

pub(crate) fn is_frame(envelope: &Envelope) -> bool {
    envelope.topic() == Topic::Frame
}

/// Minutes since the epoch.
pub(crate) fn minute(ts: UtcMillis) -> i64 {
    ts.millis() / 60_000
}

/// Frames of one instrument at minutes 1, 2, 3, …
pub(crate) fn batch(count: i64) -> Arc<FrameBatch> {
    let bar = Bar { open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: 1.0, kind: BarKind::Real };
    let mut batch = FrameBatch::with_capacity(1, 0);
    for minute in 1..=count {
        batch.push(UtcMillis::new(minute * 60_000), false, &[bar]);
    }
    Arc::new(batch)
}

pub(crate) fn feed(count: i64) -> InMemoryFeed {
    InMemoryFeed::new(batch(count))
}

pub(crate) const EXECUTION: Rank = Rank::first(Role::Execution);
pub(crate) const STRATEGY: Rank = Rank::first(Role::Strategy);
pub(crate) const GATE: Rank = Rank::first(Role::Gate);
pub(crate) const AUDIT: Rank = Rank::first(Role::Audit);

pub(crate) const fn user(index: u16) -> Rank {
    Rank::nth(Role::User, index)
}

pub(crate) fn engine() -> BacktestEngine {
    BacktestEngine::new(Settings::default())
}

/// Runs to the end on this thread, waiting for real wakers where services suspend.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

/// Runs `engine` over `frames` frames.
pub(crate) fn run(engine: BacktestEngine, frames: i64) -> RunReport {
    block_on(engine.run(feed(frames)))
}

/// Runs `engine` over `frames` frames and gives its error.
pub(crate) fn run_to_error(engine: BacktestEngine, frames: i64) -> EngineError {
    run(engine, frames).error.expect("the run fails")
}
