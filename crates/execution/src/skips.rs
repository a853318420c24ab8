//! Skips: which orders are not executed because one before them failed (07 §9.3).

use model::delta::OperationId;
use model::interface::Submission;
use model::order::StrategyIx;
use model::time::UtcMillis;

use crate::outcome::{RunStop, intent_group_of, origin_of};
use crate::profile::FailedOrderPolicy;

/// What is skipped at present, by the policy on orders that fail.
#[derive(Clone, Debug)]
pub struct Skips {
    policy: FailedOrderPolicy,
    /// The present frame, or the present list of a live run.
    ts: Option<UtcMillis>,
    what: What,
    /// Steps of sequences that failed in this frame: the later ones of their groups are skipped.
    steps: Vec<(StrategyIx, UtcMillis, u16)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum What {
    #[default]
    Nothing,
    /// What a strategy asked for at one instant.
    Group(StrategyIx, UtcMillis),
    /// The rest of the frame.
    Frame,
    /// Everything from now on.
    Rest,
}

impl Skips {
    /// Nothing is skipped yet.
    pub const fn new(policy: FailedOrderPolicy) -> Self {
        Self { policy, ts: None, what: What::Nothing, steps: Vec::new() }
    }

    /// A frame begins, unless it has begun already; says whether it does.
    pub fn begin(&mut self, ts: UtcMillis) -> bool {
        if self.ts == Some(ts) {
            return false;
        }
        self.ts = Some(ts);
        self.steps.clear();
        if self.what != What::Rest {
            self.what = What::Nothing;
        }
        true
    }

    /// Whether an order is skipped.
    pub fn includes(&self, submission: &Submission) -> bool {
        if !self.steps.is_empty() && self.builds_on_failure(submission) {
            return true;
        }
        match self.what {
            What::Nothing => false,
            What::Group(strategy, decided) => intent_group_of(submission) == (strategy, decided),
            What::Frame | What::Rest => true,
        }
    }

    /// An order was refused or failed: a step of a sequence takes the later ones with it (08 §10.2).
    pub fn after_refusal(&mut self, submission: &Submission) {
        if let Some(step) = origin_of(submission).step() {
            let (strategy, decided) = intent_group_of(submission);
            self.steps.push((strategy, decided, step));
        }
    }

    fn builds_on_failure(&self, submission: &Submission) -> bool {
        let group = intent_group_of(submission);
        origin_of(submission).step().is_some_and(|step| {
            let mut failed = self.steps.iter();
            failed.any(|(strategy, decided, at)| (*strategy, *decided) == group && *at < step)
        })
    }

    /// Whether everything is skipped: the run ends after this frame.
    pub fn are_final(&self) -> bool {
        self.what == What::Rest
    }

    /// The run ends.
    pub const fn stop(&mut self) {
        self.what = What::Rest;
    }

    /// Follows the policy after an operation that failed; without a submission, a venue began it.
    pub fn after_failure(
        &mut self,
        op_id: OperationId,
        submission: Option<&Submission>,
    ) -> Option<RunStop> {
        match self.policy {
            FailedOrderPolicy::Continue => {}
            FailedOrderPolicy::AbortTimestep => self.what = What::Frame,
            FailedOrderPolicy::SkipGroup => {
                // What a venue does on its own belongs to no group.
                if let Some((strategy, decided)) = submission.map(intent_group_of) {
                    self.what = What::Group(strategy, decided);
                }
            }
            FailedOrderPolicy::AbortRun => {
                self.what = What::Rest;
                return Some(RunStop::OrderFailed { op_id });
            }
        }
        None
    }
}
