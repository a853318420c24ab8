//! Handshakes: what a venue says of one operation, and the news that go with it.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::delta::{Delta, DeltaBatch, OperationId, Source};
use crate::fill::Fill;
use crate::order::{OrderId, OrderUpdate, Refusal};
use crate::snapshot::Reservation;
use crate::time::UtcMillis;

/// How an operation ended at its venue (02 §3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HandshakeStatus {
    /// Complete.
    Confirmed,
    /// Filled in part; the rest works.
    Partial,
    /// It rests; nothing has happened yet.
    Working,
    /// The venue has not answered yet; live only.
    Pending,
    /// The venue refused it, or no interface takes it.
    Rejected,
    /// It was tried and failed; it may have cost gas.
    Failed,
    /// An atomic group that failed: nothing but gas is left of it.
    RolledBack,
    /// Its time ran out.
    Expired,
    /// Ended before it was complete.
    Canceled,
}

impl HandshakeStatus {
    /// All statuses.
    pub const ALL: [Self; 9] = [
        Self::Confirmed,
        Self::Partial,
        Self::Working,
        Self::Pending,
        Self::Rejected,
        Self::Failed,
        Self::RolledBack,
        Self::Expired,
        Self::Canceled,
    ];

    /// The status as logs show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Partial => "partial",
            Self::Working => "working",
            Self::Pending => "pending",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
            Self::Expired => "expired",
            Self::Canceled => "canceled",
        }
    }

    /// Whether the operation was tried and failed: what `on_failed_order` is about (D58).
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::RolledBack)
    }
}

/// The outcome of one operation, or of one atomic group.
#[derive(Clone, Debug, PartialEq)]
pub struct Handshake {
    /// Name of the operation; its deltas are applied once under it.
    pub op_id: OperationId,
    /// How it ended.
    pub status: HandshakeStatus,
    /// Where its deltas come from.
    pub source: Source,
    /// What it changed; of a group net per position. From what happened, never from what was expected.
    pub deltas: Vec<Delta>,
    /// What was traded, if it is a trade that filled.
    pub fill: Option<Arc<Fill>>,
    /// Gas that it took, if it went over a chain.
    pub gas: Option<Gas>,
    /// Why it did not succeed.
    pub refusal: Option<Refusal>,
    /// When the venue carried it out.
    pub ts_event: UtcMillis,
    /// What each member of an atomic group did, in sequence.
    pub steps: Vec<GroupStep>,
}

/// Gas of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gas {
    /// Units of gas.
    pub units: u64,
    /// Price of a unit, in gwei.
    pub gwei: Decimal,
    /// What it cost, in ETH; positive.
    pub eth: Decimal,
}

/// What one member of an atomic group did before the group ended.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupStep {
    /// The member.
    pub order_id: OrderId,
    /// How it ended within the group.
    pub status: HandshakeStatus,
    /// What it changed; gone if the group was rolled back.
    pub deltas: Vec<Delta>,
}

/// What is wrong with a handshake: a venue that contradicts itself (02 §3.5).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("EXEC-HANDSHAKE: {op_id} is {} {fault}", status.name())]
pub struct HandshakeFault {
    op_id: OperationId,
    status: HandshakeStatus,
    fault: &'static str,
}

impl Handshake {
    /// An answer without deltas.
    pub const fn without_deltas(
        op_id: OperationId,
        status: HandshakeStatus,
        ts_event: UtcMillis,
    ) -> Self {
        Self {
            op_id,
            status,
            source: Source::Trade,
            deltas: Vec::new(),
            fill: None,
            gas: None,
            refusal: None,
            ts_event,
            steps: Vec::new(),
        }
    }

    /// The same with a reason.
    #[must_use]
    pub fn because(mut self, refusal: Refusal) -> Self {
        self.refusal = Some(refusal);
        self
    }

    /// Its deltas, to be applied.
    pub fn batch(&self) -> DeltaBatch {
        DeltaBatch {
            op_id: self.op_id,
            source: self.source,
            ts_event: self.ts_event,
            deltas: self.deltas.clone(),
        }
    }

    /// Checks what holds for every handshake: what has not happened changes nothing, and what failed
    /// costs gas at most.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks.
    pub fn check(&self) -> Result<(), HandshakeFault> {
        use HandshakeStatus::{
            Canceled, Confirmed, Expired, Failed, Partial, Pending, Rejected, RolledBack, Working,
        };
        let fault = |fault| Err(HandshakeFault { op_id: self.op_id, status: self.status, fault });
        let is_gas = |delta: &Delta| delta.cause == crate::delta::Cause::Gas;
        match self.status {
            Working | Rejected | Pending if !self.deltas.is_empty() => fault("and has deltas"),
            Expired | Canceled if self.fill.is_none() && !self.deltas.is_empty() => {
                fault("without a fill and has deltas")
            }
            Failed | RolledBack if !self.deltas.iter().all(is_gas) => {
                fault("and has deltas that are not gas")
            }
            Partial if self.fill.is_none() => fault("and has no fill"),
            Confirmed | Partial | Working | Rejected | Pending | Expired | Canceled | Failed
            | RolledBack => Ok(()),
        }
    }
}

/// What a venue reports while it works, in the order in which it happens.
#[derive(Clone, Debug)]
pub enum VenueReport {
    /// An operation has ended, or has come to rest.
    Handshake(Handshake),
    /// News of an order, after the handshake that they belong to.
    Update(Arc<OrderUpdate>),
    /// What a working order may still need has changed.
    Locked {
        /// Which order.
        order_id: OrderId,
        /// The new amount.
        reserved: Reservation,
    },
}
