//! Models of execution: from what the run file says to what the exchange uses.

use std::rc::Rc;

use execution::{ExecutionSettings, ImpactTerms};
use model::instrument::InstrumentTable;
use model::market::DataProvider;
use model::money::Bps;
use model::numeric::float_of;
use model::order::{OrderId, StrategyIx};
use model::time::Interval;
use venues::exchange::{ExchangeSettings, Models, Unfilled};
use venues::fees::FeeModel;
use venues::latency::{FixedLatency, Latency, LatencyModel, UniformLatency};
use venues::participation::{ParticipationModel, ShareOfVolume, Unlimited};
use venues::path::{NearestExtreme, PathModel, Pessimistic, SubBars};
use venues::slippage::{FixedSlippage, NoSlippage, SizeBuckets, SlippageModel, SpreadImpact};

use crate::catalog::ModelCatalog;
use crate::runfile::config::RunConfig;
use crate::runfile::execution::{
    ExecutionConfig, FillTiming, LatencyConfig, ParticipationConfig, PathConfig, SlippageConfig,
};
use crate::runfile::risk::OnCritical;
use crate::runfile::strategy::StrategyConfig;
use crate::runfile::venues::TariffConfig;
use crate::{terms, transfers};

/// How a run executes orders and values what it holds.
pub fn execution_settings(config: &RunConfig, own: &ModelCatalog) -> ExecutionSettings {
    ExecutionSettings {
        exchange: exchange_settings(config, own),
        same_close: config.execution.fill == FillTiming::SameClose,
        on_failed_order: config.execution.on_failed_order,
        real_source: config.execution.real_source,
        transfers: transfers::routes(config),
        exposure: terms::exposure(config),
        risk: terms::risk(config),
        strictness: terms::strictness(config),
        stops_on_critical: config.risk.on_critical == OnCritical::StopRun,
    }
}

/// By what the gate of a run judges what orders would do to the account, valued as in `settings`.
pub fn impact_terms(
    config: &RunConfig,
    settings: &ExecutionSettings,
    market: &Rc<DataProvider>,
) -> ImpactTerms {
    ImpactTerms::new(settings, market, float_of(config.risk.max_leg_delta))
}

/// How the exchange of a run fills orders.
pub fn exchange_settings(config: &RunConfig, own: &ModelCatalog) -> ExchangeSettings {
    let execution = &config.execution;
    ExchangeSettings {
        interval: config.interval,
        seed: config.seed,
        rules: execution.rules,
        tiers: crate::margins::tiers(config),
        unfilled: unfilled(config),
        models: Models {
            path: path(execution.path, own),
            participation: participation(execution.participation, own),
            slippage: slippage(&execution.slippage, own),
            latency: latency(execution, own),
            fees: fees(&config.instruments, config, own),
        },
    }
}

/// Orders that are not to fill: `<strategy id>-<number>`, or what their strategies call them.
fn unfilled(config: &RunConfig) -> Unfilled {
    let mut unfilled = Unfilled::default();
    for name in &config.execution.unfilled {
        let of_strategy = |(place, strategy): (u16, &StrategyConfig)| {
            let number =
                name.strip_prefix(strategy.id.as_str())?.strip_prefix('-')?.parse().ok()?;
            Some(OrderId { strategy: StrategyIx(place), number })
        };
        unfilled.numbered.extend((0u16..).zip(&config.strategies).find_map(of_strategy));
        unfilled.named.insert(name.as_str().into());
    }
    unfilled
}

fn path(config: PathConfig, own: &ModelCatalog) -> Rc<dyn PathModel> {
    match config {
        PathConfig::Pessimistic => Rc::new(Pessimistic),
        PathConfig::NearestExtreme => Rc::new(NearestExtreme),
        PathConfig::SubBars => Rc::new(SubBars),
        PathConfig::Own(name) => own.path(name),
    }
}

fn participation(config: ParticipationConfig, own: &ModelCatalog) -> Rc<dyn ParticipationModel> {
    match config {
        ParticipationConfig::Share(share) if share == Bps::default() => Rc::new(Unlimited),
        ParticipationConfig::Share(share) => Rc::new(ShareOfVolume(share)),
        ParticipationConfig::Own(name) => own.participation(name),
    }
}

fn slippage(config: &SlippageConfig, own: &ModelCatalog) -> Rc<dyn SlippageModel> {
    match config {
        SlippageConfig::None => Rc::new(NoSlippage),
        SlippageConfig::Fixed(distance) => Rc::new(FixedSlippage(*distance)),
        SlippageConfig::SpreadImpact { spread, impact, exponent } => {
            Rc::new(SpreadImpact { spread: *spread, impact: *impact, exponent: *exponent })
        }
        SlippageConfig::Buckets(buckets) => Rc::new(SizeBuckets { buckets: buckets.clone() }),
        SlippageConfig::Own(name) => own.slippage(name),
    }
}

fn latency(config: &ExecutionConfig, own: &ModelCatalog) -> Rc<dyn LatencyModel> {
    let millis = |length: Option<Interval>| length.map_or(0, Interval::millis);
    let bars = config.latency_bars;
    match config.latency {
        LatencyConfig::Fixed(length) => {
            Rc::new(FixedLatency(Latency { millis: millis(length), bars }))
        }
        LatencyConfig::Uniform(min, max) => {
            Rc::new(UniformLatency { millis_min: millis(min), millis_max: millis(max), bars })
        }
        LatencyConfig::Own(name) => own.latency(name),
    }
}

/// One fee model per instrument, in the order of the table.
fn fees(
    instruments: &InstrumentTable,
    config: &RunConfig,
    own: &ModelCatalog,
) -> Vec<Rc<dyn FeeModel>> {
    let of_instrument = |id: &model::instrument::InstrumentId| -> Rc<dyn FeeModel> {
        match config.venues.tariff(id) {
            TariffConfig::MakerTaker(table) => Rc::new(table),
            TariffConfig::Own(name) => own.fees(name),
        }
    };
    instruments.instruments().map(|(_, instrument)| of_instrument(&instrument.id)).collect()
}
