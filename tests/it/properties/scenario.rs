//! Random bars and requests, written as the files of a run.

use std::fmt::Write as _;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::tables::{HOUR, Scene};

/// One unit of an amount or a price: all are kept as multiples of 10⁻¹².
pub(crate) const ONE: i128 = 1_000_000_000_000;
/// One basis point as a fraction of [`ONE`].
pub(crate) const BPS: i128 = ONE / 10_000;
/// Smallest price step of the instruments.
pub(crate) const TICK: i128 = ONE / 100;
/// Smallest quantity of the instruments.
pub(crate) const LOT: i128 = ONE / 1_000;
/// 2024-01-01.
pub(crate) const START: i64 = 1_704_067_200_000;

/// An amount as text, to the last digit.
pub(crate) fn text(amount: i128) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let (whole, rest) = (amount.abs() / ONE, amount.abs() % ONE);
    format!("{sign}{whole}.{rest:012}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A stream of draws.
#[derive(Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number from `from` up to and including `to`.
    pub(crate) fn range(&mut self, from: i128, to: i128) -> i128 {
        from + i128::from(self.0.next_u64()) % (to - from + 1)
    }

    /// A place in a list of `count`.
    pub(crate) fn place(&mut self, count: usize) -> usize {
        let last = i128::try_from(count).expect("a short list") - 1;
        usize::try_from(self.range(0, last)).expect("a short list")
    }

    pub(crate) fn chance(&mut self, percent: i128) -> bool {
        self.range(1, 100) <= percent
    }

    pub(crate) fn pick<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.place(values.len())].clone()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) open: i128,
    pub(crate) high: i128,
    pub(crate) low: i128,
    pub(crate) close: i128,
    pub(crate) volume: i128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Buy,
    Sell,
}

impl Side {
    /// One for a buy, minus one for a sell.
    pub(crate) fn sign(self) -> i128 {
        if self == Self::Buy { 1 } else { -1 }
    }

    pub(crate) fn other(self) -> Self {
        if self == Self::Buy { Self::Sell } else { Self::Buy }
    }

    pub(crate) fn text(self) -> &'static str {
        if self == Self::Buy { "buy" } else { "sell" }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Market,
    Limit,
    Stop,
    StopLimit,
    Trailing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tif {
    Gtc,
    Ioc,
    Fok,
    /// Last instant at which a bar may close.
    Gtd(i64),
    Day,
}

/// How far a trailing order follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trail {
    By(i128),
    Bps(i128),
}

/// Where an exit lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Price(i128),
    /// Signed distance from the fill.
    Offset(i128),
    /// Distance from the fill on the side where the exit belongs.
    Bps(i128),
}

/// How much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Units(i128),
    Percent(i128),
    /// As much as the parent fills.
    OfParent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) id: String,
    /// The bar at whose close it is decided.
    pub(crate) decided: usize,
    pub(crate) side: Side,
    pub(crate) kind: Kind,
    pub(crate) size: Size,
    pub(crate) price: Option<i128>,
    pub(crate) stop: Option<i128>,
    pub(crate) trail: Option<Trail>,
    pub(crate) tif: Tif,
    pub(crate) post_only: bool,
    pub(crate) reduce_only: bool,
    pub(crate) oco: Option<String>,
    pub(crate) parent: Option<String>,
    pub(crate) take_profit: Option<Level>,
    pub(crate) stop_loss: Option<Level>,
}

