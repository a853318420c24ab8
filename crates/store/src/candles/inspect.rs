//! A look at a whole series: what it holds and everything that is wrong with it.

use model::time::UtcMillis;

use super::check::{missing_between, order_fault, time_fault, value_faults};
use super::chunk::{Chunk, Row};
use super::error::DataError;
use super::fault::FaultKind;
use super::series::{Files, SeriesReader};
use super::{BarsOf, GapPolicy, SeriesSpec};

/// Faults that an inspection lists; the rest is only counted.
pub const LISTED_FAULTS_MAX: usize = 100;

/// What a series holds, and its faults.
#[derive(Debug, Default)]
pub struct Inspection {
    /// Rows, faulty ones included.
    pub rows: u64,
    /// Time of the first row, as the file states it.
    pub first: Option<UtcMillis>,
    /// Time of the last row, as the file states it.
    pub last: Option<UtcMillis>,
    /// Steps of one and a half intervals or more.
    pub holes: u64,
    /// Bars missing in them.
    pub missing: u64,
    /// Bars without volume.
    pub zero_volume: u64,
    /// Whether a file says that it was generated.
    pub synthetic_data: bool,
    /// The first [`LISTED_FAULTS_MAX`] faults, in the order of rows.
    pub faults: Vec<DataError>,
    /// Number of all faults. Holes are faults under [`GapPolicy::Error`] only.
    pub fault_count: u64,
}

impl Inspection {
    /// Notes the time of a row.
    pub(crate) fn saw(&mut self, ts: UtcMillis) {
        self.first.get_or_insert(ts);
        self.last = Some(ts);
    }

    fn note(&mut self, fault: impl Into<DataError>) {
        self.fault_count += 1;
        if self.faults.len() < LISTED_FAULTS_MAX {
            self.faults.push(fault.into());
        }
    }
}

/// Reads a whole series and notes every fault instead of stopping at the first.
///
/// A file that cannot be read is one fault; the others are still read.
pub fn inspect(spec: &SeriesSpec) -> Inspection {
    let mut previous = None;
    inspect_files(&spec.files(), |chunk, at, inspection| {
        row_faults(chunk, at, &mut previous, spec, inspection)
    })
}

/// Reads files of any kind, row by row; `judge` says what is wrong with one.
pub(crate) fn inspect_files<const N: usize>(
    files: &Files<N>,
    mut judge: impl FnMut(&Chunk<N>, usize, &mut Inspection) -> Vec<FaultKind>,
) -> Inspection {
    let mut inspection = Inspection::default();
    for path in &files.paths {
        let file = Files { paths: vec![path.clone()], ..files.clone() };
        if let Err(error) = inspect_file(file, &mut judge, &mut inspection) {
            inspection.note(error);
        }
    }
    inspection
}

fn inspect_file<const N: usize>(
    file: Files<N>,
    judge: &mut impl FnMut(&Chunk<N>, usize, &mut Inspection) -> Vec<FaultKind>,
    inspection: &mut Inspection,
) -> Result<(), DataError> {
    let mut reader = SeriesReader::open(file)?;
    inspection.synthetic_data |= reader.is_synthetic();
    while let Some(chunk) = reader.next_chunk()? {
        for at in 0..chunk.len() {
            inspection.rows += 1;
            for kind in judge(&chunk, at, inspection) {
                inspection.note(reader.fault(&chunk, at, kind));
            }
        }
    }
    Ok(())
}

fn row_faults(
    chunk: &Chunk,
    at: usize,
    previous: &mut Option<Row>,
    spec: &SeriesSpec,
    inspection: &mut Inspection,
) -> Vec<FaultKind> {
    let row = chunk.row(at);
    let untraded = spec.of == BarsOf::Trades && row.volume.abs() <= 0.0;
    inspection.zero_volume += u64::from(untraded);
    let mut faults = value_faults(chunk, at);
    if let Some(fault) = time_fault(chunk, at) {
        faults.insert(0, fault);
        return faults;
    }
    let now = UtcMillis::new(row.time);
    inspection.saw(now);
    if let Some(previous) = previous {
        faults.extend(order_fault(previous, &row, spec.interval));
        let missing = missing_between(previous.time, row.time, spec.interval.millis()).max(0);
        if let Ok(missing @ 1..) = u64::try_from(missing) {
            inspection.holes += 1;
            inspection.missing += missing;
            if spec.gaps == GapPolicy::Error {
                let previous = UtcMillis::new(previous.time);
                let interval = spec.interval;
                faults.push(FaultKind::Gap { previous, found: now, interval, missing });
            }
        }
    }
    *previous = Some(row);
    faults
}
