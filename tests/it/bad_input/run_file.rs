//! Run files that say what cannot be.

use expect_test::{Expect, expect};

use super::{Case, check};

/// Checks the small run file with one part of it changed.
fn check_changed(from: &str, to: &str, expected: &Expect) {
    check(&Case::sound().changed(from, to), expected);
}

#[test]
fn an_instrument_that_nobody_knows() {
    check_changed(
        "binance:spot:BTCUSDT",
        "binance:spot:BTCUSD",
        &expect![[r#"
        error[CFG-INSTRUMENT]: data.of: found the string "binance:spot:BTCUSD"
         --> run.toml:8:6
          |
        8 | of = "binance:spot:BTCUSD"
          |      ^^^^^^^^^^^^^^^^^^^^^ expected an instrument of the registry or of [[instruments]]
          |
          = help: did you mean `binance:spot:BTCUSDT`?
        exit code 78
    "#]],
    );
}

#[test]
fn a_strategy_that_nobody_knows() {
    check_changed(
        "buy_and_hold",
        "buy_and_hodl",
        &expect![[r#"
        error[CFG-STRATEGY]: strategy.kind: found the unknown strategy `buy_and_hodl`
          --> run.toml:12:8
           |
        12 | kind = "buy_and_hodl"
           |        ^^^^^^^^^^^^^^ expected one of buy_and_hold, sma_cross, scripted
           |
           = help: did you mean `buy_and_hold`?
        exit code 78
    "#]],
    );
}

#[test]
fn a_position_key_that_cannot_be() {
    check_changed(
        "binance:BaseToken:USDT",
        "binance:BaseTokn:USDT",
        &expect![[r#"
        error[CFG-KEY-MALFORMED]: malformed position key: `BaseTokn` is no position type
         --> run.toml:5:1
          |
        5 | "binance:BaseTokn:USDT" = "10000"
          | ^^^^^^^^^^^^^^^^^^^^^^^ expected venue:type:symbol, such as binance:BaseToken:USDT
          |
          = help: did you mean `BaseToken`?
        exit code 78
    "#]],
    );
    check_changed(
        "binance:BaseToken:USDT",
        "binanze:BaseToken:USDT",
        &expect![[r#"
        error[CFG-KEY-VENUE]: initial."binanze:BaseToken:USDT": found the unknown venue `binanze`
         --> run.toml:5:1
          |
        5 | "binanze:BaseToken:USDT" = "10000"
          | ^^^^^^^^^^^^^^^^^^^^^^^^ expected a venue of the registry, or one with kind = "cex" (or dex, lending, staking, wallet) in [venues]
          |
          = help: did you mean `binance`?
        exit code 78
    "#]],
    );
}

#[test]
fn a_holding_without_a_price() {
    let two = "\"binance:BaseToken:USDT\" = \"10000\"\n\"binance:BaseToken:ETH\" = \"1\"";
    check_changed(
        "\"binance:BaseToken:USDT\" = \"10000\"",
        two,
        &expect![[r#"
        error[CFG-PRICE-PATH]: initial."binance:BaseToken:ETH": found ETH, which nothing in the run prices in USDT
         --> run.toml:6:1
          |
        6 | "binance:BaseToken:ETH" = "1"
          | ^^^^^^^^^^^^^^^^^^^^^^^ expected [[data]] of a spot instrument with base ETH and quote USDT
        exit code 78
    "#]],
    );
}

#[test]
fn a_parameter_out_of_range() {
    check_changed(
        "kind = \"buy_and_hold\"",
        "kind = \"sma_cross\"\nfast = 0\nslow = -1",
        &expect![[r#"
            error[CFG-VALUE]: strategy.fast: found the integer 0
              --> run.toml:13:8
               |
            13 | fast = 0
               |        ^ expected a whole number from 1 to 100000 (bars)

            error[CFG-VALUE]: strategy.slow: found the integer -1
              --> run.toml:14:8
               |
            14 | slow = -1
               |        ^^ expected a whole number from 2 to 100000 (bars)

            2 faults in all
            exit code 78
        "#]],
    );
    check_changed(
        "kind = \"buy_and_hold\"",
        "kind = \"buy_and_hold\"\nsize = \"150%\"",
        &expect![[r#"
        error[CFG-VALUE]: strategy.size: found the string "150%"
          --> run.toml:13:8
           |
        13 | size = "150%"
           |        ^^^^^^ expected an amount of base units above 0 or a share above "0%" up to "100%" (base units, or a share of free cash)
        exit code 78
    "#]],
    );
}

#[test]
fn a_fast_average_that_is_not_faster() {
    check_changed(
        "kind = \"buy_and_hold\"",
        "kind = \"sma_cross\"\nfast = 30\nslow = 30",
        &expect![[r#"
            error[CFG-VALUE]: strategy.fast: found 30
              --> run.toml:13:8
               |
            13 | fast = 30
               |        ^^ expected fewer bars than slow (30)
            exit code 78
        "#]],
    );
}

#[test]
fn a_strategy_without_what_it_needs() {
    check_changed(
        "kind = \"buy_and_hold\"",
        "kind = \"scripted\"",
        &expect![[r#"
        error[CFG-MISSING]: strategy.orders is missing
          --> run.toml:11:1
           |
        11 | [strategy]
           | ^^^^^^^^^^ expected a file, relative to the run file
        exit code 78
    "#]],
    );
    check_changed(
        "[strategy]\nkind = \"buy_and_hold\"\n",
        "",
        &expect![[r#"
        error[CFG-MISSING]: strategy is missing
        --> run.toml
         = note: expected a [strategy] section with kind = "…"
        exit code 78
    "#]],
    );
}

#[test]
fn faults_at_every_level_are_listed_in_one_go() {
    let case = Case::sound()
        .changed("share_class", "shareclass")
        .changed("binance:spot:BTCUSDT", "binanse:spot:BTCUSDT")
        .changed("path =", "pth =")
        .changed("interval = \"1h\"", "interval = \"1 hour\"\nstart = \"2024-13-01\"")
        .changed(
            "kind = \"buy_and_hold\"",
            "kind = \"sma_cross\"\nfst = 3\nslow = 1.5\n[execution]\nfill = \"next_close\"\nslippage = { modell = \"none\" }",
        );
    check(
        &case,
        &expect![[r#"
            error[CFG-UNKNOWN-KEY]: unknown key `shareclass`
             --> run.toml:1:1
              |
            1 | shareclass = "USDT"
              | ^^^^^^^^^^ expected one of name, share_class, peg, start, end, interval, align, warmup, benchmark, seed, position_subscriptions, initial, instruments, data, venues, execution, transfers, strategy, risk, pnl, audit, results, engine
              |
              = help: did you mean `share_class`?

            error[CFG-VALUE]: interval: found the string "1 hour"
             --> run.toml:2:12
              |
            2 | interval = "1 hour"
              |            ^^^^^^^^ expected a duration such as "1m", "15m", "1h" or "1d"

            error[CFG-VALUE]: start: found the string "2024-13-01"
             --> run.toml:3:9
              |
            3 | start = "2024-13-01"
              |         ^^^^^^^^^^^^ expected a date such as "2024-01-31" or a time such as "2024-01-31T12:00:00Z"

            error[CFG-MISSING]: data.path is missing
             --> run.toml:8:1
              |
            8 | [[data]]
              | ^^^^^^^^ expected a file, relative to the run file, that ends in .parquet or .csv, or a list

            error[CFG-INSTRUMENT]: data.of: found the string "binanse:spot:BTCUSDT"
             --> run.toml:9:6
              |
            9 | of = "binanse:spot:BTCUSDT"
              |      ^^^^^^^^^^^^^^^^^^^^^^ expected an instrument of the registry or of [[instruments]]
              |
              = help: did you mean `binance:spot:BTCUSDT`?

            error[CFG-UNKNOWN-KEY]: unknown key `pth` in data
              --> run.toml:10:1
               |
            10 | pth = "candles.csv"
               | ^^^ expected one of kind, of, path, time, interval, time_unit, columns, gaps
               |
               = help: did you mean `path`?

            error[CFG-UNKNOWN-KEY]: unknown key `fst` in strategy
              --> run.toml:14:1
               |
            14 | fst = 3
               | ^^^ expected one of kind, id, fast, slow, size, direction, instruments
               |
               = help: did you mean `fast`?

            error[CFG-VALUE]: strategy.slow: found the number 1.5
              --> run.toml:15:8
               |
            15 | slow = 1.5
               |        ^^^ expected a whole number from 2 to 100000 (bars)

            error[CFG-VALUE]: execution.fill: found the string "next_close"
              --> run.toml:17:8
               |
            17 | fill = "next_close"
               |        ^^^^^^^^^^^^ expected "next_open" or "same_close"

            error[CFG-MISSING]: execution.slippage.model is missing
              --> run.toml:18:12
               |
            18 | slippage = { modell = "none" }
               |            ^^^^^^^^^^^^^^^^^^^ expected "none", "fixed", "spread_impact" or "buckets"

            error[CFG-MISSING]: share_class is missing
            --> run.toml
             = note: expected an asset such as "BTC" (letters, digits, `.`, `_` and `-`)

            11 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn what_is_not_implemented_yet() {
    check_changed(
        "[strategy]",
        "[execution]\nexit_at_end = true\non_failed_order = \"continue\"\n[risk]\nmax_leverage = 2\n[strategy]",
        &expect![[r#"
            error[CFG-NOT-IMPLEMENTED]: execution.exit_at_end = true is not implemented yet
              --> run.toml:12:15
               |
            12 | exit_at_end = true
               |               ^^^^ expected false

            error[CFG-UNKNOWN-KEY]: unknown key `max_leverage` in risk
              --> run.toml:15:1
               |
            15 | max_leverage = 2
               | ^^^^^^^^^^^^ expected one of enabled_risk_types, reset_frames, hysteresis, max_leg_delta, on_critical, max_drawdown, delta_tracking_asset, health_factor, ltv_ratio, cex_margin_ratio, mm_usage, delta_risk, peg_risk, funding_risk, drawdown, concentration, data_staleness

            2 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn data_and_comparisons_that_are_not_implemented_yet() {
    check_changed(
        "interval =",
        "benchmark = \"binance:spot:BTCUSDT\"\ninterval =",
        &expect![[r#"
        error[CFG-NOT-IMPLEMENTED]: a comparison with a benchmark is not implemented yet
         --> run.toml:2:13
          |
        2 | benchmark = "binance:spot:BTCUSDT"
          |             ^^^^^^^^^^^^^^^^^^^^^^ expected no benchmark
        exit code 78
    "#]],
    );
    check_changed(
        "[strategy]",
        "[[data]]\nkind = \"lending\"\nof = \"aave_v3:USDT\"\npath = \"lending.csv\"\n[strategy]",
        &expect![[r#"
            error[CFG-NOT-IMPLEMENTED]: data kind `lending` is not implemented yet
              --> run.toml:12:8
               |
            12 | kind = "lending"
               |        ^^^^^^^^^ expected "candles", "mark", "funding" or "price"
            exit code 78
        "#]],
    );
}

#[test]
fn a_window_that_ends_before_it_starts() {
    let window = "interval = \"1h\"\nstart = \"2024-02-01\"\nend = \"2024-01-01\"";
    check_changed(
        "interval = \"1h\"",
        window,
        &expect![[r#"
        error[CFG-WINDOW]: end: found an empty window: 2024-01-01T00:00:00Z is not after 2024-02-01T00:00:00Z
         --> run.toml:4:7
          |
        4 | end = "2024-01-01"
          |       ^^^^^^^^^^^^ expected an end after the start
        exit code 78
    "#]],
    );
    let empty = "interval = \"1h\"\nstart = \"2024-01-01\"\nend = \"2024-01-01\"";
    check_changed(
        "interval = \"1h\"",
        empty,
        &expect![[r#"
        error[CFG-WINDOW]: end: found an empty window: 2024-01-01T00:00:00Z is not after 2024-01-01T00:00:00Z
         --> run.toml:4:7
          |
        4 | end = "2024-01-01"
          |       ^^^^^^^^^^^^ expected an end after the start
        exit code 78
    "#]],
    );
}

#[test]
fn a_window_shorter_than_a_frame() {
    let window =
        "interval = \"1h\"\nstart = \"2024-01-01T01:00:00Z\"\nend = \"2024-01-01T01:30:00Z\"";
    check_changed(
        "interval = \"1h\"",
        window,
        &expect![[r#"
        error[DATA-COVERAGE]: no series has a bar from 2024-01-01T01:00:00Z to 2024-01-01T01:30:00Z
          where:    the data
          found:    rows from 2024-01-01T00:00:00Z on
          expected: a bar that opens at or after 2024-01-01T01:00:00Z
          hint:     choose a start and an end within the data
        exit code 78
    "#]],
    );
}

#[test]
fn a_window_beside_the_data() {
    let behind = "interval = \"1h\"\nstart = \"2024-02-01\"";
    check_changed(
        "interval = \"1h\"",
        behind,
        &expect![[r#"
        error[DATA-COVERAGE]: no series has a bar from 2024-02-01T00:00:00Z to the end of the data
          where:    the data
          found:    rows from 2024-01-01T00:00:00Z to 2024-01-01T11:00:00Z
          expected: a bar that opens at or after 2024-02-01T00:00:00Z
          hint:     choose a start and an end within the data
        exit code 78
    "#]],
    );
    let before = "interval = \"1h\"\nstart = \"2023-02-01\"\nend = \"2023-03-01\"";
    check_changed(
        "interval = \"1h\"",
        before,
        &expect![[r#"
        error[DATA-COVERAGE]: no series has a bar from 2023-02-01T00:00:00Z to 2023-03-01T00:00:00Z
          where:    the data
          found:    rows from 2024-01-01T00:00:00Z on
          expected: a bar that opens at or after 2023-02-01T00:00:00Z
          hint:     choose a start and an end within the data
        exit code 78
    "#]],
    );
}

#[test]
fn a_frame_that_candles_do_not_make_up() {
    check_changed(
        "of = ",
        "interval = \"4h\"\nof = ",
        &expect![[r#"
        error[CFG-INTERVAL]: data.interval: found candles of 4h
         --> run.toml:8:12
          |
        8 | interval = "4h"
          |            ^^^^ expected candles no longer than a frame, which is 1h
        exit code 78
    "#]],
    );
}

#[test]
fn an_instrument_with_two_series() {
    let twice = "[[data]]\nof = \"binance:spot:BTCUSDT\"\npath = \"candles.csv\"\n\n[strategy]";
    check_changed(
        "[strategy]",
        twice,
        &expect![[r#"
            error[CFG-DATA-DUPLICATE]: data.1.of: found another series of candles of `binance:spot:BTCUSDT`
              --> run.toml:12:6
               |
            12 | of = "binance:spot:BTCUSDT"
               |      ^^^^^^^^^^^^^^^^^^^^^^ expected one per instrument
               |
               = help: files that follow each other in time go into one `path = [...]`; finer candles are for execution.path = "sub_bars"
            exit code 78
        "#]],
    );
}
