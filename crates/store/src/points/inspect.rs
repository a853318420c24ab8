//! A look at a whole series of points.

use model::time::UtcMillis;

use super::{PointRow, PointSpec, gap_fault, missing_between, value_faults};
use crate::candles::FaultKind;
use crate::candles::GapPolicy;
use crate::candles::check::{sequence_fault, time_fault};
use crate::candles::chunk::Chunk;
use crate::candles::inspect::{Inspection, inspect_files};

/// Reads a whole series and notes every fault instead of stopping at the first.
///
/// A file that cannot be read is one fault; the others are still read.
pub fn inspect_points(spec: &PointSpec) -> Inspection {
    let mut previous = None;
    inspect_files(&spec.files(), |chunk, at, inspection| {
        row_faults(chunk, at, &mut previous, spec, inspection)
    })
}

fn row_faults(
    chunk: &Chunk<2>,
    at: usize,
    previous: &mut Option<PointRow>,
    spec: &PointSpec,
    inspection: &mut Inspection,
) -> Vec<FaultKind> {
    let row = PointRow::of(chunk, at);
    let mut faults = value_faults(spec.of, chunk, at);
    if let Some(fault) = time_fault(chunk, at) {
        faults.insert(0, fault);
        return faults;
    }
    inspection.saw(UtcMillis::new(row.time));
    if let Some(above) = previous.replace(row) {
        let (before, here) = (above.values(spec.of), row.values(spec.of));
        faults.extend(sequence_fault((above.time, &before), (row.time, &here)));
        if let Some(interval) = spec.interval
            && let Ok(missing @ 1..) =
                u64::try_from(missing_between(above.time, row.time, interval))
        {
            inspection.holes += 1;
            inspection.missing += missing;
            if spec.gaps == GapPolicy::Error {
                faults.push(gap_fault(above.time, row.time, interval, missing));
            }
        }
    }
    faults
}
