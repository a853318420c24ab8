//! Orders that are not to fill: a question about a run, asked of the venue.

use std::collections::BTreeSet;

use model::order::{Order, OrderId};

/// Names of orders that the venue cancels instead of filling them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unfilled {
    /// By strategy and number, for orders without a name of their own.
    pub numbered: BTreeSet<OrderId>,
    /// By what their strategies call them.
    pub named: BTreeSet<Box<str>>,
}

impl Unfilled {
    /// Whether an order is one of them.
    #[inline]
    pub(super) fn has(&self, order: &Order) -> bool {
        if self.numbered.is_empty() && self.named.is_empty() {
            return false;
        }
        match &order.client_order_id {
            Some(name) => self.named.contains(&**name),
            None => self.numbered.contains(&order.order_id),
        }
    }
}
