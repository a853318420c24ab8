//! Finer bars within the bars of frames.

use expect_test::expect;
use futures_util::StreamExt;
use model::instrument::InstrumentIx;
use tempfile::TempDir;

use super::files::{FileRow, Format, minutes};
use super::scenario::check;
use crate::feed::producer::EXTRAS_MAX;
use crate::feed::{CandleFeed, FeedSpec};

#[test]
fn a_resampled_bar_has_the_bars_it_was_put_together_from() {
    let data = "series A
                file one
                00:00 1 9 1 2 10
                00:01 2 3 0.5 3 20
                00:02 3
                00:03 4
                file two
                00:04 5
                series B interval=2m
                file three
                00:02 20
                series C gaps=skip
                file four
                00:03 30";
    check(
        &format!("run frame=2m sub_bars=kept\n{data}"),
        expect![[r#"
            00:02 A 1 9 0.5 3 x30 B none C none
              A 00:01 1 9 1 2 x10
              A 00:02 2 3 0.5 3 x20
            00:04 A 3 4 3 4 x2 B 20 20 20 20 x1 C 30 30 30 30 x1
              A 00:03 3 3 3 3 x1
              A 00:04 4 4 4 4 x1
              C 00:04 30 30 30 30 x1
            A one: 4 rows 00:00..00:03
            A two: 1 rows 00:04..00:04
            B three: 1 rows 00:02..00:02
            C four: 1 rows 00:03..00:03
        "#]],
    );
    check(
        &format!("run frame=2m\n{data}"),
        expect![[r#"
            00:02 A 1 9 0.5 3 x30 B none C none
            00:04 A 3 4 3 4 x2 B 20 20 20 20 x1 C 30 30 30 30 x1
            A one: 4 rows 00:00..00:03
            A two: 1 rows 00:04..00:04
            B three: 1 rows 00:02..00:02
            C four: 1 rows 00:03..00:03
        "#]],
    );
    check(
        &format!("run frame=2m align=inner sub_bars=kept\n{data}"),
        expect![[r#"
            00:04 A 3 4 3 4 x2 B 20 20 20 20 x1 C 30 30 30 30 x1
              A 00:03 3 3 3 3 x1
              A 00:04 4 4 4 4 x1
              C 00:04 30 30 30 30 x1
            A one: 4 rows 00:00..00:03
            A two: 1 rows 00:04..00:04
            B three: 1 rows 00:02..00:02
            C four: 1 rows 00:03..00:03
        "#]],
    );
}

#[test]
fn a_bar_that_is_not_resampled_has_none() {
    check(
        "run sub_bars=kept
         series A
         file one
         00:00 1
         00:01 2",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            00:02 A 2 2 2 2 x1
            A one: 2 rows 00:00..00:01
        "#]],
    );
}

#[test]
fn missing_sub_bars_are_left_out_or_flagged() {
    let data = |gaps: &str| {
        format!(
            "run frame=3m sub_bars=kept
             series A gaps={gaps}
             file one
             00:00 1
             00:02 2 4 2 3 5
             00:04 4
             00:09 5
             00:12 6"
        )
    };
    check(
        &data("skip"),
        expect![[r#"
            00:03 A 1 4 1 3 x6
              A 00:01 1 1 1 1 x1
              A 00:03 2 4 2 3 x5
            00:06 A 4 4 4 4 x1
              A 00:05 4 4 4 4 x1
            00:12 A 5 5 5 5 x1
              A 00:10 5 5 5 5 x1
            A one: 5 rows 00:00..00:12, holes 4, missing 8, filled 0
        "#]],
    );
    check(
        &data("synthetic"),
        expect![[r#"
            00:03 A 1 4 1 3 x6
              A 00:01 1 1 1 1 x1
              A 00:02 synthetic 1 1 1 1 x0
              A 00:03 2 4 2 3 x5
            00:06 A 4 4 4 4 x1
              A 00:04 synthetic 3 3 3 3 x0
              A 00:05 4 4 4 4 x1
              A 00:06 synthetic 4 4 4 4 x0
            00:09 A synthetic 4 4 4 4 x0
              A 00:07 synthetic 4 4 4 4 x0
              A 00:08 synthetic 4 4 4 4 x0
              A 00:09 synthetic 4 4 4 4 x0
            00:12 A 5 5 5 5 x1
              A 00:10 5 5 5 5 x1
              A 00:11 synthetic 5 5 5 5 x0
              A 00:12 synthetic 5 5 5 5 x0
            A one: 5 rows 00:00..00:12, holes 4, missing 8, filled 8
        "#]],
    );
}

#[test]
fn frames_before_the_start_have_their_sub_bars() {
    let data = "series A gaps=synthetic
                file one
                00:00 1
                00:01 2
                00:02 3
                00:04 5
                00:05 6
                00:06 7
                00:07 8";
    check(
        &format!("run frame=2m start=00:04 warmup=1 end=00:07 sub_bars=kept\n{data}"),
        expect![[r#"
            00:04 warm A 3 3 3 3 x1
              A 00:03 3 3 3 3 x1
              A 00:04 synthetic 3 3 3 3 x0
            00:06 A 5 6 5 6 x2
              A 00:05 5 5 5 5 x1
              A 00:06 6 6 6 6 x1
            A one: 3 rows 00:02..00:05, holes 1, missing 1, filled 1
        "#]],
    );
    check(
        &format!("run frame=2m warmup=2 sub_bars=kept\n{data}"),
        expect![[r#"
            00:02 warm A 1 2 1 2 x2
              A 00:01 1 1 1 1 x1
              A 00:02 2 2 2 2 x1
            00:04 warm A 3 3 3 3 x1
              A 00:03 3 3 3 3 x1
              A 00:04 synthetic 3 3 3 3 x0
            00:06 A 5 6 5 6 x2
              A 00:05 5 5 5 5 x1
              A 00:06 6 6 6 6 x1
            00:08 A 7 8 7 8 x2
              A 00:07 7 7 7 7 x1
              A 00:08 8 8 8 8 x1
            A one: 7 rows 00:00..00:07, holes 1, missing 1, filled 1
        "#]],
    );
    // Off the grid: a frame opens at or after the start.
    check(
        &format!("run frame=2m start=00:05 warmup=1 sub_bars=kept\n{data}"),
        expect![[r#"
            00:06 warm A 5 6 5 6 x2
              A 00:05 5 5 5 5 x1
              A 00:06 6 6 6 6 x1
            00:08 A 7 8 7 8 x2
              A 00:07 7 7 7 7 x1
              A 00:08 8 8 8 8 x1
            A one: 4 rows 00:04..00:07
        "#]],
    );
}

#[test]
fn a_fault_behind_a_frame_does_not_hold_its_sub_bars_back() {
    check(
        "run frame=2m sub_bars=kept
         series A
         file one
         00:00 1
         00:01 2
         00:02 3
         00:03 0",
        expect![[r#"
            00:02 A 1 2 1 2 x2
              A 00:01 1 1 1 1 x1
              A 00:02 2 2 2 2 x1
            DATA-PRICE Content one row 4 open
              found: 0
              expected: a finite price above zero
              hint: correct or remove the row at its source
            A one: 3 rows 00:00..00:02
        "#]],
    );
}

#[test]
fn a_batch_is_full_when_it_has_many_sub_bars() {
    let folder = TempDir::new().unwrap();
    let count: i64 = 40 * 1_440;
    let rows: Vec<FileRow> =
        (0..count).map(|minute| (Some(minute * 60_000), [Some(1.0); 5])).collect();
    let path = Format::Csv.write(folder.path(), "one", &rows, false);
    let mut spec = FeedSpec::new(vec![minutes("A", 0, vec![path])], 1, "1d".parse().unwrap());
    let mut sizes = |keeps_sub_bars| {
        spec.keeps_sub_bars = keeps_sub_bars;
        let mut feed = CandleFeed::open(&spec).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut sizes = Vec::new();
        while let Some(frame) = runtime.block_on(feed.next()) {
            let sub_bars = frame.unwrap().sub_bars(InstrumentIx(0)).len();
            assert_eq!(sub_bars, if keeps_sub_bars { 1_440 } else { 0 });
            if feed.row == 1 {
                sizes.push((feed.batch.len(), feed.batch.extra_count()));
            }
        }
        sizes
    };
    let full = EXTRAS_MAX.div_ceil(1_440);
    let last = 40 % full;
    let of = |frames| (frames, frames * 1_440);
    assert_eq!(sizes(true), [of(full), of(full), of(full), of(last)]);
    assert_eq!(sizes(false), [(40, 0)]);
}
