//! Strategies and services that fail.
#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::process::Command;

use expect_test::{Expect, expect};
use store::audit::Kind;
use tempfile::TempDir;

use super::super::support::bundled;
use super::super::tables::Table;
use super::{read_log, summary, texts};

/// What a failed run leaves behind.
struct Failed {
    folder: TempDir,
    stdout: String,
    stderr: String,
}

impl Failed {
    /// Runs the program whose strategies fail over the bundled data.
    fn run(kind: &str, switch: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let text = format!(
            r#"share_class = "USDT"
            interval = "1h"

            [initial]
            "binance:BaseToken:USDT" = "10000000"

            [[data]]
            of = "binance:spot:BTCUSDT"
            path = '{}'

            [strategy]
            kind = "{kind}"
            "#,
            bundled().join("binance_spot_BTCUSDT_1h.parquet").display()
        );
        std::fs::write(folder.path().join("run.toml"), text).expect("the folder can be written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_faulty"));
        command.args(["backtest", "run.toml", "--out", "out"]).current_dir(folder.path());
        command.envs(switch.map(|name| (name, "1")));
        let output = command.output().expect("the program can be started");
        let stderr = String::from_utf8(output.stderr).expect("messages are text");
        assert_eq!(output.status.code(), Some(70), "{stderr}");
        // Nothing of the message of the panic itself, which names a thread and a line of source.
        assert!(!stderr.contains("thread '") && !stderr.contains(".rs:"), "{stderr}");
        let stdout = String::from_utf8(output.stdout).expect("figures are text");
        Self { folder, stdout, stderr }
    }
}

/// Compares what a failing strategy leaves behind with a text: messages, orders, the end of the log.
fn check(kind: &str, switch: Option<&str>, expected: &Expect) {
    let Failed { folder, stdout, stderr } = Failed::run(kind, switch);
    assert_eq!(stdout.lines().last(), Some("out"));
    let out = folder.path().join("out");
    let log = read_log(&out);
    let orders = texts(&log, Kind::Intent, "order_id");
    let summary = summary(&out);
    assert_eq!(summary["status"], "failed");
    assert_eq!(summary["digest"], log.digest());
    let name = texts(&log, Kind::Control, "name").pop();
    let service = texts(&log, Kind::Control, "service").pop();
    let message = texts(&log, Kind::Control, "message").pop();
    assert_eq!(name.as_deref(), Some("failed"));
    assert_eq!(summary["error"].as_str(), message.as_deref());
    let text = format!(
        "{stderr}\norders:  {}, the last one {}\nservice: {}\nmessage: {}\nframes:  {}\n",
        orders.len(),
        orders.last().expect("it asked for orders"),
        service.expect("read above"),
        message.expect("read above"),
        summary["frames"],
    );
    expected.assert_eq(&text);
}

