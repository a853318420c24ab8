//! What becomes of orders, fills and snapshots in the tables and figures of a run.

mod figures;
mod orders;

use std::fs::File;
use std::path::Path;

use model::time::Interval;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{Figures, Results};
use crate::audit::fixtures::{Script, instruments, names};
use crate::columns::shown::shown;

/// The figures of a run, and columns of one of its tables.
fn run(scripts: Vec<Script>, table: &str, columns: &[&str]) -> (Figures, String) {
    let folder = tempfile::tempdir().unwrap();
    let names = names();
    let interval = Interval::from_millis(60_000).unwrap();
    let mut results = Results::create(Some(folder.path()), interval, instruments()).unwrap();
    for script in scripts {
        results.take(&script.records, &names).unwrap();
    }
    let figures = results.close(&names).unwrap();
    (figures, read(&folder.path().join(table), columns))
}

fn read(path: &Path, columns: &[&str]) -> String {
    let file = File::open(path).unwrap();
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    batches.map(|batch| shown(&batch.unwrap(), columns)).collect()
}
