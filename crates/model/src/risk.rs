//! Risk: what is measured of an account, and what a change would do to it.

use crate::exposure::{AssetIx, VenueIx};
use crate::instrument::{InstrumentIx, KeyIx};
use crate::ladder::{RiskLevel, Side};
use crate::time::UtcMillis;

/// What is measured. Source: 04 §6.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RiskType {
    /// Weighted collateral over debt; +∞ without debt.
    HealthFactor,
    /// Debt over collateral.
    LtvRatio,
    /// Fall of collateral against debt at which the pool liquidates; a fraction.
    LiquidationThreshold,
    /// Margin equity over notional at the worst venue; +∞ without a position.
    CexMarginRatio,
    /// Distance of the mark from the nearest liquidation price, as a fraction of the mark.
    LiqPrice,
    /// Size of the delta over equity.
    DeltaRisk,
    /// Mean funding of seven days per eight hours that the positions earn; negative if they pay.
    FundingRisk,
    /// Basis at the worst perpetual, as a fraction of spot.
    BasisRisk,
    /// How far the market is below the protocol's rate of a staking token; a fraction.
    PegRisk,
    /// What is owned and the notionals of perpetuals, over equity (D84).
    Leverage,
    /// Largest share of equity at one venue.
    Concentration,
    /// Share of the worst holding that its venue could not turn into cash at once.
    LiquidityRisk,
    /// Fall from the highest equity; a fraction.
    Drawdown,
    /// Age of the oldest observation that is needed, in intervals.
    DataStaleness,
}

/// Number of risk types.
pub const RISK_TYPES: usize = 14;

impl RiskType {
    /// All types, in the order of the specification.
    pub const ALL: [Self; RISK_TYPES] = [
        Self::HealthFactor,
        Self::LtvRatio,
        Self::LiquidationThreshold,
        Self::CexMarginRatio,
        Self::LiqPrice,
        Self::DeltaRisk,
        Self::FundingRisk,
        Self::BasisRisk,
        Self::PegRisk,
        Self::Leverage,
        Self::Concentration,
        Self::LiquidityRisk,
        Self::Drawdown,
        Self::DataStaleness,
    ];

    /// The type as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HealthFactor => "health_factor",
            Self::LtvRatio => "ltv_ratio",
            Self::LiquidationThreshold => "liquidation_threshold",
            Self::CexMarginRatio => "cex_margin_ratio",
            Self::LiqPrice => "liq_price",
            Self::DeltaRisk => "delta_risk",
            Self::FundingRisk => "funding_risk",
            Self::BasisRisk => "basis_risk",
            Self::PegRisk => "peg_risk",
            Self::Leverage => "leverage",
            Self::Concentration => "concentration",
            Self::LiquidityRisk => "liquidity_risk",
            Self::Drawdown => "drawdown",
            Self::DataStaleness => "data_staleness",
        }
    }

    /// Place in [`RiskType::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Which side is the worse one.
    pub const fn worse_side(self) -> Side {
        match self {
            Self::HealthFactor
            | Self::LiquidationThreshold
            | Self::CexMarginRatio
            | Self::LiqPrice
            | Self::FundingRisk => Side::Low,
            Self::LtvRatio
            | Self::DeltaRisk
            | Self::BasisRisk
            | Self::PegRisk
            | Self::Leverage
            | Self::Concentration
            | Self::LiquidityRisk
            | Self::Drawdown
            | Self::DataStaleness => Side::High,
        }
    }
}

/// A set of risk types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RiskTypes(u16);

impl RiskTypes {
    /// No type.
    pub const NONE: Self = Self(0);

    /// The set of some types.
    pub fn of(types: &[RiskType]) -> Self {
        types.iter().fold(Self::NONE, |set, kind| set.with(*kind))
    }

    /// The set with one type more.
    #[must_use]
    pub const fn with(self, kind: RiskType) -> Self {
        Self(self.0 | 1 << kind.index())
    }

    /// The set without a type.
    #[must_use]
    pub const fn without(self, kind: RiskType) -> Self {
        Self(self.0 & !(1 << kind.index()))
    }

