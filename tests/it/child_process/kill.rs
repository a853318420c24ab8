//! SIGKILL and SIGINT in the middle of a run.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use store::audit::Kind;

use super::{LongRun, log_bytes, read_log, summary, texts};

/// Of the moments at which runs are killed.
const SEED: u64 = 20_240_101;

const KILLS: u64 = 20;

const SIGKILL: i32 = 9;

#[test]
fn a_killed_run_leaves_a_log_that_opens_and_begins_like_the_whole_one() {
    let run = LongRun::new();
    run.finish("whole");
    let whole = read_log(&run.path("whole"));
    let total = log_bytes(&run.path("whole/audit")).expect("the run left a log");
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let (mut killed, mut on_the_way) = (0, 0);
    for number in 0..KILLS {
        // The first one is killed as soon as there is a log.
        let bytes = if number == 0 { 0 } else { random.next_u64() % total };
        let out = format!("killed-{number}");
        let mut child = run.start(&out, bytes);
        child.kill().expect("it is our child");
        let status = child.wait().expect("it is our child");
        let log = read_log(&run.path(&out));
        let commits = log.commits();
        assert_eq!(log.header(), whole.header(), "seed {SEED}, kill {number}");
        assert_eq!(commits, &whole.commits()[..commits.len()], "seed {SEED}, kill {number}");
        killed += u64::from(status.signal() == Some(SIGKILL));
        on_the_way += u64::from((1..whole.commits().len()).contains(&commits.len()));
    }
    assert!(killed > KILLS / 2, "only {killed} runs were killed before they ended");
    assert!(on_the_way > KILLS / 4, "only {on_the_way} runs were killed between two commits");
}

#[test]
fn an_interrupted_run_ends_in_order() {
    let run = LongRun::new();
    run.finish("whole");
    let whole = read_log(&run.path("whole"));
    let total = log_bytes(&run.path("whole/audit")).expect("the run left a log");
    let child = run.start("out", total / 4);
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().expect("there is a kill");
    assert!(sent.success());
    let output = child.wait_with_output().expect("it is our child");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    let stdout = String::from_utf8(output.stdout).expect("figures are text");
    assert_eq!(stdout.lines().last(), Some("out"));

    let log = read_log(&run.path("out"));
    let (last, before) = log.commits().split_last().expect("an interrupted run commits");
    assert!(last.provisional);
    assert_eq!(before, &whole.commits()[..before.len()]);
    assert!(last.frames < u64::from(super::MINUTES.unsigned_abs()));
    let names = texts(&log, Kind::Control, "name");
    assert_eq!(names, ["engine_ready", "interrupted"]);

    let summary = summary(&run.path("out"));
    assert_eq!(summary["status"], "interrupted");
    assert_eq!(summary["frames"], last.frames);
    assert_eq!(summary["digest"], log.digest());
}
