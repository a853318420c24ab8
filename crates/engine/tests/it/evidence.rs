//! What a failure leaves in the log, and who is told how the run ended.

use std::pin::Pin;
use std::task::{Context, Poll};

use engine::delivery::Inbox;
use engine::error::EngineError;
use engine::feed::BarFeed;
use engine::rank::Rank;
use engine::run::BacktestEngine;
use engine::service::{BacktestService, RunStatus, ServiceReport};
use futures_core::Stream;
use model::event::{Envelope, Topic};
use model::frame::Frame;

use crate::support::{
    AUDIT, Door, Fails, Fault, GATE, Log, Looping, Scripted, Suspension, audit, batch, block_on,
    custom, engine, run, silent, suspending, user, what,
};

/// Publishes `kinds` at every frame and then does as `end` says.
fn speaker(
    name: &'static str,
    kinds: &'static [&'static str],
    log: &Log,
    end: fn() -> Result<(), Fault>,
) -> Scripted {
    Scripted::new(name, &[Topic::Frame], log, move |_, outbox| {
        for kind in kinds {
            outbox.publish(custom(kind));
        }
        end()
    })
}

/// A service that writes down what it hears as `heard NAME WHAT`.
fn listener(name: &'static str, log: &Log) -> Scripted {
    let lines = log.clone();
    Scripted::new(name, &[Topic::Frame, Topic::Custom, Topic::Control], log, move |envelope, _| {
        lines.write(format_args!("heard {name} {}", what(envelope)));
        Ok(())
    })
}

/// The failing service stands between two that have something to say.
fn between(failing: impl BacktestService + 'static, log: &Log) -> BacktestEngine {
    engine()
        .service(user(0), speaker("before", &["staged"], log, || Ok(())))
        .service(user(1), failing)
        .service(user(2), speaker("after", &["never"], log, || Ok(())))
        .service(GATE, listener("gate", log))
        .service(AUDIT, audit(log))
}

#[test]
fn what_a_failing_handler_published_and_what_was_staged_reach_the_audit_and_only_it() {
    for (end, last) in [
        (
            (|| Err(Fault::Margin)) as fn() -> Result<(), Fault>,
            "audit 5 control failed failing: service `failing` failed at event 2: out of margin",
        ),
        (
            || panic!("no such key"),
            "audit 5 control failed failing: service `failing` panicked at event 2: no such key",
        ),
    ] {
        let log = Log::default();
        let failing = speaker("failing", &["order"], &log, end);
        run(between(failing, &log), 3);
        let expected = [
            "audit 1 control engine_ready",
            "audit 2 frame 1",
            "audit 3 custom staged",
            "audit 4 custom order",
            last,
        ];
        assert_eq!(log.about("audit"), expected);
        assert_eq!(log.about("heard"), ["heard gate control engine_ready"]);
    }
}

#[test]
fn the_rest_of_the_cycle_reaches_the_audit_with_its_causes() {
    let log = Log::default();
    let failing = Scripted::<true>::new("failing", &[Topic::Custom], &log, |_, outbox| {
        outbox.publish(custom("last"));
        Err(Fault::Margin)
    });
    let lines = log.clone();
    let auditor =
        Scripted::<true>::new("audit", &Topic::ALL, &log, move |envelope: &Envelope, _| {
            let cause = envelope.cause_seq.unwrap_or(0);
            lines.write(format_args!(
                "audit {} of {cause} {}",
                envelope.seq,
                envelope.topic().name()
            ));
            Ok(())
        });
    let engine = engine()
        .service(user(0), speaker("speaker", &["one", "two", "three"], &log, || Ok(())))
        .service(user(1), failing)
        .service(AUDIT, auditor);
    run(engine, 1);
    let expected = [
        "audit 1 of 0 control",
        "audit 2 of 0 frame",
        "audit 3 of 2 custom",
        "audit 4 of 2 custom",
        "audit 5 of 2 custom",
        "audit 6 of 3 custom",
        "audit 7 of 0 control",
    ];
    assert_eq!(log.about("audit"), expected);
}

#[test]
fn everybody_but_the_failed_one_finishes_once_and_the_audit_last() {
    let log = Log::default();
    let failing = speaker("failing", &[], &log, || Err(Fault::Margin));
    let report = run(between(failing, &log), 3);
    let expected = [
        "finish before failed",
        "finish after failed",
        "finish gate failed",
        "finish audit failed",
    ];
    assert_eq!(log.about("finish"), expected);
    let reported: Vec<String> = report.services.into_iter().map(|one| one.service).collect();
    assert_eq!(reported, ["before", "after", "gate", "audit"]);
    assert_eq!(report.outcome.status, RunStatus::Failed);
    assert_eq!((report.outcome.frames, report.outcome.events), (0, 4));
}

#[test]
fn a_service_that_published_what_it_may_not_does_not_finish() {
    let log = Log::default();
    let failing = speaker("failing", &["order"], &log, || Ok(()));
    run(engine().service(GATE, failing).service(AUDIT, audit(&log)), 1);
    assert_eq!(log.about("finish"), ["finish audit failed"]);
    let expected = "audit 4 control failed failing: service `failing` may not publish custom";
    assert_eq!(log.about("audit").last().map(String::as_str), Some(expected));
}

#[test]
fn a_service_that_left_its_loop_has_no_report_and_is_not_finished() {
    let log = Log::default();
    let body = async |mut inbox: Inbox| {
        inbox.next_tick().await;
        Ok(ServiceReport::new("deserter"))
    };
    let deserter = Looping { name: "deserter", topics: &[], body };
    let report = run(between(deserter, &log), 1);
    let reported: Vec<String> = report.services.into_iter().map(|one| one.service).collect();
    assert_eq!(reported, ["before", "after", "gate", "audit"]);
}

