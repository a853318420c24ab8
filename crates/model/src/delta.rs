//! Deltas: signed changes of single positions, the one format in which every book is changed.

use std::fmt;

use rust_decimal::Decimal;

use crate::instrument::{InstrumentIx, KeyIx};
use crate::money::Price;
use crate::operation::GroupId;
use crate::order::OrderId;
use crate::settlement::SettlementKind;
use crate::time::UtcMillis;

/// Name of one operation at a venue: what has been applied under it is never applied again (D06).
///
/// The submission of an order is number 0; each later loop of it takes the next number (D57).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId {
    /// What was operated on.
    pub subject: Subject,
    /// Which of its loops.
    pub number: u32,
}

/// What an operation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// What the run starts with.
    Initial,
    /// An order of a strategy.
    Order(OrderId),
    /// An atomic group.
    Group(GroupId),
    /// Something that fell due.
    Settlement {
        /// What.
        kind: SettlementKind,
        /// On which position.
        key: KeyIx,
        /// When it fell due.
        ts_event: UtcMillis,
    },
    /// A position that the venue closed.
    Liquidation {
        /// Which position.
        key: KeyIx,
        /// In which frame.
        ts: UtcMillis,
    },
}

impl OperationId {
    /// The submission of an order.
    pub const fn submission(order_id: OrderId) -> Self {
        Self { subject: Subject::Order(order_id), number: 0 }
    }

    /// A settlement, of which there is one of a kind, position and instant.
    pub const fn settlement(kind: SettlementKind, key: KeyIx, ts_event: UtcMillis) -> Self {
        Self { subject: Subject::Settlement { kind, key, ts_event }, number: 0 }
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.subject {
            Subject::Initial => write!(formatter, "initial"),
            Subject::Order(OrderId { strategy, number }) => {
                write!(formatter, "order {}.{number}", strategy.0)
            }
            Subject::Group(GroupId { strategy, number }) => {
                write!(formatter, "group {}.{number}", strategy.0)
            }
            Subject::Settlement { kind, key, ts_event } => {
                write!(formatter, "{} of key {} at {ts_event}", kind.name(), key.0)
            }
            Subject::Liquidation { key, ts } => {
                write!(formatter, "liquidation of key {} at {ts}", key.0)
            }
        }?;
        write!(formatter, " #{}", self.number)
    }
}

/// Where deltas come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A trade, on a market or with a protocol.
    Trade,
    /// A transfer between venues.
    Transfer,
    /// Funding of a perpetual.
    Funding,
    /// A reward.
    Reward,
    /// What the run starts with.
    Initial,
    /// A fee or gas that stands alone: of an operation that failed.
    Fee,
    /// What was on its way has come: a claim or a transfer.
    Settlement,
    /// A venue has closed a position.
    Liquidation,
    /// An operator's correction; live only.
    Correction,
}

impl Source {
    /// All sources.
    pub const ALL: [Self; 9] = [
        Self::Trade,
        Self::Transfer,
        Self::Funding,
        Self::Reward,
        Self::Initial,
        Self::Fee,
        Self::Settlement,
        Self::Liquidation,
        Self::Correction,
    ];

    /// The source as logs show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trade => "trade",
            Self::Transfer => "transfer",
            Self::Funding => "funding",
            Self::Reward => "reward",
            Self::Initial => "initial",
            Self::Fee => "fee",
            Self::Settlement => "settlement",
            Self::Liquidation => "liquidation",
            Self::Correction => "correction",
        }
    }
}

/// What a delta is for, within its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// What was traded and what was paid for it.
    Trade,
    /// Gas of a transaction.
    Gas,
    /// A fee that is a delta of its own.
    Fee,
    /// What the closed part of a perpetual has gained.
    Realized,
    /// Funding.
    Funding,
    /// A reward.
    Reward,
    /// A reward by season.
    Seasonal,
    /// One side of a transfer.
    TransferLeg,
    /// A claim that has matured.
    Claim,
    /// What a liquidation took or repaid.
    Liquidation,
    /// What the run starts with.
    Initial,
    /// A residue that was swept to zero.
    Dust,
    /// Daily settlement of the margin.
    MarginPnl,
    /// An operator's correction.
    Correction,
}

impl Cause {
    /// The cause as logs show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trade => "trade",
            Self::Gas => "gas",
            Self::Fee => "fee",
            Self::Realized => "realized",
            Self::Funding => "funding",
            Self::Reward => "reward",
            Self::Seasonal => "seasonal",
            Self::TransferLeg => "transfer_leg",
            Self::Claim => "claim",
            Self::Liquidation => "liquidation",
            Self::Initial => "initial",
            Self::Dust => "dust",
            Self::MarginPnl => "margin_pnl",
            Self::Correction => "correction",
        }
    }
}

/// One signed change of one position.
///
/// Source: 02 §3.4. An index that grows is no delta: scaled balances do not change by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// Which position.
    pub key: KeyIx,
    /// By how much, in the unit of the key; never zero.
    pub amount: Decimal,
    /// What for.
    pub cause: Cause,
    /// The instrument that was traded, if one was.
    pub instrument: Option<InstrumentIx>,
    /// Price at which it happened, in the currency of the instrument's quotes.
    pub px: Option<Price>,
    /// Price before spread and impact, in the same currency: where the market was (05 §7.2).
    pub px_ref: Option<Price>,
    /// Fee that this amount is net of, and the position that paid it; for information, since no other
    /// delta of the batch moves it (D20). A cost is positive.
    pub fee: Option<Fee>,
    /// When and where what is on its way arrives: of a claim or a transfer that has been sent.
    pub arrival: Option<Arrival>,
}

/// A fee of which an amount is net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fee {
    /// Cost positive, rebate negative.
    pub amount: Decimal,
    /// The position that paid it.
    pub key: KeyIx,
}

/// What is on its way: from a claim to a wallet, or from one venue to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: UtcMillis,
    /// Where.
    pub target: KeyIx,
}

impl Delta {
    /// A change of `key` by `amount`, without prices.
    pub const fn new(key: KeyIx, amount: Decimal, cause: Cause) -> Self {
        Self {
            key,
            amount,
            cause,
            instrument: None,
            px: None,
            px_ref: None,
            fee: None,
            arrival: None,
        }
    }
}

/// All changes of one operation: applied together and once, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeltaBatch {
    /// Name of the operation.
    pub op_id: OperationId,
    /// Where they come from.
    pub source: Source,
    /// When it happened.
    pub ts_event: UtcMillis,
    /// In any order: the result does not depend on it.
    pub deltas: Vec<Delta>,
}
