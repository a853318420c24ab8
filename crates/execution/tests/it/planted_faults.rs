//! Faults planted in either book: the run ends at the operation that has one, and names it.

use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use engine::delivery::Outbox;
use engine::error::EngineError;
use engine::feed::InMemoryFeed;
use engine::service::{BacktestService, RunOutcome, ServiceReport};
use execution::ExecutionService;
use execution::execution_service::ExecutionError;
use execution::fault_injection::{FaultScript, Slip};
use expect_test::{Expect, expect};
use model::Decimal;
use model::delta::{Cause, Delta, OperationId};
use model::event::{Envelope, Payload, Topic};
use model::frame::{Bar, BarKind, Frame, FrameBatch, FundingPoint, MarketView};
use model::handshake::Handshake;
use model::instrument::{InstrumentIx, KeyIx};
use model::money::Quantity;
use model::order::{OrderId, OrderSide, Size, StrategyIx};
use model::snapshot::AccountSnapshot;
use model::strategy::{Decision, OrderDesk, Strategy, StrategyError};
use model::time::UtcMillis;
use venues::books::SharedBooks;

use crate::frames::START;
use crate::two_books::{run, service};
use crate::world::{HOUR, World};

/// Trades at the first six closes: a spot coin, then its perpetual short and bought back in part,
/// twice. Every order fills at the next open.
struct Rounds {
    spot: InstrumentIx,
    perp: InstrumentIx,
    orders: u32,
}

impl Strategy for Rounds {
    fn decide(
        &mut self,
        _market: MarketView<'_>,
        _account: &AccountSnapshot,
        desk: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        if self.orders == 6 {
            return Ok(Decision::HOLD);
        }
        let (place, side, units) = match self.orders % 3 {
            0 => (self.spot, OrderSide::Buy, 2),
            1 => (self.perp, OrderSide::Sell, 2),
            _ => (self.perp, OrderSide::Buy, 1),
        };
        let size = Size::Units(Quantity(Decimal::new(units, 0)));
        match side {
            OrderSide::Buy => desk.buy(place, size),
            OrderSide::Sell => desk.sell(place, size),
        };
        self.orders += 1;
        Ok(Decision::HOLD)
    }
}

/// Twelve hours: everything costs 100 and a unit more every hour; funding of 1 % at the eighth.
fn frames(world: &World) -> InMemoryFeed {
    let perp = world.instrument("binance:perp:BTCUSDT");
    let mut batch = FrameBatch::with_capacity(world.instruments.len(), 12);
    for hour in 1..=12_u32 {
        let px = f64::from(100 + hour);
        let (open, kind) = (px - 1.0, BarKind::Real);
        let bar = Bar { open, high: px, low: open, close: px, volume: 1e6, kind };
        let ts = UtcMillis::new(START + i64::from(hour) * HOUR);
        batch.push(ts, false, &vec![bar; world.instruments.len()]);
        if hour == 8 {
            let (rate, mark) = (Decimal::new(1, 2), Some(Decimal::ONE_HUNDRED));
            batch.push_funding(&[FundingPoint { instrument: perp, ts, rate, mark }]);
        }
    }
    InMemoryFeed::new(Arc::new(batch))
}

/// Execution with a mistake that the venue makes in its books when a frame comes.
struct Erring {
    inner: ExecutionService,
    hour: i64,
    mistake: fn(&SharedBooks, &World),
    world: Rc<World>,
}

impl BacktestService for Erring {
    type Error = ExecutionError;

    const CLOSES_TICKS: bool = false;

    fn name(&self) -> &'static str {
        "execution"
    }

    fn topics(&self) -> &'static [Topic] {
        self.inner.topics()
    }

    fn handle(&mut self, envelope: &Envelope, outbox: &mut Outbox) -> Result<(), Self::Error> {
        if let Payload::Frame(frame) = &envelope.payload
            && Frame::ts(frame).millis() == START + self.hour * HOUR
        {
            (self.mistake)(self.inner.venue_books(), &self.world);
        }
        self.inner.handle(envelope, outbox)
    }

    fn finish(&mut self, outcome: &RunOutcome) -> Result<ServiceReport, Self::Error> {
        self.inner.finish(outcome)
    }
}

