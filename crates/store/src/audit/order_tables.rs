//! Tables of orders: requests, verdicts, news, fills and the lots that they closed.

use std::sync::Arc;

use arrow_array::types::UInt64Type;
use arrow_array::{ArrayRef, Float64Array};
use arrow_schema::DataType::{Boolean, Float64, UInt16, UInt64, Utf8};
use arrow_schema::{ArrowError, DataType};
use model::Decimal;
use model::fill::Fill;
use model::impact::GroupImpact;
use model::money::Price;
use model::operation::{Amount, OperationRequest};
use model::order::{Order, OrderId, OrderRequest, Request, Size, Verdict};
use model::risk::RiskImpact;

use super::records::{Rare, RareEvent};
use super::tables::{column, flags, heads, of_kind, publishers};
use crate::columns::{
    DECIMAL, decimals, printed, some_printed, some_texts, texts, times, timestamp, trail_absolute,
    trail_bps,
};
use crate::names::Names;

/// Names and types; nullable where the name ends in `?`.
pub(super) type Columns = Vec<(&'static str, DataType)>;

/// One row of the intent stream; a cancel states no terms.
struct Asked<'a> {
    action: &'static str,
    order_id: OrderId,
    request: Option<&'a OrderRequest>,
    /// An operation that is no trade.
    operation: Option<&'a OperationRequest>,
}

impl<'a> Asked<'a> {
    /// The row of a request; what it names is called so from here on.
    fn of(request: &'a Request, names: &Names) -> Self {
        match request {
            Request::Submit(intent) => {
                names.learn(intent);
                Self::with(SUBMIT, intent.order_id, Some(&intent.request))
            }
            Request::Operate(intent) => {
                names.learn_operation(intent);
                let action = intent.request.operation.name();
                let operation = Some(&intent.request);
                Self { operation, ..Self::with(action, intent.order_id, None) }
            }
            Request::Cancel(order_id) => Self::with(CANCEL, *order_id, None),
            Request::Replace(intent) => Self::with(REPLACE, intent.order_id, Some(&intent.request)),
        }
    }

    const fn with(
        action: &'static str,
        order_id: OrderId,
        request: Option<&'a OrderRequest>,
    ) -> Self {
        Self { action, order_id, request, operation: None }
    }

    /// Units that it is about; `None` for a share, and for all there is.
    fn units(&self) -> Option<Decimal> {
        let of_operation = |operation: &OperationRequest| match operation.amount {
            Amount::Units(units) => Some(units),
            Amount::Max => None,
        };
        let of_order = || Some(self.request?.size.units()?.0);
        self.operation.and_then(of_operation).or_else(of_order)
    }
}

const SUBMIT: &str = "submit";
const CANCEL: &str = "cancel";
const REPLACE: &str = "replace";

/// Columns of the intent stream, after `seq` and `ts`.
pub(super) fn intent_columns() -> Columns {
    vec![
        ("cause_seq?", UInt64),
        ("publisher", UInt16),
        ("action", Utf8),
        ("order_id", Utf8),
        ("instrument?", Utf8),
        ("side?", Utf8),
        ("type?", Utf8),
        ("order_qty?", DECIMAL),
        ("share?", DECIMAL),
        ("price?", DECIMAL),
        ("stop_price?", DECIMAL),
        ("trail?", DECIMAL),
        ("trail_bps?", DECIMAL),
        ("tif?", Utf8),
        ("expire_at?", timestamp()),
        ("post_only", Boolean),
        ("reduce_only", Boolean),
        ("oco_group?", Utf8),
        ("parent?", Utf8),
        ("take_profit?", Utf8),
        ("stop_loss?", Utf8),
        ("venue?", Utf8),
        ("token_in?", Utf8),
        ("token_out?", Utf8),
        ("source_key?", Utf8),
        ("target_key?", Utf8),
        ("min_out?", DECIMAL),
    ]
}

