//! One position: signed quantity and signed cost, and what a fill makes of them.

use model::Decimal;
use model::instrument::Instrument;
use model::money::Quantity;
use model::order::OrderSide;

use crate::part::{Part, share};

/// A residue below this many units of a closed position is dust (02 §3.3). The position of a perpetual
/// is the venue's own: what it does not sweep is not swept here.
const DUST: Decimal = Decimal::from_parts(1, 0, 0, false, 12);

/// Units held and what they were entered at; an average price is derived and never stored (D74).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Negative if short.
    pub(crate) quantity: Quantity,
    /// Notionals of its entries, in the asset of the cash, before fees; its sign is that of the
    /// quantity, and it is zero when flat.
    pub(crate) cost: Decimal,
}

/// What a fill does to a position: opens some of it, closes some of it, or closes all of it and opens
/// the rest on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// What the fill closes.
    pub(crate) closing: Option<Step>,
    /// What the fill opens.
    pub(crate) opening: Option<Step>,
    /// The position between the two.
    pub(crate) between: Position,
    /// The position after the fill.
    pub(crate) after: Position,
    /// What the closed part gained before fees by average entry, in the asset of the cash.
    pub(crate) realized: Decimal,
}

/// One side of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The part of the fill.
    pub(crate) part: Part,
    /// What it changes the cash by.
    pub(crate) cash: Decimal,
}

impl Change {
    /// What the fill changes the cash by.
    pub(crate) fn cash(&self) -> Decimal {
        [self.closing, self.opening].iter().flatten().map(|step| step.cash).sum()
    }
}

impl Position {
    /// What a fill of `side` makes of this position.
    ///
    /// An entry adds its notional to the cost. An exit takes its share of the cost, and the last one
    /// takes the remainder; what is left keeps its average entry. Source: 02 §3.2, vectors
    /// `a_linear_perpetual_changes_by_fee_and_realised_profit_alone` and
    /// `an_inverse_perpetual_pays_in_coin`.
    pub(crate) fn change(self, side: OrderSide, whole: Part, instrument: &Instrument) -> Change {
        let (closing, opening) = self.divide(side, whole, instrument);
        let mut change = Change {
            closing: None,
            opening: None,
            between: self,
            after: self,
            realized: Decimal::ZERO,
        };
        if let Some(part) = closing {
            let size = self.quantity.0.abs();
            let cost = share(self.cost, part.quantity, size, instrument.ledger_scale);
            let worth = side.opposite().signed(part.notional);
            change.realized = instrument.gain(worth, cost);
            change.closing =
                Some(Step { part, cash: cash(instrument, side, part, change.realized) });
            change.between = Self {
                quantity: Quantity(self.quantity.0 + side.signed(part.quantity)),
                cost: self.cost - cost,
            };
            change.after = change.between;
        }
        if let Some(part) = opening {
            change.opening = Some(Step { part, cash: cash(instrument, side, part, Decimal::ZERO) });
            change.after.quantity.0 += side.signed(part.quantity);
            change.after.cost += side.signed(part.notional);
        }
        change
    }

    /// The part of a fill that closes and the part that opens. A residue that is dust goes with what
    /// is closed.
    fn divide(
        self,
        side: OrderSide,
        whole: Part,
        instrument: &Instrument,
    ) -> (Option<Part>, Option<Part>) {
        let size = side.opposite().signed(self.quantity.0);
        if size <= Decimal::ZERO {
            (None, Some(whole))
        } else if !instrument.is_perpetual() && (whole.quantity - size).abs() < DUST {
            (Some(Part { quantity: size, ..whole }), None)
        } else if whole.quantity > size {
            let (closing, opening) = whole.split(size, instrument.ledger_scale);
            (Some(closing), Some(opening))
        } else {
            (Some(whole), None)
        }
    }

    /// Whether a report calls it flat: at most half a lot is left, the residue of a fee in base.
    pub(crate) fn is_flat_in_report(self, instrument: &Instrument) -> bool {
        self.quantity.0.abs() * Decimal::TWO <= instrument.lot
    }
}

/// What a part changes the cash by: the notional of a spot trade, the profit that a perpetual
/// realises, and the fee.
fn cash(instrument: &Instrument, side: OrderSide, part: Part, realized: Decimal) -> Decimal {
    let moved = if instrument.is_perpetual() { realized } else { -side.signed(part.notional) };
    moved - part.fee
}
