//! The result tables: their columns, and rows from records.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, TimestampMillisecondArray, UInt32Array, UInt64Array,
};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use model::fill::{Fill, RoundTrip};
use model::money::Price;
use model::numeric::float_of;
use model::order::StrategyIx;
use model::settlement::Settlement;
use model::time::UtcMillis;

use super::orders::OrderRow;
use super::terms::Terms;
use crate::audit::loop_tables::settled;
use crate::audit::records::{AccountColumns, PositionRow};
use crate::columns::{
    DECIMAL, decimals, printed, schema, some_printed, some_texts, texts, times, timestamp,
    trail_absolute, trail_bps,
};
use crate::names::Names;

use DataType::{Boolean, Float64, UInt32, UInt64, Utf8};

pub(crate) fn equity_schema() -> SchemaRef {
    schema(&[
        ("ts", timestamp()),
        ("equity", Float64),
        ("cash", Float64),
        ("gross", Float64),
        ("net", Float64),
        ("unrealized", Float64),
        ("drawdown", Float64),
    ])
}

/// One row per frame after the warm-up.
pub(crate) fn equity(accounts: &AccountColumns, drawdown: Vec<f64>) -> Vec<ArrayRef> {
    let start = accounts.warmup_rows;
    let floats =
        |values: &[f64]| Arc::new(Float64Array::from(values[start..].to_vec())) as ArrayRef;
    let ts = TimestampMillisecondArray::from(accounts.ts[start..].to_vec());
    vec![
        Arc::new(ts.with_timezone("UTC")),
        floats(&accounts.equity),
        floats(&accounts.cash),
        floats(&accounts.gross),
        floats(&accounts.net),
        floats(&accounts.unrealized),
        Arc::new(Float64Array::from(drawdown)),
    ]
}

pub(crate) fn order_schema() -> SchemaRef {
    schema(&[
        ("order_id", Utf8),
        ("strategy_id", Utf8),
        ("seq", UInt64),
        ("ts_decided", timestamp()),
        ("ts_eligible?", timestamp()),
        ("instrument?", Utf8),
        ("operation?", Utf8),
        ("side?", Utf8),
        ("type", Utf8),
        ("order_qty?", DECIMAL),
        ("price?", DECIMAL),
        ("stop_price?", DECIMAL),
        ("tif", Utf8),
        ("status", Utf8),
        ("cum_qty", DECIMAL),
        ("avg_px?", DECIMAL),
        ("reason?", Utf8),
        ("trail?", DECIMAL),
        ("trail_bps?", DECIMAL),
        ("expire_at?", timestamp()),
        ("post_only", Boolean),
        ("reduce_only", Boolean),
        ("oco_group?", Utf8),
        ("parent?", Utf8),
    ])
}

pub(crate) fn orders(rows: &[OrderRow], names: &Names) -> Result<Vec<ArrayRef>, ArrowError> {
    let terms = || rows.iter().map(|row| &row.terms);
    let flags = |flag: fn(&Terms) -> bool| {
        Arc::new(terms().map(|terms| Some(flag(terms))).collect::<BooleanArray>()) as ArrayRef
    };
    Ok(vec![
        printed(rows.iter().map(|row| names.order(row.order_id))),
        texts(rows.iter().map(|row| names.strategy(row.order_id.strategy))),
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.seq))),
        times(rows.iter().map(|row| Some(row.ts_decided))),
        times(rows.iter().map(|row| row.ts_eligible)),
        some_texts(terms().map(|terms| Some(names.instrument(terms.instrument?)))),
        some_texts(terms().map(|terms| match terms.operation {
            Some(operation) => Some(operation.name()),
            None => Some(names.operation(terms.instrument?)),
        })),
        some_texts(terms().map(|terms| Some(terms.side?.name()))),
        texts(terms().map(|terms| terms.order_type.name())),
        decimals(terms().map(|terms| Some(terms.order_qty?.0)))?,
        decimals(terms().map(|terms| terms.price))?,
        decimals(terms().map(|terms| terms.stop_price))?,
        texts(terms().map(|terms| terms.tif.name())),
        texts(rows.iter().map(|row| row.status.name())),
        decimals(rows.iter().map(|row| Some(row.cum_qty.0)))?,
        decimals(rows.iter().map(|row| row.avg_px.map(Price::value)))?,
        some_printed(rows.iter().map(|row| row.refusal.as_ref())),
        decimals(terms().map(|terms| trail_absolute(terms.trail?)))?,
        decimals(terms().map(|terms| trail_bps(terms.trail?)))?,
        times(terms().map(|terms| terms.expire_at)),
        flags(|terms| terms.post_only),
        flags(|terms| terms.reduce_only),
        some_printed(terms().map(|terms| Some(names.oco_group(terms.oco_group?)))),
        some_printed(terms().map(|terms| Some(names.order(terms.parent?)))),
    ])
}

pub(crate) fn fill_schema() -> SchemaRef {
    schema(&[
        ("trade_id", UInt64),
        ("order_id", Utf8),
        ("strategy_id", Utf8),
        ("seq", UInt64),
        ("ts", timestamp()),
        ("instrument", Utf8),
        ("side", Utf8),
        ("last_qty", DECIMAL),
        ("last_px", DECIMAL),
        ("fee", DECIMAL),
        ("fee_ccy", Utf8),
        ("liquidity", Utf8),
        ("slippage_bps", Float64),
        ("price_rule", Utf8),
        ("bar_share?", Float64),
    ])
}

