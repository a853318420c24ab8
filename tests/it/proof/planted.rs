//! Mistakes of an engine, and what finds each: a law, from the log alone; else computing the run again
//! with the right engine, or comparing it with the right run, at the first event that is not the same.
//!
//! Some are made by models of a program's own. The others stand in the engine itself and are built
//! with the feature `planted-faults` alone (`cargo xtask planted`).

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::fmt::Write as _;
use std::path::Path;

use expect_test::expect;
use model::time::UtcMillis;
use proof::verify::verify_folder;
use proof::{Divergence, compare};
use store::audit::LogReader;
use tickdrain::past_run::{PastRun, Reexecution};
use tickdrain::prelude::*;
use tickdrain::run_folder::Output;

use super::prove;
use crate::tables::{Candle, HOUR, Scene, orders};

/// Ten basis points for every trade, and from the second hour on some more.
#[derive(Debug)]
struct House(i64);

impl FeeModel for House {
    fn tariff(&self, trade: &Trade<'_>) -> Tariff {
        let is_late = trade.ts > UtcMillis::new(1_704_067_200_000 + 2 * HOUR);
        let bps = 10 + if is_late { self.0 } else { 0 };
        Tariff { rate: Bps(Decimal::from(bps)), ..Tariff::default() }
    }
}

/// Always the same distance against the account, or in its favour.
#[derive(Debug)]
struct Drift(i64);

impl SlippageModel for Drift {
    fn distance(&self, _: &Taking<'_>) -> Bps {
        Bps(Decimal::from(self.0))
    }
}

/// Bars that every order misses.
#[derive(Debug)]
struct Road(u32);

impl LatencyModel for Road {
    fn latency(&self, _: OrderDraw) -> Latency {
        Latency { millis: 0, bars: self.0 }
    }
}

/// What models of its own a program has.
#[derive(Clone, Copy)]
struct Program {
    fee: i64,
    slippage: i64,
    bars: u32,
}

const RIGHT: Program = Program { fee: 0, slippage: 5, bars: 0 };

impl Program {
    fn app(self) -> App {
        App::new()
            .fee_model("house", House(self.fee))
            .slippage_model("drift", Drift(self.slippage))
            .latency_model("road", Road(self.bars))
    }
}

/// A coin and its perpetual, of which something falls due, and orders of three types. Profit that
/// nothing explains would end two of the runs before a law is broken: here it does not.
fn scene() -> Scene {
    let text = r#"
        share_class = "USDT"
        interval = "1h"
        [initial]
        "binance:BaseToken:USDT" = "10000"
        [venues.binance]
        leverage = 3
        fees = { model = "house" }
        [execution]
        slippage = { model = "drift" }
        latency = { model = "road" }
        [pnl]
        strict = false
        [strategy]
        kind = "scripted"
        orders = "orders.csv"
        [[data]]
        of = "binance:spot:BTCUSDT"
        path = "candles.csv"
        time_unit = "ms"
        [[data]]
        of = "binance:perp:BTCUSDT"
        path = "candles.csv"
        time_unit = "ms"
        [[data]]
        kind = "funding"
        of = "binance:perp:BTCUSDT"
        path = "funding.csv"
    "#;
    let rows = "100.2 101.1 99.1 100.5 10\n100.7 103.3 100.1 103.1 10\n103.1 104.3 97.3 98.1 10\n\
                98.1 99.9 97.2 99.6 10\n"
        .repeat(6);
    let orders = orders(
        "binance:spot:BTCUSDT",
        "01 coin  buy market 3.3
         01 hedge short market 3.3 instrument=binance:perp:BTCUSDT
         02 dip   buy limit 1.1 price=98.4
         04 quick buy limit 1.7 price=100.21
         06 guard sell stop 2.1 stop_price=97.9
         11 out   sell market 100%",
    );
    Scene::new(text)
        .file("candles.csv", Candle::csv(&Candle::series(HOUR, rows.trim())))
        .file("funding.csv", "time,rate,mark_price\n2024-01-01T08:00:00Z,0.001,100.1\n")
        .file("orders.csv", orders)
}

/// Runs a program; what ended it, if it did not come to its end.
fn run(scene: &Scene, program: Program, out: &str) -> Option<String> {
    let output = Output::Explicit { path: scene.path(out), overwrite: true };
    let ended = scene.backtest(program.app(), &[]).output(output).run();
    let error = ended.err()?;
    let mut causes = vec![error.to_string()];
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    Some(causes.pop().unwrap())
}

/// The first law that does not hold.
fn first_broken(out: &Path) -> String {
    let found = verify_folder(out);
    assert!(found.faults.is_empty(), "{:?}", found.faults);
    let log = found.log.unwrap();
    let first = log.tally.violations.first();
    first.map_or_else(
        || "all laws hold".to_owned(),
        |it| format!("law of {}, event {}: {}", it.law.name(), it.seq, it.text),
    )
}

/// The event at which two logs part, and the first field.
fn parted(divergence: &Divergence) -> String {
    let event = divergence.left.as_ref().or(divergence.right.as_ref()).unwrap();
    let field = divergence.fields.first().unwrap();
    let (left, right) = (&field.left, &field.right);
    let what = if field.field.is_empty() {
        // The whole record is another one; its kind says enough.
        let kind = |text: &str| text.split_whitespace().nth(1).unwrap_or("nothing").to_owned();
        format!("{} | {}", kind(left), kind(right))
    } else {
        format!("{} {} {left} | {right}", field.kind.name(), field.field)
    };
    format!("event {} at {}: {what}", event.seq, event.ts)
}

