//! What venues hold for us, kept by the venues alone.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use model::Decimal;
use model::delta::Delta;
use model::fill::Fill;
use model::frame::{BarKind, Frame, FundingPoint};
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::interface::{Holding, InterfaceError, PositionInterface};
use model::money::{Price, Quantity};
use model::numeric::decimal_of;
use model::perp::{PerpPosition, margin_effect};
use model::planted::{self, Mistake};
use model::settlement::{NoMark, Pending, arrival_due, cost_after_margin, funding_due, margin_due};
use model::time::UtcMillis;
use model::trade::deltas_of;

/// The books of simulated venues: the only place where they change what they hold.
///
/// They are not ours: `ledger` has its own, and both are compared after every operation.
#[derive(Clone, Debug)]
pub struct VenueBooks {
    instruments: Rc<InstrumentTable>,
    holdings: Vec<Holding>,
    /// Mark of a perpetual that has one, else last close; margins are reckoned at it.
    marks: Vec<Option<f64>>,
    /// Perpetuals that are settled in a balance, by its key.
    settled_in: Vec<Vec<InstrumentIx>>,
    perps: Vec<InstrumentIx>,
    /// What is on its way, by the instant of its arrival.
    pending: Vec<Pending>,
}

/// Books that a simulator changes and its position interfaces read.
#[derive(Clone, Debug)]
pub struct SharedBooks(Rc<RefCell<VenueBooks>>);

impl VenueBooks {
    /// Books with what the run starts with.
    pub fn new(instruments: Rc<InstrumentTable>, initial: &[(KeyIx, Holding)]) -> Self {
        let keys = instruments.keys().count();
        let mut holdings = vec![Holding::default(); keys];
        for (key, holding) in initial {
            holdings[key.index()] = *holding;
        }
        let mut settled_in = vec![Vec::new(); keys];
        for (place, instrument) in instruments.instruments() {
            if instrument.is_perpetual() {
                settled_in[instruments.cash_key(place).index()].push(place);
            }
        }
        let marks = vec![None; instruments.len()];
        let perps = settled_in.iter().flatten().copied().collect::<BTreeSet<_>>();
        let perps = perps.into_iter().collect();
        Self { instruments, holdings, marks, settled_in, perps, pending: Vec::new() }
    }

    /// Amount at a key, without what open positions have gained or need.
    pub fn balance(&self, key: KeyIx) -> Decimal {
        self.holdings[key.index()].amount
    }

    /// Units that can be closed: the position of a perpetual, else the balance of the base, whichever
    /// instrument it was bought in.
    pub fn closable(&self, place: InstrumentIx) -> Quantity {
        Quantity(self.balance(self.instruments.base_key(place)))
    }

    /// Amount at a key that open positions leave free; what orders hold back is not counted.
    pub fn free(&self, key: KeyIx) -> Decimal {
        let effect = |place: &InstrumentIx| {
            let position = self.perp(*place);
            if position.quantity.is_zero() {
                return Decimal::ZERO;
            }
            let mark = self.marks[place.index()].and_then(decimal_of).and_then(Price::new);
            margin_effect(self.instruments.instrument(*place), position, mark)
        };
        let effects = self.settled_in[key.index()].iter().map(effect);
        effects.fold(self.balance(key), |free, effect| free + effect)
    }

    /// Perpetuals that are held, in the order of their places.
    pub fn open_perps(&self) -> Vec<(InstrumentIx, PerpPosition)> {
        let perps = self.perps.iter().map(|place| (*place, self.perp(*place)));
        perps.filter(|(_, position)| !position.quantity.is_zero()).collect()
    }

    /// Whether a perpetual is held.
    pub fn holds_perps(&self) -> bool {
        self.perps.iter().any(|place| !self.perp(*place).quantity.is_zero())
    }

    /// Last mark of an instrument.
    pub fn mark(&self, place: InstrumentIx) -> Option<f64> {
        self.marks[place.index()]
    }

    /// Books a fill where the market was at `px_ref`; what it changed.
    pub fn book_fill(&mut self, fill: &Fill, px_ref: Price) -> Vec<Delta> {
        let (place, instruments) = (fill.instrument, &self.instruments);
        let instrument = instruments.instrument(place);
        let held =
            if instrument.is_perpetual() { self.perp(place) } else { PerpPosition::default() };
        let deltas = deltas_of(fill, px_ref, held, instruments);
        if instrument.is_perpetual() {
            let trade = held.trade(fill.side, fill.last_qty, fill.notional, instrument);
            self.holdings[instruments.base_key(place).index()].cost = trade.after.cost;
        }
        self.book(&deltas);
        deltas
    }

