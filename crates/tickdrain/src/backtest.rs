//! A backtest as a library call: from a run file to a report.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use engine::bus::Schedule;
use engine::error::EngineError;
use engine::run::RunReport;
use engine::service::{RunOutcome, RunStatus, ServiceReport};
use model::pnl::PnlComponents;
use store::FolderError;
use store::audit::{LogPlan, Recorded};
use store::candles::{GapPolicy, TimeLabel};
use store::feed::SeriesFacts;
use store::results::Figures;
use store::seal::Seal;

use crate::app::App;
use crate::error::BacktestError;
use crate::past_run::{Diverged, PastRun, Reexecution};
use crate::progress::Watched;
use crate::question::Frames;
use crate::run_folder::{Output, WRITTEN};
use crate::runfile::config::RunConfig;
use crate::runfile::execution::FillTiming;
use crate::runfile::options::AuditLevel;
use crate::summary::{
    Costs, Input, Integrity, Metrics, Orders, Risk, SCHEMA, Summary, Timing, Trades, attribution,
};
use crate::wiring::{self, Circumstances, Inputs};

/// A run that is ready to start.
#[derive(Clone, Debug)]
pub struct Backtest {
    app: App,
    config: RunConfig,
    output: Output,
    with_log: bool,
    shows_progress: bool,
    stop: Arc<AtomicBool>,
}

/// What a run found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The figures, as `summary.json` has them.
    pub summary: Summary,
    /// The run folder, if there is one.
    pub folder: Option<PathBuf>,
    /// What every service had to say, in rank order.
    pub services: Vec<ServiceReport>,
}

impl Report {
    /// The log's last hash: equal for equal runs on any machine.
    pub fn digest(&self) -> Option<&str> {
        self.summary.digest.as_deref()
    }

    /// Whether the user stopped the run.
    pub fn is_interrupted(&self) -> bool {
        self.summary.status == RunStatus::Interrupted.name()
    }
}

