//! The figures of a run, as the summary states them.

use std::collections::BTreeMap;
use std::fmt::Display;

use model::fill::{Fill, PriceRule, RoundTrip};
use model::instrument::{Contract, InstrumentTable};
use model::ladder::RiskLevel;
use model::metrics::Performance;
use model::money::Quantity;
use model::numeric::float_of;
use model::order::{OrderSide, OrderStatus, Refusal};
use model::pnl::{PnlFigures, report_tolerance, unexplained_tolerance};
use model::risk::RiskAlert;
use model::tight_loop::LoopRecord;
use model::time::UtcMillis;

pub use crate::audit::chain_watch::Extremes;
use crate::audit::records::Records;

/// Everything that the summary says of orders, trades and equity.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Open of the first bar after the warm-up.
    pub first: Option<UtcMillis>,
    /// Close of the last bar.
    pub last: Option<UtcMillis>,
    /// Equity before the first trade, in share class.
    pub equity_start: f64,
    /// Equity at the end, in share class.
    pub equity_end: f64,
    /// Figures on daily marks.
    pub performance: Performance,
    /// Profit and what it came from; absent without a frame after the warm-up.
    pub profit: Option<Profit>,
    /// What was risked, frame by frame.
    pub extremes: Extremes,
    /// Share of frames with a position.
    pub exposure_time: Option<f64>,
    /// How orders ended.
    pub orders: OrderCounts,
    /// Round trips.
    pub trades: TradeFigures,
    /// What trading cost, in share class.
    pub costs: Costs,
    /// Comparisons of both books.
    pub reconciliations: u64,
    /// Positions on which they differed.
    pub mismatches: u64,
    /// Fills by which venues closed positions.
    pub liquidations: u64,
    /// How often an enabled risk came to reduce-only or beyond.
    pub breaches: u64,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            first: None,
            last: None,
            equity_start: 0.0,
            equity_end: 0.0,
            performance: Performance::of(&[]),
            profit: None,
            extremes: Extremes::default(),
            exposure_time: None,
            orders: OrderCounts::default(),
            trades: TradeFigures::default(),
            reconciliations: 0,
            mismatches: 0,
            liquidations: 0,
            breaches: 0,
            costs: Costs::default(),
        }
    }
}

impl Figures {
    /// Takes what the chain says of the frames of a commit.
    pub(crate) fn take_chain(&mut self, records: &Records) {
        self.extremes.add(&records.extremes);
        if let Some(row) = records.chain.last() {
            self.profit = Some(Profit { initial: row.initial, figures: row.pnl });
        }
    }

    /// What is left unexplained, if it is more than the report allows.
    pub fn unexplained(&self) -> Option<Unexplained> {
        let Profit { initial, figures } = self.profit?;
        let (first, last) = self.first.zip(self.last)?;
        let tolerance = report_tolerance(initial, last.millis() - first.millis());
        // An account that has grown by many digits has lost as many to rounding.
        let tolerance = tolerance.max(unexplained_tolerance(initial, self.extremes.largest));
        let amount = figures.unexplained;
        // What is not a number is not within.
        let is_within = amount.abs() <= tolerance;
        (!is_within).then_some(Unexplained { amount, tolerance })
    }

    pub(crate) fn take_alert(&mut self, alert: &RiskAlert) {
        let is_worse = alert.after > alert.before && alert.after >= RiskLevel::ReduceOnly;
        self.breaches += u64::from(is_worse && alert.is_enabled);
    }

    pub(crate) fn take_loop(&mut self, record: &LoopRecord) {
        self.reconciliations += u64::from(record.attempts.compare);
        self.mismatches += record.diffs.len() as u64;
    }

    pub(crate) fn take_fill(&mut self, fill: &Fill, instruments: &InstrumentTable) {
        let notional = float_of(fill.notional.0) * fill.cash_value;
        let fee = float_of(fill.fee.0) * fill.cash_value;
        // A fee that is not paid in cash is paid in base, of which a unit is worth the price.
        let in_cash = fill.fee_key == instruments.cash_key(fill.instrument);
        let is_liquidation = fill.price_rule == PriceRule::Liquidation;
        self.liquidations += u64::from(is_liquidation);
        // What a liquidation takes is no fee.
        let fee = if is_liquidation { 0.0 } else { fee };
        self.costs.fees += if in_cash { fee } else { fee * float_of(fill.last_px.value()) };
        let distance = fill.slippage_bps / 1e4;
        // The distance is relative to the price before slippage, the notional to the one after;
        // that of an inverse contract falls as the price rises, and the two cancel.
        let before = match (&instruments.instrument(fill.instrument).contract, fill.side) {
            (Contract::Inverse { .. }, _) => notional,
            (Contract::Spot | Contract::Linear { .. }, OrderSide::Buy) => {
                notional / (1.0 + distance)
            }
            (Contract::Spot | Contract::Linear { .. }, OrderSide::Sell) => {
                notional / (1.0 - distance)
            }
        };
        self.costs.slippage += before * distance;
        self.costs.traded += notional;
    }
}

/// Profit of the run after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profit {
    /// Equity that it began with, in share class.
    pub initial: f64,
    /// What has become of it.
    pub figures: PnlFigures,
}

/// Profit of the whole run that came from nothing that is known, beyond what may.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "PNL-UNEXPLAINED: {amount} of the profit of the run came from nothing that is known; {tolerance} may"
)]
pub struct Unexplained {
    /// How much, in share class.
    pub amount: f64,
    /// How much may, by the gate of the report (05 §7.3).
    pub tolerance: f64,
}

