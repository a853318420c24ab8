//! The look-ahead check: whatever comes later must not change what was decided before.

use std::path::Path;

use model::time::UtcMillis;
use proof::Divergence;
use proof::diff::first_difference_until;
use store::FolderError;
use store::audit::{Kind, LogPlan, LogReader};

use super::data::{Alter, DataKind, with_altered_data};
use super::noise::Noise;
use crate::backtest::{Backtest, now};
use crate::error::BacktestError;
use crate::question::Until;
use crate::run_folder::Output;
use crate::wiring::{self, Inputs};

/// What a look-ahead check found.
#[derive(Clone, Debug)]
pub struct Lookahead {
    /// The instants after which all data was noise, in order.
    pub cuts: Vec<UtcMillis>,
    /// The first leak.
    pub leak: Option<Leak>,
}

/// Something up to an instant depended on what came after it.
#[derive(Clone, Debug)]
pub struct Leak {
    /// The data up to here was the same in both runs.
    pub cut: UtcMillis,
    /// Where they part nevertheless; the left one had the true data.
    pub divergence: Divergence,
}

/// Runs with the true data, then `count` times with noise after a random frame; up to that frame all
/// records have to be the same.
///
/// # Errors
///
/// The run fails with the true data, or a file cannot be read or written.
pub fn check(backtest: &Backtest, count: u64) -> Result<Lookahead, BacktestError> {
    let folder = tempfile::tempdir().map_err(FolderError::create_at("a temporary folder"))?;
    let truth = folder.path().join("truth");
    let output = Output::Explicit { path: truth.clone(), overwrite: false };
    backtest.clone().with_log().output(output).run()?;
    let truth = LogReader::open(&truth)?;
    let frames = frames(&truth)?;
    let mut places = Noise::of("cuts", backtest.config().seed, 0);
    let mut cuts: Vec<UtcMillis> = (0..count)
        .filter_map(|_| frames.get(places.place(frames.len().saturating_sub(1))).copied())
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    for (number, cut) in (0..).zip(&cuts) {
        let noisy = folder.path().join(format!("noise-{number}"));
        let found = with_noise(backtest, *cut, number, &noisy)?;
        let log = LogReader::open(&found)?;
        if let Some(divergence) = first_difference_until(&truth, &log, *cut)? {
            return Ok(Lookahead { leak: Some(Leak { cut: *cut, divergence }), cuts });
        }
    }
    Ok(Lookahead { cuts, leak: None })
}

/// Runs up to the frame behind `cut`, with noise from there on; the run folder.
fn with_noise(
    backtest: &Backtest,
    cut: UtcMillis,
    number: u64,
    folder: &Path,
) -> Result<std::path::PathBuf, BacktestError> {
    let create = |path: &Path| {
        std::fs::create_dir_all(path)
            .map_err(|source| FolderError::Create { path: path.to_owned(), source })
    };
    let (data, run) = (folder.join("data"), folder.join("run"));
    create(&data)?;
    create(&run)?;
    let config = backtest.config();
    let mut noise = FromThenOn { cut, noise: Noise::of("data", config.seed, number) };
    let table = with_altered_data(config, &data, &mut noise)?;
    let noisy = Backtest::of_table(backtest.app().clone(), &table)?;
    let inputs = Inputs::of(noisy.config())?;
    let feed = Until::new(wiring::open_feed(noisy.config())?, cut);
    match noisy.execute(&inputs, feed, Some(run.clone()), LogPlan::New, now()) {
        // What noise does to a run after the cut is nobody's concern.
        Ok(_) | Err(BacktestError::Failed { .. } | BacktestError::Unexplained { .. }) => Ok(run),
        Err(error) => Err(error),
    }
}

fn frames(log: &LogReader) -> Result<Vec<UtcMillis>, BacktestError> {
    let mut frames = Vec::new();
    for rows in log.read() {
        let rows = rows?;
        frames.extend(
            rows.events().filter(|event| event.kind == Some(Kind::Frame)).map(|event| event.ts()),
        );
    }
    Ok(frames)
}

struct FromThenOn {
    cut: UtcMillis,
    noise: Noise,
}

impl Alter for FromThenOn {
    fn concerns(&self, _kind: DataKind, _of: &str) -> bool {
        true
    }

    fn alter(&mut self, kind: DataKind, _of: &str, ts: UtcMillis, values: &mut [f64]) {
        if ts <= self.cut {
            return;
        }
        if kind == "funding" {
            values[0] = self.noise.between(-0.002, 0.002);
            values[1] *= self.noise.between(0.5, 1.5);
            return;
        }
        // One factor for all prices of a bar keeps its low below and its high above the others.
        let (prices, volume) = values.split_at_mut(values.len().min(4));
        let factor = self.noise.between(0.5, 1.5);
        for price in prices {
            *price *= factor;
        }
        for volume in volume {
            *volume *= self.noise.between(0.5, 1.5);
        }
    }
}
