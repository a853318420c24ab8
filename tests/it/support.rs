//! What the tests of the whole share: folders, run files, the command.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Once;

/// Root of the source tree.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent").to_path_buf()
}

/// The bundled data.
pub(crate) fn bundled() -> PathBuf {
    root().join("data")
}

/// A file of the shared market data; `None`, with a printed line, where the data is not there.
///
/// The project ships none of it: it lies beside the source tree, or where `TICKDRAIN_SHARED` says.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TICKDRAIN_SHARED")
        .map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let file = folder.join(path);
    if file.exists() {
        return Some(file);
    }
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    {
        eprintln!("skipped: no shared data at {}", file.display());
    }
    None
}

/// The `tickdrain` command, built once for all tests.
pub(crate) fn command() -> Command {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "tickdrain", "--bin", "tickdrain"])
            .current_dir(root())
            .status()
            .expect("cargo can be started");
        assert!(status.success(), "the command builds");
    });
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Command::new(target.join("debug").join("tickdrain"))
}

/// Runs the command in a folder.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    command().args(arguments).current_dir(folder).output().expect("the command can be started")
}
