//! Pattern 1, Pattern 2 and the emergency plan, as a strategy's orders and the log see them.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use engine::strategy_runner::StrategyRunner;
use expect_test::{Expect, expect};
use model::delta::{Arrival, Cause, Delta, OperationId};
use model::event::{Payload, Topic};
use model::frame::{Frame, MarketView};
use model::handshake::{Handshake, HandshakeStatus};
use model::instrument::{InstrumentIx, KeyIx};
use model::ladder::RiskLevel;
use model::money::Quantity;
use model::operation::{Amount, Operation, OperationRequest};
use model::order::{
    OrderId, OrderRequest, OrderSide, OrderStatus, OrderUpdate, Origin, Refusal, RefusalCode,
    Request, Size, StrategyIx, Verdict, VerdictGroup,
};
use model::risk::{Binding, RiskReading, RiskSnapshot, RiskType, RiskTypes};
use model::settlement::{Settlement, SettlementKind};
use model::snapshot::{AccountBook, AccountSnapshot, ChainSnapshots};
use model::strategy::{
    Decision, InstructionSequence, OnFail, OrderDesk, SequenceStep, StepWait, Strategy,
    StrategyError,
};
use model::tight_loop::{Attempts, LoopEnd, LoopRecord, StatePath};
use model::time::UtcMillis;
use model::{Decimal, tight_loop::ChainCommit};

use crate::support::{AUDIT, EXECUTION, GATE, Log, STRATEGY, Scripted, engine, minute, run};

const SPOT: InstrumentIx = InstrumentIx(0);
const TRANSIT: KeyIx = KeyIx(1);
const CLAIM: KeyIx = KeyIx(3);
const TARGET: KeyIx = KeyIx(2);

/// Asks for a sequence when it is first called.
struct Planner {
    sequence: Option<InstructionSequence>,
    log: Log,
}

impl Strategy for Planner {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        _: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        self.log.write(format_args!("called {}", minute(market.ts())));
        let Some(sequence) = self.sequence.take() else { return Ok(Decision::HOLD) };
        orders.sequence(sequence);
        Ok(Decision::trade("begins"))
    }

    fn emergency(
        &mut self,
        _: MarketView<'_>,
        _: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        orders.sell(SPOT, Size::ALL);
        Ok(Decision::trade("plan"))
    }
}

/// Steps as `order order wait flag`, separated by `;`.
fn sequence(text: &str) -> InstructionSequence {
    text.split(';').fold(InstructionSequence::new(), |sequence, text| {
        let mut step = SequenceStep::until(StepWait::Nothing);
        for word in text.split_whitespace() {
            step = match word {
                "buy" => step.submit(OrderRequest::market(SPOT, OrderSide::Buy, units("2"))),
                "move" => {
                    let (source, amount) = (KeyIx(0), Amount::Units(Decimal::ONE));
                    step.operate(OperationRequest::transfer(source, TARGET, "wallet", amount))
                }
                "claim" => {
                    let amount = Amount::Units(Decimal::ONE);
                    step.operate(OperationRequest::new(Operation::Unstake, "lido", amount))
                }
                "filled" => SequenceStep { wait: StepWait::Filled, ..step },
                "arrived" => SequenceStep { wait: StepWait::Arrived, ..step },
                "matured" => SequenceStep { wait: StepWait::Matured, ..step },
                "retry" => step.on_fail(OnFail::RetryStep),
                "emergency" => step.on_fail(OnFail::Emergency),
                frames => step.within(frames.parse().expect("well-formed")),
            };
        }
        sequence.then(step)
    })
}

fn units(text: &str) -> Size {
    Size::Units(Quantity(text.parse().expect("well-formed")))
}

fn id(number: &str) -> OrderId {
    OrderId { strategy: StrategyIx(0), number: number.parse().expect("well-formed") }
}

