//! Bars: hours cut from the minutes of a path, on the grid of the market, with volume.

use model::frame::{Bar, BarKind};
use model::instrument::{InstrumentId, MarketType};

use super::coin::CoinPath;
use super::factor::{FactorPath, HOURS, Reverting, STEPS_PER_HOUR, is_weekend, time_of_day};
use super::perpetual::Perpetual;
use super::random::Stream;
use super::recipe::{Coin, Recipe};

/// The bars of one instrument, one for every hour of the year.
#[derive(Clone, Debug)]
pub(super) struct Candles {
    /// The instrument.
    pub(super) instrument: InstrumentId,
    /// Bars in order of time, without holes.
    pub(super) bars: Vec<Bar>,
}

/// Everything that is generated.
#[derive(Clone, Debug, Default)]
pub(super) struct Year {
    /// The candles of every coin, market and venue, in this order.
    pub(super) candles: Vec<Candles>,
    /// Marks and funding of every coin and venue, in this order.
    pub(super) perpetuals: Vec<Perpetual>,
}

impl Recipe {
    /// The year of a seed.
    pub(super) fn year(&self, seed: u64) -> Year {
        let common = FactorPath::simulate(self, &self.common, seed, "common");
        let mut year = Year::default();
        for coin in &self.coins {
            let path = CoinPath::simulate(self, coin, &common, seed);
            year.perpetuals.extend(self.perpetuals(coin, &path));
            let activity = activity(self, coin, &path, seed);
            let markets = [(MarketType::Spot, &path.spot), (MarketType::Perp, &path.perp)];
            for (place, (market, prices)) in markets.into_iter().enumerate() {
                for ((venue, share), prices) in self.venues.iter().zip(prices) {
                    let name = format!("{}/{venue}/{}", coin.base, market.name());
                    let volume = VolumeScale {
                        typical: coin.volume[place] * share,
                        grid: coin.volume_grid[place],
                    };
                    let cutter = Cutter { recipe: self, coin, seed, name: &name };
                    year.candles.push(Candles {
                        instrument: InstrumentId {
                            venue: (*venue).into(),
                            market,
                            symbol: coin.symbol.into(),
                        },
                        bars: cutter.cut(prices, &activity, volume),
                    });
                }
            }
        }
        year
    }
}

/// How much of a coin trades in every hour, on all its markets alike; typically about one.
fn activity(recipe: &Recipe, coin: &Coin, path: &CoinPath, seed: u64) -> Vec<f64> {
    let stream = Stream::new(seed, &format!("{}/volume", coin.base));
    let mut noise = Reverting::new(recipe.volume_noise, 1, stream);
    (0..HOURS)
        .zip(&path.clusters)
        .map(|(hour, cluster)| {
            let weekend = if is_weekend(hour) { recipe.weekend_volume } else { 1.0 };
            let level = libm::exp(recipe.volume_elasticity * libm::log(*cluster) + noise.step());
            level * weekend * time_of_day(recipe, hour)
        })
        .collect()
}

/// Size and grid of an instrument's volume, in base units.
#[derive(Clone, Copy, Debug)]
struct VolumeScale {
    typical: f64,
    grid: f64,
}

/// Cuts the bars of one instrument; `name` keeps its streams apart from those of others.
#[derive(Debug)]
struct Cutter<'a> {
    recipe: &'a Recipe,
    coin: &'a Coin,
    seed: u64,
    name: &'a str,
}

impl Cutter<'_> {
    fn cut(&self, prices: &[f64], activity: &[f64], volume: VolumeScale) -> Vec<Bar> {
        let mut gaps = Stream::new(self.seed, &format!("{}/open gap", self.name));
        let mut noise = Stream::new(self.seed, &format!("{}/own volume", self.name));
        let steps = STEPS_PER_HOUR as usize;
        // The last price of an hour's steps is its close, and the next hour starts from it.
        let hours = prices.windows(steps + 1).step_by(steps);
        hours
            .zip(activity)
            .map(|(path, activity)| {
                let price = |price: f64| on_grid(price, self.coin.price_grid);
                let open = price(path[0] * (1.0 + self.recipe.open_gap * gaps.normal()));
                let later = &path[1..];
                let high = later.iter().fold(open, |high, at| high.max(price(*at)));
                let low = later.iter().fold(open, |low, at| low.min(price(*at)));
                let own = libm::exp(self.recipe.own_volume_noise * noise.normal());
                Bar {
                    open,
                    high,
                    low,
                    close: price(path[steps]),
                    volume: on_grid(volume.typical * activity * own, volume.grid),
                    kind: BarKind::Real,
                }
            })
            .collect()
    }
}

/// The positive multiple of `grid` that is nearest to `value`.
pub(super) fn on_grid(value: f64, grid: f64) -> f64 {
    ((value / grid).round() * grid).max(grid)
}
