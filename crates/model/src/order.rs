//! Orders: what a strategy wants, what the gate lets through, and how it ends.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::instrument::InstrumentIx;
use crate::money::{Price, Quantity};
use crate::time::UtcMillis;

/// Place of a strategy in the run file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrategyIx(pub u16);

/// Name of an order, unique in its run: the strategy and the strategy's own count, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId {
    /// Who wanted it.
    pub strategy: StrategyIx,
    /// Which of its orders it is.
    pub number: u32,
}

/// FIX side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderSide {
    /// Base comes in, quote goes out.
    Buy,
    /// Base goes out, quote comes in.
    Sell,
}

impl OrderSide {
    /// `buy` or `sell`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

/// FIX order type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderType {
    /// At the next price there is.
    Market,
}

impl OrderType {
    /// The type as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Market => "market",
        }
    }
}

/// FIX time in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeInForce {
    /// Good till canceled.
    Gtc,
}

impl TimeInForce {
    /// The time in force as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gtc => "gtc",
        }
    }
}

/// How much to trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Base units.
    Units(Quantity),
    /// A share in (0, 1], resolved at the fill: of the free cash, fees included, for a buy; of the
    /// position for a sell. Rounded down to the lot.
    Share(Decimal),
}

impl Size {
    /// Everything there is.
    pub const ALL: Self = Self::Share(Decimal::ONE);
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Units(quantity) => write!(formatter, "{}", quantity.0),
            Self::Share(share) => {
                write!(formatter, "{}%", (share * Decimal::ONE_HUNDRED).normalize())
            }
        }
    }
}

/// Largest amount that can be asked for, 10¹⁵: a notional has to fit into 28 digits.
const MOST_UNITS: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// Why a text is no size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a positive amount of base units nor a share from 0% (excluded) to 100%")]
pub struct ParseSizeError(String);

impl FromStr for Size {
    type Err = ParseSizeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = match text.trim().strip_suffix('%') {
            Some(percent) => Decimal::from_str_exact(percent.trim())
                .ok()
                .filter(|percent| *percent > Decimal::ZERO && *percent <= Decimal::ONE_HUNDRED)
                .map(|percent| Self::Share(percent / Decimal::ONE_HUNDRED)),
            None => Decimal::from_str_exact(text.trim())
                .ok()
                .filter(|units| *units > Decimal::ZERO && *units <= MOST_UNITS)
                .map(|units| Self::Units(Quantity(units))),
        };
        parsed.ok_or_else(|| ParseSizeError(text.to_owned()))
    }
}

/// What a strategy wants: not checked yet, and not an order before the gate has taken it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderIntent {
    /// The order's name, should it become one.
    pub order_id: OrderId,
    /// The strategy's own name for it, where it has one (`scripted` takes it from its file).
    pub label: Option<Arc<str>>,
    /// What to trade.
    pub instrument: InstrumentIx,
    /// Buy or sell.
    pub side: OrderSide,
    /// How it may fill.
    pub order_type: OrderType,
    /// How much.
    pub size: Size,
    /// Whether it may only make the position smaller.
    pub reduce_only: bool,
}

/// All that one strategy wants at one tick; judged in order and answered by one verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentGroup {
    /// Who wants it.
    pub strategy: StrategyIx,
    /// In the order in which it was asked for.
    pub intents: Vec<OrderIntent>,
}

/// An intent that passed the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its name.
    pub order_id: OrderId,
    /// What to trade.
    pub instrument: InstrumentIx,
    /// Buy or sell.
    pub side: OrderSide,
    /// How it may fill.
    pub order_type: OrderType,
    /// How long it may wait.
    pub tif: TimeInForce,
    /// How much, rounded down to the lot; positive.
    pub size: Size,
    /// Whether it may only make the position smaller; clipped again at the fill.
    pub reduce_only: bool,
    /// Instant of the decision.
    pub ts_decided: UtcMillis,
    /// It fills no earlier than at the first bar that opens at or after this instant.
    pub ts_eligible: UtcMillis,
}

