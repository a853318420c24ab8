//! Run files whose models of execution cannot be.

use expect_test::{Expect, expect};

use super::{Case, check};

/// Checks the small run file with lines of their own above `[strategy]`.
pub(super) fn check_with(lines: &str, expected: &Expect) {
    check(&Case::sound().changed("[strategy]", &format!("{lines}\n\n[strategy]")), expected);
}

#[test]
fn a_slippage_model_that_nobody_knows() {
    check_with(
        "[execution]\nslippage = { model = \"fixd\" }",
        &expect![[r#"
        error[CFG-VALUE]: execution.slippage.model: found the string "fixd"
          --> run.toml:12:22
           |
        12 | slippage = { model = "fixd" }
           |                      ^^^^^^ expected "none", "fixed", "spread_impact" or "buckets"
           |
           = help: did you mean `fixed`?
        exit code 78
    "#]],
    );
    check_with(
        "[execution]\nslippage = \"fixed\"",
        &expect![[r#"
            error[CFG-VALUE]: execution.slippage: found the string "fixed"
              --> run.toml:12:12
               |
            12 | slippage = "fixed"
               |            ^^^^^^^ expected a table such as { model = "fixed", bps = 1 }

            error[CFG-MISSING]: execution.slippage.model is missing
              --> run.toml:12:12
               |
            12 | slippage = "fixed"
               |            ^^^^^^^ expected "none", "fixed", "spread_impact" or "buckets"

            2 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn parameters_that_a_slippage_model_does_not_take() {
    check_with(
        "[execution]\nslippage = { model = \"fixed\", bps = -1 }",
        &expect![[r#"
        error[CFG-VALUE]: execution.slippage.bps: found the integer -1
          --> run.toml:12:37
           |
        12 | slippage = { model = "fixed", bps = -1 }
           |                                     ^^ expected a decimal from 0 to 10000
        exit code 78
    "#]],
    );
    check_with(
        "[execution]\nslippage = { model = \"fixed\", bps = 10001 }",
        &expect![[r#"
        error[CFG-VALUE]: execution.slippage.bps: found the integer 10001
          --> run.toml:12:37
           |
        12 | slippage = { model = "fixed", bps = 10001 }
           |                                     ^^^^^ expected a decimal from 0 to 10000
        exit code 78
    "#]],
    );
    check_with(
        "[execution]\nslippage = { model = \"none\", bps = 1 }",
        &expect![[r#"
        error[CFG-UNKNOWN-KEY]: unknown key `bps` in execution.slippage
          --> run.toml:12:30
           |
        12 | slippage = { model = "none", bps = 1 }
           |                              ^^^ expected only model
        exit code 78
    "#]],
    );
    check_with(
        "[execution]\nslippage = { bps = 1 }",
        &expect![[r#"
            error[CFG-MISSING]: execution.slippage.model is missing
              --> run.toml:12:12
               |
            12 | slippage = { bps = 1 }
               |            ^^^^^^^^^^^ expected "none", "fixed", "spread_impact" or "buckets"
            exit code 78
        "#]],
    );
    check_with(
        "[execution]\nslippage = { model = \"spread_impact\", spread_bps = \"wide\", k_bps = 5, exponent = \"cubic\" }",
        &expect![[r#"
            error[CFG-VALUE]: execution.slippage.spread_bps: found the string "wide"
              --> run.toml:12:52
               |
            12 | slippage = { model = "spread_impact", spread_bps = "wide", k_bps = 5, exponent = "cubic" }
               |                                                    ^^^^^^ expected a decimal from 0 to 10000

            error[CFG-UNKNOWN-KEY]: unknown key `k_bps` in execution.slippage
              --> run.toml:12:60
               |
            12 | slippage = { model = "spread_impact", spread_bps = "wide", k_bps = 5, exponent = "cubic" }
               |                                                            ^^^^^ expected one of model, spread_bps, impact_bps, exponent

            error[CFG-VALUE]: execution.slippage.exponent: found the string "cubic"
              --> run.toml:12:82
               |
            12 | slippage = { model = "spread_impact", spread_bps = "wide", k_bps = 5, exponent = "cubic" }
               |                                                                                  ^^^^^^^ expected "linear" or "square_root"

            3 faults in all
            exit code 78
        "#]],
    );
    check_with(
        "[execution]\nslippage = { model = \"fixed\", spread_bps = 1 }",
        &expect![[r#"
        error[CFG-UNKNOWN-KEY]: unknown key `spread_bps` in execution.slippage
          --> run.toml:12:31
           |
        12 | slippage = { model = "fixed", spread_bps = 1 }
           |                               ^^^^^^^^^^ expected one of model, bps
        exit code 78
    "#]],
    );
}

#[test]
fn buckets_of_slippage_that_are_none() {
    check_with(
        "[execution]\nslippage = { model = \"buckets\" }",
        &expect![[r#"
        error[CFG-MISSING]: execution.slippage.buckets is missing
          --> run.toml:12:12
           |
        12 | slippage = { model = "buckets" }
           |            ^^^^^^^^^^^^^^^^^^^^^ expected a list of { up_to = notional, bps = distance }
        exit code 78
    "#]],
    );
    check_with(
        "[execution]\nslippage = { model = \"buckets\", buckets = [] }",
        &expect![[r#"
        error[CFG-MISSING]: execution.slippage.buckets is missing
          --> run.toml:12:43
           |
        12 | slippage = { model = "buckets", buckets = [] }
           |                                           ^^ expected a list of { up_to = notional, bps = distance }
        exit code 78
    "#]],
    );
    check_with(
        "[execution]\nslippage = { model = \"buckets\", buckets = [1, 2] }",
        &expect![[r#"
            error[CFG-VALUE]: execution.slippage.buckets: found the integer 1
              --> run.toml:12:44
               |
            12 | slippage = { model = "buckets", buckets = [1, 2] }
               |                                            ^ expected { up_to = notional, bps = distance }

            error[CFG-VALUE]: execution.slippage.buckets: found the integer 2
              --> run.toml:12:47
               |
            12 | slippage = { model = "buckets", buckets = [1, 2] }
               |                                               ^ expected { up_to = notional, bps = distance }

            2 faults in all
            exit code 78
        "#]],
    );
    check_with(
        "[execution]\nslippage = { model = \"buckets\", buckets = [{ up_to = 0, bps = 1 }, { upto = 10000, bps = -2 }] }",
        &expect![[r#"
            error[CFG-VALUE]: execution.slippage.buckets.0.up_to: found the integer 0
              --> run.toml:12:54
               |
            12 | slippage = { model = "buckets", buckets = [{ up_to = 0, bps = 1 }, { upto = 10000, bps = -2 }] }
               |                                                      ^ expected a decimal from 1e-18 to 1e15

            error[CFG-MISSING]: execution.slippage.buckets.1.up_to is missing
              --> run.toml:12:68
               |
            12 | slippage = { model = "buckets", buckets = [{ up_to = 0, bps = 1 }, { upto = 10000, bps = -2 }] }
               |                                                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^ expected a decimal from 1e-18 to 1e15

            error[CFG-UNKNOWN-KEY]: unknown key `upto` in execution.slippage.buckets.1
              --> run.toml:12:70
               |
            12 | slippage = { model = "buckets", buckets = [{ up_to = 0, bps = 1 }, { upto = 10000, bps = -2 }] }
               |                                                                      ^^^^ expected one of up_to, bps
               |
               = help: did you mean `up_to`?

            error[CFG-VALUE]: execution.slippage.buckets.1.bps: found the integer -2
              --> run.toml:12:90
               |
            12 | slippage = { model = "buckets", buckets = [{ up_to = 0, bps = 1 }, { upto = 10000, bps = -2 }] }
               |                                                                                          ^^ expected a decimal from 0 to 10000

            4 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn buckets_of_slippage_out_of_order() {
    check_with(
        "[execution.slippage]\nmodel = \"buckets\"\nbuckets = [\n  { up_to = 10000, bps = 1 },\n  { up_to = 5000, bps = 2 },\n  { up_to = 10000, bps = 3 },\n]",
        &expect![[r#"
            error[CFG-VALUE]: execution.slippage.buckets.1.up_to: found 5000 after 10000
              --> run.toml:15:13
               |
            15 |   { up_to = 5000, bps = 2 },
               |             ^^^^ expected notionals in ascending order
            exit code 78
        "#]],
    );
}

#[test]
fn a_share_of_volume_that_cannot_be() {
    check_with(
        "[execution]\nparticipation_bps = -1",
        &expect![[r#"
        error[CFG-VALUE]: execution.participation_bps: found the integer -1
          --> run.toml:12:21
           |
        12 | participation_bps = -1
           |                     ^^ expected a decimal from 0 to 10000
        exit code 78
    "#]],
    );
    check_with(
        "[execution]\nparticipation_bps = 10001",
        &expect![[r#"
        error[CFG-VALUE]: execution.participation_bps: found the integer 10001
          --> run.toml:12:21
           |
        12 | participation_bps = 10001
           |                     ^^^^^ expected a decimal from 0 to 10000
        exit code 78
    "#]],
    );
    check_with(
        "[execution]\nparticipation_bps = \"5%\"",
        &expect![[r#"
        error[CFG-VALUE]: execution.participation_bps: found the string "5%"
          --> run.toml:12:21
           |
        12 | participation_bps = "5%"
           |                     ^^^^ expected a decimal from 0 to 10000
        exit code 78
    "#]],
    );
}

#[test]
fn a_latency_that_cannot_be() {
    check_with(
        "[execution]\nlatency = { min = \"2h\", max = \"1h\" }",
        &expect![[r#"
            error[CFG-VALUE]: execution.latency.max: found "1h"
              --> run.toml:12:31
               |
            12 | latency = { min = "2h", max = "1h" }
               |                               ^^^^ expected at least min, "2h"
            exit code 78
        "#]],
    );
    check_with(
        "[execution]\nlatency = { min = \"2h\" }",
        &expect![[r#"
            error[CFG-MISSING]: execution.latency.max is missing
              --> run.toml:12:11
               |
            12 | latency = { min = "2h" }
               |           ^^^^^^^^^^^^^^ expected a duration such as "0s", "250ms" or "1m", at most "3650d"
            exit code 78
        "#]],
    );
    check_with(
        "[execution]\nlatency = { min = \"0s\", max = 5, mean = \"1s\" }",
        &expect![[r#"
            error[CFG-VALUE]: execution.latency.max: found the integer 5
              --> run.toml:12:31
               |
            12 | latency = { min = "0s", max = 5, mean = "1s" }
               |                               ^ expected a duration such as "0s", "250ms" or "1m", at most "3650d"

            error[CFG-UNKNOWN-KEY]: unknown key `mean` in execution.latency
              --> run.toml:12:34
               |
            12 | latency = { min = "0s", max = 5, mean = "1s" }
               |                                  ^^^^ expected one of model, min, max

            2 faults in all
            exit code 78
        "#]],
    );
    check_with(
        "[execution]\nlatency = 250",
        &expect![[r#"
            error[CFG-VALUE]: execution.latency: found the integer 250
              --> run.toml:12:11
               |
            12 | latency = 250
               |           ^^^ expected a duration such as "0s", "250ms" or "1m", at most "3650d"
            exit code 78
        "#]],
    );
    check_with(
        "[execution]\nlatency = \"-1s\"\nlatency_bars = -1",
        &expect![[r#"
            error[CFG-VALUE]: execution.latency: found the string "-1s"
              --> run.toml:12:11
               |
            12 | latency = "-1s"
               |           ^^^^^ expected a duration such as "0s", "250ms" or "1m", at most "3650d"

            error[CFG-VALUE]: execution.latency_bars: found the integer -1
              --> run.toml:13:16
               |
            13 | latency_bars = -1
               |                ^^ expected a whole number from 0 to 1000

            2 faults in all
            exit code 78
        "#]],
    );
    check_with(
        "[execution]\nlatency_bars = 1001",
        &expect![[r#"
        error[CFG-VALUE]: execution.latency_bars: found the integer 1001
          --> run.toml:12:16
           |
        12 | latency_bars = 1001
           |                ^^^^ expected a whole number from 0 to 1000
        exit code 78
    "#]],
    );
}

#[test]
fn models_that_the_program_does_not_have() {
    check_with(
        "[execution]\nlatency = { model = \"measured\" }",
        &expect![[r#"
            error[CFG-VALUE]: execution.latency.model: found the string "measured"
              --> run.toml:12:21
               |
            12 | latency = { model = "measured" }
               |                     ^^^^^^^^^^ expected { min = …, max = … }: this program has no such model of its own
            exit code 78
        "#]],
    );
    check_with(
        "[execution]\npath = \"random\"",
        &expect![[r#"
        error[CFG-VALUE]: execution.path: found the string "random"
          --> run.toml:12:8
           |
        12 | path = "random"
           |        ^^^^^^^^ expected "pessimistic", "nearest_extreme" or "sub_bars"
        exit code 78
    "#]],
    );
    check_with(
        "[execution]\nparticipation = \"vwap\"",
        &expect![[r#"
            error[CFG-VALUE]: execution.participation: found the string "vwap"
              --> run.toml:12:17
               |
            12 | participation = "vwap"
               |                 ^^^^^^ expected a share as `participation_bps`: this program has no such model of its own
            exit code 78
        "#]],
    );
    check_with(
        "[venues.binance]\nfees = { model = \"vip\" }",
        &expect![[r#"
            error[CFG-VALUE]: venues.binance.fees.model: found the string "vip"
              --> run.toml:12:18
               |
            12 | fees = { model = "vip" }
               |                  ^^^^^ expected tiers of rates: this program has no such model of its own
            exit code 78
        "#]],
    );
}
