//! The audit service: takes whole cycles, keeps them in columns, hands them over at commits.

use std::rc::Rc;

use engine::delivery::{Inbox, Outbox};
use engine::error::EngineError;
use engine::service::{BacktestService, RunOutcome, RunStatus, ServiceReport, failed};
use model::event::{Envelope, Payload, Topic};
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::snapshot::{AccountBook, AccountSnapshot};
use model::time::UtcMillis;

use super::recording::{Message, Sender};
use super::records::{PositionRow, Records};
use crate::error::FolderError;

/// Frames between two commits.
pub const TICKS_PER_COMMIT: usize = 4_096;

/// Records every envelope, and drives the results.
#[derive(Debug)]
pub struct AuditRunner {
    sender: Sender,
    records: Records,
    holdings: Holdings,
}

/// The balances as last recorded, to tell what changed.
#[derive(Debug)]
struct Holdings {
    instruments: Rc<InstrumentTable>,
    share_class: Box<str>,
    /// What prices each key: an instrument, or nothing for cash in share class.
    priced_by: Vec<Option<InstrumentIx>>,
    book: Option<Rc<AccountBook>>,
}

impl AuditRunner {
    pub(crate) fn new(sender: Sender, instruments: Rc<InstrumentTable>, share_class: &str) -> Self {
        let priced_by = instruments
            .keys()
            .map(|(_, key)| instruments.price_path(key.venue(), key.symbol(), share_class))
            .collect();
        let holdings =
            Holdings { instruments, share_class: share_class.into(), priced_by, book: None };
        Self { sender, records: Records::for_ticks(TICKS_PER_COMMIT), holdings }
    }

    fn take(&mut self, envelope: &Envelope) {
        self.records.take(envelope);
        if let Payload::Account(account) = &envelope.payload {
            self.holdings.note_changes(account, &mut self.records.positions);
        }
    }

    fn hand_over(&mut self, provisional: bool) -> Result<(), FolderError> {
        let next = Records::for_ticks(TICKS_PER_COMMIT);
        let records = Box::new(std::mem::replace(&mut self.records, next));
        self.sender.send(Message::Commit { records, provisional })
    }
}

impl Holdings {
    /// One row per balance that is not what it was at the last snapshot.
    fn note_changes(&mut self, account: &AccountSnapshot, rows: &mut Vec<PositionRow>) {
        if self.book.as_ref().is_some_and(|book| Rc::ptr_eq(book, &account.book)) {
            return;
        }
        for (key, name) in self.instruments.keys() {
            let quantity = account.book.balances[key.index()];
            let before = self.book.as_ref().map(|book| book.balances[key.index()]);
            if before.map_or(!quantity.is_zero(), |before| before != quantity) {
                let mark = self.mark(key, name.symbol(), account);
                rows.push(PositionRow::of(account.ts(), key, quantity, mark));
            }
        }
        self.book = Some(Rc::clone(&account.book));
    }

    fn mark(&self, key: KeyIx, symbol: &str, account: &AccountSnapshot) -> Option<f64> {
        if *symbol == *self.share_class {
            return Some(1.0);
        }
        self.priced_by[key.index()].and_then(|instrument| account.mark(instrument))
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
        if self.records.ticks() >= TICKS_PER_COMMIT { self.hand_over(false) } else { Ok(()) }
    }

    fn finish(&mut self, outcome: &RunOutcome) -> Result<ServiceReport, FolderError> {
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
