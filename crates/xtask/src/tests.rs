//! Runs the tests and adds up what their runners say.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, bail};

use crate::shell::say;

/// Tests that ran, and tests that said why they did not.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// Runs cargo with `arguments`, shows what it prints, and closes with one line of sums.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut child = Command::new(program)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cargo cannot be started")?;
    let errors = child.stderr.take().context("a pipe")?;
    let errors = thread::spawn(move || listen(errors));
    let mut counts = listen(child.stdout.take().context("a pipe")?)?;
    let skipped = errors.join().ok().context("the listener ends")??.skipped;
    counts.skipped += skipped;
    let status = child.wait()?;
    let Counts { passed, failed, skipped } = counts;
    say(&format!("{passed} passed, {failed} failed, {skipped} skipped"));
    if !status.success() {
        bail!("cargo {} failed", arguments.join(" "));
    }
    Ok(())
}

/// Passes lines on and counts: `test result: ok. 3 passed; 0 failed; …`, `skipped: …`.
fn listen(pipe: impl Read) -> Result<Counts> {
    let mut counts = Counts::default();
    for line in BufReader::new(pipe).lines() {
        let line = line?;
        if let Some(result) = line.strip_prefix("test result: ") {
            counts.passed += number_before(result, " passed");
            counts.failed += number_before(result, " failed");
        }
        counts.skipped += u64::from(line.starts_with("skipped: "));
        say(&line);
    }
    Ok(counts)
}

/// The number that stands before a word.
fn number_before(text: &str, word: &str) -> u64 {
    let before = text.split(word).next().unwrap_or_default();
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
