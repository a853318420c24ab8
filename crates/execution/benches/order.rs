//! Time of one order, from its acceptance to the account valued after it, stage by stage, and of the
//! steps of a frame: `cargo bench -p execution`.
//!
//! Target: at most 2 µs an order in the mean with one spot instrument. Every limit of the budgets is
//! checked at the 99th percentile: routing and execution 1 ms, comparison 10 ms, an order 20 ms, the
//! steps of a frame as listed below. Ten orders a frame, over a year of hours.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use execution::execution_service::{ExposureTerms, RiskTerms, Strictness};
use execution::failure::{BoxError, Incident, SystemFailure};
use execution::manager::ExecutionManager;
use execution::ports::{Application, LedgerError, LedgerPort, LoopObserver};
use execution::profile::FailedOrderPolicy;
use ledger::chain::Chain;
use ledger::{LedgerSetup, PositionUpdateHandler, RealSource, ReconciliationComponent};
use model::Decimal;
use model::frame::{Bar, BarKind, Frame, FrameBatch};
use model::handshake::Handshake;
use model::instrument::{Instrument, InstrumentIx, InstrumentTable, KeyIx};
use model::interface::{Desk, Holding, InterfaceError, Submission};
use model::market::DataProvider;
use model::money::{Bps, Price, Quantity};
use model::order::{
    Exits, Order, OrderId, OrderSide, OrderUpdate, Origin, Pricing, Size, StrategyIx, TimeInForce,
};
use model::reconciliation::Reconciliation;
use model::snapshot::Reservation;
use model::tight_loop::{ChainCommit, LoopRecord, WalRecord};
use model::time::{Interval, UtcMillis};
use venues::books::{SharedBooks, VenueBooks};
use venues::cex::{SharedExchange, SimulatedCex};
use venues::exchange::{Exchange, ExchangeSettings, MatchRules, Models};
use venues::fees::{FeeModel, MakerTaker};
use venues::interfaces::{
    NoCredentials, VenueAdapter, VenueInterfaceFactory, VenueInterfaceManager,
};
use venues::latency::FixedLatency;
use venues::participation::Unlimited;
use venues::path::Pessimistic;
use venues::slippage::NoSlippage;

/// Hours of a year.
const FRAMES: i64 = 8_760;
const PER_FRAME: u32 = 10;
const HOUR: i64 = 3_600_000;

fn main() {
    for (venues, coins) in [(1, 1), (8, 9)] {
        say(&format!("\n{venues} venues with {coins} coins each, {PER_FRAME} orders a frame"));
        // Whole orders first, without the stopwatch in their stages.
        let (whole, frames) = World::new(venues, coins).run(false);
        let (stages, _) = World::new(venues, coins).run(true);
        let ms = Duration::from_millis;
        for (name, times, limit) in [
            ("order: sent, executed, booked, compared, valued", whole.order, ms(20)),
            ("  sent to the venue", stages.sent, ms(1)),
            ("  routed", stages.routed, ms(1)),
            ("  executed by the venue", stages.executed, ms(1)),
            ("  booked", stages.applied, ms(10)),
            ("  venues asked and compared", stages.compared, ms(10)),
            ("  chain", stages.valued, ms(10)),
            ("frame: all of its orders and the refresh", frames.whole, ms(1_000)),
            ("  refresh", frames.refresh, ms(500)),
            ("  exposure", frames.exposure, ms(200)),
            ("  risk", frames.risk, ms(150)),
            ("  profit", frames.profit, ms(200)),
        ] {
            times.report(name, limit);
        }
    }
}

#[expect(clippy::print_stdout, reason = "its purpose")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn now() -> Instant {
    Instant::now()
}

/// Durations of one kind of work.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn take<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let began = now();
        let done = work();
        self.0.push(began.elapsed());
        done
    }

    /// Prints mean and percentiles, and ends the bench if the 99th is beyond the limit.
    fn report(mut self, name: &str, limit: Duration) {
        self.0.sort_unstable();
        let count = self.0.len();
        let mean = self.0.iter().sum::<Duration>() / u32::try_from(count).expect("few");
        let at = |percent: usize| self.0[(count * percent / 100).min(count - 1)].as_nanos();
        let (p50, p99, most) = (at(50), at(99), self.0[count - 1].as_nanos());
        let mean = mean.as_nanos();
        say(&format!("{name:<48} mean {mean:>7} ns, p50 {p50:>7}, p99 {p99:>7}, most {most:>9}"));
        assert!(p99 < limit.as_nanos(), "{name}: p99 is {p99} ns, at most {limit:?}");
    }
}

