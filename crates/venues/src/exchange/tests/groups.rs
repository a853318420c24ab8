//! Groups of orders of which one cancels the other, children, and reduce-only orders (10 §12.4).

use expect_test::expect;

use super::scenario::check;

#[test]
fn groups_and_children_share_their_quantity() {
    check(
        "set share=500
         case a fill of one reduces the other, a full fill cancels it
         1 buy 8 limit 99 oco=1
         2 buy 8 stop 105 oco=1
         bar 100 100 98 100 100
         bar 100 100 98 100 100
         case of different sizes
         1 buy 4 limit 99 oco=1
         2 buy 8 stop 105 oco=1
         bar 100 100 98 100 40
         bar 100 106 100 100 200
         case both in one bar: the stop first
         1 buy 5 limit 99 oco=1
         2 buy 5 stop 105 oco=1
         bar 100 106 98 100 200
         case both at the open: the older first
         1 buy 5 market oco=1
         2 buy 5 limit 101 oco=1
         bar 100 106 98 100 200
         case partial fills make the children larger
         1 buy 10 limit 99 sl=95 tp=105
         bar 100 100 98 100 100
         bar 100 100 98 100 40
         bar 100 106 100 105 100
         bar 100 106 100 105 100
         case an entry canceled in part leaves its children
         1 buy 10 market ioc sl=95 tp=105
         bar 100 100 98 100 100
         bar 100 100 94 94 200
         case an entry that ends unfilled ends its children
         1 buy 10 limit 99 ioc sl=95 tp=105
         bar 100
         case an entry that is canceled ends its children
         1 buy 10 limit 99 sl=95 tp=105
         bar 100
         cancel 1
         bar 100
         case an entry that expires ends its children
         1 buy 10 limit 99 sl=95 tp=105 until=60
         bar 100
         case an exit that was carried over sells what its entry buys later, too
         1 buy 10 market sl=99
         bar 100 100 100 100 100
         bar 98 98 98 98 120
         bar 97 97 97 97 200
         case a child of a size of its own
         1 buy 10 market
         2 sell 3 limit 105 parent=1 reduce
         3 sell 50% limit 106 parent=1 reduce
         bar 100 100 98 100 40
         bar 100 100 98 100 200
         case exits that are through guard what their entry buys later
         1 buy 10 limit 99 sl=95 tp=105
         bar 100 100 98 100 100
         bar 100 100 94 98 100
         bar 100 100 98 100 60
         bar 100 106 94 100
         case exits that are through end with their entry
         1 buy 10 limit 99 sl=95 tp=105
         bar 100 100 98 100 100
         bar 100 100 94 98 100
         cancel 1
         bar 100
         case a child that has all of its own size is filled
         1 buy 10 limit 99
         2 sell 3 limit 105 parent=1 reduce
         bar 100 100 98 100 100
         bar 100 106 100 100 60",
        expect![[r#"
            a fill of one reduces the other, a full fill cancels it
              1 #1 buy 5 at 99 maker limit close
              1 #1 partially_filled 5/8
              1 #2 accepted 0/3
              2 #1 buy 3 at 99 maker limit close
              2 #1 filled 8/8
              2 #2 canceled 0/3 VEN-OCO
            of different sizes
              1 #1 buy 2 at 99 maker limit close
              1 #1 partially_filled 2/4
              1 #2 accepted 0/6
              2 #2 buy 6 at 105 taker stop close
              2 #2 filled 6/6
              2 #1 canceled 2/4 VEN-OCO
            both in one bar: the stop first
              1 #2 buy 5 at 105 taker stop close
              1 #2 filled 5/5
              1 #1 canceled 0/5 VEN-OCO
            both at the open: the older first
              1 #1 buy 5 at 100 taker market_open open
              1 #1 filled 5/5
              1 #2 canceled 0/5 VEN-OCO
            partial fills make the children larger
              1 #1 buy 5 at 99 maker limit close
              1 #1 partially_filled 5/10
              1 #1sl accepted 0/5 stop 95
              1 #1tp accepted 0/5 limit 105
              2 #1 buy 2 at 99 maker limit close
              2 #1 partially_filled 7/10
              2 #1sl accepted 0/7 stop 95
              2 #1tp accepted 0/7 limit 105
              3 #1tp sell 5 at 105 maker limit close
              3 #1tp partially_filled 5/7
              3 #1sl accepted 0/2
              4 #1tp sell 2 at 105 maker limit close
              4 #1tp partially_filled 7/7
              4 #1sl accepted 0/0
            an entry canceled in part leaves its children
              1 #1 buy 5 at 100 taker market_open open
              1 #1 partially_filled 5/10
              1 #1sl accepted 0/5 stop 95
              1 #1tp accepted 0/5 limit 105
              1 #1 canceled 5/10 VEN-IOC
              2 #1sl sell 5 at 95 taker stop close
              2 #1sl filled 5/5
              2 #1tp canceled 0/5 VEN-OCO
            an entry that ends unfilled ends its children
              1 #1 canceled 0/10 VEN-IOC
              1 #1sl canceled 0/? VEN-PARENT
              1 #1tp canceled 0/? VEN-PARENT
            an entry that is canceled ends its children
              2 #1 canceled 0/10 VEN-CANCELED
              2 #1sl canceled 0/? VEN-PARENT
              2 #1tp canceled 0/? VEN-PARENT
            an entry that expires ends its children
              1 #1 expired 0/10 VEN-EXPIRED
              1 #1sl canceled 0/? VEN-PARENT
              1 #1tp canceled 0/? VEN-PARENT
            an exit that was carried over sells what its entry buys later, too
              1 #1 buy 5 at 100 taker market_open open
              1 #1 partially_filled 5/10
              1 #1sl accepted 0/5 stop 99
              2 #1 buy 5 at 98 taker market_open open
              2 #1 filled 10/10
              2 #1sl accepted 0/10 stop 99
              2 #1sl sell 1 at 98 taker exit_passed open
              2 #1sl partially_filled 1/10
              3 #1sl sell 9 at 97 taker market_open open
              3 #1sl filled 10/10
            a child of a size of its own
              1 #1 buy 2 at 100 taker market_open open
              1 #1 partially_filled 2/10
              1 #2 accepted 0/2 limit 105
              1 #3 accepted 0/1 limit 106
              2 #1 buy 8 at 100 taker market_open open
              2 #1 filled 10/10
              2 #2 accepted 0/3 limit 105
              2 #3 accepted 0/5 limit 106
            exits that are through guard what their entry buys later
              1 #1 buy 5 at 99 maker limit close
              1 #1 partially_filled 5/10
              1 #1sl accepted 0/5 stop 95
              1 #1tp accepted 0/5 limit 105
              2 #1sl sell 5 at 95 taker stop close
              2 #1sl partially_filled 5/5
              2 #1tp accepted 0/0
              3 #1 buy 3 at 99 maker limit close
              3 #1 partially_filled 8/10
              3 #1sl partially_filled 5/8 stop 95
              3 #1tp accepted 0/3 limit 105
              4 #1sl sell 3 at 95 taker stop close
              4 #1sl partially_filled 8/8
              4 #1tp accepted 0/0
              4 #1 buy 2 at 99 maker limit close
              4 #1 filled 10/10
              4 #1sl partially_filled 8/10 stop 95
              4 #1tp accepted 0/2 limit 105
              4 #1sl sell 2 at 95 taker stop close
              4 #1sl filled 10/10
              4 #1tp canceled 0/2 VEN-OCO
            exits that are through end with their entry
              1 #1 buy 5 at 99 maker limit close
              1 #1 partially_filled 5/10
              1 #1sl accepted 0/5 stop 95
              1 #1tp accepted 0/5 limit 105
              2 #1sl sell 5 at 95 taker stop close
              2 #1sl partially_filled 5/5
              2 #1tp accepted 0/0
              3 #1 canceled 5/10 VEN-CANCELED
              3 #1sl filled 5/5
              3 #1tp canceled 0/0 VEN-OCO
            a child that has all of its own size is filled
              1 #1 buy 5 at 99 maker limit close
              1 #1 partially_filled 5/10
              1 #2 accepted 0/3 limit 105
              2 #2 sell 3 at 105 maker limit close
              2 #2 filled 3/3
        "#]],
    );
}

#[test]
fn reduce_only_orders_end_with_their_position() {
    check(
        "case exits are canceled when the position is closed otherwise
         1 buy 10 market sl=95 tp=105
         bar 100
         2 sell 10 market
         bar 100
         case clipped to what is left
         1 buy 10 market sl=95
         bar 100
         2 sell 4 market
         bar 100
         bar 100 100 94 94
         account
         case clipped at the open
         have USDT=1000 A=3@100
         perp A
         1 sell 10 market reduce
         bar 100
         account
         case two stops: the second is clipped, then there is nothing
         have USDT=1000 A=3@100
         perp A
         1 sell 2 stop 95 reduce
         2 sell 2 stop 94 reduce
         3 sell 2 stop 93 reduce
         bar 100 100 90 90
         account
         case nothing to reduce
         1 sell 10 market reduce
         bar 100
         case fill or kill of what is left
         have USDT=1000 A=3@100
         perp A
         1 sell 10 market reduce fok
         bar 100
         case a flip ends the exits of the other side
         1 buy 2 market sl=95
         bar 100
         2 sell 5 market sl=105
         bar 100
         bar 100 106 100 106
         account
         case spot: clipped by the fee in base currency
         spot A lot=0.1 base_fee taker=10
         have USDT=1000
         1 buy 5 market sl=95
         bar 100
         bar 100 100 94 94
         account
         case a flip in parts keeps its exits
         set share=500
         1 buy 2 market
         bar 100
         2 sell 5 market sl=105
         bar 100 100 100 100 20
         bar 100 100 100 100 80
         bar 100 106 100 106
         account",
        expect![[r#"
            exits are canceled when the position is closed otherwise
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              1 #1tp accepted 0/10 limit 105
              2 #2 sell 10 at 100 taker market_open open
              2 #2 filled 10/10
              2 #1sl canceled 0/10 VEN-POSITION-CLOSED
              2 #1tp canceled 0/10 VEN-POSITION-CLOSED
            clipped to what is left
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              2 #2 sell 4 at 100 taker market_open open
              2 #2 filled 4/4
              3 #1sl sell 6 at 95 taker stop close
              3 #1sl filled 6/6
              3 USDT 999999970
            clipped at the open
              1 #1 sell 3 at 100 taker market_open open
              1 #1 filled 3/3
              1 USDT 1000
            two stops: the second is clipped, then there is nothing
              1 #1 sell 2 at 95 taker stop close
              1 #1 filled 2/2
              1 #2 sell 1 at 94 taker stop close
              1 #2 filled 1/1
              1 #3 canceled 0/2 VEN-POSITION-CLOSED
              1 USDT 984
            nothing to reduce
              1 #1 canceled 0/10 VEN-NOTHING-LEFT
            fill or kill of what is left
              1 #1 sell 3 at 100 taker market_open open
              1 #1 filled 3/3
            a flip ends the exits of the other side
              1 #1 buy 2 at 100 taker market_open open
              1 #1 filled 2/2
              1 #1sl accepted 0/2 stop 95
              2 #2 sell 5 at 100 taker market_open open
              2 #2 filled 5/5
              2 #2sl accepted 0/5 stop 105
              2 #1sl canceled 0/2 VEN-POSITION-CLOSED
              3 #2sl buy 3 at 105 taker stop close
              3 #2sl filled 3/3
              3 USDT 999999985
            spot: clipped by the fee in base currency
              1 #1 buy 5 at 100 taker market_open open, fee 0.005 A
              1 #1 filled 5/5
              1 #1sl accepted 0/5 stop 95
              2 #1sl sell 4.9 at 95 taker stop close, fee 0.4655 USDT
              2 #1sl filled 4.9/4.9
              2 USDT 965.0345 A 0.095
            a flip in parts keeps its exits
              1 #1 buy 2 at 100 taker market_open open
              1 #1 filled 2/2
              2 #2 sell 1 at 100 taker market_open open
              2 #2 partially_filled 1/5
              2 #2sl accepted 0/1 stop 105
              3 #2 sell 4 at 100 taker market_open open
              3 #2 filled 5/5
              3 #2sl accepted 0/5 stop 105
              4 #2sl buy 3 at 105 taker stop close
              4 #2sl filled 3/3
              4 USDT 999999985
        "#]],
    );
}
