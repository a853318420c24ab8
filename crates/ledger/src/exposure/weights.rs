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

/// What every key weighs. Of what has not changed since the last time, nothing is converted again.
#[derive(Clone, Debug, Default)]
pub(super) struct Weights {
    /// Idle cash, summed as decimals.
    cash: DoubleFloat,
    /// Every key with a route that is no perpetual, in order.
    holdings: Vec<Holding>,
    /// Those without a route: they cannot be held.
    priceless: Vec<KeyIx>,
    /// Perpetuals, and what spot positions there are that are not simply a holding.
    positions: Vec<Position>,
    /// Whether nothing is held but share class itself, which no market moves.
    is_flat: bool,
}

#[derive(Clone, Debug)]
struct Holding {
    key: KeyIx,
    asset: Option<usize>,
    venue: usize,
    route: Route,
    amount: Weighed,
    sign: f64,
    /// The one spot instrument in which it is sold for share class, and what it was entered at there.
    sold_in: Option<(InstrumentIx, Weighed)>,
    /// Whether it is just one position there.
    is_position: bool,
    /// Share that selling it costs.
    exit_cost: f64,
}

/// An amount, and what it is as floats.
#[derive(Clone, Copy, Debug, Default)]
struct Weighed {
    booked: Decimal,
    /// With sign: a debt is negative.
    exact: DoubleFloat,
    /// The same as one float, without the sign of a debt.
    value: f64,
}

#[derive(Clone, Debug)]
struct Position {
    place: InstrumentIx,
    key: KeyIx,
    is_perpetual: bool,
    /// Whether the balance of the key may be the position.
    may_be_holding: bool,
    /// Quantity and cost as last weighed.
    booked: [Decimal; 2],
    /// `None` where it is flat, or simply a holding.
    open: Option<Open>,
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
    /// The weights of an empty book.
    pub(super) fn new(scales: &Scales<'_>) -> Self {
        let mut weights = Self::default();
        for (key, name) in scales.instruments.keys() {
            if name.kind() == PositionType::Perp {
                continue;
            }
            match &scales.routes[key.index()] {
                Some(route) => weights.holdings.push(Holding::new(key, route, scales)),
                None => weights.priceless.push(key),
            }
        }
        let places = scales.instruments.instruments();
        weights.positions = places.map(|(place, _)| Position::new(place, scales)).collect();
        weights
    }

    /// Takes the balances and positions of a book.
    pub(super) fn weigh(
        &mut self,
        book: &AccountBook,
        scales: &Scales<'_>,
    ) -> Result<(), Unpriced> {
        for key in &self.priceless {
            if !book.balances[key.index()].is_zero() {
                return Err(Unpriced::Never(*key));
            }
        }
        let mut cash = Decimal::ZERO;
        for holding in &mut self.holdings {
            holding.weigh(book);
            if holding.route.is_idle {
                cash += holding.amount.booked;
            }
        }
        self.cash = DoubleFloat::of(cash);
        self.positions.iter_mut().try_for_each(|position| position.weigh(book, scales))?;
        self.is_flat = self.holdings.iter().all(|it| it.route.is_direct() || it.is_empty())
            && self.positions.iter().all(|position| position.open.is_none());
        Ok(())
    }

    /// Whether nothing is held but share class itself, which no market moves.
    pub(super) const fn are_flat(&self) -> bool {
        self.is_flat
    }

    /// Writes the prices of what a flat account does not hold over those of an earlier pass.
    pub(super) fn requote(&self, market: &Market, into: &mut ExposureSnapshot) {
        for holding in self.holdings.iter().filter(|it| !it.route.is_direct()) {
            let quote = holding.route.quote(market);
            let exposure = &mut into.keys[holding.key.index()];
            (exposure.index, exposure.rate, exposure.price) =
                (quote.index, quote.rate, quote.price);
        }
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
        for position in &self.positions {
            match &position.open {
                Some(open) => {
                    if let Some(gain) = open.value(market, into, &mut sums)? {
                        total = total.plus(gain);
                    }
                }
                None if position.is_perpetual => into.keys[position.key.index()] = FLAT,
                None => {}
            }
        }
        into.equity = total.value();
        into.equity_exit = into.equity - sums.exit_loss;
        into.cash = self.cash.value();
        Ok(sums)
    }
}

/// A perpetual of which nothing is held.
const FLAT: KeyExposure = KeyExposure {
    quantity: 0.0,
    index: 1.0,
    rate: 1.0,
    price: 0.0,
    native: 0.0,
    underlying: 0.0,
    value: 0.0,
    notional: 0.0,
};

