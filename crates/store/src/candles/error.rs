//! Why candle data cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use ::parquet::errors::ParquetError;
use model::time::{Interval, UtcMillis};

use super::SeriesSpec;
use super::column::Column;
use super::fault::{DataFault, Place};

/// Whose fault it is; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultClass {
    /// A file cannot be opened or read.
    Io,
    /// The content of a file is wrong.
    Content,
    /// The run asks for what the files do not cover.
    Coverage,
}

/// Why candle data cannot be used. Every variant ends the run.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum DataError {
    #[error("cannot open {path}", path = .path.display())]
    Open { path: PathBuf, source: io::Error },

    #[error("cannot read {path}", path = .path.display())]
    Read { path: PathBuf, source: io::Error },

    #[error("cannot start the reader thread")]
    Thread { source: io::Error },

    #[error("{path} is neither a .parquet nor a .csv file", path = .path.display())]
    UnknownFormat { path: PathBuf },

    #[error("{path} is not a sound Parquet file", path = .path.display())]
    Parquet { path: PathBuf, source: Box<ParquetError> },

    #[error("{path} is not a sound CSV file", path = .path.display())]
    Csv { path: PathBuf, line: Option<u64>, source: ::csv::Error },

    #[error("{path} has no column `{wanted}`", path = .path.display())]
    Column {
        path: PathBuf,
        column: Column,
        wanted: String,
        present: Vec<String>,
        nearest: Option<String>,
    },

    #[error("{path} has {times} columns `{name}`", path = .path.display())]
    ColumnAgain { path: PathBuf, column: Column, name: String, times: usize },

    #[error("{path}: a cell holds a line break", path = .path.display())]
    LineBreak { path: PathBuf, line: u64 },

    #[error("{path}: column `{name}` of type {found} cannot hold a {column}", path = .path.display())]
    ColumnType { path: PathBuf, column: Column, name: String, found: String },

    #[error("{path}: column `{name}` holds integers, whose unit is not stated", path = .path.display())]
    TimeUnit { path: PathBuf, name: String },

    #[error(transparent)]
    Fault(Box<DataFault>),

    #[error("{path} has no rows", path = .path.display())]
    EmptyFile { path: PathBuf },

    #[error("{name}: bars of {file} do not make up frames of {frame}")]
    Interval { name: String, path: PathBuf, file: Interval, frame: Interval },

    #[error("there is no frame from {} to {}", Edge(*.start, "the start"), Edge(*.end, "the end"))]
    EmptyWindow { start: Option<UtcMillis>, end: Option<UtcMillis> },

    #[error("no series has a bar from {start} to {}", Edge(*.end, "the end"))]
    Coverage {
        start: UtcMillis,
        end: Option<UtcMillis>,
        /// Time of the first row.
        first: Option<UtcMillis>,
        /// Time of the last row, unless there are rows behind the end.
        last: Option<UtcMillis>,
    },
}

/// One end of a window that may be open.
struct Edge(Option<UtcMillis>, &'static str);

impl std::fmt::Display for Edge {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(ts) => ts.fmt(formatter),
            None => write!(formatter, "{} of the data", self.1),
        }
    }
}