/// Times of the stages of orders.
#[derive(Default)]
struct OrderTimes {
    order: Times,
    sent: Times,
    routed: Times,
    executed: Times,
    applied: Times,
    compared: Times,
    valued: Times,
}

/// Times of the steps of frames.
#[derive(Default)]
struct FrameTimes {
    whole: Times,
    refresh: Times,
    exposure: Times,
    risk: Times,
    profit: Times,
}

/// A ledger with a stopwatch.
struct Timed<'a> {
    ledger: &'a mut PositionUpdateHandler,
    times: &'a mut OrderTimes,
    /// Time spent in the ledger during one order.
    spent: Duration,
}

impl Timed<'_> {
    fn take<T>(
        &mut self,
        of: fn(&mut OrderTimes) -> &mut Times,
        work: impl FnOnce(&mut PositionUpdateHandler) -> T,
    ) -> T {
        let began = now();
        let done = work(self.ledger);
        let took = began.elapsed();
        self.spent += took;
        of(self.times).0.push(took);
        done
    }
}

impl LedgerPort for Timed<'_> {
    fn apply(&mut self, handshake: &mut Handshake) -> Result<Application, LedgerError> {
        self.take(|times| &mut times.applied, |ledger| LedgerPort::apply(ledger, handshake))
    }

    fn query_real(&mut self) -> Result<(), InterfaceError> {
        self.take(|times| &mut times.compared, PositionUpdateHandler::query_real)
    }

    fn reconcile(&mut self) -> Reconciliation {
        // One figure with the query before it.
        let began = now();
        let found = self.ledger.reconcile();
        let took = began.elapsed();
        self.spent += took;
        *self.times.compared.0.last_mut().expect("venues were asked") += took;
        found
    }

    fn run_chain(&mut self, ts: UtcMillis) -> Result<ChainCommit, BoxError> {
        self.take(|times| &mut times.valued, |ledger| LedgerPort::run_chain(ledger, ts))
    }

    fn follow(&mut self, update: &OrderUpdate) {
        self.ledger.follow_order(update);
    }

    fn lock(&mut self, order_id: OrderId, reserved: Reservation) {
        self.ledger.lock_order(order_id, reserved);
    }
}

/// Whom nothing is told.
struct Nobody;

