//! `tickdrain explain`.

use std::path::Path;

use clap::Subcommand;
use model::strategy::Decision;
use model::time::UtcMillis;
use proof::explain::{Chapter, order, pnl, tick};
use store::audit::LogReader;

use super::complaint;
use crate::app::App;
use crate::error::exit;
use crate::past_run::PastRun;

/// What is to be explained.
#[derive(Debug, Subcommand)]
pub(super) enum Subject {
    /// An order, from the bar on which it was decided to the profit that it made.
    Order {
        /// As in orders.parquet.
        order_id: String,
    },
    /// A frame: what happened at it, or why nothing did.
    Tick {
        /// Its time, which is the close of its bars.
        ts: String,
    },
    /// A component of profit: when it came, and from what.
    Pnl {
        /// A column of pnl.parquet, such as `funding_pnl`.
        component: String,
        /// What came later than this.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// What came no later than this.
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
    },
}

pub(super) fn run(app: &App, run_folder: &Path, subject: &Subject) -> u8 {
    let log = match LogReader::open(run_folder) {
        Ok(log) => log,
        Err(error) => return complaint::log(run_folder, &error),
    };
    match subject {
        Subject::Order { order_id } => match order::explain(&log, order_id) {
            Ok(chapters) if chapters.is_empty() => nothing(
                &format!("no order is called `{order_id}`"),
                "orders.parquet lists them all",
            ),
            Ok(chapters) => tell(&chapters),
            Err(error) => complaint::replay(run_folder, &error),
        },
        Subject::Tick { ts } => match time("TICK", ts) {
            Ok(ts) => tick_of(app, run_folder, &log, ts),
            Err(code) => code,
        },
        Subject::Pnl { component, from, to } => {
            let parsed = |name, text: &Option<String>| {
                text.as_ref().map(|text| time(name, text)).transpose()
            };
            match (parsed("--from", from), parsed("--to", to)) {
                (Ok(from), Ok(to)) => profit(run_folder, &log, component, from, to),
                (Err(code), _) | (_, Err(code)) => code,
            }
        }
    }
}

fn time(name: &str, text: &str) -> Result<UtcMillis, u8> {
    text.parse().map_err(|error| {
        complaint::line(&format!("error[USAGE]: {name}: {error}"));
        exit::USAGE
    })
}

fn nothing(what: &str, hint: &str) -> u8 {
    complaint::line(&format!("error[USAGE]: {what}"));
    complaint::line(&format!("  hint:     {hint}"));
    exit::USAGE
}

fn tell(chapters: &[Chapter]) -> u8 {
    for chapter in chapters.iter().filter(|chapter| !chapter.lines.is_empty()) {
        say!("{}", chapter.title);
        chapter.lines.iter().for_each(|line| say!("  {line}"));
    }
    0
}

fn tick_of(app: &App, run_folder: &Path, log: &LogReader, ts: UtcMillis) -> u8 {
    let found = match tick::explain(log, ts) {
        Ok(found) => found,
        Err(error) => return complaint::replay(run_folder, &error),
    };
    if found.chapters.is_empty() {
        let shown = |ts: Option<UtcMillis>| ts.map_or("none".to_owned(), |ts| ts.to_string());
        let (before, after) = found.neighbours;
        let hint = format!("the frames around it are {} and {}", shown(before), shown(after));
        return nothing(&format!("{ts} is no frame of the run"), &hint);
    }
    let code = tell(&found.chapters);
    if found.is_quiet {
        why_not(app, run_folder, ts);
    }
    code
}

/// Why nothing was asked for: what the strategies looked at, computed again.
fn why_not(app: &App, run_folder: &Path, ts: UtcMillis) {
    let decisions = PastRun::open(app.clone(), run_folder).and_then(|run| run.decisions_at(ts));
    match decisions {
        Ok(decisions) => {
            say!("why nothing was asked for, computed again up to here");
            for (strategy, decision) in &decisions {
                for line in looked_at(decision) {
                    say!("  {strategy}: {line}");
                }
            }
        }
        Err(error) => {
            complaint::line("note: what was looked at cannot be computed again");
            complaint::print(&error);
        }
    }
}

fn looked_at(decision: &Decision) -> Vec<String> {
    if decision.conditions.is_empty() {
        return vec!["does not tell what it looks at".to_owned()];
    }
    let line = |condition: &model::strategy::Condition| {
        let (name, value, threshold) = (condition.name, condition.value, condition.threshold);
        if condition.passed {
            format!("yes  {name}: {value} against {threshold}")
        } else {
            format!("no   {name}: {value} against {threshold}, off by {:.6}", value - threshold)
        }
    };
    decision.conditions.iter().map(line).collect()
}

fn profit(
    run_folder: &Path,
    log: &LogReader,
    component: &str,
    from: Option<UtcMillis>,
    to: Option<UtcMillis>,
) -> u8 {
    match pnl::explain(log, component, from, to) {
        Ok(found) if !found.known.iter().any(|known| known == component) => {
            let hint = format!("components are {}", found.known.join(", "));
            nothing(&format!("`{component}` is no component of profit"), &hint)
        }
        Ok(found) => {
            let total = found.total.unwrap_or(0.0);
            say!("{component} came to {total:+.6}, in share class");
            tell(&found.chapters)
        }
        Err(error) => complaint::replay(run_folder, &error),
    }
}
