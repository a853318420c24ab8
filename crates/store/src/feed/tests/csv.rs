//! CSV files: columns, times, and lines that are no rows.

use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::files::{minutes, write_text};
use super::scenario::tell_series;
use crate::candles::{DataError, SeriesSpec, TimeLabel, TimeUnit, inspect};

fn csv(text: &str, expected: Expect) {
    csv_with(text, |_| {}, expected);
}

#[expect(clippy::needless_pass_by_value, reason = "a reference at every call would say nothing")]
fn csv_with(text: &str, set: impl Fn(&mut SeriesSpec), expected: Expect) {
    let folder = TempDir::new().unwrap();
    let path = write_text(&folder.path().join("one.csv"), &text.replace("\n        ", "\n"));
    let mut spec = minutes("A", 0, vec![path]);
    set(&mut spec);
    expected.assert_eq(&tell_series(&spec));
}

#[test]
fn csv_columns_go_by_their_usual_names() {
    csv(
        "Close,Low,Open,High,Vol,OPEN TIME\n2,1,1,2,5,2024-01-01 00:01",
        expect![[r#"
            1 rows, 2024-01-01T00:01:00Z to 2024-01-01T00:01:00Z
        "#]],
    );
    csv(
        ",Open,High,Low,Close,Volume\n2024-01-01,1,2,1,2,5",
        expect![[r#"
            1 rows, 2024-01-01T00:00:00Z to 2024-01-01T00:00:00Z
        "#]],
    );
    csv(
        "\u{feff}date,o,h,l,c,v\n2024-01-01 00:00:00+00:00,1,2,1,2,5",
        expect![[r#"
            1 rows, 2024-01-01T00:00:00Z to 2024-01-01T00:00:00Z
        "#]],
    );
    csv_with(
        "open_time,close_time,open,high,low,close,volume\n2024-01-01,2024-01-01 00:01,1,1,1,1,1",
        |spec| spec.label = TimeLabel::Close,
        expect![[r#"
            1 rows, 2024-01-01T00:01:00Z to 2024-01-01T00:01:00Z
        "#]],
    );
}

#[test]
fn csv_columns_go_by_the_names_that_the_run_file_states() {
    csv_with(
        "ts,t2,open,high,low,close,volume,traded\n2023-01-01,2024-01-01,1,1,1,1,x,2",
        |spec| {
            spec.columns.time = Some("T2".to_owned());
            spec.columns.volume = Some("traded".to_owned());
        },
        expect![[r#"
            1 rows, 2024-01-01T00:00:00Z to 2024-01-01T00:00:00Z
        "#]],
    );
    csv_with(
        "ts,open,high,low,close,volume\n2023-01-01,1,1,1,1,2",
        |spec| spec.columns.volume = Some("volum".to_owned()),
        expect![[r#"
            0 rows, - to -
            DATA-COLUMN Content one volume
              found: the columns ts, open, high, low, close, volume
              expected: a column `volum`
              hint: columns = { volume = "volume" } if that is the one
        "#]],
    );
}

#[test]
fn csv_without_a_column_or_a_header() {
    csv(
        "ts,open,high,low,close\n2024-01-01,1,1,1,1",
        expect![[r#"
            0 rows, - to -
            DATA-COLUMN Content one volume
              found: the columns ts, open, high, low, close
              expected: a column `volume`
              hint: columns = { volume = "…" } names it
        "#]],
    );
    csv(
        "ts,open,high,low,clsoe,volume\n2024-01-01,1,1,1,1,1",
        expect![[r#"
            0 rows, - to -
            DATA-COLUMN Content one close
              found: the columns ts, open, high, low, clsoe, volume
              expected: a column `close`
              hint: columns = { close = "clsoe" } if that is the one
        "#]],
    );
    csv(
        "1704067200000,1,1,1,1,1\n1704067260000,1,1,1,1,1",
        expect![[r#"
            0 rows, - to -
            DATA-COLUMN Content one time
              found: the columns 1704067200000, 1, 1, 1, 1, 1
              expected: a column `time`
              hint: the first line must name the columns
        "#]],
    );
    csv(
        "",
        expect![[r#"
            0 rows, - to -
            DATA-EMPTY Content one
              found: no rows
              expected: at least one row
        "#]],
    );
}

#[test]
fn csv_times_are_calendar_times_or_integers_of_a_stated_unit() {
    let rows = "ts,open,high,low,close,volume\n1704067200,1,1,1,1,1\n1704067260,1,1,1,1,1";
    csv(
        rows,
        expect![[r#"
            2 rows, - to -
            line 2: DATA-UNIT Content one row 1 time
              found: the integer 1704067200
              expected: a calendar time, or a stated unit
              hint: set time_unit = "ms" (or s, us, ns) for this file
            line 3: DATA-UNIT Content one row 2 time
              found: the integer 1704067260
              expected: a calendar time, or a stated unit
              hint: set time_unit = "ms" (or s, us, ns) for this file
        "#]],
    );
    csv_with(
        rows,
        |spec| spec.time_unit = Some(TimeUnit::S),
        expect![[r#"
            2 rows, 2024-01-01T00:00:00Z to 2024-01-01T00:01:00Z
        "#]],
    );
    csv_with(
        rows,
        |spec| spec.time_unit = Some(TimeUnit::Ms),
        expect![[r#"
            2 rows, 1970-01-20T17:21:07.200Z to 1970-01-20T17:21:07.260Z
            line 3: DATA-INTERVAL Content one row 2 time
              found: 1970-01-20T17:21:07.260Z after 1970-01-20T17:21:07.200Z
              expected: rows 1m apart
              hint: interval (or time_unit) is probably wrong for this file
        "#]],
    );
    let rows = "ts,open,high,low,close,volume\n1704067200000000,1,1,1,1,1";
    csv_with(
        rows,
        |spec| spec.time_unit = Some(TimeUnit::Us),
        expect![[r#"
            1 rows, 2024-01-01T00:00:00Z to 2024-01-01T00:00:00Z
        "#]],
    );
    csv_with(
        rows,
        |spec| spec.time_unit = Some(TimeUnit::S),
        expect![[r#"
            1 rows, - to -
            line 2: DATA-TIME Content one row 1 time
              found: 1704067200000000000 ms since 1970
              expected: a time in the years 1 to 9999
              hint: time_unit is probably wrong for this file
        "#]],
    );
    csv(
        "ts,open,high,low,close,volume\nyesterday,1,1,1,1,1",
        expect![[r#"
            1 rows, - to -
            line 2: DATA-VALUE Content one row 1 time
              found: `yesterday`
              expected: a time such as 2024-01-31T12:00:00Z
              hint: correct or remove the row at its source
        "#]],
    );
}

#[test]
fn csv_cells_that_are_no_numbers_and_lines_that_are_no_rows() {
    csv(
        "ts,open,high,low,close,volume

        2024-01-01,1,1,1,1,1
        2024-01-01 00:01,1,\"1,5\",1,1,NA

        2024-01-01 00:02,1,1,1,0,1
        2024-01-01 00:03,1,1,1,1",
        expect![[r#"
            3 rows, 2024-01-01T00:00:00Z to 2024-01-01T00:02:00Z
            line 4: DATA-VALUE Content one row 2 high
              found: `1,5`
              expected: a number
              hint: correct or remove the row at its source
            line 4: DATA-NULL Content one row 2 volume
              found: no value
              expected: a volume
              hint: correct or remove the row at its source
            line 6: DATA-PRICE Content one row 3 close
              found: 0
              expected: a finite price above zero
              hint: correct or remove the row at its source
            line 7: DATA-FORMAT Content one
              expected: as many cells in each line as in the header
        "#]],
    );
}

#[test]
fn csv_lines_are_counted_as_an_editor_does() {
    let lines = |text: &str| -> Vec<u64> {
        let folder = TempDir::new().unwrap();
        let path = write_text(&folder.path().join("one.csv"), text);
        let faults = inspect(&minutes("A", 0, vec![path])).faults;
        faults.iter().filter_map(DataError::line).collect()
    };
    let text = "ts,open,high,low,close,volume\n,1,1,1,1,1\n\n\n,1,1,1,1,1\n,1,1,1,1,1";
    assert_eq!(lines(text), [2, 5, 6]);
    assert_eq!(lines(&format!("{text}\n")), [2, 5, 6]);
    assert_eq!(lines(&text.replace('\n', "\r\n")), [2, 5, 6]);
    let ragged = format!("{text}\n1,1\n");
    assert_eq!(lines(&ragged), [2, 5, 6, 7]);
    assert_eq!(lines(&ragged.replace('\n', "\r\n")), [2, 5, 6, 7]);
}

#[test]
fn csv_rows_do_not_hide_in_a_cell() {
    let lines = |text: &str| -> Vec<Option<u64>> {
        let folder = TempDir::new().unwrap();
        let path = write_text(&folder.path().join("one.csv"), text);
        let faults = inspect(&minutes("A", 0, vec![path])).faults;
        faults
            .iter()
            .map(|fault| {
                assert!(matches!(fault, DataError::LineBreak { .. }), "{fault}");
                fault.line()
            })
            .collect()
    };
    let head = "ts,open,high,low,close,volume,note\n2024-01-01 00:00,1,1,1,1,1,\n";
    for rest in [
        "2024-01-01 00:01,1,1,1,1,1,\"x\n2024-01-01 00:02,1,1,1,1,1,\n",
        "2024-01-01 00:01,1,1,1,1,1,\"x\n2024-01-01 00:02,1,1,1,1,1,",
        "2024-01-01 00:01,1,1,1,1,1,\"x\ny\"\n2024-01-01 00:02,1,1,1,1,1,\n",
    ] {
        let text = format!("{head}{rest}");
        assert_eq!(lines(&text), [Some(3)]);
        assert_eq!(lines(&text.replace('\n', "\r\n")), [Some(3)]);
    }
}

#[test]
fn csv_columns_of_one_name_are_refused() {
    let faults = |text: &str| -> Vec<String> {
        let folder = TempDir::new().unwrap();
        let path = write_text(&folder.path().join("one.csv"), text);
        let faults = inspect(&minutes("A", 0, vec![path])).faults;
        faults
            .iter()
            .map(|fault| format!("{} {}", fault.code(), fault.expected().unwrap()))
            .collect()
    };
    let twice = "ts,open,open,high,low,close,volume\n2024-01-01,1,2,2,1,1,1\n";
    assert_eq!(faults(twice), ["DATA-COLUMN one column `open`"]);
    let ignored = "ts,open,high,low,close,volume,x,x\n2024-01-01,1,1,1,1,1,7,8\n";
    assert_eq!(faults(ignored), Vec::<String>::new());
}

#[test]
fn csv_volumes_beyond_the_bound_are_refused() {
    let folder = TempDir::new().unwrap();
    let text = "ts,open,high,low,close,volume\n2024-01-01 00:00,1,1,1,1,1e15\n2024-01-01 00:01,1,1,1,1,1e300\n";
    let path = write_text(&folder.path().join("one.csv"), text);
    let faults = inspect(&minutes("A", 0, vec![path])).faults;
    let [fault] = faults.as_slice() else { panic!("{faults:?}") };
    assert_eq!((fault.code(), fault.line()), ("DATA-VOLUME", Some(3)));
    assert_eq!(fault.expected().as_deref(), Some("a volume of up to 1e15"));
}

#[test]
fn csv_headers_of_another_kind_get_a_hint() {
    let hint = |text: &[u8]| -> Option<String> {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("one.csv");
        std::fs::write(&path, text).unwrap();
        inspect(&minutes("A", 0, vec![path])).faults[0].hint()
    };
    let semicolons = hint(b"ts;open;high;low;close;volume\n2024-01-01;1;1;1;1;1\n");
    assert_eq!(semicolons.as_deref(), Some("columns are separated by commas, not by semicolons"));
    let utf16 = hint(b"\xff\xfet\0s\0,\0o\0\n\0");
    assert_eq!(utf16.as_deref(), Some("the file is not UTF-8 text: save it as UTF-8"));
}
