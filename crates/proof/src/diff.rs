//! Comparison of two logs: where they part, by how much, and what it came to.

use std::fmt::Write as _;

use model::time::UtcMillis;
use store::audit::commit::Commit;
use store::audit::reading::{CommitReader, CommitRows, Event, Record, Value};
use store::audit::{Kind, LogReader};

use crate::replay::ReplayError;

/// An event in full, with what led to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Its number.
    pub seq: u64,
    /// Its tick.
    pub ts: UtcMillis,
    /// What kind of event it is.
    pub kind: String,
    /// Its records, a line each: the kind, then all fields that have a value.
    pub records: Vec<String>,
    /// The events that led to it, nearest first, a line each.
    pub causes: Vec<String>,
}

/// One field that two records differ in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDifference {
    /// Kind of the record.
    pub kind: Kind,
    /// Name of the column; empty if only one of the logs has the record.
    pub field: String,
    /// The value in the first log.
    pub left: String,
    /// The value in the second log.
    pub right: String,
}

/// The first event that is not the same in two logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Divergence {
    /// The event of the first log; none if that one had ended.
    pub left: Option<Told>,
    /// The event of the second log.
    pub right: Option<Told>,
    /// What differs.
    pub fields: Vec<FieldDifference>,
}

/// How two logs differ in one kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindDifference {
    /// The kind.
    pub kind: Kind,
    /// Rows in the first log.
    pub left: u64,
    /// Rows in the second log.
    pub right: u64,
    /// Rows that are not the same, or that only one of them has: the rows of a tick in their order,
    /// whatever their numbers.
    pub differing: u64,
}

/// Two logs side by side.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Where they part; none if they are the same event by event.
    pub first: Option<Divergence>,
    /// Kinds that at least one of them has.
    pub kinds: Vec<KindDifference>,
    /// Components of profit at the end of each, where they are told.
    pub profit: Vec<(String, f64, f64)>,
}

impl Comparison {
    /// Whether both tell the same.
    pub const fn is_same(&self) -> bool {
        self.first.is_none()
    }
}

/// Columns that say where a record stands, not what it tells.
const PLACES: [&str; 3] = ["seq", "cause_seq", "trade_id"];

/// Compares two logs.
///
/// Commits of equal bytes are skipped without decoding them.
///
/// # Errors
///
/// One of them cannot be read.
pub fn compare(left: &LogReader, right: &LogReader) -> Result<Comparison, ReplayError> {
    let same = left.commits().iter().zip(right.commits());
    let same = same.take_while(|(one, two)| one.streams == two.streams).count();
    let mut kinds = Kind::ALL.map(|kind| KindDifference { kind, left: 0, right: 0, differing: 0 });
    for kind in &mut kinds {
        kind.left = rows(left.commits(), kind.kind);
        kind.right = rows(right.commits(), kind.kind);
    }
    let (mut one, mut two) = (Side::open(left, same)?, Side::open(right, same)?);
    let mut first = None;
    while one.has_rows()? | two.has_rows()? {
        compare_commits(&mut one, &mut two, &mut first, &mut kinds);
    }
    Ok(Comparison {
        first,
        kinds: kinds.into_iter().filter(|kind| kind.left.max(kind.right) > 0).collect(),
        profit: profit(left, right)?,
    })
}

/// Where two sets of rows that begin at the same event part.
pub fn first_difference(left: &CommitRows, right: &CommitRows) -> Option<Divergence> {
    first_until(Some(left), Some(right), UtcMillis::new(i64::MAX))
}

/// Where two sets of rows part, tick by tick, up to an instant; a log that has ended has none.
fn first_until(
    left: Option<&CommitRows>,
    right: Option<&CommitRows>,
    until: UtcMillis,
) -> Option<Divergence> {
    let (one, two) = (events_until(left, until), events_until(right, until));
    let (mut one, mut two) = (one.as_slice(), two.as_slice());
    while let Some(tick) = next_tick(one, two) {
        let (left_tick, left_rest) = tick_of(one, tick);
        let (right_tick, right_rest) = tick_of(two, tick);
        let found = part(left_tick, right_tick, left, right);
        if found.is_some() {
            return found;
        }
        (one, two) = (left_rest, right_rest);
    }
    None
}

