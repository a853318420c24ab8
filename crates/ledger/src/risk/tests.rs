//! Risk against the vectors of 04 §6.5 and §6.6, and the way the ladder is judged.

use model::lending::CollateralTerms;
use model::margin::MarginTier;
use model::risk::RiskTypes;

use super::*;
use crate::exposure::{ExposureMonitor, ExposureTerms};
use crate::fixture::World;

struct Desk {
    world: World,
    exposure: ExposureMonitor,
    risk: RiskMonitor,
}

const BASIS: &str = "hold binance:BaseToken:USDT 8000
     hold bybit:BaseToken:USDT 6000
     hold okx:BaseToken:USDT 6000
     hold binance:BaseToken:BTC 1.6
     perp binance:perp:BTCUSDT -0.64 50000
     perp bybit:perp:BTCUSDT -0.48 50000
     perp okx:perp:BTCUSDT -0.48 50000\n";

impl Desk {
    fn new(text: &str, enabled: &[RiskType]) -> Self {
        let world = World::new(text);
        let (table, provider) = (&world.table, &world.provider);
        let terms = ExposureTerms {
            share_class: "USDT".into(),
            tracked: Some("BTC".into()),
            ..ExposureTerms::default()
        };
        let exposure = ExposureMonitor::new(Rc::clone(table), Rc::clone(provider), terms);
        let tier = |floor, mmr| MarginTier::new(floor, mmr, 2.0 * mmr);
        let tiers = [tier(0.0, 0.004), tier(50_000.0, 0.005), tier(250_000.0, 0.01)];
        let tiers = MarginTiers::new(UtcMillis::new(0), &tiers).unwrap();
        let own =
            CollateralTerms { ltv: 0.93, liquidation_threshold: 0.95, liquidation_bonus: 0.01 };
        let low = CollateralTerms { ltv: 0.7, liquidation_threshold: 0.75, ..own };
        let mut terms = RiskTerms::new(Interval::HOUR);
        terms.tiers = vec![vec![tiers]; table.len()];
        let reserve = Reserve { terms: low, emode: Some((1, own)) };
        terms.reserves = vec![Some(reserve); table.keys().count()];
        terms.limits.enabled = RiskTypes::of(enabled);
        let risk = RiskMonitor::new(table, Rc::clone(provider), exposure.layout(), terms);
        Self { world, exposure, risk }
    }

    fn price(&mut self, spot: f64, mark: f64) {
        self.world.read(&format!(
            "price binance:spot:BTCUSDT {spot}
             price binance:perp:BTCUSDT {mark}
             price bybit:perp:BTCUSDT {mark}
             price okx:perp:BTCUSDT {mark}
             price isolated:perp:BTCUSDT {mark}"
        ));
    }

    fn pass(&mut self) -> RiskSnapshot {
        self.exposure.positions_changed();
        let exposure = self.exposure.stage(self.world.ts, &self.world.book).unwrap();
        self.risk.stage(self.world.ts, exposure).unwrap();
        self.exposure.commit();
        self.risk.commit();
        **self.risk.latest()
    }

    /// A tick at which everything costs `px`: the level of the margin ratio, and the breaker.
    fn tick(&mut self, px: f64) -> (RiskLevel, bool) {
        self.world.tick();
        self.price(px, px);
        let snapshot = self.pass();
        self.risk.judge();
        (snapshot.level(RiskType::CexMarginRatio), snapshot.breaker)
    }
}

fn value(snapshot: &RiskSnapshot, kind: RiskType) -> f64 {
    snapshot.reading(kind).unwrap().value
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-6 * expected.abs(), "{found} ≠ {expected}");
}

#[test]
fn the_margin_of_a_basis() {
    // Source: 04 §6.6 and §5.3.
    let mut desk = Desk::new(BASIS, &[]);
    desk.price(52_000.0, 52_010.0);
    let snapshot = desk.pass();
    close(snapshot.detail.overall_margin.unwrap(), 16_784.0 / 83_216.0);
    close(value(&snapshot, RiskType::CexMarginRatio), 5_035.2 / 24_964.8);
    assert_eq!(snapshot.level(RiskType::CexMarginRatio), RiskLevel::Ok);
    close(snapshot.detail.margin_usage.unwrap(), 332.864 / 16_784.0);
    close(value(&snapshot, RiskType::Leverage), 166_416.0 / 99_984.0);
    assert!(value(&snapshot, RiskType::DeltaRisk) < 1e-9);
    close(value(&snapshot, RiskType::BasisRisk), 10.0 / 52_000.0);
    for (px, fraction) in [(52_083.333_333, 0.2), (54_347.826_087, 0.15)] {
        desk.price(px, px);
        close(desk.pass().detail.overall_margin.unwrap(), fraction);
    }
}

#[test]
fn liquidation_prices_are_of_the_margin_that_stands_behind() {
    // Source: 04 §6.5, short .64 with 8,000; the others have 6,000 for .48, which is the same.
    let mut desk = Desk::new(BASIS, &[]);
    desk.price(50_000.0, 50_000.0);
    let snapshot = desk.pass();
    close(snapshot.detail.liquidation_px.unwrap(), 62_250.996_016);
    close(value(&snapshot, RiskType::LiqPrice), 0.245_019_920);
    // An isolated one has its own margin only: 5 times leverage, 10,000.
    let mut desk =
        Desk::new("hold isolated:BaseToken:USDT 90000\n perp isolated:perp:BTCUSDT 1 50000", &[]);
    desk.price(50_000.0, 50_000.0);
    let snapshot = desk.pass();
    close(snapshot.detail.liquidation_px.unwrap(), 40_160.642_570);
    close(value(&snapshot, RiskType::CexMarginRatio), 0.2);
}

