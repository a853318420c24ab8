//! Faults: where they are, what was found, what was expected.

use expect_test::{Expect, expect};

use super::scenario::check;

/// A file of one row above, the given rows, and one behind.
fn rows(rows: &str, expected: Expect) {
    check(&format!("series A\nfile one\n00:00 1\n{rows}\n00:09 1"), expected);
}

#[test]
fn cells_without_a_value() {
    rows(
        "- 1",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-NULL Content one row 2 time
              found: no value
              expected: a time
              hint: correct or remove the row at its source
            A one: 1 rows 00:00..00:00
        "#]],
    );
    rows(
        "00:01 1 1 1 - 1",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-NULL Content one row 2 close
              found: no value
              expected: a price
              hint: correct or remove the row at its source
            A one: 1 rows 00:00..00:00
        "#]],
    );
    rows(
        "00:01 1 1 1 1 -",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-NULL Content one row 2 volume
              found: no value
              expected: a volume
              hint: correct or remove the row at its source
            A one: 1 rows 00:00..00:00
        "#]],
    );
}

#[test]
fn prices_and_volumes_that_no_bar_can_have() {
    rows(
        "00:01 0 1 1 1 1",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-PRICE Content one row 2 open
              found: 0
              expected: a finite price above zero
              hint: correct or remove the row at its source
            A one: 1 rows 00:00..00:00
        "#]],
    );
    rows(
        "00:01 1 inf 1 1 1",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-PRICE Content one row 2 high
              found: inf
              expected: a finite price above zero
              hint: correct or remove the row at its source
            A one: 1 rows 00:00..00:00
        "#]],
    );
    rows(
        "00:01 1 1 -1 1 1",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-PRICE Content one row 2 low
              found: -1
              expected: a finite price above zero
              hint: correct or remove the row at its source
            A one: 1 rows 00:00..00:00
        "#]],
    );
    rows(
        "00:01 1 1 1 NaN 1",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-PRICE Content one row 2 close
              found: NaN
              expected: a finite price above zero
              hint: correct or remove the row at its source
            A one: 1 rows 00:00..00:00
        "#]],
    );
    rows(
        "00:01 1 1 1 1 -1",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-VOLUME Content one row 2 volume
              found: -1
              expected: a finite volume of zero or more
              hint: correct or remove the row at its source
            A one: 1 rows 00:00..00:00
        "#]],
    );
    rows(
        "00:01 1 1 1 1 NaN",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-VOLUME Content one row 2 volume
              found: NaN
              expected: a finite volume of zero or more
              hint: correct or remove the row at its source
            A one: 1 rows 00:00..00:00
        "#]],
    );
    rows(
        "00:01 1 1 1 1 inf",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-VOLUME Content one row 2 volume
              found: inf
              expected: a finite volume of zero or more
              hint: correct or remove the row at its source
            A one: 1 rows 00:00..00:00
        "#]],
    );
}

#[test]
fn a_bar_lies_between_its_low_and_its_high() {
    rows(
        "00:01 5 4 3 4 1",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-RANGE Content one row 2 high
              found: 4 with open 5
              expected: a high not below the other prices
              hint: correct or remove the row at its source
            A one: 1 rows 00:00..00:00
        "#]],
    );
    rows(
        "00:01 4 4 3 5 1",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-RANGE Content one row 2 high
              found: 4 with close 5
              expected: a high not below the other prices
              hint: correct or remove the row at its source
            A one: 1 rows 00:00..00:00
        "#]],
    );
    rows(
        "00:01 2 4 3 4 1",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-RANGE Content one row 2 low
              found: 3 with open 2
              expected: a low not above the other prices
              hint: correct or remove the row at its source
            A one: 1 rows 00:00..00:00
        "#]],
    );
    rows(
        "00:01 4 5 3 2 1",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-RANGE Content one row 2 low
              found: 3 with close 2
              expected: a low not above the other prices
              hint: correct or remove the row at its source
            A one: 1 rows 00:00..00:00
        "#]],
    );
    rows(
        "00:01 4 3 5 4 1",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-RANGE Content one row 2 high
              found: 3 with open 4
              expected: a high not below the other prices
              hint: correct or remove the row at its source
            A one: 1 rows 00:00..00:00
        "#]],
    );
}

#[test]
fn times_that_do_not_increase() {
    rows(
        "2023-12-31T23:59:00Z 1",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-ORDER Content one row 2 time
              found: 2023-12-31T23:59:00Z after 2024-01-01T00:00:00Z
              expected: times that increase from row to row
              hint: sort the file by time
            A one: 1 rows 00:00..00:00
        "#]],
    );
    rows(
        "00:00 1",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-REPEATED Content one row 2
              found: 2024-01-01T00:00:00Z again, all values equal
              expected: one row per time
              hint: remove the repeated row
            A one: 1 rows 00:00..00:00
        "#]],
    );
    rows(
        "00:00 1 1 1 1 2",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-CONFLICT Content one row 2 volume
              found: 2 after 1, both at 2024-01-01T00:00:00Z
              expected: one row per time
              hint: decide which of the rows is true and remove the other
            A one: 1 rows 00:00..00:00
        "#]],
    );
    rows(
        "00:00:30 1",
        expect![[r#"
            00:01 A 1 1 1 1 x1
            DATA-INTERVAL Content one row 2 time
              found: 2024-01-01T00:00:30Z after 2024-01-01T00:00:00Z
              expected: rows 1m apart
              hint: interval (or time_unit) is probably wrong for this file
            A one: 1 rows 00:00..00:00
        "#]],
    );
}

#[test]
fn frames_before_a_fault_are_delivered() {
    check(
        "run frame=2m
         series A
         file one
         00:00 1
         00:01 2
         00:02 0
         series B
         file two
         00:00 1
         00:01 2
         00:02 3
         00:03 4",
        expect![[r#"
            00:02 A 1 2 1 2 x2 B 1 2 1 2 x2
            DATA-PRICE Content one row 3 open
              found: 0
              expected: a finite price above zero
              hint: correct or remove the row at its source
            A one: 2 rows 00:00..00:01
            B two: 2 rows 00:00..00:01
        "#]],
    );
}
