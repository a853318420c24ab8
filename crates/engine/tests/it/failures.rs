//! Whatever does not acknowledge a delivery ends the run with the first error; nothing hangs.

use std::error::Error;
use std::future::pending;

use engine::delivery::Inbox;
use engine::error::EngineError;
use engine::run::BacktestEngine;
use engine::service::{BacktestService, ServiceReport};
use model::event::{Payload, Topic};
use model::strategy::Decision;

use crate::support::{
    AUDIT, EXECUTION, Fails, Fault, Log, Looping, STRATEGY, Scripted, custom, engine, run,
    run_to_error, silent, user, yield_once,
};

type Ended = Result<ServiceReport, EngineError>;

fn alone(service: impl BacktestService + 'static) -> EngineError {
    run_to_error(engine().service(user(0), service), 3)
}

fn looping<F: AsyncFnOnce(Inbox) -> Ended + 'static>(body: F) -> Looping<F> {
    Looping { name: "odd", topics: &[Topic::Frame], body }
}

fn check(error: &EngineError, code: &str, message: &str) {
    assert_eq!((error.code(), error.chain().as_str()), (code, message));
}

#[test]
fn an_error_of_a_handler_ends_the_run_with_its_cause() {
    let error = alone(Scripted::<true>::new("odd", &[Topic::Frame], &Log::default(), |_, _| {
        Err(Fault::Margin)
    }));
    check(&error, "ENGINE-SERVICE", "service `odd` failed at event 2: out of margin");
    assert!(error.source().is_some_and(<dyn Error>::is::<Fault>));
}

#[test]
fn a_panic_of_a_handler_ends_the_run() {
    let error = alone(Scripted::<true>::new("odd", &[Topic::Frame], &Log::default(), |_, _| {
        panic!("no such instrument")
    }));
    check(&error, "ENGINE-PANIC", "service `odd` panicked at event 2: no such instrument");
}

#[test]
fn a_dropped_delivery_ends_the_run() {
    let error = alone(looping(async |mut inbox| {
        while inbox.next_tick().await.is_some() {
            while let Some(delivery) = inbox.consume().await {
                drop(delivery);
            }
        }
        Ok(ServiceReport::new("odd"))
    }));
    check(&error, "BUS-DROPPED", "service `odd` dropped the delivery of frame 2 without `ack`");
}

#[test]
fn a_dropped_cycle_ends_the_run() {
    let error = alone(looping(async |mut inbox| {
        while inbox.next_tick().await.is_some() {
            while let Some(cycle) = inbox.consume_cycle().await {
                drop(cycle);
            }
        }
        Ok(ServiceReport::new("odd"))
    }));
    check(&error, "BUS-DROPPED", "service `odd` dropped the delivery of frame 2 without `ack`");
}

#[test]
fn a_loop_that_returns_with_a_delivery_in_hand_has_dropped_it() {
    let error = alone(looping(async |mut inbox| {
        inbox.next_tick().await;
        inbox.next_tick().await;
        let _delivery = inbox.consume().await;
        Ok(ServiceReport::new("odd"))
    }));
    check(&error, "BUS-DROPPED", "service `odd` dropped the delivery of frame 2 without `ack`");
}

#[test]
fn a_loop_that_drops_a_delivery_after_a_suspension_ends_the_run() {
    let error = alone(looping(async |mut inbox| {
        inbox.next_tick().await;
        inbox.next_tick().await;
        let delivery = inbox.consume().await;
        yield_once().await;
        drop(delivery);
        pending().await
    }));
    check(&error, "BUS-DROPPED", "service `odd` dropped the delivery of frame 2 without `ack`");
}

#[test]
fn a_forgotten_delivery_ends_the_run() {
    let error = alone(looping(async |mut inbox| {
        while inbox.next_tick().await.is_some() {
            while let Some(delivery) = inbox.consume().await {
                std::mem::forget(delivery);
            }
        }
        Ok(ServiceReport::new("odd"))
    }));
    check(&error, "BUS-FORGOTTEN", "service `odd` forgot the delivery of frame 2");
}

#[test]
fn a_forgotten_cycle_is_named_by_an_envelope_that_was_in_it() {
    let teller = Scripted::<true>::new("teller", &[Topic::Frame], &Log::default(), |_, outbox| {
        outbox.publish(Payload::Decision(Decision::HOLD));
        outbox.publish(custom("news"));
        Ok(())
    });
    let body = async |mut inbox: Inbox| {
        while inbox.next_tick().await.is_some() {
            while let Some(cycle) = inbox.consume_cycle().await {
                std::mem::forget(cycle);
            }
        }
        Ok(ServiceReport::new("odd"))
    };
    let odd = Looping { name: "odd", topics: &[Topic::Custom], body };
    let error = run_to_error(engine().service(user(0), teller).service(user(1), odd), 1);
    check(&error, "BUS-FORGOTTEN", "service `odd` forgot the delivery of custom 4");
}

