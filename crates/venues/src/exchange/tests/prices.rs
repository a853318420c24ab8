//! Prices before slippage: the worked examples (10 §12.6) and the table of §12.2, both sides.

use expect_test::expect;

use super::scenario::check;

#[test]
fn the_worked_examples_come_out() {
    check(
        "set mirror
         case market: 101
         1 buy 10 market
         bar 101
         case limit 99: 99 maker
         1 buy 10 limit 99
         bar 100 101 98 100
         case limit 99, first bar: 98.5 taker
         1 buy 10 limit 99
         bar 98.5
         case limit 99, resting and gapped: 99 maker
         1 buy 10 limit 99
         bar 100
         bar 97
         case limit 99, touched: no fill
         1 buy 10 limit 99
         bar 100 101 99 100
         case stop 105: 105
         1 buy 10 stop 105
         bar 100 107 99 100
         case stop 105, gapped: 106
         1 buy 10 stop 105
         bar 106
         case stop-limit 105 / 106: 105
         1 buy 10 stop 105 limit 106
         bar 100 107 99 100
         case stop-limit 105 / 106, gapped: rests
         1 buy 10 stop 105 limit 106
         bar 108 109 107 108
         case stop-limit 105 / 106, gapped and back: 106 maker
         1 buy 10 stop 105 limit 106
         bar 108 109 105.5 108
         case sell stop 95, gapped: 93
         1 sell 10 stop 95
         bar 93
         case bracket 95 / 105: 95
         1 buy 10 market sl=95 tp=105
         bar 100 106 94 100
         case trailing sell 2, peak 110: none, then from 110.5
         1 buy 10 market
         bar 110
         2 sell 10 trail 2
         bar 109 110.5 108.5 109
         bar 109 109 108.4 109
         case trailing sell 2, peak 110, reached: 108
         1 buy 10 market
         bar 110
         2 sell 10 trail 2
         bar 109 109 107 108.5
         case trailing sell 2, peak 110, gapped: 107
         1 buy 10 market
         bar 110
         2 sell 10 trail 2
         bar 107
         case trailing sell 2, old peak 110, 120 and 116 in one bar: none, then 118
         1 buy 10 market
         bar 110
         2 sell 10 trail 2
         bar 118 120 116 119
         bar 119 119 117 117",
        expect![[r#"
            market: 101
              1 #1 buy 10 at 101 taker market_open open
              1 #1 filled 10/10
            limit 99: 99 maker
              1 #1 buy 10 at 99 maker limit close
              1 #1 filled 10/10
            limit 99, first bar: 98.5 taker
              1 #1 buy 10 at 98.5 taker limit_open open
              1 #1 filled 10/10
            limit 99, resting and gapped: 99 maker
              2 #1 buy 10 at 99 maker limit_gap open
              2 #1 filled 10/10
            limit 99, touched: no fill
            stop 105: 105
              1 #1 buy 10 at 105 taker stop close
              1 #1 filled 10/10
            stop 105, gapped: 106
              1 #1 buy 10 at 106 taker stop_gap open
              1 #1 filled 10/10
            stop-limit 105 / 106: 105
              1 #1 buy 10 at 105 taker stop_limit close
              1 #1 filled 10/10
            stop-limit 105 / 106, gapped: rests
            stop-limit 105 / 106, gapped and back: 106 maker
              1 #1 buy 10 at 106 maker limit close
              1 #1 filled 10/10
            sell stop 95, gapped: 93
              1 #1 sell 10 at 93 taker stop_gap open
              1 #1 filled 10/10
            bracket 95 / 105: 95
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              1 #1tp accepted 0/10 limit 105
              1 #1sl sell 10 at 95 taker stop close
              1 #1sl filled 10/10
              1 #1tp canceled 0/10 VEN-OCO
            trailing sell 2, peak 110: none, then from 110.5
              1 #1 buy 10 at 110 taker market_open open
              1 #1 filled 10/10
              3 #2 sell 10 at 108.5 taker trailing close
              3 #2 filled 10/10
            trailing sell 2, peak 110, reached: 108
              1 #1 buy 10 at 110 taker market_open open
              1 #1 filled 10/10
              2 #2 sell 10 at 108 taker trailing close
              2 #2 filled 10/10
            trailing sell 2, peak 110, gapped: 107
              1 #1 buy 10 at 110 taker market_open open
              1 #1 filled 10/10
              2 #2 sell 10 at 107 taker trailing_gap open
              2 #2 filled 10/10
            trailing sell 2, old peak 110, 120 and 116 in one bar: none, then 118
              1 #1 buy 10 at 110 taker market_open open
              1 #1 filled 10/10
              3 #2 sell 10 at 118 taker trailing close
              3 #2 filled 10/10
        "#]],
    );
    check(
        "case bracket 95 / 105, nearest_extreme, tie: 95
         set path=nearest mirror
         1 buy 10 market sl=95 tp=105
         bar 100 106 94 100
         case the same with a low of 93: 105
         set path=nearest mirror
         1 buy 10 market sl=95 tp=105
         bar 100 106 93 100
         case trailing sell 2 %, peak 110, L 107.9: none, then peak
         1 buy 10 market
         bar 110
         2 sell 10 trail 200bps
         bar 109 109.9 107.9 109
         bar 109 109 107 108
         case trailing sell 2 %, peak 110, L 107 O 109: 107.8
         1 buy 10 market
         bar 110
         2 sell 10 trail 200bps
         bar 109 109 107 108
         case trailing sell 2 %, peak 110, O 107: 107
         1 buy 10 market
         bar 110
         2 sell 10 trail 200bps
         bar 107
         case trailing sell 2 %, old peak 110, H 120 and L 116: none, then 117.6
         1 buy 10 market
         bar 110
         2 sell 10 trail 200bps
         bar 118 120 116 119
         bar 118 119 117 118
         case FOK 6 of a budget of 5: canceled
         set share=500
         1 buy 6 market fok
         bar 100 100 100 100 100
         case IOC 6 of a budget of 5: 5, 1 canceled
         set share=500
         1 buy 6 market ioc
         bar 100 100 100 100 100
         case GTC 6 of a budget of 5: 5, then 1
         set share=500
         1 buy 6 limit 101
         bar 100 100 100 100 100
         bar 100 100 100 100 100",
        expect![[r#"
            bracket 95 / 105, nearest_extreme, tie: 95
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              1 #1tp accepted 0/10 limit 105
              1 #1sl sell 10 at 95 taker stop close
              1 #1sl filled 10/10
              1 #1tp canceled 0/10 VEN-OCO
            the same with a low of 93: 105
              1 #1 buy 10 at 100 taker market_open open
              1 #1 filled 10/10
              1 #1sl accepted 0/10 stop 95
              1 #1tp accepted 0/10 limit 105
              1 #1tp sell 10 at 105 maker limit close
              1 #1tp filled 10/10
              1 #1sl canceled 0/10 VEN-OCO
            trailing sell 2 %, peak 110, L 107.9: none, then peak
              1 #1 buy 10 at 110 taker market_open open
              1 #1 filled 10/10
              3 #2 sell 10 at 107.8 taker trailing close
              3 #2 filled 10/10
            trailing sell 2 %, peak 110, L 107 O 109: 107.8
              1 #1 buy 10 at 110 taker market_open open
              1 #1 filled 10/10
              2 #2 sell 10 at 107.8 taker trailing close
              2 #2 filled 10/10
            trailing sell 2 %, peak 110, O 107: 107
              1 #1 buy 10 at 110 taker market_open open
              1 #1 filled 10/10
              2 #2 sell 10 at 107 taker trailing_gap open
              2 #2 filled 10/10
            trailing sell 2 %, old peak 110, H 120 and L 116: none, then 117.6
              1 #1 buy 10 at 110 taker market_open open
              1 #1 filled 10/10
              3 #2 sell 10 at 117.6 taker trailing close
              3 #2 filled 10/10
            FOK 6 of a budget of 5: canceled
              1 #1 canceled 0/6 VEN-FOK
            IOC 6 of a budget of 5: 5, 1 canceled
              1 #1 buy 5 at 100 taker market_open open
              1 #1 partially_filled 5/6
              1 #1 canceled 5/6 VEN-IOC
            GTC 6 of a budget of 5: 5, then 1
              1 #1 buy 5 at 100 taker limit_open open
              1 #1 partially_filled 5/6
              2 #1 buy 1 at 101 maker limit_gap open
              2 #1 filled 6/6
        "#]],
    );
}

#[test]
fn limits_take_at_their_first_open_and_make_afterwards() {
    check(
        "set mirror
         case marketable at the first open, at the limit itself
         1 buy 10 limit 99
         bar 99
         case resting, traded through
         1 buy 10 limit 99
         bar 100
         bar 100 100 98.99 100
         case resting, open at the limit, not traded through
         1 buy 10 limit 99
         bar 100
         bar 99 100 99 100
         case resting, open at the limit, traded through
         1 buy 10 limit 99
         bar 100
         bar 99 100 98 100
         case touched with touch_fills
         set touch
         1 buy 10 limit 99
         bar 100 100 99 100
         case open at the limit with touch_fills
         set touch
         1 buy 10 limit 99
         bar 100
         bar 99 100 99 100
         case open at the limit and the extreme, with a path
         set touch path=nearest
         1 buy 10 limit 99
         bar 100
         bar 99 104 99 100
         case gapped without conservative_gaps
         set gaps=open
         1 buy 10 limit 99
         bar 100
         bar 97 98 96 97
         case a bar without volume is a first bar, and fills nothing
         1 buy 10 limit 99
         bar 98 98 98 98 0
         bar 97
         case a synthetic bar is no bar
         1 buy 10 limit 99
         bar synthetic 98
         bar 97
         case a missing bar is no bar
         1 buy 10 limit 99
         bar -
         bar 97
         case post-only, marketable at its first open
         1 buy 10 limit 99 post
         bar 99
         case post-only, rests
         1 buy 10 limit 99 post
         bar 99.5 100 98 100",
        expect![[r#"
            marketable at the first open, at the limit itself
              1 #1 buy 10 at 99 taker limit_open open
              1 #1 filled 10/10
            resting, traded through
              2 #1 buy 10 at 99 maker limit close
              2 #1 filled 10/10
            resting, open at the limit, not traded through
            resting, open at the limit, traded through
              2 #1 buy 10 at 99 maker limit close
              2 #1 filled 10/10
            touched with touch_fills
              1 #1 buy 10 at 99 maker limit close
              1 #1 filled 10/10
            open at the limit with touch_fills
              2 #1 buy 10 at 99 maker limit close
              2 #1 filled 10/10
            open at the limit and the extreme, with a path
              2 #1 buy 10 at 99 maker limit close
              2 #1 filled 10/10
            gapped without conservative_gaps
              2 #1 buy 10 at 97 maker limit_gap open
              2 #1 filled 10/10
            a bar without volume is a first bar, and fills nothing
              2 #1 buy 10 at 99 maker limit_gap open
              2 #1 filled 10/10
            a synthetic bar is no bar
              2 #1 buy 10 at 97 taker limit_open open
              2 #1 filled 10/10
            a missing bar is no bar
              2 #1 buy 10 at 97 taker limit_open open
              2 #1 filled 10/10
            post-only, marketable at its first open
              1 #1 rejected 0/10 VEN-POST-ONLY
            post-only, rests
              1 #1 buy 10 at 99 maker limit close
              1 #1 filled 10/10
        "#]],
    );
}

#[test]
fn stops_fill_at_their_level_or_at_a_worse_open() {
    check(
        "set mirror
         case open at the stop
         1 buy 10 stop 105
         bar 105 106 104 105
         case high at the stop
         1 buy 10 stop 105
         bar 100 105 99 100
         case resting, gapped
         1 buy 10 stop 105
         bar 100
         bar 108 109 107 108
         case not reached
         1 buy 10 stop 105
         bar 100 104.99 99 100
         case no volume
         1 buy 10 stop 105
         bar 106 106 106 106 0
         bar 100 104 99 100
         case stop-limit, P = S
         1 buy 10 stop 105 limit 105
         bar 100 107 99 100
         case stop-limit, gapped within the limit
         1 buy 10 stop 105 limit 106
         bar 105.5 107 105 106
         case stop-limit, gapped beyond the limit, touched
         1 buy 10 stop 105 limit 106
         bar 108 109 106 108
         case the same with touch_fills
         set touch
         1 buy 10 stop 105 limit 106
         bar 108 109 106 108
         case stop-limit, gapped beyond the limit, fills in the next bar
         1 buy 10 stop 105 limit 106
         bar 108 109 107 108
         bar 108 108 105.9 107
         case stop-limit with P < S rests, and fills in the next bar
         1 buy 10 stop 105 limit 103
         bar 104 107 102 104
         bar 104 104 102 104
         case stop-limit with P < S, the close proves that P came after
         1 buy 10 stop 105 limit 103
         bar 104 107 102 102.5
         case stop-limit with P < S, the close at P proves nothing without touch_fills
         1 buy 10 stop 105 limit 103
         bar 104 107 102 103
         case stop-limit with P < S, the path proves it
         set path=nearest
         1 buy 10 stop 105 limit 103
         bar 104 106 101 104
         case stop-limit with P < S, the path proves the contrary
         set path=nearest
         1 buy 10 stop 105 limit 103
         bar 104 107 102 104
         case stop-limit with P < S, triggered at the open
         1 buy 10 stop 105 limit 103
         bar 105 106 102 104
         case stop-limit post-only that would take
         1 buy 10 stop 105 limit 106 post
         bar 100 107 99 100",
        expect![[r#"
            open at the stop
              1 #1 buy 10 at 105 taker stop_gap open
              1 #1 filled 10/10
            high at the stop
              1 #1 buy 10 at 105 taker stop close
              1 #1 filled 10/10
            resting, gapped
              2 #1 buy 10 at 108 taker stop_gap open
              2 #1 filled 10/10
            not reached
            no volume
            stop-limit, P = S
              1 #1 buy 10 at 105 taker stop_limit close
              1 #1 filled 10/10
            stop-limit, gapped within the limit
              1 #1 buy 10 at 105.5 taker stop_limit_gap open
              1 #1 filled 10/10
            stop-limit, gapped beyond the limit, touched
            the same with touch_fills
              1 #1 buy 10 at 106 maker limit close
              1 #1 filled 10/10
            stop-limit, gapped beyond the limit, fills in the next bar
              2 #1 buy 10 at 106 maker limit close
              2 #1 filled 10/10
            stop-limit with P < S rests, and fills in the next bar
              2 #1 buy 10 at 103 maker limit close
              2 #1 filled 10/10
            stop-limit with P < S, the close proves that P came after
              1 #1 buy 10 at 103 maker limit close
              1 #1 filled 10/10
            stop-limit with P < S, the close at P proves nothing without touch_fills
            stop-limit with P < S, the path proves it
              1 #1 buy 10 at 103 maker limit close
              1 #1 filled 10/10
            stop-limit with P < S, the path proves the contrary
            stop-limit with P < S, triggered at the open
              1 #1 buy 10 at 103 maker limit close
              1 #1 filled 10/10
            stop-limit post-only that would take
              1 #1 rejected 0/10 VEN-POST-ONLY
        "#]],
    );
}

#[test]
fn trailing_orders_follow_the_bars_before() {
    check(
        "set mirror
         case starts from the last close at the decision
         bar 100 110 99 104
         1 sell 10 trail 2
         bar 104 104 102.5 103
         bar 103 103 102 103
         case ratchets with the high and not with the close
         1 sell 10 trail 2
         bar 100 105 99 104
         bar 104 104 103.1 104
         bar 104 104 103 104
         case does not loosen
         1 sell 10 trail 2
         bar 100 105 99 104
         bar 104 104 103.5 104
         bar 104 104 103 104
         case open at the level
         1 sell 10 trail 2
         bar 98 99 97 98
         case a bar without volume moves nothing
         1 sell 10 trail 2
         bar 101 101 101 101 0
         bar 100 100 98.5 99
         bar 99 99 98 99
         case rests through many bars
         1 sell 10 trail 2
         bar 100 101 99 101
         bar 101 103 100 103
         bar 103 103 101.5 102
         bar 102 102 101 102",
        expect![[r#"
            starts from the last close at the decision
              3 #1 sell 10 at 102 taker trailing close
              3 #1 filled 10/10
            ratchets with the high and not with the close
              3 #1 sell 10 at 103 taker trailing close
              3 #1 filled 10/10
            does not loosen
              3 #1 sell 10 at 103 taker trailing close
              3 #1 filled 10/10
            open at the level
              1 #1 sell 10 at 98 taker trailing_gap open
              1 #1 filled 10/10
            a bar without volume moves nothing
              3 #1 sell 10 at 98 taker trailing close
              3 #1 filled 10/10
            rests through many bars
              4 #1 sell 10 at 101 taker trailing close
              4 #1 filled 10/10
        "#]],
    );
}
