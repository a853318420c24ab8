//! What a venue publishes of a perpetual beside its candles: mark prices and funding.
//!
//! Both follow from paths that are there already and draw no numbers of their own, so that no candle
//! depends on them.

use model::frame::{Bar, BarKind};
use model::instrument::{InstrumentId, MarketType};

use super::bars::on_grid;
use super::coin::CoinPath;
use super::factor::{STEPS_PER_HOUR, decay};
use super::recipe::{Coin, Recipe};

/// Hours between two funding events.
pub(super) const FUNDING_HOURS: usize = 8;

/// Places of a published rate.
const RATE_PLACES: f64 = 1e8;

/// Marks and funding of one perpetual.
#[derive(Clone, Debug)]
pub(super) struct Perpetual {
    /// The perpetual.
    pub(super) instrument: InstrumentId,
    /// Mark prices of every hour of the year; they have no volume.
    pub(super) marks: Vec<Bar>,
    /// Rate of every event of the year; the first is that of 08:00 on the first day.
    pub(super) rates: Vec<f64>,
}

impl Perpetual {
    /// The mark at every event.
    pub(super) fn marks_at_events(&self) -> impl Iterator<Item = f64> {
        self.marks.chunks(FUNDING_HOURS).map(|hours| hours[hours.len() - 1].close)
    }
}

impl Recipe {
    /// Marks and funding of a coin at every venue.
    pub(super) fn perpetuals(&self, coin: &Coin, path: &CoinPath) -> Vec<Perpetual> {
        let of_venue = |((venue, _), prices): (&(&'static str, f64), &Vec<f64>)| Perpetual {
            instrument: InstrumentId {
                venue: (*venue).into(),
                market: MarketType::Perp,
                symbol: coin.symbol.into(),
            },
            marks: marks(self, coin, &path.index, prices),
            rates: rates(self, &path.index, prices),
        };
        self.venues.iter().zip(&path.perp).map(of_venue).collect()
    }
}

/// Hours of the mark: the index and the mean of the last minutes' premiums.
fn marks(recipe: &Recipe, coin: &Coin, index: &[f64], perp: &[f64]) -> Vec<Bar> {
    let keep = decay(recipe.mark_memory_hours, STEPS_PER_HOUR);
    let mut mean = perp[0] / index[0] - 1.0;
    let grid = coin.price_grid / recipe.marks_per_price_step;
    let path = index.iter().zip(perp).map(|(index, perp)| {
        mean = keep * mean + (1.0 - keep) * (perp / index - 1.0);
        on_grid(index * (1.0 + mean), grid)
    });
    let path: Vec<f64> = path.collect();
    let steps = STEPS_PER_HOUR as usize;
    // An hour starts from the last mark of the hour before it.
    let hours = path.windows(steps + 1).step_by(steps);
    hours
        .map(|hour| Bar {
            open: hour[0],
            high: hour.iter().copied().fold(hour[0], f64::max),
            low: hour.iter().copied().fold(hour[0], f64::min),
            close: hour[steps],
            volume: 0.0,
            kind: BarKind::Real,
        })
        .collect()
}

/// Rates by the formula of the big venues: the premium over the interval, later minutes counting
/// more, is pulled towards the base, by so much at most.
fn rates(recipe: &Recipe, index: &[f64], perp: &[f64]) -> Vec<f64> {
    let Recipe { funding_base: base, funding_pull: pull, funding_cap: cap, .. } = *recipe;
    let steps = FUNDING_HOURS * STEPS_PER_HOUR as usize;
    let minutes = index[1..].chunks(steps).zip(perp[1..].chunks(steps));
    minutes
        .map(|(index, perp)| {
            let (mut sum, mut weights, mut weight) = (0.0, 0.0, 0.0);
            for (index, perp) in index.iter().zip(perp) {
                weight += 1.0;
                weights += weight;
                sum += weight * (perp / index - 1.0);
            }
            let premium: f64 = sum / weights;
            let rate = premium + (base - premium).clamp(-pull, pull);
            (rate.clamp(-cap, cap) * RATE_PLACES).round() / RATE_PLACES
        })
        .collect()
}
