//! Names of orders and of groups of orders.

/// Place of a strategy in the run file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrategyIx(pub u16);

impl StrategyIx {
    /// No strategy: a venue that closes a position.
    pub const VENUE: Self = Self(u16::MAX);
}

/// Name of an order, unique in its run: the strategy and the strategy's own count, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId {
    /// Who wanted it.
    pub strategy: StrategyIx,
    /// Which of its orders it is.
    pub number: u32,
}

impl OrderId {
    /// What a venue does on its own: the order of nobody.
    pub const fn of_venue(number: u32) -> Self {
        Self { strategy: StrategyIx::VENUE, number }
    }

    /// The order `places` after this one of the same strategy.
    #[must_use]
    pub const fn after(self, places: u32) -> Self {
        Self { strategy: self.strategy, number: self.number + places }
    }
}

/// Orders of one strategy of which one cancels the other (FIX contingency "one cancels the other").
///
/// A fill of one reduces the others by the same quantity, a full fill cancels them (10 §12.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OcoGroup {
    /// Whose orders they are.
    pub strategy: StrategyIx,
    /// Which of its groups it is.
    pub number: u32,
}
