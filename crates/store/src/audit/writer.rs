//! The writer of the log: batches to bytes, bytes to files, files to commits.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::SchemaRef;

use super::commit::{COMMIT_FILE, Commit, Header, StreamPart, line_of};
use super::kind::Kind;
use super::reading::CommitRows;
use super::records::Records;
use super::tables;
use super::write_back::WriteBack;
use crate::error::FolderError;
use crate::names::Names;

/// Commits after which the device is given something to do.
const COMMITS_PER_WRITE_BACK: u64 = 16;

/// Rows after which a batch ends, commit or not.
const BATCH_ROWS: usize = 65_536;

/// Where the bytes of the log go.
#[derive(Clone, Debug)]
pub(crate) enum LogTarget {
    /// Into files under this folder, which exists.
    Folder(PathBuf),
    /// Nowhere: only the digest is wanted, or whether it is the same.
    HashOnly,
}

/// What a log is written after.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before {
    /// Commits that the first ones have to equal; they are not written again.
    pub(crate) commits: Vec<Commit>,
    /// Whether there is a header already.
    pub(crate) has_header: bool,
}

/// Appends to the log.
#[derive(Debug)]
pub(crate) struct LogWriter {
    target: LogTarget,
    before: Before,
    commits: Option<File>,
    streams: Vec<Stream>,
    last_hash: blake3::Hash,
    last_commit: u64,
    frames: u64,
    write_back: Option<WriteBack>,
}

/// One stream; its file appears with its first row.
struct Stream {
    kind: Kind,
    schema: SchemaRef,
    encoder: Option<StreamWriter<Vec<u8>>>,
    file: Option<File>,
    end: u64,
    /// Bytes of one commit, between two uses.
    buffer: Vec<u8>,
}

impl fmt::Debug for Stream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = formatter.debug_struct("Stream");
        text.field("kind", &self.kind).field("end", &self.end).finish_non_exhaustive()
    }
}

impl LogWriter {
    /// A log that begins with `header`, or goes on where another one has ended.
    pub(crate) fn create(
        target: LogTarget,
        header: &Header,
        before: Before,
    ) -> Result<Self, FolderError> {
        let mut commits = None;
        if let LogTarget::Folder(folder) = &target {
            let path = folder.join(COMMIT_FILE);
            let mut options = OpenOptions::new();
            options.append(true).create_new(!before.has_header);
            let mut file = options.open(&path).map_err(FolderError::create(&path))?;
            if !before.has_header {
                file.write_all(&line_of(header)).map_err(FolderError::write(&path))?;
            }
            commits = Some(file);
        }
        let stream = |kind| Stream {
            kind,
            schema: tables::schema_of(kind),
            encoder: None,
            file: None,
            end: 0,
            buffer: Vec::new(),
        };
        Ok(Self {
            target,
            before,
            commits,
            streams: Kind::ALL.into_iter().map(stream).collect(),
            last_hash: header.genesis(),
            last_commit: 0,
            frames: 0,
            write_back: None,
        })
    }

    /// Hash of the last commit: the digest, once the run is closed.
    pub(crate) const fn digest(&self) -> blake3::Hash {
        self.last_hash
    }

    /// How many commits there are.
    pub(crate) fn commits(&self) -> usize {
        usize::try_from(self.last_commit).unwrap_or(usize::MAX)
    }

    /// Appends `records` and commits them.
    pub(crate) fn commit(
        &mut self,
        mut records: Records,
        names: &Names,
        provisional: bool,
    ) -> Result<(), FolderError> {
        let (Some(first), Some(last)) = (records.first, records.last) else { return Ok(()) };
        let ((first_seq, first_tick), (last_seq, last_tick)) = (first, last);
        self.frames += records.ticks() as u64;
        let place = usize::try_from(self.last_commit).unwrap_or(usize::MAX);
        let expected = self.before.commits.get(place).map(|commit| commit.hash.clone());
        let nowhere = LogTarget::HashOnly;
        let target = if expected.is_some() { &nowhere } else { &self.target };
        let (mut parts, mut batches) = (Vec::new(), Vec::new());
        for stream in &mut self.streams {
            let Some((part, batch)) = stream.append(target, &mut records, names)? else { continue };
            parts.push(part);
            if expected.is_some() {
                batches.push((stream.kind, batch));
            }
        }
        self.last_commit += 1;
        let mut commit = Commit {
            commit: self.last_commit,
            provisional,
            frames: self.frames,
            first_seq,
            last_seq,
            first_tick: first_tick.millis(),
            last_tick: last_tick.millis(),
            streams: parts,
            previous: self.last_hash.to_hex().to_string(),
            hash: String::new(),
        };
        self.last_hash = commit.computed_hash();
        commit.hash = self.last_hash.to_hex().to_string();
        match expected {
            Some(expected) if expected == commit.hash => return Ok(()),
            Some(_) => {
                let rows = CommitRows::of_batches(commit, batches);
                let rows = rows.map_err(FolderError::encode(COMMIT_FILE.as_ref()))?;
                return Err(FolderError::Diverged { rows: Box::new(rows) });
            }
            None => self.append_commit(&commit)?,
        }
        if self.last_commit.is_multiple_of(COMMITS_PER_WRITE_BACK) {
            let files = self.streams.iter().filter_map(|stream| stream.file.as_ref());
            self.write_back.get_or_insert_with(WriteBack::start).ask(files);
        }
        Ok(())
    }