/// What a word of a frame publishes before its snapshot.
fn event(word: &str, ts: UtcMillis) -> Option<Payload> {
    let (order, what) = word.split_once('=').unwrap_or(("", word));
    let arrival = Arrival { at: UtcMillis::new(240_000), target: TARGET };
    let update = |status, cum: &str| {
        let cum_qty = Quantity(cum.parse().expect("well-formed"));
        let order_qty = Some(Quantity(Decimal::TWO));
        Some(Payload::OrderUpdate(Arc::new(OrderUpdate {
            order_id: id(order),
            status,
            order_qty,
            cum_qty,
            avg_px: None,
            refusal: None,
            terms: None,
            repeats: None,
        })))
    };
    let settlement = |kind, key| {
        Some(Payload::Settlement(Arc::new(Settlement {
            kind,
            key,
            ts_event: arrival.at,
            rate: None,
            px: None,
            amount: Decimal::ONE,
            paid_to: TARGET,
            deltas: Vec::new(),
            number: 0,
        })))
    };
    match what {
        "filled" => update(OrderStatus::Filled, "2"),
        "accepted" => update(OrderStatus::Accepted, "0"),
        "rejected" => update(OrderStatus::Rejected, "0"),
        "half" => update(OrderStatus::Canceled, "0.5"),
        "sent" | "claims" => {
            let op_id = OperationId::submission(id(order));
            let delta = Delta::new(
                if what == "sent" { TRANSIT } else { CLAIM },
                Decimal::ONE,
                Cause::TransferLeg,
            );
            let handshake = Handshake {
                deltas: vec![Delta { arrival: Some(arrival), ..delta }],
                ..Handshake::without_deltas(op_id, HandshakeStatus::Confirmed, ts)
            };
            Some(Payload::TightLoop(Arc::new(LoopRecord {
                op_id,
                path: StatePath::default(),
                attempts: Attempts::default(),
                compared: 0,
                diffs: Vec::new(),
                handshake: Some(handshake),
                applied: true,
                chain: Some(ChainCommit(1)),
                end: LoopEnd::Success,
            })))
        }
        "arrives" => settlement(SettlementKind::Transit, TRANSIT),
        "matures" => settlement(SettlementKind::Claim, CLAIM),
        _ => None,
    }
}

/// The snapshot of a frame; `words` say what its risk is.
fn account(frame: &Frame, words: &str) -> AccountSnapshot {
    let mut chain = ChainSnapshots::default();
    let mut risk = RiskSnapshot { breaker: words.contains("breaker"), ..RiskSnapshot::default() };
    let (kind, level) = match words.split(' ').find(|word| word.starts_with("reduce_only")) {
        Some("reduce_only_delta") => (RiskType::DeltaRisk, RiskLevel::ReduceOnly),
        Some("reduce_only_recorded") => (RiskType::PegRisk, RiskLevel::ReduceOnly),
        Some(_) => (RiskType::HealthFactor, RiskLevel::ReduceOnly),
        None => (RiskType::HealthFactor, RiskLevel::Ok),
    };
    let reading = RiskReading { value: 1.0, level, distance: None, binding: Binding::Account };
    risk.readings[kind.index()] = Some(reading);
    risk.enabled = RiskTypes::of(&[RiskType::HealthFactor, RiskType::DeltaRisk]);
    chain.risk = Rc::new(risk);
    AccountSnapshot {
        frame: frame.clone(),
        marks: vec![Some(1.0)],
        equity: 0.0,
        cash: 0.0,
        gross: 0.0,
        net: 0.0,
        unrealized: 0.0,
        book: Rc::new(AccountBook::default()),
        chain,
    }
}

fn shown(request: &Request) -> String {
    let (what, order_id) = match request {
        Request::Submit(intent) => {
            let side = intent.request.side.expect("a side").name();
            let size = match intent.request.size {
                Size::Units(quantity) if quantity.0 != Decimal::TWO => format!("({})", quantity.0),
                Size::Units(_) | Size::Share(_) => String::new(),
            };
            (format!("{side}{size}"), intent.order_id)
        }
        Request::Operate(intent) => (intent.request.operation.name().to_owned(), intent.order_id),
        Request::Cancel(order_id) => ("cancel".to_owned(), *order_id),
        Request::Replace(intent) => ("replace".to_owned(), intent.order_id),
    };
    let origin = match request.origin() {
        Origin::Strategy => String::new(),
        Origin::Sequence { step } => format!("@{step}"),
        Origin::Emergency => "!".to_owned(),
    };
    format!("{what}#{}{origin}", order_id.number)
}

