//! Verification: the chain of hashes and every law, from the log alone.

use std::path::Path;

use store::audit::{Kind, LogReader};
use store::seal::{Seal, SealFault};

use crate::laws::{Checker, Tally};
use crate::replay::{ReplayError, State};

/// What a verification found.
#[derive(Clone, Debug)]
pub struct Verification {
    /// Commits whose hashes and bytes are those that were written.
    pub commits: u64,
    /// Events that the laws were applied to.
    pub events: u64,
    /// What was checked, and what did not hold.
    pub tally: Tally,
    /// The account at the end.
    pub state: State,
}

impl Verification {
    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        self.tally.holds()
    }
}

/// What became of a run folder: every file, then the log.
#[derive(Debug)]
pub struct FolderVerification {
    /// Files that are not as the run left them.
    pub faults: Vec<SealFault>,
    /// What the log says.
    pub log: Result<Verification, ReplayError>,
}

impl FolderVerification {
    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        self.faults.is_empty() && self.log.as_ref().is_ok_and(Verification::holds)
    }
}

/// Checks all files of a run folder, and its log.
pub fn verify_folder(run_folder: &Path) -> FolderVerification {
    let mut faults = Seal::check(run_folder);
    let log = LogReader::open(run_folder).map_err(ReplayError::from);
    if let Ok(log) = &log
        && faults.is_empty()
    {
        faults.extend(tails(log));
    }
    FolderVerification { faults, log: log.and_then(|log| verify(&log)) }
}

/// Streams of a finished run that are longer than the last commit says.
fn tails(log: &LogReader) -> Vec<SealFault> {
    let fault = |kind: Kind| {
        let commits = log.commits().iter().rev();
        let expected = commits.filter_map(|commit| commit.part(kind.name())).map(|part| part.end);
        let expected = expected.max().unwrap_or(0);
        let path = log.folder().join(kind.file_name());
        let found = path.metadata().map_or(0, |metadata| metadata.len());
        (found > expected).then(|| SealFault::Changed {
            path: format!("audit/{}", kind.file_name()),
            expected: format!("{expected} bytes"),
            found: format!("{found} bytes"),
        })
    };
    Kind::ALL.into_iter().filter_map(fault).collect()
}

/// Checks a log from its first byte to its last.
///
/// # Errors
///
/// Bytes that are not those that were written, or records that no run writes; with the file and
/// the commit.
pub fn verify(log: &LogReader) -> Result<Verification, ReplayError> {
    let mut checker = Checker::new(log)?;
    let (mut commits, mut events) = (0, 0);
    for rows in log.read() {
        let rows = rows?;
        let mut all = rows.events();
        for event in all.by_ref() {
            checker.take(&event)?;
            events += 1;
        }
        if let Some(row) = all.left_over() {
            let what = format!("a row of `{}` belongs to no event", row.kind().name());
            return Err(ReplayError::Content { seq: row.seq(), what });
        }
        commits += 1;
    }
    let (tally, state) = checker.finish();
    Ok(Verification { commits, events, tally, state })
}
