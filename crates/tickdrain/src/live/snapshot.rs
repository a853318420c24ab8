//! State snapshots of a live run: atomic, with a checksum, the last two kept (07 §9.4).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::files::replace;

/// The state of a run, by part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiveSnapshot {
    /// Which run.
    pub run_id: String,
    /// Hash of the settings that the state belongs to.
    pub config_hash: String,
    /// Number of the snapshot in its run, from 1.
    pub number: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The state of each part, in the part's own form.
    pub parts: BTreeMap<String, Value>,
}

/// Parts without which a run cannot go on.
pub const PARTS: [&str; 15] = [
    "data_cursor",
    "simulated_positions",
    "real_positions",
    "perp_entries",
    "settlement_ledger",
    "pnl",
    "risk",
    "strategies",
    "instruction_sequences",
    "resting_orders",
    "reservations",
    "id_counters",
    "rng",
    "bus_seq",
    "log_offset",
];

/// A folder with the last two snapshots of a run.
#[derive(Clone, Debug)]
pub struct SnapshotStore {
    folder: PathBuf,
}

/// Why there is no snapshot to go on from.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum SnapshotError {
    #[error("LOG-SNAPSHOT: {path} cannot be read or written", path = .path.display())]
    Io { path: PathBuf, source: io::Error },

    #[error("LOG-SNAPSHOT: a snapshot without `{part}`")]
    Incomplete { part: &'static str },

    #[error("CFG-CHANGED: the snapshot belongs to settings {found}, not to {expected}")]
    OtherConfig { found: String, expected: String },
}

/// How many are kept.
const KEPT: usize = 2;

impl SnapshotStore {
    /// The snapshots in a folder, which must exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Saves a snapshot, then forgets all but the last two.
    ///
    /// # Errors
    ///
    /// A part is missing, or the folder cannot be written.
    pub fn save(&self, snapshot: &LiveSnapshot) -> Result<(), SnapshotError> {
        if let Some(part) = PARTS.into_iter().find(|part| !snapshot.parts.contains_key(*part)) {
            return Err(SnapshotError::Incomplete { part });
        }
        let path = self.folder.join(format!("state-{:012}.json", snapshot.number));
        let failed = |source| SnapshotError::Io { path: path.clone(), source };
        let body = serde_json::to_string(snapshot).map_err(|error| failed(error.into()))?;
        let checksum = blake3::hash(body.as_bytes()).to_hex();
        replace(&path, format!("{checksum}\n{body}\n").as_bytes()).map_err(failed)?;
        let known = self.files()?;
        for old in known.iter().rev().skip(KEPT) {
            fs::remove_file(old)
                .map_err(|source| SnapshotError::Io { path: old.clone(), source })?;
        }
        Ok(())
    }

    /// The newest snapshot that is whole; `None` if there is none.
    ///
    /// # Errors
    ///
    /// It belongs to other settings, unless `force` says that this is meant.
    pub fn newest(
        &self,
        config_hash: &str,
        force: bool,
    ) -> Result<Option<LiveSnapshot>, SnapshotError> {
        let Some(snapshot) = self.files()?.iter().rev().find_map(|path| whole(path)) else {
            return Ok(None);
        };
        if snapshot.config_hash != config_hash && !force {
            let (found, expected) = (snapshot.config_hash, config_hash.to_owned());
            return Err(SnapshotError::OtherConfig { found, expected });
        }
        Ok(Some(snapshot))
    }

    /// Oldest first.
    fn files(&self) -> Result<Vec<PathBuf>, SnapshotError> {
        let failed = |source| SnapshotError::Io { path: self.folder.clone(), source };
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_whole = path.extension().is_some_and(|extension| extension == "json");
            if name.starts_with("state-") && is_whole {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}

/// A snapshot whose checksum holds; a torn one counts as none.
fn whole(path: &Path) -> Option<LiveSnapshot> {
    let content = fs::read_to_string(path).ok()?;
    let (checksum, body) = content.split_once('\n')?;
    let body = body.strip_suffix('\n')?;
    if blake3::hash(body.as_bytes()).to_hex().as_str() != checksum {
        return None;
    }
    serde_json::from_str(body).ok()
}
