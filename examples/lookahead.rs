//! A strategy that cheats without meaning to, and how it is caught.
//!
//! It buys below the average price and sells above it. The average is that of the whole file, which
//! it reads when it is built: at every bar it knows what prices will do on the whole. Its backtest
//! looks splendid. `tickdrain lookahead-check` puts noise in place of all data after random frames and
//! finds that decisions before change with it; `cargo run --example lookahead` does the same here.

use std::fs;
use std::path::Path;

use tickdrain::prelude::*;
use tickdrain::run_folder::Output;
use tickdrain::what_if::lookahead;

/// Buys below the average of all closes, sells above it.
struct BelowAverage {
    instrument: InstrumentIx,
    average: f64,
}

const PARAMETERS: &[ParameterSpec] = &[
    ParameterSpec {
        name: "candles",
        kind: ParameterKind::File,
        unit: "",
        default: None,
        doc: "Candles whose average close is what a coin is worth.",
    },
    ParameterSpec {
        name: "instruments",
        kind: ParameterKind::Instruments,
        unit: "",
        default: None,
        doc: "What to trade.",
    },
];

impl StrategyKind for BelowAverage {
    const SUMMARY: &'static str = "Buys below the average of a file, which it cannot know yet.";

    fn parameters() -> &'static [ParameterSpec] {
        PARAMETERS
    }

    fn build(setup: &StrategySetup<'_>) -> Result<Self, ParameterError> {
        let path = setup.parameters.path("candles");
        let average = average_close(path).ok_or_else(|| {
            ParameterError::new(vec![ParameterFault {
                parameter: "candles",
                line: None,
                found: path.display().to_string(),
                expected: "a CSV file with a close in its fifth column".to_owned(),
            }])
        })?;
        Ok(Self { instrument: setup.parameters.instruments("instruments")[0], average })
    }
}

/// The average of the fifth column: of all rows, which is the mistake.
fn average_close(path: &Path) -> Option<f64> {
    let text = fs::read_to_string(path).ok()?;
    let close = |line: &str| line.split(',').nth(4)?.parse::<f64>().ok();
    let closes = text.lines().skip(1).map(close).collect::<Option<Vec<f64>>>()?;
    let count = u32::try_from(closes.len()).ok()?;
    (count > 0).then(|| closes.iter().sum::<f64>() / f64::from(count))
}

impl Strategy for BelowAverage {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        let Some(bar) = market.bar(self.instrument) else { return Ok(Decision::HOLD) };
        let is_flat = account.position(self.instrument).is_zero();
        if is_flat && bar.close < self.average {
            orders.buy(self.instrument, Size::ALL);
            return Ok(Decision::trade("below the average"));
        }
        if !is_flat && bar.close > self.average {
            orders.sell(self.instrument, Size::ALL);
            return Ok(Decision::trade("above the average"));
        }
        Ok(Decision::HOLD)
    }
}

fn main() -> Result<(), BacktestError> {
    let app = App::new().strategy::<BelowAverage>("below_average");
    let run_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("lookahead.toml");
    let backtest = Backtest::with_app(app, &run_file, &[])?.output(Output::Nowhere);

    let summary = backtest.run()?.summary;
    println!("{:.2} USDT after a month: splendid", summary.equity_end);

    let found = lookahead::check(&backtest, 8)?;
    let leak = found.leak.expect("it looks ahead");
    let event = leak.divergence.left.or(leak.divergence.right).expect("an event");
    println!("but at {} it knew what came after {}:", event.ts, leak.cut);
    for it in leak.divergence.fields.iter().filter(|it| !it.field.is_empty()) {
        let (left, right) = (&it.left, &it.right);
        println!(
            "  {} {}: {left} with the data, {right} with noise later",
            it.kind.name(),
            it.field
        );
    }
    assert!(event.ts <= leak.cut);
    Ok(())
}
