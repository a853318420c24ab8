//! `tickdrain verify`.

use std::path::Path;

use proof::laws::{Law, Tally};
use proof::verify::{Verification, verify_folder};

use super::lists::empty_table;
use super::replay::align_right;
use super::{complaint, diff};
use crate::app::App;
use crate::error::exit;
use crate::past_run::{PastRun, Reexecution};

/// Violations that are printed; the rest is counted.
const SHOWN: usize = 20;

pub(super) fn run(app: &App, run_folder: &Path, reexecute: bool) -> u8 {
    let verification = verify_folder(run_folder);
    for fault in &verification.faults {
        complaint::line(&format!("error[LOG-SEAL]: {}", run_folder.join(fault.path()).display()));
        complaint::line(&format!("  found:    {fault}"));
    }
    match &verification.log {
        Ok(log) => say!("{}", page(log)),
        Err(error) => {
            let code = complaint::replay(run_folder, error);
            if code != exit::DIFFERENCE {
                return code;
            }
        }
    }
    if !verification.holds() {
        return exit::DIFFERENCE;
    }
    if reexecute {
        return again(app, run_folder);
    }
    say!("everything holds");
    0
}

fn again(app: &App, run_folder: &Path) -> u8 {
    let again = PastRun::open(app.clone(), run_folder).and_then(|run| run.reexecute());
    match again {
        Ok(Reexecution::Same { commits }) => {
            say!("everything holds; computed again, all {commits} commits are the same");
            0
        }
        Ok(Reexecution::Length { recorded, computed }) => {
            say!("the log has {recorded} commits; computed again the run has {computed}");
            exit::DIFFERENCE
        }
        Ok(Reexecution::Diverged(diverged)) => {
            say!("{diverged}");
            say!("{}", diff::divergence(&diverged.divergence, ["the log", "computed again"]));
            exit::DIFFERENCE
        }
        Err(error) => complaint::print(&error),
    }
}

fn page(log: &Verification) -> String {
    let tally = &log.tally;
    let mut laws = empty_table(&["law", "checked", "broken", "it says"]);
    for law in Law::ALL {
        let (checked, broken) = (tally.checked[law as usize], tally.broken[law as usize]);
        laws.add_row([law.name(), &checked.to_string(), &broken.to_string(), law.meaning()]);
    }
    align_right(&mut laws, 1);
    align_right(&mut laws, 2);
    let mut text =
        format!("{} commits and {} events, as they were written\n{laws}", log.commits, log.events);
    for line in violations(tally) {
        text.push('\n');
        text.push_str(&line);
    }
    text
}

fn violations(tally: &Tally) -> Vec<String> {
    let shown = tally.violations.iter().take(SHOWN);
    let mut lines: Vec<String> = shown
        .map(|it| format!("{}: event {} at {}: {}", it.law.name(), it.seq, it.ts, it.text))
        .collect();
    let all: u64 = tally.broken.iter().sum();
    let more = all.saturating_sub(lines.len() as u64);
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    lines
}
