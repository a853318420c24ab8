//! Draws from a seeded stream.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// A stream of draws.
#[derive(Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number from `from` up to and including `to`.
    pub(crate) fn range(&mut self, from: i128, to: i128) -> i128 {
        from + i128::from(self.0.next_u64()) % (to - from + 1)
    }

    /// A place in a list of `count`.
    pub(crate) fn place(&mut self, count: usize) -> usize {
        let last = i128::try_from(count).expect("a short list") - 1;
        usize::try_from(self.range(0, last)).expect("a short list")
    }

    pub(crate) fn chance(&mut self, percent: i128) -> bool {
        self.range(1, 100) <= percent
    }

    pub(crate) fn pick<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.place(values.len())].clone()
    }
}