/// What finds the mistake of the run in `out`.
fn found(scene: &Scene, out: &str) -> String {
    let path = scene.path(out);
    let law = first_broken(&path);
    let again = PastRun::open(RIGHT.app(), &path).unwrap().reexecute().unwrap();
    let Reexecution::Diverged(diverged) = again else { panic!("{out}: {again:?}") };
    let [left, right] = [&*path, &*scene.path("right")].map(|it| LogReader::open(it).unwrap());
    let compared = compare(&left, &right).unwrap().first.unwrap();
    let again = parted(&diverged.divergence);
    assert_eq!(again, parted(&compared), "{out}: computed again, and compared");
    format!("  {law}\n  {again}\n")
}

#[test]
fn a_program_with_a_wrong_model_is_found_by_a_law_or_at_its_first_event() {
    let scene = scene();
    assert_eq!(run(&scene, RIGHT, "right"), None);
    prove(&scene.path("right"));
    let mut rows = String::new();
    for (name, program) in [
        ("wrong fee", Program { fee: 1, ..RIGHT }),
        ("the bar after", Program { bars: 1, ..RIGHT }),
        ("slippage in favour", Program { slippage: -5, ..RIGHT }),
    ] {
        assert_eq!(run(&scene, program, name), None);
        write!(rows, "{name}\n{}", found(&scene, name)).unwrap();
    }
    expect![[r"
        wrong fee
          all laws hold
          event 20 at 2024-01-01T03:00:00Z: delta amount -108.359064 | -108.34824
        the bar after
          all laws hold
          event 8 at 2024-01-01T02:00:00Z: account | tight_loop
        slippage in favour
          law of fill, event 9: at 100.65, which is better than 100.7 before slippage
          event 8 at 2024-01-01T02:00:00Z: delta px 100.65 | 100.76
    "]]
    .assert_eq(&rows);
}

#[cfg(feature = "planted-faults")]
#[test]
fn a_mistake_of_the_engine_is_found_by_a_law_or_at_its_first_event() {
    use model::planted::{Mistake, with};

    let scene = scene();
    assert_eq!(with(None, || run(&scene, RIGHT, "right")), None);
    let mut rows = String::new();
    for mistake in [
        Mistake::FundingSign,
        Mistake::DeltasTwice,
        Mistake::BeforeEligible,
        Mistake::BeyondLimit,
        Mistake::NoComparison,
        Mistake::RoundNotional,
        Mistake::NewsAfterEnd,
        Mistake::SettledTwice,
        Mistake::FundingDropped,
    ] {
        let name = format!("{mistake:?}");
        if let Some(error) = with(Some(mistake), || run(&scene, RIGHT, &name)) {
            writeln!(rows, "{name} ended the run: {error}").unwrap();
        } else {
            writeln!(rows, "{name}").unwrap();
        }
        rows += &found(&scene, &name);
    }
    expect![[r"
        FundingSign
          law of settlement, event 49: -3.3 of binance:Perp:BTCUSDT at 100.1 and a rate of 0.001 do not give -0.33033
          event 49 at 2024-01-01T08:00:00Z: settlement amount -0.33033 | 0.33033
        DeltasTwice ended the run: REC-MISMATCH: after funding of 2024-01-01T08:00:00Z we believe 9187.1235200000 at binance:BaseToken:USDT and the venue says 9187.7841800000, -0.6606600000 apart
          law of valuation, event 14: cash is 9333.655024; the positions say 9666.827512
          event 14 at 2024-01-01T02:00:00Z: account equity 10005.865024 | 9998.807512
        BeforeEligible
          law of fill, event 9: filled at 2024-01-01T00:00:00Z, outside its frame from 2024-01-01T01:00:00Z to 2024-01-01T02:00:00Z
          event 8 at 2024-01-01T02:00:00Z: delta ts_event 2024-01-01T00:00:00Z | 2024-01-01T01:00:00Z
        BeyondLimit
          law of fill, event 32: quick filled at 100.26, beyond its limit of 100.21
          event 31 at 2024-01-01T05:00:00Z: delta px 100.26 | 100.21
        NoComparison
          law of books, event 8: coin/0 changed the books, which were not compared
          event 8 at 2024-01-01T02:00:00Z: tight_loop compared 0 | 3
        RoundNotional
          law of balance, event 9: 3.3 at 100.76 are not worth 333
          event 8 at 2024-01-01T02:00:00Z: delta amount -333.332508 | -332.840508
        NewsAfterEnd
          law of orders, event 11: coin became partially_filled after its end
          event 11 at 2024-01-01T02:00:00Z: order_update | tight_loop
        SettledTwice
          law of once, event 50: funding binance:Perp:BTCUSDT 2024-01-01T08:00:00Z/0 has changed the books before
          event 50 at 2024-01-01T08:00:00Z: settlement | account
        FundingDropped
          law of valuation, event 50: -4.738240000000587 less its components leaves 0.3303299999994529; the record says -0.00000000000004263256414560601
          event 50 at 2024-01-01T08:00:00Z: pnl funding_pnl 0 | 0.33033
    "]].assert_eq(&rows);
}
