//! An open instruction sequence: what has been sent, what has become of it, and what follows.

use std::collections::BTreeMap;

use model::delta::{Arrival, Subject};
use model::instrument::KeyIx;
use model::money::Quantity;
use model::order::{OrderId, OrderStatus, OrderUpdate, Origin, Size, Verdict, VerdictGroup};
use model::settlement::{Settlement, SettlementKind};
use model::strategy::{InstructionSequence, OnFail, OrderDesk, SequenceStep, StepOrder, StepWait};
use model::tight_loop::LoopRecord;

/// A sequence that has begun and not ended.
#[derive(Debug)]
pub(super) struct OpenSequence {
    steps: Vec<SequenceStep>,
    /// The steps that went out last, in one intent group.
    group: std::ops::Range<usize>,
    /// Frames since then.
    age: u32,
    has_retried: bool,
    /// Whether an emergency plan has asked for it.
    is_emergency: bool,
    sent: Vec<Sent>,
    awaited: Vec<Awaited>,
}

/// An order of a step.
#[derive(Debug)]
struct Sent {
    step: usize,
    order: StepOrder,
    order_id: OrderId,
    status: OrderStatus,
    order_qty: Option<Quantity>,
    cum_qty: Quantity,
    /// Whether it was sent once more in its stead.
    is_replaced: bool,
}

/// What is on its way to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Awaited {
    step: usize,
    key: KeyIx,
    arrival: Arrival,
    has_come: bool,
}

/// What a frame means for a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Its present step goes on.
    Waits,
    /// The next steps have been sent, or a failed one once more.
    Sent,
    /// All steps are over.
    Complete,
    /// A step has failed: it is given up.
    Aborted,
    /// A step has failed, and the emergency plan follows.
    Emergency,
}

impl OpenSequence {
    /// Sends the first steps of a sequence; `None` if it has none.
    pub(super) fn begin(sequence: InstructionSequence, desk: &mut OrderDesk<'_>) -> Option<Self> {
        let mut open = Self {
            steps: sequence.steps,
            group: 0..0,
            age: 0,
            has_retried: false,
            is_emergency: desk.origin().is_emergency(),
            sent: Vec::new(),
            awaited: Vec::new(),
        };
        open.send_next(desk).then_some(open)
    }

    /// Looks at what has become of the present steps, and sends what follows. Once per frame.
    pub(super) fn advance(&mut self, desk: &mut OrderDesk<'_>) -> Progress {
        self.age += 1;
        if let Some(failed) = self.failed_step() {
            return self.after_failure(failed, desk);
        }
        if !self.group.clone().all(|step| self.is_over(step)) {
            return Progress::Waits;
        }
        if self.send_next(desk) { Progress::Sent } else { Progress::Complete }
    }

    /// Asks for the end of every order that has not ended.
    pub(super) fn cancel(&self, desk: &mut OrderDesk<'_>) {
        let is_trade = |sent: &&Sent| matches!(sent.order, StepOrder::Submit(_));
        let resting = self.sent.iter().filter(|sent| !sent.status.is_final());
        resting.filter(is_trade).for_each(|sent| desk.cancel(sent.order_id));
    }

    pub(super) fn on_update(&mut self, update: &OrderUpdate) {
        if let Some(sent) = self.sent.iter_mut().find(|sent| sent.order_id == update.order_id) {
            sent.status = update.status;
            sent.order_qty = update.order_qty.or(sent.order_qty);
            sent.cum_qty = update.cum_qty;
        }
    }

    pub(super) fn on_verdicts(&mut self, group: &VerdictGroup) {
        for verdict in &group.verdicts {
            let Verdict::Denied { order_id, .. } = verdict else { continue };
            if let Some(sent) = self.sent.iter_mut().find(|sent| sent.order_id == *order_id) {
                sent.status = OrderStatus::Denied;
            }
        }
    }

    /// A loop of an operation may say when and where something arrives.
    pub(super) fn on_loop(&mut self, record: &LoopRecord) {
        let Some(handshake) = record.handshake.as_ref().filter(|_| record.applied) else { return };
        let mut members = handshake.steps.iter().map(|member| member.order_id);
        let sent = self.sent.iter().find(|sent| match record.op_id.subject {
            Subject::Order(order_id) => sent.order_id == order_id,
            Subject::Group(_) => members.any(|member| member == sent.order_id),
            Subject::Initial | Subject::Settlement { .. } | Subject::Liquidation { .. } => false,
        });
        let Some(step) = sent.map(|sent| sent.step) else { return };
        let coming = handshake.deltas.iter().filter_map(|delta| {
            let arrival = delta.arrival?;
            Some(Awaited { step, key: delta.key, arrival, has_come: false })
        });
        self.awaited.extend(coming);
    }

