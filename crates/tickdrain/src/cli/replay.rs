//! `tickdrain replay`.

use std::path::Path;

use comfy_table::{CellAlignment, Table};
use model::time::UtcMillis;
use proof::orders::OpenOrder;
use proof::replay::AccountFigures;
use proof::{Replay, State};
use serde_json::json;
use store::audit::LogReader;
use store::audit::reading::Units;

use super::complaint;
use super::lists::empty_table;
use crate::error::exit;

pub(super) fn run(run_folder: &Path, at: Option<&str>, as_json: bool) -> u8 {
    let at = match at.map(str::parse::<UtcMillis>).transpose() {
        Ok(at) => at,
        Err(error) => {
            complaint::line(&format!("error[USAGE]: --at: {error}"));
            return exit::USAGE;
        }
    };
    let log = match LogReader::open(run_folder) {
        Ok(log) => log,
        Err(error) => return complaint::log(run_folder, &error),
    };
    match Replay::new(&log).and_then(|replay| replay.until(at)) {
        Ok(state) if as_json => {
            say!("{:#}", to_json(&state));
            0
        }
        Ok(state) => {
            say!("{}", page(&state));
            0
        }
        Err(error) => complaint::replay(run_folder, &error),
    }
}

fn page(state: &State) -> String {
    let Some(account) = state.account else {
        return format!("before the first frame\n{}", tables(state));
    };
    let mut text = format!(
        "{} after event {}, frame {}\nequity {}  cash {}  gross {}  net {}  unrealized {}\n",
        state.ts,
        state.seq,
        state.frames,
        account.equity,
        account.cash,
        account.gross,
        account.net,
        account.unrealized,
    );
    text.push_str(&tables(state));
    text
}

fn tables(state: &State) -> String {
    let mut positions = empty_table(&["position", "quantity"]);
    for (key, amount) in held(state) {
        positions.add_row([key.to_owned(), amount.to_string()]);
    }
    align_right(&mut positions, 1);
    let mut text = format!("{positions}\n");
    let mut orders = empty_table(&[
        "order",
        "instrument",
        "side",
        "type",
        "qty",
        "filled",
        "price",
        "stop",
        "status",
    ]);
    for order in state.open_orders() {
        orders.add_row(cells(order));
    }
    text.push_str(&if orders.is_empty() {
        "no open orders".to_owned()
    } else {
        orders.to_string()
    });
    text
}

fn held(state: &State) -> Vec<(&str, Units)> {
    let mut held = state.positions();
    held.retain(|(_, amount)| *amount != Units::ZERO);
    held
}

fn cells(order: &OpenOrder) -> [String; 9] {
    let shown = |units: Option<Units>| units.map_or_else(String::new, |units| units.to_string());
    [
        order.order_id.clone(),
        order.instrument.clone(),
        order.side.clone(),
        order.order_type.clone(),
        shown(order.order_qty),
        order.cum_qty.to_string(),
        shown(order.price),
        shown(order.stop_price),
        order.status.clone(),
    ]
}

fn to_json(state: &State) -> serde_json::Value {
    let shown = |units: Option<Units>| units.map(|units| units.to_string());
    let positions: serde_json::Map<String, serde_json::Value> = held(state)
        .into_iter()
        .map(|(key, units)| (key.to_owned(), json!(units.to_string())))
        .collect();
    let order = |order: &OpenOrder| {
        json!({
            "order_id": order.order_id, "instrument": order.instrument, "side": order.side,
            "type": order.order_type, "order_qty": shown(order.order_qty),
            "cum_qty": order.cum_qty.to_string(), "price": shown(order.price),
            "stop_price": shown(order.stop_price), "status": order.status,
            "ts_eligible": order.ts_eligible.map(|ts| ts.to_string()),
        })
    };
    let account = state.account.as_ref();
    let figure = |of: fn(&AccountFigures) -> f64| account.map(of);
    json!({
        "ts": account.map(|_| state.ts.to_string()), "seq": state.seq, "frames": state.frames,
        "equity": figure(|it| it.equity), "cash": figure(|it| it.cash), "gross": figure(|it| it.gross),
        "net": figure(|it| it.net), "unrealized": figure(|it| it.unrealized), "positions": positions,
        "open_orders": state.open_orders().map(order).collect::<Vec<_>>(),
    })
}

/// Numbers line up on the right.
pub(super) fn align_right(table: &mut Table, place: usize) {
    if let Some(column) = table.column_mut(place) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}
