//! Time of a bar at which orders rest and none is reached, and of one that fills an order after many
//! others: `cargo bench -p venues`.
//!
//! Target: ten resting orders cost at most 100 ns a bar more than none, a thousand at most 1 µs. The
//! figures are those of [`BARS`] bars.

use std::rc::Rc;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use model::Decimal;
use model::frame::{Bar, BarKind, Frame, FrameBatch};
use model::handshake::VenueReport;
use model::instrument::{Instrument, InstrumentIx, InstrumentTable, KeyIx};
use model::interface::{Desk, Holding, Stopped};
use model::money::{Bps, Price, Quantity};
use model::order::{
    Exits, Order, OrderId, OrderSide, Origin, Pricing, Size, StrategyIx, TimeInForce,
};
use model::time::{Interval, UtcMillis};
use venues::books::{SharedBooks, VenueBooks};
use venues::exchange::{MatchRules, Models};
use venues::fees::MakerTaker;
use venues::latency::FixedLatency;
use venues::participation::Unlimited;
use venues::path::Pessimistic;
use venues::slippage::NoSlippage;
use venues::{Exchange, ExchangeSettings};

/// Bars of one measurement.
const BARS: usize = 1_000;

fn main() {
    divan::main();
}

/// A desk that nothing is reported to.
struct Idle;

impl Desk for Idle {
    fn take(&mut self, report: VenueReport) -> Result<(), Stopped> {
        panic!("no bar reaches an order: {report:?}");
    }
}

/// A desk that forgets what is reported.
struct Forgetful;

impl Desk for Forgetful {
    fn take(&mut self, report: VenueReport) -> Result<(), Stopped> {
        divan::black_box(report);
        Ok(())
    }
}

fn exchange() -> Exchange {
    let mut table = InstrumentTable::new();
    table.add(Instrument::spot("x:spot:BTCUSDT".parse().expect("an id"), "BTC", "USDT"));
    let models = Models {
        path: Rc::new(Pessimistic),
        participation: Rc::new(Unlimited),
        slippage: Rc::new(NoSlippage),
        latency: Rc::new(FixedLatency::default()),
        fees: vec![Rc::new(MakerTaker::flat(Bps::default(), Bps::default()))],
    };
    let settings = ExchangeSettings {
        unfilled: venues::exchange::Unfilled::default(),
        interval: Interval::HOUR,
        seed: 0,
        rules: MatchRules::default(),
        models,
        tiers: vec![Rc::from([])],
    };
    let table = Rc::new(table);
    // More than all orders need.
    let plenty = Holding { amount: Decimal::from(1_000_000_000_000_u64), ..Holding::default() };
    let initial: Vec<(KeyIx, Holding)> = table.keys().map(|(key, _)| (key, plenty)).collect();
    let books = SharedBooks::new(VenueBooks::new(Rc::clone(&table), &initial));
    Exchange::new(table, settings, books)
}

/// Limits below and stops above 100, all apart.
fn order(number: u32) -> Order {
    let number_in_range = number % 1_001;
    let price = |cents: u32| Price::new(Decimal::new(cents.into(), 2)).expect("positive");
    let pricing = if number.is_multiple_of(2) {
        Pricing::Limit { price: price(9_000 - number_in_range) }
    } else {
        Pricing::Stop { stop_price: price(11_000 + number_in_range) }
    };
    Order {
        order_id: OrderId { strategy: StrategyIx(0), number },
        client_order_id: None,
        instrument: InstrumentIx(0),
        side: OrderSide::Buy,
        pricing,
        tif: TimeInForce::Gtc,
        expire_at: None,
        size: Size::Units(Quantity(Decimal::ONE)),
        post_only: false,
        reduce_only: false,
        oco_group: None,
        parent: None,
        exits: Exits::default(),
        origin: Origin::Strategy,
        ts_decided: UtcMillis::new(0),
        ts_eligible: UtcMillis::new(0),
    }
}

/// Bars that move and stay within 98 and 102.
fn frames() -> Vec<Frame> {
    let mut batch = FrameBatch::with_capacity(1, BARS + 1);
    let mut ts = UtcMillis::new(0);
    for number in 0..=BARS {
        ts = ts.after(Interval::HOUR);
        let (open, close) = if number % 2 == 0 { (99.5, 100.5) } else { (100.5, 99.5) };
        let kind = BarKind::Real;
        let bar = Bar { open, high: 101.0, low: 99.0, close, volume: 1_000.0, kind };
        batch.push(ts, false, &[bar]);
    }
    Arc::new(batch).frames().collect()
}

#[divan::bench(args = [0, 1, 10, 100, 1_000])]
fn bars(bencher: Bencher, orders: u32) {
    let frames = frames();
    let mut exchange = exchange();
    let last = Price::new(Decimal::ONE_HUNDRED).expect("positive");
    for number in 0..orders {
        let sent =
            exchange.send(&Arc::new(order(number)), last, &mut Idle).expect("no name is taken");
        assert!(sent.is_some());
    }
    // They arrive with the first bar and rest from then on.
    exchange.match_frame(&frames[0], &mut Forgetful).expect("infallible");
    bencher.counter(ItemsCount::new(BARS)).bench_local(|| {
        for frame in &frames[1..] {
            exchange.match_frame(divan::black_box(frame), &mut Idle).expect("infallible");
        }
        assert_eq!(exchange.open_orders(), orders as usize);
    });
}

/// A bar with one market order, after many that have filled: what is past must not cost anything.
#[divan::bench(args = [0, 1_000, 100_000])]
fn fills_after_others(bencher: Bencher, past: u32) {
    let frames = frames();
    let mut exchange = exchange();
    let last = Price::new(Decimal::ONE_HUNDRED).expect("positive");
    let mut number = 0;
    let mut trade = |exchange: &mut Exchange, frame: &Frame| {
        number += 1;
        let market = Order { pricing: Pricing::Market, ..order(number) };
        exchange.send(&Arc::new(market), last, &mut Forgetful).expect("infallible");
        exchange.match_frame(frame, &mut Forgetful).expect("infallible");
    };
    // Time does not go back, so it is one bar again and again.
    let frame = &frames[0];
    for _ in 0..past {
        trade(&mut exchange, frame);
    }
    bencher.counter(ItemsCount::new(BARS)).bench_local(|| {
        for _ in 0..BARS {
            trade(&mut exchange, divan::black_box(frame));
        }
        assert_eq!(exchange.open_orders(), 0);
    });
}