/// Runs a sequence over frames, each a line of words; `denied=N` of the first line is the gate's.
///
/// One line per frame: its pattern, its reason and what was asked for; `called` if the strategy was.
fn check(steps: &str, frames: &[&str], expected: &Expect) {
    let log = Log::default();
    let mut script: VecDeque<String> = frames.iter().map(|line| (*line).to_owned()).collect();
    let denied: Vec<OrderId> = frames
        .iter()
        .flat_map(|line| line.split(' '))
        .filter_map(|word| word.strip_prefix("denied="))
        .map(id)
        .collect();
    let execution = Scripted::<true>::new("execution", &[Topic::Frame], &Log::default(), {
        move |envelope, outbox| {
            let Payload::Frame(frame) = &envelope.payload else { return Ok(()) };
            let line = script.pop_front().expect("a line per frame");
            for word in line.split(' ') {
                if let Some(payload) = event(word, envelope.ts) {
                    outbox.publish(payload);
                }
            }
            outbox.publish(Payload::Account(Rc::new(account(frame, &line))));
            Ok(())
        }
    });
    let gate = Scripted::<true>::new("gate", &[Topic::Intent], &Log::default(), {
        move |envelope, outbox| {
            let Payload::Intent(group) = &envelope.payload else { return Ok(()) };
            let is_denied = |request: &&Request| denied.contains(&request.order_id());
            let deny = |request: &Request| Verdict::Denied {
                order_id: request.order_id(),
                refusal: Refusal::new(RefusalCode::Balance, "0"),
            };
            let verdicts = group.requests.iter().filter(is_denied).map(deny).collect();
            let strategy = group.strategy;
            outbox.publish(Payload::Verdict(Arc::new(VerdictGroup {
                strategy,
                verdicts,
                impact: None,
            })));
            Ok(())
        }
    });
    let lines = log.clone();
    let topics = &[Topic::Intent, Topic::Decision];
    let audit = Scripted::<true>::new("audit", topics, &Log::default(), move |envelope, _| {
        let minute = minute(envelope.ts);
        if let Payload::Decision(decision) = &envelope.payload {
            let (pattern, reason) = (decision.pattern.name(), &decision.reason);
            lines.write(format_args!("{minute} pattern {pattern} {reason}"));
        }
        if let Payload::Intent(group) = &envelope.payload {
            let requests: Vec<String> = group.requests.iter().map(shown).collect();
            lines.write(format_args!("{minute} asks {}", requests.join(" ")));
        }
        Ok(())
    });
    let planner = Planner { sequence: Some(sequence(steps)), log: log.clone() };
    let engine = engine()
        .service(EXECUTION, execution)
        .service(STRATEGY, StrategyRunner::new("planner", StrategyIx(0), planner, 100))
        .service(GATE, gate)
        .service(AUDIT, audit);
    let count = i64::try_from(frames.len()).expect("few frames");
    let report = run(engine, count);
    assert!(report.error.is_none(), "{:?}", report.error);
    let lines = log.lines();
    for minute in 1..=count {
        let decided = lines.iter().filter(|line| line.starts_with(&format!("{minute} pattern")));
        assert_eq!(decided.count(), 1, "decisions of frame {minute}");
    }
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn a_step_follows_when_the_one_before_it_is_filled_and_the_strategy_is_called_at_the_end() {
    let frames = ["", "1=accepted", "1=filled", "2=filled", ""];
    check(
        "buy filled; buy filled",
        &frames,
        &expect![[r"
        called 1
        1 asks buy#1@0
        1 pattern 1 begins
        2 pattern 2 sequence: waits
        3 asks buy#2@1
        3 pattern 2 sequence: next step
        called 4
        4 pattern 1 
        called 5
        5 pattern 1 "]],
    );
}

#[test]
fn steps_without_waiting_go_out_in_one_group_and_the_strategy_is_called_in_the_next_frame() {
    let frames = ["", "1=filled 2=filled 3=filled 4=filled"];
    check(
        "move; buy; buy; buy",
        &frames,
        &expect![[r"
        called 1
        1 asks transfer#1@0 buy#2@1 buy#3@2 buy#4@3
        1 pattern 1 begins
        called 2
        2 pattern 1 "]],
    );
}

#[test]
fn a_transfer_is_awaited_until_what_it_sent_has_arrived() {
    let frames = ["", "1=filled 1=sent", "", "arrives", "2=filled"];
    check(
        "move arrived; buy filled",
        &frames,
        &expect![[r"
        called 1
        1 asks transfer#1@0
        1 pattern 1 begins
        2 pattern 2 sequence: waits
        3 pattern 2 sequence: waits
        4 asks buy#2@1
        4 pattern 2 sequence: next step
        called 5
        5 pattern 1 "]],
    );
}

#[test]
fn an_instant_transfer_sends_nothing_that_could_be_awaited() {
    check(
        "move arrived; buy filled",
        &["", "1=filled", "2=filled"],
        &expect![[r"
        called 1
        1 asks transfer#1@0
        1 pattern 1 begins
        2 asks buy#2@1
        2 pattern 2 sequence: next step
        called 3
        3 pattern 1 "]],
    );
}

#[test]
fn a_claim_is_awaited_until_it_matures() {
    let frames = ["", "1=filled 1=claims", "arrives", "matures"];
    check(
        "claim matured",
        &frames,
        &expect![[r"
        called 1
        1 asks unstake#1@0
        1 pattern 1 begins
        2 pattern 2 sequence: waits
        3 pattern 2 sequence: waits
        called 4
        4 pattern 1 "]],
    );
}

#[test]
fn a_step_whose_time_is_up_gives_the_sequence_up_and_cancels_what_rests() {
    check(
        "buy filled 2; buy",
        &["", "1=accepted", "", ""],
        &expect![[r"
        called 1
        1 asks buy#1@0
        1 pattern 1 begins
        2 pattern 2 sequence: waits
        called 3
        3 asks cancel#1
        3 pattern 1 
        called 4
        4 pattern 1 "]],
    );
}

#[test]
fn a_denied_or_rejected_order_gives_the_sequence_up() {
    check(
        "buy filled; buy",
        &["", "1=rejected", ""],
        &expect![[r"
        called 1
        1 asks buy#1@0
        1 pattern 1 begins
        called 2
        2 pattern 1 
        called 3
        3 pattern 1 "]],
    );
    check(
        "buy buy filled; buy",
        &["denied=1", "2=accepted", ""],
        &expect![[r"
        called 1
        1 asks buy#1@0 buy#2@0
        1 pattern 1 begins
        called 2
        2 asks cancel#2
        2 pattern 1 
        called 3
        3 pattern 1 "]],
    );
}

#[test]
fn a_retry_sends_what_is_left_once_more_and_only_once() {
    let frames = ["", "1=filled 2=half", "3=filled", ""];
    check(
        "buy buy filled retry; buy filled",
        &frames,
        &expect![[r"
        called 1
        1 asks buy#1@0 buy#2@0
        1 pattern 1 begins
        2 asks buy(1.5)#3@0
        2 pattern 2 sequence: next step
        3 asks buy#4@1
        3 pattern 2 sequence: next step
        4 pattern 2 sequence: waits"]],
    );
    let frames = ["", "1=rejected", "2=rejected", ""];
    check(
        "buy filled retry",
        &frames,
        &expect![[r"
        called 1
        1 asks buy#1@0
        1 pattern 1 begins
        2 asks buy#2@0
        2 pattern 2 sequence: next step
        called 3
        3 pattern 1 
        called 4
        4 pattern 1 "]],
    );
}

#[test]
fn a_retry_for_time_leaves_what_rests_where_it_is() {
    check(
        "buy filled 1 retry",
        &["", "1=accepted", "", ""],
        &expect![[r"
        called 1
        1 asks buy#1@0
        1 pattern 1 begins
        2 pattern 2 sequence: waits
        called 3
        3 asks cancel#1
        3 pattern 1 
        called 4
        4 pattern 1 "]],
    );
}

#[test]
fn an_emergency_on_failure_runs_the_plan_once() {
    check(
        "buy filled 1 emergency",
        &["", "1=accepted", ""],
        &expect![[r"
        called 1
        1 asks buy#1@0
        1 pattern 1 begins
        2 asks cancel#1 sell#2!
        2 pattern none plan
        called 3
        3 pattern 1 "]],
    );
}

#[test]
fn reduce_only_on_an_enabled_type_cancels_the_sequence_and_calls_the_strategy() {
    let frames = ["", "1=accepted reduce_only_recorded", "reduce_only_delta", "reduce_only", ""];
    check(
        "buy filled",
        &frames,
        &expect![[r"
        called 1
        1 asks buy#1@0
        1 pattern 1 begins
        2 pattern 2 sequence: waits
        3 pattern 2 sequence: waits
        called 4
        4 asks cancel#1
        4 pattern 1 
        called 5
        5 pattern 1 "]],
    );
}

#[test]
fn a_latched_breaker_cancels_the_sequence_and_runs_the_plan_in_every_frame() {
    let frames = ["", "1=accepted", "breaker", "breaker", ""];
    check(
        "buy filled",
        &frames,
        &expect![[r"
        called 1
        1 asks buy#1@0
        1 pattern 1 begins
        2 pattern 2 sequence: waits
        3 asks cancel#1 sell#2!
        3 pattern none plan
        4 asks sell#3!
        4 pattern none plan
        called 5
        5 pattern 1 "]],
    );
}
