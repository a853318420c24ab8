//! The account: balances, positions, reservations and their value.

use std::rc::Rc;
use std::sync::Arc;

use model::Decimal;
use model::fill::{ClosedLot, Fill};
use model::frame::{BarKind, Frame};
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::key::PositionKey;
use model::money::{Cash, Quantity};
use model::numeric::DoubleFloat;
use model::order::{Order, OrderId};
use model::snapshot::{AccountBook, Reservation};
use model::time::Interval;

use crate::books::Books;
use crate::lots::Lots;
use crate::part::Part;
use crate::path::Paths;
use crate::position::{Change, Position};
use crate::round_trip::OpenTrip;
use crate::valuation::{Unpriced, Valuation, Weights};
use crate::working;

/// Why the account cannot be kept. Every variant ends the run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum AccountError {
    #[error("POS-NEGATIVE: {key} would be {amount}")]
    Negative { key: PositionKey, amount: Decimal },

    #[error("POS-NEGATIVE: {key} would gain {quantity} and pay a fee of {fee} out of it")]
    FeeTakesAll { key: PositionKey, quantity: Decimal, fee: Decimal },

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
    /// Length of a frame: its bars open this long before the instant that names it.
    interval: Interval,
    books: Books,
    lots: Vec<Lots>,
    trips: Vec<Option<Box<OpenTrip>>>,
    marks: Vec<Option<f64>>,
    paths: Paths,
    weights: Weights,
    /// Instruments held since before the first bar, whose cost is their first close.
    uncosted: Vec<InstrumentIx>,
}

impl Account {
    /// An account with `initial` balances, stated in `share_class`, over frames of `interval`.
    ///
    /// # Errors
    ///
    /// An initial balance that nothing in the run prices.
    pub fn new(
        instruments: Rc<InstrumentTable>,
        share_class: &str,
        interval: Interval,
        initial: &[(KeyIx, Decimal)],
    ) -> Result<Self, AccountError> {
        let (keys, width) = (instruments.keys().count(), instruments.len());
        let mut book = AccountBook {
            balances: vec![Decimal::ZERO; keys],
            reserved: vec![Decimal::ZERO; keys],
            positions: vec![Quantity::ZERO; width],
            costs: vec![Decimal::ZERO; width],
            working: Vec::new(),
        };
        for (key, amount) in initial {
            book.balances[key.index()] += amount;
        }
        let mut account = Self {
            paths: Paths::new(&instruments, share_class),
            lots: vec![Lots::default(); width],
            trips: vec![None; width],
            marks: vec![None; width],
            weights: Weights::default(),
            uncosted: Vec::new(),
            share_class: share_class.into(),
            interval,
            books: Books::new(book),
            instruments,
        };
        for (key, _) in account.instruments.keys() {
            account.require_path(key, account.balance(key))?;
        }
        account.take_over_initial_holdings();
        account.weigh();
        Ok(account)
    }

    /// Balances, reservations and positions; shared until the next change.
    pub fn book(&self) -> &Rc<AccountBook> {
        self.books.present()
    }

    /// Last closes, by instrument.
    pub fn marks(&self) -> &[Option<f64>] {
        &self.marks
    }

    /// The amount at a key, reservations included; contracts of a perpetual, negative if short.
    pub fn balance(&self, key: KeyIx) -> Decimal {
        self.book().balances[key.index()]
    }

    /// Units held of an instrument; negative if short.
    pub fn position(&self, instrument: InstrumentIx) -> Quantity {
        self.book().positions[instrument.index()]
    }

    /// What perpetuals leave of the cash at a key, orders not counted, at the last closes.
    pub fn free_margin(&self, key: KeyIx) -> Decimal {
        self.book().free_margin(key, &self.instruments, &self.marks)
    }

    /// Appends a working order and sets aside what it may need.
    pub fn accept(&mut self, order: Arc<Order>, reserved: Reservation) {
        working::accept(self.books.change(), order, reserved);
    }

    /// Gives a working order new terms, if there are any, its progress, and a new reservation in place
    /// of the old one.
    ///
    /// # Panics
    ///
    /// If no such order is working.
    pub fn rework(
        &mut self,
        order_id: OrderId,
        terms: Option<Arc<Order>>,
        cum_qty: Quantity,
        reserved: Reservation,
    ) {
        working::rework(self.books.change(), order_id, terms, cum_qty, reserved);
    }

    /// Removes a working order and gives back what it has set aside; nothing if there is none.
    pub fn end(&mut self, order_id: OrderId) {
        if let Some(place) = working::place_of(self.book(), order_id) {
            working::end(self.books.change(), place);
        }
    }

    /// Books a fill and says in it what came of it: profit, closed lots and round trip.
    ///
    /// Spot moves the quantity, the notional and the fee; a perpetual moves the position, the fee and
    /// what the closed part has gained (D19). Source: 02 §3.2.
    ///
    /// # Errors
    ///
    /// A balance that would become negative, or that nothing in the run prices; nothing is booked
    /// then. Settle cash may become negative by a trade in a perpetual (D86).
    ///
    /// # Panics
    ///
    /// If the fee is neither in the asset of the instrument's cash nor in its base.
    pub fn book_fill(&mut self, fill: &mut Fill) -> Result<(), AccountError> {
        self.cost_before_fill(fill);
        let instruments = Rc::clone(&self.instruments);
        let (place, instrument) =
            (fill.instrument.index(), instruments.instrument(fill.instrument));
        let change = self.held(fill.instrument).change(fill.side, self.part_of(fill)?, instrument);
        let balances = self.balances_after(fill, &change)?;
        fill.cash_value = self.cash_value(fill.instrument)?;
        fill.realized = Cash(change.realized);
        fill.lots = self.book_lots(fill, &change);
        let trip = OpenTrip::book(&mut self.trips[place], fill, &change, instrument);
        fill.closed = trip.map(Box::new);
        let book = self.books.change();
        for (key, amount) in balances {
            book.balances[key.index()] = amount;
        }
        book.positions[place] = change.after.quantity;
        book.costs[place] = change.after.cost;
        self.weigh();
        Ok(())
    }

