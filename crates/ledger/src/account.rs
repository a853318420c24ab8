//! The account: balances, positions, reservations and their value.

use std::rc::Rc;

use model::Decimal;
use model::fill::Fill;
use model::frame::{BarKind, Frame};
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::key::PositionKey;
use model::money::{Cash, Quantity};
use model::numeric::{decimal_of, float_of};
use model::order::OrderSide;
use model::snapshot::AccountBook;

use crate::position::Position;
use crate::round_trip::OpenTrip;
use crate::valuation::{Holding, Valuation, Weights};

/// Why the account cannot be kept. Every variant ends the run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum AccountError {
    #[error("POS-NEGATIVE: {key} would be {amount}")]
    Negative { key: PositionKey, amount: Decimal },

    #[error("EXP-NO-PRICE: {key} holds {amount} and nothing in the run prices it in {share_class}")]
    NoPath { key: PositionKey, amount: Decimal, share_class: Box<str> },

    #[error("EXP-NO-PRICE: {key} is held and {instrument} has had no bar yet")]
    NoPrice { key: PositionKey, instrument: String },
}

/// Our book of one run: the only place where balances change.
#[derive(Debug)]
pub struct Account {
    instruments: Rc<InstrumentTable>,
    share_class: Box<str>,
    book: Rc<AccountBook>,
    positions: Vec<Position>,
    trips: Vec<Option<OpenTrip>>,
    marks: Vec<Option<f64>>,
    weights: Weights,
    /// Instruments held since before the first bar, whose cost is their first close.
    uncosted: Vec<InstrumentIx>,
}

impl Account {
    /// An account with `initial` balances, stated in `share_class`.
    ///
    /// # Errors
    ///
    /// An initial balance that nothing in the run prices.
    pub fn new(
        instruments: Rc<InstrumentTable>,
        share_class: &str,
        initial: &[(KeyIx, Decimal)],
    ) -> Result<Self, AccountError> {
        let keys = instruments.keys().count();
        let mut book = AccountBook {
            balances: vec![Decimal::ZERO; keys],
            reserved: vec![Decimal::ZERO; keys],
            positions: vec![Quantity::ZERO; instruments.len()],
            working_orders: 0,
        };
        for (key, amount) in initial {
            book.balances[key.index()] += amount;
        }
        let mut account = Self {
            positions: vec![Position::default(); instruments.len()],
            trips: vec![None; instruments.len()],
            marks: vec![None; instruments.len()],
            uncosted: Vec::new(),
            share_class: share_class.into(),
            book: Rc::new(book),
            weights: Weights::default(),
            instruments,
        };
        account.take_over_initial_holdings();
        account.weigh()?;
        Ok(account)
    }

    /// Balances, reservations and positions; shared until the next change.
    pub fn book(&self) -> &Rc<AccountBook> {
        &self.book
    }

    /// Last closes, by instrument.
    pub fn marks(&self) -> &[Option<f64>] {
        &self.marks
    }

    /// What is left of a balance after reservations.
    pub fn free(&self, key: KeyIx) -> Decimal {
        self.book.balances[key.index()] - self.book.reserved[key.index()]
    }

    /// Base units held of an instrument.
    pub fn position(&self, instrument: InstrumentIx) -> Quantity {
        self.positions[instrument.index()].quantity
    }

    /// Sets aside what a working order may need.
    pub fn reserve(&mut self, key: KeyIx, amount: Decimal) {
        let book = Rc::make_mut(&mut self.book);
        book.reserved[key.index()] += amount;
        book.working_orders += 1;
    }

    /// Gives back what [`reserve`](Self::reserve) set aside, when the order ends.
    pub fn release(&mut self, key: KeyIx, amount: Decimal) {
        let book = Rc::make_mut(&mut self.book);
        book.reserved[key.index()] -= amount;
        book.working_orders -= 1;
    }

    /// Books a fill: base against quote, the fee, and the round trip that it may complete.
    ///
    /// # Errors
    ///
    /// A balance that would become negative; nothing is booked then.
    pub fn book_fill(&mut self, fill: &mut Fill) -> Result<(), AccountError> {
        let (base, quote) = (
            self.instruments.base_key(fill.instrument),
            self.instruments.quote_key(fill.instrument),
        );
        let (base_change, quote_change) = match fill.side {
            OrderSide::Buy => (fill.last_qty.0, -fill.notional),
            OrderSide::Sell => (-fill.last_qty.0, fill.notional),
        };
        let changes = [(base, base_change), (quote, quote_change.0), (fill.fee_key, -fill.fee.0)];
        let mut balances = self.book.balances.clone();
        for (key, change) in changes {
            balances[key.index()] += change;
        }
        for (key, _) in changes {
            let amount = balances[key.index()];
            if amount.is_sign_negative() && !amount.is_zero() {
                let key = self.instruments.key(key).clone();
                return Err(AccountError::Negative { key, amount });
            }
        }
        let place = fill.instrument.index();
        self.book_trip(fill);
        let scale = self.instruments.instrument(fill.instrument).ledger_scale;
        self.positions[place].book(fill, scale);
        self.close_trip_if_flat(fill);
        let book = Rc::make_mut(&mut self.book);
        book.balances = balances;
        book.positions[place] = self.positions[place].quantity;
        self.weigh()
    }

