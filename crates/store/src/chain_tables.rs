//! Tables of what the chain says: one layout for the log and, without `seq`, for the results.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, UInt64Array};
use arrow_schema::DataType::{self, Boolean, Float64, Utf8};
use arrow_schema::SchemaRef;
use model::exposure::{AssetExposure, AssetIx};
use model::pnl::PnlComponent;
use model::risk::{RiskReading, RiskType};

use crate::audit::records::ChainRow;
use crate::columns::{schema, texts, times, timestamp};
use crate::names::Names;

/// Columns of a table, after `seq` and `ts`.
type Columns = Vec<(&'static str, DataType)>;

/// The schema of a table in the results: its columns after `ts`.
pub(crate) fn result_schema(columns: Columns) -> SchemaRef {
    let all: Columns = std::iter::once(("ts", timestamp())).chain(columns).collect();
    schema(&all)
}

/// The columns of a table in the results: all but `seq`.
pub(crate) fn result_columns(columns: Vec<ArrayRef>) -> Vec<ArrayRef> {
    columns.into_iter().skip(1).collect()
}

/// Columns of the exposure, one row per asset.
pub(crate) fn exposure_columns() -> Columns {
    vec![
        ("asset", Utf8),
        ("net_delta", Float64),
        ("gross", Float64),
        ("price?", Float64),
        ("value", Float64),
        ("equity_exit", Float64),
        ("leverage", Float64),
        ("delta_share", Float64),
    ]
}

pub(crate) fn exposure(rows: &[&ChainRow], names: &Names) -> Vec<ArrayRef> {
    let of_row = |row: &&'_ ChainRow| (0u16..).map(AssetIx).zip(row.assets.to_vec());
    let lines: Vec<(&ChainRow, (AssetIx, AssetExposure))> =
        rows.iter().flat_map(|row| of_row(row).map(move |asset| (*row, asset))).collect();
    let asset = |value: fn(&AssetExposure) -> f64| {
        floats(lines.iter().map(|(_, (_, exposure))| value(exposure)))
    };
    let account = |value: fn(&ChainRow) -> f64| floats(lines.iter().map(|(row, _)| value(row)));
    let mut columns = heads(lines.iter().map(|(row, _)| *row));
    let prices = lines.iter().map(|(_, (_, exposure))| known(exposure.price));
    columns.extend([
        texts(lines.iter().map(|(_, (place, _))| names.exposed_asset(*place))),
        asset(|exposure| exposure.net_delta),
        asset(|exposure| exposure.gross),
        Arc::new(prices.collect::<Float64Array>()) as ArrayRef,
        asset(|exposure| exposure.value),
        account(|row| row.equity_exit),
        account(|row| row.leverage),
        account(|row| row.delta_share),
    ]);
    columns
}

/// Columns of the risks, one row per type that can be measured.
pub(crate) fn risk_columns() -> Columns {
    vec![
        ("risk_type", Utf8),
        ("value", Float64),
        ("level", Utf8),
        ("distance?", Float64),
        ("binding", Utf8),
        ("enabled", Boolean),
        ("breaker", Boolean),
    ]
}

/// Which risks a table has rows of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Risks {
    /// All that can be measured: what the results show.
    Measured,
    /// Those that drive actions: what the log has to explain.
    Enabled,
}

pub(crate) fn risk(rows: &[&ChainRow], which: Risks, names: &Names) -> Vec<ArrayRef> {
    let measured = |row: &'_ ChainRow| {
        let (readings, enabled) = (row.risk.readings, row.enabled);
        let is_shown = move |kind| which == Risks::Measured || enabled.has(kind);
        let each = RiskType::ALL.into_iter().zip(readings);
        each.filter_map(move |(kind, it)| is_shown(kind).then_some((kind, it?)))
    };
    let lines: Vec<(&ChainRow, (RiskType, RiskReading))> =
        rows.iter().flat_map(|row| measured(row).map(move |reading| (*row, reading))).collect();
    let each = || lines.iter().map(|(_, (_, reading))| reading);
    let flags = |flag: fn(&ChainRow, RiskType) -> bool| {
        let flags = lines.iter().map(|(row, (kind, _))| Some(flag(row, *kind)));
        Arc::new(flags.collect::<BooleanArray>()) as ArrayRef
    };
    let mut columns = heads(lines.iter().map(|(row, _)| *row));
    columns.extend([
        texts(lines.iter().map(|(_, (kind, _))| kind.name())),
        floats(each().map(|reading| reading.value)),
        texts(each().map(|reading| reading.level.name())),
        Arc::new(each().map(|reading| reading.distance).collect::<Float64Array>()) as ArrayRef,
        texts(each().map(|reading| names.binding(reading.binding))),
        flags(|row, kind| row.enabled.has(kind)),
        flags(|row, _| row.risk.breaker),
    ]);
    columns
}

/// Columns of the profit since the start: its components, and their sum with what they leave.
pub(crate) fn pnl_columns() -> Columns {
    let components = PnlComponent::ALL.into_iter().map(PnlComponent::name);
    let names = components.chain(["unexplained", "total", "flows"]);
    names.map(|name| (name, Float64)).collect()
}

pub(crate) fn pnl(rows: &[&ChainRow]) -> Vec<ArrayRef> {
    let mut columns = heads(rows.iter().copied());
    let component = |component| floats(rows.iter().map(|row| row.pnl.attribution.of(component)));
    columns.extend(PnlComponent::ALL.into_iter().map(component));
    columns.extend([
        floats(rows.iter().map(|row| row.pnl.unexplained)),
        floats(rows.iter().map(|row| row.pnl.total)),
        floats(rows.iter().map(|row| row.pnl.flows)),
    ]);
    columns
}

fn heads<'a>(rows: impl Iterator<Item = &'a ChainRow> + Clone) -> Vec<ArrayRef> {
    vec![
        Arc::new(UInt64Array::from_iter_values(rows.clone().map(|row| row.seq))),
        times(rows.map(|row| Some(row.ts))),
    ]
}

fn floats(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

/// A price, if there is one.
fn known(price: f64) -> Option<f64> {
    (!price.is_nan()).then_some(price)
}
