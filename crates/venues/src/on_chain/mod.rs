//! A chain for tests: quotes that are constant or scripted, its own books, and atomic groups.
//!
//! Single operations that cannot succeed are known before they are sent and cost nothing; groups
//! revert and pay their gas (D76).

mod chain;
mod effects;
mod interface;
mod ledger;
mod market;
mod pool;
#[cfg(test)]
mod tests;

pub use chain::{Chain, ChainSettings};
pub use interface::ChainInterface;
pub(crate) use interface::report;
pub use ledger::{ChainLedger, ChainPositions, SharedLedger};
pub use market::{ChainMarket, MarketScript};
