//! The watchdog names what blocks the barrier and ends nothing.

use std::sync::mpsc::channel;
use std::time::Duration;

use engine::bus::{Limits, Schedule, Subscriptions};
use engine::clock::Clock;
use engine::watchdog::{Stuck, Watchdog};
use futures_util::FutureExt;
use model::event::{Control, Payload, Topic};

use crate::support::{Door, Suspension, suspending, user};

#[test]
fn a_delivery_that_is_held_too_long_is_named_once_and_nothing_ends() {
    let door = Door::default();
    let mut subscriptions = Subscriptions::default();
    let hold = Suspension::Door(door.clone());
    subscriptions.subscribe(user(0), suspending("holder", &[Topic::Control], hold, |_, _| {}));
    let mut bus = subscriptions.connect(Clock::default(), Limits::default(), Schedule::Rank);
    bus.start().now_or_never().expect("ready at once").expect("no failure");

    let patience = Duration::from_millis(20);
    let (sender, receiver) = channel();
    let watchdog = Watchdog::start(bus.progress(), patience, move |stuck| {
        // The test may have heard enough.
        sender.send(stuck.to_vec()).unwrap_or_default();
    });
    bus.publish(Payload::Control(Control::EngineReady));
    assert!(bus.wait_until_idle().now_or_never().is_none(), "the barrier is closed");

    let named = receiver.recv_timeout(Duration::from_mins(1)).expect("the watchdog barks");
    let [Stuck { service, topic, seq, age }] = named.as_slice() else {
        panic!("one delivery is stuck: {named:?}");
    };
    assert_eq!((&**service, *topic, *seq), ("holder", Topic::Control, 1));
    assert!(*age >= patience, "{age:?}");

    assert_eq!(bus.in_flight(), 1, "it decides nothing");
    door.open();
    door.open();
    bus.wait_until_idle().now_or_never().expect("the barrier is open").expect("no failure");
    assert_eq!(bus.in_flight(), 0);
    drop(watchdog);
    assert_eq!(receiver.try_iter().count(), 0, "it barks once for one delivery");
}
