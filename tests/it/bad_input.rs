//! What the command says of input that it cannot use: exit code, place, found, expected, hint.
#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod at_once;
mod command_line;
mod denied;
mod execution;
mod files;
mod orders;
mod output;
mod published;
mod rows;
mod run_file;
mod terms;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use expect_test::Expect;
use serde_json::Value;
use tempfile::TempDir;

use super::support::{self, CandleRow, sound_rows, write_csv};

/// A small run file; `{candles}` is the file of its only series.
const RUN_FILE: &str = r#"share_class = "USDT"
interval = "1h"

[initial]
"binance:BaseToken:USDT" = "10000"

[[data]]
of = "binance:spot:BTCUSDT"
path = "{candles}"

[strategy]
kind = "buy_and_hold"
"#;

const HOUR_MS: i64 = 3_600_000;

/// Twelve sound hours; the tests spoil some of them.
fn hours() -> Vec<CandleRow> {
    sound_rows(12, HOUR_MS)
}

/// A folder with the run file `run.toml` and a file of candles.
struct Case {
    folder: TempDir,
}

impl Case {
    /// A run over the file `name`, which is still to be written.
    fn over(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let case = Self { folder };
        fs::write(case.path("run.toml"), RUN_FILE.replace("{candles}", name))
            .expect("the folder can be written");
        case
    }

    /// A run that has nothing wrong with it.
    fn sound() -> Self {
        Self::of(&hours())
    }

    /// A run over `candles.csv` with these rows.
    fn of(rows: &[CandleRow]) -> Self {
        let case = Self::over("candles.csv");
        write_csv(&case.path("candles.csv"), rows);
        case
    }

    /// The same with one part of the run file changed.
    fn changed(self, from: &str, to: &str) -> Self {
        let path = self.path("run.toml");
        let text = fs::read_to_string(&path).expect("written above");
        assert!(text.contains(from), "the run file has no {from}");
        fs::write(path, text.replace(from, to)).expect("the folder can be written");
        self
    }

    /// The same with one more file.
    fn file(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        fs::write(self.path(name), bytes).expect("the folder can be written");
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        support::run(self.folder.path(), arguments)
    }

    /// What a command printed, with its exit code and without the name of the folder.
    fn said(&self, output: &Output) -> String {
        let stderr = String::from_utf8(output.stderr.clone()).expect("messages are text");
        assert!(!stderr.contains("panicked at"), "{stderr}");
        let mut text = without(self.folder.path(), &stderr);
        let code = output.status.code().expect("the command ends by itself");
        writeln!(text, "exit code {code}").expect("a String takes everything");
        text
    }

    /// Runs it, into the folder `out`, and returns a value of its summary.
    fn summary(&self, pointer: &str) -> Value {
        let output = self.run(&["backtest", "run.toml", "--out", "out"]);
        assert!(output.status.success(), "{}", self.said(&output));
        self.summary_of("out", pointer)
    }

    fn summary_of(&self, folder: &str, pointer: &str) -> Value {
        let path = self.path(folder).join("summary.json");
        let text = fs::read_to_string(path).expect("the run left a summary");
        let summary: Value = serde_json::from_str(&text).expect("the summary is JSON");
        summary.pointer(pointer).expect("the summary has the key").clone()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("figures are text")
}

fn without(folder: &Path, text: &str) -> String {
    let resolved = folder.canonicalize().expect("the folder exists");
    let text = text.replace(&resolved.display().to_string(), "<folder>");
    text.replace(&folder.display().to_string(), "<folder>")
}

/// Compares what `backtest` says with a text; what `check` says follows if it is something else.
fn check(case: &Case, expected: &Expect) {
    let mut said = case.said(&case.run(&["backtest", "run.toml", "--out", "out"]));
    let checked = case.said(&case.run(&["check", "run.toml"]));
    if checked != said {
        said += "\ncheck\n";
        said += &checked;
    }
    expected.assert_eq(&said);
}

/// Compares what the command says with a text.
fn check_command(case: &Case, arguments: &[&str], expected: &Expect) {
    expected.assert_eq(&case.said(&case.run(arguments)));
}
