//! Ten thousand random orders: both books agree after each, nothing is lost, nothing is unexplained.
//!
//! `TICKDRAIN_SCENARIOS` multiplies how many runs there are.

use std::cell::RefCell;
use std::io::Write as _;
use std::rc::Rc;

use engine::feed::InMemoryFeed;
use engine::rank::{Rank, Role};
use engine::run::{BacktestEngine, RunReport, Settings};
use engine::service::BacktestService;
use engine::strategy_runner::StrategyRunner;
use execution::ExecutionService;
use model::event::Scalar;
use model::order::StrategyIx;
use model::strategy::Strategy;

use crate::auditor::{Auditor, Findings};
use crate::frames::frames;
use crate::trader::Trader;
use crate::world::World;

const ORDERS: usize = 10_000;
const PER_FRAME: usize = 30;
/// Enough for all orders, with a fifth of cancels, missing hours, and frames in which the plan that
/// follows a liquidation stands in for the trader.
const HOURS: i64 = 960;

/// An execution service for a world, before it is put on a bus.
pub(crate) fn service(world: &World) -> ExecutionService {
    let (table, market) = (Rc::clone(&world.instruments), Rc::clone(&world.market));
    ExecutionService::new(table, world.settings(), market, &world.initial)
        .expect("everything is priced")
}

/// Runs a strategy on frames through gate, execution and auditor.
pub(crate) fn run(
    world: &Rc<World>,
    execution: impl BacktestService + 'static,
    strategy: impl Strategy + 'static,
    feed: InMemoryFeed,
) -> (RunReport, Findings) {
    let findings = Rc::default();
    let runner = StrategyRunner::new("test", StrategyIx(0), strategy, 100_000);
    let auditor = Auditor::new(Rc::clone(world), Rc::clone(&findings));
    let engine = BacktestEngine::new(Settings::default())
        .service(Rank::first(Role::Execution), execution)
        .service(Rank::first(Role::Strategy), runner)
        .service(Rank::first(Role::Gate), world.gate())
        .service(Rank::first(Role::Audit), auditor);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let report = runtime.block_on(engine.run(feed));
    let findings: Rc<RefCell<Findings>> = findings;
    (report, findings.take())
}

fn run_seed(seed: u64) -> (RunReport, Findings) {
    let world = Rc::new(World::new());
    let feed = InMemoryFeed::new(frames(&world, HOURS, seed));
    let trader = Trader::new(Rc::clone(&world), seed, ORDERS, PER_FRAME);
    run(&world, service(&world), trader, feed)
}

fn seeds() -> u64 {
    let factor = std::env::var("TICKDRAIN_SCENARIOS");
    factor.map_or(1, |factor| factor.parse().expect("a whole number"))
}

fn reported(report: &RunReport, name: &str) -> i64 {
    let execution = report.services.iter().find(|service| service.service == "execution");
    let figures = &execution.expect("it was on the bus").figures;
    let value = figures.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
    let Some(Scalar::Integer(value)) = value else { panic!("execution counts {name}") };
    *value
}

#[test]
fn ten_thousand_random_orders_leave_both_books_equal_and_nothing_unexplained() {
    for seed in 0..seeds() {
        let (report, findings) = run_seed(seed);
        assert!(report.error.is_none(), "seed {seed}: {}", report.error.expect("checked").chain());
        assert_eq!(findings.fault, None, "seed {seed}");
        assert!(findings.unexplained <= 1e-12, "seed {seed}: {}", findings.unexplained);
        let count = |what| findings.counts.get(what).copied().unwrap_or(0);
        let orders =
            count("accepted orders") + count("accepted transfers") + count("denied orders");
        assert_eq!(orders, 10_000, "seed {seed}");
        // Every kind of event has its part in it.
        for (what, least) in [
            ("fills of spot", 2_000),
            ("fills of perpetuals", 2_000),
            ("partially_filled", 200),
            ("canceled", 200),
            ("fundings", 1_000),
            ("transfers", 200),
            ("arrivals", 200),
            ("liquidations", 1),
        ] {
            assert!(count(what) >= least, "seed {seed}: {} {what}", count(what));
        }
        let fills = i64::try_from(count("fills of spot") + count("fills of perpetuals"));
        let fills = fills.expect("few");
        assert_eq!(reported(&report, "fills"), fills, "seed {seed}");
        // Each fill and each transfer is compared once; nothing else changes anything in a loop.
        let compared = i64::try_from(count("loops that compared")).expect("few");
        assert_eq!(reported(&report, "reconciliations"), compared, "seed {seed}");
        assert_eq!(compared, fills + i64::try_from(count("transfers")).expect("few"));
        say(&format!("seed {seed}: {:?}, {:e} unexplained", findings.counts, findings.unexplained));
    }
}

#[test]
fn the_same_ten_thousand_orders_come_to_the_same_twice() {
    let [(report, once), (_, again)] = [0, 0].map(run_seed);
    assert!(report.error.is_none() && once == again);
    let (_, other) = run_seed(1);
    assert_ne!(once.digest, other.digest, "another seed is another run");
}

fn say(line: &str) {
    // Nobody to tell is no reason to fail.
    drop(writeln!(std::io::stderr(), "{line}"));
}
