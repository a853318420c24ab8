//! The strategy host: calls a [`Strategy`] once per account snapshot and publishes what it wants.

mod course;
mod sequence;

use std::rc::Rc;
use std::sync::Arc;

use model::event::{Envelope, Payload, Topic};
use model::frame::MarketView;
use model::instrument::InstrumentTable;
use model::order::{IntentGroup, OrderId, Origin, Request, StrategyIx, Verdict};
use model::snapshot::AccountSnapshot;
use model::strategy::{Decision, DeskNumbers, OrderDesk, Pattern, Strategy, StrategyError};
use model::time::UtcMillis;

use crate::delivery::Outbox;
use crate::service::{BacktestService, RunOutcome, RunStatus, ServiceReport};
use course::{Course, course};
use sequence::OpenSequence;

/// Hosts one strategy on the bus.
///
/// The first snapshot of T carries the frame of T, so its arrival is what triggers the decision: before it
/// the strategy has seen nothing of T. It also hosts the sequence of steps that the strategy has asked
/// for, and its emergency plan, either of which stands in for it (08 §10.2, D79). Whoever decides,
/// there is exactly one decision per frame.
#[derive(Debug)]
pub struct StrategyRunner<S> {
    id: Box<str>,
    place: StrategyIx,
    strategy: S,
    instruments: Rc<InstrumentTable>,
    numbers: DeskNumbers,
    sequence: Option<Box<OpenSequence>>,
    wanted: Vec<Request>,
    decided: Option<UtcMillis>,
    /// The frame of which somebody wants to know why nothing was done.
    asked: Option<UtcMillis>,
    limit: usize,
    decisions: i64,
}

/// Why a strategy host ends the run.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum StrategyRunnerError {
    #[error("strategy `{id}` could not decide")]
    Decide { id: Box<str>, source: StrategyError },

    #[error("strategy `{id}` could not end")]
    End { id: Box<str>, source: StrategyError },
}

impl<S: Strategy> StrategyRunner<S> {
    /// Hosts `strategy`, called `id` in the run file, at its place there; one decision may ask for at
    /// most `limit` orders.
    pub fn new(id: &str, place: StrategyIx, strategy: S, limit: usize) -> Self {
        Self {
            id: id.into(),
            place,
            strategy,
            instruments: Rc::default(),
            numbers: DeskNumbers::default(),
            sequence: None,
            wanted: Vec::new(),
            decided: None,
            asked: None,
            limit,
            decisions: 0,
        }
    }

    /// The same host in a run with `instruments`, which emergency plans have to know.
    #[must_use]
    pub fn with_instruments(self, instruments: Rc<InstrumentTable>) -> Self {
        Self { instruments, ..self }
    }

    /// The same host, which tells the conditions of the decision at `ts` whatever it is.
    #[must_use]
    pub fn explaining(self, ts: Option<UtcMillis>) -> Self {
        Self { asked: ts, ..self }
    }

    fn decide(
        &mut self,
        account: &AccountSnapshot,
        outbox: &mut Outbox,
    ) -> Result<(), StrategyRunnerError> {
        if self.decided == Some(account.ts()) {
            // The second snapshot of a tick, after fills at the close: once per tick is enough.
            return Ok(());
        }
        self.decided = Some(account.ts());
        // Publishes on every way out, a panic included: a failing strategy leaves its last order.
        let mut wish = Wish { place: self.place, requests: &mut self.wanted, outbox };
        let mut desk = OrderDesk::new(self.place, &mut self.numbers, wish.requests, self.limit)
            .with_instruments(&self.instruments);
        let course = if self.sequence.is_some() || account.chain.risk.breaker {
            course(&mut self.sequence, account, &mut desk)
        } else {
            Course::Strategy
        };
        let is_its_own = matches!(course, Course::Strategy);
        let mut decision = decide(&mut self.strategy, course, account, &mut desk)
            .map_err(|source| StrategyRunnerError::Decide { id: self.id.clone(), source })?;
        if is_its_own && (decision.action.is_trade() || self.asked == self.decided) {
            let market = MarketView::new(&account.frame);
            for condition in self.strategy.conditions(market, account) {
                decision.conditions.push(condition);
            }
        }
        if let Some(sequence) = desk.take_sequence() {
            self.sequence = OpenSequence::begin(sequence, &mut desk).map(Box::new);
        }
        self.decisions += 1;
        wish.publish();
        wish.outbox.publish(Payload::Decision(decision));
        Ok(())
    }

