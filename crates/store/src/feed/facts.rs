//! What a feed has read, file by file.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use model::time::UtcMillis;

/// What was read of one file, within the window of the run and its warm-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesFacts {
    /// The instrument, as its series names it.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Rows.
    pub rows: u64,
    /// Time of the first row, as the file states it.
    pub first: Option<UtcMillis>,
    /// Time of the last row, as the file states it.
    pub last: Option<UtcMillis>,
    /// Steps of one and a half intervals or more; one between two files belongs to the later.
    pub holes: u64,
    /// Bars missing in them.
    pub missing: u64,
    /// Bars filled in for them, in the intervals of the file.
    pub synthetic_bars: u64,
    /// Whether the file says that it was generated.
    pub synthetic_data: bool,
}

impl SeriesFacts {
    pub(super) const fn new(name: String, path: PathBuf) -> Self {
        Self {
            name,
            path,
            rows: 0,
            first: None,
            last: None,
            holes: 0,
            missing: 0,
            synthetic_bars: 0,
            synthetic_data: false,
        }
    }

    /// Counts a row and the time that its file states.
    pub(super) fn count(&mut self, time: i64) {
        let time = UtcMillis::new(time);
        self.rows += 1;
        self.first.get_or_insert(time);
        self.last = Some(time);
    }
}

/// Where a feed leaves what it has read.
#[derive(Clone, Debug, Default)]
pub struct FactsHandle(Arc<Mutex<Option<Vec<SeriesFacts>>>>);

impl FactsHandle {
    /// The facts, in the order of series and files, those of finer bars, of marks and of
    /// points last, in this order; `None` until the feed has ended or was dropped.
    ///
    /// After an early stop they include what was read ahead.
    pub fn read(&self) -> Option<Vec<SeriesFacts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, facts: Vec<SeriesFacts>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(facts);
    }
}
