//! Latency, cancels, replaces, and the pass at the close (10 §12.1, 08 §10.1).

use expect_test::expect;

use super::scenario::check;

#[test]
fn latency_is_a_duration_a_number_of_bars_or_the_later_of_both() {
    check(
        "case none: the next bar
         1 buy 10 market
         bar 101
         case a minute: the bar after the next
         set latency=1
         1 buy 10 market
         bar 101
         bar 102
         case an hour: the bar that opens then
         set latency=60
         1 buy 10 market
         bar 101
         bar 102
         case a duration runs on while bars are missing
         set latency=90
         1 buy 10 market
         bar -
         bar synthetic 100
         bar 103
         case two bars: the third
         set bars=2
         1 buy 10 market
         bar 101
         bar 102
         bar 103
         case synthetic and missing bars do not count, real ones without volume do
         set bars=2
         1 buy 10 market
         bar synthetic 101
         bar -
         bar 103 103 103 103 0
         bar 104
         bar 105
         case both: the bars are later
         set latency=1 bars=2
         1 buy 10 market
         bar 101
         bar 102
         bar 103
         case both: the duration is later
         set latency=121 bars=1
         1 buy 10 market
         bar 101
         bar 102
         bar 103
         bar 104
         case exits are at the venue with their entry
         set bars=1
         1 buy 10 market sl=95
         bar 100
         bar 100 100 94 94
         case a limit is marketable at its first eligible bar
         set bars=1
         1 buy 10 limit 100
         bar 99
         bar 98",
        expect![[r#"
            none: the next bar
              1 #1 buy 10 at 101 taker market_open open
              1 #1 filled 10/10
            a minute: the bar after the next
              2 #1 buy 10 at 102 taker market_open open
              2 #1 filled 10/10
            an hour: the bar that opens then
              2 #1 buy 10 at 102 taker market_open open
              2 #1 filled 10/10
            a duration runs on while bars are missing
              3 #1 buy 10 at 103 taker market_open open
              3 #1 filled 10/10
            two bars: the third
              3 #1 buy 10 at 103 taker market_open open
              3 #1 filled 10/10
            synthetic and missing bars do not count, real ones without volume do
              5 #1 buy 10 at 105 taker market_open open
              5 #1 filled 10/10
            both: the bars are later
              3 #1 buy 10 at 103 taker market_open open
              3 #1 filled 10/10
            both: the duration is later
              4 #1 buy 10 at 104 taker market_open open
              4 #1 filled 10/10
            exits are at the venue with their entry
              2 #1 buy 10 at 100 taker market_open open
              2 #1 filled 10/10
              2 #1sl accepted 0/10 stop 95
              2 #1sl sell 10 at 95 taker stop close
              2 #1sl filled 10/10
            a limit is marketable at its first eligible bar
              2 #1 buy 10 at 98 taker limit_open open
              2 #1 filled 10/10
        "#]],
    );
}

#[test]
fn cancels_and_replaces_come_before_matching_or_too_late() {
    check(
        "case a cancel before matching
         1 buy 10 limit 99
         bar 100
         cancel 1
         bar 98
         case a cancel that is too late
         set bars=1
         1 buy 10 limit 99
         bar 100
         bar 100
         cancel 1
         bar 98
         bar 98
         case a cancel of an order on its way
         set bars=1
         1 buy 10 limit 101
         cancel 1
         bar 100
         bar 100
         case a cancel of an order that has ended
         1 buy 10 market
         bar 100
         cancel 1
         bar 100
         case a cancel waits for a real bar
         1 buy 10 limit 99
         bar 100
         cancel 1
         bar synthetic 100
         bar -
         bar 98 98 98 98 0
         case a cancel of one exit leaves the other
         1 buy 10 market sl=95 tp=105
         bar 100
         cancel 1tp
         bar 100 106 100 100
         bar 100 100 94 94
         case a replace before matching: as a new order at its open
         1 buy 10 limit 99
         bar 100
         replace 1 buy 10 limit 98
         bar 98.5 99 98.2 98.5
         replace 1 buy 10 limit 99
         bar 98.5
         case a replace to less than has filled is done
         set share=500
         1 buy 10 limit 101
         bar 100 100 100 100 100
         replace 1 buy 4 limit 101
         bar 100
         case a replace to more goes behind
         set share=500
         1 buy 5 limit 99
         2 buy 5 limit 99
         bar 100
         replace 1 buy 6 limit 99
         bar 100 100 98 100 100
         case a replace of the quantity to less keeps its place
         set share=500
         1 buy 5 limit 99
         2 buy 5 limit 99
         bar 100
         replace 1 buy 4 limit 99
         bar 100 100 98 100 100
         case a replace of the price goes behind
         set share=500
         1 buy 5 limit 99
         2 buy 5 limit 99.5
         bar 100
         replace 1 buy 5 limit 99.5
         bar 100 100 98 100 100
         case a replace keeps what has filled
         set share=500
         1 buy 10 limit 101
         bar 100 100 100 100 100
         replace 1 buy 8 limit 102
         bar 100
         case a replace of a trailing order keeps its extreme
         1 sell 10 trail 2
         bar 100 105 100 105
         replace 1 sell 10 trail 3
         bar 104 104 101.5 102
         case a replace of a share counts what has filled
         set share=500
         perp A
         have USDT=2000
         1 buy 100% limit 101
         bar 100 100 100 100 100
         replace 1 buy 100% limit 102
         bar 100
         account
         case a replaced exit stays where it was put
         set share=500
         1 buy 10 limit 99 sl=95
         bar 100 100 98 100 100
         replace 1sl sell 100% stop 97 reduce parent=1
         bar 100 100 98 100 100
         bar 97
         case an exit may be replaced before its entry fills
         1 buy 10 limit 99 sl=95
         bar 100
         replace 1sl sell 100% stop 97 reduce parent=1
         bar 100
         bar 100 100 96 96
         case a replaced exit is no larger than its entry's fill
         have USDT=10000 A=30@100
         perp A
         1 buy 10 market sl=95
         bar 100
         replace 1sl sell 100% stop 97 reduce parent=1
         bar 100
         bar 96
         account
         case a smaller replace of a child is no larger than its parent's fill
         set share=500
         1 buy 10 limit 99
         2 sell 10 limit 105 parent=1
         bar 100 100 98 100 100
         replace 2 sell 8 limit 105 parent=1
         bar 100
         bar 106
         case a child that is sent after its parent's fill waits for its own arrival
         set share=500 bars=1
         1 buy 10 limit 99
         bar 100
         bar 100 100 98 100 100
         2 sell 10 limit 100.5 parent=1
         bar 100 101 98 100 100
         bar 100 101 100 100 200
         case a replace whose time is over before the bar closes
         1 buy 10 limit 99
         bar 100
         replace 1 buy 10 limit 101 until=119
         bar 100
         case a child that is replaced before its parent fills has its new time
         1 buy 10 limit 95
         2 sell 10 limit 105 parent=1 until=120
         bar 100
         replace 2 sell 10 limit 105 parent=1 until=180
         bar 100
         bar 100
         case a replace to what has filled is done
         set share=500
         1 buy 10 limit 101
         bar 100 100 100 100 100
         replace 1 buy 5 limit 101
         bar 100",
        expect![[r#"
            a cancel before matching
              2 #1 canceled 0/10 VEN-CANCELED
            a cancel that is too late
              3 #1 buy 10 at 99 maker limit_gap open
              3 #1 filled 10/10
            a cancel of an order on its way
              2 #1 canceled 0/10 VEN-CANCELED
            a cancel of an order that has ended
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
            a cancel waits for a real bar
              4 #1 canceled 0/10 VEN-CANCELED
            a cancel of one exit leaves the other
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              1 #1tp accepted 0/10 limit 105
              2 #1tp canceled 0/10 VEN-CANCELED
              3 #1sl sell 10 at 95 taker stop close
              3 #1sl filled 10/10
            a replace before matching: as a new order at its open
              2 #1 accepted 0/10 limit 98
              3 #1 accepted 0/10 limit 99
              3 #1 buy 10 at 98.5 taker limit_open open
              3 #1 filled 10/10
            a replace to less than has filled is done
              1 #1 buy 5 at 100 taker limit_open open
              1 #1 partially_filled 5/10
              2 #1 filled 5/5
            a replace to more goes behind
              2 #1 accepted 0/6 limit 99
              2 #2 buy 5 at 99 maker limit close
              2 #2 filled 5/5
            a replace of the quantity to less keeps its place
              2 #1 accepted 0/4 limit 99
              2 #1 buy 4 at 99 maker limit close
              2 #1 filled 4/4
              2 #2 buy 1 at 99 maker limit close
              2 #2 partially_filled 1/5
            a replace of the price goes behind
              2 #1 accepted 0/5 limit 99.5
              2 #2 buy 5 at 99.5 maker limit close
              2 #2 filled 5/5
            a replace keeps what has filled
              1 #1 buy 5 at 100 taker limit_open open
              1 #1 partially_filled 5/10
              2 #1 partially_filled 5/8 limit 102
              2 #1 buy 3 at 100 taker limit_open open
              2 #1 filled 8/8
            a replace of a trailing order keeps its extreme
              2 #1 accepted 0/10 trailing
              2 #1 sell 10 at 102 taker trailing close
              2 #1 filled 10/10
            a replace of a share counts what has filled
              1 #1 buy 5 at 100 taker limit_open open
              1 #1 partially_filled 5/20
              2 #1 partially_filled 5/? limit 102
              2 #1 buy 15 at 100 taker limit_open open
              2 #1 filled 20/20
              2 USDT 2000 A 20
            a replaced exit stays where it was put
              1 #1 buy 5 at 99 maker limit close
              1 #1 partially_filled 5/10
              1 #1sl accepted 0/5 stop 95
              2 #1sl accepted 0/5 stop 97
              2 #1 buy 5 at 99 maker limit close
              2 #1 filled 10/10
              2 #1sl accepted 0/10 stop 97
              3 #1sl sell 10 at 97 taker stop_gap open
              3 #1sl filled 10/10
            an exit may be replaced before its entry fills
              2 #1sl accepted 0/? stop 97
              3 #1 buy 10 at 99 maker limit close
              3 #1 filled 10/10
              3 #1sl accepted 0/10 stop 97
              3 #1sl sell 10 at 97 taker stop close
              3 #1sl filled 10/10
            a replaced exit is no larger than its entry's fill
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              2 #1sl accepted 0/10 stop 97
              3 #1sl sell 10 at 96 taker stop_gap open
              3 #1sl filled 10/10
              3 USDT 9960 A 30
            a smaller replace of a child is no larger than its parent's fill
              1 #1 buy 5 at 99 maker limit close
              1 #1 partially_filled 5/10
              1 #2 accepted 0/5 limit 105
              2 #2 accepted 0/5 limit 105
              3 #2 sell 5 at 105 maker limit_gap open
              3 #2 partially_filled 5/5
            a child that is sent after its parent's fill waits for its own arrival
              2 #1 buy 5 at 99 maker limit close
              2 #1 partially_filled 5/10
              3 #1 buy 5 at 99 maker limit close
              3 #1 filled 10/10
              3 #2 accepted 0/10 limit 100.5
              4 #2 sell 10 at 100.5 maker limit close
              4 #2 filled 10/10
            a replace whose time is over before the bar closes
              2 #1 accepted 0/10 limit 101
              2 #1 expired 0/10 VEN-EXPIRED
            a child that is replaced before its parent fills has its new time
              2 #2 accepted 0/? limit 105
              3 #2 expired 0/? VEN-EXPIRED
            a replace to what has filled is done
              1 #1 buy 5 at 100 taker limit_open open
              1 #1 partially_filled 5/10
              2 #1 filled 5/5
        "#]],
    );
}

#[test]
fn orders_can_match_the_close_that_they_were_decided_on() {
    check(
        "case market orders take the close
         bar 100 102 98 101
         1 buy 10 market
         close
         case marketable limits take it, others wait
         bar 100 102 98 101
         1 buy 10 limit 101
         2 buy 10 limit 100
         3 buy 10 stop 100
         4 sell 10 limit 101 post
         close
         bar 99.5
         case an immediate order that is not marketable waits for the next bar
         bar 100 102 98 101
         1 buy 10 limit 100 ioc
         close
         bar 100
         case latency leaves nothing to the close
         set bars=1
         bar 100 102 98 101
         1 buy 10 market
         close
         bar 102
         bar 103
         case no volume, no close
         bar 100 100 100 100 0
         1 buy 10 market
         close
         bar 102
         case exits wait for the next bar, and trail with all of it
         bar 100 102 98 101
         1 buy 10 market sl=97 tp=102
         2 sell 10 trail 10 parent=1 reduce
         close
         bar 101 101.5 98 101
         bar 101 103 101 101
         case the open and the close share it
         set share=500
         1 buy 3 market
         bar 100 100 100 100 100
         2 buy 3 market
         close
         case a trail that starts at the close follows all of the next bar
         bar 100 102 98 101
         1 buy 10 market
         2 sell 10 trail 3 parent=1 reduce
         close
         bar 101 105 100 101
         bar 103 103 102 102
         case the budget of the bar counts at its close
         set share=500
         bar 100 100 100 100 100
         1 buy 10 market
         close
         bar 100 100 100 100 200
         2 buy 10 market
         close
         case what the close leaves after the last bar expires
         set share=500
         bar 100 100 100 100 100
         1 buy 10 limit 100 until=90
         close
         bar 99",
        expect![[r#"
            market orders take the close
              1 #1 buy 10 at 101 taker market_close close
              1 #1 filled 10/10
            marketable limits take it, others wait
              1 #1 buy 10 at 101 taker limit_close close
              1 #1 filled 10/10
              2 #2 buy 10 at 99.5 taker limit_open open
              2 #2 filled 10/10
            an immediate order that is not marketable waits for the next bar
              2 #1 buy 10 at 100 taker limit_open open
              2 #1 filled 10/10
            latency leaves nothing to the close
              3 #1 buy 10 at 103 taker market_open open
              3 #1 filled 10/10
            no volume, no close
              2 #1 buy 10 at 102 taker market_open open
              2 #1 filled 10/10
            exits wait for the next bar, and trail with all of it
              1 #1 buy 10 at 101 taker market_close close
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 97
              1 #2 accepted 0/10 trailing
              1 #1tp accepted 0/10 limit 102
              3 #1tp sell 10 at 102 maker limit close
              3 #1tp filled 10/10
              3 #1sl canceled 0/10 VEN-OCO
              3 #2 canceled 0/10 VEN-OCO
            the open and the close share it
              1 #1 buy 3 at 100 taker market_open open
              1 #1 filled 3/3
              1 #2 buy 2 at 100 taker market_close close
              1 #2 partially_filled 2/3
            a trail that starts at the close follows all of the next bar
              1 #1 buy 10 at 101 taker market_close close
              1 #1 filled 10/10
              1 #2 accepted 0/10 trailing
              3 #2 sell 10 at 102 taker trailing close
              3 #2 filled 10/10
            the budget of the bar counts at its close
              1 #1 buy 5 at 100 taker market_close close
              1 #1 partially_filled 5/10
              2 #1 buy 5 at 100 taker market_open open
              2 #1 filled 10/10
              2 #2 buy 5 at 100 taker market_close close
              2 #2 partially_filled 5/10
            what the close leaves after the last bar expires
              1 #1 buy 5 at 100 taker limit_close close
              1 #1 partially_filled 5/10
              1 #1 expired 5/10 VEN-EXPIRED
        "#]],
    );
}

#[test]
fn the_same_client_id_is_the_same_order() {
    check(
        "case the same terms: acknowledged again
         1 buy 10 limit 99 id=a sl=95
         2 buy 10.0 limit 99.00 id=a sl=95.0
         bar 98
         case other terms: rejected
         1 buy 10 limit 99 id=a
         2 buy 11 limit 99 id=a
         3 sell 10 limit 99 id=a
         4 buy 10 limit 99 id=a post
         5 buy 10 limit 99 id=a sl=95
         6 buy 10 limit 99 id=b
         7 buy 10 limit 99 id=c sl=+5
         8 buy 10 limit 99 id=c sl=5
         9 buy 10 limit 99 id=c sl=+5bps
         bar 98
         case also when the first has ended
         1 buy 10 market id=a
         bar 98
         2 buy 10 market id=a
         3 buy 11 market id=a
         bar 98",
        expect![[r#"
            the same terms: acknowledged again
              0 #2 accepted 0/10 repeats #1
              1 #1 buy 10 at 98 taker limit_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
            other terms: rejected
              0 #2 rejected 0/11 VEN-CLIENT-ID
              0 #3 rejected 0/10 VEN-CLIENT-ID
              0 #4 rejected 0/10 VEN-CLIENT-ID
              0 #5 rejected 0/10 VEN-CLIENT-ID
              0 #8 rejected 0/10 VEN-CLIENT-ID
              0 #9 rejected 0/10 VEN-CLIENT-ID
              1 #1 buy 10 at 98 taker limit_open open
              1 #1 filled 10/10
              1 #6 buy 10 at 98 taker limit_open open
              1 #6 filled 10/10
              1 #7 buy 10 at 98 taker limit_open open
              1 #7 filled 10/10
              1 #7sl accepted 0/10 stop 103
              1 #7sl sell 10 at 98 taker exit_passed open
              1 #7sl filled 10/10
            also when the first has ended
              1 #1 buy 10 at 98 taker market_open open
              1 #1 filled 10/10
              1 #2 accepted 0/10 repeats #1
              1 #3 rejected 0/11 VEN-CLIENT-ID
        "#]],
    );
}
