//! Noise: values that nobody could have foreseen, the same for the same seed.

/// A source of random bits (splitmix64); good enough to be unlike any market.
#[derive(Clone, Debug)]
pub(super) struct Noise(u64);

impl Noise {
    /// Noise of a purpose, told apart by its text and a number.
    pub(super) fn of(purpose: &str, seed: u64, number: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("tickdrain noise");
        hasher.update(purpose.as_bytes());
        hasher.update(&seed.to_le_bytes());
        hasher.update(&number.to_le_bytes());
        let hash = hasher.finalize();
        let bytes = hash.as_bytes().first_chunk().expect("a hash has eight bytes");
        Self(u64::from_le_bytes(*bytes))
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Anything from `low` to `high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        let bits = u32::try_from(self.bits() >> 32).unwrap_or(0);
        low + (high - low) * f64::from(bits) / f64::from(u32::MAX)
    }

    /// A place among `count`; zero if there is none.
    pub(super) fn place(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.bits() % count).unwrap_or(0)
    }
}
