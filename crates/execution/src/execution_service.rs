//! The one service that executes: lets the exchange match, books what it says, values the account.

use std::rc::Rc;
use std::sync::Arc;

use engine::delivery::Outbox;
use engine::service::{BacktestService, RunOutcome, ServiceReport};
use ledger::Account;
pub use ledger::AccountError;
use model::Decimal;
use model::event::{Control, Envelope, Payload, Topic};
use model::frame::Frame;
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::money::{Price, Quantity};
use model::numeric::decimal_of;
use model::operation::{OperationOrder, OperationRequest};
use model::order::{Order, OrderStatus, OrderUpdate, Refusal, RefusalCode, Verdict, VerdictGroup};
use venues::exchange::{Admission, Exchange, ExchangeSettings};

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
    account: Account,
    exchange: Exchange,
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
    #[error("the account cannot be kept")]
    Account(#[from] AccountError),
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
        Ok(Self {
            account: Account::new(Rc::clone(&instruments), share_class, interval, initial)?,
            exchange: Exchange::new(Rc::clone(&instruments), exchange),
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
            let mut clerk = clerk(&self.instruments, &mut self.account, &mut self.fills, outbox);
            self.exchange.match_frame(frame, &mut clerk)?;
        }
        self.account.observe(frame);
        if self.same_close {
            self.close = ClosePass::Possible(frame.clone());
        }
        self.publish_snapshot(frame, outbox)
    }

    /// Orders that were decided on this close and need no time to arrive fill at it.
    fn on_close(&mut self, outbox: &mut Outbox) -> Result<(), ExecutionError> {
        let ClosePass::Announced(frame) = std::mem::take(&mut self.close) else { return Ok(()) };
        let mut clerk = clerk(&self.instruments, &mut self.account, &mut self.fills, outbox);
        self.exchange.match_close(&frame, &mut clerk)?;
        self.publish_snapshot(&frame, outbox)
    }

    fn publish_snapshot(
        &mut self,
        frame: &Frame,
        outbox: &mut Outbox,
    ) -> Result<(), ExecutionError> {
        let value = self.account.value()?;
        let snapshot = self.snapshots.take(frame, &self.account, value);
        outbox.publish(Payload::Account(snapshot));
        Ok(())
    }

    /// Sends what the gate has granted on its way to the exchange.
    fn on_verdicts(&mut self, group: &VerdictGroup, outbox: &mut Outbox) {
        let mut sent = false;
        for verdict in &group.verdicts {
            match verdict {
                Verdict::Accepted(order) => {
                    self.send(order, outbox);
                    sent = true;
                }
                Verdict::CancelAccepted(cancel) => self.exchange.cancel(*cancel),
                Verdict::ReplaceAccepted(order) => self.exchange.replace(order),
                Verdict::OperationAccepted(operation) => {
                    outbox.publish(Payload::OrderUpdate(no_route(operation)));
                }
                Verdict::Denied { .. } | Verdict::ReplaceDenied { .. } => {}
            }
        }
        if sent && let ClosePass::Possible(frame) = &self.close {
            // To this service itself, so that all verdicts of the cycle come before the pass.
            self.close = ClosePass::Announced(frame.clone());
            outbox.publish(Payload::Control(Control::ClosePass));
        }
    }

    fn send(&mut self, order: &Arc<Order>, outbox: &mut Outbox) {
        let last_px = self.last_px(order.instrument).expect("the gate wants a price");
        let mut clerk = clerk(&self.instruments, &mut self.account, &mut self.fills, outbox);
        match self.exchange.send(order, last_px, &clerk) {
            Admission::Sent(reserved) => clerk.account.accept(Arc::clone(order), reserved),
            Admission::Refused(update) => clerk.follow(update),
        }
    }

    fn last_px(&self, instrument: InstrumentIx) -> Option<Price> {
        self.account.marks()[instrument.index()].and_then(decimal_of).and_then(Price::new)
    }
}

/// News of an operation that no interface takes: it is refused, not lost (07 §9.1).
fn no_route(operation: &OperationOrder) -> Arc<OrderUpdate> {
    let OperationRequest { operation: kind, venue, .. } = &operation.request;
    let detail = format!("nothing takes a {} at {venue}", kind.name());
    Arc::new(OrderUpdate {
        order_id: operation.order_id,
        status: OrderStatus::Rejected,
        order_qty: None,
        cum_qty: Quantity::ZERO,
        avg_px: None,
        refusal: Some(Refusal::new(RefusalCode::NoRoute, detail)),
        terms: None,
        repeats: None,
    })
}

/// The account and the bus for one step of the exchange; apart from the exchange, which it serves.
fn clerk<'a>(
    instruments: &'a InstrumentTable,
    account: &'a mut Account,
    fills: &'a mut i64,
    outbox: &'a mut Outbox,
) -> Clerk<'a> {
    Clerk { instruments, account, outbox, fills }
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
            self.on_verdicts(group, outbox);
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
