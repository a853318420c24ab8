//! Whole frames of the execution service: steps of sequences, and the breaker at the venues.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use engine::delivery::Outbox;
use engine::feed::InMemoryFeed;
use engine::rank::{Rank, Role};
use engine::run::{BacktestEngine, RunReport, Settings};
use engine::service::{BacktestService, RunOutcome, ServiceReport};
use engine::strategy_runner::StrategyRunner;
use execution::execution_service::{ExposureTerms, RealSourceKind, RiskTerms, Strictness};
use execution::profile::FailedOrderPolicy;
use execution::{ExecutionService, ExecutionSettings, ImpactTerms, RiskGate};
use expect_test::{Expect, expect};
use model::Decimal;
use model::event::{Envelope, Payload, Topic};
use model::frame::{Bar, BarKind, FrameBatch, MarketView};
use model::instrument::{Instrument, InstrumentIx, InstrumentTable, KeyIx};
use model::market::DataProvider;
use model::money::{Bps, Quantity};
use model::operation::{Amount, OperationRequest};
use model::order::{OrderRequest, OrderSide, Size, StrategyIx};
use model::risk::{RiskType, RiskTypes};
use model::snapshot::AccountSnapshot;
use model::strategy::{
    Decision, InstructionSequence, OrderDesk, SequenceStep, StepWait, Strategy, StrategyError,
};
use model::time::{Interval, UtcMillis};
use venues::exchange::{ExchangeSettings, MatchRules, Models};
use venues::fees::MakerTaker;
use venues::latency::FixedLatency;
use venues::participation::Unlimited;
use venues::path::Pessimistic;
use venues::slippage::NoSlippage;
use venues::transfer::Route;

const BTC: InstrumentIx = InstrumentIx(0);

#[derive(Clone, Debug, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn write(&self, line: String) {
        self.0.borrow_mut().push(line);
    }
}

type Wish = fn(Keys, &mut OrderDesk<'_>);

#[derive(Clone, Copy, Debug)]
struct Keys {
    wallet: KeyIx,
    transit: KeyIx,
    cash: KeyIx,
}

/// Asks for something in its first frame.
struct Once {
    wish: Option<Wish>,
    keys: Keys,
    log: Log,
}

impl Strategy for Once {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        _: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        self.log.write(format!("{} called", hour(market.ts())));
        if let Some(wish) = self.wish.take() {
            wish(self.keys, orders);
        }
        Ok(Decision::HOLD)
    }

    fn emergency(
        &mut self,
        market: MarketView<'_>,
        _: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        self.log.write(format!("{} plan", hour(market.ts())));
        orders.sell(BTC, Size::ALL);
        Ok(Decision::HOLD)
    }
}

/// Writes down loops, ends of orders and how often the chain has run.
struct Audit {
    log: Log,
    passes: u64,
}

impl BacktestService for Audit {
    type Error = Infallible;

    fn name(&self) -> &'static str {
        "audit"
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::TightLoop, Topic::OrderUpdate, Topic::Verdict, Topic::Account]
    }

    fn handle(&mut self, envelope: &Envelope, _: &mut Outbox) -> Result<(), Infallible> {
        let hour = hour(envelope.ts);
        if let Payload::TightLoop(record) = &envelope.payload {
            self.log.write(format!("{hour} {} {}", record.op_id, record.end.name()));
        }
        if let Payload::OrderUpdate(update) = &envelope.payload {
            let code = update.refusal.as_ref().map_or("", |refusal| refusal.code.name());
            let number = update.order_id.number;
            self.log.write(format!("{hour} {number} {} {code}", update.status.name()));
        }
        if let Payload::Verdict(group) = &envelope.payload {
            for verdict in &group.verdicts {
                if let Some(refusal) = verdict.refusal() {
                    let number = verdict.order_id().number;
                    self.log.write(format!("{hour} {number} denied {}", refusal.code.name()));
                }
            }
        }
        if let Payload::Account(account) = &envelope.payload {
            let passes = account.chain.exposure.number;
            self.log.write(format!("{hour} chain {} times", passes - self.passes));
            self.passes = passes;
        }
        Ok(())
    }

    fn finish(&mut self, _: &RunOutcome) -> Result<ServiceReport, Infallible> {
        Ok(ServiceReport::new("audit"))
    }
}

fn hour(ts: UtcMillis) -> i64 {
    ts.millis() / 3_600_000
}

