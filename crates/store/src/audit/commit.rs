//! Commits: the chain that makes a set of streams one log.

use model::Decimal;
use model::instrument::{Contract, InstrumentIx, InstrumentTable, KeyIx};
use serde::{Deserialize, Serialize};

use super::kind::SCHEMA_VERSION;

/// Name of the commit file under `audit/`.
pub const COMMIT_FILE: &str = "commits.jsonl";

/// A 32-byte hash as it stands in files.
pub type Hex = String;

/// First line of the commit file: what the run was computed from, and by what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Version of the log's schema.
    pub schema: u32,
    /// Hash of the semantic inputs: settings without names, paths and output options, dataset
    /// hashes, registry, seed. The chain starts from it.
    pub run_id: Hex,
    /// Hashes of the datasets, in run-file order.
    pub datasets: Vec<Hex>,
    /// What a reader of the log has to know of the run.
    pub terms: Terms,
    /// Program that wrote the log; beside the chain, in no digest.
    pub program: String,
}

/// What the records of a log refer to, so that they can be understood without the run file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The currency of equity and profit.
    pub share_class: String,
    /// Length of a frame, in milliseconds.
    pub interval_ms: i64,
    /// Strategies and services of one's own; publishers from place 2 on.
    pub strategies: Vec<String>,
    /// The instruments of the run.
    pub instruments: Vec<InstrumentTerms>,
    /// What the account held before the first frame.
    pub opening: Vec<Holding>,
}

/// How trades in an instrument change balances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstrumentTerms {
    /// Its id.
    pub id: String,
    /// `spot`, `linear` or `inverse`.
    pub contract: String,
    /// Size of a contract, in base currency, of an inverse one in quote currency; 1 for spot.
    pub contract_size: String,
    /// What a trade changes by its quantity.
    pub position_key: String,
    /// What pays and receives.
    pub cash_key: String,
    /// Decimals to which amounts of cash are rounded.
    pub cash_scale: u32,
}

/// An amount of a position.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holding {
    /// Which position.
    pub position_key: String,
    /// Units, as a decimal.
    pub amount: String,
}

impl Terms {
    /// The terms of a run; strategies in run-file order.
    pub fn new(
        share_class: &str,
        interval_ms: i64,
        strategies: Vec<String>,
        table: &InstrumentTable,
        opening: &[(KeyIx, Decimal)],
    ) -> Self {
        let holding = |(key, amount): &(KeyIx, Decimal)| Holding {
            position_key: table.key(*key).to_string(),
            amount: amount.normalize().to_string(),
        };
        Self {
            share_class: share_class.to_owned(),
            interval_ms,
            strategies,
            instruments: table.instruments().map(|(ix, _)| instrument(table, ix)).collect(),
            opening: opening.iter().map(holding).collect(),
        }
    }

    fn hash_into(&self, hasher: &mut blake3::Hasher) {
        let mut text = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        text(&self.share_class);
        text(&self.interval_ms.to_string());
        text(&self.strategies.len().to_string());
        self.strategies.iter().for_each(|strategy| text(strategy));
        text(&self.instruments.len().to_string());
        for it in &self.instruments {
            let scale = it.cash_scale.to_string();
            let key = [&it.position_key, &it.cash_key];
            for field in [&it.id, &it.contract, &it.contract_size].into_iter().chain(key) {
                text(field);
            }
            text(&scale);
        }
        for holding in &self.opening {
            text(&holding.position_key);
            text(&holding.amount);
        }
    }
}

fn instrument(table: &InstrumentTable, ix: InstrumentIx) -> InstrumentTerms {
    let it = table.instrument(ix);
    let (contract, size) = match &it.contract {
        Contract::Spot => ("spot", Decimal::ONE),
        Contract::Linear { size, .. } => ("linear", *size),
        Contract::Inverse { size, .. } => ("inverse", *size),
    };
    InstrumentTerms {
        id: it.id.to_string(),
        contract: contract.to_owned(),
        contract_size: size.normalize().to_string(),
        position_key: table.key(table.base_key(ix)).to_string(),
        cash_key: table.key(table.cash_key(ix)).to_string(),
        cash_scale: it.ledger_scale.0,
    }
}

/// A line of the commit file, with its newline.
pub(crate) fn line_of(content: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(content).expect("the lines of a log are plain data");
    line.push(b'\n');
    line
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
        self.terms.hash_into(&mut hasher);
        hasher.finalize()
    }
}

/// What a commit says of one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
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
    /// What it says of a stream, if it adds to it.
    pub fn part(&self, kind: &str) -> Option<&StreamPart> {
        self.streams.iter().find(|part| part.kind == kind)
    }

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
