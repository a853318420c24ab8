//! Running other programs.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Runs cargo with arguments and environment; its output is ours.
pub(crate) fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().copied());
    let status = command.status().context("cargo cannot be started")?;
    if !status.success() {
        bail!("cargo {} failed", arguments.join(" "));
    }
    Ok(())
}

/// Standard output of a program; `None` if there is no such program.
pub(crate) fn output(command: &mut Command) -> Result<Option<std::process::Output>> {
    match command.output() {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{command:?}")),
    }
}

/// A line of the report.
#[expect(clippy::print_stdout, reason = "its purpose")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}
