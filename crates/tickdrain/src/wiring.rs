//! Wiring: a validated run file becomes services on a bus.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use engine::bus::{Limits, Schedule};
use engine::rank::{Rank, Role};
use engine::run::{BacktestEngine, Settings};
use engine::strategy_runner::StrategyRunner;
use execution::{ExecutionService, RiskGate};
use model::Decimal;
use model::instrument::{InstrumentTable, KeyIx};
use model::market::DataProvider;
use model::order::StrategyIx;
use model::time::UtcMillis;
use store::audit::commit::{Header, Terms};
use store::audit::{ChainPlan, LogPlan, Recording, RecordingPlan, kind::SCHEMA_VERSION, record};
use store::candles::{fingerprint, row_count};
use store::feed::{CandleFeed, FeedSpec};

use crate::app::{App, ServiceSetup};
use crate::error::BacktestError;
use crate::models::{execution_settings, impact_terms};
use crate::question::Question;
use crate::registry::Registry;
use crate::runfile::config::RunConfig;
use crate::runfile::data::CandleSeries;
use crate::runfile::execution::PathConfig;
use crate::runfile::points::PointSeries;

/// How long a service may hold an envelope before the watchdog names it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the results of a run are a function of.
#[derive(Clone, Debug)]
pub(crate) struct Inputs {
    /// Hash of all of them.
    pub(crate) run_id: String,
    /// Hash of every data file, series by series, file by file.
    pub(crate) datasets: Vec<String>,
}

impl Inputs {
    /// Hashes the inputs of a run.
    ///
    /// # Errors
    ///
    /// A data file cannot be read.
    pub(crate) fn of(config: &RunConfig) -> Result<Self, BacktestError> {
        let datasets = config
            .all_files()
            .flatten()
            .map(|path| Ok(fingerprint(path)?.blake3.to_hex().to_string()))
            .collect::<Result<Vec<_>, BacktestError>>()?;
        let mut hasher = blake3::Hasher::new_derive_key("tickdrain run id");
        hasher.update(config.semantic_toml().as_bytes());
        let mut hashes = datasets.iter();
        for files in config.all_files() {
            // How many files a series has is part of what it is: the same hashes could be divided
            // otherwise.
            hasher.update(&(files.len() as u64).to_le_bytes());
            for dataset in hashes.by_ref().take(files.len()) {
                hasher.update(dataset.as_bytes());
            }
        }
        hasher.update(Registry::built_in().hash().as_bytes());
        Ok(Self { run_id: hasher.finalize().to_hex().to_string(), datasets })
    }

    fn header(&self, terms: Terms) -> Header {
        Header {
            schema: SCHEMA_VERSION,
            run_id: self.run_id.clone(),
            datasets: self.datasets.clone(),
            terms,
            program: format!("tickdrain {}", env!("CARGO_PKG_VERSION")),
        }
    }
}

/// Opens the data of a run.
///
/// # Errors
///
/// A file that cannot be read, or data that does not cover the window.
pub(crate) fn open_feed(config: &RunConfig) -> Result<CandleFeed, BacktestError> {
    let series = config.data.iter().map(CandleSeries::spec).collect();
    let spec = FeedSpec {
        start: config.start,
        end: config.end,
        warmup: config.warmup,
        align: config.align,
        read_ahead: config.engine.read_ahead,
        batch_rows: config.engine.batch_rows,
        keeps_sub_bars: matches!(config.execution.path, PathConfig::SubBars | PathConfig::Own(_)),
        sub_series: config.finer_data.iter().map(CandleSeries::spec).collect(),
        marks: config.marks.iter().map(CandleSeries::spec).collect(),
        points: config.points.iter().map(PointSeries::spec).collect(),
        ..FeedSpec::new(series, config.instruments.len(), config.interval)
    };
    Ok(CandleFeed::open(&spec)?)
}

/// Frames that a run will have, as far as the files tell before they are read; for progress only.
pub(crate) fn expected_frames(config: &RunConfig) -> Option<u64> {
    let of_series = |series: &CandleSeries| {
        let rows: u64 = series.paths.iter().map(|path| row_count(path)).sum::<Option<u64>>()?;
        let per_frame = config.interval.millis() / series.interval.millis();
        Some(rows / u64::try_from(per_frame).ok()?.max(1))
    };
    let of_data =
        config.data.iter().map(of_series).collect::<Option<Vec<u64>>>()?.into_iter().max()?;
    let window = config.start.zip(config.end).and_then(|(start, end)| {
        u64::try_from((end.millis() - start.millis()) / config.interval.millis()).ok()
    });
    Some(window.map_or(of_data, |window| window.min(of_data)))
}

