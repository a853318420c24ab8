//! The law of settlements.

use std::collections::{HashMap, HashSet};

use store::audit::commit::InstrumentTerms;
use store::audit::reading::{Event, Record, Units};

use super::numbers::is_worth;
use super::{Law, Sums, Tally, shown};
use crate::replay::State;

/// What has been settled: kind, position and instant.
#[derive(Clone, Debug, Default)]
pub(super) struct Settled {
    seen: HashSet<(String, String, i64)>,
}

impl Settled {
    pub(super) fn check(
        &mut self,
        event: &Event<'_>,
        instruments: &HashMap<String, InstrumentTerms>,
        state: &State,
        tally: &mut Tally,
    ) {
        let Some(record) = event.first() else { return };
        let (kind, key) = (record.text("kind"), record.text("position_key"));
        let instant = record.time("event_ts").unwrap_or_default();
        if matches!(kind, "transit" | "claim") {
            arrived(event, record, state, tally);
        } else {
            let is_new = self.seen.insert((kind.to_owned(), key.to_owned(), instant.millis()));
            tally.check(Law::Settlement, event, is_new, || {
                format!("{kind} of {key} at {instant} was settled before")
            });
        }
        paid(event, record, tally);
        if kind == "funding" {
            funding(event, record, instruments, state, tally);
        }
    }
}

/// No more arrives than is on its way; several may arrive at one instant.
fn arrived(event: &Event<'_>, record: Record<'_>, state: &State, tally: &mut Tally) {
    let (key, amount) = (record.text("position_key"), record.amount("amount").unwrap_or_default());
    let on_the_way = state.position(key);
    tally.check(Law::Settlement, event, amount > Units::ZERO && amount <= on_the_way, || {
        format!("{amount} arrives of {key}, where {on_the_way} is on its way")
    });
}

/// What changed where it is paid to is the amount.
fn paid(event: &Event<'_>, record: Record<'_>, tally: &mut Tally) {
    let amount = record.amount("amount").unwrap_or_default();
    let paid_to = record.text("paid_to");
    let found = Sums::of(event).sorted();
    let at_key = found.iter().find(|(key, _)| key == paid_to).map_or(Units::ZERO, |(_, sum)| *sum);
    tally.check(Law::Settlement, event, at_key == amount, || {
        format!("{amount} is to be paid to {paid_to}; it changed {}", shown(&found))
    });
}

/// Longs pay shorts at a positive rate: −position · price · rate (03 §4.2).
fn funding(
    event: &Event<'_>,
    record: Record<'_>,
    instruments: &HashMap<String, InstrumentTerms>,
    state: &State,
    tally: &mut Tally,
) {
    let key = record.text("position_key");
    // A key of a perpetual is that of one instrument.
    let Some(terms) = instruments.values().find(|terms| terms.position_key == key) else {
        let text = || format!("{key} is the position of no instrument");
        return tally.check(Law::Settlement, event, false, text);
    };
    let (Some(rate), Some(px)) = (record.amount("rate"), record.amount("price")) else { return };
    let held = state.position(key);
    let amount = record.amount("amount").unwrap_or_default();
    let is_paid_right = amount == Units::ZERO || (amount.0 < 0) == ((held.0 < 0) == (rate.0 < 0));
    let holds = is_paid_right && is_worth(amount, px, held, Some(rate), terms);
    tally.check(Law::Settlement, event, holds, || {
        format!("{held} of {key} at {px} and a rate of {rate} do not give {amount}")
    });
}
