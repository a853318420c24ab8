//! The chain after positions: exposure, risk and profit, committed together or not at all.

use std::rc::Rc;

use model::delta::Delta;
use model::instrument::InstrumentTable;
use model::market::DataProvider;
use model::risk::RiskSnapshot;
use model::snapshot::AccountBook;
use model::time::UtcMillis;

use crate::exposure::{ExposureError, ExposureMonitor, ExposureTerms};
use crate::pnl::{PnlError, PnlMonitor, Strictness};
use crate::risk::{RiskError, RiskMonitor, RiskTerms};

/// Which step of the chain failed. Every variant ends the run; nothing is committed then.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the variants name the steps")]
pub enum ChainError {
    #[error(transparent)]
    Exposure(#[from] ExposureError),
    #[error(transparent)]
    Risk(#[from] RiskError),
    #[error(transparent)]
    Pnl(#[from] PnlError),
}

/// Exposure → risk → profit: always all three, in this order (D07, D33).
#[derive(Debug)]
pub struct Chain {
    /// First step.
    pub exposure: ExposureMonitor,
    /// Second step.
    pub risk: RiskMonitor,
    /// Last step.
    pub pnl: PnlMonitor,
}

impl Chain {
    /// The chain of a run.
    pub fn new(
        instruments: &Rc<InstrumentTable>,
        provider: &Rc<DataProvider>,
        exposure: ExposureTerms,
        risk: RiskTerms,
        strictness: Strictness,
    ) -> Self {
        let (table, data) = (|| Rc::clone(instruments), || Rc::clone(provider));
        let pnl = PnlMonitor::new(table(), data(), &exposure.share_class, strictness);
        let exposure = ExposureMonitor::new(table(), data(), exposure);
        let risk = RiskMonitor::new(instruments, data(), exposure.layout(), risk);
        Self { exposure, risk, pnl }
    }

    /// Takes deltas that have been applied to the book.
    pub fn note(&mut self, deltas: &[Delta]) {
        self.exposure.positions_changed();
        self.pnl.note(deltas);
    }

    /// Computes all three snapshots apart from those that are published.
    ///
    /// # Errors
    ///
    /// The first step that fails; those after it do not run.
    pub fn stage(&mut self, ts: UtcMillis, book: &AccountBook) -> Result<(), ChainError> {
        self.exposure.stage(ts, book)?;
        let (exposure, is_carried) = (self.exposure.staged(), self.exposure.is_carried());
        // Most accounts are flat most of the time: the same figures mean the same risk and no profit.
        if !(is_carried && self.risk.carry(ts, exposure)?) {
            self.risk.stage(ts, exposure)?;
        }
        if !(is_carried && self.pnl.carry(ts, exposure)?) {
            self.pnl.stage(ts, exposure)?;
        }
        Ok(())
    }

    /// Publishes what was staged.
    pub fn commit(&mut self) {
        self.exposure.commit();
        self.risk.commit();
        self.pnl.commit();
    }

    /// Computes and publishes all three snapshots.
    ///
    /// # Errors
    ///
    /// As for [`stage`](Self::stage); the committed snapshots stay.
    pub fn update(&mut self, ts: UtcMillis, book: &AccountBook) -> Result<(), ChainError> {
        self.stage(ts, book)?;
        self.commit();
        Ok(())
    }

    /// The risk that the account would have with another book: what the gate judges an order by
    /// (04 §6.4). Nothing is published.
    ///
    /// # Errors
    ///
    /// A step that fails on that book.
    pub fn preview(
        &mut self,
        ts: UtcMillis,
        book: &AccountBook,
    ) -> Result<RiskSnapshot, ChainError> {
        self.exposure.positions_changed();
        let exposure = self.exposure.stage(ts, book);
        let risk = match exposure {
            Ok(exposure) => self.risk.stage(ts, exposure).copied().map_err(ChainError::from),
            Err(error) => Err(error.into()),
        };
        // The weights are those of the other book.
        self.exposure.positions_changed();
        risk
    }
}

#[cfg(test)]
mod tests;
