//! `tickdrain data`.

use std::path::{Path, PathBuf};

use model::instrument::InstrumentIx;
use model::time::Interval;
use store::candles::{ColumnNames, GapPolicy, SeriesSpec, TimeLabel, inspect as inspect_series};
use store::synthetic::{self, GeneratedFile};

use super::check::worse;
use super::complaint;
use crate::error::exit;

/// Looks at candle files, one after another.
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
        let inspection = inspect_series(&SeriesSpec {
            instrument: InstrumentIx(0),
            name: path.display().to_string(),
            paths: vec![path.clone()],
            label: TimeLabel::Open,
            interval,
            time_unit: None,
            columns: ColumnNames::default(),
            gaps: GapPolicy::Skip,
        });
        let time = |ts: Option<_>| {
            ts.map_or_else(|| "-".to_owned(), |ts: model::time::UtcMillis| ts.to_string())
        };
        say!("{}", path.display());
        say!("  rows        {}", inspection.rows);
        say!("  first       {}", time(inspection.first));
        say!("  last        {}", time(inspection.last));
        say!("  holes       {} ({} bars missing)", inspection.holes, inspection.missing);
        say!("  zero volume {}", inspection.zero_volume);
        say!("  synthetic   {}", if inspection.synthetic_data { "yes" } else { "no" });
        say!("  faults      {}", inspection.fault_count);
        for fault in &inspection.faults {
            complaint::print_data(fault);
            code = worse(code, fault.class());
        }
    }
    code
}

/// Writes the synthetic candles of a seed.
pub(super) fn generate(out: &Path, seed: u64) -> u8 {
    match synthetic::generate(out, seed) {
        Ok(files) => {
            for GeneratedFile { name, rows, bytes, blake3 } in files {
                say!("{name}  {rows} rows  {bytes} bytes  {blake3}");
            }
            say!("synthetic candles of seed {seed}: generated, not a market");
            0
        }
        Err(error) => {
            complaint::file(out, "LOG-FOLDER", &error, "--out DIR writes elsewhere");
            exit::IO
        }
    }
}
