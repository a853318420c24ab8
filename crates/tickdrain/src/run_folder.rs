//! The run folder: where a run leaves what it found.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use store::FolderError;
use store::seal::SEAL_FILE;

/// Where a run leaves its folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// `runs/<name>-<run id>`, with a number if that exists already.
    #[default]
    Numbered,
    /// This folder, which must be empty unless it may be overwritten.
    Explicit {
        /// The folder.
        path: PathBuf,
        /// Whether what is in it may be deleted.
        overwrite: bool,
    },
    /// This folder, where something of the run lies already but no other run.
    Beside {
        /// The folder.
        path: PathBuf,
    },
    /// Nowhere.
    Nowhere,
}

impl Output {
    /// Creates the folder of a run; `None` if it leaves nothing.
    ///
    /// # Errors
    ///
    /// The folder cannot be created, or is not empty.
    pub fn create(&self, name: &str, run_id: &str) -> Result<Option<PathBuf>, FolderError> {
        match self {
            Self::Nowhere => Ok(None),
            Self::Numbered => numbered(&format!("{}-{}", file_name(name), &run_id[..8])).map(Some),
            Self::Beside { path } if is_run(path) => {
                Err(FolderError::NotEmpty { path: path.clone() })
            }
            Self::Beside { path } => create_all(path).map(|()| Some(path.clone())),
            Self::Explicit { path, overwrite } => explicit(path, *overwrite).map(Some),
        }
    }
}

/// A run's name as a file name: what could lead elsewhere becomes a hyphen.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let text: String = name.chars().map(plain).collect();
    let text = text.trim_start_matches('.');
    if text.is_empty() { "run".to_owned() } else { text.to_owned() }
}

fn numbered(name: &str) -> Result<PathBuf, FolderError> {
    let parent = Path::new("runs");
    create_all(parent)?;
    let mut number = 1;
    loop {
        let path = match number {
            1 => parent.join(name),
            _ => parent.join(format!("{name}-{number}")),
        };
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(source) => return Err(FolderError::Create { path, source }),
        }
    }
}

fn explicit(path: &Path, overwrite: bool) -> Result<PathBuf, FolderError> {
    create_all(path)?;
    let read = |source| FolderError::Read { path: path.to_owned(), source };
    let mut entries = fs::read_dir(path).map_err(read)?.peekable();
    if entries.peek().is_none() {
        return Ok(path.to_owned());
    }
    // Only what looks like a run is deleted: a mistyped path must not cost a home folder.
    if !overwrite || !is_run(path) {
        return Err(FolderError::NotEmpty { path: path.to_owned() });
    }
    for entry in entries {
        let entry = entry.map_err(read)?;
        // What else lies there is somebody's own, the inputs of this very run perhaps.
        if entry.file_name().to_str().is_some_and(|name| WRITTEN.contains(&name)) {
            remove(&entry.path())?;
        }
    }
    Ok(path.to_owned())
}

/// Everything that a run writes into its folder.
pub(crate) const WRITTEN: [&str; 14] = [
    "run.toml",
    "summary.json",
    "equity.parquet",
    "orders.parquet",
    "fills.parquet",
    "trades.parquet",
    "positions.parquet",
    "settlements.parquet",
    "exposure.parquet",
    "risk.parquet",
    "pnl.parquet",
    "decisions.parquet",
    "audit",
    SEAL_FILE,
];

/// Whether a run has left its results here; somebody's own `run.toml` is not enough.
fn is_run(path: &Path) -> bool {
    let has = |name: &str| path.join(name).exists();
    has("run.toml") && ["audit", "equity.parquet", "summary.json"].into_iter().any(has)
}

/// Removes a file, a folder with everything in it, or a link but not what it leads to.
fn remove(path: &Path) -> Result<(), FolderError> {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let removed = if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(|source| FolderError::Write { path: path.to_owned(), source })
}

fn create_all(path: &Path) -> Result<(), FolderError> {
    fs::create_dir_all(path).map_err(|source| FolderError::Create { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_lead_out_of_the_folder() {
        for (name, expected) in [
            ("btc-sma-cross", "btc-sma-cross"),
            ("../../etc", "-..-etc"),
            ("a/b\\c", "a-b-c"),
            ("...", "run"),
        ] {
            assert_eq!(file_name(name), expected);
        }
    }

    #[test]
    fn an_explicit_folder_must_be_empty_or_an_old_run() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("out");
        assert_eq!(explicit(&path, false).unwrap(), path);
        fs::write(path.join("notes.txt"), "mine").unwrap();
        assert!(matches!(explicit(&path, false), Err(FolderError::NotEmpty { .. })));
        assert!(matches!(explicit(&path, true), Err(FolderError::NotEmpty { .. })));
        fs::write(path.join("run.toml"), "mine too").unwrap();
        assert!(matches!(explicit(&path, true), Err(FolderError::NotEmpty { .. })));
        fs::create_dir(path.join("audit")).unwrap();
        fs::write(path.join("audit/commits.jsonl"), "").unwrap();
        assert!(matches!(explicit(&path, false), Err(FolderError::NotEmpty { .. })));
        assert_eq!(explicit(&path, true).unwrap(), path);
        let left: Vec<_> =
            fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [path.join("notes.txt")], "what no run writes is somebody's own");
    }
}
