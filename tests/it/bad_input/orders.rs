//! Files of orders that a scripted strategy cannot replay.

use expect_test::{Expect, expect};

use super::{Case, check};

/// Checks a run that replays `orders`, which come below a sound one.
fn check_orders(orders: &str, expected: &Expect) {
    let text = format!(
        "decide_ts,order_id,action,instrument,side,type,qty,price\n\
         2024-01-01T01:00:00Z,first,submit,binance:spot:BTCUSDT,buy,market,1,\n\
         {orders}\n"
    );
    check(&scripted(&text), expected);
}

/// A run that replays a file.
fn scripted(orders: &str) -> Case {
    let strategy = "kind = \"scripted\"\norders = \"orders.csv\"";
    Case::sound().file("orders.csv", orders).changed("kind = \"buy_and_hold\"", strategy)
}

#[test]
fn a_time_between_two_frames() {
    check_orders(
        "2024-01-01T02:30:00Z,a,submit,binance:spot:BTCUSDT,sell,market,1,",
        &expect![[r#"
            error[CFG-ORDERS]: the run failed
              cause:    service `scripted` failed at event 14
              cause:    strategy `scripted` could not decide
              cause:    <folder>/orders.csv line 3: decide_ts 2024-01-01T02:30:00Z is not the time of a frame; the frames around it are 2024-01-01T02:00:00Z and 2024-01-01T03:00:00Z
              hint:     everything up to the failure is in out
            exit code 78

            check
            exit code 0
        "#]],
    );
}

#[test]
fn a_time_before_the_first_frame() {
    check_orders(
        "2024-01-01T00:00:00Z,a,submit,binance:spot:BTCUSDT,sell,market,1,",
        &expect![[r#"
            error[CFG-ORDERS]: the run failed
              cause:    service `scripted` failed at event 3
              cause:    strategy `scripted` could not decide
              cause:    <folder>/orders.csv line 3: decide_ts 2024-01-01T00:00:00Z is not the time of a frame; the first frame is 2024-01-01T01:00:00Z
              hint:     everything up to the failure is in out
            exit code 78

            check
            exit code 0
        "#]],
    );
}

#[test]
fn a_time_after_the_last_frame() {
    check_orders(
        "2024-01-01T13:00:00Z,a,submit,binance:spot:BTCUSDT,sell,market,1,",
        &expect![[r#"
            error[CFG-ORDERS]: the run failed
              cause:    service `scripted` failed
              cause:    strategy `scripted` could not end
              cause:    <folder>/orders.csv line 3: decide_ts 2024-01-01T13:00:00Z is not the time of a frame; the last frame is 2024-01-01T12:00:00Z
              hint:     everything up to the failure is in out
            exit code 78

            check
            exit code 0
        "#]],
    );
}

#[test]
fn a_time_that_is_none() {
    check_orders(
        "noon,a,submit,binance:spot:BTCUSDT,sell,market,1,",
        &expect![[r#"
            error[CFG-VALUE]: strategy.orders: found decide_ts `noon`
             --> <folder>/orders.csv:3:1
              |
            3 | noon,a,submit,binance:spot:BTCUSDT,sell,market,1,
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected a date, an RFC 3339 time or epoch milliseconds
            exit code 78
        "#]],
    );
}

#[test]
fn an_instrument_that_the_run_does_not_have() {
    check_orders(
        "2024-01-01T02:00:00Z,a,submit,binance:spot:ETHUSDT,buy,market,1,",
        &expect![[r#"
            error[CFG-VALUE]: strategy.orders: found instrument `binance:spot:ETHUSDT`
             --> <folder>/orders.csv:3:1
              |
            3 | 2024-01-01T02:00:00Z,a,submit,binance:spot:ETHUSDT,buy,market,1,
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected binance:spot:BTCUSDT
            exit code 78
        "#]],
    );
}

#[test]
fn operations_that_are_not_implemented_yet() {
    let case = scripted(
        "decide_ts,operation,venue,token_in,amount,instrument,side,qty\n\
         2024-01-01T01:00:00Z,supply,aave_v3,USDT,1000,,,\n\
         2024-01-01T01:00:00Z,spot_trade,,,,binance:spot:BTCUSDT,buy,1\n\
         2024-01-01T02:00:00Z,,,,max,binance:spot:BTCUSDT,buy,1\n",
    );
    check(
        &case,
        &expect![[r#"
            error[CFG-VALUE]: strategy.orders: found amount `max`
             --> <folder>/orders.csv:4:1
              |
            4 | 2024-01-01T02:00:00Z,,,,max,binance:spot:BTCUSDT,buy,1
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected an empty cell: only operations other than trades have it
            exit code 78
        "#]],
    );
}

#[test]
fn rows_that_name_orders_that_are_not_there() {
    let case = scripted(
        "decide_ts,order_id,action,instrument,side,type,qty,price,trail,trail_bps,parent\n\
         2024-01-01T01:00:00Z,first,cancel,,,,,,,,\n\
         2024-01-01T02:00:00Z,first,submit,binance:spot:BTCUSDT,buy,market,1,,,,\n\
         2024-01-01T02:00:00Z,,replace,,,,2,,,,\n\
         2024-01-01T03:00:00Z,other,replace,,,,2,,,,\n\
         2024-01-01T03:00:00Z,self,submit,binance:spot:BTCUSDT,sell,limit,1,120,,,self\n\
         2024-01-01T03:00:00Z,both,submit,binance:spot:BTCUSDT,sell,trailing,1,,5,50,first\n\
         2024-01-01T03:00:00Z,kind,submitted,binance:spot:BTCUSDT,short,stopp,1,,,,\n",
    );
    check(
        &case,
        &expect![[r#"
        error[CFG-VALUE]: strategy.orders: found cancel `first`, which line 3 submits later
         --> <folder>/orders.csv:2:1
          |
        2 | 2024-01-01T01:00:00Z,first,cancel,,,,,,,,
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected the order_id of an order that an earlier row submits

        error[CFG-VALUE]: strategy.orders: found no order_id
         --> <folder>/orders.csv:4:1
          |
        4 | 2024-01-01T02:00:00Z,,replace,,,,2,,,,
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected the order_id of an order that an earlier row submits

        error[CFG-VALUE]: strategy.orders: found replace `other`, which no row submits
         --> <folder>/orders.csv:5:1
          |
        5 | 2024-01-01T03:00:00Z,other,replace,,,,2,,,,
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected the order_id of an order that an earlier row submits

        error[CFG-VALUE]: strategy.orders: found parent `self`
         --> <folder>/orders.csv:6:1
          |
        6 | 2024-01-01T03:00:00Z,self,submit,binance:spot:BTCUSDT,sell,limit,1,120,,,self
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected another order than the row's own

        error[CFG-VALUE]: strategy.orders: found trail_bps `50`
         --> <folder>/orders.csv:7:1
          |
        7 | 2024-01-01T03:00:00Z,both,submit,binance:spot:BTCUSDT,sell,trailing,1,,5,50,first
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected an empty cell beside a trail

        error[CFG-VALUE]: strategy.orders: found action `submitted`
         --> <folder>/orders.csv:8:1
          |
        8 | 2024-01-01T03:00:00Z,kind,submitted,binance:spot:BTCUSDT,short,stopp,1,,,,
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected one of submit, cancel, replace

        error[CFG-VALUE]: strategy.orders: found side `short`
         --> <folder>/orders.csv:8:1
          |
        8 | 2024-01-01T03:00:00Z,kind,submitted,binance:spot:BTCUSDT,short,stopp,1,,,,
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected buy or sell

        error[CFG-VALUE]: strategy.orders: found type `stopp`
         --> <folder>/orders.csv:8:1
          |
        8 | 2024-01-01T03:00:00Z,kind,submitted,binance:spot:BTCUSDT,short,stopp,1,,,,
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected one of market, limit, stop, stop_limit, trailing

        8 faults in all
        exit code 78
    "#]],
    );
}

#[test]
fn a_quantity_that_is_none() {
    check_orders(
        "2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT,sell,market,one,",
        &expect![[r#"
            error[CFG-VALUE]: strategy.orders: found qty `one`
             --> <folder>/orders.csv:3:1
              |
            3 | 2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT,sell,market,one,
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected an amount of up to 10^12, or a share such as 50%
            exit code 78
        "#]],
    );
    check_orders(
        "2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT,sell,market,,",
        &expect![[r#"
            error[CFG-VALUE]: strategy.orders: found no qty
             --> <folder>/orders.csv:3:1
              |
            3 | 2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT,sell,market,,
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected an amount of up to 10^12, or a share such as 50%
            exit code 78
        "#]],
    );
}

#[test]
fn a_row_with_too_few_cells() {
    check_orders(
        "2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT",
        &expect![[r#"
            error[CFG-VALUE]: strategy.orders: found 4 cells
             --> <folder>/orders.csv:3:1
              |
            3 | 2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected 8, as in the header
            exit code 78
        "#]],
    );
}

#[test]
fn a_column_that_nobody_knows() {
    check(
        &scripted("decide_ts,instrument,side,quantity\n"),
        &expect![[r#"
            error[CFG-VALUE]: strategy.orders: found unknown column `quantity`
             --> <folder>/orders.csv:1:1
              |
            1 | decide_ts,instrument,side,quantity
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected columns decide_ts, order_id, action, operation, instrument, side, type, qty, price, stop_price, trail, trail_bps, tif, expire_at, post_only, reduce_only, oco_group, parent, take_profit, stop_loss, venue, token_in, token_out, amount, source_key, target_key, min_out, atomic_group, sequence
            exit code 78
        "#]],
    );
}

#[test]
fn a_file_that_is_missing() {
    let case = Case::sound()
        .changed("kind = \"buy_and_hold\"", "kind = \"scripted\"\norders = \"orders.csv\"");
    check(
        &case,
        &expect![[r#"
        error[CFG-FILE]: strategy.orders: found the string "orders.csv"
          --> run.toml:13:10
           |
        13 | orders = "orders.csv"
           |          ^^^^^^^^^^^^ expected a file, relative to the run file
           |
           = help: <folder>/orders.csv: No such file or directory (os error 2)
        exit code 74
    "#]],
    );
}
