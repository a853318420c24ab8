//! A chunk of rows in columns, as the file states them.

use arrow_buffer::ScalarBuffer;

use super::column::Column;
use super::fault::{FaultKind, Place};

/// Rows that a source decodes at a time.
pub(crate) const CHUNK_ROWS: usize = 8_192;

/// Stands where a file has no readable time; no calendar reaches it.
pub(crate) const NO_TIME: i64 = i64::MIN;

/// Values of one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Milliseconds since the epoch; what they name is a matter of the series.
    pub(crate) time: i64,
    pub(crate) open: f64,
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) close: f64,
    pub(crate) volume: f64,
}

/// A cell without a value that could be read; the column holds [`NO_TIME`] or NaN there.
#[derive(Debug)]
pub(crate) struct Oddity {
    /// Place of the row in its chunk.
    pub(crate) at: usize,
    pub(crate) column: Column,
    /// What the file has; `None` for a null or an empty cell.
    pub(crate) text: Option<String>,
}

impl Oddity {
    /// The fault that it is where a value is needed.
    pub(crate) fn fault(&self) -> FaultKind {
        let column = self.column;
        match self.text.clone() {
            Some(text) => FaultKind::Unreadable { column, text },
            None => FaultKind::Null { column },
        }
    }
}

/// Consecutive rows of one file.
#[derive(Debug)]
pub(crate) struct Chunk<const N: usize = 5> {
    /// Number of the first row in its file, counted from 1.
    pub(crate) first_row: u64,
    /// Line of each row, for text files.
    pub(crate) lines: Vec<u64>,
    pub(crate) time: ScalarBuffer<i64>,
    /// The columns of numbers, as the layout of the file has them.
    pub(crate) values: [ScalarBuffer<f64>; N],
    /// In the order of rows.
    pub(crate) oddities: Vec<Oddity>,
}

impl<const N: usize> Chunk<N> {
    pub(crate) fn empty() -> Self {
        Self {
            first_row: 1,
            lines: Vec::new(),
            time: Vec::new().into(),
            values: [(); N].map(|()| Vec::new().into()),
            oddities: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.time.len()
    }

    pub(crate) fn place(&self, at: usize) -> Place {
        Place { row: self.first_row + at as u64, line: self.lines.get(at).copied() }
    }

    /// Whether a cell has no readable value, and what stands there instead.
    pub(crate) fn oddity(&self, at: usize, column: Column) -> Option<&Oddity> {
        let start = self.oddities.partition_point(|oddity| oddity.at < at);
        let mut of_row = self.oddities[start..].iter().take_while(|oddity| oddity.at == at);
        of_row.find(|oddity| oddity.column == column)
    }
}

impl Chunk {
    #[inline]
    pub(crate) fn row(&self, at: usize) -> Row {
        let [open, high, low, close, volume] = &self.values;
        Row {
            time: self.time[at],
            open: open[at],
            high: high[at],
            low: low[at],
            close: close[at],
            volume: volume[at],
        }
    }
}
