//! `tickdrain resume`.

use std::path::Path;

use super::{backtest, complaint};
use crate::app::App;
use crate::past_run::PastRun;

pub(super) fn run(app: &App, run_folder: &Path, is_quiet: bool) -> u8 {
    let run = match PastRun::open(app.clone(), run_folder) {
        Ok(run) => run,
        Err(error) => return complaint::print(&error),
    };
    if run.is_complete() {
        say!("nothing to resume: the run came to its end\n{}", run_folder.display());
        return 0;
    }
    let commits = run.whole_commits();
    let (commits, frames) = (commits.len(), commits.last().map_or(0, |commit| commit.frames));
    if !is_quiet {
        complaint::line(&format!("{commits} commits with {frames} frames are there; going on"));
    }
    let run = if is_quiet { run } else { run.with_progress() };
    backtest::stop_on_interrupt(run.backtest());
    backtest::tell(run.resume(), backtest::Shape { is_quiet, as_json: false })
}
