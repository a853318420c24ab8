//! The update handler: applies once, asks the venues, compares, and runs the chain.

use std::rc::Rc;
use std::sync::Arc;

use model::Decimal;
use model::delta::{Delta, DeltaBatch, OperationId, Source};
use model::fill::Fill;
use model::frame::{Frame, FundingPoint};
use model::handshake::Handshake;
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::interface::InterfaceError;
use model::key::PositionKey;
use model::market::DataProvider;
use model::money::{Price, Quantity};
use model::numeric::DoubleFloat;
use model::order::{Order, OrderId, OrderUpdate};
use model::perp::PerpPosition;
use model::reconciliation::Reconciliation;
use model::risk::RiskAlert;
use model::settlement::{
    NoMark, Pending, Settlement, arrival_due, cost_after_margin, funding_due, margin_due,
};
use model::snapshot::{AccountBook, Reservation};
use model::tight_loop::ChainCommit;
use model::time::{Interval, UtcMillis};
use model::validation::{BatchFault, Positions, check_batch};

use crate::applied::{Applied, Record};
use crate::chain::{Chain, ChainError};
use crate::exposure::ExposureTerms;
use crate::part::Part;
use crate::pnl::Strictness;
use crate::position::Position;
use crate::positions::{PositionMonitor, RealSource};
use crate::reconciliation::ReconciliationComponent;
use crate::risk::RiskTerms;
use crate::route::Route;
use crate::trades::TradeBook;
use crate::working;

/// Why our book cannot be kept. Every variant ends the run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum LedgerError {
    #[error(transparent)]
    Batch(#[from] BatchFault),

    #[error("POS-NEGATIVE: {key} would gain {quantity} and pay a fee of {fee} out of it")]
    FeeTakesAll { key: PositionKey, quantity: Decimal, fee: Decimal },

    #[error("POS-CONSERVATION: {op_id} changes {key} by {stated}, its fill by {computed}")]
    Conservation { op_id: OperationId, key: PositionKey, stated: Decimal, computed: Decimal },

    #[error("POS-CONFLICT: {op_id} has been applied with other deltas")]
    Conflict { op_id: OperationId },

    #[error("EXP-NO-PRICE: {key} holds {amount} and nothing in the run prices it in {share_class}")]
    NoPath { key: PositionKey, amount: Decimal, share_class: Box<str> },

    #[error(transparent)]
    Chain(#[from] ChainError),

    #[error(transparent)]
    NoMark(#[from] NoMark),
}

/// Whether an operation changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Application {
    /// It was applied.
    Applied,
    /// It had been applied before; nothing was changed.
    AlreadyApplied,
}

/// What a handler is made of.
#[derive(Debug)]
pub struct LedgerSetup<'a> {
    /// Instruments and keys of the run.
    pub instruments: Rc<InstrumentTable>,
    /// Where prices are asked for.
    pub market: Rc<DataProvider>,
    /// In what exposure is stated; its currency is that of equity.
    pub exposure: ExposureTerms,
    /// By what risk is judged.
    pub risk: RiskTerms,
    /// Whether unexplained profit ends the run.
    pub strictness: Strictness,
    /// Length of a frame.
    pub interval: Interval,
    /// What the run starts with.
    pub initial: &'a [(KeyIx, Decimal)],
    /// Where the real positions are asked for.
    pub real: RealSource,
    /// How both books are compared.
    pub reconciliation: ReconciliationComponent,
}

/// The only way to change positions: every operation is applied once, then both books are compared.
///
/// It neither routes nor retries, and raises nothing: whoever runs the loop decides (D03).
#[derive(Debug)]
pub struct PositionUpdateHandler {
    instruments: Rc<InstrumentTable>,
    market: Rc<DataProvider>,
    share_class: Box<str>,
    positions: PositionMonitor,
    trades: TradeBook,
    applied: Applied,
    reconciliation: ReconciliationComponent,
    chain: Chain,
    /// How each key becomes share class; `None` if nothing in the run prices it.
    routes: Vec<Option<Route>>,
    /// Instruments held since before the first bar, whose cost is their first close.
    uncosted: Vec<InstrumentIx>,
    /// Commits of the chain so far.
    commits: u64,
    /// What is on its way, what arrives first at first.
    pending: Vec<Pending>,
    /// Arrivals so far.
    arrivals: u32,
}

/// A batch on loan, from wherever it is.
#[derive(Clone, Copy, Debug)]
struct Operation<'a> {
    op_id: OperationId,
    source: Source,
    deltas: &'a [Delta],
}

