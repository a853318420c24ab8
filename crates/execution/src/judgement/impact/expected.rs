//! What is expected of an order in the worst case: all of it, as a taker.

use std::rc::Rc;

use model::Decimal;
use model::fill::Liquidity;
use model::instrument::{Contract, FeeAsset, Instrument, InstrumentIx, InstrumentTable, KeyIx};
use model::money::{Price, Quantity};
use model::numeric::{decimal_of, float_of};
use model::order::{OcoGroup, Order, OrderId, OrderSide, Pricing, Size};
use model::perp::PerpPosition;
use model::snapshot::{AccountBook, AccountSnapshot};
use venues::fees::{Fee, FeeModel, Trade};
use venues::requirement::Funding;

use super::waits_to_reduce;

/// A trade that an order may lead to, and what it would change.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExpectedTrade {
    /// Place of its request in the group.
    pub(super) number: usize,
    pub(super) order_id: OrderId,
    pub(super) oco_group: Option<OcoGroup>,
    pub(super) place: InstrumentIx,
    pub(super) side: OrderSide,
    pub(super) quantity: Quantity,
    pub(super) px: Price,
    last_px: Price,
    fee: Fee,
    /// Position after it, on the book that it was expected on.
    after: PerpPosition,
    /// Change of base, and of cash.
    pub(super) changes: [(KeyIx, Decimal); 2],
}

/// What an order is reckoned with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Market<'a> {
    pub(super) instruments: &'a InstrumentTable,
    pub(super) fees: &'a [Rc<dyn FeeModel>],
    pub(super) account: &'a AccountSnapshot,
    /// The account after what was expected before.
    pub(super) book: &'a AccountBook,
}

impl Market<'_> {
    /// What is expected of what is left of an order; `None` if it waits to reduce a position, or has
    /// no price or nothing to trade.
    pub(super) fn expected(
        &self,
        number: usize,
        order: &Order,
        filled: Quantity,
    ) -> Option<ExpectedTrade> {
        let (place, side) = (order.instrument, order.side);
        let instrument = self.instruments.instrument(place);
        let last_px = self.account.mark(place).and_then(decimal_of).and_then(Price::new)?;
        let is_marketable = match order.pricing {
            Pricing::Market => true,
            Pricing::Limit { price } => side.accepts(last_px, price),
            Pricing::Stop { .. } | Pricing::StopLimit { .. } | Pricing::Trailing { .. } => false,
        };
        if waits_to_reduce(order, is_marketable) {
            return None;
        }
        let leaves = match order.size {
            Size::Units(quantity) => Quantity(quantity.0 - filled.0),
            Size::Share(share) => self.share(share, order, instrument, last_px),
        };
        if leaves.0 <= Decimal::ZERO {
            return None;
        }
        let funding = Funding {
            order,
            leaves,
            instrument,
            last_px,
            position: self.book.positions[place.index()],
            fees: &*self.fees[place.index()],
            ts: self.account.ts(),
        };
        let (px, fee) = funding.worst_case();
        let (order_id, oco_group) = (order.order_id, order.oco_group);
        let none = [(self.instruments.base_key(place), Decimal::ZERO); 2];
        let mut trade = ExpectedTrade {
            number,
            order_id,
            oco_group,
            place,
            side,
            quantity: leaves,
            px,
            last_px,
            fee,
            after: PerpPosition::default(),
            changes: none,
        };
        (trade.after, trade.changes) = trade.effect(self.book, self.instruments);
        Some(trade)
    }

    /// Units that a share comes to: of the position if the order closes it, else of the free cash.
    fn share(&self, share: Decimal, order: &Order, instrument: &Instrument, px: Price) -> Quantity {
        let (place, side) = (order.instrument, order.side);
        let position = self.book.positions[place.index()];
        let is_spot_sale = !instrument.is_perpetual() && side == OrderSide::Sell;
        let quantity = if is_spot_sale {
            self.book.balances[self.instruments.base_key(place).index()] * share
        } else if order.reduce_only || side.opposes(position) {
            position.0.abs() * share
        } else {
            let key = self.instruments.cash_key(place);
            let margin = self.book.free_margin(key, self.instruments, &self.account.marks);
            let free = margin - self.account.book.reserved[key.index()];
            let one = Quantity(Decimal::ONE);
            let trade = Trade {
                instrument,
                side,
                liquidity: Liquidity::Taker,
                quantity: one,
                px,
                ts: self.account.ts(),
                volume_30d: Decimal::ZERO,
            };
            let rate = self.fees[place.index()].tariff(&trade).rate.fraction();
            let unit = instrument.notional(px, one).value();
            let leverage =
                if instrument.is_perpetual() { instrument.leverage } else { Decimal::ONE };
            let cost = unit / leverage + unit * rate;
            (free * share).checked_div(cost).unwrap_or_default()
        };
        let most = instrument.max_qty.unwrap_or(Decimal::MAX);
        Quantity(quantity.min(most)).floor_to(instrument.lot)
    }
}

