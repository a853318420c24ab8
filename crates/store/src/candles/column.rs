//! Columns of data files and the names under which vendors publish them.

use std::fmt;
use std::path::Path;

use model::nearest::nearest;

use super::TimeLabel;
use super::error::DataError;

/// A column that a data file may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Open or close of the bar; the instant of an event.
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
    /// Rate of a funding event.
    Rate,
    /// Mark price at a funding event.
    MarkPrice,
    /// Price of a series that is nobody's market.
    Price,
}

impl Column {
    /// The name as it stands in a run file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
            Self::Volume => "volume",
            Self::Rate => "rate",
            Self::MarkPrice => "mark_price",
            Self::Price => "price",
        }
    }
}

/// Usual names of a column, normalised, the preferred ones first.
type Aliases = &'static [&'static str];

/// A column of numbers that the rows of a kind have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueColumn {
    pub(crate) column: Column,
    aliases: Aliases,
    /// What stands in each row of a file that lacks the column; `None` if it must not.
    absent: Option<f64>,
}

const fn required(column: Column, aliases: Aliases) -> ValueColumn {
    ValueColumn { column, aliases, absent: None }
}

/// What the rows of a kind of file hold: a time and `N` numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout<const N: usize> {
    time: Aliases,
    pub(crate) values: [ValueColumn; N],
}

const OPEN: ValueColumn = required(Column::Open, &["open", "o", "open_price", "1._open"]);
const HIGH: ValueColumn = required(Column::High, &["high", "h", "high_price", "2._high"]);
const LOW: ValueColumn = required(Column::Low, &["low", "l", "low_price", "3._low"]);
const CLOSE: ValueColumn = required(Column::Close, &["close", "c", "close_price", "4._close"]);
const VOLUME: ValueColumn =
    required(Column::Volume, &["volume", "v", "vol", "base_volume", "volume_base", "5._volume"]);
/// Mark prices are not traded: what a file has under that name is not looked at.
const NO_VOLUME: ValueColumn =
    ValueColumn { column: Column::Volume, aliases: &[], absent: Some(0.0) };

// A column that names the other end of the bar is no candidate: it would shift all bars.
const OPEN_TIMES: Aliases =
    &["ts", "time", "timestamp", "open_time", "opentime", "datetime", "date", "ts_event"];
const CLOSE_TIMES: Aliases =
    &["ts", "time", "timestamp", "close_time", "closetime", "datetime", "date", "ts_event"];

impl Layout<5> {
    /// Bars: open, high, low, close and volume.
    pub(crate) const fn bars(label: TimeLabel, has_volume: bool) -> Self {
        let time = match label {
            TimeLabel::Open => OPEN_TIMES,
            TimeLabel::Close => CLOSE_TIMES,
        };
        let volume = if has_volume { VOLUME } else { NO_VOLUME };
        Self { time, values: [OPEN, HIGH, LOW, CLOSE, volume] }
    }
}

impl Layout<2> {
    /// Funding events: the rate, and the mark price of those that have one.
    pub(crate) const FUNDING: Self = Self {
        time: &[
            "ts",
            "time",
            "timestamp",
            "funding_time",
            "fundingtime",
            "calc_time",
            "datetime",
            "date",
            "ts_event",
        ],
        values: [
            required(
                Column::Rate,
                &["rate", "funding_rate", "fundingrate", "last_funding_rate", "lastfundingrate"],
            ),
            ValueColumn {
                column: Column::MarkPrice,
                aliases: &["mark_price", "markprice", "mark"],
                absent: Some(f64::NAN),
            },
        ],
    };

    /// Prices: one, and nothing beside it.
    pub(crate) const PRICES: Self = Self {
        time: &["ts", "time", "timestamp", "datetime", "date", "ts_event"],
        values: [
            required(Column::Price, &["price", "value", "close", "rate"]),
            ValueColumn { column: Column::MarkPrice, aliases: &[], absent: Some(f64::NAN) },
        ],
    };
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
    /// Name of the column of funding rates.
    pub rate: Option<String>,
    /// Name of the column of mark prices at funding events.
    pub mark_price: Option<String>,
    /// Name of the column of prices.
    pub price: Option<String>,
}

