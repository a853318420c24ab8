//! The live profile: the same tight loop, driven with awaits against venues that take their time.
//!
//! Time comes from a [`Clock`] alone, so every test runs on a simulated one. No venue of the real
//! world is bundled: [`MockVenue`] stands for one, with lags, errors and rate limits by seed.

pub mod clock;
pub mod driver;
mod files;
pub mod mock_venue;
pub mod restart;
pub mod shutdown;
pub mod snapshot;
#[cfg(test)]
mod tests;
pub mod venue;
pub mod wal;

pub use clock::{Clock, SimulatedClock};
pub use driver::{LiveDriver, LiveSettings};
pub use files::write_health;
pub use mock_venue::MockVenue;
pub use restart::recover;
pub use shutdown::{ShutdownError, shut_down};
pub use snapshot::{LiveSnapshot, SnapshotError, SnapshotStore};
pub use venue::{CallError, LiveVenue, PositionCache};
pub use wal::{WalBook, WalPort};
