//! Faults of single keys: what the whole text of each looks like.

use std::fs;
use std::path::Path;

use expect_test::expect;

use super::{SMALL, catalog, check, folder, read, small};
use crate::runfile::config::RunConfig;
use crate::runfile::fault::FaultClass;

#[test]
fn unknown_keys_are_found_at_every_level() {
    let text = format!(
        "{}fats = 1\n[venues.binance]\nmaker = 1\n[execution]\nfil = 1\nslippage = {{ model = \"none\", bps = 1 }}\n[risk]\nmax = 1\n[engine]\nthreads = 4\n[output]\n",
        small("path =", "columns = { openn = \"o\" }\npath =")
            .replace("[[data]]\n", "wramup = 3\n[[data]]\nkin = 1\n")
    );
    check(
        &text,
        &expect![[r#"
            error[CFG-UNKNOWN-KEY]: unknown key `wramup`
             --> run.toml:4:1
              |
            4 | wramup = 3
              | ^^^^^^ expected one of name, share_class, peg, start, end, interval, align, warmup, benchmark, seed, position_subscriptions, initial, instruments, data, venues, execution, transfers, strategy, risk, pnl, audit, results, engine
              |
              = help: did you mean `warmup`?

            error[CFG-UNKNOWN-KEY]: unknown key `kin` in data
             --> run.toml:6:1
              |
            6 | kin = 1
              | ^^^ expected one of kind, of, path, time, interval, time_unit, columns, gaps
              |
              = help: did you mean `kind`?

            error[CFG-UNKNOWN-KEY]: unknown key `openn` in data.columns
             --> run.toml:8:13
              |
            8 | columns = { openn = "o" }
              |             ^^^^^ expected one of time, open, high, low, close, volume
              |
              = help: did you mean `open`?

            error[CFG-UNKNOWN-KEY]: unknown key `fats` in strategy
              --> run.toml:13:1
               |
            13 | fats = 1
               | ^^^^ expected one of kind, id, instruments, fast, slow, band, size, direction, verbose
               |
               = help: did you mean `fast`?

            error[CFG-UNKNOWN-KEY]: unknown key `maker` in venues.binance
              --> run.toml:15:1
               |
            15 | maker = 1
               | ^^^^^ expected one of kind, maker_bps, taker_bps, allow_negative, liquidation_fee_in_mmr, liquidation_fee_bps, fee_in, leverage, margin, require_funding, margin_pnl_enabled, fees

            error[CFG-UNKNOWN-KEY]: unknown key `fil` in execution
              --> run.toml:17:1
               |
            17 | fil = 1
               | ^^^ expected one of fill, slippage, participation_bps, market_carry, clip_to_bar, path, touch_fills, conservative_gaps, latency_bars, latency, on_failed_order, real_source, unfilled, exit_at_end
               |
               = help: did you mean `fill`?

            error[CFG-UNKNOWN-KEY]: unknown key `bps` in execution.slippage
              --> run.toml:18:30
               |
            18 | slippage = { model = "none", bps = 1 }
               |                              ^^^ expected only model

            error[CFG-UNKNOWN-KEY]: unknown key `max` in risk
              --> run.toml:20:1
               |
            20 | max = 1
               | ^^^ expected one of enabled_risk_types, reset_frames, hysteresis, max_leg_delta, on_critical, max_drawdown, delta_tracking_asset, health_factor, ltv_ratio, cex_margin_ratio, mm_usage, delta_risk, peg_risk, funding_risk, drawdown, concentration, data_staleness

            error[CFG-UNKNOWN-KEY]: unknown key `threads` in engine
              --> run.toml:22:1
               |
            22 | threads = 4
               | ^^^^^^^ expected one of read_ahead, batch_rows, max_events_per_tick, max_cycles_per_tick

            error[CFG-UNKNOWN-KEY]: unknown key `output`
              --> run.toml:23:2
               |
            23 | [output]
               |  ^^^^^^ expected one of name, share_class, peg, start, end, interval, align, warmup, benchmark, seed, position_subscriptions, initial, instruments, data, venues, execution, transfers, strategy, risk, pnl, audit, results, engine

            10 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn a_length_beyond_which_times_have_an_end_is_a_slip() {
    check(
        &small("share_class", "interval = \"106751991167d\"\nshare_class"),
        &expect![[r#"
            error[CFG-VALUE]: interval: found the string "106751991167d"
             --> run.toml:1:12
              |
            1 | interval = "106751991167d"
              |            ^^^^^^^^^^^^^^^ expected a duration such as "1m", "15m", "1h" or "1d"
              |
              = help: ten years, 3650d, is as long as it may be
            exit code 78
        "#]],
    );
}

#[test]
fn wrong_types_are_found() {
    check(
        r#"
name = 1
share_class = ["USDT"]
start = "tomorrow"
interval = 3600
align = "outter"
warmup = -1
seed = 99999999999999999999
initial = 5
data = "btc.parquet"
strategy = [1]
execution = true
"#,
        &expect![[r#"
            error[CFG-VALUE]: name: found the integer 1
             --> run.toml:2:8
              |
            2 | name = 1
              |        ^ expected a string: a name for the run

            error[CFG-VALUE]: share_class: found an array of 1 values
             --> run.toml:3:15
              |
            3 | share_class = ["USDT"]
              |               ^^^^^^^^ expected an asset such as "BTC" (letters, digits, `.`, `_` and `-`)

            error[CFG-VALUE]: start: found the string "tomorrow"
             --> run.toml:4:9
              |
            4 | start = "tomorrow"
              |         ^^^^^^^^^^ expected a date such as "2024-01-31" or a time such as "2024-01-31T12:00:00Z"

            error[CFG-VALUE]: interval: found the integer 3600
             --> run.toml:5:12
              |
            5 | interval = 3600
              |            ^^^^ expected a duration such as "1m", "15m", "1h" or "1d"

            error[CFG-VALUE]: align: found the string "outter"
             --> run.toml:6:9
              |
            6 | align = "outter"
              |         ^^^^^^^^ expected "outer" or "inner"
              |
              = help: did you mean `outer`?

            error[CFG-VALUE]: warmup: found the integer -1
             --> run.toml:7:10
              |
            7 | warmup = -1
              |          ^^ expected a whole number from 0 to 4294967295

            error[CFG-VALUE]: seed: found the integer 99999999999999999999, which exceeds 64 bits,
             --> run.toml:8:8
              |
            8 | seed = 99999999999999999999
              |        ^^^^^^^^^^^^^^^^^^^^ expected a whole number from 0

            error[CFG-VALUE]: initial: found the integer 5
             --> run.toml:9:11
              |
            9 | initial = 5
              |           ^ expected a table

            error[CFG-VALUE]: data: found the string "btc.parquet"
              --> run.toml:10:8
               |
            10 | data = "btc.parquet"
               |        ^^^^^^^^^^^^^ expected a table

            error[CFG-VALUE]: strategy: found the integer 1
              --> run.toml:11:13
               |
            11 | strategy = [1]
               |             ^ expected a table

            error[CFG-VALUE]: execution: found the boolean true
              --> run.toml:12:13
               |
            12 | execution = true
               |             ^^^^ expected a table

            11 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn all_syntax_errors_are_listed() {
    check(
        "name = \nshare_class = USDT\n[data\nx = [1\n",
        &expect![[r#"
        error[CFG-SYNTAX]: string values must be quoted
         --> run.toml:1:8
          |
        1 | name = 
          |        ^ expected literal string

        error[CFG-SYNTAX]: string values must be quoted
         --> run.toml:2:15
          |
        2 | share_class = USDT
          |               ^^^^ expected literal string

        error[CFG-SYNTAX]: unclosed table
         --> run.toml:3:6
          |
        3 | [data
          |      ^ expected `]`

        error[CFG-SYNTAX]: unclosed array
         --> run.toml:4:7
          |
        4 | x = [1
          |       ^ expected `]`

        4 faults in all
        exit code 78
    "#]],
    );
    check(
        "seed = 1\nseed = 2\n",
        &expect![[r#"
        error[CFG-SYNTAX]: duplicate key
         --> run.toml:2:1
          |
        2 | seed = 2
          | ^^^^
        exit code 78
    "#]],
    );
}

#[test]
fn an_empty_file_is_told_what_it_needs() {
    check(
        "",
        &expect![[r#"
        error[CFG-MISSING]: share_class is missing
        --> run.toml
         = note: expected an asset such as "BTC" (letters, digits, `.`, `_` and `-`)

        error[CFG-MISSING]: data is missing
        --> run.toml
         = note: expected at least one [[data]] section with candles

        error[CFG-MISSING]: initial is missing
        --> run.toml
         = note: expected at least one holding, such as "binance:BaseToken:USDT" = "10000"

        error[CFG-MISSING]: strategy is missing
        --> run.toml
         = note: expected a [strategy] section with kind = "…"

        4 faults in all
        exit code 78
    "#]],
    );
}

#[test]
fn values_that_are_not_implemented_are_named() {
    let text = format!(
        "{SMALL}{}",
        r#"
[[data]]
kind = "lending"
of = "aave_v3:USDT"
path = "lending.parquet"

[execution]
exit_at_end = true

[audit]
level = "decisions"
"#
    );
    check(
        &text,
        &expect![[r#"
            error[CFG-NOT-IMPLEMENTED]: data kind `lending` is not implemented yet
              --> run.toml:12:8
               |
            12 | kind = "lending"
               |        ^^^^^^^^^ expected "candles", "mark", "funding" or "price"

            error[CFG-NOT-IMPLEMENTED]: execution.exit_at_end = true is not implemented yet
              --> run.toml:17:15
               |
            17 | exit_at_end = true
               |               ^^^^ expected false

            error[CFG-NOT-IMPLEMENTED]: audit level `decisions` is not implemented yet
              --> run.toml:20:9
               |
            20 | level = "decisions"
               |         ^^^^^^^^^^^ expected "full" or "off"

            3 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn faults_can_be_asked_for_their_parts() {
    let folder = folder();
    let faults = read(&format!("{SMALL}fats = 3\n"), &[], folder.path()).unwrap_err();
    let fault = faults.iter().next().unwrap();
    assert_eq!(fault.code, "CFG-UNKNOWN-KEY");
    assert_eq!((fault.line(), fault.column()), (Some(10), Some(1)));
    assert_eq!(fault.source_name(), "run.toml");
    assert_eq!(fault.key, "strategy.fats");
    assert_eq!(fault.found, "`fats`");
    assert_eq!(fault.hint.as_deref(), Some("did you mean `fast`?"));
    assert!(faults.render(true).contains("\u{1b}["));
    assert!(!faults.render(false).contains('\u{1b}'));
}

#[test]
fn a_run_file_that_cannot_be_read_is_no_content_fault() {
    let folder = folder();
    let exit = |path: &Path| RunConfig::load(path, &[], &catalog()).unwrap_err().exit_code();
    assert_eq!(exit(&folder.path().join("none.toml")), 74);
    assert_eq!(exit(folder.path()), 74);
    let latin = folder.path().join("latin.toml");
    fs::write(&latin, b"name = \"\xe9\"").unwrap();
    assert_eq!(exit(&latin), 78);
}

#[test]
fn content_faults_outweigh_missing_files() {
    let folder = folder();
    let text = small("btc.parquet", "none.parquet");
    let faults = read(&text, &[], folder.path()).unwrap_err();
    assert_eq!((faults.len(), faults.exit_code()), (1, 74));
    let faults = read(&text, &["sed=1"], folder.path()).unwrap_err();
    assert_eq!((faults.len(), faults.exit_code()), (2, 78));
    let faults = read(&text, &["sed=1", "seed"], folder.path()).unwrap_err();
    assert_eq!((faults.len(), faults.exit_code()), (3, 2));
    assert_eq!(faults.iter().filter(|fault| fault.class == FaultClass::Io).count(), 1);
}
