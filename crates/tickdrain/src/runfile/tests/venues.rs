//! Faults of venues and of what is held there.

use expect_test::expect;

use super::{SMALL, check};

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
               |                           ^^ expected a decimal from 0 to 1000000000000000

            error[CFG-VALUE]: initial."binance:BaseToken:USDT": found the string "all"
              --> run.toml:15:28
               |
            15 | "binance:BaseToken:USDT" = "all"
               |                            ^^^^^ expected a decimal from 0 to 1000000000000000

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
               |       ^ expected a decimal from 1e-18 to 1e15

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
               |             ^^^^^ expected a decimal from -1000 to 10000

            11 faults in all
            exit code 78
        "#]],
    );
}
