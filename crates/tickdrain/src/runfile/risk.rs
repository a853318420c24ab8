//! `[risk]`: the ladder of specification 04 §6.2, and what happens on its rungs.

use std::collections::BTreeMap;

use model::Decimal;
use model::risk::RiskType;

use super::document::Node;
use super::fault::Fault;
use super::field::{Choice, Field, wrong};
use super::number::{Number, Whole, parse_decimal};
use super::reader::TableReader;
use crate::registry::Asset;

/// The words for [`RiskType`].
const RISK_TYPES: Choice<'static, RiskType> = Choice(&[
    ("health_factor", RiskType::HealthFactor),
    ("ltv_ratio", RiskType::LtvRatio),
    ("liquidation_threshold", RiskType::LiquidationThreshold),
    ("cex_margin_ratio", RiskType::CexMarginRatio),
    ("liq_price", RiskType::LiqPrice),
    ("delta_risk", RiskType::DeltaRisk),
    ("funding_risk", RiskType::FundingRisk),
    ("basis_risk", RiskType::BasisRisk),
    ("peg_risk", RiskType::PegRisk),
    ("leverage", RiskType::Leverage),
    ("concentration", RiskType::Concentration),
    ("liquidity_risk", RiskType::LiquidityRisk),
    ("drawdown", RiskType::Drawdown),
    ("data_staleness", RiskType::DataStaleness),
]);

/// A figure that has a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RiskMetric {
    /// Health factor of the lending account; its target is the liquidation threshold over that of
    /// the LTV.
    HealthFactor,
    /// Debt over collateral.
    LtvRatio,
    /// Margin equity over notional, at the worst venue.
    CexMarginRatio,
    /// Maintenance margin over margin equity.
    MmUsage,
    /// Net delta over equity.
    DeltaRisk,
    /// One less market over oracle rate of a staking token.
    PegRisk,
    /// Mean funding rate of seven days, scaled to eight hours.
    FundingRisk,
    /// One less equity over its peak.
    Drawdown,
    /// Share of equity at one venue.
    Concentration,
    /// Age of a needed series, in its intervals.
    DataStaleness,
}

/// Levels of a metric; `None` for a rung that it does not have. Each is worse than the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ladder {
    /// Where the metric should be; checked against the other rungs, and used by nothing yet.
    pub target: Option<Decimal>,
    /// From here on: an event, and a flag for the strategy.
    pub warn: Option<Decimal>,
    /// From here on: nothing that makes it worse.
    pub reduce_only: Option<Decimal>,
    /// From here on: the circuit breaker.
    pub critical: Option<Decimal>,
}

/// What a critical level leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCritical {
    /// The strategy's emergency plan, while the breaker is latched.
    EmergencyPlan,
    /// The end of the run.
    StopRun,
}

const ON_CRITICAL: Choice<'static, OnCritical> =
    Choice(&[("emergency_plan", OnCritical::EmergencyPlan), ("stop_run", OnCritical::StopRun)]);

/// Limits of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RiskConfig {
    /// Risks that lead to actions; none if the run file does not say.
    pub enabled_risk_types: Option<Vec<RiskType>>,
    /// Levels of every metric.
    pub ladders: BTreeMap<RiskMetric, Ladder>,
    /// Margin fractions between which a venue would not be rebalanced; nothing rebalances yet.
    pub margin_band: (Decimal, Decimal),
    /// Liquidation threshold that the target LTV is judged by: that of the e-mode by default.
    pub liquidation_threshold: Decimal,
    /// Loss from the peak at which drawdown is critical; `None` for no limit.
    pub max_drawdown: Option<Decimal>,
    /// Frames on the right side of warn after which the breaker opens.
    pub reset_frames: u32,
    /// Share of a level by which a metric has to come back before the level is left.
    pub hysteresis: Decimal,
    /// Largest delta inside a group of orders, as a share of equity.
    pub max_leg_delta: Decimal,
    /// What a critical level leads to.
    pub on_critical: OnCritical,
    /// Asset whose net delta is kept near zero, or near equity if it is the share class.
    pub delta_tracking_asset: Option<String>,
}

impl RiskConfig {
    /// Levels of a metric.
    ///
    /// # Panics
    ///
    /// Never: every metric has a ladder.
    pub fn ladder(&self, metric: RiskMetric) -> &Ladder {
        self.ladders.get(&metric).expect("every metric has a ladder")
    }