/// What the gate says of one intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is an order now.
    Accepted(Order),
    /// It is refused, by us.
    Denied {
        /// Which intent.
        order_id: OrderId,
        /// Why.
        refusal: Refusal,
    },
}

/// The gate's answer to one group, in the group's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictGroup {
    /// Whose group it was.
    pub strategy: StrategyIx,
    /// One verdict per intent.
    pub verdicts: Vec<Verdict>,
}

/// Order status, as in FIX; the last five are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderStatus {
    /// Wanted, not judged.
    Submitted,
    /// Taken by the gate; working.
    Accepted,
    /// Filled in part; working.
    PartiallyFilled,
    /// Filled.
    Filled,
    /// Ended before it was filled.
    Canceled,
    /// Its time ran out.
    Expired,
    /// Refused by the venue.
    Rejected,
    /// Refused by us.
    Denied,
}

impl OrderStatus {
    /// The status as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Accepted => "accepted",
            Self::PartiallyFilled => "partially_filled",
            Self::Filled => "filled",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Denied => "denied",
        }
    }

    /// Whether nothing more can happen to the order.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Submitted | Self::Accepted | Self::PartiallyFilled)
    }
}

/// Why an order was denied, rejected or canceled: a code to count and a sentence to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub code: RefusalCode,
    /// Found and expected, for people.
    pub detail: Box<str>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code.name(), self.detail)
    }
}

/// The codes of refusals; `RISK-` is said by the gate, `VEN-` by the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalCode {
    /// Nothing left after rounding down to the lot.
    QtyZero,
    /// Below the instrument's smallest quantity.
    QtyMin,
    /// Below the instrument's smallest notional.
    NotionalMin,
    /// A buy that free cash does not cover.
    Balance,
    /// A sell beyond the holding.
    Position,
    /// Reduce-only without a position to reduce.
    ReduceOnly,
    /// An order during warm-up.
    Warmup,
    /// No price has been seen yet.
    NoPrice,
    /// The venue: cash no longer covers the fill.
    VenueBalance,
    /// The venue: the position no longer covers the fill.
    VenuePosition,
    /// A share that is not in (0, 1].
    Share,
    /// The venue: the price rounds to nothing.
    VenueTick,
    /// The venue: a share of what is left is less than one lot.
    VenueNothingLeft,
}

impl RefusalCode {
    /// The code as logs and tables show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::QtyZero => "RISK-QTY-ZERO",
            Self::QtyMin => "RISK-QTY-MIN",
            Self::NotionalMin => "RISK-NOTIONAL-MIN",
            Self::Balance => "RISK-BALANCE",
            Self::Position => "RISK-POSITION",
            Self::ReduceOnly => "RISK-REDUCE-ONLY",
            Self::Warmup => "RISK-WARMUP",
            Self::NoPrice => "RISK-NO-PRICE",
            Self::VenueBalance => "VEN-BALANCE",
            Self::VenuePosition => "VEN-POSITION",
            Self::Share => "RISK-SHARE",
            Self::VenueTick => "VEN-TICK",
            Self::VenueNothingLeft => "VEN-NOTHING-LEFT",
        }
    }
}

/// News of an accepted order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderUpdate {
    /// Which order.
    pub order_id: OrderId,
    /// Its status now.
    pub status: OrderStatus,
    /// Base units ordered, once known (a share is known at its fill).
    pub order_qty: Option<Quantity>,
    /// Base units filled so far.
    pub cum_qty: Quantity,
    /// Average price of the fills so far.
    pub avg_px: Option<Price>,
    /// Why it ended unfilled.
    pub refusal: Option<Refusal>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_an_amount_or_a_share() {
        for (text, written) in
            [("1", "1"), ("0.001", "0.001"), ("100%", "100%"), ("12.5 %", "12.5%")]
        {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), written);
        }
        for text in ["0", "-1", "0%", "101%", "all", ""] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
