//! Scenarios as text: bars and requests in, events out.
//!
//! ```text
//! set touch gaps=open path=nearest share=500 nocarry clip latency=30 bars=1 slip=10 impact=5/100
//! spot A lot=1 tick=0.01 maker=2 taker=5     `perp A leverage=10 mmr=0.004 isolated`, `inverse A size=100`
//! have USDT=1000 A=5                         balances; of a perpetual `A=5@100`
//! bar 100 106 94 101 50                      open, high, low, close, volume; one instrument each,
//! bar 100 | - | synthetic 7                  divided by bars; one price; no bar; filled in
//! 1 buy 10 limit 99 ioc                      decided at the close of the bar above
//! 2 sell 10 stop 95 limit 94 reduce oco=1    `stop 95`, `trail 3`, `trail 200bps`, `market`
//! 3 buy 50% market tp=105 sl=-50bps          exits are 3tp and 3sl
//! 4 sell 5 limit 105 parent=3 until=90 post id=mine on=B
//! cancel 2
//! replace 1 buy 8 limit 99
//! close                                      the pass at the close (`same_close`)
//! account                                    prints balances and positions
//! case a name                                what stands before the first case is part of each
//! ```
//!
//! Bars are hours from midnight; `until` and `latency` are minutes. Without an instrument there is
//! the linear perpetual A, and cash without end. With `set mirror` the scenario is run once more
//! upside down, prices reflected at 100 and sides exchanged, and must tell the same.

use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use expect_test::Expect;
use model::Decimal;
use model::fill::Fill;
use model::frame::{Bar, BarKind, Frame, FrameBatch};
use model::handshake::{Handshake, VenueReport};
use model::instrument::{
    Contract, FeeAsset, Instrument, InstrumentIx, InstrumentTable, MarginMode,
};
use model::key::PositionType;
use model::margin::{MarginTier, MarginTiers};
use model::money::{Bps, Cash, Price};
use model::numeric::{decimal_of, float_of};
use model::order::{
    CancelOrder, Exit, Exits, Level, OcoGroup, Order, OrderId, OrderSide, OrderUpdate, Origin,
    Pricing, StrategyIx, TimeInForce, Trail,
};
use model::time::{DAY_MS, Interval, UtcMillis};

use super::account::Account;
use super::audit::audit;
use crate::exchange::{Exchange, ExchangeSettings, MatchRules, Models, Unfilled, admission};
use crate::fees::{FeeTier, MakerTaker};
use crate::latency::{FixedLatency, Latency};
use crate::participation::{ShareOfVolume, Unlimited};
use crate::path::{NearestExtreme, Pessimistic};
use crate::slippage::{FixedSlippage, ImpactExponent, NoSlippage, SpreadImpact};

/// Runs every case of a scenario and compares what is told.
#[expect(clippy::needless_pass_by_value, reason = "a reference at every call would say nothing")]
pub(super) fn check(scenario: &str, expected: Expect) {
    let lines = scenario.lines().map(|line| line.split("//").next().unwrap_or_default().trim());
    let mut cases: Vec<(&str, Vec<&str>)> = vec![("", Vec::new())];
    for line in lines.filter(|line| !line.is_empty()) {
        match line.strip_prefix("case ") {
            Some(name) => cases.push((name, cases[0].1.clone())),
            None => cases.last_mut().unwrap().1.push(line),
        }
    }
    let is_single = cases.len() == 1;
    let mut told = String::new();
    for (name, lines) in &cases[usize::from(!is_single)..] {
        let events = tell(lines, Lens { is_mirror: false });
        if lines.iter().any(|line| line.starts_with("set ") && line.contains("mirror")) {
            let mirrored = tell(lines, Lens { is_mirror: true });
            assert_eq!(events, mirrored, "`{name}` and its mirror image");
        }
        if is_single {
            told = events;
        } else {
            let _ = writeln!(told, "{name}");
            for line in events.lines() {
                let _ = writeln!(told, "  {line}");
            }
        }
    }
    expected.assert_eq(&told);
}

/// Runs one case.
pub(super) fn run(scenario: &str) -> Desk {
    play(&scenario.lines().map(str::trim).collect::<Vec<&str>>(), Lens { is_mirror: false })
}

