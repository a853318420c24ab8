//! Models of one's own: what a venue charges, how far prices slip, how long orders travel.
//!
//! `cargo run --example custom_model` runs `sma_cross` with all three on the bundled, synthetic data
//! and asserts what came of it. The run file names them; `docs/how-to/write-a-model.md` tells more.

use std::path::Path;

use tickdrain::prelude::*;
use tickdrain::run_folder::Output;

/// A broker's ticket: an amount per trade, and a rate that is lower for large trades.
#[derive(Debug)]
struct Ticket {
    per_trade: Decimal,
    rate: Bps,
    /// Notional from which on half the rate applies, in quote currency.
    large: Decimal,
}

impl FeeModel for Ticket {
    fn tariff(&self, trade: &Trade<'_>) -> Tariff {
        let notional = trade.instrument.quote_notional(trade.px, trade.quantity);
        let rate = if notional < self.large { self.rate } else { Bps(self.rate.0 / Decimal::TWO) };
        Tariff { rate, minimum: Cash::ZERO, per_trade: Cash(self.per_trade) }
    }
}

/// Slippage that grows with the range of the bar: a twentieth of it, in basis points of the open.
#[derive(Debug)]
struct RangeShare;

impl SlippageModel for RangeShare {
    fn distance(&self, taking: &Taking<'_>) -> Bps {
        let bar = taking.bar;
        let range_bps = (bar.high - bar.low) / bar.open * 10_000.0;
        // Fewer digits than a price has: sums of products have to fit into 28 of them.
        Bps(Decimal::try_from(range_bps / 20.0).unwrap_or_default().round_dp(4))
    }
}

/// One order in ten misses the bar after its decision.
#[derive(Debug)]
struct SometimesLate;

impl LatencyModel for SometimesLate {
    fn latency(&self, draw: OrderDraw) -> Latency {
        Latency { millis: 0, bars: u32::from(draw.between(1, 10) == 1) }
    }
}

fn app() -> App {
    let ticket = Ticket {
        per_trade: Decimal::ONE,
        rate: Bps(Decimal::from(4)),
        large: Decimal::from(20_000),
    };
    App::new()
        .fee_model("ticket", ticket)
        .slippage_model("range_share", RangeShare)
        .latency_model("sometimes_late", SometimesLate)
}

fn main() -> Result<(), BacktestError> {
    let run_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("custom_model.toml");
    let report = Backtest::with_app(app(), &run_file, &[])?.output(Output::Nowhere).run()?;

    let summary = &report.summary;
    let costs = &summary.costs;
    println!("{} round trips, {:.2} USDT at the end", summary.trades.count, summary.equity_end);
    println!("{:.2} USDT of fees, {:.2} USDT of slippage", costs.fees, costs.slippage);
    println!("digest {}", report.digest().unwrap_or("none"));
    assert_eq!(summary.trades.count, TRADES);
    assert!((costs.fees - FEES).abs() < 1e-9, "{}", costs.fees);
    assert!((costs.slippage - SLIPPAGE).abs() < 1e-9, "{}", costs.slippage);
    assert!((summary.equity_end - EQUITY_END).abs() < 1e-9, "{}", summary.equity_end);
    assert_eq!(report.digest(), Some(DIGEST));
    Ok(())
}

const TRADES: u64 = 171;
const FEES: f64 = 2_137.089_264_381_421;
const SLIPPAGE: f64 = 2_680.481_564_400_002_8;
const EQUITY_END: f64 = 21_363.040_531_218_58;
const DIGEST: &str = "f90cf58e15e52c40bbb3ea674adc74439b9926639af1e816f2272b75bde7c0d7";
