//! The file as a whole: its header, its lines, and rows that name other rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord, Trim};
use model::instrument::InstrumentTable;
use model::nearest::nearest;
use model::parameter::ParameterFault;

use super::cells::{COLUMNS, Cells, Names, fault};
use super::row::{Action, Row};

/// Faults that are reported one by one; a file of another kind has one on every line.
const MOST_FAULTS: usize = 100;

/// First byte of a line that is for people only.
const COMMENT: u8 = b'#';

/// What a file says.
#[derive(Debug)]
pub(super) struct Script {
    /// In the order of their decisions; rows of one time in the order of the file.
    pub(super) rows: Vec<Row>,
    /// Orders that other rows name: each is submitted by a row before them.
    pub(super) named: BTreeSet<Arc<str>>,
}

/// Reads a file; the error holds all its faults, in the order of its lines.
pub(super) fn read(
    text: &str,
    instruments: &InstrumentTable,
) -> Result<Script, Vec<ParameterFault>> {
    // Rows of another length are faults like others: the reader goes on behind them.
    let mut reader = ReaderBuilder::new()
        .trim(Trim::All)
        .flexible(true)
        .comment(Some(COMMENT))
        .from_reader(text.as_bytes());
    let header = reader.headers().expect("a text in memory can be read").clone();
    let marked = text.trim_start_matches('\u{feff}');
    let start = after_comments(marked);
    if is_open_at_its_end(&marked[start..]) {
        return Err(vec![open_quote(line_at(marked, start))]);
    }
    let columns = columns(&header, line_at(marked, start))?;
    let names = Names::new(instruments);
    let mut lines = Lines { text, byte: 0, line: 1 };
    let mut rows: Vec<Row> = Vec::new();
    let mut faults = Vec::new();
    let mut unread = BTreeSet::new();
    for record in reader.records() {
        let record = record.expect("a text in memory can be read");
        let line = lines.line_of(&record);
        if is_open_at_its_end(&text[lines.byte..]) {
            faults.push(open_quote(line));
            // Which of the rows below it has swallowed, and which orders they submit, nobody knows.
            return Err(in_order(faults));
        }
        if record.len() != header.len() {
            let found = format!("{} cells", record.len());
            faults.push(fault(line, found, &format!("{}, as in the header", header.len())));
            continue;
        }
        let mut cells = Cells::new(&columns, &names, &record, line);
        if let Some(row) = cells.row() {
            rows.push(row);
        } else {
            unread.insert(cells.text("order_id").to_owned());
            faults.append(&mut cells.faults);
        }
    }
    // Rows of one time stay in file order: the sort is stable.
    rows.sort_by_key(|row| row.decide_ts);
    let named = references(&rows, &unread, &mut faults);
    if faults.is_empty() { Ok(Script { rows, named }) } else { Err(in_order(faults)) }
}

/// Places of the columns by name.
fn columns(
    header: &StringRecord,
    line: u64,
) -> Result<BTreeMap<String, usize>, Vec<ParameterFault>> {
    let mut columns = BTreeMap::new();
    let mut faults = Vec::new();
    let is_semicolons = header.len() == 1 && header[0].contains(';');
    for (place, name) in header.iter().enumerate() {
        if !COLUMNS.contains(&name) {
            let columns = COLUMNS.join(", ");
            let expected = match nearest(name, COLUMNS) {
                _ if is_semicolons => "columns that are separated by commas".to_owned(),
                Some(nearest) => format!("`{nearest}`, or another of the columns {columns}"),
                None => format!("columns {columns}"),
            };
            faults.push(fault(line, format!("unknown column `{name}`"), &expected));
        } else if columns.insert(name.to_owned(), place).is_some() {
            faults.push(fault(line, format!("column `{name}` again"), "every column once"));
        }
    }
    if !columns.contains_key("decide_ts") && !is_semicolons {
        faults.push(fault(line, "no column `decide_ts`".to_owned(), "a time on every row"));
    }
    if faults.is_empty() { Ok(columns) } else { Err(faults) }
}

