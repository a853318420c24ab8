//! `[execution]`: how orders fill.

use execution::execution_service::RealSourceKind as RealSource;
use execution::profile::FailedOrderPolicy;
use model::Decimal;
use model::money::Bps;
use model::time::Interval;
use venues::exchange::MatchRules;
use venues::slippage::ImpactExponent;

use super::document::Node;
use super::fault::Fault;
use super::field::{Choice, Delay, Field, Flag, wrong};
use super::number::{Number, Positive, Whole};
use super::reader::TableReader;
use crate::catalog::{ModelCatalog, ModelKind};

/// When a market order fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FillTiming {
    /// At the open of the bar after the decision.
    NextOpen,
    /// At the close that was decided on; prone to look-ahead.
    SameClose,
}

impl FillTiming {
    /// The timing as files spell it.
    pub fn name(self) -> &'static str {
        FILLS.word(self)
    }
}

/// In which order prices are assumed to have been reached inside a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathConfig {
    /// The worst for the account first.
    Pessimistic,
    /// The extreme nearest to the open first.
    NearestExtreme,
    /// As finer candles have it.
    SubBars,
    /// A model of the program's own.
    Own(&'static str),
}

/// By how much a taker's price is worse than the bar's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlippageConfig {
    /// Not at all.
    None,
    /// By a fixed distance.
    Fixed(Bps),
    /// By half a spread and an impact.
    SpreadImpact {
        /// The whole spread.
        spread: Bps,
        /// Impact of a fill as large as the bar's volume.
        impact: Bps,
        /// How it grows.
        exponent: ImpactExponent,
    },
    /// By the size of the fill: up to a notional in quote currency, a distance.
    Buckets(Vec<(Decimal, Bps)>),
    /// A model of the program's own.
    Own(&'static str),
}

/// How much of a bar's volume may fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParticipationConfig {
    /// This share; zero for no limit.
    Share(Bps),
    /// A model of the program's own.
    Own(&'static str),
}

/// How long requests are on their way to the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatencyConfig {
    /// Always the same; `None` for no time at all.
    Fixed(Option<Interval>),
    /// Equally likely between two durations, drawn for each order.
    Uniform(Option<Interval>, Option<Interval>),
    /// A model of the program's own.
    Own(&'static str),
}

/// How orders fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionConfig {
    /// When a market order fills.
    pub fill: FillTiming,
    /// By how much a fill is worse than its price.
    pub slippage: SlippageConfig,
    /// Share of a bar's volume that may fill.
    pub participation: ParticipationConfig,
    /// Rules of matching.
    pub rules: MatchRules,
    /// Path of prices inside a bar.
    pub path: PathConfig,
    /// Bars that an order takes to reach the venue.
    pub latency_bars: u32,
    /// Time that an order takes to reach the venue.
    pub latency: LatencyConfig,
    /// What an operation that failed does to the run.
    pub on_failed_order: FailedOrderPolicy,
    /// Where reported positions come from.
    pub real_source: RealSource,
    /// Orders that are not to fill, as `orders.parquet` calls them: what if they had not?
    pub unfilled: Vec<String>,
    /// Whether positions are closed at the last bar. Not implemented yet.
    pub exit_at_end: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum SlippageModelName {
    None,
    Fixed,
    SpreadImpact,
    Buckets,
    Own(&'static str),
}

const FILLS: Choice<'static, FillTiming> =
    Choice(&[("next_open", FillTiming::NextOpen), ("same_close", FillTiming::SameClose)]);
const PATHS: [(&str, PathConfig); 3] = [
    ("pessimistic", PathConfig::Pessimistic),
    ("nearest_extreme", PathConfig::NearestExtreme),
    ("sub_bars", PathConfig::SubBars),
];
const POLICIES: Choice<'static, FailedOrderPolicy> = Choice(&[
    ("abort_run", FailedOrderPolicy::AbortRun),
    ("abort_timestep", FailedOrderPolicy::AbortTimestep),
    ("continue", FailedOrderPolicy::Continue),
]);
const REAL_SOURCES: Choice<'static, RealSource> =
    Choice(&[("simulator_ledger", RealSource::SimulatorLedger), ("copy", RealSource::Copy)]);
const SLIPPAGE_MODELS: [(&str, SlippageModelName); 4] = [
    ("none", SlippageModelName::None),
    ("fixed", SlippageModelName::Fixed),
    ("spread_impact", SlippageModelName::SpreadImpact),
    ("buckets", SlippageModelName::Buckets),
];
const EXPONENTS: Choice<'static, ImpactExponent> =
    Choice(&[("linear", ImpactExponent::Linear), ("square_root", ImpactExponent::SquareRoot)]);
