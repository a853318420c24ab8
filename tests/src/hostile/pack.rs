//! Logs put together from rows, so that rows that no run writes can be in them.

use std::fmt::Debug;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, TimestampMillisecondType, UInt64Type,
};
use arrow_array::{Array as _, ArrayRef, PrimitiveArray, RecordBatch, StringArray};
use arrow_ipc::writer::StreamWriter;
use model::time::UtcMillis;
use store::audit::commit::Header;
use store::audit::reading::Units;
use store::audit::{Kind, LogReader};
use tickdrain::run_folder::Output;
use tickdrain::{App, Backtest};

use super::log::tag;
use super::{Section, join};

/// A log, commit by commit.
#[derive(Clone, Debug, Default)]
pub struct Packed {
    /// First line of its commit file.
    pub header: Header,
    /// In order.
    pub commits: Vec<PackedCommit>,
}

/// What a commit adds, and what it says of that.
#[derive(Clone, Debug, Default)]
pub struct PackedCommit {
    /// Its frames.
    pub frames: u64,
    /// Its first and its last event.
    pub seqs: [u64; 2],
    /// Its rows, in the order of kinds.
    pub rows: Vec<(Kind, RecordBatch)>,
    /// Number of rows that it claims to have of every kind, instead of that there are.
    pub claim: Option<u32>,
}

impl Packed {
    /// The rows of a log of a single commit, in `count` commits; each but the last ends before a frame.
    pub fn of(log: &LogReader, count: usize) -> Self {
        let last = log.commits().last().expect("a log with a commit");
        let batch = |kind| log.batches(kind).expect("a sound stream").next();
        let batches: Vec<(Kind, RecordBatch)> = Kind::ALL
            .into_iter()
            .filter_map(|kind| Some((kind, batch(kind)?.expect("a sound batch"))))
            .collect();
        let frames = seqs(&batches[0].1);
        let mut packed = Self { header: log.header().clone(), commits: Vec::new() };
        let mut first = last.first_seq;
        for part in 1..=count {
            let end = match part {
                part if part == count => last.last_seq,
                part => frames[frames.len() * part / count] - 1,
            };
            let rows = batches.iter().filter_map(|(kind, batch)| {
                let place = |seq: u64| seqs(batch).partition_point(|it| *it < seq);
                let (from, to) = (place(first), place(end + 1));
                (from < to).then(|| (*kind, batch.slice(from, to - from)))
            });
            let rows = rows.collect();
            packed.commits.push(PackedCommit { frames: 1, seqs: [first, end], rows, claim: None });
            first = end + 1;
        }
        packed
    }

    /// The rows of some kinds alone, as if no others were recorded.
    pub fn only(&self, kinds: &[Kind]) -> Self {
        let mut packed = self.clone();
        for commit in &mut packed.commits {
            commit.rows.retain(|(kind, _)| kinds.contains(kind));
        }
        packed
    }

    /// The rows of a kind in the first commit that has some.
    pub fn rows(&self, kind: Kind) -> RecordBatch {
        let mut rows = self.commits.iter().flat_map(|commit| &commit.rows);
        rows.find(|(it, _)| *it == kind).expect("a log with rows of this kind").1.clone()
    }

    /// As [`super::log`] takes it.
    pub fn bytes(&self) -> Vec<u8> {
        join(&self.sections())
    }

