//! The law of orders.

use std::collections::HashMap;

use store::audit::reading::{Event, Units};

use super::{Law, Tally};

/// What has become of each order so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Lives {
    lives: HashMap<String, Life>,
}

#[derive(Clone, Debug, Default)]
struct Life {
    /// Asked for and not judged, by how many requests of this name.
    asked: u32,
    /// Whether it is no trade, and so has no fills.
    is_operation: bool,
    is_open: bool,
    is_over: bool,
    /// What its fills add up to.
    filled: Units,
    cum_qty: Units,
}

const NAME_TAKEN: &str = "VEN-CLIENT-ID";

impl Lives {
    pub(super) fn ask(&mut self, event: &Event<'_>) {
        for record in event.records() {
            if is_new(record.text("action")) {
                let life = self.life(record.text("order_id"));
                life.asked += 1;
                life.is_operation = record.text("action") != "submit";
            }
        }
    }

    pub(super) fn judge(&mut self, event: &Event<'_>, tally: &mut Tally) {
        for record in event.records().filter(|record| is_new(record.text("action"))) {
            let order_id = record.text("order_id");
            let life = self.life(order_id);
            tally.check(Law::Orders, event, life.asked > 0, || {
                format!("{order_id} was judged, and nobody asked for it")
            });
            life.asked = life.asked.saturating_sub(1);
            if record.flag("is_accepted") && !life.is_open {
                // A name may be used again once the order that had it is over.
                let (asked, is_operation) = (life.asked, record.text("action") != "submit");
                *life = Life { asked, is_operation, is_open: true, ..Life::default() };
            }
        }
    }

    pub(super) fn fill(&mut self, event: &Event<'_>) {
        let Some(fill) = event.first() else { return };
        let quantity = fill.amount("last_qty").unwrap_or_default();
        let life = self.life(fill.text("order_id"));
        life.filled = life.filled.plus(quantity).unwrap_or_default();
    }

    pub(super) fn update(&mut self, event: &Event<'_>, tally: &mut Tally) {
        let Some(news) = event.first() else { return };
        let (order_id, status) = (news.text("order_id"), news.text("status"));
        if news.text("code") == NAME_TAKEN || !news.get("repeats").is_null() {
            return;
        }
        let life = self.life(order_id);
        tally.check(Law::Orders, event, !life.is_over, || {
            format!("{order_id} became {status} after its end")
        });
        let cum_qty = news.amount("cum_qty").unwrap_or_default();
        let adds_up = life.is_operation || cum_qty == life.filled;
        tally.check(Law::Orders, event, cum_qty >= life.cum_qty && adds_up, || {
            format!("{order_id} has filled {cum_qty}; its fills add up to {}", life.filled)
        });
        life.cum_qty = cum_qty;
        let ordered = news.amount("order_qty");
        let holds = match status {
            "filled" => ordered.is_none_or(|ordered| ordered == cum_qty) && cum_qty > Units::ZERO,
            "partially_filled" => cum_qty > Units::ZERO,
            "denied" => false,
            _ => true,
        };
        tally.check(Law::Orders, event, holds, || {
            let ordered = ordered.unwrap_or_default();
            format!("{order_id} is {status} with {cum_qty} of {ordered} filled")
        });
        life.is_over = !matches!(status, "accepted" | "partially_filled");
        life.is_open = !life.is_over;
    }

    fn life(&mut self, order_id: &str) -> &mut Life {
        if !self.lives.contains_key(order_id) {
            self.lives.insert(order_id.to_owned(), Life::default());
        }
        self.lives.get_mut(order_id).expect("it was put there")
    }
}

/// Whether a request is for something new, and not about an order that is there.
fn is_new(action: &str) -> bool {
    !matches!(action, "cancel" | "replace")
}
