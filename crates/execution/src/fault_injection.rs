//! Fault injection: a failure that a script asks for, at the nth call of a component, and mistakes in
//! what is applied.

use std::fmt;
use std::rc::Rc;

use model::handshake::Handshake;
use model::operation::Operation;

use crate::failure::Component;

/// One failure that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultPoint {
    /// Where.
    pub component: Component,
    /// At which operation; all of them without one.
    pub operation: Option<Operation>,
    /// At which of its calls, from 1.
    pub nth_call: u32,
}

/// A mistake in what a venue says, or in one of both books: for tests of whoever has to find it.
#[derive(Clone)]
pub struct Slip {
    /// At which handshake, from 1: of those with deltas, or of the answers to submissions.
    pub nth: u32,
    /// What is wrong with it from then on; a venue's mistake is made in its books instead.
    pub make: Rc<dyn Fn(&mut Handshake)>,
}

impl fmt::Debug for Slip {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Slip").field("nth", &self.nth).finish_non_exhaustive()
    }
}

/// Failures that are asked for, each once. An empty script costs nothing.
#[derive(Clone, Debug, Default)]
pub struct FaultScript {
    /// Each with its calls so far.
    points: Vec<(FaultPoint, u32)>,
    slips: Slips,
    answers: Slips,
}

/// Mistakes with the handshakes of their kind so far, which are counted only while there are any.
#[derive(Clone, Debug, Default)]
struct Slips {
    list: Vec<Slip>,
    seen: u32,
}

/// A failure that a script asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("injected at call {} of {}", .0.nth_call, .0.component.name())]
pub struct InjectedFault(pub FaultPoint);

impl FaultScript {
    /// A script of failures.
    pub fn new(points: impl IntoIterator<Item = FaultPoint>) -> Self {
        let points = points.into_iter().map(|point| (point, 0)).collect();
        Self { points, ..Self::default() }
    }

    /// The same with a mistake between a venue's report and what we apply of it.
    #[must_use]
    pub fn with_slip(mut self, slip: Slip) -> Self {
        self.slips.list.push(slip);
        self
    }

    /// The same with a venue that answers a submission otherwise than it would.
    #[must_use]
    pub fn with_answer(mut self, slip: Slip) -> Self {
        self.answers.list.push(slip);
        self
    }

    /// Makes the mistakes that are due in what is about to be applied.
    pub fn slip(&mut self, handshake: &mut Handshake) {
        self.slips.make(handshake);
    }

    /// Makes the mistakes that are due in what a venue answers to a submission.
    pub fn answer(&mut self, handshake: &mut Handshake) {
        self.answers.make(handshake);
    }

    /// Counts a call of a component and says whether it has to fail.
    ///
    /// # Errors
    ///
    /// It has to.
    pub fn call(
        &mut self,
        component: Component,
        operation: Option<Operation>,
    ) -> Result<(), InjectedFault> {
        let mut struck = None;
        for (point, calls) in &mut self.points {
            let is_meant = point.component == component
                && (point.operation.is_none() || point.operation == operation);
            if is_meant {
                *calls += 1;
                if *calls == point.nth_call {
                    struck = Some(InjectedFault(*point));
                }
            }
        }
        struck.map_or(Ok(()), Err)
    }
}

impl Slips {
    fn make(&mut self, handshake: &mut Handshake) {
        if self.list.is_empty() {
            return;
        }
        self.seen += 1;
        for slip in self.list.iter().filter(|slip| slip.nth == self.seen) {
            (slip.make)(handshake);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_at_its_call_and_never_again() {
        let supply = Some(Operation::Supply);
        let point = FaultPoint { component: Component::Execute, operation: supply, nth_call: 2 };
        let mut script = FaultScript::new([point]);
        assert!(script.call(Component::Execute, supply).is_ok());
        assert!(script.call(Component::Execute, Some(Operation::Borrow)).is_ok());
        assert!(script.call(Component::Route, supply).is_ok());
        assert_eq!(script.call(Component::Execute, supply), Err(InjectedFault(point)));
        assert!(script.call(Component::Execute, supply).is_ok());
    }
}
