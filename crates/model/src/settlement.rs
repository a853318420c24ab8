//! Settlement: what falls due without an order (03).

use rust_decimal::Decimal;

use crate::delta::{Arrival, Cause, Delta, DeltaBatch, OperationId, Source};
use crate::frame::FundingPoint;
use crate::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use crate::key::PositionType;
use crate::money::{Price, Quantity};
use crate::perp::{PerpPosition, funding_payment};
use crate::time::{DAY_MS, UtcMillis};

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
    /// Which one it is, where several of a kind may fall due on one position at one instant; else 0.
    pub number: u32,
}

impl Settlement {
    /// Name of the operation.
    pub const fn op_id(&self) -> OperationId {
        let op_id = OperationId::settlement(self.kind, self.key, self.ts_event);
        OperationId { number: self.number, ..op_id }
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
        number: 0,
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
        number: 0,
    }))
}

/// Hour of the day at which margins are settled, 08:00 UTC, in milliseconds (03 §4.6).
const MARGIN_HOUR_MS: i64 = 28_800_000;

/// The instants after `after` and until `until` at which margins are settled, in order.
pub fn margin_instants(after: UtcMillis, until: UtcMillis) -> impl Iterator<Item = UtcMillis> {
    let days = (after.millis() - MARGIN_HOUR_MS).div_euclid(DAY_MS);
    let instant = |day: i64| UtcMillis::new(day * DAY_MS + MARGIN_HOUR_MS);
    (days + 1..).map(instant).take_while(move |instant| *instant <= until)
}

/// What a venue pays out of an open position at `px`, which is its entry from then on; `None` without
/// a position or a gain. Equity stays as it is (03 §4.6).
pub fn margin_due(
    place: InstrumentIx,
    ts_event: UtcMillis,
    px: Price,
    position: PerpPosition,
    instruments: &InstrumentTable,
) -> Option<Settlement> {
    let instrument = instruments.instrument(place);
    let amount = instrument.unrealized(px, position.quantity, position.cost).0;
    if position.quantity.is_zero() || amount.is_zero() {
        return None;
    }
    let paid_to = instruments.cash_key(place);
    let delta = Delta { instrument: Some(place), ..Delta::new(paid_to, amount, Cause::MarginPnl) };
    Some(Settlement {
        kind: SettlementKind::MarginPnl,
        key: instruments.base_key(place),
        ts_event,
        rate: None,
        px: Some(px),
        amount,
        paid_to,
        deltas: vec![delta],
        number: 0,
    })
}

/// What a position was entered at once its margin has been settled at `px`.
pub fn cost_after_margin(
    place: InstrumentIx,
    px: Price,
    quantity: Quantity,
    instruments: &InstrumentTable,
) -> Decimal {
    let instrument = instruments.instrument(place);
    instrument.notional(px, quantity).booked(instrument.ledger_scale).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_settled_at_eight_every_day() {
        let hour = |hour: i64| UtcMillis::new(hour * 3_600_000);
        let hours = |after, until| {
            let instants = margin_instants(hour(after), hour(until));
            instants.map(|instant| instant.millis() / 3_600_000).collect::<Vec<_>>()
        };
        assert_eq!(hours(7, 8), [8]);
        assert_eq!(hours(8, 9), Vec::<i64>::new());
        assert_eq!(hours(0, 60), [8, 32, 56]);
        assert_eq!(hours(-20, 8), [-16, 8]);
    }
}
