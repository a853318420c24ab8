//! Mistakes that are easy to make between bus, books and chain, one test each.
//!
//! All of them, with the tests that hold elsewhere, are in `docs/reference/known-mistakes.md`.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use engine::delivery::Outbox;
use engine::feed::InMemoryFeed;
use engine::rank::{Rank, Role};
use engine::run::{BacktestEngine, Settings};
use engine::service::{BacktestService, RunOutcome, ServiceReport};
use engine::strategy_runner::StrategyRunner;
use execution::ExecutionService;
use model::Decimal;
use model::delta::Subject;
use model::event::{Envelope, Payload, Topic};
use model::frame::{Bar, BarKind, FrameBatch, FundingPoint, MarketView};
use model::instrument::{InstrumentIx, KeyIx};
use model::money::Quantity;
use model::operation::{Amount, OperationRequest};
use model::order::{OrderSide, Size, StrategyIx};
use model::pnl::PnlComponent;
use model::settlement::Settlement;
use model::snapshot::AccountSnapshot;
use model::strategy::{Decision, OrderDesk, Strategy, StrategyError};
use model::time::UtcMillis;

use crate::frames::START;
use crate::world::{HOUR, World};

/// Orders by the hour of their decision.
struct Plan(Vec<(i64, InstrumentIx, OrderSide, i64)>);

impl Strategy for Plan {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        _account: &AccountSnapshot,
        desk: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        for (hour, place, side, units) in &self.0 {
            if market.ts() == at(*hour) {
                let size = Size::Units(Quantity(Decimal::new(*units, 0)));
                match side {
                    OrderSide::Buy => desk.buy(*place, size),
                    OrderSide::Sell => desk.sell(*place, size),
                };
            }
        }
        Ok(Decision::HOLD)
    }
}

/// What a run published.
#[derive(Debug, Default)]
struct Seen {
    loops: Vec<Subject>,
    settled: Vec<Settlement>,
    /// Equity, initial capital, total, funding and costs of every snapshot.
    hours: Vec<[f64; 5]>,
    balances: Vec<Decimal>,
    error: Option<String>,
}

#[derive(Debug, Default)]
struct Witness(Rc<RefCell<Seen>>);

impl BacktestService for Witness {
    type Error = Infallible;

    const CLOSES_TICKS: bool = false;

    fn name(&self) -> &'static str {
        "witness"
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::TightLoop, Topic::Settlement, Topic::Account]
    }

    fn handle(&mut self, envelope: &Envelope, _: &mut Outbox) -> Result<(), Infallible> {
        let mut seen = self.0.borrow_mut();
        if let Payload::TightLoop(record) = &envelope.payload {
            seen.loops.push(record.op_id.subject);
        }
        if let Payload::Settlement(settlement) = &envelope.payload {
            seen.settled.push(Settlement::clone(settlement));
        }
        if let Payload::Account(account) = &envelope.payload {
            let pnl = &account.chain.pnl;
            let part = |part| pnl.cumulative.attribution.of(part);
            let (funding, costs) =
                (part(PnlComponent::FundingPnl), part(PnlComponent::TransactionCosts));
            seen.hours.push([account.equity, pnl.initial, pnl.cumulative.total, funding, costs]);
            seen.balances.clone_from(&account.book.balances);
        }
        Ok(())
    }

    fn finish(&mut self, _: &RunOutcome) -> Result<ServiceReport, Infallible> {
        Ok(ServiceReport::new("witness"))
    }
}

const fn at(hour: i64) -> UtcMillis {
    UtcMillis::new(START + hour * HOUR)
}

/// Frames at some hours at which everything costs what the hour says, opens at what the last hour
/// says, and of funding what became known by then.
fn frames(world: &World, hours: &[(i64, f64)], funding: &[FundingPoint]) -> InMemoryFeed {
    let mut batch = FrameBatch::with_capacity(world.instruments.len(), hours.len());
    let (mut open, mut before) = (hours[0].1, at(0));
    for (hour, close) in hours {
        let (high, low) = (open.max(*close), open.min(*close));
        let bar = Bar { open, high, low, close: *close, volume: 1e6, kind: BarKind::Real };
        batch.push(at(*hour), false, &vec![bar; world.instruments.len()]);
        let due = funding.iter().filter(|point| before < point.ts && point.ts <= at(*hour));
        batch.push_funding(&due.copied().collect::<Vec<_>>());
        (open, before) = (*close, at(*hour));
    }
    InMemoryFeed::new(Arc::new(batch))
}