impl ColumnNames {
    /// The name of the column that a run file calls `key`.
    ///
    /// # Panics
    ///
    /// If no column is called so.
    pub fn of_mut(&mut self, key: &str) -> &mut Option<String> {
        match key {
            "time" => &mut self.time,
            "open" => &mut self.open,
            "high" => &mut self.high,
            "low" => &mut self.low,
            "close" => &mut self.close,
            "volume" => &mut self.volume,
            "rate" => &mut self.rate,
            "mark_price" => &mut self.mark_price,
            "price" => &mut self.price,
            _ => panic!("no column is called {key}"),
        }
    }

    fn stated(&self, column: Column) -> Option<&str> {
        let name = match column {
            Column::Time => &self.time,
            Column::Open => &self.open,
            Column::High => &self.high,
            Column::Low => &self.low,
            Column::Close => &self.close,
            Column::Volume => &self.volume,
            Column::Rate => &self.rate,
            Column::MarkPrice => &self.mark_price,
            Column::Price => &self.price,
        };
        name.as_deref()
    }
}

fn normal(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

/// Places of the columns among those that a file has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places<const N: usize> {
    pub(super) time: usize,
    /// A place, or what stands for the values of a column that is not there.
    pub(super) values: [Result<usize, f64>; N],
}

impl<const N: usize> Places<N> {
    /// Finds the columns of `layout` among the names that a file has.
    pub(super) fn locate(
        layout: &Layout<N>,
        names: &ColumnNames,
        path: &Path,
        present: &[String],
    ) -> Result<Self, DataError> {
        let finder = Finder { names, path, present };
        // pandas writes an index without a name as an unnamed first column.
        let unnamed = ["", "unnamed:_0", "__index_level_0__", "index"];
        let first = present.first().filter(|name| unnamed.contains(&normal(name).as_str()));
        let index = first.filter(|_| names.time.is_none()).map(|_| 0);
        let time = finder.find(Column::Time, layout.time)?.or(index);
        let time = time.ok_or_else(|| finder.missing(Column::Time))?;
        let mut values = [Ok(0); N];
        for (place, wanted) in values.iter_mut().zip(&layout.values) {
            *place = match (finder.find(wanted.column, wanted.aliases)?, wanted.absent) {
                (Some(found), _) => Ok(found),
                (None, Some(absent)) if names.stated(wanted.column).is_none() => Err(absent),
                (None, _) => return Err(finder.missing(wanted.column)),
            };
        }
        Ok(Self { time, values })
    }

    /// The places that are read, the time's first.
    pub(super) fn read(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.time).chain(self.values.iter().filter_map(|place| place.ok()))
    }
}

/// Looks for columns in one file.
struct Finder<'a> {
    names: &'a ColumnNames,
    path: &'a Path,
    present: &'a [String],
}

impl Finder<'_> {
    fn find(&self, column: Column, aliases: Aliases) -> Result<Option<usize>, DataError> {
        let found = match self.names.stated(column) {
            Some(stated) => self.place(stated),
            None => aliases.iter().copied().find_map(|alias| self.place(alias)),
        };
        let Some(place) = found else { return Ok(None) };
        let name = &self.present[place];
        let times = self.present.iter().filter(|other| *other == name).count();
        if times > 1 {
            let (path, name) = (self.path.to_path_buf(), name.clone());
            return Err(DataError::ColumnAgain { path, column, name, times });
        }
        Ok(Some(place))
    }

    fn place(&self, wanted: &str) -> Option<usize> {
        self.present
            .iter()
            .position(|name| name == wanted)
            .or_else(|| self.present.iter().position(|name| normal(name) == normal(wanted)))
    }

    fn missing(&self, column: Column) -> DataError {
        let wanted = self.names.stated(column).unwrap_or(column.name());
        // An alias that is taken by another column would only mislead.
        let nearest = nearest(wanted, self.present.iter().map(String::as_str)).map(str::to_owned);
        DataError::Column {
            path: self.path.to_path_buf(),
            column,
            wanted: wanted.to_owned(),
            present: self.present.to_vec(),
            nearest,
        }
    }
}