fn tell(lines: &[&str], lens: Lens) -> String {
    play(lines, lens).told
}

fn play(lines: &[&str], lens: Lens) -> Desk {
    let is_rule = |line: &&&str| RULES.contains(&line.split_whitespace().next().unwrap());
    let mut desk = Desk::open(lines.iter().filter(is_rule).copied(), lens);
    lines.iter().filter(|line| !is_rule(line)).for_each(|line| desk.obey(line));
    desk
}

/// Words with which lines begin that are read before the first bar.
const RULES: [&str; 5] = ["set", "spot", "perp", "inverse", "have"];

/// Prices and sides as they are, or reflected.
#[derive(Clone, Copy, Debug)]
struct Lens {
    is_mirror: bool,
}

impl Lens {
    fn px(self, px: Decimal) -> Decimal {
        if self.is_mirror { Decimal::from(200) - px } else { px }
    }

    fn offset(self, offset: Decimal) -> Decimal {
        if self.is_mirror { -offset } else { offset }
    }

    fn side(self, side: OrderSide) -> OrderSide {
        if self.is_mirror { side.opposite() } else { side }
    }

    fn bar(self, bar: Bar) -> Bar {
        let reflect = |px: f64| float_of(self.px(decimal_of(px).unwrap()));
        let (high, low) = if self.is_mirror { (bar.low, bar.high) } else { (bar.high, bar.low) };
        let (high, low) = (reflect(high), reflect(low));
        Bar { open: reflect(bar.open), high, low, close: reflect(bar.close), ..bar }
    }
}

/// An exchange with its account, at an instant.
#[derive(Debug)]
pub(super) struct Desk {
    lens: Lens,
    instruments: Rc<InstrumentTable>,
    exchange: Exchange,
    pub(super) account: Account,
    interval: Interval,
    now: UtcMillis,
    bar: u32,
    /// The last frame, and the last in which each instrument had a bar.
    frame: Option<Frame>,
    last: Vec<Option<Frame>>,
    pub(super) told: String,
    shows_locks: bool,
}

