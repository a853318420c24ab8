//! Data in, log and results out: the only user of arrow, parquet and on-disk schemas.

pub mod synthetic;
