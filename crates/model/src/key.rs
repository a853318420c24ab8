//! Position keys: `venue:position_type:symbol`, the one name of everything that can be held.

use std::fmt;
use std::str::FromStr;

/// What kind of holding a position key names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PositionType {
    /// Token units in a wallet or a venue's spot balance; margin cash.
    BaseToken,
    /// Scaled units of a lending supply.
    AToken,
    /// Scaled units of a lending debt, stored positive.
    DebtToken,
    /// A liquid staking token.
    Lst,
    /// A perpetual position.
    Perp,
    /// A pending withdrawal.
    Claim,
    /// A transfer on its way.
    Transit,
    /// A flash loan inside an atomic group.
    FlashDebt,
}

impl PositionType {
    /// All types, in the order of the specification.
    pub const ALL: [Self; 8] = [
        Self::BaseToken,
        Self::AToken,
        Self::DebtToken,
        Self::Lst,
        Self::Perp,
        Self::Claim,
        Self::Transit,
        Self::FlashDebt,
    ];

    /// The type as it stands in a key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BaseToken => "BaseToken",
            Self::AToken => "aToken",
            Self::DebtToken => "debtToken",
            Self::Lst => "LST",
            Self::Perp => "Perp",
            Self::Claim => "Claim",
            Self::Transit => "Transit",
            Self::FlashDebt => "FlashDebt",
        }
    }
}

/// `venue:position_type:symbol`, for example `binance:BaseToken:USDT`.
///
/// Comparison is exact and the order is the byte order of the text, which is the canonical order for
/// iteration, logging and hashing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PositionKey {
    text: Box<str>,
    kind: PositionType,
    /// Bytes of the venue in `text`; the symbol starts after the type.
    venue: usize,
}

impl PositionKey {
    /// The key of a venue's balance of `symbol`.
    ///
    /// # Errors
    ///
    /// As for parsing: the venue or the symbol has a character that a key cannot have.
    pub fn base_token(venue: &str, symbol: &str) -> Result<Self, ParseKeyError> {
        format!("{venue}:BaseToken:{symbol}").parse()
    }

    /// The key of a perpetual position.
    ///
    /// # Errors
    ///
    /// As for parsing: the venue or the symbol has a character that a key cannot have.
    pub fn perp(venue: &str, symbol: &str) -> Result<Self, ParseKeyError> {
        format!("{venue}:Perp:{symbol}").parse()
    }

    /// The venue.
    pub fn venue(&self) -> &str {
        &self.text[..self.venue]
    }

    /// The type.
    pub const fn kind(&self) -> PositionType {
        self.kind
    }

    /// The symbol.
    pub fn symbol(&self) -> &str {
        &self.text[self.venue + 1 + self.kind.name().len() + 1..]
    }

    /// The whole key.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for PositionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// `CFG-KEY-MALFORMED`: why a text is no position key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseKeyError {
    /// Not three parts.
    #[error("`{0}` does not have the form venue:type:symbol")]
    Parts(String),
    /// The venue has a character that it cannot have.
    #[error("`{0}` is no venue name (lower case letters, digits and _)")]
    Venue(String),
    /// The type is unknown.
    #[error("`{0}` is no position type")]
    Type(String),
    /// The symbol has a character that it cannot have.
    #[error("`{0}` is no symbol (letters, digits, `.`, `_` and `-`)")]
    Symbol(String),
}

impl FromStr for PositionKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (venue, kind, symbol) =
            three_parts(text).ok_or_else(|| ParseKeyError::Parts(text.to_owned()))?;
        if !is_venue(venue) {
            return Err(ParseKeyError::Venue(venue.to_owned()));
        }
        let kind = PositionType::ALL
            .into_iter()
            .find(|candidate| candidate.name() == kind)
            .ok_or_else(|| ParseKeyError::Type(kind.to_owned()))?;
        if !is_symbol(symbol) {
            return Err(ParseKeyError::Symbol(symbol.to_owned()));
        }
        Ok(Self { text: text.into(), kind, venue: venue.len() })
    }
}

/// Splits `a:b:c` into its three parts, none of them empty.
pub(crate) fn three_parts(text: &str) -> Option<(&str, &str, &str)> {
    let mut parts = text.split(':');
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    let complete = parts.next().is_none();
    (complete && [first, second, third].iter().all(|part| !part.is_empty()))
        .then_some((first, second, third))
}

/// A lower-case letter, then lower-case letters, digits and underscores.
pub(crate) fn is_venue(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Letters, digits, dots, underscores and hyphens.
pub(crate) fn is_symbol(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_round_trip_and_name_their_parts() {
        for (text, venue, kind, symbol) in [
            ("wallet:BaseToken:USDT", "wallet", PositionType::BaseToken, "USDT"),
            ("binance:Perp:BTCUSDT", "binance", PositionType::Perp, "BTCUSDT"),
            ("aave_v3:aToken:aweETH", "aave_v3", PositionType::AToken, "aweETH"),
            ("lido:Claim:ETH.unstake", "lido", PositionType::Claim, "ETH.unstake"),
        ] {
            let key: PositionKey = text.parse().unwrap();
            assert_eq!((key.venue(), key.kind(), key.symbol()), (venue, kind, symbol));
            assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn malformed_keys_are_refused() {
        for text in [
            "binance:Perp",
            "Binance:Perp:BTCUSDT",
            "binance:perp:BTCUSDT",
            "binance:Perp:",
            "binance:Perp:BTC USDT",
            "binance:Perp:BTC:USDT",
            "",
        ] {
            assert!(text.parse::<PositionKey>().is_err(), "{text}");
        }
    }
}
