//! What the tests of the whole share: folders, run files, the command.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Once};

use arrow_array::{ArrayRef, Float64Array, RecordBatch, TimestampMillisecondArray};
use model::time::UtcMillis;
use parquet::arrow::ArrowWriter;

/// Root of the source tree.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent").to_path_buf()
}

/// The bundled data.
pub(crate) fn bundled() -> PathBuf {
    root().join("data")
}

/// A file of the shared market data; `None`, with a printed line, where the data is not there.
///
/// The project ships none of it: it lies beside the source tree, or where `TICKDRAIN_SHARED` says.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TICKDRAIN_SHARED")
        .map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let file = folder.join(path);
    if file.exists() {
        return Some(file);
    }
    say_skipped(&format!("no shared data at {}", file.display()));
    None
}

/// Says that a test is skipped: past the test runner, which would keep it to itself.
pub(crate) fn say_skipped(why: &str) {
    say(&format!("skipped: {why}"));
}

/// Prints a line.
pub(crate) fn say(line: &str) {
    // Nobody to tell is no reason to fail.
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// The `tickdrain` command, built once for all tests.
pub(crate) fn command() -> Command {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "tickdrain", "--bin", "tickdrain"])
            .current_dir(root())
            .status()
            .expect("cargo can be started");
        assert!(status.success(), "the command builds");
    });
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Command::new(target.join("debug").join("tickdrain"))
}

/// Runs the command in a folder.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    command().args(arguments).current_dir(folder).output().expect("the command can be started")
}

/// A row of a candle file: time in milliseconds, then open, high, low, close and volume; `None` is a
/// null.
pub(crate) type CandleRow = (Option<i64>, [Option<f64>; 5]);

/// Sound candles from 2024-01-01 on: prices that fall and rise between 110 and 100.
pub(crate) fn sound_rows(count: i32, interval_ms: i64) -> Vec<CandleRow> {
    let price = |at: i32| 100.0 + f64::from((at % 200 - 100).abs()) / 10.0;
    let row = |at: i32| {
        let (open, close) = (price(at), price(at + 1));
        let (high, low) = (open.max(close) + 0.5, open.min(close) - 0.5);
        let time = 1_704_067_200_000 + i64::from(at) * interval_ms;
        (Some(time), [open, high, low, close, f64::from(5 + at % 7)].map(Some))
    };
    (0..count).map(row).collect()
}

/// Writes candles to a CSV file.
pub(crate) fn write_csv(path: &Path, rows: &[CandleRow]) {
    let mut text = "ts,open,high,low,close,volume\n".to_owned();
    for (time, values) in rows {
        let mut cells = vec![time.map_or_else(String::new, |ts| UtcMillis::new(ts).to_string())];
        cells.extend(values.map(|value| value.map_or_else(String::new, |value| value.to_string())));
        text += &cells.join(",");
        text.push('\n');
    }
    std::fs::write(path, text).expect("the folder can be written");
}

/// Writes candles to a Parquet file.
pub(crate) fn write_parquet(path: &Path, rows: &[CandleRow]) {
    let times: TimestampMillisecondArray = rows.iter().map(|(time, _)| *time).collect();
    let mut columns = vec![("ts", Arc::new(times.with_timezone("UTC")) as ArrayRef)];
    for (place, name) in ["open", "high", "low", "close", "volume"].into_iter().enumerate() {
        let values: Float64Array = rows.iter().map(|(_, values)| values[place]).collect();
        columns.push((name, Arc::new(values)));
    }
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let file = File::create(path).expect("the folder can be written");
    let mut writer =
        ArrowWriter::try_new(file, batch.schema(), None).expect("the schema is Parquet's");
    writer.write(&batch).expect("the file can be written");
    writer.close().expect("the file can be written");
}