    /// Whether a type is in the set.
    pub const fn has(self, kind: RiskType) -> bool {
        self.0 & 1 << kind.index() != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What a reading is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Binding {
    /// The account as a whole.
    #[default]
    Account,
    /// One position.
    Key(KeyIx),
    /// One instrument.
    Instrument(InstrumentIx),
    /// One asset.
    Asset(AssetIx),
    /// One venue.
    Venue(VenueIx),
}

/// One metric at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskReading {
    /// The value, as [`RiskType`] describes it.
    pub value: f64,
    /// Rung of the ladder, with what is latched.
    pub level: RiskLevel,
    /// How far the value is from the next threshold; `None` without a ladder or beyond it.
    pub distance: Option<f64>,
    /// The position that makes it this bad.
    pub binding: Binding,
}

/// Figures that belong to a type but are not what its ladder judges.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RiskDetail {
    /// Maintenance margin over margin equity at the worst venue.
    pub margin_usage: Option<f64>,
    /// Margin equity over notional of all venues together.
    pub overall_margin: Option<f64>,
    /// What may still be borrowed, in share class, at the pool with the worst health.
    pub borrow_power: Option<f64>,
    /// Years until interest alone liquidates there.
    pub drift_years: Option<f64>,
    /// Nearest liquidation price, in quote currency.
    pub liquidation_px: Option<f64>,
    /// Share of funding events at a negative rate.
    pub negative_funding: Option<f64>,
    /// Funding that the positions are expected to bring in a year, in share class.
    pub carry_per_year: Option<f64>,
    /// Loss on leaving staking tokens at the market rate, in share class; positive is a loss.
    pub exit_loss: Option<f64>,
    /// Fall from the last equity of the day before; a fraction, negative for a gain.
    pub daily_loss: Option<f64>,
}

/// The risk of an account at one instant: every type that can be computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskSnapshot {
    /// Number of the exposure it was computed from.
    pub number: u64,
    /// The instant.
    pub ts: UtcMillis,
    /// By [`RiskType`]; `None` where there is nothing to measure it on.
    pub readings: [Option<RiskReading>; RISK_TYPES],
    /// More figures.
    pub detail: RiskDetail,
    /// Types that drive actions.
    pub enabled: RiskTypes,
    /// Whether the circuit breaker is latched.
    pub breaker: bool,
}

impl Default for RiskSnapshot {
    fn default() -> Self {
        Self {
            number: 0,
            ts: UtcMillis::new(i64::MIN),
            readings: [None; RISK_TYPES],
            detail: RiskDetail::default(),
            enabled: RiskTypes::NONE,
            breaker: false,
        }
    }
}

impl RiskSnapshot {
    /// The reading of a type.
    pub const fn reading(&self, kind: RiskType) -> Option<&RiskReading> {
        self.readings[kind.index()].as_ref()
    }

    /// The level of a type; what cannot be computed is no risk.
    pub fn level(&self, kind: RiskType) -> RiskLevel {
        self.reading(kind).map_or(RiskLevel::Ok, |reading| reading.level)
    }

    /// The highest level of some types.
    pub fn worst(&self, types: RiskTypes) -> RiskLevel {
        let levels = RiskType::ALL.into_iter().filter(|kind| types.has(*kind));
        levels.map(|kind| self.level(kind)).max().unwrap_or_default()
    }
}

/// A level that has changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskAlert {
    /// Of which type.
    pub kind: RiskType,
    /// Level of the tick before.
    pub before: RiskLevel,
    /// Level now.
    pub after: RiskLevel,
    /// The value that was judged; `None` if there is nothing to measure any more.
    pub value: Option<f64>,
    /// Whether the type is enabled, so that it drives actions.
    pub is_enabled: bool,
}

/// What an order would do to one metric. Source: 04 §6.4.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskImpact {
    /// Which metric.
    pub metric: RiskType,
    /// Value without the order; `None` if there is nothing to measure.
    pub before: Option<f64>,
    /// Value with it, in the worst case.
    pub after: Option<f64>,
    /// Level without the order.
    pub level_before: RiskLevel,
    /// Level of the value with it, by itself.
    pub level_after: RiskLevel,
}

impl RiskImpact {
    /// Whether it is a reason to deny: after it, the metric is at reduce-only or beyond, and worse.
    pub fn denies(&self) -> bool {
        let worse = match (self.before, self.after) {
            (Some(before), Some(after)) => self.metric.worse_side().is_worse(after, before),
            (None, Some(_)) => true,
            (_, None) => false,
        };
        worse && self.level_after >= RiskLevel::ReduceOnly
    }
}

/// What an order would do to every metric, from the risk without and with it.
pub fn impacts<'a>(
    before: &'a RiskSnapshot,
    after: &'a RiskSnapshot,
) -> impl Iterator<Item = RiskImpact> + use<'a> {
    RiskType::ALL.into_iter().map(move |metric| RiskImpact {
        metric,
        before: before.reading(metric).map(|reading| reading.value),
        after: after.reading(metric).map(|reading| reading.value),
        level_before: before.level(metric),
        level_after: after.level(metric),
    })
}

#[cfg(test)]
mod tests;
