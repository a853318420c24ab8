//! Participation and time in force (10 §12.3).

use expect_test::expect;

use super::scenario::check;

#[test]
fn orders_share_the_budget_of_a_bar() {
    check(
        "set share=500
         case volume 100, 5 %: buy 3 fully, sell 4 gets 2
         1 buy 3 market
         2 sell 4 market
         bar 100 100 100 100 100
         case first in, first out also among prices: the open before the inside
         1 buy 2 limit 99
         2 buy 2 stop 101
         3 buy 2 market
         bar 100 102 98 100 100
         case a market order is carried over until it is done
         1 buy 12 market
         bar 100 100 100 100 100
         bar 101 101 101 101 100
         bar 102 102 102 102 100
         case without carry the rest is canceled
         set nocarry
         1 buy 12 market
         bar 100 100 100 100 100
         bar 101
         case without carry a market order of a bar without volume is canceled
         set nocarry
         1 buy 12 market
         bar 100 100 100 100 0
         case without carry the rest of a stop is canceled
         set nocarry
         1 buy 12 stop 101
         bar 100 102 100 100 100
         bar 101
         case the rest of a limit stays, and of a stop becomes a market order
         1 buy 6 limit 99
         2 sell 6 stop 98
         bar 100 100 97 98 100
         bar 98 98 97 98 100
         bar 99 100 98 99 200
         case an order that is carried over comes before a later one
         1 buy 8 market
         bar 100 100 100 100 100
         2 buy 8 market
         bar 100 100 100 100 100
         case bars without volume, synthetic and missing bars fill nothing
         1 buy 8 market
         bar 100 100 100 100 0
         bar synthetic 100
         bar -
         bar 101 101 101 101 100
         bar 102 102 102 102 100
         case and a limit that it trades through gets nothing
         1 buy 5 market
         2 buy 5 limit 99
         bar 100 100 98 100 100
         bar 100
         case a stop that the bar reaches is triggered though nothing is left for it
         1 buy 5 market
         2 buy 5 stop 101
         bar 100 102 100 100 100
         bar 100 100 100 100 100
         case with a path, too
         set path=nearest
         1 buy 5 market
         2 buy 5 stop 101
         bar 100 102 100 100 100
         bar 100 100 100 100 100",
        expect![[r#"
            volume 100, 5 %: buy 3 fully, sell 4 gets 2
              1 #1 buy 3 at 100 taker market_open open
              1 #1 filled 3/3
              1 #2 sell 2 at 100 taker market_open open
              1 #2 partially_filled 2/4
            first in, first out also among prices: the open before the inside
              1 #3 buy 2 at 100 taker market_open open
              1 #3 filled 2/2
              1 #2 buy 2 at 101 taker stop close
              1 #2 filled 2/2
              1 #1 buy 1 at 99 maker limit close
              1 #1 partially_filled 1/2
            a market order is carried over until it is done
              1 #1 buy 5 at 100 taker market_open open
              1 #1 partially_filled 5/12
              2 #1 buy 5 at 101 taker market_open open
              2 #1 partially_filled 10/12
              3 #1 buy 2 at 102 taker market_open open
              3 #1 filled 12/12
            without carry the rest is canceled
              1 #1 buy 5 at 100 taker market_open open
              1 #1 partially_filled 5/12
              1 #1 canceled 5/12 VEN-NOT-CARRIED
            without carry a market order of a bar without volume is canceled
              1 #1 canceled 0/12 VEN-NOT-CARRIED
            without carry the rest of a stop is canceled
              1 #1 buy 5 at 101 taker stop close
              1 #1 partially_filled 5/12
              1 #1 canceled 5/12 VEN-NOT-CARRIED
            the rest of a limit stays, and of a stop becomes a market order
              1 #2 sell 5 at 98 taker stop close
              1 #2 partially_filled 5/6
              2 #1 buy 5 at 99 maker limit_gap open
              2 #1 partially_filled 5/6
              3 #2 sell 1 at 99 taker market_open open
              3 #2 filled 6/6
              3 #1 buy 1 at 99 maker limit close
              3 #1 filled 6/6
            an order that is carried over comes before a later one
              1 #1 buy 5 at 100 taker market_open open
              1 #1 partially_filled 5/8
              2 #1 buy 3 at 100 taker market_open open
              2 #1 filled 8/8
              2 #2 buy 2 at 100 taker market_open open
              2 #2 partially_filled 2/8
            bars without volume, synthetic and missing bars fill nothing
              4 #1 buy 5 at 101 taker market_open open
              4 #1 partially_filled 5/8
              5 #1 buy 3 at 102 taker market_open open
              5 #1 filled 8/8
            and a limit that it trades through gets nothing
              1 #1 buy 5 at 100 taker market_open open
              1 #1 filled 5/5
            a stop that the bar reaches is triggered though nothing is left for it
              1 #1 buy 5 at 100 taker market_open open
              1 #1 filled 5/5
              2 #2 buy 5 at 100 taker market_open open
              2 #2 filled 5/5
            with a path, too
              1 #1 buy 5 at 100 taker market_open open
              1 #1 filled 5/5
              2 #2 buy 5 at 100 taker market_open open
              2 #2 filled 5/5
        "#]],
    );
}

#[test]
fn fills_come_in_lots_and_dust_is_canceled() {
    check(
        "case rounded down to the lot
         set share=500
         perp A lot=0.5
         1 buy 6 market
         bar 100 100 100 100 46
         bar 100 100 100 100 9
         bar 100
         case less than the smallest order is dust
         set share=500
         perp A lot=1 min_qty=2
         1 buy 6 limit 101
         bar 100 100 100 100 100
         bar 100
         case dust of an immediate order
         set share=500
         perp A lot=1 min_qty=2
         1 buy 6 market ioc
         bar 100 100 100 100 100
         case less than a lot of budget fills nothing
         set share=500
         perp A lot=10
         1 buy 10 market
         bar 100 100 100 100 199
         bar 100 100 100 100 200",
        expect![[r#"
            rounded down to the lot
              1 #1 buy 2 at 100 taker market_open open
              1 #1 partially_filled 2/6
              3 #1 buy 4 at 100 taker market_open open
              3 #1 filled 6/6
            less than the smallest order is dust
              1 #1 buy 5 at 100 taker limit_open open
              1 #1 canceled 5/6 VEN-DUST
            dust of an immediate order
              1 #1 buy 5 at 100 taker market_open open
              1 #1 canceled 5/6 VEN-DUST
            less than a lot of budget fills nothing
              2 #1 buy 10 at 100 taker market_open open
              2 #1 filled 10/10
        "#]],
    );
}

#[test]
fn orders_last_as_long_as_they_say() {
    check(
        "case immediate: a limit beyond the open
         1 buy 10 limit 99 ioc
         bar 100 100 98 99
         case immediate: takes at the open
         1 buy 10 limit 101 ioc
         bar 100
         case immediate: a stop that the open does not trigger
         1 buy 10 stop 101 ioc
         bar 100 102 98 99
         case immediate: no volume
         1 buy 10 market ioc
         bar 100 100 100 100 0
         case immediate: a synthetic bar does not count
         1 buy 10 market ioc
         bar synthetic 100
         bar 101
         case fill or kill: fits
         set share=500
         1 buy 5 limit 101 fok
         bar 100 100 100 100 100
         case fill or kill: what others leave is not enough
         set share=500
         1 buy 1 market
         2 buy 5 market fok
         bar 100 100 100 100 100
         case fill or kill: price not acceptable at the open
         1 buy 5 limit 99 fok
         bar 100 100 98 100
         case good till date: the bars that close until then
         1 buy 10 limit 99 until=120
         bar 100
         bar 100
         bar 100 100 98 100
         case good till date: the last bar fills
         1 buy 10 limit 99 until=120
         bar 100
         bar 100 100 98 100
         case good till date: no bar closes until then
         1 buy 10 limit 101 until=59
         bar 100
         case good till date: fills before the end of the last bar, not in the next
         1 buy 10 limit 99 until=119
         bar 100
         bar 100 100 98 100
         case good till date: expires though its last bar is missing
         1 buy 10 limit 99 until=120
         bar 100
         bar -
         bar 100 100 98 100
         case good till date: the first real bar comes too late
         1 buy 10 limit 99 until=120
         bar -
         bar synthetic 100
         bar 98
         case good till date: filled in part
         set share=500
         1 buy 10 limit 101 until=60
         bar 100 100 100 100 100
         case day: decided in the day
         set days
         bar 100
         1 buy 10 limit 99 day
         bar 100 100 99 100
         bar 100 100 98 100
         case good till date: a child that still waits for its parent
         1 buy 10 limit 90
         2 sell 10 limit 110 parent=1 until=120
         bar 100
         bar 100
         bar 89",
        expect![[r#"
            immediate: a limit beyond the open
              1 #1 canceled 0/10 VEN-IOC
            immediate: takes at the open
              1 #1 buy 10 at 100 taker limit_open open
              1 #1 filled 10/10
            immediate: a stop that the open does not trigger
              1 #1 canceled 0/10 VEN-IOC
            immediate: no volume
              1 #1 canceled 0/10 VEN-IOC
            immediate: a synthetic bar does not count
              2 #1 buy 10 at 101 taker market_open open
              2 #1 filled 10/10
            fill or kill: fits
              1 #1 buy 5 at 100 taker limit_open open
              1 #1 filled 5/5
            fill or kill: what others leave is not enough
              1 #1 buy 1 at 100 taker market_open open
              1 #1 filled 1/1
              1 #2 canceled 0/5 VEN-FOK
            fill or kill: price not acceptable at the open
              1 #1 canceled 0/5 VEN-FOK
            good till date: the bars that close until then
              2 #1 expired 0/10 VEN-EXPIRED
            good till date: the last bar fills
              2 #1 buy 10 at 99 maker limit close
              2 #1 filled 10/10
            good till date: no bar closes until then
              1 #1 expired 0/10 VEN-EXPIRED
            good till date: fills before the end of the last bar, not in the next
              1 #1 expired 0/10 VEN-EXPIRED
            good till date: expires though its last bar is missing
              2 #1 expired 0/10 VEN-EXPIRED
            good till date: the first real bar comes too late
              3 #1 expired 0/10 VEN-EXPIRED
            good till date: filled in part
              1 #1 buy 5 at 100 taker limit_open open
              1 #1 partially_filled 5/10
              1 #1 expired 5/10 VEN-EXPIRED
            day: decided in the day
              2 #1 expired 0/10 VEN-EXPIRED
            good till date: a child that still waits for its parent
              2 #2 expired 0/? VEN-EXPIRED
              3 #1 buy 10 at 90 maker limit_gap open
              3 #1 filled 10/10
        "#]],
    );
    let hours = |count: usize| "bar 100\n".repeat(count);
    check(
        &format!(
            "case day: ends with the bar that closes at midnight
             {}
             1 buy 10 limit 99 day
             {}
             bar 100 100 98 100
             case day: the bar after midnight does not match
             {}
             1 buy 10 limit 99 day
             {}
             bar 100 100 98 100
             case day: decided at midnight, it lives one day
             1 buy 10 limit 99 day
             {}
             bar 100 100 98 100",
            hours(20),
            hours(3),
            hours(20),
            hours(4),
            hours(23),
        ),
        expect![[r#"
            day: ends with the bar that closes at midnight
              24 #1 buy 10 at 99 maker limit close
              24 #1 filled 10/10
            day: the bar after midnight does not match
              24 #1 expired 0/10 VEN-EXPIRED
            day: decided at midnight, it lives one day
              24 #1 buy 10 at 99 maker limit close
              24 #1 filled 10/10
        "#]],
    );
}
