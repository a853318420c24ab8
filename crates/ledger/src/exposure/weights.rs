//! Balances and positions as floats; made anew when one of them changes, used at every pass.

use model::Decimal;
use model::conversion::PriceSource;
use model::exposure::{AssetIx, ExposureLayout, ExposureSnapshot, KeyExposure};
use model::instrument::{Contract, InstrumentIx, InstrumentTable, KeyIx};
use model::key::PositionType;
use model::market::Market;
use model::numeric::DoubleFloat;
use model::snapshot::AccountBook;

use crate::route::Route;

/// A held key that has no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unpriced {
    /// Nothing in the run prices it.
    Never(KeyIx),
    /// The price that there is not yet.
    Yet(KeyIx, PriceSource),
}

/// What every key weighs.
#[derive(Clone, Debug, Default)]
pub(super) struct Weights {
    /// Idle cash, summed as decimals.
    cash: DoubleFloat,
    /// Every key with a route that is no perpetual, in order.
    holdings: Vec<Holding>,
    /// Perpetuals that are held, and spot positions that are not simply a holding.
    open: Vec<Open>,
    /// Perpetuals that are not held.
    flat: Vec<KeyIx>,
}

#[derive(Clone, Debug)]
struct Holding {
    key: KeyIx,
    asset: Option<usize>,
    venue: usize,
    route: Route,
    /// With sign: a debt is negative.
    amount: DoubleFloat,
    /// The same as one float, without the sign of a debt.
    quantity: f64,
    sign: f64,
    /// What it was entered at in share class, if it is just one position there.
    cost: Option<f64>,
    /// Share that selling it costs.
    exit_cost: f64,
}

#[derive(Clone, Debug)]
struct Open {
    key: KeyIx,
    asset: Option<usize>,
    venue: usize,
    priced_by: InstrumentIx,
    kind: Kind,
    quantity: f64,
    /// What the mark is multiplied with, or divided into; signed.
    units: DoubleFloat,
    /// What the worth is added to, for the gain.
    less_cost: DoubleFloat,
    /// From the asset of the cash.
    route: Route,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Spot,
    Linear,
    Inverse,
}

/// What the weights of a run are made with.
#[derive(Debug)]
pub(super) struct Scales<'a> {
    pub(super) instruments: &'a InstrumentTable,
    pub(super) layout: &'a ExposureLayout,
    pub(super) routes: &'a [Option<Route>],
    pub(super) exit_costs: &'a [f64],
}

/// Sums that are no field of the snapshot.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    /// What is owned but idle cash, and the notionals of perpetuals.
    pub(super) assets: f64,
    /// What selling staking tokens at the market would lose.
    pub(super) exit_loss: f64,
}

impl Weights {
    /// Takes the balances and positions of a book.
    pub(super) fn weigh(
        &mut self,
        book: &AccountBook,
        scales: &Scales<'_>,
    ) -> Result<(), Unpriced> {
        let Scales { instruments, layout, routes, exit_costs } = *scales;
        self.holdings.clear();
        self.open.clear();
        self.flat.clear();
        let mut cash = Decimal::ZERO;
        for (key, name) in instruments.keys() {
            let amount = book.balances[key.index()];
            if name.kind() == PositionType::Perp {
                continue;
            }
            let Some(route) = &routes[key.index()] else {
                if amount.is_zero() {
                    continue;
                }
                return Err(Unpriced::Never(key));
            };
            if route.is_idle {
                cash += amount;
            }
            let place = route.sold_in();
            let place = place.filter(|place| is_position(book, instruments, key, *place));
            let cost = place.filter(|_| !amount.is_zero());
            let owed = matches!(name.kind(), PositionType::DebtToken | PositionType::FlashDebt);
            let exact = DoubleFloat::of(amount);
            self.holdings.push(Holding {
                key,
                asset: layout.asset(key).map(AssetIx::index),
                venue: layout.venue(key).index(),
                route: route.clone(),
                amount: if owed { exact.times(-1.0) } else { exact },
                quantity: exact.value(),
                sign: if owed { -1.0 } else { 1.0 },
                cost: cost.map(|place| DoubleFloat::of(book.costs[place.index()]).value()),
                exit_cost: exit_costs.get(key.index()).copied().unwrap_or_default(),
            });
        }
        self.cash = DoubleFloat::of(cash);
        for (place, instrument) in instruments.instruments() {
            let key = instruments.base_key(place);
            let is_holding = || {
                let route = routes[key.index()].as_ref();
                route.and_then(Route::sold_in) == Some(place)
                    && !instrument.is_perpetual()
                    && is_position(book, instruments, key, place)
            };
            if book.positions[place.index()].is_zero() {
                if instrument.is_perpetual() {
                    self.flat.push(key);
                }
            } else if !is_holding() {
                self.open.push(Open::new(place, book, scales)?);
            }
        }
        Ok(())
    }

