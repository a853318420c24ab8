//! Points of one series within a window, in order of time.

use model::time::Interval;

use super::facts::SeriesFacts;
use super::window::Window;
use crate::candles::check::{is_time, sequence_fault, time_fault};
use crate::candles::chunk::Chunk;
use crate::candles::series::SeriesReader;
use crate::candles::{DataError, DataFault, FaultKind, GapPolicy};
use crate::points::{PointRow, PointSpec, PointsOf, gap_fault, missing_between, value_faults};

/// The last point before the window, and what is wrong with it, in case it is needed.
struct Before {
    row: PointRow,
    fault: Option<DataFault>,
}

pub(super) struct Points {
    reader: SeriesReader<2>,
    of: PointsOf,
    interval: Option<Interval>,
    gaps: GapPolicy,
    chunk: Chunk<2>,
    at: usize,
    window: Window,
    previous: Option<PointRow>,
    before: Option<Before>,
    ended: bool,
    facts: Vec<SeriesFacts>,
}

impl Points {
    pub(super) fn open(spec: &PointSpec, window: Window) -> Result<Self, DataError> {
        let fresh = |path: &_| SeriesFacts::new(spec.name.clone(), std::path::PathBuf::clone(path));
        Ok(Self {
            reader: SeriesReader::open(spec.files())?,
            of: spec.of,
            interval: spec.interval,
            gaps: spec.gaps,
            chunk: Chunk::empty(),
            at: 0,
            window,
            previous: None,
            before: None,
            ended: false,
            facts: spec.paths.iter().map(fresh).collect(),
        })
    }

    pub(super) const fn of(&self) -> PointsOf {
        self.of
    }

    pub(super) fn facts(&self) -> &[SeriesFacts] {
        &self.facts
    }

    /// The last point before the window; only once, and only after a first point was asked for.
    pub(super) fn take_before(&mut self) -> Result<Option<PointRow>, DataError> {
        match self.before.take() {
            Some(Before { fault: Some(fault), .. }) => Err(fault.into()),
            before => Ok(before.map(|before| before.row)),
        }
    }

    /// The next point at or before `ts`; `None` if there is none.
    pub(super) fn next_until(&mut self, ts: i64) -> Result<Option<PointRow>, DataError> {
        loop {
            if self.at == self.chunk.len() && !self.load()? {
                return Ok(None);
            }
            let row = PointRow::of(&self.chunk, self.at);
            let is_later = self.previous.is_none_or(|previous| row.time > previous.time);
            if row.time > ts && is_later && is_time(row.time) {
                // Whatever is wrong behind the frame must not hold it back.
                return Ok(None);
            }
            self.check_time(&row)?;
            if row.time > self.window.until {
                self.ended = true;
                self.chunk = Chunk::empty();
                self.at = 0;
                return Ok(None);
            }
            let mut faults = value_faults(self.of, &self.chunk, self.at).into_iter();
            let fault = faults.next().map(|kind| self.fault(kind));
            self.at += 1;
            self.previous = Some(row);
            if row.time <= self.window.after {
                self.before = Some(Before { row, fault });
                continue;
            }
            if let Some(fault) = fault {
                return Err(fault.into());
            }
            self.facts[self.reader.file()].count(row.time);
            return Ok(Some(row));
        }
    }

    fn load(&mut self) -> Result<bool, DataError> {
        if self.ended {
            return Ok(false);
        }
        let Some(chunk) = self.reader.next_chunk()? else {
            self.ended = true;
            return Ok(false);
        };
        self.chunk = chunk;
        self.at = 0;
        self.facts[self.reader.file()].synthetic_data = self.reader.is_synthetic();
        Ok(true)
    }

    /// Checks the time of the row at hand, alone and against the row above.
    fn check_time(&mut self, row: &PointRow) -> Result<(), DataError> {
        if let Some(kind) = time_fault(&self.chunk, self.at) {
            return Err(self.fault(kind).into());
        }
        let Some(previous) = self.previous else { return Ok(()) };
        let (above, here) = (previous.values(self.of), row.values(self.of));
        if let Some(kind) = sequence_fault((previous.time, &above), (row.time, &here)) {
            return Err(self.fault(kind).into());
        }
        let Some(interval) = self.interval else { return Ok(()) };
        let (step, count) = (interval.millis(), missing_between(previous.time, row.time, interval));
        let Some((first, last)) = self.window.following(previous.time, count, step) else {
            return Ok(());
        };
        let missing = u64::try_from((last - first) / step + 1).expect("first is up to last");
        let facts = &mut self.facts[self.reader.file()];
        facts.holes += 1;
        facts.missing += missing;
        if self.gaps == GapPolicy::Error {
            return Err(self.fault(gap_fault(previous.time, row.time, interval, missing)).into());
        }
        Ok(())
    }

    fn fault(&self, kind: FaultKind) -> DataFault {
        self.reader.fault(&self.chunk, self.at, kind)
    }
}
