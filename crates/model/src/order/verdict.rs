//! Verdicts: the gate's answers.

use std::sync::Arc;

use super::{CancelOrder, Order, OrderId, Refusal, StrategyIx};
use crate::impact::GroupImpact;
use crate::operation::OperationOrder;

/// What the gate says of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is an order now, which gate, exchange and account share.
    Accepted(Arc<Order>),
    /// It is an operation now; a refused one is [`Denied`](Self::Denied) like an order.
    OperationAccepted(Arc<OperationOrder>),
    /// It is refused, by us.
    Denied {
        /// Which intent.
        order_id: OrderId,
        /// Why.
        refusal: Refusal,
    },
    /// The order may end; a cancel always passes.
    CancelAccepted(CancelOrder),
    /// The order may have these terms; it keeps its name.
    ReplaceAccepted(Arc<Order>),
    /// The order keeps the terms that it has.
    ReplaceDenied {
        /// Which order.
        order_id: OrderId,
        /// Why.
        refusal: Refusal,
    },
}

impl Verdict {
    /// The order that it is about.
    pub fn order_id(&self) -> OrderId {
        match self {
            Self::Accepted(order) | Self::ReplaceAccepted(order) => order.order_id,
            Self::OperationAccepted(order) => order.order_id,
            Self::Denied { order_id, .. } | Self::ReplaceDenied { order_id, .. } => *order_id,
            Self::CancelAccepted(cancel) => cancel.order_id,
        }
    }

    /// Why it was refused, if it was.
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Denied { refusal, .. } | Self::ReplaceDenied { refusal, .. } => Some(refusal),
            Self::Accepted(_)
            | Self::OperationAccepted(_)
            | Self::CancelAccepted(_)
            | Self::ReplaceAccepted(_) => None,
        }
    }

    /// The operation that it grants, if it does.
    pub const fn operation(&self) -> Option<&Arc<OperationOrder>> {
        if let Self::OperationAccepted(order) = self { Some(order) } else { None }
    }

    /// The terms of a trade that it grants, if it does.
    pub fn order(&self) -> Option<&Order> {
        match self {
            Self::Accepted(order) | Self::ReplaceAccepted(order) => Some(order),
            Self::OperationAccepted(_)
            | Self::Denied { .. }
            | Self::ReplaceDenied { .. }
            | Self::CancelAccepted(_) => None,
        }
    }
}

/// The gate's answer to one group, in the group's order.
#[derive(Clone, Debug, PartialEq)]
pub struct VerdictGroup {
    /// Whose group it was.
    pub strategy: StrategyIx,
    /// One verdict per request.
    pub verdicts: Vec<Verdict>,
    /// What the orders among them would do to the account, whether they were accepted or denied for
    /// it; `None` if that was not computed: no risk type is enabled, or there is no such order.
    pub impact: Option<Arc<GroupImpact>>,
}
