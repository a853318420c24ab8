//! The narrator: tells the bus what happens in tight loops.

use std::sync::Arc;

use engine::delivery::Outbox;
use model::delta::Subject;
use model::event::Payload;
use model::order::OrderUpdate;
use model::tight_loop::{LoopRecord, WalRecord};

use crate::failure::{Incident, SystemFailure};
use crate::ports::LoopObserver;

/// Publishes loops, fills and news of orders in the order in which they happen.
#[derive(Debug)]
pub(crate) struct Narrator<'a> {
    pub(crate) outbox: &'a mut Outbox,
    pub(crate) counts: &'a mut Counts,
}

/// What has been executed so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) fills: i64,
    pub(crate) reconciliations: i64,
    pub(crate) liquidations: i64,
    /// Whether there was one that nobody has reacted to.
    is_liquidated: bool,
}

impl Counts {
    /// Whether a venue has liquidated since that was last reacted to.
    pub(crate) const fn has_liquidated(&self) -> bool {
        self.is_liquidated
    }

    /// Whether a venue has liquidated since this was asked last.
    pub(crate) const fn take_liquidated(&mut self) -> bool {
        std::mem::replace(&mut self.is_liquidated, false)
    }
}

impl LoopObserver for Narrator<'_> {
    /// A loop is published whole when it is over, with all the stages it went through: within one
    /// handler nothing can come between them.
    fn record(&mut self, _record: WalRecord<'_>) {}

    fn update(&mut self, update: Arc<OrderUpdate>) {
        self.outbox.publish(Payload::OrderUpdate(update));
    }

    fn finished(&mut self, record: &LoopRecord) {
        if record.attempts.compare > 0 {
            self.counts.reconciliations += 1;
        }
        if record.applied && matches!(record.op_id.subject, Subject::Liquidation { .. }) {
            self.counts.liquidations += 1;
            self.counts.is_liquidated = true;
        }
        let fill = record.handshake.as_ref().and_then(|handshake| handshake.fill.clone());
        self.outbox.publish(Payload::TightLoop(Arc::new(record.clone())));
        if let Some(fill) = fill.filter(|_| record.applied) {
            self.counts.fills += 1;
            self.outbox.publish(Payload::Fill(fill));
        }
    }

    fn incident(&mut self, _incident: Incident) {}

    fn failed(&mut self, _failure: &SystemFailure) {}
}
