//! A tick: everything that happened in it, and why nothing more.

use model::time::UtcMillis;
use store::audit::reading::{CommitRows, Event};
use store::audit::{Kind, LogReader};

use super::{Chapter, conditions};
use crate::diff::line;
use crate::replay::ReplayError;

/// What happened at a tick.
#[derive(Clone, Debug, Default)]
pub struct Tick {
    /// Every event, then what was decided.
    pub chapters: Vec<Chapter>,
    /// Whether somebody decided and asked for nothing.
    pub is_quiet: bool,
    /// The frames around it, if it is none.
    pub neighbours: (Option<UtcMillis>, Option<UtcMillis>),
}

/// Everything that the log says of a tick.
///
/// # Errors
///
/// The log cannot be read.
pub fn explain(log: &LogReader, ts: UtcMillis) -> Result<Tick, ReplayError> {
    let mut tick = Tick::default();
    let commits = log.commits();
    let place = commits.partition_point(|commit| commit.last_tick < ts.millis());
    // The commit before, too: its last frame is the neighbour of the first one behind it.
    let mut reader = log.read();
    reader.skip_to(place.saturating_sub(1).min(commits.len()))?;
    for rows in reader.take(3) {
        look(&rows?, ts, &mut tick);
    }
    Ok(tick)
}

fn look(rows: &CommitRows, ts: UtcMillis, tick: &mut Tick) {
    let mut events = Chapter::new(format!("events of {ts}"));
    let mut decisions = Chapter::new("what was decided, and what was looked at");
    let mut has_asked = false;
    for event in rows.events() {
        let at = event.ts();
        if event.kind == Some(Kind::Frame) && at < ts {
            tick.neighbours.0 = Some(at);
        }
        if event.kind == Some(Kind::Frame) && at > ts {
            tick.neighbours.1.get_or_insert(at);
        }
        if at != ts {
            continue;
        }
        event.all_records().for_each(|record| events.say(cause_of(&event) + &line(&record)));
        has_asked |= event.kind == Some(Kind::Intent);
        if event.kind == Some(Kind::Decision) {
            decided(&event, &mut decisions);
        }
    }
    if !events.lines.is_empty() {
        tick.is_quiet = !has_asked && !decisions.lines.is_empty();
        tick.chapters.extend([events, decisions]);
    }
}

/// Indents what something else has caused.
fn cause_of(event: &Event<'_>) -> String {
    event.cause_seq().map_or_else(String::new, |cause| format!("  because of {cause}: "))
}

fn decided(event: &Event<'_>, chapter: &mut Chapter) {
    let Some(decision) = event.first() else { return };
    let (action, reason) = (decision.text("action"), decision.text("reason"));
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let publisher = decision.count("publisher").unwrap_or(0);
    chapter.say(format!("publisher {publisher}: {action}{reason}"));
    conditions(decision.text("conditions")).into_iter().for_each(|it| chapter.say(it));
}