#[test]
fn a_strategy_that_panics() {
    check(
        "panics",
        None,
        &expect![[r#"
            error[ENGINE-PANIC]: the run failed
              cause:    service `panics` panicked at event 35: out of ideas
              hint:     everything up to the failure is in out

            orders:  5, the last one panics-5
            service: panics
            message: service `panics` panicked at event 35: out of ideas
            frames:  4
        "#]],
    );
}

#[test]
fn a_strategy_that_fails() {
    check(
        "fails",
        None,
        &expect![[r#"
            error[ENGINE-SERVICE]: the run failed
              cause:    service `fails` failed at event 35
              cause:    strategy `fails` could not decide
              cause:    no opinion on this market
              hint:     everything up to the failure is in out

            orders:  5, the last one fails-5
            service: fails
            message: service `fails` failed at event 35: strategy `fails` could not decide: no opinion on this market
            frames:  4
        "#]],
    );
}

#[test]
fn a_strategy_that_asks_for_orders_without_end() {
    check(
        "floods",
        None,
        &expect![[r#"
            error[ENGINE-PANIC]: the run failed
              cause:    service `floods` panicked at event 35: BUS-LOOP: one decision asked for more than 100000 orders (engine.max_events_per_tick)
              hint:     everything up to the failure is in out

            orders:  100004, the last one floods-100004
            service: floods
            message: service `floods` panicked at event 35: BUS-LOOP: one decision asked for more than 100000 orders (engine.max_events_per_tick)
            frames:  4
        "#]],
    );
}

#[test]
fn a_service_that_talks_to_itself_without_end() {
    check(
        "buy_and_hold",
        Some("FAULTY_ECHO"),
        &expect![[r#"
            error[BUS-LOOP]: the run failed
              cause:    tick 2024-01-01T01:00:00Z does not come to rest after 1003 events in 1000 cycles: custom by `echo` → custom by `echo` (limits: engine.max_events_per_tick, engine.max_cycles_per_tick)
              hint:     everything up to the failure is in out

            orders:  1, the last one buy_and_hold-1
            service: engine
            message: tick 2024-01-01T01:00:00Z does not come to rest after 1003 events in 1000 cycles: custom by `echo` → custom by `echo` (limits: engine.max_events_per_tick, engine.max_cycles_per_tick)
            frames:  0
        "#]],
    );
}

/// What the log says of the operation at fault, and of what came before it, is whole.
#[test]
fn a_venue_whose_books_differ_by_the_last_digit() {
    let Failed { folder, stdout, stderr } = Failed::run("sound", Some("FAULTY_BOOKS"));
    assert_eq!(stdout.lines().last(), Some("out"));
    expect![[r#"
        error[ENGINE-SERVICE]: the run failed
          cause:    service `execution` failed at event 31
          cause:    REC-MISMATCH: after order 0.4 #0 of 2024-01-01T04:00:00Z we believe 9830085.25500 at binance:BaseToken:USDT and the venue says 9830085.255000000001, -0.000000000001 apart
          hint:     everything up to the failure is in out
    "#]].assert_eq(&stderr);
    let out = folder.path().join("out");
    let log = read_log(&out);
    let summary = summary(&out);
    assert_eq!(summary["status"], "failed");
    assert_eq!(summary["digest"], log.digest());
    let logged = |kind, columns: &[&str]| Table::logged(&out, kind).lines(columns);
    expect![[r#"
        2024-01-01T02:00:00Z  sound-1/0  confirmed  success  routing > executing > reconciling > success
        2024-01-01T03:00:00Z  sound-2/0  confirmed  success  routing > executing > reconciling > success
        2024-01-01T04:00:00Z  sound-3/0  confirmed  success  routing > executing > reconciling > success
        2024-01-01T05:00:00Z  sound-4/0  confirmed  system_failure  routing > executing > reconciling > system_failure
    "#]].assert_eq(&logged(Kind::TightLoop, &["ts", "op_id", "status", "end", "path"]));
    expect![[r#"
        2024-01-01T05:00:00Z  sound-4/0  binance:BaseToken:USDT  9830085.255  9830085.255000000001  -0.000000000001
    "#]].assert_eq(&logged(
        Kind::Mismatch,
        &["ts", "op_id", "position_key", "simulated", "real", "difference"],
    ));
    expect![[r#"
        2024-01-01T02:00:00Z  sound-1  1
        2024-01-01T03:00:00Z  sound-2  1
        2024-01-01T04:00:00Z  sound-3  1
        2024-01-01T05:00:00Z  sound-4  1
    "#]]
    .assert_eq(&logged(Kind::Fill, &["ts", "order_id", "last_qty"]));
    // The frame of the fault has no snapshot and no decision: nobody acted on what was not known.
    expect![[r#"
        2  2024-01-01T01:00:00Z
        7  2024-01-01T02:00:00Z
        15  2024-01-01T03:00:00Z
        23  2024-01-01T04:00:00Z
        31  2024-01-01T05:00:00Z
    "#]]
    .assert_eq(&logged(Kind::Frame, &["seq", "ts"]));
    expect![[r#"
        3  2024-01-01T01:00:00Z
        11  2024-01-01T02:00:00Z
        19  2024-01-01T03:00:00Z
        27  2024-01-01T04:00:00Z
    "#]]
    .assert_eq(&logged(Kind::Account, &["seq", "ts"]));
    expect![[r#"
        engine_ready  -
        failed  execution
    "#]]
    .assert_eq(&logged(Kind::Control, &["name", "service"]));
}

#[test]
fn a_strategy_that_panics_while_it_is_built() {
    let failed = Failed::run("badly_built", None);
    expect![[r#"
        error[ENGINE-INTERNAL]: cannot be built
          hint:     this is a fault of the program, not of its input; RUST_LOG=debug shows where
    "#]]
    .assert_eq(&failed.stderr);
}
