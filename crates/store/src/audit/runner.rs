//! The audit service: takes whole cycles, keeps them in columns, hands them over at commits.

use std::rc::Rc;

use engine::delivery::{Inbox, Outbox};
use engine::error::EngineError;
use engine::service::{BacktestService, RunOutcome, RunStatus, ServiceReport, failed};
use model::event::{Envelope, Payload, Topic};
use model::instrument::InstrumentTable;
use model::time::UtcMillis;

use super::chain_watch::{ChainPlan, ChainWatch};
use super::holdings::Holdings;
use super::recording::{Message, Sender};
use super::records::Records;
use crate::error::FolderError;

/// Frames between two commits.
pub const TICKS_PER_COMMIT: usize = 4_096;

/// Records every envelope, and drives the results.
#[derive(Debug)]
pub struct AuditRunner {
    sender: Sender,
    records: Records,
    holdings: Holdings,
    chain: ChainWatch,
}

impl AuditRunner {
    pub(crate) fn new(sender: Sender, instruments: Rc<InstrumentTable>, chain: ChainPlan) -> Self {
        Self {
            sender,
            records: Records::for_ticks(TICKS_PER_COMMIT),
            holdings: Holdings::new(instruments),
            chain: ChainWatch::new(chain),
        }
    }

    fn take(&mut self, envelope: &Envelope) {
        self.records.take(envelope);
        self.chain.take(envelope, &mut self.records);
        if let Payload::Account(account) = &envelope.payload
            && self.holdings.note_changes(account, &mut self.records.positions)
        {
            self.chain.note_news();
        }
    }

    fn hand_over(&mut self, provisional: bool) -> Result<(), FolderError> {
        let next = Records::for_ticks(TICKS_PER_COMMIT);
        let records = Box::new(std::mem::replace(&mut self.records, next));
        self.sender.send(Message::Commit { records, provisional })
    }
}

impl BacktestService for AuditRunner {
    type Error = FolderError;

    fn name(&self) -> &'static str {
        "audit"
    }

    fn topics(&self) -> &'static [Topic] {
        &Topic::ALL
    }

    fn handle(&mut self, envelope: &Envelope, _outbox: &mut Outbox) -> Result<(), FolderError> {
        self.take(envelope);
        Ok(())
    }

    fn tick_closed(&mut self, _ts: UtcMillis) -> Result<(), FolderError> {
        self.chain.close_tick(&mut self.records);
        if self.records.ticks() >= TICKS_PER_COMMIT { self.hand_over(false) } else { Ok(()) }
    }

    fn finish(&mut self, outcome: &RunOutcome) -> Result<ServiceReport, FolderError> {
        self.chain.finish(&mut self.records);
        let provisional = outcome.status == RunStatus::Interrupted;
        if let (Some(failure), false) = (&outcome.failure, self.records.tell_of_failure()) {
            // A service that failed to finish: the bus is closed, but the log is not.
            self.records.add_failure(outcome.events + 1, failure);
        }
        self.hand_over(provisional)?;
        self.sender.send(Message::Close)?;
        let events = i64::try_from(outcome.events).unwrap_or(i64::MAX);
        Ok(ServiceReport::new("audit").with("events", events))
    }

    async fn run(mut self, mut inbox: Inbox) -> Result<ServiceReport, EngineError> {
        let mut outbox = inbox.outbox();
        while let Some(ts) = inbox.next_tick().await {
            while let Some(cycle) = inbox.consume_cycle().await {
                for envelope in cycle.envelopes() {
                    self.take(envelope);
                }
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
