//! Series that supply nothing but finer bars.

use expect_test::expect;

use super::scenario::check;

#[test]
fn another_series_of_the_instrument_supplies_only_sub_bars() {
    // It begins within the second frame and ends within the third.
    let data = "run frame=4m
                series A interval=4m
                file coarse
                00:00 1 9 1 2 10
                00:04 3
                00:08 5
                00:12 6";
    check(
        data,
        expect![[r#"
            00:04 A 1 9 1 2 x10
            00:08 A 3 3 3 3 x1
            00:12 A 5 5 5 5 x1
            00:16 A 6 6 6 6 x1
            A coarse: 4 rows 00:00..00:12
        "#]],
    );
    check(
        &format!(
            "{data}
             sub A
             file fine
             00:06 3 4 3 3 1
             00:07 3
             00:08 5
             00:09 5 6 5 6 1"
        ),
        expect![[r#"
            00:04 A 1 9 1 2 x10
            00:08 A 3 3 3 3 x1
              A 00:07 3 4 3 3 x1
              A 00:08 3 3 3 3 x1
            00:12 A 5 5 5 5 x1
              A 00:09 5 5 5 5 x1
              A 00:10 5 6 5 6 x1
            00:16 A 6 6 6 6 x1
            A coarse: 4 rows 00:00..00:12
            A fine: 4 rows 00:06..00:09
        "#]],
    );
}

#[test]
fn sub_bars_make_no_frame_and_fill_no_hole() {
    let data = |gaps: &str| {
        format!(
            "run frame=2m
             series A interval=2m gaps={gaps}
             file one
             00:04 1
             00:08 2
             series B interval=2m
             file two
             00:06 3
             sub A
             file three
             00:00 10
             00:01 11
             00:02 12
             00:03 13
             00:04 14
             00:05 15
             00:06 16
             00:07 17
             00:08 18
             00:09 19
             00:10 20
             00:11 21"
        )
    };
    check(
        &data("skip"),
        expect![[r#"
            00:06 A 1 1 1 1 x1 B none
              A 00:05 14 14 14 14 x1
              A 00:06 15 15 15 15 x1
            00:08 A none B 3 3 3 3 x1
            00:10 A 2 2 2 2 x1 B none
              A 00:09 18 18 18 18 x1
              A 00:10 19 19 19 19 x1
            A one: 2 rows 00:04..00:08, holes 1, missing 1, filled 0
            B two: 1 rows 00:06..00:06
            A three: 12 rows 00:00..00:11
        "#]],
    );
    check(
        &data("synthetic"),
        expect![[r#"
            00:06 A 1 1 1 1 x1 B none
              A 00:05 14 14 14 14 x1
              A 00:06 15 15 15 15 x1
            00:08 A synthetic 1 1 1 1 x0 B 3 3 3 3 x1
            00:10 A 2 2 2 2 x1 B none
              A 00:09 18 18 18 18 x1
              A 00:10 19 19 19 19 x1
            A one: 2 rows 00:04..00:08, holes 1, missing 1, filled 1
            B two: 1 rows 00:06..00:06
            A three: 12 rows 00:00..00:11
        "#]],
    );
    check(
        &data("skip").replace("frame=2m", "frame=2m align=inner").replace("00:06 3\n", "00:08 3\n"),
        expect![[r#"
            00:10 A 2 2 2 2 x1 B 3 3 3 3 x1
              A 00:09 18 18 18 18 x1
              A 00:10 19 19 19 19 x1
            A one: 2 rows 00:04..00:08, holes 1, missing 1, filled 0
            B two: 1 rows 00:08..00:08
            A three: 12 rows 00:00..00:11
        "#]],
    );
}

#[test]
fn a_frame_without_a_finer_row_has_no_sub_bars() {
    let data = |gaps: &str| {
        format!(
            "run frame=3m
             series A interval=3m
             file one
             00:00 1
             00:03 2
             00:06 3
             00:09 4
             sub A {gaps}
             file two
             00:00 10
             00:02 12
             00:10 13"
        )
    };
    check(
        &data("gaps=skip"),
        expect![[r#"
            00:03 A 1 1 1 1 x1
              A 00:01 10 10 10 10 x1
              A 00:03 12 12 12 12 x1
            00:06 A 2 2 2 2 x1
            00:09 A 3 3 3 3 x1
            00:12 A 4 4 4 4 x1
              A 00:11 13 13 13 13 x1
            A one: 4 rows 00:00..00:09
            A two: 3 rows 00:00..00:10, holes 2, missing 8, filled 0
        "#]],
    );
    // Filled in alone, they would hide a bar at which there was trade.
    check(
        &data("gaps=synthetic"),
        expect![[r#"
            00:03 A 1 1 1 1 x1
              A 00:01 10 10 10 10 x1
              A 00:02 synthetic 10 10 10 10 x0
              A 00:03 12 12 12 12 x1
            00:06 A 2 2 2 2 x1
            00:09 A 3 3 3 3 x1
            00:12 A 4 4 4 4 x1
              A 00:10 synthetic 12 12 12 12 x0
              A 00:11 13 13 13 13 x1
            A one: 4 rows 00:00..00:09
            A two: 3 rows 00:00..00:10, holes 2, missing 8, filled 8
        "#]],
    );
    check(
        &data(""),
        expect![[r#"
            at open: DATA-GAP Content two row 2 time
              found: 2024-01-01T00:02:00Z after 2024-01-01T00:00:00Z, 1 missing
              expected: 2024-01-01T00:01:00Z
              hint: gaps = "skip" leaves the bars out, gaps = "synthetic" repeats the last close
        "#]],
    );
}

#[test]
fn sub_bars_of_another_series_lie_within_the_window() {
    let rows = |step: usize, count: usize| {
        let row = |place| format!("00:{:02} {}\n", place * step, place + 1);
        (0..count).map(row).collect::<String>()
    };
    let data = |interval: &str, run: &str| {
        let step = if interval == "4m" { 4 } else { 2 };
        format!(
            "run frame=4m {run}
             series A interval={interval}
             file coarse
             {}
             sub A
             file fine
             {}",
            rows(step, 20 / step),
            rows(1, 20)
        )
    };
    check(
        &data("4m", "start=00:08 warmup=1 end=00:14"),
        expect![[r#"
            00:08 warm A 2 2 2 2 x1
              A 00:05 5 5 5 5 x1
              A 00:06 6 6 6 6 x1
              A 00:07 7 7 7 7 x1
              A 00:08 8 8 8 8 x1
            00:12 A 3 3 3 3 x1
              A 00:09 9 9 9 9 x1
              A 00:10 10 10 10 10 x1
              A 00:11 11 11 11 11 x1
              A 00:12 12 12 12 12 x1
            A coarse: 2 rows 00:04..00:08
            A fine: 10 rows 00:04..00:13
        "#]],
    );
    check(
        &data("4m", "start=00:12"),
        expect![[r#"
            00:16 A 4 4 4 4 x1
              A 00:13 13 13 13 13 x1
              A 00:14 14 14 14 14 x1
              A 00:15 15 15 15 15 x1
              A 00:16 16 16 16 16 x1
            00:20 A 5 5 5 5 x1
              A 00:17 17 17 17 17 x1
              A 00:18 18 18 18 18 x1
              A 00:19 19 19 19 19 x1
              A 00:20 20 20 20 20 x1
            A coarse: 2 rows 00:12..00:16
            A fine: 8 rows 00:12..00:19
        "#]],
    );
    // The coarse series is resampled as well.
    check(
        &data("2m", "start=00:07 end=00:14 sub_bars=kept"),
        expect![[r#"
            00:12 A 5 6 5 6 x2
              A 00:09 9 9 9 9 x1
              A 00:10 10 10 10 10 x1
              A 00:11 11 11 11 11 x1
              A 00:12 12 12 12 12 x1
            A coarse: 2 rows 00:08..00:10
            A fine: 4 rows 00:08..00:11
        "#]],
    );
}

#[test]
fn sub_bars_follow_frames_off_the_grid() {
    check(
        "run frame=3m
         series A interval=3m
         file one
         00:01 1
         00:04 2
         00:08 3
         sub A
         file two
         00:00 10
         00:01 11
         00:02 12
         00:03 13
         00:04 14
         00:05 15
         00:06 16
         00:07 17
         00:08 18
         00:09 19
         00:10 20",
        expect![[r#"
            00:04 A 1 1 1 1 x1
              A 00:02 11 11 11 11 x1
              A 00:03 12 12 12 12 x1
              A 00:04 13 13 13 13 x1
            00:07 A 2 2 2 2 x1
              A 00:05 14 14 14 14 x1
              A 00:06 15 15 15 15 x1
              A 00:07 16 16 16 16 x1
            00:11 A 3 3 3 3 x1
              A 00:09 18 18 18 18 x1
              A 00:10 19 19 19 19 x1
              A 00:11 20 20 20 20 x1
            A one: 3 rows 00:01..00:08
            A two: 11 rows 00:00..00:10
        "#]],
    );
}

#[test]
fn finer_rows_are_checked_to_the_end_of_the_window() {
    let data = |run: &str| {
        format!(
            "run frame=2m {run}
             series A interval=2m
             file one
             00:00 1
             00:02 2
             sub A
             file two
             00:00 1
             00:01 2
             00:02 3
             00:03 4
             file three
             00:04 5
             00:05 0"
        )
    };
    check(
        &data(""),
        expect![[r#"
            00:02 A 1 1 1 1 x1
              A 00:01 1 1 1 1 x1
              A 00:02 2 2 2 2 x1
            00:04 A 2 2 2 2 x1
              A 00:03 3 3 3 3 x1
              A 00:04 4 4 4 4 x1
            DATA-PRICE Content three row 2 open
              found: 0
              expected: a finite price above zero
              hint: correct or remove the row at its source
            A one: 2 rows 00:00..00:02
            A two: 4 rows 00:00..00:03
            A three: 1 rows 00:04..00:04
        "#]],
    );
    check(
        &data("end=00:05"),
        expect![[r#"
            00:02 A 1 1 1 1 x1
              A 00:01 1 1 1 1 x1
              A 00:02 2 2 2 2 x1
            00:04 A 2 2 2 2 x1
              A 00:03 3 3 3 3 x1
              A 00:04 4 4 4 4 x1
            A one: 2 rows 00:00..00:02
            A two: 4 rows 00:00..00:03
            A three: 1 rows 00:04..00:04
        "#]],
    );
    // No frame, whatever the finer rows are.
    check(
        &data("start=00:04"),
        expect![[r#"
            at open: DATA-COVERAGE Coverage
              found: rows from 2024-01-01T00:00:00Z to 2024-01-01T00:02:00Z
              expected: a bar that opens at or after 2024-01-01T00:04:00Z
              hint: choose a start and an end within the data
        "#]],
    );
}

#[test]
fn finer_candles_that_do_not_divide_a_frame_are_a_fault() {
    check(
        "run frame=4m
         series A interval=4m
         file one
         00:00 1
         sub A interval=3m
         file two
         00:00 1",
        expect![[r#"
            at open: DATA-INTERVAL Coverage two
              found: bars of 3m
              expected: bars that divide 4m evenly
              hint: choose a longer interval for the run, or finer candles
        "#]],
    );
}
