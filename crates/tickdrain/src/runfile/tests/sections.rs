//! `[risk]`, `[pnl]`, `[transfers]`, and the keys of `[execution]` and venues that go with them.

use expect_test::expect;
use model::Decimal;
use model::time::Interval;

use execution::profile::FailedOrderPolicy;
use model::pnl::PnlComponent;
use model::risk::RiskType;

use super::{SMALL, check, folder, read};
use crate::runfile::config::Peg;
use crate::runfile::risk::{OnCritical, RiskMetric};
use crate::runfile::transfers::Hop;
use execution::execution_service::RealSourceKind as RealSource;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn the_ladder_has_the_levels_of_the_specification() {
    let folder = folder();
    let risk = read(SMALL, &[], folder.path()).unwrap().risk;
    for (metric, levels) in [
        (RiskMetric::HealthFactor, ["", "1.25", "1.15", "1.10"]),
        (RiskMetric::LtvRatio, ["0.65", "0.70", "0.75", "0.80"]),
        (RiskMetric::CexMarginRatio, ["0.25", "0.20", "0.17", "0.15"]),
        (RiskMetric::MmUsage, ["", "0.50", "0.65", "0.80"]),
        (RiskMetric::DeltaRisk, ["0", "0.005", "0.02", "0.05"]),
        (RiskMetric::PegRisk, ["0", "0.01", "0.0225", "0.04"]),
        (RiskMetric::FundingRisk, ["", "0", "-0.00005", ""]),
        (RiskMetric::Drawdown, ["", "", "", ""]),
        (RiskMetric::Concentration, ["", "0.5", "0.7", ""]),
        (RiskMetric::DataStaleness, ["", "1", "3", "6"]),
    ] {
        let ladder = risk.ladder(metric);
        let found = [ladder.target, ladder.warn, ladder.reduce_only, ladder.critical];
        assert_eq!(found, levels.map(|level| level.parse().ok()), "{metric:?}");
    }
    assert_eq!(risk.enabled_risk_types, None);
    assert_eq!(risk.margin_band, (decimal("0.2"), decimal("0.35")));
    assert_eq!((risk.reset_frames, risk.on_critical), (3, OnCritical::EmergencyPlan));
    assert_eq!((risk.hysteresis, risk.max_leg_delta), (decimal("0.05"), decimal("0.5")));
}

#[test]
fn sections_are_read_and_resolve_to_themselves() {
    let folder = folder();
    let text = format!(
        "peg = \"series\"\n{SMALL}{}",
        r#"
[execution]
on_failed_order = "abort_timestep"
real_source = "copy"

[risk]
enabled_risk_types = ["drawdown", "delta_risk"]
max_drawdown = 0.2
on_critical = "stop_run"
mm_usage = { critical = "off" }

[pnl]
attribution_types = ["funding_pnl", "delta_pnl"]
strict = false

[transfers]
delay = "20m"
routes = [
  { from = "wallet", to = "binance", fee = 1, delay = "1h" },
  { from = "binance", to = "wallet", asset = "USDT", fee = 3 },
]

[venues.okx]
liquidation_fee_in_mmr = false
"#
    );
    let config = read(&text, &[], folder.path()).unwrap();
    assert_eq!(config.peg, Peg::Series);
    assert_eq!(config.execution.on_failed_order, FailedOrderPolicy::AbortTimestep);
    assert_eq!(config.execution.real_source, RealSource::Copy);
    let risk = &config.risk;
    assert_eq!(
        risk.enabled_risk_types.as_deref(),
        Some(&[RiskType::DeltaRisk, RiskType::Drawdown][..])
    );
    let drawdown = risk.ladder(RiskMetric::Drawdown);
    assert_eq!(
        [drawdown.warn, drawdown.reduce_only, drawdown.critical],
        ["0.1", "0.15", "0.2"].map(|level| Some(decimal(level)))
    );
    assert_eq!(risk.ladder(RiskMetric::MmUsage).critical, None);
    assert_eq!(risk.on_critical, OnCritical::StopRun);
    let types = [PnlComponent::FundingPnl, PnlComponent::DeltaPnl];
    assert_eq!((config.pnl.attribution_types.as_slice(), config.pnl.strict), (&types[..], false));
    assert!(!config.venues.get("okx").unwrap().rules.liquidation_fee_in_mmr);
    let again = read(&config.resolved().to_string(), &[], folder.path()).unwrap();
    assert_eq!(again.resolved().to_string(), config.resolved().to_string());
    assert_eq!((again.risk, again.pnl), (config.risk, config.pnl));
    assert_eq!((again.transfers, again.peg), (config.transfers, config.peg));
}

#[test]
fn a_transfer_has_the_terms_of_its_route() {
    let folder = folder();
    let text = format!(
        "{SMALL}[transfers]\nroutes = [{{ from = \"wallet\", to = \"binance\", delay = \"1h\" }}, \
         {{ from = \"wallet\", to = \"binance\", asset = \"ETH\", fee = 0.01, delay = \"5m\" }}]\n"
    );
    let terms = |text: &str, from, to, asset, on_chain| {
        let transfers = read(text, &[], folder.path()).unwrap().transfers;
        let terms = transfers.terms(Hop { from, to, asset, on_chain });
        (terms.delay.map_or(0, Interval::millis) / 60_000, terms.fee, terms.gas_units)
    };
    let (free, fee) = (Decimal::ZERO, decimal("0.01"));
    assert_eq!(terms(&text, "wallet", "binance", "USDT", true), (60, free, 65_000));
    assert_eq!(terms(&text, "wallet", "binance", "ETH", true), (5, fee, 65_000));
    assert_eq!(terms(&text, "wallet", "okx", "ETH", true), (15, free, 65_000));
    assert_eq!(terms(&text, "okx", "wallet", "ETH", false), (15, free, 0));
    let instant = format!("{text}instant_transfers = true\n");
    assert_eq!(terms(&instant, "wallet", "binance", "ETH", true), (0, fee, 65_000));
}

