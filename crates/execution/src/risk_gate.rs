//! The gate: turns intents into orders, or denies them with a reason (02 §3.1).

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use engine::delivery::Outbox;
use engine::service::{BacktestService, RunOutcome, ServiceReport};
use model::Decimal;
use model::event::{Envelope, Payload, Topic};
use model::instrument::{Instrument, InstrumentTable, KeyIx};
use model::money::{Price, Quantity};
use model::numeric::decimal_of;
use model::order::{
    IntentGroup, Order, OrderIntent, OrderSide, Refusal, RefusalCode, Size, TimeInForce, Verdict,
    VerdictGroup,
};
use model::snapshot::AccountSnapshot;
use model::time::UtcMillis;

use crate::reservation::{self, Reservation};

/// Judges every intent against the latest snapshot and what it has accepted since.
#[derive(Debug)]
pub struct RiskGate {
    instruments: Rc<InstrumentTable>,
    /// The tick of `promised`.
    tick: UtcMillis,
    /// What orders accepted at this tick may need, per balance; the snapshot does not know it yet.
    promised: Vec<Decimal>,
    accepted: i64,
    denied: i64,
}

impl RiskGate {
    /// A gate for orders in `instruments`.
    pub fn new(instruments: Rc<InstrumentTable>) -> Self {
        let promised = vec![Decimal::ZERO; instruments.keys().count()];
        Self { instruments, tick: UtcMillis::default(), promised, accepted: 0, denied: 0 }
    }

    fn judge(&mut self, group: &IntentGroup, account: Option<&AccountSnapshot>) -> VerdictGroup {
        let mut verdicts = Vec::with_capacity(group.intents.len());
        for intent in &group.intents {
            let verdict = match self.check(intent, account) {
                Ok((order, need)) => {
                    self.promised[need.key.index()] += need.amount;
                    self.accepted += 1;
                    Verdict::Accepted(order)
                }
                Err(refusal) => {
                    self.denied += 1;
                    Verdict::Denied { order_id: intent.order_id, refusal }
                }
            };
            verdicts.push(verdict);
        }
        VerdictGroup { strategy: group.strategy, verdicts }
    }

    /// The rules, in order of precedence.
    fn check(
        &self,
        intent: &OrderIntent,
        account: Option<&AccountSnapshot>,
    ) -> Result<(Order, Reservation), Refusal> {
        let account = account
            .ok_or_else(|| refusal(RefusalCode::Warmup, "no account snapshot yet".to_owned()))?;
        if account.frame.is_warmup() {
            return Err(refusal(RefusalCode::Warmup, "orders start after the warm-up".to_owned()));
        }
        let instrument = self.instruments.instrument(intent.instrument);
        let reference = account.mark(intent.instrument).and_then(decimal_of).and_then(Price::new);
        let reference = reference.ok_or_else(|| {
            refusal(RefusalCode::NoPrice, format!("{} has had no bar yet", instrument.id))
        })?;
        let size = match self.reduced(intent, account)? {
            Size::Units(quantity) => {
                Size::Units(checked_quantity(quantity, reference, instrument)?)
            }
            Size::Share(share) if share <= Decimal::ZERO || share > Decimal::ONE => {
                let detail = format!("a share of {share}, expected more than 0 and at most 1");
                return Err(refusal(RefusalCode::Share, detail));
            }
            share @ Size::Share(_) => share,
        };
        let need = reservation::market_order(
            &self.instruments,
            intent.instrument,
            intent.side,
            size,
            reference,
        );
        self.check_funds(intent.side, &need, account)?;
        let order = Order {
            order_id: intent.order_id,
            instrument: intent.instrument,
            side: intent.side,
            order_type: intent.order_type,
            tif: TimeInForce::Gtc,
            size,
            reduce_only: intent.reduce_only,
            ts_decided: account.ts(),
            ts_eligible: account.ts(),
        };
        Ok((order, need))
    }

    /// Rule 7: a reduce-only order opposes the position and is clipped to it.
    fn reduced(&self, intent: &OrderIntent, account: &AccountSnapshot) -> Result<Size, Refusal> {
        if !intent.reduce_only {
            return Ok(intent.size);
        }
        let position = account.position(intent.instrument);
        if intent.side == OrderSide::Buy || position.is_zero() {
            let symbol = &self.instruments.instrument(intent.instrument).id;
            let detail = format!("a {} of {symbol} reduces nothing", intent.side.name());
            return Err(refusal(RefusalCode::ReduceOnly, detail));
        }
        Ok(match intent.size {
            Size::Units(quantity) => Size::Units(quantity.min(position)),
            share @ Size::Share(_) => share,
        })
    }

    /// Rule 8: what is free after reservations, and after what this tick has promised, is enough.
    fn check_funds(
        &self,
        side: OrderSide,
        need: &Reservation,
        account: &AccountSnapshot,
    ) -> Result<(), Refusal> {
        let free = account.free(need.key) - self.promised[need.key.index()];
        if need.amount <= free {
            return Ok(());
        }
        let code = match side {
            OrderSide::Buy => RefusalCode::Balance,
            OrderSide::Sell => RefusalCode::Position,
        };
        let detail = format!("needs {} of {}, {free} free", need.amount, self.key_name(need.key));
        Err(refusal(code, detail))
    }

    fn key_name(&self, key: KeyIx) -> &str {
        self.instruments.key(key).as_str()
    }
}

/// Rule 1: rounded down to the lot first, then checked against the minimums (D85).
fn checked_quantity(
    quantity: Quantity,
    reference: Price,
    instrument: &Instrument,
) -> Result<Quantity, Refusal> {
    let rounded = quantity.floor_to(instrument.lot);
    let symbol = &instrument.id;
    if rounded.0 <= Decimal::ZERO {
        let detail = format!("{} of {symbol} is less than one lot, {}", quantity.0, instrument.lot);
        return Err(refusal(RefusalCode::QtyZero, detail));
    }
    if rounded.0 < instrument.min_qty {
        let detail = format!("{} of {symbol}, at least {}", rounded.0, instrument.min_qty);
        return Err(refusal(RefusalCode::QtyMin, detail));
    }
    let notional = (reference * rounded).value();
    if notional < instrument.min_notional {
        let detail = format!("{notional} of {symbol}, at least {}", instrument.min_notional);
        return Err(refusal(RefusalCode::NotionalMin, detail));
    }
    Ok(rounded)
}

fn refusal(code: RefusalCode, detail: String) -> Refusal {
    Refusal { code, detail: detail.into() }
}

impl BacktestService for RiskGate {
    type Error = Infallible;

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
        if envelope.ts != self.tick {
            self.tick = envelope.ts;
            self.promised.fill(Decimal::ZERO);
        }
        let latest = outbox.latest(Topic::Account);
        let account = match latest.as_ref().map(|envelope| &envelope.payload) {
            Some(Payload::Account(account)) => Some(&**account),
            _ => None,
        };
        let verdicts = self.judge(group, account);
        outbox.publish(Payload::Verdict(Arc::new(verdicts)));
        Ok(())
    }

    fn finish(&mut self, _outcome: &RunOutcome) -> Result<ServiceReport, Self::Error> {
        Ok(ServiceReport::new("risk_gate")
            .with("accepted", self.accepted)
            .with("denied", self.denied))
    }
}
