//! What becomes of orders, fills and snapshots in the tables and figures of a run.

mod chain;
mod decisions;
mod figures;
mod orders;

use std::fs::File;
use std::path::Path;

use model::time::Interval;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{Figures, Results, ResultsTerms};
use crate::audit::fixtures::{Script, instruments, names};
use crate::audit::records::Records;
use crate::columns::shown::shown;

/// The figures of a run, and columns of one of its tables.
fn run(scripts: Vec<Script>, table: &str, columns: &[&str]) -> (Figures, String) {
    let records = scripts.into_iter().map(|script| script.records).collect();
    let (figures, [table]) = tables(records, false, [(table, columns)]);
    (figures, table)
}

/// The figures of commits, and columns of some tables.
fn tables<const N: usize>(
    commits: Vec<Records>,
    every_frame: bool,
    asked: [(&str, &[&str]); N],
) -> (Figures, [String; N]) {
    let folder = tempfile::tempdir().unwrap();
    let names = names();
    let terms = ResultsTerms { interval: Interval::from_millis(60_000).unwrap(), every_frame };
    let mut results = Results::create(Some(folder.path()), terms, instruments()).unwrap();
    for records in commits {
        results.take(&records, &names).unwrap();
    }
    let figures = results.close(&names).unwrap();
    (figures, asked.map(|(table, columns)| read(&folder.path().join(table), columns)))
}

fn read(path: &Path, columns: &[&str]) -> String {
    let file = File::open(path).unwrap();
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    batches.map(|batch| shown(&batch.unwrap(), columns)).collect()
}
