//! A component of profit: when it came, and from what.

use std::collections::BTreeMap;

use model::time::UtcMillis;
use store::audit::reading::{Event, Record, Units};
use store::audit::{Kind, LogReader};

use super::Chapter;
use super::order::components;
use crate::replay::ReplayError;

/// Contributors that are told.
const TOLD: usize = 10;

/// What a component of profit came from over a period.
#[derive(Clone, Debug, Default)]
pub struct Contributions {
    /// The component at the end of the period less that at its beginning.
    pub total: Option<f64>,
    /// When it changed most, and what paid it.
    pub chapters: Vec<Chapter>,
    /// The components that there are, if it is none of them.
    pub known: Vec<String>,
}

/// What a component of profit came from, from `from` (exclusive) to `to` (inclusive).
///
/// # Errors
///
/// The log cannot be read.
pub fn explain(
    log: &LogReader,
    component: &str,
    from: Option<UtcMillis>,
    to: Option<UtcMillis>,
) -> Result<Contributions, ReplayError> {
    let mut steps = Steps { component, last: None, first: None, steps: Vec::new() };
    let mut known = Vec::new();
    let mut sources = Sources::default();
    for rows in log.read() {
        for event in rows?.events() {
            let ts = event.ts();
            if to.is_some_and(|to| ts > to) {
                continue;
            }
            let is_inside = from.is_none_or(|from| ts > from);
            if is_inside {
                sources.take(&event);
            }
            if let Some(profit) = event.attached(Kind::Pnl).next() {
                if known.is_empty() {
                    known = components(profit).into_iter().map(|(name, _)| name).collect();
                }
                steps.take(profit, is_inside);
            }
        }
    }
    let total = steps.total();
    let mut chapters = vec![steps.chapter()];
    chapters.extend(sources.chapter(component));
    Ok(Contributions { total, chapters, known })
}

/// How a component changed from one telling to the next.
struct Steps<'a> {
    component: &'a str,
    last: Option<(UtcMillis, f64)>,
    first: Option<f64>,
    steps: Vec<(UtcMillis, UtcMillis, f64)>,
}

impl Steps<'_> {
    fn take(&mut self, profit: Record<'_>, is_inside: bool) {
        let Some(value) = profit.float(self.component) else { return };
        let ts = profit.ts();
        if is_inside {
            let (before, last) = self.last.unwrap_or((ts, 0.0));
            self.first.get_or_insert(last);
            self.steps.push((before, ts, value - last));
        }
        self.last = Some((ts, value));
    }

    fn total(&self) -> Option<f64> {
        Some(self.last?.1 - self.first.unwrap_or(self.last?.1))
    }

    fn chapter(mut self) -> Chapter {
        let mut chapter = Chapter::new(format!("when {} changed most", self.component));
        self.steps.retain(|(_, _, step)| step.abs() > 0.0);
        self.steps.sort_by(|one, two| two.2.abs().total_cmp(&one.2.abs()));
        for (before, after, step) in self.steps.iter().take(TOLD) {
            chapter.say(format!("{step:+16.6}  from {before} to {after}"));
        }
        chapter
    }
}

/// What was paid and received, by what it was for; in the units of the keys that paid.
#[derive(Default)]
struct Sources {
    funding: BTreeMap<String, (Units, u64)>,
    fees: BTreeMap<String, (f64, u64)>,
    realized: BTreeMap<String, (f64, u64)>,
}

impl Sources {
    fn take(&mut self, event: &Event<'_>) {
        let Some(record) = event.first() else { return };
        match record.kind() {
            Kind::Settlement => {
                let name = format!("{} of {}", record.text("kind"), record.text("position_key"));
                let sum = self.funding.entry(name).or_default();
                let amount = record.amount("amount").unwrap_or_default();
                *sum = (sum.0.plus(amount).unwrap_or(sum.0), sum.1 + 1);
            }
            Kind::Fill => {
                let worth = record.float("cash_value").unwrap_or(1.0);
                let value = |name| record.amount(name).unwrap_or_default().to_f64() * worth;
                let instrument = record.text("instrument");
                let add = |map: &mut BTreeMap<String, (f64, u64)>, value: f64| {
                    let sum = map.entry(instrument.to_owned()).or_default();
                    *sum = (sum.0 + value, sum.1 + 1);
                };
                add(&mut self.fees, -value("fee"));
                add(&mut self.realized, value("realized"));
            }
            _ => {}
        }
    }

    /// What there is to say of a component.
    fn chapter(self, component: &str) -> Option<Chapter> {
        let (title, lines): (&str, Vec<String>) = match component {
            "funding_pnl" => ("what was settled", shown(self.funding)),
            "transaction_costs" => ("fees, in share class", shown_floats(self.fees)),
            "delta_pnl" | "basis_pnl" => (
                "gains of what was closed, before fees, in share class",
                shown_floats(self.realized),
            ),
            _ => return None,
        };
        Some(Chapter { title: title.to_owned(), lines })
    }
}

fn shown(sums: BTreeMap<String, (Units, u64)>) -> Vec<String> {
    sums.into_iter().map(|(name, (sum, count))| format!("{sum} in {count}: {name}")).collect()
}

fn shown_floats(sums: BTreeMap<String, (f64, u64)>) -> Vec<String> {
    let each = sums.into_iter();
    each.map(|(name, (sum, count))| format!("{sum:+.6} in {count} fills: {name}")).collect()
}
