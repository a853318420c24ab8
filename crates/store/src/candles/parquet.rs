//! Rows of a Parquet file.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
use arrow_array::{Array, RecordBatch};
use arrow_schema::Fields;

use super::SeriesSpec;
use super::chunk::{CHUNK_ROWS, Chunk, NO_TIME, Oddity};
use super::column::{Column, locate};
use super::decode::{Decoder, NoTimes, null_places, numbers, times, without_nulls};
use super::error::DataError;

/// Key of the file's metadata that says whether it was generated.
const SYNTHETIC_KEY: &str = "tickdrain.synthetic";

/// A Parquet file, read from its first row on.
pub(super) struct ParquetSource {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    /// Places of the six columns in a batch.
    places: [usize; 6],
    time: Decoder<i64>,
    values: [Decoder<f64>; 5],
    next_row: u64,
    synthetic: bool,
}

impl ParquetSource {
    pub(super) fn open(path: &Path, file: File, spec: &SeriesSpec) -> Result<Self, DataError> {
        let fault = |source| DataError::parquet(path, source);
        let length =
            file.metadata().map_err(|source| DataError::parquet(path, source.into()))?.len();
        let builder =
            unpanicked(|| ParquetRecordBatchReaderBuilder::try_new(file)).map_err(fault)?;
        check_ranges(builder.metadata(), length).map_err(fault)?;
        let fields = builder.schema().fields().clone();
        let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        let roots = locate(spec, path, &names)?;
        let (time, values) = decoders(path, &fields, roots, spec)?;
        let synthetic =
            builder.metadata().file_metadata().key_value_metadata().is_some_and(|pairs| {
                pairs
                    .iter()
                    .any(|pair| pair.key == SYNTHETIC_KEY && pair.value.as_deref() == Some("true"))
            });
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let builder = builder.with_projection(mask).with_batch_size(CHUNK_ROWS);
        let reader = unpanicked(|| builder.build()).map_err(fault)?;
        // A batch has the projected columns in the order of the file.
        let places = roots.map(|root| {
            let mut before: Vec<usize> = roots.into_iter().filter(|other| *other < root).collect();
            before.sort_unstable();
            before.dedup();
            before.len()
        });
        Ok(Self { path: path.to_path_buf(), reader, places, time, values, next_row: 1, synthetic })
    }

    pub(super) const fn is_synthetic(&self) -> bool {
        self.synthetic
    }

    pub(super) fn next_chunk(&mut self) -> Result<Option<Chunk>, DataError> {
        let next = unpanicked(|| Ok(self.reader.next().transpose()?));
        let batch = next.map_err(|source| DataError::parquet(&self.path, source))?;
        let Some(batch) = batch else { return Ok(None) };
        let chunk = self.chunk(&batch);
        self.next_row += chunk.len() as u64;
        Ok(Some(chunk))
    }

    fn chunk(&self, batch: &RecordBatch) -> Chunk {
        let array = |column: usize| batch.column(self.places[column]);
        let (decode, scale) = self.time;
        let time = without_nulls(decode(array(0), scale), array(0), NO_TIME);
        let mut column = 0;
        let values = self.values.map(|(decode, scale)| {
            column += 1;
            without_nulls(decode(array(column), scale), array(column), f64::NAN)
        });
        let oddities = Column::ALL
            .into_iter()
            .enumerate()
            .filter(|(column, _)| array(*column).null_count() > 0)
            .flat_map(|(column, name)| {
                null_places(array(column)).map(move |at| Oddity { at, column: name, text: None })
            })
            .collect();
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

type Decoders = (Decoder<i64>, [Decoder<f64>; 5]);

fn decoders(
    path: &Path,
    fields: &Fields,
    roots: [usize; 6],
    spec: &SeriesSpec,
) -> Result<Decoders, DataError> {
    let wrong_type = |column: Column, root: usize| DataError::ColumnType {
        path: path.to_path_buf(),
        column,
        name: fields[root].name().clone(),
        found: fields[root].data_type().to_string(),
    };
    let [time_root, value_roots @ ..] = roots;
    let time =
        times(fields[time_root].data_type(), spec.time_unit).map_err(|fault| match fault {
            NoTimes::Type => wrong_type(Column::Time, time_root),
            NoTimes::UnitMissing => DataError::TimeUnit {
                path: path.to_path_buf(),
                name: fields[time_root].name().clone(),
            },
        })?;
    let decoder = |place: usize| {
        let root = value_roots[place];
        numbers(fields[root].data_type()).ok_or_else(|| wrong_type(Column::ALL[place + 1], root))
    };
    Ok((time, [decoder(0)?, decoder(1)?, decoder(2)?, decoder(3)?, decoder(4)?]))
}

/// Rows of a Parquet file, as its footer states them; `None` where there is no footer to ask.
pub fn row_count(path: &Path) -> Option<u64> {
    let reader = SerializedFileReader::new(File::open(path).ok()?).ok()?;
    u64::try_from(reader.metadata().file_metadata().num_rows()).ok()
}
