//! What the chain says of the account, copied where more than a market price has changed.

use std::rc::Rc;

use model::delta::Cause;
use model::event::{Envelope, Payload};
use model::numeric::float_of;
use model::pnl::PnlFigures;
use model::risk::{RiskType, RiskTypes};
use model::snapshot::AccountSnapshot;
use model::tight_loop::LoopRecord;
use model::time::DAY_MS;

use super::records::{ChainRow, Records};

/// Which frames the chain's records have a row for.
#[derive(Clone, Copy, Debug)]
pub struct ChainPlan {
    /// All of them in the results; the log, and so the digest, does not depend on it.
    pub every_frame: bool,
    /// Risk types that drive actions.
    pub enabled: RiskTypes,
}

/// Watches the snapshots. An idle frame costs a few comparisons, and no look into any of them.
#[derive(Debug)]
pub(crate) struct ChainWatch {
    plan: ChainPlan,
    present: Option<Present>,
    has_news: bool,
    /// From when on a frame is the first one of its day.
    next_day: i64,
    /// What was there when the warm-up ended; profit counts from then on.
    origin: PnlFigures,
    is_warmup: bool,
}

/// The last snapshot, and what has become of it.
#[derive(Debug)]
struct Present {
    seq: u64,
    account: Rc<AccountSnapshot>,
    is_closed: bool,
    is_logged: bool,
    is_in_results: bool,
}

impl ChainWatch {
    pub(crate) fn new(plan: ChainPlan) -> Self {
        Self {
            plan,
            present: None,
            has_news: false,
            next_day: i64::MIN,
            origin: PnlFigures::default(),
            is_warmup: false,
        }
    }

    /// Something other than a market price has changed.
    pub(crate) const fn note_news(&mut self) {
        self.has_news = true;
    }

    /// Takes one envelope.
    pub(crate) fn take(&mut self, envelope: &Envelope, records: &mut Records) {
        match &envelope.payload {
            Payload::Account(account) => {
                let account = Rc::clone(account);
                let (is_closed, is_logged, is_in_results) = (false, false, false);
                let seq = envelope.seq;
                let present = Present { seq, account, is_closed, is_logged, is_in_results };
                self.present = Some(present);
            }
            Payload::TightLoop(record) => {
                self.note_news();
                records.extremes.gas += self.gas_of(record);
            }
            Payload::Intent(_)
            | Payload::Verdict(_)
            | Payload::OrderUpdate(_)
            | Payload::Fill(_)
            | Payload::Settlement(_)
            | Payload::Alert(_) => self.note_news(),
            Payload::Frame(_) | Payload::Decision(_) | Payload::Control(_) | Payload::Custom(_) => {
            }
        }
    }

    /// Writes the row of a tick that has come to its end, if there is to be one.
    pub(crate) fn close_tick(&mut self, records: &mut Records) {
        let Some(present) = &mut self.present else { return };
        if std::mem::replace(&mut present.is_closed, true) {
            return;
        }
        let account = &*present.account;
        if account.frame.is_warmup() {
            (self.is_warmup, self.has_news) = (true, false);
            return;
        }
        if std::mem::take(&mut self.is_warmup) {
            self.origin = account.chain.pnl.cumulative;
        }
        records.extremes.take(account);
        let ts = account.ts().millis();
        let is_due = std::mem::take(&mut self.has_news) || ts >= self.next_day;
        if ts >= self.next_day {
            self.next_day = (ts.div_euclid(DAY_MS) + 1) * DAY_MS;
        }
        self.write(is_due, is_due || self.plan.every_frame, records);
    }

    /// Writes the row of the last frame, where it has none yet.
    pub(crate) fn finish(&mut self, records: &mut Records) {
        self.close_tick(records);
        if self.present.as_ref().is_some_and(|present| !present.account.frame.is_warmup()) {
            self.write(true, true, records);
        }
    }

