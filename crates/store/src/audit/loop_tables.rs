//! Tables of tight loops: what each did, what it changed, where books differed, and what fell due.

use std::sync::Arc;

use arrow_array::types::{UInt32Type, UInt64Type};
use arrow_array::{ArrayRef, BooleanArray, Float64Array, UInt64Array};
use arrow_schema::ArrowError;
use arrow_schema::DataType::{Boolean, Float64, UInt32, UInt64, Utf8};
use model::Decimal;
use model::delta::{Delta, OperationId, Source};
use model::money::Price;
use model::reconciliation::Mismatch;
use model::risk::RiskAlert;
use model::settlement::Settlement;
use model::tight_loop::LoopRecord;
use model::time::UtcMillis;

use super::order_tables::Columns;
use super::records::{Rare, RareEvent};
use super::tables::{column, heads, of_kind};
use crate::columns::{
    DECIMAL, decimals, printed, some_printed, some_texts, texts, times, timestamp,
};
use crate::names::Names;

/// Columns of the stream of loops, after `seq` and `ts`.
pub(super) fn loop_columns() -> Columns {
    vec![
        ("cause_seq?", UInt64),
        ("op_id", Utf8),
        ("status?", Utf8),
        ("end", Utf8),
        ("path", Utf8),
        ("compares", UInt32),
        ("compared", UInt64),
        ("mismatches", UInt64),
        ("chain?", UInt64),
        ("reason?", Utf8),
    ]
}

pub(super) fn loops(rare: &[Rare], names: &Names) -> Vec<ArrayRef> {
    let rows = of_kind(rare, loop_of);
    let each = || rows.iter().map(|(_, record)| record);
    let handshakes = || each().map(|record| record.handshake.as_ref());
    let sizes = |size: fn(&LoopRecord) -> usize| {
        column::<UInt64Type>(each().map(|record| size(record) as u64).collect())
    };
    let mut columns = heads(&rows, false);
    columns.extend([
        printed(each().map(|record| names.operation_id(record.op_id))),
        some_texts(handshakes().map(|handshake| Some(handshake?.status.name()))),
        texts(each().map(|record| record.end.name())),
        printed(each().map(|record| &record.path)),
        column::<UInt32Type>(each().map(|record| record.attempts.compare).collect()),
        sizes(|record| record.compared),
        sizes(|record| record.diffs.len()),
        Arc::new(each().map(|record| Some(record.chain?.0)).collect::<UInt64Array>()),
        some_printed(handshakes().map(|handshake| handshake?.refusal.as_ref())),
    ]);
    columns
}

/// Columns of the stream of deltas, after `seq` and `ts`.
pub(super) fn delta_columns() -> Columns {
    vec![
        ("cause_seq?", UInt64),
        ("op_id", Utf8),
        ("ts_event", timestamp()),
        ("position_key", Utf8),
        ("amount", DECIMAL),
        ("source", Utf8),
        ("cause", Utf8),
        ("px?", DECIMAL),
        ("px_ref?", DECIMAL),
        ("fee?", DECIMAL),
        ("fee_key?", Utf8),
    ]
}

/// A delta with the operation that it belongs to.
struct Changed<'a> {
    op_id: OperationId,
    source: Source,
    ts_event: UtcMillis,
    delta: &'a Delta,
}

pub(super) fn deltas(rare: &[Rare], names: &Names) -> Result<Vec<ArrayRef>, ArrowError> {
    let rows: Vec<(&Rare, Changed<'_>)> = rare
        .iter()
        .flat_map(|record| changes(record).map(move |change| (record, change)))
        .collect();
    let each = || rows.iter().map(|(_, change)| change);
    let deltas = || each().map(|change| change.delta);
    let mut columns = heads(&rows, false);
    columns.extend([
        printed(each().map(|change| names.operation_id(change.op_id))),
        times(each().map(|change| Some(change.ts_event))),
        texts(deltas().map(|delta| names.key(delta.key))),
        decimals(deltas().map(|delta| Some(delta.amount)))?,
        texts(each().map(|change| change.source.name())),
        texts(deltas().map(|delta| delta.cause.name())),
        decimals(deltas().map(|delta| delta.px.map(Price::value)))?,
        decimals(deltas().map(|delta| delta.px_ref.map(Price::value)))?,
        decimals(deltas().map(|delta| Some(delta.fee?.amount)))?,
        some_texts(deltas().map(|delta| Some(names.key(delta.fee?.key)))),
    ]);
    Ok(columns)
}

/// What a record has changed in our books.
fn changes(record: &Rare) -> impl Iterator<Item = Changed<'_>> {
    let of_loop = loop_of(&record.event).filter(|it| it.applied);
    let of_loop = of_loop.and_then(|it| it.handshake.as_ref()).into_iter().flat_map(|handshake| {
        let (op_id, source, ts_event) = (handshake.op_id, handshake.source, handshake.ts_event);
        handshake.deltas.iter().map(move |delta| Changed { op_id, source, ts_event, delta })
    });
    let of_settlement = settlement_of(&record.event).into_iter().flat_map(|settlement| {
        let (op_id, source) = (settlement.op_id(), settlement.source());
        let ts_event = settlement.ts_event;
        settlement.deltas.iter().map(move |delta| Changed { op_id, source, ts_event, delta })
    });
    of_loop.chain(of_settlement)
}

