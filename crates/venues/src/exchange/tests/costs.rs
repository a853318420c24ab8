//! Fees and slippage (10 §12.5).

use expect_test::expect;

use super::scenario::check;

#[test]
fn fees_are_those_of_the_tier_the_trade_and_the_asset() {
    check(
        "case taker and maker
         perp A maker=2 taker=5
         1 buy 10 market
         2 buy 10 limit 99
         bar 100 100 98 100
         case a rebate
         spot A maker=-1 taker=5
         have USDT=2000
         1 buy 10 limit 99
         bar 100 100 98 100
         account
         case a minimum and a fee per trade
         perp A taker=5 minimum=2 per_trade=0.5
         1 buy 10 market
         2 buy 100 market
         bar 100
         case in base currency
         spot A base_fee taker=10
         have USDT=2000
         1 buy 10 market
         bar 100
         2 sell 5 market
         bar 100
         account
         case a minimum in base currency
         spot A base_fee taker=10 minimum=5
         have USDT=2000
         1 buy 10 market
         bar 100
         case rounded half-even to twelve places
         perp A taker=1 tick=0.000001 lot=0.000001
         1 buy 0.000025 market
         2 buy 0.000015 market
         bar 0.001
         case a tier by date
         perp A maker=2 taker=5 tier=61/0/1/4
         1 buy 10 market
         bar 100
         2 buy 10 market
         bar 100
         3 buy 10 market
         bar 100
         case a tier by the volume of the days before
         set days
         perp A maker=2 taker=5 tier=0/1000/1/4
         1 buy 9.99 market
         2 buy 0.01 market
         bar 100
         3 buy 10 market
         bar 100
         case what is more than thirty days old has left the volume
         set days
         perp A maker=2 taker=5 tier=0/1000/1/4
         1 buy 10 market
         bar 100
         bar 100 | 
         2 buy 1 market
         bar 100
         case inverse: in coin
         inverse A size=100 taker=5 leverage=10
         have A=1
         1 buy 1000 market
         bar 50000
         2 sell 1000 market
         bar 52000
         account"
            .replace("bar 100 | \n", &"bar 100\n".repeat(29))
            .as_str(),
        expect![[r#"
            taker and maker
              1 #1 buy 10 at 100 taker market_open open, fee 0.5 USDT
              1 #1 filled 10/10
              1 #2 buy 10 at 99 maker limit close, fee 0.198 USDT
              1 #2 filled 10/10
            a rebate
              1 #1 buy 10 at 99 maker limit close, fee -0.099 USDT
              1 #1 filled 10/10
              1 USDT 1010.099 A 10
            a minimum and a fee per trade
              1 #1 buy 10 at 100 taker market_open open, fee 2.5 USDT
              1 #1 filled 10/10
              1 #2 buy 100 at 100 taker market_open open, fee 5.5 USDT
              1 #2 filled 100/100
            in base currency
              1 #1 buy 10 at 100 taker market_open open, fee 0.01 A
              1 #1 filled 10/10
              2 #2 sell 5 at 100 taker market_open open, fee 0.5 USDT
              2 #2 filled 5/5
              2 USDT 1499.5 A 4.99
            a minimum in base currency
              1 #1 buy 10 at 100 taker market_open open, fee 0.05 A
              1 #1 filled 10/10
            rounded half-even to twelve places
              1 #1 buy 0.000025 at 0.001 taker market_open open, fee 0.000000000002 USDT
              1 #1 filled 0.000025/0.000025
              1 #2 buy 0.000015 at 0.001 taker market_open open, fee 0.000000000002 USDT
              1 #2 filled 0.000015/0.000015
            a tier by date
              1 #1 buy 10 at 100 taker market_open open, fee 0.5 USDT
              1 #1 filled 10/10
              2 #2 buy 10 at 100 taker market_open open, fee 0.5 USDT
              2 #2 filled 10/10
              3 #3 buy 10 at 100 taker market_open open, fee 0.4 USDT
              3 #3 filled 10/10
            a tier by the volume of the days before
              1 #1 buy 9.99 at 100 taker market_open open, fee 0.4995 USDT
              1 #1 filled 9.99/9.99
              1 #2 buy 0.01 at 100 taker market_open open, fee 0.0005 USDT
              1 #2 filled 0.01/0.01
              2 #3 buy 10 at 100 taker market_open open, fee 0.4 USDT
              2 #3 filled 10/10
            what is more than thirty days old has left the volume
              1 #1 buy 10 at 100 taker market_open open, fee 0.5 USDT
              1 #1 filled 10/10
              31 #2 buy 1 at 100 taker market_open open, fee 0.04 USDT
              31 #2 filled 1/1
            inverse: in coin
              1 #1 buy 1000 at 50000 taker market_open open, fee 0.001 A
              1 #1 filled 1000/1000
              2 #2 sell 1000 at 52000 taker market_open open, fee 0.000961538462 A
              2 #2 filled 1000/1000
              2 A 1.074961538461
        "#]],
    );
}

#[test]
fn slippage_goes_against_takers_and_stops_at_limits() {
    check(
        "case fixed, mirrored about 100
         set slip=10 mirror
         1 buy 10 market
         bar 100
         case mid 50,000, spread 5 bps, k 100 bps, q/V .05: 7.5 bps
         set impact=5/100
         1 buy 5 market
         2 sell 5 market
         bar 50000 50000 50000 50000 100
         case the square root of the share
         set root_impact=5/100
         1 buy 4 market
         bar 50000 50000 50000 50000 100
         case makers have none
         set slip=10
         1 buy 10 limit 99
         bar 100 100 98 100
         case stops have
         set slip=10
         1 buy 10 stop 101
         bar 100 102 98 100
         case the limit wins
         set slip=100
         1 buy 10 limit 100.5
         2 buy 10 stop 101 limit 101.2
         3 sell 10 limit 99.5
         bar 100 102 98 100
         case a market order may leave the bar
         set slip=300
         1 buy 10 market
         2 sell 10 market
         bar 100 102 98 100
         case unless it is clipped
         set slip=300 clip
         1 buy 10 market
         2 sell 10 market
         bar 100 102 98 100
         case rounded to the tick against the account
         set slip=1
         perp A tick=0.05
         1 buy 10 market
         2 sell 10 market
         bar 100
         case the limit wins over the tick
         set slip=1
         perp A tick=0.05
         1 buy 10 limit 100
         2 sell 10 limit 100
         bar 100
         case a sale for less than a tick
         perp A tick=0.05
         1 sell 10 market
         bar 0.04
         case the impact is that of the fill and not of the order
         set impact=5/100 share=500
         1 buy 100 market
         bar 50000 50000 50000 50000 100
         case of a clipped order, too
         set impact=5/100
         perp A
         have USDT=1000000 A=5@50000
         1 sell 100 market reduce
         bar 50000 50000 50000 50000 100
         case exits slip from the market, not from the entry's price
         set slip=100
         1 buy 10 market sl=102
         bar 100 103 99 100
         case a stop between the market and the entry's price is passed
         set slip=100
         1 buy 10 market sl=100.5
         bar 100",
        expect![[r#"
            fixed, mirrored about 100
              1 #1 buy 10 at 100.1 taker market_open open, slip 10.0000 bps
              1 #1 filled 10/10
            mid 50,000, spread 5 bps, k 100 bps, q/V .05: 7.5 bps
              1 #1 buy 5 at 50037.5 taker market_open open, slip 7.5000 bps
              1 #1 filled 5/5
              1 #2 sell 5 at 49962.5 taker market_open open, slip 7.5000 bps
              1 #2 filled 5/5
            the square root of the share
              1 #1 buy 4 at 50112.5 taker market_open open, slip 22.5000 bps
              1 #1 filled 4/4
            makers have none
              1 #1 buy 10 at 99 maker limit close
              1 #1 filled 10/10
            stops have
              1 #1 buy 10 at 101.11 taker stop close, slip 10.8911 bps
              1 #1 filled 10/10
            the limit wins
              1 #1 buy 10 at 100.5 taker limit_open open, slip 50.0000 bps
              1 #1 filled 10/10
              1 #3 sell 10 at 99.5 taker limit_open open, slip 50.0000 bps
              1 #3 filled 10/10
              1 #2 buy 10 at 101.2 taker stop_limit close, slip 19.8020 bps
              1 #2 filled 10/10
            a market order may leave the bar
              1 #1 buy 10 at 103 taker market_open open, slip 300.0000 bps
              1 #1 filled 10/10
              1 #2 sell 10 at 97 taker market_open open, slip 300.0000 bps
              1 #2 filled 10/10
            unless it is clipped
              1 #1 buy 10 at 102 taker market_open open, slip 200.0000 bps
              1 #1 filled 10/10
              1 #2 sell 10 at 98 taker market_open open, slip 200.0000 bps
              1 #2 filled 10/10
            rounded to the tick against the account
              1 #1 buy 10 at 100.05 taker market_open open, slip 5.0000 bps
              1 #1 filled 10/10
              1 #2 sell 10 at 99.95 taker market_open open, slip 5.0000 bps
              1 #2 filled 10/10
            the limit wins over the tick
              1 #1 buy 10 at 100 taker limit_open open
              1 #1 filled 10/10
              1 #2 sell 10 at 100 taker limit_open open
              1 #2 filled 10/10
            a sale for less than a tick
              1 #1 rejected 0/10 VEN-TICK
            the impact is that of the fill and not of the order
              1 #1 buy 5 at 50037.5 taker market_open open, slip 7.5000 bps
              1 #1 partially_filled 5/100
            of a clipped order, too
              1 #1 sell 5 at 49962.5 taker market_open open, slip 7.5000 bps
              1 #1 filled 5/5
            exits slip from the market, not from the entry's price
              1 #1 buy 10 at 101 taker market_open open, slip 100.0000 bps
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 102
              1 #1sl sell 10 at 99 taker exit_passed open, slip 100.0000 bps
              1 #1sl filled 10/10
            a stop between the market and the entry's price is passed
              1 #1 buy 10 at 101 taker market_open open, slip 100.0000 bps
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 100.5
              1 #1sl sell 10 at 99 taker exit_passed open, slip 100.0000 bps
              1 #1sl filled 10/10
        "#]],
    );
}