impl LoopObserver for Nobody {
    fn record(&mut self, _record: WalRecord<'_>) {}
    fn update(&mut self, _update: Arc<OrderUpdate>) {}
    fn finished(&mut self, _record: &LoopRecord) {}
    fn incident(&mut self, _incident: Incident) {}
    fn failed(&mut self, failure: &SystemFailure) {
        panic!("{failure}");
    }
}

/// Spot instruments at some venues, with everything that executes on them.
struct World {
    instruments: Rc<InstrumentTable>,
    market: Rc<DataProvider>,
    exchange: SharedExchange,
    books: SharedBooks,
    ledger: PositionUpdateHandler,
    venues: VenueInterfaceManager,
    manager: ExecutionManager,
    /// The chain once more, by itself.
    chain: Chain,
}

impl World {
    fn new(venues: usize, coins: usize) -> Self {
        let mut table = InstrumentTable::new();
        for venue in 0..venues {
            for coin in 0..coins {
                let id = format!("v{venue}:spot:A{coin}USDT").parse().expect("an id");
                table.add(Instrument::spot(id, &format!("A{coin}"), "USDT"));
            }
        }
        let instruments = Rc::new(table);
        let market = Rc::new(DataProvider::new(&instruments));
        let plenty = Decimal::from(1_000_000_000);
        let initial: Vec<(KeyIx, Decimal)> =
            instruments.keys().map(|(key, _)| (key, plenty)).collect();
        let held: Vec<(KeyIx, Holding)> = initial
            .iter()
            .map(|(key, amount)| (*key, Holding { amount: *amount, ..Holding::default() }))
            .collect();
        let books = SharedBooks::new(VenueBooks::new(Rc::clone(&instruments), &held));
        let fees: Rc<dyn FeeModel> =
            Rc::new(MakerTaker::flat(Bps(Decimal::TEN), Bps(Decimal::TEN)));
        let settings = ExchangeSettings {
            interval: Interval::HOUR,
            seed: 0,
            rules: MatchRules::default(),
            tiers: vec![Rc::from([]); instruments.len()],
            models: Models {
                path: Rc::new(Pessimistic),
                participation: Rc::new(Unlimited),
                slippage: Rc::new(NoSlippage),
                latency: Rc::new(FixedLatency::default()),
                fees: vec![fees; instruments.len()],
            },
        };
        let exchange =
            SharedExchange::new(Exchange::new(Rc::clone(&instruments), settings, books.clone()));
        let names: BTreeSet<&str> = instruments.keys().map(|(_, key)| key.venue()).collect();
        let adapter = |name: &str| {
            let cex = SimulatedCex::new(name, exchange.clone(), books.clone());
            Box::new(cex) as Box<dyn VenueAdapter>
        };
        let factory =
            VenueInterfaceFactory::new(names.into_iter().map(adapter).collect(), NoCredentials)
                .expect("each venue once");
        let exposure = || ExposureTerms { share_class: "USDT".into(), ..ExposureTerms::default() };
        let risk = || RiskTerms::new(Interval::HOUR);
        let ledger = PositionUpdateHandler::new(LedgerSetup {
            instruments: Rc::clone(&instruments),
            market: Rc::clone(&market),
            exposure: exposure(),
            risk: risk(),
            strictness: Strictness::Lenient,
            interval: Interval::HOUR,
            initial: &initial,
            real: RealSource::Venues(factory.position_interfaces()),
            reconciliation: ReconciliationComponent::exact(&instruments),
        })
        .expect("everything is priced");
        let venues = VenueInterfaceManager::new(factory.execution_interfaces(), &instruments)
            .expect("one interface per operation");
        let chain = Chain::new(&instruments, &market, exposure(), risk(), Strictness::Lenient);
        let manager = ExecutionManager::new(FailedOrderPolicy::AbortRun);
        Self { instruments, market, exchange, books, ledger, venues, manager, chain }
    }

    /// A year of hours; with a stopwatch in the stages of orders, or around orders as a whole.
    fn run(mut self, with_stages: bool) -> (OrderTimes, FrameTimes) {
        let (mut orders, mut frames) = (OrderTimes::default(), FrameTimes::default());
        self.refresh(&self.frame(0));
        let mut number = 0;
        for hour in 1..=FRAMES {
            let (open, frame) = (UtcMillis::new((hour - 1) * HOUR), self.frame(hour));
            let began = now();
            let sent: Vec<Arc<Order>> = (0..PER_FRAME)
                .map(|_| {
                    number += 1;
                    Arc::new(self.order(number, open))
                })
                .collect();
            let mut spent = Vec::with_capacity(sent.len());
            for order in &sent {
                let began = now();
                self.send(order, open);
                spent.push(began.elapsed());
            }
            let exchange = self.exchange.clone();
            self.move_venues(open, |desk| {
                let due = exchange.work(|exchange| exchange.begin_open(&frame, desk))?;
                assert_eq!(due.len(), sent.len(), "all of them are due");
                Ok(())
            });
            for (order, sent) in sent.into_iter().zip(spent) {
                if with_stages {
                    orders.sent.0.push(sent);
                    self.submit_staged(order, open, &mut orders);
                } else {
                    let began = now();
                    self.submit(order, open);
                    orders.order.0.push(sent + began.elapsed());
                }
            }
            let exchange = self.exchange.clone();
            self.move_venues(frame.ts(), |desk| {
                Ok(exchange.work(|exchange| exchange.match_rest(desk))?)
            });
            frames.refresh.take(|| self.refresh(&frame));
            frames.whole.0.push(began.elapsed());
            self.time_chain(frame.ts(), &mut frames);
        }
        (orders, frames)
    }