impl PositionUpdateHandler {
    /// A handler with what the run starts with.
    ///
    /// # Errors
    ///
    /// An initial balance that nothing in the run prices.
    pub fn new(setup: LedgerSetup<'_>) -> Result<Self, LedgerError> {
        let LedgerSetup { instruments, market, exposure, risk, strictness, .. } = setup;
        let share_class = exposure.share_class.clone();
        let route = |(key, _)| Route::of(&instruments, key, &share_class);
        let mut handler = Self {
            positions: PositionMonitor::new(&instruments, setup.initial, setup.real),
            trades: TradeBook::new(Rc::clone(&instruments), setup.interval),
            applied: Applied::default(),
            reconciliation: setup.reconciliation,
            routes: instruments.keys().map(route).collect(),
            chain: Chain::new(&instruments, &market, exposure, risk, strictness),
            uncosted: Vec::new(),
            commits: 0,
            pending: Vec::new(),
            arrivals: 0,
            share_class,
            market,
            instruments,
        };
        for (key, _) in handler.instruments.keys() {
            handler.require_path(key, handler.positions.balance(key))?;
        }
        handler.take_over_initial_holdings();
        Ok(handler)
    }

    /// What we believe and what venues say.
    pub const fn positions(&self) -> &PositionMonitor {
        &self.positions
    }

    /// What we believe; shared until the next change.
    pub fn book(&self) -> &Rc<AccountBook> {
        self.positions.simulated()
    }

    /// Applies what a venue has done, once, and says in its fill what came of it: profit, closed lots
    /// and round trip.
    ///
    /// # Errors
    ///
    /// A batch that contradicts the positions; nothing of it is applied then.
    ///
    /// # Panics
    ///
    /// Somebody else holds the fill of the handshake: it is shared only once it is applied.
    pub fn apply(&mut self, handshake: &mut Handshake) -> Result<Application, LedgerError> {
        let Handshake { op_id, source, deltas, fill, .. } = handshake;
        let fill = fill.as_mut().map(|fill| {
            Arc::get_mut(fill).expect("nobody else holds the fill of a handshake that is applied")
        });
        self.apply_once(Operation { op_id: *op_id, source: *source, deltas }, fill)
    }

    /// Applies deltas that no fill goes with, once.
    ///
    /// # Errors
    ///
    /// As for [`apply`](Self::apply).
    pub fn apply_batch(&mut self, batch: &DeltaBatch) -> Result<Application, LedgerError> {
        let DeltaBatch { op_id, source, ref deltas, .. } = *batch;
        self.apply_once(Operation { op_id, source, deltas }, None)
    }

    /// Settles funding on what we believe to hold: what was settled, if it was not settled before and
    /// there was a position.
    ///
    /// # Errors
    ///
    /// No mark of the instant is known, and something is held.
    pub fn settle_funding(
        &mut self,
        point: &FundingPoint,
    ) -> Result<Option<Settlement>, LedgerError> {
        let held = self.positions.position(point.instrument);
        let Some(settlement) = funding_due(point, held, &self.instruments)? else {
            return Ok(None);
        };
        let application = self.apply_batch(&settlement.batch())?;
        Ok((application == Application::Applied).then_some(settlement))
    }

    /// Settles the margin of a perpetual at the mark of an instant: what was settled, if there was a
    /// gain or a loss and it was not settled before.
    ///
    /// # Errors
    ///
    /// As for [`apply`](Self::apply).
    pub fn settle_margin(
        &mut self,
        place: InstrumentIx,
        ts: UtcMillis,
        px: Price,
    ) -> Result<Option<Settlement>, LedgerError> {
        let Position { quantity, cost } = self.positions.held(place);
        let position = PerpPosition { quantity, cost };
        let Some(settlement) = margin_due(place, ts, px, position, &self.instruments) else {
            return Ok(None);
        };
        if self.apply_batch(&settlement.batch())? == Application::AlreadyApplied {
            return Ok(None);
        }
        let cost = cost_after_margin(place, px, quantity, &self.instruments);
        self.positions.change().costs[place.index()] = cost;
        self.trades.settle(place, settlement.amount);
        Ok(Some(settlement))
    }

    /// When the next thing that is on its way arrives.
    pub fn next_arrival(&self) -> Option<UtcMillis> {
        self.pending.first().map(|pending| pending.arrival.at)
    }

    /// Settles the next thing that arrives; `None` if nothing is on its way.
    ///
    /// # Errors
    ///
    /// As for [`apply`](Self::apply).
    pub fn settle_arrival(&mut self) -> Result<Option<Settlement>, LedgerError> {
        if self.pending.is_empty() {
            return Ok(None);
        }
        let mut settlement = arrival_due(&self.pending.remove(0), &self.instruments);
        // There may be several of one instant, so they are no one settlement of their position.
        self.arrivals += 1;
        settlement.number = self.arrivals;
        self.apply_batch(&settlement.batch())?;
        Ok(Some(settlement))
    }