    /// Writes the exposure in `market`, but for what is divided by equity.
    pub(super) fn value(
        &self,
        market: &Market,
        into: &mut ExposureSnapshot,
    ) -> Result<Sums, Unpriced> {
        for asset in &mut into.assets {
            (asset.net_delta, asset.gross) = (0.0, 0.0);
        }
        into.venues.fill(0.0);
        (into.gross, into.net, into.unrealized) = (0.0, 0.0, 0.0);
        let mut total = self.cash;
        let mut sums = Sums::default();
        for holding in &self.holdings {
            if let Some(exact) = holding.value(market, into, &mut sums)? {
                total = total.plus(exact);
            }
        }
        for open in &self.open {
            if let Some(gain) = open.value(market, into, &mut sums)? {
                total = total.plus(gain);
            }
        }
        for key in &self.flat {
            into.keys[key.index()] =
                KeyExposure { index: 1.0, rate: 1.0, ..KeyExposure::default() };
        }
        into.equity = total.value();
        into.equity_exit = into.equity - sums.exit_loss;
        into.cash = self.cash.value();
        Ok(sums)
    }
}

impl Holding {
    /// Writes one key; returns what counts to equity beside idle cash.
    #[inline]
    fn value(
        &self,
        market: &Market,
        into: &mut ExposureSnapshot,
        sums: &mut Sums,
    ) -> Result<Option<DoubleFloat>, Unpriced> {
        if self.route.is_direct() {
            self.value_cash(into);
            return Ok(None);
        }
        let quote = self.route.quote(market);
        let exposure = &mut into.keys[self.key.index()];
        (exposure.index, exposure.rate, exposure.price) = (quote.index, quote.rate, quote.price);
        exposure.quantity = self.quantity;
        if self.quantity.abs() <= 0.0 {
            (exposure.native, exposure.underlying, exposure.value) = (0.0, 0.0, 0.0);
            return Ok(None);
        }
        let native = self.sign * self.quantity * quote.index;
        let underlying = native * quote.rate;
        (exposure.native, exposure.underlying) = (native, underlying);
        let exact = self.route.convert(self.amount, market);
        let exact = exact.map_err(|source| Unpriced::Yet(self.key, source))?;
        let value = exact.value();
        exposure.value = value;
        into.venues[self.venue] += value;
        if let Some(asset) = self.asset {
            into.assets[asset].net_delta += underlying;
            if !self.route.is_idle {
                into.assets[asset].gross += underlying.abs();
            }
        }
        if self.route.is_idle {
            return Ok(None);
        }
        into.net += value;
        into.gross += value.abs();
        into.unrealized += self.cost.map_or(0.0, |cost| value - cost);
        if self.sign > 0.0 {
            sums.assets += value;
            sums.exit_loss += self.exit_loss(value, market);
        }
        Ok(Some(exact))
    }

    /// Share class itself: nothing prices it, and its sum is kept as a decimal.
    #[inline]
    fn value_cash(&self, into: &mut ExposureSnapshot) {
        let amount = self.quantity;
        into.keys[self.key.index()] = KeyExposure {
            quantity: amount,
            index: 1.0,
            rate: 1.0,
            price: 1.0,
            native: amount,
            underlying: amount,
            value: amount,
            notional: 0.0,
        };
        into.venues[self.venue] += amount;
        if let Some(asset) = self.asset {
            into.assets[asset].net_delta += amount;
        }
    }