fn events_until(rows: Option<&CommitRows>, until: UtcMillis) -> Vec<Event<'_>> {
    let events = rows.into_iter().flat_map(CommitRows::events);
    events.take_while(|event| event.ts() <= until).collect()
}

/// The earlier of the ticks that come next.
fn next_tick(left: &[Event<'_>], right: &[Event<'_>]) -> Option<UtcMillis> {
    left.first().into_iter().chain(right.first()).map(Event::ts).min()
}

/// Where two logs part, if they do so up to an instant.
///
/// # Errors
///
/// One of them cannot be read.
pub fn first_difference_until(
    left: &LogReader,
    right: &LogReader,
    until: UtcMillis,
) -> Result<Option<Divergence>, ReplayError> {
    let (mut one, mut two) = (left.read(), right.read());
    loop {
        let (left, right) = (one.next().transpose()?, two.next().transpose()?);
        let found = first_until(left.as_ref(), right.as_ref(), until);
        let goes_on = |rows: &Option<CommitRows>| {
            rows.as_ref().is_some_and(|rows| rows.commit.last_tick <= until.millis())
        };
        if found.is_some() || !goes_on(&left) && !goes_on(&right) {
            return Ok(found);
        }
    }
}

fn rows(commits: &[Commit], kind: Kind) -> u64 {
    let parts = commits.iter().filter_map(|commit| commit.part(kind.name()));
    // Commits that are skipped may claim anything.
    parts.fold(0, |sum, part| sum.saturating_add(part.rows))
}

/// One log, tick by tick.
struct Side<'a> {
    reader: CommitReader<'a>,
    rows: Option<CommitRows>,
    /// Events of `rows` that have been compared.
    done: usize,
    /// Tick of the last event that was read.
    last: UtcMillis,
}

impl<'a> Side<'a> {
    fn open(log: &'a LogReader, place: usize) -> Result<Self, ReplayError> {
        let mut reader = log.read();
        reader.skip_to(place)?;
        Ok(Self { reader, rows: None, done: 0, last: UtcMillis::new(i64::MIN) })
    }

    /// Reads on if everything read has been compared; false at the end.
    fn has_rows(&mut self) -> Result<bool, ReplayError> {
        if self.rows.is_none() {
            self.rows = self.reader.next().transpose()?;
            self.done = 0;
            self.check_ticks()?;
        }
        Ok(self.rows.is_some())
    }

    /// Both logs are aligned by their ticks, which must not go back.
    fn check_ticks(&mut self) -> Result<(), ReplayError> {
        for event in self.rows.iter().flat_map(CommitRows::events) {
            let (seq, ts, last) = (event.seq, event.ts(), self.last);
            if event.kind.is_none() {
                let what = "no stream has a record of this number".to_owned();
                return Err(ReplayError::Content { seq, what });
            }
            if ts < last {
                let what = format!("its tick, {ts}, is before {last}, that of the event before it");
                return Err(ReplayError::Content { seq, what });
            }
            self.last = ts;
        }
        Ok(())
    }

    fn events(&self) -> Vec<Event<'_>> {
        let events = self.rows.iter().flat_map(CommitRows::events);
        events.skip(self.done).collect()
    }
}

