//! The gate: turns intents into orders, or denies them with a reason (02 §3.1).

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use engine::delivery::Outbox;
use engine::service::{BacktestService, RunOutcome, ServiceReport};
use ledger::chain::ChainError;
use model::event::{Envelope, Payload, Topic};
use model::instrument::{InstrumentId, InstrumentTable};
use model::order::{
    CancelOrder, IntentGroup, OperationIntent, Order, OrderId, OrderIntent, Pricing, Refusal,
    RefusalCode, Request, Verdict, VerdictGroup,
};
use model::snapshot::AccountSnapshot;
use venues::fees::FeeModel;

use crate::judgement::{ImpactJudge, ImpactTerms, Judgement, OperationRules, Promises};

/// Judges every request against the latest snapshot and what it has accepted since.
#[derive(Debug)]
pub struct RiskGate {
    instruments: Rc<InstrumentTable>,
    fees: Vec<Rc<dyn FeeModel>>,
    /// What operations are judged by; without it their terms alone are.
    operations: Option<OperationRules>,
    /// `seq` of the snapshot that `promises` come on top of.
    basis: u64,
    promises: Promises,
    impact: ImpactJudge,
    accepted: i64,
    denied: i64,
}

/// Why the gate ends the run: not an order that is refused, but a mistake in what was configured.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum RiskGateError {
    #[error("CFG-INSTRUMENT: an order in {instrument}, which does not trade")]
    NotTrading { instrument: InstrumentId },

    #[error("what an order would do to the account cannot be computed")]
    Impact(#[from] ChainError),
}

impl RiskGate {
    /// A gate for orders in `instruments`, charged by `fees`, one model per instrument; `terms` say
    /// what they may do to the account.
    pub fn new(
        instruments: Rc<InstrumentTable>,
        fees: Vec<Rc<dyn FeeModel>>,
        terms: ImpactTerms,
    ) -> Self {
        let promises = Promises::new(instruments.keys().count());
        let impact = ImpactJudge::new(&instruments, fees.clone(), terms);
        let operations = None;
        Self { instruments, fees, operations, basis: 0, promises, impact, accepted: 0, denied: 0 }
    }

    /// The same gate, which also judges what operations need.
    #[must_use]
    pub fn with_operations(mut self, rules: OperationRules) -> Self {
        self.operations = Some(rules);
        self
    }

    fn judge(
        &mut self,
        group: &IntentGroup,
        account: Option<&AccountSnapshot>,
    ) -> Result<VerdictGroup, RiskGateError> {
        let granted = self.promises.len();
        let mut verdicts = Vec::with_capacity(group.requests.len());
        let mut operated = HashMap::new();
        let mut denied_step = None;
        for request in &group.requests {
            let step = request.origin().step();
            if let (Some(denied), Some(step)) = (denied_step, step)
                && denied < step
            {
                verdicts.push(self.deny_step(request, denied));
                continue;
            }
            let verdict = match request {
                Request::Operate(intent) => {
                    if !operated.contains_key(&intent.order_id) {
                        self.operate(intent, group, account, &mut operated);
                    }
                    operated.remove(&intent.order_id).expect("an operation is judged once")
                }
                Request::Submit(intent) => self.submit(intent, account)?,
                Request::Replace(intent) => self.replace(intent, account)?,
                Request::Cancel(order_id) => {
                    let ts_decided = account.map(AccountSnapshot::ts).unwrap_or_default();
                    Verdict::CancelAccepted(CancelOrder { order_id: *order_id, ts_decided })
                }
            };
            if verdict.refusal().is_some() {
                denied_step = denied_step.or(step);
            }
            verdicts.push(verdict);
        }
        let mut impact = None;
        if let Some(account) = account
            && self.promises.len() > granted
        {
            let promises = &self.promises;
            let filled = |order_id| promises.filled(order_id);
            let judged = self.impact.judge(account, &verdicts, filled)?;
            impact = judged.impact;
            if let Some(refusal) = judged.refusal {
                self.deny(&mut verdicts, granted, &refusal);
            }
        }
        Ok(VerdictGroup { strategy: group.strategy, verdicts, impact })
    }

    /// Denies all trades of a group after all, those that were granted after the first `kept`; exits
    /// that wait for a price to reduce what is held stay.
    fn deny(&mut self, verdicts: &mut [Verdict], kept: usize, refusal: &Refusal) {
        let asked: Vec<OrderId> = verdicts.iter().map(Verdict::order_id).collect();
        let is_exit = |order: &Order| {
            order.reduce_only
                && order.pricing != Pricing::Market
                && order.parent.is_none_or(|parent| !asked.contains(&parent))
        };
        self.promises.take_back(kept, |order| !is_exit(order));
        for verdict in verdicts {
            let order_id = verdict.order_id();
            let refusal = || refusal.clone();
            if verdict.order().is_none_or(is_exit) {
                continue;
            }
            *verdict = if matches!(verdict, Verdict::Accepted(_)) {
                self.accepted -= 1;
                self.denied += 1;
                Verdict::Denied { order_id, refusal: refusal() }
            } else {
                Verdict::ReplaceDenied { order_id, refusal: refusal() }
            };
        }
    }

