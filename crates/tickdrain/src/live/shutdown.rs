//! The end of a live run that failed: state first, then word to the supervisor, then the exit code.

use std::io;
use std::path::Path;

use execution::failure::SystemFailure;
use execution::health::Health;

use super::files::write_health;
use super::snapshot::{LiveSnapshot, SnapshotError, SnapshotStore};

/// Why the end of a failed run could not be written down.
#[derive(Debug, thiserror::Error)]
pub enum ShutdownError {
    /// The state was not saved; the last snapshot stands.
    #[error("the state of the failed run was not saved")]
    Snapshot(#[from] SnapshotError),
    /// The supervisor was not told.
    #[error("LOG-HEALTH: the health file cannot be written")]
    Health(#[source] io::Error),
}

/// Saves the state, marks the instance critical and returns the exit code for `main` (D53).
///
/// Positions are not closed.
///
/// # Errors
///
/// The state or the health file could not be written; the supervisor is told even if the state was
/// not saved.
pub fn shut_down(
    failure: &SystemFailure,
    snapshot: &LiveSnapshot,
    store: &SnapshotStore,
    health: &Path,
) -> Result<u8, ShutdownError> {
    let saved = store.save(snapshot);
    write_health(health, Health::Critical, Some(failure.code()), failure.ts)
        .map_err(ShutdownError::Health)?;
    saved?;
    Ok(crate::error::exit::SYSTEM)
}
