//! The audit service: takes whole cycles, keeps them in columns, hands them over at commits.

use std::rc::Rc;

use engine::delivery::{Inbox, Outbox};
use engine::error::EngineError;
use engine::service::{BacktestService, RunOutcome, RunStatus, ServiceReport, failed};
use model::Decimal;
use model::conversion::Conversion;
use model::event::{Envelope, Payload, Topic};
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::money::{Price, Quantity};
use model::numeric::{DoubleFloat, decimal_of};
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

/// The balances and positions as last recorded, to tell what changed.
#[derive(Debug)]
struct Holdings {
    instruments: Rc<InstrumentTable>,
    /// What each key is worth.
    worth: Vec<Worth>,
    /// The book of the last snapshot, and its instant.
    book: Option<Rc<AccountBook>>,
    ts: Option<UtcMillis>,
    /// The last book of the frame before.
    before: Option<Rc<AccountBook>>,
}

/// How a quantity becomes share class.
#[derive(Debug)]
struct Worth {
    /// The perpetual of a position, whose notional is converted.
    perpetual: Option<InstrumentIx>,
    /// From the asset of the balance, or of the perpetual's cash; absent where nothing prices it.
    conversion: Option<Conversion>,
}

impl AuditRunner {
    pub(crate) fn new(sender: Sender, instruments: Rc<InstrumentTable>, share_class: &str) -> Self {
        let holdings = Holdings::new(instruments, share_class);
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
    fn new(instruments: Rc<InstrumentTable>, share_class: &str) -> Self {
        let worth = instruments.keys().map(|(key, name)| {
            let perpetual = instruments.instruments().find(|(place, instrument)| {
                instrument.is_perpetual() && instruments.base_key(*place) == key
            });
            let asset = perpetual.map_or(name.symbol(), |(_, instrument)| instrument.cash_asset());
            Worth {
                perpetual: perpetual.map(|(place, _)| place),
                conversion: instruments.conversion(name.venue(), asset, share_class),
            }
        });
        let worth = worth.collect();
        Self { instruments, worth, book: None, ts: None, before: None }
    }

    /// One row per key whose quantity is not what it was at the end of the frame before.
    ///
    /// A second snapshot of a frame takes the place of the first.
    fn note_changes(&mut self, account: &AccountSnapshot, rows: &mut Vec<PositionRow>) {
        if self.book.as_ref().is_some_and(|book| Rc::ptr_eq(book, &account.book)) {
            return;
        }
        let ts = account.ts();
        if self.ts.replace(ts) == Some(ts) {
            while rows.pop_if(|row| row.ts == ts).is_some() {}
        } else {
            self.before = self.book.take();
        }
        for (key, _) in self.instruments.keys() {
            let quantity = account.book.balances[key.index()];
            let before = self.before.as_ref().map(|book| book.balances[key.index()]);
            if before.map_or(!quantity.is_zero(), |before| before != quantity) {
                let value = self.value(key, quantity, account);
                rows.push(PositionRow { ts, key, quantity, value });
            }
        }
        self.book = Some(Rc::clone(&account.book));
    }

    /// In share class at the snapshot's marks: a balance, or the notional of a perpetual position.
    fn value(&self, key: KeyIx, quantity: Decimal, account: &AccountSnapshot) -> Option<f64> {
        let worth = &self.worth[key.index()];
        let rate = worth.conversion.as_ref()?.rate(&account.marks).ok()?;
        let amount = match worth.perpetual {
            None => quantity,
            Some(place) => {
                let mark = account.mark(place).and_then(decimal_of).and_then(Price::new)?;
                self.instruments.instrument(place).notional(mark, Quantity(quantity)).value()
            }
        };
        Some(DoubleFloat::of(amount).times(rate).value())
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::frame::FrameBatch;
    use model::snapshot::ChainSnapshots;

    use super::*;
    use crate::audit::fixtures::{decimal, instruments, minute};

    /// The rows of snapshots, each with its minute and its amounts per key.
    fn rows(snapshots: &[(i64, [&str; 4])]) -> Vec<String> {
        let instruments = Rc::new(instruments());
        let names: Vec<String> = instruments.keys().map(|(_, key)| key.to_string()).collect();
        let mut holdings = Holdings::new(Rc::clone(&instruments), "USDT");
        let mut rows = Vec::new();
        for (ts, balances) in snapshots {
            let mut batch = FrameBatch::with_capacity(0, 1);
            batch.push(minute(*ts), false, &[]);
            let balances = balances.iter().map(|amount| decimal(amount)).collect();
            let account = AccountSnapshot {
                frame: Arc::new(batch).frame(0).unwrap(),
                marks: vec![Some(50_000.0), Some(40_000.0), Some(20_000.0)],
                equity: 0.0,
                cash: 0.0,
                gross: 0.0,
                net: 0.0,
                unrealized: 0.0,
                chain: ChainSnapshots::default(),
                book: Rc::new(AccountBook { balances, ..AccountBook::default() }),
            };
            holdings.note_changes(&account, &mut rows);
        }
        let row = |row: &PositionRow| {
            let (minutes, name) = (row.ts.millis() / 60_000, &names[row.key.index()]);
            format!("{minutes} {name} {} {:?}", row.quantity, row.value)
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn positions_are_worth_their_notional_and_balances_what_they_are() {
        // Keys in the order in which instruments bring them.
        assert_eq!(
            rows(&[(1, ["1000", "2", "-1", "0.5"])]),
            [
                "1 binance:BaseToken:USDT 1000 Some(1000.0)",
                "1 binance:BaseToken:BTC 2 Some(100000.0)",
                "1 binance:Perp:BTCUSDT -1 Some(-40000.0)",
                // Contracts of 100 USD: 0.0025 BTC at 20,000, converted at 50,000.
                "1 binance:Perp:BTCUSD 0.5 Some(125.0)",
            ]
        );
    }

    #[test]
    fn a_second_snapshot_of_a_frame_takes_the_place_of_the_first() {
        assert_eq!(
            rows(&[
                (1, ["1000", "0", "0", "0"]),
                (2, ["900", "1", "0", "0"]),
                (2, ["950", "0", "0", "0"]),
                (3, ["950", "0", "0", "0"]),
            ]),
            [
                "1 binance:BaseToken:USDT 1000 Some(1000.0)",
                "2 binance:BaseToken:USDT 950 Some(950.0)",
            ]
        );
    }
}
