//! `tickdrain data`.

use std::path::{Path, PathBuf};

use model::instrument::InstrumentIx;
use model::time::Interval;
use store::candles::{ColumnNames, GapPolicy, SeriesSpec, TimeLabel, inspect as inspect_series};
use store::synthetic::{self, GeneratedFile};

use super::complaint;
use crate::error::exit;

/// Looks at candle files, one after another.
#[expect(clippy::print_stdout, reason = "the command line speaks here")]
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
        println!("{}", path.display());
        println!("  rows        {}", inspection.rows);
        println!("  first       {}", time(inspection.first));
        println!("  last        {}", time(inspection.last));
        println!("  holes       {} ({} bars missing)", inspection.holes, inspection.missing);
        println!("  zero volume {}", inspection.zero_volume);
        println!("  synthetic   {}", if inspection.synthetic_data { "yes" } else { "no" });
        println!("  faults      {}", inspection.fault_count);
        for fault in &inspection.faults {
            complaint::print_data(fault);
            code = exit::DATA;
        }
    }
    code
}

/// Writes the synthetic candles of a seed.
#[expect(clippy::print_stdout, reason = "the command line speaks here")]
pub(super) fn generate(out: &Path, seed: u64) -> u8 {
    match synthetic::generate(out, seed) {
        Ok(files) => {
            for GeneratedFile { name, rows, bytes, blake3 } in files {
                println!("{name}  {rows} rows  {bytes} bytes  {blake3}");
            }
            println!("synthetic candles of seed {seed}: generated, not a market");
            0
        }
        Err(error) => {
            complaint::file(out, "LOG-FOLDER", &error, "--out DIR writes elsewhere");
            exit::IO
        }
    }
}