#[test]
fn a_suspended_service_is_stopped_by_the_failure_of_another() {
    let log = Log::default();
    let stuck = Suspension::Door(Door::default());
    let engine = engine()
        .service(user(0), suspending("suspended", &[Topic::Frame], stuck, |_, _| {}))
        .service(user(1), speaker("failing", &["order"], &log, || Err(Fault::Margin)))
        .service(AUDIT, audit(&log));
    let report = run(engine, 1);
    assert_eq!(report.error.as_ref().and_then(EngineError::service), Some("failing"));
    let expected = [
        "audit 1 control engine_ready",
        "audit 2 frame 1",
        "audit 3 custom order",
        "audit 4 control failed failing: service `failing` failed at event 2: out of margin",
    ];
    assert_eq!(log.about("audit"), expected);
}

#[test]
fn a_failure_at_the_close_of_a_tick_reaches_the_audit() {
    let log = Log::default();
    let failing = silent("failing", &[Topic::Frame], &log).failing(Fails::AtClose);
    run(engine().service(user(0), failing).service(AUDIT, audit(&log)), 2);
    let last = "audit 2 control failed failing: service `failing` failed: out of margin";
    assert_eq!(log.about("audit"), ["audit 1 control engine_ready", last]);
}

/// A feed that fails after some frames.
struct Broken(std::vec::IntoIter<Frame>);

#[derive(Debug, thiserror::Error)]
#[error("row {0} is torn")]
struct Torn(u32);

impl Stream for Broken {
    type Item = Result<Frame, Torn>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(self.0.next().ok_or(Torn(7))))
    }
}

impl BarFeed for Broken {
    type Error = Torn;
}

#[test]
fn a_feed_that_fails_ends_the_run_and_the_log_says_so() {
    for frames in [0, 1] {
        let log = Log::default();
        let frames: Vec<Frame> = batch(frames).frames().collect();
        let count = frames.len();
        let engine = engine().service(AUDIT, audit(&log));
        let report = block_on(engine.run(Broken(frames.into_iter())));
        let error = report.error.expect("the feed fails");
        assert_eq!(
            (error.code(), error.chain()),
            ("DATA-FEED", "the feed failed: row 7 is torn".into())
        );
        let mut expected = vec!["audit 1 control engine_ready".to_owned()];
        expected.extend((count == 1).then(|| "audit 2 frame 1".to_owned()));
        let seq = count + 2;
        expected.push(format!("audit {seq} control failed engine: the feed failed: row 7 is torn"));
        assert_eq!(log.about("audit"), expected);
        assert_eq!(log.about("finish"), ["finish audit failed"]);
    }
}

#[test]
fn a_failing_audit_ends_the_run_and_the_others_finish() {
    let log = Log::default();
    let failing = Scripted::<true>::new("audit", &Topic::ALL, &log, |envelope, _| {
        if envelope.seq == 3 { Err(Fault::Margin) } else { Ok(()) }
    });
    let engine = engine()
        .service(user(0), speaker("speaker", &["one", "two"], &log, || Ok(())))
        .service(AUDIT, failing);
    let report = run(engine, 3);
    let error = report.error.expect("the audit fails");
    assert_eq!(error.chain(), "service `audit` failed at event 3: out of margin");
    assert_eq!(log.about("finish"), ["finish speaker failed"]);
}

#[test]
fn an_audit_that_fails_on_the_evidence_does_not_hide_the_first_error() {
    let log = Log::default();
    let failing_audit = Scripted::<true>::new("audit", &Topic::ALL, &log, |envelope, _| {
        if envelope.topic() == Topic::Custom { Err(Fault::Margin) } else { Ok(()) }
    });
    let engine = engine()
        .service(user(0), speaker("failing", &["order"], &log, || panic!("first")))
        .service(AUDIT, failing_audit);
    let error = run(engine, 3).error.expect("both fail");
    assert_eq!(error.chain(), "service `failing` panicked at event 2: first");
    assert_eq!(log.about("finish"), Vec::<String>::new());
}

#[test]
fn a_failing_finish_fails_the_run_and_those_after_it_are_told() {
    let log = Log::default();
    let finish = |rank: Rank, fails| {
        let services =
            [user(0), user(1)].map(|one| (one, if one == rank { fails } else { Fails::Never }));
        services.into_iter().zip(["first", "second"]).fold(
            engine(),
            |engine, ((rank, fails), name)| {
                engine.service(rank, silent(name, &[Topic::Frame], &log).failing(fails))
            },
        )
    };
    let report = run(finish(user(1), Fails::AtFinish).service(AUDIT, audit(&log)), 1);
    assert_eq!(report.outcome.status, RunStatus::Failed);
    assert_eq!(report.outcome.failure.as_deref(), Some("service `second` failed: out of margin"));
    assert_eq!(report.outcome.frames, 1);
    assert_eq!(log.about("finish"), ["finish first ok", "finish second ok", "finish audit failed"]);
    let reported: Vec<String> = report.services.into_iter().map(|one| one.service).collect();
    assert_eq!(reported, ["first", "audit"]);
}

#[test]
fn a_feed_without_a_frame_is_an_error_that_the_log_shows() {
    let log = Log::default();
    let report = run(engine().service(AUDIT, audit(&log)), 0);
    assert_eq!(report.error.map(|error| error.code()), Some("DATA-EMPTY"));
    assert_eq!(log.about("audit"), ["audit 1 control failed engine: the feed has no frame"]);
    assert_eq!(log.about("finish"), ["finish audit failed"]);
}
