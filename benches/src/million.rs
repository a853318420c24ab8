//! The million-bar workload: one-minute bars, `sma_cross` 10/30, about 40,000 orders.

use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use engine::feed::BarFeed;
use engine::rank::{Rank, Role};
use engine::run::{BacktestEngine, RunReport, Settings};
use engine::strategy_runner::StrategyRunner;
use execution::execution_service::ExecutionError;
use execution::{ExecutionService, RiskGate};
use futures_util::{Stream, TryStreamExt};
use model::frame::Frame;
use model::market::DataProvider;
use model::order::StrategyIx;
use store::feed::{CandleFeed, FeedSpec};
use tickdrain::models::{execution_settings, impact_terms};
use tickdrain::runfile::config::RunConfig;
use tickdrain::{App, BacktestError};

/// The frames of a run file, all in memory, and what else its run needs.
#[derive(Debug)]
pub struct Workload {
    config: RunConfig,
    app: App,
    frames: Vec<Frame>,
}

impl Workload {
    /// Reads a run file and all its candles.
    ///
    /// # Errors
    ///
    /// The run file or its data is wrong.
    pub async fn load(run_file: &Path) -> Result<Self, BacktestError> {
        let app = App::new();
        let config = RunConfig::load(run_file, &[], app.catalog())?;
        let series = config.data.iter().map(tickdrain::runfile::data::CandleSeries::spec).collect();
        let spec = FeedSpec {
            start: config.start,
            end: config.end,
            ..FeedSpec::new(series, config.instruments.len(), config.interval)
        };
        let frames = CandleFeed::open(&spec)?.try_collect().await?;
        Ok(Self { config, app, frames })
    }

    /// Number of frames.
    pub const fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there are no frames.
    pub const fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Keeps the first `count` frames.
    pub fn truncate(&mut self, count: usize) {
        self.frames.truncate(count);
    }

    /// Runs the frames through execution, strategy and gate; nothing is recorded.
    ///
    /// # Errors
    ///
    /// A holding without a price.
    ///
    /// # Panics
    ///
    /// If the strategy cannot be built; the run file has been validated.
    pub async fn run(&self) -> Result<RunReport, ExecutionError> {
        let instruments = Rc::new(self.config.instruments.clone());
        let keys = || instruments.keys();
        let initial: Vec<_> = self
            .config
            .initial
            .iter()
            .filter_map(|(key, amount)| {
                keys().find(|(_, known)| *known == key).map(|(place, _)| (place, *amount))
            })
            .collect();
        let settings = execution_settings(&self.config, self.app.catalog().models());
        let fees = settings.exchange.models.fees.clone();
        let market = Rc::new(DataProvider::new(&instruments));
        let terms = impact_terms(&self.config, &settings, &market);
        let execution = ExecutionService::new(Rc::clone(&instruments), settings, market, &initial)?;
        let mut strategies = self.config.build_strategies(self.app.catalog()).expect("validated");
        let strategy = StrategyRunner::new("sma", StrategyIx(0), strategies.remove(0), 100_000);
        let engine = BacktestEngine::new(Settings::default())
            .service(Rank::first(Role::Execution), execution)
            .service(Rank::first(Role::Strategy), strategy)
            .service(Rank::first(Role::Gate), RiskGate::new(instruments, fees, terms));
        Ok(engine.run(Frames(self.frames.iter())).await)
    }
}

/// Frames that are in memory.
#[derive(Debug)]
struct Frames<'a>(std::slice::Iter<'a, Frame>);

impl Stream for Frames<'_> {
    type Item = Result<Frame, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next().cloned().map(Ok))
    }
}

impl BarFeed for Frames<'_> {
    type Error = std::convert::Infallible;
}
