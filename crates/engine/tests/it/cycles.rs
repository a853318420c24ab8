//! What a service sees of the present cycle: whole cycles, the last delivery, the latest envelope.

use engine::delivery::Inbox;
use engine::rank::Rank;
use engine::service::{BacktestService, ServiceReport};
use model::event::{Payload, Topic};
use model::strategy::Decision;

use crate::support::{
    AUDIT, EXECUTION, GATE, Log, Looping, Scripted, Suspension, custom, engine, is_frame, run,
    suspending, user, what,
};

/// Two messages per frame, one more for every `more`.
fn speaker(rank: Rank) -> (Rank, impl BacktestService + 'static) {
    const HEARD: &[Topic] = &[Topic::Frame];
    let speaker = Scripted::<true>::new("speaker", HEARD, &Log::default(), |_, outbox| {
        outbox.publish(custom("one"));
        outbox.publish(custom("two"));
        Ok(())
    });
    (rank, speaker)
}

/// A service with a loop of its own that writes down the cycles it takes.
fn recorder(topics: &'static [Topic], log: &Log) -> impl BacktestService + 'static {
    let lines = log.clone();
    let body = async move |mut inbox: Inbox| {
        let mut outbox = inbox.outbox();
        while inbox.next_tick().await.is_some() {
            while let Some(cycle) = inbox.consume_cycle().await {
                let texts: Vec<String> = cycle.envelopes().map(what).collect();
                lines.write(format_args!("cycle {}", texts.join(" + ")));
                cycle.ack(&mut outbox);
            }
            lines.write("closed");
        }
        Ok(ServiceReport::new("recorder"))
    };
    Looping { name: "recorder", topics, body }
}

#[test]
fn a_recorder_takes_whole_cycles_in_order() {
    let log = Log::default();
    let (first, second) = (speaker(user(0)), speaker(user(1)));
    let engine = engine()
        .service(first.0, first.1)
        .service(second.0, second.1)
        .service(AUDIT, recorder(&Topic::ALL, &log));
    run(engine, 1);
    let expected = [
        "cycle control engine_ready",
        "closed",
        "cycle frame 1",
        "cycle custom one + custom two + custom one + custom two",
        "closed",
        "cycle control eof",
        "closed",
    ];
    assert_eq!(log.lines(), expected);
}

#[test]
fn a_cycle_holds_only_the_topics_that_were_asked_for() {
    let log = Log::default();
    let (rank, speaker) = speaker(user(0));
    let decides =
        Scripted::<true>::new("decides", &[Topic::Frame], &Log::default(), |_, outbox| {
            outbox.publish(Payload::Decision(Decision::HOLD));
            Ok(())
        });
    let engine = engine()
        .service(rank, speaker)
        .service(user(1), decides)
        .service(AUDIT, recorder(&[Topic::Decision, Topic::Frame], &log));
    run(engine, 2);
    assert_eq!(
        log.about("cycle"),
        ["cycle frame 1", "cycle decision 1", "cycle frame 2", "cycle decision 2"]
    );
}

#[test]
fn a_delivery_knows_whether_it_is_the_last_of_its_cycle() {
    let log = Log::default();
    let lines = log.clone();
    let body = async move |mut inbox: Inbox| {
        let mut outbox = inbox.outbox();
        while inbox.next_tick().await.is_some() {
            while let Some(delivery) = inbox.consume().await {
                let is_last = delivery.is_last_of_cycle();
                lines.write(format_args!("{} {is_last}", what(delivery.envelope())));
                delivery.ack(&mut outbox);
            }
        }
        Ok(ServiceReport::new("curious"))
    };
    let (rank, speaker) = speaker(user(0));
    let curious = Looping { name: "curious", topics: &[Topic::Custom, Topic::Frame], body };
    run(engine().service(rank, speaker).service(user(1), curious), 1);
    assert_eq!(log.lines(), ["frame 1 true", "custom one false", "custom two true"]);
}

#[test]
fn a_service_that_switches_between_single_envelopes_and_cycles_misses_none() {
    let log = Log::default();
    let lines = log.clone();
    let body = async move |mut inbox: Inbox| {
        let mut outbox = inbox.outbox();
        while inbox.next_tick().await.is_some() {
            loop {
                let Some(delivery) = inbox.consume().await else { break };
                lines.write(format_args!("single {}", what(delivery.envelope())));
                delivery.ack(&mut outbox);
                let Some(cycle) = inbox.consume_cycle().await else { break };
                let texts: Vec<String> = cycle.envelopes().map(what).collect();
                lines.write(format_args!("cycle {}", texts.join(" + ")));
                cycle.ack(&mut outbox);
            }
        }
        Ok(ServiceReport::new("switching"))
    };
    let (rank, speaker) = speaker(user(0));
    let switching = Looping { name: "switching", topics: &[Topic::Custom], body };
    let report = run(engine().service(rank, speaker).service(user(1), switching), 2);
    assert!(report.error.is_none(), "{:?}", report.error);
    let tick = ["single custom one", "cycle custom two"];
    assert_eq!(log.lines(), [tick, tick].concat());
}

#[test]
fn the_latest_envelope_is_the_last_committed_one_and_never_what_is_staged() {
    let log = Log::default();
    let lines = log.clone();
    // It stages a message and looks; what it sees must be what was committed before.
    let looker = Scripted::<true>::new(
        "looker",
        &[Topic::Frame, Topic::Custom],
        &Log::default(),
        move |envelope, outbox| {
            if is_frame(envelope) {
                outbox.publish(custom("mine"));
            }
            let latest = outbox.latest(Topic::Custom);
            let latest = latest
                .map_or("nothing".to_owned(), |custom| format!("{} {}", custom.seq, what(&custom)));
            lines.write(format_args!("at {} {latest}", envelope.seq));
            Ok(())
        },
    );
    let (rank, speaker) = speaker(user(0));
    let engine =
        engine().service(rank, speaker).service(user(1), looker.looking_up(&[Topic::Custom]));
    run(engine, 2);
    let expected = [
        "at 2 nothing",
        // One cycle: 3 and 4 by the speaker, 5 its own; the last is seen from the first on.
        "at 3 5 custom mine",
        "at 4 5 custom mine",
        "at 5 5 custom mine",
        // A tick later it is still there, and what is staged is not.
        "at 6 5 custom mine",
        "at 7 9 custom mine",
        "at 8 9 custom mine",
        "at 9 9 custom mine",
    ];
    assert_eq!(log.lines(), expected);
}

#[test]
fn the_latest_envelope_survives_a_delivery_that_is_held_over_other_cycles() {
    let log = Log::default();
    let lines = log.clone();
    let gate =
        Scripted::<true>::new("gate", &[Topic::Decision], &Log::default(), move |_, outbox| {
            lines.write(outbox.latest(Topic::Frame).map_or(0, |frame| frame.seq));
            Ok(())
        });
    let holder = suspending("holder", &[Topic::Frame], Suspension::Yield(3), |_, outbox| {
        outbox.publish(Payload::Decision(Decision::HOLD));
    });
    let engine = engine().service(user(0), holder).service(GATE, gate.looking_up(&[Topic::Frame]));
    run(engine, 2);
    assert_eq!(log.lines(), ["2", "4"]);
}

#[test]
fn looking_up_a_topic_that_was_not_announced_ends_the_run() {
    let odd = Scripted::<true>::new("odd", &[Topic::Frame], &Log::default(), |_, outbox| {
        outbox.latest(Topic::Account);
        Ok(())
    });
    let error = run(engine().service(EXECUTION, odd), 1).error.expect("the run fails");
    let expected = "service `odd` panicked at event 2: no service says that it looks up `account`";
    assert_eq!(error.chain(), expected);
}
