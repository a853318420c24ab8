//! The exchange simulator: what a venue does with orders when bars come (10).
//!
//! It keeps its own books of orders, locks and turnover. Within a bar: changes, then whatever fills
//! at the open, oldest first over all instruments, then what the bar reaches inside, then expiries.

mod admission;
mod book;
mod changes;
mod client_ids;
mod closing;
mod filling;
mod inside;
mod ladder;
mod liquidation;
mod locks;
mod loops;
mod opening;
mod orders;
mod relations;
mod resting;
mod sizing;
mod turnover;
mod unfilled;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use model::Decimal;
use model::frame::{Bar, BarKind, Frame};
use model::handshake::VenueReport;
use model::instrument::{InstrumentIx, InstrumentTable};
use model::interface::{Desk, Stopped};
use model::margin::MarginTiers;
use model::money::Price;
use model::numeric::decimal_of;
use model::order::{OcoGroup, OrderId, OrderStatus, Refusal, RefusalCode};
use model::time::{Interval, UtcMillis};

pub use opening::Due;
pub use unfilled::Unfilled;

use crate::books::{SharedBooks, VenueBooks};
use crate::fees::FeeModel;
use crate::latency::LatencyModel;
use crate::participation::ParticipationModel;
use crate::path::PathModel;
use crate::slippage::SlippageModel;
use book::Book;
use client_ids::ClientIds;
use orders::Orders;
use resting::{Resting, Stage};
use turnover::Turnover;

/// The models by which orders fill.
#[derive(Clone, Debug)]
pub struct Models {
    /// In which order prices were reached inside bars.
    pub path: Rc<dyn PathModel>,
    /// How much of a bar may fill.
    pub participation: Rc<dyn ParticipationModel>,
    /// How far takers' prices lie from the bars'.
    pub slippage: Rc<dyn SlippageModel>,
    /// How long requests are on their way.
    pub latency: Rc<dyn LatencyModel>,
    /// What is charged, by [`InstrumentIx`].
    pub fees: Vec<Rc<dyn FeeModel>>,
}

/// Rules of matching that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct MatchRules {
    /// Whether a resting limit fills when it is only touched.
    pub touch_fills: bool,
    /// Whether a resting limit that the open has jumped over fills at its own price, not the open.
    pub conservative_gaps: bool,
    /// Whether the rest of a market order goes on in the next bar.
    pub market_carry: bool,
    /// Whether taker prices after slippage stay inside the bar.
    pub clip_to_bar: bool,
}

impl Default for MatchRules {
    fn default() -> Self {
        Self { touch_fills: false, conservative_gaps: true, market_carry: true, clip_to_bar: false }
    }
}

/// How an exchange fills orders.
#[derive(Clone, Debug)]
pub struct ExchangeSettings {
    /// Length of a frame; a bar opens this long before its frame.
    pub interval: Interval,
    /// Seed of the draws of orders.
    pub seed: u64,
    /// Rules of matching.
    pub rules: MatchRules,
    /// Models of matching.
    pub models: Models,
    /// Margin tiers, by [`InstrumentIx`]: all that have held, each from its instant on. A perpetual
    /// without any is never liquidated.
    pub tiers: Vec<Rc<[MarginTiers]>>,
    /// Orders that are not to fill.
    pub unfilled: Unfilled,
}

/// A simulated exchange.
#[derive(Debug)]
pub struct Exchange {
    instruments: Rc<InstrumentTable>,
    settings: ExchangeSettings,
    orders: Orders,
    /// Their places.
    places: BTreeMap<OrderId, u64>,
    groups: BTreeMap<OcoGroup, Vec<u64>>,
    children: BTreeMap<OrderId, Vec<u64>>,
    books: Vec<Book>,
    clients: ClientIds,
    turnover: Turnover,
    /// What orders at the venue hold back, by key.
    locked: Vec<Decimal>,
    last_seq: u64,
    last_trade_id: u64,
    liquidations: u32,
    /// What the venues hold for us.
    accounts: SharedBooks,
    session: Session,
    /// The instant at which things happen.
    now: UtcMillis,
}

/// The frame that is being matched.
#[derive(Debug, Default)]
struct Session {
    frame: Option<Frame>,
    /// Instruments whose bar can do something.
    awake: Vec<InstrumentIx>,
    /// Orders that are due at the open; kept for its room alone.
    queue: Vec<u64>,
}

impl Session {
    fn clear(&mut self) {
        self.frame = None;
        self.awake.clear();
    }
}

/// The present step: a bar, and how much of it has come.
#[derive(Clone, Copy, Debug)]
struct Moment<'a> {
    bar: &'a Bar,
    step: Step,
    /// Time of fills.
    ts: UtcMillis,
}

