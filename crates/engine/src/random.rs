//! Randomness: a tree of streams keyed by name, so a new draw in one place shifts no other.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// A seeded source of named streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomTree {
    key: [u8; 32],
}

impl RandomTree {
    /// The tree of a seed.
    pub fn new(seed: u64) -> Self {
        Self { key: blake3::derive_key("tickdrain random tree", &seed.to_le_bytes()) }
    }

    /// The subtree of a name.
    #[must_use]
    pub fn branch(&self, name: &str) -> Self {
        Self { key: *blake3::keyed_hash(&self.key, name.as_bytes()).as_bytes() }
    }

    /// The stream of this branch, always from its beginning.
    pub fn stream(&self) -> ChaCha8Rng {
        ChaCha8Rng::from_seed(self.key)
    }
}

/// Shuffles `items`; every order is equally likely.
///
/// # Panics
///
/// At more than 2³² items.
pub fn shuffle<T>(items: &mut [T], stream: &mut ChaCha8Rng) {
    for last in (1..items.len()).rev() {
        let bound = u32::try_from(last + 1).expect("few items");
        // The product's upper half is uniform enough for a schedule and needs no rejection.
        let draw = (u64::from(stream.next_u32()) * u64::from(bound)) >> 32;
        items.swap(last, usize::try_from(draw).expect("below the bound"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_different_names_differ_and_of_one_name_agree() {
        let tree = RandomTree::new(7);
        let draw = |name: &str| tree.branch(name).stream().next_u64();
        assert_eq!(draw("latency"), draw("latency"));
        assert_ne!(draw("latency"), draw("schedule"));
        assert_ne!(draw("latency"), RandomTree::new(8).branch("latency").stream().next_u64());
    }
}
