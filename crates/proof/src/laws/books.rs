//! The laws of both books: compared after every change, and no change made twice.

use std::collections::HashSet;

use store::audit::Kind;
use store::audit::reading::Event;

use super::{Law, Tally};

/// Checks that a loop that changed our books compared them, and found them equal.
pub(super) fn compared(event: &Event<'_>, tally: &mut Tally) {
    let Some(record) = event.first() else { return };
    let has_changed = event.attached(Kind::Delta).next().is_some();
    let compares = record.count("compares").unwrap_or(0);
    let mismatches = record.count("mismatches").unwrap_or(0);
    let op_id = || record.text("op_id");
    if has_changed {
        let is_compared = compares > 0 && record.count("compared").unwrap_or(0) > 0;
        tally.check(Law::Books, event, is_compared, || {
            format!("{} changed the books, which were not compared", op_id())
        });
    }
    let told = event.attached(Kind::Mismatch).count() as u64;
    tally.check(Law::Books, event, told == mismatches, || {
        format!("{}: {mismatches} mismatches, of which {told} are told", op_id())
    });
    let is_stopped = record.text("end") == "system_failure";
    tally.check(Law::Books, event, mismatches == 0 || is_stopped, || {
        let each = event.attached(Kind::Mismatch).map(|it| {
            let value = |name| it.amount(name).unwrap_or_default();
            let (ours, real) = (value("simulated"), value("real"));
            format!("{}: ours {ours}, the venue's {real}", it.text("position_key"))
        });
        format!("{} went on although the books differ: {}", op_id(), join(each))
    });
}

fn join(each: impl Iterator<Item = String>) -> String {
    each.collect::<Vec<_>>().join("; ")
}

/// Names of the operations that have changed the books.
#[derive(Clone, Debug, Default)]
pub(super) struct Once {
    seen: HashSet<String>,
}

impl Once {
    pub(super) fn check(&mut self, event: &Event<'_>, tally: &mut Tally) {
        let Some(delta) = event.attached(Kind::Delta).next() else { return };
        let op_id = delta.text("op_id");
        let is_new = !self.seen.contains(op_id);
        if is_new {
            self.seen.insert(op_id.to_owned());
        }
        tally.check(Law::Once, event, is_new, || format!("{op_id} has changed the books before"));
    }
}
