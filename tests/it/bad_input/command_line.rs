//! Overrides and options that say what cannot be.

use expect_test::{Expect, expect};

use super::{Case, check_command};

/// Checks the sound run file with an override.
fn check_override(set: &str, expected: &Expect) {
    check_command(
        &Case::sound(),
        &["backtest", "run.toml", "--out", "out", "--set", set],
        expected,
    );
}

#[test]
fn an_override_that_is_none() {
    check_override(
        "strategy.size",
        &expect![[r#"
        error[CFG-SET]: found an override without `=`
         --> command line:1:7
          |
        1 | --set strategy.size
          |       ^^^^^^^^^^^^^ expected key=value
        exit code 2
    "#]],
    );
    check_override(
        "strategy size=1",
        &expect![[r#"
        error[CFG-SET]: found `strategy size`
         --> command line:1:7
          |
        1 | --set strategy size=1
          |       ^^^^^^^^^^^^^ expected a key of the run file, such as strategy.fast or data.0.gaps
          |
          = help: quote parts with other characters: 'initial."binance:BaseToken:USDT"=1'
        exit code 2
    "#]],
    );
    check_override(
        "=1",
        &expect![[r#"
        error[CFG-SET]: found ``
         --> command line:1:7
          |
        1 | --set =1
          |       ^ expected a key of the run file, such as strategy.fast or data.0.gaps
          |
          = help: quote parts with other characters: 'initial."binance:BaseToken:USDT"=1'
        exit code 2
    "#]],
    );
}

#[test]
fn an_override_that_cannot_be() {
    check_override(
        "strategy.sise=1",
        &expect![[r#"
        error[CFG-UNKNOWN-KEY]: unknown key `sise` in strategy
         --> command line:1:16
          |
        1 | --set strategy.sise=1
          |                ^^^^ expected one of kind, id, size, instruments
          |
          = help: did you mean `size`?
        exit code 78
    "#]],
    );
    check_override(
        "strategy.size=nothing",
        &expect![[r#"
        error[CFG-VALUE]: strategy.size: found the string "nothing"
         --> command line:1:21
          |
        1 | --set strategy.size=nothing
          |                     ^^^^^^^ expected an amount of base units above 0 or a share above "0%" up to "100%" (base units, or a share of free cash)
        exit code 78
    "#]],
    );
    check_override(
        "data.1.path=candles.csv",
        &expect![[r#"
        error[CFG-SET]: found `1`
         --> command line:1:12
          |
        1 | --set data.1.path=candles.csv
          |            ^ expected 0, the only element of `data`
        exit code 78
    "#]],
    );
    check_override(
        "interval.hours=1",
        &expect![[r#"
        error[CFG-SET]: found a key below `interval`, which is the string "1h"
         --> command line:1:16
          |
        1 | --set interval.hours=1
          |                ^^^^^ expected `interval=…`
        exit code 78
    "#]],
    );
}

#[test]
fn dates_of_the_command_line_that_are_none() {
    let arguments = ["backtest", "run.toml", "--from", "yesterday", "--to", "2024-01-32"];
    check_command(
        &Case::sound(),
        &arguments,
        &expect![[r#"
        error[CFG-VALUE]: start: found the string "yesterday"
         --> command line:1:13
          |
        1 | --set start="yesterday"
          |             ^^^^^^^^^^^ expected a date such as "2024-01-31" or a time such as "2024-01-31T12:00:00Z"

        error[CFG-VALUE]: end: found the string "2024-01-32"
         --> command line:1:11
          |
        1 | --set end="2024-01-32"
          |           ^^^^^^^^^^^^ expected a date such as "2024-01-31" or a time such as "2024-01-31T12:00:00Z"

        2 faults in all
        exit code 78
    "#]],
    );
}

#[test]
fn an_option_that_nobody_knows() {
    check_command(
        &Case::sound(),
        &["backtest", "run.toml", "--quite"],
        &expect![[r#"
        error: unexpected argument '--quite' found

          tip: a similar argument exists: '--quiet'

        Usage: tickdrain backtest --quiet <RUN_FILE>

        For more information, try '--help'.
        exit code 2
    "#]],
    );
    check_command(
        &Case::sound(),
        &["backtest", "run.toml", "--overwrite"],
        &expect![[r#"
        error: the following required arguments were not provided:
          --out <DIR>

        Usage: tickdrain backtest --out <DIR> --overwrite <RUN_FILE>

        For more information, try '--help'.
        exit code 2
    "#]],
    );
    check_command(
        &Case::sound(),
        &["backtets"],
        &expect![[r#"
        error: unrecognized subcommand 'backtets'

          tip: a similar subcommand exists: 'backtest'

        Usage: tickdrain [OPTIONS] <COMMAND>

        For more information, try '--help'.
        exit code 2
    "#]],
    );
}
