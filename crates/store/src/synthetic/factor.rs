//! Factors: the diffusion, the clusters and the jumps behind every price.

use super::random::Stream;
use super::recipe::{Factor, Recipe, Reversion};

/// Hours of the synthetic year, 2024-01-01T00:00Z to 2025-01-01T00:00Z; 2024 is a leap year.
pub(super) const HOURS: u32 = 366 * 24;

/// Steps into which an hour is divided.
pub(super) const STEPS_PER_HOUR: u32 = 60;

/// A [`Reversion`] in motion; starts in its long-run distribution.
#[derive(Clone, Debug)]
pub(super) struct Reverting {
    value: f64,
    keep: f64,
    shock: f64,
    stream: Stream,
}

impl Reverting {
    /// The process, advanced `steps_per_hour` times an hour by draws from `stream`.
    pub(super) fn new(reversion: Reversion, steps_per_hour: u32, mut stream: Stream) -> Self {
        let keep = decay(reversion.half_life_hours, steps_per_hour);
        let shock = reversion.deviation * (1.0 - keep * keep).sqrt();
        Self { value: reversion.deviation * stream.normal(), keep, shock, stream }
    }

    /// The value one step later.
    pub(super) fn step(&mut self) -> f64 {
        self.value = self.keep * self.value + self.shock * self.stream.normal();
        self.value
    }
}

/// What a step leaves of a quantity that halves in `half_life_hours`.
pub(super) fn decay(half_life_hours: f64, steps_per_hour: u32) -> f64 {
    libm::exp2(-1.0 / (half_life_hours * f64::from(steps_per_hour)))
}

/// Whether an hour belongs to a Saturday or a Sunday.
pub(super) const fn is_weekend(hour: u32) -> bool {
    // The year begins on a Monday.
    hour / 24 % 7 >= 5
}

/// Activity at an hour of the day, relative to the mean of the day.
pub(super) fn time_of_day(recipe: &Recipe, hour: u32) -> f64 {
    let phase = (f64::from(hour % 24) + 0.5 - recipe.peak_hour) / 24.0;
    1.0 + recipe.daily_swing * libm::cos(2.0 * std::f64::consts::PI * phase)
}

/// A factor over the year.
#[derive(Clone, Debug)]
pub(super) struct FactorPath {
    /// Log return of every step.
    pub(super) returns: Vec<f64>,
    /// Volatility of every hour relative to the long run, seasons aside.
    pub(super) clusters: Vec<f64>,
}

impl FactorPath {
    /// Simulates `factor`; `name` keeps its streams apart from those of other factors.
    pub(super) fn simulate(recipe: &Recipe, factor: &Factor, seed: u64, name: &str) -> Self {
        let stream = |purpose: &str| Stream::new(seed, &format!("factor/{name}/{purpose}"));
        let mut slow = Reverting::new(recipe.slow_volatility, 1, stream("slow volatility"));
        let mut fast = Reverting::new(recipe.fast_volatility, 1, stream("fast volatility"));
        let mut diffusion = stream("diffusion");
        let mut jumps = stream("jumps");
        // E[exp(2(x − var x))] = 1 for normal x: clusters leave the mean variance as it is.
        let variance = |reversion: Reversion| -> f64 { reversion.deviation * reversion.deviation };
        let centre = variance(recipe.slow_volatility) + variance(recipe.fast_volatility);
        let per_step = factor.volatility / f64::from(HOURS * STEPS_PER_HOUR).sqrt();
        let jump_probability = factor.jumps_per_year / f64::from(HOURS);
        let mut path = Self { returns: Vec::new(), clusters: Vec::new() };
        for hour in 0..HOURS {
            let cluster = libm::exp(slow.step() + fast.step() - centre);
            let weekend = if is_weekend(hour) { recipe.weekend_volatility } else { 1.0 };
            let scale = per_step * cluster * weekend * time_of_day(recipe, hour).sqrt();
            // Drawn in every hour, so that the number of draws is the same with and without a jump.
            let (happens, place, size) = (jumps.uniform(), jumps.uniform(), jumps.normal());
            let jump = (happens < jump_probability).then_some(factor.jump_size * size);
            let minute = (place * f64::from(STEPS_PER_HOUR)).floor();
            for step in 0..STEPS_PER_HOUR {
                let here = f64::from(step) >= minute && f64::from(step) < minute + 1.0;
                let jump = jump.filter(|_| here).unwrap_or(0.0);
                path.returns.push(scale * diffusion.normal() + jump);
            }
            if jump.is_some() {
                fast.value += factor.jump_excitement;
            }
            path.clusters.push(cluster);
        }
        path
    }
}
