//! Market data at one instant, as the components of the account ask for it.

mod funding_window;

use std::cell::{Ref, RefCell, RefMut};

use crate::conversion::PriceSource;
use crate::frame::{BarKind, Frame};
use crate::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use crate::time::UtcMillis;
use funding_window::FundingWindow;

/// Read-only market data, point in time: components hold it and ask for one instant (D14).
///
/// Whoever drives the frame moves it on; nobody else can change it.
#[derive(Debug)]
pub struct DataProvider {
    market: RefCell<Market>,
    /// Instruments that may have a mark of their own.
    perps: Vec<InstrumentIx>,
    /// By [`InstrumentIx`].
    windows: RefCell<Vec<FundingWindow>>,
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
    /// Last value per price series, by [`SeriesIx`](crate::instrument::SeriesIx).
    pub series: Vec<Option<f64>>,
    /// Index of a supply or a debt, by [`KeyIx`]: underlying units per scaled unit; 1 where there is
    /// none (D87: carried between observations).
    pub indices: Vec<f64>,
    /// Exchange rate of a liquid staking token by its protocol, by [`KeyIx`]: coins per token.
    pub rates: Vec<Option<f64>>,
    /// What the same token brings on the market, by [`KeyIx`]: coins per token.
    pub market_rates: Vec<Option<f64>>,
    /// Yearly rate that a key earns or owes, by [`KeyIx`]: of a supply, a debt or a staking token; a
    /// fraction, positive where it grows.
    pub yearly_rates: Vec<Option<f64>>,
    /// What a key can be turned into at once at its venue, by [`KeyIx`], in units of its token: the
    /// cash of a lending pool, the daily volume of a staking token.
    pub liquidity: Vec<Option<f64>>,
    /// Price of gas, in gwei.
    pub gas: Option<f64>,
    /// Trailing funding per instrument, by [`InstrumentIx`].
    pub funding: Vec<Option<FundingTrail>>,
    /// When each instrument was last observed, by [`InstrumentIx`]; `None` where nobody says so.
    pub observed: Vec<Option<UtcMillis>>,
}

/// Funding of the last seven days. Source: 04 §6.1 `funding_risk`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FundingTrail {
    /// Mean rate, scaled to eight hours; a fraction, positive when longs pay.
    pub mean_8h: f64,
    /// Share of events at a negative rate; 0 to 1.
    pub negative_share: f64,
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
        let perps = instruments.instruments().filter(|(_, known)| known.is_perpetual());
        let perps = perps.map(|(place, _)| place).collect();
        let windows = RefCell::new(vec![FundingWindow::default(); instruments.len()]);
        Self { perps, windows, market: RefCell::new(Market::before_the_first_frame(instruments)) }
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

    /// The market as last known, for what needs no instant.
    pub fn present(&self) -> Ref<'_, Market> {
        self.market.borrow()
    }

    /// The market, to be moved on by whoever drives the frame.
    ///
    /// # Panics
    ///
    /// If a component still looks at it.
    pub fn change(&self) -> RefMut<'_, Market> {
        self.market.borrow_mut()
    }

    /// Takes the data of a frame; its T is the present from now on.
    pub fn advance(&self, frame: &Frame) {
        let market = &mut *self.market.borrow_mut();
        market.ts = frame.ts();
        let known = market.closes.iter_mut().zip(&mut market.marks);
        for ((close, mark), bar) in known.zip(frame.bars()) {
            if bar.kind != BarKind::Absent {
                (*close, *mark) = (Some(bar.close), Some(bar.close));
            }
        }
        for place in &self.perps {
            if let Some(mark) = frame.mark(*place) {
                market.marks[place.index()] = Some(mark.close);
            }
        }
        for point in frame.funding() {
            let window = &mut self.windows.borrow_mut()[point.instrument.index()];
            market.funding[point.instrument.index()] = Some(window.take(point));
        }
        for point in frame.prices() {
            market.series[point.series.index()] = Some(point.value);
        }
    }
}

impl Market {
    /// A market of which nothing is known.
    pub fn before_the_first_frame(instruments: &InstrumentTable) -> Self {
        let (width, keys) = (instruments.len(), instruments.keys().count());
        let (none, no_key) = (vec![None; width], vec![None; keys]);
        Self {
            ts: UtcMillis::new(i64::MIN),
            closes: none.clone(),
            marks: none,
            series: vec![None; instruments.price_series().count()],
            indices: vec![1.0; keys],
            rates: no_key.clone(),
            market_rates: no_key.clone(),
            yearly_rates: no_key.clone(),
            liquidity: no_key,
            gas: None,
            funding: vec![None; width],
            observed: vec![None; width],
        }
    }

    /// What a step of a conversion is multiplied with, if it is known.
    pub fn price(&self, source: PriceSource) -> Option<f64> {
        match source {
            PriceSource::Instrument(place) => self.marks[place.index()],
            PriceSource::Series(place) => self.series[place.index()],
            PriceSource::Index(key) => Some(self.indices[key.index()]),
            PriceSource::Rate(key) => self.rates[key.index()],
            PriceSource::One => Some(1.0),
        }
    }

    /// Index of a supply or a debt; 1 where there is none.
    pub fn index(&self, key: KeyIx) -> f64 {
        self.indices[key.index()]
    }

    /// Last close of an instrument, if it has had a bar.
    pub fn close(&self, instrument: InstrumentIx) -> Option<f64> {
        self.closes[instrument.index()]
    }

    /// Price at which an instrument is valued, if there is one.
    pub fn mark(&self, instrument: InstrumentIx) -> Option<f64> {
        self.marks[instrument.index()]
    }
}
