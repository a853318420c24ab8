//! Counts end a tick that does not come to rest, and the message names the loop.

use engine::bus::{Limits, Schedule};
use engine::error::EngineError;
use engine::run::{BacktestEngine, Settings};
use model::event::Topic;

use crate::support::{
    AUDIT, Log, Scripted, audit, custom, is_custom, is_frame, run, run_to_error, user,
};

fn limited(max_events_per_tick: usize, max_cycles_per_tick: usize) -> BacktestEngine {
    let limits = Limits { max_events_per_tick, max_cycles_per_tick };
    BacktestEngine::new(Settings { limits, ..Settings::default() })
}

/// Answers `hears` with `says`, `times` times; begins at the frame if it says `ping`.
fn answers(name: &'static str, hears: &'static str, says: &'static str, times: usize) -> Scripted {
    const TOPICS: &[Topic] = &[Topic::Frame, Topic::Custom];
    Scripted::new(name, TOPICS, &Log::default(), move |envelope, outbox| {
        if is_custom(envelope, hears) || (is_frame(envelope) && says == "ping") {
            (0..times).for_each(|_| outbox.publish(custom(says)));
        }
        Ok(())
    })
}

fn ping_pong(engine: BacktestEngine, times: usize) -> EngineError {
    let engine = engine
        .service(user(0), answers("ping", "pong", "ping", times))
        .service(user(1), answers("pong", "ping", "pong", times));
    run_to_error(engine, 1)
}

#[test]
fn a_cascade_without_end_is_named() {
    let error = ping_pong(limited(100_000, 20), 1);
    let expected = "tick 1970-01-01T00:01:00Z does not come to rest after 20 events in 20 cycles: \
                    custom by `ping` → custom by `pong` → custom by `ping` \
                    (limits: engine.max_events_per_tick, engine.max_cycles_per_tick)";
    assert_eq!((error.code(), error.to_string().as_str()), ("BUS-LOOP", expected));
}

#[test]
fn a_cascade_without_end_is_named_at_the_default_limits() {
    let error = ping_pong(BacktestEngine::new(Settings::default()), 1);
    let path = "custom by `ping` → custom by `pong` → custom by `ping`";
    assert!(error.to_string().contains(path), "{error}");
}

#[test]
fn a_cascade_that_doubles_with_every_cycle_is_named_too() {
    let error = ping_pong(BacktestEngine::new(Settings::default()), 2);
    assert_eq!(error.code(), "BUS-LOOP");
    let path = "custom by `ping` → custom by `pong` → custom by `ping`";
    let other = "custom by `pong` → custom by `ping` → custom by `pong`";
    let text = error.to_string();
    assert!(text.contains(path) || text.contains(other), "{text}");
}

#[test]
fn an_endless_cascade_ends_alike_in_every_order_of_polling() {
    let ended = |schedule| {
        let log = Log::default();
        let limits = Limits { max_events_per_tick: 300, max_cycles_per_tick: 100 };
        let engine = BacktestEngine::new(Settings { limits, schedule, ..Settings::default() })
            .service(user(0), answers("ping", "pong", "ping", 2))
            .service(user(1), answers("pong", "ping", "pong", 3))
            .service(user(2), answers("echo", "pong", "ping", 1))
            .service(AUDIT, audit(&log));
        (run_to_error(engine, 1).to_string(), log.about("audit"))
    };
    let expected = ended(Schedule::Rank);
    for seed in 0..50 {
        assert_eq!(ended(Schedule::Shuffled(seed)), expected, "seed {seed}");
    }
}

#[test]
fn what_a_loop_says_aside_is_not_part_of_its_name() {
    // In every second cycle the gossip comes last; the run ends once in each kind of cycle.
    for cycles in [40, 41] {
        let log = Log::default();
        let aside = Scripted::<true>::new("aside", &[Topic::Custom], &log, |envelope, outbox| {
            if is_custom(envelope, "pong") {
                outbox.publish(custom("gossip"));
            }
            Ok(())
        });
        let engine = limited(100_000, cycles)
            .service(user(0), answers("ping", "pong", "ping", 1))
            .service(user(1), answers("pong", "ping", "pong", 1))
            .service(user(2), aside);
        let error = run_to_error(engine, 1).to_string();
        let path = ": custom by `pong` → custom by `ping` → custom by `pong` (limits";
        assert!(error.contains(path), "{error}");
    }
}

#[test]
fn a_handler_that_publishes_without_end_is_stopped_and_named() {
    let log = Log::default();
    let endless = Scripted::<true>::new("endless", &[Topic::Frame], &log, |_, outbox| {
        loop {
            outbox.publish(custom("more"));
        }
    });
    let engine = limited(50, 10).service(user(0), endless).service(AUDIT, audit(&log));
    let error = run_to_error(engine, 1);
    assert_eq!(error.code(), "BUS-LOOP");
    assert!(error.to_string().contains("custom by `endless` without end"), "{error}");
    let logged = log.about("audit");
    assert_eq!(logged.len(), 53, "ready, frame, fifty messages, failure");
    assert!(logged[52].starts_with("audit 53 control failed"), "{}", logged[52]);
    assert_eq!(log.about("finish"), ["finish audit failed"]);
}

#[test]
fn a_tick_within_the_limits_comes_to_rest() {
    // The frame, then one message per cycle; the last is the tenth event in the tenth cycle.
    let counted = |limit: usize| {
        let mut left = 9;
        let once = Scripted::<true>::new(
            "counting",
            &[Topic::Frame, Topic::Custom],
            &Log::default(),
            move |_, outbox| {
                if left > 0 {
                    left -= 1;
                    outbox.publish(custom("next"));
                }
                Ok(())
            },
        );
        run(limited(limit, limit).service(user(0), once), 1).error
    };
    assert!(counted(10).is_none());
    assert_eq!(counted(9).map(|error| error.code()), Some("BUS-LOOP"));
}
