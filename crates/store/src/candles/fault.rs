//! Faults of rows: what is wrong where, what was expected, and what to do about it.

use std::fmt;
use std::path::PathBuf;

use model::time::{Interval, UtcMillis};

use super::check::{PRICE_MAX, PRICE_MIN, VOLUME_MAX};
use super::column::Column;

/// Where a row is in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the data row, counted from 1; a header is no data row.
    pub row: u64,
    /// Number of the line, counted from 1, for text files.
    pub line: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "row {}", self.row)?;
        self.line.map_or(Ok(()), |line| write!(formatter, " (line {line})"))
    }
}

/// A row whose content is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFault {
    /// The file.
    pub path: PathBuf,
    /// The row; of two rows, the later one.
    pub place: Place,
    /// What is wrong.
    pub kind: FaultKind,
}

impl fmt::Display for DataFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.path.display(), self.place)?;
        if let Some(column) = self.kind.column() {
            write!(formatter, ", {column}")?;
        }
        write!(formatter, ": found {}, expected {}", self.kind.found(), self.kind.expected())
    }
}

impl std::error::Error for DataFault {}

/// What can be wrong with a row. Times are those that the file states.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// No value.
    Null {
        /// Where it is missing.
        column: Column,
    },
    /// A text that is no value of its column.
    Unreadable {
        /// Where it stands.
        column: Column,
        /// The text.
        text: String,
    },
    /// An integer where only a unit would make it a time.
    UnitMissing {
        /// The integer.
        text: String,
    },
    /// A time outside the years 1 to 9999.
    TimeRange {
        /// Milliseconds since the epoch.
        millis: i64,
    },
    /// A price that is not finite, not positive or beyond the bounds.
    Price {
        /// Which price.
        column: Column,
        /// Its value.
        found: f64,
    },
    /// A funding rate that is not finite, or one or more in either direction.
    Rate {
        /// Its value.
        found: f64,
    },
    /// A volume that is not finite, negative or beyond the bound.
    Volume {
        /// Its value.
        found: f64,
    },
    /// A high below a price of its bar, or a low above one.
    Range {
        /// High or low.
        column: Column,
        /// Its value.
        found: f64,
        /// The price beyond it.
        other_column: Column,
        /// The value of that price.
        other: f64,
    },
    /// A time before that of the row above.
    Order {
        /// Time of the row above.
        previous: UtcMillis,
        /// Time of this row.
        found: UtcMillis,
    },
    /// The same time and values as in the row above.
    Repeated {
        /// Time of both.
        ts: UtcMillis,
    },
    /// The same time as in the row above with other values.
    Conflict {
        /// Time of both.
        ts: UtcMillis,
        /// The first column that differs.
        column: Column,
        /// Value in the row above.
        previous: f64,
        /// Value in this row.
        found: f64,
    },
    /// Rows so close together that the stated interval must be wrong.
    Interval {
        /// Time of the row above.
        previous: UtcMillis,
        /// Time of this row.
        found: UtcMillis,
        /// The stated interval.
        interval: Interval,
    },
    /// Bars missing between two rows.
    Gap {
        /// Time of the row above.
        previous: UtcMillis,
        /// Time of this row.
        found: UtcMillis,
        /// The stated interval.
        interval: Interval,
        /// How many are missing within the window that is read.
        missing: u64,
    },
    /// Points missing between two rows.
    PointGap {
        /// Time of the row above.
        previous: UtcMillis,
        /// Time of this row.
        found: UtcMillis,
        /// The stated interval.
        interval: Interval,
        /// How many are missing within the window that is read.
        missing: u64,
    },
}

