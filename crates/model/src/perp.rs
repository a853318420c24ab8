//! Perpetual positions: what a trade makes of one, and what funding pays on it (02 §3.2, 03 §4.2).

use rust_decimal::Decimal;

use crate::instrument::{Contract, Instrument};
use crate::money::{Cash, LedgerScale, Price, Quantity};
use crate::order::OrderSide;

/// Contracts held and what they were entered at; an average price is derived and never stored (D74).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerpPosition {
    /// Negative if short.
    pub quantity: Quantity,
    /// Notionals of its entries, in the settle currency; its sign is that of the quantity.
    pub cost: Decimal,
}

/// What a trade does to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerpTrade {
    /// The position after it.
    pub after: PerpPosition,
    /// What the closed part has gained, in the settle currency, before fees.
    pub realized: Decimal,
}

impl PerpPosition {
    /// Trades `quantity` contracts, worth `notional` in the settle currency, rounded as booked.
    ///
    /// The same direction adds to the cost, the opposite one takes its share of it and realises the
    /// difference; what is more than the position opens the other side with the rest of the
    /// notional. Source: 02 §3.2, test `a_perpetual_trades_as_the_venue_books_it`.
    pub fn trade(
        self,
        side: OrderSide,
        quantity: Quantity,
        notional: Cash,
        instrument: &Instrument,
    ) -> PerpTrade {
        let signed = side.signed(quantity.0);
        if !side.opposes(self.quantity) {
            let quantity = Quantity(self.quantity.0 + signed);
            let after = Self { quantity, cost: self.cost + side.signed(notional.0) };
            return PerpTrade { after, realized: Decimal::ZERO };
        }
        let (scale, held) = (instrument.ledger_scale, self.quantity.0.abs());
        let closed = quantity.0.min(held);
        let worth = pro_rata(notional.0, closed, quantity.0, scale);
        let cost = pro_rata(self.cost, closed, held, scale);
        let realized = instrument.gain(side.opposite().signed(worth), cost);
        let left = self.cost - cost;
        let opened = side.signed(notional.0 - worth);
        let quantity = Quantity(self.quantity.0 + signed);
        PerpTrade { after: Self { quantity, cost: left + opened }, realized }
    }
}

/// What of `amount` belongs to `part` of `whole` units, rounded half-even to `scale`; all of it, if
/// that is all the units, so that the last part takes the remainder (D74).
pub fn pro_rata(amount: Decimal, part: Decimal, whole: Decimal, scale: LedgerScale) -> Decimal {
    if part == whole || amount.is_zero() {
        return amount;
    }
    // The product first: it is exact more often than the quotient. It may need more than 28 digits.
    let exact = match amount.checked_mul(part) {
        Some(product) => product / whole,
        None => amount / whole * part,
    };
    scale.round(exact)
}

/// Cash flow of one funding interval to the holder of a perpetual, in the settle currency.
///
/// Linear: −quantity · size · mark · rate; inverse: −contracts · size / mark · rate. At a positive
/// rate longs pay shorts. Source: 03 §4.2, test `funding_pays_shorts_at_a_positive_rate`.
pub fn funding_payment(
    instrument: &Instrument,
    held: Quantity,
    mark: Price,
    rate: Decimal,
) -> Cash {
    Cash(instrument.ledger_scale.round(-(instrument.notional(mark, held).value() * rate)))
}

/// What an open position does to the free cash of its settle currency: less its initial margin, and
/// under cross margin plus what it has gained at `mark`. Without a mark it counts at its cost.
///
/// Source: 02 §3.1 rule 8.
pub fn margin_effect(
    instrument: &Instrument,
    position: PerpPosition,
    mark: Option<Price>,
) -> Decimal {
    let PerpPosition { quantity, cost } = position;
    let Some(mark) = mark else {
        return -instrument.initial_margin(crate::money::Notional::exactly(cost));
    };
    let margin = instrument.initial_margin(instrument.notional(mark, quantity));
    match instrument.margin_mode {
        crate::instrument::MarginMode::Cross => {
            instrument.unrealized(mark, quantity, cost).0 - margin
        }
        crate::instrument::MarginMode::Isolated => -margin,
    }
}

