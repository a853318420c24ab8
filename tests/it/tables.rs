//! Candle files and result tables, as the tests write and read them: without the code under test.

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Float64Type, TimestampMillisecondType,
};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, TimestampMillisecondArray};
use model::Decimal;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tickdrain::run_folder::Output;
use tickdrain::{App, Backtest, Report};

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

    fn values<T: ArrowPrimitiveType>(&self, column: &str) -> Vec<T::Native> {
        let batches = self.0.iter();
        let values = batches.flat_map(|batch| {
            let column = batch.column_by_name(column).expect("the contract names the column");
            column.as_primitive::<T>().values().iter().copied()
        });
        values.collect()
    }

    /// Instants, in milliseconds.
    pub(crate) fn times(&self, column: &str) -> Vec<i64> {
        self.values::<TimestampMillisecondType>(column)
    }

    pub(crate) fn floats(&self, column: &str) -> Vec<f64> {
        self.values::<Float64Type>(column)
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

    /// The backtest of the run file.
    pub(crate) fn backtest(&self, app: App, overrides: &[&str]) -> Backtest {
        let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
        Backtest::with_app(app, &self.path("run.toml"), &overrides)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs and leaves the results in the folder `out`.
    pub(crate) fn run(&self, app: App, overrides: &[&str], out: &str) -> Report {
        let path = self.path(out);
        self.backtest(app, overrides)
            .output(Output::Explicit { path, overwrite: false })
            .run()
            .unwrap_or_else(|error| panic!("{error:?}"))
    }
}
