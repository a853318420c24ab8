//! Marks, funding and prices: which frame has them, and what they are worth there.

use expect_test::expect;

use super::scenario::check;

#[test]
fn an_event_at_the_close_belongs_to_the_frame_and_one_a_millisecond_later_to_the_next() {
    check(
        "run frame=2m
         series A interval=2m
         file one
         00:00 1
         00:02 2
         00:04 3
         funding A interval=2m
         file rates
         00:00 0.1 7
         00:02 0.2 7
         00:04:00.001 -0.3 7
         00:06 0.4 7
         00:08 0.5 7",
        expect![[r#"
            00:02 A 1 1 1 1 x1
              funding A 00:02 0.2 at 7
            00:04 A 2 2 2 2 x1
            00:06 A 3 3 3 3 x1
              funding A 00:04:00.001Z -0.3 at 7
              funding A 00:06 0.4 at 7
            A one: 3 rows 00:00..00:04
            funding A rates: 5 rows 00:00..00:08
        "#]],
    );
}

#[test]
fn points_of_missing_frames_come_with_the_next() {
    check(
        "series A gaps=skip
         file one
         00:00 1
         00:04 2
         mark A gaps=skip
         file marks
         00:00 10
         00:01 11
         00:04 14
         funding A interval=1m
         file rates
         00:01 0.1
         00:02 0.2
         00:03 0.3
         00:04 0.4
         00:05 0.5
         price B
         file prices
         00:02 5
         00:04:30 6",
        expect![[r#"
            00:01 A 1 1 1 1 x1
              mark A 10 10 10 10
              funding A 00:01 0.1 at 10
            00:05 A 2 2 2 2 x1
              mark A 14 14 14 14
              funding A 00:02 0.2 at 11
              funding A 00:03 0.3 at 11
              funding A 00:04 0.4 at none
              funding A 00:05 0.5 at 14
              price B 00:02 5
              price B 00:04:30Z 6
            A one: 2 rows 00:00..00:04, holes 1, missing 3, filled 0
            A marks: 3 rows 00:00..00:04, holes 1, missing 2, filled 0
            funding A rates: 5 rows 00:01..00:05
            price B prices: 2 rows 00:02..00:04:30Z
        "#]],
    );
}

#[test]
fn instruments_and_series_are_in_order_of_time_and_rank() {
    check(
        "run align=inner
         series A gaps=skip
         file one
         00:00 1
         00:02 2
         series B
         file two
         00:00 3
         00:01 4
         00:02 5
         funding B interval=1m
         file rates_b
         00:01 0.1
         00:02 0.2
         00:03 0.3
         funding A interval=1m
         file rates_a
         00:02 0.4
         00:03 0.5
         price Q
         file prices_q
         00:02 1
         00:03 2
         price P
         file prices_p
         00:03 3",
        expect![[r#"
            00:01 A 1 1 1 1 x1 B 3 3 3 3 x1
              funding B 00:01 0.1 at 3
            00:03 A 2 2 2 2 x1 B 5 5 5 5 x1
              funding A 00:02 0.4 at 1
              funding B 00:02 0.2 at 4
              funding A 00:03 0.5 at 2
              funding B 00:03 0.3 at 5
              price Q 00:02 1
              price Q 00:03 2
              price P 00:03 3
            A one: 2 rows 00:00..00:02, holes 1, missing 1, filled 0
            B two: 3 rows 00:00..00:02
            funding B rates_b: 3 rows 00:01..00:03
            funding A rates_a: 2 rows 00:02..00:03
            price Q prices_q: 2 rows 00:02..00:03
            price P prices_p: 1 rows 00:03..00:03
        "#]],
    );
}

#[test]
fn marks_are_put_together_or_rare() {
    // Finer than a frame, with one missing; as long; and longer, whose extremes may be older.
    check(
        "run frame=2m
         series A interval=2m
         file one
         00:00 1
         00:02 2
         00:04 3
         00:06 4
         mark A gaps=skip
         file marks_a
         00:00 10 14 9 12 0
         00:01 12 13 8 11 0
         00:03 20 21 19 20 0
         series B interval=2m
         file two
         00:00 1
         00:02 2
         00:04 3
         00:06 4
         mark B interval=2m
         file marks_b
         00:00 10 14 9 12 0
         00:02 12 13 8 11 0
         series C interval=2m
         file three
         00:00 1
         00:02 2
         00:04 3
         00:06 4
         mark C interval=4m
         file marks_c
         00:00 10 14 9 12 0
         00:04 12 13 8 11 0",
        expect![[r#"
            00:02 A 1 1 1 1 x1 B 1 1 1 1 x1 C 1 1 1 1 x1
              mark A 10 14 8 11
              mark B 10 14 9 12
            00:04 A 2 2 2 2 x1 B 2 2 2 2 x1 C 2 2 2 2 x1
              mark A 20 21 19 20
              mark B 12 13 8 11
              mark C 12 12 12 12
            00:06 A 3 3 3 3 x1 B 3 3 3 3 x1 C 3 3 3 3 x1
            00:08 A 4 4 4 4 x1 B 4 4 4 4 x1 C 4 4 4 4 x1
              mark C 11 11 11 11
            A one: 4 rows 00:00..00:06
            B two: 4 rows 00:00..00:06
            C three: 4 rows 00:00..00:06
            A marks_a: 3 rows 00:00..00:03, holes 1, missing 1, filled 0
            B marks_b: 2 rows 00:00..00:02
            C marks_c: 2 rows 00:00..00:04
        "#]],
    );
}

#[test]
fn marks_that_do_not_fit_frames_are_a_fault() {
    check(
        "run frame=2m
         series A interval=2m
         file one
         00:00 1
         mark A interval=3m
         file marks
         00:00 1",
        expect![[r#"
            at open: DATA-INTERVAL Coverage marks
              found: bars of 3m
              expected: bars that divide 2m evenly
              hint: choose a longer interval for the run, or finer candles
        "#]],
    );
}

#[test]
fn an_event_is_marked_by_the_file_then_by_marks_then_by_candles() {
    check(
        "run frame=4m start=00:04
         series A gaps=skip
         file one
         00:02 1
         00:03 2
         00:04 3
         00:06 5
         00:07 6
         00:11 7
         mark A gaps=skip
         file marks
         00:02 102
         00:03 103
         00:05 105
         funding A interval=1m gaps=skip
         file rates
         00:04 0.1
         00:04:00.005 0.2
         00:05 0.3 99
         00:06 0.4
         00:07 0.5
         00:08 0.6
         00:08:59 0.7
         00:09:01 0.8
         00:12 0.9",
        expect![[r#"
            00:08 A 3 6 3 6 x3
              mark A 105 105 105 105
              funding A 00:04:00.005Z 0.2 at 103
              funding A 00:05 0.3 at 99
              funding A 00:06 0.4 at 105
              funding A 00:07 0.5 at 105
              funding A 00:08 0.6 at 6
            00:12 A 7 7 7 7 x1
              funding A 00:08:59Z 0.7 at 6
              funding A 00:09:01Z 0.8 at none
              funding A 00:12 0.9 at 7
            A one: 4 rows 00:04..00:11, holes 2, missing 4, filled 0
            A marks: 1 rows 00:05..00:05, holes 1, missing 1, filled 0
            funding A rates: 8 rows 00:04:00.005Z..00:12, holes 1, missing 2, filled 0
        "#]],
    );
}

#[test]
fn the_last_price_before_the_first_frame_comes_with_it() {
    let data = |run: &str| {
        format!(
            "run {run}
             series A
             file one
             00:05 1
             00:06 2
             00:07 3
             funding A interval=1m
             file rates
             00:04 0.1
             00:05 0.2
             00:06 0.3
             00:07 0.4
             price B
             file prices
             00:02 1
             00:04 2
             00:06:30 3
             price C
             file later
             00:07 4"
        )
    };
    check(
        &data(""),
        expect![[r#"
        00:06 A 1 1 1 1 x1
          funding A 00:06 0.3 at 1
          price B 00:04 2
        00:07 A 2 2 2 2 x1
          funding A 00:07 0.4 at 2
          price B 00:06:30Z 3
          price C 00:07 4
        00:08 A 3 3 3 3 x1
        A one: 3 rows 00:05..00:07
        funding A rates: 4 rows 00:04..00:07
        price B prices: 3 rows 00:02..00:06:30Z
        price C later: 1 rows 00:07..00:07
    "#]],
    );
    check(
        &data("start=00:06"),
        expect![[r#"
        00:07 A 2 2 2 2 x1
          funding A 00:07 0.4 at 2
          price B 00:04 2
          price B 00:06:30Z 3
          price C 00:07 4
        00:08 A 3 3 3 3 x1
        A one: 2 rows 00:06..00:07
        funding A rates: 1 rows 00:07..00:07
        price B prices: 1 rows 00:06:30Z..00:06:30Z
        price C later: 1 rows 00:07..00:07
    "#]],
    );
    check(
        &data("start=00:06 end=00:07"),
        expect![[r#"
        00:07 A 2 2 2 2 x1
          funding A 00:07 0.4 at 2
          price B 00:04 2
          price B 00:06:30Z 3
          price C 00:07 4
        A one: 1 rows 00:06..00:06
        funding A rates: 1 rows 00:07..00:07
        price B prices: 1 rows 00:06:30Z..00:06:30Z
        price C later: 1 rows 00:07..00:07
    "#]],
    );
}
