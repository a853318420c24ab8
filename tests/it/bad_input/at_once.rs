//! Everything that is wrong with a run, listed at once, before the first frame.

use std::fs;

use expect_test::expect;

use super::{Case, check};

/// Shares of a hedge are for a strategy that has them; their sum is checked in `runfile/tests/hedge.rs`.
const RUN_FILE: &str = r#"share_class = "USDT"
interval = "1h"
position_subscriptions = [
  "binance:BaseToken:USDT", "binance:BaseToken:BTC", "binance:Perp:BTCUSDT",
  "kraken:BaseToken:USDT",
  "okx:BaseToken:ETH",
]

[initial]
"binance:BaseToken:USDT" = 10000
"bybit:BaseToken:USDT" = 10000

[[instruments]]
id = "binance:perp:BTCUSDT"
tiers = [
  { max_notional = 50000, mmr = 0.1, imr = 0.05 },
  { min_notional = 60000, max_notional = 250000, mmr = 0.1 },
]

[[data]]
of = "binance:spot:BTCUSDT"
path = "candles.csv"

[[data]]
of = "binance:perp:BTCUSDT"
path = "candles.csv"

[venues.binance]
require_funding = true
leverage = 0

[strategy]
kind = "buy_and_hold"
"#;

#[test]
fn everything_that_is_missing_or_impossible_is_listed_at_once() {
    let case = Case::sound();
    fs::write(case.path("run.toml"), RUN_FILE).expect("the folder can be written");
    check(
        &case,
        &expect![[r#"
        error[CFG-KEY-VENUE]: position_subscriptions: found the unknown venue `kraken`
         --> run.toml:5:3
          |
        5 |   "kraken:BaseToken:USDT",
          |   ^^^^^^^^^^^^^^^^^^^^^^^ expected a venue of the registry, or one with kind = "cex" (or dex, lending, staking, wallet) in [venues]

        error[CFG-PRICE-PATH]: position_subscriptions: found `okx:BaseToken:ETH`, whose ETH nothing in the run prices in USDT
         --> run.toml:6:3
          |
        6 |   "okx:BaseToken:ETH",
          |   ^^^^^^^^^^^^^^^^^^^ expected [[data]] of spot instruments between ETH and USDT

        error[CFG-KEY-UNDECLARED]: initial."bybit:BaseToken:USDT": found `bybit:BaseToken:USDT`, which is not subscribed
          --> run.toml:11:1
           |
        11 | "bybit:BaseToken:USDT" = 10000
           | ^^^^^^^^^^^^^^^^^^^^^^ expected keys that position_subscriptions lists

        error[CFG-TIERS]: instruments.tiers.0.mmr: found a maintenance margin of 0.1 and an initial margin of 0.05
          --> run.toml:16:33
           |
        16 |   { max_notional = 50000, mmr = 0.1, imr = 0.05 },
           |                                 ^^^ expected a maintenance margin below the initial one

        error[CFG-TIERS]: instruments.tiers.1.min_notional: found 60000, which leaves a gap
          --> run.toml:17:20
           |
        17 |   { min_notional = 60000, max_notional = 250000, mmr = 0.1 },
           |                    ^^^^^ expected 50000

        error[CFG-TIERS]: instruments.tiers.1.mmr: found 0.1
          --> run.toml:17:56
           |
        17 |   { min_notional = 60000, max_notional = 250000, mmr = 0.1 },
           |                                                        ^^^ expected more than the tier before has, 0.1

        error[CFG-DATA-SETTLEMENT]: data.1.of: found `binance:perp:BTCUSDT` without funding data: positions in it pay and earn none
          --> run.toml:25:6
           |
        25 | of = "binance:perp:BTCUSDT"
           |      ^^^^^^^^^^^^^^^^^^^^^^ expected [[data]] with kind = "funding" of `binance:perp:BTCUSDT`, which venues.binance.require_funding asks for

        error[CFG-VALUE]: venues.binance.leverage: found the integer 0
          --> run.toml:30:12
           |
        30 | leverage = 0
           |            ^ expected a decimal from 1 to 1000

        error[CFG-MISSING]: strategy.instruments is missing
          --> run.toml:32:1
           |
        32 | [strategy]
           | ^^^^^^^^^^ expected a list of instruments, since the run has candles of 2

        9 faults in all
        exit code 78
    "#]],
    );
    assert!(!case.path("out").exists(), "nothing was begun");
}
