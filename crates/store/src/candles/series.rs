//! The rows of a series, chunk by chunk over all its files.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::SeriesSpec;
use super::chunk::Chunk;
use super::csv::CsvSource;
use super::error::DataError;
use super::fault::{DataFault, FaultKind};
use super::parquet::ParquetSource;

/// One open file.
enum Source {
    Parquet(Box<ParquetSource>),
    Csv(Box<CsvSource>),
}

impl Source {
    fn open(path: &Path, spec: &SeriesSpec) -> Result<Self, DataError> {
        let unopened = |source| DataError::Open { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(unopened)?;
        if file.metadata().map_err(unopened)?.is_dir() {
            return Err(unopened(io::ErrorKind::IsADirectory.into()));
        }
        let extension = path.extension().map(OsStr::to_ascii_lowercase);
        match extension.as_deref().and_then(OsStr::to_str) {
            Some("parquet" | "pq") => {
                ParquetSource::open(path, file, spec).map(|source| Self::Parquet(Box::new(source)))
            }
            Some("csv") => {
                CsvSource::open(path, file, spec).map(|source| Self::Csv(Box::new(source)))
            }
            _ => Err(DataError::UnknownFormat { path: path.to_path_buf() }),
        }
    }

    fn next_chunk(&mut self) -> Result<Option<Chunk>, DataError> {
        match self {
            Self::Parquet(source) => source.next_chunk(),
            Self::Csv(source) => source.next_chunk(),
        }
    }
}

/// Reads the files of a series one after another.
pub(crate) struct SeriesReader {
    spec: SeriesSpec,
    source: Option<Source>,
    /// Place of the open file among the series' paths.
    file: usize,
    /// Rows read from the open file.
    rows: u64,
}

impl SeriesReader {
    /// Opens every file once, so that a missing file or column is known before the first row.
    pub(crate) fn open(spec: &SeriesSpec) -> Result<Self, DataError> {
        let mut first = None;
        for path in &spec.paths {
            let source = Source::open(path, spec)?;
            // Only one file stays open: a series may have more of them than a process may hold.
            first.get_or_insert(source);
        }
        Ok(Self { spec: spec.clone(), source: first, file: 0, rows: 0 })
    }

    pub(crate) const fn spec(&self) -> &SeriesSpec {
        &self.spec
    }

    /// Place of the file that the last chunk came from.
    pub(crate) const fn file(&self) -> usize {
        self.file
    }

    /// Path of the file that the last chunk came from.
    pub(crate) fn path(&self) -> &PathBuf {
        &self.spec.paths[self.file]
    }

    /// Whether the file that the last chunk came from says that it was generated.
    pub(crate) fn is_synthetic(&self) -> bool {
        matches!(&self.source, Some(Source::Parquet(source)) if source.is_synthetic())
    }

    /// The next rows; `None` after the last file.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<Chunk>, DataError> {
        while let Some(source) = &mut self.source {
            if let Some(chunk) = source.next_chunk()? {
                self.rows += chunk.len() as u64;
                return Ok(Some(chunk));
            }
            if self.rows == 0 {
                return Err(DataError::EmptyFile { path: self.path().clone() });
            }
            self.rows = 0;
            let Some(path) = self.spec.paths.get(self.file + 1) else { break };
            self.source = Some(Source::open(path, &self.spec)?);
            self.file += 1;
        }
        Ok(None)
    }

    /// A fault of a row of the last chunk.
    pub(crate) fn fault(&self, chunk: &Chunk, at: usize, kind: FaultKind) -> DataFault {
        DataFault { path: self.path().clone(), place: chunk.place(at), kind }
    }
}
