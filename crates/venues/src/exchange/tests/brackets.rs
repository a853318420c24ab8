//! Stops, limits and entries in one bar, and the levels of exits (10 §12.4).

use expect_test::expect;

use super::scenario::check;

#[test]
fn of_stop_and_limit_in_one_bar_the_path_decides() {
    check(
        "set mirror
         case pessimistic: the stop
         1 buy 10 market
         bar 100
         2 sell 10 stop 95 reduce oco=1
         3 sell 10 limit 105 reduce oco=1
         bar 100 106 94 100
         case pessimistic: of the stops the nearest first
         1 buy 10 market
         bar 100
         2 sell 5 stop 95 reduce
         3 sell 5 stop 96 reduce
         bar 100 106 94 100
         case pessimistic: a lone limit fills
         1 buy 10 market
         bar 100
         2 sell 10 stop 95 reduce oco=1
         3 sell 10 limit 105 reduce oco=1
         bar 100 106 96 100
         case nearest extreme: the high first
         set path=nearest
         1 buy 10 market
         bar 100
         2 sell 10 stop 95 reduce oco=1
         3 sell 10 limit 105 reduce oco=1
         bar 100 106 93 100
         case nearest extreme: the low first
         set path=nearest
         1 buy 10 market
         bar 100
         2 sell 10 stop 95 reduce oco=1
         3 sell 10 limit 105 reduce oco=1
         bar 100 107 94 100
         case nearest extreme: after the second extreme the close
         set path=nearest
         1 buy 10 limit 95 tp=99
         bar 100 103 94 100
         case nearest extreme: levels between the extremes, twice
         set path=nearest
         1 buy 10 stop 101 sl=99 tp=104
         bar 100 103 97 103
         case a gap beyond both: the open decides
         1 buy 10 market
         bar 100
         2 sell 10 stop 95 reduce oco=1
         3 sell 10 limit 105 reduce oco=1
         bar 106 107 94 100
         case pessimistic: of both sides what hurts the position first
         set share=500
         1 buy 5 market
         bar 100
         2 buy 5 stop 105
         3 sell 5 stop 95
         bar 100 106 94 100 100",
        expect![[r#"
            pessimistic: the stop
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              2 #2 sell 10 at 95 taker stop close
              2 #2 filled 10/10
              2 #3 canceled 0/10 VEN-OCO
            pessimistic: of the stops the nearest first
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              2 #3 sell 5 at 96 taker stop close
              2 #3 filled 5/5
              2 #2 sell 5 at 95 taker stop close
              2 #2 filled 5/5
            pessimistic: a lone limit fills
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              2 #3 sell 10 at 105 maker limit close
              2 #3 filled 10/10
              2 #2 canceled 0/10 VEN-OCO
            nearest extreme: the high first
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              2 #3 sell 10 at 105 maker limit close
              2 #3 filled 10/10
              2 #2 canceled 0/10 VEN-OCO
            nearest extreme: the low first
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              2 #2 sell 10 at 95 taker stop close
              2 #2 filled 10/10
              2 #3 canceled 0/10 VEN-OCO
            nearest extreme: after the second extreme the close
              1 #1 buy 10 at 95 maker limit close
              1 #1 filled 10/10
              1 #1tp accepted 0/10 limit 99
              1 #1tp sell 10 at 99 maker limit close
              1 #1tp filled 10/10
            nearest extreme: levels between the extremes, twice
              1 #1 buy 10 at 101 taker stop close
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 99
              1 #1tp accepted 0/10 limit 104
              1 #1sl sell 10 at 99 taker stop close
              1 #1sl filled 10/10
              1 #1tp canceled 0/10 VEN-OCO
            a gap beyond both: the open decides
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              2 #3 sell 10 at 106 taker limit_open open
              2 #3 filled 10/10
              2 #2 canceled 0/10 VEN-OCO
            pessimistic: of both sides what hurts the position first
              1 #1 buy 5 at 100 taker market_open open
              1 #1 filled 5/5
              2 #3 sell 5 at 95 taker stop close
              2 #3 filled 5/5
        "#]],
    );
}

#[test]
fn an_entry_and_its_exits_share_a_bar_where_the_path_allows() {
    check(
        "set mirror
         case market entry: stop and target are active in the rest of the bar
         1 buy 10 market sl=95 tp=105
         bar 100 106 96 100
         case limit entry: the stop below was passed later
         1 buy 10 limit 99 sl=95 tp=105
         bar 100 106 95 100
         case limit entry: the high does not prove the target
         1 buy 10 limit 99 sl=95 tp=105
         bar 100 106 98 100
         bar 100 106 98 100
         case limit entry: the close proves it
         1 buy 10 limit 99 sl=95 tp=105
         bar 100 106 98 105
         case limit entry at the first open: as a market entry
         1 buy 10 limit 101 sl=95 tp=105
         bar 100 106 98 100
         case stop entry: the high proves the target
         1 buy 10 stop 102 sl=95 tp=105
         bar 100 106 98 100
         case stop entry: a touched target needs touch_fills
         1 buy 10 stop 102 sl=95 tp=105
         bar 100 105 98 100
         case stop entry: a touched target with touch_fills
         set touch
         1 buy 10 stop 102 sl=95 tp=105
         bar 100 105 98 100
         case stop entry: the low may have come after
         1 buy 10 stop 102 sl=99 tp=110
         bar 100 106 98 105
         case stop entry: stop and target, pessimistic
         1 buy 10 stop 102 sl=99 tp=105
         bar 100 106 98 106
         case stop entry gapped: as a market entry
         1 buy 10 stop 99 sl=95 tp=105
         bar 100 106 98 100
         case the stop is passed by the fill already
         1 buy 10 market sl=101 tp=105
         bar 100 100 100 100
         case the target is passed by the fill already
         1 buy 10 market sl=95 tp=99
         bar 100 100 100 100
         case trailing exit: starts from the fill, follows the bars after it
         1 buy 10 limit 99
         2 sell 10 trail 2 parent=1 reduce
         bar 100 106 98 101
         bar 101 103 100 102
         bar 102 102 101 101
         case trailing exit of a market entry: the whole bar came after
         1 buy 10 market
         2 sell 10 trail 6 parent=1 reduce
         bar 100 106 98 101
         bar 101 101 100 101
         case an entry inside a bar without volume after it
         1 buy 10 limit 99 sl=95
         bar 100 100 98 98
         bar 90 90 90 90 0
         bar 94
         case a gap through entry and stop: the stop finds the open
         1 buy 10 limit 99 sl=98.5 tp=105
         bar 100
         bar 97 98 96 97
         case a gap through entry and target: the target is not passed by the open
         1 buy 10 limit 99 sl=90 tp=98
         bar 100
         bar 97 97.5 96 97
         bar 97 99 96 97",
        expect![[r#"
            market entry: stop and target are active in the rest of the bar
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              1 #1tp accepted 0/10 limit 105
              1 #1tp sell 10 at 105 maker limit close
              1 #1tp filled 10/10
              1 #1sl canceled 0/10 VEN-OCO
            limit entry: the stop below was passed later
              1 #1 buy 10 at 99 maker limit close
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              1 #1tp accepted 0/10 limit 105
              1 #1sl sell 10 at 95 taker stop close
              1 #1sl filled 10/10
              1 #1tp canceled 0/10 VEN-OCO
            limit entry: the high does not prove the target
              1 #1 buy 10 at 99 maker limit close
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              1 #1tp accepted 0/10 limit 105
              2 #1tp sell 10 at 105 maker limit close
              2 #1tp filled 10/10
              2 #1sl canceled 0/10 VEN-OCO
            limit entry: the close proves it
              1 #1 buy 10 at 99 maker limit close
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              1 #1tp accepted 0/10 limit 105
              1 #1tp sell 10 at 105 maker limit close
              1 #1tp filled 10/10
              1 #1sl canceled 0/10 VEN-OCO
            limit entry at the first open: as a market entry
              1 #1 buy 10 at 100 taker limit_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              1 #1tp accepted 0/10 limit 105
              1 #1tp sell 10 at 105 maker limit close
              1 #1tp filled 10/10
              1 #1sl canceled 0/10 VEN-OCO
            stop entry: the high proves the target
              1 #1 buy 10 at 102 taker stop close
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              1 #1tp accepted 0/10 limit 105
              1 #1tp sell 10 at 105 maker limit close
              1 #1tp filled 10/10
              1 #1sl canceled 0/10 VEN-OCO
            stop entry: a touched target needs touch_fills
              1 #1 buy 10 at 102 taker stop close
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              1 #1tp accepted 0/10 limit 105
            stop entry: a touched target with touch_fills
              1 #1 buy 10 at 102 taker stop close
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              1 #1tp accepted 0/10 limit 105
              1 #1tp sell 10 at 105 maker limit close
              1 #1tp filled 10/10
              1 #1sl canceled 0/10 VEN-OCO
            stop entry: the low may have come after
              1 #1 buy 10 at 102 taker stop close
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 99
              1 #1tp accepted 0/10 limit 110
              1 #1sl sell 10 at 99 taker stop close
              1 #1sl filled 10/10
              1 #1tp canceled 0/10 VEN-OCO
            stop entry: stop and target, pessimistic
              1 #1 buy 10 at 102 taker stop close
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 99
              1 #1tp accepted 0/10 limit 105
              1 #1sl sell 10 at 99 taker stop close
              1 #1sl filled 10/10
              1 #1tp canceled 0/10 VEN-OCO
            stop entry gapped: as a market entry
              1 #1 buy 10 at 100 taker stop_gap open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              1 #1tp accepted 0/10 limit 105
              1 #1tp sell 10 at 105 maker limit close
              1 #1tp filled 10/10
              1 #1sl canceled 0/10 VEN-OCO
            the stop is passed by the fill already
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 101
              1 #1tp accepted 0/10 limit 105
              1 #1sl sell 10 at 100 taker exit_passed open
              1 #1sl filled 10/10
              1 #1tp canceled 0/10 VEN-OCO
            the target is passed by the fill already
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              1 #1tp accepted 0/10 limit 99
              1 #1tp sell 10 at 100 taker exit_passed open
              1 #1tp filled 10/10
              1 #1sl canceled 0/10 VEN-OCO
            trailing exit: starts from the fill, follows the bars after it
              1 #1 buy 10 at 99 maker limit close
              1 #1 filled 10/10
              1 #2 accepted 0/10 trailing
              3 #2 sell 10 at 101 taker trailing close
              3 #2 filled 10/10
            trailing exit of a market entry: the whole bar came after
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              1 #2 accepted 0/10 trailing
              2 #2 sell 10 at 100 taker trailing close
              2 #2 filled 10/10
            an entry inside a bar without volume after it
              1 #1 buy 10 at 99 maker limit close
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              3 #1sl sell 10 at 94 taker stop_gap open
              3 #1sl filled 10/10
            a gap through entry and stop: the stop finds the open
              2 #1 buy 10 at 99 maker limit_gap open
              2 #1 filled 10/10
              2 #1sl accepted 0/10 stop 98.5
              2 #1tp accepted 0/10 limit 105
              2 #1sl sell 10 at 97 taker exit_passed open
              2 #1sl filled 10/10
              2 #1tp canceled 0/10 VEN-OCO
            a gap through entry and target: the target is not passed by the open
              2 #1 buy 10 at 99 maker limit_gap open
              2 #1 filled 10/10
              2 #1sl accepted 0/10 stop 90
              2 #1tp accepted 0/10 limit 98
              3 #1tp sell 10 at 98 maker limit close
              3 #1tp filled 10/10
              3 #1sl canceled 0/10 VEN-OCO
        "#]],
    );
}

#[test]
fn levels_lie_at_a_price_or_at_a_distance_from_the_actual_fill() {
    check(
        "case offsets
         1 buy 10 market sl=-5 tp=+6
         bar 102 108.1 101 102
         case basis points
         1 buy 10 market sl=-500bps tp=+600bps
         bar 102 108.13 101 102
         case of a limit that fills better
         1 buy 10 limit 105 sl=-5 tp=+6
         bar 102 103 97 102
         case with slippage, from the price after it
         set slip=100
         1 buy 10 market sl=-5 tp=+6
         bar 100 107.01 99 100
         case rounded to the tick on the passive side
         1 buy 10 market sl=-333.333bps tp=+333.333bps
         bar 100
         case a level below every price is never reached
         1 buy 10 market sl=-200
         bar 100
         bar 1
         case of several fills, from their average
         set share=500
         1 buy 10 market sl=-5 tp=+6
         bar 100 100 100 100 100
         bar 104 104 104 104 100
         case an exit whose level moves away at an open that would have filled it
         set share=500
         1 buy 10 market tp=+5
         bar 100 100 100 100 100
         bar 106 107 106 106 200",
        expect![[r#"
            offsets
              1 #1 buy 10 at 102 taker market_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 97
              1 #1tp accepted 0/10 limit 108
              1 #1tp sell 10 at 108 maker limit close
              1 #1tp filled 10/10
              1 #1sl canceled 0/10 VEN-OCO
            basis points
              1 #1 buy 10 at 102 taker market_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 96.9
              1 #1tp accepted 0/10 limit 108.12
              1 #1tp sell 10 at 108.12 maker limit close
              1 #1tp filled 10/10
              1 #1sl canceled 0/10 VEN-OCO
            of a limit that fills better
              1 #1 buy 10 at 102 taker limit_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 97
              1 #1tp accepted 0/10 limit 108
              1 #1sl sell 10 at 97 taker stop close
              1 #1sl filled 10/10
              1 #1tp canceled 0/10 VEN-OCO
            with slippage, from the price after it
              1 #1 buy 10 at 101 taker market_open open, slip 100.0000 bps
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 96
              1 #1tp accepted 0/10 limit 107
              1 #1tp sell 10 at 107 maker limit close
              1 #1tp filled 10/10
              1 #1sl canceled 0/10 VEN-OCO
            rounded to the tick on the passive side
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 96.67
              1 #1tp accepted 0/10 limit 103.34
            a level below every price is never reached
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 0.01
            of several fills, from their average
              1 #1 buy 5 at 100 taker market_open open
              1 #1 partially_filled 5/10
              1 #1sl accepted 0/5 stop 95
              1 #1tp accepted 0/5 limit 106
              2 #1 buy 5 at 104 taker market_open open
              2 #1 filled 10/10
              2 #1sl accepted 0/10 stop 97
              2 #1tp accepted 0/10 limit 108
            an exit whose level moves away at an open that would have filled it
              1 #1 buy 5 at 100 taker market_open open
              1 #1 partially_filled 5/10
              1 #1tp accepted 0/5 limit 105
              2 #1 buy 5 at 106 taker market_open open
              2 #1 filled 10/10
              2 #1tp accepted 0/10 limit 108
        "#]],
    );
}
