//! A file of the generator: a time and columns of `f64`.

use std::sync::Arc;

use model::instrument::InstrumentId;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

/// Level of the compression; beyond it files hardly shrink.
const ZSTD_LEVEL: i32 = 9;

/// Most rows of a row group, the engine's limit for every file it writes.
const ROW_GROUP_ROWS: usize = 65_536;

/// What a file is about and holds.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) instrument: InstrumentId,
    /// Name and version of what generated it.
    pub(super) generator: &'static str,
    /// Name of the schema.
    pub(super) schema: &'static str,
    /// Time of the first row.
    pub(super) first_ms: i64,
    /// Milliseconds between two rows.
    pub(super) step_ms: i64,
    /// The columns after `ts`, with their names; of equal lengths.
    pub(super) columns: Vec<(&'static str, Vec<f64>)>,
}

impl Table {
    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, values)| values.len())
    }

    fn message(&self) -> String {
        let columns = self.columns.iter().map(|(name, _)| format!("REQUIRED DOUBLE {name};"));
        let columns: String = columns.collect();
        format!(
            "message {} {{ REQUIRED INT64 ts (TIMESTAMP(MILLIS, true)); {columns} }}",
            self.schema
        )
    }
}

/// The bytes of the file that holds `table`.
///
/// Written column by column, without Arrow: the file then carries no description of a schema
/// whose bytes a change of that library's version could shift.
pub(super) fn encode(table: &Table, seed: u64) -> Result<Vec<u8>, ParquetError> {
    let schema = Arc::new(parse_message_type(&table.message())?);
    let properties = Arc::new(properties(table, seed)?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties)?;
    let mut times = (0..).map(|row: i64| table.first_ms + row * table.step_ms);
    for start in (0..table.rows()).step_by(ROW_GROUP_ROWS) {
        let rows = start..table.rows().min(start + ROW_GROUP_ROWS);
        let mut group = writer.next_row_group()?;
        let ts: Vec<i64> = times.by_ref().take(rows.len()).collect();
        let mut column = group.next_column()?.expect("the schema begins with ts");
        column.typed::<Int64Type>().write_batch(&ts, None, None)?;
        column.close()?;
        for (_, values) in &table.columns {
            let mut column = group.next_column()?.expect("the schema has a column per field");
            column.typed::<DoubleType>().write_batch(&values[rows.clone()], None, None)?;
            column.close()?;
        }
        group.close()?;
    }
    writer.into_inner()
}

fn properties(table: &Table, seed: u64) -> Result<WriterProperties, ParquetError> {
    let metadata = [
        ("tickdrain.synthetic", "true".to_owned()),
        ("tickdrain.generator", table.generator.to_owned()),
        ("tickdrain.seed", seed.to_string()),
        ("tickdrain.instrument", table.instrument.to_string()),
    ];
    let metadata =
        metadata.map(|(key, value)| KeyValue { key: key.to_owned(), value: Some(value) });
    Ok(WriterProperties::builder()
        .set_created_by("tickdrain".to_owned())
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::BYTE_STREAM_SPLIT)
        .set_column_encoding("ts".into(), Encoding::DELTA_BINARY_PACKED)
        .set_key_value_metadata(Some(metadata.to_vec()))
        .build())
}
