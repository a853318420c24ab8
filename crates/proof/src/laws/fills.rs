//! The laws of fills: where they lie, and what they change.

use std::collections::{HashMap, VecDeque};

use model::time::UtcMillis;
use store::audit::Kind;
use store::audit::commit::InstrumentTerms;
use store::audit::reading::{Event, Record, Units};

use super::numbers::is_worth;
use super::{Law, Sums, Tally, shown};
use crate::orders::OpenOrder;
use crate::replay::State;

/// What loops have changed, until the fills that they belong to come.
#[derive(Clone, Debug, Default)]
pub(super) struct Trades {
    waiting: VecDeque<(String, Sums)>,
    /// The present frame, and where it began.
    frame: Option<(UtcMillis, UtcMillis)>,
}

impl Trades {
    pub(super) fn frame(&mut self, interval_ms: i64, event: &Event<'_>) {
        let close = event.ts();
        let open = UtcMillis::new(close.millis().saturating_sub(interval_ms));
        self.frame = Some((open, close));
        // What has no fill is an operation that is no trade.
        self.waiting.clear();
    }

    pub(super) fn note(&mut self, event: &Event<'_>) {
        let Some(delta) = event.attached(Kind::Delta).next() else { return };
        let is_venues = delta.text("source") == "liquidation";
        let subject = delta.text("op_id").rsplit_once('/').map_or("", |(subject, _)| subject);
        let subject = if is_venues { "liquidation" } else { subject };
        self.waiting.push_back((subject.to_owned(), Sums::of(event)));
    }

    pub(super) fn check(
        &mut self,
        event: &Event<'_>,
        instruments: &HashMap<String, InstrumentTerms>,
        state: &State,
        tally: &mut Tally,
    ) {
        let Some(fill) = event.first() else { return };
        let Some(terms) = instruments.get(fill.text("instrument")) else {
            let text = || format!("{} is no instrument of the run", fill.text("instrument"));
            return tally.check(Law::Fill, event, false, text);
        };
        self.within_frame(event, fill, tally);
        let order = state.orders.find(fill.text("order_id"));
        within_bar(event, fill, order, tally);
        if let Some(order) = order {
            within_order(event, fill, order, tally);
        }
        worth(event, fill, terms, tally);
        self.changed(event, fill, terms, tally);
    }

    fn within_frame(&self, event: &Event<'_>, fill: Record<'_>, tally: &mut Tally) {
        let Some((open, close)) = self.frame else {
            return tally.check(Law::Fill, event, false, || "before the first frame".to_owned());
        };
        let ts = fill.time("ts_event").unwrap_or_default();
        tally.check(Law::Fill, event, ts >= open && ts <= close, || {
            format!("filled at {ts}, outside its frame from {open} to {close}")
        });
    }

    /// Balances change by what was filled, paid and gained, and by nothing else.
    fn changed(
        &mut self,
        event: &Event<'_>,
        fill: Record<'_>,
        terms: &InstrumentTerms,
        tally: &mut Tally,
    ) {
        let order_id = fill.text("order_id");
        let is_its = |(subject, _): &(String, Sums)| {
            subject == order_id || subject == "liquidation" && order_id.starts_with(subject)
        };
        let place = self.waiting.iter().position(is_its);
        let found = place.and_then(|place| self.waiting.remove(place));
        let found = found.map_or_else(Vec::new, |(_, sums)| sums.sorted());
        let expected = expected(fill, terms).sorted();
        tally.check(Law::Balance, event, found == expected, || {
            format!("{order_id} changed {}; its fill says {}", shown(&found), shown(&expected))
        });
    }
}

fn expected(fill: Record<'_>, terms: &InstrumentTerms) -> Sums {
    let amount = |name| fill.amount(name).unwrap_or_default();
    let is_buy = fill.text("side") == "buy";
    let signed = |units: Units| if is_buy { units } else { -units };
    let mut sums = Sums::default();
    sums.add(&terms.position_key, signed(amount("last_qty")));
    let cash =
        if terms.contract == "spot" { -signed(amount("notional")) } else { amount("realized") };
    sums.add(&terms.cash_key, cash);
    sums.add(fill.text("fee_key"), -amount("fee"));
    sums
}

/// The price before slippage is one of the bar's, and slippage is against the account.
///
/// A limit that the open has jumped over may fill at its own price, which is worse than all of the
/// bar (`conservative_gaps`).
fn within_bar(event: &Event<'_>, fill: Record<'_>, order: Option<&OpenOrder>, tally: &mut Tally) {
    let amount = |name| fill.amount(name).unwrap_or_default();
    let (px, px_ref) = (amount("last_px"), amount("px_ref"));
    if let (Some(low), Some(high)) = (fill.float("bar_low"), fill.float("bar_high")) {
        let reference = px_ref.to_f64();
        let is_worse = if fill.text("side") == "buy" { reference > high } else { reference < low };
        let is_own_limit = fill.text("price_rule") == "limit_gap"
            && order.is_some_and(|order| order.price == Some(px_ref));
        let holds = reference >= low && reference <= high || is_own_limit && is_worse;
        tally.check(Law::Fill, event, holds, || {
            format!("at {px_ref}, outside its bar from {low} to {high}")
        });
    }
    let slipped = if fill.text("side") == "buy" { px >= px_ref } else { px <= px_ref };
    let is_taker = fill.text("liquidity") == "taker";
    let holds = if is_taker { slipped } else { px == px_ref };
    tally.check(Law::Fill, event, holds, || {
        format!("at {px}, which is better than {px_ref} before slippage")
    });
}

fn within_order(event: &Event<'_>, fill: Record<'_>, order: &OpenOrder, tally: &mut Tally) {
    let ts = fill.time("ts_event").unwrap_or_default();
    if let Some(eligible) = order.ts_eligible {
        tally.check(Law::Fill, event, ts >= eligible, || {
            format!("{} filled at {ts}, before {eligible}", order.order_id)
        });
    }
    let (px, side) = (fill.amount("last_px").unwrap_or_default(), fill.text("side"));
    tally.check(Law::Fill, event, side == order.side, || {
        format!("{} is a {} and filled as a {side}", order.order_id, order.side)
    });
    let limit = order.price.filter(|_| order.order_type.ends_with("limit"));
    if let Some(limit) = limit {
        let holds = if side == "buy" { px <= limit } else { px >= limit };
        tally.check(Law::Fill, event, holds, || {
            format!("{} filled at {px}, beyond its limit of {limit}", order.order_id)
        });
    }
}

fn worth(event: &Event<'_>, fill: Record<'_>, terms: &InstrumentTerms, tally: &mut Tally) {
    let amount = |name| fill.amount(name).unwrap_or_default();
    let (px, quantity, notional) = (amount("last_px"), amount("last_qty"), amount("notional"));
    tally.check(Law::Balance, event, is_worth(notional, px, quantity, None, terms), || {
        format!("{quantity} at {px} are not worth {notional}")
    });
}
