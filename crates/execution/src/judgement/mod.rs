//! The judgement of one intent: the rules of 02 §3.1, in order of precedence.

mod exits;
mod funds;
mod impact;
mod operations;
mod quantity;
mod terms;

pub(crate) use impact::ImpactJudge;
pub use impact::ImpactTerms;
pub use operations::OperationRules;

use std::rc::Rc;
use std::sync::Arc;

use model::Decimal;
use model::instrument::{Instrument, InstrumentIx, InstrumentTable, KeyIx};
use model::money::{Price, Quantity};
use model::numeric::decimal_of;
use model::order::{Exit, Exits, Order, OrderId, OrderIntent, OrderSide, Refusal, RefusalCode};
use model::snapshot::{AccountSnapshot, Reservation};
use venues::fees::FeeModel;

/// What has been accepted since the latest snapshot, which does not know of it yet.
#[derive(Debug)]
pub(crate) struct Promises {
    /// What the snapshot does not hold back yet, by [`KeyIx`].
    amounts: Vec<Decimal>,
    granted: Vec<Grant>,
}

impl Promises {
    pub(crate) fn new(keys: usize) -> Self {
        Self { amounts: vec![Decimal::ZERO; keys], granted: Vec::new() }
    }

    pub(crate) fn add(&mut self, grant: Grant) {
        self.amounts[grant.holds.key.index()] += grant.more;
        self.granted.push(grant);
    }

    /// How many orders were granted so far.
    pub(crate) const fn len(&self) -> usize {
        self.granted.len()
    }

    /// Takes back what was granted after the first `kept` and is `denied` after all.
    pub(crate) fn take_back(&mut self, kept: usize, denied: impl Fn(&Order) -> bool) {
        let Self { amounts, granted } = self;
        let mut place = 0;
        granted.retain(|grant| {
            place += 1;
            let is_kept = place <= kept || !denied(&grant.order);
            if !is_kept {
                amounts[grant.holds.key.index()] -= grant.more;
            }
            is_kept
        });
    }

    /// Units that the latest grant of a name found filled; zero if there is none.
    pub(crate) fn filled(&self, order_id: OrderId) -> Quantity {
        let latest = self.granted.iter().rev().find(|grant| grant.order.order_id == order_id);
        latest.map_or(Quantity::ZERO, |grant| grant.filled)
    }

    /// Holds back what operations need of a balance.
    pub(crate) fn hold(&mut self, key: KeyIx, amount: Decimal) {
        self.amounts[key.index()] += amount;
    }

    pub(crate) fn clear(&mut self) {
        self.amounts.fill(Decimal::ZERO);
        self.granted.clear();
    }
}

