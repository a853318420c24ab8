//! Reading a log: its chain of commits, and the committed part of every stream.

use std::fs::File;
use std::io::{self, Cursor, Read as _};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_schema::ArrowError;

use super::message;
use super::rows::CommitReader;
use crate::audit::commit::{COMMIT_FILE, Commit, Header, line_of};
use crate::audit::kind::{Kind, SCHEMA_VERSION};
use crate::error::FolderError;
use crate::unpanicked::unpanicked;

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
    Decode { path: PathBuf, source: ArrowError },
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
        let mut ends = [0; Kind::ALL.len()];
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
            let holds = commit.commit == number as u64
                && commit.previous == previous
                && go_on(&commit, &mut ends)
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
    /// A file cannot be written, is a link, or is shorter than the commits say.
    pub fn truncate(&self, commits: &[Commit]) -> Result<(), FolderError> {
        let lines = commits.iter().map(|commit| line_of(commit).len());
        let length = line_of(&self.header).len() + lines.sum::<usize>();
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
        let mut reader = match end {
            None => None,
            Some(end) => {
                let file = File::open(&path).map_err(FolderError::read(&path))?;
                let mut bytes = Vec::new();
                file.take(end).read_to_end(&mut bytes).map_err(FolderError::read(&path))?;
                message::check(kind, &bytes).map_err(decode.clone())?;
                let open = || StreamReader::try_new(Cursor::new(bytes), None);
                Some(unpanicked(open, ArrowError::IpcError).map_err(decode.clone())?)
            }
        };
        Ok(std::iter::from_fn(move || {
            let open = reader.as_mut()?;
            let next = unpanicked(|| open.next().transpose(), ArrowError::IpcError);
            if next.is_err() {
                reader = None;
            }
            next.map_err(&decode).transpose()
        }))
    }
}

/// Whether the streams of a commit go on where those of the commits before it have ended, each once
/// and in the order of kinds.
fn go_on(commit: &Commit, ends: &mut [u64; Kind::ALL.len()]) -> bool {
    let mut last = None;
    commit.streams.iter().all(|part| {
        let Some(kind) = Kind::of(&part.kind) else { return false };
        let end = std::mem::replace(&mut ends[kind as usize], part.end);
        end < part.end && last.replace(kind) < Some(kind)
    })
}

/// Shortens a file of the log's folder; it is never made longer, nor is it another file's link.
fn cut(path: &Path, length: u64) -> io::Result<()> {
    let metadata = path.symlink_metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a link, not a file"));
    }
    if metadata.len() < length {
        let text = format!("it has {} bytes, and the commits say {length}", metadata.len());
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
    }
    std::fs::OpenOptions::new().write(true).open(path)?.set_len(length)
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
    use crate::audit::commit::StreamPart;

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

    /// A log of commits that say of streams how far they go, with sound hashes.
    fn log_of(commits: &[&[(&str, u64)]]) -> (tempfile::TempDir, Result<LogReader, LogError>) {
        let header = Header { schema: SCHEMA_VERSION, run_id: "r".to_owned(), ..Header::default() };
        let mut lines = vec![serde_json::to_string(&header).unwrap()];
        let mut previous = header.genesis().to_hex().to_string();
        for (commit, streams) in (1..).zip(commits) {
            let part = |(kind, end): &(&str, u64)| StreamPart {
                kind: (*kind).to_owned(),
                end: *end,
                rows: 1,
                blake3: String::new(),
            };
            let mut commit = Commit {
                commit,
                provisional: false,
                frames: 1,
                first_seq: 1,
                last_seq: 1,
                first_tick: 0,
                last_tick: 0,
                streams: streams.iter().map(part).collect(),
                previous,
                hash: String::new(),
            };
            commit.hash = commit.computed_hash().to_hex().to_string();
            previous = commit.hash.clone();
            lines.push(serde_json::to_string(&commit).unwrap());
        }
        let folder = tempfile::tempdir().unwrap();
        let audit = folder.path().join("audit");
        std::fs::create_dir(&audit).unwrap();
        std::fs::write(audit.join(COMMIT_FILE), lines.join("\n") + "\n").unwrap();
        let log = LogReader::open(folder.path());
        (folder, log)
    }

    #[test]
    fn streams_go_on_where_they_have_ended() {
        for (what, commits, holds) in [
            ("two streams", &[&[("frame", 8), ("account", 8)][..], &[("frame", 16)]][..], true),
            ("back", &[&[("frame", 8)], &[("frame", 7)]], false),
            ("nowhere", &[&[("frame", 8)], &[("frame", 8)]], false),
            ("twice in one commit", &[&[("frame", 8), ("frame", 16)]], false),
            ("in another order", &[&[("account", 8), ("frame", 8)]], false),
            ("no kind of record", &[&[("../../outside", 8)]], false),
        ] {
            assert_eq!(log_of(commits).1.is_ok(), holds, "{what}");
        }
    }

    #[test]
    fn a_log_is_never_made_longer() {
        let (folder, log) = log_of(&[&[("frame", 1 << 40)]]);
        let path = folder.path().join("audit/frame.arrows");
        std::fs::write(&path, [0; 16]).unwrap();
        let log = log.unwrap();
        let error = log.truncate(log.commits()).unwrap_err();
        let error = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(error, "it has 16 bytes, and the commits say 1099511627776");
        assert_eq!(path.metadata().unwrap().len(), 16);
    }

    #[cfg(unix)]
    #[test]
    fn what_a_link_of_a_log_leads_to_is_not_cut_off() {
        let (folder, log) = log_of(&[&[("frame", 1)]]);
        let outside = folder.path().join("outside");
        std::fs::write(&outside, [0; 16]).unwrap();
        std::os::unix::fs::symlink(&outside, folder.path().join("audit/frame.arrows")).unwrap();
        let log = log.unwrap();
        log.truncate(log.commits()).unwrap_err();
        assert_eq!(outside.metadata().unwrap().len(), 16);
    }
}
