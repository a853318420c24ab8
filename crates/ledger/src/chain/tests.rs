//! The chain as a whole: all snapshots or none, and what an order would do.

use model::Decimal;
use model::delta::{Cause, Delta};
use model::ladder::RiskLevel;
use model::lending::{CollateralTerms, Reserve};
use model::pnl::PnlComponent;
use model::risk::{RiskType, RiskTypes, impacts};
use model::time::Interval;
use proptest::prelude::*;

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

/// What happens between two passes.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Price(u8, u16),
    Trade(u8, i8),
    Income(i8),
    Breaker(u8),
    Observed(bool),
    NextDay,
    /// A second pass in the same tick, as after an order.
    Again,
    Nothing,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => (0u8..8, 1u16..200).prop_map(|(place, px)| Happening::Price(place, px)),
        2 => (0u8..8, -1i8..2).prop_map(|(place, to)| Happening::Trade(place, to)),
        1 => (-2i8..3).prop_map(Happening::Income),
        1 => (0u8..3).prop_map(Happening::Breaker),
        1 => any::<bool>().prop_map(Happening::Observed),
        1 => Just(Happening::NextDay),
        1 => Just(Happening::Again),
        6 => Just(Happening::Nothing),
    ]
}

/// Two chains over one account: one that may carry figures over, one that never does.
struct Twins {
    world: World,
    chains: [Chain; 2],
}

impl Twins {
    fn new(is_tracked: bool) -> Self {
        let world = World::of_exchanges("hold binance:BaseToken:USDT 1000");
        for place in 0..world.table.len() {
            world.provider.change().marks[place] = Some(100.0);
        }
        let exposure = ExposureTerms {
            share_class: "USDT".into(),
            tracked: is_tracked.then(|| "USD".into()),
            ..ExposureTerms::default()
        };
        let mut terms = RiskTerms::new(Interval::HOUR);
        terms.limits = terms.limits.with_max_drawdown(0.2);
        terms.limits.enabled = RiskTypes::of(&[RiskType::Drawdown, RiskType::DeltaRisk]);
        let chain = || {
            let (exposure, terms) = (exposure.clone(), terms.clone());
            Chain::new(&world.table, &world.provider, exposure, terms, Strictness::Lenient)
        };
        let chains = [chain(), chain()];
        Self { world, chains }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Price(place, px) => {
                self.world.provider.change().marks[usize::from(place)] = Some(f64::from(px));
            }
            Happening::Trade(place, to) => self.trade(usize::from(place), to),
            Happening::Income(amount) => self.change("binance:BaseToken:USDT", amount),
            Happening::Breaker(how) => self.chains.iter_mut().for_each(|chain| match how {
                0 => chain.risk.trip(),
                1 => chain.risk.halt(),
                _ => chain.risk.reset(),
            }),
            Happening::Observed(is_known) => {
                let ts = is_known.then_some(self.world.ts);
                self.world.provider.change().observed[0] = ts;
            }
            Happening::NextDay => {
                for _ in 0..23 {
                    self.world.tick();
                }
            }
            Happening::Again | Happening::Nothing => {}
        }
    }

    /// Makes a position one of `to` units, at no cost.
    fn trade(&mut self, place: usize, to: i8) {
        let ix = model::instrument::InstrumentIx(u16::try_from(place).unwrap());
        let (key, to) = (self.world.table.base_key(ix), Decimal::from(to));
        let book = &mut self.world.book;
        book.positions[place].0 = to;
        book.costs[place] = to * Decimal::TEN;
        let amount = to - std::mem::replace(&mut book.balances[key.index()], to);
        self.chains.iter_mut().for_each(|chain| {
            chain.note(&[Delta::new(key, amount, Cause::Trade)]);
        });
    }

    fn change(&mut self, key: &str, amount: i8) {
        let (key, amount) = (self.world.key(key), Decimal::from(amount));
        self.world.book.balances[key.index()] += amount;
        self.chains.iter_mut().for_each(|chain| {
            chain.note(&[Delta::new(key, amount, Cause::Funding)]);
        });
    }

    /// A pass of both; every figure as text, in which nothing is rounded.
    fn pass(&mut self, is_judged: bool) -> [String; 2] {
        let (ts, book) = (self.world.ts, &self.world.book);
        self.chains[1].exposure.positions_changed();
        self.chains.each_mut().map(|chain| {
            let passed = chain.update(ts, book);
            let alerts = if is_judged { chain.risk.judge().to_vec() } else { Vec::new() };
            let (exposure, risk) = (chain.exposure.latest(), chain.risk.latest());
            let figures = chain.risk.history().last();
            let pnl = chain.pnl.latest();
            format!("{passed:?} {alerts:?} {exposure:?} {risk:?} {pnl:?} {figures:?}")
        })
    }
}

proptest! {
    #[test]
    fn what_is_carried_over_is_what_would_be_found_again(
        happenings in proptest::collection::vec(happening(), 1..60),
        is_tracked in any::<bool>(),
    ) {
        let mut twins = Twins::new(is_tracked);
        for happening in happenings {
            let is_again = matches!(happening, Happening::Again);
            if !is_again {
                twins.world.tick();
            }
            twins.happen(happening);
            let [fast, slow] = twins.pass(!is_again);
            prop_assert_eq!(fast, slow);
        }
    }

    #[test]
    fn weights_are_those_of_the_present_book_alone(
        happenings in proptest::collection::vec(happening(), 1..30),
    ) {
        let mut twins = Twins::new(true);
        let terms = ExposureTerms { share_class: "USDT".into(), ..ExposureTerms::default() };
        let monitor = |world: &World| {
            let (table, provider) = (Rc::clone(&world.table), Rc::clone(&world.provider));
            ExposureMonitor::new(table, provider, terms.clone())
        };
        let mut old = monitor(&twins.world);
        for happening in happenings {
            twins.world.tick();
            twins.happen(happening);
            let mut new = monitor(&twins.world);
            old.positions_changed();
            let (ts, book) = (twins.world.ts, &twins.world.book);
            prop_assert_eq!(
                format!("{:?}", old.stage(ts, book)),
                format!("{:?}", new.stage(ts, book))
            );
        }
    }
}

#[test]
fn a_flat_account_carries_its_figures_over() {
    let mut twins = Twins::new(true);
    for place in [0, 2] {
        twins.trade(place, 1);
        twins.world.tick();
        twins.pass(true);
        assert!(!twins.chains[0].exposure.is_carried());
        twins.trade(place, 0);
        for pass in 0..4 {
            twins.world.tick();
            twins.happen(Happening::Price(0, 90 + pass));
            twins.pass(true);
        }
        assert!(twins.chains[0].exposure.is_carried());
        assert!(!twins.chains[1].exposure.is_carried());
    }
}
