//! Faults of strategies and their parameters.

use expect_test::expect;

use super::{SMALL, check, small};

#[test]
fn an_unknown_strategy_is_compared_with_the_known_ones() {
    check(
        &small("sma_cross", "sma-cross"),
        &expect![[r#"
        error[CFG-STRATEGY]: strategy.kind: found the unknown strategy `sma-cross`
         --> run.toml:9:8
          |
        9 | kind = "sma-cross"
          |        ^^^^^^^^^^^ expected one of sma_cross, scripted
          |
          = help: did you mean `sma_cross`?
        exit code 78
    "#]],
    );
    check(
        &small("kind = \"sma_cross\"", "fast = 3"),
        &expect![[r#"
            error[CFG-MISSING]: strategy.kind is missing
             --> run.toml:8:1
              |
            8 | [strategy]
              | ^^^^^^^^^^ expected a string: the name of a strategy
            exit code 78
        "#]],
    );
}

#[test]
fn parameters_are_checked_one_by_one() {
    let text = format!(
        "{SMALL}fast = 0\nslow = \"30\"\nband = 1.5\nsize = \"120%\"\ndirection = \"lnog\"\nverbose = 1\ninstrument = 1\n"
    );
    check(
        &text,
        &expect![[r#"
            error[CFG-VALUE]: strategy.fast: found the integer 0
              --> run.toml:10:8
               |
            10 | fast = 0
               |        ^ expected a whole number from 1 to 10000 (bars)

            error[CFG-VALUE]: strategy.slow: found the string "30"
              --> run.toml:11:8
               |
            11 | slow = "30"
               |        ^^^^ expected a whole number from 1 to 10000 (bars)

            error[CFG-VALUE]: strategy.band: found the number 1.5
              --> run.toml:12:8
               |
            12 | band = 1.5
               |        ^^^ expected a decimal from 0 to 1

            error[CFG-VALUE]: strategy.size: found the string "120%"
              --> run.toml:13:8
               |
            13 | size = "120%"
               |        ^^^^^^ expected an amount of base units above 0 or a share above "0%" up to "100%"

            error[CFG-VALUE]: strategy.direction: found the string "lnog"
              --> run.toml:14:13
               |
            14 | direction = "lnog"
               |             ^^^^^^ expected "long" or "long_short"
               |
               = help: did you mean `long`?

            error[CFG-VALUE]: strategy.verbose: found the integer 1
              --> run.toml:15:11
               |
            15 | verbose = 1
               |           ^ expected true or false

            error[CFG-UNKNOWN-KEY]: unknown key `instrument` in strategy
              --> run.toml:16:1
               |
            16 | instrument = 1
               | ^^^^^^^^^^ expected one of kind, id, instruments, fast, slow, band, size, direction, verbose
               |
               = help: did you mean `instruments`?

            7 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn parameters_are_checked_against_each_other() {
    check(
        &format!("{SMALL}fast = 30\nslow = 20\n"),
        &expect![[r#"
        error[CFG-VALUE]: strategy.slow: found 20
          --> run.toml:11:8
           |
        11 | slow = 20
           |        ^^ expected more than fast = 30
        exit code 78
    "#]],
    );
    check(
        &format!("{SMALL}fast = 30\n"),
        &expect![[r#"
        error[CFG-VALUE]: strategy.slow: found 30
         --> run.toml:8:1
          |
        8 | [strategy]
          | ^^^^^^^^^^ expected more than fast = 30
        exit code 78
    "#]],
    );
}

#[test]
fn a_fault_inside_a_parameter_file_is_shown_there() {
    check(
        &small("\"sma_cross\"", "\"scripted\"\norders = \"bad.csv\""),
        &expect![[r#"
        error[CFG-VALUE]: strategy.orders: found `bad`
         --> /runs/bad.csv:2:1
          |
        2 |   bad,1
          | ^^^^^^^ expected `good`
        exit code 78
    "#]],
    );
    check(
        &small("\"sma_cross\"", "\"scripted\"\norders = \"none.csv\""),
        &expect![[r#"
        error[CFG-FILE]: strategy.orders: found the string "none.csv"
          --> run.toml:10:10
           |
        10 | orders = "none.csv"
           |          ^^^^^^^^^^ expected a file, relative to the run file
           |
           = help: /runs/none.csv: No such file or directory (os error 2)
        exit code 74
    "#]],
    );
}