    fn owns(&self, order_id: OrderId) -> bool {
        order_id.strategy == self.place
    }
}

/// Lets the one decide whose turn it is.
#[inline]
fn decide(
    strategy: &mut impl Strategy,
    course: Course,
    account: &AccountSnapshot,
    desk: &mut OrderDesk<'_>,
) -> Result<Decision, StrategyError> {
    let market = MarketView::new(&account.frame);
    match course {
        Course::Strategy => Ok(strategy.decide(market, account, desk)?.by(Pattern::Strategy)),
        Course::Sequence(decision) => Ok(decision),
        Course::Emergency => {
            desk.set_origin(Origin::Emergency);
            Ok(strategy.emergency(market, account, desk)?.by(Pattern::None))
        }
    }
}

/// What a strategy has asked for and not yet published.
struct Wish<'a> {
    place: StrategyIx,
    requests: &'a mut Vec<Request>,
    outbox: &'a mut Outbox,
}

impl Wish<'_> {
    /// Most decisions ask for nothing.
    #[inline]
    fn publish(&mut self) {
        if !self.requests.is_empty() {
            self.publish_requests();
        }
    }

    #[cold]
    fn publish_requests(&mut self) {
        let requests = std::mem::take(self.requests);
        let group = IntentGroup { strategy: self.place, requests };
        self.outbox.publish(Payload::Intent(Arc::new(group)));
    }
}

impl Drop for Wish<'_> {
    fn drop(&mut self) {
        self.publish();
    }
}

impl<S: Strategy> BacktestService for StrategyRunner<S> {
    type Error = StrategyRunnerError;

    const CLOSES_TICKS: bool = false;

    fn name(&self) -> &str {
        &self.id
    }

    fn topics(&self) -> &'static [Topic] {
        &[
            Topic::Verdict,
            Topic::OrderUpdate,
            Topic::Fill,
            Topic::TightLoop,
            Topic::Settlement,
            Topic::Account,
        ]
    }

    fn handle(&mut self, envelope: &Envelope, outbox: &mut Outbox) -> Result<(), Self::Error> {
        match &envelope.payload {
            Payload::Account(account) => self.decide(account, outbox)?,
            Payload::Fill(fill) if self.owns(fill.order_id) => self.strategy.on_fill(fill),
            Payload::OrderUpdate(update) if self.owns(update.order_id) => {
                if let Some(open) = &mut self.sequence {
                    open.on_update(update);
                }
                self.strategy.on_order_update(update);
            }
            Payload::Verdict(group) if group.strategy == self.place => {
                if let Some(open) = &mut self.sequence {
                    open.on_verdicts(group);
                }
                let tell = |verdict: &Verdict| self.strategy.on_verdict(verdict);
                group.verdicts.iter().for_each(tell);
            }
            Payload::TightLoop(record) => {
                if let Some(open) = &mut self.sequence {
                    open.on_loop(record);
                }
            }
            Payload::Settlement(settlement) => {
                if let Some(open) = &mut self.sequence {
                    open.on_settlement(settlement);
                }
            }
            // Other strategies' orders, and topics that are not subscribed.
            Payload::Fill(_)
            | Payload::OrderUpdate(_)
            | Payload::Verdict(_)
            | Payload::Frame(_)
            | Payload::Intent(_)
            | Payload::Decision(_)
            | Payload::Control(_)
            | Payload::Alert(_)
            | Payload::Custom(_) => {}
        }
        Ok(())
    }

    fn finish(&mut self, outcome: &RunOutcome) -> Result<ServiceReport, Self::Error> {
        if outcome.status == RunStatus::Completed {
            let failed = |source| StrategyRunnerError::End { id: self.id.clone(), source };
            self.strategy.on_end().map_err(failed)?;
        }
        let orders = i64::from(self.numbers.orders);
        Ok(ServiceReport::new(&self.id).with("decisions", self.decisions).with("orders", orders))
    }
}
