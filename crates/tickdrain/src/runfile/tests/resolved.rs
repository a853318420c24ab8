//! The resolved run file.

use std::fs;
use std::path::Path;

use expect_test::expect;
use model::Decimal;
use model::instrument::InstrumentIx;
use model::money::Bps;
use venues::fees::MakerTaker;

use super::{SMALL, folder, read};
use crate::runfile::config::RunConfig;
use crate::runfile::venues::TariffConfig;

/// A run file that leaves little to defaults.
pub(super) const LARGE: &str = r#"
name = "two of them"
share_class = "USDT"
start = 2024-01-01
end = "2024-06-01T00:00:00+02:00"
interval = "4h"
align = "inner"
warmup = 100
seed = 7

[initial]
"binance:BaseToken:USDT" = 1e4
"binance:BaseToken:BTC" = 0.1
"wallet:BaseToken:USDT" = "0"

[[instruments]]
id = "binance:spot:BTCUSDT"
lot = 0.1

[[instruments]]
id = "binance:perp:SOLUSDT"
base = "SOL"
quote = "USDT"

[[data]]
of = "binance:spot:ETHUSDT"
path = "eth.csv"
time = "close"
interval = "1h"
time_unit = "s"
columns = { open = "o", volume = "v" }
gaps = "synthetic"

[[data]]
of = "binance:spot:BTCUSDT"
path = ["btc.parquet", "btc-2.parquet"]
interval = "4h"

[venues.binance]
taker_bps = 7.5

[venues.attic]
kind = "wallet"

[execution]
slippage = { model = "fixed", bps = 2 }

[[strategy]]
kind = "sma_cross"
instruments = ["binance:spot:ETHUSDT", "binance:spot:BTCUSDT"]
size = 0.5

[[strategy]]
kind = "sma_cross"
instruments = "binance:spot:BTCUSDT"
fast = 2
slow = 3
size = "12.5 %"

[[strategy]]
kind = "scripted"
id = "by hand"
orders = "good.csv"

[audit]
level = "off"
"#;