/// How a run is watched and recorded; nothing of it changes a result.
#[derive(Clone, Debug, Default)]
pub(crate) struct Circumstances {
    /// Where results go.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) log: LogPlan,
    pub(crate) schedule: Schedule,
    pub(crate) stop: Arc<AtomicBool>,
    /// The frame whose decisions are to be told with all that was looked at.
    pub(crate) question: Option<Question>,
}

/// Puts the services of a run on a bus: execution, strategies, services of one's own, gate, audit.
///
/// # Errors
///
/// The log cannot be created, or a holding has no price.
pub(crate) fn wire(
    app: &App,
    config: &RunConfig,
    inputs: &Inputs,
    circumstances: Circumstances,
) -> Result<(BacktestEngine, Recording), BacktestError> {
    let Circumstances { folder, log, schedule, stop, question } = circumstances;
    let instruments = Rc::new(config.instruments.clone());
    let settings = execution_settings(config, app.catalog().models());
    let market = Rc::new(DataProvider::new(&instruments));
    let fees = settings.exchange.models.fees.clone();
    let enabled = settings.risk.limits.enabled;
    let terms = impact_terms(config, &settings, &market);
    let gate = RiskGate::new(Rc::clone(&instruments), fees, terms);
    let opening = initial(&instruments, config);
    let execution = ExecutionService::new(Rc::clone(&instruments), settings, market, &opening)?;
    #[cfg(feature = "planted-faults")]
    let execution = app.plant(execution);
    let ids = config.strategies.iter().map(|strategy| strategy.id.clone());
    let strategies: Vec<String> = ids.chain(app.service_names().map(str::to_owned)).collect();
    let share_class = config.share_class.to_string();
    let interval_ms = config.interval.millis();
    let terms = Terms::new(&share_class, interval_ms, strategies.clone(), &instruments, &opening);
    let (audit, recording) = record(RecordingPlan {
        folder,
        log,
        header: inputs.header(terms),
        instruments: Rc::clone(&instruments),
        strategies,
        interval: config.interval,
        chain: ChainPlan { every_frame: config.results.every_frame, enabled },
    })?;
    let limits = Limits {
        max_events_per_tick: config.engine.max_events_per_tick,
        max_cycles_per_tick: config.engine.max_cycles_per_tick,
    };
    let engine = BacktestEngine::new(Settings { limits, schedule, stop, patience: Some(PATIENCE) })
        .service(Rank::first(Role::Execution), execution)
        .service(Rank::first(Role::Gate), gate)
        .service(Rank::first(Role::Audit), audit);
    let asked = question.as_ref().map(|question| question.ts);
    let engine = host_strategies(engine, app, config, &instruments, asked);
    let engine = match question {
        Some(question) => {
            let last = u16::try_from(app.service_names().count()).expect("fewer than 65,536");
            engine.service(Rank::nth(Role::User, last), question)
        }
        None => engine,
    };
    let first = u16::try_from(config.strategies.len()).expect("fewer than 65,536 strategies");
    let setup =
        ServiceSetup { instruments, strategy: StrategyIx(first), interval: config.interval };
    Ok((app.attach_services(engine, &setup), recording))
}

fn host_strategies(
    mut engine: BacktestEngine,
    app: &App,
    config: &RunConfig,
    instruments: &Rc<InstrumentTable>,
    asked: Option<UtcMillis>,
) -> BacktestEngine {
    let built = config.build_strategies(app.catalog()).expect("the run file has been validated");
    let limit = config.engine.max_events_per_tick;
    for ((index, strategy), built) in (0u16..).zip(&config.strategies).zip(built) {
        let runner = StrategyRunner::new(&strategy.id, StrategyIx(index), built, limit)
            .with_instruments(Rc::clone(instruments))
            .explaining(asked);
        engine = engine.service(Rank::nth(Role::Strategy, index), runner);
    }
    engine
}

fn initial(instruments: &InstrumentTable, config: &RunConfig) -> Vec<(KeyIx, Decimal)> {
    let resolved = config.initial.iter().map(|(key, amount)| {
        (instruments.find_key(key).expect("the keys of `initial` are in the table"), *amount)
    });
    resolved.collect()
}
