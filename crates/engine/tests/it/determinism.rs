//! Neither the order of subscription nor the order of polling changes what is logged.

use std::cell::RefCell;
use std::rc::Rc;

use engine::bus::Schedule;
use engine::delivery::Inbox;
use engine::rank::{Rank, Role};
use engine::run::{BacktestEngine, Settings};
use engine::service::ServiceReport;
use model::event::{Payload, Publisher, Topic};
use model::strategy::Decision;

use crate::support::{
    AUDIT, Log, Looping, Scripted, Suspension, custom, is_custom, is_frame, minute, run,
    suspending, user, what,
};

type Line = (u64, String, Publisher, Option<u64>, i64);
type Lines = Rc<RefCell<Vec<Line>>>;

/// Adds one of the services of the run.
type Add = fn(BacktestEngine, &Lines) -> BacktestEngine;

fn strategy(engine: BacktestEngine, index: u16, name: &'static str) -> BacktestEngine {
    const HEARD: &[Topic] = &[Topic::Frame, Topic::Fill];
    let decides = Scripted::<false>::new(name, HEARD, &Log::default(), |_, outbox| {
        outbox.publish(Payload::Decision(Decision::HOLD));
        Ok(())
    });
    engine.service(Rank::nth(Role::Strategy, index), decides)
}

/// Three messages per frame, and one more for each of another's; looks at the latest decision.
fn chatter(engine: BacktestEngine, index: u16, name: &'static str) -> BacktestEngine {
    const HEARD: &[Topic] = &[Topic::Frame, Topic::Custom];
    let chats = Scripted::<true>::new(name, HEARD, &Log::default(), |envelope, outbox| {
        if is_frame(envelope) {
            for kind in ["a", "b", "c"] {
                outbox.publish(custom(kind));
            }
        }
        if is_custom(envelope, "slow") {
            let latest = outbox.latest(Topic::Decision).map_or(0, |decision| decision.seq);
            outbox.publish(custom(&format!("after {latest}")));
        }
        Ok(())
    });
    engine.service(user(index), chats.looking_up(&[Topic::Decision]))
}

fn slow(engine: BacktestEngine, index: u16, name: &'static str, how: Suspension) -> BacktestEngine {
    let slow = suspending(name, &[Topic::Frame, Topic::Decision], how, |_, outbox| {
        outbox.publish(custom("slow"));
    });
    engine.service(user(index), slow)
}

fn auditor(engine: BacktestEngine, lines: &Lines) -> BacktestEngine {
    let lines = Rc::clone(lines);
    let body = async move |mut inbox: Inbox| {
        let mut outbox = inbox.outbox();
        while inbox.next_tick().await.is_some() {
            while let Some(cycle) = inbox.consume_cycle().await {
                lines.borrow_mut().extend(cycle.envelopes().map(|envelope| {
                    let ts = minute(envelope.ts);
                    (envelope.seq, what(envelope), envelope.publisher, envelope.cause_seq, ts)
                }));
                cycle.ack(&mut outbox);
            }
        }
        Ok(ServiceReport::new("audit"))
    };
    engine.service(AUDIT, Looping { name: "audit", topics: &Topic::ALL, body })
}

const SERVICES: [Add; 8] = [
    |engine, _| strategy(engine, 0, "sma"),
    |engine, _| strategy(engine, 1, "rsi"),
    |engine, _| strategy(engine, 2, "hold"),
    |engine, _| chatter(engine, 0, "first chatter"),
    |engine, _| chatter(engine, 1, "second chatter"),
    |engine, _| slow(engine, 2, "yielding", Suspension::Yield(2)),
    |engine, _| slow(engine, 3, "prompt", Suspension::Yield(0)),
    auditor,
];

/// What the audit sees when the services are subscribed in this order.
fn logged(schedule: Schedule, services: &[Add]) -> Vec<Line> {
    let lines = Lines::default();
    let engine = BacktestEngine::new(Settings { schedule, ..Settings::default() });
    let engine = services.iter().fold(engine, |engine, add| add(engine, &lines));
    let report = run(engine, 3);
    assert!(report.error.is_none(), "{:?}", report.error);
    lines.take()
}

#[test]
fn the_log_is_that_of_the_canonical_order() {
    let lines = logged(Schedule::Rank, &SERVICES);
    let seqs: Vec<u64> = lines.iter().map(|line| line.0).collect();
    assert_eq!(seqs, (1..=u64::try_from(lines.len()).expect("few")).collect::<Vec<u64>>());
    let first_tick: Vec<(&str, u16)> =
        lines[1..14].iter().map(|line| (line.1.as_str(), line.2.0)).collect();
    let expected = [
        ("frame 1", 0),
        ("decision 1", 1),
        ("decision 1", 2),
        ("decision 1", 3),
        ("custom a", 4),
        ("custom b", 4),
        ("custom c", 4),
        ("custom a", 5),
        ("custom b", 5),
        ("custom c", 5),
        ("custom slow", 6),
        ("custom slow", 7),
        ("custom after 5", 4),
    ];
    assert_eq!(first_tick, expected);
}

#[test]
fn the_order_of_polling_changes_nothing() {
    let expected = logged(Schedule::Rank, &SERVICES);
    for seed in 0..200 {
        assert_eq!(logged(Schedule::Shuffled(seed), &SERVICES), expected, "seed {seed}");
    }
}

#[test]
fn the_order_of_subscription_changes_nothing() {
    let expected = logged(Schedule::Rank, &SERVICES);
    let mut services = SERVICES;
    for turn in 0..services.len() {
        services.rotate_left(1);
        assert_eq!(logged(Schedule::Rank, &services), expected, "turned {turn}");
        services.reverse();
        assert_eq!(logged(Schedule::Shuffled(7), &services), expected, "reversed {turn}");
    }
}

#[test]
fn an_answer_from_another_thread_changes_nothing_by_being_late() {
    let with = |how: fn() -> Suspension| {
        let lines = Lines::default();
        let engine = BacktestEngine::new(Settings::default());
        let engine = slow(strategy(engine, 0, "sma"), 0, "slow", how());
        run(auditor(chatter(engine, 1, "chatter"), &lines), 20);
        lines.take()
    };
    let expected = with(|| Suspension::Yield(0));
    assert_eq!(expected.len(), 1 + 20 * 9 + 1);
    assert_eq!(with(|| Suspension::Thread), expected);
}
