//! Identity of a file: its length and the hash of its bytes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::DataError;

/// Bytes read at a time.
const BLOCK_BYTES: usize = 1 << 17;

/// What makes a file the same file on any machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Hash of all bytes.
    pub blake3: blake3::Hash,
    /// Length.
    pub bytes: u64,
}

/// Hashes a file without holding it in memory.
///
/// # Errors
///
/// If the file cannot be opened or read.
pub fn fingerprint(path: &Path) -> Result<Fingerprint, DataError> {
    let mut file =
        File::open(path).map_err(|source| DataError::Open { path: path.to_path_buf(), source })?;
    let mut hasher = blake3::Hasher::new();
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let length = file
            .read(&mut block)
            .map_err(|source| DataError::Read { path: path.to_path_buf(), source })?;
        if length == 0 {
            return Ok(Fingerprint { blake3: hasher.finalize(), bytes: hasher.count() });
        }
        hasher.update(&block[..length]);
    }
}
