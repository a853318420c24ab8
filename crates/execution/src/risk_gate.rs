//! The gate: turns intents into orders, or denies them with a reason (02 §3.1).

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use engine::delivery::Outbox;
use engine::service::{BacktestService, RunOutcome, ServiceReport};
use model::event::{Envelope, Payload, Topic};
use model::instrument::{InstrumentId, InstrumentTable};
use model::order::{
    CancelOrder, IntentGroup, OperationIntent, OrderId, OrderIntent, Refusal, RefusalCode, Request,
    Verdict, VerdictGroup,
};
use model::snapshot::AccountSnapshot;
use venues::fees::FeeModel;

use crate::judgement::{Judgement, OperationRules, Promises};

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
    accepted: i64,
    denied: i64,
}

/// Why the gate ends the run: not an order that is refused, but a mistake in what was configured.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum RiskGateError {
    #[error("CFG-INSTRUMENT: an order in {instrument}, which does not trade")]
    NotTrading { instrument: InstrumentId },
}

impl RiskGate {
    /// A gate for orders in `instruments`, charged by `fees`, one model per instrument.
    pub fn new(instruments: Rc<InstrumentTable>, fees: Vec<Rc<dyn FeeModel>>) -> Self {
        let promises = Promises::new(instruments.keys().count());
        let operations = None;
        Self { instruments, fees, operations, basis: 0, promises, accepted: 0, denied: 0 }
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
        Ok(VerdictGroup { strategy: group.strategy, verdicts })
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
