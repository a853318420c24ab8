use std::fmt::Write;

use expect_test::expect;
use model::Decimal;
use model::handshake::HandshakeStatus;
use proptest::prelude::*;

use super::scenario::{KEYS, Scenario, decimal, key, market, shown};
use crate::on_chain::{ChainSettings, MarketScript};

const WALLET: [(&str, &str); 2] = [("wallet:BaseToken:ETH", "1"), ("wallet:BaseToken:WETH", "10")];

/// 06 §8.5: E 10, L 0.9, φ 0: F 90.
const ENTRY: &str = "
    flash_borrow morpho WETH 90
    stake etherfi WETH 100
    supply aave_v3 weETH max
    borrow aave_v3 WETH 90
    flash_repay morpho WETH 90";

const EXIT: &str = "
    flash_borrow morpho WETH 90
    repay aave_v3 WETH max
    withdraw aave_v3 weETH max
    swap uniswap weETH max -> WETH >= 99.75
    flash_repay morpho WETH 90";

fn with_flash_fee(fee: &'static str) -> impl FnOnce(&mut ChainSettings) {
    move |settings| settings.protocols.flash[0].fee = decimal(fee)
}

#[test]
fn a_leveraged_position_is_entered_and_left_in_two_groups() {
    let mut scenario = Scenario::new(&WALLET);
    let mut text = shown(&scenario.group(ENTRY));
    text += &shown(&scenario.group(EXIT));
    expect![[r#"
        confirmed gas 1250000
          wallet:BaseToken:WETH -10
          aave_v3:aToken:aweETH +100
          aave_v3:debtToken:debtWETH +90
          wallet:BaseToken:ETH -0.0125
        confirmed gas 850000
          wallet:BaseToken:WETH +9.75
          aave_v3:debtToken:debtWETH -90
          aave_v3:aToken:aweETH -100
          wallet:BaseToken:ETH -0.0085
    "#]]
    .assert_eq(&text);
}

/// 02 §3.6 item 6.
#[test]
fn a_group_that_fails_leaves_its_gas_and_nothing_else() {
    let spike = |settings: &mut ChainSettings| {
        settings.max_gas_eth = Some(decimal("0.02"));
        settings.script = MarketScript::constant(model_market("844"));
    };
    let cases: [(&str, Scenario, String); 8] = [
        (
            "step 1 fails",
            Scenario::new(&WALLET),
            ENTRY.replace("flash_borrow morpho WETH 90", "flash_borrow aave_v3 WETH 90"),
        ),
        (
            "last step fails",
            Scenario::new(&WALLET),
            ENTRY.replace("flash_repay morpho WETH 90", "flash_repay morpho WETH 90.1"),
        ),
        (
            "flash debt is left",
            Scenario::new(&WALLET),
            ENTRY.replace("flash_repay morpho WETH 90", "flash_repay morpho WETH 89"),
        ),
        (
            "flash fee is one wei short",
            Scenario::with(&WALLET, with_flash_fee("0.00000000000000000001")),
            ENTRY.to_owned(),
        ),
        (
            "loan-to-value",
            Scenario::new(&WALLET),
            ENTRY.replace("borrow aave_v3 WETH 90", "borrow aave_v3 WETH 90.000001"),
        ),
        (
            "slippage at tolerance + 1",
            Scenario::new(&[("wallet:BaseToken:ETH", "1"), ("etherfi:LST:weETH", "10")]),
            "swap uniswap weETH 10 -> WETH >= 9.975000000000000001".to_owned(),
        ),
        (
            "gas spike",
            Scenario::with(&WALLET, spike),
            "stake etherfi WETH 10\nsupply aave_v3 weETH 10".to_owned(),
        ),
        ("a member that takes time", Scenario::new(&WALLET), "unstake etherfi weETH 1".to_owned()),
    ];
    let mut text = String::new();
    for (name, mut scenario, group) in cases {
        let mut before = scenario.held();
        let handshake = scenario.group(&group);
        if let Some(gas) = handshake.gas {
            before[key("wallet:BaseToken:ETH").index()] -= gas.eth;
        }
        assert_eq!(scenario.held(), before, "{name}");
        write!(text, "{name}: {}", shown(&handshake)).unwrap();
    }
    expect![[r#"
        step 1 fails: rolled_back VEN-MARKET: no flash loan of aave_v3 and WETH gas 0
        last step fails: rolled_back VEN-BALANCE: more of morpho:FlashDebt:WETH than there is gas 865000
          wallet:BaseToken:ETH -0.00865
        flash debt is left: rolled_back VEN-FLASH-DEBT: 1 of morpho:FlashDebt:WETH is left gas 865000
          wallet:BaseToken:ETH -0.00865
        flash fee is one wei short: rolled_back VEN-BALANCE: more of wallet:BaseToken:WETH than there is gas 865000
          wallet:BaseToken:ETH -0.00865
        loan-to-value: rolled_back VEN-LTV: a debt of 270000.003, at most 270000 gas 810000
          wallet:BaseToken:ETH -0.0081
        slippage at tolerance + 1: rolled_back VEN-MIN-OUT: 9.9750 would come out, at least 9.975000000000000001 gas 235000
          wallet:BaseToken:ETH -0.00235
        gas spike: rolled_back VEN-GAS: gas of 0.43044 ETH, at most 0.02 gas 510000
          wallet:BaseToken:ETH -0.43044
        a member that takes time: rejected VEN-GROUP: a member that takes time
    "#]].assert_eq(&text);
}

fn model_market(gwei: &str) -> crate::on_chain::ChainMarket {
    crate::on_chain::ChainMarket { gas_gwei: decimal(gwei), ..market() }
}

#[test]
fn a_group_may_be_small_or_change_nothing_and_is_never_empty() {
    let mut scenario = Scenario::new(&[("wallet:BaseToken:ETH", "1"), ("etherfi:LST:weETH", "10")]);
    let mut text = String::new();
    for (name, group) in [
        ("empty", ""),
        ("one at tolerance", "swap uniswap weETH 10 -> WETH >= 9.975"),
        ("nets are zero", "flash_borrow morpho WETH 5\nflash_repay morpho WETH 5"),
        ("no index", "supply aave_v3 WETH 1"),
    ] {
        write!(text, "{name}: {}", shown(&scenario.group(group))).unwrap();
    }
    expect![[r#"
        empty: rejected VEN-GROUP: an atomic group without members
        one at tolerance: confirmed gas 235000
          etherfi:LST:weETH -10
          wallet:BaseToken:WETH +9.975
          wallet:BaseToken:ETH -0.00235
        nets are zero: confirmed gas 55000
          wallet:BaseToken:ETH -0.00055
        no index: rolled_back VEN-MARKET: no index of aave_v3 and WETH gas 305000
          wallet:BaseToken:ETH -0.00305
    "#]]
    .assert_eq(&text);
}

/// TL-71: the group fails at step k = 1..n and leaves positions as before, less the gas up to k.
#[test]
fn a_group_that_fails_at_any_step_is_undone() {
    let steps: Vec<&str> = ENTRY.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut spent = Decimal::ZERO;
    for place in 0..steps.len() {
        let mut scenario = Scenario::new(&WALLET);
        let mut lines: Vec<String> = steps.iter().map(ToString::to_string).collect();
        let amount = lines[place].rsplit(' ').next().unwrap().len();
        let kept = lines[place].len() - amount;
        lines[place].truncate(kept);
        lines[place] += "1000000000";
        if place == 0 {
            lines[0] = lines[0].replace("morpho", "nowhere");
        }
        let mut before = scenario.held();
        let handshake = scenario.group(&lines.join("\n"));
        assert_eq!(handshake.status, HandshakeStatus::RolledBack, "step {place}");
        assert_eq!(handshake.steps.len(), place + 1, "step {place}");
        let gas = handshake.gas.unwrap();
        assert!(gas.eth >= spent, "a later step costs no less");
        spent = gas.eth;
        before[0] -= gas.eth;
        assert_eq!(scenario.held(), before, "step {place}");
    }
}

proptest! {
    /// What a group says it changed is what its books changed by, and its values are conserved.
    #[test]
    fn the_books_change_by_the_deltas_and_values_are_conserved(
        picks in proptest::collection::vec((0usize..7, 1u32..2_000), 1..8),
    ) {
        let mut scenario = Scenario::new(&[
            ("wallet:BaseToken:ETH", "2"),
            ("wallet:BaseToken:WETH", "20"),
            ("etherfi:LST:weETH", "20"),
        ]);
        let lines: Vec<String> = picks.iter().map(|(pick, amount)| {
            let amount = Decimal::new(i64::from(*amount), 2);
            match pick {
                0 => format!("supply aave_v3 weETH {amount}"),
                1 => format!("withdraw aave_v3 weETH {amount}"),
                2 => format!("borrow aave_v3 WETH {amount}"),
                3 => format!("repay aave_v3 WETH {amount}"),
                4 => format!("stake etherfi WETH {amount}"),
                5 => format!("swap uniswap WETH {amount} -> weETH"),
                _ => "repay aave_v3 WETH max".to_owned(),
            }
        }).collect();
        let before = scenario.held();
        let handshake = scenario.group(&lines.join("\n"));
        let after = scenario.held();
        let mut expected = before;
        for delta in &handshake.deltas {
            expected[delta.key.index()] += delta.amount;
        }
        prop_assert_eq!(&expected, &after);
        // All prices, rates and indices are 1 in ETH and no swap in these groups costs anything.
        let sign = |place: usize| if KEYS[place].contains(":debtToken:") { -Decimal::ONE } else { Decimal::ONE };
        let value: Decimal = handshake.deltas.iter().map(|delta| delta.amount * sign(delta.key.index())).sum();
        let gas = handshake.gas.map_or(Decimal::ZERO, |gas| gas.eth);
        prop_assert_eq!(value, -gas);
        prop_assert!(after.iter().all(|amount| *amount >= Decimal::ZERO));
    }
}
