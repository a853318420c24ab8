//! Candle files and result tables, as the tests write and read them: without the code under test.

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Float64Type, TimestampMillisecondType, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array as _, ArrayRef, Float64Array, RecordBatch, TimestampMillisecondArray};
use model::Decimal;
use model::time::UtcMillis;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use store::audit::{Kind, LogReader};
use tickdrain::run_folder::Output;
use tickdrain::{App, Backtest, Report};

use crate::proof::prove;

/// Milliseconds of an hour.
pub(crate) const HOUR: i64 = 3_600_000;

/// One row of a candle file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candle {
    /// Time at which the bar opens, in milliseconds.
    pub(crate) ts: i64,
    pub(crate) open: f64,
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) close: f64,
    pub(crate) volume: f64,
}

impl Candle {
    /// Candles from 2024-01-01 on, one after the other, from rows of `open high low close volume`.
    pub(crate) fn series(interval_ms: i64, rows: &str) -> Vec<Self> {
        let mut ts = 1_704_067_200_000 - interval_ms;
        let rows = rows.trim().lines().map(|row| {
            let values: Vec<f64> = row.split_whitespace().map(|it| it.parse().unwrap()).collect();
            let [open, high, low, close, volume] = values[..] else { panic!("{row}") };
            ts += interval_ms;
            Self { ts, open, high, low, close, volume }
        });
        rows.collect()
    }

    /// The rows of a Parquet file.
    pub(crate) fn read(path: &Path) -> Vec<Self> {
        let table = Table::read(path);
        let ts = table.times("ts");
        let [open, high, low, close, volume] =
            ["open", "high", "low", "close", "volume"].map(|column| table.floats(column));
        let candle = |row: usize| Self {
            ts: ts[row],
            open: open[row],
            high: high[row],
            low: low[row],
            close: close[row],
            volume: volume[row],
        };
        (0..ts.len()).map(candle).collect()
    }

    /// Writes rows as Parquet.
    pub(crate) fn write(path: &Path, candles: &[Self]) {
        let floats = |value: fn(&Self) -> f64| {
            Arc::new(Float64Array::from_iter_values(candles.iter().map(value))) as ArrayRef
        };
        let ts = TimestampMillisecondArray::from_iter_values(candles.iter().map(|c| c.ts));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("ts", Arc::new(ts.with_timezone("UTC"))),
            ("open", floats(|c| c.open)),
            ("high", floats(|c| c.high)),
            ("low", floats(|c| c.low)),
            ("close", floats(|c| c.close)),
            ("volume", floats(|c| c.volume)),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    /// The rows as CSV, times in milliseconds.
    pub(crate) fn csv(candles: &[Self]) -> String {
        let mut text = "ts,open,high,low,close,volume\n".to_owned();
        for Self { ts, open, high, low, close, volume } in candles {
            writeln!(text, "{ts},{open},{high},{low},{close},{volume}").unwrap();
        }
        text
    }
}

/// Columns of a file of orders, in the order in which [`orders`] writes them.
const ORDER_COLUMNS: [&str; 20] = [
    "decide_ts",
    "order_id",
    "action",
    "instrument",
    "side",
    "type",
    "qty",
    "price",
    "stop_price",
    "trail",
    "trail_bps",
    "tif",
    "expire_at",
    "post_only",
    "reduce_only",
    "oco_group",
    "parent",
    "take_profit",
    "stop_loss",
    "operation",
];

/// A file of orders from rows of `time order_id` and words that say by themselves which column they
/// belong to (a side, a type, an action, an amount) or are `column=cell`.
///
/// A time of two digits is an hour of 2024-01-01.
pub(crate) fn orders(instrument: &str, rows: &str) -> String {
    let mut text = ORDER_COLUMNS.join(",") + "\n";
    for row in rows.trim().lines() {
        let mut words = row.split_whitespace();
        let [time, order_id] = [words.next().unwrap(), words.next().unwrap()];
        let time = match time.len() {
            2 => format!("2024-01-01T{time}:00:00Z"),
            _ => time.to_owned(),
        };
        let mut cells: BTreeMap<&str, &str> = BTreeMap::from([
            ("decide_ts", &*time),
            ("order_id", order_id),
            ("instrument", instrument),
        ]);
        for word in words {
            let (column, cell) = word.split_once('=').unwrap_or(match word {
                "submit" | "cancel" | "replace" => ("action", word),
                "buy" | "sell" | "long" | "short" => ("side", word),
                "market" | "limit" | "stop" | "stop_limit" | "trailing" => ("type", word),
                _ => ("qty", word),
            });
            assert!(ORDER_COLUMNS.contains(&column), "{row}");
            cells.insert(column, cell);
        }
        let cells = ORDER_COLUMNS.map(|column| cells.get(column).copied().unwrap_or(""));
        writeln!(text, "{}", cells.join(",")).unwrap();
    }
    text
}

/// The decimal that a float of a file means: the shortest one that reads back as the same float.
pub(crate) fn decimal(value: f64) -> Decimal {
    Decimal::from_str_exact(&value.to_string()).expect("a price has few digits")
}

/// A decimal as ledger columns have it, in units of 10⁻¹⁸.
pub(crate) fn units(value: Decimal) -> i128 {
    let value = value.normalize();
    value.mantissa() * 10_i128.pow(18 - value.scale())
}

/// The rows of one Parquet file.
#[derive(Clone, Debug)]
pub(crate) struct Table(Vec<RecordBatch>);

impl Table {
    pub(crate) fn read(path: &Path) -> Self {
        let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        Self(reader.map(Result::unwrap).collect())
    }