    /// Asks every venue what it holds.
    ///
    /// # Errors
    ///
    /// A venue that could not be reached.
    pub fn query_real(&mut self) -> Result<(), InterfaceError> {
        self.positions.query_real()
    }

    /// Compares what we believe with what venues said last; may be repeated freely.
    pub fn reconcile(&self) -> Reconciliation {
        self.reconciliation.compare(self.positions.simulated(), self.positions.real())
    }

    /// Values the account at `ts`: exposure, risk and result after the positions, committed together.
    ///
    /// # Errors
    ///
    /// One of them failed; none is committed.
    pub fn run_chain(&mut self, ts: UtcMillis) -> Result<ChainCommit, LedgerError> {
        self.chain.update(ts, self.positions.simulated())?;
        self.commits += 1;
        Ok(ChainCommit(self.commits))
    }

    /// Takes the closes of a frame, after the market has: how far open round trips went, and what
    /// initial holdings cost.
    pub fn observe(&mut self, frame: &Frame) {
        self.trades.observe(frame);
        if !self.uncosted.is_empty() {
            self.cost_initial_holdings(frame.ts());
        }
    }

    /// Exposure, risk and profit as last committed.
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Latches the circuit breaker: after a liquidation (04 §6.5). The next pass of the chain shows it.
    pub fn trip_breaker(&mut self) {
        self.chain.risk.trip();
    }

    /// Judges the risk of the snapshot that the tick publishes: what has changed its level (D64).
    pub fn judge(&mut self) -> &[RiskAlert] {
        self.chain.risk.judge()
    }

    /// Follows an order that works: its progress, its new terms, its end. One that an entry's fill has
    /// armed begins here: what it trades is the position, so it needs nothing.
    pub fn follow_order(&mut self, update: &OrderUpdate) {
        let known = self.book().working(update.order_id).map(|known| known.reserved);
        if update.status.is_final() {
            self.end_order(update.order_id);
            return;
        }
        match (known, update.terms.clone()) {
            (Some(reserved), terms) => {
                self.rework_order(update.order_id, terms, update.cum_qty, reserved);
            }
            (None, Some(order)) => {
                let key = self.instruments.cash_key(order.instrument);
                self.accept_order(order, Reservation { key, amount: Decimal::ZERO });
            }
            (None, None) => {}
        }
    }

    /// Sets aside what a working order may still need; nothing if it does not work.
    pub fn lock_order(&mut self, order_id: OrderId, reserved: Reservation) {
        if let Some(known) = self.book().working(order_id) {
            let cum_qty = known.cum_qty;
            self.rework_order(order_id, None, cum_qty, reserved);
        }
    }

    /// Appends a working order and sets aside what it may need.
    pub fn accept_order(&mut self, order: Arc<Order>, reserved: Reservation) {
        working::accept(self.positions.change(), order, reserved);
    }

    /// Gives a working order new terms, if there are any, its progress, and a new reservation in place
    /// of the old one.
    ///
    /// # Panics
    ///
    /// If no such order is working.
    pub fn rework_order(
        &mut self,
        order_id: OrderId,
        terms: Option<Arc<Order>>,
        cum_qty: Quantity,
        reserved: Reservation,
    ) {
        working::rework(self.positions.change(), order_id, terms, cum_qty, reserved);
    }

    /// Removes a working order and gives back what it has set aside; nothing if there is none.
    pub fn end_order(&mut self, order_id: OrderId) {
        if let Some(place) = working::place_of(self.book(), order_id) {
            working::end(self.positions.change(), place);
        }
    }

    fn apply_once(
        &mut self,
        operation: Operation<'_>,
        fill: Option<&mut Fill>,
    ) -> Result<Application, LedgerError> {
        let Operation { op_id, deltas, .. } = operation;
        match self.applied.look_up(op_id, deltas) {
            Record::Applied => return Ok(Application::AlreadyApplied),
            Record::Conflict => return Err(LedgerError::Conflict { op_id }),
            Record::New => {}
        }
        if let Some(fill) = fill {
            self.book_trade(operation, fill)?;
        } else {
            self.check(operation, false)?;
            self.move_balances(deltas);
        }
        self.applied.remember(op_id, deltas);
        self.chain.note(deltas);
        Ok(Application::Applied)
    }

