//! Liquidations of perpetuals (04 §6.5, D77).
#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use expect_test::expect;

use super::scenario::check;

#[test]
fn a_position_is_closed_where_its_margin_runs_out() {
    // 04 §6.5 vectors, tier 1 of 0.4 %: a long of 1 at 50,000 with 10,000 at 40,160.64, a short of
    // 0.64 with 8,000 at 62,250.996.
    check(
        "case an isolated long
         perp A leverage=5 mmr=0.004 isolated tick=0.01
         have USDT=100000 A=1@50000
         bar 50000 50100 45000 46000
         bar 46000 46000 40160.65 41000
         bar 41000 41000 40000 40500
         account
         case an isolated short, whose leverage is four
         perp A leverage=4 mmr=0.004 isolated
         have USDT=100000 A=-0.64@50000
         bar 50000 62250 50000 62000
         bar 62000 62251 61000 62000
         account
         case all that share a balance
         perp A leverage=5 mmr=0.004
         have USDT=10000 A=1@50000
         bar 50000 50000 40161 40161
         bar 40161 40161 40000 40000
         account
         case two that share a balance run out together
         perp A leverage=5 mmr=0.004
         perp B leverage=5 mmr=0.004
         have USDT=3000 A=1@10000 B=-1@10000
         bar 10000 10000 10000 10000 | 10000 10000 10000 10000
         bar 10000 10100 9000 9000 | 10000 10000 9100 9100
         bar 9000 9000 8000 8000 | 9100 12000 9100 12000
         account
         case in coin
         inverse A size=100 leverage=10 mmr=0.01 isolated
         have A=100@50000
         bar 50000 50000 46000 46000
         bar 46000 46000 45000 45000
         account",
        expect![[r#"
            an isolated long
              3 #liquidation-1 sell 1 at 40160.64 taker liquidation close, fee 160.64 USDT
              3 USDT 90000
            an isolated short, whose leverage is four
              2 #liquidation-1 buy 0.64 at 62251 taker liquidation close, fee 159.36 USDT
              2 USDT 92000
            all that share a balance
              2 #liquidation-1 sell 1 at 40160.64 taker liquidation close, fee 160.64 USDT
              2
            two that share a balance run out together
              3 #liquidation-1 sell 1 at 8276.38 taker liquidation close
              3 #liquidation-2 buy 1 at 11198.49 taker liquidation close, fee 77.89 USDT
              3
            in coin
              2 #liquidation-1 sell 100 at 45909.09 taker liquidation close, fee 0.002178213508 A
              2 A -0.02
        "#]],
    );
}

#[test]
fn a_bar_that_opens_beyond_liquidates_first_and_an_exit_on_the_way_fills_first() {
    check(
        "perp A leverage=5 mmr=0.004 isolated
         have USDT=100000 A=1@50000
         case it opens beyond
         bar 50000
         1 sell 1 stop 45000 reduce
         bar 39000 46000 39000 46000
         account
         case the exit lies on the way
         bar 50000
         1 sell 1 stop 45000 reduce
         bar 50000 50000 39000 39000
         account
         case the exit lies beyond
         bar 50000
         1 sell 1 stop 40000 reduce
         bar 50000 50000 39000 39000
         account
         case half of it lies on the way
         bar 50000
         1 sell 0.5 stop 45000 reduce
         bar 50000 50000 39000 39000
         account",
        expect![[r#"
            it opens beyond
              2 #liquidation-1 sell 1 at 39000 taker liquidation open, fee -1000 USDT
              2 #1 canceled 0/1 VEN-NOTHING-LEFT
              2 USDT 90000
            the exit lies on the way
              2 #1 sell 1 at 45000 taker stop close
              2 #1 filled 1/1
              2 USDT 95000
            the exit lies beyond
              2 #liquidation-1 sell 1 at 40160.64 taker liquidation close, fee 160.64 USDT
              2 #1 canceled 0/1 VEN-POSITION-CLOSED
              2 USDT 90000
            half of it lies on the way
              2 #1 sell 0.5 at 45000 taker stop close
              2 #1 filled 0.5/0.5
              2 #liquidation-1 sell 0.5 at 40160.64 taker liquidation close, fee 80.32 USDT
              2 USDT 92500
        "#]],
    );
}
