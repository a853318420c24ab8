//! Orders with exits: a limit below the market that brings its target and its stop with it.
//!
//! `cargo run --example bracket_orders` runs it on the bundled, synthetic data and asserts what came
//! of it. An order that is not filled is moved to the market once and then withdrawn: how to cancel
//! and replace. What an order may be told is in `docs/reference/orders.md`.

use std::path::Path;

use tickdrain::prelude::*;
use tickdrain::run_folder::Output;

/// Waits below the market with a limit order whose fill arms a take-profit and a stop-loss.
struct Bracket {
    instrument: InstrumentIx,
    size: Size,
    /// Bars after which an unfilled entry is moved, and after which it is withdrawn once moved.
    patience: u32,
    entry: Distance,
    take_profit: Distance,
    stop_loss: Distance,
    waiting: Option<Waiting>,
}

/// A distance in basis points.
#[derive(Clone, Copy)]
struct Distance(Decimal);

/// The entry that has not filled.
struct Waiting {
    order_id: OrderId,
    bars: u32,
    was_moved: bool,
}

const fn bps(name: &'static str, default: &'static str, doc: &'static str) -> ParameterSpec {
    let kind = ParameterKind::Decimal { min: Decimal::ONE, max: Decimal::ONE_THOUSAND };
    ParameterSpec { name, kind, unit: "bps", default: Some(default), doc }
}

const PARAMETERS: &[ParameterSpec] = &[
    bps("entry_bps", "100", "How far below the close to buy."),
    bps("take_profit_bps", "300", "Target above the fill."),
    bps("stop_loss_bps", "150", "Stop below the fill."),
    ParameterSpec {
        name: "patience",
        kind: ParameterKind::Integer { min: 1, max: 1_000 },
        unit: "bars",
        default: Some("12"),
        doc: "How long an entry waits before it is moved, and again before it is withdrawn.",
    },
    ParameterSpec {
        name: "size",
        kind: ParameterKind::Size,
        unit: "base units, or a share of free cash",
        default: Some("50%"),
        doc: "How much to buy.",
    },
    ParameterSpec {
        name: "instruments",
        kind: ParameterKind::Instruments,
        unit: "",
        default: None,
        doc: "What to trade.",
    },
];

impl StrategyKind for Bracket {
    const SUMMARY: &'static str = "Buys below the market with a target and a stop.";

    fn parameters() -> &'static [ParameterSpec] {
        PARAMETERS
    }

    fn build(setup: &StrategySetup<'_>) -> Result<Self, ParameterError> {
        let parameters = setup.parameters;
        let distance = |name| Distance(parameters.decimal(name));
        Ok(Self {
            instrument: parameters.instruments("instruments")[0],
            size: parameters.size("size"),
            patience: u32::try_from(parameters.integer("patience")).expect("declared range"),
            entry: distance("entry_bps"),
            take_profit: distance("take_profit_bps"),
            stop_loss: distance("stop_loss_bps"),
            waiting: None,
        })
    }
}

impl Bracket {
    /// The order at a close. Exits are distances from the actual fill: above it positive, below it
    /// negative. The gate rounds the price to the tick.
    fn order(&self, close: f64) -> Result<OrderRequest, StrategyError> {
        let close = Decimal::try_from(close)?;
        let price = close - close * Bps(self.entry.0).fraction();
        Ok(OrderRequest::limit(self.instrument, OrderSide::Buy, self.size, price)
            .take_profit(Level::OffsetBps(Bps(self.take_profit.0)))
            .stop_loss(Level::OffsetBps(Bps(-self.stop_loss.0))))
    }
}

impl Strategy for Bracket {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        let Some(bar) = market.bar(self.instrument) else { return Ok(Decision::HOLD) };
        if !account.position(self.instrument).is_zero() {
            return Ok(Decision::hold("the exits are working"));
        }
        let request = self.order(bar.close)?;
        let Some(waiting) = &mut self.waiting else {
            let order_id = orders.submit(request);
            self.waiting = Some(Waiting { order_id, bars: 0, was_moved: false });
            return Ok(Decision::trade("a new entry"));
        };
        waiting.bars += 1;
        if waiting.bars < self.patience {
            return Ok(Decision::HOLD);
        }
        waiting.bars = 0;
        if waiting.was_moved {
            orders.cancel(waiting.order_id);
            return Ok(Decision::trade("the market has left"));
        }
        waiting.was_moved = true;
        // All terms anew; the order keeps its name and the exits that it came with.
        orders.replace(waiting.order_id, request);
        Ok(Decision::trade("after the market"))
    }

    fn on_order_update(&mut self, update: &OrderUpdate) {
        let is_entry = |waiting: &Waiting| waiting.order_id == update.order_id;
        if update.status.is_final() && self.waiting.as_ref().is_some_and(is_entry) {
            self.waiting = None;
        }
    }

    fn on_verdict(&mut self, verdict: &Verdict) {
        if matches!(verdict, Verdict::Denied { .. }) {
            self.waiting = None;
        }
    }
}

fn main() -> Result<(), BacktestError> {
    let app = App::new().strategy::<Bracket>("bracket");
    let run_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("bracket_orders.toml");
    let report = Backtest::with_app(app, &run_file, &[])?.output(Output::Nowhere).run()?;

    let summary = &report.summary;
    let orders = &summary.orders;
    println!("{} round trips, {:.2} USDT at the end", summary.trades.count, summary.equity_end);
    println!("{} orders, {} filled", orders.submitted, orders.filled);
    println!("canceled {:?}", orders.canceled_by_reason);
    println!("digest {}", report.digest().unwrap_or("none"));
    assert_eq!(summary.trades.count, TRADES);
    assert_eq!((orders.submitted, orders.filled), (SUBMITTED, FILLED));
    assert!((summary.equity_end - EQUITY_END).abs() < 1e-9, "{}", summary.equity_end);
    assert_eq!(report.digest(), Some(DIGEST));
    Ok(())
}

const TRADES: u64 = 264;
const SUBMITTED: u64 = 1_068;
const FILLED: u64 = 529;
const EQUITY_END: f64 = 7_103.173_498_635_3;
const DIGEST: &str = "50775d03554641389c0ad66c49d0f1d52eaeb381c1447c499ea6c66a2166171a";
