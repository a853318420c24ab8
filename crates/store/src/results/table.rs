//! One result file: Parquet with small row groups and plain types.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::error::FolderError;

/// Largest row group: readers can stream.
const ROW_GROUP: usize = 65_536;

/// A result file that is being written; without a folder its rows go nowhere.
#[derive(Debug)]
pub(crate) struct Table {
    path: PathBuf,
    schema: SchemaRef,
    writer: Option<ArrowWriter<File>>,
}

impl Table {
    pub(crate) fn create(
        folder: Option<&Path>,
        name: &str,
        schema: SchemaRef,
    ) -> Result<Self, FolderError> {
        let path = folder.unwrap_or_else(|| Path::new("")).join(name);
        let mut writer = None;
        if folder.is_some() {
            let file = File::create_new(&path).map_err(FolderError::create(&path))?;
            let properties = WriterProperties::builder()
                .set_created_by("tickdrain".to_owned())
                .set_max_row_group_row_count(Some(ROW_GROUP))
                .set_compression(Compression::SNAPPY)
                .set_dictionary_enabled(false)
                .set_statistics_enabled(EnabledStatistics::Chunk)
                .set_offset_index_disabled(true)
                .build();
            let opened = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties));
            writer = Some(opened.map_err(FolderError::parquet(&path))?);
        }
        Ok(Self { path, schema, writer })
    }

    /// Appends rows, given as columns.
    pub(crate) fn write(&mut self, columns: Vec<ArrayRef>) -> Result<(), FolderError> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(FolderError::encode(&self.path))?;
        if batch.num_rows() == 0 {
            return Ok(());
        }
        writer.write(&batch).map_err(FolderError::parquet(&self.path))
    }

    /// Appends rows that could be made into columns.
    pub(crate) fn write_rows(
        &mut self,
        columns: Result<Vec<ArrayRef>, ArrowError>,
    ) -> Result<(), FolderError> {
        let columns = columns.map_err(FolderError::encode(&self.path))?;
        self.write(columns)
    }

    /// Writes the footer.
    pub(crate) fn close(self) -> Result<(), FolderError> {
        match self.writer {
            Some(writer) => writer.close().map(drop).map_err(FolderError::parquet(&self.path)),
            None => Ok(()),
        }
    }
}
