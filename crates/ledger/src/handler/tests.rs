//! The account against the vectors of the specification, as text tables.
#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use expect_test::expect;

use super::*;

mod once;
mod properties;
mod scenario;
mod working_orders;

use scenario::check;

#[test]
fn a_buy_and_a_sell_move_base_cash_and_fee() {
    // Source: 02 §3.2, sell 0.5 at 50,000 with a fee of 25 brings 24,975.
    check(
        "start USDT 100000
         buy spot:BTCUSDT 0.5 50000 fee 25
         sell spot:BTCUSDT 0.5 50000 fee 25",
        &expect![[r#"
            USDT -25025, BTC +0.5, holds 0.5 for 25000
            USDT +24975, BTC -0.5, holds 0 for 0
                lot 0.5 of 50000 at 0: +0 -25 -25 = -50
                trip buy 0.5 50000 -> 50000 at 0..0: pnl -50 fees 50 return -0.0020 mae 0.0000 mfe +0.0000 bars 0 worth 1.0000
        "#]],
    );
}

#[test]
fn a_fee_in_base_makes_the_holding_smaller_and_is_counted_once() {
    check(
        "start USDT 10000
         buy spot:ETHUSDT 1 2000 fee 0.001 base
         sell spot:ETHUSDT 0.999 2100 fee 2.0979
         buy spot:ETHUSDT 0.99999 2000 fee 0.001 base
         sell spot:ETHUSDT 0.99898 2000 fee 2
         sell spot:ETHUSDT 0.00001 2000",
        &expect![[r#"
            USDT -2000, ETH +0.999, holds 0.999 for 2000
            USDT +2095.8021, ETH -0.999, holds 0 for 0, realized +97.9
                lot 0.999 of 2000 at 0: +97.9 -0 -2.0979 = +95.8021
                trip buy 0.999 2000 -> 2100 at 0..0: pnl +95.8021 fees 4.0979 return +0.0479 mae 0.0000 mfe +97.9000 bars 0 worth 1.0000
            USDT -1999.98, ETH +0.99899, holds 0.99899 for 1999.98
            USDT +1995.96, ETH -0.99898, holds 0.00001 for 0.02002002022, realized -1.99997997978
                lot 0.99898 of 2000 at 0: -1.99997997978 -0 -2 = -3.99997997978
            USDT +0.02, ETH -0.00001, holds 0 for 0, realized -0.00002002022
                lot 0.00001 of 2000 at 0: -0.00002002022 -0 -0 = -0.00002002022
                trip buy 0.99899 2000 -> 2000 at 0..0: pnl -4 fees 4 return -0.0020 mae -2.0000 mfe +0.0000 bars 0 worth 1.0000
        "#]],
    );
}

#[test]
fn a_half_lot_that_fees_leave_is_flat_in_the_report_only() {
    check(
        "start USDT 10000
         buy spot:ETHUSDT 1 2000 fee 0.000016 base
         sell spot:ETHUSDT 0.99998 2100
         buy spot:ETHUSDT 1 2000
         sell spot:ETHUSDT 1 1900",
        &expect![[r#"
            USDT -2000, ETH +0.999984, holds 0.999984 for 2000
            USDT +2099.958, ETH -0.99998, holds 0.000004 for 0.008000128002, realized +99.966000128002
                lot 0.99998 of 2000 at 0: +99.966000128002 -0 -0 = +99.966000128002
                trip buy 0.999984 2000 -> 2100 at 0..0: pnl +99.958 fees 0.032 return +0.0500 mae 0.0000 mfe +99.9664 bars 0 worth 1.0000
            USDT -2000, ETH +1, holds 1.000004 for 2000.008000128002
            USDT +1900, ETH -1, holds 0.000004 for 0.008000000001, realized -100.000000128001
                lot 0.000004 of 2000 at 0: -0.000400128002 -0 -0 = -0.000400128002
                lot 0.999996 of 2000 at 0: -99.9996 -0 -0 = -99.9996
                trip buy 1.000004 2000 -> 1900 at 0..0: pnl -100 fees 0 return -0.0500 mae -100.0004 mfe +0.0000 bars 0 worth 1.0000
        "#]],
    );
}

#[test]
fn a_fee_that_takes_all_that_is_bought_ends_the_run() {
    check(
        "start USDT 100\n buy spot:ETHUSDT 0.001 2000 fee 0.001 base",
        &expect![[r#"
        POS-NEGATIVE: binance:BaseToken:ETH would gain 0.001 and pay a fee of 0.001 out of it
    "#]],
    );
}

#[test]
fn a_sale_closes_the_oldest_lots_first() {
    // Source: 11 §13.1: gross 20 and 5, net 24.665; half a lot of 110 is left, with a fee of 0.055.
    check(
        "start USDT 100000
         buy spot:BTCUSDT 1 100 fee 0.10
         buy spot:BTCUSDT 1 110 fee 0.11
         sell spot:BTCUSDT 1.5 120 fee 0.18
         sell spot:BTCUSDT 0.5 120 fee 0.06",
        &expect![[r#"
            USDT -100.1, BTC +1, holds 1 for 100
            USDT -110.11, BTC +1, holds 2 for 210
            USDT +179.82, BTC -1.5, holds 0.5 for 52.5, realized +22.5
                lot 1 of 100 at 0: +20 -0.1 -0.12 = +19.78
                lot 0.5 of 110 at 0: +5 -0.055 -0.06 = +4.885
            USDT +59.94, BTC -0.5, holds 0 for 0, realized +7.5
                lot 0.5 of 110 at 0: +5 -0.055 -0.06 = +4.885
                trip buy 2 105 -> 120 at 0..0: pnl +29.55 fees 0.45 return +0.1407 mae 0.0000 mfe +30.0000 bars 0 worth 1.0000
        "#]],
    );
}

#[test]
fn a_linear_perpetual_changes_by_fee_and_realised_profit_alone() {
    // Source: 02 §3.2, the short of 0.5 at 50,000, its reduction and its flip.
    check(
        "start USDT 10000
         sell perp:BTCUSDT 0.5 50000 fee 12.5
         buy perp:BTCUSDT 0.2 48000 fee 4.8
         buy perp:BTCUSDT 0.5 51000 fee 12.75
         buy perp:BTCUSDT 0.1 54000 fee -0.54
         sell perp:BTCUSDT 0.3 53000",
        &expect![[r#"
            USDT -12.5, BTCUSDT -0.5, holds -0.5 for -25000
            USDT +395.2, BTCUSDT +0.2, holds -0.3 for -15000, realized +400
                lot 0.2 of 50000 at 0: +400 -5 -4.8 = +390.2
            USDT -312.75, BTCUSDT +0.5, holds 0.2 for 10200, realized -300
                lot 0.3 of 50000 at 0: -300 -7.5 -7.65 = -315.15
                trip sell 0.5 50000 -> 49800 at 0..0: pnl +75.05 fees 24.95 return +0.0030 mae -300.0000 mfe +1000.0000 bars 0 worth 1.0000
            USDT +0.54, BTCUSDT +0.1, holds 0.3 for 15600
            USDT +300, BTCUSDT -0.3, holds 0 for 0, realized +300
                lot 0.2 of 51000 at 0: +400 -5.1 -0 = +394.9
                lot 0.1 of 54000 at 0: -100 --0.54 -0 = -99.46
                trip buy 0.3 52000 -> 53000 at 0..0: pnl +295.44 fees 4.56 return +0.0189 mae 0.0000 mfe +300.0000 bars 0 worth 1.0000
        "#]],
    );
}

#[test]
fn an_inverse_perpetual_pays_in_coin() {
    // Source: 02 §3.2, 1,000 contracts of 100 USD long from 50,000 to 52,000.
    check(
        "start BTC 2
         bars spot:BTCUSDT 50000 50000 50000
         buy perp:BTCUSD 1000 50000 fee 0.001
         bars spot:BTCUSDT 52000 52000 52000 perp:BTCUSD 49000 53000 52000
         value
         sell perp:BTCUSD 1000 52000 fee 0.001
         sell perp:BTCUSD 300 52000
         sell perp:BTCUSD 300 51000
         buy perp:BTCUSD 600 50000",
        &expect![[r#"
            BTC -0.001, BTCUSD +1000, holds 1000 for 2
            equity 107948.0000 cash 0.0000 gross 203948.0000 net +203948.0000 unrealized +8000.0000
            BTC +0.075923076923, BTCUSD -1000, holds 0 for 0, realized +0.076923076923
                lot 1000 of 50000 at 1: +0.076923076923 -0.001 -0.001 = +0.074923076923
                trip buy 1000 50000 -> 52000 at 1..2: pnl +0.074923076923 fees 0.002 return +0.0375 mae -0.0408 mfe +0.1132 bars 1 worth 52000.0000
            BTCUSD -300, holds -300 for -0.576923076923
            BTCUSD -300, holds -600 for -1.165158371041
            BTC +0.034841628959, BTCUSD +600, holds 0 for 0, realized +0.034841628959
                lot 300 of 52000 at 2: +0.023076923077 -0 -0 = +0.023076923077
                lot 300 of 51000 at 2: +0.011764705882 -0 -0 = +0.011764705882
                trip sell 600 51495.145631067961165 -> 50000 at 2..2: pnl +0.034841628959 fees 0 return +0.0299 mae 0.0000 mfe +0.0348 bars 0 worth 52000.0000
        "#]],
    );
}

#[test]
fn contracts_have_a_size() {
    check(
        "start USDT 10000
         buy perp:BTCMINI 50 50000 fee 12.5
         bars perp:BTCMINI 49000 51000 51000
         value
         sell perp:BTCMINI 50 51000 fee 12.75",
        &expect![[r#"
            USDT -12.5, BTCMINI +50, holds 50 for 25000
            equity 10487.5000 cash 9987.5000 gross 25500.0000 net +25500.0000 unrealized +500.0000
            USDT +487.25, BTCMINI -50, holds 0 for 0, realized +500
                lot 50 of 50000 at 0: +500 -12.5 -12.75 = +474.75
                trip buy 50 50000 -> 51000 at 0..1: pnl +474.75 fees 25.25 return +0.0190 mae -500.0000 mfe +500.0000 bars 1 worth 1.0000
        "#]],
    );
}

#[test]
fn a_flip_completes_one_round_trip_and_begins_the_next() {
    check(
        "start USDT 10000
         buy perp:BTCUSDT 0.3 100 fee 0.03
         bars perp:BTCUSDT 90 130 120
         sell perp:BTCUSDT 1 120 fee 0.1
         bars perp:BTCUSDT 115 125 118
         buy perp:BTCUSDT 0.7 118 fee 0.07",
        &expect![[r#"
            USDT -0.03, BTCUSDT +0.3, holds 0.3 for 30
            USDT +5.9, BTCUSDT -1, holds -0.7 for -84, realized +6
                lot 0.3 of 100 at 0: +6 -0.03 -0.03 = +5.94
                trip buy 0.3 100 -> 120 at 0..1: pnl +5.94 fees 0.06 return +0.1980 mae -3.0000 mfe +9.0000 bars 1 worth 1.0000
            USDT +1.33, BTCUSDT +0.7, holds 0 for 0, realized +1.4
                lot 0.7 of 120 at 1: +1.4 -0.07 -0.07 = +1.26
                trip sell 0.7 120 -> 118 at 1..2: pnl +1.26 fees 0.14 return +0.0150 mae -3.5000 mfe +3.5000 bars 1 worth 1.0000
        "#]],
    );
}

#[test]
fn only_bars_that_a_position_was_open_through_count_whole() {
    check(
        "start USDT 10000
         buy perp:BTCUSDT 1 100 inside
         bars perp:BTCUSDT 50 200 110
         bars perp:BTCUSDT 95 120 105
         sell perp:BTCUSDT 1 80 inside
         sell perp:BTCUSDT 1 80 inside
         bars perp:BTCUSDT 70 100 90
         bars perp:BTCUSDT 85 110 95
         buy perp:BTCUSDT 1 100",
        &expect![[r#"
            BTCUSDT +1, holds 1 for 100
            USDT -20, BTCUSDT -1, holds 0 for 0, realized -20
                lot 1 of 100 at 1: -20 -0 -0 = -20
                trip buy 1 100 -> 80 at 1..3: pnl -20 fees 0 return -0.2000 mae -20.0000 mfe +20.0000 bars 2 worth 1.0000
            BTCUSDT -1, holds -1 for -80
            USDT -20, BTCUSDT +1, holds 0 for 0, realized -20
                lot 1 of 80 at 3: -20 -0 -0 = -20
                trip sell 1 80 -> 100 at 3..4: pnl -20 fees 0 return -0.2500 mae -30.0000 mfe +0.0000 bars 2 worth 1.0000
        "#]],
    );
}

#[test]
fn of_a_position_that_grows_inside_a_bar_the_older_part_counts_whole() {
    // -40 is one unit at 60, -55 one unit of 105 at 50; 60 and 50 never count for two.
    check(
        "start USDT 10000
         buy perp:BTCUSDT 1 100
         bars perp:BTCUSDT 90 120 110
         buy perp:BTCUSDT 1 110 inside
         bars perp:BTCUSDT 60 130 120
         sell perp:BTCUSDT 2 120
         buy perp:BTCUSDT 1 100
         bars perp:BTCUSDT 90 120 110
         buy perp:BTCUSDT 1 110
         sell perp:BTCUSDT 1 100 inside
         bars perp:BTCUSDT 50 150 110
         sell perp:BTCUSDT 1 110",
        &expect![[r#"
            BTCUSDT +1, holds 1 for 100
            BTCUSDT +1, holds 2 for 210
            USDT +30, BTCUSDT -2, holds 0 for 0, realized +30
                lot 1 of 100 at 0: +20 -0 -0 = +20
                lot 1 of 110 at 2: +10 -0 -0 = +10
                trip buy 2 105 -> 120 at 0..2: pnl +30 fees 0 return +0.1429 mae -40.0000 mfe +30.0000 bars 2 worth 1.0000
            BTCUSDT +1, holds 1 for 100
            BTCUSDT +1, holds 2 for 210
            USDT -5, BTCUSDT -1, holds 1 for 105, realized -5
                lot 1 of 100 at 2: +0 -0 -0 = +0
            USDT +5, BTCUSDT -1, holds 0 for 0, realized +5
                lot 1 of 110 at 3: +0 -0 -0 = +0
                trip buy 2 105 -> 105 at 2..4: pnl +0 fees 0 return +0.0000 mae -55.0000 mfe +45.0000 bars 2 worth 1.0000
        "#]],
    );
}

#[test]
fn a_round_trip_knows_its_prices_its_worst_and_its_best_moment() {
    check(
        "start USDT 100000
         buy spot:BTCUSDT 1 100 fee 0.1
         buy spot:BTCUSDT 1 110 fee 0.11
         bars spot:BTCUSDT 90 130 120
         value
         sell spot:BTCUSDT 2 120 fee 0.24",
        &expect![[r#"
            USDT -100.1, BTC +1, holds 1 for 100
            USDT -110.11, BTC +1, holds 2 for 210
            equity 100029.7900 cash 99789.7900 gross 240.0000 net +240.0000 unrealized +30.0000
            USDT +239.76, BTC -2, holds 0 for 0, realized +30
                lot 1 of 100 at 0: +20 -0.1 -0.12 = +19.78
                lot 1 of 110 at 0: +10 -0.11 -0.12 = +9.77
                trip buy 2 105 -> 120 at 0..1: pnl +29.55 fees 0.45 return +0.1407 mae -30.0000 mfe +50.0000 bars 1 worth 1.0000
        "#]],
    );
}

#[test]
fn a_holding_that_the_run_started_with_makes_no_round_trip() {
    check(
        "start USDT 1000 BTC 1
         bars spot:BTCUSDT 100 100 100
         value
         buy spot:BTCUSDT 0.1 100 fee 0.01
         sell spot:BTCUSDT 1.1 90 fee 0.1
         buy spot:BTCUSDT 1 90 fee 0.1
         sell spot:BTCUSDT 1 90 fee 0.1",
        &expect![[r#"
            equity 1100.0000 cash 1000.0000 gross 100.0000 net +100.0000 unrealized +0.0000
            USDT -10.01, BTC +0.1, holds 1.1 for 110
            USDT +98.9, BTC -1.1, holds 0 for 0, realized -11
                lot 1 of 100 at 1: -10 -0 -0.090909090909 = -10.090909090909
                lot 0.1 of 100 at 1: -1 -0.01 -0.009090909091 = -1.019090909091
            USDT -90.1, BTC +1, holds 1 for 90
            USDT +89.9, BTC -1, holds 0 for 0
                lot 1 of 90 at 1: +0 -0.1 -0.1 = -0.2
                trip buy 1 90 -> 90 at 1..1: pnl -0.2 fees 0.2 return -0.0022 mae 0.0000 mfe +0.0000 bars 0 worth 1.0000
        "#]],
    );
}

#[test]
fn perpetuals_that_the_run_started_with_gain_from_their_first_close() {
    check(
        "start USDT 1000 Perp:BTCUSDT -2
         value
         bars perp:BTCUSDT 90 100 100
         value
         bars perp:BTCUSDT 90 100 90
         value
         buy perp:BTCUSDT 3 90",
        &expect![[r#"
            EXP-NO-PRICE: binance:Perp:BTCUSDT is held and binance:perp:BTCUSDT has had no price yet
            equity 1000.0000 cash 1000.0000 gross 200.0000 net -200.0000 unrealized +0.0000
            equity 1020.0000 cash 1000.0000 gross 180.0000 net -180.0000 unrealized +20.0000
            USDT +20, BTCUSDT +3, holds 1 for 90, realized +20
                lot 2 of 100 at 1: +20 -0 -0 = +20
        "#]],
    );
}

#[test]
fn an_initial_holding_traded_before_its_first_close_costs_what_it_is_traded_for() {
    check(
        "start BTC 2\n sell spot:BTCUSDT 1 100\n bars spot:BTCUSDT 90 110 105\n value",
        &expect![[r#"
            USDT +100, BTC -1, holds 1 for 100
                lot 1 of 100 at 0: +0 -0 -0 = +0
            equity 205.0000 cash 100.0000 gross 105.0000 net +105.0000 unrealized +5.0000
        "#]],
    );
}

#[test]
fn dust_of_a_closed_spot_position_is_swept() {
    check(
        "start USDT 1000
         buy spot:BTCUSDT 1.0000000000001 100
         sell spot:BTCUSDT 1 100
         buy perp:BTCUSDT 1 100
         sell perp:BTCUSDT 1.0000000000009 110",
        &expect![[r#"
            USDT -100.00000000001, BTC +1.0000000000001, holds 1.0000000000001 for 100.00000000001
            USDT +100, BTC -1, holds 0 for 0, realized -0.00000000001
                lot 1.0000000000001 of 100 at 0: -0.00000000001 -0 -0 = -0.00000000001
                trip buy 1.0000000000001 100 -> 100 at 0..0: pnl -0.00000000001 fees 0 return -0.0000 mae -0.0000 mfe +0.0000 bars 0 worth 1.0000
            BTCUSDT +1, holds 1 for 100
            USDT +10, BTCUSDT -1.0000000000009, holds -0.0000000000009 for -0.000000000099, realized +10
                lot 1 of 100 at 0: +10 -0 -0 = +10
                trip buy 1 100 -> 110 at 0..0: pnl +10 fees 0 return +0.1000 mae 0.0000 mfe +10.0000 bars 0 worth 1.0000
        "#]],
    );
}

#[test]
fn spot_balances_are_never_negative_and_settle_cash_may_be() {
    check(
        "start USDT 100 ETH 1
         buy spot:BTCUSDT 1 100 fee 0.1
         sell spot:BTCUSDT 1 100
         buy perp:BTCUSDT 1 100
         sell perp:BTCUSDT 1 0.5 fee 1
         bars spot:ETHUSDT 100 100 100
         sell perp:BTCUSDT 1 100 fee 30
         sell spot:ETHUSDT 0.1 100
         sell spot:ETHUSDT 0.1 100 fee 11
         buy spot:ETHUSDT 0.1 100",
        &expect![[r#"
            POS-SIGN: order 0.1 #0 leaves -0.1 of binance:BaseToken:USDT, which cannot be negative
            POS-SIGN: order 0.1 #0 leaves -1 of binance:BaseToken:BTC, which cannot be negative
            BTCUSDT +1, holds 1 for 100
            USDT -100.5, BTCUSDT -1, holds 0 for 0, realized -99.5
                lot 1 of 100 at 0: -99.5 -0 -1 = -100.5
                trip buy 1 100 -> 0.5 at 0..0: pnl -100.5 fees 1 return -1.0050 mae -99.5000 mfe +0.0000 bars 0 worth 1.0000
            USDT -30, BTCUSDT -1, holds -1 for -100
            USDT +10, ETH -0.1, holds 0.9 for 90
                lot 0.1 of 100 at 1: +0 -0 -0 = +0
            POS-SIGN: order 0.1 #4 leaves -21.5 of binance:BaseToken:USDT, which cannot be negative
            POS-SIGN: order 0.1 #4 leaves -30.5 of binance:BaseToken:USDT, which cannot be negative
        "#]],
    );
}

#[test]
fn equity_counts_holdings_and_what_perpetuals_have_gained() {
    // Source: 04 §5.3, BTC basis: 1.6 BTC, shorts of 1.6 from 50,000, spot 52,000, mark 52,010.
    check(
        "start USDT 100000
         buy spot:BTCUSDT 1.6 50000
         sell perp:BTCUSDT 1.6 50000
         value
         bars spot:BTCUSDT 50000 52000 52000
         value
         bars perp:BTCUSDT 50000 52010 52010
         value",
        &expect![[r#"
            USDT -80000, BTC +1.6, holds 1.6 for 80000
            BTCUSDT -1.6, holds -1.6 for -80000
            EXP-NO-PRICE: binance:BaseToken:BTC is held and binance:spot:BTCUSDT has had no price yet
            EXP-NO-PRICE: binance:Perp:BTCUSDT is held and binance:perp:BTCUSDT has had no price yet
            equity 99984.0000 cash 20000.0000 gross 166416.0000 net -16.0000 unrealized -16.0000
        "#]],
    );
}

#[test]
fn assets_are_converted_over_several_instruments() {
    check(
        "start USDT 1000 BTC 1
         bars spot:ETHBTC 0.05 0.05 0.05
         value
         bars spot:BTCUSDT 60000 60000 60000
         buy spot:ETHBTC 10 0.05 fee 0.0005
         value
         bars spot:ETHUSDT 3000 3000 3000 spot:ETHBTC 0.04 0.06 0.06
         value
         sell spot:ETHUSDT 5 3000
         sell spot:ETHBTC 5 0.06
         value",
        &expect![[r#"
            EXP-NO-PRICE: binance:BaseToken:BTC is held and binance:spot:BTCUSDT has had no price yet
            BTC -0.5005, ETH +10, holds 10 for 0.5
            EXP-NO-PRICE: binance:BaseToken:ETH is held and binance:spot:ETHUSDT has had no price yet
            equity 60970.0000 cash 1000.0000 gross 59970.0000 net +59970.0000 unrealized +6000.0000
            USDT +15000, ETH -5, holds -5 for -15000
            BTC +0.3, ETH -5, holds 5 for 0.25, realized +0.05
                lot 5 of 0.05 at 2: +0.05 -0.00025 -0 = +0.04975
            equity 63970.0000 cash 16000.0000 gross 47970.0000 net +47970.0000 unrealized +3000.0000
        "#]],
    );
}

#[test]
fn a_currency_of_account_may_be_a_coin() {
    let initial = [(scenario::key("USDT"), Decimal::ONE_THOUSAND)];
    let mut account = scenario::open(scenario::instruments(), "BTC", &initial).unwrap();
    let now = model::time::UtcMillis::new(0);
    assert!(matches!(account.value(now), Err(LedgerError::Chain(_))));
    scenario::price_all(&account, 50_000.0);
    let value = account.value(now).unwrap();
    assert!((value.equity - 0.02).abs() < f64::EPSILON, "{value:?}");
}

#[test]
fn an_asset_that_nothing_prices_cannot_be_an_initial_balance() {
    let mut table = (*scenario::instruments()).clone();
    let key = table.add_key("wallet:BaseToken:EIGEN".parse().unwrap());
    let error = scenario::open(Rc::new(table), "USDT", &[(key, Decimal::ONE)]).unwrap_err();
    let text =
        "EXP-NO-PRICE: wallet:BaseToken:EIGEN holds 1 and nothing in the run prices it in USDT";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_perpetual_paid_in_what_nothing_prices_cannot_be_traded() {
    let instruments = scenario::instruments();
    let mut account = scenario::open(Rc::clone(&instruments), "EUR", &[]).unwrap();
    let place = scenario::instrument("perp:BTCUSDT");
    let mut buy = scenario::fill(place, model::order::OrderSide::Buy, Decimal::ONE, Decimal::ONE);
    let error = account.book_fill(&mut buy).unwrap_err();
    assert!(matches!(error, LedgerError::NoPath { .. }), "{error}");
    assert!(account.positions.position(place).is_zero());
}
