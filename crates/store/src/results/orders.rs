//! The order table: one row per order, written when its end is known.

use std::collections::{HashMap, VecDeque};

use model::instrument::InstrumentIx;
use model::money::{Price, Quantity};
use model::order::{
    OrderId, OrderIntent, OrderSide, OrderStatus, OrderType, OrderUpdate, Refusal, Size,
    TimeInForce, Verdict, VerdictGroup,
};
use model::time::UtcMillis;

use super::figures::OrderCounts;
use crate::audit::records::Rare;
use crate::names::Names;

/// A row of `orders.parquet`.
#[derive(Debug)]
pub(crate) struct OrderRow {
    pub(crate) name: String,
    pub(crate) order_id: OrderId,
    pub(crate) seq: u64,
    pub(crate) ts_decided: UtcMillis,
    pub(crate) ts_eligible: Option<UtcMillis>,
    pub(crate) instrument: InstrumentIx,
    pub(crate) side: OrderSide,
    pub(crate) order_type: OrderType,
    pub(crate) tif: TimeInForce,
    pub(crate) order_qty: Option<Quantity>,
    pub(crate) status: OrderStatus,
    pub(crate) cum_qty: Quantity,
    pub(crate) avg_px: Option<Price>,
    pub(crate) reason: Option<String>,
}

/// Orders whose rows are not written yet, in order of `seq`.
///
/// A row is written when its order and all before it have ended, so what is kept is bounded by the
/// orders that are open and not by those that there have been.
#[derive(Debug, Default)]
pub(crate) struct OrderBook {
    rows: VecDeque<OrderRow>,
    /// Rows written before the first of `rows`.
    written: usize,
    /// Number of each open order's row; looked up, never iterated.
    places: HashMap<OrderId, usize>,
}

impl OrderBook {
    pub(crate) fn submit(&mut self, rare: &Rare, intent: &OrderIntent, names: &Names) {
        self.places.insert(intent.order_id, self.written + self.rows.len());
        self.rows.push_back(OrderRow {
            name: names.order_of(intent).to_string(),
            order_id: intent.order_id,
            seq: rare.seq,
            ts_decided: rare.ts,
            ts_eligible: None,
            instrument: intent.instrument,
            side: intent.side,
            order_type: intent.order_type,
            tif: TimeInForce::Gtc,
            order_qty: units(intent.size),
            status: OrderStatus::Submitted,
            cum_qty: Quantity::ZERO,
            avg_px: None,
            reason: None,
        });
    }

    pub(crate) fn judge(&mut self, group: &VerdictGroup, counts: &mut OrderCounts) {
        for verdict in &group.verdicts {
            match verdict {
                Verdict::Accepted(order) => {
                    if let Some(row) = self.row(order.order_id) {
                        row.status = OrderStatus::Accepted;
                        row.ts_eligible = Some(order.ts_eligible);
                        row.tif = order.tif;
                        row.order_qty = units(order.size);
                    }
                }
                Verdict::Denied { order_id, refusal } => {
                    counts.deny(refusal.code);
                    self.end(*order_id, OrderStatus::Denied, Some(refusal), counts);
                }
            }
        }
    }

    pub(crate) fn update(&mut self, update: &OrderUpdate, counts: &mut OrderCounts) {
        if let Some(row) = self.row(update.order_id) {
            row.status = update.status;
            row.cum_qty = update.cum_qty;
            row.avg_px = update.avg_px;
            row.order_qty = update.order_qty.or(row.order_qty);
        }
        if update.status.is_final() {
            self.end(update.order_id, update.status, update.refusal.as_ref(), counts);
        }
    }

    /// The rows at the front whose orders have ended.
    pub(crate) fn take_done(&mut self) -> Vec<OrderRow> {
        let done = self.rows.iter().take_while(|row| row.status.is_final()).count();
        self.written += done;
        self.rows.drain(..done).collect()
    }

    /// All rows that are left; orders that have not ended are counted as they are.
    pub(crate) fn take_all(&mut self, counts: &mut OrderCounts) -> Vec<OrderRow> {
        let rows: Vec<OrderRow> = self.rows.drain(..).collect();
        let open = rows.iter().filter(|row| !row.status.is_final());
        open.for_each(|row| counts.count(row.status, row.cum_qty));
        rows
    }

    fn row(&mut self, order_id: OrderId) -> Option<&mut OrderRow> {
        let place = *self.places.get(&order_id)?;
        self.rows.get_mut(place.checked_sub(self.written)?)
    }

    fn end(
        &mut self,
        order_id: OrderId,
        status: OrderStatus,
        refusal: Option<&Refusal>,
        counts: &mut OrderCounts,
    ) {
        if let Some(row) = self.row(order_id) {
            row.status = status;
            row.reason = refusal.map(ToString::to_string);
            counts.count(status, row.cum_qty);
        }
        self.places.remove(&order_id);
    }
}

const fn units(size: Size) -> Option<Quantity> {
    match size {
        Size::Units(quantity) => Some(quantity),
        Size::Share(_) => None,
    }
}
