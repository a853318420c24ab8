//! The result tables: their columns, and rows from records.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, TimestampMillisecondArray, UInt32Array, UInt64Array};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use model::fill::{Fill, RoundTrip};
use model::money::Price;
use model::numeric::float_of;
use model::order::StrategyIx;

use super::orders::OrderRow;
use crate::audit::records::{AccountColumns, PositionRow};
use crate::columns::{DECIMAL, decimals, printed, schema, some_texts, texts, times, timestamp};
use crate::names::Names;

use DataType::{Float64, UInt32, UInt64, Utf8};

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
        ("instrument", Utf8),
        ("operation", Utf8),
        ("side", Utf8),
        ("type", Utf8),
        ("order_qty?", DECIMAL),
        ("price?", DECIMAL),
        ("stop_price?", DECIMAL),
        ("tif", Utf8),
        ("status", Utf8),
        ("cum_qty", DECIMAL),
        ("avg_px?", DECIMAL),
        ("reason?", Utf8),
    ])
}

pub(crate) fn orders(rows: &[OrderRow], names: &Names) -> Result<Vec<ArrayRef>, ArrowError> {
    Ok(vec![
        texts(rows.iter().map(|row| &row.name)),
        texts(rows.iter().map(|row| names.strategy(row.order_id.strategy))),
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.seq))),
        times(rows.iter().map(|row| Some(row.ts_decided))),
        times(rows.iter().map(|row| row.ts_eligible)),
        texts(rows.iter().map(|row| names.instrument(row.instrument))),
        texts(rows.iter().map(|_| "spot_trade")),
        texts(rows.iter().map(|row| row.side.name())),
        texts(rows.iter().map(|row| row.order_type.name())),
        decimals(rows.iter().map(|row| row.order_qty.map(|quantity| quantity.0)))?,
        decimals(rows.iter().map(|_| None))?,
        decimals(rows.iter().map(|_| None))?,
        texts(rows.iter().map(|row| row.tif.name())),
        texts(rows.iter().map(|row| row.status.name())),
        decimals(rows.iter().map(|row| Some(row.cum_qty.0)))?,
        decimals(rows.iter().map(|row| row.avg_px.map(Price::value)))?,
        some_texts(rows.iter().map(|row| row.reason.as_deref())),
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
        floats(|trip| float_of(trip.pnl.0)),
        floats(|trip| trip.return_on_entry),
        floats(|trip| float_of(trip.fees.0)),
        floats(|trip| trip.mae),
        floats(|trip| trip.mfe),
        Arc::new(UInt32Array::from_iter_values(each().map(|trip| trip.bars))),
    ])
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

/// Balances have no index, so the amount is the quantity.
pub(crate) fn positions(rows: &[PositionRow], names: &Names) -> Result<Vec<ArrayRef>, ArrowError> {
    let quantities = || decimals(rows.iter().map(|row| Some(row.quantity)));
    Ok(vec![
        times(rows.iter().map(|row| Some(row.ts))),
        texts(rows.iter().map(|row| names.key(row.key))),
        quantities()?,
        quantities()?,
        Arc::new(rows.iter().map(|row| row.value).collect::<Float64Array>()),
    ])
}
