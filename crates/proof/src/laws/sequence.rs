//! The law of sequence.

use model::time::UtcMillis;
use store::audit::Kind;
use store::audit::reading::Event;

use super::{Law, Tally};

/// The event before, its tick, and the frame before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sequence {
    seq: u64,
    ts: Option<UtcMillis>,
    frame: Option<UtcMillis>,
}

impl Sequence {
    pub(super) fn check(&mut self, event: &Event<'_>, tally: &mut Tally) {
        let Some(first) = event.first() else {
            let text = || "no stream has a record of this number".to_owned();
            return tally.check(Law::Sequence, event, false, text);
        };
        let ts = first.ts();
        let follows = event.seq.checked_sub(1) == Some(self.seq);
        let last = self.seq;
        tally.check(Law::Sequence, event, follows, || format!("follows event {last}"));
        self.seq = event.seq;
        if self.ts.is_some_and(|last| ts < last) {
            tally.check(Law::Sequence, event, false, || "is before the event before it".to_owned());
        }
        self.ts = Some(ts);
        if let Some(cause) = first.cause_seq()
            && cause >= event.seq
        {
            tally.check(Law::Sequence, event, false, || format!("was caused by event {cause}"));
        }
        if first.kind() == Kind::Frame {
            let is_later = self.frame.is_none_or(|last| ts > last);
            tally.check(Law::Sequence, event, is_later, || "is no later frame".to_owned());
            self.frame = Some(ts);
        }
    }
}
