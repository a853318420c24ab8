//! Orders: intents that passed the gate, with terms that cannot contradict each other.

use std::sync::Arc;

use super::{Level, OcoGroup, OrderId, OrderSide, OrderType, Origin, Size, TimeInForce, Trail};
use crate::instrument::InstrumentIx;
use crate::money::Price;
use crate::time::UtcMillis;

/// An intent that passed the gate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    /// Its name.
    pub order_id: OrderId,
    /// The strategy's own name for it.
    pub client_order_id: Option<Arc<str>>,
    /// What to trade.
    pub instrument: InstrumentIx,
    /// Buy or sell.
    pub side: OrderSide,
    /// How it may fill; prices on the tick, rounded to the passive side.
    pub pricing: Pricing,
    /// How long it may wait.
    pub tif: TimeInForce,
    /// Last instant at which a bar that it matches may close; for good-till-date and day orders.
    pub expire_at: Option<UtcMillis>,
    /// How much, rounded down to the lot; positive.
    pub size: Size,
    /// Whether it is rejected rather than take liquidity.
    pub post_only: bool,
    /// Whether it may only make the position smaller; clipped again at the fill.
    pub reduce_only: bool,
    /// Orders of which one cancels the other.
    pub oco_group: Option<OcoGroup>,
    /// Order whose fill it waits for.
    pub parent: Option<OrderId>,
    /// Exits that its fill arms.
    pub exits: Exits,
    /// Where it comes from.
    pub origin: Origin,
    /// Instant of the decision.
    pub ts_decided: UtcMillis,
    /// It fills no earlier than at the first bar that opens at or after this instant and its latency.
    pub ts_eligible: UtcMillis,
}

impl Order {
    /// Its FIX type.
    pub const fn order_type(&self) -> OrderType {
        self.pricing.order_type()
    }
}

/// How an order may fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pricing {
    /// At the next price there is.
    Market,
    /// At `price` or better.
    Limit {
        /// Worst price.
        price: Price,
    },
    /// A market order once `stop_price` is reached.
    Stop {
        /// Trigger.
        stop_price: Price,
    },
    /// A limit order at `price` once `stop_price` is reached.
    StopLimit {
        /// Trigger.
        stop_price: Price,
        /// Worst price.
        price: Price,
    },
    /// A stop at a positive distance from the best price so far.
    Trailing {
        /// The distance.
        trail: Trail,
    },
}

impl Pricing {
    /// The FIX type.
    pub const fn order_type(&self) -> OrderType {
        match self {
            Self::Market => OrderType::Market,
            Self::Limit { .. } => OrderType::Limit,
            Self::Stop { .. } => OrderType::Stop,
            Self::StopLimit { .. } => OrderType::StopLimit,
            Self::Trailing { .. } => OrderType::Trailing,
        }
    }

    /// Worst price, if there is one.
    pub const fn price(&self) -> Option<Price> {
        match self {
            Self::Limit { price } | Self::StopLimit { price, .. } => Some(*price),
            Self::Market | Self::Stop { .. } | Self::Trailing { .. } => None,
        }
    }

    /// Trigger, if it is a price.
    pub const fn stop_price(&self) -> Option<Price> {
        match self {
            Self::Stop { stop_price } | Self::StopLimit { stop_price, .. } => Some(*stop_price),
            Self::Market | Self::Limit { .. } | Self::Trailing { .. } => None,
        }
    }
}

/// The exits of a bracket; each is an order of its own once the entry fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Exits {
    /// A reduce-only limit order.
    pub take_profit: Option<Exit>,
    /// A reduce-only stop order.
    pub stop_loss: Option<Exit>,
}

impl Exits {
    /// The exits there are, the stop first.
    pub fn iter(&self) -> impl Iterator<Item = Exit> + use<> {
        [self.stop_loss, self.take_profit].into_iter().flatten()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.take_profit.is_none() && self.stop_loss.is_none()
    }
}

/// One exit of a bracket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Exit {
    /// Name of the order that it becomes.
    pub order_id: OrderId,
    /// Where it lies.
    pub level: Level,
}

/// A request to end an order, taken by the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelOrder {
    /// Which order.
    pub order_id: OrderId,
    /// Instant of the decision.
    pub ts_decided: UtcMillis,
}
