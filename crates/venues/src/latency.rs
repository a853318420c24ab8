//! Latency: how long a request is on its way to the venue.

use std::fmt;

use model::order::OrderId;

/// How long a request is on its way; with both, the later one counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Milliseconds.
    pub millis: i64,
    /// Bars of the instrument that it misses; synthetic bars do not count.
    pub bars: u32,
}

/// Random numbers of one order's own: the same in every run of one seed, whatever the other orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderDraw {
    seed: u64,
    order_id: OrderId,
}

impl OrderDraw {
    /// The draws of an order.
    pub const fn of(seed: u64, order_id: OrderId) -> Self {
        Self { seed, order_id }
    }

    /// The first bytes of BLAKE3 over seed and order id (10 §12.1); reckoned only when asked for.
    fn bits(self) -> u64 {
        let mut hasher = blake3::Hasher::new_derive_key("tickdrain order draw");
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(&self.order_id.strategy.0.to_le_bytes());
        hasher.update(&self.order_id.number.to_le_bytes());
        let mut bytes = [0; 8];
        hasher.finalize_xof().fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A whole number from `least` to `most`, all equally likely.
    ///
    /// # Panics
    ///
    /// If `most` is less than `least`.
    pub fn between(self, least: i64, most: i64) -> i64 {
        assert!(least <= most, "a range has a beginning and an end");
        let count = u128::from(most.abs_diff(least)) + 1;
        let place = (u128::from(self.bits()) * count) >> 64;
        least + i64::try_from(place).expect("below the count")
    }
}

/// How long requests are on their way. Implement it for models of your own.
pub trait LatencyModel: fmt::Debug {
    /// The latency of the request that `draw` belongs to.
    fn latency(&self, draw: OrderDraw) -> Latency;
}

/// Always the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FixedLatency(pub Latency);

impl LatencyModel for FixedLatency {
    fn latency(&self, _draw: OrderDraw) -> Latency {
        self.0
    }
}

/// Equally likely between two durations, drawn for each order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UniformLatency {
    /// Shortest, in milliseconds.
    pub millis_min: i64,
    /// Longest, in milliseconds.
    pub millis_max: i64,
    /// Bars missed in any case.
    pub bars: u32,
}

impl LatencyModel for UniformLatency {
    fn latency(&self, draw: OrderDraw) -> Latency {
        Latency { millis: draw.between(self.millis_min, self.millis_max), bars: self.bars }
    }
}

#[cfg(test)]
mod tests {
    use model::order::StrategyIx;

    use super::*;

    #[test]
    fn a_draw_belongs_to_its_order_and_seed() {
        let id = |number| OrderId { strategy: StrategyIx(0), number };
        let draw = |seed, number| OrderDraw::of(seed, id(number));
        assert_eq!(draw(7, 1).bits(), draw(7, 1).bits());
        assert_ne!(draw(7, 1).bits(), draw(7, 2).bits());
        assert_ne!(draw(7, 1).bits(), draw(8, 1).bits());
        let model = UniformLatency { millis_min: 10, millis_max: 12, bars: 0 };
        let drawn: Vec<i64> = (1..100).map(|n| model.latency(draw(7, n)).millis).collect();
        assert!((10..=12).all(|millis| drawn.contains(&millis)));
        assert!(drawn.iter().all(|millis| (10..=12).contains(millis)));
    }
}
