//! The one service that executes: lets the exchange match, books what it says, values the account.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use engine::delivery::Outbox;
use engine::service::{BacktestService, RunOutcome, ServiceReport};
pub use ledger::LedgerError;
use ledger::{LedgerSetup, PositionUpdateHandler, ReconciliationComponent};
use model::Decimal;
use model::delta::OperationId;
use model::event::{Control, Envelope, Payload, Topic};
use model::frame::Frame;
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::interface::{Holding, InterfaceError, PositionInterface};
use model::key::PositionKey;
use model::market::DataProvider;
use model::money::Price;
use model::numeric::decimal_of;
use model::order::{Order, Verdict, VerdictGroup};
use venues::books::{SharedBooks, VenueBooks};
use venues::exchange::{Exchange, ExchangeSettings};

use crate::clerk::Clerk;
use crate::snapshots::Snapshots;

/// How orders are executed.
#[derive(Clone, Debug)]
pub struct ExecutionSettings {
    /// How the exchange fills them.
    pub exchange: ExchangeSettings,
    /// Whether orders may fill at the close that they were decided on; prone to look-ahead.
    pub same_close: bool,
}

/// Executes accepted orders one at a time and publishes an account snapshot per frame.
///
/// With `same_close` a tick in which orders were accepted has a second snapshot, after a pass at the
/// close (08 §10.1).
#[derive(Debug)]
pub struct ExecutionService {
    instruments: Rc<InstrumentTable>,
    market: Rc<DataProvider>,
    ledger: PositionUpdateHandler,
    exchange: Exchange,
    books: SharedBooks,
    same_close: bool,
    close: ClosePass,
    snapshots: Snapshots,
    fills: i64,
}

/// Whether orders may still fill at the close of the present frame.
#[derive(Debug, Default)]
enum ClosePass {
    /// They may not, or have.
    #[default]
    Over,
    /// They may, once one is accepted.
    Possible(Frame),
    /// They will, after all verdicts of this cycle.
    Announced(Frame),
}

/// Why execution ends the run.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum ExecutionError {
    #[error("our book cannot be kept")]
    Ledger(#[from] LedgerError),

    #[error("a venue cannot be asked")]
    Interface(#[from] InterfaceError),

    #[error(
        "REC-MISMATCH: after {op_id} we believe {simulated} at {key} and the venue says {real}, \
         {difference} apart"
    )]
    Reconciliation {
        op_id: OperationId,
        key: PositionKey,
        simulated: Decimal,
        real: Decimal,
        difference: Decimal,
    },
}

impl ExecutionService {
    /// A service that trades on an account with `initial` balances in `share_class`.
    ///
    /// # Errors
    ///
    /// An initial balance that nothing in the run prices.
    pub fn new(
        instruments: Rc<InstrumentTable>,
        settings: ExecutionSettings,
        share_class: &str,
        initial: &[(KeyIx, Decimal)],
    ) -> Result<Self, ExecutionError> {
        let ExecutionSettings { exchange, same_close } = settings;
        let interval = exchange.interval;
        let market = Rc::new(DataProvider::new(&instruments));
        let held: Vec<(KeyIx, Holding)> = initial
            .iter()
            .map(|(key, amount)| (*key, Holding { amount: *amount, ..Holding::default() }))
            .collect();
        let books = SharedBooks::new(VenueBooks::new(Rc::clone(&instruments), &held));
        let ledger = PositionUpdateHandler::new(LedgerSetup {
            instruments: Rc::clone(&instruments),
            market: Rc::clone(&market),
            share_class,
            interval,
            initial,
            interfaces: position_interfaces(&instruments, &books),
            reconciliation: ReconciliationComponent::exact(&instruments),
        })?;
        Ok(Self {
            ledger,
            exchange: Exchange::new(Rc::clone(&instruments), exchange, books.clone()),
            books,
            market,
            instruments,
            same_close,
            close: ClosePass::Over,
            snapshots: Snapshots::default(),
            fills: 0,
        })
    }

    /// Fills, then the valuation at T, then the snapshot of T.
    fn on_frame(&mut self, frame: &Frame, outbox: &mut Outbox) -> Result<(), ExecutionError> {
        if self.exchange.open_orders() > 0 {
            let mut clerk = clerk(&self.instruments, &mut self.ledger, &mut self.fills, outbox);
            let matched = self.exchange.match_frame(frame, &mut clerk);
            clerk.close(matched)?;
        }
        self.market.advance(frame);
        self.books.change(|books| books.observe(frame));
        self.ledger.observe(frame);
        if self.same_close {
            self.close = ClosePass::Possible(frame.clone());
        }
        self.publish_snapshot(frame, outbox)
    }

