//! `tickdrain backtest`.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::{BacktestArguments, complaint, page};
use crate::app::App;
use crate::backtest::{Backtest, Report};
use crate::bundled;
use crate::error::{BacktestError, exit};
use crate::run_folder::Output;

pub(super) fn run(app: &App, arguments: &BacktestArguments) -> u8 {
    let Some(run_file) = arguments.run_file.clone().or_else(bundled::example) else {
        complaint::line("error[CFG-FILE]: the bundled example is not here");
        complaint::line("  expected: data/sma-cross.toml, in this folder or above");
        complaint::line("  hint:     name a run file, or start in the source tree");
        return exit::IO;
    };
    match prepare(app, arguments, &run_file) {
        Ok(backtest) => match arguments.fuzz_schedules {
            Some(count) => fuzz(&backtest, count),
            None => execute(&backtest, arguments),
        },
        Err(error) => complaint::print(&error),
    }
}

fn prepare(
    app: &App,
    arguments: &BacktestArguments,
    run_file: &Path,
) -> Result<Backtest, BacktestError> {
    let mut overrides = arguments.overrides.clone();
    let quoted = |key: &str, time: &String| format!("{key}={time:?}");
    overrides.extend(arguments.from.as_ref().map(|time| quoted("start", time)));
    overrides.extend(arguments.to.as_ref().map(|time| quoted("end", time)));
    let mut backtest = Backtest::with_app(app.clone(), run_file, &overrides)?;
    if let Some(path) = &arguments.out {
        let (path, overwrite) = (path.clone(), arguments.overwrite);
        backtest = backtest.output(Output::Explicit { path, overwrite });
    }
    if arguments.no_audit {
        backtest = backtest.without_log();
    }
    if !arguments.quiet {
        backtest = backtest.with_progress();
    }
    Ok(backtest)
}

fn execute(backtest: &Backtest, arguments: &BacktestArguments) -> u8 {
    stop_on_interrupt(backtest);
    tell(backtest.run(), Shape { is_quiet: arguments.quiet, as_json: arguments.json })
}

/// What is printed of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) is_quiet: bool,
    pub(super) as_json: bool,
}

/// Ctrl-C stops the run after the frame that it is at.
pub(super) fn stop_on_interrupt(backtest: &Backtest) {
    let stop = backtest.stop_flag();
    let heard = ctrlc::set_handler(move || {
        // The second time, nobody wants to wait for the end of a frame.
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
    });
    if let Err(error) = heard {
        tracing::warn!(%error, "Ctrl-C will stop the run without a summary");
    }
}

/// Prints what came of a run, and returns the exit code.
pub(super) fn tell(outcome: Result<Report, BacktestError>, shape: Shape) -> u8 {
    match outcome {
        Ok(report) => {
            show(&report, shape);
            if report.is_interrupted() { exit::INTERRUPTED } else { 0 }
        }
        Err(error) => {
            if let Some(report) = error.report() {
                show(report, shape);
            }
            complaint::print(&error)
        }
    }
}

fn show(report: &Report, shape: Shape) {
    let folder = report.folder.as_ref().map(|folder| folder.display().to_string());
    if shape.as_json {
        say!("{}", report.summary.to_json());
        warn_of_refusals(report);
        complaint::line(&folder.unwrap_or_default());
        return;
    }
    if !shape.is_quiet {
        say!("{}", page::of(&report.summary));
    }
    warn_of_refusals(report);
    say!("{}", folder.unwrap_or_default());
}

/// A run that traded nothing because nothing was taken looks like a run that had nothing to do: the
/// warning is printed whatever else is not.
fn warn_of_refusals(report: &Report) {
    let orders = &report.summary.orders;
    let Some(refused) = page::refusal_of_all(orders) else { return };
    let reasons: Vec<String> = orders
        .denied_by_reason
        .iter()
        .chain(&orders.rejected_by_reason)
        .map(|(code, count)| format!("{code}: {count}"))
        .collect();
    let count = orders.denied + orders.rejected;
    complaint::line(&format!("warning: all orders of the run ({count}) were {refused}"));
    complaint::line(&format!("  found:    {}", reasons.join(", ")));
    if let Some(folder) = &report.folder {
        let file = folder.join("orders.parquet");
        complaint::line(&format!("  hint:     `reason` in {} says why", file.display()));
    }
}

fn fuzz(backtest: &Backtest, count: u64) -> u8 {
    match backtest.fuzz_schedules(count) {
        Ok(digest) => {
            say!("{count} random polling orders and rank order give one digest: {digest}");
            0
        }
        Err(error) => complaint::print(&error),
    }
}