    fn write(&mut self, in_log: bool, in_results: bool, records: &mut Records) {
        let Some(present) = &mut self.present else { return };
        let in_log = in_log && !present.is_logged;
        let in_results = in_results && !present.is_in_results;
        if !in_log && !in_results {
            return;
        }
        present.is_logged |= in_log;
        present.is_in_results |= in_results;
        let account = &*present.account;
        let (exposure, pnl) = (&account.chain.exposure, &account.chain.pnl);
        let origin = &self.origin;
        let mut since = pnl.cumulative;
        for (sum, before) in since.attribution.0.iter_mut().zip(origin.attribution.0) {
            *sum -= before;
        }
        since.total -= origin.total;
        since.unexplained -= origin.unexplained;
        since.flows -= origin.flows;
        records.chain.push(ChainRow {
            seq: present.seq,
            ts: account.ts(),
            in_log,
            in_results,
            equity_exit: exposure.equity_exit,
            leverage: exposure.leverage,
            delta_share: exposure.delta_share,
            assets: exposure.assets.as_slice().into(),
            risk: *account.chain.risk,
            enabled: self.plan.enabled,
            initial: pnl.initial + origin.total + origin.flows,
            pnl: since,
        });
    }

    /// What a loop has paid for gas, in share class, at its own price or at the last valuation.
    fn gas_of(&self, record: &LoopRecord) -> f64 {
        let Some(handshake) = record.handshake.as_ref().filter(|_| record.applied) else {
            return 0.0;
        };
        let gas = handshake.deltas.iter().filter(|delta| delta.cause == Cause::Gas);
        let cost = gas.map(|delta| {
            let own = delta.px_ref.filter(|_| delta.instrument.is_none());
            let own = own.map(|px| float_of(px.value()));
            let last = self.present.as_ref().map(|present| {
                let key = present.account.chain.exposure.key(delta.key);
                key.index * key.rate * key.price
            });
            own.or(last).map_or(0.0, |price| -float_of(delta.amount) * price)
        });
        cost.fold(0.0, |sum, cost| sum + cost)
    }
}

/// Figures of all frames between two commits, beside those that have a row.
#[derive(Clone, Copy, Debug)]
pub struct Extremes {
    /// Lowest health factor; +∞ without debt.
    pub min_health_factor: f64,
    /// Lowest margin equity over notional at the worst venue; +∞ without a position.
    pub min_margin_fraction: f64,
    /// Largest leverage (D84); +∞ if nothing was left of equity.
    pub max_leverage: f64,
    /// Largest equity or gross exposure, in share class: what rounding is measured by.
    pub largest: f64,
    /// What gas has cost, in share class.
    pub gas: f64,
}

impl Default for Extremes {
    fn default() -> Self {
        Self {
            min_health_factor: f64::INFINITY,
            min_margin_fraction: f64::INFINITY,
            max_leverage: 0.0,
            largest: 0.0,
            gas: 0.0,
        }
    }
}

impl Extremes {
    fn take(&mut self, account: &AccountSnapshot) {
        let value = |kind| match account.chain.risk.reading(kind) {
            Some(reading) => reading.value,
            None => f64::INFINITY,
        };
        self.min_health_factor = self.min_health_factor.min(value(RiskType::HealthFactor));
        self.min_margin_fraction = self.min_margin_fraction.min(value(RiskType::CexMarginRatio));
        let exposure = &account.chain.exposure;
        self.max_leverage = self.max_leverage.max(exposure.leverage);
        self.largest = self.largest.max(exposure.equity.abs()).max(exposure.gross);
    }

    /// Adds those of a later commit.
    pub(crate) fn add(&mut self, later: &Self) {
        self.min_health_factor = self.min_health_factor.min(later.min_health_factor);
        self.min_margin_fraction = self.min_margin_fraction.min(later.min_margin_fraction);
        self.max_leverage = self.max_leverage.max(later.max_leverage);
        self.largest = self.largest.max(later.largest);
        self.gas += later.gas;
    }
}
