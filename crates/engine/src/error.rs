//! Why a run ended before its last frame.

use std::error::Error;

use model::event::Topic;
use model::time::UtcMillis;

/// The first error of a run; its causes are in `source`.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum EngineError {
    #[error("the feed failed")]
    Feed { source: Box<dyn Error + Send + Sync> },

    #[error("the feed has no frame")]
    EmptyFeed,

    #[error("service `{service}` failed{at}", at = at(*.seq))]
    Service { service: Box<str>, seq: Option<u64>, source: Box<dyn Error + Send + Sync> },

    #[error("service `{service}` panicked{at}: {message}", at = at(*.seq))]
    Panicked { service: Box<str>, seq: Option<u64>, message: String },

    #[error("service `{service}` dropped the delivery of {topic} {seq} without `ack`", topic = .topic.name())]
    DeliveryDropped { service: Box<str>, topic: Topic, seq: u64 },

    #[error("service `{service}` forgot the delivery of {topic} {seq}", topic = .topic.name())]
    DeliveryForgotten { service: Box<str>, topic: Topic, seq: u64 },

    #[error(
        "service `{service}` waits with {topic} {seq} in hand and nothing can wake it",
        topic = .topic.name()
    )]
    Unwakeable { service: Box<str>, topic: Topic, seq: u64 },

    #[error("service `{service}` waits and nothing can wake it")]
    Asleep { service: Box<str> },

    #[error("service `{service}` left its loop before the end of the run")]
    EndedEarly { service: Box<str> },

    #[error("service `{service}` may not publish {topic}", topic = .topic.name())]
    NotAllowed { service: Box<str>, topic: Topic },

    #[error(
        "service `{service}` publishes {topic} without a delivery in hand",
        topic = .topic.name()
    )]
    PublishedOutside { service: Box<str>, topic: Topic },

    #[error(
        "tick {ts} does not come to rest after {events} events in {cycles} cycles: {path} \
         (limits: engine.max_events_per_tick, engine.max_cycles_per_tick)"
    )]
    Loop { ts: UtcMillis, events: usize, cycles: usize, path: String },
}

impl EngineError {
    /// The stable code of the failure.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Feed { .. } => "DATA-FEED",
            Self::EmptyFeed => "DATA-EMPTY",
            Self::Service { .. } => "ENGINE-SERVICE",
            Self::Panicked { .. } => "ENGINE-PANIC",
            Self::DeliveryDropped { .. } => "BUS-DROPPED",
            Self::DeliveryForgotten { .. } => "BUS-FORGOTTEN",
            Self::Unwakeable { .. } | Self::Asleep { .. } => "BUS-UNWAKEABLE",
            Self::EndedEarly { .. } => "ENGINE-ENDED-EARLY",
            Self::NotAllowed { .. } => "BUS-TOPIC",
            Self::PublishedOutside { .. } => "BUS-OUTSIDE",
            Self::Loop { .. } => "BUS-LOOP",
        }
    }

    /// The service at fault, where it is one.
    pub fn service(&self) -> Option<&str> {
        match self {
            Self::Service { service, .. }
            | Self::Panicked { service, .. }
            | Self::DeliveryDropped { service, .. }
            | Self::DeliveryForgotten { service, .. }
            | Self::Unwakeable { service, .. }
            | Self::Asleep { service }
            | Self::EndedEarly { service }
            | Self::NotAllowed { service, .. }
            | Self::PublishedOutside { service, .. } => Some(service),
            Self::Feed { .. } | Self::EmptyFeed | Self::Loop { .. } => None,
        }
    }

    /// The message with all its causes, in one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

fn at(seq: Option<u64>) -> String {
    seq.map_or_else(String::new, |seq| format!(" at event {seq}"))
}
