//! The one count: staged plus delivered but not acknowledged, over all subscribers.

use engine::bus::{EventBus, Limits, Schedule, Subscriptions};
use engine::clock::Clock;
use engine::error::EngineError;
use engine::rank::Rank;
use engine::service::BacktestService;
use futures_util::FutureExt;
use model::event::{Control, Payload, Topic};

use crate::support::{
    AUDIT, Door, Log, Scripted, Suspension, custom, is_custom, silent, suspending, user,
};

/// A bus that the test drives by hand.
#[derive(Default)]
struct Bench(Subscriptions);

impl Bench {
    fn with(mut self, rank: Rank, service: impl BacktestService + 'static) -> Self {
        self.0.subscribe(rank, service);
        self
    }

    fn connect(self) -> EventBus {
        let mut bus = self.0.connect(Clock::default(), Limits::default(), Schedule::Rank);
        bus.start().now_or_never().expect("services are ready at once").expect("no failure");
        bus
    }
}

/// Polls the barrier once; whether it is open.
fn is_idle(bus: &mut EventBus) -> bool {
    match bus.wait_until_idle().now_or_never() {
        Some(result) => {
            result.expect("no failure");
            true
        }
        None => false,
    }
}

fn tick() -> Payload {
    Payload::Control(Control::EngineReady)
}

/// Waits at a door before and after it publishes two messages for each control event.
fn two_for_one(door: &Door) -> impl BacktestService + 'static {
    suspending("parent", &[Topic::Control], Suspension::Door(door.clone()), |_, outbox| {
        outbox.publish(custom("child"));
        outbox.publish(custom("child"));
    })
}

#[test]
fn publishing_counts_once_per_matched_subscriber_before_anything_is_delivered() {
    let log = Log::default();
    let bus = Bench::default()
        .with(user(0), silent("one", &[Topic::Control], &log))
        .with(user(1), silent("two", &[Topic::Control, Topic::Custom], &log))
        .with(user(2), silent("deaf", &[Topic::Custom], &log))
        .with(AUDIT, silent("audit", &Topic::ALL, &log))
        .connect();
    assert_eq!(bus.in_flight(), 0);
    bus.publish(tick());
    assert_eq!(bus.in_flight(), 3);
    assert_eq!(bus.events(), 0, "staged, not yet numbered");
}

#[test]
fn what_nobody_hears_is_counted_until_it_has_its_number() {
    let mut bus = Bench::default().connect();
    bus.publish(tick());
    assert_eq!(bus.in_flight(), 1);
    assert!(is_idle(&mut bus));
    assert_eq!((bus.in_flight(), bus.events()), (0, 1));
}

#[test]
fn a_held_delivery_alone_keeps_the_barrier_closed() {
    let door = Door::default();
    let hold = Suspension::Door(door.clone());
    let mut bus = Bench::default()
        .with(user(0), suspending("holder", &[Topic::Control], hold, |_, _| {}))
        .connect();
    bus.publish(tick());
    for _ in 0..3 {
        assert!(!is_idle(&mut bus));
        assert_eq!(bus.in_flight(), 1);
    }
    door.open();
    assert!(!is_idle(&mut bus), "it waits a second time before it acknowledges");
    door.open();
    assert!(is_idle(&mut bus));
    assert_eq!(bus.in_flight(), 0);
}

#[test]
fn a_staged_envelope_alone_keeps_the_barrier_closed() {
    let log = Log::default();
    let handled = log.clone();
    let child = Scripted::<false>::new("child", &[Topic::Control], &log, move |envelope, _| {
        handled.write(format_args!("child {}", envelope.seq));
        Ok(())
    });
    let mut bus = Bench::default().with(user(0), child).connect();
    bus.publish(tick());
    assert_eq!(bus.in_flight(), 1);
    assert!(is_idle(&mut bus), "the barrier opens after the delivery, not before");
    assert_eq!(log.about("child"), ["child 1"]);
}

#[test]
fn the_count_does_not_touch_zero_between_parent_and_child() {
    let (door, child_door, log) = (Door::default(), Door::default(), Log::default());
    let hold = Suspension::Door(child_door.clone());
    let child = suspending("child", &[Topic::Custom], hold, |_, _| {});
    let mut bus = Bench::default()
        .with(user(0), two_for_one(&door))
        .with(user(1), child)
        .with(AUDIT, silent("audit", &[Topic::Custom], &log))
        .connect();
    bus.publish(tick());
    let mut counts = Vec::new();
    for turn in 0..6 {
        assert!(!is_idle(&mut bus), "turn {turn}");
        counts.push(bus.in_flight());
        let next = if turn < 2 { &door } else { &child_door };
        next.open();
    }
    // The parent, before and after it put two messages into its outbox; then the two for the child
    // (those for the audit are acknowledged), each before and after its handler.
    assert_eq!(counts, [1, 1, 2, 2, 1, 1]);
    assert!(is_idle(&mut bus));
    assert_eq!(bus.in_flight(), 0);
}

#[test]
fn a_service_that_suspends_does_not_stop_the_others_of_its_cycle_but_the_next_cycle() {
    let (door, log) = (Door::default(), Log::default());
    let relay = {
        let lines = log.clone();
        Scripted::<true>::new(
            "relay",
            &[Topic::Control, Topic::Custom],
            &log,
            move |envelope, outbox| {
                lines.write(format_args!("relay {}", envelope.topic().name()));
                if !is_custom(envelope, "child") {
                    outbox.publish(custom("child"));
                }
                Ok(())
            },
        )
    };
    let hold = Suspension::Door(door.clone());
    let mut bus = Bench::default()
        .with(user(0), suspending("holder", &[Topic::Control], hold, |_, _| {}))
        .with(user(1), relay)
        .connect();
    bus.publish(tick());
    assert!(!is_idle(&mut bus));
    assert_eq!(bus.in_flight(), 2, "one held, one staged");
    assert_eq!(log.about("relay"), ["relay control"]);
    door.open();
    door.open();
    assert!(is_idle(&mut bus));
    assert_eq!(log.about("relay"), ["relay control", "relay custom"]);
}

#[test]
fn the_tick_is_not_closed_while_the_barrier_is() {
    let (door, log) = (Door::default(), Log::default());
    let hold = Suspension::Door(door.clone());
    let mut bus = Bench::default()
        .with(user(0), suspending("holder", &[Topic::Control], hold, |_, _| {}))
        .with(AUDIT, silent("audit", &[Topic::Control], &log))
        .connect();
    bus.publish(tick());
    assert!(!is_idle(&mut bus));
    assert_eq!(log.about("closed"), Vec::<String>::new());
    door.open();
    door.open();
    assert!(is_idle(&mut bus));
    let closed: Option<Result<(), EngineError>> = bus.close_tick().now_or_never();
    closed.expect("nobody suspends").expect("nobody fails");
    assert_eq!(log.about("closed"), ["closed audit 0"]);
}