/// How many orders ended in which way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderCounts {
    /// Wanted at all.
    pub submitted: u64,
    /// Refused by the gate.
    pub denied: u64,
    /// Refused by the venue.
    pub rejected: u64,
    /// Ended before they were filled.
    pub canceled: u64,
    /// Ran out of time.
    pub expired: u64,
    /// Filled in part, ended or not.
    pub partially_filled: u64,
    /// Filled.
    pub filled: u64,
    /// Still working at the end.
    pub working: u64,
    /// New terms refused by the gate; the orders kept those that they had.
    pub replaces_denied: u64,
    /// Denials by code, those of new terms included.
    pub denied_by_reason: BTreeMap<&'static str, u64>,
    /// Rejections by code.
    pub rejected_by_reason: BTreeMap<&'static str, u64>,
    /// Cancellations by code.
    pub canceled_by_reason: BTreeMap<&'static str, u64>,
    /// Orders that filled much of a bar.
    pub large_orders: LargeOrders,
}

/// Orders of which a fill was more than a tenth of its bar's volume (10 §12.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LargeOrders {
    /// How many there were.
    pub count: u64,
    /// What the first ten are called.
    pub names: Vec<String>,
}

impl LargeOrders {
    /// How many are named.
    const NAMED: usize = 10;

    pub(crate) fn take(&mut self, name: impl Display) {
        self.count += 1;
        if self.names.len() < Self::NAMED {
            self.names.push(name.to_string());
        }
    }
}

impl OrderCounts {
    /// Counts new terms that the gate refused.
    pub(crate) fn deny_replace(&mut self, refusal: &Refusal) {
        self.replaces_denied += 1;
        *self.denied_by_reason.entry(refusal.code.name()).or_default() += 1;
    }

    /// Counts an order as it stands at its end, or at that of the run.
    pub(crate) fn count(
        &mut self,
        status: OrderStatus,
        cum_qty: Quantity,
        refusal: Option<&Refusal>,
    ) {
        self.submitted += 1;
        if let (Some(reasons), Some(refusal)) = (self.reasons(status), refusal) {
            *reasons.entry(refusal.code.name()).or_default() += 1;
        }
        match status {
            OrderStatus::Submitted | OrderStatus::Accepted => self.working += 1,
            OrderStatus::PartiallyFilled => {
                self.working += 1;
                self.partially_filled += 1;
            }
            OrderStatus::Filled => self.filled += 1,
            OrderStatus::Canceled => self.canceled += 1,
            OrderStatus::Expired => self.expired += 1,
            OrderStatus::Rejected => self.rejected += 1,
            OrderStatus::Denied => self.denied += 1,
        }
        if status.is_final() && status != OrderStatus::Filled && !cum_qty.is_zero() {
            self.partially_filled += 1;
        }
    }

    /// The reasons that orders of a status are counted by.
    const fn reasons(&mut self, status: OrderStatus) -> Option<&mut BTreeMap<&'static str, u64>> {
        match status {
            OrderStatus::Denied => Some(&mut self.denied_by_reason),
            OrderStatus::Rejected => Some(&mut self.rejected_by_reason),
            OrderStatus::Canceled => Some(&mut self.canceled_by_reason),
            OrderStatus::Submitted
            | OrderStatus::Accepted
            | OrderStatus::PartiallyFilled
            | OrderStatus::Filled
            | OrderStatus::Expired => None,
        }
    }
}

/// Round trips in figures, in share class; a trip that earned exactly nothing is neither won nor lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TradeFigures {
    /// All of them.
    pub count: u64,
    /// Those that earned.
    pub wins: u64,
    /// Those that lost.
    pub losses: u64,
    /// Sum of what the wins earned.
    pub gross_profit: f64,
    /// Sum of what the losses lost; zero or more.
    pub gross_loss: f64,
    /// Profit of the best one; zero without any.
    pub best: f64,
    /// Profit of the worst one; zero without any.
    pub worst: f64,
}

impl TradeFigures {
    pub(crate) fn take(&mut self, trip: &RoundTrip) {
        let pnl = float_of(trip.pnl.0) * trip.cash_value;
        // The first one is both: of trades that all lost, the best is the smallest loss.
        let is_first = self.count == 0;
        self.count += 1;
        self.best = if is_first { pnl } else { self.best.max(pnl) };
        self.worst = if is_first { pnl } else { self.worst.min(pnl) };
        if pnl > 0.0 {
            self.wins += 1;
            self.gross_profit += pnl;
        } else if pnl < 0.0 {
            self.losses += 1;
            self.gross_loss -= pnl;
        }
    }

    /// Wins over all closed round trips.
    #[expect(clippy::cast_precision_loss, reason = "counts of trades, far below 2^53")]
    pub fn win_rate(&self) -> Option<f64> {
        (self.count > 0).then(|| self.wins as f64 / self.count as f64)
    }

    /// What the wins earned over what the losses lost.
    pub fn profit_factor(&self) -> Option<f64> {
        (self.gross_loss > 0.0).then(|| self.gross_profit / self.gross_loss)
    }
}

/// What trading cost, in share class at the fills.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Costs {
    /// Fees paid less rebates.
    pub fees: f64,
    /// Distance from the bars' prices.
    pub slippage: f64,
    /// Notional traded.
    pub traded: f64,
}
