//! Instruction sequences: steps that take several frames, with the strategy bypassed meanwhile.

use crate::operation::OperationRequest;
use crate::order::OrderRequest;

/// Frames that a step may take by default (08 §10.2).
pub const STEP_TIMEOUT: u32 = 24;

/// Steps that follow one another, each once what the one before it waits for has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstructionSequence {
    /// In the order in which they are carried out.
    pub steps: Vec<SequenceStep>,
}

/// One step of a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequenceStep {
    /// What is asked for, in this order.
    pub orders: Vec<StepOrder>,
    /// When the next step may follow.
    pub wait: StepWait,
    /// Frames after the one that sent the step, in which it must be over.
    pub timeout: u32,
    /// What follows when one of its orders is refused or ends unfilled, or its time is up.
    pub on_fail: OnFail,
}

/// One order of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepOrder {
    /// A trade.
    Submit(OrderRequest),
    /// An operation that is no trade.
    Operate(OperationRequest),
}

/// What a step waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StepWait {
    /// All of its orders are filled; operations are done.
    #[default]
    Filled,
    /// Everything that its operations have put on its way has arrived.
    Arrived,
    /// The same, said of claims.
    Matured,
    /// Nothing: the next step goes out in the same intent group, and is skipped if this one fails in
    /// the same frame. As the last step it is over in the next frame.
    Nothing,
}

/// What follows on a step that fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnFail {
    /// The sequence is given up, and its resting orders are canceled.
    #[default]
    AbortSequence,
    /// What is left of the orders that ended is sent once more; what rests or is on its way gets the
    /// same time again. When the step fails again, the sequence is given up.
    RetryStep,
    /// The sequence is given up, and the emergency plan is run once.
    Emergency,
}

impl InstructionSequence {
    /// A sequence without steps.
    pub const fn new() -> Self {
        Self { steps: Vec::new() }
    }

    /// With one more step.
    #[must_use]
    pub fn then(mut self, step: SequenceStep) -> Self {
        self.steps.push(step);
        self
    }
}

impl SequenceStep {
    /// A step that waits for `wait`, with the default time and nothing asked for yet.
    pub const fn until(wait: StepWait) -> Self {
        let on_fail = OnFail::AbortSequence;
        Self { orders: Vec::new(), wait, timeout: STEP_TIMEOUT, on_fail }
    }

    /// With one more trade.
    #[must_use]
    pub fn submit(mut self, request: OrderRequest) -> Self {
        self.orders.push(StepOrder::Submit(request));
        self
    }

    /// With one more operation.
    #[must_use]
    pub fn operate(mut self, request: OperationRequest) -> Self {
        self.orders.push(StepOrder::Operate(request));
        self
    }

    /// With another number of frames.
    #[must_use]
    pub const fn within(mut self, frames: u32) -> Self {
        self.timeout = frames;
        self
    }

    /// With something else to follow on a failure.
    #[must_use]
    pub const fn on_fail(mut self, on_fail: OnFail) -> Self {
        self.on_fail = on_fail;
        self
    }
}