fn units(text: &str) -> Size {
    Size::Units(Quantity(text.parse().expect("well-formed")))
}

fn settings(keys: Keys, stops_on_critical: bool) -> ExecutionSettings {
    let mut risk = RiskTerms::new(Interval::HOUR);
    risk.limits = risk.limits.with_max_drawdown(0.2);
    risk.limits.enabled = RiskTypes::of(&[RiskType::Drawdown]);
    let (source, transit, target) = (keys.wallet, keys.transit, keys.cash);
    let instant = Route { source, transit, target, delay_ms: 0, fee: Decimal::ZERO, gas_units: 0 };
    ExecutionSettings {
        exchange: ExchangeSettings {
            unfilled: venues::exchange::Unfilled::default(),
            interval: Interval::HOUR,
            seed: 0,
            rules: MatchRules::default(),
            models: Models {
                path: Rc::new(Pessimistic),
                participation: Rc::new(Unlimited),
                slippage: Rc::new(NoSlippage),
                latency: Rc::new(FixedLatency::default()),
                fees: vec![Rc::new(MakerTaker::flat(Bps::default(), Bps::default()))],
            },
            tiers: vec![Rc::from([])],
        },
        same_close: false,
        on_failed_order: FailedOrderPolicy::Continue,
        real_source: RealSourceKind::SimulatorLedger,
        transfers: vec![instant],
        exposure: ExposureTerms { share_class: "USDT".into(), ..ExposureTerms::default() },
        risk,
        strictness: Strictness::Strict,
        stops_on_critical,
    }
}

/// Runs a wish over bars that are flat at some prices; 1,000 USDT at the exchange, 500 in the wallet.
fn run(wish: Wish, prices: &[f64], stops_on_critical: bool) -> (RunReport, String) {
    let mut table = InstrumentTable::new();
    table.add(Instrument::spot(
        "binance:spot:BTCUSDT".parse().expect("well-formed"),
        "BTC",
        "USDT",
    ));
    let cash = table.cash_key(BTC);
    let wallet = table.add_key("wallet:BaseToken:USDT".parse().expect("well-formed"));
    let transit = table.add_key("binance:Transit:USDT".parse().expect("well-formed"));
    let keys = Keys { wallet, transit, cash };
    let table = Rc::new(table);
    let settings = settings(keys, stops_on_critical);
    let market = Rc::new(DataProvider::new(&table));
    let terms = ImpactTerms::new(&settings, &market, f64::INFINITY);
    let fees = settings.exchange.models.fees.clone();
    let gate = RiskGate::new(Rc::clone(&table), fees, terms);
    let initial = [(cash, Decimal::from(1_000)), (wallet, Decimal::from(500))];
    let execution =
        ExecutionService::new(Rc::clone(&table), settings, market, &initial).expect("a service");
    let log = Log::default();
    let once = Once { wish: Some(wish), keys, log: log.clone() };
    let runner = StrategyRunner::new("once", StrategyIx(0), once, 100);
    let mut batch = FrameBatch::with_capacity(1, prices.len());
    let mut ts = UtcMillis::new(0);
    for &px in prices {
        ts = ts.after(Interval::HOUR);
        let kind = BarKind::Real;
        batch.push(ts, false, &[Bar { open: px, high: px, low: px, close: px, volume: 9.0, kind }]);
    }
    let engine = BacktestEngine::new(Settings::default())
        .service(Rank::first(Role::Execution), execution)
        .service(Rank::first(Role::Strategy), runner.with_instruments(table))
        .service(Rank::first(Role::Gate), gate)
        .service(Rank::first(Role::Audit), Audit { log: log.clone(), passes: 0 });
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let report = runtime.block_on(engine.run(InMemoryFeed::new(Arc::new(batch))));
    let text = log.0.borrow().join("\n");
    (report, text)
}

fn check(wish: Wish, prices: &[f64], expected: &Expect) {
    let (report, text) = run(wish, prices, false);
    assert!(report.error.is_none(), "{:?}", report.error);
    expected.assert_eq(&text);
}

fn transfer(keys: Keys, amount: i64) -> SequenceStep {
    let amount = Amount::Units(Decimal::from(amount));
    let transfer = OperationRequest::transfer(keys.wallet, keys.cash, "binance", amount);
    SequenceStep::until(StepWait::Nothing).operate(transfer)
}

fn buy() -> SequenceStep {
    let request = OrderRequest::market(BTC, OrderSide::Buy, units("1"));
    SequenceStep::until(StepWait::Nothing).submit(request)
}

