use expect_test::expect;

use super::check;

#[test]
fn every_operation_is_asked_for() {
    check(
        "decide_ts,order_id,operation,venue,token_in,token_out,amount,source_key,target_key,min_out
         @1,,supply,aave_v3,USDT,,max,,,
         @1,out,Withdraw,aave_v3,USDT,,1.5,,,
         @1,,borrow,aave_v3,WETH,,1,,,
         @1,,repay,aave_v3,WETH,,MAX,,,
         @2,,stake,etherfi,ETH,,10,,,
         @2,,unstake,lido,wstETH,,1,,,
         @2,,swap,uniswap,weETH,WETH,1,,,1.02
         @3,,transfer,,,,100,binance:BaseToken:USDT,binance:BaseToken:BTC,
         @3,,claim_reward,etherfi,KING,,max,,,
         @3,,unwrap,etherfi,KING,,2,,,",
        &expect![[r#"
            1:00 operate 1: supply max at aave_v3, in USDT
            1:00 operate 2: withdraw 1.5 at aave_v3, in USDT, as out
            1:00 operate 3: borrow 1 at aave_v3, in WETH
            1:00 operate 4: repay max at aave_v3, in WETH
            2:00 operate 5: stake 10 at etherfi, in ETH
            2:00 operate 6: unstake 1 at lido, in wstETH
            2:00 operate 7: swap 1 at uniswap, in weETH, out WETH, at least 1.02
            3:00 operate 8: transfer 100 at binance, from binance:BaseToken:USDT, to binance:BaseToken:BTC
            3:00 operate 9: claim_reward max at etherfi, in KING
            3:00 operate 10: unwrap 2 at etherfi, in KING
        "#]],
    );
}

#[test]
fn members_of_an_atomic_group_are_decided_together() {
    check(
        "decide_ts,operation,venue,token_in,token_out,amount,atomic_group,sequence
         @1,flash_borrow,morpho,WETH,,5,loop,1
         @1,supply,aave_v3,USDT,,1,,
         @1,flash_repay,morpho,WETH,,5,loop,2
         @1,stake,etherfi,ETH,,1,other,1
         @2,stake,etherfi,ETH,,1,loop,1",
        &expect![[r#"
            1:00 operate 1: flash_borrow 5 at morpho, in WETH, slot 1.1
            1:00 operate 2: supply 1 at aave_v3, in USDT
            1:00 operate 3: flash_repay 5 at morpho, in WETH, slot 1.2
            1:00 operate 4: stake 1 at etherfi, in ETH, slot 2.1
            2:00 operate 5: stake 1 at etherfi, in ETH, slot 3.1
        "#]],
    );
}

#[test]
fn what_the_gate_refuses_of_an_operation_is_asked_for_as_it_stands() {
    check(
        "decide_ts,operation,venue,token_in,token_out,amount,atomic_group,sequence
         @1,supply,aave_v3,,,-1,,
         @1,swap,uniswap,WETH,WETH,0,,
         @1,transfer,,,,1,,
         @1,stake,etherfi,ETH,,1,gap,3",
        &expect![[r#"
            1:00 operate 1: supply -1 at aave_v3
            1:00 operate 2: swap 0 at uniswap, in WETH, out WETH
            1:00 operate 3: transfer 1 at 
            1:00 operate 4: stake 1 at etherfi, in ETH, slot 1.3
        "#]],
    );
}

#[test]
fn all_faults_of_operations_are_reported() {
    check(
        "decide_ts,action,instrument,side,qty,operation,venue,amount,source_key,atomic_group,sequence,order_id
         @1,,spot,buy,1,supply,aave_v3,max,,,,
         @1,,spot,buy,1,,binance,,,,,
         @1,,spot,buy,1,perp_trade,,,,,,
         @1,,,,,lend,,,,,,
         @1,cancel,,,,supply,,much,nowhere,individual,1,
         @1,,,,,stake,etherfi,1,,loop,,
         @1,,,,,stake,etherfi,1,,,1,name
         @2,,,,,stake,etherfi,1,,,,named
         @3,cancel,,,,,,,,,,named",
        &expect![[r#"
            line 2: instrument `binance:spot:BTCUSDT`; expected an empty cell: only trades have it
            line 2: side `buy`; expected an empty cell: only trades have it
            line 2: qty `1`; expected an empty cell: only trades have it
            line 3: venue `binance`; expected an empty cell: only operations other than trades have it
            line 4: operation `perp_trade`; expected spot_trade for binance:spot:BTCUSDT
            line 5: operation `lend`; expected one of spot_trade, perp_trade, supply, withdraw, borrow, repay, stake, unstake, swap, transfer, flash_borrow, flash_repay, claim_reward, unwrap
            line 6: action `cancel`; expected submit or an empty cell: operations are neither canceled nor replaced
            line 6: amount `much`; expected an amount of up to 10^12, or max
            line 6: source_key `nowhere`; expected a position key of the run
            line 6: no venue; expected the venue of the operation
            line 6: atomic_group `individual`; expected an empty cell for an operation that stands alone
            line 7: no sequence; expected its place in the atomic group, from 1
            line 8: no atomic_group; expected the group that the sequence is about
            line 10: cancel `named`, which no row submits; expected the order_id of an order that an earlier row submits
        "#]],
    );
}