pub(super) fn intents(rare: &[Rare], names: &Names) -> Result<Vec<ArrayRef>, ArrowError> {
    let mut rows = Vec::new();
    for record in rare {
        if let RareEvent::Intent(group) = &record.event {
            let asked = group.requests.iter().map(|request| Asked::of(request, names));
            rows.extend(asked.map(|asked| (record, asked)));
        }
    }
    let each = || rows.iter().map(|(_, asked)| asked);
    let requests = || each().map(|asked| asked.request);
    let operations = || each().map(|asked| asked.operation);
    let share = |size: Size| match size {
        Size::Share(share) => Some(share),
        Size::Units(_) => None,
    };
    let mut columns = heads(&rows, false);
    columns.extend([
        publishers(&rows),
        texts(each().map(|asked| asked.action)),
        printed(each().map(|asked| names.order(asked.order_id))),
        some_texts(requests().map(|asked| Some(names.instrument(asked?.instrument?)))),
        some_texts(requests().map(|asked| Some(asked?.side?.name()))),
        some_texts(requests().map(|asked| Some(asked?.order_type.name()))),
        decimals(each().map(Asked::units))?,
        decimals(requests().map(|asked| share(asked?.size)))?,
        decimals(requests().map(|asked| asked?.price))?,
        decimals(requests().map(|asked| asked?.stop_price))?,
        decimals(requests().map(|asked| trail_absolute(asked?.trail?)))?,
        decimals(requests().map(|asked| trail_bps(asked?.trail?)))?,
        some_texts(requests().map(|asked| Some(asked?.tif.name()))),
        times(requests().map(|asked| asked?.expire_at)),
        flags(&requests().map(|asked| asked.is_some_and(|it| it.post_only)).collect::<Vec<_>>()),
        flags(&requests().map(|asked| asked.is_some_and(|it| it.reduce_only)).collect::<Vec<_>>()),
        some_printed(requests().map(|asked| Some(names.oco_group(asked?.oco_group?)))),
        some_printed(requests().map(|asked| Some(names.order(asked?.parent?)))),
        some_printed(requests().map(|asked| asked?.take_profit)),
        some_printed(requests().map(|asked| asked?.stop_loss)),
        some_texts(operations().map(|operation| Some(&*operation?.venue))),
        some_texts(operations().map(|operation| operation?.token_in.as_deref())),
        some_texts(operations().map(|operation| operation?.token_out.as_deref())),
        some_texts(operations().map(|operation| Some(names.key(operation?.source?)))),
        some_texts(operations().map(|operation| Some(names.key(operation?.target?)))),
        decimals(operations().map(|operation| operation?.min_out))?,
    ]);
    Ok(columns)
}

/// Columns of the verdict stream, after `seq` and `ts`.
pub(super) fn verdict_columns() -> Columns {
    vec![
        ("cause_seq?", UInt64),
        ("action", Utf8),
        ("order_id", Utf8),
        ("is_accepted", Boolean),
        ("order_qty?", DECIMAL),
        ("price?", DECIMAL),
        ("stop_price?", DECIMAL),
        ("expire_at?", timestamp()),
        ("ts_eligible?", timestamp()),
        ("code?", Utf8),
        ("detail?", Utf8),
        ("impact_metric?", Utf8),
        ("impact_before?", Float64),
        ("impact_after?", Float64),
        ("expected_cost?", Float64),
    ]
}

pub(super) fn verdicts(rare: &[Rare], names: &Names) -> Result<Vec<ArrayRef>, ArrowError> {
    let mut rows = Vec::new();
    for record in rare {
        if let RareEvent::Verdict(group) = &record.event {
            let impact = group.impact.as_deref();
            let each = group.verdicts.iter().enumerate();
            rows.extend(each.map(|(place, verdict)| (record, Judged { verdict, impact, place })));
        }
    }
    let action = |verdict: &Verdict| match verdict {
        Verdict::OperationAccepted(order) => order.request.operation.name(),
        Verdict::Accepted(_) | Verdict::Denied { .. } => SUBMIT,
        Verdict::CancelAccepted(_) => CANCEL,
        Verdict::ReplaceAccepted(_) | Verdict::ReplaceDenied { .. } => REPLACE,
    };
    let judged = || rows.iter().map(|(_, judged)| judged);
    let each = || judged().map(|judged| judged.verdict);
    let floats = |values: Vec<Option<f64>>| Arc::new(Float64Array::from_iter(values)) as ArrayRef;
    let granted = || each().map(Verdict::order);
    let refusals = || each().map(Verdict::refusal);
    let mut columns = heads(&rows, false);
    columns.extend([
        texts(each().map(action)),
        printed(each().map(|verdict| names.order(verdict.order_id()))),
        flags(&refusals().map(|refusal| refusal.is_none()).collect::<Vec<_>>()),
        decimals(granted().map(|order| Some(order?.size.units()?.0)))?,
        decimals(granted().map(|order| price(order?)))?,
        decimals(granted().map(|order| stop_price(order?)))?,
        times(granted().map(|order| order?.expire_at)),
        times(each().map(|verdict| {
            let operation = verdict.operation().map(|order| order.ts_eligible);
            operation.or_else(|| Some(verdict.order()?.ts_eligible))
        })),
        some_texts(refusals().map(|refusal| Some(refusal?.code.name()))),
        some_texts(refusals().map(|refusal| Some(&refusal?.detail))),
        some_texts(judged().map(|judged| Some(judged.binding()?.metric.name()))),
        floats(judged().map(|judged| judged.binding()?.before).collect()),
        floats(judged().map(|judged| judged.binding()?.after).collect()),
        floats(judged().map(Judged::cost).collect()),
    ]);
    Ok(columns)
}