    /// What is wrong with a target LTV (D65): found and expected; `None` if nothing is.
    pub(super) fn target_ltv_fault(&self, target: Decimal) -> Option<(String, String)> {
        let warn = self.ladder(RiskMetric::LtvRatio).warn;
        if let Some(warn) = warn.filter(|warn| target >= *warn) {
            return Some((target.to_string(), format!("less than ltv_ratio.warn, {warn}")));
        }
        let threshold = self.liquidation_threshold;
        let warn = self.ladder(RiskMetric::HealthFactor).warn?;
        (threshold < warn * target).then(|| {
            let factor = (threshold / target).round_dp(4).normalize();
            let found =
                format!("{target}, a health factor of {factor} at a threshold of {threshold}");
            let most = (threshold / warn).round_dp(4).normalize();
            (found, format!("at most {most}, so that health_factor.warn, {warn}, is not reached"))
        })
    }
}

/// How a metric is read; levels as the specification's table has them, empty where it has none.
struct Spec {
    metric: RiskMetric,
    name: &'static str,
    /// Whether lower values are worse.
    falls: bool,
    limits: Number,
    target: Option<&'static str>,
    levels: [&'static str; 3],
}

const SHARE: Number = Number { min: Decimal::ZERO, max: Decimal::ONE };
const RATIO: Number =
    Number { min: Decimal::ZERO, max: Decimal::from_parts(1_000_000, 0, 0, false, 0) };
const RATE: Number = Number { min: Decimal::NEGATIVE_ONE, max: Decimal::ONE };
const LEVELS: [&str; 3] = ["warn", "reduce_only", "critical"];

const fn spec(
    metric: RiskMetric,
    name: &'static str,
    falls: bool,
    limits: Number,
    target: Option<&'static str>,
    levels: [&'static str; 3],
) -> Spec {
    Spec { metric, name, falls, limits, target, levels }
}

const SPECS: [Spec; 10] = [
    spec(RiskMetric::HealthFactor, "health_factor", true, RATIO, None, ["1.25", "1.15", "1.1"]),
    spec(RiskMetric::LtvRatio, "ltv_ratio", false, SHARE, Some("0.65"), ["0.7", "0.75", "0.8"]),
    spec(
        RiskMetric::CexMarginRatio,
        "cex_margin_ratio",
        true,
        RATIO,
        Some("0.25"),
        ["0.2", "0.17", "0.15"],
    ),
    spec(RiskMetric::MmUsage, "mm_usage", false, RATIO, None, ["0.5", "0.65", "0.8"]),
    spec(RiskMetric::DeltaRisk, "delta_risk", false, RATIO, Some("0"), ["0.005", "0.02", "0.05"]),
    spec(RiskMetric::PegRisk, "peg_risk", false, SHARE, Some("0"), ["0.01", "0.0225", "0.04"]),
    spec(RiskMetric::FundingRisk, "funding_risk", true, RATE, None, ["0", "-0.00005", ""]),
    spec(RiskMetric::Drawdown, "drawdown", false, SHARE, None, ["", "", ""]),
    spec(RiskMetric::Concentration, "concentration", false, RATIO, None, ["0.5", "0.7", ""]),
    spec(RiskMetric::DataStaleness, "data_staleness", false, RATIO, None, ["1", "3", "6"]),
];

/// Reads `[risk]`.
pub(super) fn read(root: &mut TableReader<'_>) -> RiskConfig {
    let mut reader = root.table("risk");
    let enabled_risk_types = read_types(&mut reader);
    let reset_frames = reader.or_default("reset_frames", &Whole { min: 1, max: 1_000_000 }, 3);
    let share = |text| parse_decimal(text).expect("a decimal");
    let hysteresis = reader.or_default("hysteresis", &SHARE, share("0.05"));
    let max_leg_delta = reader.or_default("max_leg_delta", &RATIO, share("0.5"));
    let on_critical = reader.or_default("on_critical", &ON_CRITICAL, OnCritical::EmergencyPlan);
    let max_drawdown = reader.or_default("max_drawdown", &Level(SHARE), None);
    let delta_tracking_asset = reader.optional("delta_tracking_asset", &Asset);
    let mut config = RiskConfig {
        enabled_risk_types,
        ladders: BTreeMap::new(),
        margin_band: (share("0.2"), share("0.35")),
        liquidation_threshold: share("0.95"),
        max_drawdown,
        reset_frames: u32::try_from(reset_frames).expect("a count within its limits"),
        hysteresis,
        max_leg_delta,
        on_critical,
        delta_tracking_asset,
    };
    for spec in &SPECS {
        let mut section = reader.table(spec.name);
        let ladder = read_ladder(&mut section, spec, max_drawdown);
        config.ladders.insert(spec.metric, ladder);
        if spec.metric == RiskMetric::LtvRatio {
            let threshold = config.liquidation_threshold;
            config.liquidation_threshold =
                section.or_default("liquidation_threshold", &SHARE, threshold);
            check_target(&section, &config);
        }
        if spec.metric == RiskMetric::CexMarginRatio {
            config.margin_band = read_band(&mut section, &config);
        }
        reader.put(spec.name, toml::Value::Table(section.finish()));
    }
    root.put("risk", toml::Value::Table(reader.finish()));
    config
}

fn read_types(reader: &mut TableReader<'_>) -> Option<Vec<RiskType>> {
    let key = "enabled_risk_types";
    let nodes = reader.node(key)?;
    let Some(nodes) = nodes.as_array() else {
        reader.record(key, "CFG-VALUE", nodes.describe(), "a list of risk types, or an empty one");
        return None;
    };
    let mut types = Vec::new();
    for node in nodes {
        match RISK_TYPES.read(node) {
            Ok(kind) => types.push(kind),
            Err(faults) => {
                for fault in faults {
                    reader.log().record(fault.key(reader.key_path(key)));
                }
            }
        }
    }
    types.sort_unstable();
    types.dedup();
    reader.put(key, toml::Value::Array(types.iter().map(|kind| RISK_TYPES.write(kind)).collect()));
    Some(types)
}

fn read_ladder(reader: &mut TableReader<'_>, spec: &Spec, max_drawdown: Option<Decimal>) -> Ladder {
    let field = Level(spec.limits);
    let target = spec.target.map(|target| {
        let target = parse_decimal(target).expect("a decimal");
        ("target", reader.or_default("target", &field, Some(target)))
    });
    let mut levels = [None; 3];
    let shares = ["0.5", "0.75", "1"].map(|share| parse_decimal(share).expect("a decimal"));
    for (index, name) in LEVELS.into_iter().enumerate() {
        let of_drawdown = max_drawdown.filter(|_| spec.metric == RiskMetric::Drawdown);
        let default = of_drawdown.map(|most| most * shares[index]);
        let default = default.or_else(|| parse_decimal(spec.levels[index]));
        levels[index] = reader.or_default(name, &field, default);
    }
    let rungs = target.into_iter().chain(LEVELS.into_iter().zip(levels));
    let mut before: Option<(&str, Decimal)> = None;
    for (name, level) in rungs {
        let Some(level) = level else { continue };
        if let Some((milder, bound)) = before
            && (if spec.falls { level >= bound } else { level <= bound })
        {
            let side = if spec.falls { "less" } else { "more" };
            let expected = format!("{side} than {milder}, {bound}");
            reader.record(name, "CFG-RISK-LADDER", level.to_string(), expected);
        }
        before = Some((name, level));
    }
    let [warn, reduce_only, critical] = levels;
    Ladder { target: target.and_then(|(_, target)| target), warn, reduce_only, critical }
}

/// D65 for the target of the ladder itself.
fn check_target(section: &TableReader<'_>, config: &RiskConfig) {
    let ladder = config.ladder(RiskMetric::LtvRatio);
    let Some(target) = ladder.target else { return };
    // The first half of the rule is the order of the rungs, which has been checked.
    if ladder.warn.is_some_and(|warn| target >= warn) {
        return;
    }
    if let Some((found, expected)) = config.target_ltv_fault(target) {
        section.record("target", "CFG-RISK-TARGET", found, expected);
    }
}

/// The band in which a venue's margin is left alone; it holds the target.
fn read_band(section: &mut TableReader<'_>, config: &RiskConfig) -> (Decimal, Decimal) {
    let low = section.or_default("band_low", &RATIO, config.margin_band.0);
    let high = section.or_default("band_high", &RATIO, config.margin_band.1);
    let target = config.ladder(RiskMetric::CexMarginRatio).target;
    if low >= high || target.is_some_and(|target| target < low || target > high) {
        let found = format!("a band from {low} to {high}");
        section.record("band_high", "CFG-RISK-LADDER", found, "a band around the target");
    }
    (low, high)
}

/// A level, or `"off"`.
#[derive(Clone, Copy, Debug)]
struct Level(Number);

impl Field for Level {
    type Value = Option<Decimal>;

    fn expected(&self) -> String {
        format!("{}, or \"off\"", self.0.expected())
    }

    fn read(&self, node: &Node) -> Result<Option<Decimal>, Vec<Fault>> {
        if node.as_str() == Some("off") {
            return Ok(None);
        }
        self.0.read(node).map(Some).map_err(|_out_of_range| vec![wrong(self, node)])
    }

    fn write(&self, value: &Option<Decimal>) -> toml::Value {
        match value {
            Some(level) => self.0.write(level),
            None => toml::Value::String("off".to_owned()),
        }
    }
}
