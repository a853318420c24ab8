//! The position monitor: what we believe and what venues say, side by side.

use std::rc::Rc;

use model::Decimal;
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::interface::{Holding, InterfaceError, PositionInterface};
use model::money::Quantity;
use model::snapshot::AccountBook;

use crate::books::Books;
use crate::position::Position;

/// Holds the simulated and the real positions. Only the update handler changes the first; the second
/// come from the position interfaces, which nobody else asks.
#[derive(Debug)]
pub struct PositionMonitor {
    simulated: Books,
    real: Vec<Holding>,
    interfaces: Vec<Box<dyn PositionInterface>>,
}

impl PositionMonitor {
    /// A monitor of all keys of a run, with what the run starts with.
    pub(crate) fn new(
        instruments: &InstrumentTable,
        initial: &[(KeyIx, Decimal)],
        interfaces: Vec<Box<dyn PositionInterface>>,
    ) -> Self {
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
        Self { simulated: Books::new(book), real: vec![Holding::default(); keys], interfaces }
    }

    /// What we believe: balances, reservations and positions; shared until the next change.
    pub fn simulated(&self) -> &Rc<AccountBook> {
        self.simulated.present()
    }

    /// What venues said when they were last asked, by [`KeyIx`].
    pub fn real(&self) -> &[Holding] {
        &self.real
    }

    /// The amount at a key, reservations included; contracts of a perpetual, negative if short.
    pub fn balance(&self, key: KeyIx) -> Decimal {
        self.simulated().balances[key.index()]
    }

    /// Units held of an instrument; negative if short.
    pub fn position(&self, instrument: InstrumentIx) -> Quantity {
        self.simulated().positions[instrument.index()]
    }

    /// Units held of an instrument, and what they were entered at.
    pub(crate) fn held(&self, instrument: InstrumentIx) -> Position {
        let (book, place) = (self.simulated(), instrument.index());
        Position { quantity: book.positions[place], cost: book.costs[place] }
    }

    /// The simulated book, to be changed.
    pub(crate) fn change(&mut self) -> &mut AccountBook {
        self.simulated.change()
    }

    /// Asks every venue what it holds.
    ///
    /// # Errors
    ///
    /// A venue that could not be reached; the others have been asked.
    pub(crate) fn query_real(&mut self) -> Result<(), InterfaceError> {
        let mut failed = Ok(());
        for interface in &self.interfaces {
            if let Err(error) = interface.query(&mut self.real)
                && failed.is_ok()
            {
                failed = Err(error);
            }
        }
        failed
    }
}