    /// A step that builds on one that was denied (08 §10.2).
    fn deny_step(&mut self, request: &Request, denied: u16) -> Verdict {
        self.denied += 1;
        let detail = format!("step {} of its sequence was denied", denied + 1);
        let refusal = Refusal::new(RefusalCode::Sequence, detail);
        Verdict::Denied { order_id: request.order_id(), refusal }
    }

    fn submit(
        &mut self,
        intent: &OrderIntent,
        account: Option<&AccountSnapshot>,
    ) -> Result<Verdict, RiskGateError> {
        let order_id = intent.order_id;
        self.require_trading(intent)?;
        Ok(match self.judgement(account).and_then(|judgement| judgement.submitted(intent)) {
            Ok(grant) => {
                let order = Arc::clone(&grant.order);
                self.promises.add(grant);
                self.accepted += 1;
                Verdict::Accepted(order)
            }
            Err(refusal) => {
                self.denied += 1;
                Verdict::Denied { order_id, refusal }
            }
        })
    }

    fn replace(
        &mut self,
        intent: &OrderIntent,
        account: Option<&AccountSnapshot>,
    ) -> Result<Verdict, RiskGateError> {
        let order_id = intent.order_id;
        self.require_trading(intent)?;
        Ok(match self.judgement(account).and_then(|judgement| judgement.replaced(intent)) {
            Ok(grant) => {
                let order = Arc::clone(&grant.order);
                self.promises.add(grant);
                Verdict::ReplaceAccepted(order)
            }
            Err(refusal) => Verdict::ReplaceDenied { order_id, refusal },
        })
    }

    /// Judges an operation, and with it all members of its atomic group in this wish.
    fn operate(
        &mut self,
        intent: &OperationIntent,
        group: &IntentGroup,
        account: Option<&AccountSnapshot>,
        verdicts: &mut HashMap<OrderId, Verdict>,
    ) {
        let members: Vec<&OperationIntent> = match intent.request.atomic {
            None => vec![intent],
            Some(slot) => group.operations_of(slot.group).collect(),
        };
        let judged = self
            .judgement(account)
            .map_err(|refusal| (0, refusal))
            .and_then(|judgement| judgement.operated(&members, self.operations.as_ref()));
        match judged {
            Ok(grant) => {
                grant.needs.iter().for_each(|(key, need)| self.promises.hold(*key, *need));
                self.accepted += i64::try_from(members.len()).unwrap_or(i64::MAX);
                verdicts.extend(
                    grant
                        .orders
                        .into_iter()
                        .map(|order| (order.order_id, Verdict::OperationAccepted(order))),
                );
            }
            Err((at_fault, refusal)) => {
                self.denied += i64::try_from(members.len()).unwrap_or(i64::MAX);
                for (place, member) in members.iter().enumerate() {
                    let order_id = member.order_id;
                    let refusal = if place == at_fault {
                        refusal.clone()
                    } else {
                        Refusal::new(RefusalCode::AtomicMember, refusal.code.name())
                    };
                    verdicts.insert(order_id, Verdict::Denied { order_id, refusal });
                }
            }
        }
    }

    fn judgement<'a>(
        &'a self,
        account: Option<&'a AccountSnapshot>,
    ) -> Result<Judgement<'a>, Refusal> {
        let account = account
            .filter(|account| !account.frame.is_warmup())
            .ok_or_else(|| Refusal::new(RefusalCode::Warmup, "orders start after the warm-up"))?;
        let (instruments, fees) = (&*self.instruments, &*self.fees);
        Ok(Judgement { instruments, fees, account, promises: &self.promises })
    }

    /// Rule 9: what does not trade is a mistake of the run file and not of the order.
    fn require_trading(&self, intent: &OrderIntent) -> Result<(), RiskGateError> {
        let Some(place) = intent.request.instrument else { return Ok(()) };
        let instrument = self.instruments.instrument(place);
        if instrument.is_trading {
            return Ok(());
        }
        Err(RiskGateError::NotTrading { instrument: instrument.id.clone() })
    }
}

impl BacktestService for RiskGate {
    type Error = RiskGateError;

    const CLOSES_TICKS: bool = false;

    fn name(&self) -> &'static str {
        "risk_gate"
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Intent]
    }

    fn looks_up(&self) -> &'static [Topic] {
        &[Topic::Account]
    }

    fn handle(&mut self, envelope: &Envelope, outbox: &mut Outbox) -> Result<(), Self::Error> {
        let Payload::Intent(group) = &envelope.payload else { return Ok(()) };
        let latest = outbox.latest(Topic::Account);
        let basis = latest.as_ref().map_or(0, |envelope| envelope.seq);
        if basis != self.basis {
            // The snapshot knows by now what was promised before it.
            self.basis = basis;
            self.promises.clear();
            self.impact.clear();
        }
        let account = match latest.as_ref().map(|envelope| &envelope.payload) {
            Some(Payload::Account(account)) => Some(&**account),
            _ => None,
        };
        let verdicts = self.judge(group, account)?;
        outbox.publish(Payload::Verdict(Arc::new(verdicts)));
        Ok(())
    }

    fn finish(&mut self, _outcome: &RunOutcome) -> Result<ServiceReport, Self::Error> {
        Ok(ServiceReport::new("risk_gate")
            .with("accepted", self.accepted)
            .with("denied", self.denied))
    }
}

#[cfg(test)]
mod tests;
