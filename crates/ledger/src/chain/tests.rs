//! The chain as a whole: all snapshots or none, and what an order would do.

use model::delta::{Cause, Delta};
use model::ladder::RiskLevel;
use model::lending::{CollateralTerms, Reserve};
use model::pnl::PnlComponent;
use model::risk::{RiskType, RiskTypes, impacts};
use model::time::Interval;

use super::*;
use crate::fixture::{World, decimal};

fn chain(world: &World, terms: RiskTerms) -> Chain {
    let exposure = ExposureTerms {
        share_class: "USDT".into(),
        tracked: Some("BTC".into()),
        ..ExposureTerms::default()
    };
    Chain::new(&world.table, &world.provider, exposure, terms, Strictness::Strict)
}

#[test]
fn an_error_in_any_step_leaves_every_snapshot_as_it_was() {
    let mut world = World::new("hold binance:BaseToken:USDT 1000");
    let mut chain = chain(&world, RiskTerms::new(Interval::HOUR));
    let ts = world.tick();
    chain.update(ts, &world.book).unwrap();
    let snapshots = |chain: &Chain| {
        let (exposure, risk) = (chain.exposure.latest(), chain.risk.latest());
        (Rc::clone(exposure), Rc::clone(risk), Rc::clone(chain.pnl.latest()))
    };
    let before = snapshots(&chain);
    assert_eq!((before.0.number, before.1.number, before.2.number), (1, 1, 1));
    // Money from nowhere: the last step fails.
    world.read("hold binance:BaseToken:USDT 1100");
    chain.exposure.positions_changed();
    let error = chain.update(world.tick(), &world.book).unwrap_err();
    assert!(matches!(error, ChainError::Pnl(PnlError::Step { .. })), "{error}");
    // Something without a price: the first one does.
    world.read("hold etherfi:LST:weETH 1");
    chain.exposure.positions_changed();
    let error = chain.update(world.tick(), &world.book).unwrap_err();
    assert!(matches!(error, ChainError::Exposure(_)), "{error}");
    let after = snapshots(&chain);
    assert!(Rc::ptr_eq(&before.0, &after.0));
    assert!(Rc::ptr_eq(&before.1, &after.1));
    assert!(Rc::ptr_eq(&before.2, &after.2));
    // And the next good one goes on from them.
    world.read("hold binance:BaseToken:USDT 1000\n hold etherfi:LST:weETH 0");
    chain.exposure.positions_changed();
    chain.update(world.tick(), &world.book).unwrap();
    let next = snapshots(&chain);
    assert_eq!((next.0.number, next.1.number, next.2.number), (2, 2, 2));
}

#[test]
fn a_noted_batch_is_weighed_and_attributed() {
    let mut world = World::new("hold binance:BaseToken:USDT 1000");
    let mut chain = chain(&world, RiskTerms::new(Interval::HOUR));
    let ts = world.tick();
    chain.update(ts, &world.book).unwrap();
    let key = world.key("binance:BaseToken:USDT");
    world.book.balances[key.index()] += decimal("5");
    let deltas = vec![Delta::new(key, decimal("5"), Cause::Funding)];
    chain.note(&deltas);
    chain.update(ts, &world.book).unwrap();
    let pnl = chain.pnl.latest();
    assert!((pnl.step.attribution.of(PnlComponent::FundingPnl) - 5.0).abs() < 1e-12);
    assert!((chain.exposure.latest().equity - 1_005.0).abs() < 1e-12);
}

#[test]
fn the_gate_denies_what_makes_a_bad_metric_worse() {
    // Source: 04 §6.4: collateral 100, debt 80 at LT .95, HF 1.1875.
    let mut world = World::new(
        "hold aave_v3:aToken:aweETH 100
         hold aave_v3:debtToken:debtWETH 80
         rate etherfi:LST:weETH 1
         price binance:spot:ETHUSDT 3000",
    );
    let own = CollateralTerms { ltv: 0.93, liquidation_threshold: 0.95, liquidation_bonus: 0.01 };
    let mut terms = RiskTerms::new(Interval::HOUR);
    terms.reserves = vec![Some(Reserve { terms: own, emode: None }); world.book.balances.len()];
    terms.limits.enabled = RiskTypes::of(&[RiskType::HealthFactor]);
    let mut chain = chain(&world, terms);
    let ts = world.tick();
    chain.update(ts, &world.book).unwrap();
    for (name, collateral, debt, health, denied) in [
        ("borrow 10", "100", "90", 1.055_556, true),
        ("repay 10", "100", "70", 1.357_143, false),
        ("supply 10", "110", "80", 1.306_250, false),
    ] {
        world.read(&format!(
            "hold aave_v3:aToken:aweETH {collateral}\n hold aave_v3:debtToken:debtWETH {debt}"
        ));
        let after = chain.preview(ts, &world.book).unwrap();
        let before = chain.risk.latest();
        let found = after.reading(RiskType::HealthFactor).unwrap();
        assert!((found.value - health).abs() < 1e-6, "{name}: {}", found.value);
        let mut of_health =
            impacts(before, &after).filter(|impact| impact.metric == RiskType::HealthFactor);
        let denial = of_health.find(model::risk::RiskImpact::denies);
        assert_eq!(denial.is_some(), denied, "{name}");
        if let Some(denial) = denial {
            assert_eq!(denial.level_after, RiskLevel::Critical);
            assert_eq!(denial.level_before, RiskLevel::Warn);
        }
    }
    assert_eq!(chain.exposure.latest().number, 1);
}
