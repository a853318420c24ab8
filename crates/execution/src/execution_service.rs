//! The one service that executes: fills orders at the open, books them, values the account.

use std::rc::Rc;
use std::sync::Arc;

use engine::delivery::Outbox;
use engine::service::{BacktestService, RunOutcome, ServiceReport};
use ledger::Account;
pub use ledger::AccountError;
use model::Decimal;
use model::event::{Envelope, Payload, Topic};
use model::fill::{Fill, Liquidity, PriceRule};
use model::frame::Frame;
use model::instrument::{InstrumentTable, KeyIx};
use model::money::{Price, Quantity};
use model::numeric::decimal_of;
use model::order::{Order, OrderStatus, OrderUpdate, Refusal, Size, Verdict};
use model::time::Interval;
use venues::matching::{self, Execution, Funds, Outcome};
use venues::slippage::Slippage;

use crate::reservation::{self, Reservation};
use crate::snapshots::Snapshots;

/// How orders are executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutionSettings {
    /// Length of a frame; a bar opens this long before its frame.
    pub interval: Interval,
    /// Slippage of takers.
    pub slippage: Slippage,
}

/// Executes accepted orders one at a time and publishes exactly one account snapshot per frame.
#[derive(Debug)]
pub struct ExecutionService {
    instruments: Rc<InstrumentTable>,
    settings: ExecutionSettings,
    account: Account,
    /// Accepted orders that have not ended, oldest first.
    working: Vec<WorkingOrder>,
    snapshots: Snapshots,
    last_trade_id: u64,
    fills: i64,
}

