//! The judgement of one intent: the rules of 02 §3.1, in order of precedence.

mod exits;
mod funds;
mod quantity;
mod terms;

use std::rc::Rc;

use model::Decimal;
use model::instrument::{Instrument, InstrumentIx, InstrumentTable, KeyIx};
use model::money::Price;
use model::numeric::decimal_of;
use model::order::{Exit, Exits, Order, OrderId, OrderIntent, OrderSide, Refusal, RefusalCode};
use model::snapshot::{AccountSnapshot, Reservation};
use venues::fees::FeeModel;

/// What has been accepted since the latest snapshot, which does not know of it yet.
#[derive(Debug)]
pub(crate) struct Promises {
    /// By [`KeyIx`].
    amounts: Vec<Decimal>,
    orders: Vec<(Order, Reservation)>,
}

impl Promises {
    pub(crate) fn new(keys: usize) -> Self {
        Self { amounts: vec![Decimal::ZERO; keys], orders: Vec::new() }
    }

    pub(crate) fn add(&mut self, order: &Order, need: Reservation) {
        self.amounts[need.key.index()] += need.amount;
        self.orders.push((order.clone(), need));
    }

    pub(crate) fn clear(&mut self) {
        self.amounts.fill(Decimal::ZERO);
        self.orders.clear();
    }
}

/// What an intent is judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judgement<'a> {
    pub(crate) instruments: &'a InstrumentTable,
    pub(crate) fees: &'a [Rc<dyn FeeModel>],
    pub(crate) account: &'a AccountSnapshot,
    pub(crate) promises: &'a Promises,
}

/// The market of an intent.
#[derive(Clone, Copy, Debug)]
struct Subject<'a> {
    place: InstrumentIx,
    instrument: &'a Instrument,
    side: OrderSide,
    /// Last close.
    last_px: Price,
}

impl Judgement<'_> {
    /// A new order and what it may need, or why it is none.
    pub(crate) fn submitted(&self, intent: &OrderIntent) -> Result<(Order, Reservation), Refusal> {
        let (order, subject) = self.checked(intent)?;
        let need = self.funded(&order, &subject, Decimal::ZERO)?;
        exits::check_opening(&order, &subject, self.account)?;
        Ok((order, need))
    }

    /// New terms of a working order and what they need beyond the old ones; validated as a new order.
    pub(crate) fn replaced(&self, intent: &OrderIntent) -> Result<(Order, Reservation), Refusal> {
        let refused = |detail: &str| Refusal::new(RefusalCode::Replace, detail);
        let (old, held) =
            self.known(intent.order_id).ok_or_else(|| refused("the order is not working"))?;
        let request = &intent.request;
        if request.instrument != Some(old.instrument) || request.side != Some(old.side) {
            return Err(refused("a replace keeps instrument and side"));
        }
        let (order, subject) = self.checked(intent)?;
        let need = self.funded(&order, &subject, held.amount)?;
        let more = (need.amount - held.amount).max(Decimal::ZERO);
        Ok((order, Reservation { amount: more, ..need }))
    }

    /// All rules but those of funds.
    fn checked<'b>(&'b self, intent: &OrderIntent) -> Result<(Order, Subject<'b>), Refusal> {
        let request = &intent.request;
        let subject = self.subject(intent)?;
        let asked = quantity::lots(request.size, &subject)?;
        let pricing = terms::pricing(request, &subject)?;
        quantity::check_bounds(asked, pricing, &subject)?;
        terms::check_band(pricing, &subject)?;
        terms::check_post_only(request)?;
        exits::check_sides(request, pricing, &subject)?;
        let ts = self.account.ts();
        let expire_at = terms::expire_at(request, ts)?;
        let parent = self.parent(intent)?;
        let closes_parent = parent.is_some_and(|parent| parent.side != subject.side);
        let size = if request.reduce_only && request.parent.is_none() {
            quantity::reduced(asked, &subject, self.account)?
        } else {
            asked
        };
        let exit = |level: Option<_>, order_id| level.map(|level| Exit { order_id, level });
        let order = Order {
            order_id: intent.order_id,
            client_order_id: request.client_order_id.clone(),
            instrument: subject.place,
            side: subject.side,
            pricing,
            tif: request.tif,
            expire_at,
            size,
            post_only: request.post_only,
            reduce_only: request.reduce_only || closes_parent,
            oco_group: request.oco_group,
            parent: request.parent,
            exits: Exits {
                take_profit: exit(request.take_profit, intent.take_profit_id()),
                stop_loss: exit(request.stop_loss, intent.stop_loss_id()),
            },
            ts_decided: ts,
            ts_eligible: ts,
        };
        Ok((order, subject))
    }

    /// Rule 3: a trade has an instrument and a side; and there is a price to judge it by.
    fn subject(&self, intent: &OrderIntent) -> Result<Subject<'_>, Refusal> {
        let request = &intent.request;
        let place = request.instrument.ok_or_else(|| {
            Refusal::new(RefusalCode::Instrument, "no instrument, expected one of the run")
        })?;
        let side = request
            .side
            .ok_or_else(|| Refusal::new(RefusalCode::Side, "no side, expected buy or sell"))?;
        let instrument = self.instruments.instrument(place);
        let last_px = self.account.mark(place).and_then(decimal_of).and_then(Price::new);
        let last_px = last_px.ok_or_else(|| {
            Refusal::new(RefusalCode::NoPrice, format!("{} has had no bar yet", instrument.id))
        })?;
        Ok(Subject { place, instrument, side, last_px })
    }

    /// The order whose fill an intent waits for.
    fn parent(&self, intent: &OrderIntent) -> Result<Option<&Order>, Refusal> {
        let Some(parent) = intent.request.parent else { return Ok(None) };
        match self.known(parent) {
            Some((order, _)) if Some(order.instrument) == intent.request.instrument => {
                Ok(Some(order))
            }
            Some(_) => Err(Refusal::new(RefusalCode::Parent, "its parent trades something else")),
            None => Err(Refusal::new(RefusalCode::Parent, "its parent is not working")),
        }
    }

    /// An order that is working, or was accepted since the snapshot, and what it holds back.
    fn known(&self, order_id: OrderId) -> Option<(&Order, Reservation)> {
        let promised = self.promises.orders.iter().rev();
        let mut promised = promised.filter(|(order, _)| order.order_id == order_id);
        promised.next().map(|(order, need)| (order, *need)).or_else(|| {
            let working = self.account.book.working(order_id)?;
            Some((&*working.order, working.reserved))
        })
    }

    /// What a balance has left for new orders in an instrument.
    fn free(&self, key: KeyIx, instrument: &Instrument) -> Decimal {
        let book = &self.account.book;
        let margin = book.free_margin(key, self.instruments, &self.account.marks);
        let free = margin - book.reserved[key.index()] - self.promises.amounts[key.index()];
        let balance = book.balances[key.index()];
        if margin > balance && !instrument.is_perpetual() {
            // What open positions have gained is margin and not money: nobody is paid with it.
            return free.min(balance - self.promised_by_spot(key));
        }
        free
    }

    /// What spot orders hold back of a balance, those of this tick included.
    fn promised_by_spot(&self, key: KeyIx) -> Decimal {
        let working = self.account.book.working.iter();
        let working = working.map(|working| (&*working.order, working.reserved));
        let promised = self.promises.orders.iter().map(|(order, need)| (order, *need));
        let held = working.chain(promised).filter(|(order, reserved)| {
            reserved.key == key && !self.instruments.instrument(order.instrument).is_perpetual()
        });
        held.map(|(_, reserved)| reserved.amount).sum()
    }
}

#[cfg(test)]
mod tests;
