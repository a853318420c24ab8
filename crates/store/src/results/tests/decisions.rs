//! Which decisions have a row.

use expect_test::expect;
use model::strategy::{Action, Pattern};

use super::tables;
use crate::audit::fixtures::minute;
use crate::audit::records::Records;

/// Decisions of the first strategy (`publisher` 2): its minute, whether it trades, and why.
fn commit(decisions: &[(i64, bool, &str)]) -> Records {
    let mut records = Records::default();
    for (ts, is_trade, reason) in decisions {
        let columns = &mut records.decisions;
        columns.ts.push(minute(*ts).millis());
        columns.publisher.push(2);
        columns.actions.push(if *is_trade { Action::Trade } else { Action::Hold });
        columns.patterns.push(Pattern::Strategy);
        columns.reasons.push_str(reason);
        columns.reason_ends.push(i32::try_from(columns.reasons.len()).unwrap());
    }
    records
}

fn rows(every_frame: bool) -> String {
    let commits = vec![
        commit(&[
            (1, false, "wait"),
            (2, false, "wait"),
            (3, true, "crossed"),
            (4, true, "crossed"),
        ]),
        commit(&[(5, false, ""), (6, false, ""), (1_440, false, ""), (1_441, false, "")]),
        commit(&[(1_442, false, "")]),
    ];
    tables(commits, every_frame, [("decisions.parquet", &[])]).1.concat()
}

#[test]
fn a_decision_has_a_row_if_it_trades_or_says_why_anew_and_once_a_day() {
    expect![[r"
        ts   strategy_id action pattern reason
        1    s           hold   1       wait
        3    s           trade  1       crossed
        4    s           trade  1       crossed
        5    s           hold   1
        1440 s           hold   1
        1442 s           hold   1
    "]]
    .assert_eq(&rows(false));
    assert_eq!(rows(true).lines().count(), 1 + 9);
}
