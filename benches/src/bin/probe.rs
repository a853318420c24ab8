//! Runs one workload once: `probe idle COUNT`, `probe million RUN_FILE [COUNT]`, `probe replay RUN_DIR`,
//! `probe verify RUN_DIR`, `probe diff RUN_DIR RUN_DIR`. Meant for `callgrind` and for a stopwatch.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use futures_util::FutureExt;
use proof::verify::verify_folder;
use proof::{Replay, compare};
use store::audit::LogReader;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["idle", count] => idle(count.parse()?),
        ["million", run_file] => million(Path::new(run_file), usize::MAX),
        ["million", run_file, count] => million(Path::new(run_file), count.parse()?),
        ["replay", run] => replay(Path::new(run)),
        ["verify", run] => verify(Path::new(run)),
        ["diff", left, right] => diff(Path::new(left), Path::new(right)),
        _ => Err(
            "usage: probe idle COUNT | probe million RUN_FILE [COUNT] | probe replay RUN_DIR | \
                  probe verify RUN_DIR | probe diff RUN_DIR RUN_DIR"
                .into(),
        ),
    }
}

fn idle(count: usize) -> Result<(), Box<dyn Error>> {
    let frames = benches::idle_tick::frames(count);
    let start = now();
    let report = measured(|| benches::idle_tick::run(frames).now_or_never());
    let report = report.ok_or("nothing suspends")?;
    say("idle", report.outcome.frames, start);
    Ok(())
}

fn million(run_file: &Path, count: usize) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut workload = runtime.block_on(benches::million::Workload::load(run_file))?;
    workload.truncate(count);
    let start = now();
    let report = measured(|| runtime.block_on(workload.run()))?;
    say("engine only", report.outcome.frames, start);
    Ok(())
}

/// From the first event to the last.
fn replay(run: &Path) -> Result<(), Box<dyn Error>> {
    let start = now();
    let log = LogReader::open(run)?;
    let state = measured(|| Replay::new(&log)?.until(None))?;
    say("replay", state.seq, start);
    Ok(())
}

/// All files, all hashes and all laws.
fn verify(run: &Path) -> Result<(), Box<dyn Error>> {
    let start = now();
    let found = measured(|| verify_folder(run));
    let is_whole = found.holds();
    say("verify", found.log?.events, start);
    if is_whole { Ok(()) } else { Err("a law does not hold".into()) }
}

/// Until the first event that is not the same, or to the end.
fn diff(left: &Path, right: &Path) -> Result<(), Box<dyn Error>> {
    let start = now();
    let (one, two) = (LogReader::open(left)?, LogReader::open(right)?);
    let comparison = measured(|| compare(&one, &two))?;
    let events = one.commits().last().map_or(0, |commit| commit.last_seq);
    say(if comparison.is_same() { "same" } else { "parted" }, events, start);
    Ok(())
}

/// The part that is counted: `callgrind --toggle-collect=*measured*` looks at nothing else.
#[inline(never)]
fn measured<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[expect(clippy::print_stdout, reason = "its purpose")]
fn say(workload: &str, count: u64, start: Instant) {
    let nanos = start.elapsed().as_nanos();
    let each = nanos / u128::from(count.max(1));
    println!("{workload}: {count} in {} ms, {each} ns each", nanos / 1_000_000);
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn now() -> Instant {
    Instant::now()
}
