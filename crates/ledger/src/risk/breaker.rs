//! The circuit breaker: latched by a critical level, until its metrics have been calm for some frames.

use model::ladder::{RiskLevel, RiskLimits};
use model::risk::{RISK_TYPES, RiskReading, RiskType, RiskTypes};

/// Source: 04 §6.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Breaker {
    /// The types that have latched it.
    causes: RiskTypes,
    /// Latched from outside: a liquidation, or for good by the kill switch.
    forced: Option<Force>,
    /// Frames on the target side of warn, one after another.
    calm: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Force {
    Tripped,
    Halted,
}

impl Breaker {
    pub(super) fn is_latched(self) -> bool {
        !self.causes.is_empty() || self.forced.is_some()
    }

    /// Latches as a critical level does.
    pub(super) fn trip(&mut self) {
        self.forced = self.forced.or(Some(Force::Tripped));
        self.calm = 0;
    }

    /// Latches without a way back but [`reset`](Self::reset).
    pub(super) fn halt(&mut self) {
        self.forced = Some(Force::Halted);
    }

    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// The breaker after a look at `readings`; only the first of a frame counts for calm.
    pub(super) fn after(
        mut self,
        readings: &[Option<RiskReading>; RISK_TYPES],
        limits: &RiskLimits,
        is_first: bool,
    ) -> Self {
        for kind in RiskType::ALL.into_iter().filter(|kind| limits.enabled.has(*kind)) {
            let level = readings[kind.index()].map_or(RiskLevel::Ok, |reading| reading.level);
            if level == RiskLevel::Critical {
                self.causes = self.causes.with(kind);
            }
        }
        if !self.is_latched() || self.forced == Some(Force::Halted) {
            return self;
        }
        let is_calm = |kind: RiskType| match (&readings[kind.index()], limits.ladder(kind)) {
            (Some(reading), Some(ladder)) => {
                ladder.level(reading.value) == RiskLevel::Ok && reading.level < RiskLevel::Critical
            }
            _ => true,
        };
        if !RiskType::ALL.into_iter().filter(|kind| self.causes.has(*kind)).all(is_calm) {
            self.calm = 0;
        } else if is_first {
            self.calm += 1;
            if self.calm >= limits.reset_frames {
                self.reset();
            }
        }
        self
    }
}
