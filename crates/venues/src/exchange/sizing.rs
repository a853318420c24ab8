//! Sizing: how many units of an order a fill may have.

use model::Decimal;
use model::fill::Liquidity;
use model::instrument::{FeeAsset, Instrument};
use model::money::{Price, Quantity, ceil_to};
use model::order::{Order, OrderSide};
use model::time::UtcMillis;

use crate::fees::{Fee, FeeModel, Trade, fee_of};
use crate::requirement::increase;

/// What a fill costs at a price, and what there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Means<'a> {
    pub(super) instrument: &'a Instrument,
    pub(super) fees: &'a dyn FeeModel,
    pub(super) side: OrderSide,
    pub(super) liquidity: Liquidity,
    pub(super) px: Price,
    pub(super) ts: UtcMillis,
    pub(super) volume_30d: Decimal,
    /// Units held; negative if short.
    pub(super) position: Quantity,
    /// Cash or margin that may be spent.
    pub(super) cash: Decimal,
    /// Base units that may be sold.
    pub(super) base: Decimal,
}

impl<'a> Means<'a> {
    /// The trade of `quantity` units.
    pub(super) const fn trade(&self, quantity: Quantity) -> Trade<'a> {
        Trade {
            instrument: self.instrument,
            side: self.side,
            liquidity: self.liquidity,
            quantity,
            px: self.px,
            ts: self.ts,
            volume_30d: self.volume_30d,
        }
    }

    /// Whether the order makes the position smaller, of which a share is then a share.
    pub(super) fn closes(&self, order: &Order) -> bool {
        let is_spot_sale = !self.instrument.is_perpetual() && self.side == OrderSide::Sell;
        is_spot_sale || order.reduce_only || self.side.opposes(self.position)
    }

    /// Units that a share of the position, or of the free cash, comes to.
    /// Never more than the venue takes in one order.
    pub(super) fn share(&self, share: Decimal, order: &Order) -> Quantity {
        let quantity = self.whole_share(share, order);
        match self.instrument.max_qty {
            Some(most) => quantity.min(Quantity(most).floor_to(self.instrument.lot)),
            None => quantity,
        }
    }

    fn whole_share(&self, share: Decimal, order: &Order) -> Quantity {
        if self.closes(order) {
            let mut quantity = self.position.0.abs() * share;
            if !self.instrument.is_perpetual() {
                quantity = quantity.min(self.base);
            }
            return Quantity(quantity).floor_to(self.instrument.lot);
        }
        self.affordable(self.cash * share)
    }

    /// The most units that cost no more than `budget`, fees included.
    pub(super) fn affordable(&self, budget: Decimal) -> Quantity {
        let lot = self.instrument.lot;
        let unit = self.instrument.notional(self.px, Quantity(Decimal::ONE)).value();
        let one = self.trade(Quantity(lot));
        let rate = self.fees.tariff(&one).rate.fraction();
        // A venue's leverage is for perpetuals: a coin is paid in full.
        let is_perpetual = self.instrument.is_perpetual();
        let margin = if is_perpetual { unit / self.instrument.leverage } else { unit };
        let in_cash = fee_of(self.fees, &one).asset == FeeAsset::Quote;
        let with_fee = if in_cash { margin + unit * rate } else { margin };
        // A rebate larger than the margin would make more units cost less.
        let per_unit = if with_fee > Decimal::ZERO { with_fee } else { margin };
        let mut quantity = Quantity(budget / per_unit).floor_to(lot);
        // Rounding, and fees that are no mere rate, may cost more than the budget: by less than a
        // lot, or by many if a lot is worth less than the last digit of cash.
        while quantity.0 > Decimal::ZERO {
            let excess = self.cost(quantity) - budget;
            if excess <= Decimal::ZERO {
                break;
            }
            quantity.0 -= ceil_to(excess / per_unit, lot);
        }
        Quantity(quantity.0.max(Decimal::ZERO))
    }

    /// Cash or margin that `quantity` units take, and the fee where it is taken from the cash.
    fn cost(&self, quantity: Quantity) -> Decimal {
        self.cost_with(quantity, fee_of(self.fees, &self.trade(quantity)))
    }

    /// The same, where the fee is known.
    pub(super) fn cost_with(&self, quantity: Quantity, fee: Fee) -> Decimal {
        let fee = match fee.asset {
            FeeAsset::Quote => fee.amount.0,
            FeeAsset::Base => Decimal::ZERO,
        };
        let instrument = self.instrument;
        if instrument.is_perpetual() {
            let more = increase(self.position, self.side, quantity);
            if more.is_zero() {
                return Decimal::ZERO;
            }
            return instrument.initial_margin(instrument.notional(self.px, more)) + fee;
        }
        let notional = instrument.notional(self.px, quantity).booked(instrument.ledger_scale).0;
        match self.side {
            OrderSide::Buy => notional + fee,
            OrderSide::Sell => (fee - notional).max(Decimal::ZERO),
        }
    }

    /// Whether fewer units than the venue's smallest order, or worth less.
    pub(super) fn is_too_small(&self, quantity: Quantity) -> bool {
        let instrument = self.instrument;
        quantity.0 <= Decimal::ZERO
            || quantity.0 < instrument.min_qty
            || instrument.quote_notional(self.px, quantity) < instrument.min_notional
    }
}
