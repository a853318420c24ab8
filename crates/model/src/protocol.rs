//! Protocols of a run: which positions the tokens, reserves and loans of its chain are.

use rust_decimal::Decimal;

use crate::instrument::KeyIx;

/// A token on chain and where it is held: coins in the wallet, a staking token under the protocol
/// that issues it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its symbol.
    pub symbol: Box<str>,
    /// Where it is held.
    pub key: KeyIx,
    /// Places of its smallest unit.
    pub decimals: u32,
}

/// A token that a pool lends and takes as collateral.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserve {
    /// The pool.
    pub venue: Box<str>,
    /// The token.
    pub token: Box<str>,
    /// Scaled supply.
    pub a_token: KeyIx,
    /// Scaled debt, if it can be borrowed.
    pub debt: Option<KeyIx>,
    /// Debt that a unit of its value may carry when borrowing; a fraction.
    pub ltv: Decimal,
    /// Weight of its value in the health factor; a fraction.
    pub liquidation_threshold: Decimal,
}

/// A staking protocol: a coin that becomes a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staking {
    /// The protocol.
    pub venue: Box<str>,
    /// The coin that goes in.
    pub coin: Box<str>,
    /// The token that comes out.
    pub token: Box<str>,
    /// The claim that an unstake leaves, and where it is paid out.
    pub claim: Option<(KeyIx, KeyIx)>,
    /// From the request of an unstake to its payment, in milliseconds.
    pub unstake_delay_ms: i64,
}

/// A lender of flash loans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlashLender {
    /// The lender.
    pub venue: Box<str>,
    /// The token.
    pub token: Box<str>,
    /// The debt; zero outside an atomic group.
    pub debt: KeyIx,
    /// Fee as a fraction of the loan.
    pub fee: Decimal,
}

/// A reward token and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reward {
    /// Who pays it.
    pub venue: Box<str>,
    /// The token.
    pub token: Box<str>,
    /// Tokens in one unit of it, once unwrapped.
    pub parts: Vec<(Box<str>, Decimal)>,
}

/// The protocols of a chain; all look-ups are by name, none of them guesses one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocols {
    /// ETH of the wallet, which pays the gas.
    pub gas: KeyIx,
    /// Tokens.
    pub tokens: Vec<Token>,
    /// Reserves of lending pools.
    pub reserves: Vec<Reserve>,
    /// Staking protocols.
    pub stakings: Vec<Staking>,
    /// Lenders of flash loans.
    pub flash: Vec<FlashLender>,
    /// Rewards.
    pub rewards: Vec<Reward>,
}

impl Protocols {
    /// A token.
    pub fn token(&self, symbol: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| &*token.symbol == symbol)
    }

    /// A reserve of a pool.
    pub fn reserve(&self, venue: &str, token: &str) -> Option<&Reserve> {
        self.reserves.iter().find(|known| &*known.venue == venue && &*known.token == token)
    }

    /// A staking protocol by the coin that goes in.
    pub fn staking_of_coin(&self, venue: &str, coin: &str) -> Option<&Staking> {
        self.stakings.iter().find(|known| &*known.venue == venue && &*known.coin == coin)
    }

    /// A staking protocol by the token that comes out.
    pub fn staking_of_token(&self, venue: &str, token: &str) -> Option<&Staking> {
        self.stakings.iter().find(|known| &*known.venue == venue && &*known.token == token)
    }

    /// A lender of flash loans.
    pub fn flash_lender(&self, venue: &str, token: &str) -> Option<&FlashLender> {
        self.flash.iter().find(|known| &*known.venue == venue && &*known.token == token)
    }

    /// A reward.
    pub fn reward(&self, venue: &str, token: &str) -> Option<&Reward> {
        self.rewards.iter().find(|known| &*known.venue == venue && &*known.token == token)
    }
}