impl Order {
    pub(crate) fn market(id: &str, decided: usize, side: Side, size: Size) -> Self {
        Self {
            id: id.to_owned(),
            decided,
            side,
            kind: Kind::Market,
            size,
            price: None,
            stop: None,
            trail: None,
            tif: Tif::Gtc,
            post_only: false,
            reduce_only: false,
            oco: None,
            parent: None,
            take_profit: None,
            stop_loss: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all are the large one")]
pub(crate) enum Request {
    Submit(Order),
    Cancel { decided: usize, id: String },
}

impl Request {
    pub(crate) fn decided(&self) -> usize {
        match self {
            Self::Submit(order) => order.decided,
            Self::Cancel { decided, .. } => *decided,
        }
    }

    /// The order that it submits or needs.
    fn names(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Submit(order) => (Some(&order.id), order.parent.as_deref()),
            Self::Cancel { id, .. } => (None, Some(id)),
        }
    }
}

/// What holds for all orders of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are switches of the run file")]
pub(crate) struct Rules {
    pub(crate) is_perp: bool,
    pub(crate) cash: i128,
    /// Base units at the start, spot only.
    pub(crate) base: i128,
    pub(crate) slippage: i128,
    pub(crate) maker: i128,
    pub(crate) taker: i128,
    pub(crate) participation: i128,
    pub(crate) market_carry: bool,
    pub(crate) nearest_extreme: bool,
    pub(crate) touch_fills: bool,
    pub(crate) conservative_gaps: bool,
    pub(crate) latency_bars: usize,
}

impl Rules {
    /// Ample means, no costs, no limits.
    pub(crate) const FREE: Self = Self {
        is_perp: false,
        cash: 100_000_000 * ONE,
        base: 100_000 * ONE,
        slippage: 0,
        maker: 0,
        taker: 0,
        participation: 0,
        market_carry: true,
        nearest_extreme: false,
        touch_fills: false,
        conservative_gaps: true,
        latency_bars: 0,
    };

    /// Random rules, with ample means.
    pub(crate) fn draw(dice: &mut Dice, is_perp: bool) -> Self {
        Self {
            is_perp,
            slippage: if dice.chance(50) { dice.range(0, 300) * BPS / 10 } else { 0 },
            maker: dice.range(-20, 50) * BPS / 10,
            taker: dice.range(0, 100) * BPS / 10,
            participation: if dice.chance(50) { dice.range(1, 5_000) * BPS } else { 0 },
            market_carry: dice.chance(75),
            nearest_extreme: dice.chance(40),
            touch_fills: dice.chance(40),
            conservative_gaps: dice.chance(60),
            latency_bars: if dice.chance(60) { 0 } else { dice.place(4) },
            ..Self::FREE
        }
    }

    pub(crate) fn instrument(&self) -> &'static str {
        if self.is_perp { "binance:perp:ETHUSDT" } else { "binance:spot:ETHUSDT" }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) rules: Rules,
    pub(crate) bars: Vec<Bar>,
    pub(crate) requests: Vec<Request>,
}

/// Bars around 100: quiet and wild ones, gaps, some without volume.
pub(crate) fn draw_bars(dice: &mut Dice, count: usize) -> Vec<Bar> {
    let mut last = dice.range(9_000, 11_000);
    let step = dice.pick(&[1, 20, 100, 400]);
    let mut bar = |_| {
        let gap = if dice.chance(25) { dice.range(-step, step) } else { 0 };
        let open = (last + gap).clamp(5_000, 20_000);
        let close = (open + dice.range(-step, step)).clamp(5_000, 20_000);
        let mut reach = || if dice.chance(30) { 0 } else { dice.range(0, step) };
        let (high, low) = (open.max(close) + reach(), open.min(close) - reach());
        let volume = if dice.chance(8) { 0 } else { dice.range(1, 400) * 500 };
        last = close;
        let [open, high, low, close] = [open, high, low, close].map(|px| px * TICK);
        Bar { open, high, low, close, volume: volume * LOT }
    };
    (0..count).map(&mut bar).collect()
}

/// What a draw of orders may contain.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "it is a list of switches")]
pub(crate) struct Menu {
    pub(crate) shares: bool,
    pub(crate) related: bool,
    pub(crate) reduce_only: bool,
    pub(crate) cancels: bool,
}

impl Menu {
    pub(crate) const ALL: Self =
        Self { shares: false, related: true, reduce_only: true, cancels: true };
}

/// A price near one: often one that a bar touches exactly, sometimes between two ticks.
fn near(dice: &mut Dice, bars: &[Bar], at: usize, width: i128) -> i128 {
    let bar = bars[(at + dice.place(5)).min(bars.len() - 1)];
    if dice.chance(40) {
        return dice.pick(&[bar.open, bar.high, bar.low, bar.close]);
    }
    let px = bars[at].close + dice.range(-width, width) * TICK;
    px + if dice.chance(10) { TICK / 4 } else { 0 }
}

fn draw_level(dice: &mut Dice, up: bool, reference: i128, width: i128) -> Level {
    let distance = dice.range(1, width) * TICK;
    let sign = if up { 1 } else { -1 };
    match dice.place(3) {
        0 => Level::Price(reference + sign * distance),
        1 => Level::Offset(sign * distance),
        _ => Level::Bps(dice.range(1, width) * BPS),
    }
}

fn draw_terms(dice: &mut Dice, bars: &[Bar], id: &str, decided: usize, menu: Menu) -> Order {
    let side = if dice.chance(50) { Side::Buy } else { Side::Sell };
    let width = dice.pick(&[10, 60, 300]);
    let size = if menu.shares {
        Size::Percent(dice.pick(&[5, 10, 33, 50, 100]))
    } else {
        Size::Units(dice.range(1, 20_000) * LOT)
    };
    let mut order = Order::market(id, decided, side, size);
    order.kind = dice.pick(&[
        Kind::Market,
        Kind::Limit,
        Kind::Limit,
        Kind::Stop,
        Kind::StopLimit,
        Kind::Trailing,
    ]);
    let (first, second) = (near(dice, bars, decided, width), near(dice, bars, decided, width));
    match order.kind {
        Kind::Market => {}
        Kind::Limit => {
            order.price = Some(first);
            order.post_only = dice.chance(15);
        }
        Kind::Stop => order.stop = Some(first),
        Kind::StopLimit => (order.price, order.stop) = (Some(first), Some(second)),
        Kind::Trailing if dice.chance(50) => {
            order.trail = Some(Trail::By(dice.range(1, width) * TICK));
        }
        Kind::Trailing => order.trail = Some(Trail::Bps(dice.range(1, width) * BPS)),
    }
    let hours = i64::try_from(dice.range(1, 12)).expect("a few hours");
    let close = START + i64::try_from(decided + 1).expect("few bars") * HOUR;
    let at_once = matches!(order.kind, Kind::Market | Kind::Limit) && !order.post_only;
    order.tif = match dice.place(8) {
        0 => Tif::Gtd(close + hours * HOUR + if dice.chance(30) { HOUR / 2 } else { 0 }),
        1 => Tif::Day,
        2 if at_once => Tif::Ioc,
        3 if at_once => Tif::Fok,
        _ => Tif::Gtc,
    };
    order.reduce_only = menu.reduce_only && dice.chance(10);
    order
}

fn draw_order(
    dice: &mut Dice,
    bars: &[Bar],
    earlier: &[Order],
    decided: usize,
    menu: Menu,
    is_perp: bool,
) -> Order {
    let mut order = draw_terms(dice, bars, &format!("o{}", earlier.len()), decided, menu);
    if !menu.related {
        return order;
    }
    let width = dice.pick(&[10, 60, 300]);
    let reference = order.price.or(order.stop).unwrap_or(bars[decided].close);
    if (is_perp || order.side == Side::Buy) && !order.reduce_only && dice.chance(25) {
        let up = order.side == Side::Buy;
        order.take_profit = dice.chance(70).then(|| draw_level(dice, up, reference, width));
        order.stop_loss = dice.chance(70).then(|| draw_level(dice, !up, reference, width));
        return order;
    }
    if matches!(order.tif, Tif::Ioc | Tif::Fok) || order.kind == Kind::Market {
        return order;
    }
    // Partners of a group, and children, stand in the file right after the first of them.
    if let Some(last) =
        earlier.last().filter(|last| last.decided == decided && last.parent.is_none())
    {
        if last.oco.is_some() && dice.chance(60) {
            order.oco.clone_from(&last.oco);
            return order;
        }
        let opens = last.take_profit.is_none() && last.stop_loss.is_none() && last.oco.is_none();
        if opens && !last.reduce_only && dice.chance(40) && (is_perp || last.side == Side::Buy) {
            order.side = last.side.other();
            order.parent = Some(last.id.clone());
            order.reduce_only = dice.chance(50);
            order.post_only = false;
            if dice.chance(50) {
                order.size = Size::OfParent;
            }
            return order;
        }
    }
    if dice.chance(20) {
        order.oco = Some(order.id.replace('o', "g"));
    }
    order
}

pub(crate) fn draw_requests(
    dice: &mut Dice,
    bars: &[Bar],
    count: usize,
    menu: Menu,
    is_perp: bool,
) -> Vec<Request> {
    let (mut orders, mut requests): (Vec<Order>, Vec<Request>) = (Vec::new(), Vec::new());
    let mut decided = 0;
    for _ in 0..count {
        if dice.chance(60) {
            decided += dice.place(3);
        }
        if decided + 1 >= bars.len() {
            break;
        }
        if menu.cancels && !orders.is_empty() && dice.chance(12) {
            let recent = orders.len() - 1 - dice.place(orders.len().min(4));
            requests.push(Request::Cancel { decided, id: orders[recent].id.clone() });
            continue;
        }
        let order = draw_order(dice, bars, &orders, decided, menu, is_perp);
        orders.push(order.clone());
        requests.push(Request::Submit(order));
    }
    requests
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

impl Scenario {
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

    /// The scenario without one request and those that need it.
    pub(crate) fn without(&self, place: usize) -> Self {
        let mut smaller = self.clone();
        let removed = smaller.requests.remove(place);
        let mut gone: Vec<String> = removed.names().0.map(str::to_owned).into_iter().collect();
        smaller.requests.retain(|request| {
            let (name, needs) = request.names();
            let stays = !needs.is_some_and(|needs| gone.iter().any(|gone| gone == needs));
            if !stays {
                gone.extend(name.map(str::to_owned));
            }
            stays
        });
        smaller
    }

    /// Something that is smaller and of which `fails` still holds, as small as it gets.
    pub(crate) fn shrink(mut self, fails: impl Fn(&Self) -> bool) -> Self {
        loop {
            let before = (self.requests.len(), self.bars.len());
            for place in (0..self.requests.len()).rev() {
                if place >= self.requests.len() {
                    continue;
                }
                let smaller = self.without(place);
                if fails(&smaller) {
                    self = smaller;
                }
            }
            let needed = self.requests.iter().map(Request::decided).max().unwrap_or(0) + 2;
            while self.bars.len() > needed {
                let mut smaller = self.clone();
                smaller.bars.pop();
                if !fails(&smaller) {
                    break;
                }
                self = smaller;
            }
            if before == (self.requests.len(), self.bars.len()) {
                return self;
            }
        }
    }
}

/// Bars as a candle file, `shift` milliseconds after [`START`].
pub(crate) fn candles_csv(bars: &[Bar], shift: i64) -> String {
    let mut csv = "ts,open,high,low,close,volume\n".to_owned();
    for (ts, bar) in (START + shift..).step_by(3_600_000).zip(bars) {
        let [open, high, low, close, volume] =
            [bar.open, bar.high, bar.low, bar.close, bar.volume].map(text);
        writeln!(csv, "{ts},{open},{high},{low},{close},{volume}").expect("a text");
    }
    csv
}

/// A random scenario of 5 to 60 requests on 10 to 49 bars.
pub(crate) fn draw(dice: &mut Dice, is_perp: bool, menu: Menu) -> Scenario {
    let rules = Rules::draw(dice, is_perp);
    let (bars, wanted) = (10 + dice.place(40), 5 + dice.place(56));
    let bars = draw_bars(dice, bars);
    let requests = draw_requests(dice, &bars, wanted, menu, is_perp);
    Scenario { rules, bars, requests }
}
