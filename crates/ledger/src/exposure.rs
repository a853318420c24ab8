//! The exposure monitor: values every position, and says how far the account is exposed.

use std::rc::Rc;

use model::conversion::PriceSource;
use model::exposure::{AssetIx, ExposureLayout, ExposureSnapshot, KeyExposure};
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::key::PositionType;
use model::market::{DataProvider, Market, StaleMarket};
use model::snapshot::AccountBook;
use model::time::UtcMillis;

use crate::chain::ChainError;
use crate::route::Route;
use crate::staged::{History, Staged};

mod weights;

use weights::{Scales, Sums, Unpriced, Weights};

/// Why an account has no exposure. Every variant ends the run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum ExposureError {
    #[error("EXP-NO-PRICE: {key} is held and nothing in the run prices it in {share_class}")]
    NoPath { key: String, share_class: Box<str> },

    #[error("EXP-NO-PRICE: {key} is held and {source_name} has had no price yet")]
    NoPrice { key: String, source_name: String },

    #[error("the market is not that of the exposure")]
    Market(#[from] StaleMarket),
}

/// What exposure is stated in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExposureTerms {
    /// Currency of all values.
    pub share_class: Box<str>,
    /// Asset whose delta is tracked (`delta_tracking_asset`); `None`: no delta share.
    pub tracked: Option<Box<str>>,
    /// Share that selling a key costs, by [`KeyIx`]; nothing beyond the end.
    pub exit_costs: Vec<f64>,
}

/// Headline figures of one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExposureFigures {
    /// The instant.
    pub ts: UtcMillis,
    /// Equity in share class.
    pub equity: f64,
    /// Gross in share class.
    pub gross: f64,
    /// See [`ExposureSnapshot::leverage`].
    pub leverage: f64,
    /// See [`ExposureSnapshot::delta_share`].
    pub delta_share: f64,
}

/// First step of the chain: positions → exposure. Source: 04 §5.
#[derive(Debug)]
pub struct ExposureMonitor {
    instruments: Rc<InstrumentTable>,
    provider: Rc<DataProvider>,
    terms: ExposureTerms,
    layout: Rc<ExposureLayout>,
    routes: Vec<Option<Route>>,
    asset_prices: Vec<AssetPrice>,
    tracked: Option<Tracked>,
    weights: Weights,
    is_weighed: bool,
    /// Whether the committed snapshot has the present weights.
    is_settled: bool,
    /// Whether the staged snapshot has the figures of the committed one.
    is_carried: bool,
    snapshots: Staged<ExposureSnapshot>,
    history: History<ExposureFigures>,
}

#[derive(Clone, Copy, Debug)]
struct Tracked {
    asset: AssetIx,
    /// In its own share class, equity itself is the target.
    is_share_class: bool,
}

/// Where an asset's price is from.
#[derive(Clone, Debug)]
enum AssetPrice {
    /// That of a key which is held in just this asset.
    Key(KeyIx),
    Route(Route),
    /// The mark of a perpetual in it, and the way of its quote.
    Perpetual(InstrumentIx, Route),
    Never,
}

impl ExposureMonitor {
    /// A monitor over the keys of a run.
    pub fn new(
        instruments: Rc<InstrumentTable>,
        provider: Rc<DataProvider>,
        terms: ExposureTerms,
    ) -> Self {
        let layout = Rc::new(ExposureLayout::new(&instruments));
        let share_class = &*terms.share_class;
        let routes = instruments.keys().map(|(key, _)| Route::of(&instruments, key, share_class));
        let routes: Vec<Option<Route>> = routes.collect();
        let prices = (0u16..).map(AssetIx).zip(&layout.assets);
        let prices = prices.map(|(ix, name)| {
            AssetPrice::new(&instruments, &layout, &routes, (ix, name), share_class)
        });
        let asset_prices = prices.collect();
        let own = instruments.asset(share_class);
        let tracked = terms.tracked.as_deref().and_then(|name| {
            let name = instruments.asset(name);
            Some(Tracked { asset: layout.find_asset(name)?, is_share_class: name == own })
        });
        let weights = Weights::new(&Scales {
            instruments: &instruments,
            layout: &layout,
            routes: &routes,
            exit_costs: &terms.exit_costs,
        });
        Self {
            snapshots: Staged::new(ExposureSnapshot::empty(&layout)),
            history: History::new(),
            weights,
            is_weighed: false,
            is_settled: false,
            is_carried: false,
            tracked,
            asset_prices,
            routes,
            layout,
            terms,
            provider,
            instruments,
        }
    }

