//! Run folders that cannot be written, and what is printed of those that can.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use expect_test::expect;
use serde_json::Value;

use super::super::support::{self, bundled};
use super::{Case, check_command, stdout};

fn into(folder: &str) -> [&str; 4] {
    ["backtest", "run.toml", "--out", folder]
}

#[test]
fn a_folder_below_a_file() {
    check_command(
        &Case::sound(),
        &into("candles.csv/out"),
        &expect![[r#"
        error[LOG-FOLDER]: cannot create candles.csv/out
          cause:    Not a directory (os error 20)
          hint:     --out DIR leaves the run folder elsewhere
        exit code 74
    "#]],
    );
}

#[test]
fn a_file_instead_of_a_folder() {
    check_command(
        &Case::sound(),
        &into("candles.csv"),
        &expect![[r#"
        error[LOG-FOLDER]: cannot create candles.csv
          cause:    File exists (os error 17)
          hint:     --out DIR leaves the run folder elsewhere
        exit code 74
    "#]],
    );
}

#[test]
fn a_file_where_the_runs_belong() {
    check_command(
        &Case::sound().file("runs", ""),
        &["backtest", "run.toml"],
        &expect![[r#"
        error[LOG-FOLDER]: cannot create runs
          cause:    File exists (os error 17)
          hint:     --out DIR leaves the run folder elsewhere
        exit code 74
    "#]],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_on_a_file_system_that_takes_none() {
    check_command(
        &Case::sound(),
        &into("/proc/tickdrain"),
        &expect![[r#"
        error[LOG-FOLDER]: cannot create /proc/tickdrain
          cause:    No such file or directory (os error 2)
          hint:     --out DIR leaves the run folder elsewhere
        exit code 74
    "#]],
    );
    check_command(
        &Case::sound(),
        &into("/proc/self"),
        &expect![[r#"
            error[LOG-FOLDER]: /proc/self is not empty
              expected: an empty folder, or one that does not exist
              hint:     --overwrite deletes an old run, and nothing else
            exit code 74
        "#]],
    );
}

#[test]
fn a_folder_that_is_not_empty() {
    let case = Case::sound();
    fs::create_dir(case.path("out")).unwrap();
    fs::write(case.path("out/notes.txt"), "mine").unwrap();
    check_command(
        &case,
        &into("out"),
        &expect![[r#"
            error[LOG-FOLDER]: out is not empty
              expected: an empty folder, or one that does not exist
              hint:     --overwrite deletes an old run, and nothing else
            exit code 74
        "#]],
    );
    let overwriting = ["backtest", "run.toml", "--out", "out", "--overwrite"];
    check_command(
        &case,
        &overwriting,
        &expect![[r#"
            error[LOG-FOLDER]: out is not empty
              expected: an empty folder, or one that does not exist
              hint:     --overwrite deletes an old run, and nothing else
            exit code 74
        "#]],
    );
    assert_eq!(fs::read(case.path("out/notes.txt")).unwrap(), b"mine");
}

#[test]
fn the_folder_of_the_run_file_itself_is_never_overwritten() {
    let case = Case::sound();
    let overwriting = ["backtest", "run.toml", "--out", ".", "--overwrite"];
    check_command(
        &case,
        &overwriting,
        &expect![[r#"
            error[LOG-FOLDER]: . is not empty
              expected: an empty folder, or one that does not exist
              hint:     --overwrite deletes an old run, and nothing else
            exit code 74
        "#]],
    );
    assert!(case.path("run.toml").exists());
    assert!(case.path("candles.csv").exists());
}

#[test]
fn an_old_run_is_overwritten_on_demand_only() {
    let case = Case::sound();
    assert_eq!(case.summary("/status"), "ok");
    check_command(
        &case,
        &into("out"),
        &expect![[r#"
            error[LOG-FOLDER]: out is not empty
              expected: an empty folder, or one that does not exist
              hint:     --overwrite deletes an old run, and nothing else
            exit code 74
        "#]],
    );
    fs::write(case.path("out/notes.txt"), "old").unwrap();
    let overwriting = ["backtest", "run.toml", "--out", "out", "--overwrite"];
    assert_eq!(case.run(&overwriting).status.code(), Some(0));
    // What no run writes is somebody's own.
    assert!(case.path("out/notes.txt").exists());
    assert_eq!(case.summary_of("out", "/status"), "ok");
}

/// With at most 32 KiB in any file, as on a disk that becomes full while the run is under way.
#[cfg(unix)]
#[test]
fn a_disk_that_becomes_full() {
    let case = Case::sound();
    let limited = |arguments: &str| {
        let program = support::command().get_program().to_owned();
        let script = format!("trap '' XFSZ; ulimit -f 64; exec \"$0\" backtest {arguments}");
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg(program).arg(bundled().join("sma-cross.toml"));
        let output = command.current_dir(case.path("")).output().expect("there is a shell");
        case.said(&output)
    };
    expect![[r#"
        error[LOG-FOLDER]: cannot write log/audit/frame.arrows
          cause:    File too large (os error 27)
          hint:     --out DIR leaves the run folder elsewhere
        exit code 74
    "#]]
    .assert_eq(&limited("\"$1\" --out log"));
    expect![[r#"
        error[LOG-FOLDER]: cannot write results/equity.parquet
          cause:    File too large (os error 27)
          hint:     --out DIR leaves the run folder elsewhere
        exit code 74
    "#]]
    .assert_eq(&limited("\"$1\" --out results --no-audit"));
}

/// As `tickdrain … | head` does.
#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough() {
    let case = Case::sound();
    let closed = |arguments: &[&str]| {
        let (reader, writer) = std::io::pipe().expect("there are pipes");
        drop(reader);
        let mut command = support::command();
        command.args(arguments).current_dir(case.path("")).stdout(writer);
        case.said(&command.output().expect("the command can be started"))
    };
    assert_eq!(closed(&["backtest", "run.toml"]), "exit code 0\n");
    let json = ["backtest", "run.toml", "--json", "--out", "out"];
    assert_eq!(closed(&json), "out\nexit code 0\n");
    assert_eq!(closed(&["check", "run.toml"]), "exit code 0\n");
    assert_eq!(closed(&["strategies"]), "exit code 0\n");
}

#[cfg(target_os = "linux")]
#[test]
fn figures_that_cannot_be_printed() {
    let case = Case::sound();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = support::command();
    command.args(["backtest", "run.toml", "--out", "out"]).current_dir(case.path("")).stdout(full);
    expect![[r#"
        error[IO-STDOUT]: cannot print: No space left on device (os error 28)
        exit code 74
    "#]]
    .assert_eq(&case.said(&command.output().unwrap()));
    assert_eq!(case.summary_of("out", "/status"), "ok");
}

#[test]
fn the_last_line_is_the_run_folder_and_each_run_has_its_own() {
    let case = Case::sound();
    let folders: Vec<String> = (0..3)
        .map(|_| {
            let output = case.run(&["backtest", "run.toml"]);
            assert_eq!(case.said(&output), "exit code 0\n");
            stdout(&output).lines().last().expect("something is printed").to_owned()
        })
        .collect();
    let [first, second, third] = folders.as_slice() else { unreachable!("three runs") };
    let id = case.summary_of(first, "/run_id");
    let id = id.as_str().expect("a run id is text");
    assert_eq!(*first, format!("runs/run-{}", &id[..8]));
    assert_eq!(*second, format!("{first}-2"));
    assert_eq!(*third, format!("{first}-3"));
    assert_eq!(case.summary_of(first, "/digest"), case.summary_of(third, "/digest"));
}

#[test]
fn a_quiet_run_prints_its_folder_only() {
    let case = Case::sound();
    let output = case.run(&["backtest", "run.toml", "--out", "out", "--quiet"]);
    assert_eq!(case.said(&output), "exit code 0\n");
    assert_eq!(stdout(&output), "out\n");
}

#[test]
fn the_summary_as_json_is_all_that_is_printed() {
    let case = Case::sound();
    let output = case.run(&["backtest", "run.toml", "--out", "out", "--json"]);
    assert_eq!(case.said(&output), "out\nexit code 0\n");
    let printed: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(printed, case.summary_of("out", ""));
    check_keys(&printed);
}

#[test]
fn the_summary_of_a_failed_run_is_json_too() {
    let mut rows = super::hours();
    rows.swap(4, 5);
    let case = Case::of(&rows);
    let output = case.run(&["backtest", "run.toml", "--out", "out", "--json"]);
    assert_eq!(output.status.code(), Some(65));
    let printed: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(printed, case.summary_of("out", ""));
    check_keys(&printed);
    assert_eq!(printed["status"], "failed");
    assert_eq!(printed["frames"], 4);
    let error = printed["error"].as_str().expect("a failed run has an error");
    let error = super::without(case.folder.path(), error) + "\n";
    expect![[r#"
        the feed failed: <folder>/candles.csv row 5 (line 6), time: found 2024-01-01T05:00:00Z after 2024-01-01T03:00:00Z, 1 missing, expected 2024-01-01T04:00:00Z
    "#]].assert_eq(&error);
}

/// Every key that the documentation promises.
fn check_keys(summary: &Value) {
    for (pointer, promised) in [
        (
            "",
            "schema name version revision run_id status error digest inputs frames bars events start \
             end interval fill share_class equity_start equity_end metrics attribution orders trades \
             costs risk integrity timing",
        ),
        ("/inputs/0", "path blake3 rows first last holes"),
        ("/metrics", "convention total_return cagr volatility sharpe sortino calmar max_drawdown"),
        (
            "/orders",
            "submitted denied rejected canceled expired partially_filled filled denied_by_reason",
        ),
        ("/trades", "count win_rate profit_factor"),
        ("/costs", "fees slippage gas funding borrow"),
        ("/risk", "min_health_factor min_margin_fraction max_leverage liquidations breaches"),
        ("/integrity", "reconciliations mismatches synthetic_bars gaps policies dropped"),
        ("/timing", "wall_s bars_per_s events_per_s peak_rss_mb"),
    ] {
        let table = summary.pointer(pointer).and_then(Value::as_object);
        let table = table.unwrap_or_else(|| panic!("no table at `{pointer}`"));
        let promised: BTreeSet<&str> = promised.split_whitespace().collect();
        let present: BTreeSet<&str> = table.keys().map(String::as_str).collect();
        let missing: Vec<_> = promised.difference(&present).collect();
        assert!(missing.is_empty(), "`{pointer}` lacks {missing:?}");
    }
}
