//! Strategies: the trait to implement, what they are given and what they may ask for.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use crate::fill::Fill;
use crate::frame::MarketView;
use crate::instrument::{InstrumentIx, InstrumentTable};
use crate::order::{
    OrderId, OrderIntent, OrderSide, OrderType, OrderUpdate, Size, StrategyIx, Verdict,
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

/// Where a strategy asks for orders.
///
/// Every request is kept from the moment it is made: a strategy that fails afterwards still leaves
/// it in the log.
#[derive(Debug)]
pub struct OrderDesk<'a> {
    strategy: StrategyIx,
    last_number: &'a mut u32,
    intents: &'a mut Vec<OrderIntent>,
    limit: usize,
}

impl<'a> OrderDesk<'a> {
    /// A desk that numbers orders on from `last_number` and collects them in `intents`, at most
    /// `limit` of them.
    pub fn new(
        strategy: StrategyIx,
        last_number: &'a mut u32,
        intents: &'a mut Vec<OrderIntent>,
        limit: usize,
    ) -> Self {
        Self { strategy, last_number, intents, limit }
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
        assert!(
            self.intents.len() < self.limit,
            "BUS-LOOP: one decision asked for more than {} orders (engine.max_events_per_tick)",
            self.limit
        );
        *self.last_number += 1;
        let order_id = OrderId { strategy: self.strategy, number: *self.last_number };
        let OrderRequest { label, instrument, side, order_type, size, reduce_only } = request;
        self.intents.push(OrderIntent {
            order_id,
            label,
            instrument,
            side,
            order_type,
            size,
            reduce_only,
        });
        order_id
    }
}

/// An order that a strategy asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRequest {
    /// The strategy's own name for it.
    pub label: Option<Arc<str>>,
    /// What to trade.
    pub instrument: InstrumentIx,
    /// Buy or sell.
    pub side: OrderSide,
    /// How it may fill.
    pub order_type: OrderType,
    /// How much.
    pub size: Size,
    /// Whether it may only make the position smaller.
    pub reduce_only: bool,
}

impl OrderRequest {
    /// A market order.
    pub const fn market(instrument: InstrumentIx, side: OrderSide, size: Size) -> Self {
        Self {
            label: None,
            instrument,
            side,
            order_type: OrderType::Market,
            size,
            reduce_only: false,
        }
    }
}
