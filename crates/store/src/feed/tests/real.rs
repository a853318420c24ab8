//! Real data, where it is there.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use expect_test::expect;
use futures_util::StreamExt;
use model::frame::BarKind;

use super::files::minutes;
use super::scenario::tell_error;
use crate::candles::{GapPolicy, SeriesSpec, inspect};
use crate::feed::{CandleFeed, FeedSpec};

/// The folder of real data; `None`, said aloud, where there is none.
pub(super) fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("TICKDRAIN_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder);
    }
    said_aloud();
    None
}

fn said_aloud() {
    // Past the test runner, which would keep it to itself.
    drop(writeln!(std::io::stderr(), "skipped: shared data absent"));
}

fn series(path: PathBuf, interval: &str, gaps: GapPolicy) -> SeriesSpec {
    let interval = interval.parse().unwrap();
    SeriesSpec { interval, gaps, ..minutes("A", 0, vec![path]) }
}

/// Frames, real and synthetic bars, prices and volume in sum, the error and the holes.
fn tell(series: SeriesSpec, frame: &str) -> String {
    let spec = FeedSpec::new(vec![series], 1, frame.parse().unwrap());
    let mut feed = CandleFeed::open(&spec).unwrap();
    let facts = feed.facts();
    let (mut real, mut synthetic, mut closes, mut volume) = (0, 0, 0.0, 0.0);
    let mut ends = Vec::new();
    let mut told = String::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        while let Some(next) = feed.next().await {
            match next {
                Ok(frame) => {
                    let bar = frame.bars()[0];
                    real += u32::from(bar.kind == BarKind::Real);
                    synthetic += u32::from(bar.kind == BarKind::Synthetic);
                    closes += bar.close;
                    volume += bar.volume;
                    ends.push(frame.ts());
                }
                Err(error) => told += &tell_error(&error),
            }
        }
    });
    let (first, last) = (ends[0], ends[ends.len() - 1]);
    writeln!(told, "{real} real, {synthetic} synthetic, {first} to {last}").unwrap();
    writeln!(told, "closes {closes:.2}, volume {volume:.2}").unwrap();
    let facts = &facts.read().unwrap()[0];
    writeln!(told, "{} rows, {} holes, {} missing", facts.rows, facts.holes, facts.missing)
        .unwrap();
    told
}

