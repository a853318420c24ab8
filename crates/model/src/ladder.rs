//! The ladder: thresholds of the risk metrics and the levels that they make.

use crate::risk::{RISK_TYPES, RiskType, RiskTypes};

/// A side of a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Small values are bad.
    Low,
    /// Large values are bad.
    High,
}

impl Side {
    /// Whether `a` is worse than `b`.
    pub fn is_worse(self, a: f64, b: f64) -> bool {
        match self {
            Self::Low => a < b,
            Self::High => a > b,
        }
    }
}

/// Rung of the ladder. Source: 04 §6.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RiskLevel {
    /// On the target side of warn.
    #[default]
    Ok,
    /// The strategy is told.
    Warn,
    /// The gate denies what makes it worse.
    ReduceOnly,
    /// The breaker latches.
    Critical,
}

impl RiskLevel {
    /// The rungs above `Ok`.
    pub const RUNGS: [Self; 3] = [Self::Warn, Self::ReduceOnly, Self::Critical];

    /// The level as logs show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::ReduceOnly => "reduce_only",
            Self::Critical => "critical",
        }
    }

    /// One rung less.
    #[must_use]
    pub const fn relaxed(self) -> Self {
        match self {
            Self::Ok | Self::Warn => Self::Ok,
            Self::ReduceOnly => Self::Warn,
            Self::Critical => Self::ReduceOnly,
        }
    }
}

/// Thresholds of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ladder {
    /// Which side is the worse one.
    pub worse: Side,
    /// Whether the threshold itself counts as passed.
    pub inclusive: bool,
    /// Thresholds of warn, reduce-only and critical, each worse than the one before.
    pub rungs: [Option<f64>; 3],
}

impl Ladder {
    /// A ladder on whose worse side small values are.
    pub const fn low(warn: f64, reduce_only: f64, critical: f64) -> Self {
        let rungs = [Some(warn), Some(reduce_only), Some(critical)];
        Self { worse: Side::Low, inclusive: true, rungs }
    }

    /// A ladder on whose worse side large values are.
    pub const fn high(warn: f64, reduce_only: f64, critical: f64) -> Self {
        Self { worse: Side::High, ..Self::low(warn, reduce_only, critical) }
    }

    /// The level of a value by itself.
    pub fn level(&self, value: f64) -> RiskLevel {
        self.highest(|threshold| self.is_passed(value, threshold))
    }

    /// The level of a value after one that was `latched`: up at once; down only from a threshold
    /// that the value has left by `hysteresis` of it, and one rung at a time (04 §6.3).
    pub fn level_after(&self, value: f64, latched: RiskLevel, hysteresis: f64) -> RiskLevel {
        let present = self.level(value);
        if present >= latched {
            return present;
        }
        let margin = |threshold: f64| match self.worse {
            Side::Low => threshold + hysteresis * threshold.abs(),
            Side::High => threshold - hysteresis * threshold.abs(),
        };
        let held = self.highest(|threshold| self.is_passed(value, margin(threshold)));
        latched.min(held.max(latched.relaxed())).max(present)
    }

    /// How far a value is from the first threshold that it has not passed; `None` beyond the last.
    pub fn distance(&self, value: f64) -> Option<f64> {
        let ahead = self.rungs.iter().flatten().find(|rung| !self.is_passed(value, **rung))?;
        Some((value - ahead).abs())
    }

    /// How far a value is from the first threshold, if it has not passed it: its level is then Ok.
    ///
    /// `None` as well for a ladder without a threshold of warn.
    #[inline]
    pub fn distance_to_first(&self, value: f64) -> Option<f64> {
        let first = self.rungs[0]?;
        (!self.is_passed(value, first)).then(|| (value - first).abs())
    }

    fn highest(&self, is_passed: impl Fn(f64) -> bool) -> RiskLevel {
        let mut level = RiskLevel::Ok;
        for (rung, threshold) in RiskLevel::RUNGS.into_iter().zip(self.rungs) {
            if threshold.is_some_and(&is_passed) {
                level = rung;
            }
        }
        level
    }

    fn is_passed(&self, value: f64, threshold: f64) -> bool {
        match (self.worse, self.inclusive) {
            (Side::Low, true) => value <= threshold,
            (Side::Low, false) => value < threshold,
            (Side::High, true) => value >= threshold,
            (Side::High, false) => value > threshold,
        }
    }
}

/// What the ladder is judged by; every number can be configured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskLimits {
    /// By [`RiskType`]; `None` for a metric that is recorded only.
    pub ladders: [Option<Ladder>; RISK_TYPES],
    /// Maintenance margin over margin equity at the worst venue, judged with the margin ratio.
    pub margin_usage: Ladder,
    /// Types that drive actions; all others are recorded.
    pub enabled: RiskTypes,
    /// Share of a threshold by which a metric must leave it.
    pub hysteresis: f64,
    /// Frames on the target side of warn after which the breaker opens.
    pub reset_frames: u32,
}

/// Source: 04 §6.2.
impl Default for RiskLimits {
    fn default() -> Self {
        let mut ladders = [None; RISK_TYPES];
        let mut set = |kind: RiskType, ladder| ladders[kind.index()] = Some(ladder);
        set(RiskType::HealthFactor, Ladder::low(1.25, 1.15, 1.10));
        set(RiskType::LtvRatio, Ladder::high(0.70, 0.75, 0.80));
        set(RiskType::CexMarginRatio, Ladder::low(0.20, 0.17, 0.15));
        set(RiskType::DeltaRisk, Ladder::high(0.005, 0.02, 0.05));
        set(RiskType::PegRisk, Ladder::high(0.01, 0.0225, 0.04));
        let rungs = [Some(0.0), Some(-0.5e-4), None];
        set(RiskType::FundingRisk, Ladder { worse: Side::Low, inclusive: false, rungs });
        let rungs = [Some(0.5), Some(0.7), None];
        set(RiskType::Concentration, Ladder { worse: Side::High, inclusive: true, rungs });
        set(RiskType::DataStaleness, Ladder::high(1.0, 3.0, 6.0));
        Self {
            ladders,
            margin_usage: Ladder::high(0.50, 0.65, 0.80),
            enabled: RiskTypes::NONE,
            hysteresis: 0.05,
            reset_frames: 3,
        }
    }
}

impl RiskLimits {
    /// The same with a limit to the drawdown, a fraction: warn at half of it, critical at all of it.
    #[must_use]
    pub fn with_max_drawdown(mut self, limit: f64) -> Self {
        let ladder = Ladder::high(0.5 * limit, 0.75 * limit, limit);
        self.ladders[RiskType::Drawdown.index()] = Some(ladder);
        self
    }

    /// The ladder of a type.
    pub const fn ladder(&self, kind: RiskType) -> Option<&Ladder> {
        self.ladders[kind.index()].as_ref()
    }
}
