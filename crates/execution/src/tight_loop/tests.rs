//! One test per transition of 07 §9.1 and per schedule of 07 §9.2, as text tables.

use std::fmt::Write;

use expect_test::{Expect, expect};
use model::Decimal;
use model::delta::{Cause, Delta, OperationId};
use model::handshake::{Handshake, HandshakeStatus};
use model::instrument::KeyIx;
use model::order::{OrderId, Refusal, RefusalCode, StrategyIx};
use model::tight_loop::{LoopState, WalStage};
use model::time::UtcMillis;

use super::*;
use crate::profile::{RetryPolicy, Schedule};

/// Two comparisons and two calls without waiting for either.
const ONE_RETRY: RetryPolicy = RetryPolicy {
    reconcile: Schedule::after(&[1_000]),
    call: Schedule::after(&[5_000]),
    ..RetryPolicy::LIVE
};

fn event(word: &str) -> Event {
    match word {
        "order" => Event::Order,
        "report" => Event::Report,
        "routed" => Event::Routed,
        "no_route" => Event::NotRouted,
        "changed" => Event::Answered(Answer::Changed),
        "as_asked" => Event::Answered(Answer::AsAsked),
        "refused" => Event::Answered(Answer::Refused),
        "failed_free" => Event::Answered(Answer::FailedFree),
        "failed_gas" => Event::Answered(Answer::FailedWithGas),
        "pending" => Event::Answered(Answer::Pending),
        "unknown" => Event::Unknown,
        "applied" => Event::Applied,
        "match" => Event::Compared { agree: true },
        "mismatch" => Event::Compared { agree: false },
        "valued" => Event::Valued,
        "call_failed" => Event::CallFailed,
        "elapsed" => Event::Elapsed,
        "fatal" => Event::Fatal,
        "list_done" => Event::ListDone,
        _ => panic!("no event is called {word}"),
    }
}

/// Feeds events, one per word; `@ms` sets the time. Shows the state, the log and the action of each.
fn check(policy: RetryPolicy, events: &str, expected: &Expect) {
    let mut machine = TightLoop::new(policy);
    let mut now = UtcMillis::new(0);
    let mut table = String::new();
    for word in events.split_whitespace() {
        if let Some(ms) = word.strip_prefix('@') {
            now = UtcMillis::new(ms.parse().unwrap());
            continue;
        }
        let before = machine.state().name();
        let line = match machine.on(event(word), now) {
            Ok(Step { log, action }) => {
                let log = log.map_or("-", WalStage::name);
                format!("{before:11} {word:11} {:14} {log:10} {action:?}", machine.state().name())
            }
            Err(illegal) => format!("{before:11} {word:11} {illegal}"),
        };
        table.push_str(line.trim_end());
        table.push('\n');
    }
    expected.assert_eq(&table);
}

