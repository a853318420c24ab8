//! Tables: the columns of every record kind, and the batches that records become.

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, PrimitiveArray, RecordBatch, StringArray,
    TimestampMillisecondArray, UInt64Array,
};
use arrow_buffer::{BooleanBuffer, Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use model::event::Control;

use super::kind::Kind;
use super::loop_tables;
use super::order_tables;
use super::records::{ChainRow, Rare, RareEvent, Records};
use crate::chain_tables::{self, Risks};
use crate::columns::{schema, some_texts, texts, times, timestamp};
use crate::names::Names;

/// The columns of a kind; every row has `seq` and `ts`, and `cause_seq` where something caused it.
pub(crate) fn schema_of(kind: Kind) -> SchemaRef {
    use DataType::{Boolean, Float64, UInt16, UInt32, UInt64, Utf8};
    let mut columns = vec![("seq", UInt64), ("ts", timestamp())];
    columns.extend(match kind {
        Kind::Frame => vec![("bars", UInt16), ("is_warmup", Boolean)],
        Kind::Account => vec![
            ("cause_seq", UInt64),
            ("equity", Float64),
            ("cash", Float64),
            ("gross", Float64),
            ("net", Float64),
            ("unrealized", Float64),
            ("working_orders", UInt32),
        ],
        Kind::Decision => vec![
            ("cause_seq", UInt64),
            ("publisher", UInt16),
            ("action", Utf8),
            ("pattern", Utf8),
            ("reason", Utf8),
            ("conditions", Utf8),
        ],
        Kind::Intent => order_tables::intent_columns(),
        Kind::Verdict => order_tables::verdict_columns(),
        Kind::OrderUpdate => order_tables::update_columns(),
        Kind::Fill => order_tables::fill_columns(),
        Kind::Lot => order_tables::lot_columns(),
        Kind::TightLoop => loop_tables::loop_columns(),
        Kind::Delta => loop_tables::delta_columns(),
        Kind::Mismatch => loop_tables::mismatch_columns(),
        Kind::Settlement => loop_tables::settlement_columns(),
        Kind::Alert => loop_tables::alert_columns(),
        Kind::Exposure => chain_tables::exposure_columns(),
        Kind::Risk => chain_tables::risk_columns(),
        Kind::Pnl => chain_tables::pnl_columns(),
        Kind::Control => vec![("name", Utf8), ("service?", Utf8), ("message?", Utf8)],
        Kind::Custom => {
            vec![("cause_seq?", UInt64), ("publisher", UInt16), ("kind", Utf8), ("fields", Utf8)]
        }
    });
    schema(&columns)
}

/// The batch of one kind, or `None` if nothing of that kind happened.
pub(crate) fn batch_of(
    kind: Kind,
    schema: &SchemaRef,
    records: &mut Records,
    names: &Names,
) -> Result<Option<RecordBatch>, ArrowError> {
    let columns = match kind {
        Kind::Frame => frames(records),
        Kind::Account => accounts(records),
        Kind::Decision => decisions(records),
        Kind::Intent => order_tables::intents(&records.rare, names)?,
        Kind::Verdict => order_tables::verdicts(&records.rare, names)?,
        Kind::OrderUpdate => order_tables::updates(&records.rare, names)?,
        Kind::Fill => order_tables::fills(&records.rare, names)?,
        Kind::Lot => order_tables::lots(&records.rare, names)?,
        Kind::TightLoop => loop_tables::loops(&records.rare, names),
        Kind::Delta => loop_tables::deltas(&records.rare, names)?,
        Kind::Mismatch => loop_tables::mismatches(&records.rare, names)?,
        Kind::Settlement => loop_tables::settlements(&records.rare, names)?,
        Kind::Alert => loop_tables::alerts(&records.rare),
        Kind::Exposure => chain_tables::exposure(&logged(records), names),
        Kind::Risk => chain_tables::risk(&logged(records), Risks::Enabled, names),
        Kind::Pnl => chain_tables::pnl(&logged(records)),
        Kind::Control => controls(&records.rare),
        Kind::Custom => customs(&records.rare),
    };
    if columns.first().is_none_or(|seq| seq.is_empty()) {
        return Ok(None);
    }
    RecordBatch::try_new(Arc::clone(schema), columns).map(Some)
}

fn logged(records: &Records) -> Vec<&ChainRow> {
    records.chain.iter().filter(|row| row.in_log).collect()
}

pub(super) fn column<T: ArrowPrimitiveType>(values: Vec<T::Native>) -> ArrayRef
where
    ScalarBuffer<T::Native>: From<Vec<T::Native>>,
{
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), None))
}

fn millis(values: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampMillisecondArray::from(values).with_timezone("UTC"))
}

pub(super) fn flags(values: &[bool]) -> ArrayRef {
    Arc::new(BooleanArray::new(BooleanBuffer::from(values), None))
}

