//! Operations that are no trades, between their acceptance and the next open.

use std::collections::VecDeque;
use std::sync::Arc;

use model::interface::Submission;
use model::operation::OperationOrder;
use model::time::UtcMillis;

/// Accepted operations, first in, first out, each with its place among the orders of the exchanges.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    queue: VecDeque<(u64, Arc<OperationOrder>)>,
    /// Those of emergency plans, which wait for nothing.
    emergency: VecDeque<(u64, Arc<OperationOrder>)>,
}

impl Operations {
    /// Appends an operation that was accepted after the order at `seq`.
    pub(crate) fn push(&mut self, seq: u64, operation: Arc<OperationOrder>) {
        let is_emergency = operation.request.origin.is_emergency();
        let queue = if is_emergency { &mut self.emergency } else { &mut self.queue };
        queue.push_back((seq, operation));
    }

    /// Whether none waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.emergency.is_empty()
    }

    /// The next operation or atomic group that is eligible at `ts` and was accepted before the order
    /// at `seq`; those of emergency plans come first, whatever the order.
    pub(crate) fn next_before(&mut self, seq: u64, ts: UtcMillis) -> Option<Submission> {
        take(&mut self.emergency, |_| true, ts)
            .or_else(|| take(&mut self.queue, |after| after < seq, ts))
    }
}

fn take(
    queue: &mut VecDeque<(u64, Arc<OperationOrder>)>,
    is_before: impl Fn(u64) -> bool,
    ts: UtcMillis,
) -> Option<Submission> {
    let is_due = |(after, operation): &(u64, Arc<OperationOrder>)| {
        is_before(*after) && operation.ts_eligible <= ts
    };
    let (_, first) = queue.front().filter(|due| is_due(due))?;
    let Some(slot) = first.request.atomic else {
        return queue.pop_front().map(|(_, operation)| Submission::Operation(operation));
    };
    let of_group = |operation: &OperationOrder| {
        operation.request.atomic.is_some_and(|other| other.group == slot.group)
    };
    let mut members: Vec<Arc<OperationOrder>> = Vec::new();
    queue.retain(|(_, operation)| {
        let is_member = of_group(operation);
        if is_member {
            members.push(Arc::clone(operation));
        }
        !is_member
    });
    members.sort_by_key(|member| member.request.atomic.map(|slot| slot.sequence));
    Some(Submission::Group(members.into()))
}