/// One row of the verdict stream; the impact is that of the whole group.
struct Judged<'a> {
    verdict: &'a Verdict,
    impact: Option<&'a GroupImpact>,
    /// Place of the verdict in the group.
    place: usize,
}

impl Judged<'_> {
    /// What bound the group, if the order was counted.
    fn binding(&self) -> Option<RiskImpact> {
        self.cost()?;
        self.impact?.binding
    }

    /// What the order is expected to cost, in share class.
    fn cost(&self) -> Option<f64> {
        self.impact?.costs.get(self.place).copied().flatten()
    }
}

fn price(order: &Order) -> Option<model::Decimal> {
    order.pricing.price().map(Price::value)
}

fn stop_price(order: &Order) -> Option<model::Decimal> {
    order.pricing.stop_price().map(Price::value)
}

/// Columns of the order update stream, after `seq` and `ts`.
pub(super) fn update_columns() -> Columns {
    vec![
        ("cause_seq?", UInt64),
        ("order_id", Utf8),
        ("status", Utf8),
        ("order_qty?", DECIMAL),
        ("cum_qty", DECIMAL),
        ("avg_px?", DECIMAL),
        ("price?", DECIMAL),
        ("stop_price?", DECIMAL),
        ("instrument?", Utf8),
        ("side?", Utf8),
        ("type?", Utf8),
        ("parent?", Utf8),
        ("repeats?", Utf8),
        ("code?", Utf8),
        ("detail?", Utf8),
    ]
}

pub(super) fn updates(rare: &[Rare], names: &Names) -> Result<Vec<ArrayRef>, ArrowError> {
    let rows = of_kind(rare, |event| {
        if let RareEvent::OrderUpdate(update) = event { Some(&**update) } else { None }
    });
    let each = || rows.iter().map(|(_, update)| update);
    let terms = || each().map(|update| update.terms.as_deref());
    let refusals = || each().map(|update| update.refusal.as_ref());
    let mut columns = heads(&rows, false);
    columns.extend([
        printed(each().map(|update| names.order(update.order_id))),
        texts(each().map(|update| update.status.name())),
        decimals(each().map(|update| update.order_qty.map(|quantity| quantity.0)))?,
        decimals(each().map(|update| Some(update.cum_qty.0)))?,
        decimals(each().map(|update| update.avg_px.map(Price::value)))?,
        decimals(terms().map(|terms| price(terms?)))?,
        decimals(terms().map(|terms| stop_price(terms?)))?,
        some_texts(terms().map(|terms| Some(names.instrument(terms?.instrument)))),
        some_texts(terms().map(|terms| Some(terms?.side.name()))),
        some_texts(terms().map(|terms| Some(terms?.order_type().name()))),
        some_printed(terms().map(|terms| Some(names.order(terms?.parent?)))),
        some_printed(each().map(|update| Some(names.order(update.repeats?)))),
        some_texts(refusals().map(|refusal| Some(refusal?.code.name()))),
        some_texts(refusals().map(|refusal| Some(&refusal?.detail))),
    ]);
    Ok(columns)
}

