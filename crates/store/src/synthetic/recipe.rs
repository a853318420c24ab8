//! The parameters of the model.

/// A cause of returns: a diffusion of clustered volatility, and rare jumps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factor {
    /// Standard deviation of the diffusion, jumps and seasons aside; fraction per √year.
    pub volatility: f64,
    /// Expected number of jumps per year.
    pub jumps_per_year: f64,
    /// Standard deviation of a jump, as a log return; its mean is zero.
    pub jump_size: f64,
    /// What a jump adds to the fast part of the logarithm of volatility.
    pub jump_excitement: f64,
}

/// A normally distributed quantity that returns to zero: an Ornstein–Uhlenbeck process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reversion {
    /// Standard deviation in the long run, in the unit of the quantity.
    pub deviation: f64,
    /// Hours after which half of a deviation is gone, on average.
    pub half_life_hours: f64,
}

/// One coin and the markets on which it trades.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coin {
    /// Name of the coin, the base of its instruments.
    pub base: &'static str,
    /// The instruments' symbol, the same at every venue.
    pub symbol: &'static str,
    /// Fair price at the start, in USDT.
    pub start_price: f64,
    /// Drift of the logarithm of the fair price, per year.
    pub drift: f64,
    /// Log return of the coin per log return of the common factor.
    pub beta: f64,
    /// The coin's own factor.
    pub own: Factor,
    /// Grid of all prices, in USDT: a multiple of every venue's tick, and exact in binary.
    pub price_grid: f64,
    /// Typical volume of an hour on all venues together: spot, perpetual; in base units.
    pub volume: [f64; 2],
    /// Grid of volumes: spot, perpetual; in base units and exact in binary.
    pub volume_grid: [f64; 2],
}

/// All parameters of the generator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// The factor that moves both coins.
    pub common: Factor,
    /// The coins.
    pub coins: [Coin; 2],
    /// The venues, each with its share of a coin's volume and weight in the index; together 1.
    pub venues: [(&'static str, f64); 3],
    /// Slow part of the logarithm of a factor's volatility.
    pub slow_volatility: Reversion,
    /// Fast part of the logarithm of a factor's volatility.
    pub fast_volatility: Reversion,
    /// Volatility on Saturday and Sunday (UTC), relative to working days.
    pub weekend_volatility: f64,
    /// Volume on Saturday and Sunday (UTC), relative to working days.
    pub weekend_volume: f64,
    /// Share by which volume swings around its mean in the course of a day; volatility swings by
    /// the root of the same pattern.
    pub daily_swing: f64,
    /// Hour of the day (UTC) at which the pattern peaks.
    pub peak_hour: f64,
    /// Log distance of a venue's spot price from the fair price.
    pub spot_deviation: Reversion,
    /// Mean of the basis: the perpetual over the index, minus one.
    pub basis_mean: f64,
    /// Basis per log return of the index, returns fading with [`Recipe::basis_memory_hours`].
    pub basis_trend: f64,
    /// Hours after which a return has lost half of its effect on the basis.
    pub basis_memory_hours: f64,
    /// The part of the basis that a coin's perpetuals share.
    pub basis: Reversion,
    /// The part of the basis that is a venue's own.
    pub venue_basis: Reversion,
    /// Standard deviation of the log distance between a bar's open and the close before it.
    pub open_gap: f64,
    /// Growth of the logarithm of volume with the logarithm of volatility.
    pub volume_elasticity: f64,
    /// Part of the logarithm of volume that a coin's markets share.
    pub volume_noise: Reversion,
    /// Standard deviation of the part of the logarithm of an hour's volume that is a market's own.
    pub own_volume_noise: f64,
    /// Hours after which a premium has lost half of its effect on the mark price.
    pub mark_memory_hours: f64,
    /// Steps of the mark price per step of the price; a power of two keeps it exact in binary.
    pub marks_per_price_step: f64,
    /// Funding rate at which there is no premium to correct; per interval.
    pub funding_base: f64,
    /// How far the rate is pulled from the premium towards the base.
    pub funding_pull: f64,
    /// Largest rate in either direction.
    pub funding_cap: f64,
}

impl Recipe {
    /// The parameters behind the files in `data/`.
    ///
    /// Chosen by eye to resemble the majors of 2024; fitted to no data.
    pub const V1: Self = Self {
        common: Factor {
            volatility: 0.51,
            jumps_per_year: 60.0,
            jump_size: 0.014,
            jump_excitement: 0.7,
        },
        coins: [
            Coin {
                base: "BTC",
                symbol: "BTCUSDT",
                start_price: 42_250.0,
                drift: 0.35,
                beta: 1.0,
                own: Factor {
                    volatility: 0.17,
                    jumps_per_year: 25.0,
                    jump_size: 0.009,
                    jump_excitement: 0.7,
                },
                price_grid: 0.5,
                volume: [2_600.0, 18_000.0],
                volume_grid: [0.125, 0.5],
            },
            Coin {
                base: "ETH",
                symbol: "ETHUSDT",
                start_price: 2_285.0,
                drift: 0.2,
                beta: 1.1,
                own: Factor {
                    volatility: 0.32,
                    jumps_per_year: 30.0,
                    jump_size: 0.012,
                    jump_excitement: 0.7,
                },
                price_grid: 0.25,
                volume: [24_000.0, 230_000.0],
                volume_grid: [1.0, 4.0],
            },
        ],
        venues: [("binance", 0.55), ("bybit", 0.25), ("okx", 0.2)],
        slow_volatility: Reversion { deviation: 0.25, half_life_hours: 240.0 },
        fast_volatility: Reversion { deviation: 0.35, half_life_hours: 8.0 },
        weekend_volatility: 0.7,
        weekend_volume: 0.6,
        daily_swing: 0.4,
        peak_hour: 15.0,
        spot_deviation: Reversion { deviation: 0.000_25, half_life_hours: 0.25 },
        basis_mean: 0.000_6,
        basis_trend: 0.04,
        basis_memory_hours: 24.0,
        basis: Reversion { deviation: 0.001, half_life_hours: 8.0 },
        venue_basis: Reversion { deviation: 0.000_25, half_life_hours: 1.0 },
        open_gap: 0.000_03,
        volume_elasticity: 0.8,
        volume_noise: Reversion { deviation: 0.3, half_life_hours: 6.0 },
        own_volume_noise: 0.2,
        mark_memory_hours: 0.05,
        marks_per_price_step: 16.0,
        funding_base: 0.000_1,
        funding_pull: 0.000_5,
        funding_cap: 0.003,
    };
}
