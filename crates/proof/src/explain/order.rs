//! An order from the bar on which it was decided to the profit that it made.

use model::fill::PriceRule;
use store::audit::reading::{CommitRows, Event, Record, Units};
use store::audit::{Kind, LogReader};

use super::{Chapter, conditions};
use crate::replay::ReplayError;

/// Everything that the log says of an order, in the order in which it happened; empty if there is
/// no such order.
///
/// # Errors
///
/// The log cannot be read.
pub fn explain(log: &LogReader, order_id: &str) -> Result<Vec<Chapter>, ReplayError> {
    let mut story = Story { order_id, chapters: Vec::new(), last_profit: Vec::new() };
    for rows in log.read() {
        story.read(&rows?);
    }
    Ok(story.chapters)
}

struct Story<'a> {
    order_id: &'a str,
    chapters: Vec<Chapter>,
    /// Components of profit when they were last told.
    last_profit: Vec<(String, f64)>,
}

impl Story<'_> {
    fn read(&mut self, rows: &CommitRows) {
        let mut has_filled = false;
        for event in rows.events() {
            match event.kind {
                Some(Kind::Intent) => self.asked(&event, rows),
                Some(Kind::Verdict) => self.judged(&event),
                Some(Kind::TightLoop) => self.executed(&event),
                Some(Kind::Fill) => has_filled |= self.filled(&event),
                Some(Kind::OrderUpdate) => self.updated(&event),
                Some(Kind::Account) => {
                    let profit = event.attached(Kind::Pnl).next().map(components);
                    if let Some(profit) = profit {
                        if std::mem::take(&mut has_filled) {
                            self.gained(&event, &profit);
                        }
                        self.last_profit = profit;
                    }
                }
                _ => {}
            }
        }
    }

    fn mine<'r>(&self, event: &Event<'r>) -> Option<Record<'r>> {
        event.records().find(|record| record.text("order_id") == self.order_id)
    }

    /// The bar, the account and the decision, then the request.
    fn asked(&mut self, event: &Event<'_>, rows: &CommitRows) {
        let Some(request) = self.mine(event) else { return };
        let before: Vec<Event<'_>> = rows.events().take_while(|it| it.ts() <= event.ts()).collect();
        let find = |seq: u64| before.binary_search_by_key(&seq, |it| it.seq).ok();
        let mut chapter = Chapter::new(format!("decided at {}", event.ts()));
        let account = event.cause_seq().and_then(find).map(|place| before[place]);
        if let Some(snapshot) = account.as_ref().and_then(Event::first) {
            let figure = |name| snapshot.get(name);
            chapter.say(format!(
                "account: equity {}, cash {}, net {}, {} orders at work",
                figure("equity"),
                figure("cash"),
                figure("net"),
                figure("working_orders"),
            ));
        }
        let is_its = |it: &&Event<'_>| {
            it.kind == Some(Kind::Decision)
                && it.cause_seq() == event.cause_seq()
                && it.first().is_some_and(|it| it.count("publisher") == request.count("publisher"))
        };
        if let Some(decision) = before.iter().find(is_its).and_then(Event::first) {
            let (action, reason) = (decision.text("action"), decision.text("reason"));
            chapter.say(format!(
                "decision: {action}{}{reason}",
                if reason.is_empty() { "" } else { ": " }
            ));
            chapter.say_all(conditions(decision.text("conditions")));
        }
        chapter
            .say(format!("request: {}", fields(request, &["publisher", "cause_seq", "order_id"])));
        self.chapters.push(chapter);
    }

    fn judged(&mut self, event: &Event<'_>) {
        let Some(verdict) = self.mine(event) else { return };
        let word = if verdict.flag("is_accepted") { "accepted" } else { "denied" };
        let action = verdict.text("action");
        let mut chapter = Chapter::new(format!("{action} {word} by the gate at {}", event.ts()));
        if let Some(code) = Some(verdict.text("code")).filter(|code| !code.is_empty()) {
            chapter.say(format!("{code}: {}", verdict.text("detail")));
        }
        if let Some(ts) = verdict.time("ts_eligible") {
            chapter.say(format!("may fill in bars that open at {ts} or later"));
        }
        if let (Some(before), Some(after)) =
            (verdict.float("impact_before"), verdict.float("impact_after"))
        {
            let metric = verdict.text("impact_metric");
            chapter.say(format!("risk that binds: {metric} from {before} to {after}"));
        }
        if let Some(cost) = verdict.float("expected_cost") {
            chapter.say(format!("expected to cost {cost:.6}"));
        }
        self.chapters.push(chapter);
    }

    fn executed(&mut self, event: &Event<'_>) {
        let Some(record) = event.first() else { return };
        let op_id = record.text("op_id");
        if op_id.rsplit_once('/').map(|(order_id, _)| order_id) != Some(self.order_id) {
            return;
        }
        let mut chapter = Chapter::new(format!("executed at {}", event.ts()));
        chapter.say(format!("loop {op_id}: {}", record.text("path")));
        for delta in event.attached(Kind::Delta) {
            let (key, amount) = (delta.text("position_key"), delta.get("amount"));
            chapter.say(format!("{key} changed by {amount} ({})", delta.text("cause")));
        }
        chapter.say(reconciled(record));
        for mismatch in event.attached(Kind::Mismatch) {
            chapter.say(fields(mismatch, &["op_id", "cause_seq"]));
        }
        if let Some(reason) = Some(record.text("reason")).filter(|reason| !reason.is_empty()) {
            chapter.say(format!("{}: {reason}", record.text("end")));
        }
        self.chapters.push(chapter);
    }

    fn filled(&mut self, event: &Event<'_>) -> bool {
        let Some(fill) = self.mine(event) else { return false };
        let amount = |name| fill.amount(name).unwrap_or_default();
        let at = fill.time("ts_event").unwrap_or_default();
        let mut chapter = Chapter::new(format!("filled at {at}"));
        let rule = fill.text("price_rule");
        let meaning = PriceRule::ALL.iter().find(|it| it.name() == rule).map(|it| it.meaning());
        let (side, quantity, px) = (fill.text("side"), amount("last_qty"), amount("last_px"));
        chapter.say(format!("{side} {quantity} at {px}, worth {}", amount("notional")));
        chapter.say(format!("rule {rule}:{}", meaning.unwrap_or(" unknown")));
        if let (Some(low), Some(high)) = (fill.float("bar_low"), fill.float("bar_high")) {
            let share = fill.float("bar_share").map_or_else(String::new, |share| {
                format!("; it took {:.4} % of its volume", share * 100.0)
            });
            chapter.say(format!("the bar went from {low} to {high}{share}"));
        }
        chapter.say(format!(
            "price before slippage {}, slippage {} bps, fee {} from {} as {}",
            amount("px_ref"),
            fill.get("slippage_bps"),
            amount("fee"),
            fill.text("fee_key"),
            fill.text("liquidity"),
        ));
        if amount("realized") != Units::ZERO {
            chapter.say(format!("the closed part gained {} before fees", amount("realized")));
        }
        for lot in event.attached(Kind::Lot) {
            let value = |name| lot.get(name);
            chapter.say(format!(
                "closes {} bought or sold at {} on {}: {} before fees",
                value("quantity"),
                value("entry_px"),
                value("entry_ts"),
                value("gross"),
            ));
        }
        self.chapters.push(chapter);
        true
    }

    fn updated(&mut self, event: &Event<'_>) {
        let Some(news) = self.mine(event) else { return };
        let mut chapter = Chapter::new(format!("became {} at {}", news.text("status"), event.ts()));
        chapter.say(fields(news, &["order_id", "status", "cause_seq"]));
        self.chapters.push(chapter);
    }

    /// What the frame of the fill did to profit, component by component.
    fn gained(&mut self, event: &Event<'_>, profit: &[(String, f64)]) {
        let mut chapter = Chapter::new(format!("profit since it was last told, at {}", event.ts()));
        for (place, (name, now)) in profit.iter().enumerate() {
            let before = self.last_profit.get(place).map_or(0.0, |(_, before)| *before);
            if (now - before).abs() > 0.0 {
                chapter.say(format!("{name} {:+.6}", now - before));
            }
        }
        self.chapters.push(chapter);
    }
}

fn reconciled(record: Record<'_>) -> String {
    let count = |name| record.count(name).unwrap_or(0);
    match (count("compares"), count("mismatches")) {
        (0, _) => "the books were not compared: nothing changed".to_owned(),
        (_, 0) => format!("both books compared: {} positions, all equal", count("compared")),
        (_, mismatches) => {
            format!("both books compared: {mismatches} of {} differ", count("compared"))
        }
    }
}

/// The figures of a profit record, in its order.
pub(super) fn components(record: Record<'_>) -> Vec<(String, f64)> {
    let fields = record.fields().skip(2);
    fields.filter_map(|(name, value)| Some((name.to_owned(), value.to_f64()?))).collect()
}

/// All fields of a record that have a value, but `except`.
pub(super) fn fields(record: Record<'_>, except: &[&str]) -> String {
    let is_told = |(name, value): &(&str, store::audit::reading::Value<'_>)| {
        !value.is_null() && !except.contains(name)
    };
    let each = record.fields().skip(2).filter(is_told);
    each.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}
