//! An account for tests: it books fills by an arithmetic of its own, and watches what must always
//! hold of orders and fills.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use model::Decimal;
use model::delta::Subject;
use model::fill::{Fill, PriceRule};
use model::frame::{Bar, BarKind};
use model::handshake::{Handshake, VenueReport};
use model::instrument::{Contract, InstrumentIx, InstrumentTable};
use model::interface::{Desk, Holding, Stopped};
use model::money::{Quantity, ceil_to, floor_to};
use model::numeric::decimal_of;
use model::order::{Order, OrderId, OrderSide, OrderStatus, OrderUpdate};

use crate::books::{SharedBooks, VenueBooks};

/// Cash, base and perpetual positions; free margin is cash less the initial margin at entry prices.
#[derive(Debug)]
pub(super) struct Account {
    instruments: Rc<InstrumentTable>,
    pub(super) balances: Vec<Decimal>,
    pub(super) positions: Vec<Decimal>,
    /// What each perpetual position was entered at, with its sign.
    costs: Vec<Decimal>,
    orders: BTreeMap<OrderId, Watched>,
    /// Number of the next answer on an order.
    loops: BTreeMap<OrderId, u32>,
    /// The bars of the present frame.
    bars: Vec<Bar>,
    /// What has happened since it was last asked.
    pub(super) news: Vec<VenueReport>,
    /// The books that the exchange keeps, once it is open.
    venue: Option<SharedBooks>,
}

/// An order, as its events have described it so far.
#[derive(Debug)]
struct Watched {
    order: Order,
    cum_qty: Decimal,
    has_ended: bool,
}

impl Account {
    pub(super) fn new(instruments: Rc<InstrumentTable>) -> Self {
        Self {
            balances: vec![Decimal::ZERO; instruments.keys().count()],
            positions: vec![Decimal::ZERO; instruments.len()],
            costs: vec![Decimal::ZERO; instruments.len()],
            orders: BTreeMap::new(),
            loops: BTreeMap::new(),
            bars: vec![Bar::default(); instruments.len()],
            news: Vec::new(),
            venue: None,
            instruments,
        }
    }

    /// Follows an order from now on.
    pub(super) fn watch(&mut self, order: Order) {
        let watched = Watched { cum_qty: Decimal::ZERO, has_ended: false, order };
        self.orders.insert(watched.order.order_id, watched);
    }

    /// The bars that the next fills are from.
    pub(super) fn show(&mut self, bars: &[Bar]) {
        self.bars = bars.to_vec();
    }

    /// Sets a position that was entered at a price.
    pub(super) fn hold(&mut self, place: InstrumentIx, quantity: Decimal, px: Decimal) {
        self.positions[place.index()] = quantity;
        self.costs[place.index()] = self.worth(place, px, quantity);
    }

    fn worth(&self, place: InstrumentIx, px: Decimal, quantity: Decimal) -> Decimal {
        let exact = match &self.instruments.instrument(place).contract {
            Contract::Spot => px * quantity,
            Contract::Linear { size, .. } => px * quantity * size,
            Contract::Inverse { size, .. } => quantity * size / px,
        };
        exact.round_dp(12)
    }

