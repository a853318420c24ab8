//! A candle file: `ts` is the time at which a bar opens, prices and volume are `f64`.

use std::sync::Arc;

use model::frame::Bar;
use model::time::Interval;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::GENERATOR;
use super::bars::Candles;

/// Open of the first bar: 2024-01-01T00:00:00Z, in milliseconds since the epoch.
pub(super) const FIRST_OPEN_MS: i64 = 1_704_067_200_000;

/// Level of the compression; beyond it files hardly shrink.
const ZSTD_LEVEL: i32 = 9;

/// Most rows of a row group, the engine's limit for every file it writes.
const ROW_GROUP_ROWS: usize = 65_536;

const SCHEMA: &str = "message candles {
    REQUIRED INT64 ts (TIMESTAMP(MILLIS, true));
    REQUIRED DOUBLE open;
    REQUIRED DOUBLE high;
    REQUIRED DOUBLE low;
    REQUIRED DOUBLE close;
    REQUIRED DOUBLE volume;
}";

/// The five columns after `ts`, in the order of the schema.
const COLUMNS: [fn(&Bar) -> f64; 5] =
    [|bar| bar.open, |bar| bar.high, |bar| bar.low, |bar| bar.close, |bar| bar.volume];

/// The bytes of the file that holds `candles`.
///
/// Written column by column, without Arrow: the file then carries no description of a schema
/// whose bytes a change of that library's version could shift.
pub(super) fn encode(candles: &Candles, seed: u64) -> Result<Vec<u8>, ParquetError> {
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let properties = Arc::new(properties(candles, seed)?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties)?;
    let mut opens = (0..).map(|hour: i64| FIRST_OPEN_MS + hour * Interval::HOUR.millis());
    for bars in candles.bars.chunks(ROW_GROUP_ROWS) {
        let mut group = writer.next_row_group()?;
        let ts: Vec<i64> = opens.by_ref().take(bars.len()).collect();
        let mut column = group.next_column()?.expect("the schema begins with ts");
        column.typed::<Int64Type>().write_batch(&ts, None, None)?;
        column.close()?;
        for of in COLUMNS {
            let values: Vec<f64> = bars.iter().map(of).collect();
            let mut column = group.next_column()?.expect("the schema has a column per field");
            column.typed::<DoubleType>().write_batch(&values, None, None)?;
            column.close()?;
        }
        group.close()?;
    }
    writer.into_inner()
}

fn properties(candles: &Candles, seed: u64) -> Result<WriterProperties, ParquetError> {
    let metadata = [
        ("tickdrain.synthetic", "true".to_owned()),
        ("tickdrain.generator", GENERATOR.to_owned()),
        ("tickdrain.seed", seed.to_string()),
        ("tickdrain.instrument", candles.instrument.to_string()),
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
