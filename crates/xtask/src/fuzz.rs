//! `cargo xtask fuzz`: bytes from anybody as run file, data file and log.

use std::fs;

use anyhow::{Context as _, Result, ensure};

use super::shell::{cargo, say};

/// The targets under `fuzz/fuzz_targets`.
const TARGETS: [&str; 3] = ["run_file", "candle_file", "log"];

/// Limits beside those on memory, which the targets watch themselves.
const LIMITS: [&str; 3] = ["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1"];

/// Runs every target for so many seconds; the first input that goes wrong ends it.
pub(super) fn run(seconds: u32) -> Result<()> {
    let is_there = std::process::Command::new("cargo")
        .args(["fuzz", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    ensure!(
        is_there,
        "cargo-fuzz is missing: `cargo install cargo-fuzz --locked`; it needs a C++ compiler"
    );
    for target in TARGETS {
        say(target);
        // What is found is kept beside the corpus, which only grows by what somebody commits.
        let (found, corpus) = (format!("fuzz/found/{target}"), format!("fuzz/corpus/{target}"));
        fs::create_dir_all(&found).with_context(|| format!("cannot make {found}"))?;
        let time = format!("-max_total_time={seconds}");
        let fuzzer = ["fuzz", "run", "--sanitizer", "none", target, &found, &corpus, "--", &time];
        let arguments = [&fuzzer[..], &LIMITS].concat();
        // The instrumentation is in every compiler; asking for it is not stable.
        cargo(&arguments, &[("RUSTC_BOOTSTRAP", "1")])?;
    }
    Ok(())
}