impl ExpectedTrade {
    /// Books the trade. Source: 02 §3.2.
    pub(super) fn apply(&self, book: &mut AccountBook, instruments: &InstrumentTable) {
        let (after, changes) = self.effect(book, instruments);
        for (key, change) in changes {
            book.balances[key.index()] += change;
        }
        book.positions[self.place.index()] = after.quantity;
        book.costs[self.place.index()] = after.cost;
    }

    /// The position after the trade, and the changes of base and cash.
    fn effect(
        &self,
        book: &AccountBook,
        instruments: &InstrumentTable,
    ) -> (PerpPosition, [(KeyIx, Decimal); 2]) {
        let place = self.place;
        let instrument = instruments.instrument(place);
        let held = PerpPosition {
            quantity: book.positions[place.index()],
            cost: book.costs[place.index()],
        };
        let notional = instrument.notional(self.px, self.quantity).booked(instrument.ledger_scale);
        let trade = held.trade(self.side, self.quantity, notional, instrument);
        let mut after = trade.after;
        let (mut base, mut cash) = (self.side.signed(self.quantity.0), trade.realized);
        if !instrument.is_perpetual() {
            cash = -self.side.signed(notional.0);
        }
        match self.fee.asset {
            FeeAsset::Quote => cash -= self.fee.amount.0,
            FeeAsset::Base => {
                base -= self.fee.amount.0;
                after.quantity.0 -= self.fee.amount.0;
            }
        }
        (after, [(instruments.base_key(place), base), (instruments.cash_key(place), cash)])
    }

    /// What it costs, in share class: its fee, and the distance from the last close.
    pub(super) fn cost(&self, account: &AccountSnapshot, instruments: &InstrumentTable) -> f64 {
        let price = |key| account.chain.exposure.key(key).price;
        let instrument = instruments.instrument(self.place);
        let worth = |px| float_of(instrument.notional(px, self.quantity).value());
        let distance = (worth(self.px) - worth(self.last_px)).abs();
        let cash_px = price(instruments.cash_key(self.place));
        let fee_px = match self.fee.asset {
            FeeAsset::Quote => cash_px,
            FeeAsset::Base => price(instruments.base_key(self.place)),
        };
        float_of(self.fee.amount.0) * fee_px + distance * cash_px
    }

    /// What it changes the delta by, in units of the asset of its base; `per_unit` of those are in a
    /// unit of the base key.
    pub(super) fn delta(&self, instruments: &InstrumentTable, per_unit: f64) -> f64 {
        let quantity = float_of(self.side.signed(self.quantity.0));
        match &instruments.instrument(self.place).contract {
            Contract::Spot => quantity * per_unit,
            Contract::Linear { size, .. } => quantity * float_of(*size),
            Contract::Inverse { size, .. } => {
                quantity * float_of(*size) / float_of(self.px.value())
            }
        }
    }
}
