//! Faults of a run as a whole: instruments, data, venues, holdings.

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
              = help: did you mean `USDT`?

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

            5 faults in all
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
            error[CFG-DATA-MISSING]: benchmark: found `binance:spot:ETHBTC`, of which the run has no candles
             --> run.toml:4:13
              |
            4 | benchmark = "binance:spot:ETHBTC"
              |             ^^^^^^^^^^^^^^^^^^^^^ expected an instrument with candles in [[data]]

            error[CFG-FILE]: data.0.path: found the string "none.parquet"
             --> run.toml:8:24
              |
            8 | path = ["btc.parquet", "none.parquet", "eth.txt"]
              |                        ^^^^^^^^^^^^^^ expected a file, relative to the run file, that ends in .parquet or .csv
              |
              = help: /runs/none.parquet: No such file or directory (os error 2)

            error[CFG-VALUE]: data.0.path: found the string "eth.txt"
             --> run.toml:8:40
              |
            8 | path = ["btc.parquet", "none.parquet", "eth.txt"]
              |                                        ^^^^^^^^^ expected a file, relative to the run file, that ends in .parquet or .csv

            error[CFG-INTERVAL]: data.0.interval: found candles of 1d
             --> run.toml:9:12
              |
            9 | interval = "1d"
              |            ^^^^ expected candles no longer than a frame, which is 1h

            error[CFG-DATA-DUPLICATE]: data.1.of: found a second series of candles of `binance:spot:BTCUSDT`
              --> run.toml:11:6
               |
            11 | of = "binance:spot:BTCUSDT"
               |      ^^^^^^^^^^^^^^^^^^^^^^ expected one per instrument
               |
               = help: files that follow each other in time go into one `path = [...]`

            error[CFG-VALUE]: data.2.path: found an array of 0 values
              --> run.toml:15:8
               |
            15 | path = []
               |        ^^ expected a file, relative to the run file, that ends in .parquet or .csv, or a list

            error[CFG-INTERVAL]: data.2.interval: found candles of 7m
              --> run.toml:16:12
               |
            16 | interval = "7m"
               |            ^^^^ expected a length that divides that of a frame, which is 1h

            error[CFG-DATA-MISSING]: strategy.instruments: found `binance:spot:ETHUSDT`, of which the run has no candles
              --> run.toml:19:16
               |
            19 | instruments = ["binance:spot:ETHUSDT"]
               |                ^^^^^^^^^^^^^^^^^^^^^^ expected an instrument with candles in [[data]]

            8 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn strategies_trade_spot_quoted_in_the_share_class() {
    check(
        r#"
share_class = "USDT"
initial = { "binance:BaseToken:USDT" = 1 }
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
            error[CFG-NOT-IMPLEMENTED]: trading `binance:spot:ETHBTC`, whose quote BTC is not the share class, is not implemented yet
             --> run.toml:5:6
              |
            5 | of = "binance:spot:ETHBTC"
              |      ^^^^^^^^^^^^^^^^^^^^^ expected a quote in USDT

            error[CFG-NOT-IMPLEMENTED]: trading `binance:spot:ETHBTC`, whose quote BTC is not the share class, is not implemented yet
             --> run.toml:5:6
              |
            5 | of = "binance:spot:ETHBTC"
              |      ^^^^^^^^^^^^^^^^^^^^^ expected a quote in USDT

            error[CFG-NOT-IMPLEMENTED]: trading `binance:perp:BTCUSDT` on a perp market is not implemented yet
             --> run.toml:8:6
              |
            8 | of = "binance:perp:BTCUSDT"
              |      ^^^^^^^^^^^^^^^^^^^^^^ expected a spot instrument

            error[CFG-NOT-IMPLEMENTED]: trading `binance:perp:BTCUSDT` on a perp market is not implemented yet
              --> run.toml:14:16
               |
            14 | instruments = ["binance:perp:BTCUSDT", "binance:perp:BTCUSDT"]
               |                ^^^^^^^^^^^^^^^^^^^^^^ expected a spot instrument

            error[CFG-NOT-IMPLEMENTED]: trading `binance:perp:BTCUSDT` on a perp market is not implemented yet
              --> run.toml:14:40
               |
            14 | instruments = ["binance:perp:BTCUSDT", "binance:perp:BTCUSDT"]
               |                                        ^^^^^^^^^^^^^^^^^^^^^^ expected a spot instrument

            error[CFG-STRATEGY-ID]: strategy.3.id: found the id `sma_cross` for the second time
              --> run.toml:21:6
               |
            21 | id = "sma_cross"
               |      ^^^^^^^^^^^ expected an id of its own for every strategy

            6 faults in all
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
              | ^^^^^^^^^^ expected a list of instruments, since the run has 2 with spot candles
            exit code 78
        "#]],
    );
}

