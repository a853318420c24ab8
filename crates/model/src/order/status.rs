//! How an order stands, and news of it.

use std::sync::Arc;

use super::{Order, OrderId, Refusal};
use crate::money::{Price, Quantity};

/// Order status, as in FIX; the last five are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderStatus {
    /// Wanted, not judged.
    Submitted,
    /// Taken by the gate; working.
    Accepted,
    /// Filled in part; working.
    PartiallyFilled,
    /// Filled.
    Filled,
    /// Ended before it was filled.
    Canceled,
    /// Its time ran out.
    Expired,
    /// Refused by the venue.
    Rejected,
    /// Refused by us.
    Denied,
}

impl OrderStatus {
    /// The status as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Accepted => "accepted",
            Self::PartiallyFilled => "partially_filled",
            Self::Filled => "filled",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Denied => "denied",
        }
    }

    /// Whether nothing more can happen to the order.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Submitted | Self::Accepted | Self::PartiallyFilled)
    }
}

/// News of an accepted order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderUpdate {
    /// Which order.
    pub order_id: OrderId,
    /// Its status now.
    pub status: OrderStatus,
    /// Base units ordered, once known (a share is known at its fill).
    pub order_qty: Option<Quantity>,
    /// Base units filled so far.
    pub cum_qty: Quantity,
    /// Average price of the fills so far.
    pub avg_px: Option<Price>,
    /// Why it ended unfilled.
    pub refusal: Option<Refusal>,
    /// Its terms, where they are new: it was replaced, or its entry's fill has armed it.
    pub terms: Option<Arc<Order>>,
    /// The order that this one only repeats: same client id, same terms. Nothing else happens to it.
    pub repeats: Option<OrderId>,
}
