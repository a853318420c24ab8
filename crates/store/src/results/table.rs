//! One result file: Parquet with small row groups and plain types.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

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
            let opened = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties(&schema)));
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

fn properties(schema: &Schema) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_created_by("tickdrain".to_owned())
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true);
    for field in schema.fields().iter().filter(|field| is_searched(field.data_type())) {
        let column = ColumnPath::from(field.name().as_str());
        properties = properties.set_column_statistics_enabled(column, EnabledStatistics::Chunk);
    }
    properties.build()
}

/// Whether readers skip row groups by the least and greatest of such a column: by time or number.
///
/// Of floats and amounts, which are most columns, they cost more than they ever save.
fn is_searched(kind: &DataType) -> bool {
    kind.is_integer() || matches!(kind, DataType::Timestamp(..))
}

#[cfg(test)]
mod tests {
    use arrow_array::{Float64Array, UInt64Array};
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;
    use crate::columns::{DECIMAL, decimals, schema, texts, times, timestamp};

    #[test]
    fn only_columns_that_readers_search_have_statistics() {
        let folder = tempfile::tempdir().unwrap();
        let columns = [
            ("ts", timestamp()),
            ("seq", DataType::UInt64),
            ("equity", DataType::Float64),
            ("fee", DECIMAL),
            ("name", DataType::Utf8),
        ];
        let mut table = Table::create(Some(folder.path()), "t.parquet", schema(&columns)).unwrap();
        table
            .write(vec![
                times([Some(model::time::UtcMillis::new(1))]),
                Arc::new(UInt64Array::from(vec![7])),
                Arc::new(Float64Array::from(vec![0.5])),
                decimals([Some(model::Decimal::ONE)]).unwrap(),
                texts(["x"]),
            ])
            .unwrap();
        table.close().unwrap();
        let file = File::open(folder.path().join("t.parquet")).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let group = reader.metadata().row_group(0);
        let searched = group.columns().iter().filter(|column| column.statistics().is_some());
        let searched: Vec<String> = searched.map(|column| column.column_path().string()).collect();
        assert_eq!(searched, ["ts", "seq"]);
    }
}