#[derive(Debug)]
struct WorkingOrder {
    order: Order,
    reservation: Reservation,
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
        let account = Account::new(Rc::clone(&instruments), share_class, initial)?;
        Ok(Self {
            instruments,
            settings,
            account,
            working: Vec::new(),
            snapshots: Snapshots::default(),
            last_trade_id: 0,
            fills: 0,
        })
    }

    /// Fills at the open, then the valuation at T, then the snapshot of T.
    fn on_frame(&mut self, frame: &Frame, outbox: &mut Outbox) -> Result<(), ExecutionError> {
        if !self.working.is_empty() {
            self.match_at_open(frame, outbox)?;
        }
        self.account.observe(frame);
        let value = self.account.value()?;
        let snapshot = self.snapshots.take(frame, &self.account, value);
        outbox.publish(Payload::Account(snapshot));
        Ok(())
    }

    /// Executes every eligible order, oldest first, each to its end before the next.
    fn match_at_open(&mut self, frame: &Frame, outbox: &mut Outbox) -> Result<(), ExecutionError> {
        let open = frame.ts().before(self.settings.interval);
        let mut waiting = Vec::new();
        let mut queue = std::mem::take(&mut self.working).into_iter();
        while let Some(working) = queue.next() {
            let order = &working.order;
            let bar = frame.bar(order.instrument).filter(|_| order.ts_eligible <= open);
            let Some(bar) = bar else {
                waiting.push(working);
                continue;
            };
            let order = self.clipped(order);
            let instrument = self.instruments.instrument(order.instrument);
            let funds = self.funds(&working, queue.as_slice());
            let slippage = self.settings.slippage;
            match matching::market_at_open(&order, bar, instrument, slippage, funds) {
                Outcome::Waits => waiting.push(working),
                Outcome::Filled(execution) => {
                    self.release(&working);
                    self.book(&order, execution, frame, outbox)?;
                }
                Outcome::Rejected(refusal) => {
                    self.end_unfilled(&working, OrderStatus::Rejected, refusal, outbox);
                }
                Outcome::NothingLeft(refusal) => {
                    self.end_unfilled(&working, OrderStatus::Canceled, refusal, outbox);
                }
            }
        }
        self.working = waiting;
        Ok(())
    }

    /// Reduce-only orders are clipped again at the fill: the position may have shrunk.
    fn clipped(&self, order: &Order) -> Order {
        let mut order = order.clone();
        if let (true, Size::Units(quantity)) = (order.reduce_only, order.size) {
            order.size = Size::Units(quantity.min(self.account.position(order.instrument)));
        }
        order
    }

    /// What the order may spend: all that orders before it do not need. Those after it come later,
    /// at the venue too.
    fn funds(&self, working: &WorkingOrder, later: &[WorkingOrder]) -> Funds {
        let instrument = working.order.instrument;
        let (quote, base) =
            (self.instruments.quote_key(instrument), self.instruments.base_key(instrument));
        let available = |key: KeyIx| {
            let own_and_later = std::iter::once(working).chain(later);
            let reserved = own_and_later.map(|order| order.reservation);
            let reserved = reserved.filter(|reserved| reserved.key == key);
            self.account.free(key) + reserved.map(|reserved| reserved.amount).sum::<Decimal>()
        };
        Funds {
            cash: available(quote),
            base: available(base),
            held: self.account.position(instrument).0,
        }
    }

    fn book(
        &mut self,
        order: &Order,
        execution: Execution,
        frame: &Frame,
        outbox: &mut Outbox,
    ) -> Result<(), ExecutionError> {
        self.last_trade_id += 1;
        self.fills += 1;
        let Execution { last_qty, last_px, notional, fee, slippage_bps } = execution;
        let mut fill = Fill {
            trade_id: self.last_trade_id,
            order_id: order.order_id,
            instrument: order.instrument,
            side: order.side,
            ts: frame.ts().before(self.settings.interval),
            last_qty,
            last_px,
            notional,
            fee,
            fee_key: self.instruments.quote_key(order.instrument),
            liquidity: Liquidity::Taker,
            slippage_bps,
            price_rule: PriceRule::MarketOpen,
            closed: None,
        };
        self.account.book_fill(&mut fill)?;
        outbox.publish(Payload::Fill(Arc::new(fill)));
        outbox.publish(Payload::OrderUpdate(Arc::new(OrderUpdate {
            order_id: order.order_id,
            status: OrderStatus::Filled,
            order_qty: Some(last_qty),
            cum_qty: last_qty,
            avg_px: Some(last_px),
            refusal: None,
        })));
        Ok(())
    }

    fn end_unfilled(
        &mut self,
        working: &WorkingOrder,
        status: OrderStatus,
        refusal: Refusal,
        outbox: &mut Outbox,
    ) {
        self.release(working);
        let order_qty = match working.order.size {
            Size::Units(quantity) => Some(quantity),
            Size::Share(_) => None,
        };
        outbox.publish(Payload::OrderUpdate(Arc::new(OrderUpdate {
            order_id: working.order.order_id,
            status,
            order_qty,
            cum_qty: Quantity::ZERO,
            avg_px: None,
            refusal: Some(refusal),
        })));
    }

    /// Stores an accepted order; it matches from the next bar on.
    fn accept(&mut self, order: &Order) {
        let reference = self.account.marks()[order.instrument.index()].and_then(decimal_of);
        let reference = reference.and_then(Price::new).expect("the gate wants a price");
        let reservation = reservation::market_order(
            &self.instruments,
            order.instrument,
            order.side,
            order.size,
            reference,
        );
        self.account.reserve(reservation.key, reservation.amount);
        self.working.push(WorkingOrder { order: order.clone(), reservation });
    }

    fn release(&mut self, working: &WorkingOrder) {
        self.account.release(working.reservation.key, working.reservation.amount);
    }
}

impl BacktestService for ExecutionService {
    type Error = ExecutionError;

    const CLOSES_TICKS: bool = false;

    fn name(&self) -> &'static str {
        "execution"
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Frame, Topic::Verdict]
    }

    fn handle(&mut self, envelope: &Envelope, outbox: &mut Outbox) -> Result<(), Self::Error> {
        if let Payload::Frame(frame) = &envelope.payload {
            self.on_frame(frame, outbox)?;
        }
        if let Payload::Verdict(group) = &envelope.payload {
            for verdict in &group.verdicts {
                if let Verdict::Accepted(order) = verdict {
                    self.accept(order);
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, _outcome: &RunOutcome) -> Result<ServiceReport, Self::Error> {
        let working = i64::try_from(self.working.len()).unwrap_or(i64::MAX);
        Ok(ServiceReport::new("execution").with("fills", self.fills).with("working", working))
    }
}
