//! Faults of points and marks: where they are, what was found, what was expected.

use expect_test::{Expect, expect};

use super::scenario::check;

/// Points of a kind with a row between two sound ones.
fn rows(kind: &str, row: &str, expected: Expect) {
    let scenario = format!(
        "series A
         file one
         00:00 1
         00:01 1
         00:02 1
         {kind}
         file points
         00:01 0.5
         {row}
         00:03 0.5"
    );
    check(&scenario, expected);
}

#[test]
fn holes_of_points_are_more_than_one_and_a_half_intervals() {
    let data = |gaps: &str| {
        format!(
            "series A
             file one
             00:00 1
             00:01 1
             00:02 1
             00:03 1
             00:04 1
             00:05 1
             funding A interval=2m {gaps}
             file rates
             00:00 0.1
             00:01 0.1
             00:04 0.1
             00:08 0.1"
        )
    };
    check(
        &data(""),
        expect![[r#"
        00:01 A 1 1 1 1 x1
          funding A 00:01 0.1 at 1
        00:02 A 1 1 1 1 x1
        00:03 A 1 1 1 1 x1
        00:04 A 1 1 1 1 x1
          funding A 00:04 0.1 at 1
        00:05 A 1 1 1 1 x1
        00:06 A 1 1 1 1 x1
        DATA-GAP Content rates row 4 time
          found: 2024-01-01T00:08:00Z after 2024-01-01T00:04:00Z, 1 missing
          expected: rows no more than one and a half times 2m apart
          hint: gaps = "skip" accepts the hole, if interval is right
        A one: 6 rows 00:00..00:05
        funding A rates: 3 rows 00:00..00:04, holes 1, missing 1, filled 0
    "#]],
    );
    check(
        &data("gaps=skip"),
        expect![[r#"
        00:01 A 1 1 1 1 x1
          funding A 00:01 0.1 at 1
        00:02 A 1 1 1 1 x1
        00:03 A 1 1 1 1 x1
        00:04 A 1 1 1 1 x1
          funding A 00:04 0.1 at 1
        00:05 A 1 1 1 1 x1
        00:06 A 1 1 1 1 x1
        A one: 6 rows 00:00..00:05
        funding A rates: 4 rows 00:00..00:08, holes 1, missing 1, filled 0
    "#]],
    );
    // A hole behind the window is nobody's.
    check(
        &format!("run end=00:04\n{}", data("")),
        expect![[r#"
        00:01 A 1 1 1 1 x1
          funding A 00:01 0.1 at 1
        00:02 A 1 1 1 1 x1
        00:03 A 1 1 1 1 x1
        00:04 A 1 1 1 1 x1
          funding A 00:04 0.1 at 1
        A one: 4 rows 00:00..00:03
        funding A rates: 3 rows 00:00..00:04
    "#]],
    );
}

#[test]
fn values_that_no_event_can_have() {
    rows(
        "funding A",
        "00:02 NaN",
        expect![[r#"
        00:01 A 1 1 1 1 x1
          funding A 00:01 0.5 at 1
        DATA-RATE Content points row 2 rate
          found: NaN
          expected: a rate per interval, as a fraction between -1 and 1
          hint: correct or remove the row at its source
        A one: 2 rows 00:00..00:01
        funding A points: 1 rows 00:01..00:01
    "#]],
    );
    rows(
        "funding A",
        "00:02 1",
        expect![[r#"
        00:01 A 1 1 1 1 x1
          funding A 00:01 0.5 at 1
        DATA-RATE Content points row 2 rate
          found: 1
          expected: a rate per interval, as a fraction between -1 and 1
          hint: correct or remove the row at its source
        A one: 2 rows 00:00..00:01
        funding A points: 1 rows 00:01..00:01
    "#]],
    );
    rows(
        "funding A",
        "00:02 -",
        expect![[r#"
        00:01 A 1 1 1 1 x1
          funding A 00:01 0.5 at 1
        DATA-NULL Content points row 2 rate
          found: no value
          expected: a rate
          hint: correct or remove the row at its source
        A one: 2 rows 00:00..00:01
        funding A points: 1 rows 00:01..00:01
    "#]],
    );
    rows(
        "funding A",
        "00:02 0.1 0",
        expect![[r#"
        00:01 A 1 1 1 1 x1
          funding A 00:01 0.5 at 1
        DATA-PRICE Content points row 2 mark_price
          found: 0
          expected: a finite price above zero
          hint: correct or remove the row at its source
        A one: 2 rows 00:00..00:01
        funding A points: 1 rows 00:01..00:01
    "#]],
    );
}

#[test]
fn times_of_points_that_do_not_increase() {
    rows(
        "funding A",
        "00:01 0.5",
        expect![[r#"
        at open: DATA-REPEATED Content points row 2
          found: 2024-01-01T00:01:00Z again, all values equal
          expected: one row per time
          hint: remove the repeated row
    "#]],
    );
    rows(
        "funding A",
        "00:01 0.6",
        expect![[r#"
        at open: DATA-CONFLICT Content points row 2 rate
          found: 0.6 after 0.5, both at 2024-01-01T00:01:00Z
          expected: one row per time
          hint: decide which of the rows is true and remove the other
    "#]],
    );
    rows(
        "funding A",
        "00:00:59 0.6",
        expect![[r#"
        at open: DATA-ORDER Content points row 2 time
          found: 2024-01-01T00:00:59Z after 2024-01-01T00:01:00Z
          expected: times that increase from row to row
          hint: sort the file by time
    "#]],
    );
}

#[test]
fn prices_and_marks_are_above_zero_and_have_a_time() {
    rows(
        "price B",
        "00:02 0",
        expect![[r#"
        00:01 A 1 1 1 1 x1
          price B 00:01 0.5
        DATA-PRICE Content points row 2 price
          found: 0
          expected: a finite price above zero
          hint: correct or remove the row at its source
        A one: 2 rows 00:00..00:01
        price B points: 1 rows 00:01..00:01
    "#]],
    );
    rows(
        "price B",
        "- 1",
        expect![[r#"
        at open: DATA-NULL Content points row 2 time
          found: no value
          expected: a time
          hint: correct or remove the row at its source
    "#]],
    );
    rows(
        "mark A",
        "00:02 -1",
        expect![[r#"
        00:01 A 1 1 1 1 x1
        00:02 A 1 1 1 1 x1
          mark A 0.5 0.5 0.5 0.5
        DATA-PRICE Content points row 2 open
          found: -1
          expected: a finite price above zero
          hint: correct or remove the row at its source
        A one: 3 rows 00:00..00:02
        A points: 1 rows 00:01..00:01
    "#]],
    );
}
