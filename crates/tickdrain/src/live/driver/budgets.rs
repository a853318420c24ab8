//! Budgets of time: what takes longer is told, and nothing else comes of it (07 §9.6).

use execution::failure::{Component, FailureClass, Incident};
use execution::ports::{LedgerPort, LoopObserver};
use execution::tight_loop::Action;
use model::delta::OperationId;
use model::tight_loop::Attempts;

use super::super::clock::Clock;
use super::super::wal::WalPort;
use super::LiveDriver;

/// The longest that parts of an order may take without an incident, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyBudgets {
    /// One call of a venue that executes, or that says what became of an order.
    pub execute_ms: i64,
    /// One query of what venues hold, with the comparison.
    pub reconcile_ms: i64,
    /// A whole order, if nothing of it was retried: the waits between attempts have a schedule.
    pub order_ms: i64,
}

impl LatencyBudgets {
    /// Real venues.
    pub const LIVE: Self = Self { execute_ms: 500, reconcile_ms: 200, order_ms: 800 };
}

impl<C: Clock, L: LedgerPort, W: WalPort, O: LoopObserver> LiveDriver<C, L, W, O> {
    /// Tells of a step that began at `began` and took longer than it may.
    pub(super) fn check_step(&mut self, action: Action, began: i64, op_id: OperationId) {
        let budgets = self.settings.budgets;
        match action {
            Action::Execute | Action::QueryStatus => {
                self.check("EXEC-SLOW", Component::Execute, op_id, (began, budgets.execute_ms));
            }
            Action::Compare => {
                self.check("REC-SLOW", Component::Reconcile, op_id, (began, budgets.reconcile_ms));
            }
            Action::Route
            | Action::TakeHandshake
            | Action::Apply
            | Action::RunChain
            | Action::Sleep { .. }
            | Action::Finish(_)
            | Action::Rest => {}
        }
    }

    /// Tells of an order that took longer than it may.
    pub(super) fn check_order(&mut self, attempts: Attempts, began: i64, op_id: OperationId) {
        let is_retried = attempts.execute + attempts.query_status > 1 || attempts.compare > 1;
        if !is_retried {
            let budget = (began, self.settings.budgets.order_ms);
            self.check("EXEC-SLOW-ORDER", Component::Execute, op_id, budget);
        }
    }

    /// Slowness is no error, so health does not suffer from it.
    fn check(
        &mut self,
        code: &'static str,
        component: Component,
        op_id: OperationId,
        (began, budget_ms): (i64, i64),
    ) {
        let ts = self.clock.now();
        if ts.millis() - began > budget_ms {
            let class = FailureClass::Retriable;
            self.observer.incident(Incident { code, class, component, op_id, ts });
        }
    }
}
