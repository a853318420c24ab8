//! Rows of a CSV file.

use std::fs::File;
use std::path::{Path, PathBuf};

use ::csv::{ByteRecord, Reader, ReaderBuilder};
use model::time::UtcMillis;

use super::chunk::{CHUNK_ROWS, Chunk, NO_TIME, Oddity};
use super::column::{Column, locate};
use super::error::DataError;
use super::{SeriesSpec, TimeUnit};

/// Bytes read at a time.
const BUFFER_BYTES: usize = 1 << 16;

/// Cells that mean "no value".
const NULLS: [&str; 6] = ["", "null", "NULL", "NA", "N/A", "None"];

/// A CSV file with a header, read from its first row on.
pub(super) struct CsvSource {
    path: PathBuf,
    reader: Reader<File>,
    record: ByteRecord,
    places: [usize; 6],
    unit: Option<TimeUnit>,
    next_row: u64,
    /// What ended the file early; told after the rows above it.
    failed: Option<DataError>,
}

impl CsvSource {
    pub(super) fn open(path: &Path, file: File, spec: &SeriesSpec) -> Result<Self, DataError> {
        let mut reader = ReaderBuilder::new().buffer_capacity(BUFFER_BYTES).from_reader(file);
        let header = reader.byte_headers().map_err(|source| DataError::csv(path, source))?;
        let names: Vec<String> = header
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').to_owned())
            .collect();
        if names.is_empty() {
            return Err(DataError::EmptyFile { path: path.to_path_buf() });
        }
        let places = locate(spec, path, &names)?;
        let record = ByteRecord::new();
        Ok(Self {
            path: path.to_path_buf(),
            reader,
            record,
            places,
            unit: spec.time_unit,
            next_row: 1,
            failed: None,
        })
    }

    pub(super) fn next_chunk(&mut self) -> Result<Option<Chunk>, DataError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut lines = Vec::with_capacity(CHUNK_ROWS);
        let mut time = Vec::with_capacity(CHUNK_ROWS);
        let mut values = [(); 5].map(|()| Vec::with_capacity(CHUNK_ROWS));
        let mut oddities = Vec::new();
        while time.len() < CHUNK_ROWS {
            match self.reader.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(source) => {
                    self.failed = Some(DataError::csv(&self.path, source));
                    break;
                }
            }
            let at = time.len();
            let mut odd = |column, text: &str| {
                let text = (!NULLS.contains(&text)).then(|| text.to_owned());
                oddities.push(Oddity { at, column, text });
            };
            lines.push(self.record.position().map_or(0, ::csv::Position::line));
            let text = cell(&self.record, self.places[0]);
            time.push(millis(&text, self.unit).unwrap_or_else(|| {
                odd(Column::Time, &text);
                NO_TIME
            }));
            for (column, values) in values.iter_mut().enumerate() {
                let text = cell(&self.record, self.places[column + 1]);
                values.push(text.parse().unwrap_or_else(|_: std::num::ParseFloatError| {
                    odd(Column::ALL[column + 1], &text);
                    f64::NAN
                }));
            }
        }
        if time.is_empty() {
            return self.failed.take().map_or(Ok(None), Err);
        }
        let first_row = self.next_row;
        self.next_row += time.len() as u64;
        let values = values.map(Into::into);
        Ok(Some(Chunk { first_row, lines, time: time.into(), values, oddities }))
    }
}

fn cell(record: &ByteRecord, place: usize) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(record.get(place).unwrap_or_default().trim_ascii())
}

/// The time that a text states; `None` if it states none, or an integer without a unit.
fn millis(text: &str, unit: Option<TimeUnit>) -> Option<i64> {
    match text.parse::<i64>() {
        Ok(value) => unit.map(|unit| unit.to_millis(value)),
        Err(_) => text.parse::<UtcMillis>().ok().map(UtcMillis::millis),
    }
}