impl Desk {
    fn open<'a>(rules: impl Iterator<Item = &'a str> + Clone, lens: Lens) -> Self {
        let mut table = InstrumentTable::new();
        let (mut fees, mut tiers) = (Vec::new(), Vec::new());
        let words = |line: &'a str| line.split_whitespace().collect::<Vec<&str>>();
        for line in rules.clone().map(words).filter(|line| !["set", "have"].contains(&line[0])) {
            let (instrument, schedule, margin) = instrument(&line);
            table.add(instrument);
            fees.push(schedule);
            tiers.push(margin);
        }
        if table.is_empty() {
            let (instrument, schedule, margin) = instrument(&["perp", "A"]);
            table.add(instrument);
            fees.push(schedule);
            tiers.push(margin);
        }
        let instruments = Rc::new(table);
        let settings = rules.clone().map(words).filter(|line| line[0] == "set");
        let settings: Vec<&str> = settings.flat_map(|line| line[1..].to_vec()).collect();
        let shows_locks = settings.contains(&"locks");
        let settings = exchange_settings(&settings, fees, tiers);
        let interval = settings.interval;
        let mut account = Account::new(Rc::clone(&instruments));
        let mut holdings = rules.map(words).filter(|line| line[0] == "have").peekable();
        if holdings.peek().is_none() {
            let cash = instruments.cash_key(InstrumentIx(0));
            account.balances[cash.index()] = Decimal::from(1_000_000_000);
        }
        for holding in holdings.flat_map(|line| line[1..].to_vec()) {
            endow(&mut account, &instruments, holding);
        }
        Self {
            lens,
            exchange: Exchange::new(Rc::clone(&instruments), settings, account.open_venue()),
            frame: None,
            last: vec![None; instruments.len()],
            instruments,
            account,
            interval,
            now: UtcMillis::new(0),
            bar: 0,
            told: String::new(),
            shows_locks,
        }
    }

    fn obey(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "bar" => self.bar(&line["bar".len()..]),
            "close" => {
                let frame = self.frame.clone().expect("a bar");
                self.exchange.match_close(&frame, &mut self.account).unwrap();
                self.tell_news();
            }
            "cancel" => {
                let order_id = name(words[1]);
                self.exchange.cancel(CancelOrder { order_id, ts_decided: self.now });
            }
            "replace" => {
                let order = self.order(&words[1..]);
                self.exchange.replace(&Arc::new(order));
            }
            "account" => self.tell_account(),
            _ => self.send(&words),
        }
    }

    fn send(&mut self, words: &[&str]) {
        let order = Arc::new(self.order(words));
        let last_px = self.mark(order.instrument);
        for (exit, is_stop) in [(order.exits.take_profit, false), (order.exits.stop_loss, true)] {
            if let Some(exit) = exit {
                let exit = admission::exit_order(&order, exit, is_stop, last_px);
                self.account.watch(exit);
            }
        }
        self.account.watch(Order::clone(&order));
        match self.exchange.send(&order, last_px, &mut self.account).unwrap() {
            Some(reserved) => {
                if self.shows_locks {
                    let (id, amount) = (label(order.order_id), reserved.amount.normalize());
                    let asset = self.instruments.key(reserved.key).symbol();
                    let _ = writeln!(self.told, "{} #{id} needs {amount} {asset}", self.bar);
                }
            }
            None => self.tell_news(),
        }
    }

    /// Last close, or a hundred before the first bar.
    fn mark(&self, place: InstrumentIx) -> Price {
        let last = self.last[place.index()].as_ref();
        let close = last.map_or(100.0, |frame| frame.bars()[place.index()].close);
        Price::new(decimal_of(close).unwrap()).unwrap()
    }

    fn bar(&mut self, cells: &str) {
        let bars: Vec<Bar> = cells.split('|').map(|cell| self.lens.bar(bar(cell))).collect();
        self.now = self.now.after(self.interval);
        self.bar += 1;
        let mut batch = FrameBatch::with_capacity(bars.len(), 1);
        batch.push(self.now, false, &bars);
        let frame = Arc::new(batch).frame(0).unwrap();
        self.account.show(&bars);
        for (last, bar) in self.last.iter_mut().zip(&bars) {
            if bar.kind != BarKind::Absent {
                *last = Some(frame.clone());
            }
        }
        self.exchange.match_frame(&frame, &mut self.account).unwrap();
        self.frame = Some(frame);
        self.tell_news();
    }

    fn order(&self, words: &[&str]) -> Order {
        let lens = self.lens;
        let mut rest = words[3..].iter().copied().peekable();
        let price = |text: &str| Price::new(lens.px(decimal(text))).unwrap();
        let pricing = match rest.next().unwrap() {
            "market" => Pricing::Market,
            "limit" => Pricing::Limit { price: price(rest.next().unwrap()) },
            "trail" => Pricing::Trailing { trail: trail(rest.next().unwrap()) },
            "stop" => {
                let stop_price = price(rest.next().unwrap());
                match rest.next_if_eq(&"limit") {
                    Some(_) => {
                        Pricing::StopLimit { stop_price, price: price(rest.next().unwrap()) }
                    }
                    None => Pricing::Stop { stop_price },
                }
            }
            other => panic!("{other}"),
        };
        let side = if words[1] == "buy" { OrderSide::Buy } else { OrderSide::Sell };
        let order_id = name(words[0]);
        let mut order = Order {
            order_id,
            client_order_id: None,
            instrument: InstrumentIx(0),
            side: lens.side(side),
            pricing,
            tif: TimeInForce::Gtc,
            expire_at: None,
            size: words[2].parse().unwrap(),
            post_only: false,
            reduce_only: false,
            oco_group: None,
            parent: None,
            exits: Exits::default(),
            origin: Origin::Strategy,
            ts_decided: self.now,
            ts_eligible: self.now,
        };
        rest.for_each(|flag| self.flag(&mut order, flag));
        order
    }

    fn flag(&self, order: &mut Order, flag: &str) {
        let (flag, value) = flag.split_once('=').unwrap_or((flag, ""));
        let exit = |places| {
            let order_id = order.order_id.after(places);
            Some(Exit { order_id, level: level(value, self.lens) })
        };
        match flag {
            "ioc" => order.tif = TimeInForce::Ioc,
            "fok" => order.tif = TimeInForce::Fok,
            "day" => {
                // The next midnight: an order that is decided at midnight has the day before it.
                let day = self.now.millis().div_euclid(DAY_MS) + 1;
                order.tif = TimeInForce::Day;
                order.expire_at = Some(UtcMillis::new(day * DAY_MS));
            }
            "until" => {
                order.tif = TimeInForce::Gtd;
                let minutes: i64 = value.parse().unwrap();
                order.expire_at = Some(UtcMillis::new(minutes * 60_000));
            }
            "post" => order.post_only = true,
            "reduce" => order.reduce_only = true,
            "oco" => {
                let number = value.parse().unwrap();
                order.oco_group = Some(OcoGroup { strategy: StrategyIx(0), number });
            }
            "parent" => order.parent = Some(name(value)),
            "tp" => order.exits.take_profit = exit(1),
            "sl" => order.exits.stop_loss = exit(2),
            "id" => order.client_order_id = Some(value.into()),
            "on" => {
                let id = format!("x:perp:{value}").parse().unwrap();
                let spot = format!("x:spot:{value}").parse().unwrap();
                let place = self.instruments.find(&id).or(self.instruments.find(&spot));
                order.instrument = place.unwrap();
            }
            other => panic!("{other}"),
        }
    }

    fn tell_news(&mut self) {
        audit(&self.exchange);
        for event in std::mem::take(&mut self.account.news) {
            match event {
                VenueReport::Handshake(Handshake { fill: Some(fill), .. }) => self.tell_fill(&fill),
                VenueReport::Update(update) => self.tell_update(&update),
                VenueReport::Locked { order_id, reserved } if self.shows_locks => {
                    let (id, amount) = (label(order_id), reserved.amount.normalize());
                    let asset = self.instruments.key(reserved.key).symbol();
                    let _ = writeln!(self.told, "{} #{id} holds {amount} {asset}", self.bar);
                }
                VenueReport::Handshake(_) | VenueReport::Locked { .. } => {}
            }
        }
    }

    fn tell_fill(&mut self, fill: &Fill) {
        let side = self.lens.side(fill.side).name();
        let when = if fill.ts == self.now { "close" } else { "open" };
        let open = self.now.before(self.interval);
        assert!(fill.ts == self.now || fill.ts == open, "{fill:?}");
        let (qty, px) =
            (fill.last_qty.0.normalize(), self.lens.px(fill.last_px.value()).normalize());
        let (id, rule) = (label(fill.order_id), fill.price_rule.name());
        let liquidity = fill.liquidity.name();
        let _ =
            write!(self.told, "{} #{id} {side} {qty} at {px} {liquidity} {rule} {when}", self.bar);
        if !fill.fee.0.is_zero() {
            let asset = self.instruments.key(fill.fee_key).symbol();
            let _ = write!(self.told, ", fee {} {asset}", fill.fee.0.normalize());
        }
        if fill.slippage_bps.abs() > 1e-9 {
            let _ = write!(self.told, ", slip {:.4} bps", fill.slippage_bps);
        }
        self.told.push('\n');
    }

    fn tell_update(&mut self, update: &OrderUpdate) {
        let (id, status) = (label(update.order_id), update.status.name());
        let cum_qty = update.cum_qty.0.normalize();
        let ordered = update.order_qty.map_or("?".to_owned(), |qty| qty.0.normalize().to_string());
        let _ = write!(self.told, "{} #{id} {status} {cum_qty}/{ordered}", self.bar);
        if let Some(terms) = &update.terms {
            let px = |px: Price| self.lens.px(px.value()).normalize();
            let _ = write!(self.told, " {}", terms.order_type().name());
            terms.pricing.stop_price().into_iter().chain(terms.pricing.price()).for_each(|price| {
                let _ = write!(self.told, " {}", px(price));
            });
        }
        if let Some(first) = update.repeats {
            let _ = write!(self.told, " repeats #{}", label(first));
        }
        if let Some(refusal) = &update.refusal {
            let _ = write!(self.told, " {}", refusal.code.name());
        }
        self.told.push('\n');
    }

    fn tell_account(&mut self) {
        let _ = write!(self.told, "{}", self.bar);
        for (key, name) in self.instruments.keys() {
            let held = self.account.balances[key.index()];
            if !held.is_zero() {
                let _ = write!(self.told, " {} {}", name.symbol(), held.normalize());
            }
        }
        for (place, instrument) in self.instruments.instruments() {
            let held = self.account.positions[place.index()];
            if !held.is_zero() {
                let _ = write!(self.told, " {} {}", instrument.id.symbol, held.normalize());
            }
        }
        self.told.push('\n');
    }
}

pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

/// Orders of scenarios have every tenth number, so that their exits have names of their own.
fn name(text: &str) -> OrderId {
    let exit = ["tp", "sl"].iter().position(|exit| text.ends_with(exit));
    let digits = text.trim_end_matches(char::is_alphabetic);
    let number: u32 = digits.parse().unwrap_or_else(|_| panic!("`{text}` is no order"));
    let places = exit.map_or(0, |place| u32::try_from(place).unwrap() + 1);
    OrderId { strategy: StrategyIx(0), number: number * 10 }.after(places)
}

fn label(order_id: OrderId) -> String {
    if order_id.strategy == StrategyIx::VENUE {
        return format!("liquidation-{}", order_id.number);
    }
    let exit = ["", "tp", "sl"][(order_id.number % 10) as usize];
    format!("{}{exit}", order_id.number / 10)
}

fn trail(text: &str) -> Trail {
    match text.strip_suffix("bps") {
        Some(rate) => Trail::Bps(Bps(decimal(rate))),
        None => Trail::Absolute(decimal(text)),
    }
}

fn level(text: &str, lens: Lens) -> Level {
    match text.strip_suffix("bps") {
        Some(rate) => Level::OffsetBps(Bps(lens.offset(decimal(rate)))),
        None if text.starts_with(['+', '-']) => Level::Offset(lens.offset(decimal(text))),
        None => Level::Price(lens.px(decimal(text))),
    }
}

