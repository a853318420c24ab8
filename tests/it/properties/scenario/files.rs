//! The files of a run: its run file, its requests and its candles.

use std::fmt::Write as _;

use super::Scenario;
use super::amount::{LOT, TICK, text};
use super::bars::{START, candles_csv};
use super::order::{Kind, Level, Request, Size, Tif, Trail};
use crate::tables::{HOUR, Scene};

impl Scenario {
    /// The folder with the files of the run.
    pub(crate) fn scene(&self) -> Scene {
        self.scene_of(&self.run_file(), 0)
    }

    /// The same with another run file, everything `shift` milliseconds later.
    pub(crate) fn scene_of(&self, run_file: &str, shift: i64) -> Scene {
        let scene = Scene::new(run_file);
        let files =
            [("orders.csv", self.orders_csv(shift)), ("candles.csv", self.candles_csv(shift))];
        for (name, text) in files {
            std::fs::write(scene.path(name), text).expect("a folder of ours");
        }
        scene
    }

    pub(crate) fn run_file(&self) -> String {
        let rules = &self.rules;
        let id = rules.instrument();
        let bps = |rate: i128| text(rate * 10_000);
        let mut initial = format!("\"binance:BaseToken:USDT\" = \"{}\"\n", text(rules.cash));
        if !rules.is_perp && rules.base > 0 {
            writeln!(initial, "\"binance:BaseToken:ETH\" = \"{}\"", text(rules.base))
                .expect("a text");
        }
        let contract = if rules.is_perp {
            "contract = \"linear\"\nsettle = \"USDT\"\ncontract_size = \"1\""
        } else {
            ""
        };
        let path = if rules.nearest_extreme { "nearest_extreme" } else { "pessimistic" };
        format!(
            r#"
share_class = "USDT"
interval = "1h"
[initial]
{initial}
[[instruments]]
id = "{id}"
base = "ETH"
quote = "USDT"
tick = "{tick}"
lot = "{lot}"
min_qty = "{lot}"
min_notional = "0"
{contract}
[[data]]
of = "{id}"
path = "candles.csv"
time_unit = "ms"
[venues.binance]
maker_bps = "{maker}"
taker_bps = "{taker}"
leverage = {leverage}
[execution]
slippage = {{ model = "fixed", bps = "{slippage}" }}
participation_bps = "{participation}"
market_carry = {carry}
path = "{path}"
touch_fills = {touch}
conservative_gaps = {gaps}
latency_bars = {latency}
[strategy]
kind = "scripted"
orders = "orders.csv"
"#,
            tick = text(TICK),
            lot = text(LOT),
            maker = bps(rules.maker),
            taker = bps(rules.taker),
            leverage = if rules.is_perp { 3 } else { 1 },
            slippage = bps(rules.slippage),
            participation = bps(rules.participation),
            carry = rules.market_carry,
            touch = rules.touch_fills,
            gaps = rules.conservative_gaps,
            latency = rules.latency_bars,
        )
    }

    /// The requests, `shift` milliseconds later.
    pub(crate) fn orders_csv(&self, shift: i64) -> String {
        let mut csv = "decide_ts,order_id,action,instrument,side,type,qty,price,stop_price,trail,\
                       trail_bps,tif,expire_at,post_only,reduce_only,oco_group,parent,take_profit,\
                       stop_loss\n"
            .to_owned();
        for request in &self.requests {
            csv += &cells(request, self.rules.instrument(), shift);
            csv.push('\n');
        }
        csv
    }

    pub(crate) fn candles_csv(&self, shift: i64) -> String {
        candles_csv(&self.bars, shift)
    }
}

/// The cells of a row that submits or cancels.
fn cells(request: &Request, instrument: &str, shift: i64) -> String {
    let when = |bar: usize| START + shift + i64::try_from(bar + 1).expect("few bars") * HOUR;
    let order = match request {
        Request::Cancel { decided, id } => {
            return format!("{},{id},cancel,,,,,,,,,,,,,,,,", when(*decided));
        }
        Request::Submit(order) => order,
    };
    let number = |value: Option<i128>| value.map_or_else(String::new, text);
    let kind = match order.kind {
        Kind::Market => "market",
        Kind::Limit => "limit",
        Kind::Stop => "stop",
        Kind::StopLimit => "stop_limit",
        Kind::Trailing => "trailing",
    };
    let size = match order.size {
        Size::Units(units) => text(units),
        Size::Percent(percent) => format!("{percent}%"),
        Size::OfParent => String::new(),
    };
    let (by, bps) = match order.trail {
        None => (None, None),
        Some(Trail::By(distance)) => (Some(distance), None),
        Some(Trail::Bps(bps)) => (None, Some(bps * 10_000)),
    };
    let (tif, until) = match order.tif {
        Tif::Gtc => ("gtc", String::new()),
        Tif::Ioc => ("ioc", String::new()),
        Tif::Fok => ("fok", String::new()),
        Tif::Gtd(until) => ("gtd", (until + shift).to_string()),
        Tif::Day => ("day", String::new()),
    };
    let level = |level: Option<Level>| match level {
        None => String::new(),
        Some(Level::Price(px)) => text(px),
        Some(Level::Offset(distance)) if distance > 0 => format!("+{}", text(distance)),
        Some(Level::Offset(distance)) => text(distance),
        Some(Level::Bps(bps)) => format!("{}bps", text(bps * 10_000)),
    };
    let cells = [
        when(order.decided).to_string(),
        order.id.clone(),
        "submit".to_owned(),
        instrument.to_owned(),
        order.side.text().to_owned(),
        kind.to_owned(),
        size,
        number(order.price),
        number(order.stop),
        number(by),
        number(bps),
        tif.to_owned(),
        until,
        order.post_only.to_string(),
        order.reduce_only.to_string(),
        order.oco.clone().unwrap_or_default(),
        order.parent.clone().unwrap_or_default(),
        level(order.take_profit),
        level(order.stop_loss),
    ];
    cells.join(",")
}