    /// Everything costs about 100, and something else every hour.
    fn frame(&self, hour: i64) -> Frame {
        let px = 100.0 + f64::from(u8::try_from(hour % 7).expect("small"));
        let kind = BarKind::Real;
        let bar = Bar { open: px, high: px + 1.0, low: px - 1.0, close: px, volume: 1e9, kind };
        let width = self.instruments.len();
        let mut batch = FrameBatch::with_capacity(width, 1);
        batch.push(UtcMillis::new(hour * HOUR), false, &vec![bar; width]);
        Arc::new(batch).frame(0).expect("the one that was pushed")
    }

    /// Buys and sells in turn, at one instrument after the other.
    fn order(&self, number: u32, ts: UtcMillis) -> Order {
        let width = u32::try_from(self.instruments.len()).expect("few");
        let place = u16::try_from(number / 2 % width).expect("few");
        let side = if number.is_multiple_of(2) { OrderSide::Buy } else { OrderSide::Sell };
        Order {
            order_id: OrderId { strategy: StrategyIx(0), number },
            client_order_id: None,
            instrument: InstrumentIx(place),
            side,
            pricing: Pricing::Market,
            tif: TimeInForce::Gtc,
            expire_at: None,
            size: Size::Units(Quantity(Decimal::ONE)),
            post_only: false,
            reduce_only: false,
            oco_group: None,
            parent: None,
            exits: Exits::default(),
            origin: Origin::Strategy,
            ts_decided: ts,
            ts_eligible: ts,
        }
    }

    fn move_venues(
        &mut self,
        ts: UtcMillis,
        movement: impl FnOnce(&mut dyn Desk) -> Result<(), InterfaceError>,
    ) {
        let moved = self.manager.let_venue_move(ts, &mut self.ledger, &mut Nobody, movement);
        moved.expect("both books agree");
    }

    fn send(&mut self, order: &Arc<Order>, ts: UtcMillis) {
        let exchange = self.exchange.clone();
        let px = Price::new(Decimal::ONE_HUNDRED).expect("positive");
        let mut reserved = None;
        self.move_venues(ts, |desk| {
            reserved = exchange.work(|exchange| exchange.send(order, px, desk))?;
            Ok(())
        });
        let reserved = reserved.expect("it is new");
        self.ledger.accept_order(Arc::clone(order), reserved);
    }

    fn submit(&mut self, order: Arc<Order>, ts: UtcMillis) {
        let Self { manager, venues, ledger, .. } = self;
        let submissions = [Submission::Trade(order)];
        let processed = manager.process_orders(ts, &submissions, venues, ledger, &mut Nobody);
        processed.ending.expect("both books agree");
        assert!(processed.outcomes[0].record.applied, "it has filled");
    }

    fn submit_staged(&mut self, order: Arc<Order>, ts: UtcMillis, times: &mut OrderTimes) {
        let submissions = [Submission::Trade(order)];
        let Self { manager, venues, ledger, .. } = self;
        times.routed.take(|| venues.route(&submissions[0]).is_some());
        let mut timed = Timed { ledger, times, spent: Duration::ZERO };
        let began = now();
        let processed = manager.process_orders(ts, &submissions, venues, &mut timed, &mut Nobody);
        let executed = began.elapsed().saturating_sub(timed.spent);
        times.executed.0.push(executed);
        processed.ending.expect("both books agree");
    }

    fn refresh(&mut self, frame: &Frame) {
        self.market.advance(frame);
        self.books.change(|books| books.observe(frame));
        self.ledger.observe(frame);
        self.ledger.run_chain(frame.ts()).expect("everything is priced");
    }

    fn time_chain(&mut self, ts: UtcMillis, times: &mut FrameTimes) {
        let Self { chain, ledger, .. } = self;
        let (book, Chain { exposure, risk, pnl }) = (ledger.book(), &mut *chain);
        exposure.positions_changed();
        let staged = times.exposure.take(|| exposure.stage(ts, book)).expect("all is priced");
        times.risk.take(|| risk.stage(ts, staged).map(|_| ())).expect("all is priced");
        times.profit.take(|| pnl.stage(ts, staged).map(|_| ())).expect("all is priced");
        chain.commit();
    }
}
