//! Runs that other backtesters have computed too: the same orders on the same bars.
//!
//! The expected values came out of backtesting.py, backtrader and vectorbt while they ran; see
//! `tests/reference/README.md` for versions, conventions and how to make them again. Peers compute
//! in binary floats, so figures agree to 1e-9 of their size and not to the last digit.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use model::time::UtcMillis;
use tickdrain::Backtest;
use tickdrain::run_folder::Output;

use crate::support::root;
use crate::tables::Table;

/// Largest relative distance from a peer that computes in floats.
const FLOAT: f64 = 1e-9;

/// Rows of a CSV file, by column.
struct Expected {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Expected {
    fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<String>>();
        let mut lines = text.lines();
        let columns = cells(lines.next()?);
        Some(Self { columns, rows: lines.map(cells).collect() })
    }

    fn texts(&self, column: &str) -> Vec<&str> {
        let place = self.columns.iter().position(|name| name == column).expect("a known column");
        self.rows.iter().map(|row| &*row[place]).collect()
    }

    fn floats(&self, column: &str) -> Vec<f64> {
        self.texts(column).iter().map(|text| text.parse().expect("a number")).collect()
    }

    fn times(&self, column: &str) -> Vec<i64> {
        let time = |text: &&str| text.parse::<UtcMillis>().expect("a time").millis();
        self.texts(column).iter().map(time).collect()
    }
}

/// Whether two figures agree, relative to `scale`.
fn agree(found: f64, expected: f64, scale: f64) -> bool {
    (found - expected).abs() <= FLOAT * scale.abs().max(1e-12)
}

/// Ledger amounts as floats.
#[expect(clippy::cast_precision_loss, reason = "compared with what peers computed in floats")]
fn amounts(table: &Table, column: &str) -> Vec<f64> {
    table.decimals(column).into_iter().map(|units| units as f64 / 1e18).collect()
}

/// A fill: time, side, quantity, price, fee.
type FillRow = (i64, String, f64, f64, f64);

/// Fills by order; of one order in the order in which they happened.
fn ours(folder: &Path) -> BTreeMap<String, Vec<FillRow>> {
    let table = Table::read(&folder.join("fills.parquet"));
    let (ids, sides, times) = (table.texts("order_id"), table.texts("side"), table.times("ts"));
    let [qty, px, fee] = ["last_qty", "last_px", "fee"].map(|name| amounts(&table, name));
    let mut fills: BTreeMap<String, Vec<FillRow>> = BTreeMap::new();
    for (row, id) in ids.into_iter().enumerate() {
        let fill = (times[row], sides[row].clone(), qty[row], px[row], fee[row]);
        // The peers' files write `o1.tp` for an exit of the order `o1`.
        let name = id.replace("-tp", ".tp").replace("-sl", ".sl");
        fills.entry(name).or_default().push(fill);
    }
    fills
}

fn theirs(expected: &Expected) -> BTreeMap<String, Vec<FillRow>> {
    let times = expected.times("ts");
    let (ids, sides) = (expected.texts("order_id"), expected.texts("side"));
    let [qty, px, fee] = ["qty", "price", "fee"].map(|name| expected.floats(name));
    let mut fills: BTreeMap<String, Vec<FillRow>> = BTreeMap::new();
    for (row, id) in ids.into_iter().enumerate() {
        let fill = (times[row], sides[row].to_owned(), qty[row], px[row], fee[row]);
        fills.entry(id.to_owned()).or_default().push(fill);
    }
    fills
}

fn compare_fills(folder: &Path, case: &Path, report: &mut String) -> usize {
    let expected = Expected::read(&case.join("expected_fills.csv")).expect("every case has fills");
    let (ours, theirs) = (ours(folder), theirs(&expected));
    let names = ours.keys().chain(theirs.keys().filter(|name| !ours.contains_key(*name)));
    for name in names {
        let none = Vec::new();
        let (found, expected) =
            (ours.get(name).unwrap_or(&none), theirs.get(name).unwrap_or(&none));
        let same = found.len() == expected.len()
            && found.iter().zip(expected).all(|(found, expected)| {
                found.0 == expected.0
                    && found.1 == expected.1
                    && agree(found.2, expected.2, expected.2)
                    && agree(found.3, expected.3, expected.3)
                    && agree(found.4, expected.4, expected.2 * expected.3)
            });
        if !same {
            writeln!(report, "  {name}: found {found:?}, expected {expected:?}").expect("a text");
        }
    }
    theirs.values().map(Vec::len).sum()
}

