//! The rows of a series, chunk by chunk over all its files.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::TimeUnit;
use super::chunk::Chunk;
use super::column::{ColumnNames, Layout};
use super::csv::CsvSource;
use super::error::DataError;
use super::fault::{DataFault, FaultKind};
use super::parquet::ParquetSource;

/// The files of a series, and how to read their rows.
#[derive(Clone, Debug)]
pub(crate) struct Files<const N: usize> {
    /// `.parquet` or `.csv` files, concatenated in time.
    pub(crate) paths: Vec<PathBuf>,
    /// Unit of integer times; `None` where the files state calendar times.
    pub(crate) time_unit: Option<TimeUnit>,
    /// Names of the columns, where they are not the usual ones.
    pub(crate) columns: ColumnNames,
    pub(crate) layout: Layout<N>,
}

/// One open file.
enum Source<const N: usize> {
    Parquet(Box<ParquetSource<N>>),
    Csv(Box<CsvSource<N>>),
}

impl<const N: usize> Source<N> {
    fn open(path: &Path, files: &Files<N>) -> Result<Self, DataError> {
        let unopened = |source| DataError::Open { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(unopened)?;
        if file.metadata().map_err(unopened)?.is_dir() {
            return Err(unopened(io::ErrorKind::IsADirectory.into()));
        }
        let extension = path.extension().map(OsStr::to_ascii_lowercase);
        match extension.as_deref().and_then(OsStr::to_str) {
            Some("parquet" | "pq") => {
                ParquetSource::open(path, file, files).map(|source| Self::Parquet(Box::new(source)))
            }
            Some("csv") => {
                CsvSource::open(path, file, files).map(|source| Self::Csv(Box::new(source)))
            }
            _ => Err(DataError::UnknownFormat { path: path.to_path_buf() }),
        }
    }

    fn next_chunk(&mut self) -> Result<Option<Chunk<N>>, DataError> {
        match self {
            Self::Parquet(source) => source.next_chunk(),
            Self::Csv(source) => source.next_chunk(),
        }
    }
}

/// Reads the files of a series one after another.
pub(crate) struct SeriesReader<const N: usize = 5> {
    files: Files<N>,
    source: Option<Source<N>>,
    /// Place of the open file among the series' paths.
    file: usize,
    /// Rows read from the open file.
    rows: u64,
}

impl<const N: usize> SeriesReader<N> {
    /// Opens every file once, so that a missing file or column is known before the first row.
    pub(crate) fn open(files: Files<N>) -> Result<Self, DataError> {
        let mut first = None;
        for path in &files.paths {
            let source = Source::open(path, &files)?;
            // Only one file stays open: a series may have more of them than a process may hold.
            first.get_or_insert(source);
        }
        Ok(Self { files, source: first, file: 0, rows: 0 })
    }

    /// Place of the file that the last chunk came from.
    pub(crate) const fn file(&self) -> usize {
        self.file
    }

    /// Path of the file that the last chunk came from.
    pub(crate) fn path(&self) -> &PathBuf {
        &self.files.paths[self.file]
    }

    /// Whether the file that the last chunk came from says that it was generated.
    pub(crate) fn is_synthetic(&self) -> bool {
        matches!(&self.source, Some(Source::Parquet(source)) if source.is_synthetic())
    }

    /// The next rows; `None` after the last file.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<Chunk<N>>, DataError> {
        while let Some(source) = &mut self.source {
            if let Some(chunk) = source.next_chunk()? {
                self.rows += chunk.len() as u64;
                return Ok(Some(chunk));
            }
            if self.rows == 0 {
                return Err(DataError::EmptyFile { path: self.path().clone() });
            }
            self.rows = 0;
            let Some(path) = self.files.paths.get(self.file + 1) else { break };
            self.source = Some(Source::open(path, &self.files)?);
            self.file += 1;
        }
        Ok(None)
    }

    /// A fault of a row of the last chunk.
    pub(crate) fn fault(&self, chunk: &Chunk<N>, at: usize, kind: FaultKind) -> DataFault {
        DataFault { path: self.path().clone(), place: chunk.place(at), kind }
    }
}