impl Moment<'_> {
    /// Where the market is when an order fills at `px` before slippage: a limit that the open has
    /// jumped over fills at its own price, but the market is at the open.
    fn market_px(&self, px: Price) -> Price {
        match self.step {
            Step::Open | Step::FinerOpen => price_of(self.bar.open),
            Step::InsideUnknown | Step::InsideLeg => px,
            Step::Close => price_of(self.bar.close),
        }
    }
}

/// How much of a bar has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Its open.
    Open,
    /// The open of a finer bar inside it.
    FinerOpen,
    /// All of it, in an order that is not known: what is worse for the account.
    InsideUnknown,
    /// A stretch of it.
    InsideLeg,
    /// Its close, of which orders decided at it may have a part (`same_close`).
    Close,
}

impl Exchange {
    /// An exchange without orders that books into `accounts`.
    ///
    /// # Panics
    ///
    /// If there is not one fee model per instrument.
    pub fn new(
        instruments: Rc<InstrumentTable>,
        settings: ExchangeSettings,
        accounts: SharedBooks,
    ) -> Self {
        assert_eq!(settings.models.fees.len(), instruments.len(), "a fee model per instrument");
        assert_eq!(settings.tiers.len(), instruments.len(), "margin tiers per instrument");
        Self {
            orders: Orders::default(),
            places: BTreeMap::new(),
            groups: BTreeMap::new(),
            children: BTreeMap::new(),
            books: vec![Book::default(); instruments.len()],
            clients: ClientIds::default(),
            turnover: Turnover::new(&instruments),
            locked: vec![Decimal::ZERO; instruments.keys().count()],
            last_seq: 0,
            last_trade_id: 0,
            liquidations: 0,
            accounts,
            session: Session::default(),
            now: UtcMillis::default(),
            instruments,
            settings,
        }
    }

    /// Whether nothing can happen without an order: none is open, and no perpetual is held.
    pub fn is_quiet(&self) -> bool {
        self.orders.is_empty() && !self.accounts.read(VenueBooks::holds_perps)
    }

    /// Number of orders that have not ended.
    pub fn open_orders(&self) -> usize {
        self.orders.len()
    }

    /// Matches everything with the bars of a frame: its open, its inside, its close.
    ///
    /// # Errors
    ///
    /// The desk has stopped.
    pub fn match_frame(&mut self, frame: &Frame, desk: &mut dyn Desk) -> Result<(), Stopped> {
        for due in self.begin_open(frame, desk)? {
            self.work(due.seq, desk)?;
        }
        self.match_rest(desk)
    }

    /// Fills what the bars reach after their open, and ends what has no bar left.
    ///
    /// # Errors
    ///
    /// The desk has stopped.
    pub fn match_rest(&mut self, desk: &mut dyn Desk) -> Result<(), Stopped> {
        let Some(frame) = self.session.frame.take() else { return Ok(()) };
        let awake = std::mem::take(&mut self.session.awake);
        self.now = frame.ts();
        if self.accounts.read(VenueBooks::holds_perps) {
            self.liquidate_inside(&frame, desk)?;
        }
        for &place in &awake {
            self.match_inside(place, &frame, desk)?;
        }
        for &place in &awake {
            self.close_bar(place, &frame, desk)?;
        }
        // Given back for its room.
        self.session.awake = awake;
        self.session.awake.clear();
        Ok(())
    }

    /// Lists the instruments whose bar can do something; says whether there are any.
    fn awake(&mut self, frame: &Frame) -> bool {
        let next_close = frame.ts().after(self.settings.interval);
        let books = (0u16..).map(InstrumentIx).zip(&self.books).zip(frame.bars());
        let awake = books.filter(|((_, book), bar)| !book.is_calm(bar, next_close));
        self.session.awake.clear();
        self.session.awake.extend(awake.map(|((place, _), _)| place));
        !self.session.awake.is_empty()
    }

    /// The end of a bar: trailing stops follow it, and what has no bar left expires.
    fn close_bar(
        &mut self,
        place: InstrumentIx,
        frame: &Frame,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let bar = &frame.bars()[place.index()];
        if book::fills(bar) {
            self.follow(place, bar);
        }
        self.expire_due(place, frame, desk)
    }

    /// Ends the orders that no bar after this one can match.
    fn expire_due(
        &mut self,
        place: InstrumentIx,
        frame: &Frame,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let next_close = frame.ts().after(self.settings.interval);
        let book = &self.books[place.index()];
        let ends = book.expiries.iter().take_while(|(last, _)| *last < next_close);
        let ends: Vec<u64> = ends.map(|(_, seq)| *seq).collect();
        for seq in ends {
            self.expire(seq, desk)?;
        }
        Ok(())
    }

