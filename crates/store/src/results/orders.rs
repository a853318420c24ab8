//! The order table: one row per order, written when its end is known.

use std::collections::{HashMap, VecDeque};

use model::fill::Fill;
use model::money::{Price, Quantity};
use model::operation::OperationOrder;
use model::order::{
    Level, OperationIntent, Order, OrderId, OrderIntent, OrderStatus, OrderUpdate, Refusal,
    RefusalCode, Verdict, VerdictGroup,
};
use model::time::UtcMillis;

use super::figures::OrderCounts;
use super::terms::{ExitKind, Terms};
use crate::audit::records::Rare;

/// Share of a bar's volume above which a fill is large.
const MUCH: f64 = 0.1;

/// A row of `orders.parquet`.
#[derive(Debug)]
pub(crate) struct OrderRow {
    pub(crate) order_id: OrderId,
    pub(crate) seq: u64,
    pub(crate) ts_decided: UtcMillis,
    /// Of the first terms that could fill.
    pub(crate) ts_eligible: Option<UtcMillis>,
    pub(crate) terms: Terms,
    pub(crate) status: OrderStatus,
    pub(crate) cum_qty: Quantity,
    pub(crate) avg_px: Option<Price>,
    pub(crate) refusal: Option<Refusal>,
    /// The order that it is an exit of.
    entry: Option<OrderId>,
    /// Whether it is an order: not an exit of a denied entry, and no repetition of another order.
    is_order: bool,
    /// Whether one of its fills was large.
    is_large: bool,
}

impl OrderRow {
    const fn new(order_id: OrderId, seq: u64, ts_decided: UtcMillis, terms: Terms) -> Self {
        Self {
            order_id,
            seq,
            ts_decided,
            ts_eligible: None,
            terms,
            status: OrderStatus::Submitted,
            cum_qty: Quantity::ZERO,
            avg_px: None,
            refusal: None,
            entry: None,
            is_order: true,
            is_large: false,
        }
    }

    /// Whether nothing more can happen to it.
    const fn is_done(&self) -> bool {
        self.status.is_final() || !self.is_order
    }
}

/// Orders whose rows are not written yet, in order of `seq`.
///
/// A row is written when its order and all before it have ended; so one order that never ends keeps
/// the rows of all later ones here.
#[derive(Debug, Default)]
pub(crate) struct OrderBook {
    rows: VecDeque<OrderRow>,
    /// Rows taken before the first of `rows`.
    taken: usize,
    /// Number of each order's row; looked up, never iterated.
    places: HashMap<OrderId, usize>,
}

impl OrderBook {
    pub(crate) fn submit(&mut self, rare: &Rare, intent: &OrderIntent) {
        let (entry, request) = (intent.order_id, &intent.request);
        let row = |order_id, terms| OrderRow::new(order_id, rare.seq, rare.ts, terms);
        self.push(row(entry, Terms::asked(request)));
        for (order_id, kind, level) in exits(entry, request.take_profit, request.stop_loss) {
            if let Some(level) = level {
                let terms = Terms::exit(entry, &Terms::asked(request), kind, level);
                // No order before its entry is accepted, but next to it in the table.
                let exit = OrderRow { entry: Some(entry), is_order: false, ..row(order_id, terms) };
                self.push(exit);
            }
        }
    }

    pub(crate) fn operate(&mut self, rare: &Rare, intent: &OperationIntent) {
        let terms = Terms::operation(&intent.request);
        self.push(OrderRow::new(intent.order_id, rare.seq, rare.ts, terms));
    }

    pub(crate) fn judge(&mut self, group: &VerdictGroup, counts: &mut OrderCounts) {
        for verdict in &group.verdicts {
            match verdict {
                Verdict::Accepted(order) => self.accept(order),
                Verdict::OperationAccepted(order) => self.accept_operation(order),
                Verdict::Denied { order_id, refusal } => {
                    self.end(*order_id, OrderStatus::Denied, refusal);
                }
                Verdict::ReplaceDenied { refusal, .. } => counts.deny_replace(refusal),
                // Both take effect when the venue says so.
                Verdict::CancelAccepted(_) | Verdict::ReplaceAccepted(_) => {}
            }
        }
    }

    pub(crate) fn update(&mut self, update: &OrderUpdate) {
        if update.repeats.is_some() {
            self.withdraw(update.order_id);
            return;
        }
        let Some(row) = self.row(update.order_id) else { return };
        row.status = update.status;
        row.cum_qty = update.cum_qty;
        row.avg_px = update.avg_px;
        row.refusal.clone_from(&update.refusal);
        if let Some(order) = &update.terms {
            let parent = order.parent.or(row.terms.parent);
            row.terms = Terms { parent, ..Terms::granted(order) };
            row.ts_eligible.get_or_insert(order.ts_eligible);
        }
        row.terms.order_qty = update.order_qty.or(row.terms.order_qty);
        if let Some(order) = &update.terms {
            self.state_exits(order);
        }
        if update.status.is_final() && update.cum_qty.is_zero() {
            self.end_exits(update.order_id);
        }
    }

