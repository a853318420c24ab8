//! Reading a log: its chain of commits, and the committed part of every stream.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;

use super::rows::CommitReader;
use crate::audit::commit::{COMMIT_FILE, Commit, Header, line_of};
use crate::audit::kind::{Kind, SCHEMA_VERSION};
use crate::error::FolderError;

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum LogError {
    #[error(transparent)]
    Folder(#[from] FolderError),

    #[error("{path} does not begin with the header of a log", path = .path.display())]
    Header { path: PathBuf, source: serde_json::Error },

    #[error("{path} line {line} is no commit", path = .path.display())]
    Line { path: PathBuf, line: usize, source: serde_json::Error },

    #[error("{path} has schema version {found}, written by {program}; this program reads version {SCHEMA_VERSION}", path = .path.display())]
    Version { path: PathBuf, found: u32, program: String },

    #[error("{path} line {line} is not spelled as it was written", path = .path.display())]
    Spelling { path: PathBuf, line: usize },

    #[error("{path} line {line}: commit {commit} does not follow from the one before it", path = .path.display())]
    Chain { path: PathBuf, line: usize, commit: u64 },

    #[error("{path} ends at byte {found}; commit {commit} says {expected}", path = .path.display())]
    Short { path: PathBuf, commit: u64, expected: u64, found: u64 },

    #[error("{path}: the bytes of commit {commit} are not those that were written", path = .path.display())]
    Bytes { path: PathBuf, commit: u64 },

    #[error("{path}: commit {commit} says that it holds events {first} to {last}; its streams hold {found}", path = .path.display())]
    Sequence { path: PathBuf, commit: u64, first: u64, last: u64, found: u64 },

    #[error("cannot decode {path}", path = .path.display())]
    Decode { path: PathBuf, source: arrow_schema::ArrowError },
}

/// An opened log: everything up to its last complete commit.
///
/// Bytes after that commit are a torn tail and are not looked at; a log without a commit is empty.
#[derive(Clone, Debug)]
pub struct LogReader {
    folder: PathBuf,
    header: Header,
    commits: Vec<Commit>,
}

impl LogReader {
    /// Opens the log of a run folder and checks its chain, without reading the streams.
    ///
    /// # Errors
    ///
    /// No log, a log of another version, or a chain that does not hold.
    pub fn open(run_folder: &Path) -> Result<Self, LogError> {
        let folder = run_folder.join("audit");
        let path = folder.join(COMMIT_FILE);
        let text = std::fs::read(&path).map_err(FolderError::read(&path))?;
        // What no newline ends is torn: a header or a commit is written in one go, its newline last.
        let complete = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut lines = text[..complete].split_inclusive(|byte| *byte == b'\n').enumerate();
        let header: Header = match lines.next() {
            Some((_, line)) => header(line, &path)?,
            None => Header { schema: SCHEMA_VERSION, ..Header::default() },
        };
        let mut previous = header.genesis().to_hex().to_string();
        let mut commits: Vec<Commit> = Vec::new();
        for (number, line) in lines {
            let line_number = number + 1;
            let commit: Commit = serde_json::from_slice(line).map_err(|source| LogError::Line {
                path: path.clone(),
                line: line_number,
                source,
            })?;
            if !is_spelled(line, &commit) {
                return Err(LogError::Spelling { path, line: line_number });
            }
            let holds = commit.previous == previous
                && commit.hash == commit.computed_hash().to_hex().as_str();
            if !holds {
                return Err(LogError::Chain { path, line: line_number, commit: commit.commit });
            }
            previous.clone_from(&commit.hash);
            commits.push(commit);
        }
        Ok(Self { folder, header, commits })
    }

    /// The log of a run that was stopped before it had one.
    pub fn not_begun(run_folder: &Path) -> Self {
        let header = Header { schema: SCHEMA_VERSION, ..Header::default() };
        Self { folder: run_folder.join("audit"), header, commits: Vec::new() }
    }

    /// The folder of the log, within the run folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether its header was written; a run that was stopped before that has recorded nothing.
    pub fn has_header(&self) -> bool {
        !self.header.run_id.is_empty()
    }

    /// The commits that a run comes to again: all but a provisional one at the end.
    pub fn regular_commits(&self) -> &[Commit] {
        let end = self.commits.iter().position(|commit| commit.provisional);
        &self.commits[..end.unwrap_or(self.commits.len())]
    }

    /// The regular commits whose bytes are all there, up to the first that has lost some: a device
    /// that lost its power may have kept the line of a commit and not what it covers.
    pub fn whole_commits(&self) -> &[Commit] {
        let regular = self.regular_commits();
        let mut reader = self.read();
        let whole = regular.iter().take_while(|_| reader.check_next().is_ok()).count();
        &regular[..whole]
    }

    /// Cuts off what comes after `commits`, the first ones of the log.
    ///
    /// The commit file comes first: whatever stops this half-way, the log is whole.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn truncate(&self, commits: &[Commit]) -> Result<(), FolderError> {
        let lines = commits.iter().map(|commit| line_of(commit).len());
        let length = line_of(&self.header).len() + lines.sum::<usize>();
        let cut = |path: &Path, length: u64| {
            let file = std::fs::OpenOptions::new().write(true).open(path)?;
            file.set_len(length)
        };
        let path = self.folder.join(COMMIT_FILE);
        cut(&path, length as u64).map_err(FolderError::write(&path))?;
        for kind in Kind::ALL {
            let path = self.folder.join(kind.file_name());
            let parts = commits.iter().rev().filter_map(|commit| commit.part(kind.name()));
            let end = parts.map(|part| part.end).next();
            let done = match end {
                Some(end) => cut(&path, end),
                None if path.exists() => std::fs::remove_file(&path),
                None => Ok(()),
            };
            done.map_err(FolderError::write(&path))?;
        }
        Ok(())
    }

    /// What the log was computed from.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The complete commits, in order.
    pub fn commits(&self) -> &[Commit] {
        &self.commits
    }

    /// The hash of the last commit.
    pub fn digest(&self) -> String {
        self.commits.last().map_or_else(
            || self.header.genesis().to_hex().to_string(),
            |commit| commit.hash.clone(),
        )
    }

    /// Goes through the commits in order.
    pub fn read(&self) -> CommitReader<'_> {
        CommitReader::new(self)
    }

    /// Compares the bytes of every stream with the hashes of the commits.
    ///
    /// # Errors
    ///
    /// The first stream that is too short or not what was written.
    pub fn check_bytes(&self) -> Result<(), LogError> {
        let mut reader = self.read();
        while reader.check_next()? {}
        Ok(())
    }

    /// The committed rows of a kind, batch by batch.
    ///
    /// # Errors
    ///
    /// The stream cannot be read, or is no Arrow stream.
    pub fn batches(
        &self,
        kind: Kind,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, LogError>> + use<>, LogError> {
        let path = self.folder.join(kind.file_name());
        let part = |commit: &Commit| commit.part(kind.name()).map(|part| part.end);
        let end = self.commits.iter().rev().find_map(part);
        let decode = {
            let path = path.clone();
            move |source| LogError::Decode { path: path.clone(), source }
        };
        let reader = match end {
            None => None,
            Some(end) => {
                let file = File::open(&path).map_err(FolderError::read(&path))?;
                let reader = BufReader::new(file.take(end));
                Some(StreamReader::try_new(reader, None).map_err(decode.clone())?)
            }
        };
        Ok(reader.into_iter().flatten().map(move |batch| batch.map_err(decode.clone())))
    }
}