    pub(super) fn on_settlement(&mut self, settlement: &Settlement) {
        if !matches!(settlement.kind, SettlementKind::Transit | SettlementKind::Claim) {
            return;
        }
        let Settlement { key, ts_event, paid_to, .. } = settlement;
        let arrival = Arrival { at: *ts_event, target: *paid_to };
        for awaited in &mut self.awaited {
            awaited.has_come |= awaited.key == *key && awaited.arrival == arrival;
        }
    }

    /// Sends the next steps up to the first that waits; says whether there are any.
    fn send_next(&mut self, desk: &mut OrderDesk<'_>) -> bool {
        let start = self.group.end;
        let waits = |step: &SequenceStep| step.wait != StepWait::Nothing;
        let length = self.steps[start..].iter().position(waits).map(|place| place + 1);
        let end = length.map_or(self.steps.len(), |length| start + length);
        for step in start..end {
            for order in self.steps[step].orders.clone() {
                self.send(step, order, desk);
            }
        }
        (self.group, self.age, self.has_retried) = (start..end, 0, false);
        start < end
    }

    fn send(&mut self, step: usize, order: StepOrder, desk: &mut OrderDesk<'_>) {
        let place = u16::try_from(step).expect("a sequence has fewer than 65,536 steps");
        let origin =
            if self.is_emergency { Origin::Emergency } else { Origin::Sequence { step: place } };
        desk.set_origin(origin);
        let order_id = match &order {
            StepOrder::Submit(request) => desk.submit(request.clone()),
            StepOrder::Operate(request) => desk.operate(request.clone()),
        };
        desk.set_origin(Origin::Strategy);
        self.sent.push(Sent {
            step,
            order,
            order_id,
            status: OrderStatus::Submitted,
            order_qty: None,
            cum_qty: Quantity::ZERO,
            is_replaced: false,
        });
    }

    /// Whether nothing holds up what follows a step.
    fn is_over(&self, step: usize) -> bool {
        let is_filled = || {
            let mut orders = self.sent.iter().filter(|sent| sent.step == step && !sent.is_replaced);
            orders.all(|sent| sent.status == OrderStatus::Filled)
        };
        let mut awaited = self.awaited.iter().filter(|awaited| awaited.step == step);
        match self.steps[step].wait {
            StepWait::Nothing => true,
            StepWait::Filled => is_filled(),
            StepWait::Arrived | StepWait::Matured => {
                is_filled() && awaited.all(|awaited| awaited.has_come)
            }
        }
    }

    /// The first step one of whose orders has ended unfilled, or whose time is up.
    fn failed_step(&self) -> Option<usize> {
        let has_failed = |sent: &&Sent| {
            !sent.is_replaced && sent.status.is_final() && sent.status != OrderStatus::Filled
        };
        let failed = self.sent.iter().filter(has_failed).map(|sent| sent.step).min();
        let is_late = |step: &usize| self.age >= self.steps[*step].timeout && !self.is_over(*step);
        failed.or_else(|| self.group.clone().find(is_late))
    }

    fn after_failure(&mut self, step: usize, desk: &mut OrderDesk<'_>) -> Progress {
        match self.steps[step].on_fail {
            OnFail::RetryStep if !self.has_retried => {
                (self.age, self.has_retried) = (0, true);
                if self.retry(desk) { Progress::Sent } else { Progress::Waits }
            }
            OnFail::RetryStep | OnFail::AbortSequence => {
                self.cancel(desk);
                Progress::Aborted
            }
            OnFail::Emergency => {
                self.cancel(desk);
                Progress::Emergency
            }
        }
    }

    /// Sends what is left of the orders that ended, those included that were skipped after them;
    /// says whether there are any.
    fn retry(&mut self, desk: &mut OrderDesk<'_>) -> bool {
        let mut again = Vec::new();
        for sent in &mut self.sent {
            let is_left = sent.status.is_final() && sent.status != OrderStatus::Filled;
            if is_left && !sent.is_replaced {
                sent.is_replaced = true;
                again.push((sent.step, sent.rest()));
            }
        }
        let is_any = !again.is_empty();
        // A group that was rolled back has used its name up.
        let mut groups = BTreeMap::new();
        for (step, mut order) in again {
            if let StepOrder::Operate(request) = &mut order
                && let Some(slot) = &mut request.atomic
            {
                slot.group = *groups.entry(slot.group).or_insert_with(|| desk.atomic_group());
            }
            self.send(step, order, desk);
        }
        is_any
    }
}

impl Sent {
    /// The same order for what it has not filled. It has no client id: that of the first is taken.
    fn rest(&self) -> StepOrder {
        let mut order = self.order.clone();
        if let StepOrder::Submit(request) = &mut order {
            request.client_order_id = None;
            if let Some(ordered) = self.order_qty.filter(|_| !self.cum_qty.is_zero()) {
                request.size = Size::Units(Quantity(ordered.0 - self.cum_qty.0));
            }
        }
        order
    }
}
