//! Named streams of random numbers.

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

/// 2⁻⁵³, the distance between neighbouring values of [`Stream::uniform`].
const STEP: f64 = 1.0 / 9_007_199_254_740_992.0;

/// An endless sequence of random numbers that depends on a seed and a name, and on nothing else.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    rng: ChaCha12Rng,
    /// Second deviate of the last Box–Muller pair, until it is used.
    spare: Option<f64>,
}

impl Stream {
    /// The stream called `name` under `seed`: `ChaCha12` keyed by BLAKE3 of both.
    pub(super) fn new(seed: u64, name: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(name.as_bytes());
        Self { rng: ChaCha12Rng::from_seed(*hasher.finalize().as_bytes()), spare: None }
    }

    /// A uniform number in [0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact in an f64")]
    pub(super) fn uniform(&mut self) -> f64 {
        (self.rng.next_u64() >> 11) as f64 * STEP
    }

    /// A normal deviate of mean 0 and variance 1.
    ///
    /// Box–Muller: two uniform numbers make two deviates, so the number of draws never depends on
    /// their values.
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // 1 − u lies in (0, 1], where the logarithm is finite.
        let radius = (-2.0 * libm::log(1.0 - self.uniform())).sqrt();
        let (sin, cos) = libm::sincos(2.0 * std::f64::consts::PI * self.uniform());
        self.spare = Some(radius * sin);
        radius * cos
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_its_seed_and_name_only() {
        let first = |seed, name| Stream::new(seed, name).rng.next_u64();
        assert_eq!(first(7, "jumps"), first(7, "jumps"));
        assert_ne!(first(7, "jumps"), first(8, "jumps"));
        assert_ne!(first(7, "jumps"), first(7, "volume"));
    }

    #[test]
    fn deviates_have_the_moments_of_a_normal_distribution() {
        let mut stream = Stream::new(7, "moments");
        let draws: Vec<f64> = (0..100_000).map(|_| stream.normal()).collect();
        let moment = |power: i32| -> f64 {
            draws.iter().map(|z| (0..power).map(|_| *z).product::<f64>()).sum::<f64>() / 100_000.0
        };
        assert!(moment(1).abs() < 0.02, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.02, "{}", moment(2));
        assert!(moment(3).abs() < 0.05, "{}", moment(3));
        assert!((moment(4) - 3.0).abs() < 0.1, "{}", moment(4));
    }
}