impl From<DataFault> for DataError {
    fn from(fault: DataFault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

impl DataError {
    pub(super) fn parquet(path: &Path, source: ParquetError) -> Self {
        let path = path.to_path_buf();
        let ParquetError::External(cause) = source else {
            return Self::Parquet { path, source: Box::new(source) };
        };
        let cause = match cause.downcast::<io::Error>() {
            // A file that ends too early is wrong; a disk that fails is not the file's fault.
            Ok(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                return Self::Read { path, source: *error };
            }
            Ok(error) => error,
            Err(cause) => cause,
        };
        let source = ParquetError::External(cause);
        Self::Parquet { path, source: Box::new(source) }
    }

    pub(super) fn csv(path: &Path, line: Option<u64>, source: ::csv::Error) -> Self {
        let path = path.to_path_buf();
        if source.is_io_error() {
            return Self::Read { path, source: source.into() };
        }
        Self::Csv { path, line, source }
    }

    /// Bars and frames of lengths that do not fit.
    pub(crate) fn interval(spec: &SeriesSpec, frame: Interval) -> Self {
        Self::Interval {
            name: spec.name.clone(),
            path: spec.paths.first().cloned().unwrap_or_default(),
            file: spec.interval,
            frame,
        }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "DATA-OPEN",
            Self::Read { .. } => "DATA-READ",
            Self::Thread { .. } => "DATA-THREAD",
            Self::UnknownFormat { .. }
            | Self::Parquet { .. }
            | Self::Csv { .. }
            | Self::LineBreak { .. } => "DATA-FORMAT",
            Self::Column { .. } | Self::ColumnAgain { .. } | Self::ColumnType { .. } => {
                "DATA-COLUMN"
            }
            Self::TimeUnit { .. } => "DATA-UNIT",
            Self::Fault(fault) => fault.kind.code(),
            Self::EmptyFile { .. } | Self::EmptyWindow { .. } => "DATA-EMPTY",
            Self::Interval { .. } => "DATA-INTERVAL",
            Self::Coverage { .. } => "DATA-COVERAGE",
        }
    }

    /// Whose fault it is.
    pub const fn class(&self) -> FaultClass {
        match self {
            Self::Open { .. } | Self::Read { .. } | Self::Thread { .. } => FaultClass::Io,
            Self::UnknownFormat { .. }
            | Self::Parquet { .. }
            | Self::Csv { .. }
            | Self::LineBreak { .. }
            | Self::Column { .. }
            | Self::ColumnAgain { .. }
            | Self::ColumnType { .. }
            | Self::TimeUnit { .. }
            | Self::Fault(_)
            | Self::EmptyFile { .. } => FaultClass::Content,
            Self::Interval { .. } | Self::EmptyWindow { .. } | Self::Coverage { .. } => {
                FaultClass::Coverage
            }
        }
    }

    /// The file at fault.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Open { path, .. }
            | Self::Read { path, .. }
            | Self::UnknownFormat { path }
            | Self::Parquet { path, .. }
            | Self::Csv { path, .. }
            | Self::LineBreak { path, .. }
            | Self::Column { path, .. }
            | Self::ColumnAgain { path, .. }
            | Self::ColumnType { path, .. }
            | Self::TimeUnit { path, .. }
            | Self::EmptyFile { path }
            | Self::Interval { path, .. } => Some(path),
            Self::Fault(fault) => Some(&fault.path),
            Self::Thread { .. } | Self::EmptyWindow { .. } | Self::Coverage { .. } => None,
        }
    }

    /// The fault of a row, with its place and values.
    pub fn fault(&self) -> Option<&DataFault> {
        if let Self::Fault(fault) = self { Some(fault) } else { None }
    }

    /// The row at fault.
    pub fn place(&self) -> Option<Place> {
        self.fault().map(|fault| fault.place)
    }

    /// The line at fault, for text files.
    pub fn line(&self) -> Option<u64> {
        if let Self::Csv { line, .. } = self {
            return *line;
        }
        if let Self::LineBreak { line, .. } = self {
            return Some(*line);
        }
        self.place()?.line
    }

    /// The column at fault.
    pub fn column(&self) -> Option<Column> {
        if let Self::Column { column, .. }
        | Self::ColumnAgain { column, .. }
        | Self::ColumnType { column, .. } = self
        {
            return Some(*column);
        }
        if let Self::TimeUnit { .. } = self {
            return Some(Column::Time);
        }
        self.fault()?.kind.column()
    }

    /// What was found.
    pub fn found(&self) -> Option<String> {
        match self {
            Self::Column { present, .. } => Some(format!("the columns {}", present.join(", "))),
            Self::ColumnAgain { times, .. } => Some(format!("{times} columns of one name")),
            Self::LineBreak { .. } => Some("a line break inside quotes".to_owned()),
            Self::ColumnType { found, .. } => Some(found.clone()),
            Self::TimeUnit { .. } => Some("integers".to_owned()),
            Self::Fault(fault) => Some(fault.kind.found()),
            Self::EmptyFile { .. } => Some("no rows".to_owned()),
            Self::Interval { file, .. } => Some(format!("bars of {file}")),
            Self::EmptyWindow { .. } => Some("no frame".to_owned()),
            Self::Coverage { first, last, .. } => Some(match (first, last) {
                (Some(first), Some(last)) => format!("rows from {first} to {last}"),
                (Some(first), None) => format!("rows from {first} on"),
                (None, _) => "no rows".to_owned(),
            }),
            Self::Open { .. }
            | Self::Read { .. }
            | Self::Thread { .. }
            | Self::UnknownFormat { .. }
            | Self::Parquet { .. }
            | Self::Csv { .. } => None,
        }
    }

    /// What was expected.
    pub fn expected(&self) -> Option<String> {
        match self {
            Self::UnknownFormat { .. } => Some("a file name ending in .parquet or .csv".to_owned()),
            Self::Parquet { .. } => Some("a complete Parquet file".to_owned()),
            Self::Csv { .. } => Some("as many cells in each line as in the header".to_owned()),
            Self::Column { wanted, .. } => Some(format!("a column `{wanted}`")),
            Self::ColumnAgain { name, .. } => Some(format!("one column `{name}`")),
            Self::LineBreak { .. } => Some("one row in each line".to_owned()),
            Self::ColumnType { column: Column::Time, .. } => {
                Some("a timestamp, a date or integers".to_owned())
            }
            Self::ColumnType { .. } => Some("numbers".to_owned()),
            Self::TimeUnit { .. } => Some("timestamps, or a stated unit".to_owned()),
            Self::Fault(fault) => Some(fault.kind.expected()),
            Self::EmptyFile { .. } => Some("at least one row".to_owned()),
            Self::Interval { frame, .. } => Some(format!("bars that divide {frame} evenly")),
            Self::EmptyWindow { .. } => Some("at least one frame".to_owned()),
            Self::Coverage { start, .. } => Some(format!("a bar that opens at or after {start}")),
            Self::Open { .. } | Self::Read { .. } | Self::Thread { .. } => None,
        }
    }

    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Column { present, .. } if present.len() == 1 && present[0].contains(';') => {
                Some("columns are separated by commas, not by semicolons".to_owned())
            }
            Self::Column { present, .. }
                if present.iter().any(|name| name.contains(char::REPLACEMENT_CHARACTER)) =>
            {
                Some("the file is not UTF-8 text: save it as UTF-8".to_owned())
            }
            Self::Column { nearest: Some(name), column, .. } => {
                Some(format!("columns = {{ {column} = \"{name}\" }} if that is the one"))
            }
            Self::ColumnAgain { column, .. } => Some(format!(
                "remove one of them, or name another: columns = {{ {column} = \"…\" }}"
            )),
            Self::LineBreak { .. } => {
                Some("a quote that is never closed takes in the lines below it".to_owned())
            }
            Self::Column { present, .. }
                if present.iter().all(|name| name.parse::<f64>().is_ok()) =>
            {
                Some("the first line must name the columns".to_owned())
            }
            Self::Column { column, .. } => {
                Some(format!("columns = {{ {column} = \"…\" }} names it"))
            }
            Self::TimeUnit { .. } => {
                Some("set time_unit = \"ms\" (or s, us, ns) for this file".to_owned())
            }
            Self::Fault(fault) => Some(fault.kind.hint().to_owned()),
            Self::Interval { .. } => {
                Some("choose a longer interval for the run, or finer candles".to_owned())
            }
            Self::EmptyWindow { .. } => Some("check start, end, warmup and align".to_owned()),
            Self::Coverage { .. } => Some("choose a start and an end within the data".to_owned()),
            Self::Parquet { .. } => Some("fetch the file again, it may be cut off".to_owned()),
            Self::UnknownFormat { .. } | Self::ColumnType { .. } => {
                Some("convert the file first".to_owned())
            }
            Self::Open { .. }
            | Self::Read { .. }
            | Self::Thread { .. }
            | Self::Csv { .. }
            | Self::EmptyFile { .. } => None,
        }
    }
}
