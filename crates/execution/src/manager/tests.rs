//! Lists of orders as text tables: what was logged, what became of each, how the list ended.

mod fixtures;

use std::fmt::Write;

use expect_test::expect;
use model::interface::InterfaceError;
use model::operation::Operation;
use model::tight_loop::{LoopEnd, LoopState};

use self::fixtures::{Bench, check};
use crate::failure::{Component, FailureClass, FailureReason};
use crate::fault_injection::{FaultPoint, FaultScript};
use crate::health::Health;
use crate::outcome::RunStop;
use crate::profile::FailedOrderPolicy::{self, AbortRun, AbortTimestep, Continue, SkipGroup};

#[test]
fn each_order_is_finished_before_the_next_one_begins() {
    check(
        AbortRun,
        "confirmed working partial",
        &expect![[r"
        INTENT order 0.1 #0
        SUBMITTED order 0.1 #0
        CONFIRMED order 0.1 #0
        APPLIED order 0.1 #0
        RECONCILED order 0.1 #0
        loop order 0.1 #0 success
        INTENT order 0.2 #0
        SUBMITTED order 0.2 #0
        loop order 0.2 #0 success
        INTENT order 0.3 #0
        SUBMITTED order 0.3 #0
        CONFIRMED order 0.3 #0
        APPLIED order 0.3 #0
        RECONCILED order 0.3 #0
        loop order 0.3 #0 success
        order 0.1 #0: confirmed, success (routing > executing > reconciling > success)
        order 0.2 #0: working, success (routing > executing > success)
        order 0.3 #0: partial, success (routing > executing > reconciling > success)
        goes on
    "]],
    );
}

#[test]
fn a_refused_order_never_stops_the_run() {
    check(
        AbortRun,
        "confirmed rejected expired canceled confirmed",
        &expect![[r"
        INTENT order 0.1 #0
        SUBMITTED order 0.1 #0
        CONFIRMED order 0.1 #0
        APPLIED order 0.1 #0
        RECONCILED order 0.1 #0
        loop order 0.1 #0 success
        INTENT order 0.2 #0
        SUBMITTED order 0.2 #0
        LOW VEN-BALANCE order 0.2 #0
        loop order 0.2 #0 failure
        INTENT order 0.3 #0
        SUBMITTED order 0.3 #0
        LOW VEN-EXPIRED order 0.3 #0
        loop order 0.3 #0 failure
        INTENT order 0.4 #0
        SUBMITTED order 0.4 #0
        LOW VEN-FOK order 0.4 #0
        loop order 0.4 #0 failure
        INTENT order 0.5 #0
        SUBMITTED order 0.5 #0
        CONFIRMED order 0.5 #0
        APPLIED order 0.5 #0
        RECONCILED order 0.5 #0
        loop order 0.5 #0 success
        order 0.1 #0: confirmed, success (routing > executing > reconciling > success)
        order 0.2 #0: rejected, failure (routing > executing > failure)
        order 0.3 #0: expired, failure (routing > executing > failure)
        order 0.4 #0: canceled, failure (routing > executing > failure)
        order 0.5 #0: confirmed, success (routing > executing > reconciling > success)
        goes on
    "]],
    );
}

#[test]
fn an_order_that_nothing_takes_is_rejected_without_a_call() {
    check(
        AbortRun,
        "no_route confirmed",
        &expect![[r"
        INTENT order 0.1 #0
        LOW EXEC-NO-ROUTE order 0.1 #0
        loop order 0.1 #0 failure
        update 1 rejected EXEC-NO-ROUTE
        INTENT order 0.2 #0
        SUBMITTED order 0.2 #0
        CONFIRMED order 0.2 #0
        APPLIED order 0.2 #0
        RECONCILED order 0.2 #0
        loop order 0.2 #0 success
        order 0.1 #0: rejected, failure (routing > failure)
        order 0.2 #0: confirmed, success (routing > executing > reconciling > success)
        goes on
    "]],
    );
}

#[test]
fn a_failed_order_skips_the_rest_and_ends_the_run() {
    check(
        AbortRun,
        "confirmed failed confirmed",
        &expect![[r#"
        INTENT order 0.1 #0
        SUBMITTED order 0.1 #0
        CONFIRMED order 0.1 #0
        APPLIED order 0.1 #0
        RECONCILED order 0.1 #0
        loop order 0.1 #0 success
        INTENT order 0.2 #0
        SUBMITTED order 0.2 #0
        HIGH EXEC-FAILED order 0.2 #0
        loop order 0.2 #0 failure
        update 3 canceled EXEC-SKIPPED
        order 0.1 #0: confirmed, success (routing > executing > reconciling > success)
        order 0.2 #0: failed, failure (routing > executing > failure)
        order 0.3 #0: canceled, skipped ()
        ends: EXEC-FAILED: order 0.2 #0 failed (on_failed_order = "abort_run")
    "#]],
    );
}

#[test]
fn every_policy_is_followed_on_failed_and_on_rolled_back() {
    let mut table = String::new();
    for policy in [AbortRun, AbortTimestep, Continue, SkipGroup] {
        for failure in ["failed", "failed_gas", "rolled_back", "rolled_back_gas"] {
            table += &row(policy, &format!("confirmed {failure} confirmed other_group"));
        }
    }
    expect![[r"
        abort_run confirmed failed confirmed other_group: success failure skipped skipped | next frame skipped, ends after the frame
        abort_run confirmed failed_gas confirmed other_group: success failure skipped skipped | next frame skipped, ends after the frame
        abort_run confirmed rolled_back confirmed other_group: success failure skipped skipped | next frame skipped, ends after the frame
        abort_run confirmed rolled_back_gas confirmed other_group: success failure skipped skipped | next frame skipped, ends after the frame
        abort_timestep confirmed failed confirmed other_group: success failure skipped skipped | next frame success, goes on
        abort_timestep confirmed failed_gas confirmed other_group: success failure skipped skipped | next frame success, goes on
        abort_timestep confirmed rolled_back confirmed other_group: success failure skipped skipped | next frame success, goes on
        abort_timestep confirmed rolled_back_gas confirmed other_group: success failure skipped skipped | next frame success, goes on
        continue confirmed failed confirmed other_group: success failure success success | next frame success, goes on
        continue confirmed failed_gas confirmed other_group: success failure success success | next frame success, goes on
        continue confirmed rolled_back confirmed other_group: success failure success success | next frame success, goes on
        continue confirmed rolled_back_gas confirmed other_group: success failure success success | next frame success, goes on
        skip_group confirmed failed confirmed other_group: success failure skipped success | next frame success, goes on
        skip_group confirmed failed_gas confirmed other_group: success failure skipped success | next frame success, goes on
        skip_group confirmed rolled_back confirmed other_group: success failure skipped success | next frame success, goes on
        skip_group confirmed rolled_back_gas confirmed other_group: success failure skipped success | next frame success, goes on
    "]].assert_eq(&table);
}

/// The ends of this frame's orders, of one order of the next frame, and whether the run ends.
fn row(policy: FailedOrderPolicy, script: &str) -> String {
    let mut bench = Bench::new(policy, script);
    let first = bench.process();
    let ending = match &first.ending {
        Ok(()) => "goes on",
        Err(RunStop::OrderFailed { .. } | RunStop::Critical { .. }) => "ends after the frame",
        Err(RunStop::System(_)) => "system failure",
    };
    let ends: Vec<_> = first.outcomes.iter().map(|outcome| outcome.record.end.name()).collect();
    bench.next_frame("confirmed");
    let next = bench.process().outcomes.remove(0).record.end.name();
    format!("{} {script}: {} | next frame {next}, {ending}\n", policy.name(), ends.join(" "))
}

#[test]
fn what_a_venue_does_after_its_answer_is_a_loop_of_its_own() {
    check(
        AbortRun,
        "confirmed+later confirmed",
        &expect![[r"
        INTENT order 0.1 #0
        SUBMITTED order 0.1 #0
        CONFIRMED order 0.1 #0
        APPLIED order 0.1 #0
        RECONCILED order 0.1 #0
        loop order 0.1 #0 success
        SUBMITTED order 0.8 #1
        loop order 0.8 #1 success
        SUBMITTED order 0.9 #1
        loop order 0.9 #1 success
        INTENT order 0.2 #0
        SUBMITTED order 0.2 #0
        CONFIRMED order 0.2 #0
        APPLIED order 0.2 #0
        RECONCILED order 0.2 #0
        loop order 0.2 #0 success
        order 0.1 #0: confirmed, success (routing > executing > reconciling > success)
        order 0.2 #0: confirmed, success (routing > executing > reconciling > success)
        goes on
    "]],
    );
}

#[test]
fn a_venue_moves_on_its_own_between_orders() {
    let mut bench = Bench::new(AbortRun, "");
    let moved = bench.move_venue(&["confirmed", "canceled_as_asked", "expired"]);
    assert!(moved.is_ok());
    expect![[r"
        SUBMITTED order 0.1 #1
        CONFIRMED order 0.1 #1
        APPLIED order 0.1 #1
        RECONCILED order 0.1 #1
        loop order 0.1 #1 success
        SUBMITTED order 0.1 #2
        loop order 0.1 #2 success
        SUBMITTED order 0.1 #3
        LOW VEN-EXPIRED order 0.1 #3
        loop order 0.1 #3 failure
    "]]
    .assert_eq(&bench.log());
}

#[test]
fn deltas_are_applied_once_and_the_order_is_sent_once() {
    for script in ["confirmed", "failed_gas", "mismatch", "query_error", "chain_error"] {
        let mut bench = Bench::new(AbortRun, script);
        let processed = bench.process();
        let attempts = processed.outcomes[0].record.attempts;
        assert_eq!((attempts.execute, attempts.apply), (1, 1), "{script}");
        assert_eq!(bench.ledger.applied, 1, "{script}");
        assert_eq!(bench.sent(), 1, "{script}");
    }
}

#[test]
fn the_account_is_valued_once_after_agreement_and_never_after_a_mismatch() {
    for (script, chains) in [("confirmed", 1), ("failed_gas", 1), ("working", 0), ("mismatch", 0)] {
        let mut bench = Bench::new(AbortRun, script);
        drop(bench.process());
        assert_eq!(bench.ledger.chains, chains, "{script}");
    }
}

#[test]
fn whatever_nobody_can_go_on_from_is_a_system_failure_that_names_the_order() {
    let mut table = String::new();
    for script in [
        "mismatch",
        "query_error",
        "chain_error",
        "apply_error",
        "unreachable",
        "silent",
        "pending",
        "wrong_answer",
        "contradiction",
        "breaks_down",
    ] {
        let mut bench = Bench::new(Continue, &format!("confirmed {script} confirmed"));
        let processed = bench.process();
        let Err(RunStop::System(failure)) = &processed.ending else { panic!("{script} went on") };
        assert_eq!(failure.op_id, Some(processed.outcomes[1].record.op_id));
        assert_eq!(processed.outcomes.len(), 3);
        assert!(processed.outcomes[2].is_skipped());
        assert_eq!(bench.manager.health().worst(0), Health::Critical);
        assert_eq!(bench.log().matches("CRITICAL").count(), 1, "{script}");
        let ends: Vec<_> =
            processed.outcomes.iter().map(|outcome| outcome.record.end.name()).collect();
        writeln!(table, "{script}: {failure} | {}", ends.join(" ")).unwrap();
    }
    expect![[r"
        mismatch: REC-MISMATCH: order 0.2 #0 failed while reconciling | success system_failure skipped
        query_error: POS-QUERY: order 0.2 #0 failed while reconciling | success system_failure skipped
        chain_error: EXEC-CHAIN: order 0.2 #0 failed while reconciling | success system_failure skipped
        apply_error: POS-APPLY: order 0.2 #0 failed while reconciling | success system_failure skipped
        unreachable: EXEC-INTERFACE: order 0.2 #0 failed while executing | success system_failure skipped
        silent: EXEC-SILENT: order 0.2 #0 failed while executing | success system_failure skipped
        pending: EXEC-RETRIES: order 0.2 #0 failed while executing | success system_failure skipped
        wrong_answer: EXEC-ANSWER: order 0.2 #0 failed while executing | success system_failure skipped
        contradiction: EXEC-HANDSHAKE: order 0.2 #0 failed while executing | success system_failure skipped
        breaks_down: EXEC-INTERFACE: order 0.2 #0 failed while success | success success skipped
    "]].assert_eq(&table);
}

#[test]
fn each_component_fails_where_the_script_of_faults_says() {
    let mut table = String::new();
    for component in Component::ALL {
        let point = FaultPoint { component, operation: Some(Operation::SpotTrade), nth_call: 2 };
        let mut bench = Bench::new(AbortRun, "confirmed confirmed confirmed");
        bench.manager = bench.manager.with_faults(FaultScript::new([point]));
        let processed = bench.process();
        let Err(RunStop::System(failure)) = &processed.ending else { panic!("it went on") };
        assert_eq!(bench.manager.health().critical(), Some(component));
        let paths: Vec<_> =
            processed.outcomes.iter().map(|outcome| outcome.record.path.to_string()).collect();
        assert_eq!(processed.outcomes[0].record.end, LoopEnd::Success);
        let (name, applied) = (component.name(), bench.ledger.applied);
        writeln!(table, "{name}: {failure} | {} | applied {applied}", paths[1]).unwrap();
    }
    expect![[r"
        route: EXEC-INJECTED: order 0.2 #0 failed while routing | routing > system_failure | applied 1
        execute: EXEC-INJECTED: order 0.2 #0 failed while executing | routing > executing > system_failure | applied 1
        apply: EXEC-INJECTED: order 0.2 #0 failed while reconciling | routing > executing > reconciling > system_failure | applied 1
        query_real: EXEC-INJECTED: order 0.2 #0 failed while reconciling | routing > executing > reconciling > system_failure | applied 2
        reconcile: EXEC-INJECTED: order 0.2 #0 failed while reconciling | routing > executing > reconciling > system_failure | applied 2
        exposure: EXEC-INJECTED: order 0.2 #0 failed while reconciling | routing > executing > reconciling > system_failure | applied 2
        risk: EXEC-INJECTED: order 0.2 #0 failed while reconciling | routing > executing > reconciling > system_failure | applied 2
        pnl: EXEC-INJECTED: order 0.2 #0 failed while reconciling | routing > executing > reconciling > system_failure | applied 2
    "]].assert_eq(&table);
}

#[test]
fn no_order_begins_while_a_component_is_critical() {
    let mut bench = Bench::new(Continue, "confirmed confirmed");
    bench.manager.health_mut().note(Component::Risk, FailureClass::Fatal, 0);
    let processed = bench.process();
    let Err(RunStop::System(failure)) = &processed.ending else { panic!("it went on") };
    assert!(matches!(failure.reason, FailureReason::Critical(Component::Risk)));
    assert_eq!(failure.state, LoopState::Idle);
    assert_eq!(bench.sent(), 0);
    let ends: Vec<_> = processed.outcomes.iter().map(|outcome| outcome.record.end).collect();
    assert_eq!(ends, [LoopEnd::SystemFailure, LoopEnd::Skipped]);
}

#[test]
fn a_venue_that_cannot_move_ends_the_run() {
    let mut bench = Bench::new(Continue, "confirmed");
    let (venue, reason) = ("binance".into(), "down".into());
    let moved = bench.let_move(|_| Err(InterfaceError::Unreachable { venue, reason }));
    assert!(matches!(moved, Err(RunStop::System(_))));
    assert!(bench.manager.has_stopped());
    assert!(bench.process().outcomes[0].is_skipped());
}

#[test]
fn a_group_is_one_order_with_one_handshake_and_one_comparison() {
    check(
        Continue,
        "confirmed group group_rolled_back",
        &expect![[r"
            INTENT order 0.1 #0
            SUBMITTED order 0.1 #0
            CONFIRMED order 0.1 #0
            APPLIED order 0.1 #0
            RECONCILED order 0.1 #0
            loop order 0.1 #0 success
            INTENT group 0.2 #0
            SUBMITTED group 0.2 #0
            CONFIRMED group 0.2 #0
            APPLIED group 0.2 #0
            RECONCILED group 0.2 #0
            loop group 0.2 #0 success
            INTENT group 0.3 #0
            SUBMITTED group 0.3 #0
            HIGH EXEC-FAILED group 0.3 #0
            CONFIRMED group 0.3 #0
            APPLIED group 0.3 #0
            RECONCILED group 0.3 #0
            loop group 0.3 #0 failure
            order 0.1 #0: confirmed, success (routing > executing > reconciling > success)
            group 0.2 #0: confirmed, success (routing > executing > reconciling > success)
            group 0.3 #0: rolled_back, failure (routing > executing > reconciling > failure)
            goes on
        "]],
    );
    let mut bench = Bench::new(Continue, "confirmed group group_rolled_back confirmed");
    let processed = bench.process();
    assert_eq!(processed.outcomes.len(), 4, "one place in the list");
    let ledger = &bench.ledger;
    assert_eq!((bench.sent(), ledger.applied, ledger.compared, ledger.chains), (4, 4, 4, 4));
}

#[test]
fn a_group_that_is_skipped_is_one_outcome_and_news_of_every_member() {
    check(
        AbortRun,
        "failed group",
        &expect![[r#"
        INTENT order 0.1 #0
        SUBMITTED order 0.1 #0
        HIGH EXEC-FAILED order 0.1 #0
        loop order 0.1 #0 failure
        update 21 canceled EXEC-SKIPPED
        update 22 canceled EXEC-SKIPPED
        update 23 canceled EXEC-SKIPPED
        order 0.1 #0: failed, failure (routing > executing > failure)
        group 0.2 #0: canceled, skipped ()
        ends: EXEC-FAILED: order 0.1 #0 failed (on_failed_order = "abort_run")
    "#]],
    );
}
