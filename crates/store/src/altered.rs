//! Altered data: a series written anew, changed from some instant on.
//!
//! What asks "what if?" of a run needs files, not frames: a strategy may read the very files that the
//! run names, and has to find the altered ones there.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, TimestampMillisecondArray};
use arrow_schema::{DataType, SchemaRef};
use model::time::UtcMillis;
use parquet::arrow::ArrowWriter;

use crate::candles::series::{Files, SeriesReader};
use crate::candles::{DataError, SeriesSpec};
use crate::columns::{schema, timestamp};
use crate::error::FolderError;
use crate::points::{PointSpec, PointsOf};

/// Why a series cannot be written anew.
#[derive(Debug, thiserror::Error)]
pub enum AlterError {
    /// It cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),

    /// It cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// Writes the bars of a series to one file, CSV if it is called so, else Parquet; `alter` gets the instant at which a bar is known and its
/// open, high, low, close and volume.
///
/// # Errors
///
/// A file cannot be read or written.
pub fn alter_bars(
    spec: &SeriesSpec,
    path: &Path,
    mut alter: impl FnMut(UtcMillis, &mut [f64; 5]),
) -> Result<(), AlterError> {
    let known_after = spec.close_after_label_ms();
    let names = ["open", "high", "low", "close", "volume"];
    let alter =
        |time: i64, values: &mut [f64; 5]| alter(UtcMillis::new(time + known_after), values);
    rewrite(spec.files(), &names, path, alter)
}

/// Writes the points of a series to one file, as [`alter_bars`] does; `alter` gets the instant of a point and its value, and
/// for funding the mark price, which is no number where the file has none.
///
/// # Errors
///
/// A file cannot be read or written.
pub fn alter_points(
    spec: &PointSpec,
    path: &Path,
    mut alter: impl FnMut(UtcMillis, &mut [f64; 2]),
) -> Result<(), AlterError> {
    let names: &[&str] = match spec.of {
        PointsOf::Funding(_) => &["rate", "mark_price"],
        PointsOf::Price(_) => &["price"],
    };
    rewrite(spec.files(), names, path, |time, values| alter(UtcMillis::new(time), values))
}

fn rewrite<const N: usize>(
    files: Files<N>,
    names: &[&str],
    path: &Path,
    mut alter: impl FnMut(i64, &mut [f64; N]),
) -> Result<(), AlterError> {
    let is_text = path.extension().is_some_and(|extension| extension == "csv");
    let mut sink = if is_text { Sink::csv(path, names) } else { Sink::parquet(path, names) }?;
    let mut reader = SeriesReader::open(files)?;
    while let Some(chunk) = reader.next_chunk()? {
        let mut columns: [Vec<f64>; N] = [const { Vec::new() }; N];
        for at in 0..chunk.len() {
            let mut row = std::array::from_fn(|column| chunk.values[column][at]);
            alter(chunk.time[at], &mut row);
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
        sink.write(path, &chunk.time, &columns[..names.len()])?;
    }
    sink.close(path)
}

/// A file of the same format as the one that it stands in for: whoever reads that can read this.
enum Sink {
    Parquet(Box<ArrowWriter<File>>, SchemaRef),
    Csv(Box<csv::Writer<File>>),
}

impl Sink {
    fn parquet(path: &Path, names: &[&str]) -> Result<Self, AlterError> {
        let columns: Vec<String> = names.iter().map(|name| format!("{name}?")).collect();
        let columns = columns.iter().map(|name| (name.as_str(), DataType::Float64));
        let all: Vec<_> = std::iter::once(("ts", timestamp())).chain(columns).collect();
        let schema = schema(&all);
        let file = File::create(path).map_err(FolderError::create(path))?;
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), None);
        let writer = writer.map_err(FolderError::parquet(path))?;
        Ok(Self::Parquet(Box::new(writer), schema))
    }

    fn csv(path: &Path, names: &[&str]) -> Result<Self, AlterError> {
        let file = File::create(path).map_err(FolderError::create(path))?;
        let mut writer = csv::Writer::from_writer(file);
        let header = std::iter::once("ts").chain(names.iter().copied());
        writer.write_record(header).map_err(|error| unwritten(path, error))?;
        Ok(Self::Csv(Box::new(writer)))
    }

    /// Writes rows; a value that is no number is an empty cell.
    fn write(
        &mut self,
        path: &Path,
        times: &[i64],
        columns: &[Vec<f64>],
    ) -> Result<(), AlterError> {
        match self {
            Self::Parquet(writer, schema) => {
                let times = TimestampMillisecondArray::from(times.to_vec()).with_timezone("UTC");
                let floats = columns.iter().map(|column| {
                    let cells = column.iter().map(|value| (!value.is_nan()).then_some(*value));
                    Arc::new(cells.collect::<Float64Array>()) as ArrayRef
                });
                let arrays = std::iter::once(Arc::new(times) as ArrayRef).chain(floats).collect();
                let batch = RecordBatch::try_new(Arc::clone(schema), arrays);
                let batch = batch.map_err(FolderError::encode(path))?;
                writer.write(&batch).map_err(FolderError::parquet(path))?;
            }
            Self::Csv(writer) => {
                for (at, time) in times.iter().enumerate() {
                    let cells = columns.iter().map(|column| match column[at] {
                        value if value.is_nan() => String::new(),
                        value => value.to_string(),
                    });
                    let time = UtcMillis::new(*time).to_string();
                    let row = std::iter::once(time).chain(cells);
                    writer.write_record(row).map_err(|error| unwritten(path, error))?;
                }
            }
        }
        Ok(())
    }

    fn close(self, path: &Path) -> Result<(), AlterError> {
        match self {
            Self::Parquet(writer, _) => {
                writer.close().map_err(FolderError::parquet(path))?;
            }
            Self::Csv(mut writer) => writer.flush().map_err(FolderError::write(path))?,
        }
        Ok(())
    }
}

fn unwritten(path: &Path, error: csv::Error) -> FolderError {
    FolderError::write(path)(error.into())
}
