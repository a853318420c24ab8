//! `summary.json`: the run in figures.

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::metrics::{CONVENTION, Metric, Performance};
use model::pnl::{PnlComponent, PnlComponents, PnlFigures};
use serde::Serialize;
use store::results::{Extremes, Figures, OrderCounts, Profit, TradeFigures};

/// Version of the summary's schema.
pub const SCHEMA: u32 = 1;

/// Everything that `summary.json` says; the names are the contract's.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the run contract describes every field")]
pub struct Summary {
    pub schema: u32,
    pub name: String,
    pub version: &'static str,
    pub revision: &'static str,
    pub run_id: String,
    pub status: &'static str,
    pub error: Option<String>,
    pub digest: Option<String>,
    pub inputs: Vec<Input>,
    pub frames: u64,
    pub bars: u64,
    pub events: u64,
    pub start: Option<String>,
    pub end: Option<String>,
    pub interval: String,
    pub fill: &'static str,
    pub share_class: String,
    pub equity_start: f64,
    pub equity_end: f64,
    pub metrics: Metrics,
    pub metrics_undefined: BTreeMap<&'static str, String>,
    /// Profit by component; null if no frame came after the warm-up.
    pub attribution: Option<BTreeMap<&'static str, f64>>,
    pub orders: Orders,
    pub trades: Trades,
    pub costs: Costs,
    pub risk: Risk,
    pub integrity: Integrity,
    pub timing: Timing,
}

impl Summary {
    /// The text of `summary.json`.
    pub fn to_json(&self) -> String {
        // Plain data with text keys: there is nothing that JSON could not say.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// One file of the inputs.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the run contract describes every field")]
pub struct Input {
    pub path: PathBuf,
    pub series: String,
    pub blake3: String,
    pub rows: u64,
    pub first: Option<String>,
    pub last: Option<String>,
    pub holes: u64,
    /// Whether the file itself says that it was generated.
    pub synthetic: bool,
}

/// Figures on daily marks; null where undefined, with the reason in `metrics_undefined`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the run contract describes every field")]
pub struct Metrics {
    pub convention: &'static str,
    pub total_return: Option<f64>,
    pub cagr: Option<f64>,
    pub volatility: Option<f64>,
    pub sharpe: Option<f64>,
    pub sortino: Option<f64>,
    pub calmar: Option<f64>,
    pub max_drawdown: Option<f64>,
    pub exposure_time: Option<f64>,
}

impl Metrics {
    /// The metrics of a run, and why some of them are null.
    pub fn of(figures: &Figures) -> (Self, BTreeMap<&'static str, String>) {
        let Performance { total_return, cagr, volatility, sharpe, sortino, calmar, max_drawdown } =
            figures.performance;
        let mut undefined = BTreeMap::new();
        let mut value = |name: &'static str, metric: Metric| {
            metric.map_err(|reason| undefined.insert(name, reason.to_string())).ok()
        };
        let metrics = Self {
            convention: CONVENTION,
            total_return: value("total_return", total_return),
            cagr: value("cagr", cagr),
            volatility: value("volatility", volatility),
            sharpe: value("sharpe", sharpe),
            sortino: value("sortino", sortino),
            calmar: value("calmar", calmar),
            max_drawdown: value("max_drawdown", max_drawdown),
            exposure_time: figures.exposure_time,
        };
        if figures.exposure_time.is_none() {
            undefined.insert("exposure_time", "no frame after the warm-up".to_owned());
        }
        if figures.trades.win_rate().is_none() {
            undefined.insert("win_rate", "no round trip was closed".to_owned());
        }
        if figures.trades.profit_factor().is_none() {
            undefined.insert("profit_factor", "no round trip lost".to_owned());
        }
        (metrics, undefined)
    }
}

/// How orders ended.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the run contract describes every field")]
pub struct Orders {
    pub submitted: u64,
    pub denied: u64,
    pub rejected: u64,
    pub canceled: u64,
    pub expired: u64,
    pub partially_filled: u64,
    pub filled: u64,
    pub working: u64,
    pub replaces_denied: u64,
    pub denied_by_reason: BTreeMap<&'static str, u64>,
    pub rejected_by_reason: BTreeMap<&'static str, u64>,
    pub canceled_by_reason: BTreeMap<&'static str, u64>,
    /// Orders that filled more than 10 % of a bar's volume.
    pub large: u64,
    /// The first ten of them.
    pub large_names: Vec<String>,
}

impl From<&OrderCounts> for Orders {
    fn from(counts: &OrderCounts) -> Self {
        Self {
            submitted: counts.submitted,
            denied: counts.denied,
            rejected: counts.rejected,
            canceled: counts.canceled,
            expired: counts.expired,
            partially_filled: counts.partially_filled,
            filled: counts.filled,
            working: counts.working,
            replaces_denied: counts.replaces_denied,
            denied_by_reason: counts.denied_by_reason.clone(),
            rejected_by_reason: counts.rejected_by_reason.clone(),
            canceled_by_reason: counts.canceled_by_reason.clone(),
            large: counts.large_orders.count,
            large_names: counts.large_orders.names.clone(),
        }
    }
}

/// Round trips.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the run contract describes every field")]
pub struct Trades {
    pub count: u64,
    pub wins: u64,
    pub losses: u64,
    pub win_rate: Option<f64>,
    pub profit_factor: Option<f64>,
    pub best: f64,
    pub worst: f64,
}

impl From<&TradeFigures> for Trades {
    fn from(trades: &TradeFigures) -> Self {
        Self {
            count: trades.count,
            wins: trades.wins,
            losses: trades.losses,
            win_rate: trades.win_rate(),
            profit_factor: trades.profit_factor(),
            best: trades.best,
            worst: trades.worst,
        }
    }
}

/// Profit by what it came from: the components that the run names, the sum of all others under
/// `other` if there is any, what is unexplained, and the total.
pub fn attribution(profit: &Profit, named: PnlComponents) -> BTreeMap<&'static str, f64> {
    let PnlFigures { total, attribution, unexplained, .. } = profit.figures;
    let (components, other) = attribution.shown(named);
    let mut parts: BTreeMap<&'static str, f64> =
        components.into_iter().map(|(component, amount)| (component.name(), amount)).collect();
    if other.abs() > 0.0 {
        parts.insert("other", other);
    }
    parts.insert("unexplained", unexplained);
    parts.insert("total", total);
    parts
}