#[test]
fn an_order_goes_from_idle_to_success_and_the_list_ends_in_idle() {
    check(
        RetryPolicy::BACKTEST,
        "order routed changed applied match valued list_done",
        &expect![[r"
            idle        order       routing        INTENT     Route
            routing     routed      executing      SUBMITTED  Execute
            executing   changed     reconciling    CONFIRMED  Apply
            reconciling applied     reconciling    APPLIED    Compare
            reconciling match       reconciling    -          RunChain
            reconciling valued      success        RECONCILED Finish(Success)
            success     list_done   idle           -          Rest
        "]],
    );
}

#[test]
fn a_list_goes_on_from_success_and_from_failure() {
    check(
        RetryPolicy::BACKTEST,
        "order routed as_asked order no_route order routed refused list_done",
        &expect![[r"
            idle        order       routing        INTENT     Route
            routing     routed      executing      SUBMITTED  Execute
            executing   as_asked    success        -          Finish(Success)
            success     order       routing        INTENT     Route
            routing     no_route    failure        -          Finish(Failure)
            failure     order       routing        INTENT     Route
            routing     routed      executing      SUBMITTED  Execute
            executing   refused     failure        -          Finish(Failure)
            failure     list_done   idle           -          Rest
        "]],
    );
}

#[test]
fn what_a_venue_does_on_its_own_is_a_loop_that_begins_at_executing() {
    check(
        RetryPolicy::BACKTEST,
        "report changed applied match valued list_done report as_asked list_done report refused",
        &expect![[r"
            idle        report      executing      SUBMITTED  TakeHandshake
            executing   changed     reconciling    CONFIRMED  Apply
            reconciling applied     reconciling    APPLIED    Compare
            reconciling match       reconciling    -          RunChain
            reconciling valued      success        RECONCILED Finish(Success)
            success     list_done   idle           -          Rest
            idle        report      executing      SUBMITTED  TakeHandshake
            executing   as_asked    success        -          Finish(Success)
            success     list_done   idle           -          Rest
            idle        report      executing      SUBMITTED  TakeHandshake
            executing   refused     failure        -          Finish(Failure)
        "]],
    );
}

#[test]
fn what_changed_nothing_is_neither_applied_nor_compared_nor_valued() {
    check(
        RetryPolicy::BACKTEST,
        "order routed as_asked order routed refused order routed failed_free",
        &expect![[r"
            idle        order       routing        INTENT     Route
            routing     routed      executing      SUBMITTED  Execute
            executing   as_asked    success        -          Finish(Success)
            success     order       routing        INTENT     Route
            routing     routed      executing      SUBMITTED  Execute
            executing   refused     failure        -          Finish(Failure)
            failure     order       routing        INTENT     Route
            routing     routed      executing      SUBMITTED  Execute
            executing   failed_free failure        -          Finish(Failure)
        "]],
    );
}

#[test]
fn gas_of_a_failure_is_applied_and_compared_and_ends_in_failure() {
    check(
        RetryPolicy::BACKTEST,
        "order routed failed_gas applied match valued order routed changed applied match valued",
        &expect![[r"
            idle        order       routing        INTENT     Route
            routing     routed      executing      SUBMITTED  Execute
            executing   failed_gas  reconciling    CONFIRMED  Apply
            reconciling applied     reconciling    APPLIED    Compare
            reconciling match       reconciling    -          RunChain
            reconciling valued      failure        RECONCILED Finish(Failure)
            failure     order       routing        INTENT     Route
            routing     routed      executing      SUBMITTED  Execute
            executing   changed     reconciling    CONFIRMED  Apply
            reconciling applied     reconciling    APPLIED    Compare
            reconciling match       reconciling    -          RunChain
            reconciling valued      success        RECONCILED Finish(Success)
        "]],
    );
}

#[test]
fn a_mismatch_in_a_backtest_is_a_system_failure_at_once() {
    check(
        RetryPolicy::BACKTEST,
        "order routed changed applied mismatch order",
        &expect![[r"
        idle        order       routing        INTENT     Route
        routing     routed      executing      SUBMITTED  Execute
        executing   changed     reconciling    CONFIRMED  Apply
        reconciling applied     reconciling    APPLIED    Compare
        reconciling mismatch    system_failure -          Finish(SystemFailure)
        system_failure order       EXEC-TRANSITION: Order while system_failure
    "]],
    );
}

#[test]
fn a_mismatch_is_compared_again_and_nothing_else_is_repeated() {
    check(
        ONE_RETRY,
        "order routed changed applied mismatch @1000 elapsed match valued",
        &expect![[r"
            idle        order       routing        INTENT     Route
            routing     routed      executing      SUBMITTED  Execute
            executing   changed     reconciling    CONFIRMED  Apply
            reconciling applied     reconciling    APPLIED    Compare
            reconciling mismatch    retry          -          Sleep { ms: 1000 }
            retry       elapsed     reconciling    -          Compare
            reconciling match       reconciling    -          RunChain
            reconciling valued      success        RECONCILED Finish(Success)
        "]],
    );
}

#[test]
fn an_error_of_the_query_or_of_the_chain_counts_as_a_failed_attempt() {
    check(
        RetryPolicy::LIVE,
        "order routed changed applied call_failed @1000 elapsed match call_failed @3000 elapsed \
         match valued",
        &expect![[r"
            idle        order       routing        INTENT     Route
            routing     routed      executing      SUBMITTED  Execute
            executing   changed     reconciling    CONFIRMED  Apply
            reconciling applied     reconciling    APPLIED    Compare
            reconciling call_failed retry          -          Sleep { ms: 1000 }
            retry       elapsed     reconciling    -          Compare
            reconciling match       reconciling    -          RunChain
            reconciling call_failed retry          -          Sleep { ms: 2000 }
            retry       elapsed     reconciling    -          Compare
            reconciling match       reconciling    -          RunChain
            reconciling valued      success        RECONCILED Finish(Success)
        "]],
    );
}

#[test]
fn a_retry_that_wakes_after_the_deadline_is_a_system_failure() {
    check(
        ONE_RETRY,
        "order routed changed applied @119500 mismatch @120000 elapsed",
        &expect![[r"
            idle        order       routing        INTENT     Route
            routing     routed      executing      SUBMITTED  Execute
            executing   changed     reconciling    CONFIRMED  Apply
            reconciling applied     reconciling    APPLIED    Compare
            reconciling mismatch    retry          -          Sleep { ms: 500 }
            retry       elapsed     system_failure -          Finish(SystemFailure)
        "]],
    );
}

#[test]
fn a_late_failure_is_a_system_failure_without_a_sleep() {
    check(
        ONE_RETRY,
        "order routed changed applied @120000 mismatch",
        &expect![[r"
        idle        order       routing        INTENT     Route
        routing     routed      executing      SUBMITTED  Execute
        executing   changed     reconciling    CONFIRMED  Apply
        reconciling applied     reconciling    APPLIED    Compare
        reconciling mismatch    system_failure -          Finish(SystemFailure)
    "]],
    );
}

#[test]
fn an_order_without_an_answer_is_asked_for_and_not_sent_again() {
    check(
        RetryPolicy::LIVE,
        "order routed call_failed @5000 elapsed pending @15000 elapsed changed applied match valued",
        &expect![[r"
            idle        order       routing        INTENT     Route
            routing     routed      executing      SUBMITTED  Execute
            executing   call_failed retry          -          Sleep { ms: 5000 }
            retry       elapsed     executing      -          QueryStatus
            executing   pending     retry          -          Sleep { ms: 10000 }
            retry       elapsed     executing      -          QueryStatus
            executing   changed     reconciling    CONFIRMED  Apply
            reconciling applied     reconciling    APPLIED    Compare
            reconciling match       reconciling    -          RunChain
            reconciling valued      success        RECONCILED Finish(Success)
        "]],
    );
}

#[test]
fn only_what_the_venue_has_never_seen_is_sent_again() {
    check(
        RetryPolicy::LIVE,
        "order routed call_failed @5000 elapsed unknown changed",
        &expect![[r"
            idle        order       routing        INTENT     Route
            routing     routed      executing      SUBMITTED  Execute
            executing   call_failed retry          -          Sleep { ms: 5000 }
            retry       elapsed     executing      -          QueryStatus
            executing   unknown     executing      -          Execute
            executing   changed     reconciling    CONFIRMED  Apply
        "]],
    );
    check(
        RetryPolicy::LIVE,
        "order routed unknown",
        &expect![[r"
        idle        order       routing        INTENT     Route
        routing     routed      executing      SUBMITTED  Execute
        executing   unknown     EXEC-TRANSITION: Unknown while executing
    "]],
    );
}

#[test]
fn the_third_call_that_fails_is_the_last() {
    check(
        RetryPolicy::LIVE,
        "order routed call_failed @5000 elapsed call_failed @15000 elapsed call_failed",
        &expect![[r"
            idle        order       routing        INTENT     Route
            routing     routed      executing      SUBMITTED  Execute
            executing   call_failed retry          -          Sleep { ms: 5000 }
            retry       elapsed     executing      -          QueryStatus
            executing   call_failed retry          -          Sleep { ms: 10000 }
            retry       elapsed     executing      -          QueryStatus
            executing   call_failed system_failure -          Finish(SystemFailure)
        "]],
    );
}

#[test]
fn no_call_is_made_after_the_deadline() {
    check(
        RetryPolicy::LIVE,
        "order routed @119000 call_failed @120000 elapsed",
        &expect![[r"
        idle        order       routing        INTENT     Route
        routing     routed      executing      SUBMITTED  Execute
        executing   call_failed retry          -          Sleep { ms: 1000 }
        retry       elapsed     system_failure -          Finish(SystemFailure)
    "]],
    );
    check(
        RetryPolicy::LIVE,
        "order routed @110000 call_failed @115000 elapsed @121000 unknown",
        &expect![[r"
            idle        order       routing        INTENT     Route
            routing     routed      executing      SUBMITTED  Execute
            executing   call_failed retry          -          Sleep { ms: 5000 }
            retry       elapsed     executing      -          QueryStatus
            executing   unknown     system_failure -          Finish(SystemFailure)
        "]],
    );
}

#[test]
fn a_fatal_error_ends_every_state() {
    for events in [
        "",
        "order",
        "order routed",
        "order routed changed",
        "order routed changed applied",
        "order routed changed applied match",
        "order routed changed applied mismatch",
        "order routed as_asked",
        "order routed refused",
    ] {
        let mut machine = TightLoop::new(RetryPolicy::LIVE);
        let now = UtcMillis::new(0);
        for word in events.split_whitespace() {
            machine.on(event(word), now).unwrap();
        }
        let before = machine.state();
        machine.on(Event::Fatal, now).unwrap();
        assert_eq!(machine.state(), LoopState::SystemFailure, "{events}");
        assert_eq!(machine.failed_in(), before);
        assert_eq!(machine.give_up(), Some(GiveUp::Fatal));
        assert!(machine.on(Event::Order, now).is_err(), "nothing leaves a system failure");
    }
}

/// Every event in every state: those that the table has, and no others, are legal.
#[test]
fn every_other_event_is_an_error_that_changes_nothing() {
    const EVENTS: [&str; 19] = [
        "order",
        "report",
        "routed",
        "no_route",
        "changed",
        "as_asked",
        "refused",
        "failed_free",
        "failed_gas",
        "pending",
        "unknown",
        "applied",
        "match",
        "mismatch",
        "valued",
        "call_failed",
        "elapsed",
        "fatal",
        "list_done",
    ];
    let mut table = String::new();
    for (name, way) in [
        ("idle", ""),
        ("routing", "order"),
        ("executing", "order routed"),
        ("executing (status)", "order routed call_failed elapsed"),
        ("reconciling (apply)", "order routed changed"),
        ("reconciling (compare)", "order routed changed applied"),
        ("reconciling (chain)", "order routed changed applied match"),
        ("retry (compare)", "order routed changed applied mismatch"),
        ("retry (status)", "order routed pending"),
        ("success", "order routed as_asked"),
        ("failure", "order routed refused"),
        ("system_failure", "fatal"),
    ] {
        let mut reached = TightLoop::new(RetryPolicy::LIVE);
        for word in way.split_whitespace() {
            reached.on(event(word), UtcMillis::new(0)).unwrap();
        }
        let legal = EVENTS.iter().filter(|word| {
            let mut machine = reached.clone();
            let taken = machine.on(event(word), UtcMillis::new(0));
            if taken.is_err() {
                assert_eq!(format!("{machine:?}"), format!("{reached:?}"));
            }
            taken.is_ok()
        });
        let legal: Vec<_> = legal.copied().collect();
        writeln!(table, "{name}: {}", legal.join(" ")).unwrap();
    }
    expect![[r"
        idle: order report fatal
        routing: routed no_route call_failed fatal
        executing: changed as_asked refused failed_free failed_gas pending call_failed fatal
        executing (status): changed as_asked refused failed_free failed_gas pending unknown call_failed fatal
        reconciling (apply): applied fatal
        reconciling (compare): match mismatch call_failed fatal
        reconciling (chain): valued call_failed fatal
        retry (compare): elapsed fatal
        retry (status): elapsed fatal
        success: order fatal list_done
        failure: order fatal list_done
        system_failure: 
    "]].assert_eq(&table);
}

#[test]
fn the_path_keeps_the_states_and_their_instants() {
    let mut machine = TightLoop::new(RetryPolicy::LIVE);
    for (at, word) in [
        (0, "order"),
        (0, "routed"),
        (200, "changed"),
        (200, "applied"),
        (300, "mismatch"),
        (1_300, "elapsed"),
        (1_400, "match"),
        (1_450, "valued"),
    ] {
        machine.on(event(word), UtcMillis::new(at)).unwrap();
    }
    let path = machine.take_path();
    assert_eq!(
        path.to_string(),
        "routing > executing > reconciling > retry > reconciling > success"
    );
    let at: Vec<_> = path.iter().map(|stop| stop.at.millis()).collect();
    assert_eq!(at, [0, 0, 200, 300, 1_300, 1_450]);
}

/// Runs the comparisons of one order: `F` and `T` are compared, each call takes `call_ms`.
fn schedule(policy: RetryPolicy, compares: &str, call_ms: i64) -> String {
    let mut machine = TightLoop::new(policy);
    let mut now = 0;
    let (mut starts, mut executes, mut applies) = (Vec::new(), 0, 0);
    let mut compares = compares.chars().cycle();
    let mut event = Event::Order;
    let end = loop {
        let step = machine.on(event, UtcMillis::new(now)).unwrap();
        event = match step.action {
            Action::Route => Event::Routed,
            Action::Execute => {
                executes += 1;
                Event::Answered(Answer::Changed)
            }
            Action::Apply => {
                applies += 1;
                Event::Applied
            }
            Action::Compare => {
                starts.push(seconds(now));
                now += policy.reconcile_timeout_ms.map_or(call_ms, |limit| call_ms.min(limit));
                Event::Compared { agree: compares.next() == Some('T') }
            }
            Action::RunChain => Event::Valued,
            Action::Sleep { ms } => {
                now += ms;
                Event::Elapsed
            }
            Action::Finish(end) => break end,
            Action::QueryStatus | Action::TakeHandshake | Action::Rest => unreachable!(),
        };
    };
    assert_eq!((executes, applies), (1, 1), "sent once and applied once");
    assert_eq!((machine.attempts().execute, machine.attempts().apply), (1, 1));
    let starts = starts.join(", ");
    let why = machine.give_up().map_or(String::new(), |why| format!(" ({why:?})"));
    format!("{starts} -> {} at {}{why}", end.name(), seconds(now))
}

fn seconds(ms: i64) -> String {
    (Decimal::from(ms) / Decimal::ONE_THOUSAND).normalize().to_string()
}

#[test]
fn comparisons_follow_the_schedule() {
    let live = RetryPolicy::LIVE;
    let untimed = RetryPolicy { reconcile_timeout_ms: None, ..live };
    let patient = RetryPolicy { retry_until_deadline: true, ..live };
    for (policy, compares, call_ms, expected) in [
        (live, "FFT", 0, "0, 1, 3 -> success at 3"),
        (live, "FFFT", 0, "0, 1, 3, 7 -> success at 7"),
        (live, "F", 0, "0, 1, 3, 7 -> system_failure at 7 (RetriesExhausted)"),
        (live, "F", 10_000, "0, 11, 23, 37 -> system_failure at 47 (RetriesExhausted)"),
        (untimed, "F", 40_000, "0, 41, 83 -> system_failure at 123 (Deadline)"),
        (RetryPolicy::STAGING, "FT", 0, "0, 1 -> success at 1"),
        (RetryPolicy::STAGING, "F", 0, "0, 1 -> system_failure at 1 (RetriesExhausted)"),
        (RetryPolicy::BACKTEST, "T", 0, "0 -> success at 0"),
        (RetryPolicy::BACKTEST, "F", 0, "0 -> system_failure at 0 (RetriesExhausted)"),
    ] {
        assert_eq!(schedule(policy, compares, call_ms), expected, "{compares} of {call_ms} ms");
    }
    let found = schedule(patient, "F", 0);
    assert!(found.starts_with("0, 1, 3, 7, 11, 15, "), "{found}");
    assert!(found.ends_with("115, 119 -> system_failure at 120 (Deadline)"), "{found}");
}

fn delta() -> Vec<Delta> {
    vec![Delta::new(KeyIx(0), Decimal::ONE, Cause::Trade)]
}

#[test]
fn every_status_means_what_the_table_says() {
    let op_id = OperationId::submission(OrderId { strategy: StrategyIx(0), number: 1 });
    let mut table = String::new();
    for status in HandshakeStatus::ALL {
        for deltas in [Vec::new(), delta()] {
            let has = if deltas.is_empty() { "without deltas" } else { "with deltas" };
            let handshake =
                Handshake { deltas, ..Handshake::without_deltas(op_id, status, UtcMillis::new(0)) };
            writeln!(table, "{} {has}: {:?}", status.name(), Answer::of(&handshake)).unwrap();
        }
    }
    let asked = Handshake::without_deltas(op_id, HandshakeStatus::Canceled, UtcMillis::new(0))
        .because(Refusal::new(RefusalCode::Canceled, "asked for"));
    writeln!(table, "canceled as asked: {:?}", Answer::of(&asked)).unwrap();
    expect![[r"
        confirmed without deltas: Changed
        confirmed with deltas: Changed
        partial without deltas: Changed
        partial with deltas: Changed
        working without deltas: AsAsked
        working with deltas: AsAsked
        pending without deltas: Pending
        pending with deltas: Pending
        rejected without deltas: Refused
        rejected with deltas: Refused
        failed without deltas: FailedFree
        failed with deltas: FailedWithGas
        rolled_back without deltas: FailedFree
        rolled_back with deltas: FailedWithGas
        expired without deltas: Refused
        expired with deltas: Changed
        canceled without deltas: Refused
        canceled with deltas: Changed
        canceled as asked: AsAsked
    "]]
    .assert_eq(&table);
}
