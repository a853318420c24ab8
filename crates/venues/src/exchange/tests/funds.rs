//! Funds at the fill: shares, locks, margin (02 §3.1 rule 8, 10 §12.3).

use expect_test::expect;

use super::scenario::check;

#[test]
fn shares_are_resolved_in_turn_at_the_fill() {
    check(
        "spot A lot=0.001 taker=10
         have USDT=1000
         case everything, fees included
         1 buy 100% market
         bar 100
         account
         case half and half of the rest
         1 buy 50% market
         2 buy 50% market
         bar 100
         account
         case one that finds nothing left is canceled
         1 buy 100% market
         2 buy 100% market
         bar 100
         account
         case a share of the position
         have A=10
         1 sell 25% market
         2 sell 100% market
         3 sell 100% market
         bar 100
         account
         case the proceeds of a sale are there for the next order
         have A=10 USDT=0
         1 sell 100% market
         2 buy 100% market
         bar 100
         account
         case at a limit: at the price of the fill
         1 buy 100% limit 99
         bar 100
         bar 100 100 98 100
         account
         case after slippage
         set slip=100
         1 buy 100% market
         bar 100
         account
         case less than the smallest order
         spot B lot=0.001 min_notional=10
         1 buy 1% market on=B
         bar 100 | 9
         case in parts, the units stay
         set share=500
         1 buy 50% limit 110
         bar 100 100 100 100 80
         bar 100 100 100 100 80
         account",
        expect![[r#"
            everything, fees included
              1 #1 buy 9.99 at 100 taker market_open open, fee 0.999 USDT
              1 #1 filled 9.99/9.99
              1 USDT 0.001 A 9.99
            half and half of the rest
              1 #1 buy 4.995 at 100 taker market_open open, fee 0.4995 USDT
              1 #1 filled 4.995/4.995
              1 #2 buy 2.497 at 100 taker market_open open, fee 0.2497 USDT
              1 #2 filled 2.497/2.497
              1 USDT 250.0508 A 7.492
            one that finds nothing left is canceled
              1 #1 buy 9.99 at 100 taker market_open open, fee 0.999 USDT
              1 #1 filled 9.99/9.99
              1 #2 canceled 0/? VEN-NOTHING-LEFT
              1 USDT 0.001 A 9.99
            a share of the position
              1 #1 sell 2.5 at 100 taker market_open open, fee 0.25 USDT
              1 #1 filled 2.5/2.5
              1 #2 sell 7.5 at 100 taker market_open open, fee 0.75 USDT
              1 #2 filled 7.5/7.5
              1 #3 canceled 0/? VEN-NOTHING-LEFT
              1 USDT 1999
            the proceeds of a sale are there for the next order
              1 #1 sell 10 at 100 taker market_open open, fee 1 USDT
              1 #1 filled 10/10
              1 #2 buy 9.98 at 100 taker market_open open, fee 0.998 USDT
              1 #2 filled 9.98/9.98
              1 USDT 0.002 A 9.98
            at a limit: at the price of the fill
              2 #1 buy 10.101 at 99 maker limit close
              2 #1 filled 10.101/10.101
              2 USDT 0.001 A 10.101
            after slippage
              1 #1 buy 9.891 at 101 taker market_open open, fee 0.998991 USDT, slip 100.0000 bps
              1 #1 filled 9.891/9.891
              1 USDT 0.010009 A 9.891
            less than the smallest order
              1 #1 canceled 0/? VEN-NOTHING-LEFT
            in parts, the units stay
              1 #1 buy 4 at 100 taker limit_open open, fee 0.4 USDT
              1 #1 partially_filled 4/4.995
              2 #1 buy 0.995 at 110 maker limit_gap open
              2 #1 filled 4.995/4.995
              2 USDT 490.15 A 4.995
        "#]],
    );
}

#[test]
fn what_is_not_there_is_not_spent() {
    check(
        "spot A lot=0.001
         have USDT=1000 A=5
         case a gap that cash does not cover
         1 buy 10 market
         bar 100.01
         case enough
         1 buy 10 market
         bar 100
         account
         case not enough for the fee
         spot B taker=1
         1 buy 10 market on=B
         bar 100 | 100
         case no partial fill for lack of cash
         set share=500
         1 buy 12 market
         bar 100 100 100 100 100
         bar 120 120 120 120 100
         account
         case no base
         1 sell 6 market
         bar 100
         case resting orders hold back what they need
         set locks
         1 buy 6 limit 99
         2 sell 3 limit 105
         bar 100
         3 buy 5 market
         4 sell 3 market
         5 buy 4 market
         bar 100
         account
         case what has filled or ended is not held back any more
         set locks share=500
         1 buy 6 limit 99
         bar 100 100 98 100 80
         cancel 1
         2 buy 6 market
         bar 100 100 100 100 200
         account
         case a group holds back the most of its members, once
         set locks
         1 buy 6 limit 99 oco=1
         2 buy 6 stop 105 oco=1
         bar 100
         3 buy 3 market
         4 buy 1 market
         bar 100 106 100 100
         account
         case the end of a member leaves the need to the others
         set locks
         1 buy 6 limit 99 oco=1
         2 buy 6 limit 98 oco=1
         bar 100
         cancel 1
         bar 100
         case a share is one of what others leave
         1 buy 5 limit 99
         bar 100
         2 buy 100% market
         bar 100
         account
         case exits hold back nothing and may sell what is there
         set locks
         1 buy 5 market sl=95 tp=105
         bar 100
         2 sell 3 limit 104
         bar 100
         bar 100 100 94 94
         account
         case a minimum fee does not pay for base that is not there
         have USDT=1000 A=0
         spot B minimum=5
         1 sell 1 market on=B
         bar 100 | 1
         case an order holds back nothing from those before it
         1 buy 100% market
         2 buy 6 limit 99
         bar 100 100 98 100
         account
         case nor from itself
         1 buy 10 limit 100
         2 sell 5 limit 105
         bar 100
         bar 106
         account",
        expect![[r#"
            a gap that cash does not cover
              1 #1 rejected 0/10 VEN-BALANCE
            enough
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              1 A 15
            not enough for the fee
              1 #1 rejected 0/10 VEN-BALANCE
            no partial fill for lack of cash
              1 #1 buy 5 at 100 taker market_open open
              1 #1 partially_filled 5/12
              2 #1 canceled 5/12 VEN-BALANCE
              2 USDT 500 A 10
            no base
              1 #1 rejected 0/6 VEN-POSITION
            resting orders hold back what they need
              0 #1 needs 594 USDT
              0 #2 needs 3 A
              1 #3 needs 500.25 USDT
              1 #4 needs 3 A
              1 #5 needs 400.2 USDT
              2 #3 rejected 0/5 VEN-BALANCE
              2 #4 rejected 0/3 VEN-POSITION
              2 #5 buy 4 at 100 taker market_open open
              2 #5 filled 4/4
              2 USDT 600 A 9
            what has filled or ended is not held back any more
              0 #1 needs 594 USDT
              1 #1 buy 4 at 99 maker limit close
              1 #1 partially_filled 4/6
              1 #1 holds 198 USDT
              1 #2 needs 600.3 USDT
              2 #1 canceled 4/6 VEN-CANCELED
              2 #2 buy 6 at 100 taker market_open open
              2 #2 filled 6/6
              2 USDT 4 A 15
            a group holds back the most of its members, once
              0 #1 needs 594 USDT
              0 #2 needs 36.315 USDT
              1 #3 needs 300.15 USDT
              1 #4 needs 100.05 USDT
              2 #3 buy 3 at 100 taker market_open open
              2 #3 filled 3/3
              2 #4 rejected 0/1 VEN-BALANCE
              2 #2 buy 6 at 105 taker stop close
              2 #2 filled 6/6
              2 #1 canceled 0/6 VEN-OCO
              2 USDT 70 A 14
            the end of a member leaves the need to the others
              0 #1 needs 594 USDT
              0 #2 needs 0 USDT
              2 #1 canceled 0/6 VEN-CANCELED
              2 #2 holds 588 USDT
            a share is one of what others leave
              2 #2 buy 5.05 at 100 taker market_open open
              2 #2 filled 5.05/5.05
              2 USDT 495 A 10.05
            exits hold back nothing and may sell what is there
              0 #1 needs 500.25 USDT
              1 #1 buy 5 at 100 taker market_open open
              1 #1 filled 5/5
              1 #1sl accepted 0/5 stop 95
              1 #1sl holds 0 A
              1 #1tp accepted 0/5 limit 105
              1 #1tp holds 0 A
              1 #2 needs 3 A
              3 #1sl sell 5 at 95 taker stop close
              3 #1sl filled 5/5
              3 #1tp canceled 0/5 VEN-OCO
              3 USDT 975 A 5
            a minimum fee does not pay for base that is not there
              1 #1 rejected 0/1 VEN-POSITION
            an order holds back nothing from those before it
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              1 #2 rejected 0/6 VEN-BALANCE
              1 A 15
            nor from itself
              1 #1 buy 10 at 100 taker limit_open open
              1 #1 filled 10/10
              2 #2 sell 5 at 105 maker limit_gap open
              2 #2 filled 5/5
              2 USDT 525 A 10
        "#]],
    );
}

#[test]
fn perpetuals_need_margin_for_what_they_add() {
    check(
        "perp A leverage=10 taker=5
         have USDT=1000
         case everything: free margin times leverage, fees included
         1 buy 100% market
         bar 100
         account
         case short
         1 sell 100% market
         bar 100
         account
         case a position may be closed without free margin
         have USDT=100 A=10@100
         1 sell 10 market
         2 buy 9 market
         bar 100
         account
         case a share of a position closes it
         have A=10@100
         1 sell 50% market
         2 sell 100% market
         bar 110
         account
         case a flip needs margin for the increase
         have A=10@100
         1 sell 30 market
         2 sell 90 market
         bar 100
         account
         case a loss leaves less
         have USDT=200 A=10@100
         1 sell 10 market
         2 buy 15 market
         3 buy 10 market
         bar 90
         account
         case contracts of a size
         perp B leverage=2 size=0.1
         1 buy 100% market on=B
         bar - | 100
         account
         case inverse: everything, short, flipped
         inverse C leverage=1 size=100 lot=1 taker=5
         have C=1
         1 sell 100% market on=C
         bar - | 50000
         2 buy 800 market on=C
         bar - | 40000
         account
         case resting orders lock margin
         set locks
         1 buy 60 limit 99
         bar 100
         2 sell 60 market
         3 sell 30 market
         bar 100
         account
         case the initial margin of the increase and the fee
         1 buy 99 market
         2 buy 1 market
         bar 100
         account
         case inverse: margin and profit in coin
         inverse C leverage=2 size=100
         have C=1
         1 buy 1000 market on=C
         2 buy 1 market on=C
         bar - | 50000
         3 sell 1000 market on=C
         bar - | 52000
         account
         case what is held back is reckoned by type
         set locks
         spot B maker=10 taker=20
         1 buy 1 market on=B
         2 buy 1 limit 99 on=B
         3 buy 1 limit 101 on=B
         4 buy 1 stop 105 on=B
         5 buy 1 stop 95 on=B
         6 buy 1 stop 105 limit 106 on=B
         7 buy 1 trail 2 on=B
         8 sell 1 limit 99 on=B
         9 buy 50% market on=B
         10 sell 1 market reduce on=B
         11 buy 1 market on=A",
        expect![[r#"
            everything: free margin times leverage, fees included
              1 #1 buy 99.50248756 at 100 taker market_open open, fee 4.975124378 USDT
              1 #1 filled 99.50248756/99.50248756
              1 USDT 995.024875622 A 99.50248756
            short
              1 #1 sell 99.50248756 at 100 taker market_open open, fee 4.975124378 USDT
              1 #1 filled 99.50248756/99.50248756
              1 USDT 995.024875622 A -99.50248756
            a position may be closed without free margin
              1 #1 sell 10 at 100 taker market_open open, fee 0.5 USDT
              1 #1 filled 10/10
              1 #2 buy 9 at 100 taker market_open open, fee 0.45 USDT
              1 #2 filled 9/9
              1 USDT 99.05 A 9
            a share of a position closes it
              1 #1 sell 5 at 110 taker market_open open, fee 0.275 USDT
              1 #1 filled 5/5
              1 #2 sell 5 at 110 taker market_open open, fee 0.275 USDT
              1 #2 filled 5/5
              1 USDT 1099.45
            a flip needs margin for the increase
              1 #1 sell 30 at 100 taker market_open open, fee 1.5 USDT
              1 #1 filled 30/30
              1 #2 rejected 0/90 VEN-MARGIN
              1 USDT 998.5 A -20
            a loss leaves less
              1 #1 sell 10 at 90 taker market_open open, fee 0.45 USDT
              1 #1 filled 10/10
              1 #2 rejected 0/15 VEN-MARGIN
              1 #3 buy 10 at 90 taker market_open open, fee 0.45 USDT
              1 #3 filled 10/10
              1 USDT 99.1 A 10
            contracts of a size
              1 #1 buy 200 at 100 taker market_open open
              1 #1 filled 200/200
              1 USDT 1000 B 200
            inverse: everything, short, flipped
              1 #1 sell 499 at 50000 taker market_open open, fee 0.000499 C
              1 #1 filled 499/499
              2 #2 buy 800 at 40000 taker market_open open, fee 0.001 C
              2 #2 filled 800/800
              2 USDT 1000 C 1.248001 C 301
            resting orders lock margin
              0 #1 needs 594.297 USDT
              1 #2 needs 603.3015 USDT
              1 #3 needs 301.65075 USDT
              2 #2 rejected 0/60 VEN-MARGIN
              2 #3 sell 30 at 100 taker market_open open, fee 1.5 USDT
              2 #3 filled 30/30
              2 USDT 998.5 A -30
            the initial margin of the increase and the fee
              1 #1 buy 99 at 100 taker market_open open, fee 4.95 USDT
              1 #1 filled 99/99
              1 #2 rejected 0/1 VEN-MARGIN
              1 USDT 995.05 A 99
            inverse: margin and profit in coin
              1 #1 buy 1000 at 50000 taker market_open open
              1 #1 filled 1000/1000
              1 #2 rejected 0/1 VEN-MARGIN
              2 #3 sell 1000 at 52000 taker market_open open
              2 #3 filled 1000/1000
              2 USDT 1000 C 1.076923076923
            what is held back is reckoned by type
              0 #1 needs 100.2501 USDT
              0 #2 needs 99.099 USDT
              0 #3 needs 101.202 USDT
              0 #4 needs 105.262605 USDT
              0 #5 needs 100.2501 USDT
              0 #6 needs 106.212 USDT
              0 #7 needs 102.255102 USDT
              0 #8 needs 1 B
              0 #9 needs 0 USDT
              0 #10 needs 0 B
              0 #11 needs 10.055025 USDT
        "#]],
    );
}

#[test]
fn a_share_that_is_carried_buys_what_the_cash_allows_and_no_more() {
    check(
        "spot A lot=0.001
         have USDT=10000
         case prices rise
         set share=1000
         1 buy 100% market
         bar 100 100 100 100 300
         bar 101 101 101 101 300
         bar 102 102 102 102 300
         bar 103 103 103 103 300
         account
         case nothing is affordable any more
         set share=1000
         1 buy 1% market
         2 buy 90 market
         bar 100 100 100 100 300
         bar 200 200 200 200 900
         account
         case an amount is not a share: what has filled was not refused
         set share=1000
         1 buy 99 market
         bar 100 100 100 100 300
         bar 200 200 200 200 900
         account",
        expect![[r#"
            prices rise
              1 #1 buy 30 at 100 taker market_open open
              1 #1 partially_filled 30/100
              2 #1 buy 30 at 101 taker market_open open
              2 #1 partially_filled 60/99.306
              3 #1 buy 30 at 102 taker market_open open
              3 #1 partially_filled 90/98.921
              4 #1 buy 8.834 at 103 taker market_open open
              4 #1 filled 98.834/98.834
              4 USDT 0.098 A 98.834
            nothing is affordable any more
              1 #1 buy 1 at 100 taker market_open open
              1 #1 filled 1/1
              1 #2 buy 29 at 100 taker market_open open
              1 #2 partially_filled 29/90
              2 #2 canceled 29/90 VEN-BALANCE
              2 USDT 7000 A 30
            an amount is not a share: what has filled was not refused
              1 #1 buy 30 at 100 taker market_open open
              1 #1 partially_filled 30/99
              2 #1 canceled 30/99 VEN-BALANCE
              2 USDT 7000 A 30
        "#]],
    );
}

#[test]
fn a_spot_order_closes_what_the_wallet_holds_wherever_it_was_bought() {
    check(
        "spot A lot=1
         spot B lot=1
         have USDT=10000 A=400
         case a buy never closes
         1 buy 50% market
         bar 10 | 10
         account
         case a reduce-only sale finds the wallet
         1 sell 100% market reduce
         bar 10 | 10
         account",
        expect![[r#"
            a buy never closes
              1 #1 buy 500 at 10 taker market_open open
              1 #1 filled 500/500
              1 USDT 5000 A 900
            a reduce-only sale finds the wallet
              1 #1 sell 400 at 10 taker market_open open
              1 #1 filled 400/400
              1 USDT 14000
        "#]],
    );
}
