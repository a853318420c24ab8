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
    let case = Case::sound()
        .file("orders.csv", text)
        .changed("kind = \"buy_and_hold\"", "kind = \"scripted\"\norders = \"orders.csv\"");
    check(&case, expected);
}

#[test]
fn a_time_between_two_frames() {
    check_orders(
        "2024-01-01T02:30:00Z,a,submit,binance:spot:BTCUSDT,sell,market,1,",
        &expect![[r#"
            error[CFG-ORDERS]: the run failed
              cause:    service `scripted` failed at event 13
              cause:    strategy `scripted` could not decide
              cause:    <folder>/orders.csv line 3: decide_ts 2024-01-01T02:30:00Z is not the time of a frame; the next frame is 2024-01-01T03:00:00Z
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
              cause:    <folder>/orders.csv line 3: decide_ts 2024-01-01T00:00:00Z is not the time of a frame; the next frame is 2024-01-01T01:00:00Z
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
              cause:    <folder>/orders.csv line 3: decide_ts 2024-01-01T13:00:00Z is not the time of a frame; the data ends before it
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
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected one of binance:spot:BTCUSDT
            exit code 78
        "#]],
    );
}

#[test]
fn orders_that_are_not_implemented_yet() {
    check_orders(
        "2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT,buy,limit,1,99",
        &expect![[r#"
        error[CFG-VALUE]: strategy.orders: found `price` = `99`
         --> <folder>/orders.csv:3:1
          |
        3 | 2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT,buy,limit,1,99
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected an empty cell: not implemented yet
        exit code 78
    "#]],
    );
    check_orders(
        "2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT,buy,stop,1,",
        &expect![[r#"
        error[CFG-VALUE]: strategy.orders: found type `stop`
         --> <folder>/orders.csv:3:1
          |
        3 | 2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT,buy,stop,1,
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected market (others are not implemented yet)
        exit code 78
    "#]],
    );
    check_orders(
        "2024-01-01T02:00:00Z,first,cancel,binance:spot:BTCUSDT,,,,",
        &expect![[r#"
        error[CFG-VALUE]: strategy.orders: found action `cancel`
         --> <folder>/orders.csv:3:1
          |
        3 | 2024-01-01T02:00:00Z,first,cancel,binance:spot:BTCUSDT,,,,
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected submit (others are not implemented yet)
        exit code 78
    "#]],
    );
}

#[test]
fn a_quantity_that_is_none() {
    check_orders(
        "2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT,sell,market,-1,",
        &expect![[r#"
            error[CFG-VALUE]: strategy.orders: found qty `-1`
             --> <folder>/orders.csv:3:1
              |
            3 | 2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT,sell,market,-1,
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected a positive amount, or a share such as 50%
            exit code 78
        "#]],
    );
    check_orders(
        "2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT,sell,market,,",
        &expect![[r#"
            error[CFG-VALUE]: strategy.orders: found qty ``
             --> <folder>/orders.csv:3:1
              |
            3 | 2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT,sell,market,,
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected a positive amount, or a share such as 50%
            exit code 78
        "#]],
    );
}

#[test]
fn a_row_with_too_few_cells() {
    check_orders(
        "2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT",
        &expect![[r#"
        error[CFG-VALUE]: strategy.orders: found CSV error: record 2 (line: 3, byte: 126): found record with 4 fields, but the previous record has 8 fields
         --> <folder>/orders.csv:3:1
          |
        3 | 2024-01-01T02:00:00Z,a,submit,binance:spot:BTCUSDT
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected a CSV row with as many cells as the header
        exit code 78
    "#]],
    );
}

#[test]
fn a_column_that_nobody_knows() {
    let case = Case::sound()
        .file("orders.csv", "decide_ts,instrument,side,quantity\n")
        .changed("kind = \"buy_and_hold\"", "kind = \"scripted\"\norders = \"orders.csv\"");
    check(
        &case,
        &expect![[r#"
        error[CFG-VALUE]: strategy.orders: found unknown column `quantity`
         --> <folder>/orders.csv:1:1
          |
        1 | decide_ts,instrument,side,quantity
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected columns decide_ts, order_id, action, instrument, side, type, qty, reduce_only
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
