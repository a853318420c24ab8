//! Time of a bar at which orders rest and none is reached, and of one that fills an order after many
//! others: `cargo bench -p venues`.
//!
//! Target: ten resting orders cost at most 100 ns a bar more than none, a thousand at most 1 µs. The
//! figures are those of [`BARS`] bars.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use model::Decimal;
use model::frame::{Bar, BarKind, Frame, FrameBatch};
use model::instrument::{Instrument, InstrumentIx, InstrumentTable, KeyIx};
use model::money::{Bps, Price, Quantity};
use model::order::{Exits, Order, OrderId, OrderSide, Pricing, Size, StrategyIx, TimeInForce};
use model::time::{Interval, UtcMillis};
use venues::exchange::{Admission, Clearing, MatchRules, Models, VenueEvent};
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

/// An account that is never traded for.
struct Idle;

impl Clearing for Idle {
    type Error = Infallible;

    fn free(&self, _key: KeyIx) -> Decimal {
        Decimal::from(1_000_000_000)
    }

    fn balance(&self, key: KeyIx) -> Decimal {
        self.free(key)
    }

    fn position(&self, _instrument: InstrumentIx) -> Quantity {
        Quantity::ZERO
    }

    fn take(&mut self, event: VenueEvent) -> Result<(), Infallible> {
        panic!("no bar reaches an order: {event:?}");
    }
}

/// An account that can pay for everything and forgets it.
struct Boundless;

impl Clearing for Boundless {
    type Error = Infallible;

    fn free(&self, _key: KeyIx) -> Decimal {
        Decimal::from(1_000_000_000)
    }

    fn balance(&self, key: KeyIx) -> Decimal {
        self.free(key)
    }

    fn position(&self, _instrument: InstrumentIx) -> Quantity {
        Quantity::ZERO
    }

    fn take(&mut self, event: VenueEvent) -> Result<(), Infallible> {
        divan::black_box(event);
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
        interval: Interval::HOUR,
        seed: 0,
        rules: MatchRules::default(),
        models,
    };
    Exchange::new(Rc::new(table), settings)
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
        let sent = exchange.send(&Arc::new(order(number)), last, &Idle);
        assert!(matches!(sent, Admission::Sent(_)));
    }
    // They arrive with the first bar and rest from then on.
    exchange.match_frame(&frames[0], &mut Idle).expect("infallible");
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
        exchange.send(&Arc::new(market), last, &Boundless);
        exchange.match_frame(frame, &mut Boundless).expect("infallible");
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