#[test]
fn the_health_of_a_loop_counts_its_e_mode_and_its_carry() {
    let mut desk = Desk::new(
        "hold aave_v3:aToken:aweETH 100
         hold aave_v3:debtToken:debtWETH 65
         rate etherfi:LST:weETH 1
         sells etherfi:LST:weETH 0.98
         yearly aave_v3:aToken:aweETH 0
         yearly etherfi:LST:weETH 0.028
         yearly aave_v3:debtToken:debtWETH 0.226
         price binance:spot:ETHUSDT 3000",
        &[RiskType::PegRisk],
    );
    let snapshot = desk.pass();
    close(value(&snapshot, RiskType::HealthFactor), 0.95 / 0.65);
    close(value(&snapshot, RiskType::LtvRatio), 0.65);
    close(value(&snapshot, RiskType::LiquidationThreshold), 0.315_789_474);
    close(snapshot.detail.borrow_power.unwrap(), 28.0 * 3_000.0);
    // ln(0.95 / 0.65) / (0.226 − 0.028).
    close(snapshot.detail.drift_years.unwrap(), 1.916_614_251);
    close(value(&snapshot, RiskType::PegRisk), 0.02);
    close(snapshot.detail.exit_loss.unwrap(), 6_000.0);
    assert_eq!(snapshot.level(RiskType::PegRisk), RiskLevel::Warn);
    // Without debt nothing can be liquidated.
    desk.world.read("hold aave_v3:debtToken:debtWETH 0");
    assert!(value(&desk.pass(), RiskType::HealthFactor).is_infinite());
}

#[test]
fn funding_earned_by_shorts_is_positive() {
    let mut desk = Desk::new(BASIS, &[]);
    desk.world.read("funding binance:perp:BTCUSDT 0.0001\n funding bybit:perp:BTCUSDT -0.0001");
    desk.price(50_000.0, 50_000.0);
    let snapshot = desk.pass();
    close(value(&snapshot, RiskType::FundingRisk), 0.0001 * (0.64 - 0.48) / (0.64 + 0.48));
    close(snapshot.detail.carry_per_year.unwrap(), 0.0001 * 0.16 * 50_000.0 * 1_095.0);
}

#[test]
fn levels_latch_once_a_tick_and_fall_by_one_rung_past_the_hysteresis() {
    let mut desk = Desk::new(BASIS, &[RiskType::CexMarginRatio]);
    let (ok, warn) = (RiskLevel::Ok, RiskLevel::Warn);
    assert_eq!(desk.tick(50_000.0), (ok, false));
    assert_eq!(desk.tick(52_500.0), (warn, false));
    // Back to f = .2019, which is within 5 % of the threshold.
    assert_eq!(desk.tick(52_000.0), (warn, false));
    assert_eq!(desk.tick(54_500.0), (RiskLevel::Critical, true));
    // A pass within the tick may escalate, but not relax.
    desk.price(50_000.0, 50_000.0);
    assert_eq!(desk.pass().level(RiskType::CexMarginRatio), RiskLevel::Critical);
    assert!(desk.risk.judge().is_empty());
    assert_eq!(desk.tick(50_000.0), (RiskLevel::ReduceOnly, true));
    assert_eq!(desk.tick(50_000.0), (warn, true));
    assert_eq!(desk.tick(50_000.0), (ok, false));
    assert_eq!(desk.risk.history().count(), 8);
}

#[test]
fn a_breaker_that_is_halted_opens_by_hand_only() {
    let mut desk = Desk::new(BASIS, &[RiskType::CexMarginRatio]);
    desk.tick(50_000.0);
    desk.risk.trip();
    assert_eq!([1, 2, 3].map(|_| desk.tick(50_000.0).1), [true, true, false]);
    desk.risk.halt();
    assert_eq!([1, 2, 3, 4].map(|_| desk.tick(50_000.0).1), [true; 4]);
    desk.risk.reset();
    assert!(!desk.tick(50_000.0).1);
}

#[test]
fn what_is_not_enabled_is_recorded_and_latches_no_breaker() {
    let mut desk = Desk::new(BASIS, &[]);
    assert_eq!(desk.tick(54_500.0), (RiskLevel::Critical, false));
    let kinds = |snapshot: &RiskSnapshot| {
        let known = RiskType::ALL.into_iter().filter(|kind| snapshot.reading(*kind).is_some());
        known.map(RiskType::name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        kinds(desk.risk.latest()),
        "health_factor ltv_ratio liquidation_threshold cex_margin_ratio liq_price delta_risk \
         basis_risk leverage concentration drawdown"
    );
}

#[test]
fn drawdown_and_daily_loss_are_from_the_peak_and_from_yesterday() {
    let mut desk = Desk::new("hold binance:BaseToken:BTC 1", &[]);
    for (px, drawdown) in [(100.0, 0.0), (120.0, 0.0), (90.0, 0.25)] {
        desk.tick(px);
        assert!((value(desk.risk.latest(), RiskType::Drawdown) - drawdown).abs() < 1e-12);
    }
    desk.world.ts = UtcMillis::new(86_400_000);
    desk.tick(45.0);
    close(desk.risk.latest().detail.daily_loss.unwrap(), 0.5);
}

#[test]
fn data_is_as_old_as_its_oldest_observation() {
    let mut desk = Desk::new("hold binance:BaseToken:BTC 1", &[]);
    let place = desk.world.instrument("binance:spot:BTCUSDT").index();
    desk.tick(100.0);
    desk.world.provider.change().observed[place] = Some(UtcMillis::new(0));
    assert_eq!(desk.pass().level(RiskType::DataStaleness), RiskLevel::Warn);
    close(value(desk.risk.latest(), RiskType::DataStaleness), 1.0);
}
