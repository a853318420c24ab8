//! Every bit of a run folder counts.
//!
//! The normal tests turn one bit in every fourth byte of a small run over; where
//! `TICKDRAIN_ALL_BITS` is set, every bit of it (`cargo xtask tamper`).

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use proof::replay::ReplayError;
use proof::verify::{FolderVerification, verify_folder};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use store::audit::reading::LogError;
use store::audit::{Kind, LogReader};
use tickdrain::run_folder::Output;
use tickdrain::{App, Backtest};

use super::prove;
use crate::support::{bundled, say};
use crate::tables::{Candle, HOUR, Scene, orders};

const SEED: u64 = 20_240_401;

/// Bits of a large run that are turned over.
const SAMPLE: u64 = 400;

/// The files of a run folder, by their names in it.
fn files(out: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for (prefix, folder) in [("", out.to_owned()), ("audit/", out.join("audit"))] {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_file() {
                names.push(format!("{prefix}{}", entry.file_name().into_string().unwrap()));
            }
        }
    }
    names.sort();
    names
}

/// The commit that covers a byte of a stream.
fn commit_of(log: &LogReader, file: &str, byte: usize) -> Option<u64> {
    let name = file.strip_prefix("audit/")?.strip_suffix(".arrows")?;
    let covers = |end: u64| u64::try_from(byte).unwrap() < end;
    let commits = log.commits().iter();
    let mut covering = commits.filter(|it| it.part(name).is_some_and(|part| covers(part.end)));
    covering.next().map(|commit| commit.commit)
}

/// Whether a verification names a file, and of a stream the commit.
fn is_named(found: &FolderVerification, file: &str, commit: Option<u64>) -> bool {
    let Some(commit) = commit else { return found.faults.iter().any(|fault| fault.path() == file) };
    let Err(ReplayError::Log(LogError::Bytes { path, commit: at })) = &found.log else {
        return false;
    };
    path.ends_with(file) && *at == commit
}

/// Turns bits of a file over, one at a time, and verifies the folder after each.
fn turn(out: &Path, log: &LogReader, file: &str, bits: impl Iterator<Item = usize>) -> usize {
    let path = out.join(file);
    let whole = fs::read(&path).unwrap();
    // In place, since a file that is written anew costs more than its verification.
    let mut writer = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let mut put = |byte: usize, value: u8| {
        writer.seek(SeekFrom::Start(u64::try_from(byte).unwrap())).unwrap();
        writer.write_all(&[value]).unwrap();
    };
    let mut turned = 0;
    for bit in bits {
        let (byte, mask) = (bit / 8, 1 << (bit % 8));
        put(byte, whole[byte] ^ mask);
        let found = verify_folder(out);
        let commit = commit_of(log, file, byte);
        assert!(is_named(&found, file, commit), "bit {bit} of {file}, {commit:?}: {found:?}");
        put(byte, whole[byte]);
        turned += 1;
    }
    turned
}

/// Two dozen frames with orders and fills.
fn small_run() -> Scene {
    let text = r#"
        share_class = "USDT"
        interval = "1h"
        [initial]
        "binance:BaseToken:USDT" = "10000"
        [[data]]
        of = "binance:spot:BTCUSDT"
        path = "candles.csv"
        time_unit = "ms"
        [strategy]
        kind = "scripted"
        orders = "orders.csv"
    "#;
    let candles = Candle::series(HOUR, "100 101 99 100 10\n".repeat(24).trim());
    let rows = "01 in  buy market 1\n02 low buy limit 1 price=90\n09 out sell market 1";
    let scene = Scene::new(text)
        .file("candles.csv", Candle::csv(&candles))
        .file("orders.csv", orders("binance:spot:BTCUSDT", rows));
    scene.run(App::new(), &[], "out");
    scene
}

#[test]
fn a_bit_that_turns_in_a_small_run_is_found_and_its_file_named() {
    let scene = small_run();
    let out = scene.path("out");
    let log = LogReader::open(&out).unwrap();
    let all = std::env::var_os("TICKDRAIN_ALL_BITS").is_some();
    let (mut turned, mut count) = (0, 0);
    for file in files(&out) {
        let bits = fs::metadata(out.join(&file)).unwrap().len() * 8;
        let bits = 0..usize::try_from(bits).unwrap();
        // Another bit of every fourth byte, or all of them.
        let chosen = bits.filter(|bit| all || bit % 32 == (bit / 32) % 8);
        turned += turn(&out, &log, &file, chosen);
        count += 1;
    }
    prove(&out);
    say(&format!("{turned} bits turned in {count} files"));
}

#[test]
fn bits_that_turn_anywhere_in_a_larger_run_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = Output::Explicit { path: out.clone(), overwrite: false };
    let backtest = Backtest::with_app(App::new(), &bundled().join("sma-cross.toml"), &[]).unwrap();
    backtest.output(output).run().unwrap();
    let log = LogReader::open(&out).unwrap();
    assert!(log.commits().len() > 2);
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let files = files(&out);
    let each = SAMPLE / u64::try_from(files.len()).unwrap();
    for file in &files {
        let bits = fs::metadata(out.join(file)).unwrap().len() * 8;
        let drawn = (0..each).map(|_| usize::try_from(random.next_u64() % bits).unwrap());
        turn(&out, &log, file, drawn.collect::<Vec<_>>().into_iter());
    }
    assert!(verify_folder(&out).holds());
}

#[test]
fn a_stream_that_is_longer_than_its_commits_is_none_that_the_run_left() {
    let scene = small_run();
    let out = scene.path("out");
    for kind in Kind::ALL {
        let name = format!("audit/{}", kind.file_name());
        let path = out.join(&name);
        let whole = fs::read(&path).unwrap_or_default();
        fs::write(&path, [&whole[..], &[0]].concat()).unwrap();
        let found = verify_folder(&out);
        assert!(found.faults.iter().any(|fault| fault.path() == name), "{name}: {found:?}");
        if whole.is_empty() {
            fs::remove_file(&path).unwrap();
        } else {
            fs::write(&path, whole).unwrap();
        }
    }
    prove(&out);
}
