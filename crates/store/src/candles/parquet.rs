//! Rows of a Parquet file.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::Fields;

use super::chunk::{CHUNK_ROWS, Chunk, NO_TIME, Oddity};
use super::column::{Column, Layout, Places};
use super::decode::{Decoder, NoTimes, null_places, numbers, times, without_nulls};
use super::error::DataError;
use super::series::Files;

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
        let length =
            file.metadata().map_err(|source| DataError::parquet(path, source.into()))?.len();
        let builder =
            unpanicked(|| ParquetRecordBatchReaderBuilder::try_new(file)).map_err(fault)?;
        check_ranges(builder.metadata(), length).map_err(fault)?;
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
        Chunk { first_row: self.next_row, lines: Vec::new(), time, values, oddities }
    }
}

/// Turns a panic over bytes that no writer would have left there into an error.
///
/// The library checks what it reads in most places and asserts it in some.
fn unpanicked<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("its bytes make no sense");
        Err(ParquetError::General(message.to_owned()))
    })
}

/// Checks what the library would assert, and print, about the places of the columns.
fn check_ranges(metadata: &ParquetMetaData, length: u64) -> Result<(), ParquetError> {
    let within = |offset: i64, size: i64| {
        let range = u64::try_from(offset).ok().zip(u64::try_from(size).ok());
        range.and_then(|(offset, size)| offset.checked_add(size)).is_some_and(|end| end <= length)
    };
    for column in metadata.row_groups().iter().flat_map(RowGroupMetaData::columns) {
        let offset = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        if !within(offset, column.compressed_size()) || column.num_values() < 0 {
            let name = column.column_path().string();
            return Err(ParquetError::General(format!("column {name} lies outside the file")));
        }
    }
    Ok(())
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
    let reader = SerializedFileReader::new(File::open(path).ok()?).ok()?;
    u64::try_from(reader.metadata().file_metadata().num_rows()).ok()
}
