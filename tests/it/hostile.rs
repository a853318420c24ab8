//! Bytes from anybody: those that the fuzz targets have found, and logs that no run writes.

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use proof::replay::ReplayError;
use proof::{Comparison, Verification, compare, verify};
use store::audit::commit::Holding;
use store::audit::{Kind, LogReader};
use tempfile::TempDir;
use tests::hostile::pack::{Packed, PackedCommit, carry, with_column};
use tests::hostile::{Outcome, candle_file, log, run_file, write_folder};

use crate::support;

/// Runs the committed inputs of a fuzz target.
fn check(target: &str, entry: fn(&[u8]) -> Outcome) {
    let folder = support::root().join("fuzz/corpus").join(target);
    let mut outcomes = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        outcomes.push(entry(&fs::read(file.unwrap().path()).unwrap()));
    }
    // A corpus that is only ever refused reaches little.
    assert!(outcomes.contains(&Outcome::Taken), "{} of {target}", outcomes.len());
}

#[test]
fn hostile_run_files_are_refused() {
    check("run_file", run_file);
}

#[test]
fn hostile_data_files_are_refused() {
    check("candle_file", candle_file);
}

#[test]
fn hostile_logs_are_refused() {
    check("log", log);
}

/// Rows of most kinds.
static CARRY: LazyLock<Packed> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    Packed::of(&carry(&folder.path().join("run")), 1)
});

/// A log of frames at some minutes, all in one commit.
fn frames(minutes: &[&str]) -> Packed {
    let rows = CARRY.rows(Kind::Frame).slice(0, minutes.len());
    let ts: Vec<String> = minutes.iter().map(|it| format!("2024-01-01T00:{it}:00Z")).collect();
    let seqs: Vec<String> = (1..=minutes.len()).map(|seq| seq.to_string()).collect();
    let rows = with_column(&rows, "ts", &ts.iter().map(String::as_str).collect::<Vec<_>>());
    let rows = with_column(&rows, "seq", &seqs.iter().map(String::as_str).collect::<Vec<_>>());
    one_commit(Kind::Frame, rows, [1, minutes.len() as u64])
}

fn one_commit(kind: Kind, rows: arrow_array::RecordBatch, seqs: [u64; 2]) -> Packed {
    let commit = PackedCommit { frames: 1, seqs, rows: vec![(kind, rows)], claim: None };
    Packed { header: CARRY.header.clone(), commits: vec![commit] }
}

fn written(packed: &Packed, folder: &Path, name: &str) -> LogReader {
    let folder = folder.join(name);
    write_folder(&folder, &packed.sections());
    LogReader::open(&folder).unwrap()
}

fn verified(packed: &Packed) -> Result<Verification, ReplayError> {
    let folder = TempDir::new().unwrap();
    verify(&written(packed, folder.path(), "run"))
}

fn compared(one: &Packed, two: &Packed) -> Result<Comparison, ReplayError> {
    let folder = TempDir::new().unwrap();
    compare(&written(one, folder.path(), "one"), &written(two, folder.path(), "two"))
}

#[test]
fn rows_that_are_packed_again_are_verified() {
    let verification = verified(&CARRY).unwrap();
    assert!(verification.holds(), "{:?}", verification.tally.violations);
}

#[test]
fn the_last_number_there_is_ends_a_log() {
    let last = u64::MAX.to_string();
    let rows = with_column(&CARRY.rows(Kind::Control).slice(0, 1), "seq", &[&last]);
    let packed = one_commit(Kind::Control, rows, [u64::MAX; 2]);
    let verification = verified(&packed).unwrap();
    assert_eq!(verification.events, 1);
    assert!(!verification.holds(), "it follows nothing");
}

#[test]
fn balances_that_do_not_add_up_to_a_number_are_no_cash() {
    let mut packed = CARRY.clone();
    packed.header.terms.opening = ["one:BaseToken:USDT", "two:BaseToken:USDT"]
        .map(|key| Holding {
            position_key: key.to_owned(),
            amount: "99999999999999999999".to_owned(),
        })
        .to_vec();
    packed.header.terms.instruments.clear();
    let verification = verified(&packed).unwrap();
    let texts = verification.tally.violations.iter().map(|violation| violation.text.as_str());
    assert!(texts.into_iter().any(|text| text.ends_with("the positions say NaN")));
}

#[test]
fn rows_that_belong_to_no_event_are_found() {
    let mut packed = CARRY.clone();
    let deltas = packed.rows(Kind::Delta);
    let seqs = vec!["2"; deltas.num_rows()];
    let place = packed.commits[0].rows.iter().position(|(kind, _)| *kind == Kind::Delta).unwrap();
    packed.commits[0].rows[place].1 = with_column(&deltas, "seq", &seqs);
    let error = verified(&packed).unwrap_err().to_string();
    assert_eq!(error, "event 2: a row of `delta` belongs to no event");
}

#[test]
fn claims_of_rows_that_add_up_to_no_number_are_refused() {
    let mut packed = frames(&["01"]);
    packed.commits.push(packed.commits[0].clone());
    packed.commits.iter_mut().for_each(|commit| commit.claim = Some(u32::MAX));
    let error = compared(&packed, &packed).unwrap_err().to_string();
    assert!(error.starts_with("cannot decode"), "{error}");
}

#[test]
fn ticks_that_go_back_cannot_be_compared() {
    let (one, mut two) = (frames(&["09", "08", "07", "01"]), frames(&["09", "08", "07", "01"]));
    two.commits[0].rows[0].1 = with_column(&two.rows(Kind::Frame), "seq", &["1", "2", "3", "5"]);
    let error = compared(&one, &two).unwrap_err().to_string();
    let expected = "event 2: its tick, 2024-01-01T00:08:00Z, is before 2024-01-01T00:09:00Z, that of \
                    the event before it";
    assert_eq!(error, expected);
}
