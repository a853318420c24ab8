//! Decisions worth a row: those that trade, those that give another reason, and one per day.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{DataType, SchemaRef};
use model::strategy::{Action, Pattern};
use model::time::{DAY_MS, UtcMillis};

use crate::audit::records::DecisionColumns;
use crate::columns::{schema, texts, times, timestamp};
use crate::names::Names;

/// A row of `decisions.parquet`.
#[derive(Debug)]
pub(crate) struct DecisionRow {
    ts: UtcMillis,
    publisher: u16,
    action: Action,
    pattern: Pattern,
    reason: Arc<str>,
}

/// Chooses rows from all decisions.
#[derive(Debug)]
pub(crate) struct Decisions {
    every_frame: bool,
    /// The last decision of each publisher, by its place.
    last: Vec<Option<Last>>,
}

#[derive(Debug)]
struct Last {
    ts: UtcMillis,
    action: Action,
    pattern: Pattern,
    reason: Arc<str>,
    has_row: bool,
}

impl Decisions {
    pub(crate) const fn new(every_frame: bool) -> Self {
        Self { every_frame, last: Vec::new() }
    }

    /// The rows of a commit.
    pub(crate) fn take(&mut self, decisions: &DecisionColumns) -> Vec<DecisionRow> {
        let mut rows = Vec::new();
        let mut start = 0;
        for (place, end) in decisions.reason_ends.iter().enumerate() {
            let end = usize::try_from(*end).expect("a text has no negative end");
            let reason = &decisions.reasons[start..end];
            start = end;
            let (ts, publisher) = (UtcMillis::new(decisions.ts[place]), decisions.publisher[place]);
            let how = (decisions.actions[place], decisions.patterns[place]);
            if self.is_due(ts, publisher, how, reason) {
                rows.push(self.row(publisher));
            }
        }
        rows
    }

    /// The last decision of each publisher, where it has no row yet.
    pub(crate) fn finish(&mut self) -> Vec<DecisionRow> {
        let left = |(place, last): (usize, &Option<Last>)| {
            let publisher = u16::try_from(place).expect("publishers are counted in 16 bits");
            last.as_ref().filter(|last| !last.has_row).map(|_| publisher)
        };
        let left: Vec<u16> = self.last.iter().enumerate().filter_map(left).collect();
        left.into_iter().map(|publisher| self.row(publisher)).collect()
    }

    /// Remembers a decision; whether it has a row.
    fn is_due(
        &mut self,
        ts: UtcMillis,
        publisher: u16,
        (action, pattern): (Action, Pattern),
        reason: &str,
    ) -> bool {
        let place = usize::from(publisher);
        if self.last.len() <= place {
            self.last.resize_with(place + 1, || None);
        }
        let Some(last) = &mut self.last[place] else {
            let reason = reason.into();
            self.last[place] = Some(Last { ts, action, pattern, reason, has_row: true });
            return true;
        };
        let is_same = (last.action, last.pattern, &*last.reason) == (action, pattern, reason);
        let is_first_of_day = day(last.ts) != day(ts);
        last.ts = ts;
        if !is_same {
            (last.action, last.pattern) = (action, pattern);
            last.reason = reason.into();
        }
        last.has_row = self.every_frame || action != Action::Hold || !is_same || is_first_of_day;
        last.has_row
    }

    fn row(&self, publisher: u16) -> DecisionRow {
        let last = self.last[usize::from(publisher)].as_ref().expect("it has just decided");
        let Last { ts, action, pattern, ref reason, .. } = *last;
        DecisionRow { ts, publisher, action, pattern, reason: Arc::clone(reason) }
    }
}

const fn day(ts: UtcMillis) -> i64 {
    ts.millis().div_euclid(DAY_MS)
}

pub(crate) fn decision_schema() -> SchemaRef {
    schema(&[
        ("ts", timestamp()),
        ("strategy_id", DataType::Utf8),
        ("action", DataType::Utf8),
        ("pattern", DataType::Utf8),
        ("reason", DataType::Utf8),
    ])
}

pub(crate) fn decisions(rows: &[DecisionRow], names: &Names) -> Vec<ArrayRef> {
    vec![
        times(rows.iter().map(|row| Some(row.ts))),
        texts(rows.iter().map(|row| names.publisher(row.publisher))),
        texts(rows.iter().map(|row| row.action.name())),
        texts(rows.iter().map(|row| row.pattern.name())),
        texts(rows.iter().map(|row| &row.reason)),
    ]
}