    /// Which asset and venue each key counts to.
    pub fn layout(&self) -> &Rc<ExposureLayout> {
        &self.layout
    }

    /// Says that balances or positions have changed: the next stage weighs them anew.
    pub fn positions_changed(&mut self) {
        (self.is_weighed, self.is_settled) = (false, false);
    }

    /// Values `book` at `ts` into the buffer of the next snapshot.
    ///
    /// A book that has changed since the last call is taken as it was, unless
    /// [`positions_changed`](Self::positions_changed) has said so.
    ///
    /// # Errors
    ///
    /// A held key without a way to share class or without a price: a missing price is never taken
    /// for zero (D50). The committed snapshot stays.
    pub fn stage(
        &mut self,
        ts: UtcMillis,
        book: &AccountBook,
    ) -> Result<&ExposureSnapshot, ExposureError> {
        if !self.is_weighed {
            self.weigh(book)?;
        }
        let carries = self.is_settled && self.weights.are_flat();
        let market = self.provider.at(ts)?;
        let (latest, next) = if carries {
            self.snapshots.carry(ExposureSnapshot::copy_from)
        } else {
            self.snapshots.both()
        };
        let sums = if carries {
            self.weights.requote(&market, next);
            Sums::default()
        } else {
            match self.weights.value(&market, next) {
                Ok(sums) => sums,
                Err(unpriced) => return Err(self.named(unpriced)),
            }
        };
        (next.number, next.ts) = (latest.number + 1, ts);
        for (asset, price) in next.assets.iter_mut().zip(&self.asset_prices) {
            asset.price = price.at(&market, &next.keys);
            let has_delta = asset.net_delta.abs() > 0.0;
            asset.value = if has_delta { asset.net_delta * asset.price } else { 0.0 };
        }
        drop(market);
        share_of_equity(next, sums, self.tracked);
        if next.delta_share.is_nan() {
            return Err(self.untracked());
        }
        self.is_carried = carries && next.delta_share.to_bits() == latest.delta_share.to_bits();
        Ok(self.snapshots.staged())
    }

    /// Publishes what was staged.
    pub fn commit(&mut self) {
        self.snapshots.commit();
        self.is_settled = self.is_weighed;
        let latest = self.snapshots.latest();
        self.history.push(ExposureFigures {
            ts: latest.ts,
            equity: latest.equity,
            gross: latest.gross,
            leverage: latest.leverage,
            delta_share: latest.delta_share,
        });
    }

    /// The exposure as last staged, whether committed or not.
    pub fn staged(&self) -> &ExposureSnapshot {
        self.snapshots.staged()
    }

    /// Whether the staged exposure has the figures of the committed one, but for the prices of what is
    /// not held: nothing has been traded, and only what no market moves is held.
    pub const fn is_carried(&self) -> bool {
        self.is_carried
    }

    /// The exposure as last committed.
    pub fn latest(&self) -> &Rc<ExposureSnapshot> {
        self.snapshots.latest()
    }

    /// Figures of the last passes, oldest first.
    pub fn history(&self) -> impl Iterator<Item = &ExposureFigures> {
        self.history.iter()
    }

    /// Out of the way of the passes that need it not, which are most.
    #[cold]
    fn weigh(&mut self, book: &AccountBook) -> Result<(), ExposureError> {
        let scales = Scales {
            instruments: &self.instruments,
            layout: &self.layout,
            routes: &self.routes,
            exit_costs: &self.terms.exit_costs,
        };
        if let Err(unpriced) = self.weights.weigh(book, &scales) {
            return Err(self.named(unpriced));
        }
        self.is_weighed = true;
        Ok(())
    }

