//! A run that has been: its folder, its log, and the means to compute it again.

use std::fs;
use std::path::{Path, PathBuf};

use engine::bus::Schedule;
use model::strategy::Decision;
use model::time::UtcMillis;
use proof::Divergence;
use proof::diff::first_difference;
use serde_json::Value;
use store::FolderError;
use store::audit::commit::{COMMIT_FILE, Commit, Header};
use store::audit::reading::{CommitRows, LogError};
use store::audit::{LogPlan, LogReader};
use store::candles::inspect;
use store::points::inspect_points;
use store::seal::Seal;

use crate::app::App;
use crate::backtest::{Backtest, Report, block_on, now};
use crate::error::BacktestError;
use crate::question::{Question, Until};
use crate::run_folder::WRITTEN;
use crate::wiring::{self, Circumstances, Inputs};

/// A finished or broken run, ready to be computed again.
#[derive(Debug)]
pub struct PastRun {
    folder: PathBuf,
    backtest: Backtest,
    inputs: Inputs,
    log: LogReader,
    /// Commits of the log that a run comes to again and of which everything is there.
    whole: usize,
}

/// What a run is computed from is not what it was.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the run cannot be computed again: what it was computed from has changed")]
pub struct InputsChanged {
    /// All that has.
    pub changes: Vec<Change>,
}

/// One input that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which input.
    pub what: String,
    /// What it is now.
    pub found: String,
    /// What it was.
    pub expected: String,
}

/// What came of computing a run again.
#[derive(Clone, Debug)]
pub enum Reexecution {
    /// Every commit is the same, byte by byte.
    Same {
        /// How many were compared.
        commits: usize,
    },
    /// The log ends before the run does, or goes on after it.
    Length {
        /// Commits of the log.
        recorded: usize,
        /// Commits of the run.
        computed: usize,
    },
    /// They part.
    Diverged(Diverged),
}

/// A run that was computed again did not come to what its log says.
#[derive(Clone, Debug, thiserror::Error)]
#[error("computed again, commit {commit} is not the same")]
pub struct Diverged {
    /// In which commit.
    pub commit: u64,
    /// Where, and in what; the left event is the log's.
    pub divergence: Box<Divergence>,
}

impl PastRun {
    /// Opens a run folder; its strategies are those of `app`.
    ///
    /// # Errors
    ///
    /// No run folder, a log that is broken, or inputs that are not what they were.
    pub fn open(app: App, folder: &Path) -> Result<Self, BacktestError> {
        let log = open_log(folder)?;
        let backtest = Backtest::with_app(app, &folder.join("run.toml"), &[])?;
        let inputs = Inputs::of(backtest.config())?;
        let whole = log.whole_commits().len();
        let run = Self { folder: folder.to_owned(), backtest, inputs, log, whole };
        let changes = run.changes();
        if changes.is_empty() { Ok(run) } else { Err(InputsChanged { changes }.into()) }
    }

    /// Its log.
    pub const fn log(&self) -> &LogReader {
        &self.log
    }

    /// Its run file.
    pub const fn backtest(&self) -> &Backtest {
        &self.backtest
    }

    /// Shows a progress bar if standard error is a terminal.
    #[must_use]
    pub fn with_progress(mut self) -> Self {
        self.backtest = self.backtest.with_progress();
        self
    }

    /// The commits that are kept when it is resumed.
    pub fn whole_commits(&self) -> &[Commit] {
        &self.log.commits()[..self.whole]
    }

    /// Whether it came to its end: its summary says so, its log has no commit to be undone, and all
    /// that it left is there.
    pub fn is_complete(&self) -> bool {
        let summary = summary(&self.folder);
        let is_whole = self.whole == self.log.commits().len();
        let digest = summary.get("digest").and_then(Value::as_str).unwrap_or_default();
        let is_ok = status(&summary) == Some("ok") && is_whole && digest == self.log.digest();
        is_ok && Seal::check(&self.folder).is_empty()
    }

