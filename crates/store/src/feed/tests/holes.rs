//! Holes: faults, left out or filled, within the window only.

use expect_test::expect;

use super::scenario::check;

#[test]
fn holes_are_faults_left_out_or_filled() {
    let data = |gaps: &str| {
        format!(
            "series A {gaps}
             file one
             00:00 1 3 1 2 5
             00:03 4
             series B
             file two
             00:00 7
             00:01 8"
        )
    };
    check(
        &data(""),
        expect![[r#"
            00:01 A 1 3 1 2 x5 B 7 7 7 7 x1
            DATA-GAP Content one row 2 time
              found: 2024-01-01T00:03:00Z after 2024-01-01T00:00:00Z, 2 missing
              expected: 2024-01-01T00:01:00Z
              hint: gaps = "skip" leaves the bars out, gaps = "synthetic" repeats the last close
            A one: 1 rows 00:00..00:00, holes 1, missing 2, filled 0
            B two: 1 rows 00:00..00:00
        "#]],
    );
    check(
        &data("gaps=skip"),
        expect![[r#"
            00:01 A 1 3 1 2 x5 B 7 7 7 7 x1
            00:02 A none B 8 8 8 8 x1
            00:04 A 4 4 4 4 x1 B none
            A one: 2 rows 00:00..00:03, holes 1, missing 2, filled 0
            B two: 2 rows 00:00..00:01
        "#]],
    );
    check(
        &data("gaps=synthetic"),
        expect![[r#"
            00:01 A 1 3 1 2 x5 B 7 7 7 7 x1
            00:02 A synthetic 2 2 2 2 x0 B 8 8 8 8 x1
            00:03 A synthetic 2 2 2 2 x0 B none
            00:04 A 4 4 4 4 x1 B none
            A one: 2 rows 00:00..00:03, holes 1, missing 2, filled 2
            B two: 2 rows 00:00..00:01
        "#]],
    );
}

#[test]
fn before_the_listing_and_after_the_end_of_a_series_there_is_no_hole() {
    check(
        "series A
         file one
         00:00 1
         00:01 2
         00:02 3
         series B gaps=synthetic
         file two
         00:01 7",
        expect![[r#"
            00:01 A 1 1 1 1 x1 B none
            00:02 A 2 2 2 2 x1 B 7 7 7 7 x1
            00:03 A 3 3 3 3 x1 B none
            A one: 3 rows 00:00..00:02
            B two: 1 rows 00:01..00:01
        "#]],
    );
}

#[test]
fn holes_count_only_within_the_window() {
    let data = |gaps: &str, run: &str| {
        format!(
            "run {run}
             series A {gaps}
             file one
             00:00 1
             00:04 5
             00:05 6
             00:06 7
             00:10 11"
        )
    };
    check(
        &data("", "start=00:04 end=00:07"),
        expect![[r#"
            00:05 A 5 5 5 5 x1
            00:06 A 6 6 6 6 x1
            00:07 A 7 7 7 7 x1
            A one: 3 rows 00:04..00:06
        "#]],
    );
    // The hole before reaches into the window by one bar, the one behind by two.
    check(
        &data("gaps=synthetic", "start=00:03 end=00:09"),
        expect![[r#"
            00:04 A synthetic 1 1 1 1 x0
            00:05 A 5 5 5 5 x1
            00:06 A 6 6 6 6 x1
            00:07 A 7 7 7 7 x1
            00:08 A synthetic 7 7 7 7 x0
            00:09 A synthetic 7 7 7 7 x0
            A one: 3 rows 00:04..00:06, holes 2, missing 3, filled 3
        "#]],
    );
    check(
        &data("gaps=skip", "start=00:03 end=00:09"),
        expect![[r#"
            00:05 A 5 5 5 5 x1
            00:06 A 6 6 6 6 x1
            00:07 A 7 7 7 7 x1
            A one: 3 rows 00:04..00:06, holes 2, missing 3, filled 0
        "#]],
    );
    check(
        &data("", "start=00:04 end=00:09"),
        expect![[r#"
            00:05 A 5 5 5 5 x1
            00:06 A 6 6 6 6 x1
            00:07 A 7 7 7 7 x1
            DATA-GAP Content one row 5 time
              found: 2024-01-01T00:10:00Z after 2024-01-01T00:06:00Z, 2 missing
              expected: 2024-01-01T00:07:00Z
              hint: gaps = "skip" leaves the bars out, gaps = "synthetic" repeats the last close
            A one: 3 rows 00:04..00:06, holes 1, missing 2, filled 0
        "#]],
    );
    check(
        &data("", "start=00:03"),
        expect![[r#"
            at open: DATA-GAP Content one row 2 time
              found: 2024-01-01T00:04:00Z after 2024-01-01T00:00:00Z, 1 missing
              expected: 2024-01-01T00:01:00Z
              hint: gaps = "skip" leaves the bars out, gaps = "synthetic" repeats the last close
        "#]],
    );
    check(
        &data("gaps=synthetic", "start=00:06 warmup=3 end=00:08"),
        expect![[r#"
            00:04 warm A synthetic 1 1 1 1 x0
            00:05 warm A 5 5 5 5 x1
            00:06 warm A 6 6 6 6 x1
            00:07 A 7 7 7 7 x1
            00:08 A synthetic 7 7 7 7 x0
            A one: 3 rows 00:04..00:06, holes 2, missing 2, filled 2
        "#]],
    );
}

#[test]
fn a_frame_of_real_and_synthetic_bars_is_real_and_has_the_real_prices() {
    check(
        "run frame=2m
         series A gaps=synthetic
         file one
         00:00 1
         00:01 9
         00:03 2 3 1 2 5
         00:04 2
         00:07 4
         00:11 5",
        expect![[r#"
            00:02 A 1 9 1 9 x2
            00:04 A 2 3 1 2 x5
            00:06 A 2 2 2 2 x1
            00:08 A 4 4 4 4 x1
            00:10 A synthetic 4 4 4 4 x0
            00:12 A 5 5 5 5 x1
            A one: 6 rows 00:00..00:11, holes 3, missing 6, filled 6
        "#]],
    );
}
