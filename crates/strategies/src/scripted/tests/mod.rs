#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use expect_test::{Expect, expect};
use model::Decimal;
use model::money::{Price, Quantity};
use model::order::{
    Exits, Order, OrderIntent, Origin, Pricing, Refusal, RefusalCode, Request, Size, Verdict,
};
use model::parameter::ParameterValue;
use model::strategy::Strategy;
use model::time::UtcMillis;

use super::Scripted;
use crate::stage::{PERP, SPOT, Stage};

mod operations;
mod round_trip;

const HOUR: i64 = 3_600_000;

/// 2024-01-01, `hours` later.
fn hour(hours: i64) -> UtcMillis {
    UtcMillis::new(1_704_067_200_000 + hours * HOUR)
}

/// A file in which `spot` and `perp` stand for instruments and `@3` for 2024-01-01T03:00:00Z.
fn file_of(table: &str) -> String {
    let mut text =
        table.replace("spot,", &format!("{SPOT},")).replace("perp,", &format!("{PERP},"));
    for hours in 0..10 {
        text = text.replace(&format!("@{hours}"), &hour(hours).to_string());
    }
    text.lines().map(|line| line.trim_start().to_owned() + "\n").collect()
}

fn build(stage: &Stage, text: &str) -> Result<Scripted, String> {
    let file = ParameterValue::File { path: PathBuf::from("orders.csv"), text: text.into() };
    stage.build([("orders", file)]).map_err(|error| {
        error.faults().iter().fold(String::new(), |mut text, fault| {
            let line =
                fault.line.map_or_else(|| "whole file".to_owned(), |line| format!("line {line}"));
            writeln!(text, "{line}: {}; expected {}", fault.found, fault.expected).unwrap();
            text
        })
    })
}

/// Answers a replace like a gate that wants more than nothing.
fn answer(intent: &OrderIntent) -> Verdict {
    let request = &intent.request;
    if request.size == Size::Units(Quantity::ZERO) {
        let refusal = Refusal::new(RefusalCode::QtyZero, "0");
        return Verdict::ReplaceDenied { order_id: intent.order_id, refusal };
    }
    Verdict::ReplaceAccepted(Arc::new(Order {
        order_id: intent.order_id,
        client_order_id: request.client_order_id.clone(),
        instrument: request.instrument.unwrap(),
        side: request.side.unwrap(),
        pricing: Pricing::Limit { price: Price::new(Decimal::ONE).unwrap() },
        tif: request.tif,
        expire_at: None,
        size: request.size,
        post_only: false,
        reduce_only: false,
        oco_group: None,
        parent: None,
        exits: Exits::default(),
        origin: Origin::Strategy,
        ts_decided: hour(0),
        ts_eligible: hour(0),
    }))
}

/// Replays a file over the frames 01:00 to 06:00 and writes down what is asked for.
fn replay(table: &str) -> String {
    let mut stage = Stage::new(&[SPOT, PERP]);
    let mut scripted = match build(&stage, &file_of(table)) {
        Ok(scripted) => scripted,
        Err(faults) => return faults,
    };
    let mut text = String::new();
    for hours in 1..=6 {
        let requests = match stage.decide(&mut scripted, hour(hours), 100.0) {
            Ok(requests) => requests,
            Err(error) => return text + &error.to_string() + "\n",
        };
        for request in &requests {
            writeln!(text, "{hours}:00 {}", stage.show(request)).unwrap();
            if let Request::Replace(intent) = request {
                scripted.on_verdict(&answer(intent));
            }
        }
    }
    if let Err(error) = scripted.on_end() {
        text = text + &error.to_string() + "\n";
    }
    text
}

fn check(table: &str, expected: &Expect) {
    expected.assert_eq(&replay(table));
}

