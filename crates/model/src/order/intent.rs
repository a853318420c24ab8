//! Intents: what a strategy asks for, before anything has been checked.

use std::sync::Arc;

use super::{OrderId, OrderRequest, StrategyIx};
use crate::operation::{GroupId, OperationRequest};

/// Where a request comes from; set by the desk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A decision.
    #[default]
    Strategy,
    /// A step of an instruction sequence: if one of an earlier step of the same intent group is
    /// refused or fails in the same frame, it is skipped.
    Sequence {
        /// Place of the step in its sequence, from 0.
        step: u16,
    },
    /// An emergency plan: before all others at the open (08 §10.1).
    Emergency,
}

impl Origin {
    /// Whether it is an emergency plan.
    pub const fn is_emergency(self) -> bool {
        matches!(self, Self::Emergency)
    }

    /// Place of the step in its sequence, if it is one.
    pub const fn step(self) -> Option<u16> {
        if let Self::Sequence { step } = self { Some(step) } else { None }
    }
}

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

impl Request {
    /// The order that it is about.
    pub const fn order_id(&self) -> OrderId {
        match self {
            Self::Submit(intent) | Self::Replace(intent) => intent.order_id,
            Self::Operate(intent) => intent.order_id,
            Self::Cancel(order_id) => *order_id,
        }
    }

    /// Where it comes from; an end of an order comes from a strategy.
    pub const fn origin(&self) -> Origin {
        match self {
            Self::Submit(intent) | Self::Replace(intent) => intent.request.origin,
            Self::Operate(intent) => intent.request.origin,
            Self::Cancel(_) => Origin::Strategy,
        }
    }
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