#[test]
fn a_service_that_nothing_can_wake_ends_the_run_with_the_envelope_in_its_hand() {
    let error = alone(looping(async |mut inbox| {
        inbox.next_tick().await;
        inbox.next_tick().await;
        let _delivery = inbox.consume().await;
        pending().await
    }));
    let message = "service `odd` waits with frame 2 in hand and nothing can wake it";
    check(&error, "BUS-UNWAKEABLE", message);
}

#[test]
fn a_service_that_sleeps_before_it_takes_its_delivery_ends_the_run() {
    let error = alone(looping(async |mut inbox| {
        inbox.next_tick().await;
        inbox.next_tick().await;
        pending().await
    }));
    let message = "service `odd` waits with frame 2 in hand and nothing can wake it";
    check(&error, "BUS-UNWAKEABLE", message);
}

#[test]
fn a_service_that_sleeps_before_its_first_tick_ends_the_run() {
    let error = alone(looping(async |_| pending().await));
    check(&error, "BUS-UNWAKEABLE", "service `odd` waits and nothing can wake it");
}

#[test]
fn a_service_that_sleeps_instead_of_closing_its_tick_ends_the_run() {
    let error = alone(looping(async |mut inbox| {
        let mut outbox = inbox.outbox();
        inbox.next_tick().await;
        while let Some(delivery) = inbox.consume().await {
            delivery.ack(&mut outbox);
        }
        pending().await
    }));
    check(&error, "BUS-UNWAKEABLE", "service `odd` waits and nothing can wake it");
}

#[test]
fn a_service_that_sleeps_instead_of_finishing_marks_the_run_failed() {
    let error = alone(looping(async |mut inbox| {
        let mut outbox = inbox.outbox();
        while inbox.next_tick().await.is_some() {
            while let Some(delivery) = inbox.consume().await {
                delivery.ack(&mut outbox);
            }
        }
        pending().await
    }));
    check(&error, "BUS-UNWAKEABLE", "service `odd` waits and nothing can wake it");
}

#[test]
fn a_service_that_ends_before_the_run_ends_it() {
    let error = alone(looping(async |mut inbox| {
        inbox.next_tick().await;
        Ok(ServiceReport::new("odd"))
    }));
    check(&error, "ENGINE-ENDED-EARLY", "service `odd` left its loop before the end of the run");
}

#[test]
fn a_topic_that_a_role_may_not_publish_ends_the_run() {
    let refused = |rank, payload: fn() -> Payload| {
        let log = Log::default();
        let odd = Scripted::<true>::new("odd", &[Topic::Frame], &log, move |_, outbox| {
            outbox.publish(payload());
            Ok(())
        });
        run_to_error(engine().service(rank, odd), 1)
    };
    let error = refused(STRATEGY, || custom("news"));
    check(&error, "BUS-TOPIC", "service `odd` may not publish custom");
    let error = refused(EXECUTION, || Payload::Decision(Decision::HOLD));
    check(&error, "BUS-TOPIC", "service `odd` may not publish decision");
    let error = refused(AUDIT, || custom("news"));
    check(&error, "BUS-TOPIC", "service `odd` may not publish custom");
}

#[test]
fn publishing_without_a_delivery_in_hand_ends_the_run() {
    let error = alone(looping(async |mut inbox| {
        let mut outbox = inbox.outbox();
        while inbox.next_tick().await.is_some() {
            while let Some(delivery) = inbox.consume().await {
                delivery.ack(&mut outbox);
                outbox.publish(custom("late"));
            }
        }
        Ok(ServiceReport::new("odd"))
    }));
    check(&error, "BUS-OUTSIDE", "service `odd` publishes custom without a delivery in hand");
}

#[test]
fn publishing_after_the_last_tick_is_an_error() {
    let error = alone(looping(async |mut inbox| {
        let mut outbox = inbox.outbox();
        while inbox.next_tick().await.is_some() {
            while let Some(delivery) = inbox.consume().await {
                delivery.ack(&mut outbox);
            }
        }
        outbox.publish(custom("late"));
        Ok(ServiceReport::new("odd"))
    }));
    check(&error, "BUS-OUTSIDE", "service `odd` publishes custom without a delivery in hand");
}

#[test]
fn an_error_of_a_close_or_of_a_finish_ends_the_run_without_an_envelope() {
    for fails in [Fails::AtClose, Fails::AtFinish] {
        let odd = silent("odd", &[Topic::Frame], &Log::default()).failing(fails);
        let error = alone(odd);
        check(&error, "ENGINE-SERVICE", "service `odd` failed: out of margin");
    }
}

fn failing_engine(log: &Log) -> BacktestEngine {
    let first = Scripted::<true>::new("first", &[Topic::Frame], log, |_, _| Err(Fault::Margin));
    let second = Scripted::<true>::new("second", &[Topic::Frame], log, |_, _| panic!("second"));
    engine().service(user(0), first).service(user(1), second)
}

#[test]
fn the_first_error_is_the_one_that_counts() {
    let report = run(failing_engine(&Log::default()), 1);
    assert_eq!(report.error.as_ref().and_then(EngineError::service), Some("first"));
    let failure = report.outcome.failure.expect("the outcome says why");
    assert_eq!(&*failure, "service `first` failed at event 2: out of margin");
}
