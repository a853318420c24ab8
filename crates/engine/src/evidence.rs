//! Failures: how the state of the bus names them, and what they leave to the audit.

use std::rc::Rc;

use model::event::{Control, Envelope, Payload, Publisher, Topic};

use crate::bus::EventBus;
use crate::error::EngineError;
use crate::lane::Lane;
use crate::rank::Role;
use crate::state::State;

impl State {
    /// Topic and number of the first envelope that a service holds or could take.
    pub(crate) fn in_hand(&self, lane: &Lane) -> (Topic, u64) {
        let cycle = self.cycle();
        let place = if lane.holds_delivery() {
            lane.in_hand.get()
        } else {
            cycle.find(lane.hears, lane.next.get()).expect("it waits for something")
        };
        let envelope = &cycle.envelopes[place];
        (envelope.topic(), envelope.seq)
    }

    /// A service that asks for a delivery while it holds one has forgotten that one.
    #[cold]
    pub(crate) fn forgotten(&self, lane: &Lane) {
        let (service, (topic, seq)) = (lane.name.clone(), self.in_hand(lane));
        self.poison(EngineError::DeliveryForgotten { service, topic, seq });
    }

    /// The delivery in a service's hand was dropped instead of acknowledged.
    #[cold]
    pub(crate) fn dropped(&self, lane: &Lane) {
        let (service, (topic, seq)) = (lane.name.clone(), self.in_hand(lane));
        self.poison(EngineError::DeliveryDropped { service, topic, seq });
    }

    /// A service has published what its role may not.
    #[cold]
    pub(crate) fn not_allowed(&self, lane: &Lane, topic: Topic) {
        self.poison(EngineError::NotAllowed { service: lane.name.clone(), topic });
    }

    /// A service has published something that no envelope caused.
    #[cold]
    pub(crate) fn published_outside(&self, lane: &Lane, topic: Topic) {
        self.poison(EngineError::PublishedOutside { service: lane.name.clone(), topic });
    }

    /// A handler has published as much as a whole tick may hold and goes on.
    #[cold]
    pub(crate) fn poison_handler(&self, lane: &Lane, topic: Topic) {
        self.poison_loop(format!("{} by `{}` without end", topic.name(), lane.name));
    }

    /// The tick does not come to rest.
    #[cold]
    pub(crate) fn poison_cascade(&self) {
        let name = |publisher: Publisher| self.lanes[usize::from(publisher.0)].name.to_string();
        let path = self.committed.borrow().trail.describe(name);
        self.poison_loop(path);
    }

    fn poison_loop(&self, path: String) {
        self.poison(EngineError::Loop {
            ts: self.clock.now(),
            events: self.events_in_tick.get(),
            cycles: self.cycles_in_tick.get(),
            path,
        });
    }

    /// Withdraws all deliveries but those of the audit, which alone hears what comes now.
    fn silence_all_but_audit(&self) {
        let audit = self.lanes.iter().filter(|lane| lane.role == Role::Audit);
        let audit = audit.fold(0, |bits, lane| bits | lane.bit);
        for subscribers in &self.subscribers {
            subscribers.set(subscribers.get().only(audit));
        }
        self.waiting.set(self.waiting.get() & audit);
    }

    /// Commits everything that a failure left behind: what was staged and what lay in the outboxes.
    fn commit_evidence(&self) {
        for lane in &self.lanes {
            self.stage(lane);
            lane.lent.set(0);
            lane.next.set(0);
        }
        self.waiting.set(0);
        self.recount();
        self.commit();
        self.take_poison();
    }

    /// Counts what is staged anew, for the subscribers that are left.
    fn recount(&self) {
        let weight =
            |envelope: &Envelope| self.subscribers[envelope.topic().index()].get().weight();
        let of_lane = |lane: &Rc<Lane>| lane.outbox.borrow().iter().map(weight).sum::<usize>();
        let staged = self.lanes.iter().map(of_lane).sum();
        self.in_flight.set(staged);
        self.staged.set(staged);
    }
}

impl EventBus {
    /// Leaves the evidence of a failure to the audit: the rest of the present cycle, what was staged,
    /// what lay in the outboxes, and the error. The service at fault and those that suspend are
    /// stopped.
    pub(crate) fn leave_evidence(&mut self, error: &EngineError) {
        self.state.is_closing.set(false);
        self.state.silence_all_but_audit();
        let state = Rc::clone(&self.state);
        let audit = || state.lanes.iter().filter(|lane| lane.role == Role::Audit);
        if audit().any(|lane| lane.closed.get() == state.tick.get()) {
            // Between two ticks nothing is delivered: the failure gets one of its own.
            state.open_tick();
        }
        for lane in &state.lanes {
            if lane.holds_delivery() || error.service() == Some(&*lane.name) {
                // Dropped with the delivery that it may hold: neither can finish.
                self.stop(lane);
            }
        }
        // Nothing that is said of those deliveries counts any more.
        state.take_poison();
        audit().for_each(|lane| self.record(lane));
        state.commit_evidence();
        audit().for_each(|lane| self.record(lane));
        state.publish(Payload::Control(Control::Failed {
            service: error.service().unwrap_or("engine").into(),
            message: error.chain().into(),
        }));
        state.commit();
        audit().for_each(|lane| self.record(lane));
    }

    /// Lets the audit take what is delivered to it. An audit that fails now has nobody to tell.
    fn record(&mut self, audit: &Lane) {
        if let Err(error) = self.poll_alone(audit) {
            tracing::error!(error = error.chain(), "the audit failed on the evidence");
        }
    }
}
