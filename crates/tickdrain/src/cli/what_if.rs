//! `tickdrain lookahead-check` and `tickdrain branch`.

use std::path::{Path, PathBuf};

use super::{complaint, diff};
use crate::app::App;
use crate::backtest::Backtest;
use crate::error::exit;
use crate::what_if::branch::{BranchError, Fact, branch};
use crate::what_if::lookahead::{self, Leak};

pub(super) fn lookahead(app: &App, run_file: &Path, count: u64, overrides: &[String]) -> u8 {
    let found = Backtest::with_app(app.clone(), run_file, overrides)
        .and_then(|backtest| lookahead::check(&backtest, count));
    match found {
        Ok(found) => match &found.leak {
            None => {
                let cuts = found.cuts.len();
                say!(
                    "no look-ahead: with noise after {cuts} random frames, everything up to each is the same"
                );
                0
            }
            Some(leak) => {
                say!("{}", page(leak));
                exit::DIFFERENCE
            }
        },
        Err(error) => complaint::print(&error),
    }
}

fn page(leak: &Leak) -> String {
    let found = diff::divergence(&leak.divergence, ["the data", "noise later"]);
    format!(
        "LOOK-AHEAD: something depends on data that comes after {}\n{found}\
         Up to {} both runs had the same data: whatever differs there was not known.",
        leak.cut, leak.cut
    )
}

pub(super) fn branch_of(
    app: &App,
    run_folder: &Path,
    at: &str,
    facts: &[String],
    out: Option<PathBuf>,
) -> u8 {
    let wrong = |what: &str, error: &dyn std::error::Error| {
        complaint::line(&format!("error[USAGE]: {what}: {error}"));
        exit::USAGE
    };
    let at = match at.parse() {
        Ok(at) => at,
        Err(error) => return wrong("--at", &error),
    };
    let facts: Vec<Fact> = match facts.iter().map(|fact| fact.parse()).collect() {
        Ok(facts) => facts,
        Err(error) => return wrong("--set", &error),
    };
    match branch(app.clone(), run_folder, at, &facts, out) {
        Ok(branch) => {
            let profit = &branch.comparison.profit;
            match &branch.comparison.first {
                None => say!("nothing changed"),
                Some(first) => say!("{}", diff::divergence(first, ["the run", "the branch"])),
            }
            say!("what it did to profit (A is the run, B the branch)\n{}", diff::profit(profit));
            let folder = branch.report.folder.unwrap_or_default();
            say!("{}", folder.display());
            0
        }
        Err(BranchError::Run(error)) => complaint::print(&error),
        Err(error) => wrong("--set", &error),
    }
}
