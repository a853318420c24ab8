//! Events: what travels on the bus and stands in the log.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::fill::Fill;
use crate::frame::Frame;
use crate::order::{IntentGroup, OrderUpdate, VerdictGroup};
use crate::risk::RiskAlert;
use crate::settlement::Settlement;
use crate::snapshot::AccountSnapshot;
use crate::strategy::Decision;
use crate::tight_loop::LoopRecord;
use crate::time::UtcMillis;

/// What an envelope is about; services subscribe to sets of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Topic {
    /// The data of one tick.
    Frame,
    /// What a strategy wants.
    Intent,
    /// What the gate says of it.
    Verdict,
    /// News of accepted orders.
    OrderUpdate,
    /// Executions.
    Fill,
    /// Tight loops: what was executed, applied, compared and valued.
    TightLoop,
    /// What fell due and was settled.
    Settlement,
    /// A risk that has changed its level.
    Alert,
    /// The account at T.
    Account,
    /// What a strategy decided and why.
    Decision,
    /// Start, end and failure of the run.
    Control,
    /// Users' own messages.
    Custom,
}

impl Topic {
    /// All topics, in the order of their codes.
    pub const ALL: [Self; 12] = [
        Self::Frame,
        Self::Intent,
        Self::Verdict,
        Self::OrderUpdate,
        Self::Fill,
        Self::TightLoop,
        Self::Settlement,
        Self::Alert,
        Self::Account,
        Self::Decision,
        Self::Control,
        Self::Custom,
    ];

    /// The topic as logs and diagnoses show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Intent => "intent",
            Self::Verdict => "verdict",
            Self::OrderUpdate => "order_update",
            Self::Fill => "fill",
            Self::TightLoop => "tight_loop",
            Self::Settlement => "settlement",
            Self::Alert => "alert",
            Self::Account => "account",
            Self::Decision => "decision",
            Self::Control => "control",
            Self::Custom => "custom",
        }
    }

    /// Place in [`Topic::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The content of an envelope, one variant per topic.
///
/// A plain tag, in the order of [`Topic`], makes asking for the topic a load; the bus does nothing
/// more often.
#[derive(Clone, Debug)]
#[repr(u8)]
pub enum Payload {
    /// See [`Topic::Frame`].
    Frame(Frame),
    /// See [`Topic::Intent`].
    Intent(Arc<IntentGroup>),
    /// See [`Topic::Verdict`].
    Verdict(Arc<VerdictGroup>),
    /// See [`Topic::OrderUpdate`].
    OrderUpdate(Arc<OrderUpdate>),
    /// See [`Topic::Fill`].
    Fill(Arc<Fill>),
    /// See [`Topic::TightLoop`].
    TightLoop(Arc<LoopRecord>),
    /// See [`Topic::Settlement`].
    Settlement(Arc<Settlement>),
    /// See [`Topic::Alert`].
    Alert(RiskAlert),
    /// See [`Topic::Account`].
    Account(Rc<AccountSnapshot>),
    /// See [`Topic::Decision`].
    Decision(Decision),
    /// See [`Topic::Control`].
    Control(Control),
    /// See [`Topic::Custom`].
    Custom(Arc<Custom>),
}

impl Payload {
    /// The topic that this payload belongs to.
    pub const fn topic(&self) -> Topic {
        match self {
            Self::Frame(_) => Topic::Frame,
            Self::Intent(_) => Topic::Intent,
            Self::Verdict(_) => Topic::Verdict,
            Self::OrderUpdate(_) => Topic::OrderUpdate,
            Self::Fill(_) => Topic::Fill,
            Self::TightLoop(_) => Topic::TightLoop,
            Self::Settlement(_) => Topic::Settlement,
            Self::Alert(_) => Topic::Alert,
            Self::Account(_) => Topic::Account,
            Self::Decision(_) => Topic::Decision,
            Self::Control(_) => Topic::Control,
            Self::Custom(_) => Topic::Custom,
        }
    }
}

/// Place of a publisher in the fixed order of the bus; the engine is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Publisher(pub u16);

/// One event with its place in the run.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Number in the run, from 1, without gaps; given in canonical order.
    pub seq: u64,
    /// Number within its topic, from 1, without gaps.
    pub seq_topic: u64,
    /// The tick at which it was published.
    pub ts: UtcMillis,
    /// `seq` of the envelope whose handling published it; `None` for the engine's own.
    pub cause_seq: Option<u64>,
    /// Who published it.
    pub publisher: Publisher,
    /// What it says.
    pub payload: Payload,
}

impl Envelope {
    /// The topic of its payload.
    pub const fn topic(&self) -> Topic {
        self.payload.topic()
    }
}

/// Turning points of the run: start, end and failure, and a second pass at a close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// All services are ready; the first frame follows.
    EngineReady,
    /// The last frame has been drained.
    Eof,
    /// The user asked the run to stop.
    Interrupted,
    /// Execution goes on to fill orders at the close that they were decided on (`same_close`).
    ClosePass,
    /// The run has failed; what the failing handler left behind precedes this.
    Failed {
        /// Service at fault.
        service: Box<str>,
        /// The error with its causes.
        message: Box<str>,
    },
}

impl Control {
    /// The message as logs show it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::EngineReady => "engine_ready",
            Self::Eof => "eof",
            Self::Interrupted => "interrupted",
            Self::ClosePass => "close_pass",
            Self::Failed { .. } => "failed",
        }
    }
}

/// A user's own message: named scalars, logged like the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Custom {
    /// What kind of message it is, in the user's words.
    pub kind: Box<str>,
    /// Its fields, in order.
    pub fields: Vec<(Box<str>, Scalar)>,
}

impl Custom {
    /// A message of `kind` without fields.
    pub fn new(kind: &str) -> Self {
        Self { kind: kind.into(), fields: Vec::new() }
    }

    /// The message with one more field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Scalar>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&Scalar> {
        self.fields.iter().find(|(known, _)| **known == *name).map(|(_, value)| value)
    }
}

/// One value of a user's message or of a service's report.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A whole number.
    Integer(i64),
    /// A float.
    Float(f64),
    /// A decimal.
    Decimal(Decimal),
    /// A text.
    Text(Box<str>),
    /// An instant.
    Time(UtcMillis),
    /// Yes or no.
    Flag(bool),
}

impl fmt::Display for Scalar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(formatter, "{value}"),
            Self::Float(value) => write!(formatter, "{value}"),
            Self::Decimal(value) => write!(formatter, "{value}"),
            Self::Text(value) => formatter.write_str(value),
            Self::Time(value) => write!(formatter, "{value}"),
            Self::Flag(value) => write!(formatter, "{value}"),
        }
    }
}

impl From<i64> for Scalar {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Scalar {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<Decimal> for Scalar {
    fn from(value: Decimal) -> Self {
        Self::Decimal(value)
    }
}

impl From<&str> for Scalar {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<UtcMillis> for Scalar {
    fn from(value: UtcMillis) -> Self {
        Self::Time(value)
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_listed_at_their_own_places() {
        for (place, topic) in Topic::ALL.into_iter().enumerate() {
            assert_eq!(topic.index(), place);
        }
    }
}
