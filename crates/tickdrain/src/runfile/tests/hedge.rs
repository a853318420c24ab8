//! Allocations and target LTVs of strategies, and everything that `check` finds at once.

use expect_test::expect;
use model::Decimal;
use model::frame::MarketView;
use model::parameter::{ParameterError, ParameterKind, ParameterSpec};
use model::snapshot::AccountSnapshot;
use model::strategy::{Decision, OrderDesk, Strategy, StrategyError, StrategyKind, StrategySetup};

use super::folder;
use crate::catalog::Catalog;
use crate::runfile::config::RunConfig;
use crate::runfile::fault::Faults;

/// Divides a hedge among venues, and does nothing with it.
struct Hedge;

impl Strategy for Hedge {
    fn decide(
        &mut self,
        _market: MarketView<'_>,
        _account: &AccountSnapshot,
        _orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        Ok(Decision::HOLD)
    }
}

impl StrategyKind for Hedge {
    const SUMMARY: &'static str = "Hedges.";
    const NEEDS_FUNDING: bool = true;

    fn parameters() -> &'static [ParameterSpec] {
        const {
            &[
                ParameterSpec {
                    name: "hedge_allocation",
                    kind: ParameterKind::Allocation,
                    unit: "",
                    default: Some("{ binance = 0.4, bybit = 0.3, okx = 0.3 }"),
                    doc: "",
                },
                ParameterSpec {
                    name: "target_ltv",
                    kind: ParameterKind::Decimal { min: Decimal::ZERO, max: Decimal::ONE },
                    unit: "",
                    default: Some("0.65"),
                    doc: "",
                },
            ]
        }
    }

    fn build(_setup: &StrategySetup<'_>) -> Result<Self, ParameterError> {
        Ok(Self)
    }
}

fn read(text: &str) -> Result<RunConfig, Faults> {
    let mut catalog = Catalog::new();
    catalog.register::<Hedge>("hedge");
    RunConfig::from_str("run.toml", text, folder().path(), &[], &catalog)
}

/// A spot instrument and its hedge; `kind` and the rest of the strategy go last.
const HEDGED: &str = r#"share_class = "USDT"
initial = { "binance:BaseToken:USDT" = 10_000 }

[[data]]
of = "binance:spot:BTCUSDT"
path = "btc.parquet"

[strategy]
kind = "hedge"
"#;

#[test]
fn an_allocation_is_read_written_and_defaulted() {
    let of = |text: &str| {
        let config = read(text).unwrap();
        let again = read(&config.resolved().to_string().replace("/runs", "")).err();
        let shares = config.strategies[0].parameters.allocation("hedge_allocation").clone();
        let shares: Vec<String> =
            shares.iter().map(|(venue, share)| format!("{venue} {share}")).collect();
        // The folder is gone by now, and with it only the files.
        assert!(again.is_none_or(|faults| faults.iter().all(|fault| fault.code == "CFG-FILE")));
        shares.join(", ")
    };
    assert_eq!(of(HEDGED), "binance 0.4, bybit 0.3, okx 0.3");
    let own = format!("{HEDGED}hedge_allocation = {{ okx = \"0.25\", binance = 0.75 }}\n");
    assert_eq!(of(&own), "binance 0.75, okx 0.25");
}

#[test]
fn an_allocation_that_leaves_something_over_is_refused() {
    for (shares, code) in [
        ("{ binance = 0.5, okx = 0.4 }", "CFG-ALLOCATION"),
        ("{ binance = 0.5, okx = 0.500000000000000001 }", "CFG-ALLOCATION"),
        ("{}", "CFG-ALLOCATION"),
        ("{ binance = 1.5, okx = -0.5 }", "CFG-VALUE"),
        ("{ binance = \"half\", okx = 0.5 }", "CFG-VALUE"),
        ("{ binanse = 1 }", "CFG-VENUE"),
        ("[0.5, 0.5]", "CFG-VALUE"),
    ] {
        let faults = read(&format!("{HEDGED}hedge_allocation = {shares}\n")).unwrap_err();
        assert!(faults.iter().all(|fault| fault.code == code), "{shares}: {faults}");
    }
}

