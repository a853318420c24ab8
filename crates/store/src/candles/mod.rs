//! Candle files: what a series is, how its rows are read and checked, and what may be wrong.
//!
//! Reading is streamed: one chunk of rows per open file is in memory, whatever the file's length.

pub(crate) mod check;
pub(crate) mod chunk;
mod claims;
pub(crate) mod column;
pub(crate) mod csv;
mod decode;
mod error;
mod fault;
mod fingerprint;
pub(crate) mod inspect;
mod parquet;
pub(crate) mod series;
mod thrift;

use std::path::PathBuf;

use model::instrument::InstrumentIx;
use model::time::Interval;

pub use column::{Column, ColumnNames};
pub use error::{DataError, FaultClass};
pub use fault::{DataFault, FaultKind, Place};
pub use fingerprint::{Fingerprint, fingerprint};
pub use inspect::{Inspection, LISTED_FAULTS_MAX, inspect};
pub use parquet::row_count;

use column::Layout;
use series::Files;

/// What the time of a row names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeLabel {
    /// The open of the bar, as most vendors publish it; the bar is known one interval later.
    #[default]
    Open,
    /// The close of the bar.
    Close,
}

/// Unit of times that a file states as integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// Seconds since the epoch.
    S,
    /// Milliseconds since the epoch.
    Ms,
    /// Microseconds since the epoch; a part of a millisecond is cut off.
    Us,
    /// Nanoseconds since the epoch; a part of a millisecond is cut off.
    Ns,
}

impl TimeUnit {
    /// Milliseconds since the epoch; far outside every calendar where they do not fit.
    pub(crate) const fn to_millis(self, value: i64) -> i64 {
        match self {
            Self::S => value.saturating_mul(1_000),
            Self::Ms => value,
            Self::Us => value.div_euclid(1_000),
            Self::Ns => value.div_euclid(1_000_000),
        }
    }
}

/// What a hole between two rows of a series means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GapPolicy {
    /// A fault that ends the run.
    #[default]
    Error,
    /// No bar.
    Skip,
    /// A flagged bar without volume at the last close, which fills nothing.
    Synthetic,
}

/// Of which prices the bars of a series are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BarsOf {
    /// Prices of trades, with their volume.
    #[default]
    Trades,
    /// Mark prices, which have no volume: what a file states as such is not looked at.
    Mark,
}

/// The bars of one instrument: where they are and how to read them.
#[derive(Clone, Debug)]
pub struct SeriesSpec {
    /// Of which prices.
    pub of: BarsOf,
    /// Place of the instrument in the run's table.
    pub instrument: InstrumentIx,
    /// The instrument as people know it, such as `binance:spot:BTCUSDT`.
    pub name: String,
    /// `.parquet` or `.csv` files, concatenated in time.
    pub paths: Vec<PathBuf>,
    /// What the time of a row names.
    pub label: TimeLabel,
    /// Length of the files' bars.
    pub interval: Interval,
    /// Unit of integer times; `None` where the files state calendar times.
    pub time_unit: Option<TimeUnit>,
    /// Names of the columns, where they are not the usual ones.
    pub columns: ColumnNames,
    /// What a hole means.
    pub gaps: GapPolicy,
}

impl SeriesSpec {
    /// Milliseconds from the time of a row to the close of its bar.
    pub(crate) const fn close_after_label_ms(&self) -> i64 {
        match self.label {
            TimeLabel::Open => self.interval.millis(),
            TimeLabel::Close => 0,
        }
    }

    /// Its files.
    pub(crate) fn files(&self) -> Files<5> {
        Files {
            paths: self.paths.clone(),
            time_unit: self.time_unit,
            columns: self.columns.clone(),
            layout: Layout::bars(self.label, self.of == BarsOf::Trades),
        }
    }
}
