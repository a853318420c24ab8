//! The built-in registry, and what a registry must not say.

use model::Decimal;
use model::instrument::MarketType;
use model::key::PositionKey;

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn instrument(id: &str) -> &'static InstrumentEntry {
    Registry::built_in().instrument(&id.parse().unwrap()).unwrap()
}

#[test]
fn the_built_in_registry_is_whole() {
    let registry = Registry::built_in();
    for instrument in registry.instruments() {
        let venue = registry.venue(&instrument.id.venue);
        assert!(venue.is_some(), "{}", instrument.id);
        assert_eq!(instrument.perp.is_some(), instrument.id.market == MarketType::Perp);
        assert!(instrument.valid_from.is_some(), "{}", instrument.id);
        for asset in instrument.assets() {
            assert!(registry.asset(asset).is_some(), "{asset} of {}", instrument.id);
        }
    }
    for token in registry.tokens() {
        let venue = registry.venue(token.key.venue()).unwrap();
        assert!(venue.position_types().contains(&token.key.kind()), "{}", token.key);
        assert!(registry.asset(token.underlying()).is_some(), "{}", token.key);
    }
    assert!(registry.venue("wallet").is_some(), "initial holdings may be in a wallet");
}

#[test]
fn every_key_of_the_registry_round_trips() {
    let keys = Registry::built_in().keys();
    for key in &keys {
        assert_eq!(key.to_string().parse::<PositionKey>().as_ref(), Ok(key));
    }
    // The examples of specification 01 §2.3.
    for text in [
        "wallet:BaseToken:USDT",
        "binance:BaseToken:BTC",
        "binance:Perp:BTCUSDT",
        "bybit:Perp:ETHUSDT",
        "okx:BaseToken:USDT",
        "aave_v3:aToken:aUSDT",
        "aave_v3:aToken:aweETH",
        "aave_v3:debtToken:debtWETH",
        "etherfi:LST:weETH",
        "lido:LST:wstETH",
        "wallet:BaseToken:EIGEN",
        "lido:Claim:ETH.unstake",
        "binance:Transit:USDT",
    ] {
        assert!(keys.contains(&text.parse().unwrap()), "{text}");
    }
    let weeth = "wallet:BaseToken:weETH".parse().unwrap();
    assert!(!keys.contains(&weeth), "a token has one key, that of its issuer");
}

#[test]
fn symbols_are_looked_up_and_never_cut() {
    let registry = Registry::built_in();
    for (venue, symbol, base, quote, settle) in [
        ("binance", "1000PEPEUSDT", "1000PEPE", "USDT", Some("USDT")),
        ("binance", "ETHBTC", "ETH", "BTC", None),
        ("binance", "BTCUSD_PERP", "BTC", "USD", Some("BTC")),
        ("binance", "USDCUSDT", "USDC", "USDT", None),
        ("okx", "STETHETH", "stETH", "ETH", None),
    ] {
        let [entry] = registry.named(venue, symbol).collect::<Vec<_>>()[..] else {
            panic!("{symbol}")
        };
        assert_eq!((&*entry.base, &*entry.quote), (base, quote), "{symbol}");
        assert_eq!(entry.perp.as_ref().map(|perp| &*perp.settle), settle, "{symbol}");
    }
    let inverse = instrument("binance:perp:BTCUSD_PERP").perp.as_ref().unwrap();
    assert_eq!(inverse.contract, ContractKind::Inverse);
    assert_eq!(inverse.contract_size, Decimal::ONE_HUNDRED);
    let markets: Vec<MarketType> =
        registry.named("binance", "BTCUSDT").map(|entry| entry.id.market).collect();
    assert_eq!(markets, [MarketType::Spot, MarketType::Perp]);
}

#[test]
fn decimals_and_terms_are_those_of_the_specification() {
    let registry = Registry::built_in();
    for (asset, decimals) in
        [("USDT", 6), ("USDC", 6), ("WETH", 18), ("BTC", 8), ("WBTC", 8), ("KING", 18)]
    {
        assert_eq!(registry.asset(asset).unwrap().decimals, decimals, "{asset}");
    }
    assert_eq!(registry.asset("USDT").unwrap().smallest(), decimal("0.000001"));
    for (id, tick, lot, least) in [
        ("binance:perp:BTCUSDT", "0.1", "0.001", "100"),
        ("binance:perp:ETHUSDT", "0.01", "0.001", "20"),
        ("binance:spot:BTCUSDT", "0.01", "0.00001", "5"),
    ] {
        let entry = instrument(id).at(None);
        let [tick, lot, least] = [tick, lot, least].map(decimal);
        assert_eq!((entry.tick, entry.lot, entry.min_notional), (tick, lot, least), "{id}");
    }
    assert_eq!(registry.gas_units("supply"), Some(250_000));
    assert_eq!(registry.gas_units("atomic_entry"), Some(1_250_000));
    assert!(registry.venue("okx").unwrap().rules.liquidation_fee_in_mmr);
    assert_eq!(registry.venue("aave_v3").unwrap().flash_fee_bps, Some(decimal("5")));
}

#[test]
fn wrapped_ether_is_ether_and_wrapped_bitcoin_is_not_bitcoin() {
    let registry = Registry::built_in();
    assert_eq!(registry.asset_id("WETH"), registry.asset_id("ETH"));
    assert_ne!(registry.asset_id("WBTC"), registry.asset_id("BTC"));
    assert_eq!(registry.asset_id("weETH"), "weETH");
    assert_eq!(registry.issuer("weETH").unwrap().as_str(), "etherfi:LST:weETH");
    assert_eq!(registry.issuer("USDT"), None);
}

