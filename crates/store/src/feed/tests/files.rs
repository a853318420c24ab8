//! Small candle files.

use std::fmt::Write as _;
use std::fs;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, TimestampMillisecondArray};
use model::instrument::InstrumentIx;
use model::time::UtcMillis;

use crate::candles::{BarsOf, ColumnNames, GapPolicy, SeriesSpec, TimeLabel};

/// A row: time in milliseconds, then open, high, low, close and volume; `None` is a null.
pub(super) type FileRow = (Option<i64>, [Option<f64>; 5]);

/// A format that candle files come in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    Csv,
    Parquet,
}

impl Format {
    pub(super) const ALL: [Self; 2] = [Self::Csv, Self::Parquet];

    /// Writes a file of bars.
    pub(super) fn write(
        self,
        folder: &Path,
        stem: &str,
        rows: &[FileRow],
        synthetic: bool,
    ) -> PathBuf {
        let names = ["open", "high", "low", "close", "volume"];
        self.write_table(folder, stem, names, rows, synthetic)
    }

    /// Writes a file of a time and columns of these names.
    pub(super) fn write_table<const N: usize>(
        self,
        folder: &Path,
        stem: &str,
        names: [&str; N],
        rows: &[(Option<i64>, [Option<f64>; N])],
        synthetic: bool,
    ) -> PathBuf {
        match self {
            Self::Csv => write_csv(&folder.join(format!("{stem}.csv")), names, rows),
            Self::Parquet => {
                write_parquet(&folder.join(format!("{stem}.parquet")), names, rows, synthetic)
            }
        }
    }
}

fn write_csv<const N: usize>(
    path: &Path,
    names: [&str; N],
    rows: &[(Option<i64>, [Option<f64>; N])],
) -> PathBuf {
    let mut text = format!("ts,{}\n", names.join(","));
    for (time, values) in rows {
        text += &time.map_or_else(String::new, |time| UtcMillis::new(time).to_string());
        for value in values {
            let cell = value.map_or_else(String::new, |value| value.to_string());
            write!(text, ",{cell}").unwrap();
        }
        text.push('\n');
    }
    write_text(path, &text)
}

fn write_parquet<const N: usize>(
    path: &Path,
    names: [&str; N],
    rows: &[(Option<i64>, [Option<f64>; N])],
    synthetic: bool,
) -> PathBuf {
    let times: TimestampMillisecondArray = rows.iter().map(|(time, _)| *time).collect();
    let mut columns = vec![("ts", Arc::new(times.with_timezone("UTC")) as ArrayRef)];
    for (place, name) in names.into_iter().enumerate() {
        let values: Float64Array = rows.iter().map(|(_, values)| values[place]).collect();
        columns.push((name, Arc::new(values)));
    }
    write_columns(path, columns, synthetic)
}

/// Writes a Parquet file of these columns in row groups of three rows.
pub(super) fn write_columns(
    path: &Path,
    columns: Vec<(&str, ArrayRef)>,
    synthetic: bool,
) -> PathBuf {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let said = KeyValue::new("tickdrain.synthetic".to_owned(), Some("true".to_owned()));
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(3))
        .set_key_value_metadata(synthetic.then(|| vec![said]))
        .build();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path.to_path_buf()
}

/// Writes a text file.
pub(super) fn write_text(path: &Path, text: &str) -> PathBuf {
    fs::write(path, text).unwrap();
    path.to_path_buf()
}

/// A series of one-minute candles that open at their times.
pub(super) fn minutes(name: &str, place: u16, paths: Vec<PathBuf>) -> SeriesSpec {
    SeriesSpec {
        of: BarsOf::Trades,
        instrument: InstrumentIx(place),
        name: name.to_owned(),
        paths,
        label: TimeLabel::Open,
        interval: "1m".parse().unwrap(),
        time_unit: None,
        columns: ColumnNames::default(),
        gaps: GapPolicy::Error,
    }
}
