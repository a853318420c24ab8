//! A strategy written directly as a service on the bus: it accumulates a little every week.
//!
//! A service sees envelopes instead of callbacks. This one listens to account snapshots, publishes
//! intents under its own name, and counts with messages of its own, which are logged like the rest.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use tickdrain::prelude::*;
use tickdrain::run_folder::Output;

/// Buys for a fixed amount of base units every `EVERY` frames.
struct Accumulator {
    strategy: StrategyIx,
    instrument: InstrumentIx,
    frames: u64,
    bought: u32,
    denied: i64,
}

const EVERY: u64 = 7 * 24;

impl Accumulator {
    fn intent(&mut self) -> Payload {
        self.bought += 1;
        let size = Size::Units(Quantity(Decimal::new(2, 2)));
        let request = OrderRequest::market(self.instrument, OrderSide::Buy, size)
            .named(&format!("week-{}", self.bought));
        let order_id = OrderId { strategy: self.strategy, number: self.bought };
        let requests = vec![Request::Submit(OrderIntent { order_id, request })];
        Payload::Intent(Arc::new(IntentGroup { strategy: self.strategy, requests }))
    }
}

impl BacktestService for Accumulator {
    type Error = Infallible;

    fn name(&self) -> &'static str {
        "accumulator"
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Account, Topic::Verdict]
    }

    fn handle(&mut self, envelope: &Envelope, outbox: &mut Outbox) -> Result<(), Self::Error> {
        match &envelope.payload {
            Payload::Account(account) => {
                self.frames += 1;
                if self.frames.is_multiple_of(EVERY) {
                    let held = account.position(self.instrument).0;
                    let note = Custom::new("accumulated").with("held", held);
                    outbox.publish(self.intent());
                    outbox.publish(Payload::Custom(Arc::new(note)));
                }
            }
            Payload::Verdict(group) if group.strategy == self.strategy => {
                let denials = group.verdicts.iter();
                self.denied += denials
                    .map(|verdict| i64::from(matches!(verdict, Verdict::Denied { .. })))
                    .sum::<i64>();
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, _outcome: &RunOutcome) -> Result<ServiceReport, Self::Error> {
        Ok(ServiceReport::new("accumulator")
            .with("wanted", i64::from(self.bought))
            .with("denied", self.denied))
    }
}

fn main() -> Result<(), BacktestError> {
    let app = App::new().service("accumulator", |setup| Accumulator {
        strategy: setup.strategy,
        instrument: InstrumentIx(0),
        frames: 0,
        bought: 0,
        denied: 0,
    });
    let run_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("custom_service.toml");
    let report = Backtest::with_app(app, &run_file, &[])?.output(Output::Nowhere).run()?;

    let own = report.services.iter().find(|service| service.service == "accumulator");
    let wanted = own.and_then(|service| service.figure("wanted")).cloned();
    println!("{wanted:?} orders wanted, {} filled", report.summary.orders.filled);
    println!("{:.2} USDT at the end", report.summary.equity_end);
    println!("digest {}", report.digest().unwrap_or("none"));
    assert_eq!(report.summary.orders.filled, FILLED);
    assert!((report.summary.equity_end - EQUITY_END).abs() < 1e-9, "{}", report.summary.equity_end);
    assert_eq!(report.digest(), Some(DIGEST));
    Ok(())
}

const FILLED: u64 = 52;
const EQUITY_END: f64 = 72_551.059_57;
const DIGEST: &str = "551ddeaa49637e6f48d0774b53a74bd65487f0e700144eb993e026cd8cdd9774";