#[test]
fn the_smallest_run_file_has_every_default_written_out() {
    let folder = folder();
    let config = read(SMALL, &[], folder.path()).unwrap();
    let root = folder.path().canonicalize().unwrap();
    let shown = config.resolved().to_string().replace(root.to_str().unwrap(), "/runs");
    expect![[r#"
        name = "run"
        share_class = "USDT"
        peg = "fixed"
        interval = "1h"
        align = "outer"
        warmup = 0
        seed = 0

        [initial]
        "binance:BaseToken:USDT" = "10000"

        [[data]]
        kind = "candles"
        of = "binance:spot:BTCUSDT"
        path = "/runs/btc.parquet"
        time = "open"
        interval = "1h"
        gaps = "error"

        [venues.binance]
        kind = "cex"
        maker_bps = "10"
        taker_bps = "10"
        allow_negative = false
        liquidation_fee_in_mmr = false
        liquidation_fee_bps = "50"
        fee_in = "quote"
        leverage = "1"
        margin = "cross"
        require_funding = false
        margin_pnl_enabled = false

        [execution]
        fill = "next_open"
        participation_bps = "0"
        market_carry = true
        clip_to_bar = false
        path = "pessimistic"
        touch_fills = false
        conservative_gaps = true
        latency_bars = 0
        latency = "0s"
        on_failed_order = "abort_run"
        real_source = "simulator_ledger"
        exit_at_end = false

        [execution.slippage]
        model = "none"

        [transfers]
        instant_transfers = false
        delay = "15m"
        gas_units = 65000

        [strategy]
        kind = "sma_cross"
        id = "sma_cross"
        instruments = ["binance:spot:BTCUSDT"]
        fast = 10
        slow = 30
        band = "0"
        size = "100%"
        direction = "long"
        verbose = false

        [risk]
        reset_frames = 3
        hysteresis = "0.05"
        max_leg_delta = "0.5"
        on_critical = "emergency_plan"
        max_drawdown = "off"

        [risk.health_factor]
        warn = "1.25"
        reduce_only = "1.15"
        critical = "1.1"

        [risk.ltv_ratio]
        target = "0.65"
        warn = "0.7"
        reduce_only = "0.75"
        critical = "0.8"
        liquidation_threshold = "0.95"

        [risk.cex_margin_ratio]
        target = "0.25"
        warn = "0.2"
        reduce_only = "0.17"
        critical = "0.15"
        band_low = "0.2"
        band_high = "0.35"

        [risk.mm_usage]
        warn = "0.5"
        reduce_only = "0.65"
        critical = "0.8"

        [risk.delta_risk]
        target = "0"
        warn = "0.005"
        reduce_only = "0.02"
        critical = "0.05"

        [risk.peg_risk]
        target = "0"
        warn = "0.01"
        reduce_only = "0.0225"
        critical = "0.04"

        [risk.funding_risk]
        warn = "0"
        reduce_only = "-0.00005"
        critical = "off"

        [risk.drawdown]
        warn = "off"
        reduce_only = "off"
        critical = "off"

        [risk.concentration]
        warn = "0.5"
        reduce_only = "0.7"
        critical = "off"

        [risk.data_staleness]
        warn = "1"
        reduce_only = "3"
        critical = "6"

        [pnl]
        attribution_types = ["supply_yield", "staking_yield_oracle", "staking_yield_rewards", "borrow_costs", "funding_pnl", "delta_pnl", "basis_pnl", "transaction_costs", "gap_pnl", "peg_pnl", "liquidation_pnl", "dust_pnl", "correction"]
        strict = true

        [audit]
        level = "full"

        [results]
        every_frame = false

        [engine]
        read_ahead = 4
        batch_rows = 4096
        max_events_per_tick = 100000
        max_cycles_per_tick = 1000
    "#]]
    .assert_eq(&shown);
}

#[test]
fn the_semantic_part_has_no_name_no_path_and_no_output_option() {
    let folder = folder();
    let config = read(LARGE, &[], folder.path()).unwrap();
    expect![[r#"
        align = "inner"
        end = "2024-05-31T22:00:00Z"
        interval = "4h"
        peg = "fixed"
        seed = 7
        share_class = "USDT"
        start = "2024-01-01T00:00:00Z"
        warmup = 100

        [[data]]
        gaps = "synthetic"
        interval = "1h"
        kind = "candles"
        of = "binance:spot:ETHUSDT"
        time = "close"
        time_unit = "s"

        [data.columns]
        open = "o"
        volume = "v"

        [[data]]
        gaps = "error"
        interval = "4h"
        kind = "candles"
        of = "binance:spot:BTCUSDT"
        time = "open"

        [execution]
        clip_to_bar = false
        conservative_gaps = true
        exit_at_end = false
        fill = "next_open"
        latency = "0s"
        latency_bars = 0
        market_carry = true
        on_failed_order = "abort_run"
        participation_bps = "0"
        path = "pessimistic"
        real_source = "simulator_ledger"
        touch_fills = false

        [execution.slippage]
        bps = "2"
        model = "fixed"

        [initial]
        "binance:BaseToken:BTC" = "0.1"
        "binance:BaseToken:USDT" = "10000"
        "wallet:BaseToken:USDT" = "0"

        [[instruments]]
        base = "BTC"
        id = "binance:spot:BTCUSDT"
        lot = "0.1"
        min_notional = "5"
        min_qty = "0.00001"
        quote = "USDT"
        tick = "0.01"
        trading = true

        [[instruments]]
        base = "SOL"
        contract = "linear"
        contract_size = "1"
        funding_interval = "8h"
        id = "binance:perp:SOLUSDT"
        lot = "0.00000001"
        min_notional = "0"
        min_qty = "0"
        quote = "USDT"
        settle = "USDT"
        tick = "0.00000001"
        trading = true

        [pnl]
        attribution_types = ["supply_yield", "staking_yield_oracle", "staking_yield_rewards", "borrow_costs", "funding_pnl", "delta_pnl", "basis_pnl", "transaction_costs", "gap_pnl", "peg_pnl", "liquidation_pnl", "dust_pnl", "correction"]
        strict = true

        [risk]
        hysteresis = "0.05"
        max_drawdown = "off"
        max_leg_delta = "0.5"
        on_critical = "emergency_plan"
        reset_frames = 3

        [risk.cex_margin_ratio]
        band_high = "0.35"
        band_low = "0.2"
        critical = "0.15"
        reduce_only = "0.17"
        target = "0.25"
        warn = "0.2"

        [risk.concentration]
        critical = "off"
        reduce_only = "0.7"
        warn = "0.5"

        [risk.data_staleness]
        critical = "6"
        reduce_only = "3"
        warn = "1"

        [risk.delta_risk]
        critical = "0.05"
        reduce_only = "0.02"
        target = "0"
        warn = "0.005"

        [risk.drawdown]
        critical = "off"
        reduce_only = "off"
        warn = "off"

        [risk.funding_risk]
        critical = "off"
        reduce_only = "-0.00005"
        warn = "0"

        [risk.health_factor]
        critical = "1.1"
        reduce_only = "1.15"
        warn = "1.25"

        [risk.ltv_ratio]
        critical = "0.8"
        liquidation_threshold = "0.95"
        reduce_only = "0.75"
        target = "0.65"
        warn = "0.7"

        [risk.mm_usage]
        critical = "0.8"
        reduce_only = "0.65"
        warn = "0.5"

        [risk.peg_risk]
        critical = "0.04"
        reduce_only = "0.0225"
        target = "0"
        warn = "0.01"

        [[strategy]]
        band = "0"
        direction = "long"
        fast = 10
        id = "sma_cross"
        instruments = ["binance:spot:ETHUSDT", "binance:spot:BTCUSDT"]
        kind = "sma_cross"
        size = "0.5"
        slow = 30
        verbose = false

        [[strategy]]
        band = "0"
        direction = "long"
        fast = 2
        id = "sma_cross-2"
        instruments = ["binance:spot:BTCUSDT"]
        kind = "sma_cross"
        size = "12.5%"
        slow = 3
        verbose = false

        [[strategy]]
        id = "by hand"
        kind = "scripted"
        orders = "blake3:fc587ff8d6a46afbffc88d0caba1a3256f8301fc9c4b2cc648bcd6136b34a9c7"

        [transfers]
        delay = "15m"
        gas_units = 65000
        instant_transfers = false

        [venues.attic]
        kind = "wallet"

        [venues.binance]
        allow_negative = false
        fee_in = "quote"
        kind = "cex"
        leverage = "1"
        liquidation_fee_bps = "50"
        liquidation_fee_in_mmr = false
        margin = "cross"
        margin_pnl_enabled = false
        require_funding = false
        taker_bps = "7.5"
    "#]]
    .assert_eq(&config.semantic_toml());
}

#[test]
fn a_resolved_file_resolves_to_itself() {
    let folder = folder();
    for text in [SMALL, LARGE] {
        let config = read(text, &[], folder.path()).unwrap();
        let resolved = config.resolved().to_string();
        let again = read(&resolved, &[], Path::new("/elsewhere")).unwrap();
        assert_eq!(again.resolved().to_string(), resolved);
        assert_eq!(again.semantic_toml(), config.semantic_toml());
        assert_eq!(again.strategies, config.strategies);
        assert_eq!(again.initial, config.initial);
        assert_eq!(again.venues, config.venues);
        assert_eq!(again.execution, config.execution);
        let listed = |config: &RunConfig| {
            config.instruments.instruments().map(|(_, entry)| entry.clone()).collect::<Vec<_>>()
        };
        assert_eq!(listed(&again), listed(&config));
    }
}

#[test]
fn instruments_stand_in_the_order_of_their_data() {
    let folder = folder();
    let config = read(LARGE, &[], folder.path()).unwrap();
    let ids: Vec<String> =
        config.instruments.instruments().map(|(_, entry)| entry.id.to_string()).collect();
    assert_eq!(ids, ["binance:spot:ETHUSDT", "binance:spot:BTCUSDT", "binance:perp:SOLUSDT"]);
    let btc = config.instruments.instrument(InstrumentIx(1));
    assert_eq!(btc.lot, Decimal::new(1, 1), "the run file wins");
    assert_eq!(btc.tick, Decimal::new(1, 2), "the registry has the rest");
    let rates = MakerTaker::flat(Bps(Decimal::TEN), Bps(Decimal::new(75, 1)));
    assert_eq!(config.venues.tariff(&btc.id), TariffConfig::MakerTaker(rates));
    assert_eq!(config.strategies.len(), 3);
    assert_eq!(config.strategies[1].id, "sma_cross-2");
    assert!(config.instruments.keys().any(|(_, key)| key.as_str() == "wallet:BaseToken:USDT"));
}

#[test]
fn what_has_no_effect_is_not_semantic() {
    let folder = folder();
    let semantic =
        |overrides: &[&str]| read(SMALL, overrides, folder.path()).unwrap().semantic_toml();
    for without in [
        "name=other",
        "data.path=btc-2.parquet",
        "audit.level=off",
        "engine.batch_rows=7",
        "interval=60m",
        "initial.\"binance:BaseToken:USDT\"=\"10000.00\"",
        "strategy.size=\"100.0%\"",
    ] {
        assert_eq!(semantic(&[without]), semantic(&[]), "{without}");
    }
    for with in ["seed=1", "strategy.fast=9", "interval=2h", "venues.binance.taker_bps=1"] {
        assert_ne!(semantic(&[with]), semantic(&[]), "{with}");
    }
}

#[test]
fn a_run_file_is_named_after_its_file_and_read_relative_to_it() {
    let folder = folder();
    let path = folder.path().join("my-run.toml");
    fs::write(&path, SMALL).unwrap();
    let config = RunConfig::load(&path, &[], &super::catalog()).unwrap();
    assert_eq!(config.name, "my-run");
    assert_eq!(config.data[0].paths, [folder.path().canonicalize().unwrap().join("btc.parquet")]);
    assert_eq!(config.build_strategies(&super::catalog()).unwrap().len(), 1);
}
