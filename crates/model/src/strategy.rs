//! Strategies: the trait to implement, what they are given and what they may ask for.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::fill::Fill;
use crate::frame::MarketView;
use crate::instrument::{InstrumentIx, InstrumentTable};
use crate::operation::{GroupId, OperationRequest};
use crate::order::{
    OcoGroup, OperationIntent, OrderId, OrderIntent, OrderRequest, OrderSide, OrderUpdate, Request,
    Size, StrategyIx, Verdict,
};
use crate::parameter::{ParameterError, ParameterSpec, Parameters};
use crate::snapshot::AccountSnapshot;
use crate::time::Interval;

/// Any error of a strategy; it ends the run.
pub type StrategyError = Box<dyn Error + Send + Sync + 'static>;

/// Decides once per tick what to trade.
///
/// What is asked for at T fills no earlier than at the next bar's open.
pub trait Strategy {
    /// Looks at the bars and the account of one instant, asks for orders, and says what it did.
    ///
    /// Called exactly once per frame, after everything that the frame caused in the account; with
    /// several instruments once for all of them.
    ///
    /// # Errors
    ///
    /// Any error ends the run.
    fn decide(
        &mut self,
        market: MarketView<'_>,
        account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError>;

    /// An order of this strategy was filled, before the next [`decide`](Self::decide).
    fn on_fill(&mut self, _fill: &Fill) {}

    /// An accepted order of this strategy changed its status.
    fn on_order_update(&mut self, _update: &OrderUpdate) {}

    /// The gate took or denied an order of this strategy.
    fn on_verdict(&mut self, _verdict: &Verdict) {}

    /// The data has ended; nothing can be asked for any more.
    ///
    /// # Errors
    ///
    /// Any error marks the run failed.
    fn on_end(&mut self) -> Result<(), StrategyError> {
        Ok(())
    }
}

impl<S: Strategy + ?Sized> Strategy for Box<S> {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        (**self).decide(market, account, orders)
    }

    fn on_fill(&mut self, fill: &Fill) {
        (**self).on_fill(fill);
    }

    fn on_order_update(&mut self, update: &OrderUpdate) {
        (**self).on_order_update(update);
    }

    fn on_verdict(&mut self, verdict: &Verdict) {
        (**self).on_verdict(verdict);
    }

    fn on_end(&mut self) -> Result<(), StrategyError> {
        (**self).on_end()
    }
}

/// A strategy that can be named in a run file.
pub trait StrategyKind: Strategy + Sized + 'static {
    /// What it does, in a sentence.
    const SUMMARY: &'static str;

    /// Whether it lives on funding, so that perpetuals without funding data are a fault.
    const NEEDS_FUNDING: bool = false;

    /// Its parameters, with units, limits and defaults.
    fn parameters() -> &'static [ParameterSpec];

    /// Builds it from parameters that satisfy [`parameters`](Self::parameters) one by one.
    ///
    /// # Errors
    ///
    /// A parameter that does not fit the others or the run.
    fn build(setup: &StrategySetup<'_>) -> Result<Self, ParameterError>;
}

/// What a strategy is built from.
#[derive(Clone, Copy, Debug)]
pub struct StrategySetup<'a> {
    /// Its parameters, defaults included.
    pub parameters: &'a Parameters,
    /// The instruments of the run.
    pub instruments: &'a InstrumentTable,
    /// Length of a frame.
    pub interval: Interval,
}

/// What a strategy did at a tick, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Traded or waited.
    pub action: Action,
    /// Why, in a few words; empty where nothing was worth saying.
    pub reason: Cow<'static, str>,
}

/// Whether a decision asked for orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Asked for nothing.
    Hold,
    /// Asked for orders.
    Trade,
}

impl Action {
    /// The action as logs show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Trade => "trade",
        }
    }
}

impl Decision {
    /// Nothing to do, nothing to say.
    pub const HOLD: Self = Self { action: Action::Hold, reason: Cow::Borrowed("") };

    /// Nothing to do, for a reason.
    pub fn hold(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { action: Action::Hold, reason: reason.into() }
    }

    /// Orders were asked for.
    pub fn trade(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { action: Action::Trade, reason: reason.into() }
    }
}

/// What a strategy has counted so far: its orders and its groups of orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeskNumbers {
    /// Number of the last order.
    pub orders: u32,
    /// Number of the last group of which one order cancels the other.
    pub groups: u32,
    /// Number of the last atomic group.
    pub atomic_groups: u32,
}

