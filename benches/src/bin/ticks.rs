//! Time of whole ticks of the whole program, log and results on: from the frame that begins one to the
//! frame that begins the next. What a strategy, the gate or the log take is in it, so the longest of
//! their budgets holds for each of them. A year of bundled hours; idle, and with ten orders a frame.
//!
//! `cargo run --release -p benches --bin ticks`

use std::cell::RefCell;
use std::convert::Infallible;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tickdrain::prelude::*;
use tickdrain::run_folder::Output;

/// The log may hold a frame up for so long.
const LIMIT: Duration = Duration::from_millis(50);
const PER_FRAME: u32 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("tickdrain-ticks-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let done = ["hold", "busy"].into_iter().try_for_each(|kind| measure(&folder, kind));
    fs::remove_dir_all(&folder)?;
    done
}

fn measure(folder: &Path, kind: &str) -> Result<(), Box<dyn Error>> {
    let data =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/binance_spot_BTCUSDT_1h.parquet");
    let path = folder.join(format!("{kind}.toml"));
    let text = format!(
        "share_class = \"USDT\"\ninterval = \"1h\"\n\
         [initial]\n\"binance:BaseToken:USDT\" = \"10000000\"\n\
         [[data]]\nof = \"binance:spot:BTCUSDT\"\npath = '{}'\n\
         [strategy]\nkind = \"{kind}\"\n",
        data.display()
    );
    fs::write(&path, text)?;
    let ticks = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&ticks);
    let app = App::new()
        .strategy::<Busy<0>>("hold")
        .strategy::<Busy<PER_FRAME>>("busy")
        .service("stopwatch", move |_| Stopwatch { last: None, ticks: Rc::clone(&seen) });
    let out: PathBuf = folder.join(kind);
    let report = Backtest::with_app(app, &path, &[])?
        .output(Output::Explicit { path: out, overwrite: false })
        .run()?;
    let mut ticks = ticks.take();
    ticks.sort_unstable();
    let at = |percent: usize| ticks[(ticks.len() * percent / 100).min(ticks.len() - 1)].as_nanos();
    let (p50, p99, most) = (at(50), at(99), at(100));
    let total: Duration = ticks.iter().sum();
    let (frames, orders) = (report.summary.frames, report.summary.orders.filled);
    say(&format!(
        "{kind}: {frames} frames, {orders} orders in {} ms; tick p50 {p50} ns, p99 {p99} ns, most {most} ns",
        total.as_millis()
    ));
    assert!(p99 < LIMIT.as_nanos(), "p99 of a tick is {p99} ns, at most {LIMIT:?}");
    Ok(())
}

/// Buys and sells in turn, so many orders a frame.
#[derive(Debug)]
struct Busy<const ORDERS: u32>;

impl<const ORDERS: u32> StrategyKind for Busy<ORDERS> {
    const SUMMARY: &'static str = "Buys and sells in turn, many times a frame.";

    fn parameters() -> &'static [ParameterSpec] {
        &[]
    }

    fn build(_setup: &StrategySetup<'_>) -> Result<Self, ParameterError> {
        Ok(Self)
    }
}

impl<const ORDERS: u32> Strategy for Busy<ORDERS> {
    fn decide(
        &mut self,
        _market: MarketView<'_>,
        _account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        for number in 0..ORDERS {
            let size = Size::Units(Quantity(Decimal::new(1, 2)));
            if number < ORDERS / 2 {
                orders.buy(InstrumentIx(0), size);
            } else {
                orders.sell(InstrumentIx(0), size);
            }
        }
        Ok(Decision::HOLD)
    }
}

/// Takes the time at each frame.
#[derive(Debug)]
struct Stopwatch {
    last: Option<Instant>,
    ticks: Rc<RefCell<Vec<Duration>>>,
}

impl BacktestService for Stopwatch {
    type Error = Infallible;

    fn name(&self) -> &'static str {
        "stopwatch"
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Frame]
    }

    fn handle(&mut self, _envelope: &Envelope, _outbox: &mut Outbox) -> Result<(), Self::Error> {
        let now = now();
        if let Some(last) = self.last.replace(now) {
            self.ticks.borrow_mut().push(now - last);
        }
        Ok(())
    }

    fn finish(&mut self, _outcome: &RunOutcome) -> Result<ServiceReport, Self::Error> {
        Ok(ServiceReport::new("stopwatch"))
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