/// Compares what two commits have in common in time; what is left of the longer one stays.
fn compare_commits(
    one: &mut Side<'_>,
    two: &mut Side<'_>,
    first: &mut Option<Divergence>,
    kinds: &mut [KindDifference; Kind::ALL.len()],
) {
    let (left, right) = (one.events(), two.events());
    let last = |events: &[Event<'_>]| events.last().map_or(UtcMillis::new(i64::MAX), Event::ts);
    let until = last(&left).min(last(&right));
    let upto = |events: &[Event<'_>]| events.partition_point(|event| event.ts() <= until);
    let (left_end, right_end) = (upto(&left), upto(&right));
    let (mut left_rest, mut right_rest) = (&left[..left_end], &right[..right_end]);
    while let Some(tick) = next_tick(left_rest, right_rest) {
        let (left_tick, rest) = tick_of(left_rest, tick);
        left_rest = rest;
        let (right_tick, rest) = tick_of(right_rest, tick);
        right_rest = rest;
        if first.is_none() {
            *first = part(left_tick, right_tick, one.rows.as_ref(), two.rows.as_ref());
        }
        count(&records(left_tick), &records(right_tick), kinds);
    }
    let (left_all, right_all) = (left.len(), right.len());
    one.advance(left_end, left_all);
    two.advance(right_end, right_all);
}

impl Side<'_> {
    fn advance(&mut self, compared: usize, all: usize) {
        self.done += compared;
        if compared == all {
            self.rows = None;
        }
    }
}

fn tick_of<'e, 'a>(events: &'e [Event<'a>], tick: UtcMillis) -> (&'e [Event<'a>], &'e [Event<'a>]) {
    events.split_at(events.partition_point(|event| event.ts() <= tick))
}

/// The first event of a tick that is not the same.
///
/// Rows of the chain stand with the snapshot of their tick and tell of what came later in it, so
/// they count only where nothing else differs.
fn part(
    left: &[Event<'_>],
    right: &[Event<'_>],
    left_rows: Option<&CommitRows>,
    right_rows: Option<&CommitRows>,
) -> Option<Divergence> {
    let places = 0..left.len().max(right.len());
    let fields = |place: usize| differences(left.get(place), right.get(place), &[]);
    let is_of_chain = |it: &FieldDifference| {
        matches!(it.kind, Kind::Exposure | Kind::Risk | Kind::Pnl) && it.field.is_empty()
    };
    let own = places.clone().find(|place| !fields(*place).iter().all(is_of_chain));
    let place = own.or_else(|| places.clone().find(|place| !fields(*place).is_empty()))?;
    let told = |event: Option<&Event<'_>>, rows: Option<&CommitRows>| {
        event.zip(rows).map(|(event, rows)| told(event, rows))
    };
    let mut fields = fields(place);
    if fields.iter().any(|it| it.field.is_empty()) {
        // One asked for something and the other did not: what each decided says more.
        let decision = |events: &'_ [Event<'_>]| {
            events.iter().position(|event| event.kind == Some(Kind::Decision))
        };
        if let (Some(one), Some(two)) = (decision(left), decision(right)) {
            fields.extend(differences(Some(&left[one]), Some(&right[two]), &PLACES));
        }
    }
    let (left, right) = (told(left.get(place), left_rows), told(right.get(place), right_rows));
    Some(Divergence { left, right, fields })
}

fn records<'a, 'e>(events: impl IntoIterator<Item = &'e Event<'a>>) -> Vec<Record<'a>>
where
    'a: 'e,
{
    events.into_iter().flat_map(Event::all_records).collect()
}

/// Counts the records of a tick that are not the same, kind by kind.
fn count(left: &[Record<'_>], right: &[Record<'_>], kinds: &mut [KindDifference; Kind::ALL.len()]) {
    let places = left.iter().zip(right);
    if left.len() == right.len() && places.clone().all(|(one, two)| is_same(*one, *two, &PLACES)) {
        return;
    }
    for difference in kinds {
        let is_of = |record: &&Record<'_>| record.kind() == difference.kind;
        let (mut one, mut two) = (left.iter().filter(is_of), right.iter().filter(is_of));
        loop {
            match (one.next(), two.next()) {
                (None, None) => break,
                (Some(one), Some(two)) if is_same(*one, *two, &PLACES) => {}
                _ => difference.differing += 1,
            }
        }
    }
}