impl Backtest {
    /// Reads a run file; its strategies are the shipped ones.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the run file, all at once.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, BacktestError> {
        Self::with_app(App::new(), path.as_ref(), &[])
    }

    /// Reads a run file with overrides (`key=value`); its strategies are those of `app`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the run file and the overrides, all at once.
    pub fn with_app(app: App, path: &Path, overrides: &[String]) -> Result<Self, BacktestError> {
        let config = RunConfig::load(path, overrides, app.catalog())?;
        let with_log = config.audit != AuditLevel::Off;
        Ok(Self {
            app,
            config,
            output: Output::default(),
            with_log,
            shows_progress: false,
            stop: Arc::default(),
        })
    }

    /// A backtest of a resolved run file that is in memory; its paths are absolute.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, all at once.
    pub(crate) fn of_table(app: App, table: &toml::Table) -> Result<Self, BacktestError> {
        let base = Path::new(".");
        let text = table.to_string();
        let config = RunConfig::from_str("branch.toml", &text, base, &[], app.catalog())?;
        let with_log = config.audit != AuditLevel::Off;
        let (output, stop) = Default::default();
        Ok(Self { app, config, output, with_log, shows_progress: false, stop })
    }

    /// The program that it belongs to.
    pub(crate) const fn app(&self) -> &App {
        &self.app
    }

    /// The run file as validated.
    pub const fn config(&self) -> &RunConfig {
        &self.config
    }

    /// Leaves the run folder elsewhere than under `runs/`.
    #[must_use]
    pub fn output(mut self, output: Output) -> Self {
        self.output = output;
        self
    }

    /// Runs without the log writer; there is no digest then.
    #[must_use]
    pub fn without_log(mut self) -> Self {
        self.with_log = false;
        self
    }

    /// Runs with the log writer, whatever the run file says: for what is proved from the log.
    #[must_use]
    pub(crate) fn with_log(self) -> Self {
        Self { with_log: true, ..self }
    }

    /// Shows a progress bar if standard error is a terminal.
    #[must_use]
    pub fn with_progress(mut self) -> Self {
        self.shows_progress = true;
        self
    }

    /// The flag that stops the run after the frame that it is at.
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Runs.
    ///
    /// # Errors
    ///
    /// The data, the folder or the run failed; a run that failed has a report all the same.
    pub fn run(&self) -> Result<Report, BacktestError> {
        let started = now();
        let inputs = Inputs::of(&self.config)?;
        let feed = wiring::open_feed(&self.config)?;
        let folder = self.output.create(&self.config.name, &inputs.run_id)?;
        if let Some(folder) = &folder {
            let text = self.config.resolved().to_string();
            write_whole(&folder.join("run.toml"), text.as_bytes())?;
        }
        let log = if self.with_log { LogPlan::New } else { LogPlan::None };
        self.execute(&inputs, feed, folder, log, started)
    }

    /// Runs `feed` into a folder that is there.
    ///
    /// # Errors
    ///
    /// As [`Backtest::run`].
    pub(crate) fn execute(
        &self,
        inputs: &Inputs,
        feed: impl Frames,
        folder: Option<PathBuf>,
        log: LogPlan,
        started: Instant,
    ) -> Result<Report, BacktestError> {
        tracing::info!(name = self.config.name, run_id = inputs.run_id, "run starts");
        let facts = feed.facts();
        let circumstances = Circumstances {
            folder: folder.clone(),
            log,
            stop: Arc::clone(&self.stop),
            ..Circumstances::default()
        };
        let (engine, recording) = wiring::wire(&self.app, &self.config, inputs, circumstances)?;
        let total = self.shows_progress.then(|| wiring::expected_frames(&self.config)).flatten();
        let report = block_on(engine.run(Watched::new(feed, total, self.shows_progress)));
        let recorded = match (recording.finish(), &report.error) {
            (Ok(recorded), _) => recorded,
            // The run's own error came first; without a writer there are no figures to go with it.
            (Err(_), Some(error)) if !is_writers(error) => {
                Recorded { digest: None, commits: 0, figures: Figures::default() }
            }
            (Err(error), _) => return Err(error.into()),
        };
        let facts = facts.read().unwrap_or_default();
        let wall_s = started.elapsed().as_secs_f64();
        let summary = self.summarize(inputs, &report.outcome, &recorded, &facts, wall_s);
        if let Some(folder) = &folder {
            write(&folder.join("summary.json"), summary.to_json().as_bytes())?;
            if summary.digest.is_some() {
                Seal::of(folder, &WRITTEN, summary.digest.clone())?.write(folder)?;
            }
        }
        tracing::info!(status = summary.status, digest = summary.digest, wall_s, "run ended");
        let RunReport { services, error, .. } = report;
        let report = Report { summary, folder, services };
        match (error, recorded.figures.unexplained()) {
            (Some(source), _) => Err(BacktestError::Failed { source, report: Box::new(report) }),
            (None, Some(source)) => {
                Err(BacktestError::Unexplained { source, report: Box::new(report) })
            }
            (None, None) => Ok(report),
        }
    }

    /// Runs with services polled in `count` random orders and in rank order, leaving nothing: all
    /// must give one digest.
    ///
    /// # Errors
    ///
    /// The first schedule that comes to something else, with where they part; or a run that failed.
    pub fn fuzz_schedules(&self, count: u64) -> Result<String, BacktestError> {
        let folder = tempfile::tempdir().map_err(FolderError::create_at("a temporary folder"))?;
        let path = folder.path().join("rank");
        let output = Output::Explicit { path: path.clone(), overwrite: false };
        let report = self.clone().with_log().output(output).run()?;
        let run = PastRun::open(self.app.clone(), &path)?;
        for seed in 0..count {
            match run.reexecute_by(Schedule::Shuffled(seed))? {
                Reexecution::Same { .. } => {}
                Reexecution::Length { recorded, computed } => {
                    let found = format!("{computed} commits instead of {recorded}");
                    return Err(BacktestError::Schedule {
                        seed,
                        found,
                        divergence: Box::default(),
                    });
                }
                Reexecution::Diverged(diverged) => {
                    let Diverged { commit, divergence } = diverged;
                    let found = format!("another commit {commit}");
                    return Err(BacktestError::Schedule { seed, found, divergence });
                }
            }
        }
        Ok(report.digest().unwrap_or_default().to_owned())
    }

    fn summarize(
        &self,
        inputs: &Inputs,
        outcome: &RunOutcome,
        recorded: &Recorded,
        facts: &[SeriesFacts],
        wall_s: f64,
    ) -> Summary {
        let Figures { first, last, equity_start, equity_end, .. } = recorded.figures;
        let figures = &recorded.figures;
        let (metrics, metrics_undefined) = Metrics::of(figures);
        let named = PnlComponents::of(&self.config.pnl.attribution_types);
        let failure = outcome.failure.as_ref().map(ToString::to_string);
        let unexplained = figures.unexplained().map(|unexplained| unexplained.to_string());
        let status = if unexplained.is_some() { RunStatus::Failed } else { outcome.status };
        // The finer candles that say what happened inside bars are no bars of their own.
        let frames: usize = self.config.data.iter().map(|series| series.paths.len()).sum();
        let facts_of_frames = &facts[..frames.min(facts.len())];
        let bars = facts_of_frames.iter().map(|file| file.rows).sum();
        Summary {
            schema: SCHEMA,
            name: self.config.name.clone(),
            version: env!("CARGO_PKG_VERSION"),
            revision: option_env!("TICKDRAIN_REVISION").unwrap_or("unknown"),
            run_id: inputs.run_id.clone(),
            status: status.name(),
            error: failure.or(unexplained),
            digest: recorded.digest.map(|digest| digest.to_hex().to_string()),
            inputs: input_files(inputs, facts),
            frames: outcome.frames,
            bars,
            events: outcome.events,
            start: first.map(|ts| ts.to_string()),
            end: last.map(|ts| ts.to_string()),
            interval: self.config.interval.to_string(),
            fill: self.config.execution.fill.name(),
            share_class: self.config.share_class.to_string(),
            equity_start,
            equity_end,
            metrics,
            metrics_undefined,
            attribution: figures.profit.map(|profit| attribution(&profit, named)),
            orders: Orders::from(&figures.orders),
            trades: Trades::from(&figures.trades),
            costs: Costs::from(figures),
            risk: Risk::from(figures),
            integrity: self.integrity(facts_of_frames, figures),
            timing: Timing::of(wall_s, bars, outcome.events),
        }
    }

    fn integrity(&self, facts: &[SeriesFacts], figures: &Figures) -> Integrity {
        let policy = |gaps: GapPolicy| match gaps {
            GapPolicy::Error => None,
            GapPolicy::Skip => Some("skip"),
            GapPolicy::Synthetic => Some("synthetic"),
        };
        let mut policies = Vec::new();
        if self.config.execution.fill == FillTiming::SameClose {
            policies.push("fill = same_close: prone to look-ahead".to_owned());
        }
        for series in self.config.data.iter().chain(&self.config.marks) {
            if let Some(policy) = policy(series.gaps) {
                policies.push(format!("{}: gaps = {policy}", series.name()));
            }
            if series.time == TimeLabel::Close {
                policies.push(format!("{}: time = close", series.name()));
            }
        }
        for series in &self.config.points {
            if let Some(policy) = policy(series.gaps) {
                policies.push(format!("{}: gaps = {policy}", series.name()));
            }
        }
        Integrity {
            reconciliations: figures.reconciliations,
            mismatches: figures.mismatches,
            synthetic_bars: facts.iter().map(|file| file.synthetic_bars).sum(),
            gaps: facts.iter().map(|file| file.missing).sum(),
            policies,
            dropped: 0,
        }
    }
}

