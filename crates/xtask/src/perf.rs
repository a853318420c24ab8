//! `cargo xtask perf`: the speed targets of `docs/performance.md`, measured.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::shell::{cargo, output, say};

const PROBE: &str = "target/release/probe";
const TICKDRAIN: &str = "target/release/tickdrain";

/// Runs of everything that is timed; the median is reported.
const RUNS: usize = 7;

/// Measures everything on `run_file`, the million-bar workload.
pub(crate) fn run(run_file: &Path) -> Result<()> {
    if !run_file.exists() {
        bail!("{} is not here: name a run file, `cargo xtask perf RUN.toml`", run_file.display());
    }
    let build =
        ["build", "--release", "--locked", "--package", "benches", "--package", "tickdrain"];
    cargo(&build, &[])?;
    let run_file = run_file.to_str().context("a path that is text")?;
    say("| Work | Median | Best |");
    say("|---|---|---|");
    idle_tick()?;
    engine_only(run_file)?;
    let with_log = whole_process("whole process, log and results on", run_file, &[])?;
    let without = whole_process("whole process, log off", run_file, &["--no-audit"])?;
    let share = (with_log - without) / with_log * 100.0;
    say(&format!("| share of the log in the whole process | {share:.0} % | |"));
    log_as_proof(run_file)?;
    instructions("an idle tick", &["idle"], [10_000, 20_000])?;
    instructions("a bar of the workload, engine only", &["million", run_file], [50_000, 100_000])
}

/// Nanoseconds of `probe`'s last line: `…: N in M ms, X ns each`.
fn probe(arguments: &[&str]) -> Result<f64> {
    let found = output(Command::new(PROBE).args(arguments))?.context("the probe is built")?;
    let text = String::from_utf8(found.stdout)?;
    let each = text.trim().rsplit(", ").next().and_then(|each| each.strip_suffix(" ns each"));
    each.context("the probe says how long it took")?.parse().context("a number")
}

fn timed(measure: impl Fn() -> Result<f64>) -> Result<(f64, f64)> {
    let mut values = (0..RUNS).map(|_| measure()).collect::<Result<Vec<f64>>>()?;
    values.sort_by(f64::total_cmp);
    Ok((values[values.len() / 2], values[0]))
}

fn idle_tick() -> Result<()> {
    let (median, best) = timed(|| probe(&["idle", "1000000"]))?;
    say(&format!("| idle tick, four services | {median:.0} ns | {best:.0} ns |"));
    Ok(())
}

fn engine_only(run_file: &str) -> Result<()> {
    let (median, best) = timed(|| probe(&["million", run_file]))?;
    let rate = |nanos: f64| 1_000.0 / nanos;
    say(&format!(
        "| million bars, engine only | {:.2} M bars/s | {:.2} M bars/s |",
        rate(median),
        rate(best)
    ));
    Ok(())
}

/// Runs the command; the median of its wall time in seconds.
fn whole_process(what: &str, run_file: &str, flags: &[&str]) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let (mut peak, mut bars) = (0.0_f64, 0.0);
    let mut walls = Vec::new();
    for run in 0..RUNS {
        let out = folder.path().join(run.to_string());
        let mut command = Command::new(TICKDRAIN);
        command.args(["backtest", run_file, "--json", "--out"]).arg(&out).args(flags);
        let found = output(&mut command)?.context("the command is built")?;
        let summary: serde_json::Value = serde_json::from_slice(&found.stdout)?;
        let number = |value: &serde_json::Value| value.as_f64().unwrap_or(f64::NAN);
        walls.push(number(&summary["timing"]["wall_s"]));
        peak = peak.max(number(&summary["timing"]["peak_rss_mb"]));
        bars = number(&summary["frames"]);
        std::fs::remove_dir_all(&out)?;
    }
    walls.sort_by(f64::total_cmp);
    let (median, best) = (walls[RUNS / 2], walls[0]);
    say(&format!(
        "| {what} (peak {peak:.0} MB) | {:.2} M bars/s | {:.2} M bars/s |",
        bars / median / 1e6,
        bars / best / 1e6
    ));
    Ok(median)
}

/// What the log of the workload costs to read, and that of a run with a higher fee to compare.
fn log_as_proof(run_file: &str) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    for (out, set) in [(&one, &[][..]), (&two, &["--set", "venues.bitfinex.taker_bps=11"])] {
        let mut command = Command::new(TICKDRAIN);
        command.args(["backtest", run_file, "--quiet", "--out"]).arg(out).args(set);
        let found = output(&mut command)?.context("the command is built")?;
        if !found.status.success() {
            bail!("{command:?}: {}", String::from_utf8_lossy(&found.stderr));
        }
    }
    let text = |path: &Path| path.to_str().map(str::to_owned).context("a path that is text");
    let (one, two) = (text(&one)?, text(&two)?);
    for (what, probed) in [("replay", "replay"), ("verify, all files and laws", "verify")] {
        let (median, best) = timed(|| probe(&[probed, &one]))?;
        let rate = |nanos: f64| 1_000.0 / nanos;
        let (median, best) = (rate(median), rate(best));
        say(&format!("| {what} | {median:.2} M events/s | {best:.2} M events/s |"));
    }
    let seconds = || {
        let found = output(Command::new(PROBE).args(["diff", &one, &two]))?;
        millis(&String::from_utf8(found.context("the probe is built")?.stdout)?, "parted")
    };
    let (median, best) = timed(seconds)?;
    say(&format!("| comparison of two such runs | {:.2} s | {:.2} s |", median / 1e3, best / 1e3));
    Ok(())
}

/// Milliseconds of a line of `probe`, which has to begin with a word.
fn millis(line: &str, word: &str) -> Result<f64> {
    let rest = line.trim().strip_prefix(word).context("another outcome")?;
    let rest = rest.split(" in ").nth(1).and_then(|rest| rest.split(" ms").next());
    rest.context("the probe says how long it took")?.parse().context("a number")
}

/// Instructions per unit of work: what a larger count takes more than a smaller one.
fn instructions(what: &str, workload: &[&str], counts: [u32; 2]) -> Result<()> {
    let mut totals = Vec::new();
    for count in counts {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--toggle-collect=*measured*"]);
        command.args(["--callgrind-out-file=/dev/null", PROBE]);
        command.args(workload).arg(count.to_string());
        let Some(found) = output(&mut command)? else {
            say(&format!("| {what} | valgrind is not here | |"));
            return Ok(());
        };
        let text = String::from_utf8_lossy(&found.stderr).into_owned();
        let collected = text.lines().find_map(|line| line.split("Collected : ").nth(1));
        totals.push(collected.context("callgrind says what it counted")?.trim().parse::<u64>()?);
    }
    let each = (totals[1] - totals[0]) / u64::from(counts[1] - counts[0]);
    say(&format!("| {what} | {each} instructions | |"));
    Ok(())
}