    fn append_commit(&mut self, commit: &Commit) -> Result<(), FolderError> {
        let (Some(file), LogTarget::Folder(folder)) = (&mut self.commits, &self.target) else {
            return Ok(());
        };
        // One write: a torn line is recognised by its missing end.
        file.write_all(&line_of(commit)).map_err(FolderError::write(&folder.join(COMMIT_FILE)))
    }

    /// Flushes everything to the device.
    pub(crate) fn close(&mut self) -> Result<(), FolderError> {
        drop(self.write_back.take());
        let LogTarget::Folder(folder) = &self.target else { return Ok(()) };
        for stream in &self.streams {
            if let Some(file) = &stream.file {
                let path = folder.join(stream.kind.file_name());
                file.sync_data().map_err(FolderError::write(&path))?;
            }
        }
        if let Some(file) = &self.commits {
            file.sync_data().map_err(FolderError::write(&folder.join(COMMIT_FILE)))?;
        }
        Ok(())
    }
}

impl Stream {
    /// Appends the rows of this kind; what the commit says of them.
    fn append(
        &mut self,
        target: &LogTarget,
        records: &mut Records,
        names: &Names,
    ) -> Result<Option<(StreamPart, RecordBatch)>, FolderError> {
        let path = match target {
            LogTarget::Folder(folder) => folder.join(self.kind.file_name()),
            LogTarget::HashOnly => PathBuf::from(self.kind.file_name()),
        };
        let batch = tables::batch_of(self.kind, &self.schema, records, names)
            .map_err(FolderError::encode(&path))?;
        let Some(batch) = batch else { return Ok(None) };
        let mut bytes = std::mem::take(&mut self.buffer);
        let encoded = self.encode(&batch, &mut bytes).map_err(FolderError::encode(&path));
        let written = encoded.and_then(|()| match target {
            LogTarget::Folder(_) => self.write(&path, &bytes),
            LogTarget::HashOnly => Ok(()),
        });
        self.end += bytes.len() as u64;
        let hash = blake3::hash(&bytes);
        self.buffer = bytes;
        written?;
        let part = StreamPart {
            kind: self.kind.name().to_owned(),
            end: self.end,
            rows: batch.num_rows() as u64,
            blake3: hash.to_hex().to_string(),
        };
        Ok(Some((part, batch)))
    }

    /// Encodes a batch into `bytes`, which are emptied first; their memory is used again and again.
    fn encode(
        &mut self,
        batch: &RecordBatch,
        bytes: &mut Vec<u8>,
    ) -> Result<(), arrow_schema::ArrowError> {
        bytes.clear();
        let encoder = if let Some(encoder) = &mut self.encoder {
            std::mem::swap(encoder.get_mut(), bytes);
            encoder
        } else {
            let compression = self.kind.is_compressed().then_some(CompressionType::LZ4_FRAME);
            let options = IpcWriteOptions::default().try_with_compression(compression)?;
            let buffer = std::mem::take(bytes);
            self.encoder.insert(StreamWriter::try_new_with_options(buffer, &self.schema, options)?)
        };
        for start in (0..batch.num_rows()).step_by(BATCH_ROWS) {
            encoder.write(&batch.slice(start, BATCH_ROWS.min(batch.num_rows() - start)))?;
        }
        std::mem::swap(encoder.get_mut(), bytes);
        Ok(())
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
        let mut file = if let Some(file) = &self.file {
            file
        } else {
            // A stream that is there already was begun before the run was continued.
            let is_new = self.end == 0;
            let file = OpenOptions::new().append(true).create_new(is_new).open(path);
            self.file.insert(file.map_err(FolderError::create(path))?)
        };
        file.write_all(bytes).map_err(FolderError::write(path))
    }
}
