//! A strategy of one's own: buy after a fall, sell after a rise.
//!
//! `cargo run --example custom_strategy` runs it on the bundled, synthetic data and asserts what came
//! of it. With `App::new().strategy::<DipBuyer>("dip_buyer").main()` instead, `kind = "dip_buyer"`
//! works in a run file with every command.

use std::path::Path;

use tickdrain::prelude::*;
use tickdrain::run_folder::Output;

/// Buys everything after a fall over `bars` and sells everything after a rise of the same size.
struct DipBuyer {
    instrument: InstrumentIx,
    /// Closes of the last `bars` bars, oldest first.
    closes: Vec<f64>,
    bars: usize,
    threshold: f64,
}

const PARAMETERS: &[ParameterSpec] = &[
    ParameterSpec {
        name: "bars",
        kind: ParameterKind::Integer { min: 1, max: 1_000 },
        unit: "bars",
        default: Some("24"),
        doc: "How far back to look.",
    },
    ParameterSpec {
        name: "threshold_bps",
        kind: ParameterKind::Integer { min: 1, max: 10_000 },
        unit: "bps",
        default: Some("400"),
        doc: "Fall that makes it buy, and rise that makes it sell.",
    },
    ParameterSpec {
        name: "instruments",
        kind: ParameterKind::Instruments,
        unit: "",
        default: None,
        doc: "What to trade.",
    },
];

impl StrategyKind for DipBuyer {
    const SUMMARY: &'static str = "Buys after a fall and sells after a rise.";

    fn parameters() -> &'static [ParameterSpec] {
        PARAMETERS
    }

    fn build(setup: &StrategySetup<'_>) -> Result<Self, ParameterError> {
        let parameters = setup.parameters;
        let threshold = u32::try_from(parameters.integer("threshold_bps")).expect("declared range");
        Ok(Self {
            instrument: parameters.instruments("instruments")[0],
            closes: Vec::new(),
            bars: parameters.count("bars"),
            threshold: f64::from(threshold) / 10_000.0,
        })
    }
}

impl Strategy for DipBuyer {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        let Some(bar) = market.bar(self.instrument) else { return Ok(Decision::HOLD) };
        self.closes.push(bar.close);
        if self.closes.len() <= self.bars {
            return Ok(Decision::hold("warming up"));
        }
        let change = bar.close / self.closes.remove(0) - 1.0;
        let is_flat = account.position(self.instrument).is_zero();
        if is_flat && change < -self.threshold {
            orders.buy(self.instrument, Size::ALL);
            return Ok(Decision::trade("a fall"));
        }
        if !is_flat && change > self.threshold {
            orders.sell(self.instrument, Size::ALL);
            return Ok(Decision::trade("a rise"));
        }
        Ok(Decision::HOLD)
    }
}

fn main() -> Result<(), BacktestError> {
    let app = App::new().strategy::<DipBuyer>("dip_buyer");
    let run_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("custom_strategy.toml");
    let report = Backtest::with_app(app, &run_file, &[])?.output(Output::Nowhere).run()?;

    let summary = &report.summary;
    println!("{} round trips, {:.2} USDT at the end", summary.trades.count, summary.equity_end);
    println!("digest {}", report.digest().unwrap_or("none"));
    assert_eq!(summary.trades.count, TRADES);
    assert!((summary.equity_end - EQUITY_END).abs() < 1e-9, "{}", summary.equity_end);
    assert_eq!(report.digest(), Some(DIGEST));
    Ok(())
}

const TRADES: u64 = 41;
const EQUITY_END: f64 = 9_199.748_878_35;
const DIGEST: &str = "0c95b8425737010d89fcef3f7edee7c3d0d9a9b914f993840ce91d32661da19a";
