//! Run files whose terms of trading cannot be: models of execution, fees, leverage, finer candles,
//! limits of instruments.

use expect_test::{Expect, expect};

use super::{Case, check};

/// Checks the small run file with lines of their own above `[strategy]`.
fn check_with(lines: &str, expected: &Expect) {
    check(&Case::sound().changed("[strategy]", &format!("{lines}\n\n[strategy]")), expected);
}

/// Checks the small run file with an `[[instruments]]` entry for its instrument.
fn check_instrument(lines: &str, expected: &Expect) {
    check_with(&format!("[[instruments]]\nid = \"binance:spot:BTCUSDT\"\n{lines}"), expected);
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

#[test]
fn tiers_of_fees_that_cannot_be() {
    check_with(
        "[venues.binance]\nfees = { minimum = -1, tiers = [{ volume_30d = -5, maker_bps = 1 }, { valid_from = \"May\", taker_bps = 20000, maker_bps = -1001 }] }",
        &expect![[r#"
            error[CFG-VALUE]: venues.binance.fees.minimum: found the integer -1
              --> run.toml:12:20
               |
            12 | fees = { minimum = -1, tiers = [{ volume_30d = -5, maker_bps = 1 }, { valid_from = "May", taker_bps = 20000, maker_bps = -1001 }] }
               |                    ^^ expected a decimal from 0 to 1000000000000000

            error[CFG-MISSING]: venues.binance.fees.tiers.0.taker_bps is missing
              --> run.toml:12:33
               |
            12 | fees = { minimum = -1, tiers = [{ volume_30d = -5, maker_bps = 1 }, { valid_from = "May", taker_bps = 20000, maker_bps = -1001 }] }
               |                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected a decimal from -1000 to 10000

            error[CFG-VALUE]: venues.binance.fees.tiers.0.volume_30d: found the integer -5
              --> run.toml:12:48
               |
            12 | fees = { minimum = -1, tiers = [{ volume_30d = -5, maker_bps = 1 }, { valid_from = "May", taker_bps = 20000, maker_bps = -1001 }] }
               |                                                ^^ expected a decimal from 0 to 1000000000000000

            error[CFG-VALUE]: venues.binance.fees.tiers.1.valid_from: found the string "May"
              --> run.toml:12:84
               |
            12 | fees = { minimum = -1, tiers = [{ volume_30d = -5, maker_bps = 1 }, { valid_from = "May", taker_bps = 20000, maker_bps = -1001 }] }
               |                                                                                    ^^^^^ expected a date such as "2024-01-31" or a time such as "2024-01-31T12:00:00Z"

            error[CFG-VALUE]: venues.binance.fees.tiers.1.taker_bps: found the integer 20000
              --> run.toml:12:103
               |
            12 | fees = { minimum = -1, tiers = [{ volume_30d = -5, maker_bps = 1 }, { valid_from = "May", taker_bps = 20000, maker_bps = -1001 }] }
               |                                                                                                       ^^^^^ expected a decimal from -1000 to 10000

            error[CFG-VALUE]: venues.binance.fees.tiers.1.maker_bps: found the integer -1001
              --> run.toml:12:122
               |
            12 | fees = { minimum = -1, tiers = [{ volume_30d = -5, maker_bps = 1 }, { valid_from = "May", taker_bps = 20000, maker_bps = -1001 }] }
               |                                                                                                                          ^^^^^ expected a decimal from -1000 to 10000

            6 faults in all
            exit code 78
        "#]],
    );
    check_with(
        "[venues.binance]\nfees = { tiers = 10 }",
        &expect![[r#"
            error[CFG-VALUE]: venues.binance.fees.tiers: found the integer 10
              --> run.toml:12:18
               |
            12 | fees = { tiers = 10 }
               |                  ^^ expected { volume_30d = …, maker_bps = …, taker_bps = … }
            exit code 78
        "#]],
    );
    check_with(
        "[venues.binance]\nfees = 10",
        &expect![[r#"
            error[CFG-VALUE]: venues.binance.fees: found the integer 10
              --> run.toml:12:8
               |
            12 | fees = 10
               |        ^^ expected a table such as { minimum = 1, tiers = […] }
            exit code 78
        "#]],
    );
    check_with(
        "[venues.binance]\nfees = { minimun = 1 }",
        &expect![[r#"
        error[CFG-UNKNOWN-KEY]: unknown key `minimun` in venues.binance.fees
          --> run.toml:12:10
           |
        12 | fees = { minimun = 1 }
           |          ^^^^^^^ expected one of model, minimum, per_trade, tiers
           |
           = help: did you mean `minimum`?
        exit code 78
    "#]],
    );
    check_with(
        "[[venues.binance.fees.tiers]]\nvolume_30d = 1000\nmaker_bps = 1\ntaker_bps = 2\n\n[[venues.binance.fees.tiers]]\nvolume_30d = 1000\nmaker_bps = 3\ntaker_bps = 4",
        &expect![[r#"
            error[CFG-VALUE]: venues.binance.fees.tiers.1.volume_30d: found 1000 a second time, with the same `valid_from`
              --> run.toml:17:14
               |
            17 | volume_30d = 1000
               |              ^^^^ expected every tier once
            exit code 78
        "#]],
    );
}

#[test]
fn terms_of_a_venue_that_cannot_be() {
    // A rebate as large as the margin would pay for positions without end.
    check_with(
        "[venues.binance]\nleverage = 1000\nmaker_bps = -10",
        &expect![[r#"
        error[CFG-VALUE]: venues.binance.leverage: found 1000 with a maker_bps of -10
          --> run.toml:12:12
           |
        12 | leverage = 1000
           |            ^^^^ expected less than 1000: a margin above the rebate
        exit code 78
    "#]],
    );
    check_with(
        "[venues.binance]\nleverage = 0.5",
        &expect![[r#"
        error[CFG-VALUE]: venues.binance.leverage: found the number 0.5
          --> run.toml:12:12
           |
        12 | leverage = 0.5
           |            ^^^ expected a decimal from 1 to 1000
        exit code 78
    "#]],
    );
    check_with(
        "[venues.binance]\nleverage = 1001",
        &expect![[r#"
        error[CFG-VALUE]: venues.binance.leverage: found the integer 1001
          --> run.toml:12:12
           |
        12 | leverage = 1001
           |            ^^^^ expected a decimal from 1 to 1000
        exit code 78
    "#]],
    );
    check_with(
        "[venues.binance]\nmargin = \"crossed\"\nfee_in = \"bnb\"",
        &expect![[r#"
        error[CFG-VALUE]: venues.binance.margin: found the string "crossed"
          --> run.toml:12:10
           |
        12 | margin = "crossed"
           |          ^^^^^^^^^ expected "cross" or "isolated"
           |
           = help: did you mean `cross`?

        error[CFG-VALUE]: venues.binance.fee_in: found the string "bnb"
          --> run.toml:13:10
           |
        13 | fee_in = "bnb"
           |          ^^^^^ expected "quote" or "base"

        2 faults in all
        exit code 78
    "#]],
    );
}

#[test]
fn finer_candles_that_are_not_there() {
    check_with(
        "[execution]\npath = \"sub_bars\"",
        &expect![[r#"
        error[CFG-DATA-MISSING]: data: found no candles finer than a frame, which is 1h
         --> run.toml:7:1
          |
        7 | [[data]]
          | ^^^^^^^^ expected finer candles for execution.path = "sub_bars"
        exit code 78
    "#]],
    );
}

#[test]
fn finer_candles_that_are_not_finer() {
    let second = |interval: &str| {
        format!(
            "[execution]\npath = \"sub_bars\"\n\n[[data]]\nof = \"binance:spot:BTCUSDT\"\npath = \"candles.csv\"\ninterval = \"{interval}\""
        )
    };
    check_with(
        &second("1h"),
        &expect![[r#"
            error[CFG-DATA-DUPLICATE]: data.1.of: found another series of candles of `binance:spot:BTCUSDT`
              --> run.toml:15:6
               |
            15 | of = "binance:spot:BTCUSDT"
               |      ^^^^^^^^^^^^^^^^^^^^^^ expected one whose candles are not as long as the first's, 1h
               |
               = help: files that follow each other in time go into one `path = [...]`
            exit code 78
        "#]],
    );
    check_with(
        &second("4h"),
        &expect![[r#"
        error[CFG-INTERVAL]: data.1.interval: found candles of 4h
          --> run.toml:17:12
           |
        17 | interval = "4h"
           |            ^^^^ expected candles no longer than a frame, which is 1h
        exit code 78
    "#]],
    );
    check_with(
        &second("25m"),
        &expect![[r#"
        error[CFG-INTERVAL]: data.1.interval: found candles of 25m
          --> run.toml:17:12
           |
        17 | interval = "25m"
           |            ^^^^^ expected a length that divides that of a frame, which is 1h
        exit code 78
    "#]],
    );
    // A third series.
    check_with(
        &format!(
            "{}\n\n{}",
            second("15m"),
            second("5m").replace("[execution]\npath = \"sub_bars\"\n\n", "")
        ),
        &expect![[r#"
            error[CFG-DATA-DUPLICATE]: data.2.of: found another series of candles of `binance:spot:BTCUSDT`
              --> run.toml:20:6
               |
            20 | of = "binance:spot:BTCUSDT"
               |      ^^^^^^^^^^^^^^^^^^^^^^ expected one per instrument, and one of finer candles
               |
               = help: files that follow each other in time go into one `path = [...]`
            exit code 78
        "#]],
    );
    // Nobody takes bars apart.
    check_with(
        &second("15m").replace("sub_bars", "pessimistic"),
        &expect![[r#"
            error[CFG-DATA-DUPLICATE]: data.1.of: found another series of candles of `binance:spot:BTCUSDT`
              --> run.toml:15:6
               |
            15 | of = "binance:spot:BTCUSDT"
               |      ^^^^^^^^^^^^^^^^^^^^^^ expected one per instrument
               |
               = help: files that follow each other in time go into one `path = [...]`; finer candles are for execution.path = "sub_bars"
            exit code 78
        "#]],
    );
}

#[test]
fn limits_of_an_instrument_that_cannot_be() {
    check_instrument(
        "max_qty = 0\nprice_band_bps = -5\ntrading = \"no\"",
        &expect![[r#"
            error[CFG-VALUE]: instruments.max_qty: found the integer 0
              --> run.toml:13:11
               |
            13 | max_qty = 0
               |           ^ expected a decimal from 1e-18 to 1e15

            error[CFG-VALUE]: instruments.price_band_bps: found the integer -5
              --> run.toml:14:18
               |
            14 | price_band_bps = -5
               |                  ^^ expected a decimal from 0.000000000000000001 to 1000000

            error[CFG-VALUE]: instruments.trading: found the string "no"
              --> run.toml:15:11
               |
            15 | trading = "no"
               |           ^^^^ expected true or false

            3 faults in all
            exit code 78
        "#]],
    );
    check_instrument(
        "min_qty = 10\nmax_qty = 1",
        &expect![[r#"
            error[CFG-VALUE]: instruments.max_qty: found 1
              --> run.toml:14:11
               |
            14 | max_qty = 1
               |           ^ expected at least min_qty, 10
            exit code 78
        "#]],
    );
    check_instrument(
        "price_band = 500",
        &expect![[r#"
        error[CFG-UNKNOWN-KEY]: unknown key `price_band` in instruments
          --> run.toml:13:1
           |
        13 | price_band = 500
           | ^^^^^^^^^^ expected one of id, base, quote, tick, lot, min_qty, min_notional, max_qty, price_band_bps, trading
           |
           = help: did you mean `price_band_bps`?
        exit code 78
    "#]],
    );
}

#[test]
fn an_instrument_that_does_not_trade() {
    check_instrument(
        "trading = false",
        &expect![[r#"
        error[CFG-INSTRUMENT]: data.of: found `binance:spot:BTCUSDT`, which does not trade
         --> run.toml:8:6
          |
        8 | of = "binance:spot:BTCUSDT"
          |      ^^^^^^^^^^^^^^^^^^^^^^ expected an instrument with trading = true
        exit code 78
    "#]],
    );
}

/// A scripted strategy names its instruments in its file, which is read before anything runs.
#[test]
fn an_order_in_an_instrument_that_does_not_trade() {
    let case = Case::sound()
        .changed(
            "[strategy]\nkind = \"buy_and_hold\"",
            "[[instruments]]\nid = \"binance:spot:BTCUSDT\"\ntrading = false\n\n[strategy]\nkind = \"scripted\"\norders = \"orders.csv\"",
        )
        .file(
            "orders.csv",
            "decide_ts,order_id,instrument,side,qty\n2024-01-01T01:00:00Z,a,binance:spot:BTCUSDT,buy,1\n",
        );
    check(
        &case,
        &expect![[r#"
        error[CFG-INSTRUMENT]: data.of: found `binance:spot:BTCUSDT`, which does not trade
         --> run.toml:8:6
          |
        8 | of = "binance:spot:BTCUSDT"
          |      ^^^^^^^^^^^^^^^^^^^^^^ expected an instrument with trading = true

        error[CFG-VALUE]: strategy.orders: found instrument `binance:spot:BTCUSDT`
         --> <folder>/orders.csv:2:1
          |
        2 | 2024-01-01T01:00:00Z,a,binance:spot:BTCUSDT,buy,1
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected an instrument with trading = true

        2 faults in all
        exit code 78
    "#]],
    );
}