#[test]
fn contradictions_in_sections_are_found() {
    check(
        &format!(
            "peg = \"float\"\n{SMALL}{}",
            r#"
[execution]
real_source = "simulated"

[risk]
enabled_risk_types = ["margin", "drawdown"]
reset_frames = 0
health_factor = { warn = 1.25, reduce_only = 1.3 }
ltv_ratio = { target = 0.7, warn = 0.7 }
cex_margin_ratio = { band_low = 0.3 }
delta_risk = { critical = "never" }

[pnl]
attribution_types = ["funding"]

[transfers]
routes = [
  { from = "wallet", to = "wallet" },
  { from = "aave", to = "aave_v3" },
  { from = "wallet" },
]
"#
        ),
        &expect![[r#"
            error[CFG-VALUE]: peg: found the string "float"
             --> run.toml:1:7
              |
            1 | peg = "float"
              |       ^^^^^^^ expected "fixed" or "series"

            error[CFG-VALUE]: execution.real_source: found the string "simulated"
              --> run.toml:13:15
               |
            13 | real_source = "simulated"
               |               ^^^^^^^^^^^ expected "simulator_ledger" or "copy"

            error[CFG-VALUE]: risk.enabled_risk_types: found the string "margin"
              --> run.toml:16:23
               |
            16 | enabled_risk_types = ["margin", "drawdown"]
               |                       ^^^^^^^^ expected "health_factor", "ltv_ratio", "liquidation_threshold", "cex_margin_ratio", "liq_price", "delta_risk", "funding_risk", "basis_risk", "peg_risk", "leverage", "concentration", "liquidity_risk", "drawdown" or "data_staleness"

            error[CFG-VALUE]: risk.reset_frames: found the integer 0
              --> run.toml:17:16
               |
            17 | reset_frames = 0
               |                ^ expected a whole number from 1 to 1000000

            error[CFG-RISK-LADDER]: risk.health_factor.reduce_only: found 1.3
              --> run.toml:18:46
               |
            18 | health_factor = { warn = 1.25, reduce_only = 1.3 }
               |                                              ^^^ expected less than warn, 1.25

            error[CFG-RISK-LADDER]: risk.ltv_ratio.warn: found 0.7
              --> run.toml:19:36
               |
            19 | ltv_ratio = { target = 0.7, warn = 0.7 }
               |                                    ^^^ expected more than target, 0.7

            error[CFG-RISK-LADDER]: risk.cex_margin_ratio.band_high: found a band from 0.3 to 0.35
              --> run.toml:20:20
               |
            20 | cex_margin_ratio = { band_low = 0.3 }
               |                    ^^^^^^^^^^^^^^^^^^ expected a band around the target

            error[CFG-VALUE]: risk.delta_risk.critical: found the string "never"
              --> run.toml:21:27
               |
            21 | delta_risk = { critical = "never" }
               |                           ^^^^^^^ expected a decimal from 0 to 1000000, or "off"

            error[CFG-VALUE]: pnl.attribution_types: found the string "funding"
              --> run.toml:24:22
               |
            24 | attribution_types = ["funding"]
               |                      ^^^^^^^^^ expected "supply_yield", "staking_yield_oracle", "staking_yield_rewards", "borrow_costs", "funding_pnl", "delta_pnl", "basis_pnl", "transaction_costs", "gap_pnl", "peg_pnl", "liquidation_pnl", "dust_pnl" or "correction"

            error[CFG-VALUE]: transfers.routes.0.to: found `wallet`, where it leaves
              --> run.toml:28:27
               |
            28 |   { from = "wallet", to = "wallet" },
               |                           ^^^^^^^^ expected another venue

            error[CFG-VENUE]: transfers.routes.1.from: found the unknown venue `aave`
              --> run.toml:29:12
               |
            29 |   { from = "aave", to = "aave_v3" },
               |            ^^^^^^ expected a venue of the registry, or one with kind = "cex" (or dex, lending, staking, wallet) in [venues]
               |
               = help: name the version: `aave_v3`

            error[CFG-VENUE]: transfers.routes.1.to: found `aave_v3`, of kind lending
              --> run.toml:29:25
               |
            29 |   { from = "aave", to = "aave_v3" },
               |                         ^^^^^^^^^ expected a wallet or an exchange

            error[CFG-MISSING]: transfers.routes.2.to is missing
              --> run.toml:30:3
               |
            30 |   { from = "wallet" },
               |   ^^^^^^^^^^^^^^^^^^^ expected a string: the name of a venue

            13 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn a_target_beyond_what_the_health_factor_allows_is_refused() {
    // e-mode .95: at most .76; standard weETH .80: at most .64 (specification 04 §6.2).
    let folder = folder();
    let fits = |threshold: &str, target: &str| {
        let ladder = "warn = 0.9, reduce_only = 0.91, critical = 0.92";
        let text = format!(
            "{SMALL}[risk]\nltv_ratio = {{ target = {target}, liquidation_threshold = {threshold}, {ladder} }}\n"
        );
        match read(&text, &[], folder.path()) {
            Ok(_) => true,
            Err(faults) => {
                assert!(faults.iter().all(|fault| fault.code == "CFG-RISK-TARGET"), "{faults}");
                false
            }
        }
    };
    assert!(fits("0.95", "0.76") && !fits("0.95", "0.7601"));
    assert!(fits("0.8", "0.64") && !fits("0.8", "0.65"));
}
