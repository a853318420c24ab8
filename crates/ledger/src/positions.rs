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
    source: RealSource,
    /// The perpetual that a key is the position of.
    perps: Vec<Option<InstrumentIx>>,
}

/// Where real positions come from (D24).
#[derive(Debug)]
pub enum RealSource {
    /// What venues say.
    Venues(Vec<Box<dyn PositionInterface>>),
    /// A copy of what we believe: it can never disagree, so it proves nothing.
    Copy,
}

impl PositionMonitor {
    /// A monitor of all keys of a run, with what the run starts with.
    pub(crate) fn new(
        instruments: &InstrumentTable,
        initial: &[(KeyIx, Decimal)],
        source: RealSource,
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
        let perps = instruments.perpetuals_by_key();
        let real = vec![Holding::default(); keys];
        Self { simulated: Books::new(book), real, source, perps }
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
        let interfaces = match &self.source {
            RealSource::Venues(interfaces) => interfaces,
            RealSource::Copy => {
                self.copy();
                return Ok(());
            }
        };
        let mut failed = Ok(());
        for interface in interfaces {
            if let Err(error) = interface.query(&mut self.real)
                && failed.is_ok()
            {
                failed = Err(error);
            }
        }
        failed
    }

    fn copy(&mut self) {
        let book = self.simulated.present();
        for ((real, amount), perp) in self.real.iter_mut().zip(&book.balances).zip(&self.perps) {
            let cost = perp.map_or(Decimal::ZERO, |place| book.costs[place.index()]);
            *real = Holding { amount: *amount, cost };
        }
    }
}