    /// Books deltas that are no trade, unless one leaves less than nothing, or less than open
    /// perpetuals need: the first such key, and nothing is booked.
    ///
    /// # Errors
    ///
    /// The key that would be short.
    pub fn book_all(&mut self, deltas: &[Delta]) -> Result<(), KeyIx> {
        for delta in deltas.iter().filter(|delta| delta.amount < Decimal::ZERO) {
            let of_key = deltas.iter().filter(|other| other.key == delta.key);
            let change: Decimal = of_key.map(|other| other.amount).sum();
            let free = self.free(delta.key).min(self.balance(delta.key));
            if free + change < Decimal::ZERO {
                return Err(delta.key);
            }
        }
        self.book(deltas);
        let on_its_way = |delta: &Delta| {
            delta.arrival.map(|arrival| Pending { key: delta.key, amount: delta.amount, arrival })
        };
        self.pending.extend(deltas.iter().filter_map(on_its_way));
        self.pending.sort_by_key(|pending| pending.arrival.at);
        Ok(())
    }

    /// What is on its way, what arrives first at first.
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// Books what arrives until `ts`.
    pub fn settle_arrivals(&mut self, ts: UtcMillis) {
        let due = self.pending.partition_point(|pending| pending.arrival.at <= ts);
        for pending in self.pending.drain(..due).collect::<Vec<_>>() {
            self.book(&arrival_due(&pending, &self.instruments).deltas);
        }
    }

    /// Settles funding on what is held here.
    ///
    /// # Errors
    ///
    /// No mark of the instant is known, and something is held.
    pub fn settle_funding(&mut self, point: &FundingPoint) -> Result<(), NoMark> {
        let held = self.perp(point.instrument).quantity;
        if let Some(settlement) = funding_due(point, held, &self.instruments)? {
            self.book(&settlement.deltas);
        }
        Ok(())
    }

    /// Pays open profit of a perpetual into cash, at the mark of an instant.
    pub fn settle_margin(&mut self, place: InstrumentIx, ts: UtcMillis, px: Price) {
        let (position, instruments) = (self.perp(place), &self.instruments);
        if let Some(settlement) = margin_due(place, ts, px, position, instruments) {
            let cost = cost_after_margin(place, px, position.quantity, instruments);
            self.holdings[instruments.base_key(place).index()].cost = cost;
            self.book(&settlement.deltas);
        }
    }

    /// Takes the closes of a frame, and the marks of perpetuals that have them.
    pub fn observe(&mut self, frame: &Frame) {
        for (mark, bar) in self.marks.iter_mut().zip(frame.bars()) {
            if bar.kind != BarKind::Absent {
                *mark = Some(bar.close);
            }
        }
        for place in &self.perps {
            if let Some(mark) = frame.mark(*place) {
                self.marks[place.index()] = Some(mark.close);
            }
        }
    }

    /// Puts an amount where nothing happened: the mistake of a venue, for tests.
    pub fn tamper(&mut self, key: KeyIx, amount: Decimal) {
        self.holdings[key.index()].amount += amount;
    }

    fn book(&mut self, deltas: &[Delta]) {
        for delta in deltas {
            if planted::has(Mistake::DeltasTwice) {
                self.holdings[delta.key.index()].amount += delta.amount;
            }
            self.holdings[delta.key.index()].amount += delta.amount;
        }
    }

    fn perp(&self, place: InstrumentIx) -> PerpPosition {
        let Holding { amount, cost } = self.holdings[self.instruments.base_key(place).index()];
        PerpPosition { quantity: Quantity(amount), cost }
    }
}

impl SharedBooks {
    /// Shares books.
    pub fn new(books: VenueBooks) -> Self {
        Self(Rc::new(RefCell::new(books)))
    }

    /// Reads them.
    pub fn read<T>(&self, question: impl FnOnce(&VenueBooks) -> T) -> T {
        question(&self.0.borrow())
    }

    /// Changes them.
    pub fn change<T>(&self, change: impl FnOnce(&mut VenueBooks) -> T) -> T {
        change(&mut self.0.borrow_mut())
    }

    /// What a venue of these books holds, to be asked for by the position monitor.
    pub fn positions(&self, venue: &str) -> SimulatedPositions {
        let of_venue = |books: &VenueBooks| {
            let keys = books.instruments.keys().filter(|(_, key)| key.venue() == venue);
            keys.map(|(place, _)| place).collect()
        };
        SimulatedPositions { venue: venue.into(), keys: self.read(of_venue), books: self.clone() }
    }
}

/// The position interface of a simulated venue.
#[derive(Clone, Debug)]
pub struct SimulatedPositions {
    venue: Box<str>,
    keys: Vec<KeyIx>,
    books: SharedBooks,
}

impl PositionInterface for SimulatedPositions {
    fn venue(&self) -> &str {
        &self.venue
    }

    fn query(&self, holdings: &mut [Holding]) -> Result<(), InterfaceError> {
        let books = self.books.0.borrow();
        for key in &self.keys {
            holdings[key.index()] = books.holdings[key.index()];
        }
        Ok(())
    }
}