/// An order that may be sent, or terms that an order may have.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) order: Arc<Order>,
    /// All that it holds back from now on.
    holds: Reservation,
    /// What of that it did not hold back before.
    more: Decimal,
    /// Units that it has filled so far.
    filled: Quantity,
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
    pub(crate) fn submitted(&self, intent: &OrderIntent) -> Result<Grant, Refusal> {
        let (order, subject) = self.checked(intent, None)?;
        let holds = self.funded(&order, &subject, Quantity::ZERO, Decimal::ZERO)?;
        exits::check_opening(&order, &subject, self.held(&subject))?;
        Ok(Grant { order: order.into(), holds, more: holds.amount, filled: Quantity::ZERO })
    }

    /// New terms of a working order; validated as a new order of what is left of it. Its links to
    /// other orders stay, and so does that it may only reduce.
    pub(crate) fn replaced(&self, intent: &OrderIntent) -> Result<Grant, Refusal> {
        let refused = |detail: &str| Refusal::new(RefusalCode::Replace, detail);
        let (old, held, filled) =
            self.known(intent.order_id).ok_or_else(|| refused("the order is not working"))?;
        let request = &intent.request;
        if request.instrument != Some(old.instrument) || request.side != Some(old.side) {
            return Err(refused("a replace keeps instrument and side"));
        }
        let level = |exit: Option<Exit>| exit.map(|exit| exit.level);
        let (target, stop) = (level(old.exits.take_profit), level(old.exits.stop_loss));
        if request.take_profit != target || request.stop_loss != stop {
            return Err(refused("exits are orders of their own: replace them by their names"));
        }
        let (order, subject) = self.checked(intent, Some(old))?;
        let holds = self.funded(&order, &subject, filled, held.amount)?;
        let more = (holds.amount - held.amount).max(Decimal::ZERO);
        Ok(Grant { order: order.into(), holds, more, filled })
    }

    /// All rules but those of funds, for a new order or for new terms of an `old` one.
    fn checked<'b>(
        &'b self,
        intent: &OrderIntent,
        old: Option<&Order>,
    ) -> Result<(Order, Subject<'b>), Refusal> {
        let request = &intent.request;
        let subject = self.subject(intent)?;
        let asked = quantity::lots(request.size, &subject)?;
        let pricing = terms::pricing(request, &subject)?;
        quantity::check_bounds(asked, pricing, &subject)?;
        terms::check_band(pricing, &subject)?;
        terms::check_rest(request)?;
        exits::check_sides(request, pricing, &subject)?;
        let ts = self.account.ts();
        let expire_at = terms::expire_at(request, ts)?;
        let (parent, reduce_only) = if let Some(old) = old {
            (old.parent, request.reduce_only || old.reduce_only)
        } else {
            let parent = self.parent(intent)?;
            let closes = parent.is_some_and(|parent| parent.side != subject.side);
            (request.parent, request.reduce_only || closes)
        };
        // What a child reduces is the position that its parent will have opened.
        let size = if reduce_only && parent.is_none() {
            quantity::reduced(asked, &subject, self.held(&subject))?
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
            reduce_only,
            oco_group: request.oco_group,
            parent,
            exits: Exits {
                take_profit: exit(request.take_profit, intent.take_profit_id()),
                stop_loss: exit(request.stop_loss, intent.stop_loss_id()),
            },
            origin: request.origin,
            ts_decided: ts,
            ts_eligible: ts,
        };
        Ok((order, subject))
    }

    /// Units that an order could close.
    fn held(&self, subject: &Subject<'_>) -> Quantity {
        self.account.closable(subject.place, self.instruments)
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
            Some((order, ..)) if Some(order.instrument) == intent.request.instrument => {
                Ok(Some(order))
            }
            Some(_) => Err(Refusal::new(RefusalCode::Parent, "its parent trades something else")),
            None => {
                let detail =
                    "its parent is not working: a child comes with it, or before it has filled";
                Err(Refusal::new(RefusalCode::Parent, detail))
            }
        }
    }

    /// An order that is working, or was accepted since the snapshot: what it holds back and what it
    /// has filled.
    fn known(&self, order_id: OrderId) -> Option<(&Order, Reservation, Quantity)> {
        let mut granted = self.promises.granted.iter().rev();
        let latest = granted.find(|grant| grant.order.order_id == order_id);
        latest.map(|grant| (&*grant.order, grant.holds, grant.filled)).or_else(|| {
            let working = self.account.book.working(order_id)?;
            Some((&*working.order, working.reserved, working.cum_qty))
        })
    }

    /// All orders that hold something back; one whose terms have changed since the snapshot with the new ones.
    fn holders(&self) -> impl Iterator<Item = (&Order, Reservation, Quantity)> {
        let granted = &self.promises.granted;
        let is_latest = |place: usize, grant: &Grant| {
            granted[place + 1..].iter().all(|later| later.order.order_id != grant.order.order_id)
        };
        let promised =
            granted.iter().enumerate().filter(move |(place, grant)| is_latest(*place, grant));
        let promised = promised.map(|(_, grant)| (&*grant.order, grant.holds, grant.filled));
        let working = self.account.book.working.iter().filter(|working| {
            granted.iter().all(|grant| grant.order.order_id != working.order.order_id)
        });
        let working = working.map(|working| (&*working.order, working.reserved, working.cum_qty));
        promised.chain(working)
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
        let held = self.holders().filter(|(order, reserved, _)| {
            reserved.key == key && !self.instruments.instrument(order.instrument).is_perpetual()
        });
        held.map(|(_, reserved, _)| reserved.amount).sum()
    }
}

#[cfg(test)]
mod tests;
