//! Settlement: what falls due without an order (03).

use rust_decimal::Decimal;

use crate::delta::{Arrival, Cause, Delta, DeltaBatch, OperationId, Source};
use crate::frame::FundingPoint;
use crate::instrument::{InstrumentTable, KeyIx};
use crate::key::PositionType;
use crate::money::{Price, Quantity};
use crate::perp::funding_payment;
use crate::time::UtcMillis;

/// What falls due; in the order in which events of one instant are settled (03 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SettlementKind {
    /// A transfer arrives.
    Transit,
    /// A claim matures.
    Claim,
    /// Funding of a perpetual.
    Funding,
    /// Daily settlement of the margin of a perpetual (03 §4.6).
    MarginPnl,
    /// A reward or an airdrop.
    Reward,
}

impl SettlementKind {
    /// The kind as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transit => "transit",
            Self::Claim => "claim",
            Self::Funding => "funding",
            Self::MarginPnl => "margin_pnl",
            Self::Reward => "reward",
        }
    }
}

/// Something that fell due on one position, and what it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What.
    pub kind: SettlementKind,
    /// On which position.
    pub key: KeyIx,
    /// When it fell due.
    pub ts_event: UtcMillis,
    /// Rate of a funding payment, per interval.
    pub rate: Option<Decimal>,
    /// Price at which it was reckoned, in quote currency.
    pub px: Option<Price>,
    /// What was paid to us; negative if we paid.
    pub amount: Decimal,
    /// The balance that it went to.
    pub paid_to: KeyIx,
    /// What it changes.
    pub deltas: Vec<Delta>,
}

impl Settlement {
    /// Name of the operation: there is one of a kind, position and instant.
    pub const fn op_id(&self) -> OperationId {
        OperationId::settlement(self.kind, self.key, self.ts_event)
    }

    /// Where its deltas come from.
    pub const fn source(&self) -> Source {
        match self.kind {
            SettlementKind::Transit | SettlementKind::Claim => Source::Settlement,
            SettlementKind::Funding | SettlementKind::MarginPnl => Source::Funding,
            SettlementKind::Reward => Source::Reward,
        }
    }

    /// Its deltas, to be applied.
    pub fn batch(&self) -> DeltaBatch {
        let (op_id, source, deltas) = (self.op_id(), self.source(), self.deltas.clone());
        DeltaBatch { op_id, source, ts_event: self.ts_event, deltas }
    }
}

/// What is on its way to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The position that it is booked on until then.
    pub key: KeyIx,
    /// How much; positive.
    pub amount: Decimal,
    /// When and where it arrives.
    pub arrival: Arrival,
}

/// What is on its way arrives: a claim matures, a transfer comes in (03 §4.1).
pub fn arrival_due(pending: &Pending, instruments: &InstrumentTable) -> Settlement {
    let Pending { key, amount, arrival } = *pending;
    let is_claim = instruments.key(key).kind() == PositionType::Claim;
    let kind = if is_claim { SettlementKind::Claim } else { SettlementKind::Transit };
    let cause = if is_claim { Cause::Claim } else { Cause::TransferLeg };
    Settlement {
        kind,
        key,
        ts_event: arrival.at,
        rate: None,
        px: None,
        amount,
        paid_to: arrival.target,
        deltas: vec![Delta::new(key, -amount, cause), Delta::new(arrival.target, amount, cause)],
    }
}

/// `DATA-GAP`: funding fell due on a position, and nothing says at which mark.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "DATA-GAP: funding of {instrument} at {ts} has no mark: none is stamped at it, none is known \
     within an interval before it"
)]
pub struct NoMark {
    instrument: String,
    ts: UtcMillis,
}

/// Funding that falls due on a position of `held` contracts; `None` without a position.
///
/// Whoever holds the position at the instant pays or is paid. Source: 03 §4.2.
///
/// # Errors
///
/// No mark of the instant is known.
pub fn funding_due(
    point: &FundingPoint,
    held: Quantity,
    instruments: &InstrumentTable,
) -> Result<Option<Settlement>, NoMark> {
    if held.is_zero() {
        return Ok(None);
    }
    let instrument = instruments.instrument(point.instrument);
    let px = point
        .mark
        .and_then(Price::new)
        .ok_or_else(|| NoMark { instrument: instrument.id.to_string(), ts: point.ts })?;
    let amount = funding_payment(instrument, held, px, point.rate).0;
    let paid_to = instruments.cash_key(point.instrument);
    let delta =
        Delta { instrument: Some(point.instrument), ..Delta::new(paid_to, amount, Cause::Funding) };
    Ok(Some(Settlement {
        kind: SettlementKind::Funding,
        key: instruments.base_key(point.instrument),
        ts_event: point.ts,
        rate: Some(point.rate),
        px: Some(px),
        amount,
        paid_to,
        deltas: if amount.is_zero() { Vec::new() } else { vec![delta] },
    }))
}
