//! `[execution]`: how orders fill.

use model::Decimal;
use model::money::Bps;
use model::time::Interval;
use venues::slippage::Slippage;

use super::fault::Fault;
use super::field::{Choice, Delay, Flag};
use super::number::{Number, Whole};
use super::reader::TableReader;

/// When a market order fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FillTiming {
    /// At the open of the bar after the decision.
    NextOpen,
    /// At the close that was decided on; prone to look-ahead. Not implemented yet.
    SameClose,
}

/// In which order prices are assumed to have been reached inside a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarPath {
    /// The worst for the order first.
    Pessimistic,
    /// The extreme nearest to the open first. Not implemented yet.
    NearestExtreme,
    /// As finer candles have it. Not implemented yet.
    SubBars,
}

/// What an operation that failed does to the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedOrderPolicy {
    /// Ends it.
    AbortRun,
    /// Skips the rest of the frame's orders. Not implemented yet.
    AbortTimestep,
    /// Nothing. Not implemented yet.
    Continue,
}

/// How orders fill.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the run file")]
pub struct ExecutionConfig {
    /// When a market order fills.
    pub fill: FillTiming,
    /// By how much a fill is worse than its price.
    pub slippage: Slippage,
    /// Share of a bar's volume that may fill, in basis points; zero for no limit.
    pub participation_bps: Decimal,
    /// Whether the rest of a market order goes on in the next bar.
    pub market_carry: bool,
    /// Whether fills are kept inside the bar's range.
    pub clip_to_bar: bool,
    /// Path of prices inside a bar.
    pub path: BarPath,
    /// Whether a limit order fills when it is only touched.
    pub touch_fills: bool,
    /// Whether a resting order that the open has jumped over fills at its own price.
    pub conservative_gaps: bool,
    /// Bars that an order takes to reach the venue.
    pub latency_bars: i64,
    /// Time that an order takes to reach the venue; `None` for none.
    pub latency: Option<Interval>,
    /// What an operation that failed does to the run.
    pub on_failed_order: FailedOrderPolicy,
    /// Whether positions are closed at the last bar.
    pub exit_at_end: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum SlippageModel {
    None,
    Fixed,
    SpreadImpact,
    Buckets,
}

const FILLS: Choice<'static, FillTiming> =
    Choice(&[("next_open", FillTiming::NextOpen), ("same_close", FillTiming::SameClose)]);
const PATHS: Choice<'static, BarPath> = Choice(&[
    ("pessimistic", BarPath::Pessimistic),
    ("nearest_extreme", BarPath::NearestExtreme),
    ("sub_bars", BarPath::SubBars),
]);
const POLICIES: Choice<'static, FailedOrderPolicy> = Choice(&[
    ("abort_run", FailedOrderPolicy::AbortRun),
    ("abort_timestep", FailedOrderPolicy::AbortTimestep),
    ("continue", FailedOrderPolicy::Continue),
]);
const SLIPPAGE_MODELS: Choice<'static, SlippageModel> = Choice(&[
    ("none", SlippageModel::None),
    ("fixed", SlippageModel::Fixed),
    ("spread_impact", SlippageModel::SpreadImpact),
    ("buckets", SlippageModel::Buckets),
]);
/// A share of something whole, in basis points.
const SHARE_BPS: Number =
    Number { min: Decimal::ZERO, max: Decimal::from_parts(10_000, 0, 0, false, 0) };

/// Reads `[execution]`.
pub(super) fn read(root: &mut TableReader<'_>) -> ExecutionConfig {
    let mut reader = root.table("execution");
    let config = ExecutionConfig {
        fill: reader.only_default("fill", &FILLS, FillTiming::NextOpen),
        slippage: read_slippage(&mut reader),
        participation_bps: reader.only_default("participation_bps", &SHARE_BPS, Decimal::ZERO),
        market_carry: reader.only_default("market_carry", &Flag, true),
        clip_to_bar: reader.only_default("clip_to_bar", &Flag, false),
        path: reader.only_default("path", &PATHS, BarPath::Pessimistic),
        touch_fills: reader.only_default("touch_fills", &Flag, false),
        conservative_gaps: reader.only_default("conservative_gaps", &Flag, true),
        latency_bars: reader.only_default("latency_bars", &Whole { min: 0, max: 1_000 }, 0),
        latency: reader.only_default("latency", &Delay, None),
        on_failed_order: reader.only_default(
            "on_failed_order",
            &POLICIES,
            FailedOrderPolicy::AbortRun,
        ),
        exit_at_end: reader.only_default("exit_at_end", &Flag, false),
    };
    root.put("execution", toml::Value::Table(reader.finish()));
    config
}

fn read_slippage(execution: &mut TableReader<'_>) -> Slippage {
    let mut reader = execution.table("slippage");
    let (slippage, resolved) =
        match reader.or_default("model", &SLIPPAGE_MODELS, SlippageModel::None) {
            SlippageModel::None => (Slippage::None, reader.finish()),
            SlippageModel::Fixed => {
                let bps = reader.or_default("bps", &SHARE_BPS, Decimal::ZERO);
                (Slippage::Fixed(Bps(bps)), reader.finish())
            }
            model @ (SlippageModel::SpreadImpact | SlippageModel::Buckets) => {
                let subject = format!("slippage model `{}`", SLIPPAGE_MODELS.word(model));
                let fault = Fault::not_implemented(
                    reader.place("model"),
                    &subject,
                    "\"none\" or \"fixed\"",
                );
                reader.log().record(fault.key(reader.key_path("model")));
                // Its parameters are not described yet, so nothing can be said of them.
                (Slippage::None, reader.abandon())
            }
        };
    execution.put("slippage", toml::Value::Table(resolved));
    slippage
}
