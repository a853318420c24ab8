//! `tickdrain data`.

use std::path::{Path, PathBuf};

use model::instrument::{InstrumentIx, SeriesIx};
use model::time::Interval;
use store::candles::{
    BarsOf, Column, ColumnNames, DataError, GapPolicy, Inspection, SeriesSpec, TimeLabel,
    inspect as inspect_series,
};
use store::points::{PointSpec, PointsOf, inspect_points};
use store::synthetic::{self, GeneratedFile};

use super::check::worse;
use super::complaint;
use crate::error::exit;

/// Looks at data files, one after another.
pub(super) fn inspect(paths: &[PathBuf], interval: &str) -> u8 {
    let interval: Interval = match interval.parse() {
        Ok(interval) => interval,
        Err(error) => {
            complaint::line(&format!("error: --interval: {error}"));
            return exit::USAGE;
        }
    };
    let mut code = 0;
    for path in paths {
        let (kind, inspection) = look(path, interval);
        let time = |ts: Option<_>| {
            ts.map_or_else(|| "-".to_owned(), |ts: model::time::UtcMillis| ts.to_string())
        };
        say!("{}", path.display());
        if kind != "candles" {
            say!("  kind        {kind}");
        }
        say!("  rows        {}", inspection.rows);
        say!("  first       {}", time(inspection.first));
        say!("  last        {}", time(inspection.last));
        if kind == "candles" || kind == "mark" {
            say!("  holes       {} ({} bars missing)", inspection.holes, inspection.missing);
        }
        if kind == "candles" {
            say!("  zero volume {}", inspection.zero_volume);
        }
        say!("  synthetic   {}", if inspection.synthetic_data { "yes" } else { "no" });
        say!("  faults      {}", inspection.fault_count);
        for fault in &inspection.faults {
            complaint::print_data(fault);
            code = worse(code, fault.class());
        }
    }
    code
}

/// Inspects a file as the kind that its columns fit, and says which; as candles if they fit none.
fn look(path: &Path, interval: Interval) -> (&'static str, Inspection) {
    let bars = |of| SeriesSpec {
        of,
        instrument: InstrumentIx(0),
        name: path.display().to_string(),
        paths: vec![path.to_path_buf()],
        label: TimeLabel::Open,
        interval,
        time_unit: None,
        columns: ColumnNames::default(),
        gaps: GapPolicy::Skip,
    };
    let points = |of| PointSpec {
        of,
        name: path.display().to_string(),
        paths: vec![path.to_path_buf()],
        interval: None,
        time_unit: None,
        columns: ColumnNames::default(),
        gaps: GapPolicy::Skip,
    };
    let candles = inspect_series(&bars(BarsOf::Trades));
    let others = match missing_column(&candles) {
        Some(Column::Volume) => vec![("mark", inspect_series(&bars(BarsOf::Mark)))],
        Some(Column::Open) => vec![
            ("funding", inspect_points(&points(PointsOf::Funding(InstrumentIx(0))))),
            ("price", inspect_points(&points(PointsOf::Price(SeriesIx(0))))),
        ],
        _ => Vec::new(),
    };
    let fits = |(_, inspection): &(&str, Inspection)| missing_column(inspection).is_none();
    others.into_iter().find(fits).unwrap_or(("candles", candles))
}

/// The column for want of which a file was not read.
fn missing_column(inspection: &Inspection) -> Option<Column> {
    match inspection.faults.first() {
        Some(DataError::Column { column, .. }) => Some(*column),
        _ => None,
    }
}

/// Writes the synthetic data of a seed.
pub(super) fn generate(out: &Path, seed: u64) -> u8 {
    match synthetic::generate(out, seed) {
        Ok(files) => {
            for GeneratedFile { name, rows, bytes, blake3 } in files {
                say!("{name}  {rows} rows  {bytes} bytes  {blake3}");
            }
            say!("synthetic data of seed {seed}: generated, not a market");
            0
        }
        Err(error) => {
            complaint::file(out, "LOG-FOLDER", &error, "--out DIR writes elsewhere");
            exit::IO
        }
    }
}
