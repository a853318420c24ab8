//! A tick that changes nothing: frame, snapshot and decision through four services.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use engine::delivery::{Inbox, Outbox};
use engine::error::EngineError;
use engine::feed::InMemoryFeed;
use engine::rank::{Rank, Role};
use engine::run::{BacktestEngine, RunReport, Settings};
use engine::service::{BacktestService, RunOutcome, ServiceReport, failed};
use model::event::{Envelope, Payload, Topic};
use model::frame::{Bar, BarKind, Frame, FrameBatch};
use model::snapshot::{AccountBook, AccountSnapshot, ChainSnapshots};
use model::strategy::Decision;
use model::time::UtcMillis;

/// Frames of one instrument whose price does not move.
pub fn frames(count: usize) -> Arc<FrameBatch> {
    let bar = Bar { open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: 1.0, kind: BarKind::Real };
    let mut batch = FrameBatch::with_capacity(1, count);
    for minute in (0i64..).take(count) {
        batch.push(UtcMillis::new(minute * 60_000), false, &[bar]);
    }
    Arc::new(batch)
}

/// Runs `frames` through four services that pass a frame on and do nothing else: what is left is the
/// cost of bus and barrier. The last of them takes whole cycles and closes ticks, as the audit does.
pub async fn run(frames: Arc<FrameBatch>) -> RunReport {
    let execution = Relay::new("execution", &[Topic::Frame, Topic::Verdict], Answer::Snapshot);
    let strategy = Relay::new("strategy", &[Topic::Account, Topic::Fill], Answer::Decision);
    let gate = Relay::new("gate", &[Topic::Intent], Answer::Nothing);
    BacktestEngine::new(Settings::default())
        .service(Rank::first(Role::Execution), execution)
        .service(Rank::first(Role::Strategy), strategy)
        .service(Rank::first(Role::Gate), gate)
        .service(Rank::first(Role::Audit), Recorder::default())
        .run(InMemoryFeed::new(frames))
        .await
}

/// What a relay answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Snapshot,
    Decision,
    Nothing,
}

/// A service that answers one topic with another.
#[derive(Debug)]
struct Relay {
    name: &'static str,
    topics: &'static [Topic],
    answer: Answer,
    turns: [Option<Rc<AccountSnapshot>>; 2],
    heard: i64,
}

impl Relay {
    fn new(name: &'static str, topics: &'static [Topic], answer: Answer) -> Self {
        Self { name, topics, answer, turns: [None, None], heard: 0 }
    }

    fn snapshot(&mut self, frame: &Frame) -> Rc<AccountSnapshot> {
        self.turns.swap(0, 1);
        let turn = &mut self.turns[0];
        if let Some(snapshot) = turn.as_mut().and_then(Rc::get_mut) {
            snapshot.frame.clone_from(frame);
        } else {
            *turn = Some(Rc::new(AccountSnapshot {
                frame: frame.clone(),
                marks: vec![None],
                equity: 0.0,
                cash: 0.0,
                gross: 0.0,
                net: 0.0,
                unrealized: 0.0,
                chain: ChainSnapshots::default(),
                book: Rc::new(AccountBook::default()),
            }));
        }
        Rc::clone(turn.as_ref().expect("filled on both ways"))
    }
}

impl BacktestService for Relay {
    type Error = Infallible;

    const CLOSES_TICKS: bool = false;

    fn name(&self) -> &str {
        self.name
    }

    fn topics(&self) -> &'static [Topic] {
        self.topics
    }

    fn looks_up(&self) -> &'static [Topic] {
        if self.name == "gate" { &[Topic::Account] } else { &[] }
    }

    fn handle(&mut self, envelope: &Envelope, outbox: &mut Outbox) -> Result<(), Infallible> {
        self.heard += 1;
        if self.answer == Answer::Snapshot
            && let Payload::Frame(frame) = &envelope.payload
        {
            let snapshot = self.snapshot(frame);
            outbox.publish(Payload::Account(snapshot));
        }
        if self.answer == Answer::Decision {
            outbox.publish(Payload::Decision(Decision::HOLD));
        }
        Ok(())
    }

    fn finish(&mut self, _outcome: &RunOutcome) -> Result<ServiceReport, Infallible> {
        Ok(ServiceReport::new(self.name).with("heard", self.heard))
    }
}

/// Hears everything, cycle by cycle, and closes ticks.
#[derive(Debug, Default)]
struct Recorder {
    heard: i64,
    last_seq: u64,
    ticks: i64,
}

impl Recorder {
    fn record(&mut self, envelope: &Envelope) {
        self.heard += 1;
        self.last_seq = envelope.seq;
    }
}

impl BacktestService for Recorder {
    type Error = Infallible;

    fn name(&self) -> &'static str {
        "audit"
    }

    fn topics(&self) -> &'static [Topic] {
        &Topic::ALL
    }

    fn handle(&mut self, envelope: &Envelope, _: &mut Outbox) -> Result<(), Infallible> {
        self.record(envelope);
        Ok(())
    }

    fn tick_closed(&mut self, _: UtcMillis) -> Result<(), Infallible> {
        self.ticks += 1;
        Ok(())
    }

    fn finish(&mut self, _: &RunOutcome) -> Result<ServiceReport, Infallible> {
        let report = ServiceReport::new("audit");
        Ok(report.with("heard", self.heard).with("ticks", self.ticks))
    }

    async fn run(mut self, mut inbox: Inbox) -> Result<ServiceReport, EngineError> {
        let mut outbox = inbox.outbox();
        while let Some(ts) = inbox.next_tick().await {
            while let Some(cycle) = inbox.consume_cycle().await {
                cycle.envelopes().for_each(|envelope| self.record(envelope));
                cycle.ack(&mut outbox);
            }
            if inbox.is_over() {
                break;
            }
            self.tick_closed(ts).map_err(|error| failed(&self, None, error))?;
        }
        self.finish(&inbox.outcome()).map_err(|error| failed(&self, None, error))
    }
}
