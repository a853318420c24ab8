//! Columns of a candle file and the names under which vendors publish them.

use std::fmt;
use std::path::Path;

use model::nearest::nearest;

use super::error::DataError;
use super::{SeriesSpec, TimeLabel};

/// A column that every candle file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Open or close of the bar.
    Time,
    /// First price.
    Open,
    /// Highest price.
    High,
    /// Lowest price.
    Low,
    /// Last price.
    Close,
    /// Base units traded.
    Volume,
}

impl Column {
    /// All columns, in the order in which readers keep them.
    pub const ALL: [Self; 6] =
        [Self::Time, Self::Open, Self::High, Self::Low, Self::Close, Self::Volume];

    /// The name as it stands in a run file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
            Self::Volume => "volume",
        }
    }

    /// Usual names, normalised, the preferred ones first.
    const fn aliases(self, label: TimeLabel) -> &'static [&'static str] {
        match self {
            // A column that names the other end of the bar is no candidate: it would shift all bars.
            Self::Time => match label {
                TimeLabel::Open => &[
                    "ts",
                    "time",
                    "timestamp",
                    "open_time",
                    "opentime",
                    "datetime",
                    "date",
                    "ts_event",
                ],
                TimeLabel::Close => &[
                    "ts",
                    "time",
                    "timestamp",
                    "close_time",
                    "closetime",
                    "datetime",
                    "date",
                    "ts_event",
                ],
            },
            Self::Open => &["open", "o", "open_price", "1._open"],
            Self::High => &["high", "h", "high_price", "2._high"],
            Self::Low => &["low", "l", "low_price", "3._low"],
            Self::Close => &["close", "c", "close_price", "4._close"],
            Self::Volume => &["volume", "v", "vol", "base_volume", "volume_base", "5._volume"],
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Names of columns that a run file states because the usual ones do not fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnNames {
    /// Name of the time column.
    pub time: Option<String>,
    /// Name of the column of first prices.
    pub open: Option<String>,
    /// Name of the column of highest prices.
    pub high: Option<String>,
    /// Name of the column of lowest prices.
    pub low: Option<String>,
    /// Name of the column of last prices.
    pub close: Option<String>,
    /// Name of the column of volumes.
    pub volume: Option<String>,
}

impl ColumnNames {
    fn stated(&self, column: Column) -> Option<&str> {
        let name = match column {
            Column::Time => &self.time,
            Column::Open => &self.open,
            Column::High => &self.high,
            Column::Low => &self.low,
            Column::Close => &self.close,
            Column::Volume => &self.volume,
        };
        name.as_deref()
    }
}

fn normal(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

/// Places of the six columns among the names that a file has.
pub(super) fn locate(
    spec: &SeriesSpec,
    path: &Path,
    present: &[String],
) -> Result<[usize; 6], DataError> {
    let mut places = [0; 6];
    for (place, column) in places.iter_mut().zip(Column::ALL) {
        *place = find(spec, column, present).ok_or_else(|| {
            let wanted = spec.columns.stated(column).unwrap_or(column.name());
            // An alias that is taken by another column would only mislead.
            let nearest = nearest(wanted, present.iter().map(String::as_str)).map(str::to_owned);
            DataError::Column {
                path: path.to_path_buf(),
                column,
                wanted: wanted.to_owned(),
                present: present.to_vec(),
                nearest,
            }
        })?;
        let name = &present[*place];
        let times = present.iter().filter(|other| *other == name).count();
        if times > 1 {
            let (path, name) = (path.to_path_buf(), name.clone());
            return Err(DataError::ColumnAgain { path, column, name, times });
        }
    }
    Ok(places)
}

fn find(spec: &SeriesSpec, column: Column, present: &[String]) -> Option<usize> {
    let place = |wanted: &str| {
        present
            .iter()
            .position(|name| name == wanted)
            .or_else(|| present.iter().position(|name| normal(name) == normal(wanted)))
    };
    if let Some(stated) = spec.columns.stated(column) {
        return place(stated);
    }
    column.aliases(spec.label).iter().copied().find_map(place).or_else(|| {
        // pandas writes an index without a name as an unnamed first column.
        let first = normal(present.first()?);
        let unnamed = ["", "unnamed:_0", "__index_level_0__", "index"].contains(&first.as_str());
        (column == Column::Time && unnamed).then_some(0)
    })
}