/// Checks that rows name orders which rows before them submit, and collects those orders.
///
/// `unread` are orders of rows that have faults of their own: nothing can be said of them.
fn references(
    rows: &[Row],
    unread: &BTreeSet<String>,
    faults: &mut Vec<ParameterFault>,
) -> BTreeSet<Arc<str>> {
    // The first row of each order, by place.
    let mut submitted: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        // An operation is over when the next row is decided: no row can name it.
        if let (Action::Submit, Some(order_id), None) = (row.action, &row.order_id, &row.operation)
        {
            submitted.entry(order_id).or_insert(place);
        }
    }
    let mut named = BTreeSet::new();
    for (place, row) in rows.iter().enumerate() {
        let target = row.order_id.as_ref().filter(|_| row.action != Action::Submit);
        let parent = row.terms.parent.as_ref();
        for (role, order_id) in [(row.action.name(), target), ("parent", parent)] {
            let Some(order_id) = order_id else { continue };
            let found = match submitted.get(&**order_id) {
                Some(first) if *first < place => {
                    named.insert(Arc::clone(order_id));
                    continue;
                }
                Some(first) => {
                    let line = rows[*first].line;
                    format!("{role} `{order_id}`, which line {line} submits later")
                }
                None if unread.contains(&**order_id) => continue,
                None => format!("{role} `{order_id}`, which no row submits"),
            };
            let expected = "the order_id of an order that an earlier row submits";
            faults.push(fault(row.line, found, expected));
        }
    }
    named
}

fn in_order(mut faults: Vec<ParameterFault>) -> Vec<ParameterFault> {
    faults.sort_by_key(|fault| fault.line);
    let more = faults.len().saturating_sub(MOST_FAULTS);
    faults.truncate(MOST_FAULTS);
    if let (1.., Some(last)) = (more, faults.last()) {
        let found = format!("{more} more faults below line {}", last.line.unwrap_or(1));
        faults.push(ParameterFault { line: None, found, ..fault(1, String::new(), "none") });
    }
    faults
}

fn open_quote(line: u64) -> ParameterFault {
    let found = "a quote that is still open at the end of its line".to_owned();
    fault(line, found, "quotes in pairs, and no line break in a cell")
}

/// Whether the first line of a text ends inside quotes, so that the reader would go on behind it.
fn is_open_at_its_end(text: &str) -> bool {
    #[derive(Clone, Copy, PartialEq)]
    enum Cell {
        Start,
        Plain,
        Quoted,
        Closed,
    }
    let line = text.split(['\r', '\n']).next().unwrap_or(text);
    let end = line.bytes().fold(Cell::Start, |cell, byte| match (cell, byte) {
        (Cell::Quoted, b'"') => Cell::Closed,
        // A quote behind a closing one is a quote in the text.
        (Cell::Quoted, _) | (Cell::Start | Cell::Closed, b'"') => Cell::Quoted,
        (_, b',') => Cell::Start,
        _ => Cell::Plain,
    });
    end == Cell::Quoted
}

/// Bytes of the empty lines and comments that a text starts with; the reader skips them.
fn after_comments(text: &str) -> usize {
    let is_skipped = |line: &&str| {
        line.trim_end_matches(['\r', '\n']).is_empty() || line.as_bytes()[0] == COMMENT
    };
    text.split_inclusive('\n').take_while(is_skipped).map(str::len).sum()
}

/// Line of a place in a text, from 1.
fn line_at(text: &str, byte: usize) -> u64 {
    let breaks = text[..byte].matches('\n').count();
    1 + u64::try_from(breaks).expect("fewer than 2^64 lines")
}

/// Counts lines. The CSV reader's own count is off at empty lines and where lines end in CR LF.
struct Lines<'a> {
    text: &'a str,
    byte: usize,
    line: u64,
}

impl Lines<'_> {
    /// Line of a record that stands behind all those asked for before, from 1.
    fn line_of(&mut self, record: &StringRecord) -> u64 {
        let byte = record.position().map_or(0, csv::Position::byte);
        let place = usize::try_from(byte).expect("a place in memory");
        let start = place + after_comments(&self.text[place..]);
        self.line += line_at(&self.text[self.byte..], start - self.byte) - 1;
        self.byte = start;
        self.line
    }
}
