//! A coin's prices, minute by minute: fair, at the venues, and of the perpetuals.

use super::factor::{FactorPath, HOURS, Reverting, STEPS_PER_HOUR, decay};
use super::random::Stream;
use super::recipe::{Coin, Recipe, Reversion};

/// Everything about a coin from which its bars are cut.
#[derive(Clone, Debug)]
pub(super) struct CoinPath {
    /// Prices of spot at each venue: at the start, then at the end of every step.
    pub(super) spot: Vec<Vec<f64>>,
    /// Prices of the perpetual at each venue, at the same instants.
    pub(super) perp: Vec<Vec<f64>>,
    /// The index: the mean of the spot prices weighted by the venues' volume; at the same instants.
    pub(super) index: Vec<f64>,
    /// Volatility of every hour relative to the long run, seasons aside.
    pub(super) clusters: Vec<f64>,
}

impl CoinPath {
    /// Simulates `coin` under the common factor.
    pub(super) fn simulate(recipe: &Recipe, coin: &Coin, common: &FactorPath, seed: u64) -> Self {
        let own = FactorPath::simulate(recipe, &coin.own, seed, coin.base);
        let fair = fair_prices(coin, common, &own);
        let stream = |purpose: String| Stream::new(seed, &format!("{}/{purpose}", coin.base));
        let around = |level: &[f64], reversion: Reversion, stream: Stream| -> Vec<f64> {
            let mut distance = Reverting::new(reversion, STEPS_PER_HOUR, stream);
            level.iter().map(|price| price * (1.0 + distance.step())).collect()
        };
        let spot: Vec<Vec<f64>> = recipe
            .venues
            .iter()
            .map(|(venue, _)| {
                around(&fair, recipe.spot_deviation, stream(format!("{venue}/spot deviation")))
            })
            .collect();
        let index = index(recipe, &spot);
        let anchor = perp_anchor(recipe, &index, stream("basis".to_owned()));
        let perp = recipe
            .venues
            .iter()
            .map(|(venue, _)| around(&anchor, recipe.venue_basis, stream(format!("{venue}/basis"))))
            .collect();
        Self { spot, perp, index, clusters: clusters(recipe, coin, common, &own) }
    }
}

/// The fair price at the start and after every step.
fn fair_prices(coin: &Coin, common: &FactorPath, own: &FactorPath) -> Vec<f64> {
    let drift = coin.drift / f64::from(HOURS * STEPS_PER_HOUR);
    let mut log_price = libm::log(coin.start_price);
    let mut prices = vec![coin.start_price];
    for (common, own) in common.returns.iter().zip(&own.returns) {
        log_price += drift + coin.beta * common + own;
        prices.push(libm::exp(log_price));
    }
    prices
}

/// The mean of the spot prices, weighted by the venues' volume.
fn index(recipe: &Recipe, spot: &[Vec<f64>]) -> Vec<f64> {
    let weighed =
        |at: usize| recipe.venues.iter().zip(spot).map(move |((_, share), spot)| share * spot[at]);
    (0..spot[0].len()).map(|at| weighed(at).sum()).collect()
}

/// The level around which the perpetuals trade: the index and the basis that they share.
fn perp_anchor(recipe: &Recipe, index: &[f64], stream: Stream) -> Vec<f64> {
    let mut shared = Reverting::new(recipe.basis, STEPS_PER_HOUR, stream);
    let keep = decay(recipe.basis_memory_hours, STEPS_PER_HOUR);
    let (mut trend, mut previous) = (0.0, None);
    index
        .iter()
        .map(|&index| {
            trend = keep * trend + previous.map_or(0.0, |before: f64| libm::log(index / before));
            previous = Some(index);
            let basis = recipe.basis_mean + recipe.basis_trend * trend + shared.step();
            index * (1.0 + basis)
        })
        .collect()
}

/// The coin's volatility in every hour, relative to the long run.
fn clusters(recipe: &Recipe, coin: &Coin, common: &FactorPath, own: &FactorPath) -> Vec<f64> {
    let square = |x: f64| x * x;
    let parts = [square(coin.beta * recipe.common.volatility), square(coin.own.volatility)];
    common
        .clusters
        .iter()
        .zip(&own.clusters)
        .map(|(common, own)| {
            let variance = parts[0] * square(*common) + parts[1] * square(*own);
            (variance / (parts[0] + parts[1])).sqrt()
        })
        .collect()
}