/// A share of something whole, in basis points.
const SHARE_BPS: Number =
    Number { min: Decimal::ZERO, max: Decimal::from_parts(10_000, 0, 0, false, 0) };

/// Names of the shipped models of a kind.
pub(crate) fn shipped_models(kind: ModelKind) -> Vec<&'static str> {
    match kind {
        ModelKind::Path => PATHS.map(|(name, _)| name).to_vec(),
        ModelKind::Slippage => SLIPPAGE_MODELS.map(|(name, _)| name).to_vec(),
        ModelKind::Participation | ModelKind::Latency | ModelKind::Fees => Vec::new(),
    }
}

/// Reads `[execution]`; `models` are those of the program's own.
pub(super) fn read(root: &mut TableReader<'_>, models: &ModelCatalog) -> ExecutionConfig {
    let mut reader = root.table("execution");
    let fill = reader.or_default("fill", &FILLS, FillTiming::NextOpen);
    let slippage = read_slippage(&mut reader, models);
    let participation = read_participation(&mut reader, models);
    let market_carry = reader.or_default("market_carry", &Flag, true);
    let clip_to_bar = reader.or_default("clip_to_bar", &Flag, false);
    let paths = with_own(&PATHS, models, ModelKind::Path, PathConfig::Own);
    let path = reader.or_default("path", &Choice(&paths), PathConfig::Pessimistic);
    let touch_fills = reader.or_default("touch_fills", &Flag, false);
    let conservative_gaps = reader.or_default("conservative_gaps", &Flag, true);
    let bars = Whole { min: 0, max: 1_000 };
    let latency_bars = reader.or_default("latency_bars", &bars, 0);
    let config = ExecutionConfig {
        fill,
        slippage,
        participation,
        rules: MatchRules { touch_fills, conservative_gaps, market_carry, clip_to_bar },
        path,
        latency_bars: u32::try_from(latency_bars).expect("a count within its limits"),
        latency: read_latency(&mut reader, models),
        on_failed_order: reader.or_default(
            "on_failed_order",
            &POLICIES,
            FailedOrderPolicy::AbortRun,
        ),
        real_source: reader.or_default("real_source", &REAL_SOURCES, RealSource::SimulatorLedger),
        unfilled: reader.optional("unfilled", &OrderNames).unwrap_or_default(),
        exit_at_end: reader.only_default("exit_at_end", &Flag, false),
    };
    root.put("execution", toml::Value::Table(reader.finish()));
    config
}

/// A list of orders, as `orders.parquet` calls them.
struct OrderNames;

impl Field for OrderNames {
    type Value = Vec<String>;

    fn expected(&self) -> String {
        "a list of orders, such as [\"sma_cross-3\"]".to_owned()
    }

    fn read(&self, node: &Node) -> Result<Vec<String>, Vec<Fault>> {
        let nodes = node.as_array().ok_or_else(|| vec![wrong(self, node)])?;
        let name = |node: &Node| node.as_str().map(str::to_owned).ok_or_else(|| wrong(self, node));
        nodes.iter().map(name).collect::<Result<_, _>>().map_err(|fault| vec![fault])
    }

    fn write(&self, names: &Vec<String>) -> toml::Value {
        toml::Value::Array(names.iter().cloned().map(toml::Value::String).collect())
    }
}

