//! The bundled data and the run files that come with it.

use std::path::{Path, PathBuf};

/// Run file of `tickdrain backtest` without an argument.
pub const EXAMPLE: &str = "sma-cross.toml";

/// The folder of the bundled, synthetic data: `data/` here or above, else that of the source tree.
pub fn folder() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data");
    here.ancestors()
        .map(|folder| folder.join("data"))
        .chain(source.canonicalize().ok())
        .find(|folder| folder.join(EXAMPLE).is_file())
}

/// The example run file.
pub fn example() -> Option<PathBuf> {
    folder().map(|folder| folder.join(EXAMPLE))
}