/// What the run cost, in share class: what was paid is positive, what was received is negative.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the run contract describes every field")]
pub struct Costs {
    pub fees: f64,
    pub slippage: f64,
    pub gas: f64,
    pub funding: f64,
    pub borrow: f64,
    /// Notional traded.
    pub traded: f64,
}

impl From<&Figures> for Costs {
    fn from(figures: &Figures) -> Self {
        let attribution = figures.profit.map(|profit| profit.figures.attribution);
        // Less than nothing, so that a profit is no cost and nothing is zero.
        let cost_of = |component| attribution.map_or(0.0, |parts| 0.0 - parts.of(component));
        Self {
            fees: figures.costs.fees,
            slippage: figures.costs.slippage,
            gas: figures.extremes.gas,
            funding: cost_of(PnlComponent::FundingPnl),
            borrow: cost_of(PnlComponent::BorrowCosts),
            traded: figures.costs.traded,
        }
    }
}

/// What the run risked.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the run contract describes every field")]
pub struct Risk {
    pub min_health_factor: Option<f64>,
    pub min_margin_fraction: Option<f64>,
    /// Null if there once was exposure without equity.
    pub max_leverage: f64,
    pub liquidations: u64,
    pub breaches: u64,
}

impl From<&Figures> for Risk {
    fn from(figures: &Figures) -> Self {
        let Extremes { min_health_factor, min_margin_fraction, max_leverage, .. } =
            figures.extremes;
        // What nothing was measured on is infinitely far from its limit.
        let measured = |lowest: f64| lowest.is_finite().then_some(lowest);
        Self {
            min_health_factor: measured(min_health_factor),
            min_margin_fraction: measured(min_margin_fraction),
            max_leverage,
            liquidations: figures.liquidations,
            breaches: figures.breaches,
        }
    }
}

/// Whether the run can be relied on.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the run contract describes every field")]
pub struct Integrity {
    pub reconciliations: u64,
    pub mismatches: u64,
    pub synthetic_bars: u64,
    pub gaps: u64,
    pub policies: Vec<String>,
    pub dropped: u64,
}

/// How long it took; differs from run to run.
#[derive(Clone, Copy, Debug, Serialize)]
#[expect(missing_docs, reason = "the run contract describes every field")]
pub struct Timing {
    pub wall_s: f64,
    pub bars_per_s: f64,
    pub events_per_s: f64,
    pub peak_rss_mb: Option<f64>,
}

impl Timing {
    /// The rates of `bars` and `events` over `wall_s` seconds.
    #[expect(clippy::cast_precision_loss, reason = "counts, far below 2^53")]
    pub fn of(wall_s: f64, bars: u64, events: u64) -> Self {
        Self {
            wall_s,
            bars_per_s: bars as f64 / wall_s,
            events_per_s: events as f64 / wall_s,
            peak_rss_mb: peak_rss_mb(),
        }
    }
}

/// Largest resident memory of this process, where the system tells.
#[expect(clippy::cast_precision_loss, reason = "kilobytes, far below 2^53")]
fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes as f64 / 1024.0)
}
