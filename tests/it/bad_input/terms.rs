//! Run files whose terms of trading cannot be: fees, leverage, finer candles, limits of instruments.

use expect_test::{Expect, expect};

use super::execution::check_with;
use super::{Case, check};

/// Checks the small run file with an `[[instruments]]` entry for its instrument.
fn check_instrument(lines: &str, expected: &Expect) {
    check_with(&format!("[[instruments]]\nid = \"binance:spot:BTCUSDT\"\n{lines}"), expected);
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
               | ^^^^^^^^^^ expected one of id, base, quote, tick, lot, min_qty, min_notional, max_qty, price_band_bps, trading, valid_from, changes
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
