//! Commits: the chain that makes a set of streams one log.

use serde::{Deserialize, Serialize};

use super::kind::SCHEMA_VERSION;

/// Name of the commit file under `audit/`.
pub const COMMIT_FILE: &str = "commits.jsonl";

/// A 32-byte hash as it stands in files.
pub type Hex = String;

/// First line of the commit file: what the run was computed from, and by what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the log's schema.
    pub schema: u32,
    /// Hash of the semantic inputs: settings without names, paths and output options, dataset
    /// hashes, registry, seed. The chain starts from it.
    pub run_id: Hex,
    /// Hashes of the datasets, in run-file order.
    pub datasets: Vec<Hex>,
    /// Program that wrote the log; beside the chain, in no digest.
    pub program: String,
}

impl Header {
    /// The hash that the first commit builds on.
    pub fn genesis(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_derive_key("tickdrain audit log");
        hasher.update(&SCHEMA_VERSION.to_le_bytes());
        hasher.update(self.run_id.as_bytes());
        for dataset in &self.datasets {
            hasher.update(dataset.as_bytes());
        }
        hasher.finalize()
    }
}

/// What a commit says of one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamPart {
    /// The record kind.
    pub kind: String,
    /// Length of the stream up to this commit.
    pub end: u64,
    /// Rows that this commit adds.
    pub rows: u64,
    /// Hash of the bytes that this commit adds.
    pub blake3: Hex,
}

/// One line of the commit file: everything up to here is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Number of the commit, from 1.
    pub commit: u64,
    /// Whether it stands where no commit belongs (Ctrl-C); `resume` goes back to the one before.
    pub provisional: bool,
    /// Frames up to this commit.
    pub frames: u64,
    /// First and last `seq` of this commit.
    pub first_seq: u64,
    /// See `first_seq`.
    pub last_seq: u64,
    /// First and last tick of this commit, in milliseconds.
    pub first_tick: i64,
    /// See `first_tick`.
    pub last_tick: i64,
    /// The streams that this commit adds to.
    pub streams: Vec<StreamPart>,
    /// Hash of the commit before.
    pub previous: Hex,
    /// Hash of this commit.
    pub hash: Hex,
}

impl Commit {
    /// The hash that belongs to the other fields.
    ///
    /// Every field is hashed as its number or its text with its length, never as JSON: the spelling
    /// of a file is not what a log proves.
    pub fn computed_hash(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.previous.as_bytes());
        for number in [self.commit, self.frames, self.first_seq, self.last_seq] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.update(&self.first_tick.to_le_bytes());
        hasher.update(&self.last_tick.to_le_bytes());
        hasher.update(&[u8::from(self.provisional)]);
        for part in &self.streams {
            hasher.update(&(part.kind.len() as u64).to_le_bytes());
            hasher.update(part.kind.as_bytes());
            hasher.update(&part.end.to_le_bytes());
            hasher.update(&part.rows.to_le_bytes());
            hasher.update(part.blake3.as_bytes());
        }
        hasher.finalize()
    }
}