/// Where a strategy asks for orders.
///
/// Every request is kept from the moment it is made: a strategy that fails afterwards still leaves
/// it in the log.
#[derive(Debug)]
pub struct OrderDesk<'a> {
    strategy: StrategyIx,
    numbers: &'a mut DeskNumbers,
    requests: &'a mut Vec<Request>,
    limit: usize,
}

impl<'a> OrderDesk<'a> {
    /// A desk that counts on from `numbers` and collects in `requests`, at most `limit` of them.
    pub fn new(
        strategy: StrategyIx,
        numbers: &'a mut DeskNumbers,
        requests: &'a mut Vec<Request>,
        limit: usize,
    ) -> Self {
        Self { strategy, numbers, requests, limit }
    }

    /// Buys at the next open.
    pub fn buy(&mut self, instrument: InstrumentIx, size: Size) -> OrderId {
        self.submit(OrderRequest::market(instrument, OrderSide::Buy, size))
    }

    /// Sells at the next open.
    pub fn sell(&mut self, instrument: InstrumentIx, size: Size) -> OrderId {
        self.submit(OrderRequest::market(instrument, OrderSide::Sell, size))
    }

    /// Asks for any order.
    ///
    /// # Panics
    ///
    /// When one decision asks for more orders than a tick may hold: the strategy does not stop.
    pub fn submit(&mut self, request: OrderRequest) -> OrderId {
        let order_id = OrderId { strategy: self.strategy, number: self.numbers.orders + 1 };
        let intent = OrderIntent { order_id, request };
        self.numbers.orders += intent.names();
        self.ask(Request::Submit(intent));
        order_id
    }

    /// Asks for an operation that is no trade.
    ///
    /// # Panics
    ///
    /// As [`submit`](Self::submit).
    pub fn operate(&mut self, request: OperationRequest) -> OrderId {
        self.operate_as(request, None)
    }

    /// As [`operate`](Self::operate), with a name of the strategy's own.
    ///
    /// # Panics
    ///
    /// As [`submit`](Self::submit).
    pub fn operate_as(
        &mut self,
        request: OperationRequest,
        client_order_id: Option<Arc<str>>,
    ) -> OrderId {
        self.numbers.orders += 1;
        let order_id = OrderId { strategy: self.strategy, number: self.numbers.orders };
        self.ask(Request::Operate(OperationIntent { order_id, client_order_id, request }));
        order_id
    }

    /// A new group of operations that succeed together or not at all.
    ///
    /// All of its members are asked for in one decision, in slots from 1 without gaps.
    pub const fn atomic_group(&mut self) -> GroupId {
        self.numbers.atomic_groups += 1;
        GroupId { strategy: self.strategy, number: self.numbers.atomic_groups }
    }

    /// Asks for the end of an order; nothing happens if it has ended.
    ///
    /// # Panics
    ///
    /// As [`submit`](Self::submit).
    pub fn cancel(&mut self, order_id: OrderId) {
        self.ask(Request::Cancel(order_id));
    }

    /// Asks for new terms of an order, all of them; it keeps its name.
    ///
    /// The order loses its place among others unless only its quantity gets smaller.
    ///
    /// # Panics
    ///
    /// As [`submit`](Self::submit).
    pub fn replace(&mut self, order_id: OrderId, request: OrderRequest) {
        self.ask(Request::Replace(OrderIntent { order_id, request }));
    }

    /// A new group of orders of which one cancels the other.
    pub const fn oco_group(&mut self) -> OcoGroup {
        self.numbers.groups += 1;
        OcoGroup { strategy: self.strategy, number: self.numbers.groups }
    }

    /// Attaches a profit target and a stop to a position: two reduce-only orders of which one
    /// cancels the other. `side` is the side that closes the position.
    ///
    /// # Panics
    ///
    /// As [`submit`](Self::submit).
    pub fn attach_exits(
        &mut self,
        instrument: InstrumentIx,
        side: OrderSide,
        size: Size,
        take_profit: Decimal,
        stop_loss: Decimal,
    ) -> (OrderId, OrderId) {
        let group = self.oco_group();
        let exit = |request: OrderRequest| request.reduce_only().one_cancels_other(group);
        let target = exit(OrderRequest::limit(instrument, side, size, take_profit));
        let stop = exit(OrderRequest::stop(instrument, side, size, stop_loss));
        (self.submit(target), self.submit(stop))
    }

    fn ask(&mut self, request: Request) {
        assert!(
            self.requests.len() < self.limit,
            "BUS-LOOP: one decision asked for more than {} orders (engine.max_events_per_tick)",
            self.limit
        );
        self.requests.push(request);
    }
}
