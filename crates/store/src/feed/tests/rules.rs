//! Frames: names, windows, resampling and merging.

use expect_test::expect;

use super::scenario::check;

#[test]
fn frames_are_named_by_the_close_of_their_bars() {
    check(
        "series A
         file one
         00:00 1 3 1 2 10
         00:01 2 4 2 4 0
         series B label=close
         file two
         00:01 7
         00:02 8",
        expect![[r#"
            00:01 A 1 3 1 2 x10 B 7 7 7 7 x1
            00:02 A 2 4 2 4 x0 B 8 8 8 8 x1
            A one: 2 rows 00:00..00:01
            B two: 2 rows 00:01..00:02
        "#]],
    );
}

#[test]
fn a_run_has_the_bars_that_open_after_its_start_and_close_before_its_end() {
    check(
        "run start=00:01 end=00:03
         series A
         file one
         00:00 1
         00:01 2
         00:02 3
         00:03 4",
        expect![[r#"
            00:02 A 2 2 2 2 x1
            00:03 A 3 3 3 3 x1
            A one: 2 rows 00:01..00:02
        "#]],
    );
}

#[test]
fn warm_up_counts_frames_not_intervals() {
    check(
        "run start=01:00 warmup=2
         series A gaps=skip
         file one
         00:00 1
         00:10 2
         00:30 3
         00:50 4
         01:00 5",
        expect![[r#"
            00:31 warm A 3 3 3 3 x1
            00:51 warm A 4 4 4 4 x1
            01:01 A 5 5 5 5 x1
            A one: 3 rows 00:30..01:00, holes 2, missing 28, filled 0
        "#]],
    );
}

#[test]
fn without_a_start_the_first_frames_are_the_warm_up() {
    check(
        "run warmup=2
         series A
         file one
         00:00 1
         00:01 2
         00:02 3",
        expect![[r#"
            00:01 warm A 1 1 1 1 x1
            00:02 warm A 2 2 2 2 x1
            00:03 A 3 3 3 3 x1
            A one: 3 rows 00:00..00:02
        "#]],
    );
}

#[test]
fn finer_candles_are_put_together_and_the_incomplete_last_bar_is_dropped() {
    check(
        "run frame=5m
         series A
         file one
         00:00 1 9 1 2 10
         00:01 2 3 0.5 3 20
         00:02 3
         00:03 3
         00:04 3 4 3 4 30
         00:05 5
         00:06 5",
        expect![[r#"
            00:05 A 1 9 0.5 4 x62
            A one: 7 rows 00:00..00:06
        "#]],
    );
}

#[test]
fn a_bar_belongs_to_the_frame_that_ends_at_or_after_its_close() {
    // 23:59 closes at midnight: the last bar of the old frame, not the first of the new.
    check(
        "run frame=1h
         series A gaps=skip
         file one
         2023-12-31T23:58:00Z 1
         2023-12-31T23:59:00Z 2
         00:00 3
         00:59 4",
        expect![[r#"
            00:00 A 1 2 1 2 x2
            01:00 A 3 4 3 4 x2
            A one: 4 rows 2023-12-31T23:58:00Z..00:59, holes 1, missing 58, filled 0
        "#]],
    );
}

#[test]
fn a_resampled_run_has_whole_frames_within_its_window() {
    check(
        "run frame=2m start=00:01 end=00:07
         series A
         file one
         00:00 1
         00:01 2
         00:02 3
         00:03 4
         00:04 5
         00:05 6
         00:06 7
         00:07 8",
        expect![[r#"
            00:04 A 3 4 3 4 x2
            00:06 A 5 6 5 6 x2
            A one: 4 rows 00:02..00:05
        "#]],
    );
}

#[test]
fn rows_behind_the_end_complete_the_last_frame() {
    check(
        "run frame=5m end=00:05
         series A gaps=skip
         file one
         00:00 1
         00:03 2
         00:07 3",
        expect![[r#"
            00:05 A 1 2 1 2 x2
            A one: 2 rows 00:00..00:03, holes 2, missing 3, filled 0
        "#]],
    );
}

#[test]
fn outer_has_every_instant_and_inner_only_common_ones() {
    let data = "series A gaps=skip
                file one
                00:00 1
                00:01 2
                00:03 4
                series B gaps=skip
                file two
                00:01 20
                00:02 30
                00:03 40
                00:04 50";
    check(
        data,
        expect![[r#"
            00:01 A 1 1 1 1 x1 B none
            00:02 A 2 2 2 2 x1 B 20 20 20 20 x1
            00:03 A none B 30 30 30 30 x1
            00:04 A 4 4 4 4 x1 B 40 40 40 40 x1
            00:05 A none B 50 50 50 50 x1
            A one: 3 rows 00:00..00:03, holes 1, missing 1, filled 0
            B two: 4 rows 00:01..00:04
        "#]],
    );
    check(
        &format!("run align=inner\n{data}"),
        expect![[r#"
            00:02 A 2 2 2 2 x1 B 20 20 20 20 x1
            00:04 A 4 4 4 4 x1 B 40 40 40 40 x1
            A one: 3 rows 00:00..00:03, holes 1, missing 1, filled 0
            B two: 4 rows 00:01..00:04
        "#]],
    );
}

#[test]
fn candles_of_several_lengths_meet_at_their_closes() {
    check(
        "run frame=2m
         series A interval=2m
         file one
         00:00 1
         00:02 2
         series B
         file two
         00:00 10
         00:01 11
         00:02 12
         00:03 13",
        expect![[r#"
            00:02 A 1 1 1 1 x1 B 10 11 10 11 x2
            00:04 A 2 2 2 2 x1 B 12 13 12 13 x2
            A one: 2 rows 00:00..00:02
            B two: 4 rows 00:00..00:03
        "#]],
    );
}

#[test]
fn files_are_concatenated_in_time() {
    check(
        "series A gaps=synthetic
         file one
         00:00 1
         00:01 2
         file two
         00:02 3
         00:03 4
         file three
         00:06 5",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            00:02 A 2 2 2 2 x1
            00:03 A 3 3 3 3 x1
            00:04 A 4 4 4 4 x1
            00:05 A synthetic 4 4 4 4 x0
            00:06 A synthetic 4 4 4 4 x0
            00:07 A 5 5 5 5 x1
            A one: 2 rows 00:00..00:01
            A two: 2 rows 00:02..00:03
            A three: 1 rows 00:06..00:06, holes 1, missing 2, filled 2
        "#]],
    );
    check(
        "series A
         file one
         00:00 1
         00:01 2
         file two
         00:01 2
         00:02 3",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            00:02 A 2 2 2 2 x1
            DATA-REPEATED Content two row 1
              found: 2024-01-01T00:01:00Z again, all values equal
              expected: one row per time
              hint: remove the repeated row
            A one: 2 rows 00:00..00:01
            A two: 0 rows -..-
        "#]],
    );
}

#[test]
fn times_off_the_grid_are_kept_as_they_are() {
    check(
        "run frame=1d
         series A interval=1d
         file one
         2024-11-01T04:00:00Z 1
         2024-11-02T04:00:00Z 2
         2024-11-03T04:00:00Z 3
         2024-11-04T05:00:00Z 4
         2024-11-05T05:00:00Z 5",
        expect![[r#"
            2024-11-02T04:00:00Z A 1 1 1 1 x1
            2024-11-03T04:00:00Z A 2 2 2 2 x1
            2024-11-04T04:00:00Z A 3 3 3 3 x1
            2024-11-05T05:00:00Z A 4 4 4 4 x1
            2024-11-06T05:00:00Z A 5 5 5 5 x1
            A one: 5 rows 2024-11-01T04:00:00Z..2024-11-05T05:00:00Z
        "#]],
    );
}
