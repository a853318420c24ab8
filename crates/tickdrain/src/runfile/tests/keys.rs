//! Position keys: their rules, and the list of those that a run may touch.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::{SMALL, check, folder, read, small};

/// Each key as the only subscription beside those of the run; the code it is refused with, and the hint.
fn check_keys(keys: &[&str], expected: &Expect) {
    let folder = folder();
    let mut table = String::new();
    for key in keys {
        let list = format!(
            "position_subscriptions = [\"binance:BaseToken:USDT\", \"binance:BaseToken:BTC\", \
             \"wallet:BaseToken:WETH\", \"etherfi:LST:weETH\", {key:?}]\n"
        );
        let Err(faults) = read(&format!("{list}{SMALL}"), &[], folder.path()) else {
            writeln!(table, "{key:<28} ok").unwrap();
            continue;
        };
        // What it is worth is another question.
        let fault = faults.iter().find(|fault| fault.code != "CFG-PRICE-PATH");
        let code = fault.map_or("ok", |fault| fault.code);
        let hint = fault.and_then(|fault| fault.hint.clone()).unwrap_or_default();
        writeln!(table, "{}", format!("{key:<28} {code:<18} {hint}").trim_end()).unwrap();
    }
    expected.assert_eq(&table);
}

#[test]
fn keys_are_read_by_the_rules_of_the_specification() {
    check_keys(
        &[
            "binance:Perp",
            "Binance:Perp:BTCUSDT",
            "binance:perp:BTCUSDT",
            "binance:Perp:BTC:USDT",
            "binance:Perp:BTC USDT",
            ":Perp:BTCUSDT",
            "aave_v3:Perp:BTCUSDT",
            "aave:aToken:aUSDT",
            "binanse:Perp:BTCUSDT",
            "alchemy:BaseToken:ETH",
            "uniswap:BaseToken:ETH",
            "morpho:aToken:aUSDT",
            "binance:Perp:BTCUSDX",
            "binance:Perp:BTCUSDT",
            "binance:Perp:1000PEPEUSDT",
            "binance:Perp:PEPEUSDT",
            "binance:Transit:USDT",
            "wallet:Transit:USDT",
            "wallet:BaseToken:weETH",
            "wallet:BaseToken:EIGEN",
            "okx:BaseToken:EIGEN",
            "aave_v3:aToken:aweETH",
            "aave_v3:aToken:aUSDT",
            "aave_v3:aToken:WETH",
            "aave_v3:debtToken:debtWETH",
            "aave_v3:debtToken:debtETH",
            "morpho:FlashDebt:WETH",
            "lido:LST:stETH",
            "lido:Claim:ETH.unstake",
        ],
        &expect![[r#"
            binance:Perp                 CFG-KEY-MALFORMED
            Binance:Perp:BTCUSDT         CFG-KEY-MALFORMED  venues are written in lower case
            binance:perp:BTCUSDT         CFG-KEY-MALFORMED  did you mean `Perp`?
            binance:Perp:BTC:USDT        CFG-KEY-MALFORMED
            binance:Perp:BTC USDT        CFG-KEY-MALFORMED
            :Perp:BTCUSDT                CFG-KEY-MALFORMED
            aave_v3:Perp:BTCUSDT         CFG-KEY-VENUE
            aave:aToken:aUSDT            CFG-KEY-VENUE      name the version: `aave_v3`
            binanse:Perp:BTCUSDT         CFG-KEY-VENUE      did you mean `binance`?
            alchemy:BaseToken:ETH        CFG-KEY-VENUE      what it shows is `wallet:BaseToken:ETH`
            uniswap:BaseToken:ETH        CFG-KEY-VENUE
            morpho:aToken:aUSDT          CFG-KEY-VENUE
            binance:Perp:BTCUSDX         CFG-KEY-SYMBOL     did you mean `BTCUSDT`?
            binance:Perp:BTCUSDT         ok
            binance:Perp:1000PEPEUSDT    ok
            binance:Perp:PEPEUSDT        CFG-KEY-SYMBOL     did you mean `1000PEPEUSDT`?
            binance:Transit:USDT         ok
            wallet:Transit:USDT          ok
            wallet:BaseToken:weETH       CFG-KEY-SYMBOL     its key names the protocol that issues it: `etherfi:LST:weETH`
            wallet:BaseToken:EIGEN       ok
            okx:BaseToken:EIGEN          CFG-KEY-SYMBOL
            aave_v3:aToken:aweETH        ok
            aave_v3:aToken:aUSDT         CFG-KEY-UNDECLARED
            aave_v3:aToken:WETH          CFG-KEY-SYMBOL     did you mean `aWETH`?
            aave_v3:debtToken:debtWETH   ok
            aave_v3:debtToken:debtETH    CFG-KEY-SYMBOL     did you mean `debtWETH`?
            morpho:FlashDebt:WETH        ok
            lido:LST:stETH               ok
            lido:Claim:ETH.unstake       ok
        "#]],
    );
}

#[test]
fn what_is_touched_has_to_be_subscribed() {
    check(
        &format!(
            "position_subscriptions = [\"binance:BaseToken:USDT\", \"okx:BaseToken:USDT\", 7]\n{}\n",
            small("10_000", "1, \"okx:BaseToken:BTC\" = 2")
        ),
        &expect![[r#"
            error[CFG-VALUE]: position_subscriptions: found the integer 7
             --> run.toml:1:75
              |
            1 | position_subscriptions = ["binance:BaseToken:USDT", "okx:BaseToken:USDT", 7]
              |                                                                           ^ expected a position key

            error[CFG-KEY-UNDECLARED]: initial."okx:BaseToken:BTC": found `okx:BaseToken:BTC`, which is not subscribed
             --> run.toml:3:43
              |
            3 | initial = { "binance:BaseToken:USDT" = 1, "okx:BaseToken:BTC" = 2 }
              |                                           ^^^^^^^^^^^^^^^^^^^ expected keys that position_subscriptions lists

            error[CFG-KEY-UNDECLARED]: data.of: found `binance:spot:BTCUSDT`, whose trades touch `binance:BaseToken:BTC`
             --> run.toml:6:6
              |
            6 | of = "binance:spot:BTCUSDT"
              |      ^^^^^^^^^^^^^^^^^^^^^^ expected keys that position_subscriptions lists

            3 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn subscriptions_add_balances_to_the_table() {
    let folder = folder();
    let list = "position_subscriptions = [\"wallet:BaseToken:USDT\", \"okx:Transit:USDT\", \
                \"binance:BaseToken:USDT\", \"binance:BaseToken:BTC\"]\n";
    let config = read(&format!("{list}{SMALL}"), &[], folder.path()).unwrap();
    let keys = config.position_subscriptions.as_ref().unwrap();
    let texts: Vec<&str> = keys.iter().map(model::key::PositionKey::as_str).collect();
    let expected = [
        "binance:BaseToken:BTC",
        "binance:BaseToken:USDT",
        "okx:Transit:USDT",
        "wallet:BaseToken:USDT",
    ];
    assert_eq!(texts, expected);
    assert_eq!(config.instruments.keys().count(), 4);
    let again = read(&config.resolved().to_string(), &[], folder.path()).unwrap();
    assert_eq!(again.position_subscriptions, config.position_subscriptions);
    assert_eq!(read(SMALL, &[], folder.path()).unwrap().position_subscriptions, None);
}

#[test]
fn terms_must_not_change_within_a_run() {
    let text = small("binance:spot:BTCUSDT", "binance:perp:BTCUSDT");
    check(
        &format!("start = 2023-11-01\nend = 2023-12-01\n{text}"),
        &expect![[r#"
        error[CFG-TERMS-CHANGE]: data.of: found `binance:perp:BTCUSDT`, whose terms change at 2023-11-02T10:00:00Z, within the run
         --> run.toml:7:6
          |
        7 | of = "binance:perp:BTCUSDT"
          |      ^^^^^^^^^^^^^^^^^^^^^^ expected a window in which tick, lot and minimums stay as they are
          |
          = help: declare it in [[instruments]] to fix its terms, or end the run before
        exit code 78
    "#]],
    );
    let folder = folder();
    for (start, least) in [("2023-11-03", "100"), ("2023-10-01", "5")] {
        let window = format!("start = {start}\nend = \"{}\"\n", &format!("{start}T00:00:00Z"));
        let window = window.replace(&format!("end = \"{start}T0"), &format!("end = \"{start}T2"));
        let config = read(&format!("{window}{text}"), &[], folder.path()).unwrap();
        let (_, entry) = config.instruments.instruments().next().unwrap();
        assert_eq!(entry.min_notional, least.parse().unwrap());
    }
    let fixed = "[[instruments]]\nid = \"binance:perp:BTCUSDT\"\n";
    let config = read(&format!("start = 2023-11-01\n{text}{fixed}"), &[], folder.path());
    let config = config.unwrap();
    let perp = config.instrument_entries[0].perp.as_ref().unwrap();
    assert_eq!(perp.tiers_at(config.start).len(), 10);
}