fn bar(cell: &str) -> Bar {
    let words: Vec<&str> = cell.split_whitespace().collect();
    if words == ["-"] {
        return Bar { open: 100.0, high: 100.0, low: 100.0, close: 100.0, ..Bar::default() };
    }
    if words[0] == "synthetic" {
        return Bar::synthetic(words[1].parse().unwrap());
    }
    let values: Vec<f64> = words.iter().map(|word| word.parse().unwrap()).collect();
    let [open, high, low, close, volume] = match values[..] {
        [px] => [px, px, px, px, 1_000.0],
        [open, high, low, close] => [open, high, low, close, 1_000.0],
        [open, high, low, close, volume] => [open, high, low, close, volume],
        _ => panic!("one price, or four with or without a volume: {cell}"),
    };
    assert!(low <= open.min(close) && open.max(close) <= high, "no bar: {cell}");
    Bar { open, high, low, close, volume, kind: BarKind::Real }
}

fn instrument(words: &[&str]) -> (Instrument, MakerTaker, Rc<[MarginTiers]>) {
    let symbol = words[1];
    let market = if words[0] == "spot" { "spot" } else { "perp" };
    let id = format!("x:{market}:{symbol}").parse().unwrap();
    let mut instrument =
        Instrument { tick: decimal("0.01"), ..Instrument::spot(id, symbol, "USDT") };
    let mut fees = MakerTaker { tiers: vec![FeeTier::default()], ..MakerTaker::default() };
    let mut contract_size = Decimal::ONE;
    let mut mmr = None;
    for word in &words[2..] {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "tick" => instrument.tick = decimal(value),
            "lot" => instrument.lot = decimal(value),
            "min_qty" => instrument.min_qty = decimal(value),
            "min_notional" => instrument.min_notional = decimal(value),
            "leverage" => instrument.leverage = decimal(value),
            "isolated" => instrument.margin_mode = MarginMode::Isolated,
            "mmr" => mmr = Some(float_of(decimal(value))),
            "size" => contract_size = decimal(value),
            "base_fee" => instrument.fee_asset = FeeAsset::Base,
            "maker" => fees.tiers[0].maker = Bps(decimal(value)),
            "taker" => fees.tiers[0].taker = Bps(decimal(value)),
            "minimum" => fees.minimum = Cash(decimal(value)),
            "per_trade" => fees.per_trade = Cash(decimal(value)),
            "tier" => fees.tiers.push(tier(value)),
            other => panic!("{other}"),
        }
    }
    match words[0] {
        "perp" => {
            instrument.contract = Contract::Linear { settle: "USDT".into(), size: contract_size };
        }
        "inverse" => {
            instrument.contract = Contract::Inverse { settle: symbol.into(), size: contract_size };
        }
        _ => {}
    }
    let tier = |mmr| MarginTier::new(0.0, mmr, 1.0);
    let tiers = mmr.map(|mmr| MarginTiers::new(UtcMillis::new(0), &[tier(mmr)]).unwrap());
    (instrument, fees, tiers.into_iter().collect())
}