    /// One kind of record of the log of a run.
    pub(crate) fn logged(folder: &Path, kind: Kind) -> Self {
        let log = LogReader::open(folder).unwrap();
        Self(log.batches(kind).unwrap().map(Result::unwrap).collect())
    }

    /// Names of the columns, with a `?` behind those that may be null.
    pub(crate) fn columns(&self) -> Vec<String> {
        let fields = self.0.iter().take(1).flat_map(|batch| batch.schema().fields().to_vec());
        let mark = |is_nullable| if is_nullable { "?" } else { "" };
        fields.map(|field| format!("{}{}", field.name(), mark(field.is_nullable()))).collect()
    }

    fn values<T: ArrowPrimitiveType>(&self, column: &str) -> Vec<T::Native> {
        let batches = self.0.iter();
        let values = batches.flat_map(|batch| {
            let column = batch.column_by_name(column).expect("the contract names the column");
            column.as_primitive::<T>().values().iter().copied()
        });
        values.collect()
    }

    /// The rows of some columns, a line each; a null is `-`.
    pub(crate) fn lines(&self, columns: &[&str]) -> String {
        let mut text = String::new();
        for batch in &self.0 {
            let columns: Vec<&ArrayRef> = columns
                .iter()
                .map(|name| batch.column_by_name(name).expect("the contract names the column"))
                .collect();
            for row in 0..batch.num_rows() {
                let cells: Vec<String> = columns.iter().map(|column| cell(column, row)).collect();
                writeln!(text, "{}", cells.join("  ")).unwrap();
            }
        }
        text
    }

    /// Instants, in milliseconds.
    pub(crate) fn times(&self, column: &str) -> Vec<i64> {
        self.values::<TimestampMillisecondType>(column)
    }

    pub(crate) fn floats(&self, column: &str) -> Vec<f64> {
        self.values::<Float64Type>(column)
    }

    pub(crate) fn counts(&self, column: &str) -> Vec<u32> {
        self.values::<UInt32Type>(column)
    }

    /// Ledger amounts, in units of 10⁻¹⁸.
    pub(crate) fn decimals(&self, column: &str) -> Vec<i128> {
        let kind = self.0.first().map(|batch| batch.column_by_name(column).unwrap().data_type());
        if let Some(kind) = kind {
            assert_eq!(kind.to_string(), "Decimal128(38, 18)", "{column}");
        }
        self.values::<Decimal128Type>(column)
    }

    pub(crate) fn texts(&self, column: &str) -> Vec<String> {
        let texts = self.0.iter().flat_map(|batch| {
            let column = batch.column_by_name(column).expect("the contract names the column");
            column.as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned())
        });
        texts.collect()
    }
}

fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "-".to_owned();
    }
    if let Some(texts) = column.as_string_opt::<i32>() {
        texts.value(row).to_owned()
    } else if let Some(times) = column.as_primitive_opt::<TimestampMillisecondType>() {
        UtcMillis::new(times.value(row)).to_string()
    } else if let Some(floats) = column.as_primitive_opt::<Float64Type>() {
        // What floats add below a millionth is no figure to read.
        ((floats.value(row) * 1e6).round() / 1e6).to_string()
    } else if let Some(counts) = column.as_primitive_opt::<UInt64Type>() {
        counts.value(row).to_string()
    } else if let Some(counts) = column.as_primitive_opt::<UInt32Type>() {
        counts.value(row).to_string()
    } else if let Some(counts) = column.as_primitive_opt::<UInt16Type>() {
        counts.value(row).to_string()
    } else if let Some(flags) = column.as_boolean_opt() {
        flags.value(row).to_string()
    } else {
        let units = column.as_primitive::<Decimal128Type>().value(row);
        Decimal::from_i128_with_scale(units, 18).normalize().to_string()
    }
}

/// A folder with a run file in it.
#[derive(Debug)]
pub(crate) struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    /// A new folder whose run file says `text`.
    pub(crate) fn new(text: &str) -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(scene.path("run.toml"), text).unwrap();
        scene
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same with one more file.
    pub(crate) fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        fs::write(self.path(name), text).unwrap();
        self
    }

    /// The backtest of the run file.
    pub(crate) fn backtest(&self, app: App, overrides: &[&str]) -> Backtest {
        let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
        Backtest::with_app(app, &self.path("run.toml"), &overrides)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs, leaves the results in the folder `out`, and checks what its log proves.
    pub(crate) fn run(&self, app: App, overrides: &[&str], out: &str) -> Report {
        let path = self.path(out);
        let report = self
            .backtest(app, overrides)
            .output(Output::Explicit { path, overwrite: false })
            .run()
            .unwrap_or_else(|error| panic!("{error:?}"));
        if report.digest().is_some() {
            prove(&self.path(out));
        }
        report
    }
}
