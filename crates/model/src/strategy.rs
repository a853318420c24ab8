//! Strategies: the trait to implement, what they are given and what they may ask for.

use std::error::Error;

use crate::fill::Fill;
use crate::frame::MarketView;
use crate::instrument::InstrumentTable;
use crate::order::{OrderUpdate, Verdict};
use crate::parameter::{ParameterError, ParameterSpec, Parameters};
use crate::snapshot::AccountSnapshot;
use crate::time::Interval;

mod decision;
mod desk;
mod emergency;
mod sequence;

pub use decision::{Action, Condition, Conditions, Decision, Pattern};
pub use desk::{DeskNumbers, OrderDesk};
pub use emergency::unwind;
pub use sequence::{InstructionSequence, OnFail, STEP_TIMEOUT, SequenceStep, StepOrder, StepWait};

/// Any error of a strategy; it ends the run.
pub type StrategyError = Box<dyn Error + Send + Sync + 'static>;

/// Decides once per tick what to trade.
///
/// What is asked for at T fills no earlier than at the next bar's open.
pub trait Strategy {
    /// Looks at the bars and the account of one instant, asks for orders, and says what it did.
    ///
    /// Called once per frame, after everything that the frame caused in the account; with several
    /// instruments once for all of them. It is not called while a sequence is open that it has asked
    /// for, nor while the circuit breaker is latched.
    ///
    /// # Errors
    ///
    /// Any error ends the run.
    fn decide(
        &mut self,
        market: MarketView<'_>,
        account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError>;

    /// The emergency plan, run in place of [`decide`](Self::decide) in every frame in which the
    /// circuit breaker is latched. Its orders come before all others at the open.
    ///
    /// By default [`unwind`]: out of all perpetuals, and of the holdings that they hedge (04 §6.3).
    ///
    /// # Errors
    ///
    /// Any error ends the run.
    fn emergency(
        &mut self,
        market: MarketView<'_>,
        account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        let _ = market;
        Ok(unwind(account, orders))
    }

    /// What was looked at in the decision that was just made, with values and thresholds.
    ///
    /// Asked for after a decision to trade, which is recorded with them, and after any other one
    /// when somebody wants to know why nothing was done (`tickdrain explain … tick T`): a strategy
    /// pays for its conditions only where they are read. What it answers changes nothing.
    fn conditions(&self, _market: MarketView<'_>, _account: &AccountSnapshot) -> Vec<Condition> {
        Vec::new()
    }

    /// An order of this strategy was filled, before the next [`decide`](Self::decide).
    fn on_fill(&mut self, _fill: &Fill) {}

    /// An accepted order of this strategy changed its status.
    fn on_order_update(&mut self, _update: &OrderUpdate) {}

    /// The gate took or denied an order of this strategy.
    fn on_verdict(&mut self, _verdict: &Verdict) {}

    /// The data has ended; nothing can be asked for any more.
    ///
    /// # Errors
    ///
    /// Any error marks the run failed.
    fn on_end(&mut self) -> Result<(), StrategyError> {
        Ok(())
    }
}

impl<S: Strategy + ?Sized> Strategy for Box<S> {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        (**self).decide(market, account, orders)
    }

    fn emergency(
        &mut self,
        market: MarketView<'_>,
        account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        (**self).emergency(market, account, orders)
    }

    fn conditions(&self, market: MarketView<'_>, account: &AccountSnapshot) -> Vec<Condition> {
        (**self).conditions(market, account)
    }

    fn on_fill(&mut self, fill: &Fill) {
        (**self).on_fill(fill);
    }

    fn on_order_update(&mut self, update: &OrderUpdate) {
        (**self).on_order_update(update);
    }

    fn on_verdict(&mut self, verdict: &Verdict) {
        (**self).on_verdict(verdict);
    }

    fn on_end(&mut self) -> Result<(), StrategyError> {
        (**self).on_end()
    }
}

/// A strategy that can be named in a run file.
pub trait StrategyKind: Strategy + Sized + 'static {
    /// What it does, in a sentence.
    const SUMMARY: &'static str;

    /// Whether it lives on funding, so that perpetuals without funding data are a fault.
    const NEEDS_FUNDING: bool = false;

    /// Its parameters, with units, limits and defaults.
    fn parameters() -> &'static [ParameterSpec];

    /// Builds it from parameters that satisfy [`parameters`](Self::parameters) one by one.
    ///
    /// # Errors
    ///
    /// A parameter that does not fit the others or the run.
    fn build(setup: &StrategySetup<'_>) -> Result<Self, ParameterError>;
}

/// What a strategy is built from.
#[derive(Clone, Copy, Debug)]
pub struct StrategySetup<'a> {
    /// Its parameters, defaults included.
    pub parameters: &'a Parameters,
    /// The instruments of the run.
    pub instruments: &'a InstrumentTable,
    /// Length of a frame.
    pub interval: Interval,
}