fn is_same(one: Record<'_>, two: Record<'_>, except: &[&str]) -> bool {
    if one.kind() != two.kind() {
        return false;
    }
    let mut pairs = one.fields().zip(two.fields());
    pairs.all(|((name, left), (_, right))| left.is_same(&right) || except.contains(&name))
}

fn differences(
    left: Option<&Event<'_>>,
    right: Option<&Event<'_>>,
    except: &[&str],
) -> Vec<FieldDifference> {
    let mut found = Vec::new();
    let (left, right) = (records(left), records(right));
    for place in 0..left.len().max(right.len()) {
        match (left.get(place), right.get(place)) {
            (Some(one), Some(two)) if one.kind() == two.kind() => {
                let pairs = one.fields().zip(two.fields());
                let differing = pairs.filter(|((name, left), (_, right))| {
                    !left.is_same(right) && !except.contains(name)
                });
                found.extend(differing.map(|((name, left), (_, right))| FieldDifference {
                    kind: one.kind(),
                    field: name.to_owned(),
                    left: left.to_string(),
                    right: right.to_string(),
                }));
            }
            (one, two) => {
                let shown = |record: Option<&Record<'_>>| record.map_or("nothing".into(), line);
                let kind = one.or(two).map_or(Kind::Control, Record::kind);
                let (field, left, right) = (String::new(), shown(one), shown(two));
                found.push(FieldDifference { kind, field, left, right });
                return found;
            }
        }
    }
    found
}

/// An event in full, with what led to it; causes never reach beyond a tick, nor so a commit.
pub fn told(event: &Event<'_>, rows: &CommitRows) -> Told {
    let mut causes = Vec::new();
    let mut cause = event.cause_seq();
    let before: Vec<Event<'_>> = rows.events().take_while(|it| it.seq < event.seq).collect();
    while let Some(seq) = cause {
        let Ok(place) = before.binary_search_by_key(&seq, |it| it.seq) else { break };
        causes.extend(before[place].first().map(|record| line(&record)));
        cause = before[place].cause_seq().filter(|next| *next < seq);
    }
    Told {
        seq: event.seq,
        ts: event.ts(),
        kind: event.kind.map_or("unknown", Kind::name).to_owned(),
        records: event.all_records().map(|record| line(&record)).collect(),
        causes,
    }
}

/// A record in a line: its kind and number, then all fields that have a value.
pub fn line(record: &Record<'_>) -> String {
    let mut text = format!("{} {}", record.seq(), record.kind().name());
    for (name, value) in record.fields().skip(2) {
        if !matches!(value, Value::Null | Value::Text("")) && name != "cause_seq" {
            write!(text, " {name}={value}").expect("a text takes what is written");
        }
    }
    text
}

/// Components of profit at the end of both.
fn profit(left: &LogReader, right: &LogReader) -> Result<Vec<(String, f64, f64)>, ReplayError> {
    let (left, right) = (last_profit(left)?, last_profit(right)?);
    let pairs = left.into_iter().zip(right);
    Ok(pairs.map(|((name, one), (_, two))| (name, one, two)).collect())
}

fn last_profit(log: &LogReader) -> Result<Vec<(String, f64)>, ReplayError> {
    let with_rows = |commit: &Commit| commit.part(Kind::Pnl.name()).is_some();
    let Some(place) = log.commits().iter().rposition(with_rows) else { return Ok(Vec::new()) };
    let mut reader = log.read();
    reader.skip_to(place)?;
    let Some(rows) = reader.next().transpose()? else { return Ok(Vec::new()) };
    let last = rows.events().flat_map(|event| event.attached(Kind::Pnl)).last();
    let figures = last.into_iter().flat_map(|record| {
        let fields = record.fields().skip(2);
        fields
            .filter_map(|(name, value)| Some((name.to_owned(), value.to_f64()?)))
            .collect::<Vec<_>>()
    });
    Ok(figures.collect())
}
