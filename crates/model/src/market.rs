//! Market data at one instant, as the components of the account ask for it.

use std::cell::{Ref, RefCell};

use crate::frame::{BarKind, Frame};
use crate::instrument::{InstrumentIx, InstrumentTable};
use crate::time::UtcMillis;

/// Read-only market data, point in time: components hold it and ask for one instant (D14).
///
/// Whoever drives the frame moves it on; nobody else can change it.
#[derive(Debug)]
pub struct DataProvider {
    market: RefCell<Market>,
}

/// Prices as known at one instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Market {
    /// The last instant whose data has come.
    pub ts: UtcMillis,
    /// Last close per instrument, by [`InstrumentIx`]; `None` before its first bar.
    pub closes: Vec<Option<f64>>,
    /// Price at which an instrument is valued: the mark of a perpetual that has one, else its last
    /// close.
    pub marks: Vec<Option<f64>>,
}

/// Data was asked for that is no longer the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("DATA-STALE: asked for the market at {asked}, but {present} has come")]
pub struct StaleMarket {
    asked: UtcMillis,
    present: UtcMillis,
}

impl DataProvider {
    /// A provider before the first frame.
    pub fn new(instruments: &InstrumentTable) -> Self {
        let none = vec![None; instruments.len()];
        let ts = UtcMillis::new(i64::MIN);
        Self { market: RefCell::new(Market { ts, closes: none.clone(), marks: none }) }
    }

    /// The market as known at `ts`.
    ///
    /// # Errors
    ///
    /// A later instant has come: what was known at `ts` is gone, and the present is the future of
    /// whoever asks.
    pub fn at(&self, ts: UtcMillis) -> Result<Ref<'_, Market>, StaleMarket> {
        let market = self.market.borrow();
        if ts < market.ts {
            return Err(StaleMarket { asked: ts, present: market.ts });
        }
        Ok(market)
    }

    /// Asks the market as it is now.
    pub fn present<T>(&self, question: impl FnOnce(&Market) -> T) -> T {
        question(&self.market.borrow())
    }

    /// Takes the data of a frame; its T is the present from now on.
    pub fn advance(&self, frame: &Frame) {
        let mut market = self.market.borrow_mut();
        market.ts = frame.ts();
        for (place, bar) in frame.bars().iter().enumerate() {
            if bar.kind != BarKind::Absent {
                market.closes[place] = Some(bar.close);
                market.marks[place] = Some(bar.close);
            }
        }
    }
}

impl Market {
    /// Last close of an instrument, if it has had a bar.
    pub fn close(&self, instrument: InstrumentIx) -> Option<f64> {
        self.closes[instrument.index()]
    }

    /// Price at which an instrument is valued, if there is one.
    pub fn mark(&self, instrument: InstrumentIx) -> Option<f64> {
        self.marks[instrument.index()]
    }
}
