//! Intents: what a strategy asks for, before anything has been checked.

use std::sync::Arc;

use super::{OrderId, OrderRequest, StrategyIx};
use crate::operation::{GroupId, OperationRequest};

/// What a strategy wants: not checked yet, and not an order before the gate has taken it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderIntent {
    /// The order's name, should it become one.
    pub order_id: OrderId,
    /// What was asked for.
    pub request: OrderRequest,
}

impl OrderIntent {
    /// Name of the order that takes its profit, if it has one.
    pub const fn take_profit_id(&self) -> OrderId {
        self.order_id.after(1)
    }

    /// Name of the order that ends its loss, if it has one.
    pub const fn stop_loss_id(&self) -> OrderId {
        self.order_id.after(2)
    }

    /// How many names of orders it takes: its own, and those of its exits.
    pub const fn names(&self) -> u32 {
        if self.request.take_profit.is_some() || self.request.stop_loss.is_some() { 3 } else { 1 }
    }
}

/// An operation that is no trade, as a strategy wants it: not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationIntent {
    /// The order's name, should it become one.
    pub order_id: OrderId,
    /// The strategy's own name for it, where it has one.
    pub client_order_id: Option<Arc<str>>,
    /// What was asked for.
    pub request: OperationRequest,
}

/// One request of a strategy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A new order.
    Submit(OrderIntent),
    /// The end of an order.
    Cancel(OrderId),
    /// New terms, all of them, for the order that the intent names.
    Replace(OrderIntent),
    /// An operation that is no trade.
    Operate(OperationIntent),
}

/// All that one strategy wants at one tick; judged in order and answered by one verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentGroup {
    /// Who wants it.
    pub strategy: StrategyIx,
    /// In the order in which it was asked for.
    pub requests: Vec<Request>,
}

impl IntentGroup {
    /// The new orders among the requests.
    pub fn intents(&self) -> impl Iterator<Item = &OrderIntent> {
        self.requests.iter().filter_map(|request| match request {
            Request::Submit(intent) => Some(intent),
            Request::Cancel(_) | Request::Replace(_) | Request::Operate(_) => None,
        })
    }

    /// The operations among the requests that are members of an atomic group.
    pub fn operations_of(&self, group: GroupId) -> impl Iterator<Item = &OperationIntent> {
        self.requests.iter().filter_map(move |request| match request {
            Request::Operate(intent) => Some(intent)
                .filter(|intent| intent.request.atomic.is_some_and(|slot| slot.group == group)),
            Request::Submit(_) | Request::Cancel(_) | Request::Replace(_) => None,
        })
    }
}
