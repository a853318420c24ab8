//! The examples: programs that assert their own figures and digest, and what `init` writes.

use std::process::Command;

use expect_test::expect;

use crate::support::{self, root};
use crate::tables::Table;

fn run(example: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "examples", "--example", example])
        .current_dir(root())
        .output()
        .expect("cargo can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{example}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_example_gives_its_figures_and_its_digest_twice() {
    for example in [
        "custom_strategy",
        "custom_service",
        "bracket_orders",
        "custom_model",
        "cash_and_carry",
        "lookahead",
    ] {
        assert_eq!(run(example), run(example), "{example}");
    }
}

/// Every strategy has a run file that runs at once on the bundled data.
#[test]
fn what_init_writes_runs() {
    for kind in ["buy_and_hold", "sma_cross", "scripted"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let run_file = format!("{kind}.toml");
        for arguments in [
            ["init", kind].as_slice(),
            &["check", &run_file],
            &["backtest", &run_file, "--quiet", "--out", "out"],
        ] {
            let output = support::run(folder.path(), arguments);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && errors.is_empty(), "{arguments:?}: {errors}");
        }
        if kind == "scripted" {
            let table = Table::read(&folder.path().join("out/orders.parquet"));
            let columns = ["order_id", "type", "status", "avg_px", "reason"];
            expect![[r"
                enter  market  filled  42743.28  -
                enter-tp  limit  canceled  -  VEN-OCO: another of its group filled
                enter-sl  stop  filled  41884.23  -
                dip  limit  canceled  -  VEN-OCO: another of its group filled
                rise  stop  filled  44004.4  -
                follow  trailing  filled  44624.49  -
                crash  limit  canceled  -  VEN-CANCELED: canceled by its strategy
                half  market  filled  38713.38  -
                leave  market  filled  37710.22  -
            "]]
            .assert_eq(&table.lines(&columns));
        }
    }
}