/// Columns of the stream of mismatches, after `seq` and `ts`.
pub(super) fn mismatch_columns() -> Columns {
    vec![
        ("cause_seq?", UInt64),
        ("op_id", Utf8),
        ("position_key", Utf8),
        ("simulated", DECIMAL),
        ("real", DECIMAL),
        ("difference", DECIMAL),
        ("tolerance", DECIMAL),
    ]
}

pub(super) fn mismatches(rare: &[Rare], names: &Names) -> Result<Vec<ArrayRef>, ArrowError> {
    let mut rows: Vec<(&Rare, (OperationId, Mismatch))> = Vec::new();
    for (record, it) in of_kind(rare, loop_of) {
        rows.extend(it.diffs.iter().map(|mismatch| (record, (it.op_id, *mismatch))));
    }
    let each = || rows.iter().map(|(_, (_, mismatch))| mismatch);
    let amounts =
        |amount: fn(&Mismatch) -> Decimal| decimals(each().map(|mismatch| Some(amount(mismatch))));
    let mut columns = heads(&rows, false);
    columns.extend([
        printed(rows.iter().map(|(_, (op_id, _))| names.operation_id(*op_id))),
        texts(each().map(|mismatch| names.key(mismatch.key))),
        amounts(|mismatch| mismatch.simulated.amount)?,
        amounts(|mismatch| mismatch.real.amount)?,
        amounts(Mismatch::difference)?,
        amounts(|mismatch| mismatch.tolerance)?,
    ]);
    Ok(columns)
}

/// Columns of the stream of settlements, after `seq` and `ts`.
pub(super) fn settlement_columns() -> Columns {
    vec![
        ("cause_seq?", UInt64),
        ("kind", Utf8),
        ("position_key", Utf8),
        ("event_ts", timestamp()),
        ("rate?", DECIMAL),
        ("price?", DECIMAL),
        ("amount", DECIMAL),
        ("paid_to", Utf8),
    ]
}

pub(super) fn settlements(rare: &[Rare], names: &Names) -> Result<Vec<ArrayRef>, ArrowError> {
    let rows = of_kind(rare, settlement_of);
    let each = || rows.iter().map(|(_, settlement)| &**settlement);
    let mut columns = heads(&rows, false);
    columns.extend(settled(each, names)?);
    columns.push(texts(each().map(|settlement| names.key(settlement.paid_to))));
    Ok(columns)
}

/// What was settled, in log and results alike: from the kind to the amount.
pub(crate) fn settled<'a, I: Iterator<Item = &'a Settlement>>(
    each: impl Fn() -> I,
    names: &Names,
) -> Result<[ArrayRef; 6], ArrowError> {
    Ok([
        texts(each().map(|settlement| settlement.kind.name())),
        texts(each().map(|settlement| names.key(settlement.key))),
        times(each().map(|settlement| Some(settlement.ts_event))),
        decimals(each().map(|settlement| settlement.rate))?,
        decimals(each().map(|settlement| settlement.px.map(Price::value)))?,
        decimals(each().map(|settlement| Some(settlement.amount)))?,
    ])
}

/// Columns of the stream of alerts, after `seq` and `ts`.
pub(super) fn alert_columns() -> Columns {
    vec![
        ("cause_seq?", UInt64),
        ("risk_type", Utf8),
        ("before", Utf8),
        ("after", Utf8),
        ("value?", Float64),
        ("is_enabled", Boolean),
    ]
}

pub(super) fn alerts(rare: &[Rare]) -> Vec<ArrayRef> {
    let rows = of_kind(rare, alert_of);
    let each = || rows.iter().map(|(_, alert)| alert);
    let mut columns = heads(&rows, false);
    columns.extend([
        texts(each().map(|alert| alert.kind.name())),
        texts(each().map(|alert| alert.before.name())),
        texts(each().map(|alert| alert.after.name())),
        Arc::new(each().map(|alert| alert.value).collect::<Float64Array>()) as ArrayRef,
        Arc::new(each().map(|alert| Some(alert.is_enabled)).collect::<BooleanArray>()) as ArrayRef,
    ]);
    columns
}

fn alert_of(event: &RareEvent) -> Option<&RiskAlert> {
    if let RareEvent::Alert(alert) = event { Some(alert) } else { None }
}

fn loop_of(event: &RareEvent) -> Option<&LoopRecord> {
    if let RareEvent::TightLoop(record) = event { Some(record) } else { None }
}

fn settlement_of(event: &RareEvent) -> Option<&Settlement> {
    if let RareEvent::Settlement(settlement) = event { Some(settlement) } else { None }
}