    /// Orders that were decided on this close and need no time to arrive fill at it.
    fn on_close(&mut self, outbox: &mut Outbox) -> Result<(), ExecutionError> {
        let ClosePass::Announced(frame) = std::mem::take(&mut self.close) else { return Ok(()) };
        let mut clerk = clerk(&self.instruments, &mut self.ledger, &mut self.fills, outbox);
        let matched = self.exchange.match_close(&frame, &mut clerk);
        clerk.close(matched)?;
        self.publish_snapshot(&frame, outbox)
    }

    fn publish_snapshot(
        &mut self,
        frame: &Frame,
        outbox: &mut Outbox,
    ) -> Result<(), ExecutionError> {
        let value = self.ledger.value()?;
        let snapshot = self.snapshots.take(frame, &self.market, self.ledger.book(), value);
        outbox.publish(Payload::Account(snapshot));
        Ok(())
    }

    /// Sends what the gate has granted on its way to the exchange.
    fn on_verdicts(
        &mut self,
        group: &VerdictGroup,
        outbox: &mut Outbox,
    ) -> Result<(), ExecutionError> {
        let mut sent = false;
        for verdict in &group.verdicts {
            match verdict {
                Verdict::Accepted(order) => {
                    self.send(order, outbox)?;
                    sent = true;
                }
                Verdict::CancelAccepted(cancel) => self.exchange.cancel(*cancel),
                Verdict::ReplaceAccepted(order) => self.exchange.replace(order),
                Verdict::Denied { .. } | Verdict::ReplaceDenied { .. } => {}
            }
        }
        if sent && let ClosePass::Possible(frame) = &self.close {
            // To this service itself, so that all verdicts of the cycle come before the pass.
            self.close = ClosePass::Announced(frame.clone());
            outbox.publish(Payload::Control(Control::ClosePass));
        }
        Ok(())
    }

    fn send(&mut self, order: &Arc<Order>, outbox: &mut Outbox) -> Result<(), ExecutionError> {
        let last_px = self.last_px(order.instrument).expect("the gate wants a price");
        let mut clerk = clerk(&self.instruments, &mut self.ledger, &mut self.fills, outbox);
        let sent = self.exchange.send(order, last_px, &mut clerk);
        if let Some(reserved) = clerk.close(sent)? {
            self.ledger.accept_order(Arc::clone(order), reserved);
        }
        Ok(())
    }

    fn last_px(&self, instrument: InstrumentIx) -> Option<Price> {
        let close = self.market.present(|market| market.close(instrument));
        close.and_then(decimal_of).and_then(Price::new)
    }
}

/// One position interface per venue of the run.
fn position_interfaces(
    instruments: &InstrumentTable,
    books: &SharedBooks,
) -> Vec<Box<dyn PositionInterface>> {
    let venues: BTreeSet<&str> = instruments.keys().map(|(_, key)| key.venue()).collect();
    let interface = |venue: &str| Box::new(books.positions(venue)) as Box<dyn PositionInterface>;
    venues.into_iter().map(interface).collect()
}

/// The ledger and the bus for one step of the exchange; apart from the exchange, which it serves.
fn clerk<'a>(
    instruments: &'a InstrumentTable,
    ledger: &'a mut PositionUpdateHandler,
    fills: &'a mut i64,
    outbox: &'a mut Outbox,
) -> Clerk<'a> {
    Clerk { instruments, ledger, outbox, fills, error: None }
}

impl BacktestService for ExecutionService {
    type Error = ExecutionError;

    const CLOSES_TICKS: bool = false;

    fn name(&self) -> &'static str {
        "execution"
    }

    fn topics(&self) -> &'static [Topic] {
        if self.same_close {
            &[Topic::Frame, Topic::Verdict, Topic::Control]
        } else {
            &[Topic::Frame, Topic::Verdict]
        }
    }

    fn handle(&mut self, envelope: &Envelope, outbox: &mut Outbox) -> Result<(), Self::Error> {
        if let Payload::Frame(frame) = &envelope.payload {
            self.on_frame(frame, outbox)?;
        }
        if let Payload::Verdict(group) = &envelope.payload {
            self.on_verdicts(group, outbox)?;
        }
        if let Payload::Control(Control::ClosePass) = &envelope.payload {
            self.on_close(outbox)?;
        }
        Ok(())
    }

    fn finish(&mut self, _outcome: &RunOutcome) -> Result<ServiceReport, Self::Error> {
        let working = i64::try_from(self.exchange.open_orders()).unwrap_or(i64::MAX);
        Ok(ServiceReport::new("execution").with("fills", self.fills).with("working", working))
    }
}