/// Columns of the fill stream, after `seq` and `ts`.
pub(super) fn fill_columns() -> Columns {
    vec![
        ("cause_seq?", UInt64),
        ("trade_id", UInt64),
        ("order_id", Utf8),
        ("ts_event", timestamp()),
        ("instrument", Utf8),
        ("side", Utf8),
        ("last_qty", DECIMAL),
        ("last_px", DECIMAL),
        ("notional", DECIMAL),
        ("fee", DECIMAL),
        ("fee_key", Utf8),
        ("liquidity", Utf8),
        ("slippage_bps", Float64),
        ("price_rule", Utf8),
        ("bar_share?", Float64),
        ("px_ref", DECIMAL),
        ("bar_low?", Float64),
        ("bar_high?", Float64),
        ("realized", DECIMAL),
        ("cash_value", Float64),
    ]
}

pub(super) fn fills(rare: &[Rare], names: &Names) -> Result<Vec<ArrayRef>, ArrowError> {
    let rows = of_kind(rare, fill_of);
    let each = || rows.iter().map(|(_, fill)| fill);
    let floats = |value: fn(&Fill) -> f64| {
        Arc::new(Float64Array::from_iter_values(each().map(|fill| value(fill)))) as ArrayRef
    };
    let mut columns = heads(&rows, false);
    columns.extend([
        column::<UInt64Type>(each().map(|fill| fill.trade_id).collect()),
        printed(each().map(|fill| names.order(fill.order_id))),
        times(each().map(|fill| Some(fill.ts))),
        texts(each().map(|fill| names.instrument(fill.instrument))),
        texts(each().map(|fill| fill.side.name())),
        decimals(each().map(|fill| Some(fill.last_qty.0)))?,
        decimals(each().map(|fill| Some(fill.last_px.value())))?,
        decimals(each().map(|fill| Some(fill.notional.0)))?,
        decimals(each().map(|fill| Some(fill.fee.0)))?,
        texts(each().map(|fill| names.key(fill.fee_key))),
        texts(each().map(|fill| fill.liquidity.name())),
        floats(|fill| fill.slippage_bps),
        texts(each().map(|fill| fill.price_rule.name())),
        Arc::new(each().map(|fill| fill.bar_share).collect::<Float64Array>()),
        decimals(each().map(|fill| Some(fill.px_ref.value())))?,
        Arc::new(each().map(|fill| Some(fill.bar_range?.0)).collect::<Float64Array>()),
        Arc::new(each().map(|fill| Some(fill.bar_range?.1)).collect::<Float64Array>()),
        decimals(each().map(|fill| Some(fill.realized.0)))?,
        floats(|fill| fill.cash_value),
    ]);
    Ok(columns)
}

/// Columns of the lot stream, after `seq` and `ts`.
pub(super) fn lot_columns() -> Columns {
    vec![
        ("cause_seq?", UInt64),
        ("trade_id", UInt64),
        ("order_id", Utf8),
        ("instrument", Utf8),
        ("entry_ts", timestamp()),
        ("quantity", DECIMAL),
        ("entry_px", DECIMAL),
        ("gross", DECIMAL),
        ("entry_fee", DECIMAL),
        ("exit_fee", DECIMAL),
    ]
}

pub(super) fn lots(rare: &[Rare], names: &Names) -> Result<Vec<ArrayRef>, ArrowError> {
    let mut rows = Vec::new();
    for (record, fill) in of_kind(rare, fill_of) {
        rows.extend(fill.lots.iter().map(|lot| (record, (fill, lot))));
    }
    let fills = || rows.iter().map(|(_, (fill, _))| fill);
    let each = || rows.iter().map(|(_, (_, lot))| lot);
    let mut columns = heads(&rows, false);
    columns.extend([
        column::<UInt64Type>(fills().map(|fill| fill.trade_id).collect()),
        printed(fills().map(|fill| names.order(fill.order_id))),
        texts(fills().map(|fill| names.instrument(fill.instrument))),
        times(each().map(|lot| Some(lot.entry_ts))),
        decimals(each().map(|lot| Some(lot.quantity.0)))?,
        decimals(each().map(|lot| Some(lot.entry_px.value())))?,
        decimals(each().map(|lot| Some(lot.gross.0)))?,
        decimals(each().map(|lot| Some(lot.entry_fee.0)))?,
        decimals(each().map(|lot| Some(lot.exit_fee.0)))?,
    ]);
    Ok(columns)
}

fn fill_of(event: &RareEvent) -> Option<&Fill> {
    if let RareEvent::Fill(fill) = event { Some(fill) } else { None }
}
