//! Run files whose data is altered: new files, and a run file that names them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::time::UtcMillis;
use store::altered::{AlterError, alter_bars, alter_points};
use store::candles::BarsOf;

use crate::runfile::config::RunConfig;

/// What a series is of: `candles`, `mark`, `funding` or `price`.
pub(super) type DataKind = &'static str;

/// The values of a row: open, high, low, close and volume of a bar; rate and mark price of funding;
/// a price. What is no number is not there.
pub(super) trait Alter {
    /// Whether a series is to be altered.
    fn concerns(&self, kind: DataKind, of: &str) -> bool;

    /// Changes the values that are known at `ts`.
    fn alter(&mut self, kind: DataKind, of: &str, ts: UtcMillis, values: &mut [f64]);
}

/// Writes what `alter` makes of the data into `folder`; the resolved run file with the new paths,
/// also where a strategy names one of the files.
///
/// # Errors
///
/// A file cannot be read or written.
pub(super) fn with_altered_data(
    config: &RunConfig,
    folder: &Path,
    alter: &mut impl Alter,
) -> Result<toml::Table, AlterError> {
    let mut altered: Vec<(Key, PathBuf)> = Vec::new();
    let mut number = 0;
    let mut path_for = |paths: &[PathBuf]| {
        number += 1;
        let is_text =
            paths.first().is_some_and(|path| path.extension().is_some_and(|it| it == "csv"));
        folder.join(format!("{number}.{}", if is_text { "csv" } else { "parquet" }))
    };
    for series in config.all_series() {
        let kind = match series.of {
            BarsOf::Trades => "candles",
            BarsOf::Mark => "mark",
        };
        let of = series.instrument.to_string();
        if alter.concerns(kind, &of) {
            let path = path_for(&series.paths);
            alter_bars(&series.spec(), &path, |ts, values| alter.alter(kind, &of, ts, values))?;
            altered.push((Key::new(kind, &series.paths), path));
        }
    }
    for series in &config.points {
        let (kind, of) = series.kind_and_subject();
        if alter.concerns(kind, &of) {
            let path = path_for(&series.paths);
            alter_points(&series.spec(), &path, |ts, values| alter.alter(kind, &of, ts, values))?;
            altered.push((Key::new(kind, &series.paths), path));
        }
    }
    let mut table = config.resolved().clone();
    rename(&mut table, &altered);
    Ok(table)
}

/// Which series of a run file it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    kind: DataKind,
    paths: Vec<String>,
}

impl Key {
    fn new(kind: DataKind, paths: &[PathBuf]) -> Self {
        let paths = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        Self { kind, paths }
    }

    fn is_of(&self, series: &toml::Table) -> bool {
        let paths = match series.get("path") {
            Some(toml::Value::String(path)) => vec![path.clone()],
            Some(toml::Value::Array(paths)) => {
                paths.iter().filter_map(|path| path.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        };
        series.get("kind").and_then(toml::Value::as_str) == Some(self.kind) && paths == self.paths
    }
}

fn rename(table: &mut toml::Table, altered: &[(Key, PathBuf)]) {
    let mut renamed = BTreeMap::new();
    let series = table.get_mut("data").and_then(toml::Value::as_array_mut);
    let mut left = altered.to_vec();
    for series in series.into_iter().flatten().filter_map(toml::Value::as_table_mut) {
        let Some(place) = left.iter().position(|(key, _)| key.is_of(series)) else { continue };
        let (key, path) = left.remove(place);
        let path = path.to_string_lossy().into_owned();
        renamed.extend(key.paths.into_iter().map(|old| (old, path.clone())));
        series.insert("path".to_owned(), toml::Value::String(path));
        // The new file has the usual names and says its unit.
        series.remove("columns");
        series.remove("time_unit");
    }
    if let Some(strategy) = table.get_mut("strategy") {
        rename_texts(strategy, &renamed);
    }
}

fn rename_texts(value: &mut toml::Value, renamed: &BTreeMap<String, String>) {
    match value {
        toml::Value::String(text) => {
            if let Some(new) = renamed.get(text) {
                text.clone_from(new);
            }
        }
        toml::Value::Array(values) => {
            values.iter_mut().for_each(|value| rename_texts(value, renamed));
        }
        toml::Value::Table(table) => {
            table.iter_mut().for_each(|(_, value)| rename_texts(value, renamed));
        }
        _ => {}
    }
}
