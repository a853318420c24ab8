//! Rows of a file of requests, and the terms that they state.

use std::sync::Arc;

use model::Decimal;
use model::instrument::InstrumentIx;
use model::money::Bps;
use model::operation::OperationRequest;
use model::order::{
    Level, OcoGroup, OrderId, OrderRequest, OrderSide, OrderType, Origin, Size, TimeInForce, Trail,
};
use model::time::UtcMillis;

/// One row: what is asked for, when, and with which terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Where it stands, from 1.
    pub(super) line: u64,
    /// The frame at which it is decided.
    pub(super) decide_ts: UtcMillis,
    /// The order: that which it submits, or that which it cancels or replaces.
    pub(super) order_id: Option<Arc<str>>,
    /// What is asked for.
    pub(super) action: Action,
    /// With which terms; those of a cancel mean nothing.
    pub(super) terms: Terms,
    /// The operation that it submits instead of a trade; its terms are empty then.
    pub(super) operation: Option<OperationTerms>,
}

/// The cells of an operation that is no trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OperationTerms {
    /// What is asked for, outside any group.
    pub(super) request: OperationRequest,
    /// The label of its atomic group among the rows of its time, and its place there.
    pub(super) slot: Option<(Arc<str>, u32)>,
}

/// What a row asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// A new order.
    Submit,
    /// The end of an order.
    Cancel,
    /// New terms for an order.
    Replace,
}

impl Action {
    pub(super) const ALL: [Self; 3] = [Self::Submit, Self::Cancel, Self::Replace];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Cancel => "cancel",
            Self::Replace => "replace",
        }
    }
}

/// The cells of an order; an empty one is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) instrument: Option<InstrumentIx>,
    pub(super) side: Option<OrderSide>,
    pub(super) order_type: Option<OrderType>,
    pub(super) size: Option<Size>,
    pub(super) price: Option<Decimal>,
    pub(super) stop_price: Option<Decimal>,
    pub(super) trail: Option<Trail>,
    pub(super) tif: Option<TimeInForce>,
    pub(super) expire_at: Option<UtcMillis>,
    pub(super) post_only: Option<bool>,
    pub(super) reduce_only: Option<bool>,
    pub(super) oco_group: Option<Arc<str>>,
    pub(super) parent: Option<Arc<str>>,
    pub(super) take_profit: Option<ExitLevel>,
    pub(super) stop_loss: Option<ExitLevel>,
}

/// Where an exit is placed, as a cell states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExitLevel {
    /// A price or a signed distance.
    Stated(Level),
    /// A distance without a sign, on the side of the fill where such an exit belongs.
    Distance(Bps),
}

impl ExitLevel {
    /// The level, if exits on this side of it lie above (`1`) or below (`-1`) the fill.
    fn level(self, sign: Decimal) -> Level {
        match self {
            Self::Stated(level) => level,
            Self::Distance(rate) => Level::OffsetBps(Bps(rate.0 * sign)),
        }
    }
}

impl Terms {
    /// These terms, where they are given, and `before` where they are not.
    ///
    /// With another type or time in force an order loses the prices and the end that only the one
    /// before had; what the cells themselves state stays, however contradictory.
    pub(super) fn over(&self, before: &Self) -> Self {
        let mut before = before.clone();
        if let Some(order_type) = self.order_type {
            let (price, stop_price, trail) = prices_of(order_type);
            before.price = before.price.filter(|_| price);
            before.stop_price = before.stop_price.filter(|_| stop_price);
            before.trail = before.trail.filter(|_| trail);
        }
        if self.tif.is_some_and(|tif| tif != TimeInForce::Gtd) {
            before.expire_at = None;
        }
        Self {
            instrument: self.instrument.or(before.instrument),
            side: self.side.or(before.side),
            order_type: self.order_type.or(before.order_type),
            size: self.size.or(before.size),
            price: self.price.or(before.price),
            stop_price: self.stop_price.or(before.stop_price),
            trail: self.trail.or(before.trail),
            tif: self.tif.or(before.tif),
            expire_at: self.expire_at.or(before.expire_at),
            post_only: self.post_only.or(before.post_only),
            reduce_only: self.reduce_only.or(before.reduce_only),
            oco_group: self.oco_group.clone().or(before.oco_group),
            parent: self.parent.clone().or(before.parent),
            take_profit: self.take_profit.or(before.take_profit),
            stop_loss: self.stop_loss.or(before.stop_loss),
        }
    }

    /// The request of these terms, as they stand: refusing them is the gate's business.
    pub(super) fn request(
        &self,
        client_order_id: Option<Arc<str>>,
        oco_group: Option<OcoGroup>,
        parent: Option<OrderId>,
    ) -> OrderRequest {
        // An order without a side is denied; which sign its distances get does not matter.
        let gain = self.side.unwrap_or(OrderSide::Buy).signed(Decimal::ONE);
        OrderRequest {
            client_order_id,
            instrument: self.instrument,
            side: self.side,
            order_type: self.order_type.unwrap_or(OrderType::Market),
            // Only a child may leave it out: it is as large as the fill that it waits for.
            size: self.size.unwrap_or(Size::ALL),
            price: self.price,
            stop_price: self.stop_price,
            trail: self.trail,
            tif: self.tif.unwrap_or_default(),
            expire_at: self.expire_at,
            post_only: self.post_only.unwrap_or(false),
            reduce_only: self.reduce_only.unwrap_or(false),
            oco_group,
            parent,
            take_profit: self.take_profit.map(|exit| exit.level(gain)),
            stop_loss: self.stop_loss.map(|exit| exit.level(-gain)),
            origin: Origin::Strategy,
        }
    }
}

/// Whether orders of a type have a price, a stop price and a trail.
const fn prices_of(order_type: OrderType) -> (bool, bool, bool) {
    match order_type {
        OrderType::Market => (false, false, false),
        OrderType::Limit => (true, false, false),
        OrderType::Stop => (false, true, false),
        OrderType::StopLimit => (true, true, false),
        OrderType::Trailing => (false, false, true),
    }
}
