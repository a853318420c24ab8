//! Terms of the chain: from what the run file says to what exposure, risk and profit use.

use execution::execution_service::{ExposureTerms, RiskTerms, Strictness};
use model::Decimal;
use model::ladder::{Ladder, RiskLimits};
use model::numeric::float_of;
use model::risk::{RiskType, RiskTypes};

use crate::margins;
use crate::runfile::config::RunConfig;
use crate::runfile::risk::{Ladder as Levels, RiskConfig, RiskMetric};

/// In what exposure is stated.
pub(crate) fn exposure(config: &RunConfig) -> ExposureTerms {
    ExposureTerms {
        share_class: config.share_class.clone(),
        tracked: config.risk.delta_tracking_asset.as_deref().map(Into::into),
        exit_costs: Vec::new(),
    }
}

/// By what risk is judged.
pub(crate) fn risk(config: &RunConfig) -> RiskTerms {
    RiskTerms {
        limits: limits(&config.risk),
        tiers: margins::tiers(config).iter().map(|tiers| tiers.to_vec()).collect(),
        // The fee is in the tiers already.
        ..RiskTerms::new(config.interval)
    }
}

/// Whether unexplained profit ends the run.
pub(crate) const fn strictness(config: &RunConfig) -> Strictness {
    if config.pnl.strict { Strictness::Strict } else { Strictness::Lenient }
}

fn limits(config: &RiskConfig) -> RiskLimits {
    let mut limits = RiskLimits {
        enabled: RiskTypes::of(config.enabled_risk_types.as_deref().unwrap_or_default()),
        hysteresis: float_of(config.hysteresis),
        reset_frames: config.reset_frames,
        ..RiskLimits::default()
    };
    for (metric, levels) in &config.ladders {
        let Some(kind) = kind_of(*metric) else {
            limits.margin_usage = ladder(Ladder::high(0.0, 0.0, 0.0), levels);
            continue;
        };
        let form = if kind.worse_side() == model::ladder::Side::Low {
            Ladder::low(0.0, 0.0, 0.0)
        } else {
            Ladder::high(0.0, 0.0, 0.0)
        };
        let inclusive = kind != RiskType::FundingRisk;
        let ladder = ladder(Ladder { inclusive, ..form }, levels);
        let has_rungs = ladder.rungs.iter().any(Option::is_some);
        limits.ladders[kind.index()] = has_rungs.then_some(ladder);
    }
    limits
}

/// The levels of a run file on a ladder of this form.
fn ladder(form: Ladder, levels: &Levels) -> Ladder {
    let rungs = [levels.warn, levels.reduce_only, levels.critical];
    Ladder { rungs: rungs.map(|level: Option<Decimal>| level.map(float_of)), ..form }
}

/// The type that a metric is judged as; use of margin is judged with the margin ratio.
const fn kind_of(metric: RiskMetric) -> Option<RiskType> {
    Some(match metric {
        RiskMetric::HealthFactor => RiskType::HealthFactor,
        RiskMetric::LtvRatio => RiskType::LtvRatio,
        RiskMetric::CexMarginRatio => RiskType::CexMarginRatio,
        RiskMetric::MmUsage => return None,
        RiskMetric::DeltaRisk => RiskType::DeltaRisk,
        RiskMetric::PegRisk => RiskType::PegRisk,
        RiskMetric::FundingRisk => RiskType::FundingRisk,
        RiskMetric::Drawdown => RiskType::Drawdown,
        RiskMetric::Concentration => RiskType::Concentration,
        RiskMetric::DataStaleness => RiskType::DataStaleness,
    })
}