#[test]
fn a_run_takes_the_terms_of_its_start() {
    let entry = instrument("binance:perp:BTCUSDT");
    let least = |instant: &str| entry.at(Some(instant.parse().unwrap())).min_notional;
    assert_eq!(least("2023-11-02T09:59:59Z"), decimal("5"));
    assert_eq!(least("2023-11-02T10:00:00Z"), decimal("100"));
    let early = entry.at(Some("2022-01-01".parse().unwrap()));
    assert_eq!(early.changes.len(), 1, "what is still to come");
    assert_eq!(entry.at(None).changes, []);
}

#[test]
fn margin_tiers_are_continuous_and_dated() {
    let perp = instrument("binance:perp:BTCUSDT").perp.as_ref().unwrap();
    let tiers = perp.tiers_at(Some("2024-01-01".parse().unwrap()));
    let first: Vec<(Decimal, Decimal)> =
        tiers.iter().take(4).map(|tier| (tier.mmr, tier.amount)).collect();
    let expected = [("0.004", "0"), ("0.005", "50"), ("0.01", "1300"), ("0.025", "16300")];
    assert_eq!(first, expected.map(|(mmr, amount)| (decimal(mmr), decimal(amount))));
    assert_eq!(tiers.len(), 10);
    let leverages = [tiers[0].max_leverage(), tiers[7].max_leverage()];
    assert_eq!(leverages, ["125", "3"].map(|most| Some(decimal(most))));
    assert_eq!(perp.tiers_at(Some("2021-01-01".parse().unwrap())), [], "before the first date");
}

/// Codes and messages of the faults of one perpetual with these tiers.
fn tier_faults(tiers: &str) -> Vec<String> {
    let text = format!(
        "[[instrument]]\nid = \"a:perp:B\"\nbase = \"B\"\nquote = \"C\"\ntiers = [{tiers}]\n"
    );
    let Err(faults) = Registry::parse(&text) else { return Vec::new() };
    assert!(faults.iter().all(|fault| fault.code == "CFG-TIERS"), "{faults}");
    faults.iter().map(|fault| format!("{}; {}", fault.message(), fault.expected)).collect()
}

#[test]
fn tiers_that_no_venue_can_have_are_refused() {
    const SOUND: &str = "{ max_notional = 100, mmr = 0.01, imr = 0.02 }, { mmr = 0.05, imr = 0.1 }";
    for (tiers, fault) in [
        (SOUND, ""),
        ("{ mmr = 0.1, imr = 0.05 }", "a maintenance margin of 0.1 and an initial margin of 0.05"),
        ("{ mmr = 0.01, max_leverage = 100 }", "an initial margin of 0.01"),
        (
            "{ max_notional = 100, mmr = 0.02 }, { mmr = 0.01 }",
            "more than the tier before has, 0.02",
        ),
        ("{ max_notional = 100, mmr = 0.01 }, { max_notional = 50, mmr = 0.02 }", "has, 100"),
        ("{ mmr = 0.01 }, { mmr = 0.02 }", "has no bound"),
        (
            "{ max_notional = 100, mmr = 0.01 }, { min_notional = 200, mmr = 0.02 }",
            "200, which leaves a gap",
        ),
        (
            "{ max_notional = 100, mmr = 0.01 }, { min_notional = 50, mmr = 0.02 }",
            "50, which leaves an overlap",
        ),
        ("{ max_notional = 1000, mmr = 0.01 }, { mmr = 0.02, amount = 50 }", "jumps at 1000; 10"),
        ("{ max_notional = 1000, mmr = 0.01 }, { mmr = 0.02, amount = 10.5 }", ""),
        ("{ mmr = 0.01, imr = 0.02, max_leverage = 50 }", "both imr and max_leverage"),
    ] {
        let faults = tier_faults(tiers);
        assert_eq!(faults.len(), usize::from(!fault.is_empty()), "{tiers}: {faults:?}");
        assert!(faults.iter().all(|found| found.contains(fault)), "{tiers}: {faults:?}");
    }
}

#[test]
fn only_what_the_registry_says_is_hashed() {
    let hash = |text: &str| Registry::parse(text).unwrap().hash();
    let commented = format!("# a comment\n{BUILT_IN}");
    assert_eq!(hash(&commented), Registry::built_in().hash());
    for (from, to) in [
        ("_bps = \"10\"", "_bps = \"11\""),
        ("decimals = 6", "decimals = 7"),
        ("mmr = \"0.004\"", "mmr = \"0.003\""),
        ("rebasing = false", "rebasing = true"),
        ("stake = 150000", "stake = 150001"),
        ("valid_from = \"2023-11-02T10:00:00Z\"", "valid_from = \"2023-11-03T10:00:00Z\""),
    ] {
        assert!(BUILT_IN.contains(from), "{from}");
        let other = hash(&BUILT_IN.replacen(from, to, 1));
        assert_ne!(other, Registry::built_in().hash(), "{from}");
    }
}

#[test]
fn a_registry_with_faults_is_refused() {
    let twice = "[[instrument]]\nid = \"a:spot:B\"\nbase = \"B\"\nquote = \"C\"\n".repeat(2);
    let faults = Registry::parse(&twice).unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["CFG-INSTRUMENT"]);
}
