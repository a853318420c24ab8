//! Windows and intervals that make no frame.

use expect_test::expect;

use super::scenario::check;

#[test]
fn what_the_window_leaves_out_is_not_checked() {
    check(
        "run start=00:02 end=00:04 warmup=1
         series A
         file one
         00:00 0
         00:01 1
         00:02 1
         00:03 1
         00:04 0",
        expect![[r#"
            00:02 warm A 1 1 1 1 x1
            00:03 A 1 1 1 1 x1
            00:04 A 1 1 1 1 x1
            A one: 3 rows 00:01..00:03
        "#]],
    );
    // Unless a hole would be filled with it.
    check(
        "run start=00:02
         series A gaps=synthetic
         file one
         00:00 0
         00:03 1",
        expect![[r#"
            at open: DATA-PRICE Content one row 1 open
              found: 0
              expected: a finite price above zero
              hint: correct or remove the row at its source
        "#]],
    );
}

#[test]
fn windows_without_frames() {
    let data = "series A gaps=skip\nfile one\n00:00 1\n00:05 1\nseries B\nfile two\n00:01 1";
    check(
        &format!("run start=00:06\n{data}"),
        expect![[r#"
            at open: DATA-COVERAGE Coverage
              found: rows from 2024-01-01T00:00:00Z to 2024-01-01T00:05:00Z
              expected: a bar that opens at or after 2024-01-01T00:06:00Z
              hint: choose a start and an end within the data
        "#]],
    );
    check(
        &format!("run start=00:02 end=00:04\n{data}"),
        expect![[r#"
            at open: DATA-COVERAGE Coverage
              found: rows from 2024-01-01T00:00:00Z on
              expected: a bar that opens at or after 2024-01-01T00:02:00Z
              hint: choose a start and an end within the data
        "#]],
    );
    check(
        &format!("run start=00:04 end=00:04\n{data}"),
        expect![[r#"
            at open: DATA-EMPTY Coverage
              found: no frame
              expected: at least one frame
              hint: check start, end, warmup and align
        "#]],
    );
    check(
        &format!("run end=00:00\n{data}"),
        expect![[r#"
            at open: DATA-EMPTY Coverage
              found: no frame
              expected: at least one frame
              hint: check start, end, warmup and align
        "#]],
    );
    check(
        &format!("run align=inner\n{data}"),
        expect![[r#"
            at open: DATA-EMPTY Coverage
              found: no frame
              expected: at least one frame
              hint: check start, end, warmup and align
        "#]],
    );
    check(
        &format!("run warmup=3\n{data}"),
        expect![[r#"
            at open: DATA-EMPTY Coverage
              found: no frame
              expected: at least one frame
              hint: check start, end, warmup and align
        "#]],
    );
    check(
        &format!("run frame=1h\n{data}"),
        expect![[r#"
            at open: DATA-EMPTY Coverage
              found: no frame
              expected: at least one frame
              hint: check start, end, warmup and align
        "#]],
    );
    // One series that covers the start is enough.
    check(
        &format!("run start=00:04\n{data}"),
        expect![[r#"
            00:06 A 1 1 1 1 x1 B none
            A one: 1 rows 00:05..00:05, holes 1, missing 1, filled 0
            B two: 0 rows -..-
        "#]],
    );
}

#[test]
fn intervals_that_do_not_make_up_a_frame() {
    check(
        "series A interval=1h\nfile one\n00:00 1",
        expect![[r#"
            at open: DATA-INTERVAL Coverage one
              found: bars of 1h
              expected: bars that divide 1m evenly
              hint: choose a longer interval for the run, or finer candles
        "#]],
    );
    check(
        "run frame=3m\nseries A interval=2m\nfile one\n00:00 1",
        expect![[r#"
            at open: DATA-INTERVAL Coverage one
              found: bars of 2m
              expected: bars that divide 3m evenly
              hint: choose a longer interval for the run, or finer candles
        "#]],
    );
    // Minutes that are said to be hours.
    check(
        "run frame=1h\nseries A interval=1h\nfile one\n00:00 1\n00:01 1",
        expect![[r#"
            01:00 A 1 1 1 1 x1
            DATA-INTERVAL Content one row 2 time
              found: 2024-01-01T00:01:00Z after 2024-01-01T00:00:00Z
              expected: rows 1h apart
              hint: interval (or time_unit) is probably wrong for this file
            A one: 1 rows 00:00..00:00
        "#]],
    );
}

#[test]
fn a_file_without_rows_is_a_fault() {
    check(
        "series A\nfile one",
        expect![[r#"
            at open: DATA-EMPTY Content one
              found: no rows
              expected: at least one row
        "#]],
    );
    check(
        "series A\nfile one\n00:00 1\nfile two",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-EMPTY Content two
              found: no rows
              expected: at least one row
            A one: 1 rows 00:00..00:00
            A two: 0 rows -..-
        "#]],
    );
}
