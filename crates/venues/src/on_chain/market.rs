//! What a chain quotes: indices, rates, prices and gas, constant or by script.

use std::collections::BTreeMap;

use model::Decimal;
use model::lending::Ray;
use model::order::{Refusal, RefusalCode};
use model::time::UtcMillis;

/// Quotes at one instant, by token symbols; what is missing has no market.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainMarket {
    /// Index of a supply, by (pool, token).
    pub supply_index: BTreeMap<(Box<str>, Box<str>), Ray>,
    /// Index of a debt, by (pool, token).
    pub borrow_index: BTreeMap<(Box<str>, Box<str>), Ray>,
    /// Tokens that a pool has to give, by (pool, token); without an entry there is no limit.
    pub pool_cash: BTreeMap<(Box<str>, Box<str>), Decimal>,
    /// Coins per staking token, by token.
    pub staking_rate: BTreeMap<Box<str>, Decimal>,
    /// Price of a token at the pool's oracle, all in one currency.
    pub oracle: BTreeMap<Box<str>, Decimal>,
    /// Price of a token in another on a market, and its cost as a fraction, by (from, to).
    pub swap: BTreeMap<(Box<str>, Box<str>), (Decimal, Decimal)>,
    /// Rewards that can be claimed, by token.
    pub claimable: BTreeMap<Box<str>, Decimal>,
    /// Price of a unit of gas, in gwei.
    pub gas_gwei: Decimal,
}

/// Quotes over time: the last entry at or before an instant holds (D87).
#[derive(Clone, Debug, Default)]
pub struct MarketScript(BTreeMap<UtcMillis, ChainMarket>);

impl MarketScript {
    /// Quotes that never change.
    pub fn constant(market: ChainMarket) -> Self {
        Self(BTreeMap::from([(UtcMillis::new(i64::MIN), market)]))
    }

    /// The same with other quotes from `ts` on.
    #[must_use]
    pub fn then(mut self, ts: UtcMillis, market: ChainMarket) -> Self {
        self.0.insert(ts, market);
        self
    }

    /// The quotes that are known at an instant.
    pub fn at(&self, ts: UtcMillis) -> Option<&ChainMarket> {
        self.0.range(..=ts).next_back().map(|(_, market)| market)
    }
}

/// The entry of a pair of names.
pub(super) fn of_pair<'a, T>(
    entries: &'a BTreeMap<(Box<str>, Box<str>), T>,
    first: &str,
    second: &str,
) -> Option<&'a T> {
    entries.get(&(Box::from(first), Box::from(second)))
}

/// Nothing is quoted for these.
pub(super) fn no_market(what: &str, names: &[&str]) -> Refusal {
    Refusal::new(RefusalCode::VenueMarket, format!("no {what} of {}", names.join(" and ")))
}