/// Runs the rounds and shows how they ended: the error of execution with its causes.
fn ending(world: &Rc<World>, execution: impl BacktestService + 'static) -> String {
    let (spot, perp) =
        (world.instrument("binance:spot:BTCUSDT"), world.instrument("binance:perp:BTCUSDT"));
    let (report, _) = run(world, execution, Rounds { spot, perp, orders: 0 }, frames(world));
    match report.error {
        None => "completed".to_owned(),
        Some(error @ EngineError::Service { .. }) => {
            let text = error.chain();
            let (_, cause) = text.split_once(": ").expect("a service says why it failed");
            cause.to_owned()
        }
        Some(error) => panic!("{error}"),
    }
}

/// A fault: in what the venue says or holds when the nth handshake with deltas is applied, or in what
/// the venue holds when the frame of an hour comes.
enum Fault {
    Slip(u32, fn(&mut Handshake, &SharedBooks, &World)),
    Mistake(i64, fn(&SharedBooks, &World)),
}

use Fault::{Mistake, Slip as AtFill};

/// Runs the rounds once for every fault and shows how each ended.
fn check(faults: &[(&str, Fault)], expected: &Expect) {
    let mut table = String::new();
    for (name, fault) in faults {
        let world = Rc::new(World::new());
        let service = service(&world);
        let ended = match *fault {
            AtFill(nth, make) => {
                let (books, of_slip) = (service.venue_books().clone(), Rc::clone(&world));
                let make = Rc::new(move |shake: &mut Handshake| make(shake, &books, &of_slip));
                let faults = FaultScript::default().with_slip(Slip { nth, make });
                ending(&world, service.with_faults(faults))
            }
            Mistake(hour, mistake) => {
                let erring = Erring { inner: service, hour, mistake, world: Rc::clone(&world) };
                ending(&world, erring)
            }
        };
        writeln!(table, "{name}\n    {ended}").expect("a text");
    }
    expected.assert_eq(&table);
}

fn tamper(books: &SharedBooks, world: &World, key: &str, amount: Decimal) {
    books.change(|books| books.tamper(world.key(key), amount));
}

/// The smallest amount that a book can hold.
fn ulp() -> Decimal {
    Decimal::new(1, 12)
}

fn of(handshake: &mut Handshake, cause: Cause) -> &mut Delta {
    let mut deltas = handshake.deltas.iter_mut();
    deltas.find(|delta| delta.cause == cause).expect("a delta of this cause")
}

