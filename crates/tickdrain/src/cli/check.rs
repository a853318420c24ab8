//! `tickdrain check`.

use std::path::Path;

use store::candles::{FaultClass, Inspection, inspect};
use store::points::inspect_points;

use super::complaint;
use crate::app::App;
use crate::error::exit;
use crate::runfile::config::RunConfig;
use crate::wiring;

pub(super) fn run(app: &App, run_file: &Path, overrides: &[String]) -> u8 {
    let config = match RunConfig::load(run_file, overrides, app.catalog()) {
        Ok(config) => config,
        Err(faults) => return complaint::print(&faults.into()),
    };
    complaint::print_warnings(&config.warnings);
    let code = check_files(&config);
    if code != 0 {
        return code;
    }
    match wiring::open_feed(&config) {
        Ok(_) => {
            match config.warnings.len() {
                0 => say!("{}: nothing to complain about", config.name),
                1 => say!("{}: nothing wrong, 1 warning", config.name),
                several => say!("{}: nothing wrong, {several} warnings", config.name),
            }
            0
        }
        Err(error) => complaint::print(&error),
    }
}

/// Lists every fault of every file, and what is in those that have none.
fn check_files(config: &RunConfig) -> u8 {
    let mut code = 0;
    for series in config.all_series() {
        code = report(&series.name(), "bars", &inspect(&series.spec()), code);
    }
    for series in &config.points {
        code = report(&series.name(), "points", &inspect_points(&series.spec()), code);
    }
    code
}

/// Prints what was found in a series, and makes its faults part of the exit code.
fn report(name: &str, unit: &str, inspection: &Inspection, mut code: u8) -> u8 {
    for fault in &inspection.faults {
        complaint::print_data(fault);
        code = worse(code, fault.class());
    }
    let listed = inspection.faults.len();
    if let Some(more) = inspection.fault_count.checked_sub(listed as u64).filter(|more| *more > 0) {
        complaint::line(&format!("… and {more} more faults of {name}"));
    }
    let span = match (inspection.first, inspection.last) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => "no rows".to_owned(),
    };
    say!(
        "{name}: {} rows, {span}, {} holes ({} {unit} missing){}",
        inspection.rows,
        inspection.holes,
        inspection.missing,
        if inspection.synthetic_data { ", synthetic" } else { "" },
    );
    code
}

/// The exit code of several faults: wrong content says more than a file that cannot be opened, and
/// that more than missing coverage.
pub(super) const fn worse(code: u8, class: FaultClass) -> u8 {
    match class {
        FaultClass::Content => exit::DATA,
        FaultClass::Io if code != exit::DATA => exit::IO,
        FaultClass::Coverage if code == 0 => exit::CONFIG,
        FaultClass::Io | FaultClass::Coverage => code,
    }
}
