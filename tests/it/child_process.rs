//! Runs that end before their last frame: killed, interrupted, failed.

mod faults;
mod kill;
mod torn;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use model::time::Interval;
use serde_json::Value;
use store::audit::{Kind, LogReader};
use tempfile::TempDir;

use super::support::{self, sound_rows, write_parquet};

/// Frames of a run that takes long enough to be stopped on the way: thirty commits.
const MINUTES: i32 = 120_000;

/// A folder with a run over many minutes.
pub(crate) struct LongRun {
    folder: TempDir,
}

impl LongRun {
    fn new() -> Self {
        Self::of(MINUTES)
    }

    /// One over so many minutes.
    pub(crate) fn of(minutes: i32) -> Self {
        Self::over(minutes, "kind = \"sma_cross\"\nfast = 10\nslow = 30\nsize = \"1\"\n")
    }

    /// The same over so many minutes, with another `[strategy]`.
    fn over(minutes: i32, strategy: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let minute_ms = Interval::HOUR.millis() / 60;
        let rows = sound_rows(minutes, minute_ms);
        write_parquet(&folder.path().join("minutes.parquet"), &rows);
        let text = r#"share_class = "USDT"
            interval = "1m"

            [initial]
            "binance:BaseToken:USDT" = "10000"

            [[data]]
            of = "binance:spot:BTCUSDT"
            path = "minutes.parquet"

            [strategy]
        "#;
        let text = text.to_owned() + strategy;
        fs::write(folder.path().join("run.toml"), text).expect("the folder can be written");
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs it to its end.
    pub(crate) fn finish(&self, out: &str) {
        let output = self.command(out).output().expect("the command can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn command(&self, out: &str) -> Command {
        let mut command = support::command();
        command.args(["backtest", "run.toml", "--out", out]).current_dir(self.folder.path());
        command
    }

    /// Starts it and waits until its log has `bytes`; the run may end before that.
    pub(crate) fn start(&self, out: &str, bytes: u64) -> Child {
        self.start_command(&mut self.command(out), out, bytes)
    }

    /// The same with another command.
    pub(crate) fn start_command(&self, command: &mut Command, out: &str, bytes: u64) -> Child {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command can be started");
        let log = self.path(out).join("audit");
        while log_bytes(&log).is_none_or(|length| length < bytes) {
            if child.try_wait().expect("it is our child").is_some() {
                break;
            }
            thread::yield_now();
        }
        child
    }

    /// The command that resumes it.
    pub(crate) fn resume(&self, out: &str) -> Command {
        let mut command = support::command();
        command.args(["resume", out]).current_dir(self.folder.path());
        command
    }
}

/// Length of a log in bytes; `None` before there is one.
pub(crate) fn log_bytes(log: &Path) -> Option<u64> {
    fs::metadata(log.join("commits.jsonl")).ok()?;
    let streams = fs::read_dir(log).ok()?.filter_map(Result::ok);
    Some(streams.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum())
}

/// Opens a log, checks its bytes and decodes all of it.
fn read_log(run_folder: &Path) -> LogReader {
    let log = LogReader::open(run_folder).expect("a log can be opened at any time");
    log.check_bytes().expect("what is committed is whole");
    let mut committed = BTreeMap::new();
    for part in log.commits().iter().flat_map(|commit| &commit.streams) {
        *committed.entry(part.kind.clone()).or_insert(0) += part.rows;
    }
    for kind in Kind::ALL {
        let rows: usize = batches(&log, kind).iter().map(RecordBatch::num_rows).sum();
        let expected = committed.get(kind.name()).copied().unwrap_or(0);
        assert_eq!(rows as u64, expected, "rows of {}", kind.name());
    }
    log
}

fn batches(log: &LogReader, kind: Kind) -> Vec<RecordBatch> {
    let batches = log.batches(kind).expect("the stream can be opened");
    batches.collect::<Result<_, _>>().expect("what is committed can be decoded")
}

/// The texts of a column, in order; null as an empty text.
fn texts(log: &LogReader, kind: Kind, column: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for batch in batches(log, kind) {
        let column = batch.column_by_name(column).expect("the kind has the column");
        let values = column.as_string::<i32>().iter();
        texts.extend(values.map(|text| text.unwrap_or_default().to_owned()));
    }
    texts
}

/// What grows are the footers of the result files, about a megabyte for a million bars; what orders
/// leave behind is another matter, so there is one.
#[test]
fn memory_does_not_grow_with_the_length_of_the_data() {
    let peak = |minutes| {
        let run = LongRun::over(minutes, "kind = \"buy_and_hold\"\n");
        run.finish("out");
        summary(&run.path("out"))["timing"]["peak_rss_mb"].as_f64()
    };
    let [Some(short), Some(long)] = [400_000, 2_000_000].map(peak) else {
        support::say_skipped("this system does not say how much memory a process takes");
        return;
    };
    support::say(&format!("{short} MB for 400,000 bars, {long} MB for 2,000,000"));
    assert!(long < short + 8.0, "{short} MB for 400,000 bars, {long} MB for 2,000,000");
}

/// In a network namespace of its own, which has no way out.
#[test]
fn a_run_needs_no_network() {
    let unshare = |program: &Path, arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net"]).arg(program).args(arguments);
        command
    };
    if !unshare(Path::new("true"), &[]).status().is_ok_and(|status| status.success()) {
        support::say_skipped("this system makes no namespaces");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (command, out) = (support::command(), folder.path().join("out"));
    let out = out.to_str().expect("a path of this system");
    let output = unshare(Path::new(command.get_program()), &["backtest", "--out", out])
        .current_dir(folder.path())
        .output()
        .expect("the command can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(summary(Path::new(out))["status"], "ok");
}

fn summary(run_folder: &Path) -> Value {
    let text = fs::read_to_string(run_folder.join("summary.json")).expect("there is a summary");
    serde_json::from_str(&text).expect("the summary is JSON")
}