impl FaultKind {
    /// Stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Null { .. } => "DATA-NULL",
            Self::Unreadable { .. } => "DATA-VALUE",
            Self::UnitMissing { .. } => "DATA-UNIT",
            Self::TimeRange { .. } => "DATA-TIME",
            Self::Price { .. } => "DATA-PRICE",
            Self::Rate { .. } => "DATA-RATE",
            Self::Volume { .. } => "DATA-VOLUME",
            Self::Range { .. } => "DATA-RANGE",
            Self::Order { .. } => "DATA-ORDER",
            Self::Repeated { .. } => "DATA-REPEATED",
            Self::Conflict { .. } => "DATA-CONFLICT",
            Self::Interval { .. } => "DATA-INTERVAL",
            Self::Gap { .. } | Self::PointGap { .. } => "DATA-GAP",
        }
    }

    /// The column at fault; `None` where it is the whole row.
    pub const fn column(&self) -> Option<Column> {
        match self {
            Self::Null { column }
            | Self::Unreadable { column, .. }
            | Self::Price { column, .. }
            | Self::Range { column, .. }
            | Self::Conflict { column, .. } => Some(*column),
            Self::Rate { .. } => Some(Column::Rate),
            Self::Volume { .. } => Some(Column::Volume),
            Self::UnitMissing { .. }
            | Self::TimeRange { .. }
            | Self::Order { .. }
            | Self::Interval { .. }
            | Self::Gap { .. }
            | Self::PointGap { .. } => Some(Column::Time),
            Self::Repeated { .. } => None,
        }
    }

    /// What the file has; of two rows, both values.
    pub fn found(&self) -> String {
        match self {
            Self::Null { .. } => "no value".to_owned(),
            Self::Unreadable { text, .. } => format!("`{text}`"),
            Self::UnitMissing { text } => format!("the integer {text}"),
            Self::TimeRange { millis } => format!("{millis} ms since 1970"),
            Self::Price { found, .. } | Self::Rate { found } | Self::Volume { found } => {
                format!("{found}")
            }
            Self::Range { found, other_column, other, .. } => {
                format!("{found} with {other_column} {other}")
            }
            Self::Order { previous, found } | Self::Interval { previous, found, .. } => {
                format!("{found} after {previous}")
            }
            Self::Repeated { ts } => format!("{ts} again, all values equal"),
            Self::Conflict { ts, previous, found, .. } => {
                format!("{found} after {previous}, both at {ts}")
            }
            Self::Gap { previous, found, missing, .. }
            | Self::PointGap { previous, found, missing, .. } => {
                format!("{found} after {previous}, {missing} missing")
            }
        }
    }

    /// What a sound file would have there.
    pub fn expected(&self) -> String {
        match self {
            Self::Null { column } => format!("a {}", value_of(*column)),
            Self::Unreadable { column: Column::Time, .. } => {
                "a time such as 2024-01-31T12:00:00Z".to_owned()
            }
            Self::Unreadable { .. } => "a number".to_owned(),
            Self::UnitMissing { .. } => "a calendar time, or a stated unit".to_owned(),
            Self::TimeRange { .. } => "a time in the years 1 to 9999".to_owned(),
            Self::Price { found, .. } if *found > 0.0 && found.is_finite() => {
                format!("a price from {PRICE_MIN:e} to {PRICE_MAX:e}")
            }
            Self::Price { .. } => "a finite price above zero".to_owned(),
            Self::Rate { .. } => "a rate per interval, as a fraction between -1 and 1".to_owned(),
            Self::Volume { found } if *found > 0.0 && found.is_finite() => {
                format!("a volume of up to {VOLUME_MAX:e}")
            }
            Self::Volume { .. } => "a finite volume of zero or more".to_owned(),
            Self::Range { column: Column::High, .. } => {
                "a high not below the other prices".to_owned()
            }
            Self::Range { .. } => "a low not above the other prices".to_owned(),
            Self::Order { .. } => "times that increase from row to row".to_owned(),
            Self::Repeated { .. } | Self::Conflict { .. } => "one row per time".to_owned(),
            Self::Interval { interval, .. } => format!("rows {interval} apart"),
            Self::Gap { previous, interval, .. } => format!("{}", previous.after(*interval)),
            Self::PointGap { interval, .. } => {
                format!("rows no more than one and a half times {interval} apart")
            }
        }
    }

    /// What a user can do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Null { .. }
            | Self::Unreadable { .. }
            | Self::Price { .. }
            | Self::Rate { .. }
            | Self::Volume { .. }
            | Self::Range { .. } => "correct or remove the row at its source",
            Self::UnitMissing { .. } => "set time_unit = \"ms\" (or s, us, ns) for this file",
            Self::TimeRange { .. } => "time_unit is probably wrong for this file",
            Self::Order { .. } => "sort the file by time",
            Self::Repeated { .. } => "remove the repeated row",
            Self::Conflict { .. } => "decide which of the rows is true and remove the other",
            Self::Interval { .. } => "interval (or time_unit) is probably wrong for this file",
            Self::PointGap { .. } => "gaps = \"skip\" accepts the hole, if interval is right",
            Self::Gap { .. } => {
                "gaps = \"skip\" leaves the bars out, gaps = \"synthetic\" repeats the last close"
            }
        }
    }
}

const fn value_of(column: Column) -> &'static str {
    match column {
        Column::Time => "time",
        Column::Volume => "volume",
        Column::Rate => "rate",
        Column::Open
        | Column::High
        | Column::Low
        | Column::Close
        | Column::MarkPrice
        | Column::Price => "price",
    }
}