    /// The sections of one folder.
    pub fn sections(&self) -> Vec<Section> {
        let header = serde_json::to_vec(&self.header).expect("a header is plain data");
        let mut sections = vec![Section { tag: tag::HEADER, content: header }];
        let mut writers = [const { None }; Kind::ALL.len()];
        let mut written = [0; Kind::ALL.len()];
        for commit in &self.commits {
            let mut counts = Vec::new();
            for (kind, batch) in &commit.rows {
                let place = *kind as usize;
                let writer = writers[place].get_or_insert_with(|| {
                    StreamWriter::try_new(Vec::new(), &batch.schema()).expect("a text takes all")
                });
                writer.write(batch).expect("a text takes all");
                let bytes = &writer.get_ref()[written[place]..];
                written[place] = writer.get_ref().len();
                let tag = u8::try_from(place).expect("few kinds");
                sections.extend(Section::split(tag, bytes));
                let rows = u32::try_from(batch.num_rows()).expect("few rows");
                counts.push(commit.claim.unwrap_or(rows));
            }
            let mut content = vec![0];
            content.extend(commit.frames.to_le_bytes());
            content.extend(commit.seqs.into_iter().flat_map(u64::to_le_bytes));
            content.extend([0; 16]);
            content.extend(counts.into_iter().flat_map(u32::to_le_bytes));
            sections.push(Section { tag: tag::COMMIT, content });
        }
        sections
    }
}

/// Runs a run file of the source tree into `folder`.
pub fn run(run_file: &str, overrides: &[&str], folder: &Path) -> LogReader {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let overrides: Vec<String> = overrides.iter().map(|&it| it.to_owned()).collect();
    let backtest = Backtest::with_app(App::new(), &root.join(run_file), &overrides);
    let output = Output::Explicit { path: folder.to_owned(), overwrite: false };
    backtest.expect("a run file").output(output).run().expect("a sound run");
    LogReader::open(folder).expect("a log")
}

/// A carry of a day and a half, opened and closed, run into `folder`: rows of most kinds.
pub fn carry(folder: &Path) -> LogReader {
    let orders = folder.with_extension("csv");
    let lines = "decide_ts,order_id,instrument,side,qty,reduce_only\n\
                 2024-01-01T02:00:00Z,coin,bybit:spot:BTCUSDT,buy,1,\n\
                 2024-01-01T02:00:00Z,short,bybit:perp:BTCUSDT,sell,1,\n\
                 2024-01-02T02:00:00Z,sell-coin,bybit:spot:BTCUSDT,sell,1,\n\
                 2024-01-02T02:00:00Z,close-short,bybit:perp:BTCUSDT,buy,1,true\n";
    std::fs::write(&orders, lines).expect("a file can be written");
    let orders = format!("strategy.orders={:?}", orders.display().to_string());
    run("examples/cash_and_carry.toml", &["end=2024-01-02T06:00:00Z", &orders], folder)
}

fn seqs(batch: &RecordBatch) -> &[u64] {
    batch.column(0).as_primitive::<UInt64Type>().values()
}

/// Rows with other values in one of their columns.
pub fn with_column(rows: &RecordBatch, column: &str, values: &[&str]) -> RecordBatch {
    let place = rows.schema().index_of(column).expect("a column of this name");
    let old = rows.column(place);
    let new: ArrayRef = if old.as_primitive_opt::<UInt64Type>().is_some() {
        numbers::<UInt64Type, u64>(old, values, |value| value)
    } else if old.as_primitive_opt::<TimestampMillisecondType>().is_some() {
        numbers::<TimestampMillisecondType, UtcMillis>(old, values, UtcMillis::millis)
    } else if old.as_primitive_opt::<Decimal128Type>().is_some() {
        numbers::<Decimal128Type, Units>(old, values, |value| value.0)
    } else {
        Arc::new(StringArray::from(values.to_vec()))
    };
    let mut columns = rows.columns().to_vec();
    columns[place] = new;
    RecordBatch::try_new(rows.schema(), columns).expect("values of the same type")
}

fn numbers<T, V>(old: &ArrayRef, values: &[&str], native: fn(V) -> T::Native) -> ArrayRef
where
    T: ArrowPrimitiveType,
    V: FromStr<Err: Debug>,
{
    let values = values.iter().map(|text| native(text.parse().expect("a value of the column")));
    let new = PrimitiveArray::<T>::from_iter_values(values);
    Arc::new(new.with_data_type(old.data_type().clone()))
}
