//! Runs that stop where nobody chose, and are resumed: they leave what the undisturbed run leaves.
//!
//! `TICKDRAIN_CRASHES` says how often runs are killed; where it is set, every byte of a tail is cut
//! off too, and not a sample of them (`cargo xtask crash 200`).

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use store::audit::{Kind, LogReader};
use tickdrain::App;
use tickdrain::past_run::PastRun;

use super::prove;
use crate::child_process::{LongRun, log_bytes};
use crate::support::{self, sound_rows, write_parquet};
use crate::tables::Scene;

/// Of the moments at which runs are killed, and of the bytes that are cut off.
const SEED: u64 = 20_240_229;

/// Runs that the normal tests kill.
const CRASHES: u64 = 6;

/// Cuts that the normal tests make.
const CUTS: usize = 24;

/// Frames of a run that is killed: seven commits.
const MINUTES: i32 = 28_000;

fn crashes() -> Option<u64> {
    let count = std::env::var("TICKDRAIN_CRASHES").ok()?;
    Some(count.parse().expect("a whole number"))
}

/// Everything in a run folder but what holds wall times.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for (prefix, path) in [("", folder.to_owned()), ("audit/", folder.join("audit"))] {
        for entry in fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if name == "seal.json" || entry.path().is_dir() {
                continue;
            }
            let mut bytes = fs::read(entry.path()).unwrap();
            if name == "summary.json" {
                let mut summary: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                summary.as_object_mut().unwrap().remove("timing").expect("its only wall times");
                bytes = summary.to_string().into_bytes();
            }
            found.insert(format!("{prefix}{name}"), bytes);
        }
    }
    found
}

fn assert_same(found: &Path, expected: &BTreeMap<String, Vec<u8>>, when: &str) {
    let found = contents(found);
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(expected), "{when}");
    for (name, bytes) in &found {
        assert!(*bytes == expected[name], "{name} is not the same, {when}");
    }
}

fn kill(mut child: Child) -> bool {
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

fn finish(command: &mut Command, when: &str) -> Output {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{when}: {errors}");
    output
}

#[test]
fn a_run_that_is_killed_and_resumed_leaves_what_the_undisturbed_one_leaves() {
    let run = LongRun::of(MINUTES);
    run.finish("whole");
    let expected = contents(&run.path("whole"));
    let total = log_bytes(&run.path("whole/audit")).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let count = crashes().unwrap_or(CRASHES);
    let (mut killed, mut killed_again) = (0, 0);
    for number in 0..count {
        let (out, when) = (format!("killed-{number}"), format!("seed {SEED}, kill {number}"));
        // The first one is killed as soon as there is a log.
        let bytes = if number == 0 { 0 } else { random.next_u64() % total };
        killed += u64::from(kill(run.start(&out, bytes)));
        // Every second one is killed while it is resumed, too.
        if number % 2 == 1 {
            let there = log_bytes(&run.path(&out).join("audit")).unwrap_or(0);
            let bytes = there + random.next_u64() % (total - there).max(1);
            let child = run.start_command(&mut run.resume(&out), &out, bytes);
            killed_again += u64::from(kill(child));
        }
        finish(&mut run.resume(&out), &when);
        assert_same(&run.path(&out), &expected, &when);
        fs::remove_dir_all(run.path(&out)).unwrap();
    }
    assert!(killed > count / 2, "only {killed} runs were killed before they ended");
    assert!(killed_again > count / 8, "only {killed_again} were killed while they were resumed");
    support::say(&format!("{killed} runs killed, {killed_again} of them again while resumed"));
}

#[test]
fn an_interrupted_run_that_is_resumed_leaves_what_the_undisturbed_one_leaves() {
    let run = LongRun::of(MINUTES);
    run.finish("whole");
    let total = log_bytes(&run.path("whole/audit")).unwrap();
    // A fast machine may be through before it hears of it.
    let interrupted = (0..20).map(|number| format!("out-{number}")).find(|out| {
        let child = run.start(out, total / 20);
        let id = child.id().to_string();
        Command::new("kill").args(["-INT", &id]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        let code = output.status.code();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(code, Some(0 | 130)), "{code:?}: {errors}");
        code == Some(130)
    });
    let out = &*interrupted.expect("one of twenty runs is stopped before its end");
    let log = LogReader::open(&run.path(out)).unwrap();
    assert!(log.commits().last().unwrap().provisional);
    finish(&mut run.resume(out), "interrupted");
    assert_same(&run.path(out), &contents(&run.path("whole")), "interrupted");
    let output = finish(&mut run.resume(out), "resumed");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("nothing to resume"), "{text}");
}

