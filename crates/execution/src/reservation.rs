//! Reservations: what an order may need of a balance before it is done (02 §3.1, rule 8).

use model::Decimal;
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::money::Price;
use model::order::{OrderSide, Size};
use venues::fees::with_fee;

/// An amount of one balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Which balance.
    pub key: KeyIx,
    /// How much of it; zero or more.
    pub amount: Decimal,
}

/// What a market order may need: for a buy quantity × reference × (1 + taker fee) × (1 + 5 bps) of
/// quote, for a sell the quantity of base. A share needs no buffer: it is resolved at the fill.
pub fn market_order(
    instruments: &InstrumentTable,
    instrument: InstrumentIx,
    side: OrderSide,
    size: Size,
    reference: Price,
) -> Reservation {
    let key = match side {
        OrderSide::Buy => instruments.quote_key(instrument),
        OrderSide::Sell => instruments.base_key(instrument),
    };
    let amount = match (size, side) {
        (Size::Share(_), _) => Decimal::ZERO,
        (Size::Units(quantity), OrderSide::Sell) => quantity.0,
        (Size::Units(quantity), OrderSide::Buy) => {
            let terms = instruments.instrument(instrument);
            let need = (reference * quantity).value() * with_fee(terms.taker_fee) * margin();
            terms.ledger_scale.round(need)
        }
    };
    Reservation { key, amount }
}

/// 1 + 5 bps: room for the price to move until the next open.
fn margin() -> Decimal {
    Decimal::new(1_0005, 4)
}