    /// Trailing stops ratchet with the extreme of the bar that is over.
    fn follow(&mut self, place: InstrumentIx, bar: &Bar) {
        let mut moved = Vec::new();
        for trailer in &mut self.books[place.index()].trailers {
            let reached = if trailer.is_fresh { bar.close } else { trailer.best_of(bar) };
            trailer.is_fresh = false;
            if trailer.is_better(reached) {
                trailer.extreme = reached;
                moved.push((trailer.seq, reached));
            }
        }
        for (seq, extreme) in moved {
            self.unrest(seq);
            if let Some(resting) = self.orders.get_mut(&seq) {
                resting.extreme = decimal_of(extreme);
            }
            self.rest(seq);
        }
    }

    fn expire(&mut self, seq: u64, desk: &mut dyn Desk) -> Result<(), Stopped> {
        let last = self.orders.get(&seq).and_then(|resting| resting.order.expire_at);
        let detail = last.map_or_else(String::new, |last| format!("good till {last}"));
        self.end(seq, OrderStatus::Expired, Some((RefusalCode::Expired, detail)), desk)
    }

    /// Puts an order where its price waits for it.
    fn rest(&mut self, seq: u64) {
        let Some(resting) = self.orders.get_mut(&seq) else { return };
        if resting.is_done() {
            return;
        }
        let book = &mut self.books[resting.order.instrument.index()];
        match resting.place() {
            Some((direction, price)) => {
                let rung = (price, seq);
                book.ladder(direction).insert(rung);
                resting.rung = Some((direction, rung));
            }
            None => {
                if let Err(place) = book.takers.binary_search(&seq) {
                    book.takers.insert(place, seq);
                }
            }
        }
    }

    /// Takes an order from where it waits.
    fn unrest(&mut self, seq: u64) {
        let Some(resting) = self.orders.get_mut(&seq) else { return };
        let book = &mut self.books[resting.order.instrument.index()];
        match resting.rung.take() {
            Some((direction, rung)) => book.ladder(direction).remove(rung),
            None => book.takers.retain(|taker| *taker != seq),
        }
    }

    /// Ends an order, and what depended on it.
    fn end(
        &mut self,
        seq: u64,
        status: OrderStatus,
        why: Option<(RefusalCode, String)>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let Some(order) = self.orders.get(&seq).map(|resting| Arc::clone(&resting.order)) else {
            return Ok(());
        };
        self.finish(seq, status, why, desk)?;
        self.release_children(&order, desk)
    }

    /// Ends an order whose last fill may yet arm its children.
    fn finish(
        &mut self,
        seq: u64,
        status: OrderStatus,
        why: Option<(RefusalCode, String)>,
        desk: &mut dyn Desk,
    ) -> Result<(), Stopped> {
        let Some(mut resting) = self.remove(seq) else { return Ok(()) };
        let refusal = why.map(|(code, detail)| Refusal::new(code, detail));
        if let Some(answer) = resting.last_answer(status, refusal.as_ref(), self.now) {
            desk.take(VenueReport::Handshake(answer))?;
        }
        desk.take(VenueReport::Update(Arc::new(resting.update(status, refusal))))?;
        self.after_end(&resting, desk)
    }

    /// Forgets an order everywhere.
    fn remove(&mut self, seq: u64) -> Option<Box<Resting>> {
        self.unrest(seq);
        let resting = self.orders.remove(&seq)?;
        if resting.is_holding {
            self.locked[resting.lock.key.index()] -= resting.lock.amount;
        }
        let order = &resting.order;
        let book = &mut self.books[order.instrument.index()];
        match resting.stage {
            Stage::Working => {
                book.trailers.retain(|trailer| trailer.seq != seq);
                book.reducers.retain(|reducer| *reducer != seq);
            }
            Stage::Traveling(_) => book.traveling.retain(|traveling| *traveling != seq),
            Stage::Dormant => {}
        }
        if let Some(last) = order.expire_at {
            book.expiries.remove(&(last, seq));
        }
        self.places.remove(&order.order_id);
        if let Some(group) = order.oco_group
            && let Some(members) = self.groups.get_mut(&group)
        {
            members.retain(|member| *member != seq);
            if members.is_empty() {
                self.groups.remove(&group);
            }
        }
        Some(resting)
    }
}

/// The price that a checked bar states.
fn price_of(value: f64) -> Price {
    decimal_of(value).and_then(Price::new).expect("sources check their prices")
}

/// Whether a bar is one at which requests arrive.
fn is_eligible(bar: &Bar) -> bool {
    bar.kind == BarKind::Real
}
