//! Rows of a Parquet file.

use std::fs::File;
use std::path::{Path, PathBuf};

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::ParquetMetaDataReader;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::Fields;

use super::chunk::{CHUNK_ROWS, Chunk, NO_TIME, Oddity};
use super::claims::{CheckedFile, check_footer};
use super::column::{Column, Layout, Places};
use super::decode::{Decoder, NoTimes, null_places, numbers, times, without_nulls};
use super::error::DataError;
use super::series::Files;
use crate::unpanicked;

/// Key of the file's metadata that says whether it was generated.
const SYNTHETIC_KEY: &str = "tickdrain.synthetic";

/// A Parquet file, read from its first row on.
pub(super) struct ParquetSource<const N: usize> {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    /// Places of the columns in a batch.
    places: Places<N>,
    time: Decoder<i64>,
    /// Those of the columns that are there.
    values: [Option<Decoder<f64>>; N],
    columns: [Column; N],
    next_row: u64,
    synthetic: bool,
}

impl<const N: usize> ParquetSource<N> {
    pub(super) fn open(path: &Path, file: File, files: &Files<N>) -> Result<Self, DataError> {
        let fault = |source| DataError::parquet(path, source);
        let metadata = unpanicked(|| {
            check_footer(&file)?;
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::default())
        });
        let metadata = metadata.map_err(fault)?;
        let file = CheckedFile::new(file, metadata.metadata()).map_err(fault)?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
        let fields = builder.schema().fields().clone();
        let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        let roots = Places::locate(&files.layout, &files.columns, path, &names)?;
        let (time, values) = decoders(path, &fields, &roots, files)?;
        let synthetic =
            builder.metadata().file_metadata().key_value_metadata().is_some_and(|pairs| {
                pairs
                    .iter()
                    .any(|pair| pair.key == SYNTHETIC_KEY && pair.value.as_deref() == Some("true"))
            });
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots.read());
        let builder = builder.with_projection(mask).with_batch_size(CHUNK_ROWS);
        let reader = unpanicked(|| builder.build()).map_err(fault)?;
        // A batch has the projected columns in the order of the file.
        let place = |root: usize| {
            let mut before: Vec<usize> = roots.read().filter(|other| *other < root).collect();
            before.sort_unstable();
            before.dedup();
            before.len()
        };
        let places =
            Places { time: place(roots.time), values: roots.values.map(|root| root.map(place)) };
        let columns = files.layout.values.map(|value| value.column);
        let path = path.to_path_buf();
        Ok(Self { path, reader, places, time, values, columns, next_row: 1, synthetic })
    }

    pub(super) const fn is_synthetic(&self) -> bool {
        self.synthetic
    }

    pub(super) fn next_chunk(&mut self) -> Result<Option<Chunk<N>>, DataError> {
        let next = unpanicked(|| Ok(self.reader.next().transpose()?));
        let batch = next.map_err(|source| DataError::parquet(&self.path, source))?;
        let Some(batch) = batch else { return Ok(None) };
        let chunk = self.chunk(&batch);
        self.next_row += chunk.len() as u64;
        Ok(Some(chunk))
    }

    fn chunk(&self, batch: &RecordBatch) -> Chunk<N> {
        let times = batch.column(self.places.time);
        let (decode, scale) = self.time;
        let time = without_nulls(decode(times, scale), times, NO_TIME);
        let mut oddities = Vec::new();
        let mut note_nulls = |array: &ArrayRef, column| {
            if array.null_count() > 0 {
                oddities.extend(null_places(array).map(|at| Oddity { at, column, text: None }));
            }
        };
        note_nulls(times, Column::Time);
        let mut columns = self.places.values.iter().zip(self.values).zip(self.columns);
        let values = [(); N].map(|()| {
            let ((place, decoder), column) = columns.next().expect("as many as there are values");
            match (place, decoder) {
                (Ok(place), Some((decode, scale))) => {
                    let array = batch.column(*place);
                    note_nulls(array, column);
                    without_nulls(decode(array, scale), array, f64::NAN)
                }
                (Ok(_), None) => unreachable!("a column that is there has a decoder"),
                (Err(absent), _) => vec![*absent; batch.num_rows()].into(),
            }
        });
        // They come column by column.
        oddities.sort_by_key(|oddity| oddity.at);
        Chunk { first_row: self.next_row, lines: Vec::new(), time, values, oddities }
    }
}

/// Reads with the library; see [`unpanicked::unpanicked`].
fn unpanicked<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    unpanicked::unpanicked(read, ParquetError::General)
}

type Decoders<const N: usize> = (Decoder<i64>, [Option<Decoder<f64>>; N]);

fn decoders<const N: usize>(
    path: &Path,
    fields: &Fields,
    roots: &Places<N>,
    files: &Files<N>,
) -> Result<Decoders<N>, DataError> {
    let wrong_type = |column: Column, root: usize| DataError::ColumnType {
        path: path.to_path_buf(),
        column,
        name: fields[root].name().clone(),
        found: fields[root].data_type().to_string(),
    };
    let time =
        times(fields[roots.time].data_type(), files.time_unit).map_err(|fault| match fault {
            NoTimes::Type => wrong_type(Column::Time, roots.time),
            NoTimes::UnitMissing => DataError::TimeUnit {
                path: path.to_path_buf(),
                name: fields[roots.time].name().clone(),
            },
        })?;
    let Layout { values: wanted, .. } = files.layout;
    let mut values = [None; N];
    for ((decoder, root), wanted) in values.iter_mut().zip(roots.values).zip(wanted) {
        if let Ok(root) = root {
            let found = numbers(fields[root].data_type());
            *decoder = Some(found.ok_or_else(|| wrong_type(wanted.column, root))?);
        }
    }
    Ok((time, values))
}

/// Rows of a Parquet file, as its footer states them; `None` where there is no footer to ask.
pub fn row_count(path: &Path) -> Option<u64> {
    let file = File::open(path).ok()?;
    let metadata = unpanicked(|| {
        check_footer(&file)?;
        ParquetMetaDataReader::new().parse_and_finish(&file)
    });
    u64::try_from(metadata.ok()?.file_metadata().num_rows()).ok()
}
