//! Terms of an order as its row shows them: as asked for, then as granted.

use model::Decimal;
use model::instrument::InstrumentIx;
use model::money::{Price, Quantity};
use model::operation::{Amount, Operation, OperationRequest};
use model::order::{
    Level, OcoGroup, Order, OrderId, OrderRequest, OrderSide, OrderType, Pricing, TimeInForce,
    Trail,
};
use model::time::UtcMillis;

/// What `orders.parquet` says of an order beside its fate.
#[derive(Debug)]
pub(crate) struct Terms {
    /// The operation, if it is no trade; it has no instrument, side or price then.
    pub(crate) operation: Option<Operation>,
    pub(crate) instrument: Option<InstrumentIx>,
    pub(crate) side: Option<OrderSide>,
    pub(crate) order_type: OrderType,
    pub(crate) order_qty: Option<Quantity>,
    pub(crate) price: Option<Decimal>,
    pub(crate) stop_price: Option<Decimal>,
    pub(crate) trail: Option<Trail>,
    pub(crate) tif: TimeInForce,
    pub(crate) expire_at: Option<UtcMillis>,
    pub(crate) post_only: bool,
    pub(crate) reduce_only: bool,
    pub(crate) oco_group: Option<OcoGroup>,
    pub(crate) parent: Option<OrderId>,
}

impl Terms {
    /// Terms that were asked for.
    pub(crate) const fn asked(request: &OrderRequest) -> Self {
        Self {
            operation: None,
            instrument: request.instrument,
            side: request.side,
            order_type: request.order_type,
            order_qty: request.size.units(),
            price: request.price,
            stop_price: request.stop_price,
            trail: request.trail,
            tif: request.tif,
            expire_at: request.expire_at,
            post_only: request.post_only,
            reduce_only: request.reduce_only,
            oco_group: request.oco_group,
            parent: request.parent,
        }
    }

    /// Terms of an operation that is no trade: it happens at once, at what the venue quotes.
    pub(crate) const fn operation(request: &OperationRequest) -> Self {
        let order_qty = match request.amount {
            Amount::Units(units) => Some(Quantity(units)),
            Amount::Max => None,
        };
        Self {
            operation: Some(request.operation),
            instrument: None,
            side: None,
            order_type: OrderType::Market,
            order_qty,
            price: None,
            stop_price: None,
            trail: None,
            tif: TimeInForce::Fok,
            expire_at: request.deadline,
            post_only: false,
            reduce_only: false,
            oco_group: None,
            parent: None,
        }
    }

    /// Terms that were granted.
    pub(crate) fn granted(order: &Order) -> Self {
        Self {
            operation: None,
            instrument: Some(order.instrument),
            side: Some(order.side),
            order_type: order.order_type(),
            order_qty: order.size.units(),
            price: order.pricing.price().map(Price::value),
            stop_price: order.pricing.stop_price().map(Price::value),
            trail: trail_of(&order.pricing),
            tif: order.tif,
            expire_at: order.expire_at,
            post_only: order.post_only,
            reduce_only: order.reduce_only,
            oco_group: order.oco_group,
            parent: order.parent,
        }
    }

    /// Terms of an exit of `entry`, whose own are `terms`: its quantity, and a price that is a
    /// distance from the fill, are not known before that fill.
    pub(crate) fn exit(entry: OrderId, terms: &Self, kind: ExitKind, level: Level) -> Self {
        let stated = if let Level::Price(price) = level { Some(price) } else { None };
        let (order_type, price, stop_price) = match kind {
            ExitKind::TakeProfit => (OrderType::Limit, stated, None),
            ExitKind::StopLoss => (OrderType::Stop, None, stated),
        };
        Self {
            operation: None,
            instrument: terms.instrument,
            side: terms.side.map(OrderSide::opposite),
            order_type,
            order_qty: None,
            price,
            stop_price,
            trail: None,
            tif: TimeInForce::Gtc,
            expire_at: None,
            post_only: false,
            reduce_only: true,
            oco_group: None,
            parent: Some(entry),
        }
    }
}

const fn trail_of(pricing: &Pricing) -> Option<Trail> {
    match pricing {
        Pricing::Trailing { trail } => Some(*trail),
        Pricing::Market
        | Pricing::Limit { .. }
        | Pricing::Stop { .. }
        | Pricing::StopLimit { .. } => None,
    }
}

/// Which exit of a bracket.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ExitKind {
    TakeProfit,
    StopLoss,
}