#[test]
fn a_target_ltv_is_judged_by_the_ladder() {
    let faults = |extra: &str| match read(&format!("{HEDGED}{extra}")) {
        Ok(_) => String::new(),
        Err(faults) => {
            let shown = faults.iter().map(|fault| format!("{}; {}", fault.found, fault.expected));
            shown.collect::<Vec<_>>().join("\n")
        }
    };
    assert_eq!(faults("target_ltv = 0.69\n"), "");
    assert_eq!(faults("target_ltv = 0.9094\n"), "0.9094; less than ltv_ratio.warn, 0.7");
    assert_eq!(
        faults(
            "target_ltv = 0.66\n[risk]\nltv_ratio = { target = 0.6, liquidation_threshold = 0.8 }\n"
        ),
        "0.66, a health factor of 1.2121 at a threshold of 0.8; at most 0.64, so that \
         health_factor.warn, 1.25, is not reached"
    );
}

#[test]
fn perpetuals_without_funding_are_odd_and_for_some_wrong() {
    let perp = "[[data]]\nof = \"binance:perp:BTCUSDT\"\npath = \"perp.parquet\"\n";
    let text = HEDGED.replace("[strategy]", &format!("{perp}[strategy]"));
    let faults = read(&text).unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["CFG-DATA-SETTLEMENT"]);
    let folder = folder();
    let plain = text.replace("\"hedge\"", "\"scripted\"\norders = \"good.csv\"");
    let config = super::read(&plain, &[], folder.path()).unwrap();
    let shown = config.warnings.render(false);
    expect![[r#"
        warning[CFG-DATA-SETTLEMENT]: data.1.of: found `binance:perp:BTCUSDT` without funding data: positions in it pay and earn none
         --> run.toml:9:6
          |
        9 | of = "binance:perp:BTCUSDT"
          |      ^^^^^^^^^^^^^^^^^^^^^^ expected [[data]] with kind = "funding" of `binance:perp:BTCUSDT`"#]].assert_eq(&shown);
    let required = format!("{plain}[venues.binance]\nrequire_funding = true\n");
    let faults = super::read(&required, &[], folder.path()).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(faults.to_string().contains("venues.binance.require_funding"), "{faults}");
}

#[test]
fn everything_that_is_missing_is_found_before_the_first_frame() {
    let shown = read(
        r#"
share_class = "USDT"
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
path = "btc.parquet"
[[data]]
of = "binance:perp:BTCUSDT"
path = "perp.parquet"

[strategy]
kind = "hedge"
hedge_allocation = { binance = 0.5, okx = 0.4 }
"#,
    )
    .unwrap_err();
    let mut lines: Vec<String> =
        shown.iter().map(|fault| format!("{}: {}", fault.code, fault.message())).collect();
    lines.push(String::new());
    expect![[r#"
        CFG-KEY-VENUE: position_subscriptions: found the unknown venue `kraken`
        CFG-PRICE-PATH: position_subscriptions: found `okx:BaseToken:ETH`, whose ETH nothing in the run prices in USDT
        CFG-KEY-UNDECLARED: initial."bybit:BaseToken:USDT": found `bybit:BaseToken:USDT`, which is not subscribed
        CFG-TIERS: instruments.tiers.0.mmr: found a maintenance margin of 0.1 and an initial margin of 0.05
        CFG-TIERS: instruments.tiers.1.min_notional: found 60000, which leaves a gap
        CFG-TIERS: instruments.tiers.1.mmr: found 0.1
        CFG-DATA-SETTLEMENT: data.1.of: found `binance:perp:BTCUSDT` without funding data: positions in it pay and earn none
        CFG-ALLOCATION: strategy.hedge_allocation: found shares that add up to 0.9
    "#]].assert_eq(&lines.join("\n"));
}
