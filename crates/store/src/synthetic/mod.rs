//! Synthetic data: a seeded model of twelve related markets, and the files it is written to.
//!
//! One seed gives the same bytes on every machine. The arithmetic is `+ - * /`, square roots and
//! `libm`; every purpose draws from a stream of its own, named in the code, so that a new draw in
//! one place shifts no other; one thread computes everything in one order.
//!
//! From the bottom up: a [factor](Factor) is a cause of returns, a coin's fair price follows from
//! two of them, a venue's spot price hovers around the fair price, and a perpetual hovers around
//! the mean of the spot prices. Only then are minutes cut into bars, and marks and funding rates
//! read off them.

mod bars;
mod coin;
mod factor;
mod file;
mod perpetual;
mod random;
mod recipe;
mod tables;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use model::instrument::InstrumentId;
use parquet::errors::ParquetError;

use file::Table;
pub use recipe::{Coin, Factor, Recipe, Reversion};

/// Name and version of the generator, as each file of candles states it under `tickdrain.generator`.
///
/// The version changes with the bytes: whoever has the seed and this text can make the file again.
pub const GENERATOR: &str = "tickdrain-synthetic v1";

/// The same of files of marks and funding, which came later and change no candle.
pub const PERPETUAL_GENERATOR: &str = "tickdrain-synthetic perpetuals v1";

/// A file that [`generate`] wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Name inside the folder: `binance_spot_BTCUSDT_1h.parquet`.
    pub name: String,
    /// Number of rows.
    pub rows: usize,
    /// Length in bytes.
    pub bytes: usize,
    /// BLAKE3 hash of the bytes, in hexadecimal.
    pub blake3: String,
}

/// Why the synthetic data could not be written.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum SyntheticError {
    #[error("cannot create the folder {path}", path = .path.display())]
    CreateFolder { path: PathBuf, source: io::Error },

    #[error("cannot encode the data of {instrument}")]
    Encode { instrument: InstrumentId, source: ParquetError },

    #[error("cannot write {path}", path = .path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Writes a year of hourly candles of twelve markets into `folder`, by [`Recipe::V1`], and hourly
/// marks and funding every eight hours of those of them that are perpetuals.
///
/// The folder is created if it is missing; files of the same names are replaced, others are left
/// alone. The result lists the files in the order in which they were written.
///
/// # Errors
///
/// If the folder cannot be created, or a file not encoded or written. Files written before the
/// error stay.
pub fn generate(folder: &Path, seed: u64) -> Result<Vec<GeneratedFile>, SyntheticError> {
    fs::create_dir_all(folder)
        .map_err(|source| SyntheticError::CreateFolder { path: folder.to_owned(), source })?;
    let tables = tables::tables(&Recipe::V1.year(seed));
    tables.iter().map(|(ending, table)| write(folder, ending, table, seed)).collect()
}

fn write(
    folder: &Path,
    ending: &str,
    table: &Table,
    seed: u64,
) -> Result<GeneratedFile, SyntheticError> {
    let InstrumentId { venue, market, symbol } = &table.instrument;
    let name = format!("{venue}_{}_{symbol}_{ending}.parquet", market.name());
    let bytes = file::encode(table, seed).map_err(|source| SyntheticError::Encode {
        instrument: table.instrument.clone(),
        source,
    })?;
    let path = folder.join(&name);
    fs::write(&path, &bytes).map_err(|source| SyntheticError::Write { path, source })?;
    Ok(GeneratedFile {
        name,
        rows: table.rows(),
        bytes: bytes.len(),
        blake3: blake3::hash(&bytes).to_hex().to_string(),
    })
}
