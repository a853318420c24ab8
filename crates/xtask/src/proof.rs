//! The tests of the log as proof at their full length.

use anyhow::Result;

use crate::shell::cargo;

/// Kills runs this often and cuts logs at every byte of their tails, and resumes them.
pub(crate) fn crash(count: u32) -> Result<()> {
    let count = count.to_string();
    run(&[], "proof::crash", &[("TICKDRAIN_CRASHES", &*count)])
}

/// Turns every bit of a run folder over.
pub(crate) fn tamper() -> Result<()> {
    run(&[], "proof::tamper", &[("TICKDRAIN_ALL_BITS", "1")])
}

/// Makes mistakes in the engine itself, which no other build has.
pub(crate) fn planted() -> Result<()> {
    run(&["--features", "tests/planted-faults"], "proof::planted", &[])
}

fn run(flags: &[&str], tests: &str, environment: &[(&str, &str)]) -> Result<()> {
    let mut arguments = vec!["test", "--locked", "--package", "tests", "--test", "it"];
    arguments.extend(flags);
    arguments.extend(["--", tests, "--nocapture"]);
    cargo(&arguments, environment)
}
