//! The barrier: every consequence of T is finished before T+1 starts.

use std::cell::Cell;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use engine::feed::{BarFeed, InMemoryFeed};
use engine::run::RunReport;
use futures_core::Stream;
use model::event::Topic;
use model::frame::Frame;

use crate::support::{
    AUDIT, Log, Suspension, audit, block_on, custom, engine, feed, is_custom, is_frame, suspending,
    user,
};

/// A feed that notes how much was done whenever the engine asks for a frame.
struct Asked {
    frames: InMemoryFeed,
    done: Rc<Cell<u32>>,
    notes: Rc<std::cell::RefCell<Vec<u32>>>,
}

impl Stream for Asked {
    type Item = Result<Frame, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.notes.borrow_mut().push(self.done.get());
        Pin::new(&mut self.frames).poll_next(cx)
    }
}

impl BarFeed for Asked {
    type Error = Infallible;
}

/// Runs the cascade frame → one → two → three → four, whose first and last reaction are those of the
/// same service, and notes the hops done whenever the engine asks for a frame.
fn cascade(suspension: &Suspension, frames: i64, log: &Log) -> (RunReport, Vec<u32>) {
    const HEARD: &[Topic] = &[Topic::Frame, Topic::Custom];
    let done = Rc::new(Cell::new(0));
    let hop = |from: &'static str, to: &'static str| {
        let done = Rc::clone(&done);
        suspending(from, HEARD, suspension.clone(), move |envelope, outbox| {
            let is_first = from == "start" && is_frame(envelope);
            if is_first || is_custom(envelope, from) {
                done.set(done.get() + 1);
                outbox.publish(custom(to));
            }
            if from == "start" && is_custom(envelope, "three") {
                done.set(done.get() + 1);
                outbox.publish(custom("four"));
            }
        })
    };
    let notes = Rc::default();
    let asked = Asked { frames: feed(frames), done: Rc::clone(&done), notes: Rc::clone(&notes) };
    let engine = engine()
        .service(user(0), hop("start", "one"))
        .service(user(1), hop("one", "two"))
        .service(user(2), hop("two", "three"))
        .service(AUDIT, audit(log));
    let report = block_on(engine.run(asked));
    let notes = notes.borrow().clone();
    (report, notes)
}

#[test]
fn a_tick_is_fully_drained_before_the_next_frame_is_asked_for() {
    for suspension in [Suspension::Yield(0), Suspension::Yield(3), Suspension::Thread] {
        let (report, notes) = cascade(&suspension, 3, &Log::default());
        assert!(report.error.is_none(), "{suspension:?}: {:?}", report.error);
        assert_eq!(notes, [0, 4, 8, 12], "{suspension:?}");
    }
}

#[test]
fn what_a_tick_causes_is_logged_before_the_next_tick() {
    let log = Log::default();
    cascade(&Suspension::Yield(2), 2, &log);
    let expected = [
        "audit 1 control engine_ready",
        "audit 2 frame 1",
        "audit 3 custom one",
        "audit 4 custom two",
        "audit 5 custom three",
        "audit 6 custom four",
        "audit 7 frame 2",
        "audit 8 custom one",
        "audit 9 custom two",
        "audit 10 custom three",
        "audit 11 custom four",
        "audit 12 control eof",
    ];
    assert_eq!(log.about("audit"), expected);
}

#[test]
fn answers_of_other_threads_arrive_at_any_moment_and_none_is_lost() {
    // Long enough that some answers arrive between the look at the wakes and the look at the wakers.
    let (report, notes) = cascade(&Suspension::Thread, 150, &Log::default());
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(notes.last(), Some(&600));
}