    /// Computes what is missing: up to the last commit the run has to come to the same bytes, then
    /// it goes on.
    ///
    /// # Errors
    ///
    /// As for any run; [`FolderError::Diverged`] if it does not come to the same.
    pub fn resume(&self) -> Result<Report, BacktestError> {
        let started = now();
        let log = if self.log.has_header() {
            self.log.truncate(self.whole_commits())?;
            LogPlan::After(self.whole_commits().to_vec())
        } else {
            // Nothing was recorded; the log is begun anew.
            if self.log.folder().exists() {
                remove_all(self.log.folder())?;
            }
            LogPlan::New
        };
        for name in WRITTEN.iter().filter(|name| !matches!(**name, "audit" | "run.toml")) {
            let path = self.folder.join(name);
            if path.exists() {
                fs::remove_file(&path).map_err(|source| FolderError::Write { path, source })?;
            }
        }
        let feed = wiring::open_feed(self.backtest.config())?;
        let folder = Some(self.folder.clone());
        match self.backtest.execute(&self.inputs, feed, folder, log, started) {
            Err(BacktestError::Folder(FolderError::Diverged { rows })) => {
                Err(self.divergence(&rows)?.into())
            }
            outcome => outcome,
        }
    }

    /// Runs again without writing anything, and compares commit by commit.
    ///
    /// # Errors
    ///
    /// The log cannot be read, or the run cannot be started.
    pub fn reexecute(&self) -> Result<Reexecution, BacktestError> {
        self.reexecute_by(Schedule::Rank)
    }

