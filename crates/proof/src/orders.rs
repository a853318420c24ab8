//! Orders as the log tells of them: asked for, taken, filled, over.

use std::collections::BTreeMap;

use model::time::UtcMillis;
use store::audit::reading::{Event, Record, Units};

/// An order that is working, or waits for another one to fill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenOrder {
    /// As its strategy calls it.
    pub order_id: String,
    /// What it trades; empty for an operation that is no trade.
    pub instrument: String,
    /// `buy` or `sell`.
    pub side: String,
    /// `market`, `limit`, …, or the operation.
    pub order_type: String,
    /// Units ordered, once known.
    pub order_qty: Option<Units>,
    /// Units filled.
    pub cum_qty: Units,
    /// Limit price.
    pub price: Option<Units>,
    /// Trigger.
    pub stop_price: Option<Units>,
    /// `accepted` or `partially_filled`.
    pub status: String,
    /// It fills no earlier.
    pub ts_eligible: Option<UtcMillis>,
}

/// All orders of a run that are not over.
#[derive(Clone, Debug, Default)]
pub struct OrderBook {
    asked: BTreeMap<String, OpenOrder>,
    open: BTreeMap<String, OpenOrder>,
}

/// Refusal of an order whose name is taken; the one that has it goes on.
const NAME_TAKEN: &str = "VEN-CLIENT-ID";

impl OrderBook {
    /// The orders that are working, by name.
    pub fn open(&self) -> impl Iterator<Item = &OpenOrder> {
        self.open.values()
    }

    /// A working order.
    pub fn find(&self, order_id: &str) -> Option<&OpenOrder> {
        self.open.get(order_id)
    }

    /// Takes the requests of a strategy.
    pub(crate) fn ask(&mut self, event: &Event<'_>) {
        for record in event.records() {
            let action = record.text("action");
            if action == "cancel" || action == "replace" {
                continue;
            }
            let is_trade = action == "submit";
            let order = OpenOrder {
                order_id: record.text("order_id").to_owned(),
                instrument: record.text("instrument").to_owned(),
                side: record.text("side").to_owned(),
                order_type: if is_trade { record.text("type") } else { action }.to_owned(),
                order_qty: record.amount("order_qty"),
                price: record.amount("price"),
                stop_price: record.amount("stop_price"),
                ..OpenOrder::default()
            };
            self.asked.insert(order.order_id.clone(), order);
        }
    }

    /// Takes the verdicts of the gate.
    pub(crate) fn judge(&mut self, event: &Event<'_>) {
        for record in event.records() {
            let action = record.text("action");
            if action == "cancel" || action == "replace" {
                continue;
            }
            let Some(asked) = self.asked.remove(record.text("order_id")) else { continue };
            if !record.flag("is_accepted") || self.open.contains_key(&asked.order_id) {
                continue;
            }
            let order = OpenOrder {
                order_qty: record.amount("order_qty").or(asked.order_qty),
                price: record.amount("price"),
                stop_price: record.amount("stop_price"),
                ts_eligible: record.time("ts_eligible"),
                status: "accepted".to_owned(),
                ..asked
            };
            self.open.insert(order.order_id.clone(), order);
        }
    }

    /// Takes news of an order.
    pub(crate) fn update(&mut self, record: Record<'_>) {
        let (order_id, status) = (record.text("order_id"), record.text("status"));
        if record.text("code") == NAME_TAKEN {
            return;
        }
        if !matches!(status, "accepted" | "partially_filled") {
            self.open.remove(order_id);
            return;
        }
        let order = self.open.entry(order_id.to_owned()).or_default();
        order_id.clone_into(&mut order.order_id);
        status.clone_into(&mut order.status);
        order.cum_qty = record.amount("cum_qty").unwrap_or_default();
        order.order_qty = record.amount("order_qty").or(order.order_qty);
        if !record.text("instrument").is_empty() {
            record.text("instrument").clone_into(&mut order.instrument);
            record.text("side").clone_into(&mut order.side);
            record.text("type").clone_into(&mut order.order_type);
            (order.price, order.stop_price) = (record.amount("price"), record.amount("stop_price"));
        }
    }

    /// Takes the end of a loop: an operation that is no trade is over with it.
    pub(crate) fn end_operation(&mut self, order_id: &str) {
        if self.open.get(order_id).is_some_and(|order| order.instrument.is_empty()) {
            self.open.remove(order_id);
        }
    }
}
