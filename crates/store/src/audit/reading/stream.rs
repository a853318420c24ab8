//! One stream of a log, read commit by commit.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::ArrowError;

use super::log::LogError;
use super::message;
use super::table::Table;
use crate::audit::commit::StreamPart;
use crate::audit::kind::Kind;
use crate::error::FolderError;
use crate::unpanicked::unpanicked;

/// One stream, open where the next commit begins.
pub(super) struct Stream {
    kind: Kind,
    path: PathBuf,
    file: Option<File>,
    decoder: StreamDecoder,
    end: u64,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = formatter.debug_struct("Stream");
        text.field("kind", &self.kind).field("end", &self.end).finish_non_exhaustive()
    }
}

impl Stream {
    pub(super) fn new(kind: Kind, path: PathBuf) -> Self {
        Self { kind, path, file: None, decoder: StreamDecoder::new(), end: 0 }
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Reads what a commit has added, and compares it with the hash of the commit.
    ///
    /// # Errors
    ///
    /// The file is too short, or holds other bytes than were written.
    pub(super) fn bytes(&mut self, part: &StreamPart, commit: u64) -> Result<Vec<u8>, LogError> {
        let file = if let Some(file) = &mut self.file {
            file
        } else {
            let opened = File::open(&self.path).map_err(FolderError::read(&self.path))?;
            self.file.insert(opened)
        };
        let length = part.end.saturating_sub(self.end);
        // The file's own length bounds what is read; the commit may claim anything.
        let mut bytes = Vec::new();
        let read = file.by_ref().take(length).read_to_end(&mut bytes);
        let found = read.map_err(FolderError::read(&self.path))? as u64;
        if found < length {
            let (path, expected) = (self.path.clone(), part.end);
            return Err(LogError::Short { path, commit, expected, found: self.end + found });
        }
        if blake3::hash(&bytes).to_hex().as_str() != part.blake3 {
            return Err(LogError::Bytes { path: self.path.clone(), commit });
        }
        self.end = part.end;
        Ok(bytes)
    }

    /// Decodes what a commit has added.
    ///
    /// # Errors
    ///
    /// It is no Arrow stream of the columns of this kind.
    pub(super) fn decode(&mut self, bytes: Vec<u8>, rows: u64) -> Result<Table, LogError> {
        let table = self.batches(bytes).and_then(|batches| {
            let found: usize = batches.iter().map(RecordBatch::num_rows).sum();
            if found as u64 != rows {
                let text = format!("{found} rows where the commit says {rows}");
                return Err(ArrowError::IpcError(text));
            }
            Table::new(self.kind, &batches)
        });
        table.map_err(|source| LogError::Decode { path: self.path.clone(), source })
    }

    fn batches(&mut self, bytes: Vec<u8>) -> Result<Vec<RecordBatch>, ArrowError> {
        message::check(self.kind, &bytes)?;
        let mut buffer = Buffer::from_vec(bytes);
        let mut batches = Vec::new();
        let decode = || {
            while !buffer.is_empty() {
                batches.extend(self.decoder.decode(&mut buffer)?);
            }
            self.decoder.finish()
        };
        unpanicked(decode, ArrowError::IpcError)?;
        Ok(batches)
    }

    /// Goes to `end`, where a commit has ended; `head` is the first part of the stream, which has
    /// its schema.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(super) fn skip_to(&mut self, end: u64, head: Option<&StreamPart>) -> Result<(), LogError> {
        let Some(head) = head.filter(|_| end > 0) else { return Ok(()) };
        if self.end == 0 {
            let bytes = self.bytes(head, 1)?;
            self.decode(bytes, head.rows)?;
        }
        if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start(end)).map_err(FolderError::read(&self.path))?;
        }
        self.end = end;
        Ok(())
    }
}