    /// Books a trade: the balances by its deltas, the position by its fill.
    fn book_trade(&mut self, operation: Operation<'_>, fill: &mut Fill) -> Result<(), LedgerError> {
        let place = fill.instrument;
        self.cost_before_fill(fill);
        let instruments = Rc::clone(&self.instruments);
        let instrument = instruments.instrument(place);
        let held = self.positions.held(place);
        let part = self.part_of(fill)?;
        let change = held.change(fill.side, part, instrument);
        let (base, cash) = (instruments.base_key(place), instruments.cash_key(place));
        let moved = [(base, fill.side.signed(part.quantity)), (cash, change.cash())];
        self.check_conservation(operation, moved)?;
        self.check(operation, instrument.is_perpetual())?;
        fill.cash_value = self.cash_value(place)?;
        self.trades.book(fill, &change);
        self.move_balances(operation.deltas);
        let book = self.positions.change();
        book.positions[place.index()] = change.after.quantity;
        book.costs[place.index()] = change.after.cost;
        Ok(())
    }

    /// Checks a batch before anything of it is applied (02 §3.4), and that what it leaves has a price.
    fn check(&self, operation: Operation<'_>, is_perpetual: bool) -> Result<(), LedgerError> {
        // What a venue settles on a position may leave its cash negative (D86).
        let is_settled =
            is_perpetual || matches!(operation.source, Source::Funding | Source::Liquidation);
        let held = Held { book: self.book(), is_settled };
        check_batch(operation.op_id, operation.deltas, &self.instruments, &held)?;
        for delta in operation.deltas {
            self.require_path(delta.key, delta.amount)?;
        }
        Ok(())
    }

    /// What the venue says that a trade has changed is what its fill changes, to the last digit:
    /// notional, fee and profit are in it once.
    fn check_conservation(
        &self,
        operation: Operation<'_>,
        moved: [(KeyIx, Decimal); 2],
    ) -> Result<(), LedgerError> {
        let Operation { op_id, deltas, .. } = operation;
        let conflict = |key: KeyIx, stated: Decimal, computed: Decimal| {
            let key = self.instruments.key(key).clone();
            Err(LedgerError::Conservation { op_id, key, stated, computed })
        };
        for (key, computed) in moved {
            let of_key = deltas.iter().filter(|delta| delta.key == key);
            let stated: Decimal = of_key.map(|delta| delta.amount).sum();
            if stated != computed {
                return conflict(key, stated, computed);
            }
        }
        let stray = deltas.iter().find(|delta| moved.iter().all(|(key, _)| delta.key != *key));
        stray.map_or(Ok(()), |stray| conflict(stray.key, stray.amount, Decimal::ZERO))
    }

    fn move_balances(&mut self, deltas: &[Delta]) {
        let book = self.positions.change();
        for delta in deltas {
            book.balances[delta.key.index()] += delta.amount;
            if let Some(arrival) = delta.arrival {
                self.pending.push(Pending { key: delta.key, amount: delta.amount, arrival });
                self.pending.sort_by_key(|pending| pending.arrival.at);
            }
        }
    }

    /// The fill as its position sees it.
    fn part_of(&self, fill: &Fill) -> Result<Part, LedgerError> {
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
        Err(LedgerError::FeeTakesAll { key, quantity: fill.last_qty.0, fee: fill.fee.0 })
    }

    fn require_path(&self, key: KeyIx, amount: Decimal) -> Result<(), LedgerError> {
        if amount.is_zero() || self.routes[key.index()].is_some() {
            return Ok(());
        }
        Err(self.no_path(key, amount))
    }

    /// Share class per unit of the instrument's cash.
    fn cash_value(&self, instrument: InstrumentIx) -> Result<f64, LedgerError> {
        let key = self.instruments.cash_key(instrument);
        let Some(route) = &self.routes[key.index()] else {
            return Err(self.no_path(key, self.positions.balance(key)));
        };
        let one = route.convert(DoubleFloat::exactly(1.0), &self.market.present());
        let value = one.map_err(|source| self.chain.exposure.no_price(key, source))?;
        Ok(value.value())
    }

    fn no_path(&self, key: KeyIx, amount: Decimal) -> LedgerError {
        let key = self.instruments.key(key).clone();
        LedgerError::NoPath { key, amount, share_class: self.share_class.clone() }
    }
}

/// The positions that a batch is checked against.
struct Held<'a> {
    book: &'a AccountBook,
    is_settled: bool,
}

impl Positions for Held<'_> {
    fn is_subscribed(&self, key: KeyIx) -> bool {
        key.index() < self.book.balances.len()
    }

    fn amount(&self, key: KeyIx) -> Decimal {
        self.book.balances[key.index()]
    }

    fn may_be_negative(&self, _key: KeyIx) -> bool {
        self.is_settled
    }
}

mod initial_holdings;

#[cfg(test)]
mod tests;