fn header(line: &[u8], path: &Path) -> Result<Header, LogError> {
    /// What the headers of all versions have.
    #[derive(serde::Deserialize)]
    struct AnyHeader {
        schema: u32,
        #[serde(default)]
        program: String,
    }
    let fault = |source| LogError::Header { path: path.to_owned(), source };
    let any: AnyHeader = serde_json::from_slice(line).map_err(fault)?;
    if any.schema != SCHEMA_VERSION {
        let (path, program) = (path.to_owned(), any.program);
        return Err(LogError::Version { path, found: any.schema, program });
    }
    let header: Header = serde_json::from_slice(line).map_err(fault)?;
    if !is_spelled(line, &header) {
        return Err(LogError::Spelling { path: path.to_owned(), line: 1 });
    }
    Ok(header)
}

/// Whether a line is, byte by byte, what the writer writes for its content.
fn is_spelled(line: &[u8], content: &impl serde::Serialize) -> bool {
    line == line_of(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_of_another_version_is_refused_by_its_version() {
        let folder = tempfile::tempdir().unwrap();
        let audit = folder.path().join("audit");
        std::fs::create_dir(&audit).unwrap();
        // As versions before this one wrote it: without what the header has since.
        let line = r#"{"schema":4,"run_id":"","datasets":[],"program":"tickdrain 0.1.0"}"#;
        let line = line.to_owned() + "\n";
        std::fs::write(audit.join(COMMIT_FILE), line).unwrap();
        let error = LogReader::open(folder.path()).unwrap_err().to_string();
        let expected = format!(
            "commits.jsonl has schema version 4, written by tickdrain 0.1.0; \
             this program reads version {SCHEMA_VERSION}"
        );
        assert!(error.ends_with(&expected), "{error}");
    }
}
