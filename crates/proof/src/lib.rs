//! What a log proves: replay, verification, comparison and explanation, from the records alone.
//!
//! Nothing here can see the ledger or the venues. The state is rebuilt with integers of 10⁻¹⁸ where
//! they reckon with decimals, so that a fault of theirs is not repeated here.

pub mod diff;
pub mod explain;
pub mod laws;
pub mod orders;
pub mod replay;
pub mod verify;

pub use diff::{Comparison, Divergence, compare};
pub use replay::{Replay, State};
pub use verify::{Verification, verify};
