//! The ladder against the vectors of 04 §6.2 to §6.4.

use super::*;
use crate::ladder::{Ladder, RiskLimits};

#[test]
fn levels_are_inclusive_on_the_worse_side() {
    let limits = RiskLimits::default();
    let (ok, warn) = (RiskLevel::Ok, RiskLevel::Warn);
    let (reduce, critical) = (RiskLevel::ReduceOnly, RiskLevel::Critical);
    for (kind, values) in [
        (RiskType::HealthFactor, vec![(1.251, ok), (1.25, warn), (1.15, reduce), (1.1, critical)]),
        (RiskType::LtvRatio, vec![(0.699, ok), (0.7, warn), (0.75, reduce), (0.8, critical)]),
        (
            RiskType::CexMarginRatio,
            vec![(0.201, ok), (0.2, warn), (0.17, reduce), (0.15, critical)],
        ),
        (RiskType::DeltaRisk, vec![(0.004, ok), (0.005, warn), (0.02, reduce), (0.05, critical)]),
        (RiskType::PegRisk, vec![(0.009, ok), (0.01, warn), (0.0225, reduce), (0.04, critical)]),
        (RiskType::FundingRisk, vec![(0.0, ok), (-1e-6, warn), (-5e-5, warn), (-6e-5, reduce)]),
        (RiskType::Concentration, vec![(0.49, ok), (0.5, warn), (0.7, reduce), (1.0, reduce)]),
        (RiskType::DataStaleness, vec![(0.0, ok), (1.0, warn), (3.0, reduce), (6.0, critical)]),
    ] {
        let ladder = limits.ladder(kind).unwrap();
        assert_eq!(ladder.worse, kind.worse_side());
        for (value, level) in values {
            assert_eq!(ladder.level(value), level, "{} at {value}", kind.name());
        }
    }
    assert_eq!(limits.ladder(RiskType::Drawdown), None);
    let drawdown = limits.with_max_drawdown(0.2);
    assert_eq!(drawdown.ladder(RiskType::Drawdown).unwrap().level(0.16), reduce);
    assert_eq!(limits.margin_usage.level(0.65), reduce);
}

#[test]
fn a_level_rises_at_once_and_falls_by_one_rung_past_the_hysteresis() {
    let ladder = Ladder::low(1.25, 1.15, 1.10);
    let mut level = RiskLevel::Ok;
    for (value, expected) in [
        (1.40, RiskLevel::Ok),
        (1.05, RiskLevel::Critical),
        (1.12, RiskLevel::Critical),
        (1.16, RiskLevel::ReduceOnly),
        (1.16, RiskLevel::ReduceOnly),
        (1.50, RiskLevel::Warn),
        (1.30, RiskLevel::Warn),
        (1.35, RiskLevel::Ok),
    ] {
        level = ladder.level_after(value, level, 0.05);
        assert_eq!(level, expected, "{value}");
    }
}

#[test]
fn the_distance_is_to_the_next_threshold() {
    let ladder = Ladder::low(1.25, 1.15, 1.10);
    let distance = |value| ladder.distance(value).map(|distance| (distance * 1e6).round() / 1e6);
    assert_eq!(distance(1.30), Some(0.05));
    assert_eq!(distance(1.20), Some(0.05));
    assert_eq!(distance(1.00), None);
    assert_eq!(distance(f64::INFINITY), Some(f64::INFINITY));
}

fn reads(kind: RiskType, value: f64) -> RiskSnapshot {
    let limits = RiskLimits::default();
    let level = limits.ladder(kind).unwrap().level(value);
    let mut snapshot = RiskSnapshot::default();
    let reading = RiskReading { value, level, distance: None, binding: Binding::Account };
    snapshot.readings[kind.index()] = Some(reading);
    snapshot
}

#[test]
fn what_makes_a_metric_worse_beyond_reduce_only_is_denied() {
    // Source: 04 §6.4.
    let health = |collateral: f64, debt: f64| collateral * 0.95 / debt;
    for (kind, before, after, denied) in [
        (RiskType::HealthFactor, health(100.0, 80.0), health(100.0, 90.0), true),
        (RiskType::HealthFactor, health(100.0, 80.0), health(100.0, 70.0), false),
        (RiskType::HealthFactor, health(100.0, 80.0), health(110.0, 80.0), false),
        (RiskType::CexMarginRatio, f64::INFINITY, 5_000.0 / 50_000.0, true),
        (RiskType::CexMarginRatio, 0.10, 0.20, false),
    ] {
        let (before, after) = (reads(kind, before), reads(kind, after));
        let denies = impacts(&before, &after).any(|impact| impact.denies());
        assert_eq!(denies, denied, "{} {after:?}", kind.name());
    }
}

#[test]
fn names_and_places_of_risk_types_are_in_order() {
    for (place, kind) in RiskType::ALL.into_iter().enumerate() {
        assert_eq!(kind.index(), place);
        assert!(RiskTypes::of(&[kind]).has(kind) && !RiskTypes::NONE.has(kind));
    }
}
