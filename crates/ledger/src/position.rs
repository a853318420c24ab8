//! One spot position: quantity and cost.

use model::Decimal;
use model::fill::Fill;
use model::money::{LedgerScale, Quantity};
use model::order::OrderSide;

/// Base units held and what they cost; an average price is derived and never stored (D74).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) quantity: Quantity,
    /// Quote currency paid for `quantity`, before fees; zero when flat.
    pub(crate) cost: Decimal,
}

impl Position {
    /// Books a fill. A sale takes its share of the cost; the last one takes the remainder.
    pub(crate) fn book(&mut self, fill: &Fill, scale: LedgerScale) {
        match fill.side {
            OrderSide::Buy => {
                self.quantity.0 += fill.last_qty.0;
                self.cost += fill.notional.0;
            }
            OrderSide::Sell => {
                let left = self.quantity.0 - fill.last_qty.0;
                self.cost = if left.is_zero() {
                    Decimal::ZERO
                } else {
                    scale.round(self.cost / self.quantity.0 * left)
                };
                self.quantity.0 = left;
            }
        }
    }
}