    /// What selling it would lose against its worth: the market's distance and the cost.
    fn exit_loss(&self, value: f64, market: &Market) -> f64 {
        let Some(key) = self.route.rate else { return self.exit_cost * value };
        match (market.rates[key.index()], market.market_rates[key.index()]) {
            (Some(oracle), Some(brings)) => {
                value - value * (brings / oracle) * (1.0 - self.exit_cost)
            }
            _ => self.exit_cost * value,
        }
    }
}

/// Whether the balance at `key` is just what is held in the spot instrument at `place`.
fn is_position(
    book: &AccountBook,
    instruments: &InstrumentTable,
    key: KeyIx,
    place: InstrumentIx,
) -> bool {
    instruments.base_key(place) == key
        && book.positions[place.index()].0 == book.balances[key.index()]
}

impl Open {
    fn new(place: InstrumentIx, book: &AccountBook, scales: &Scales<'_>) -> Result<Self, Unpriced> {
        let Scales { instruments, layout, routes, .. } = *scales;
        let (quantity, cost) = (book.positions[place.index()].0, book.costs[place.index()]);
        let (kind, units, less_cost) = match &instruments.instrument(place).contract {
            Contract::Spot => (Kind::Spot, quantity, -cost),
            Contract::Linear { size, .. } => (Kind::Linear, quantity * size, -cost),
            Contract::Inverse { size, .. } => (Kind::Inverse, quantity * size, cost),
        };
        let (key, cash) = (instruments.base_key(place), instruments.cash_key(place));
        Ok(Self {
            key,
            asset: layout.asset(key).map(AssetIx::index),
            venue: layout.venue(key).index(),
            priced_by: place,
            kind,
            quantity: DoubleFloat::of(quantity).value(),
            units: DoubleFloat::of(units),
            less_cost: DoubleFloat::of(less_cost),
            route: routes[cash.index()].clone().ok_or(Unpriced::Never(cash))?,
        })
    }

    /// Writes one perpetual, whose gain it returns; of a spot position only the gain is counted.
    fn value(
        &self,
        market: &Market,
        into: &mut ExposureSnapshot,
        sums: &mut Sums,
    ) -> Result<Option<DoubleFloat>, Unpriced> {
        let unpriced = |source| Unpriced::Yet(self.key, source);
        let mark = market.marks[self.priced_by.index()];
        let mark = mark.ok_or_else(|| unpriced(PriceSource::Instrument(self.priced_by)))?;
        let (worth, gain) = self.at(mark);
        let gain = self.route.convert(gain, market).map_err(unpriced)?;
        let value = gain.value();
        into.unrealized += value;
        if self.kind == Kind::Spot {
            return Ok(None);
        }
        let notional = self.route.convert(worth, market).map_err(unpriced)?.value();
        into.net += notional;
        into.gross += notional.abs();
        sums.assets += notional.abs();
        into.venues[self.venue] += value;
        let delta = match self.kind {
            Kind::Spot | Kind::Linear => self.units.value(),
            Kind::Inverse => worth.value(),
        };
        if let Some(asset) = self.asset {
            into.assets[asset].net_delta += delta;
            into.assets[asset].gross += delta.abs();
        }
        into.keys[self.key.index()] = KeyExposure {
            quantity: self.quantity,
            index: 1.0,
            rate: 1.0,
            price: self.route.quote(market).price,
            native: delta,
            underlying: delta,
            value,
            notional,
        };
        Ok(Some(gain))
    }

    /// Worth and gain at `mark`, in the asset of the cash.
    fn at(&self, mark: f64) -> (DoubleFloat, DoubleFloat) {
        match self.kind {
            Kind::Spot | Kind::Linear => {
                let worth = self.units.times(mark);
                (worth, worth.plus(self.less_cost))
            }
            Kind::Inverse => {
                let worth = self.units.over(mark);
                (worth, worth.times(-1.0).plus(self.less_cost))
            }
        }
    }
}
