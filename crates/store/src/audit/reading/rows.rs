//! The rows of one commit, all kinds together, and the reader that goes through the commits.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use super::events::{Events, OWN};
use super::log::{LogError, LogReader};
use super::stream::Stream;
use super::table::Table;
use crate::audit::commit::{COMMIT_FILE, Commit};
use crate::audit::kind::Kind;

/// Everything that one commit has added.
#[derive(Clone, Debug)]
pub struct CommitRows {
    /// The commit.
    pub commit: Commit,
    pub(super) tables: [Option<Table>; Kind::ALL.len()],
}

impl CommitRows {
    /// The rows of batches that were not written.
    pub(crate) fn of_batches(
        commit: Commit,
        batches: impl IntoIterator<Item = (Kind, RecordBatch)>,
    ) -> Result<Self, ArrowError> {
        let mut tables = [const { None }; Kind::ALL.len()];
        for (kind, batch) in batches {
            tables[kind as usize] = Some(Table::new(kind, &[batch])?);
        }
        Ok(Self { commit, tables })
    }

    /// The events, in the order in which the bus delivered them.
    pub const fn events(&self) -> Events<'_> {
        Events::new(self)
    }

    /// Number of rows of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.table(kind).map_or(0, Table::rows)
    }

    /// Events that the rows can be at most: those of a group share one.
    fn most_events(&self) -> u64 {
        OWN.into_iter().map(|kind| self.count(kind) as u64).sum()
    }

    pub(super) const fn table(&self, kind: Kind) -> Option<&Table> {
        self.tables[kind as usize].as_ref()
    }
}

/// Goes through a log, commit by commit; holds the rows of one of them at a time.
#[derive(Debug)]
pub struct CommitReader<'a> {
    log: &'a LogReader,
    streams: Vec<Stream>,
    next: usize,
}

impl<'a> CommitReader<'a> {
    pub(super) fn new(log: &'a LogReader) -> Self {
        let stream = |kind: Kind| Stream::new(kind, log.folder().join(kind.file_name()));
        Self { log, streams: Kind::ALL.into_iter().map(stream).collect(), next: 0 }
    }

    /// Goes to a commit, by its place among them.
    ///
    /// # Errors
    ///
    /// A stream cannot be read.
    pub fn skip_to(&mut self, place: usize) -> Result<(), LogError> {
        let commits = self.log.commits();
        for stream in &mut self.streams {
            let name = stream.kind().name();
            let mut parts = commits[..place].iter().filter_map(|commit| commit.part(name));
            let head = parts.next();
            let end = parts.next_back().or(head).map_or(0, |part| part.end);
            stream.skip_to(end, head)?;
        }
        self.next = place;
        Ok(())
    }

    /// Compares the bytes of the next commit with its hashes without decoding them; false at the end.
    ///
    /// # Errors
    ///
    /// The first stream that is too short or not what was written.
    pub fn check_next(&mut self) -> Result<bool, LogError> {
        let Some(commit) = self.log.commits().get(self.next) else { return Ok(false) };
        self.next += 1;
        for stream in &mut self.streams {
            if let Some(part) = commit.part(stream.kind().name()) {
                stream.bytes(part, commit.commit)?;
            }
        }
        Ok(true)
    }

    fn rows(&mut self, commit: &Commit) -> Result<CommitRows, LogError> {
        let mut tables = [const { None }; Kind::ALL.len()];
        for stream in &mut self.streams {
            if let Some(part) = commit.part(stream.kind().name()) {
                let bytes = stream.bytes(part, commit.commit)?;
                tables[stream.kind() as usize] = Some(stream.decode(bytes, part.rows)?);
            }
        }
        let rows = CommitRows { commit: commit.clone(), tables };
        let found = rows.most_events();
        let (first, last) = (commit.first_seq, commit.last_seq);
        if last.checked_sub(first).is_none_or(|more| more >= found) {
            let (path, commit) = (self.log.folder().join(COMMIT_FILE), commit.commit);
            return Err(LogError::Sequence { path, commit, first, last, found });
        }
        Ok(rows)
    }
}

impl Iterator for CommitReader<'_> {
    type Item = Result<CommitRows, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        let commit = self.log.commits().get(self.next)?;
        self.next += 1;
        Some(self.rows(commit))
    }
}
