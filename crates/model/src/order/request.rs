//! Requests for orders, as strategies state them.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::{Level, OcoGroup, OrderId, OrderSide, OrderType, Origin, Size, TimeInForce, Trail};
use crate::instrument::InstrumentIx;
use crate::time::UtcMillis;

/// An order that a strategy asks for.
///
/// Fields are as asked for, contradictions and all: refusing them is the gate's business.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OrderRequest {
    /// The strategy's own name for it (FIX `ClOrdID`), where it has one.
    pub client_order_id: Option<Arc<str>>,
    /// What to trade.
    pub instrument: Option<InstrumentIx>,
    /// Buy or sell.
    pub side: Option<OrderSide>,
    /// How it may fill.
    pub order_type: OrderType,
    /// How much.
    pub size: Size,
    /// Worst price of a limit, in quote currency.
    pub price: Option<Decimal>,
    /// Price that triggers a stop, in quote currency.
    pub stop_price: Option<Decimal>,
    /// Distance of a trailing stop.
    pub trail: Option<Trail>,
    /// How long it may wait.
    pub tif: TimeInForce,
    /// Last instant of a good-till-date order.
    pub expire_at: Option<UtcMillis>,
    /// Whether it is refused rather than take liquidity.
    pub post_only: bool,
    /// Whether it may only make the position smaller.
    pub reduce_only: bool,
    /// Orders of which one cancels the other.
    pub oco_group: Option<OcoGroup>,
    /// Order whose fill it waits for.
    pub parent: Option<OrderId>,
    /// Where to take the profit of the position that it opens.
    pub take_profit: Option<Level>,
    /// Where to end the loss of the position that it opens.
    pub stop_loss: Option<Level>,
    /// Where it comes from; the desk says it.
    pub origin: Origin,
}

impl OrderRequest {
    /// A market order.
    pub const fn market(instrument: InstrumentIx, side: OrderSide, size: Size) -> Self {
        Self::of_type(OrderType::Market, instrument, side, size)
    }

    /// A limit order at `price`.
    pub fn limit(instrument: InstrumentIx, side: OrderSide, size: Size, price: Decimal) -> Self {
        Self { price: Some(price), ..Self::of_type(OrderType::Limit, instrument, side, size) }
    }

    /// A market order once `stop_price` is reached.
    pub fn stop(
        instrument: InstrumentIx,
        side: OrderSide,
        size: Size,
        stop_price: Decimal,
    ) -> Self {
        Self {
            stop_price: Some(stop_price),
            ..Self::of_type(OrderType::Stop, instrument, side, size)
        }
    }

    /// A stop that follows the best price at a distance.
    pub fn trailing(instrument: InstrumentIx, side: OrderSide, size: Size, trail: Trail) -> Self {
        Self { trail: Some(trail), ..Self::of_type(OrderType::Trailing, instrument, side, size) }
    }

    /// A good-till-canceled order of a type, without prices.
    pub const fn of_type(
        order_type: OrderType,
        instrument: InstrumentIx,
        side: OrderSide,
        size: Size,
    ) -> Self {
        Self {
            client_order_id: None,
            instrument: Some(instrument),
            side: Some(side),
            order_type,
            size,
            price: None,
            stop_price: None,
            trail: None,
            tif: TimeInForce::Gtc,
            expire_at: None,
            post_only: false,
            reduce_only: false,
            oco_group: None,
            parent: None,
            take_profit: None,
            stop_loss: None,
            origin: Origin::Strategy,
        }
    }

    /// A limit order at `price` once the stop price is reached.
    #[must_use]
    pub const fn with_limit(mut self, price: Decimal) -> Self {
        self.order_type = OrderType::StopLimit;
        self.price = Some(price);
        self
    }

    /// With a name of the strategy's own.
    #[must_use]
    pub fn named(mut self, client_order_id: &str) -> Self {
        self.client_order_id = Some(client_order_id.into());
        self
    }

    /// With a time in force.
    #[must_use]
    pub const fn tif(mut self, tif: TimeInForce) -> Self {
        self.tif = tif;
        self
    }

    /// Good till an instant.
    #[must_use]
    pub const fn until(mut self, expire_at: UtcMillis) -> Self {
        self.tif = TimeInForce::Gtd;
        self.expire_at = Some(expire_at);
        self
    }

    /// Rejected rather than take liquidity.
    #[must_use]
    pub const fn post_only(mut self) -> Self {
        self.post_only = true;
        self
    }

    /// May only make the position smaller.
    #[must_use]
    pub const fn reduce_only(mut self) -> Self {
        self.reduce_only = true;
        self
    }

    /// In a group of which one cancels the other.
    #[must_use]
    pub const fn one_cancels_other(mut self, group: OcoGroup) -> Self {
        self.oco_group = Some(group);
        self
    }

    /// Waits for the fill of another order of the strategy, and is as large as that fill at most.
    #[must_use]
    pub const fn child_of(mut self, parent: OrderId) -> Self {
        self.parent = Some(parent);
        self
    }

    /// With a limit order that takes the profit of the position that it opens.
    #[must_use]
    pub const fn take_profit(mut self, level: Level) -> Self {
        self.take_profit = Some(level);
        self
    }

    /// With a stop that ends the loss of the position that it opens.
    #[must_use]
    pub const fn stop_loss(mut self, level: Level) -> Self {
        self.stop_loss = Some(level);
        self
    }
}