    /// The error of a key that is held while something that prices it has no price yet.
    pub(crate) fn no_price(&self, key: KeyIx, source: PriceSource) -> ChainError {
        ChainError::Exposure(self.named(Unpriced::Yet(key, source)))
    }

    #[cold]
    fn untracked(&self) -> ExposureError {
        let key = format!("a delta in {}", self.terms.tracked.as_deref().unwrap_or_default());
        ExposureError::NoPrice { key, source_name: "the asset".to_owned() }
    }

    #[cold]
    fn named(&self, unpriced: Unpriced) -> ExposureError {
        match unpriced {
            Unpriced::Never(key) => {
                let share_class = self.terms.share_class.clone();
                ExposureError::NoPath { key: self.instruments.key(key).to_string(), share_class }
            }
            Unpriced::Yet(key, source) => ExposureError::NoPrice {
                key: self.instruments.key(key).to_string(),
                source_name: name_of(&self.instruments, source),
            },
        }
    }
}

/// What is divided by equity. Without equity, whatever there is weighs infinitely.
fn share_of_equity(next: &mut ExposureSnapshot, sums: Sums, tracked: Option<Tracked>) {
    let share = |amount: f64, equity: f64| match (amount.abs() > 0.0, equity > 0.0) {
        (false, _) => 0.0,
        (true, true) => amount / equity,
        (true, false) => f64::INFINITY.copysign(amount),
    };
    next.leverage = share(sums.assets, next.equity);
    next.delta_share = tracked.map_or(0.0, |tracked| {
        let asset = next.assets[tracked.asset.index()];
        let own = if tracked.is_share_class { next.equity } else { 0.0 };
        share(asset.value - own, next.equity)
    });
}

impl AssetPrice {
    fn new(
        instruments: &InstrumentTable,
        layout: &ExposureLayout,
        routes: &[Option<Route>],
        (ix, name): (AssetIx, &str),
        share_class: &str,
    ) -> Self {
        let mut own = instruments.keys().filter(|(key, known)| {
            known.kind() == PositionType::BaseToken
                && known.symbol() == name
                && routes[key.index()].is_some()
        });
        if let Some((key, _)) = own.next() {
            return Self::Key(key);
        }
        let first = instruments.keys().find(|(key, _)| layout.asset(*key) == Some(ix));
        let venue = first.map_or("", |(_, name)| name.venue());
        if let Some(route) = Route::of_asset(instruments, venue, name, share_class) {
            return Self::Route(route);
        }
        let perpetual = instruments.instruments().find_map(|(place, known)| {
            let is_one = known.is_perpetual() && instruments.asset(&known.base) == name;
            let quote = || Route::of_asset(instruments, venue, &known.quote, share_class);
            is_one.then(quote).flatten().map(|route| Self::Perpetual(place, route))
        });
        perpetual.unwrap_or(Self::Never)
    }

    fn at(&self, market: &Market, keys: &[KeyExposure]) -> f64 {
        match self {
            Self::Key(key) => keys[key.index()].price,
            Self::Route(route) => route.quote(market).price,
            Self::Perpetual(place, route) => {
                market.marks[place.index()].unwrap_or(f64::NAN) * route.quote(market).price
            }
            Self::Never => f64::NAN,
        }
    }
}

/// What a price source is called in messages.
fn name_of(instruments: &InstrumentTable, source: PriceSource) -> String {
    match source {
        PriceSource::Instrument(place) => instruments.instrument(place).id.to_string(),
        PriceSource::Series(place) => {
            let mut known = instruments.price_series();
            known.find(|(ix, _)| *ix == place).map_or_else(String::new, |(_, series)| {
                format!("{}:{}/{}", series.source, series.base, series.quote)
            })
        }
        PriceSource::Index(key) => format!("the index of {}", instruments.key(key)),
        PriceSource::Rate(key) => format!("the rate of {}", instruments.key(key)),
        PriceSource::One => "a wrap".to_owned(),
    }
}

#[cfg(test)]
mod tests;