    /// The same with services polled in another order.
    pub(crate) fn reexecute_by(&self, schedule: Schedule) -> Result<Reexecution, BacktestError> {
        let expected = self.log.regular_commits();
        let feed = wiring::open_feed(self.backtest.config())?;
        let circumstances = Circumstances {
            log: LogPlan::After(expected.to_vec()),
            schedule,
            stop: self.backtest.stop_flag(),
            ..Circumstances::default()
        };
        let (engine, recording) =
            wiring::wire(self.backtest.app(), self.backtest.config(), &self.inputs, circumstances)?;
        // A run that failed fails again, and its log says how; what counts is whether it is the same.
        let report = block_on(engine.run(feed));
        match recording.finish() {
            Ok(recorded) => {
                let (recorded, computed) = (expected.len(), recorded.commits);
                let is_interrupted = recorded < self.log.commits().len();
                drop(report);
                Ok(if recorded == computed || is_interrupted && recorded < computed {
                    Reexecution::Same { commits: recorded }
                } else {
                    Reexecution::Length { recorded, computed }
                })
            }
            Err(FolderError::Diverged { rows }) => {
                Ok(Reexecution::Diverged(self.divergence(&rows)?))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What was looked at in the decisions at `ts`, whether they traded or not: computed again up to
    /// there, since no run pays for conditions that nobody reads.
    ///
    /// # Errors
    ///
    /// The run cannot be started.
    pub fn decisions_at(&self, ts: UtcMillis) -> Result<Vec<(String, Decision)>, BacktestError> {
        let feed = Until::new(wiring::open_feed(self.backtest.config())?, ts);
        let question = Question::about(ts);
        let circumstances = Circumstances {
            log: LogPlan::None,
            stop: self.backtest.stop_flag(),
            question: Some(question.clone()),
            ..Circumstances::default()
        };
        let (app, config) = (self.backtest.app(), self.backtest.config());
        let (engine, recording) = wiring::wire(app, config, &self.inputs, circumstances)?;
        // A run that failed later than this frame has its answer all the same.
        drop(block_on(engine.run(feed)));
        recording.finish()?;
        let names = &self.log.header().terms.strategies;
        let named = |(publisher, decision): (u16, Decision)| {
            // The engine and execution come before the first of them.
            let name = usize::from(publisher).checked_sub(2).and_then(|place| names.get(place));
            (name.cloned().unwrap_or_default(), decision)
        };
        Ok(question.answers().into_iter().map(named).collect())
    }

    /// Where the log and the run that was computed again part.
    fn divergence(&self, computed: &CommitRows) -> Result<Diverged, BacktestError> {
        let commit = computed.commit.commit;
        let place = usize::try_from(commit.saturating_sub(1)).unwrap_or(usize::MAX);
        let mut reader = self.log.read();
        reader.skip_to(place)?;
        let recorded = reader.next().transpose()?;
        let divergence = recorded.and_then(|recorded| first_difference(&recorded, computed));
        Ok(Diverged { commit, divergence: Box::new(divergence.unwrap_or_default()) })
    }

    /// What is not as the header of the log says.
    fn changes(&self) -> Vec<Change> {
        let header = self.log.header();
        if !self.log.has_header() || header.run_id == self.inputs.run_id {
            return Vec::new();
        }
        let files = self.changed_files(header);
        if !files.is_empty() {
            return files;
        }
        vec![Change {
            what: "run.toml, a file that it names for a strategy, or the registry".to_owned(),
            found: format!("run id {}", self.inputs.run_id),
            expected: format!("run id {}", header.run_id),
        }]
    }

    fn changed_files(&self, header: &Header) -> Vec<Change> {
        let config = self.backtest.config();
        let bars = config.all_series().map(|series| (&series.paths, inspect(&series.spec())));
        let points =
            config.points.iter().map(|series| (&series.paths, inspect_points(&series.spec())));
        let summary = summary(&self.folder);
        let mut changes = Vec::new();
        let mut hashes = self.inputs.datasets.iter().zip(&header.datasets);
        for (paths, facts) in bars.chain(points) {
            for (path, (found, expected)) in paths.iter().zip(hashes.by_ref()) {
                if found != expected {
                    let span = facts.first.zip(facts.last);
                    let span =
                        span.map_or_else(String::new, |(one, two)| format!(", {one} to {two}"));
                    let rows = format!("{} rows{span}, {} holes", facts.rows, facts.holes);
                    changes.push(Change {
                        what: path.display().to_string(),
                        found: format!("blake3 {}, {rows}", &found[..16]),
                        expected: recorded_facts(&summary, expected),
                    });
                }
            }
        }
        changes
    }
}

/// What the summary says of the data file that had this hash.
fn recorded_facts(summary: &Value, blake3: &str) -> String {
    let short = blake3.get(..16).unwrap_or(blake3);
    let inputs = summary.get("inputs").and_then(Value::as_array);
    let input = inputs.and_then(|inputs| inputs.iter().find(|input| input["blake3"] == blake3));
    let Some(input) = input else { return format!("blake3 {short}") };
    let text = |name: &str| input[name].as_str().unwrap_or("?").to_owned();
    let (rows, holes) = (&input["rows"], &input["holes"]);
    format!("blake3 {short}, {rows} rows, {} to {}, {holes} holes", text("first"), text("last"))
}

/// The log of a run; of one that was stopped before it had one, an empty log.
fn open_log(folder: &Path) -> Result<LogReader, LogError> {
    let has_none = !folder.join("audit").join(COMMIT_FILE).exists();
    // A run without a log that came to its end has nothing to be resumed or compared.
    if has_none && folder.join("run.toml").exists() && status(&summary(folder)).is_none() {
        return Ok(LogReader::not_begun(folder));
    }
    LogReader::open(folder)
}

fn status(summary: &Value) -> Option<&str> {
    summary.get("status").and_then(Value::as_str)
}

fn summary(folder: &Path) -> Value {
    let text = fs::read(folder.join("summary.json")).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or(Value::Null)
}

fn remove_all(path: &Path) -> Result<(), FolderError> {
    let write = |source| FolderError::Write { path: path.to_owned(), source };
    fs::remove_dir_all(path).map_err(write)
}