/// Whether a run failed only because its writer did.
fn is_writers(error: &EngineError) -> bool {
    if let EngineError::Service { source, .. } = error { source.is::<FolderError>() } else { false }
}

fn input_files(inputs: &Inputs, facts: &[SeriesFacts]) -> Vec<Input> {
    let file = |(facts, blake3): (&SeriesFacts, &String)| Input {
        path: facts.path.clone(),
        series: facts.name.clone(),
        blake3: blake3.clone(),
        rows: facts.rows,
        first: facts.first.map(|ts| ts.to_string()),
        last: facts.last.map(|ts| ts.to_string()),
        holes: facts.holes,
        synthetic: facts.synthetic_data,
    };
    facts.iter().zip(&inputs.datasets).map(file).collect()
}

/// Writes a file that is there as a whole or not at all, whatever happens meanwhile.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    let part = path.with_extension("part");
    write(&part, bytes)?;
    fs::rename(&part, path).map_err(|source| FolderError::Write { path: path.to_owned(), source })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    fs::write(path, bytes).map_err(|source| FolderError::Write { path: path.to_owned(), source })
}

/// Drives a future on this thread; nothing in a backtest needs more than that.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without drivers needs nothing from the system")
        .block_on(future)
}

#[expect(clippy::disallowed_methods, reason = "timing stands beside the results, never in them")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