impl Weighed {
    /// Takes another amount, unless it is this one to the digit: conversion takes long.
    #[inline]
    fn take(&mut self, booked: Decimal, is_owed: bool) {
        if !is_same(booked, self.booked) {
            let exact = DoubleFloat::of(booked);
            let signed = if is_owed { exact.times(-1.0) } else { exact };
            *self = Self { booked, exact: signed, value: exact.value() };
        }
    }
}

/// Whether two amounts are equal in all digits that they show: 1.0 and 1.00 may differ as floats.
#[inline]
fn is_same(a: Decimal, b: Decimal) -> bool {
    a.mantissa() == b.mantissa() && a.scale() == b.scale()
}

impl Holding {
    fn new(key: KeyIx, route: &Route, scales: &Scales<'_>) -> Self {
        let Scales { instruments, layout, exit_costs, .. } = *scales;
        let kind = instruments.key(key).kind();
        let owed = matches!(kind, PositionType::DebtToken | PositionType::FlashDebt);
        let sold_in = route.sold_in().filter(|place| instruments.base_key(*place) == key);
        Self {
            key,
            asset: layout.asset(key).map(AssetIx::index),
            venue: layout.venue(key).index(),
            route: route.clone(),
            amount: Weighed::default(),
            sign: if owed { -1.0 } else { 1.0 },
            sold_in: sold_in.map(|place| (place, Weighed::default())),
            is_position: false,
            exit_cost: exit_costs.get(key.index()).copied().unwrap_or_default(),
        }
    }

    fn weigh(&mut self, book: &AccountBook) {
        let amount = book.balances[self.key.index()];
        self.amount.take(amount, self.sign < 0.0);
        if let Some((place, cost)) = &mut self.sold_in {
            let held = book.positions[place.index()].0;
            self.is_position = held == amount && !amount.is_zero();
            if self.is_position {
                cost.take(book.costs[place.index()], false);
            }
        }
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.amount.value.abs() <= 0.0
    }

    /// Gain since it was entered, if that is known.
    #[inline]
    fn gain(&self, value: f64) -> f64 {
        match &self.sold_in {
            Some((_, cost)) if self.is_position => value - cost.value,
            _ => 0.0,
        }
    }

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
        let quantity = self.amount.value;
        exposure.quantity = quantity;
        if self.is_empty() {
            (exposure.native, exposure.underlying, exposure.value) = (0.0, 0.0, 0.0);
            return Ok(None);
        }
        let native = self.sign * quantity * quote.index;
        let underlying = native * quote.rate;
        (exposure.native, exposure.underlying) = (native, underlying);
        let exact = if self.route.sold_in().is_some() && !quote.price.is_nan() {
            // The price is all there is to the way of most keys.
            self.amount.exact.times(quote.price)
        } else {
            let exact = self.route.convert(self.amount.exact, market);
            exact.map_err(|source| Unpriced::Yet(self.key, source))?
        };
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
        into.unrealized += self.gain(value);
        if self.sign > 0.0 {
            sums.assets += value;
            sums.exit_loss += self.exit_loss(value, market);
        }
        Ok(Some(exact))
    }

    /// Share class itself: nothing prices it, and its sum is kept as a decimal.
    #[inline]
    fn value_cash(&self, into: &mut ExposureSnapshot) {
        let amount = self.amount.value;
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

impl Position {
    fn new(place: InstrumentIx, scales: &Scales<'_>) -> Self {
        let Scales { instruments, routes, .. } = *scales;
        let key = instruments.base_key(place);
        let sold_in = routes[key.index()].as_ref().and_then(Route::sold_in);
        let is_perpetual = instruments.instrument(place).is_perpetual();
        let may_be_holding = sold_in == Some(place) && !is_perpetual;
        let booked = [Decimal::ZERO; 2];
        Self { place, key, is_perpetual, may_be_holding, booked, open: None }
    }

    fn weigh(&mut self, book: &AccountBook, scales: &Scales<'_>) -> Result<(), Unpriced> {
        let (quantity, cost) =
            (book.positions[self.place.index()].0, book.costs[self.place.index()]);
        let is_holding = self.may_be_holding && quantity == book.balances[self.key.index()];
        if is_holding || quantity.is_zero() {
            self.open = None;
            return Ok(());
        }
        let [known_quantity, known_cost] = self.booked;
        let is_known = is_same(quantity, known_quantity) && is_same(cost, known_cost);
        if self.open.is_none() || !is_known {
            self.open = Some(Open::new(self.place, book, scales)?);
            self.booked = [quantity, cost];
        }
        Ok(())
    }
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