fn funding(world: &World, hour: i64, bps: i64, mark: Option<i64>) -> FundingPoint {
    let instrument = world.instrument("binance:perp:BTCUSDT");
    let mark = mark.map(|mark| Decimal::new(mark, 0));
    FundingPoint { instrument, ts: at(hour), rate: Decimal::new(bps, 4), mark }
}

/// Runs a strategy on an account that holds some amounts.
fn run(
    world: &World,
    initial: &[(KeyIx, Decimal)],
    strategy: impl Strategy + 'static,
    feed: InMemoryFeed,
) -> Seen {
    let (table, market) = (Rc::clone(&world.instruments), Rc::clone(&world.market));
    let execution =
        ExecutionService::new(table, world.settings(), market, initial).expect("priced");
    let seen = Rc::default();
    let engine = BacktestEngine::new(Settings::default())
        .service(Rank::first(Role::Execution), execution)
        .service(
            Rank::first(Role::Strategy),
            StrategyRunner::new("test", StrategyIx(0), strategy, 100),
        )
        .service(Rank::first(Role::Gate), world.gate())
        .service(Rank::first(Role::Audit), Witness(Rc::clone(&seen)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let report = runtime.block_on(engine.run(feed));
    let mut seen = seen.take();
    seen.error = report.error.map(|error| error.chain());
    seen
}

fn hours(last: i64) -> Vec<(i64, f64)> {
    (1..=last).map(|hour| (hour, 100.0)).collect()
}

fn short(world: &World, hour: i64) -> Plan {
    Plan(vec![(hour, world.instrument("binance:perp:BTCUSDT"), OrderSide::Sell, 2)])
}

/// T4.2: what is decided at eight fills at its open, after the funding of eight.
#[test]
fn funding_belongs_to_the_position_of_its_instant() {
    let world = World::new();
    for (hour, expected) in [(7, 1), (8, 0)] {
        let point = funding(&world, 8, 10, Some(100));
        let feed = frames(&world, &hours(10), &[point]);
        let seen = run(&world, &world.initial, short(&world, hour), feed);
        assert_eq!((seen.error, seen.settled.len()), (None, expected), "decided at {hour}");
        // Short two at 100 and 10 bps.
        let paid: Vec<Decimal> = seen.settled.iter().map(|it| it.amount).collect();
        assert_eq!(paid, vec![Decimal::new(2, 1); expected], "decided at {hour}");
    }
}

/// T4.4: of three events in a hole, each has its own rate and mark, and the position that the hole
/// began with; what fills at the end of the hole has no part in any of them.
#[test]
fn missing_hours_settle_the_funding_that_fell_into_them() {
    let world = World::new();
    let perp = world.instrument("binance:perp:BTCUSDT");
    let plan = Plan(vec![(2, perp, OrderSide::Sell, 2), (6, perp, OrderSide::Sell, 3)]);
    let events = [(8, 10, 100), (16, 20, 110), (24, -30, 120), (32, 40, 100)];
    let events = events.map(|(hour, bps, mark)| funding(&world, hour, bps, Some(mark)));
    let present = (1..=6).chain(30..=34).map(|hour| (hour, 100.0)).collect::<Vec<_>>();
    let seen = run(&world, &world.initial, plan, frames(&world, &present, &events));
    assert_eq!(seen.error, None);
    let settled: Vec<_> = seen.settled.iter().map(|it| (it.ts_event, it.amount)).collect();
    let tenths = |amount| Decimal::new(amount, 2);
    assert_eq!(
        settled,
        [(at(8), tenths(20)), (at(16), tenths(44)), (at(24), tenths(-72)), (at(32), tenths(200))]
    );
    let [.., hour] = &seen.hours[..] else { panic!("there are hours") };
    assert!((hour[3] - 1.92).abs() < 1e-9, "{hour:?}");
}

/// No mark is no reason to take another price, or none.
#[test]
fn funding_without_a_mark_ends_the_run() {
    let world = World::new();
    let feed = frames(&world, &hours(10), &[funding(&world, 8, 10, None)]);
    let seen = run(&world, &world.initial, short(&world, 2), feed);
    let error = seen.error.expect("nothing says what it is reckoned at");
    assert!(error.contains("DATA-GAP") && error.contains("binance:perp:BTCUSDT"), "{error}");
    // Without a position nobody asks for a mark.
    let feed = frames(&world, &hours(10), &[funding(&world, 8, 10, None)]);
    assert_eq!(run(&world, &world.initial, Plan(Vec::new()), feed).error, None);
}

/// 100 USDT carry 4 contracts at 100; at 70 they are gone, and with them everything there is.
#[test]
fn an_account_that_has_lost_everything_is_not_given_its_capital_again() {
    let world = World::new();
    let cash = world.key("binance:BaseToken:USDT");
    let perp = world.instrument("binance:perp:BTCUSDT");
    let plan = Plan(vec![(1, perp, OrderSide::Buy, 4)]);
    let prices = [(1, 100.0), (2, 100.0), (3, 70.0), (4, 70.0), (5, 140.0), (6, 140.0)];
    let initial = [(cash, Decimal::ONE_HUNDRED)];
    let seen = run(&world, &initial, plan, frames(&world, &prices, &[]));
    assert_eq!(seen.error, None);
    assert!(seen.balances.iter().all(Decimal::is_zero), "{:?}", seen.balances);
    for [equity, initial, total, ..] in &seen.hours[2..] {
        let is_so = [equity.abs(), (initial - 100.0).abs(), (total + 100.0).abs()];
        assert!(is_so.iter().all(|distance| *distance < 1e-9), "{:?}", seen.hours);
    }
}

/// Bought at 100 with 3 bps of slippage and 10 bps of fees: 10 × 100.03 and 1.0003, to the last
/// digit; what a plan at the close would have expected is 1,000.
#[test]
fn slippage_and_fees_reach_the_balances() {
    let world = World::new();
    let spot = world.instrument("binance:spot:BTCUSDT");
    let plan = Plan(vec![(1, spot, OrderSide::Buy, 10)]);
    let seen = run(&world, &world.initial, plan, frames(&world, &hours(4), &[]));
    assert_eq!(seen.error, None);
    let cash = seen.balances[world.key("binance:BaseToken:USDT").index()];
    assert_eq!(cash, Decimal::new(1_000_000, 0) - Decimal::new(10_013_003, 4));
    let [.., hour] = &seen.hours[..] else { panic!("there are hours") };
    assert!((hour[4] + 1.3003).abs() < 1e-6, "{hour:?}");
}

/// Asks for three trades and two transfers at one close.
struct Five(Rc<World>);

impl Strategy for Five {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        _account: &AccountSnapshot,
        desk: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        if market.ts() == at(1) {
            for id in ["binance:spot:BTCUSDT", "okx:spot:ETHUSDT", "binance:perp:BTCUSDT"] {
                let size = Size::Units(Quantity(Decimal::ONE));
                desk.buy(self.0.instrument(id), size);
            }
            for route in &self.0.routes[..2] {
                let venue = self.0.instruments.key(route.source).venue();
                let amount = Amount::Units(Decimal::ONE);
                desk.operate(OperationRequest::transfer(route.source, route.target, venue, amount));
            }
        }
        Ok(Decision::HOLD)
    }
}

/// Five wishes of one decision are five orders, each in a loop of its own.
#[test]
fn orders_that_are_no_members_of_a_group_are_never_grouped() {
    let world = Rc::new(World::new());
    let feed = frames(&world, &hours(4), &[]);
    let seen = run(&world, &world.initial, Five(Rc::clone(&world)), feed);
    assert_eq!(seen.error, None);
    let numbers: Vec<u32> = seen
        .loops
        .iter()
        .map(|subject| {
            let Subject::Order(order_id) = subject else {
                panic!("the loop of no order: {subject:?}")
            };
            order_id.number
        })
        .collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
}
