//! The words in which an order is stated.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use crate::money::{Bps, Price, Quantity};

/// FIX side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderSide {
    /// Base comes in, quote goes out; longer.
    Buy,
    /// Base goes out, quote comes in; shorter.
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

    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// Whether a limit order of this side at `limit` trades at `px`.
    pub fn accepts(self, px: Price, limit: Price) -> bool {
        match self {
            Self::Buy => px <= limit,
            Self::Sell => px >= limit,
        }
    }

    /// Whether an order of this side makes a position of this sign smaller.
    pub fn opposes(self, position: Quantity) -> bool {
        self.signed(position.0) < Decimal::ZERO
    }

    /// `amount` with the sign that it has for this side: bought is positive, sold is negative.
    pub fn signed(self, amount: Decimal) -> Decimal {
        match self {
            Self::Buy => amount,
            Self::Sell => -amount,
        }
    }
}

/// FIX order type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderType {
    /// At the next price there is.
    Market,
    /// At its price or better.
    Limit,
    /// A market order once its stop price is reached.
    Stop,
    /// A limit order once its stop price is reached.
    StopLimit,
    /// A stop whose level follows the best price at a distance.
    Trailing,
}

impl OrderType {
    /// All types.
    pub const ALL: [Self; 5] =
        [Self::Market, Self::Limit, Self::Stop, Self::StopLimit, Self::Trailing];

    /// The type as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Limit => "limit",
            Self::Stop => "stop",
            Self::StopLimit => "stop_limit",
            Self::Trailing => "trailing",
        }
    }
}

/// FIX time in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimeInForce {
    /// Good till canceled.
    #[default]
    Gtc,
    /// Immediate or cancel: what the open of the first eligible bar does not fill is canceled.
    Ioc,
    /// Fill or kill: all of it at the open of the first eligible bar, or nothing.
    Fok,
    /// Good till date: bars that close at or before `expire_at`.
    Gtd,
    /// Bars that close at or before the next 00:00 UTC.
    Day,
}

impl TimeInForce {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Gtc, Self::Ioc, Self::Fok, Self::Gtd, Self::Day];

    /// The time in force as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gtc => "gtc",
            Self::Ioc => "ioc",
            Self::Fok => "fok",
            Self::Gtd => "gtd",
            Self::Day => "day",
        }
    }

    /// Whether the order never rests.
    pub const fn is_immediate(self) -> bool {
        matches!(self, Self::Ioc | Self::Fok)
    }
}

/// How far the level of a trailing order stays from the best price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trail {
    /// In quote currency.
    Absolute(Decimal),
    /// As a share of the best price.
    Bps(Bps),
}

impl Trail {
    /// The distance from `extreme`, in quote currency.
    pub fn distance(self, extreme: Decimal) -> Decimal {
        match self {
            Self::Absolute(distance) => distance,
            Self::Bps(rate) => extreme * rate.fraction(),
        }
    }
}

/// Where an exit is placed: at a price, or at a distance from the entry's actual fill (10 §12.4).
///
/// Distances are signed: below the fill is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// In quote currency.
    Price(Decimal),
    /// Added to the price of the fill.
    Offset(Decimal),
    /// This share of the fill's price added to it.
    OffsetBps(Bps),
}

impl Level {
    /// The price of this level for an entry at `fill_px`.
    pub fn at(self, fill_px: Decimal) -> Decimal {
        match self {
            Self::Price(price) => price,
            Self::Offset(offset) => fill_px + offset,
            Self::OffsetBps(rate) => fill_px + fill_px * rate.fraction(),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Price(price) => write!(formatter, "{price}"),
            Self::Offset(offset) => write!(formatter, "{offset:+}"),
            Self::OffsetBps(rate) => write!(formatter, "{:+}bps", rate.0),
        }
    }
}

/// How much to trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// Base units; contracts of a perpetual.
    Units(Quantity),
    /// A share in (0, 1], resolved at the fill: of the free cash (of the free margin times the
    /// leverage on a perpetual), fees included, for an order that opens; of the position for one that
    /// closes. Rounded down to the lot.
    Share(Decimal),
}

impl Size {
    /// Everything there is.
    pub const ALL: Self = Self::Share(Decimal::ONE);

    /// The amount, where it is one already.
    pub const fn units(self) -> Option<Quantity> {
        match self {
            Self::Units(quantity) => Some(quantity),
            Self::Share(_) => None,
        }
    }
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

    #[test]
    fn a_level_is_a_price_or_lies_at_a_distance_from_the_fill() {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        for (level, expected) in [
            (Level::Price(decimal("95")), "95"),
            (Level::Offset(decimal("-5")), "97"),
            (Level::OffsetBps(Bps(decimal("100"))), "103.02"),
        ] {
            assert_eq!(level.at(decimal("102")), decimal(expected), "{level}");
        }
    }
}