    /// Takes the closes of a frame, and how far open round trips went in its bars.
    pub fn observe(&mut self, frame: &Frame) {
        for (place, bar) in frame.bars().iter().enumerate() {
            if bar.kind == BarKind::Absent {
                continue;
            }
            self.marks[place] = Some(bar.close);
            if let Some(trip) = &mut self.trips[place] {
                let Position { quantity, cost } = self.positions[place];
                trip.observe(bar, float_of(quantity.0), float_of(cost));
            }
        }
        if !self.uncosted.is_empty() {
            self.cost_initial_holdings();
        }
    }

    /// The value of everything at the last closes.
    ///
    /// # Errors
    ///
    /// A holding whose instrument has had no bar yet: a missing price is never taken for zero.
    pub fn value(&self) -> Result<Valuation, AccountError> {
        self.weights.value(&self.marks).map_err(|holding| AccountError::NoPrice {
            key: self.instruments.key(holding.key).clone(),
            instrument: self.instruments.instrument(holding.priced_by).id.to_string(),
        })
    }

    fn book_trip(&mut self, fill: &Fill) {
        let place = fill.instrument.index();
        let Position { quantity, cost } = self.positions[place];
        let trip = self.trips[place]
            .get_or_insert_with(|| OpenTrip::opened_at(fill.ts, quantity.is_zero()));
        let held = match fill.side {
            OrderSide::Buy => Quantity(quantity.0 + fill.last_qty.0),
            OrderSide::Sell => {
                let px = float_of(fill.last_px.value());
                trip.excursion(px * float_of(quantity.0) - float_of(cost));
                Quantity(quantity.0 - fill.last_qty.0)
            }
        };
        trip.book(fill, held);
    }

    fn close_trip_if_flat(&mut self, fill: &mut Fill) {
        let place = fill.instrument.index();
        if self.positions[place].quantity.is_zero()
            && let Some(trip) = self.trips[place].take()
        {
            fill.closed = trip.close(fill).map(Box::new);
        }
    }

    /// An initial balance is a position in the one instrument of its venue that prices it.
    fn take_over_initial_holdings(&mut self) {
        let instruments = Rc::clone(&self.instruments);
        let book = Rc::make_mut(&mut self.book);
        for (key, name) in instruments.keys() {
            let held = Quantity(book.balances[key.index()]);
            let path = instruments.price_path(name.venue(), name.symbol(), &self.share_class);
            let own = path.filter(|instrument| instruments.base_key(*instrument) == key);
            if let (Some(instrument), false) = (own, held.is_zero()) {
                self.positions[instrument.index()].quantity = held;
                book.positions[instrument.index()] = held;
                self.uncosted.push(instrument);
            }
        }
    }

    fn cost_initial_holdings(&mut self) {
        let (marks, positions, instruments) = (&self.marks, &mut self.positions, &self.instruments);
        self.uncosted.retain(|instrument| {
            let Some(close) = marks[instrument.index()].and_then(decimal_of) else { return true };
            let position = &mut positions[instrument.index()];
            let scale = instruments.instrument(*instrument).ledger_scale;
            position.cost += scale.round(close * position.quantity.0);
            false
        });
        // Only the cost has changed; every balance was priced when the account was opened.
        self.weigh().expect("a path that was there is still there");
    }

    /// Turns balances into floats for the frames to come.
    fn weigh(&mut self) -> Result<(), AccountError> {
        let mut cash = Cash::ZERO;
        let mut holdings = Vec::new();
        for (place, key) in self.instruments.keys() {
            let amount = self.book.balances[place.index()];
            if *key.symbol() == *self.share_class {
                cash += Cash(amount);
            } else if !amount.is_zero() {
                let path =
                    self.instruments.price_path(key.venue(), key.symbol(), &self.share_class);
                let priced_by = path.ok_or_else(|| AccountError::NoPath {
                    key: key.clone(),
                    amount,
                    share_class: self.share_class.clone(),
                })?;
                holdings.push(Holding::new(place, priced_by, amount));
            }
        }
        let cost = self.positions.iter().map(|position| position.cost).sum();
        self.weights = Weights::new(cash.0, holdings, cost);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
