//! Properties of orders and account in random runs through the whole engine.
//!
//! `TICKDRAIN_SCENARIOS` multiplies how many runs each test makes; the seed of a failing one is
//! printed, by the comparison with the oracle with the smallest run that still fails.

mod equity;
mod fills;
mod laws;
mod oracle;
mod scenario;
mod trades;

pub(crate) use scenario::{Dice, Menu, draw};
use tickdrain::App;
use tickdrain::run_folder::Output;

use crate::tables::Scene;

/// Seeds of a test that makes `normal` runs.
pub(crate) fn count(normal: u64) -> u64 {
    let factor = std::env::var("TICKDRAIN_SCENARIOS");
    normal * factor.map_or(1, |factor| factor.parse().expect("a whole number"))
}

/// Runs without a log, which nothing here reads.
fn run(scene: &Scene, app: App, out: &str) {
    let path = scene.path(out);
    drop(std::fs::remove_dir_all(&path));
    let backtest = scene.backtest(app, &[]).without_log();
    let output = Output::Explicit { path, overwrite: false };
    backtest.output(output).run().unwrap_or_else(|error| panic!("{error:?}"));
}
