//! Files of points: funding events and prices, each with an instant of its own and no length.

mod check;
mod inspect;

use std::path::PathBuf;

use model::instrument::{InstrumentIx, SeriesIx};
use model::time::Interval;

use crate::candles::column::Layout;
use crate::candles::series::Files;
use crate::candles::{ColumnNames, GapPolicy, TimeUnit};

pub(crate) use check::{PointRow, gap_fault, missing_between, value_faults};
pub use inspect::inspect_points;

/// What the points of a series are, and of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointsOf {
    /// Funding events of a perpetual.
    Funding(InstrumentIx),
    /// Prices of a series that is nobody's market.
    Price(SeriesIx),
}

/// The points of one series: where they are and how to read them.
#[derive(Clone, Debug)]
pub struct PointSpec {
    /// What they are.
    pub of: PointsOf,
    /// The series as people know it, such as `binance:perp:BTCUSDT funding`.
    pub name: String,
    /// `.parquet` or `.csv` files, concatenated in time.
    pub paths: Vec<PathBuf>,
    /// Longest usual distance between two points, which may lie closer together; `None` where
    /// there is none, so that nothing is ever missing.
    pub interval: Option<Interval>,
    /// Unit of integer times; `None` where the files state calendar times.
    pub time_unit: Option<TimeUnit>,
    /// Names of the columns, where they are not the usual ones.
    pub columns: ColumnNames,
    /// What a hole means: a fault under [`GapPolicy::Error`], else nothing; no point is made up.
    pub gaps: GapPolicy,
}

impl PointSpec {
    /// Its files.
    pub(crate) fn files(&self) -> Files<2> {
        Files {
            paths: self.paths.clone(),
            time_unit: self.time_unit,
            columns: self.columns.clone(),
            layout: match self.of {
                PointsOf::Funding(_) => Layout::FUNDING,
                PointsOf::Price(_) => Layout::PRICES,
            },
        }
    }
}