    fn book(&mut self, fill: &Fill) {
        let place = fill.instrument;
        let (px, quantity) = (fill.last_px.value(), fill.side.signed(fill.last_qty.0));
        let value = self.worth(place, px, quantity);
        assert_eq!(fill.notional.0, value.abs(), "the notional is price times quantity: {fill:?}");
        let cash = self.instruments.cash_key(place).index();
        self.balances[fill.fee_key.index()] -= fill.fee.0;
        let instrument = self.instruments.instrument(place);
        if !instrument.is_perpetual() {
            let base = self.instruments.base_key(place).index();
            self.balances[base] += quantity;
            self.balances[cash] -= value;
            assert!(self.balances[base] >= Decimal::ZERO, "sold more than there was: {fill:?}");
            assert!(self.balances[cash] >= Decimal::ZERO, "spent more than there was: {fill:?}");
            return;
        }
        let is_inverse = matches!(instrument.contract, Contract::Inverse { .. });
        let (held, cost) = (self.positions[place.index()], self.costs[place.index()]);
        let opposes = !held.is_zero() && held.is_sign_negative() != quantity.is_sign_negative();
        let closed = if opposes { held.abs().min(quantity.abs()) } else { Decimal::ZERO };
        // A flip closes its share of the notional and opens the other side with the rest.
        let (mut left, mut opened) = (cost, value);
        if opposes {
            let is_whole = closed == quantity.abs();
            let worth =
                if is_whole { value } else { (value * closed / quantity.abs()).round_dp(12) };
            let is_all = closed == held.abs();
            let cost_closed = if is_all { cost } else { (cost * closed / held.abs()).round_dp(12) };
            let gain = -worth - cost_closed;
            self.balances[cash] += if is_inverse { -gain } else { gain };
            (left, opened) = (cost - cost_closed, value - worth);
        }
        self.positions[place.index()] = held + quantity;
        self.costs[place.index()] = left + opened;
    }

    fn watch_fill(&mut self, fill: &Fill) {
        let bar = &self.bars[fill.instrument.index()];
        assert!(
            bar.kind == BarKind::Real && bar.volume > 0.0,
            "a bar that fills nothing: {fill:?}"
        );
        let instrument = self.instruments.instrument(fill.instrument);
        let held = self.position(fill.instrument).0;
        let watched = self.orders.get_mut(&fill.order_id).expect("an order that was sent");
        assert!(!watched.has_ended, "terminal states are final: {fill:?}");
        assert!(fill.last_qty.0 > Decimal::ZERO, "a fill of nothing: {fill:?}");
        assert!((fill.last_qty.0 % instrument.lot).is_zero(), "a broken lot: {fill:?}");
        watched.cum_qty += fill.last_qty.0;
        if watched.order.reduce_only {
            let change = fill.side.signed(fill.last_qty.0);
            let after = held + change;
            assert!(after.abs() + change.abs() == held.abs(), "no smaller position: {fill:?}");
        }
        let px = fill.last_px.value();
        let limit = watched.order.pricing.price().map(model::money::Price::value);
        if let Some(limit) = limit {
            let is_worse = fill.side.signed(px) > fill.side.signed(limit);
            assert!(!is_worse, "worse than its limit: {fill:?}");
        }
        // A resting order that the open jumped over fills at its own price, wherever the bar is
        // (10 §12.6: 99 at an open of 97); every other fill without slippage lies within the bar.
        let open = decimal_of(bar.open).unwrap();
        let is_jumped = fill.side.signed(open) <= fill.side.signed(px) && limit == Some(px);
        let is_exempt = fill.price_rule == PriceRule::LimitGap && is_jumped;
        if !is_exempt && fill.slippage_bps.abs() < 1e-9 {
            let (high, low) = (decimal_of(bar.high).unwrap(), decimal_of(bar.low).unwrap());
            let (high, low) = match fill.side {
                OrderSide::Buy => (ceil_to(high, instrument.tick), low),
                OrderSide::Sell => (high, floor_to(low, instrument.tick)),
            };
            assert!((low..=high).contains(&px), "outside its bar: {fill:?}");
        }
    }

    fn watch_update(&mut self, update: &OrderUpdate) {
        let watched = self.orders.get_mut(&update.order_id).expect("an order that was sent");
        assert!(!watched.has_ended, "terminal states are final: {update:?}");
        if let Some(terms) = &update.terms {
            watched.order = (**terms).clone();
        }
        assert_eq!(watched.cum_qty, update.cum_qty.0, "the sum of the fills: {update:?}");
        let cum_qty = update.cum_qty.0;
        let leaves = update.order_qty.map(|ordered| ordered.0 - cum_qty);
        assert!(leaves.is_none_or(|leaves| leaves >= Decimal::ZERO), "overfilled: {update:?}");
        match update.status {
            OrderStatus::Filled => assert_eq!(leaves, Some(Decimal::ZERO), "{update:?}"),
            OrderStatus::PartiallyFilled => assert!(!cum_qty.is_zero(), "{update:?}"),
            OrderStatus::Accepted => assert!(cum_qty.is_zero(), "{update:?}"),
            OrderStatus::Canceled | OrderStatus::Expired | OrderStatus::Rejected => {
                assert!(update.refusal.is_some(), "an end has a reason: {update:?}");
            }
            OrderStatus::Submitted | OrderStatus::Denied => panic!("not for a venue: {update:?}"),
        }
        watched.has_ended = update.status.is_final();
    }
}

