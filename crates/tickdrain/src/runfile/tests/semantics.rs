//! Faults of a run as a whole: its window, instruments and data.

use expect_test::expect;

use super::{SMALL, check};

#[test]
fn the_window_must_not_be_empty() {
    check(
        &format!("start = 2024-02-01\nend = \"2024-02-01\"\n{SMALL}"),
        &expect![[r#"
        error[CFG-WINDOW]: end: found an empty window: 2024-02-01T00:00:00Z is not after 2024-02-01T00:00:00Z
         --> run.toml:2:7
          |
        2 | end = "2024-02-01"
          |       ^^^^^^^^^^^^ expected an end after the start
        exit code 78
    "#]],
    );
}

#[test]
fn instruments_must_be_known() {
    check(
        r#"
share_class = "USDD"
benchmark = "binance:spot:ETHUSDT"
initial = { "binance:BaseToken:USDT" = 1 }
[[data]]
of = "binance:spot:BTCUSTD"
path = "btc.parquet"
[[data]]
path = "btc.parquet"
[[data]]
of = "BTCUSDT"
path = "btc.parquet"
[strategy]
kind = "sma_cross"
instruments = ["binance:spot:BTCUSDT", "kraken:spot:XXBTZUSD"]
"#,
        &expect![[r#"
            error[CFG-ASSET]: share_class: found the unknown asset `USDD`
             --> run.toml:2:15
              |
            2 | share_class = "USDD"
              |               ^^^^^^ expected an asset of the registry or of [[instruments]]
              |
              = help: did you mean `USD`?

            error[CFG-NOT-IMPLEMENTED]: a comparison with a benchmark is not implemented yet
             --> run.toml:3:13
              |
            3 | benchmark = "binance:spot:ETHUSDT"
              |             ^^^^^^^^^^^^^^^^^^^^^^ expected no benchmark

            error[CFG-INSTRUMENT]: data.0.of: found the string "binance:spot:BTCUSTD"
             --> run.toml:6:6
              |
            6 | of = "binance:spot:BTCUSTD"
              |      ^^^^^^^^^^^^^^^^^^^^^^ expected an instrument of the registry or of [[instruments]]
              |
              = help: did you mean `binance:spot:BTCUSDT`?

            error[CFG-MISSING]: data.1.of is missing
             --> run.toml:8:1
              |
            8 | [[data]]
              | ^^^^^^^^ expected an instrument of the registry or of [[instruments]]

            error[CFG-VALUE]: data.2.of: found the string "BTCUSDT"
              --> run.toml:11:6
               |
            11 | of = "BTCUSDT"
               |      ^^^^^^^^^ expected venue:market:symbol with market = spot, perp, pool or swap

            error[CFG-INSTRUMENT]: strategy.instruments: found the string "kraken:spot:XXBTZUSD"
              --> run.toml:15:40
               |
            15 | instruments = ["binance:spot:BTCUSDT", "kraken:spot:XXBTZUSD"]
               |                                        ^^^^^^^^^^^^^^^^^^^^^^ expected an instrument of the registry or of [[instruments]]
               |
               = help: declare it in [[instruments]] with id, base and quote

            6 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn data_must_be_there_once_and_fit_the_frames() {
    check(
        r#"
share_class = "USDT"
interval = "1h"
benchmark = "binance:spot:ETHBTC"
initial = { "binance:BaseToken:USDT" = 1 }
[[instruments]]
id = "binance:spot:ETHBTC"
base = "ETH"
quote = "BTC"
[[data]]
of = "binance:spot:BTCUSDT"
path = ["btc.parquet", "none.parquet", "eth.txt"]
interval = "1d"
[[data]]
of = "binance:spot:BTCUSDT"
path = "btc.parquet"
[[data]]
of = "binance:perp:BTCUSDT"
path = []
interval = "7m"
[strategy]
kind = "sma_cross"
instruments = ["binance:spot:ETHUSDT"]
"#,
        &expect![[r#"
            error[CFG-NOT-IMPLEMENTED]: a comparison with a benchmark is not implemented yet
             --> run.toml:4:13
              |
            4 | benchmark = "binance:spot:ETHBTC"
              |             ^^^^^^^^^^^^^^^^^^^^^ expected no benchmark

            error[CFG-DATA-MISSING]: benchmark: found `binance:spot:ETHBTC`, of which the run has no candles
             --> run.toml:4:13
              |
            4 | benchmark = "binance:spot:ETHBTC"
              |             ^^^^^^^^^^^^^^^^^^^^^ expected an instrument with candles in [[data]]

            error[CFG-FILE]: data.0.path: found the string "none.parquet"
              --> run.toml:12:24
               |
            12 | path = ["btc.parquet", "none.parquet", "eth.txt"]
               |                        ^^^^^^^^^^^^^^ expected a file, relative to the run file, that ends in .parquet or .csv
               |
               = help: /runs/none.parquet: No such file or directory (os error 2)

            error[CFG-VALUE]: data.0.path: found the string "eth.txt"
              --> run.toml:12:40
               |
            12 | path = ["btc.parquet", "none.parquet", "eth.txt"]
               |                                        ^^^^^^^^^ expected a file, relative to the run file, that ends in .parquet or .csv

            error[CFG-INTERVAL]: data.0.interval: found candles of 1d
              --> run.toml:13:12
               |
            13 | interval = "1d"
               |            ^^^^ expected candles no longer than a frame, which is 1h

            error[CFG-DATA-DUPLICATE]: data.1.of: found another series of candles of `binance:spot:BTCUSDT`
              --> run.toml:15:6
               |
            15 | of = "binance:spot:BTCUSDT"
               |      ^^^^^^^^^^^^^^^^^^^^^^ expected one per instrument
               |
               = help: files that follow each other in time go into one `path = [...]`; finer candles are for execution.path = "sub_bars"

            error[CFG-VALUE]: data.2.path: found an array of 0 values
              --> run.toml:19:8
               |
            19 | path = []
               |        ^^ expected a file, relative to the run file, that ends in .parquet or .csv, or a list

            error[CFG-INTERVAL]: data.2.interval: found candles of 7m
              --> run.toml:20:12
               |
            20 | interval = "7m"
               |            ^^^^ expected a length that divides that of a frame, which is 1h

            error[CFG-DATA-MISSING]: strategy.instruments: found `binance:spot:ETHUSDT`, of which the run has no candles
              --> run.toml:23:16
               |
            23 | instruments = ["binance:spot:ETHUSDT"]
               |                ^^^^^^^^^^^^^^^^^^^^^^ expected an instrument with candles in [[data]]

            9 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn strategies_trade_what_the_share_class_prices() {
    check(
        r#"
share_class = "USDT"
initial = { "binance:BaseToken:USDT" = 1 }
[[instruments]]
id = "binance:spot:ETHBTC"
base = "ETH"
quote = "BTC"
[[data]]
of = "binance:spot:ETHBTC"
path = "eth.csv"
[[data]]
of = "binance:perp:BTCUSDT"
path = "perp.parquet"
[[strategy]]
kind = "sma_cross"
[[strategy]]
kind = "sma_cross"
instruments = ["binance:perp:BTCUSDT", "binance:perp:BTCUSDT"]
[[strategy]]
kind = "scripted"
id = "sma_cross"
orders = "good.csv"
[[strategy]]
kind = "scripted"
id = "sma_cross"
orders = "good.csv"
"#,
        &expect![[r#"
            error[CFG-PRICE-PATH]: data.0.of: found BTC of `binance:spot:ETHBTC`, which nothing in the run prices in USDT
             --> run.toml:9:6
              |
            9 | of = "binance:spot:ETHBTC"
              |      ^^^^^^^^^^^^^^^^^^^^^ expected [[data]] of spot instruments between BTC and USDT

            error[CFG-MISSING]: strategy.0.instruments is missing
              --> run.toml:14:1
               |
            14 | [[strategy]]
               | ^^^^^^^^^^^^ expected a list of instruments, since the run has candles of 2

            error[CFG-VALUE]: strategy.1.instruments: found an instrument for the second time
              --> run.toml:18:15
               |
            18 | instruments = ["binance:perp:BTCUSDT", "binance:perp:BTCUSDT"]
               |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected every instrument once

            error[CFG-STRATEGY-ID]: strategy.3.id: found the id `sma_cross` for the second time
              --> run.toml:25:6
               |
            25 | id = "sma_cross"
               |      ^^^^^^^^^^^ expected an id of its own for every strategy

            4 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn a_strategy_says_which_instruments_when_there_are_several() {
    check(
        &format!("{SMALL}[[data]]\nof = \"binance:spot:ETHUSDT\"\npath = \"eth.csv\"\n"),
        &expect![[r#"
            error[CFG-MISSING]: strategy.instruments is missing
             --> run.toml:8:1
              |
            8 | [strategy]
              | ^^^^^^^^^^ expected a list of instruments, since the run has candles of 2
            exit code 78
        "#]],
    );
}

#[test]
fn one_fault_does_not_lead_to_others() {
    check(
        r#"
share_class = "USDT"
initial = {}
[[instruments]]
id = "binance:spot:SOLUSDT"
base = "SOL"
[[data]]
of = "binance:spot:SOLUSDT"
path = "btc.parquet"
[venues.Bad]
[strategy]
kind = "sma_cross"
"#,
        &expect![[r#"
            error[CFG-MISSING]: initial is missing
             --> run.toml:3:11
              |
            3 | initial = {}
              |           ^^ expected at least one holding, such as "binance:BaseToken:USDT" = "10000"

            error[CFG-MISSING]: instruments.quote is missing
             --> run.toml:4:1
              |
            4 | [[instruments]]
              | ^^^^^^^^^^^^^^^ expected an asset such as "BTC" (letters, digits, `.`, `_` and `-`)

            error[CFG-VENUE]: venues.Bad: found `Bad`
              --> run.toml:10:9
               |
            10 | [venues.Bad]
               |         ^^^ expected a name of lower case letters, digits and _

            3 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn a_run_of_perpetuals_only_is_sound() {
    check(
        &SMALL.replace(":spot:", ":perp:"),
        &expect![[r#"
            no faults
        "#]],
    );
}
