//! The steps of a frame, in the order of D55: overdue settlements, fills at the open, settlements of
//! the bar, fills inside it, refresh.

use std::sync::Arc;

use engine::delivery::Outbox;
use model::event::Payload;
use model::frame::{Frame, FundingPoint};
use model::instrument::InstrumentIx;
use model::interface::{Desk, InterfaceError, Submission};
use model::money::Price;
use model::numeric::decimal_of;
use model::order::Order;
use model::planted::{self, Mistake};
use model::reconciliation::Mismatch;
use model::settlement::margin_instants;
use model::time::UtcMillis;
use tracing::trace_span;
use venues::exchange::{Due, Exchange};

use crate::execution_service::{ExecutionError, ExecutionService};
use crate::failure::{FailureReason, SystemFailure};
use crate::narrator::Narrator;
use crate::outcome::RunStop;

impl ExecutionService {
    /// Executes and settles everything up to T, and takes the data of T.
    pub(crate) fn execute_frame(
        &mut self,
        frame: &Frame,
        outbox: &mut Outbox,
    ) -> Result<(), ExecutionError> {
        if !self.is_idle(frame) {
            self.trade_and_settle(frame, outbox)?;
        }
        self.refresh(frame)
    }

    /// Whether nothing can happen in the bars of a frame, as in most: nothing is open, waits, is on its
    /// way, falls due or has to be reacted to.
    fn is_idle(&self, frame: &Frame) -> bool {
        self.exchange.read(Exchange::is_quiet)
            && self.operations.is_empty()
            && frame.funding().is_empty()
            && self.ledger.next_arrival().is_none()
            && self.settled_daily.is_empty()
            && !self.counts.has_liquidated()
    }

    fn trade_and_settle(
        &mut self,
        frame: &Frame,
        outbox: &mut Outbox,
    ) -> Result<(), ExecutionError> {
        let open = frame.ts().before(self.interval);
        let funding = frame.funding();
        // What fell due before the open of the bar that fills belongs to the old position (D73).
        let overdue = funding.partition_point(|point| point.ts <= open);
        self.settle(open, &funding[..overdue], outbox)?;
        self.settle_margins(frame, open, outbox)?;
        self.operate(open, u64::MIN, outbox)?;
        let is_quiet = self.exchange.read(Exchange::is_quiet);
        if !is_quiet {
            self.fill_at_open(frame, open, outbox)?;
        }
        self.operate(open, u64::MAX, outbox)?;
        self.settle(frame.ts(), &funding[overdue..], outbox)?;
        self.settle_margins(frame, frame.ts(), outbox)?;
        if !is_quiet {
            let exchange = self.exchange.clone();
            self.let_venue_move(frame.ts(), outbox, |desk| {
                Ok(exchange.work(|exchange| exchange.match_rest(desk))?)
            })?;
        }
        if self.counts.take_liquidated() {
            self.on_breaker(frame.ts(), "liquidation");
            self.ledger.trip_breaker();
        }
        Ok(())
    }

    /// Submits what has come to the venues and lets what waits there meet the open, oldest first.
    fn fill_at_open(
        &mut self,
        frame: &Frame,
        open: UtcMillis,
        outbox: &mut Outbox,
    ) -> Result<(), ExecutionError> {
        let exchange = self.exchange.clone();
        let mut dues = Vec::new();
        self.let_venue_move(open, outbox, |desk| {
            dues = exchange.work(|exchange| exchange.begin_open(frame, desk))?;
            Ok(())
        })?;
        for Due { seq, sent, is_emergency } in dues {
            self.operate(open, if is_emergency { u64::MIN } else { seq }, outbox)?;
            match sent {
                Some(order) => self.submit(open, order, outbox)?,
                None => self.let_venue_move(open, outbox, |desk| {
                    Ok(exchange.work(|exchange| exchange.work(seq, desk))?)
                })?,
            }
        }
        Ok(())
    }

    /// Carries out the operations that were accepted before the order at `seq`, first in, first out.
    fn operate(
        &mut self,
        ts: UtcMillis,
        seq: u64,
        outbox: &mut Outbox,
    ) -> Result<(), ExecutionError> {
        while let Some(submission) = self.operations.next_before(seq, ts) {
            let mut narrator = Narrator::new(outbox, &mut self.counts);
            let Self { manager, venues, ledger, .. } = self;
            let submissions = [submission];
            let processed = manager.process_orders(ts, &submissions, venues, ledger, &mut narrator);
            self.note(processed.ending)?;
        }
        Ok(())
    }

    /// Sends one order through its tight loop, unless it has ended while it waited for its turn.
    fn submit(
        &mut self,
        ts: UtcMillis,
        order: Arc<Order>,
        outbox: &mut Outbox,
    ) -> Result<(), ExecutionError> {
        let order_id = order.order_id;
        if !self.exchange.read(|exchange| exchange.has(order_id)) {
            return Ok(());
        }
        let mut narrator = Narrator::new(outbox, &mut self.counts);
        let submissions = [Submission::Trade(order)];
        let Self { manager, venues, ledger, .. } = self;
        let processed = manager.process_orders(ts, &submissions, venues, ledger, &mut narrator);
        if processed.outcomes.iter().any(crate::outcome::OrderOutcome::is_skipped) {
            self.ledger.end_order(order_id);
            self.exchange.work(|exchange| exchange.withdraw(order_id));
        }
        self.note(processed.ending)
    }

    /// The pass at the close (`same_close`).
    pub(crate) fn fill_at_close(
        &mut self,
        frame: &Frame,
        outbox: &mut Outbox,
    ) -> Result<(), ExecutionError> {
        let exchange = self.exchange.clone();
        self.let_venue_move(frame.ts(), outbox, |desk| {
            Ok(exchange.work(|exchange| exchange.match_close(frame, desk))?)
        })
    }