#[test]
fn every_type_of_order_is_asked_for() {
    check(
        "decide_ts,order_id,instrument,side,type,qty,price,stop_price,trail,trail_bps,operation
         @1,,spot,buy,,0.5,,,,,
         @1,lim,spot,BUY,Limit,5e-1,99.5,,,,spot_trade
         @2,,spot,sell,stop,100%,,95,,,
         @2,,perp,short,stop_limit,1,94,95,,,perp_trade
         @3,,perp,long,trailing,1,,,2.5,,
         @3,,perp,long,trailing,1,,,,200,",
        &expect![[r#"
            1:00 submit 1: market buy 0.5 of binance:spot:BTCUSDT
            1:00 submit 2: limit buy 0.5 of binance:spot:BTCUSDT, price 99.5, as lim
            2:00 submit 3: stop sell 100% of binance:spot:BTCUSDT, stop 95
            2:00 submit 4: stop_limit sell 1 of binance:perp:BTCUSDT, price 94, stop 95
            3:00 submit 5: trailing buy 1 of binance:perp:BTCUSDT, trail 2.5
            3:00 submit 6: trailing buy 1 of binance:perp:BTCUSDT, trail 200 bps
        "#]],
    );
}

#[test]
fn every_flag_and_time_is_asked_for() {
    check(
        "decide_ts,instrument,side,type,qty,price,tif,expire_at,post_only,reduce_only
         @1,spot,buy,limit,1,99,ioc,,,
         @1,spot,buy,limit,1,99,GTD,2024-01-02,true,
         @1,spot,buy,limit,1,99,day,,True,FALSE
         1704070800000,perp,sell,limit,1,99,fok,,false,true
         @1,spot,buy,limit,1,99,gtd,1704153600000,,",
        &expect![[r#"
            1:00 submit 1: limit buy 1 of binance:spot:BTCUSDT, price 99, tif ioc
            1:00 submit 2: limit buy 1 of binance:spot:BTCUSDT, price 99, tif gtd, until 2024-01-02T00:00:00Z, post only
            1:00 submit 3: limit buy 1 of binance:spot:BTCUSDT, price 99, tif day, post only
            1:00 submit 4: limit sell 1 of binance:perp:BTCUSDT, price 99, tif fok, reduce only
            1:00 submit 5: limit buy 1 of binance:spot:BTCUSDT, price 99, tif gtd, until 2024-01-02T00:00:00Z
        "#]],
    );
}

#[test]
fn exits_are_prices_offsets_or_distances_on_their_side() {
    check(
        "decide_ts,instrument,side,qty,take_profit,stop_loss
         @1,spot,buy,1,105,95
         @1,spot,buy,1,+5,-5
         @1,spot,buy,1,100bps,50 bps
         @1,perp,sell,1,100bps,50bps
         @1,perp,sell,1,-100bps,+50bps
         @1,perp,sell,1,+100bps,-50bps
         @1,spot,,1,100bps,50bps",
        &expect![[r#"
            1:00 submit 1: market buy 1 of binance:spot:BTCUSDT, take 105, end 95
            1:00 submit 4: market buy 1 of binance:spot:BTCUSDT, take +5, end -5
            1:00 submit 7: market buy 1 of binance:spot:BTCUSDT, take +100bps, end -50bps
            1:00 submit 10: market sell 1 of binance:perp:BTCUSDT, take -100bps, end +50bps
            1:00 submit 13: market sell 1 of binance:perp:BTCUSDT, take -100bps, end +50bps
            1:00 submit 16: market sell 1 of binance:perp:BTCUSDT, take +100bps, end -50bps
            1:00 submit 19: market no side 1 of binance:spot:BTCUSDT, take +100bps, end -50bps
        "#]],
    );
}

#[test]
fn what_the_gate_refuses_is_asked_for_as_it_stands() {
    check(
        "decide_ts,instrument,side,type,qty,price,stop_price,trail,tif,expire_at,post_only,take_profit,stop_loss
         @1,spot,buy,market,0,,,,,,,,
         @1,spot,buy,market,-1,,,,,,,,
         @1,spot,buy,market,0%,,,,,,,,
         @1,spot,buy,market,150%,,,,,,,,
         @1,spot,buy,limit,1,,,,,,,,
         @1,spot,buy,limit,1,-5,,,,,,,
         @1,spot,buy,market,1,99,,,,,,,
         @1,spot,buy,stop,1,,0,,,,,,
         @1,spot,buy,trailing,1,,,-1,,,,,
         @1,,buy,market,1,,,,,,,,
         @1,spot,,market,1,,,,,,,,
         @1,spot,buy,limit,1,99,,,gtd,,,,
         @1,spot,buy,limit,1,99,,,,@2,,,
         @1,spot,buy,market,1,,,,ioc,,true,,
         @1,spot,buy,market,1,,,,,,,95,105",
        &expect![[r#"
            1:00 submit 1: market buy 0 of binance:spot:BTCUSDT
            1:00 submit 2: market buy -1 of binance:spot:BTCUSDT
            1:00 submit 3: market buy 0% of binance:spot:BTCUSDT
            1:00 submit 4: market buy 150% of binance:spot:BTCUSDT
            1:00 submit 5: limit buy 1 of binance:spot:BTCUSDT
            1:00 submit 6: limit buy 1 of binance:spot:BTCUSDT, price -5
            1:00 submit 7: market buy 1 of binance:spot:BTCUSDT, price 99
            1:00 submit 8: stop buy 1 of binance:spot:BTCUSDT, stop 0
            1:00 submit 9: trailing buy 1 of binance:spot:BTCUSDT, trail -1
            1:00 submit 10: market buy 1 of no instrument
            1:00 submit 11: market no side 1 of binance:spot:BTCUSDT
            1:00 submit 12: limit buy 1 of binance:spot:BTCUSDT, price 99, tif gtd
            1:00 submit 13: limit buy 1 of binance:spot:BTCUSDT, price 99, until 2024-01-01T02:00:00Z
            1:00 submit 14: market buy 1 of binance:spot:BTCUSDT, tif ioc, post only
            1:00 submit 15: market buy 1 of binance:spot:BTCUSDT, take 95, end 105
        "#]],
    );
}

#[test]
fn orders_name_groups_and_parents_by_label() {
    check(
        "decide_ts,order_id,instrument,side,type,qty,price,stop_price,reduce_only,oco_group,parent
         @1,entry,spot,buy,limit,1,99,,,,
         @1,target,spot,sell,limit,,105,,true,,entry
         @2,stop,spot,sell,stop,0.5,,95,true,,entry
         @3,,spot,buy,limit,1,90,,,pair,
         @3,,spot,buy,stop,1,,110,,pair,
         @4,,spot,buy,limit,1,90,,,other,",
        &expect![[r#"
            1:00 submit 1: limit buy 1 of binance:spot:BTCUSDT, price 99, as entry
            1:00 submit 2: limit sell 100% of binance:spot:BTCUSDT, price 105, reduce only, child of 1, as target
            2:00 submit 3: stop sell 0.5 of binance:spot:BTCUSDT, stop 95, reduce only, child of 1, as stop
            3:00 submit 4: limit buy 1 of binance:spot:BTCUSDT, price 90, group 1
            3:00 submit 5: stop buy 1 of binance:spot:BTCUSDT, stop 110, group 1
            4:00 submit 6: limit buy 1 of binance:spot:BTCUSDT, price 90, group 2
        "#]],
    );
}

#[test]
fn a_replace_changes_the_cells_that_it_states() {
    check(
        "decide_ts,order_id,action,instrument,side,type,qty,price,stop_price,tif,expire_at
         @1,a,submit,spot,buy,limit,1,99,,gtd,@5
         @1,a,replace,,,,,98,,,
         @1,a,replace,,,,2,,,,
         @2,a,replace,,,,0,50,,,
         @3,a,replace,,,stop_limit,,,101,gtc,
         @4,a,replace,,,market,,,,,
         @5,a,cancel,,,,,,,,",
        &expect![[r#"
            1:00 submit 1: limit buy 1 of binance:spot:BTCUSDT, price 99, tif gtd, until 2024-01-01T05:00:00Z, as a
            1:00 replace 1: limit buy 1 of binance:spot:BTCUSDT, price 98, tif gtd, until 2024-01-01T05:00:00Z, as a
            1:00 replace 1: limit buy 2 of binance:spot:BTCUSDT, price 98, tif gtd, until 2024-01-01T05:00:00Z, as a
            2:00 replace 1: limit buy 0 of binance:spot:BTCUSDT, price 50, tif gtd, until 2024-01-01T05:00:00Z, as a
            3:00 replace 1: stop_limit buy 2 of binance:spot:BTCUSDT, price 98, stop 101, as a
            4:00 replace 1: market buy 2 of binance:spot:BTCUSDT, as a
            5:00 cancel 1
        "#]],
    );
}

#[test]
fn a_name_means_the_first_row_that_submits_it() {
    check(
        "decide_ts,order_id,action,instrument,side,type,qty,price
         @1,a,,spot,buy,limit,1,99
         @2,a,,spot,buy,limit,1,99
         @3,a,,spot,buy,limit,2,98
         @4,a,replace,,,,3,
         @5,a,cancel,,,,,",
        &expect![[r#"
            1:00 submit 1: limit buy 1 of binance:spot:BTCUSDT, price 99, as a
            2:00 submit 2: limit buy 1 of binance:spot:BTCUSDT, price 99, as a
            3:00 submit 3: limit buy 2 of binance:spot:BTCUSDT, price 98, as a
            4:00 replace 1: limit buy 3 of binance:spot:BTCUSDT, price 99, as a
            5:00 cancel 1
        "#]],
    );
}

#[test]
fn rows_of_one_time_keep_the_order_of_the_file() {
    check(
        "decide_ts,order_id,instrument,side,qty
         @3,c,spot,buy,3
         @1,b,spot,buy,2
         @1,a,spot,buy,1",
        &expect![[r#"
            1:00 submit 1: market buy 2 of binance:spot:BTCUSDT, as b
            1:00 submit 2: market buy 1 of binance:spot:BTCUSDT, as a
            3:00 submit 3: market buy 3 of binance:spot:BTCUSDT, as c
        "#]],
    );
}

#[test]
fn all_faults_of_a_file_are_reported() {
    check(
        "decide_ts,order_id,action,instrument,side,type,qty,price,trail,trail_bps,tif,expire_at,post_only,take_profit,stop_loss
         noon,a,submitt,spott,bought,stopp,one,1e99,,,forever,later,yes,5%,near
         ,,cancel,spot,long,,,,1,1,,,,,
         @1,,,binance:spot:ETHUSDT,buy,market,,nan,,,,,,,
         @1,,,spot,buy,market

         @1,,,spot,buy,market,10000000000000000,,,,,,,,",
        &expect![[r#"
            line 2: decide_ts `noon`; expected a date, an RFC 3339 time or epoch milliseconds
            line 2: action `submitt`; expected one of submit, cancel, replace
            line 2: instrument `spott`; expected venue:market:symbol
            line 2: side `bought`; expected buy or sell, or long or short of a perpetual
            line 2: type `stopp`; expected one of market, limit, stop, stop_limit, trailing
            line 2: qty `one`; expected an amount of up to 10^12, or a share such as 50%
            line 2: price `1e99`; expected a number of up to 10^12
            line 2: tif `forever`; expected one of gtc, ioc, fok, gtd, day
            line 2: expire_at `later`; expected a date, an RFC 3339 time or epoch milliseconds
            line 2: post_only `yes`; expected true or false
            line 2: take_profit `5%`; expected a price of up to 10^12, a signed offset such as -5, or one of up to 1000000bps
            line 2: stop_loss `near`; expected a price of up to 10^12, a signed offset such as -5, or one of up to 1000000bps
            line 3: no decide_ts; expected a date, an RFC 3339 time or epoch milliseconds
            line 3: trail_bps `1`; expected an empty cell beside a trail
            line 3: side `long`; expected buy or sell
            line 3: no order_id; expected the order_id of an order that an earlier row submits
            line 4: instrument `binance:spot:ETHUSDT`; expected binance:spot:BTCUSDT or binance:perp:BTCUSDT
            line 4: price `nan`; expected a number of up to 10^12
            line 4: no qty; expected an amount of up to 10^12, or a share such as 50%
            line 5: 6 cells; expected 15, as in the header
            line 7: qty `10000000000000000`; expected an amount of up to 10^12, or a share such as 50%
        "#]],
    );
}

#[test]
fn rows_name_orders_that_earlier_rows_submit() {
    check(
        "decide_ts,order_id,action,instrument,side,qty,parent
         @2,a,submit,spot,buy,1,b
         @2,b,submit,spot,buy,1,b
         @1,c,cancel,,,,
         @3,c,submit,spot,buy,1,
         @3,,replace,,,1,
         @4,bad,submit,spot,buy,x,
         @5,bad,cancel,,,,
         @5,d,cancel,,,,",
        &expect![[r#"
            line 3: parent `b`; expected another order than the row's own
            line 4: cancel `c`, which line 5 submits later; expected the order_id of an order that an earlier row submits
            line 6: no order_id; expected the order_id of an order that an earlier row submits
            line 7: qty `x`; expected an amount of up to 10^12, or a share such as 50%
            line 9: cancel `d`, which no row submits; expected the order_id of an order that an earlier row submits
        "#]],
    );
}

#[test]
fn a_header_names_known_columns_once() {
    check(
        "decide_ts,instrument,quantity,side,side\n",
        &expect![[r#"
            line 1: unknown column `quantity`; expected columns decide_ts, order_id, action, operation, instrument, side, type, qty, price, stop_price, trail, trail_bps, tif, expire_at, post_only, reduce_only, oco_group, parent, take_profit, stop_loss, venue, token_in, token_out, amount, source_key, target_key, min_out, atomic_group, sequence
            line 1: column `side` again; expected every column once
        "#]],
    );
    check(
        "decide_ts,Price,stop-price\n",
        &expect![[r#"
            line 1: unknown column `Price`; expected `price`, or another of the columns decide_ts, order_id, action, operation, instrument, side, type, qty, price, stop_price, trail, trail_bps, tif, expire_at, post_only, reduce_only, oco_group, parent, take_profit, stop_loss, venue, token_in, token_out, amount, source_key, target_key, min_out, atomic_group, sequence
            line 1: unknown column `stop-price`; expected `stop_price`, or another of the columns decide_ts, order_id, action, operation, instrument, side, type, qty, price, stop_price, trail, trail_bps, tif, expire_at, post_only, reduce_only, oco_group, parent, take_profit, stop_loss, venue, token_in, token_out, amount, source_key, target_key, min_out, atomic_group, sequence
        "#]],
    );
    check(
        "decide_ts;instrument;side\n@1;spot;buy\n",
        &expect![[r#"
        line 1: unknown column `decide_ts;instrument;side`; expected columns that are separated by commas
    "#]],
    );
    check(
        "order_id\n",
        &expect![[r#"
        line 1: no column `decide_ts`; expected a time on every row
    "#]],
    );
    check(
        "",
        &expect![[r#"
        line 1: no column `decide_ts`; expected a time on every row
    "#]],
    );
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    let text = file_of(
        "decide_ts,order_id,instrument,side,qty

         @1,\"a, \"\"b\"\"\",spot,buy,1
         x,,spot,buy,1",
    );
    for text in [text.clone(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
        let faults = build(&Stage::new(&[SPOT]), &text).err().unwrap();
        assert!(faults.starts_with("line 4: decide_ts `x`;"), "{faults}");
    }
}

#[test]
fn a_quote_that_its_line_leaves_open_swallows_nothing() {
    let expected = "a quote that is still open at the end of its line; expected quotes in pairs, and no line break in a cell";
    for (rows, line) in [
        ("@1,spot,buy,1,\"abc\n@2,spot,sell,1,", 4),
        ("@1,spot,buy,1,\"two\nlines\"\n@2,spot,sell,1,", 4),
        ("@1,spot,buy,1,a\n@2,spot,sell,1,\"abc", 5),
        ("@1,spot,buy,1,\"\"\"\n@2,spot,sell,1,", 4),
    ] {
        let text = file_of(&format!("decide_ts,instrument,side,qty,order_id\n\n# One.\n{rows}"));
        for text in [text.clone(), text.replace('\n', "\r\n"), text.trim_end().to_owned()] {
            let faults = build(&Stage::new(&[SPOT]), &text).err().unwrap();
            assert_eq!(faults, format!("line {line}: {expected}\n"), "{text:?}");
        }
    }
    let faults = build(&Stage::new(&[SPOT]), "# One.\ndecide_ts,\"side\n1,buy\n").err().unwrap();
    assert_eq!(faults, format!("line 2: {expected}\n"));
}

#[test]
fn numbers_beyond_every_market_are_no_numbers() {
    check(
        "decide_ts,instrument,side,qty,price,trail_bps,take_profit,stop_loss
         @1,spot,buy,1000000000000,1000000000000,1000000,-1000000bps,1000000000000
         @1,spot,buy,1000000000001,1000000000001,1000001,-1000001bps,-1000000000001",
        &expect![[r#"
            line 3: trail_bps `1000001`; expected a number of up to 1000000
            line 3: qty `1000000000001`; expected an amount of up to 10^12, or a share such as 50%
            line 3: price `1000000000001`; expected a number of up to 10^12
            line 3: take_profit `-1000001bps`; expected a price of up to 10^12, a signed offset such as -5, or one of up to 1000000bps
            line 3: stop_loss `-1000000000001`; expected a price of up to 10^12, a signed offset such as -5, or one of up to 1000000bps
        "#]],
    );
}

#[test]
fn comments_and_empty_lines_are_passed_over_and_counted() {
    let text = file_of(
        "# For people.

         decide_ts,order_id,instrument,side,qty
         # More, with a \" in it.
         @1,#1,spot,buy,1

         # And more.
         x,,spot,buy,1",
    );
    for text in [text.clone(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
        let faults = build(&Stage::new(&[SPOT]), &text).err().unwrap();
        assert!(faults.starts_with("line 8: decide_ts `x`;"), "{faults}");
        let header = text.replace("side", "sides");
        let faults = build(&Stage::new(&[SPOT]), &header).err().unwrap();
        assert!(faults.starts_with("line 3: unknown column `sides`;"), "{faults}");
    }
}

#[test]
fn a_file_of_another_kind_is_not_reported_line_by_line() {
    let text = "decide_ts,qty\n".to_owned() + &"x,1\n".repeat(1_000);
    let faults = build(&Stage::new(&[SPOT]), &text).err().unwrap();
    assert_eq!(faults.lines().count(), 101);
    expect!["whole file: 900 more faults below line 101; expected none"]
        .assert_eq(faults.lines().last().unwrap());
}

#[test]
fn a_time_that_is_no_frame_ends_the_replay() {
    let row = |time: &str| format!("decide_ts,instrument,side,qty\n{time},spot,buy,1");
    check(
        &row("2024-01-01"),
        &expect![[r#"
        orders.csv line 2: decide_ts 2024-01-01T00:00:00Z is not the time of a frame; the first frame is 2024-01-01T01:00:00Z
    "#]],
    );
    check(
        &row("2024-01-01T02:30:00Z"),
        &expect![[r#"
        orders.csv line 2: decide_ts 2024-01-01T02:30:00Z is not the time of a frame; the frames around it are 2024-01-01T02:00:00Z and 2024-01-01T03:00:00Z
    "#]],
    );
    check(
        &row("@7"),
        &expect![[r#"
        orders.csv line 2: decide_ts 2024-01-01T07:00:00Z is not the time of a frame; the last frame is 2024-01-01T06:00:00Z
    "#]],
    );
}

#[test]
fn the_reference_shows_every_column_and_a_file_that_can_be_replayed() {
    let page = include_str!("../../../../../docs/reference/strategies.md");
    let (_, section) = page.split_once("## scripted").unwrap();
    for column in super::cells::COLUMNS {
        assert!(section.contains(&format!("\n| `{column}` | ")), "{column}");
    }
    let (_, example) = section.split_once("```csv\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    assert!(build(&Stage::new(&[SPOT]), example).is_ok());
}