impl Account {
    /// Opens books of the venue with what this account holds.
    pub(super) fn open_venue(&mut self) -> SharedBooks {
        let mut initial: Vec<_> = self
            .instruments
            .keys()
            .map(|(key, _)| {
                (key, Holding { amount: self.balances[key.index()], ..Holding::default() })
            })
            .collect();
        for (place, instrument) in self.instruments.instruments() {
            if instrument.is_perpetual() {
                let (amount, cost) = (self.positions[place.index()], self.costs[place.index()]);
                initial[self.instruments.base_key(place).index()].1 = Holding { amount, cost };
            }
        }
        let books = SharedBooks::new(VenueBooks::new(Rc::clone(&self.instruments), &initial));
        self.venue = Some(books.clone());
        books
    }

    fn position(&self, instrument: InstrumentIx) -> Quantity {
        let is_perpetual = self.instruments.instrument(instrument).is_perpetual();
        Quantity(if is_perpetual {
            self.positions[instrument.index()]
        } else {
            self.balances[self.instruments.base_key(instrument).index()]
        })
    }

    /// Takes an answer: the venue's books say what this account says, operation by operation.
    fn watch_handshake(&mut self, handshake: &Handshake) {
        handshake.check().unwrap();
        if let Subject::Order(order_id) = handshake.op_id.subject {
            let next = self.loops.entry(order_id).or_default();
            assert_eq!(handshake.op_id.number, *next, "one number after the other: {handshake:?}");
            *next += 1;
        }
        let before = self.balances.clone();
        if let Some(fill) = &handshake.fill {
            if fill.price_rule != PriceRule::Liquidation {
                self.watch_fill(fill);
            }
            self.book(fill);
        }
        let perps: BTreeSet<usize> = self
            .instruments
            .instruments()
            .filter(|(_, instrument)| instrument.is_perpetual())
            .map(|(place, _)| self.instruments.base_key(place).index())
            .collect();
        for (key, name) in self.instruments.keys().filter(|(key, _)| !perps.contains(&key.index()))
        {
            let deltas = handshake.deltas.iter().filter(|delta| delta.key == key);
            let change: Decimal = deltas.map(|delta| delta.amount).sum();
            assert_eq!(before[key.index()] + change, self.balances[key.index()], "{name}");
        }
        let venue = self.venue.as_ref().expect("an exchange");
        for (key, name) in self.instruments.keys().filter(|(key, _)| !perps.contains(&key.index()))
        {
            assert_eq!(
                venue.read(|books| books.balance(key)),
                self.balances[key.index()],
                "{name}"
            );
        }
        for (place, instrument) in self.instruments.instruments() {
            let held = venue.read(|books| books.closable(place));
            assert_eq!(held, self.position(place), "{} {handshake:?}", instrument.id);
        }
    }
}

impl Desk for Account {
    fn take(&mut self, event: VenueReport) -> Result<(), Stopped> {
        match &event {
            VenueReport::Handshake(handshake) => self.watch_handshake(handshake),
            VenueReport::Update(update) => self.watch_update(update),
            VenueReport::Locked { order_id, reserved } => {
                assert!(
                    !self.orders[order_id].has_ended,
                    "an order that ended locks: {order_id:?}"
                );
                assert!(reserved.amount >= Decimal::ZERO, "{reserved:?}");
            }
        }
        self.news.push(event);
        Ok(())
    }
}