/// `from/volume/maker/taker`: minutes, quote currency, two rates.
fn tier(text: &str) -> FeeTier {
    let parts: Vec<&str> = text.split('/').collect();
    let minutes: i64 = parts[0].parse().unwrap();
    FeeTier {
        valid_from: Some(UtcMillis::new(minutes * 60_000)),
        volume_30d: decimal(parts[1]),
        maker: Bps(decimal(parts[2])),
        taker: Bps(decimal(parts[3])),
    }
}

fn exchange_settings(
    words: &[&str],
    fees: Vec<MakerTaker>,
    tiers: Vec<Rc<[MarginTiers]>>,
) -> ExchangeSettings {
    let mut rules = MatchRules::default();
    let mut latency = Latency::default();
    let mut interval = Interval::HOUR;
    let mut models = Models {
        path: Rc::new(Pessimistic),
        participation: Rc::new(Unlimited),
        slippage: Rc::new(NoSlippage),
        latency: Rc::new(FixedLatency::default()),
        fees: fees.into_iter().map(|fees| Rc::new(fees) as Rc<dyn crate::fees::FeeModel>).collect(),
    };
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match (key, value) {
            ("touch", _) => rules.touch_fills = true,
            ("gaps", "open") => rules.conservative_gaps = false,
            ("nocarry", _) => rules.market_carry = false,
            ("clip", _) => rules.clip_to_bar = true,
            ("path", "nearest") => models.path = Rc::new(NearestExtreme),
            ("share", bps) => models.participation = Rc::new(ShareOfVolume(Bps(decimal(bps)))),
            ("slip", bps) => models.slippage = Rc::new(FixedSlippage(Bps(decimal(bps)))),
            ("impact" | "root_impact", parts) => {
                let (spread, impact) = parts.split_once('/').unwrap();
                let (spread, impact) = (Bps(decimal(spread)), Bps(decimal(impact)));
                let exponent = match key {
                    "impact" => ImpactExponent::Linear,
                    _ => ImpactExponent::SquareRoot,
                };
                models.slippage = Rc::new(SpreadImpact { spread, impact, exponent });
            }
            ("latency", minutes) => latency.millis = minutes.parse::<i64>().unwrap() * 60_000,
            ("bars", count) => latency.bars = count.parse().unwrap(),
            ("days", _) => interval = Interval::from_millis(DAY_MS).unwrap(),
            ("mirror" | "locks", _) => {}
            other => panic!("{other:?}"),
        }
    }
    models.latency = Rc::new(FixedLatency(latency));
    ExchangeSettings { interval, seed: 7, rules, models, tiers, unfilled: Unfilled::default() }
}

fn endow(account: &mut Account, instruments: &InstrumentTable, holding: &str) {
    let (asset, amount) = holding.split_once('=').unwrap();
    if let Some((quantity, px)) = amount.split_once('@') {
        let is_it = |(_, known): &(InstrumentIx, &Instrument)| &*known.id.symbol == asset;
        let (place, _) = instruments.instruments().find(is_it).unwrap();
        account.hold(place, decimal(quantity), decimal(px));
        return;
    }
    let key = instruments
        .keys()
        .find(|(_, key)| key.symbol() == asset && key.kind() == PositionType::BaseToken);
    let (key, _) = key.unwrap_or_else(|| panic!("no balance of {asset}"));
    account.balances[key.index()] = decimal(amount);
}