    /// Whether a fill is the first large one of its order.
    pub(crate) fn fills_much(&mut self, fill: &Fill) -> bool {
        let is_much = fill.bar_share.is_some_and(|share| share > MUCH);
        let row = if is_much { self.row(fill.order_id) } else { None };
        row.is_some_and(|row| !std::mem::replace(&mut row.is_large, true))
    }

    /// The rows at the front whose orders have ended.
    pub(crate) fn take_done(&mut self, counts: &mut OrderCounts) -> Vec<OrderRow> {
        self.take(self.rows.iter().take_while(|row| row.is_done()).count(), counts)
    }

    /// All rows that are left; orders that have not ended are counted as they are.
    pub(crate) fn take_all(&mut self, counts: &mut OrderCounts) -> Vec<OrderRow> {
        self.take(self.rows.len(), counts)
    }

    fn take(&mut self, rows: usize, counts: &mut OrderCounts) -> Vec<OrderRow> {
        self.taken += rows;
        let mut taken = Vec::new();
        for row in self.rows.drain(..rows) {
            self.places.remove(&row.order_id);
            if row.is_order {
                counts.count(row.status, row.cum_qty, row.refusal.as_ref());
                taken.push(row);
            }
        }
        taken
    }

    fn push(&mut self, row: OrderRow) {
        self.places.insert(row.order_id, self.taken + self.rows.len());
        self.rows.push_back(row);
    }

    fn row(&mut self, order_id: OrderId) -> Option<&mut OrderRow> {
        let place = *self.places.get(&order_id)?;
        self.rows.get_mut(place.checked_sub(self.taken)?)
    }

    fn accept(&mut self, order: &Order) {
        if let Some(row) = self.row(order.order_id) {
            row.status = OrderStatus::Accepted;
            row.ts_eligible = Some(order.ts_eligible);
            row.terms = Terms::granted(order);
        }
        self.state_exits(order);
    }

    fn accept_operation(&mut self, order: &OperationOrder) {
        if let Some(row) = self.row(order.order_id) {
            row.status = OrderStatus::Accepted;
            row.ts_eligible = Some(order.ts_eligible);
        }
    }

    fn end(&mut self, order_id: OrderId, status: OrderStatus, refusal: &Refusal) {
        if let Some(row) = self.row(order_id) {
            row.status = status;
            row.refusal = Some(refusal.clone());
        }
    }

    /// Notes the exits of an order that has these terms, as far as they still wait for its fill.
    fn state_exits(&mut self, order: &Order) {
        let levels = [order.exits.take_profit, order.exits.stop_loss].map(|it| Some(it?.level));
        let entry = Terms::granted(order);
        for (order_id, kind, level) in exits(order.order_id, levels[0], levels[1]) {
            let Some(row) = self.waiting_exit(order.order_id, order_id) else { continue };
            if let Some(level) = level {
                row.is_order = true;
                row.status = OrderStatus::Accepted;
                row.terms = Terms::exit(order.order_id, &entry, kind, level);
            } else if row.is_order {
                row.status = OrderStatus::Canceled;
                let detail = "the new terms of its entry have no such exit";
                row.refusal = Some(Refusal::new(RefusalCode::Canceled, detail));
            }
        }
    }

    /// Ends the exits of an order that was not filled: nothing arms them any more (10 §12.4).
    fn end_exits(&mut self, entry: OrderId) {
        let refusal = Refusal::new(RefusalCode::ParentEnded, "its entry ended without a fill");
        for (order_id, ..) in exits(entry, None, None) {
            if self.waiting_exit(entry, order_id).is_some() {
                self.end(order_id, OrderStatus::Canceled, &refusal);
            }
        }
    }

    /// Takes back an order that only repeats another, and its exits.
    fn withdraw(&mut self, order_id: OrderId) {
        if let Some(row) = self.row(order_id) {
            row.is_order = false;
        }
        for (exit, ..) in exits(order_id, None, None) {
            if let Some(row) = self.waiting_exit(order_id, exit) {
                row.is_order = false;
            }
        }
    }

    /// An exit of `entry` that no fill has armed.
    fn waiting_exit(&mut self, entry: OrderId, exit: OrderId) -> Option<&mut OrderRow> {
        self.row(exit).filter(|row| {
            row.entry == Some(entry) && row.ts_eligible.is_none() && !row.status.is_final()
        })
    }
}

/// The exits that an order may have, with their levels.
fn exits(
    entry: OrderId,
    take_profit: Option<Level>,
    stop_loss: Option<Level>,
) -> [(OrderId, ExitKind, Option<Level>); 2] {
    [
        (entry.after(1), ExitKind::TakeProfit, take_profit),
        (entry.after(2), ExitKind::StopLoss, stop_loss),
    ]
}
