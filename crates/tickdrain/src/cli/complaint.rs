//! Complaints: what went wrong, where, what was found and expected, and a hint; never a panic.

use std::any::Any;
use std::error::Error;
use std::io::IsTerminal as _;
use std::path::Path;

use proof::replay::ReplayError;
use store::FolderError;
use store::audit::reading::LogError;
use store::candles::DataError;

use super::diff;
use crate::error::{BacktestError, exit, is_missed_frame, of_log};
use crate::past_run::InputsChanged;
use crate::runfile::fault::Faults;

/// Prints an error to standard error and returns its exit code.
pub(super) fn print(error: &BacktestError) -> u8 {
    match error {
        BacktestError::RunFile(faults) => {
            line(&faults.render(std::io::stderr().is_terminal()));
        }
        BacktestError::Folder(folder) => print_folder(folder),
        BacktestError::Log(error) => return log(Path::new(""), error),
        BacktestError::Replay(error) => return replay(Path::new(""), error),
        BacktestError::Inputs(changed) => print_inputs(changed),
        BacktestError::Schedule { divergence, .. } => {
            line(&format!("error[ENGINE-SCHEDULE]: {error}"));
            line(&diff::divergence(divergence, ["rank order", "random order"]));
        }
        BacktestError::Diverged(diverged) => {
            line(&format!("error[LOG-DIVERGED]: {diverged}"));
            line(&diff::divergence(&diverged.divergence, ["the log", "computed again"]));
            line(
                "  hint:     another version of the program, or of a strategy, computes otherwise",
            );
        }
        BacktestError::Data(_)
        | BacktestError::Setup(_)
        | BacktestError::Failed { .. }
        | BacktestError::Unexplained { .. }
        | BacktestError::Alter(_) => match error.data() {
            Some(data) => print_data(data),
            None => print_chain(error),
        },
    }
    error.exit_code()
}

/// Prints what is odd about a run file without being wrong.
pub(super) fn print_warnings(warnings: &Faults) {
    if !warnings.is_empty() {
        line(&warnings.render(std::io::stderr().is_terminal()));
    }
}

/// Prints a fault of a data file.
pub(super) fn print_data(error: &DataError) {
    let place = match (error.path(), error.place(), error.line()) {
        (Some(path), Some(place), _) => format!("{}, {place}", path.display()),
        (Some(path), None, Some(line)) => format!("{}, line {line}", path.display()),
        (Some(path), None, None) => path.display().to_string(),
        (None, ..) => "the data".to_owned(),
    };
    let column =
        error.column().map_or_else(String::new, |column| format!(", column {}", column.name()));
    line(&format!("error[{}]: {error}", error.code()));
    line(&format!("  where:    {place}{column}"));
    for (name, value) in
        [("found:   ", error.found()), ("expected:", error.expected()), ("hint:    ", error.hint())]
    {
        if let Some(value) = value {
            line(&format!("  {name} {value}"));
        }
    }
    print_causes(error);
}

fn print_folder(error: &FolderError) {
    line(&format!("error[LOG-FOLDER]: {error}"));
    print_causes(error);
    if let FolderError::NotEmpty { .. } = error {
        line("  expected: an empty folder, or one that does not exist");
        line("  hint:     --overwrite deletes an old run, and nothing else");
    } else {
        line("  hint:     --out DIR leaves the run folder elsewhere");
    }
}

fn print_inputs(changed: &InputsChanged) {
    line(&format!("error[LOG-INPUTS]: {changed}"));
    for change in &changed.changes {
        line(&format!("  where:    {}", change.what));
        line(&format!("  found:    {}", change.found));
        line(&format!("  expected: {}", change.expected));
    }
    line("  hint:     a run is only the same with what it was computed from");
}

fn print_chain(error: &BacktestError) {
    let code = match error {
        // What a strategy could not know before it ran is still the fault of its file.
        BacktestError::Failed { source, .. } if is_missed_frame(source) => "CFG-ORDERS",
        BacktestError::Failed { source, .. } => source.code(),
        BacktestError::Unexplained { .. } => "PNL-UNEXPLAINED",
        BacktestError::Setup(_) => "CFG-SETUP",
        BacktestError::RunFile(_)
        | BacktestError::Data(_)
        | BacktestError::Folder(_)
        | BacktestError::Log(_)
        | BacktestError::Alter(_)
        | BacktestError::Replay(_)
        | BacktestError::Inputs(_)
        | BacktestError::Diverged(_)
        | BacktestError::Schedule { .. } => "CFG",
    };
    line(&format!("error[{code}]: {error}"));
    print_causes(error);
    if let Some(folder) = error.report().and_then(|report| report.folder.as_ref()) {
        line(&format!("  hint:     everything up to the failure is in {}", folder.display()));
    }
}

/// Prints what led to an error; a cause that another one quotes is not printed twice.
fn print_causes(error: &dyn Error) {
    let mut cause = error.source();
    while let Some(error) = cause {
        cause = error.source();
        let text = error.to_string();
        if cause.is_none_or(|cause| !text.ends_with(&cause.to_string())) {
            line(&format!("  cause:    {text}"));
        }
    }
}

/// Prints a fault of a file that is neither run file nor data.
pub(super) fn file(path: &Path, code: &str, error: &dyn Error, hint: &str) {
    line(&format!("error[{code}]: {}: {error}", path.display()));
    line(&format!("  hint:     {hint}"));
}

/// Prints why a log cannot be opened, and returns the exit code.
pub(super) fn log(run_folder: &Path, error: &LogError) -> u8 {
    let code = of_log(error);
    let (name, hint) = match code {
        exit::IO => {
            ("LOG-FOLDER", format!("{} is to be the folder of a run", run_folder.display()))
        }
        exit::DATA => {
            ("LOG-VERSION", "read it with the version that wrote it, or run again".to_owned())
        }
        _ => {
            ("LOG-BROKEN", "what stands before it holds: `replay --at` an earlier time".to_owned())
        }
    };
    line(&format!("error[{name}]: {error}"));
    print_causes(error);
    line(&format!("  hint:     {hint}"));
    code
}

/// Prints why a log cannot be replayed, and returns the exit code.
pub(super) fn replay(run_folder: &Path, error: &ReplayError) -> u8 {
    match error {
        ReplayError::Log(error) => log(run_folder, error),
        ReplayError::Content { .. } => {
            line(&format!("error[LOG-CONTENT]: {error}"));
            exit::DIFFERENCE
        }
    }
}

/// Prints a fault of the program itself.
pub(super) fn internal(panic: &(dyn Any + Send)) {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    line(&format!("error[ENGINE-INTERNAL]: {message}"));
    line(
        "  hint:     this is a fault of the program, not of its input; RUST_LOG=debug shows where",
    );
}

/// One line on standard error.
#[expect(clippy::print_stderr, reason = "the command line speaks here")]
pub(super) fn line(text: &str) {
    eprintln!("{text}");
}
