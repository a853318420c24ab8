//! The log as proof: what is rebuilt from it, which laws hold in it, and what a damaged one says.

mod crash;
mod every_frame;
mod kinds_of_runs;

use std::path::Path;

use proof::verify::{FolderVerification, verify_folder};

pub(crate) use every_frame::assert_replayed;

/// Checks what a finished run has left: every file, every law, and that replay comes to the run's own
/// snapshots at every frame.
pub(crate) fn prove(folder: &Path) -> FolderVerification {
    let found = verify_folder(folder);
    assert!(found.faults.is_empty(), "{:?}", found.faults);
    let log = found.log.as_ref().unwrap_or_else(|error| panic!("{error}"));
    let lines = log.tally.violations.iter().take(5);
    let lines: Vec<String> = lines
        .map(|it| format!("{}: event {} at {}: {}", it.law.name(), it.seq, it.ts, it.text))
        .collect();
    assert!(found.holds(), "{}", lines.join("\n"));
    assert_replayed(folder);
    found
}