/// Average price at which a position was entered; `None` if there is none.
///
/// Cost over units: quote units of a linear contract, of an inverse one the reverse.
pub fn entry_px(instrument: &Instrument, position: PerpPosition) -> Option<Price> {
    let PerpPosition { quantity, cost } = position;
    if quantity.is_zero() {
        return None;
    }
    let px = match &instrument.contract {
        Contract::Spot => cost / quantity.0,
        Contract::Linear { size, .. } => cost / (quantity.0 * size),
        Contract::Inverse { size, .. } => (quantity.0 * size).checked_div(cost)?,
    };
    Price::new(px)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::InstrumentId;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn px(text: &str) -> Price {
        Price::new(decimal(text)).unwrap()
    }

    fn perp(contract: Contract) -> Instrument {
        let id: InstrumentId = "binance:perp:BTC".parse().unwrap();
        Instrument { contract, ..Instrument::spot(id, "BTC", "USDT") }
    }

    fn linear() -> Instrument {
        perp(Contract::Linear { settle: "USDT".into(), size: Decimal::ONE })
    }

    fn inverse() -> Instrument {
        perp(Contract::Inverse { settle: "BTC".into(), size: Decimal::ONE_HUNDRED })
    }

    #[test]
    fn a_perpetual_trades_as_the_venue_books_it() {
        // 02 §3.2: side, contracts, price; contracts after, entry after, realised.
        let steps = [
            (OrderSide::Sell, "0.5", "50000", "-0.5", "50000", "0"),
            (OrderSide::Buy, "0.2", "48000", "-0.3", "50000", "400"),
            (OrderSide::Buy, "0.5", "51000", "0.2", "51000", "-300"),
        ];
        let instrument = linear();
        let mut position = PerpPosition::default();
        for (side, quantity, at, after, entry, realized) in steps {
            let quantity = Quantity(decimal(quantity));
            let notional = instrument.notional(px(at), quantity).booked(instrument.ledger_scale);
            let trade = position.trade(side, quantity, notional, &instrument);
            position = trade.after;
            assert_eq!(position.quantity.0, decimal(after));
            assert_eq!(entry_px(&instrument, position), Some(px(entry)));
            assert_eq!(trade.realized, decimal(realized));
        }
    }

    #[test]
    fn an_inverse_perpetual_gains_coin() {
        let instrument = inverse();
        let quantity = Quantity(Decimal::ONE_THOUSAND);
        let booked = |at| instrument.notional(px(at), quantity).booked(instrument.ledger_scale);
        let flat = PerpPosition::default();
        let held = flat.trade(OrderSide::Buy, quantity, booked("50000"), &instrument).after;
        let closed = held.trade(OrderSide::Sell, quantity, booked("52000"), &instrument);
        assert_eq!(closed.realized, decimal("0.076923076923"));
        assert_eq!(closed.after, PerpPosition::default());
    }

    #[test]
    fn funding_pays_shorts_at_a_positive_rate() {
        // 03 §4.2 and its sign table, T4.1.
        for (instrument, held, mark, rate, expected) in [
            (linear(), "-1", "50000", "0.0001", "5"),
            (linear(), "1", "50000", "0.0001", "-5"),
            (linear(), "-1.6", "52000", "0.0001", "8.32"),
            (linear(), "-1", "50000", "-0.0001", "-5"),
            (linear(), "1", "50000", "-0.0001", "5"),
            (inverse(), "1000", "52000", "0.0001", "-0.000192307692"),
        ] {
            let held = Quantity(decimal(held));
            let cash = funding_payment(&instrument, held, px(mark), decimal(rate));
            assert_eq!(cash.0, decimal(expected), "{} at {mark}, {rate}", held.0);
        }
    }

    #[test]
    fn funding_is_paid_on_contracts_times_their_size() {
        let instrument = perp(Contract::Linear { settle: "USDT".into(), size: Decimal::new(1, 2) });
        let cash =
            funding_payment(&instrument, Quantity(decimal("-100")), px("50000"), decimal("0.0001"));
        assert_eq!(cash.0, decimal("5"));
    }
}