/// Source: 08 §10.2. The refresh, the transfer and each trade take the chain once.
#[test]
fn a_transfer_and_three_trades_take_the_chain_1_1_3_times_and_call_the_strategy_once() {
    let wish: Wish = |keys, orders| {
        let steps = InstructionSequence::new().then(transfer(keys, 100));
        orders.sequence(steps.then(buy()).then(buy()).then(buy()));
    };
    check(
        wish,
        &[100.0, 100.0, 100.0],
        &expect![[r"
        1 called
        1 chain 1 times
        2 called
        2 order 0.1 #0 success
        2 1 filled 
        2 order 0.2 #0 success
        2 2 filled 
        2 order 0.3 #0 success
        2 3 filled 
        2 order 0.4 #0 success
        2 4 filled 
        2 chain 5 times
        3 called
        3 chain 1 times"]],
    );
}

#[test]
fn a_step_that_fails_takes_the_later_ones_of_its_group_with_it() {
    let wish: Wish = |keys, orders| {
        let steps = InstructionSequence::new().then(transfer(keys, 900));
        orders.sequence(steps.then(buy()).then(buy()));
    };
    check(
        wish,
        &[100.0, 100.0, 100.0],
        &expect![[r"
        1 called
        1 chain 1 times
        2 called
        2 order 0.1 #0 failure
        2 1 rejected VEN-BALANCE
        2 2 canceled EXEC-SKIPPED
        2 3 canceled EXEC-SKIPPED
        2 chain 1 times
        3 called
        3 chain 1 times"]],
    );
}

#[test]
fn a_step_that_is_denied_takes_the_later_ones_of_its_group_with_it() {
    let wish: Wish = |keys, orders| {
        let request = OrderRequest::market(BTC, OrderSide::Buy, units("99"));
        let refused = SequenceStep::until(StepWait::Nothing).submit(request);
        orders.sequence(InstructionSequence::new().then(refused).then(transfer(keys, 1)));
    };
    check(
        wish,
        &[100.0, 100.0],
        &expect![[r"
        1 called
        1 chain 1 times
        1 1 denied RISK-BALANCE
        1 2 denied RISK-SEQUENCE
        2 called
        2 chain 1 times"]],
    );
}

/// The fall to 60 loses more than 0.2 of the highest equity: critical.
#[test]
fn a_critical_risk_cancels_what_may_increase_it_and_runs_the_plan() {
    let wish: Wish = |_, orders| {
        orders.submit(OrderRequest::market(BTC, OrderSide::Buy, units("9")));
        let size = units("1");
        orders.submit(OrderRequest::limit(BTC, OrderSide::Buy, size, Decimal::from(40)));
        let limit = OrderRequest::limit(BTC, OrderSide::Sell, size, Decimal::from(200));
        orders.submit(limit.reduce_only());
    };
    check(
        wish,
        &[100.0, 100.0, 60.0, 60.0, 60.0],
        &expect![[r"
        1 called
        1 chain 1 times
        1 3 denied RISK-REDUCE-ONLY
        2 called
        2 order 0.1 #0 success
        2 1 filled 
        2 order 0.2 #0 success
        2 chain 2 times
        3 plan
        3 chain 1 times
        4 plan
        4 order 0.2 #1 failure
        4 2 canceled RISK-BREAKER
        4 order 0.4 #0 success
        4 4 filled 
        4 chain 2 times
        5 plan
        5 order 0.5 #0 failure
        5 5 canceled VEN-NOTHING-LEFT
        5 chain 1 times"]],
    );
}

#[test]
fn a_critical_risk_ends_the_run_after_the_frame_if_it_is_to_stop() {
    let wish: Wish = |_, orders| {
        orders.submit(OrderRequest::market(BTC, OrderSide::Buy, units("9")));
    };
    let (report, text) = run(wish, &[100.0, 100.0, 60.0, 60.0], true);
    let error = report.error.expect("the run ends");
    let cause = std::error::Error::source(&error).expect("its cause");
    expect![[r#"
        1 called
        1 chain 1 times
        2 called
        2 order 0.1 #0 success
        2 1 filled 
        2 chain 2 times
        3 chain 1 times
        RISK-CRITICAL: drawdown at 1970-01-01T03:00:00Z (on_critical = "stop_run")"#]]
    .assert_eq(&format!("{text}\n{cause}"));
}
