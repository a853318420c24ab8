//! Events: the records of a commit in the order in which the bus delivered them.

use model::time::UtcMillis;

use super::rows::CommitRows;
use super::table::{Record, Table};
use crate::audit::kind::Kind;

/// Kinds of which every event is exactly one, the frequent ones first.
pub(super) const OWN: [Kind; 12] = [
    Kind::Frame,
    Kind::Account,
    Kind::Decision,
    Kind::TightLoop,
    Kind::Fill,
    Kind::OrderUpdate,
    Kind::Intent,
    Kind::Verdict,
    Kind::Settlement,
    Kind::Alert,
    Kind::Control,
    Kind::Custom,
];

/// Kinds whose rows belong to an event of another kind.
const fn attached_to(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::Account => &[Kind::Exposure, Kind::Risk, Kind::Pnl],
        Kind::Fill => &[Kind::Lot],
        Kind::TightLoop => &[Kind::Delta, Kind::Mismatch],
        Kind::Settlement => &[Kind::Delta],
        Kind::Frame
        | Kind::Decision
        | Kind::Intent
        | Kind::Verdict
        | Kind::OrderUpdate
        | Kind::Lot
        | Kind::Delta
        | Kind::Mismatch
        | Kind::Alert
        | Kind::Exposure
        | Kind::Risk
        | Kind::Pnl
        | Kind::Control
        | Kind::Custom => &[],
    }
}

/// The events of a commit.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    rows: &'a CommitRows,
    cursors: [usize; Kind::ALL.len()],
    /// None once there can be no more of them.
    next: Option<u64>,
}

/// One event: its kind, its rows, and the rows that belong to it.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    rows: &'a CommitRows,
    /// Its number in the run.
    pub seq: u64,
    /// What kind of event it is; none if no stream has a row for its number.
    pub kind: Option<Kind>,
    cursors: [usize; 4],
    lengths: [usize; 4],
}

impl<'a> Events<'a> {
    pub(super) const fn new(rows: &'a CommitRows) -> Self {
        Self { rows, cursors: [0; Kind::ALL.len()], next: Some(rows.commit.first_seq) }
    }

    /// Rows that no event has taken: what is out of order, or belongs to nothing.
    pub fn left_over(&self) -> Option<Record<'a>> {
        let mut tables = Kind::ALL.into_iter().filter_map(|kind| self.rows.table(kind));
        tables.find_map(|table| {
            let row = self.cursors[table.kind as usize];
            (row < table.rows()).then_some(Record { table, row })
        })
    }

    /// Takes the rows of `seq` of a kind: the first, and how many.
    fn take(&mut self, kind: Kind, seq: u64) -> (usize, usize) {
        let cursor = &mut self.cursors[kind as usize];
        let start = *cursor;
        if let Some(table) = self.rows.table(kind) {
            let values = table.seq.values();
            while values.get(*cursor) == Some(&seq) {
                *cursor += 1;
            }
        }
        (start, *cursor - start)
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        let seq = self.next.filter(|seq| *seq <= self.rows.commit.last_seq)?;
        self.next = seq.checked_add(1);
        let is_own = |kind: &Kind| {
            let cursor = self.cursors[*kind as usize];
            let table = self.rows.table(*kind);
            table.is_some_and(|table| table.seq.values().get(cursor) == Some(&seq))
        };
        let kind = OWN.into_iter().find(is_own);
        let mut event = Event { rows: self.rows, seq, kind, cursors: [0; 4], lengths: [0; 4] };
        if let Some(kind) = kind {
            (event.cursors[0], event.lengths[0]) = self.take(kind, seq);
            for (place, attached) in (1..).zip(attached_to(kind)) {
                (event.cursors[place], event.lengths[place]) = self.take(*attached, seq);
            }
        }
        Some(event)
    }
}

impl<'a> Event<'a> {
    /// Its own rows: one, or one per request of a group.
    pub fn records(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let table = self.kind.and_then(|kind| self.rows.table(kind));
        records(table, self.cursors[0], self.lengths[0])
    }

    /// Its first row.
    pub fn first(&self) -> Option<Record<'a>> {
        self.records().next()
    }

    /// Rows of another kind that belong to it.
    pub fn attached(&self, kind: Kind) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let own = self.kind.map_or([].as_slice(), attached_to);
        let place = own.iter().position(|it| *it == kind).map(|place| place + 1);
        let (cursor, length) =
            place.map_or((0, 0), |place| (self.cursors[place], self.lengths[place]));
        records(self.rows.table(kind), cursor, length)
    }

    /// All its rows: its own, then those that belong to it.
    pub fn all_records(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let event = *self;
        let attached = self.kind.map_or([].as_slice(), attached_to);
        self.records().chain(attached.iter().flat_map(move |kind| event.attached(*kind)))
    }

    /// The tick.
    pub fn ts(&self) -> UtcMillis {
        self.first().map_or_else(UtcMillis::default, |record| record.ts())
    }

    /// The event that caused it, if something did.
    pub fn cause_seq(&self) -> Option<u64> {
        self.first().and_then(|record| record.cause_seq())
    }
}

fn records(
    table: Option<&Table>,
    start: usize,
    length: usize,
) -> impl Iterator<Item = Record<'_>> + use<'_> {
    let rows = start..start + length;
    table.into_iter().flat_map(move |table| rows.clone().map(move |row| Record { table, row }))
}
