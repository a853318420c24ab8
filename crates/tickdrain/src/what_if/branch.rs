//! Branches: the same run with one fact changed from some instant on.

use std::path::{Path, PathBuf};

use model::time::UtcMillis;
use proof::{Comparison, compare};
use store::FolderError;
use store::audit::LogReader;

use super::data::{Alter, DataKind, with_altered_data};
use crate::app::App;
use crate::backtest::{Backtest, Report};
use crate::error::BacktestError;
use crate::past_run::PastRun;
use crate::run_folder::Output;

/// A fact that is otherwise in a branch.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// Fees of a venue, in basis points.
    Fee {
        /// Which venue.
        venue: String,
        /// For makers rather than takers.
        is_maker: bool,
        /// The new rate.
        bps: String,
    },
    /// Data of a kind and subject: a value, or a factor on what was there.
    Data {
        /// `candles`, `mark`, `funding` or `price`.
        kind: String,
        /// Of what, as the run file names it.
        of: String,
        /// What becomes of it.
        change: Change,
    },
    /// An order that does not fill.
    Unfilled {
        /// As `orders.parquet` calls it.
        order_id: String,
    },
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// It is this.
    To(f64),
    /// It is this times as much.
    Times(f64),
}

/// Why a text is no fact that can be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no fact that can be changed from some time on: {expected}")]
pub struct FactError {
    text: String,
    expected: &'static str,
}

const EXPECTED: &str = "venues.<venue>.maker_bps=<bps>, venues.<venue>.taker_bps=<bps>, \
     data.<kind>.<of>=<value>, data.<kind>.<of>*=<factor>, or orders.<order id>=unfilled";

impl std::str::FromStr for Fact {
    type Err = FactError;

    fn from_str(text: &str) -> Result<Self, FactError> {
        let error = || FactError { text: text.to_owned(), expected: EXPECTED };
        let (key, value) = text.split_once('=').ok_or_else(error)?;
        let (key, is_factor) = key.strip_suffix('*').map_or((key, false), |key| (key, true));
        let (topic, rest) = key.split_once('.').ok_or_else(error)?;
        match topic {
            "venues" if !is_factor => {
                let (venue, rate) = rest.rsplit_once('.').ok_or_else(error)?;
                let is_maker = match rate {
                    "maker_bps" => true,
                    "taker_bps" => false,
                    _ => return Err(error()),
                };
                value.parse::<f64>().ok().filter(|bps| bps.is_finite()).ok_or_else(error)?;
                Ok(Self::Fee { venue: venue.to_owned(), is_maker, bps: value.to_owned() })
            }
            "data" => {
                let (kind, of) = rest.split_once('.').ok_or_else(error)?;
                let number = value.parse::<f64>().ok().filter(|it| it.is_finite());
                let number = number.ok_or_else(error)?;
                let change = if is_factor { Change::Times(number) } else { Change::To(number) };
                Ok(Self::Data { kind: kind.to_owned(), of: of.to_owned(), change })
            }
            "orders" if value == "unfilled" && !is_factor => {
                Ok(Self::Unfilled { order_id: rest.to_owned() })
            }
            _ => Err(error()),
        }
    }
}

/// A branch that was run, beside the run that it left.
#[derive(Debug)]
pub struct Branch {
    /// What came of it.
    pub report: Report,
    /// Both runs side by side; the left one is the run that was left.
    pub comparison: Comparison,
}