pub(crate) fn fills(rows: &[(u64, &Fill)], names: &Names) -> Result<Vec<ArrayRef>, ArrowError> {
    let each = || rows.iter().map(|(_, fill)| fill);
    Ok(vec![
        Arc::new(UInt64Array::from_iter_values(each().map(|fill| fill.trade_id))),
        printed(each().map(|fill| names.order(fill.order_id))),
        texts(each().map(|fill| names.strategy(fill.order_id.strategy))),
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(|(seq, _)| *seq))),
        times(each().map(|fill| Some(fill.ts))),
        texts(each().map(|fill| names.instrument(fill.instrument))),
        texts(each().map(|fill| fill.side.name())),
        decimals(each().map(|fill| Some(fill.last_qty.0)))?,
        decimals(each().map(|fill| Some(fill.last_px.value())))?,
        decimals(each().map(|fill| Some(fill.fee.0)))?,
        texts(each().map(|fill| names.asset(fill.fee_key))),
        texts(each().map(|fill| fill.liquidity.name())),
        Arc::new(Float64Array::from_iter_values(each().map(|fill| fill.slippage_bps))),
        texts(each().map(|fill| fill.price_rule.name())),
        Arc::new(each().map(|fill| fill.bar_share).collect::<Float64Array>()),
    ])
}

pub(crate) fn trade_schema() -> SchemaRef {
    schema(&[
        ("strategy_id", Utf8),
        ("instrument", Utf8),
        ("entry_ts", timestamp()),
        ("exit_ts", timestamp()),
        ("side", Utf8),
        ("qty_max", DECIMAL),
        ("entry_px", DECIMAL),
        ("exit_px", DECIMAL),
        ("pnl", Float64),
        ("return", Float64),
        ("fees", Float64),
        ("mae", Float64),
        ("mfe", Float64),
        ("bars", UInt32),
    ])
}

pub(crate) fn trades(
    rows: &[(StrategyIx, &RoundTrip)],
    names: &Names,
) -> Result<Vec<ArrayRef>, ArrowError> {
    let each = || rows.iter().map(|(_, trip)| trip);
    let floats = |value: fn(&RoundTrip) -> f64| {
        Arc::new(Float64Array::from_iter_values(each().map(|trip| value(trip)))) as ArrayRef
    };
    Ok(vec![
        texts(rows.iter().map(|(strategy, _)| names.strategy(*strategy))),
        texts(each().map(|trip| names.instrument(trip.instrument))),
        times(each().map(|trip| Some(trip.entry_ts))),
        times(each().map(|trip| Some(trip.exit_ts))),
        texts(each().map(|trip| trip.side.name())),
        decimals(each().map(|trip| Some(trip.qty_max.0)))?,
        decimals(each().map(|trip| Some(trip.entry_px.value())))?,
        decimals(each().map(|trip| Some(trip.exit_px.value())))?,
        floats(|trip| float_of(trip.pnl.0) * trip.cash_value),
        floats(|trip| trip.return_on_entry),
        floats(|trip| float_of(trip.fees.0) * trip.cash_value),
        floats(|trip| trip.mae * trip.cash_value),
        floats(|trip| trip.mfe * trip.cash_value),
        Arc::new(UInt32Array::from_iter_values(each().map(|trip| trip.bars))),
    ])
}

pub(crate) fn settlement_schema() -> SchemaRef {
    schema(&[
        ("ts", timestamp()),
        ("kind", Utf8),
        ("position_key", Utf8),
        ("event_ts", timestamp()),
        ("rate?", DECIMAL),
        ("price?", DECIMAL),
        ("amount", DECIMAL),
        ("ccy", Utf8),
    ])
}

pub(crate) fn settlements(
    rows: &[(UtcMillis, &Settlement)],
    names: &Names,
) -> Result<Vec<ArrayRef>, ArrowError> {
    let each = || rows.iter().map(|(_, settlement)| *settlement);
    let mut columns = vec![times(rows.iter().map(|(ts, _)| Some(*ts)))];
    columns.extend(settled(each, names)?);
    columns.push(texts(each().map(|settlement| names.asset(settlement.paid_to))));
    Ok(columns)
}

pub(crate) fn position_schema() -> SchemaRef {
    schema(&[
        ("ts", timestamp()),
        ("position_key", Utf8),
        ("quantity", DECIMAL),
        ("amount", DECIMAL),
        ("value?", Float64),
    ])
}

pub(crate) fn positions(rows: &[PositionRow], names: &Names) -> Result<Vec<ArrayRef>, ArrowError> {
    Ok(vec![
        times(rows.iter().map(|row| Some(row.ts))),
        texts(rows.iter().map(|row| names.key(row.key))),
        decimals(rows.iter().map(|row| Some(row.quantity)))?,
        decimals(rows.iter().map(|row| Some(row.amount)))?,
        Arc::new(rows.iter().map(|row| row.value).collect::<Float64Array>()),
    ])
}