#[test]
fn position_keys_are_checked_in_the_order_of_the_specification() {
    check(
        &SMALL.replace(
            "initial = { \"binance:BaseToken:USDT\" = 10_000 }",
            r#"[initial]
"binance:Perp" = 1
"Binance:Perp:BTCUSDT" = 1
"binance:baseToken:USDT" = 1
"binance:BaseToken:US DT" = 1
"binanse:BaseToken:USDT" = 1
"aave:aToken:aUSDT" = 1
"aave_v3:Perp:BTCUSDT" = 1
"binance:Perp:BTCUSDX" = 1
"binance:Perp:BTCUSDT" = 1
"binance:BaseToken:USTD" = 1
"binance:BaseToken:ETH" = 1
"binance:BaseToken:BTC" = -1
"binance:BaseToken:USDT" = "all"
"wallet:BaseToken:BTC" = 1
"aave_v3:aToken:aUSDT" = 1"#,
        ),
        &expect![[r#"
            error[CFG-KEY-MALFORMED]: malformed position key: `binance:Perp` does not have the form venue:type:symbol
             --> run.toml:3:1
              |
            3 | "binance:Perp" = 1
              | ^^^^^^^^^^^^^^ expected venue:type:symbol, such as binance:BaseToken:USDT
              |
              = help: did you mean `Perp`?

            error[CFG-KEY-MALFORMED]: malformed position key: `Binance` is no venue name (lower case letters, digits and _)
             --> run.toml:4:1
              |
            4 | "Binance:Perp:BTCUSDT" = 1
              | ^^^^^^^^^^^^^^^^^^^^^^ expected venue:type:symbol, such as binance:BaseToken:USDT
              |
              = help: venues are written in lower case

            error[CFG-KEY-MALFORMED]: malformed position key: `baseToken` is no position type
             --> run.toml:5:1
              |
            5 | "binance:baseToken:USDT" = 1
              | ^^^^^^^^^^^^^^^^^^^^^^^^ expected venue:type:symbol, such as binance:BaseToken:USDT
              |
              = help: did you mean `BaseToken`?

            error[CFG-KEY-MALFORMED]: malformed position key: `US DT` is no symbol (letters, digits, `.`, `_` and `-`)
             --> run.toml:6:1
              |
            6 | "binance:BaseToken:US DT" = 1
              | ^^^^^^^^^^^^^^^^^^^^^^^^^ expected venue:type:symbol, such as binance:BaseToken:USDT
              |
              = help: did you mean `BaseToken`?

            error[CFG-KEY-VENUE]: initial."binanse:BaseToken:USDT": found the unknown venue `binanse`
             --> run.toml:7:1
              |
            7 | "binanse:BaseToken:USDT" = 1
              | ^^^^^^^^^^^^^^^^^^^^^^^^ expected a venue of the registry, or one with kind = "cex" (or dex, lending, staking, wallet) in [venues]
              |
              = help: did you mean `binance`?

            error[CFG-KEY-VENUE]: initial."aave:aToken:aUSDT": found the unknown venue `aave`
             --> run.toml:8:1
              |
            8 | "aave:aToken:aUSDT" = 1
              | ^^^^^^^^^^^^^^^^^^^ expected a venue of the registry, or one with kind = "cex" (or dex, lending, staking, wallet) in [venues]
              |
              = help: name the version: `aave_v3`

            error[CFG-KEY-VENUE]: initial."aave_v3:Perp:BTCUSDT": found the type Perp at `aave_v3`
             --> run.toml:9:1
              |
            9 | "aave_v3:Perp:BTCUSDT" = 1
              | ^^^^^^^^^^^^^^^^^^^^^^ expected one of aToken, debtToken, FlashDebt, which `aave_v3` has

            error[CFG-KEY-SYMBOL]: initial."binance:Perp:BTCUSDX": found the unknown symbol `BTCUSDX`
              --> run.toml:10:1
               |
            10 | "binance:Perp:BTCUSDX" = 1
               | ^^^^^^^^^^^^^^^^^^^^^^ expected a Perp that the registry or [[instruments]] has at `binance`
               |
               = help: did you mean `BTCUSDT`?

            error[CFG-NOT-IMPLEMENTED]: an initial holding of type Perp is not implemented yet
              --> run.toml:11:1
               |
            11 | "binance:Perp:BTCUSDT" = 1
               | ^^^^^^^^^^^^^^^^^^^^^^ expected type BaseToken

            error[CFG-KEY-SYMBOL]: initial."binance:BaseToken:USTD": found the unknown symbol `USTD`
              --> run.toml:12:1
               |
            12 | "binance:BaseToken:USTD" = 1
               | ^^^^^^^^^^^^^^^^^^^^^^^^ expected a BaseToken that the registry or [[instruments]] has at `binance`
               |
               = help: did you mean `USDT`?

            error[CFG-PRICE-PATH]: initial."binance:BaseToken:ETH": found ETH, which nothing in the run prices in USDT
              --> run.toml:13:1
               |
            13 | "binance:BaseToken:ETH" = 1
               | ^^^^^^^^^^^^^^^^^^^^^^^ expected [[data]] of a spot instrument with base ETH and quote USDT

            error[CFG-VALUE]: initial."binance:BaseToken:BTC": found the integer -1
              --> run.toml:14:27
               |
            14 | "binance:BaseToken:BTC" = -1
               |                           ^^ expected a decimal from 0

            error[CFG-VALUE]: initial."binance:BaseToken:USDT": found the string "all"
              --> run.toml:15:28
               |
            15 | "binance:BaseToken:USDT" = "all"
               |                            ^^^^^ expected a decimal from 0

            error[CFG-NOT-IMPLEMENTED]: an initial holding of type aToken is not implemented yet
              --> run.toml:17:1
               |
            17 | "aave_v3:aToken:aUSDT" = 1
               | ^^^^^^^^^^^^^^^^^^^^^^ expected type BaseToken

            14 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn venues_that_the_registry_lacks_need_a_kind() {
    check(
        &format!(
            "{SMALL}{}",
            r#"
[[instruments]]
id = "kraken:spot:XBTUSD"
base = "X BT"
lot = 0
[[instruments]]
id = "krake:spot:XBTUSDT"
base = "XBT"
quote = "USDT"
[[instruments]]
id = "krake:spot:XBTUSDT"
base = "XBT"
quote = "USDT"
[venues]
okx = 3
[venues.binanc]
taker_bps = 1
[venues.kraken]
kind = "cexx"
[venues.wallet]
kind = "cex"
maker_bps = 1
[venues.binance]
maker_bps = 20000
"#
        ),
        &expect![[r#"
            error[CFG-MISSING]: instruments.0.quote is missing
              --> run.toml:11:1
               |
            11 | [[instruments]]
               | ^^^^^^^^^^^^^^^ expected an asset such as "BTC" (letters, digits, `.`, `_` and `-`)

            error[CFG-VALUE]: instruments.0.base: found the string "X BT"
              --> run.toml:13:8
               |
            13 | base = "X BT"
               |        ^^^^^^ expected an asset such as "BTC" (letters, digits, `.`, `_` and `-`)

            error[CFG-VALUE]: instruments.0.lot: found the integer 0
              --> run.toml:14:7
               |
            14 | lot = 0
               |       ^ expected a decimal above 0

            error[CFG-VENUE]: instruments.1.id: found the unknown venue `krake`
              --> run.toml:16:6
               |
            16 | id = "krake:spot:XBTUSDT"
               |      ^^^^^^^^^^^^^^^^^^^^ expected a venue of the registry, or one with kind = "cex" (or dex, lending, staking, wallet) in [venues]
               |
               = help: did you mean `kraken`?

            error[CFG-INSTRUMENT]: instruments.2.id: found `krake:spot:XBTUSDT` for the second time
              --> run.toml:20:6
               |
            20 | id = "krake:spot:XBTUSDT"
               |      ^^^^^^^^^^^^^^^^^^^^ expected every id once

            error[CFG-VALUE]: venues.okx: found the integer 3
              --> run.toml:24:7
               |
            24 | okx = 3
               |       ^ expected a table

            error[CFG-VENUE]: venue `binanc` is not in the registry and has no `kind`
              --> run.toml:25:9
               |
            25 | [venues.binanc]
               |         ^^^^^^ expected a venue of the registry, or one with kind = "cex" (or dex, lending, staking, wallet) in [venues]
               |
               = help: did you mean `binance`?

            error[CFG-VALUE]: venues.kraken.kind: found the string "cexx"
              --> run.toml:28:8
               |
            28 | kind = "cexx"
               |        ^^^^^^ expected "cex", "dex", "lending", "staking", "wallet", "infra" or "service"
               |
               = help: did you mean `cex`?

            error[CFG-VALUE]: venues.wallet.kind: found the kind "cex"
              --> run.toml:30:8
               |
            30 | kind = "cex"
               |        ^^^^^ expected "wallet", as the registry has it

            error[CFG-UNKNOWN-KEY]: unknown key `maker_bps` in venues.wallet
              --> run.toml:31:1
               |
            31 | maker_bps = 1
               | ^^^^^^^^^ expected only kind

            error[CFG-VALUE]: venues.binance.maker_bps: found the integer 20000
              --> run.toml:33:13
               |
            33 | maker_bps = 20000
               |             ^^^^^ expected a decimal from -10000 to 10000

            11 faults in all
            exit code 78
        "#]],
    );
}
