//! Mistakes of the engine, planted for tests of whoever has to find them.
//!
//! Each stands at the one place where the engine could make it. Without the feature `planted-faults`
//! nothing is ever planted, and [`has`] is a constant that leaves nothing behind in a program.

#[cfg(feature = "planted-faults")]
use std::cell::Cell;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// Funding is paid the wrong way round, in both books.
    FundingSign,
    /// What an operation changes is booked twice, in both books.
    DeltasTwice,
    /// A fill is stamped before its order may fill.
    BeforeEligible,
    /// Slippage carries a fill beyond the limit of its order.
    BeyondLimit,
    /// The books are not compared after an operation.
    NoComparison,
    /// The notional of a fill is rounded to whole units of the quote currency.
    RoundNotional,
    /// An order that has filled is said to have filled in part.
    NewsAfterEnd,
    /// What fell due is settled twice, in both books.
    SettledTwice,
    /// Funding is no part of the profit that is told.
    FundingDropped,
}

#[cfg(feature = "planted-faults")]
thread_local! {
    static PLANTED: Cell<Option<Mistake>> = const { Cell::new(None) };
}

/// Whether a mistake is made.
#[cfg(feature = "planted-faults")]
pub fn has(mistake: Mistake) -> bool {
    PLANTED.get() == Some(mistake)
}

/// Whether a mistake is made: never.
#[cfg(not(feature = "planted-faults"))]
#[inline]
pub const fn has(_mistake: Mistake) -> bool {
    false
}

/// Does something with a mistake planted on this thread, or with none.
#[cfg(feature = "planted-faults")]
pub fn with<T>(mistake: Option<Mistake>, work: impl FnOnce() -> T) -> T {
    PLANTED.set(mistake);
    let done = work();
    PLANTED.set(None);
    done
}
