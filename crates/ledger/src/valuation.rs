//! The value of an account at the last closes, in floats that lose nothing on the way.

use model::Decimal;
use model::instrument::{InstrumentIx, KeyIx};
use model::numeric::{DoubleFloat, float_of};

/// What an account is worth, in share class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Valuation {
    /// Everything owned.
    pub equity: f64,
    /// Idle cash.
    pub cash: f64,
    /// Sum of the sizes of all holdings but idle cash.
    pub gross: f64,
    /// Sum of all holdings but idle cash.
    pub net: f64,
    /// Value of the holdings less what they cost.
    pub unrealized: f64,
}

/// A balance that is not cash, with the instrument that prices it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holding {
    pub(crate) key: KeyIx,
    pub(crate) priced_by: InstrumentIx,
    quantity: DoubleFloat,
}

impl Holding {
    pub(crate) fn new(key: KeyIx, priced_by: InstrumentIx, quantity: Decimal) -> Self {
        Self { key, priced_by, quantity: DoubleFloat::of(quantity) }
    }
}

/// Balances as floats; made anew when a balance changes, used at every frame.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weights {
    cash: DoubleFloat,
    holdings: Vec<Holding>,
    cost: f64,
}

impl Weights {
    pub(crate) fn new(cash: Decimal, holdings: Vec<Holding>, cost: Decimal) -> Self {
        Self { cash: DoubleFloat::of(cash), holdings, cost: float_of(cost) }
    }

    /// The value at `marks`; the instrument without a price is the error.
    pub(crate) fn value(&self, marks: &[Option<f64>]) -> Result<Valuation, Holding> {
        let mut total = self.cash;
        let (mut gross, mut net) = (0.0, 0.0);
        for holding in &self.holdings {
            let mark = marks[holding.priced_by.index()].ok_or(*holding)?;
            let value = holding.quantity.times(mark);
            total = total.plus(value);
            net += value.value();
            gross += value.value().abs();
        }
        Ok(Valuation {
            equity: total.value(),
            cash: self.cash.value(),
            gross,
            net,
            unrealized: net - self.cost,
        })
    }
}
