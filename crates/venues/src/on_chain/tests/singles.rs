use std::fmt::Write;

use expect_test::expect;

use super::scenario::{Scenario, at, shown};

#[test]
fn every_operation_changes_the_books() {
    let mut scenario =
        Scenario::new(&[("wallet:BaseToken:ETH", "20"), ("wallet:BaseToken:USDT", "100000")]);
    let mut text = String::new();
    for line in [
        "supply aave_v3 USDT 50000",
        "supply aave_v3 USDT 10000",
        "borrow aave_v3 WETH 5",
        "repay aave_v3 WETH 2",
        "repay aave_v3 WETH max",
        "withdraw aave_v3 USDT 10000",
        "withdraw aave_v3 USDT max",
        "stake etherfi ETH 10",
        "unstake etherfi weETH 4",
        "swap uniswap weETH 1 -> WETH >= 0.9975",
        "claim_reward etherfi KING max",
        "unwrap etherfi KING 2",
        "swap uniswap ETH max -> USDT",
    ] {
        write!(text, "{line}: {}", shown(&scenario.run(line))).unwrap();
    }
    expect![[r#"
        supply aave_v3 USDT 50000: confirmed gas 305000
          wallet:BaseToken:USDT -50000
          aave_v3:aToken:aUSDT +40000
          wallet:BaseToken:ETH -0.00305
        supply aave_v3 USDT 10000: confirmed gas 250000
          wallet:BaseToken:USDT -10000
          aave_v3:aToken:aUSDT +8000
          wallet:BaseToken:ETH -0.0025
        borrow aave_v3 WETH 5: confirmed gas 300000
          aave_v3:debtToken:debtWETH +5
          wallet:BaseToken:WETH +5
          wallet:BaseToken:ETH -0.003
        repay aave_v3 WETH 2: confirmed gas 335000
          aave_v3:debtToken:debtWETH -2
          wallet:BaseToken:WETH -2
          wallet:BaseToken:ETH -0.00335
        repay aave_v3 WETH max: confirmed gas 280000
          aave_v3:debtToken:debtWETH -3
          wallet:BaseToken:WETH -3
          wallet:BaseToken:ETH -0.0028
        withdraw aave_v3 USDT 10000: confirmed gas 220000
          aave_v3:aToken:aUSDT -8000
          wallet:BaseToken:USDT +10000
          wallet:BaseToken:ETH -0.0022
        withdraw aave_v3 USDT max: confirmed gas 220000
          aave_v3:aToken:aUSDT -40000
          wallet:BaseToken:USDT +50000
          wallet:BaseToken:ETH -0.0022
        stake etherfi ETH 10: confirmed gas 150000
          wallet:BaseToken:ETH -10
          etherfi:LST:weETH +10
          wallet:BaseToken:ETH -0.0015
        unstake etherfi weETH 4: confirmed gas 255000
          etherfi:LST:weETH -4
          etherfi:Claim:ETH.unstake +4 until 604800000
          wallet:BaseToken:ETH -0.00255
        swap uniswap weETH 1 -> WETH >= 0.9975: confirmed gas 235000
          etherfi:LST:weETH -1
          wallet:BaseToken:WETH +0.9975
          wallet:BaseToken:ETH -0.00235
        claim_reward etherfi KING max: confirmed gas 150000
          wallet:BaseToken:KING +2
          wallet:BaseToken:ETH -0.0015
        unwrap etherfi KING 2: confirmed gas 150000
          wallet:BaseToken:KING -2
          wallet:BaseToken:EIGEN +1
          wallet:BaseToken:ETH -0.0015
        swap uniswap ETH max -> USDT: confirmed gas 180000
          wallet:BaseToken:ETH -9.9697
          wallet:BaseToken:USDT +29879.1909
          wallet:BaseToken:ETH -0.0018
    "#]]
    .assert_eq(&text);
    assert_eq!(scenario.chain.ledger().borrow().pending().len(), 1);
}

/// D76: what cannot succeed is rejected without gas and changes nothing.
#[test]
fn what_cannot_succeed_is_rejected_without_gas() {
    let mut text = String::new();
    for line in [
        "supply aave_v3 USDT 100000.000001",
        "supply aave_v3 USDT 0.0000001",
        "supply aave_v3 KING 1",
        "withdraw aave_v3 USDT 1",
        "borrow aave_v3 WETH 1",
        "borrow aave_v3 WETH 1001",
        "repay aave_v3 WETH 1",
        "swap uniswap ETH 1 -> USDT >= 2997.000001",
        "swap uniswap USDT 1 -> ETH",
        "flash_borrow morpho WETH 1",
        "stake lido ETH 1",
        "stake etherfi ETH 20",
    ] {
        let mut scenario =
            Scenario::new(&[("wallet:BaseToken:ETH", "20"), ("wallet:BaseToken:USDT", "100000")]);
        let before = scenario.held();
        let handshake = scenario.run(line);
        assert_eq!((handshake.deltas.len(), handshake.gas), (0, None), "{line}");
        assert_eq!(scenario.held(), before, "{line}");
        write!(text, "{line}: {}", shown(&handshake)).unwrap();
    }
    expect![[r#"
        supply aave_v3 USDT 100000.000001: rejected VEN-BALANCE: more of wallet:BaseToken:USDT than there is
        supply aave_v3 USDT 0.0000001: rejected VEN-AMOUNT: nothing is left of the amount after rounding, or 28 digits cannot hold what follows from it
        supply aave_v3 KING 1: rejected VEN-MARKET: no reserve of aave_v3 and KING
        withdraw aave_v3 USDT 1: rejected VEN-BALANCE: more of aave_v3:aToken:aUSDT than there is
        borrow aave_v3 WETH 1: rejected VEN-LTV: a debt of 3000, at most 0
        borrow aave_v3 WETH 1001: rejected VEN-LIQUIDITY: 1001 of WETH, the pool has 1000
        repay aave_v3 WETH 1: rejected VEN-AMOUNT: nothing is left of the amount after rounding, or 28 digits cannot hold what follows from it
        swap uniswap ETH 1 -> USDT >= 2997.000001: rejected VEN-MIN-OUT: 2997.000 would come out, at least 2997.000001
        swap uniswap USDT 1 -> ETH: rejected VEN-MARKET: no swap of USDT and ETH
        flash_borrow morpho WETH 1: rejected VEN-FLASH-DEBT: a flash loan outside an atomic group
        stake lido ETH 1: rejected VEN-MARKET: no staking of lido and ETH
        stake etherfi ETH 20: rejected VEN-BALANCE: more of wallet:BaseToken:ETH than there is
    "#]].assert_eq(&text);
}

#[test]
fn without_eth_for_its_gas_nothing_is_sent() {
    let mut scenario = Scenario::new(&[("wallet:BaseToken:USDT", "100")]);
    let text = shown(&scenario.run("supply aave_v3 USDT 1"));
    expect![[r#"
        rejected VEN-GAS: gas of 0.00305 ETH, more than there is
    "#]]
    .assert_eq(&text);
}

/// 02 §3.6: after a borrow the loan-to-value binds; a withdrawal may go down to a health factor of 1.
#[test]
fn a_health_factor_of_one_is_still_allowed() {
    let mut text = String::new();
    let lines = [
        "supply aave_v3 weETH 10",
        "borrow aave_v3 WETH 9.000000000000000001",
        "borrow aave_v3 WETH 9",
        "withdraw aave_v3 weETH 0.526315789473684211",
        "withdraw aave_v3 weETH 0.526315789473684210",
    ];
    let mut scenario = Scenario::new(&[("wallet:BaseToken:ETH", "1"), ("etherfi:LST:weETH", "10")]);
    for line in lines {
        write!(text, "{line}: {}", shown(&scenario.run(line))).unwrap();
    }
    expect![[r#"
        supply aave_v3 weETH 10: confirmed gas 305000
          etherfi:LST:weETH -10
          aave_v3:aToken:aweETH +10
          wallet:BaseToken:ETH -0.00305
        borrow aave_v3 WETH 9.000000000000000001: rejected VEN-LTV: a debt of 27000.000000000000003, at most 27000
        borrow aave_v3 WETH 9: confirmed gas 300000
          aave_v3:debtToken:debtWETH +9
          wallet:BaseToken:WETH +9
          wallet:BaseToken:ETH -0.003
        withdraw aave_v3 weETH 0.526315789473684211: rejected VEN-HEALTH: a debt of 27000 on 26999.99999999999999865
        withdraw aave_v3 weETH 0.526315789473684210: confirmed gas 220000
          aave_v3:aToken:aweETH -0.52631578947368421
          etherfi:LST:weETH +0.52631578947368421
          wallet:BaseToken:ETH -0.0022
    "#]].assert_eq(&text);
}

#[test]
fn an_operation_whose_deadline_has_passed_is_rejected_and_one_at_it_is_not() {
    let mut scenario =
        Scenario::new(&[("wallet:BaseToken:ETH", "20"), ("wallet:BaseToken:USDT", "100")]);
    let mut text = String::new();
    for ts in [4_999, 5_000, 5_001] {
        let mut order = scenario.order("supply aave_v3 USDT 1");
        order.request.deadline = Some(at(5_000));
        let before = scenario.held();
        let handshake = scenario.chain.execute(at(ts), &order);
        handshake.check().unwrap();
        assert_eq!(handshake.deltas.is_empty(), scenario.held() == before);
        write!(text, "{ts}: {}", shown(&handshake)).unwrap();
    }
    expect![[r#"
        4999: confirmed gas 305000
          wallet:BaseToken:USDT -1
          aave_v3:aToken:aUSDT +0.8
          wallet:BaseToken:ETH -0.00305
        5000: confirmed gas 250000
          wallet:BaseToken:USDT -1
          aave_v3:aToken:aUSDT +0.8
          wallet:BaseToken:ETH -0.0025
        5001: rejected VEN-DEADLINE: 1970-01-01T00:00:05.001Z is past the deadline
    "#]]
    .assert_eq(&text);
}