fn frames(records: &mut Records) -> Vec<ArrayRef> {
    let frames = std::mem::take(&mut records.frames);
    vec![
        column::<UInt64Type>(frames.seq),
        millis(frames.ts),
        column::<UInt16Type>(frames.bars),
        flags(&frames.is_warmup),
    ]
}

fn accounts(records: &mut Records) -> Vec<ArrayRef> {
    let accounts = std::mem::take(&mut records.accounts);
    let floats = |values: Vec<f64>| Arc::new(Float64Array::from(values)) as ArrayRef;
    vec![
        column::<UInt64Type>(accounts.seq),
        millis(accounts.ts),
        column::<UInt64Type>(accounts.cause_seq),
        floats(accounts.equity),
        floats(accounts.cash),
        floats(accounts.gross),
        floats(accounts.net),
        floats(accounts.unrealized),
        column::<UInt32Type>(accounts.working_orders),
    ]
}

fn decisions(records: &mut Records) -> Vec<ArrayRef> {
    let decisions = std::mem::take(&mut records.decisions);
    let actions = decisions.actions.iter().map(|action| action.name());
    let patterns = decisions.patterns.iter().map(|pattern| pattern.name());
    let mut conditions = vec![""; decisions.seq.len()];
    for (place, shown) in &decisions.conditions {
        conditions[*place] = shown;
    }
    let lengths = std::iter::once(0).chain(decisions.reason_ends).collect::<Vec<i32>>();
    let offsets = OffsetBuffer::new(ScalarBuffer::from(lengths));
    let reasons = StringArray::new(offsets, Buffer::from_vec(decisions.reasons.into_bytes()), None);
    vec![
        column::<UInt64Type>(decisions.seq),
        millis(decisions.ts),
        column::<UInt64Type>(decisions.cause_seq),
        column::<UInt16Type>(decisions.publisher),
        Arc::new(StringArray::from_iter_values(actions)),
        Arc::new(StringArray::from_iter_values(patterns)),
        Arc::new(reasons),
        Arc::new(StringArray::from_iter_values(conditions)),
    ]
}

/// The columns that all rare kinds begin with: seq, ts, and the cause unless `alone`.
pub(super) fn heads<T>(rows: &[(&Rare, T)], alone: bool) -> Vec<ArrayRef> {
    let mut columns = vec![
        column::<UInt64Type>(rows.iter().map(|(rare, _)| rare.seq).collect()),
        times(rows.iter().map(|(rare, _)| Some(rare.ts))),
    ];
    if !alone {
        let causes = rows.iter().map(|(rare, _)| rare.cause_seq);
        columns.push(Arc::new(causes.collect::<UInt64Array>()));
    }
    columns
}

pub(super) fn publishers<T>(rows: &[(&Rare, T)]) -> ArrayRef {
    column::<UInt16Type>(rows.iter().map(|(rare, _)| rare.publisher).collect())
}

fn controls(rare: &[Rare]) -> Vec<ArrayRef> {
    let rows =
        of_kind(
            rare,
            |event| {
                if let RareEvent::Control(control) = event { Some(control) } else { None }
            },
        );
    let each = || rows.iter().map(|(_, control)| control);
    let failure = |control: &&&Control| match control {
        Control::Failed { service, message } => (Some(service.clone()), Some(message.clone())),
        Control::EngineReady | Control::Eof | Control::Interrupted | Control::ClosePass => {
            (None, None)
        }
    };
    let mut columns = heads(&rows, true);
    columns.extend([
        texts(each().map(|control| control.name())),
        some_texts(each().map(|control| failure(&control).0)),
        some_texts(each().map(|control| failure(&control).1)),
    ]);
    columns
}

fn customs(rare: &[Rare]) -> Vec<ArrayRef> {
    let rows =
        of_kind(
            rare,
            |event| {
                if let RareEvent::Custom(custom) = event { Some(&**custom) } else { None }
            },
        );
    let each = || rows.iter().map(|(_, custom)| custom);
    let fields = |custom: &&&model::event::Custom| {
        // Written by hand to keep the order of the fields, which is the user's.
        let field = |(name, value): &(Box<str>, model::event::Scalar)| {
            format!("{}:{}", serde_json::json!(name), serde_json::json!(value.to_string()))
        };
        format!("{{{}}}", custom.fields.iter().map(field).collect::<Vec<_>>().join(","))
    };
    let mut columns = heads(&rows, false);
    columns.extend([
        publishers(&rows),
        texts(each().map(|custom| &custom.kind)),
        texts(each().map(|custom| fields(&custom))),
    ]);
    columns
}

pub(super) fn of_kind<'a, T>(
    rare: &'a [Rare],
    pick: impl Fn(&'a RareEvent) -> Option<&'a T>,
) -> Vec<(&'a Rare, &'a T)> {
    rare.iter().filter_map(|record| Some((record, pick(&record.event)?))).collect()
}
