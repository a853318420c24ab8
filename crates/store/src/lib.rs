//! Data in, log and results out: the only user of arrow, parquet and on-disk schemas.

pub mod altered;
pub mod audit;
pub mod candles;
mod chain_tables;
mod columns;
pub mod error;
pub mod feed;
pub mod names;
pub mod points;
pub mod results;
pub mod seal;
pub mod synthetic;
mod unpanicked;

pub use error::FolderError;