/// Why there is no branch.
#[derive(Debug, thiserror::Error)]
pub enum BranchError {
    /// The run cannot be opened or run.
    #[error(transparent)]
    Run(#[from] BacktestError),

    /// A fact names what the run has not.
    #[error("the run has no {0}")]
    Nothing(String),

    /// A venue whose markets have different fees, of which only one rate is given.
    #[error("{venue} charges its markets differently: give both maker_bps and taker_bps")]
    HalfFee {
        /// Which venue.
        venue: String,
    },
}

/// Runs the run of `folder` again with `facts` from `at` on, and compares.
///
/// The branch is a run like any other: its run file names the altered data, which lies in its folder.
///
/// # Errors
///
/// See [`BranchError`].
pub fn branch(
    app: App,
    folder: &Path,
    at: UtcMillis,
    facts: &[Fact],
    out: Option<PathBuf>,
) -> Result<Branch, BranchError> {
    let run = PastRun::open(app.clone(), folder)?;
    let config = run.backtest().config();
    let out = out.unwrap_or_else(|| beside(folder));
    let data = out.join("data");
    let create = |path: &Path| {
        std::fs::create_dir_all(path).map_err(|source| {
            BacktestError::from(FolderError::Create { path: path.to_owned(), source })
        })
    };
    let mut changes = DataChanges { at, facts, found: vec![false; facts.len()] };
    let has_data = facts.iter().any(|fact| matches!(fact, Fact::Data { .. }));
    let mut table = if has_data {
        create(&data)?;
        with_altered_data(config, &data, &mut changes).map_err(BacktestError::from)?
    } else {
        config.resolved().clone()
    };
    for (fact, is_found) in facts.iter().zip(&changes.found) {
        match fact {
            Fact::Data { kind, of, .. } if !is_found => {
                return Err(BranchError::Nothing(format!("data of kind {kind} of {of}")));
            }
            Fact::Data { .. } => {}
            Fact::Unfilled { order_id } => unfill(&mut table, order_id),
            Fact::Fee { .. } => {}
        }
    }
    charge(&mut table, at, facts)?;
    let name = format!("{} (branch)", config.name);
    table.insert("name".to_owned(), toml::Value::String(name));
    let backtest = Backtest::of_table(app, &table)?;
    let report = backtest.output(Output::Beside { path: out }).run()?;
    let other = report.folder.as_deref().unwrap_or(folder);
    let other = LogReader::open(other).map_err(BacktestError::from)?;
    let comparison = compare(run.log(), &other).map_err(BacktestError::from)?;
    Ok(Branch { report, comparison })
}

/// `<run folder>-branch`, then with numbers.
fn beside(folder: &Path) -> PathBuf {
    let name = folder.file_name().map_or_else(Default::default, |name| name.to_string_lossy());
    let nth = |number: u32| match number {
        1 => folder.with_file_name(format!("{name}-branch")),
        _ => folder.with_file_name(format!("{name}-branch-{number}")),
    };
    (1..).map(nth).find(|path| !path.exists()).unwrap_or_else(|| nth(1))
}

fn unfill(table: &mut toml::Table, order_id: &str) {
    let execution = table.entry("execution").or_insert_with(|| toml::Table::new().into());
    let Some(execution) = execution.as_table_mut() else { return };
    let orders = execution.entry("unfilled").or_insert_with(|| toml::Value::Array(Vec::new()));
    if let Some(orders) = orders.as_array_mut() {
        orders.push(toml::Value::String(order_id.to_owned()));
    }
}

/// Adds tiers of fees that hold from `at` on.
fn charge(table: &mut toml::Table, at: UtcMillis, facts: &[Fact]) -> Result<(), BranchError> {
    let of_venue = |fact: &Fact| match fact {
        Fact::Fee { venue, .. } => Some(venue.clone()),
        Fact::Data { .. } | Fact::Unfilled { .. } => None,
    };
    let mut venues: Vec<String> = facts.iter().filter_map(of_venue).collect();
    venues.sort_unstable();
    venues.dedup();
    for name in venues {
        let venue = table.get_mut("venues").and_then(|venues| venues.get_mut(&name));
        let Some(venue) = venue.and_then(toml::Value::as_table_mut) else {
            return Err(BranchError::Nothing(format!("venue {name}")));
        };
        let rate = |wanted: bool, key: &str| {
            let given = facts.iter().rev().find_map(|fact| match fact {
                Fact::Fee { venue, is_maker, bps } if *venue == name && *is_maker == wanted => {
                    Some(toml::Value::String(bps.clone()))
                }
                _ => None,
            });
            given.or_else(|| venue.get(key).cloned())
        };
        let (maker, taker) = (rate(true, "maker_bps"), rate(false, "taker_bps"));
        let (Some(maker), Some(taker)) = (maker, taker) else {
            return Err(BranchError::HalfFee { venue: name });
        };
        let mut tier = toml::Table::new();
        tier.insert("valid_from".to_owned(), toml::Value::String(at.to_string()));
        tier.insert("maker_bps".to_owned(), maker);
        tier.insert("taker_bps".to_owned(), taker);
        let fees = venue.entry("fees").or_insert_with(|| toml::Table::new().into());
        if let Some(fees) = fees.as_table_mut() {
            let tiers = fees.entry("tiers").or_insert_with(|| toml::Value::Array(Vec::new()));
            if let Some(tiers) = tiers.as_array_mut() {
                tiers.push(toml::Value::Table(tier));
            }
        }
    }
    Ok(())
}

/// Changes of data, from an instant on.
struct DataChanges<'a> {
    at: UtcMillis,
    facts: &'a [Fact],
    /// Which of them concern data that is there.
    found: Vec<bool>,
}

impl DataChanges<'_> {
    fn of(&self, kind: DataKind, of: &str) -> impl Iterator<Item = (usize, Change)> {
        self.facts.iter().enumerate().filter_map(move |(place, fact)| match fact {
            Fact::Data { kind: its, of: subject, change } if its == kind && subject == of => {
                Some((place, *change))
            }
            _ => None,
        })
    }
}

impl Alter for DataChanges<'_> {
    fn concerns(&self, kind: DataKind, of: &str) -> bool {
        self.of(kind, of).next().is_some()
    }

    fn alter(&mut self, kind: DataKind, of: &str, ts: UtcMillis, values: &mut [f64]) {
        let changes: Vec<(usize, Change)> = self.of(kind, of).collect();
        for (place, change) in changes {
            self.found[place] = true;
            if ts < self.at {
                continue;
            }
            // All prices of a bar, or the one value of a point; not volumes, nor marks of funding.
            let concerned = match kind {
                "candles" | "mark" => 4,
                _ => 1,
            };
            for value in values.iter_mut().take(concerned) {
                match change {
                    Change::To(number) => *value = number,
                    Change::Times(factor) => *value *= factor,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_from_texts() {
        let fee =
            |is_maker, bps: &str| Fact::Fee { venue: "okx".into(), is_maker, bps: bps.into() };
        let data =
            |kind: &str, of: &str, change| Fact::Data { kind: kind.into(), of: of.into(), change };
        for (text, fact) in [
            ("venues.okx.taker_bps=7.5", fee(false, "7.5")),
            ("venues.okx.maker_bps=-1", fee(true, "-1")),
            (
                "data.funding.okx:perp:BTCUSDT=0.0003",
                data("funding", "okx:perp:BTCUSDT", Change::To(0.0003)),
            ),
            ("data.price.USDC*=0.9", data("price", "USDC", Change::Times(0.9))),
            ("orders.sma_cross-3=unfilled", Fact::Unfilled { order_id: "sma_cross-3".into() }),
        ] {
            assert_eq!(text.parse(), Ok(fact), "{text}");
        }
        for text in [
            "",
            "seed=7",
            "venues.okx.leverage=3",
            "orders.a-1=filled",
            "data.funding=1",
            "data.price.A=x",
        ] {
            assert!(text.parse::<Fact>().is_err(), "{text}");
        }
    }
}