    /// Lets venues move on their own; each report is a loop that is finished before the next.
    pub(crate) fn let_venue_move(
        &mut self,
        ts: UtcMillis,
        outbox: &mut Outbox,
        movement: impl FnOnce(&mut dyn Desk) -> Result<(), InterfaceError>,
    ) -> Result<(), ExecutionError> {
        let mut narrator = Narrator::new(outbox, &mut self.counts);
        let moved = self.manager.let_venue_move(ts, &mut self.ledger, &mut narrator, movement);
        self.note(moved)
    }

    /// An operation that failed ends the run once the frame is finished, everything else at once.
    fn note(&mut self, ending: Result<(), RunStop>) -> Result<(), ExecutionError> {
        match ending {
            Ok(()) => Ok(()),
            Err(stop @ (RunStop::OrderFailed { .. } | RunStop::Critical { .. })) => {
                self.stop.get_or_insert(stop);
                Ok(())
            }
            Err(RunStop::System(failure)) => Err(self.named(failure)),
        }
    }

    /// A mismatch with the names of its operation and its key; other failures as they are.
    fn named(&self, failure: SystemFailure) -> ExecutionError {
        match failure {
            SystemFailure {
                op_id: Some(op_id),
                ts,
                reason: FailureReason::Mismatch { first, .. },
                ..
            } => self.mismatch(op_id.to_string(), ts, &first),
            failure => RunStop::from(failure).into(),
        }
    }

    fn mismatch(&self, what: String, ts: UtcMillis, mismatch: &Mismatch) -> ExecutionError {
        let (simulated, real) = mismatch.sides();
        let key = self.instruments.key(mismatch.key).clone();
        let difference = mismatch.difference();
        ExecutionError::Mismatch { what, ts, key, simulated, real, difference }
    }

    /// Settles what fell due until `until`, in both books, each on its own positions, in order of
    /// time; what arrives comes before funding of the same instant. Both must agree after each that
    /// changes ours; what the venue alone has settled is found by the next comparison.
    fn settle(
        &mut self,
        until: UtcMillis,
        funding: &[FundingPoint],
        outbox: &mut Outbox,
    ) -> Result<(), ExecutionError> {
        let times = if planted::has(Mistake::SettledTwice) { 2 } else { 1 };
        for point in funding.iter().flat_map(|point| std::iter::repeat_n(point, times)) {
            self.settle_arrivals(point.ts, outbox)?;
            self.books.change(|books| books.settle_funding(point))?;
            if let Some(settlement) = self.ledger.settle_funding(point)? {
                self.require_agreement("funding", point.ts)?;
                outbox.publish(Payload::Settlement(Arc::new(settlement)));
            }
        }
        self.settle_arrivals(until, outbox)
    }

    /// Settles the margins that fall due until `until`, at venues that do so every day (03 §4.6).
    fn settle_margins(
        &mut self,
        frame: &Frame,
        until: UtcMillis,
        outbox: &mut Outbox,
    ) -> Result<(), ExecutionError> {
        if self.settled_daily.is_empty() {
            return Ok(());
        }
        let open = frame.ts().before(self.interval);
        let after = self.margins_until.replace(until).unwrap_or(open);
        for instant in margin_instants(after, until) {
            for place in self.settled_daily.clone() {
                let Some(px) = self.mark_at(frame, place, instant) else { continue };
                self.books.change(|books| books.settle_margin(place, instant, px));
                if let Some(settlement) = self.ledger.settle_margin(place, instant, px)? {
                    self.require_agreement("margin", instant)?;
                    outbox.publish(Payload::Settlement(Arc::new(settlement)));
                }
            }
        }
        Ok(())
    }

    /// The mark of an instant of the present frame: at T what closes there, before T what was known.
    fn mark_at(&self, frame: &Frame, place: InstrumentIx, instant: UtcMillis) -> Option<Price> {
        let at_close = || {
            let mark = frame.mark(place).map(|mark| mark.close);
            mark.or_else(|| frame.bar(place).map(|bar| bar.close))
        };
        let mark = if instant == frame.ts() { at_close() } else { None };
        let mark = mark.or_else(|| self.market.present().mark(place));
        mark.and_then(decimal_of).and_then(Price::new)
    }

    /// Books what arrives until `until`.
    fn settle_arrivals(
        &mut self,
        until: UtcMillis,
        outbox: &mut Outbox,
    ) -> Result<(), ExecutionError> {
        if self.ledger.next_arrival().is_none_or(|next| next > until) {
            return Ok(());
        }
        self.books.change(|books| books.settle_arrivals(until));
        while self.ledger.next_arrival().is_some_and(|next| next <= until) {
            let Some(settlement) = self.ledger.settle_arrival()? else { break };
            outbox.publish(Payload::Settlement(Arc::new(settlement)));
        }
        self.require_agreement("arrivals", until)
    }

    /// Both books agree, or the run ends: in a backtest nothing may come between them.
    pub(crate) fn require_agreement(
        &mut self,
        what: &'static str,
        ts: UtcMillis,
    ) -> Result<(), ExecutionError> {
        self.ledger.query_real()?;
        let reconciliation = self.ledger.reconcile();
        match reconciliation.mismatches.first() {
            Some(mismatch) => Err(self.mismatch(what.to_owned(), ts, mismatch)),
            None => Ok(()),
        }
    }

    /// Takes the data of T and values the account at it.
    fn refresh(&mut self, frame: &Frame) -> Result<(), ExecutionError> {
        let _span = trace_span!("refresh").entered();
        self.market.advance(frame);
        self.books.change(|books| books.observe(frame));
        self.ledger.observe(frame);
        self.ledger.run_chain(frame.ts())?;
        Ok(())
    }
}