#[test]
fn a_million_minutes_and_their_hours() {
    let Some(shared) = shared() else { return };
    let path = shared.join("candles/bitfinex/BTCUSD/1m.parquet");
    let series = |gaps| series(path.clone(), "1m", gaps);
    expect![[r#"
        1033226 real, 0 synthetic, 2018-01-01T00:01:00Z to 2020-01-01T00:00:00Z
        closes 7743528521.50, volume 16787142.38
        1033226 rows, 13947 holes, 17974 missing
    "#]]
    .assert_eq(&tell(series(GapPolicy::Skip), "1m"));
    expect![[r#"
        1033226 real, 17974 synthetic, 2018-01-01T00:01:00Z to 2020-01-01T00:00:00Z
        closes 7859382512.54, volume 16787142.38
        1033226 rows, 13947 holes, 17974 missing
    "#]]
    .assert_eq(&tell(series(GapPolicy::Synthetic), "1m"));
    expect![[r#"
        17513 real, 0 synthetic, 2018-01-01T01:00:00Z to 2020-01-01T00:00:00Z
        closes 130944182.94, volume 16787142.38
        1033226 rows, 13947 holes, 17974 missing
    "#]]
    .assert_eq(&tell(series(GapPolicy::Skip), "1h"));
    expect![[r#"
        DATA-GAP Content 1m row 16147 time
          found: 2018-01-12T05:07:00Z after 2018-01-12T05:05:00Z, 1 missing
          expected: 2018-01-12T05:06:00Z
          hint: gaps = "skip" leaves the bars out, gaps = "synthetic" repeats the last close
        269 real, 0 synthetic, 2018-01-01T01:00:00Z to 2018-01-12T05:00:00Z
        closes 3998976.90, volume 531887.33
        16146 rows, 1 holes, 1 missing
    "#]]
    .assert_eq(&tell(series(GapPolicy::Error), "1h"));
}

#[test]
fn holes_of_23_hours_under_every_policy() {
    let Some(shared) = shared() else { return };
    let path = shared.join("defects/binance_BTCUSDT-PERP_1h_23h_holes.parquet");
    let series = |gaps| series(path.clone(), "1h", gaps);
    expect![[r#"
        DATA-GAP Content binance_BTCUSDT-PERP_1h_23h_holes row 962 time
          found: 2024-02-11T00:00:00Z after 2024-02-10T00:00:00Z, 23 missing
          expected: 2024-02-10T01:00:00Z
          hint: gaps = "skip" leaves the bars out, gaps = "synthetic" repeats the last close
        961 real, 0 synthetic, 2024-01-01T01:00:00Z to 2024-02-10T01:00:00Z
        closes 41396659.30, volume 12171823.56
        961 rows, 1 holes, 23 missing
    "#]]
    .assert_eq(&tell(series(GapPolicy::Error), "1h"));
    expect![[r#"
        12132 real, 0 synthetic, 2024-01-01T01:00:00Z to 2025-06-01T00:00:00Z
        closes 898934344.10, volume 129296872.98
        12132 rows, 12 holes, 276 missing
    "#]]
    .assert_eq(&tell(series(GapPolicy::Skip), "1h"));
    expect![[r#"
        12132 real, 276 synthetic, 2024-01-01T01:00:00Z to 2025-06-01T00:00:00Z
        closes 919681215.80, volume 129296872.98
        12132 rows, 12 holes, 276 missing
    "#]]
    .assert_eq(&tell(series(GapPolicy::Synthetic), "1h"));
}

#[test]
fn repeated_and_unsorted_rows_are_found() {
    let Some(shared) = shared() else { return };
    let faults = |file: &str, interval: &str| {
        let inspection =
            inspect(&series(shared.join("defects").join(file), interval, GapPolicy::Skip));
        let first: String = inspection.faults.iter().take(3).map(tell_error).collect();
        format!("{} rows, {} faults\n{first}", inspection.rows, inspection.fault_count)
    };
    expect![[r#"
        12420 rows, 12 faults
        DATA-REPEATED Content bybit_ETHUSDT-PERP_1h_repeated_rows row 962
          found: 2024-02-10T00:00:00Z again, all values equal
          expected: one row per time
          hint: remove the repeated row
        DATA-REPEATED Content bybit_ETHUSDT-PERP_1h_repeated_rows row 1923
          found: 2024-03-21T00:00:00Z again, all values equal
          expected: one row per time
          hint: remove the repeated row
        DATA-REPEATED Content bybit_ETHUSDT-PERP_1h_repeated_rows row 2884
          found: 2024-04-30T00:00:00Z again, all values equal
          expected: one row per time
          hint: remove the repeated row
    "#]]
    .assert_eq(&faults("bybit_ETHUSDT-PERP_1h_repeated_rows.parquet", "1h"));
    expect![[r#"
        102 rows, 2 faults
        DATA-ORDER Content BTC_USDT_5m_unsorted_conflicting row 3 time
          found: 2025-10-15T00:00:00Z after 2025-10-15T08:05:00Z
          expected: times that increase from row to row
          hint: sort the file by time
        DATA-ORDER Content BTC_USDT_5m_unsorted_conflicting row 101 time
          found: 2025-10-15T08:00:00Z after 2025-10-15T08:05:00Z
          expected: times that increase from row to row
          hint: sort the file by time
    "#]]
    .assert_eq(&faults("BTC_USDT_5m_unsorted_conflicting.parquet", "5m"));
    expect![[r#"
        102 rows, 2 faults
        DATA-ORDER Content BTC_USDT_5m_unsorted_conflicting row 3 time
          found: 2025-10-15T00:00:00Z after 2025-10-15T08:05:00Z
          expected: times that increase from row to row
          hint: sort the file by time
        DATA-ORDER Content BTC_USDT_5m_unsorted_conflicting row 101 time
          found: 2025-10-15T08:00:00Z after 2025-10-15T08:05:00Z
          expected: times that increase from row to row
          hint: sort the file by time
    "#]]
    .assert_eq(&faults("BTC_USDT_5m_unsorted_conflicting.csv", "5m"));
}

#[test]
fn every_candle_file_is_as_its_published_checks_say() {
    let Some(shared) = shared() else { return };
    let checks = fs::read_to_string(shared.join("QC.csv")).unwrap();
    let mut lines = checks.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|known| *known == name).unwrap();
    let (file, rows) = (column("file"), column("rows"));
    let (holes, missing) = (column("gaps"), column("missing_bars"));
    let mut seen = 0;
    for line in lines.filter(|line| line.starts_with("candles/")) {
        let cells: Vec<&str> = line.split(',').collect();
        let path = shared.join(cells[file]);
        let interval = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let inspection = inspect(&series(path, &interval, GapPolicy::Skip));
        assert_eq!(inspection.fault_count, 0, "{line}: {:?}", inspection.faults);
        let found = [inspection.rows, inspection.holes, inspection.missing].map(|n| n.to_string());
        let mut published = [rows, holes, missing].map(|place| cells[place].to_owned());
        // Where sessions make holes normal, the missing bars were not counted.
        if published[2].is_empty() {
            published[2].clone_from(&found[2]);
        }
        assert_eq!(found, published, "{line}");
        seen += 1;
    }
    assert!(seen > 20, "{seen} files");
}
