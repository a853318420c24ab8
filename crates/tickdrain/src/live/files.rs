//! Files that are whole or not there: written beside their place, then moved into it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use execution::health::Health;
use model::time::UtcMillis;

/// Replaces a file by one with this content.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(content)?;
    // The content before the name: a name must never lead to half a file.
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// Says how a live run is, for a supervisor that reads the file and starts a new one if need be.
///
/// # Errors
///
/// The file cannot be written.
pub fn write_health(
    path: &Path,
    health: Health,
    code: Option<&str>,
    at: UtcMillis,
) -> io::Result<()> {
    let content = serde_json::json!({
        "health": health.name(),
        "code": code,
        "at": at.to_string(),
    });
    replace(path, format!("{content}\n").as_bytes())
}
