//! Bytes from anybody as run file, data file and log: each function takes them to the end of every
//! path that a command takes them, and panics only if that goes wrong.
//!
//! `cargo xtask fuzz` looks for bytes that do; the test `hostile` runs those under `fuzz/corpus`.

mod candle_file;
mod log;
pub mod pack;
mod run_file;
mod sections;

pub use candle_file::candle_file;
pub use log::tag;
pub use log::{log, write_folder};
pub use run_file::run_file;
pub use sections::{Section, join, sections};

/// Whether the bytes were taken for what they claim to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They were.
    Taken,
    /// There was something wrong with them, and it was told.
    Refused,
}