fn compare_trades(folder: &Path, case: &Path, report: &mut String) {
    let Some(expected) = Expected::read(&case.join("expected_trades.csv")) else { return };
    let table = Table::read(&folder.join("trades.parquet"));
    let [qty, entry, exit] = ["qty_max", "entry_px", "exit_px"].map(|name| amounts(&table, name));
    let (from, to, pnl) = (table.times("entry_ts"), table.times("exit_ts"), table.floats("pnl"));
    let sides = table.texts("side");
    let mut found: Vec<(i64, i64, String, f64, f64, f64, f64)> = (0..pnl.len())
        .map(|row| {
            (from[row], to[row], sides[row].clone(), qty[row], entry[row], exit[row], pnl[row])
        })
        .collect();
    let (from, to) = (expected.times("entry_ts"), expected.times("exit_ts"));
    let sides = expected.texts("side");
    let [qty, entry, exit, pnl] =
        ["qty", "entry_px", "exit_px", "pnl"].map(|name| expected.floats(name));
    let mut wanted: Vec<(i64, i64, String, f64, f64, f64, f64)> = (0..pnl.len())
        .map(|row| {
            (from[row], to[row], sides[row].to_owned(), qty[row], entry[row], exit[row], pnl[row])
        })
        .collect();
    // Several instruments may trade at one instant; prices tell them apart.
    let key =
        |trade: &(i64, i64, String, f64, f64, f64, f64)| (trade.0, trade.1, trade.4.to_bits());
    found.sort_by_key(key);
    wanted.sort_by_key(key);
    if found.len() != wanted.len() {
        writeln!(report, "  {} trades, expected {}", found.len(), wanted.len()).expect("a text");
    }
    for (found, wanted) in found.iter().zip(&wanted) {
        let notional = wanted.3 * wanted.4;
        let same = (found.0, found.1, &found.2) == (wanted.0, wanted.1, &wanted.2)
            && agree(found.3, wanted.3, wanted.3)
            && agree(found.4, wanted.4, wanted.4)
            && agree(found.5, wanted.5, wanted.5)
            && agree(found.6, wanted.6, notional);
        if !same {
            writeln!(report, "  trade {found:?}, expected {wanted:?}").expect("a text");
        }
    }
}

fn compare_equity(folder: &Path, case: &Path, report: &mut String) {
    let Some(expected) = Expected::read(&case.join("expected_equity.csv")) else { return };
    let table = Table::read(&folder.join("equity.parquet"));
    let curve: BTreeMap<i64, f64> =
        table.times("ts").into_iter().zip(table.floats("equity")).collect();
    for (ts, equity) in expected.times("ts").into_iter().zip(expected.floats("equity")) {
        let found = curve.get(&ts).copied().unwrap_or(f64::NAN);
        if !agree(found, equity, equity) {
            let ts = UtcMillis::new(ts);
            writeln!(report, "  equity at {ts}: {found}, expected {equity}").expect("a text");
        }
    }
}

fn cases() -> Vec<PathBuf> {
    let folder = root().join("tests/reference/cases");
    let entries = fs::read_dir(folder).expect("the cases are in the repository");
    let mut cases: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    cases.sort();
    cases
}

#[test]
fn other_backtesters_come_to_the_same_fills_trades_and_equity() {
    let cases = cases();
    assert!(cases.len() >= 28, "the cases are in the repository");
    let (mut report, mut fills) = (String::new(), 0);
    for case in &cases {
        let before = report.len();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("run");
        let backtest = Backtest::from_file(case.join("run.toml"));
        let backtest = backtest.unwrap_or_else(|error| panic!("{}: {error}", case.display()));
        let output = Output::Explicit { path: path.clone(), overwrite: false };
        let ran = backtest.without_log().output(output).run();
        ran.unwrap_or_else(|error| panic!("{}: {error:?}", case.display()));
        fills += compare_fills(&path, case, &mut report);
        compare_trades(&path, case, &mut report);
        compare_equity(&path, case, &mut report);
        if report.len() > before {
            let name = case.file_name().unwrap_or_default().to_string_lossy();
            report.insert_str(before, &format!("{name}:\n"));
        }
    }
    assert!(report.is_empty(), "{report}");
    assert!(fills > 7_900, "{fills} fills were compared");
}