/// Words for the shipped models, and the names of the program's own.
fn with_own<T: Copy>(
    shipped: &[(&'static str, T)],
    models: &ModelCatalog,
    kind: ModelKind,
    own: fn(&'static str) -> T,
) -> Vec<(&'static str, T)> {
    shipped.iter().copied().chain(models.names(kind).map(|name| (name, own(name)))).collect()
}

fn read_slippage(execution: &mut TableReader<'_>, models: &ModelCatalog) -> SlippageConfig {
    let mut reader =
        execution.table_of("slippage", "a table such as { model = \"fixed\", bps = 1 }");
    let names = with_own(&SLIPPAGE_MODELS, models, ModelKind::Slippage, SlippageModelName::Own);
    let bps = |reader: &mut TableReader<'_>, key: &str| {
        Bps(reader.or_default(key, &SHARE_BPS, Decimal::ZERO))
    };
    if !execution.is_vacant("slippage") && reader.node("model").is_none() {
        // Which other keys there are is for the model to say.
        reader.record_missing("model", Choice(&names).expected());
        reader.abandon();
        return SlippageConfig::None;
    }
    let faults_before = reader.log().len();
    let model = reader.or_default("model", &Choice(&names), SlippageModelName::None);
    if reader.log().len() > faults_before {
        reader.abandon();
        return SlippageConfig::None;
    }
    let slippage = match model {
        SlippageModelName::None => SlippageConfig::None,
        SlippageModelName::Own(name) => SlippageConfig::Own(name),
        SlippageModelName::Fixed => SlippageConfig::Fixed(bps(&mut reader, "bps")),
        SlippageModelName::SpreadImpact => SlippageConfig::SpreadImpact {
            spread: bps(&mut reader, "spread_bps"),
            impact: bps(&mut reader, "impact_bps"),
            exponent: reader.or_default("exponent", &EXPONENTS, ImpactExponent::Linear),
        },
        SlippageModelName::Buckets => SlippageConfig::Buckets(read_buckets(&mut reader)),
    };
    execution.put("slippage", toml::Value::Table(reader.finish()));
    slippage
}

/// `buckets = [{ up_to = "10000", bps = 1 }, …]`, ascending.
fn read_buckets(slippage: &mut TableReader<'_>) -> Vec<(Decimal, Bps)> {
    let example = "a list of { up_to = notional, bps = distance }";
    if slippage.is_vacant("buckets") {
        slippage.record_missing("buckets", example);
    }
    let mut buckets: Vec<(Decimal, Bps)> = Vec::new();
    let mut resolved = Vec::new();
    for mut reader in slippage.tables_of("buckets", "{ up_to = notional, bps = distance }") {
        let up_to = reader.required("up_to", &Positive);
        let bps = reader.required("bps", &SHARE_BPS);
        if let (Some(up_to), Some((last, _))) = (up_to, buckets.last())
            && up_to <= *last
        {
            let found = format!("{up_to} after {last}");
            reader.record("up_to", "CFG-VALUE", found, "notionals in ascending order");
        }
        buckets.extend(up_to.zip(bps.map(Bps)));
        resolved.push(toml::Value::Table(reader.finish()));
    }
    slippage.put("buckets", toml::Value::Array(resolved));
    buckets
}

fn read_participation(reader: &mut TableReader<'_>, models: &ModelCatalog) -> ParticipationConfig {
    let share = reader.or_default("participation_bps", &SHARE_BPS, Decimal::ZERO);
    if models.names(ModelKind::Participation).next().is_none()
        && reader.peek("participation").is_none()
    {
        return ParticipationConfig::Share(Bps(share));
    }
    let own = OwnModel::of(models, ModelKind::Participation, "a share as `participation_bps`");
    let own = reader.optional("participation", &own);
    own.map_or(ParticipationConfig::Share(Bps(share)), ParticipationConfig::Own)
}

/// A duration, `{ min = …, max = … }`, or `{ model = … }`.
fn read_latency(execution: &mut TableReader<'_>, models: &ModelCatalog) -> LatencyConfig {
    if execution.peek("latency").and_then(Node::as_table).is_none() {
        return LatencyConfig::Fixed(execution.or_default("latency", &Delay, None));
    }
    let mut reader = execution.table("latency");
    let latency = if reader.node("model").is_some() {
        let own = OwnModel::of(models, ModelKind::Latency, "{ min = …, max = … }");
        reader.required("model", &own).map_or(LatencyConfig::Fixed(None), LatencyConfig::Own)
    } else {
        let min = reader.or_default("min", &Delay, None);
        let max = reader.required("max", &Delay).unwrap_or(min);
        if max.map_or(0, Interval::millis) < min.map_or(0, Interval::millis) {
            let [min, max] = [min, max].map(|delay| Delay.write(&delay));
            reader.record("max", "CFG-VALUE", max.to_string(), format!("at least min, {min}"));
        }
        LatencyConfig::Uniform(min, max)
    };
    execution.put("latency", toml::Value::Table(reader.finish()));
    latency
}

/// The name of one of the program's own models.
#[derive(Debug)]
pub(super) struct OwnModel {
    names: Vec<(&'static str, &'static str)>,
    /// What can be said in its place.
    instead: &'static str,
}

impl OwnModel {
    pub(super) fn of(models: &ModelCatalog, kind: ModelKind, instead: &'static str) -> Self {
        Self { names: models.names(kind).map(|name| (name, name)).collect(), instead }
    }
}

impl Field for OwnModel {
    type Value = &'static str;

    fn expected(&self) -> String {
        match self.names.as_slice() {
            [] => format!("{}: this program has no such model of its own", self.instead),
            names => Choice(names).expected(),
        }
    }

    fn read(&self, node: &Node) -> Result<&'static str, Vec<Fault>> {
        let names = Choice(&self.names);
        names.read(node).map_err(|mut faults| {
            for fault in &mut faults {
                fault.expected = self.expected();
            }
            faults
        })
    }

    fn write(&self, value: &&'static str) -> toml::Value {
        toml::Value::String((*value).to_owned())
    }
}