    /// Takes the closes of a frame, and how far open round trips went in its bars.
    pub fn observe(&mut self, frame: &Frame) {
        let open = frame.ts().before(self.interval);
        for (place, bar) in frame.bars().iter().enumerate() {
            if bar.kind == BarKind::Absent {
                continue;
            }
            self.marks[place] = Some(bar.close);
            if let Some(trip) = &mut self.trips[place] {
                trip.observe(bar, open);
            }
        }
        if !self.uncosted.is_empty() {
            self.cost_initial_holdings(frame.ts());
        }
    }

    /// The value of everything at the last closes.
    ///
    /// # Errors
    ///
    /// A holding whose instrument has had no bar yet: a missing price is never taken for zero.
    pub fn value(&self) -> Result<Valuation, AccountError> {
        self.weights.value(&self.marks).map_err(|unpriced| self.no_price(unpriced))
    }

    fn held(&self, instrument: InstrumentIx) -> Position {
        let place = instrument.index();
        Position { quantity: self.book().positions[place], cost: self.book().costs[place] }
    }

    /// The fill as its position sees it.
    fn part_of(&self, fill: &Fill) -> Result<Part, AccountError> {
        if fill.fee_key == self.instruments.cash_key(fill.instrument) {
            return Ok(Part::with_fee_in_cash(fill));
        }
        let instrument = self.instruments.instrument(fill.instrument);
        let base = self.instruments.base_key(fill.instrument);
        assert!(
            fill.fee_key == base && !instrument.is_perpetual(),
            "a fee is taken out of the cash or out of what is bought"
        );
        let part = Part::with_fee_in_base(fill, instrument.ledger_scale);
        if part.quantity > Decimal::ZERO {
            return Ok(part);
        }
        let key = self.instruments.key(base).clone();
        Err(AccountError::FeeTakesAll { key, quantity: fill.last_qty.0, fee: fill.fee.0 })
    }

    /// The two balances that a change touches, as they would be.
    fn balances_after(
        &self,
        fill: &Fill,
        change: &Change,
    ) -> Result<[(KeyIx, Decimal); 2], AccountError> {
        let (base, cash) = (
            self.instruments.base_key(fill.instrument),
            self.instruments.cash_key(fill.instrument),
        );
        let is_spot = !self.instruments.instrument(fill.instrument).is_perpetual();
        let base_amount = if is_spot {
            let fee = if fill.fee_key == base { fill.fee.0 } else { Decimal::ZERO };
            self.balance(base) + fill.side.signed(fill.last_qty.0) - fee
        } else {
            change.after.quantity.0
        };
        let balances = [(base, base_amount), (cash, self.balance(cash) + change.cash())];
        for (key, amount) in balances {
            // What a perpetual has left negative, a spot trade may make better and not worse.
            if is_spot && amount < Decimal::ZERO && amount < self.balance(key) {
                let key = self.instruments.key(key).clone();
                return Err(AccountError::Negative { key, amount });
            }
            self.require_path(key, amount)?;
        }
        Ok(balances)
    }

    fn require_path(&self, key: KeyIx, amount: Decimal) -> Result<(), AccountError> {
        if amount.is_zero() || self.paths.of(key).is_some() {
            return Ok(());
        }
        let key = self.instruments.key(key).clone();
        Err(AccountError::NoPath { key, amount, share_class: self.share_class.clone() })
    }

    /// Share class per unit of the instrument's cash.
    fn cash_value(&self, instrument: InstrumentIx) -> Result<f64, AccountError> {
        let key = self.instruments.cash_key(instrument);
        let path = self.paths.of(key).ok_or_else(|| AccountError::NoPath {
            key: self.instruments.key(key).clone(),
            amount: self.balance(key),
            share_class: self.share_class.clone(),
        })?;
        let value = path.convert(DoubleFloat::exactly(1.0), &self.marks);
        let value = value.map_err(|instrument| self.no_price(Unpriced { key, instrument }))?;
        Ok(value.value())
    }

    fn no_price(&self, unpriced: Unpriced) -> AccountError {
        AccountError::NoPrice {
            key: self.instruments.key(unpriced.key).clone(),
            instrument: self.instruments.instrument(unpriced.instrument).id.to_string(),
        }
    }

    fn book_lots(&mut self, fill: &Fill, change: &Change) -> Vec<ClosedLot> {
        let lots = &mut self.lots[fill.instrument.index()];
        let instrument = self.instruments.instrument(fill.instrument);
        let closed = change
            .closing
            .map_or_else(Vec::new, |step| lots.close(step.part, fill.side.opposite(), instrument));
        if let Some(step) = change.opening {
            lots.open(fill.ts, fill.last_px, step.part);
        }
        closed
    }

    /// Turns balances and positions into floats for the frames to come.
    fn weigh(&mut self) {
        self.weights.weigh(self.books.present(), &self.instruments, &self.paths);
    }
}

mod initial_holdings;

#[cfg(test)]
mod tests;
