//! The life of a run: ready, frames, end, reports.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::run::{BacktestEngine, Settings};
use engine::service::RunStatus;
use model::event::Topic;

use crate::support::{
    AUDIT, EXECUTION, Fails, Fault, GATE, Log, STRATEGY, Scripted, audit, engine, is_frame, minute,
    run, silent, user,
};

#[test]
fn a_run_begins_ready_ends_after_the_last_barrier_and_finishes_once() {
    let log = Log::default();
    let report = run(engine().service(AUDIT, audit(&log)), 2);
    assert!(report.error.is_none());
    let expected = [
        "audit 1 control engine_ready",
        "closed audit 1",
        "audit 2 frame 1",
        "closed audit 1",
        "audit 3 frame 2",
        "closed audit 2",
        "audit 4 control eof",
        "closed audit 2",
        "finish audit ok",
    ];
    assert_eq!(log.lines(), expected);
    assert_eq!(report.outcome.status, RunStatus::Completed);
    assert_eq!((report.outcome.frames, report.outcome.events), (2, 4));
    assert_eq!(report.outcome.failure, None);
}

#[test]
fn there_is_one_report_per_service_in_rank_order() {
    let log = Log::default();
    let engine = engine()
        .service(AUDIT, silent("audit", &Topic::ALL, &log))
        .service(user(1), silent("second user", &[], &log))
        .service(GATE, silent("gate", &[], &log))
        .service(STRATEGY, silent("strategy", &[Topic::Frame], &log))
        .service(user(0), silent("first user", &[Topic::Frame], &log))
        .service(EXECUTION, silent("execution", &[Topic::Frame], &log));
    let report = run(engine, 1);
    let reported: Vec<&str> = report.services.iter().map(|one| one.service.as_str()).collect();
    let expected = ["execution", "strategy", "first user", "second user", "gate", "audit"];
    assert_eq!(reported, expected);
    let finished = expected.map(|name| format!("finish {name} ok"));
    assert_eq!(log.about("finish"), finished);
}

#[test]
#[should_panic(expected = "is taken twice")]
fn a_rank_is_taken_once() {
    let log = Log::default();
    let _engine =
        engine().service(AUDIT, silent("one", &[], &log)).service(AUDIT, silent("two", &[], &log));
}

#[test]
fn the_stop_flag_ends_the_run_after_the_present_frame() {
    let (log, stop) = (Log::default(), Arc::new(AtomicBool::new(false)));
    let flag = Arc::clone(&stop);
    let stopper = Scripted::<true>::new("stopper", &[Topic::Frame], &log, move |envelope, _| {
        flag.store(envelope.seq == 3, Ordering::Relaxed);
        Ok(())
    });
    let engine = BacktestEngine::new(Settings { stop, ..Settings::default() });
    let report = run(engine.service(user(0), stopper).service(AUDIT, audit(&log)), 100);
    assert!(report.error.is_none());
    assert_eq!(report.outcome.status, RunStatus::Interrupted);
    assert_eq!(report.outcome.frames, 2);
    let expected = [
        "audit 1 control engine_ready",
        "audit 2 frame 1",
        "audit 3 frame 2",
        "audit 4 control interrupted",
    ];
    assert_eq!(log.about("audit"), expected);
    assert_eq!(log.about("finish"), ["finish stopper interrupted", "finish audit interrupted"]);
}

#[test]
fn ticks_close_after_the_barrier_in_rank_order_and_wake_nobody_else() {
    let log = Log::default();
    let open = Scripted::<false>::new("open", &[Topic::Frame], &log, |_, _| Ok(()));
    let engine = engine()
        .service(AUDIT, audit(&log))
        .service(user(0), silent("user", &[Topic::Frame], &log))
        .service(user(1), open)
        .service(STRATEGY, silent("deaf", &[], &log));
    run(engine, 1);
    let expected = [
        "audit 1 control engine_ready",
        "closed deaf 1",
        "closed user 1",
        "closed audit 1",
        "audit 2 frame 1",
        "closed deaf 1",
        "closed user 1",
        "closed audit 1",
        "audit 3 control eof",
    ];
    assert_eq!(log.lines()[..9], expected);
}

#[test]
fn a_tick_that_failed_is_not_closed() {
    let log = Log::default();
    let failing = Scripted::<true>::new("failing", &[Topic::Frame], &log, |envelope, _| {
        if envelope.seq == 3 { Err(Fault::Margin) } else { Ok(()) }
    });
    let engine = engine()
        .service(user(0), silent("user", &[Topic::Frame], &log))
        .service(user(1), failing)
        .service(AUDIT, audit(&log));
    run(engine, 3);
    let closed = ["closed user 1", "closed failing 1", "closed audit 1"];
    assert_eq!(log.about("closed"), [closed, closed].concat(), "engine_ready and the first frame");
}

#[test]
fn a_tick_whose_close_fails_is_closed_by_nobody_after_that() {
    let log = Log::default();
    let engine = engine()
        .service(user(0), silent("user", &[Topic::Frame], &log))
        .service(user(1), silent("failing", &[Topic::Frame], &log).failing(Fails::AtClose))
        .service(AUDIT, audit(&log));
    run(engine, 3);
    assert_eq!(log.about("closed"), ["closed user 1", "closed failing 1"]);
}

#[test]
fn time_is_that_of_the_frame_for_everybody_inside_the_tick() {
    let seen = Rc::new(Cell::new(0));
    let counted = Rc::clone(&seen);
    let watcher =
        Scripted::<true>::new("watcher", &[Topic::Frame], &Log::default(), move |envelope, _| {
            assert!(is_frame(envelope));
            counted.set(counted.get() + 1);
            assert_eq!(minute(envelope.ts), counted.get());
            Ok(())
        });
    let report = run(engine().service(user(0), watcher), 5);
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(seen.get(), 5);
}
