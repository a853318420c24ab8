//! The value of an account at the last closes, in floats that lose nothing on the way.

use model::Decimal;
use model::instrument::{Contract, InstrumentIx, InstrumentTable, KeyIx};
use model::key::PositionType;
use model::numeric::DoubleFloat;
use model::snapshot::AccountBook;

use crate::path::{Path, Paths};

/// What an account is worth, in share class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Valuation {
    /// Everything owned, and what perpetuals have gained (D45).
    pub equity: f64,
    /// Idle cash.
    pub cash: f64,
    /// Sum of the sizes of all holdings but idle cash, and of the notionals of perpetuals (D84).
    pub gross: f64,
    /// The same sum with signs: a short perpetual counts against a holding.
    pub net: f64,
    /// Value of the positions less what they were entered at; of perpetuals, what they have gained.
    pub unrealized: f64,
}

/// A balance that the marks do not price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unpriced {
    /// Which balance.
    pub(crate) key: KeyIx,
    /// The instrument on its path that has no price.
    pub(crate) instrument: InstrumentIx,
}

/// Balances and positions as floats; made anew when one of them changes, used at every frame.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weights {
    cash: DoubleFloat,
    holdings: Vec<Holding>,
    open: Vec<Open>,
}

/// A balance that is neither share class nor a perpetual.
#[derive(Clone, Debug)]
struct Holding {
    key: KeyIx,
    amount: DoubleFloat,
    path: Path,
    /// What it was entered at in share class, if it is just one position there.
    cost: Option<f64>,
}

/// A perpetual, or a spot position that is not simply a holding: another instrument has traded in the
/// same asset, or it was not paid in share class.
#[derive(Clone, Debug)]
struct Open {
    key: KeyIx,
    priced_by: InstrumentIx,
    kind: Kind,
    /// What the mark is multiplied with, or divided into; signed.
    units: DoubleFloat,
    /// What the worth is added to, for the gain.
    less_cost: DoubleFloat,
    /// From the asset of the cash.
    path: Path,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Spot,
    Linear,
    Inverse,
}

impl Weights {
    /// Takes the balances and positions of `book`, all of which have a path.
    pub(crate) fn weigh(
        &mut self,
        book: &AccountBook,
        instruments: &InstrumentTable,
        paths: &Paths,
    ) {
        self.holdings.clear();
        self.open.clear();
        let mut cash = Decimal::ZERO;
        for (key, name) in instruments.keys() {
            let amount = book.balances[key.index()];
            if amount.is_zero() || name.kind() == PositionType::Perp {
                continue;
            }
            let path = paths.of(key).expect("a balance is booked only if it has a path");
            if path.is_empty() {
                cash += amount;
            } else {
                let place =
                    path.sold_in().filter(|place| is_position(book, instruments, key, *place));
                let cost = place.map(|place| DoubleFloat::of(book.costs[place.index()]).value());
                let amount = DoubleFloat::of(amount);
                self.holdings.push(Holding { key, amount, path: path.clone(), cost });
            }
        }
        self.cash = DoubleFloat::of(cash);
        for (place, _) in instruments.instruments() {
            let key = instruments.base_key(place);
            let is_holding = paths.of(key).and_then(Path::sold_in) == Some(place)
                && is_position(book, instruments, key, place);
            if !book.positions[place.index()].is_zero() && !is_holding {
                self.open.push(Open::new(place, book, instruments, paths));
            }
        }
    }

    /// The value at `marks`.
    pub(crate) fn value(&self, marks: &[Option<f64>]) -> Result<Valuation, Unpriced> {
        let mut total = self.cash;
        let (mut gross, mut net, mut unrealized) = (0.0, 0.0, 0.0);
        for Holding { key, amount, path, cost } in &self.holdings {
            let exact = path.convert(*amount, marks);
            let exact = exact.map_err(|instrument| Unpriced { key: *key, instrument })?;
            let value = exact.value();
            total = total.plus(exact);
            net += value;
            gross += value.abs();
            unrealized += cost.map_or(0.0, |cost| value - cost);
        }
        for open in &self.open {
            let unpriced = |instrument| Unpriced { key: open.key, instrument };
            let mark = marks[open.priced_by.index()].ok_or_else(|| unpriced(open.priced_by))?;
            let (exposure, gain) = open.at(mark);
            let gain = open.path.convert(gain, marks).map_err(unpriced)?;
            unrealized += gain.value();
            if open.kind != Kind::Spot {
                total = total.plus(gain);
                let exposure = open.path.convert(exposure, marks).map_err(unpriced)?.value();
                net += exposure;
                gross += exposure.abs();
            }
        }
        Ok(Valuation { equity: total.value(), cash: self.cash.value(), gross, net, unrealized })
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
    fn new(
        place: InstrumentIx,
        book: &AccountBook,
        instruments: &InstrumentTable,
        paths: &Paths,
    ) -> Self {
        let (quantity, cost) = (book.positions[place.index()].0, book.costs[place.index()]);
        let (kind, units, less_cost) = match &instruments.instrument(place).contract {
            Contract::Spot => (Kind::Spot, quantity, -cost),
            Contract::Linear { size, .. } => (Kind::Linear, quantity * size, -cost),
            Contract::Inverse { size, .. } => (Kind::Inverse, quantity * size, cost),
        };
        let path = paths.of(instruments.cash_key(place));
        Self {
            key: instruments.base_key(place),
            priced_by: place,
            kind,
            units: DoubleFloat::of(units),
            less_cost: DoubleFloat::of(less_cost),
            path: path.expect("what is traded is paid in what has a path").clone(),
        }
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