#[test]
fn a_full_disk_ends_a_run_with_a_message_and_resume_goes_on_from_there() {
    let run = LongRun::of(MINUTES);
    run.finish("whole");
    let expected = contents(&run.path("whole"));
    let largest = expected.values().map(Vec::len).max().unwrap();
    // No file may grow beyond a limit, in blocks of 512 or 1,024 bytes: what a full disk says of a
    // write, without a disk of one's own. The signal that goes with it is ignored.
    for share in [3, 6] {
        let blocks = (largest / 1024 / share).max(1).to_string();
        let out = format!("full-{share}");
        let limited = run.command(&out);
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"", "sh", &blocks]);
        command.arg(limited.get_program()).args(limited.get_args()).current_dir(run.path(""));
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(74), "{errors}");
        let lines: Vec<&str> = errors.lines().collect();
        assert!(lines[0].starts_with("error[LOG-FOLDER]"), "{errors}");
        assert!(errors.contains("cannot write") && errors.contains(&out), "{errors}");
        finish(&mut run.resume(&out), &out);
        assert_same(&run.path(&out), &expected, &out);
    }
}

/// A run of two commits, of which the second one is small.
fn short_run() -> Scene {
    let text = r#"
        share_class = "USDT"
        interval = "1m"
        [initial]
        "binance:BaseToken:USDT" = "10000"
        [[data]]
        of = "binance:spot:BTCUSDT"
        path = "minutes.parquet"
        [strategy]
        kind = "sma_cross"
        fast = 2
        slow = 6
        size = "1"
    "#;
    let scene = Scene::new(text);
    let rows = sound_rows(4_096 + 40, 60_000);
    write_parquet(&scene.path("minutes.parquet"), &rows);
    scene.run(App::new(), &[], "out");
    scene
}

/// What the last commit has added to a file: where it begins and where it ends.
#[derive(Debug)]
struct Tail {
    name: String,
    begin: u64,
    end: u64,
}

fn tails(out: &Path) -> Vec<Tail> {
    let log = LogReader::open(out).unwrap();
    let (last, before) = log.commits().split_last().unwrap();
    let text = fs::read(out.join("audit/commits.jsonl")).unwrap();
    let line = text[..text.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let commits = Tail {
        name: "commits.jsonl".to_owned(),
        begin: u64::try_from(line).unwrap(),
        end: u64::try_from(text.len()).unwrap(),
    };
    let tail = |part: &store::audit::commit::StreamPart| Tail {
        name: Kind::of(&part.kind).unwrap().file_name(),
        begin: before.iter().rev().find_map(|it| it.part(&part.kind)).map_or(0, |part| part.end),
        end: part.end,
    };
    [commits].into_iter().chain(last.streams.iter().map(tail)).collect()
}

#[test]
fn a_log_that_has_lost_any_part_of_its_last_commit_is_resumed_to_the_same_bytes() {
    let scene = short_run();
    let out = scene.path("out");
    let expected = contents(&out);
    let tails = tails(&out);
    assert!(tails.len() > 6, "{tails:?}");
    // Every file alone, then all of them at once, each somewhere in its tail.
    let mut cuts: Vec<Vec<(usize, u64)>> = Vec::new();
    for (place, tail) in tails.iter().enumerate() {
        cuts.extend((tail.begin..tail.end).map(|length| vec![(place, length)]));
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    for _ in 0..cuts.len() / 8 {
        let somewhere = |(place, tail): (usize, &Tail)| {
            (place, tail.begin + random.next_u64() % (tail.end - tail.begin))
        };
        cuts.push(tails.iter().enumerate().map(somewhere).collect());
    }
    if crashes().is_none() {
        let step = cuts.len() / CUTS;
        cuts = cuts.into_iter().skip(step / 2).step_by(step).collect();
    }
    for (number, cut) in cuts.iter().enumerate() {
        for (place, length) in cut {
            let path = out.join("audit").join(&tails[*place].name);
            fs::OpenOptions::new().write(true).open(path).unwrap().set_len(*length).unwrap();
        }
        // Whether the run had said that it was at its end makes no difference.
        if number % 2 == 0 {
            fs::remove_file(out.join("summary.json")).unwrap();
            fs::remove_file(out.join("seal.json")).unwrap();
        }
        let run = PastRun::open(App::new(), &out).unwrap();
        assert!(!run.is_complete(), "{cut:?}");
        run.resume().unwrap();
        assert_same(&out, &expected, &format!("cut at {cut:?} of {tails:?}"));
    }
    prove(&out);
    support::say(&format!("{} cuts", cuts.len()));
}
