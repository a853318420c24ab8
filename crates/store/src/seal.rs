//! The seal of a run folder: the hash of every file that a finished run has left.
//!
//! The log proves itself; the seal covers what stands beside it (run file, summary, results) and
//! that nothing of the log was cut off. It holds wall times, so it is in no digest.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::audit::commit::COMMIT_FILE;
use crate::error::FolderError;

/// Name of the seal in a run folder.
pub const SEAL_FILE: &str = "seal.json";

/// What a finished run has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// Version of this file.
    pub schema: u32,
    /// The log's last hash.
    pub digest: Option<String>,
    /// Every file, by name; of the log its commit file, which covers its streams.
    pub files: Vec<SealedFile>,
    /// Hash of the fields above.
    pub hash: String,
}

/// A file of a run folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedFile {
    /// Within the run folder.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Hash of its content.
    pub blake3: String,
}

/// What is wrong with a run folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum SealFault {
    #[error("{SEAL_FILE} is missing: the run did not come to its end, or somebody removed it")]
    Missing,

    #[error("{SEAL_FILE} is not as it was written")]
    Broken,

    #[error("{path} is missing")]
    Gone { path: String },

    #[error("{path} is not as it was written: {found} where the run left {expected}")]
    Changed { path: String, expected: String, found: String },
}

impl SealFault {
    /// The file that it is about, within the run folder.
    pub fn path(&self) -> &str {
        match self {
            Self::Missing | Self::Broken => SEAL_FILE,
            Self::Gone { path } | Self::Changed { path, .. } => path,
        }
    }
}

impl Seal {
    const SCHEMA: u32 = 1;

    /// Seals the files of `folder` that are there, of those named.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub fn of(folder: &Path, names: &[&str], digest: Option<String>) -> Result<Self, FolderError> {
        let mut files = Vec::new();
        let commits = format!("audit/{COMMIT_FILE}");
        for name in names.iter().copied().chain([commits.as_str()]) {
            let path = folder.join(name);
            if path.is_file() {
                files.push(SealedFile::of(name, &path)?);
            }
        }
        files.sort_unstable_by(|one, two| one.path.cmp(&two.path));
        let mut seal = Self { schema: Self::SCHEMA, digest, files, hash: String::new() };
        seal.hash = seal.computed_hash();
        Ok(seal)
    }

    /// Writes the seal into a run folder.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), FolderError> {
        let path = folder.join(SEAL_FILE);
        fs::write(&path, self.text()).map_err(FolderError::write(&path))
    }

    /// Compares a run folder with its seal; everything that is not as it was left.
    pub fn check(folder: &Path) -> Vec<SealFault> {
        let Ok(text) = fs::read(folder.join(SEAL_FILE)) else { return vec![SealFault::Missing] };
        let seal: Self = match serde_json::from_slice(&text) {
            Ok(seal) => seal,
            Err(_) => return vec![SealFault::Broken],
        };
        // Byte by byte, so that not even its spelling can change.
        if seal.hash != seal.computed_hash() || seal.text().as_bytes() != text {
            return vec![SealFault::Broken];
        }
        seal.files.iter().filter_map(|file| file.fault(folder)).collect()
    }

    fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("a seal is plain data") + "\n"
    }

    /// The hash that belongs to the other fields.
    pub fn computed_hash(&self) -> String {
        let mut hasher = blake3::Hasher::new_derive_key("tickdrain run folder");
        hasher.update(&self.schema.to_le_bytes());
        hasher.update(self.digest.as_deref().unwrap_or("-").as_bytes());
        for file in &self.files {
            hasher.update(&(file.path.len() as u64).to_le_bytes());
            hasher.update(file.path.as_bytes());
            hasher.update(&file.bytes.to_le_bytes());
            hasher.update(file.blake3.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

impl SealedFile {
    fn of(name: &str, path: &Path) -> Result<Self, FolderError> {
        let content = fs::read(path).map_err(FolderError::read(path))?;
        Ok(Self {
            path: name.to_owned(),
            bytes: content.len() as u64,
            blake3: blake3::hash(&content).to_hex().to_string(),
        })
    }

    fn fault(&self, folder: &Path) -> Option<SealFault> {
        let path = self.path.clone();
        // The seal names files of its folder and nothing else, whatever somebody writes into it.
        let is_inside = Path::new(&path)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        let full: PathBuf = folder.join(&path);
        if !is_inside || !full.is_file() {
            return Some(SealFault::Gone { path });
        }
        let found = Self::of(&path, &full).ok();
        let shown = |file: &Self| format!("{} bytes, blake3 {}", file.bytes, &file.blake3[..16]);
        (found.as_ref() != Some(self)).then(|| SealFault::Changed {
            path,
            expected: self.blake3.get(..16).map_or_else(String::new, |_| shown(self)),
            found: found.as_ref().map_or_else(|| "nothing that can be read".to_owned(), shown),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("audit")).unwrap();
        fs::write(folder.path().join("run.toml"), "seed = 7\n").unwrap();
        fs::write(folder.path().join("audit/commits.jsonl"), "{}\n").unwrap();
        fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        Seal::of(folder.path(), &["run.toml", "trades.parquet"], Some("d".to_owned()))
            .unwrap()
            .write(folder.path())
            .unwrap();
        folder
    }

    #[test]
    fn every_bit_of_every_sealed_file_and_of_the_seal_counts() {
        let folder = folder();
        assert_eq!(Seal::check(folder.path()), []);
        for name in ["run.toml", "audit/commits.jsonl", SEAL_FILE] {
            let path = folder.path().join(name);
            let whole = fs::read(&path).unwrap();
            for bit in 0..whole.len() * 8 {
                let mut bytes = whole.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                fs::write(&path, &bytes).unwrap();
                assert_eq!(Seal::check(folder.path()).len(), 1, "bit {bit} of {name}");
            }
            fs::write(&path, whole).unwrap();
        }
        assert_eq!(Seal::check(folder.path()), [], "what is somebody's own is not sealed");
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = folder();
        fs::remove_file(folder.path().join("run.toml")).unwrap();
        assert_eq!(Seal::check(folder.path())[0].to_string(), "run.toml is missing");
        fs::remove_file(folder.path().join(SEAL_FILE)).unwrap();
        assert_eq!(Seal::check(folder.path()), [SealFault::Missing]);
    }
}
