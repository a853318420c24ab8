//! The commands of the project itself: `cargo xtask ci`, `test`, `sim`, `crash`, `tamper`, `planted`,
//! `fuzz` and `perf`.

mod fuzz;
mod perf;
mod proof;
mod shell;
mod tests;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use shell::{cargo, say};

const USAGE: &str = "\
cargo xtask ci                what continuous integration runs: format, lints, docs, tests
cargo xtask test              the tests of the whole workspace, examples included
cargo xtask sim FACTOR        the random tests of orders, this many times as long
cargo xtask crash COUNT       runs that are killed this often, or cut at any byte, and resumed
cargo xtask tamper            a run folder of which every bit is turned over
cargo xtask planted           mistakes in the engine itself, and what finds them
cargo xtask fuzz SECONDS      hostile run files, data files and logs, this long each
cargo xtask perf RUN.toml     the speed targets: wall time, and instructions where valgrind is";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["ci"] => ci(),
        ["test"] => test(),
        ["sim", factor] => sim(factor.parse().context("a whole number")?),
        ["crash", count] => proof::crash(count.parse().context("a whole number")?),
        ["tamper"] => proof::tamper(),
        ["planted"] => proof::planted(),
        ["fuzz", seconds] => fuzz::run(seconds.parse().context("a whole number")?),
        ["perf", run_file] => perf::run(Path::new(run_file)),
        _ => bail!("usage:\n{USAGE}"),
    }
}

/// Cheap checks first; the tests last, so that their closing lines are the last thing printed.
fn ci() -> Result<()> {
    say("format");
    cargo(&["fmt", "--all", "--check"], &[])?;
    say("lints");
    let lints = ["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"];
    cargo(&lints, &[])?;
    say("documentation");
    let flags = [("RUSTDOCFLAGS", "--deny warnings")];
    cargo(&["doc", "--workspace", "--no-deps", "--locked", "--quiet"], &flags)?;
    test()
}

/// Random runs against the oracle, and random stories of the exchange.
fn sim(factor: u32) -> Result<()> {
    let runs = factor.to_string();
    let environment = [("TICKDRAIN_SCENARIOS", &*runs)];
    cargo(&["test", "--locked", "--package", "tests", "--test", "it", "properties"], &environment)?;
    let cases = (factor * 256).to_string();
    let environment = [("PROPTEST_CASES", &*cases)];
    cargo(&["test", "--locked", "--package", "venues", "--package", "ledger"], &environment)
}

fn test() -> Result<()> {
    say("tests");
    tests::run(&["test", "--workspace", "--locked"])?;
    say("planted mistakes");
    proof::planted()
}
