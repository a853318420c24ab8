//! Why something could not be written to a run folder or read from it.

use std::io;
use std::path::{Path, PathBuf};

use crate::audit::reading::{CommitRows, LogError};

/// A failure of a run folder. Every variant ends the run.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum FolderError {
    #[error("cannot create {path}", path = .path.display())]
    Create { path: PathBuf, source: io::Error },

    #[error("cannot write {path}", path = .path.display())]
    Write { path: PathBuf, source: io::Error },

    #[error("cannot read {path}", path = .path.display())]
    Read { path: PathBuf, source: io::Error },

    #[error("{path} is not empty", path = .path.display())]
    NotEmpty { path: PathBuf },

    #[error("cannot encode rows for {path}", path = .path.display())]
    Encode { path: PathBuf, source: arrow_schema::ArrowError },

    #[error("cannot write {path}", path = .path.display())]
    Parquet { path: PathBuf, source: parquet::errors::ParquetError },

    #[error("the writer of the run folder stopped early")]
    WriterGone,

    #[error("commit {commit} is not the one of the log", commit = .rows.commit.commit)]
    Diverged { rows: Box<CommitRows> },

    #[error("cannot open the log")]
    Log { source: Box<LogError> },
}

impl FolderError {
    /// The failure to create what has no path yet.
    pub fn create_at(what: &str) -> impl FnOnce(io::Error) -> Self {
        Self::create(Path::new(what))
    }

    pub(crate) fn create(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Create { path, source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }

    pub(crate) fn encode(path: &Path) -> impl FnOnce(arrow_schema::ArrowError) -> Self {
        let path = path.to_owned();
        move |source| Self::Encode { path, source }
    }

    pub(crate) fn parquet(path: &Path) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        let path = path.to_owned();
        move |source| Self::Parquet { path, source }
    }
}
