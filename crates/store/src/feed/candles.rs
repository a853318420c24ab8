//! Bars of one series within a window, with its holes treated as its policy says.

use model::frame::{Bar, BarKind};
use model::time::{Interval, UtcMillis};

use super::facts::SeriesFacts;
use super::trail::Trail;
use super::window::Window;
use crate::candles::check::{missing_between, order_fault, time_fault, value_faults};
use crate::candles::chunk::{Chunk, Row};
use crate::candles::series::SeriesReader;
use crate::candles::{DataError, DataFault, FaultKind, GapPolicy, SeriesSpec};

/// A bar and its close in milliseconds.
pub(super) type Closed = (i64, Bar);

/// Bars that stand in for missing ones.
#[derive(Clone, Copy, Debug)]
struct Fill {
    next: i64,
    last: i64,
    bar: Bar,
}

/// What becomes of a row that is not simply the next one.
enum Verdict {
    Deliver,
    PassOver,
    /// A hole ends at it: its fill comes first.
    FillFirst(Fill),
    /// It lies behind the window.
    End,
}

/// Whether a series is read for a run, or only to see when its bars close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// All rows of the window are checked.
    Run,
    /// Only times are of interest; holes are not.
    Scout,
}

/// How a series ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its rows did.
    Rows,
    /// It has rows behind the window.
    Window,
}

pub(super) struct Candles {
    reader: SeriesReader,
    chunk: Chunk,
    at: usize,
    window: Window,
    purpose: Purpose,
    file_interval: Interval,
    gaps: GapPolicy,
    /// Length of a bar in milliseconds.
    interval: i64,
    close_after_label: i64,
    previous: Option<Row>,
    /// What is wrong with the last row before the window, in case it has to fill a hole.
    previous_fault: Option<DataFault>,
    fill: Option<Fill>,
    /// Whether the hole before the row at hand has been treated.
    bridged: bool,
    ending: Option<Ending>,
    facts: Vec<SeriesFacts>,
    first_row: Option<i64>,
    /// The last closes, where something is marked by them.
    trail: Option<Trail>,
}

impl Candles {
    pub(super) fn open(
        spec: &SeriesSpec,
        window: Window,
        purpose: Purpose,
    ) -> Result<Self, DataError> {
        let facts = spec
            .paths
            .iter()
            .map(|path| SeriesFacts::new(spec.name.clone(), path.clone()))
            .collect();
        Ok(Self {
            reader: SeriesReader::open(spec.files())?,
            file_interval: spec.interval,
            gaps: spec.gaps,
            chunk: Chunk::empty(),
            at: 0,
            window,
            purpose,
            interval: spec.interval.millis(),
            close_after_label: spec.close_after_label_ms(),
            previous: None,
            previous_fault: None,
            fill: None,
            bridged: false,
            ending: None,
            facts,
            first_row: None,
            trail: None,
        })
    }

    /// Keeps the closes of the bars that are read, those before the window included.
    pub(super) fn keep_trail(&mut self) {
        self.trail.get_or_insert_with(|| Trail::new(self.file_interval));
    }

    /// The closes that are kept.
    pub(super) const fn trail(&mut self) -> Option<&mut Trail> {
        self.trail.as_mut()
    }

    /// How the series ended; `None` while it goes on.
    pub(super) const fn ending(&self) -> Option<Ending> {
        self.ending
    }

    pub(super) fn facts(&self) -> &[SeriesFacts] {
        &self.facts
    }

    /// Open of the last bar within the window.
    pub(super) fn last_open(&self) -> Option<i64> {
        let last = self.facts.iter().filter_map(|facts| facts.last).max()?;
        Some(last.millis() + self.close_after_label - self.interval)
    }

    /// Time of the first row, those before the window included.
    pub(super) const fn first_row(&self) -> Option<i64> {
        self.first_row
    }

    /// Time of the last row; `None` if the series was not read to its end.
    pub(super) fn last_row(&self) -> Option<i64> {
        self.previous.filter(|_| self.ending == Some(Ending::Rows)).map(|row| row.time)
    }

