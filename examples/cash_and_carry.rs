//! Cash and carry: a coin and its perpetual short, and what the year earned, part by part.
//!
//! `cargo run --example cash_and_carry` runs it on the bundled, synthetic data and asserts what came
//! of it. The orders stand in `cash_and_carry.csv`; what the price does to the coin it does to the
//! short as well, so funding is what is left. Every part of the profit is in the account snapshots: a
//! service that listens to them shows the last one.

use std::convert::Infallible;
use std::path::Path;

use tickdrain::prelude::*;
use tickdrain::run_folder::Output;

/// Keeps what the last account snapshot says of the profit so far.
#[derive(Default)]
struct Parts {
    profit: PnlFigures,
    /// Largest distance of all parts from the profit, of all hours.
    unexplained: f64,
}

impl BacktestService for Parts {
    type Error = Infallible;

    fn name(&self) -> &'static str {
        "parts"
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Account]
    }

    fn handle(&mut self, envelope: &Envelope, _outbox: &mut Outbox) -> Result<(), Self::Error> {
        if let Payload::Account(account) = &envelope.payload {
            self.profit = account.chain.pnl.cumulative;
            let apart = self.profit.total - self.profit.attribution.total();
            self.unexplained = self.unexplained.max(apart.abs());
        }
        Ok(())
    }

    fn finish(&mut self, _outcome: &RunOutcome) -> Result<ServiceReport, Self::Error> {
        let part = |report: ServiceReport, part: PnlComponent| {
            report.with(part.name(), self.profit.attribution.of(part))
        };
        let report = PARTS.into_iter().fold(ServiceReport::new("parts"), part);
        Ok(report.with("profit", self.profit.total).with("unexplained", self.unexplained))
    }
}

const PARTS: [PnlComponent; 5] = [
    PnlComponent::FundingPnl,
    PnlComponent::BasisPnl,
    PnlComponent::DeltaPnl,
    PnlComponent::GapPnl,
    PnlComponent::TransactionCosts,
];

fn main() -> Result<(), BacktestError> {
    let app = App::new().service("parts", |_setup| Parts::default());
    let run_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("cash_and_carry.toml");
    let report = Backtest::with_app(app, &run_file, &[])?.output(Output::Nowhere).run()?;

    let parts = report.services.iter().find(|service| service.service == "parts");
    let figure = |name: &str| match parts.and_then(|parts| parts.figure(name)) {
        Some(Scalar::Float(value)) => *value,
        _ => panic!("the service reports {name}"),
    };
    let mut sum = 0.0;
    for part in PARTS {
        println!("{:<18} {:>10.2} USDT", part.name(), figure(part.name()));
        sum += figure(part.name());
    }
    println!("{:<18} {:>10.2} USDT", "profit", figure("profit"));
    println!("digest {}", report.digest().unwrap_or("none"));
    assert_eq!(report.summary.orders.filled, FILLED);
    assert!((figure("funding_pnl") - FUNDING).abs() < 1e-6, "{}", figure("funding_pnl"));
    assert!((report.summary.equity_end - EQUITY_END).abs() < 1e-6, "{}", report.summary.equity_end);
    // A millionth of the capital, at every hour.
    assert!(figure("unexplained") < 0.1 && (sum - figure("profit")).abs() < 0.1);
    assert_eq!(report.digest(), Some(DIGEST));
    Ok(())
}

const FILLED: u64 = 4;
const FUNDING: f64 = 22_738.357_878_577;
const EQUITY_END: f64 = 122_455.669_223_577;
const DIGEST: &str = "fd82dfbc8b7bc66732cba62fe01e891fec6ac7709ddaf2247f0cc333294cad2d";
