//! Courses: who decides a frame, the strategy, an open sequence or the emergency plan (D79).

use model::ladder::RiskLevel;
use model::risk::RiskType;
use model::snapshot::AccountSnapshot;
use model::strategy::{Decision, OrderDesk, Pattern};

use super::sequence::{OpenSequence, Progress};

/// Who decides a frame.
#[derive(Debug)]
pub(super) enum Course {
    /// Pattern 1: the strategy is called.
    Strategy,
    /// Pattern 2: the sequence has decided.
    Sequence(Decision),
    /// The emergency plan, in place of both.
    Emergency,
}

/// Decides who decides, and lets an open sequence go on or end.
///
/// Risk comes first (06 §8.0): a latched breaker, then reduce-only on an enabled type. The delta does
/// not count while a sequence is open: its legs are off balance on purpose (D64).
pub(super) fn course(
    sequence: &mut Option<Box<OpenSequence>>,
    account: &AccountSnapshot,
    desk: &mut OrderDesk<'_>,
) -> Course {
    let risk = &account.chain.risk;
    let Some(open) = sequence else {
        return if risk.breaker { Course::Emergency } else { Course::Strategy };
    };
    let (progress, course) = if risk.breaker {
        open.cancel(desk);
        (Progress::Aborted, Course::Emergency)
    } else if risk.worst(risk.enabled.without(RiskType::DeltaRisk)) >= RiskLevel::ReduceOnly {
        open.cancel(desk);
        (Progress::Aborted, Course::Strategy)
    } else {
        match open.advance(desk) {
            progress @ Progress::Waits => (progress, bypass(Decision::hold("sequence: waits"))),
            progress @ Progress::Sent => (progress, bypass(Decision::trade("sequence: next step"))),
            progress @ (Progress::Complete | Progress::Aborted) => (progress, Course::Strategy),
            progress @ Progress::Emergency => (progress, Course::Emergency),
        }
    };
    if !matches!(progress, Progress::Waits | Progress::Sent) {
        *sequence = None;
    }
    course
}

fn bypass(decision: Decision) -> Course {
    Course::Sequence(decision.by(Pattern::Bypass))
}
