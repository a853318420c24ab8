//! Whole run files, and everything that can be wrong with them.

#![expect(
    clippy::needless_raw_string_hashes,
    clippy::too_many_lines,
    reason = "the tables are written by expect-test and as long as what they show"
)]

mod data_kinds;
mod faults;
mod hedge;
mod keys;
mod overrides;
mod parameters;
mod resolved;
mod robustness;
mod sections;
mod semantics;
mod venues;

use std::fs;
use std::path::Path;

use expect_test::Expect;
use model::Decimal;
use model::frame::MarketView;
use model::parameter::{ParameterError, ParameterFault, ParameterKind, ParameterSpec};
use model::snapshot::AccountSnapshot;
use model::strategy::{Decision, OrderDesk, Strategy, StrategyError, StrategyKind, StrategySetup};

use crate::catalog::Catalog;
use crate::runfile::config::RunConfig;
use crate::runfile::fault::Faults;

/// Takes the parameters of the real one and does nothing.
pub(crate) struct Cross;

impl Strategy for Cross {
    fn decide(
        &mut self,
        _market: MarketView<'_>,
        _account: &AccountSnapshot,
        _orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        Ok(Decision::HOLD)
    }
}

impl StrategyKind for Cross {
    const SUMMARY: &'static str = "Does nothing.";

    fn parameters() -> &'static [ParameterSpec] {
        const fn spec(
            name: &'static str,
            kind: ParameterKind,
            default: Option<&'static str>,
        ) -> ParameterSpec {
            ParameterSpec { name, kind, unit: "", default, doc: "" }
        }
        const BARS: ParameterKind = ParameterKind::Integer { min: 1, max: 10_000 };
        const SHARE: ParameterKind =
            ParameterKind::Decimal { min: Decimal::ZERO, max: Decimal::ONE };
        const SPECS: &[ParameterSpec] = &[
            spec("instruments", ParameterKind::Instruments, None),
            ParameterSpec { unit: "bars", ..spec("fast", BARS, Some("10")) },
            ParameterSpec { unit: "bars", ..spec("slow", BARS, Some("30")) },
            spec("band", SHARE, Some("0")),
            spec("size", ParameterKind::Size, Some("100%")),
            spec("direction", ParameterKind::Choice(&["long", "long_short"]), Some("long")),
            spec("verbose", ParameterKind::Flag, Some("false")),
        ];
        SPECS
    }

    fn build(setup: &StrategySetup<'_>) -> Result<Self, ParameterError> {
        let (fast, slow) = (setup.parameters.integer("fast"), setup.parameters.integer("slow"));
        if fast < slow {
            return Ok(Self);
        }
        let expected = format!("more than fast = {fast}");
        Err(ParameterFault { parameter: "slow", line: None, found: slow.to_string(), expected }
            .into())
    }
}

/// Reads a file of three lines, the second of which it never likes.
struct Script;

impl Strategy for Script {
    fn decide(
        &mut self,
        _market: MarketView<'_>,
        _account: &AccountSnapshot,
        _orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        Ok(Decision::HOLD)
    }
}

impl StrategyKind for Script {
    const SUMMARY: &'static str = "Replays a file.";

    fn parameters() -> &'static [ParameterSpec] {
        const {
            &[ParameterSpec {
                name: "orders",
                kind: ParameterKind::File,
                unit: "",
                default: None,
                doc: "",
            }]
        }
    }

    fn build(setup: &StrategySetup<'_>) -> Result<Self, ParameterError> {
        match setup.parameters.text("orders").find("bad") {
            None => Ok(Self),
            Some(_) => Err(ParameterFault {
                parameter: "orders",
                line: Some(2),
                found: "`bad`".to_owned(),
                expected: "`good`".to_owned(),
            }
            .into()),
        }
    }
}

pub(crate) fn catalog() -> Catalog {
    let mut catalog = Catalog::new();
    catalog.register::<Cross>("sma_cross").register::<Script>("scripted");
    catalog
}

/// A folder with the files that the run files below name.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("btc.parquet", ""),
        ("btc-2.parquet", ""),
        ("eth.csv", ""),
        ("perp.parquet", ""),
        ("good.csv", "a,b\ngood,1\n"),
        ("bad.csv", "a,b\n  bad,1\ngood,1\n"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn read(text: &str, overrides: &[&str], folder: &Path) -> Result<RunConfig, Faults> {
    let overrides: Vec<String> = overrides.iter().map(|&argument| argument.to_owned()).collect();
    RunConfig::from_str("run.toml", text, folder, &overrides, &catalog())
}

/// Shows all faults of a run file.
fn check(text: &str, expected: &Expect) {
    check_set(text, &[], expected);
}

/// Shows all faults of a run file with overrides.
fn check_set(text: &str, overrides: &[&str], expected: &Expect) {
    let folder = folder();
    let shown = match read(text, overrides, folder.path()) {
        Ok(_) => "no faults".to_owned(),
        Err(faults) => format!("{faults}\nexit code {}", faults.exit_code()),
    };
    let root = folder.path().canonicalize().unwrap();
    let shown = shown.replace(root.to_str().unwrap(), "/runs") + "\n";
    expected.assert_eq(&shown);
}

/// The smallest run file.
const SMALL: &str = r#"share_class = "USDT"
initial = { "binance:BaseToken:USDT" = 10_000 }

[[data]]
of = "binance:spot:BTCUSDT"
path = "btc.parquet"

[strategy]
kind = "sma_cross"
"#;

/// The smallest run file with one change.
fn small(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    SMALL.replace(from, to)
}