#[test]
fn a_fault_in_what_the_venue_holds_is_found_at_the_operation_that_has_it() {
    let faults: &[(&str, Fault)] = &[
        ("none", AtFill(u32::MAX, |_, _, _| ())),
        (
            "one unit of the last digit in its cash, at the fourth fill",
            AtFill(4, |_, books, world| tamper(books, world, "binance:BaseToken:USDT", ulp())),
        ),
        (
            "a coin that the trade has nothing to do with, at the fourth fill",
            AtFill(4, |_, books, world| {
                tamper(books, world, "okx:BaseToken:DOT", -Decimal::ONE);
            }),
        ),
        (
            "one unit of the last digit in its position, at the fifth fill",
            AtFill(5, |_, books, world| tamper(books, world, "binance:Perp:BTCUSDT", ulp())),
        ),
        (
            "what is on its way, before the fourth fill",
            Mistake(5, |books, world| {
                tamper(books, world, "kraken:Transit:ETH", Decimal::ONE);
            }),
        ),
        (
            // Short two at 100 get 2 for 1 %; the venue takes 2.
            "funding of the wrong sign, at hour eight",
            Mistake(8, |books, world| {
                tamper(books, world, "binance:BaseToken:USDT", Decimal::new(-4, 0));
            }),
        ),
        (
            "cash that vanishes after the last operation",
            Mistake(11, |books, world| {
                tamper(books, world, "gate:BaseToken:USDT", -Decimal::ONE);
            }),
        ),
    ];
    check(
        faults,
        &expect![[r"
        none
            completed
        one unit of the last digit in its cash, at the fourth fill
            REC-MISMATCH: after order 0.4 #0 of 2024-01-01T04:00:00Z we believe 999588.181012000 at binance:BaseToken:USDT and the venue says 999588.181012000001, -0.000000000001 apart
        a coin that the trade has nothing to do with, at the fourth fill
            REC-MISMATCH: after order 0.4 #0 of 2024-01-01T04:00:00Z we believe 26667 at okx:BaseToken:DOT and the venue says 26666, 1 apart
        one unit of the last digit in its position, at the fifth fill
            REC-MISMATCH: after order 0.5 #0 of 2024-01-01T05:00:00Z we believe -3 at binance:Perp:BTCUSDT and the venue says -2.999999999999, -0.000000000001 apart
        what is on its way, before the fourth fill
            REC-MISMATCH: after order 0.4 #0 of 2024-01-01T04:00:00Z we believe 0 at kraken:Transit:ETH and the venue says 1, -1 apart
        funding of the wrong sign, at hour eight
            REC-MISMATCH: after funding of 2024-01-01T08:00:00Z we believe 999587.927234000 at binance:BaseToken:USDT and the venue says 999583.927234000, 4.000000000 apart
        cash that vanishes after the last operation
            REC-MISMATCH: after the last frame of 2024-01-01T12:00:00Z we believe 1000000 at gate:BaseToken:USDT and the venue says 999999, 1 apart
    "]],
    );
}

#[test]
fn a_fault_in_what_we_apply_is_found_at_the_operation_that_has_it() {
    let faults: &[(&str, Fault)] = &[
        (
            "a wrong amount, by the last digit",
            AtFill(4, |handshake, _, _| handshake.deltas[0].amount += ulp()),
        ),
        ("a key beside the right one", AtFill(4, |handshake, _, _| handshake.deltas[0].key.0 += 1)),
        (
            "a key beyond the last one",
            AtFill(4, |handshake, _, _| handshake.deltas[0].key = KeyIx(9_999)),
        ),
        ("a leg that is missing", AtFill(4, |handshake, _, _| handshake.deltas.truncate(1))),
        (
            "no deltas at all",
            AtFill(4, |handshake, _, _| {
                handshake.deltas.clear();
            }),
        ),
        (
            "the price before slippage in place of that of the fill",
            AtFill(4, |handshake, _, _| {
                let fill = handshake.fill.as_ref().expect("a trade");
                let (px, units) = (Decimal::new(104, 0), fill.last_qty.0);
                handshake.deltas[1].amount = -px * units - fill.fee.0;
            }),
        ),
        (
            "a fee that is left out of the cash",
            AtFill(4, |handshake, _, _| {
                let fee = handshake.fill.as_ref().expect("a trade").fee;
                handshake.deltas[1].amount += fee.0;
            }),
        ),
        (
            "a fee that is wrong in the fill as well",
            AtFill(4, |handshake, _, _| {
                let fill = handshake.fill.as_mut().and_then(Arc::get_mut).expect("nobody else's");
                fill.fee.0 += ulp();
                handshake.deltas[1].amount -= ulp();
            }),
        ),
        (
            "a fee of a perpetual that is off by the last digit",
            AtFill(5, |handshake, _, _| of(handshake, Cause::Fee).amount += ulp()),
        ),
        (
            "margin of a perpetual that is spent",
            AtFill(5, |handshake, _, _| {
                of(handshake, Cause::Fee).amount -= Decimal::new(42, 0);
            }),
        ),
        (
            "profit that the position has not made",
            AtFill(6, |handshake, _, _| of(handshake, Cause::Realized).amount += ulp()),
        ),
        (
            "every delta twice",
            AtFill(4, |handshake, _, _| {
                let again = handshake.deltas.clone();
                handshake.deltas.extend(again);
            }),
        ),
        (
            "the name of an operation that has been applied",
            AtFill(4, |handshake, _, _| {
                let order_id = OrderId { strategy: StrategyIx(0), number: 3 };
                handshake.op_id = OperationId::submission(order_id);
            }),
        ),
    ];
    check(
        faults,
        &expect![[r"
            a wrong amount, by the last digit
                POS-APPLY: order 0.4 #0 failed while reconciling: the changes cannot be applied: the changes are invalid: POS-CONSERVATION: order 0.4 #0 changes binance:BaseToken:BTC by 2.000000000001, its fill by 2
            a key beside the right one
                POS-APPLY: order 0.4 #0 failed while reconciling: the changes cannot be applied: the changes are invalid: POS-CONSERVATION: order 0.4 #0 changes binance:BaseToken:BTC by 0, its fill by 2
            a key beyond the last one
                POS-APPLY: order 0.4 #0 failed while reconciling: the changes cannot be applied: the changes are invalid: POS-CONSERVATION: order 0.4 #0 changes binance:BaseToken:BTC by 0, its fill by 2
            a leg that is missing
                POS-APPLY: order 0.4 #0 failed while reconciling: the changes cannot be applied: the changes are invalid: POS-CONSERVATION: order 0.4 #0 changes binance:BaseToken:USDT by 0, its fill by -208.28808000
            no deltas at all
                POS-APPLY: order 0.4 #0 failed while reconciling: the changes cannot be applied: the changes are invalid: POS-CONSERVATION: order 0.4 #0 changes binance:BaseToken:BTC by 0, its fill by 2
            the price before slippage in place of that of the fill
                POS-APPLY: order 0.4 #0 failed while reconciling: the changes cannot be applied: the changes are invalid: POS-CONSERVATION: order 0.4 #0 changes binance:BaseToken:USDT by -208.20808000, its fill by -208.28808000
            a fee that is left out of the cash
                POS-APPLY: order 0.4 #0 failed while reconciling: the changes cannot be applied: the changes are invalid: POS-CONSERVATION: order 0.4 #0 changes binance:BaseToken:USDT by -208.08000000, its fill by -208.28808000
            a fee that is wrong in the fill as well
                REC-MISMATCH: after order 0.4 #0 of 2024-01-01T04:00:00Z we believe 999588.181011999999 at binance:BaseToken:USDT and the venue says 999588.181012000, -0.000000000001 apart
            a fee of a perpetual that is off by the last digit
                POS-APPLY: order 0.5 #0 failed while reconciling: the changes cannot be applied: the changes are invalid: POS-CONSERVATION: order 0.5 #0 changes binance:BaseToken:USDT by -0.115455999999, its fill by -0.115456000
            margin of a perpetual that is spent
                POS-APPLY: order 0.5 #0 failed while reconciling: the changes cannot be applied: the changes are invalid: POS-CONSERVATION: order 0.5 #0 changes binance:BaseToken:USDT by -42.115456000, its fill by -0.115456000
            profit that the position has not made
                POS-APPLY: order 0.6 #0 failed while reconciling: the changes cannot be applied: the changes are invalid: POS-CONSERVATION: order 0.6 #0 changes binance:BaseToken:USDT by -2.138321999999, its fill by -2.138322000
            every delta twice
                POS-APPLY: order 0.4 #0 failed while reconciling: the changes cannot be applied: the changes are invalid: POS-CONSERVATION: order 0.4 #0 changes binance:BaseToken:BTC by 4, its fill by 2
            the name of an operation that has been applied
                POS-APPLY: order 0.4 #0 failed while reconciling: the changes cannot be applied: POS-IDEMPOTENCY: order 0.3 #0 was applied with other changes
        "]],
    );
}