    /// The next bar; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Closed>, DataError> {
        loop {
            if let Some(fill) = &mut self.fill {
                if fill.next <= fill.last {
                    let close = fill.next;
                    fill.next += self.interval;
                    self.facts[self.reader.file()].synthetic_bars += 1;
                    return Ok(Some((close, fill.bar)));
                }
                self.fill = None;
            }
            if self.at == self.chunk.len() && !self.load()? {
                return Ok(None);
            }
            let row = self.chunk.row(self.at);
            let close = row.time.wrapping_add(self.close_after_label);
            if !self.is_plain(&row, close) {
                match self.judge(&row)? {
                    Verdict::Deliver => {}
                    Verdict::PassOver => {
                        self.consume(row);
                        if let Some(trail) = &mut self.trail {
                            trail.forget_until(close);
                        }
                        continue;
                    }
                    Verdict::FillFirst(fill) => {
                        self.fill = Some(fill);
                        continue;
                    }
                    Verdict::End => {
                        self.ending = Some(Ending::Window);
                        // Nothing behind the window is read, and nothing can be delivered any more.
                        self.chunk = Chunk::empty();
                        self.at = 0;
                        return Ok(None);
                    }
                }
            }
            self.consume(row);
            self.facts[self.reader.file()].count(row.time);
            let Row { open, high, low, close: last, volume, .. } = row;
            let bar = Bar { open, high, low, close: last, volume, kind: BarKind::Real };
            return Ok(Some((close, bar)));
        }
    }

    /// Whether a row is sound, within the window and exactly one interval after the row above.
    fn is_plain(&self, row: &Row, close: i64) -> bool {
        let Some(previous) = &self.previous else { return false };
        row.time.wrapping_sub(previous.time) == self.interval
            && row.has_time()
            && self.window.contains(close)
            && row.is_sound()
    }

    fn load(&mut self) -> Result<bool, DataError> {
        if self.ending.is_some() {
            return Ok(false);
        }
        let Some(chunk) = self.reader.next_chunk()? else {
            self.ending = Some(Ending::Rows);
            return Ok(false);
        };
        self.chunk = chunk;
        self.at = 0;
        self.facts[self.reader.file()].synthetic_data = self.reader.is_synthetic();
        Ok(true)
    }

    fn consume(&mut self, row: Row) {
        self.at += 1;
        self.bridged = false;
        if let Some(trail) = self.trail.as_mut().filter(|_| row.is_sound()) {
            trail.push(row.time + self.close_after_label, row.close);
        }
        self.previous = Some(row);
    }

    fn fault(&self, kind: FaultKind) -> DataFault {
        self.reader.fault(&self.chunk, self.at, kind)
    }

    #[cold]
    fn judge(&mut self, row: &Row) -> Result<Verdict, DataError> {
        if let Some(kind) = time_fault(&self.chunk, self.at) {
            return Err(self.fault(kind).into());
        }
        self.first_row.get_or_insert(row.time);
        if let Some(previous) = self.previous.filter(|_| !self.bridged) {
            if let Some(kind) = order_fault(&previous, row, self.file_interval) {
                return Err(self.fault(kind).into());
            }
            self.bridged = true;
            if let Some(fill) = self.bridge(&previous, row)? {
                return Ok(Verdict::FillFirst(fill));
            }
        }
        let close = row.time.saturating_add(self.close_after_label);
        if close > self.window.until {
            return Ok(Verdict::End);
        }
        let fault = value_faults(&self.chunk, self.at).into_iter().next();
        if close <= self.window.after {
            self.previous_fault = fault.map(|kind| self.fault(kind));
            return Ok(Verdict::PassOver);
        }
        match fault {
            Some(kind) if self.purpose == Purpose::Run => Err(self.fault(kind).into()),
            _ => Ok(Verdict::Deliver),
        }
    }

    /// Treats the bars of the window that are missing between two rows.
    fn bridge(&mut self, previous: &Row, row: &Row) -> Result<Option<Fill>, DataError> {
        let Some((next, last)) = self.missing_closes(previous, row) else { return Ok(None) };
        let missing = u64::try_from((last - next) / self.interval + 1).expect("next is up to last");
        let facts = &mut self.facts[self.reader.file()];
        facts.holes += 1;
        facts.missing += missing;
        match self.gaps {
            GapPolicy::Error if self.purpose == Purpose::Run => {
                let (previous, found) = (UtcMillis::new(previous.time), UtcMillis::new(row.time));
                let interval = self.file_interval;
                Err(self.fault(FaultKind::Gap { previous, found, interval, missing }).into())
            }
            GapPolicy::Error | GapPolicy::Skip => Ok(None),
            GapPolicy::Synthetic => {
                if self.purpose == Purpose::Run && !previous.is_sound() {
                    let fault = self.previous_fault.take();
                    return Err(fault.expect("only rows before the window pass unsound").into());
                }
                Ok(Some(Fill { next, last, bar: Bar::synthetic(previous.close) }))
            }
        }
    }

    /// First and last close of the bars that are missing between two rows, within the window.
    fn missing_closes(&self, previous: &Row, row: &Row) -> Option<(i64, i64)> {
        let missing = missing_between(previous.time, row.time, self.interval);
        let close = previous.time + self.close_after_label;
        self.window.following(close, missing, self.interval)
    }
}
