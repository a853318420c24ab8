//! Every figure of a run against a calculation in decimals that shares no code with the engine.
//!
//! The rules are those of the specification: averages and sizes of the run contract §2, fills at the
//! next open (10 §12.1, §12.2), slippage and the tick (10 §12.5), cash and rounding (02 §3.2, §3.3).

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;

use model::Decimal;
use tickdrain::App;

use crate::support;
use crate::tables::{Candle, HOUR, Scene, Table, decimal, units};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * HOUR;

/// What trades, under which rules.
struct Market {
    id: &'static str,
    base: &'static str,
    quote: &'static str,
    tick: &'static str,
    lot: &'static str,
    min_qty: &'static str,
    min_notional: &'static str,
    interval: i64,
    /// What becomes of missing bars: `skip` or `synthetic`.
    gaps: &'static str,
    /// The rows of the file.
    candles: Vec<Candle>,
}

impl Market {
    /// The bars of all frames; a synthetic one has the last close and no volume (09 §11.5).
    fn bars(&self) -> Vec<Candle> {
        if self.gaps == "skip" {
            return self.candles.clone();
        }
        let mut bars: Vec<Candle> = Vec::new();
        for candle in &self.candles {
            while let Some(last) = bars.last()
                && last.ts + self.interval < candle.ts
            {
                let (ts, px) = (last.ts + self.interval, last.close);
                bars.push(Candle { ts, open: px, high: px, low: px, close: px, volume: 0.0 });
            }
            bars.push(*candle);
        }
        bars
    }
}

/// What is run on it.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// Lengths of the averages; `None` buys and holds.
    averages: Option<(usize, usize)>,
    size: &'static str,
    fee_bps: &'static str,
    slippage_bps: &'static str,
    cash: &'static str,
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Rounded half-even to the ledger scale (D74).
fn booked(value: Decimal) -> Decimal {
    value.round_dp(12)
}

/// The multiple of `step` at or below a positive value.
fn floor(value: Decimal, step: Decimal) -> Decimal {
    (value / step).floor() * step
}

/// One row of `fills.parquet`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fill {
    ts: i64,
    side: &'static str,
    qty: i128,
    px: i128,
    fee: i128,
}

/// One row of `positions.parquet`: tick, asset, quantity.
type Balance = (i64, &'static str, i128);

/// A run as it must be.
#[derive(Debug, Default)]
struct Expected {
    fills: Vec<Fill>,
    balances: Vec<Balance>,
    /// Tick and equity of every frame.
    equity: Vec<(i64, Decimal)>,
    /// Intents that the gate or the venue turned down.
    refused: usize,
}

/// An order between its decision and its bar.
#[derive(Clone, Copy, Debug)]
enum Order {
    Buy,
    SellAll,
}

/// The calculation: cash, base units, and the rules.
struct Book<'a> {
    market: &'a Market,
    case: Case,
    rate: Decimal,
    cash: Decimal,
    base: Decimal,
    expected: Expected,
}

impl<'a> Book<'a> {
    fn new(market: &'a Market, case: Case) -> Self {
        let rate = number(case.fee_bps) / Decimal::from(10_000);
        let (cash, base) = (number(case.cash), Decimal::ZERO);
        Self { market, case, rate, cash, base, expected: Expected::default() }
    }

    fn run(mut self) -> Expected {
        let market = self.market;
        let bars = market.bars();
        let closes: Vec<Decimal> = bars.iter().map(|bar| decimal(bar.close)).collect();
        // Oldest first; more than one only while nothing trades.
        let mut pending = Vec::new();
        let mut before = None;
        for (row, bar) in bars.iter().enumerate() {
            let tick = bar.ts + market.interval;
            if bar.volume > 0.0 {
                pending.drain(..).for_each(|order| self.fill(order, bar, tick));
            }
            if row == 0 {
                self.expected.balances.push((tick, market.quote, units(self.cash)));
            }
            self.expected.equity.push((tick, self.cash + self.base * closes[row]));
            if let Some(order) = self.decide(&closes[..=row], &mut before, pending.last())
                && self.passes_gate(order, closes[row])
            {
                pending.push(order);
            }
        }
        self.expected
    }

    /// What the strategy wants after the last of `closes`; an order that waits counts as done.
    fn decide(
        &self,
        closes: &[Decimal],
        before: &mut Option<Ordering>,
        waiting: Option<&Order>,
    ) -> Option<Order> {
        let Some((fast, slow)) = self.case.averages else {
            return (closes.len() == 1).then_some(Order::Buy);
        };
        let sum = |length: usize| -> Option<Decimal> {
            Some(closes.get(closes.len().checked_sub(length)?..)?.iter().sum())
        };
        let (fast_sum, slow_sum) = (sum(fast)?, sum(slow)?);
        // Quotients would round: averages compare like their sums times the other's length.
        let now = (fast_sum * Decimal::from(slow)).cmp(&(slow_sum * Decimal::from(fast)));
        let before = before.replace(now)?;
        let is_flat = match waiting {
            Some(Order::Buy) => false,
            Some(Order::SellAll) => true,
            None => self.base.is_zero(),
        };
        match now {
            Ordering::Greater if before != now && is_flat => Some(Order::Buy),
            Ordering::Less if before != now && !is_flat => Some(Order::SellAll),
            Ordering::Less | Ordering::Equal | Ordering::Greater => None,
        }
    }

    fn units_wanted(&self) -> Option<Decimal> {
        (!self.case.size.ends_with('%')).then(|| number(self.case.size))
    }

    /// Rules 1 and 8 of 02 §3.1; a share is resolved at the fill.
    fn passes_gate(&mut self, order: Order, reference: Decimal) -> bool {
        let (Order::Buy, Some(wanted)) = (order, self.units_wanted()) else { return true };
        let quantity = floor(wanted, number(self.market.lot));
        let need = quantity * reference * (Decimal::ONE + self.rate) * number("1.0005");
        let passes = booked(need) <= self.cash;
        self.expected.refused += usize::from(!passes);
        passes
    }

    fn fill(&mut self, order: Order, candle: &Candle, tick: i64) {
        let one_bps = Decimal::new(1, 4);
        let slip = number(self.case.slippage_bps) * one_bps;
        let (open, step) = (decimal(candle.open), number(self.market.tick));
        let (side, sign, px) = match order {
            Order::Buy => {
                ("buy", Decimal::ONE, (open * (Decimal::ONE + slip) / step).ceil() * step)
            }
            Order::SellAll => {
                ("sell", -Decimal::ONE, (open * (Decimal::ONE - slip) / step).floor() * step)
            }
        };
        let qty = match order {
            Order::Buy => self.affordable(px),
            Order::SellAll => Some(floor(self.base, number(self.market.lot))),
        };
        let smallest = number(self.market.min_qty);
        let least = number(self.market.min_notional);
        let is_enough = |qty: &Decimal| !qty.is_zero() && *qty >= smallest && px * *qty >= least;
        let Some(qty) = qty.filter(is_enough) else {
            self.expected.refused += 1;
            return;
        };
        let (notional, fee) = (booked(px * qty), booked(px * qty * self.rate));
        self.base += sign * qty;
        self.cash -= sign * notional + fee;
        let (qty, px, fee) = (units(qty), units(px), units(fee));
        // Several fills of one bar leave one row per balance.
        let balances = &mut self.expected.balances;
        while balances.pop_if(|(last, ..)| *last == tick).is_some() {}
        self.expected.fills.push(Fill { ts: candle.ts, side, qty, px, fee });
        for (asset, amount) in [(self.market.base, self.base), (self.market.quote, self.cash)] {
            self.expected.balances.push((tick, asset, units(amount)));
        }
    }

    /// The wanted units if cash covers them, or as many lots as the share of free cash pays for.
    fn affordable(&self, px: Decimal) -> Option<Decimal> {
        let lot = number(self.market.lot);
        let cost = |qty: Decimal| booked(px * qty) + booked(px * qty * self.rate);
        if let Some(wanted) = self.units_wanted() {
            return Some(floor(wanted, lot)).filter(|qty| cost(*qty) <= self.cash);
        }
        let share = number(self.case.size.trim_end_matches('%')) / Decimal::ONE_HUNDRED;
        let budget = self.cash * share;
        // The quotient is rounded at its 28th digit, so the lots are counted out around it.
        let mut qty = floor(budget / (px * (Decimal::ONE + self.rate)), lot);
        while cost(qty) > budget {
            qty -= lot;
        }
        while cost(qty + lot) <= budget {
            qty += lot;
        }
        Some(qty)
    }
}

/// The run file of a case.
fn run_file(market: &Market, case: Case) -> String {
    let Market { id, base, quote, tick, lot, min_qty, min_notional, gaps, .. } = market;
    let Case { size, fee_bps, slippage_bps, cash, .. } = case;
    let venue = id.split(':').next().unwrap();
    let interval = if market.interval == HOUR { "1h" } else { "1m" };
    let slippage = match slippage_bps {
        "0" => "{ model = \"none\" }".to_owned(),
        bps => format!("{{ model = \"fixed\", bps = {bps} }}"),
    };
    let strategy = match case.averages {
        None => "kind = \"buy_and_hold\"".to_owned(),
        Some((fast, slow)) => format!("kind = \"sma_cross\"\nfast = {fast}\nslow = {slow}"),
    };
    format!(
        r#"
        share_class = "{quote}"
        interval = "{interval}"
        [initial]
        "{venue}:BaseToken:{quote}" = "{cash}"
        [[instruments]]
        id = "{id}"
        base = "{base}"
        quote = "{quote}"
        tick = "{tick}"
        lot = "{lot}"
        min_qty = "{min_qty}"
        min_notional = "{min_notional}"
        [[data]]
        of = "{id}"
        path = "candles.parquet"
        gaps = "{gaps}"
        [venues.{venue}]
        kind = "cex"
        taker_bps = "{fee_bps}"
        [execution]
        slippage = {slippage}
        [strategy]
        size = "{size}"
        {strategy}
        "#
    )
}

fn fills_of(folder: &Path, quote: &str) -> Vec<Fill> {
    let table = Table::read(&folder.join("fills.parquet"));
    assert!(table.texts("fee_ccy").iter().all(|currency| currency == quote));
    let side = |text: &String| if text == "buy" { "buy" } else { "sell" };
    let (ts, sides) = (table.times("ts"), table.texts("side"));
    let [qty, px, fee] = ["last_qty", "last_px", "fee"].map(|column| table.decimals(column));
    let row = |row: usize| Fill {
        ts: ts[row],
        side: side(&sides[row]),
        qty: qty[row],
        px: px[row],
        fee: fee[row],
    };
    (0..ts.len()).map(row).collect()
}

fn assert_balances(folder: &Path, expected: &[Balance]) {
    let table = Table::read(&folder.join("positions.parquet"));
    let assets = table.texts("position_key");
    let quantities = table.decimals("quantity");
    assert_eq!(quantities, table.decimals("amount"), "a balance has no index");
    let mut found: Vec<Balance> = Vec::new();
    for ((ts, key), quantity) in table.times("ts").into_iter().zip(&assets).zip(quantities) {
        let asset = key.rsplit(':').next().unwrap();
        let known = expected.iter().map(|(_, asset, _)| *asset).find(|known| *known == asset);
        found.push((ts, known.expect("an asset of the run"), quantity));
    }
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    // Fills of one bar may leave a balance as it was: then it has no row.
    let mut last = BTreeMap::new();
    expected.retain(|(_, asset, quantity)| last.insert(*asset, *quantity) != Some(*quantity));
    found.sort_unstable();
    assert_eq!(found, expected);
}

/// Distance of two positive floats in units in the last place.
fn ulps(left: f64, right: f64) -> u64 {
    assert!(left > 0.0 && right > 0.0);
    left.to_bits().abs_diff(right.to_bits())
}

fn assert_equity(folder: &Path, expected: &[(i64, Decimal)]) {
    let table = Table::read(&folder.join("equity.parquet"));
    let ticks: Vec<i64> = expected.iter().map(|(ts, _)| *ts).collect();
    assert_eq!(table.times("ts"), ticks, "one row per frame");
    for (found, (ts, exact)) in table.floats("equity").into_iter().zip(expected) {
        let exact: f64 = exact.to_string().parse().unwrap();
        assert!(ulps(found, exact) <= 2, "{found} is not {exact} at {ts}");
    }
}

/// Runs a case and compares everything; the number of fills.
fn check(market: &Market, case: Case) -> usize {
    let scene = Scene::new(&run_file(market, case));
    Candle::write(&scene.path("candles.parquet"), &market.candles);
    let report = scene.run(App::new(), &[], "out");
    let expected = Book::new(market, case).run();
    let found = fills_of(&scene.path("out"), market.quote);
    let first = found.iter().zip(&expected.fills).find(|(found, expected)| found != expected);
    assert_eq!(first, None, "{} {case:?}: found and expected", market.id);
    assert_eq!(found.len(), expected.fills.len(), "{} {case:?}", market.id);
    assert_balances(&scene.path("out"), &expected.balances);
    assert_equity(&scene.path("out"), &expected.equity);
    let orders = report.summary.orders;
    let refused = usize::try_from(orders.denied + orders.rejected + orders.canceled).unwrap();
    assert_eq!(refused, expected.refused, "{} {case:?}", market.id);
    found.len()
}

/// Every size, fee and slippage at least once, and the pairs of averages in turn.
fn cases(cash: &'static str, pairs: &[(usize, usize)]) -> Vec<Case> {
    let costs = [("0", "0"), ("10", "0"), ("7.5", "1.5"), ("0", "1.5"), ("7.5", "0")];
    let mut averages = pairs.iter().cycle().copied();
    let mut cases = Vec::new();
    for (fee_bps, slippage_bps) in costs {
        for size in ["100%", "1", "33%"] {
            let case = Case { averages: averages.next(), size, fee_bps, slippage_bps, cash };
            cases.push(case);
            cases.push(Case { averages: None, ..case });
        }
    }
    cases
}

fn bundled() -> Market {
    Market {
        id: "binance:spot:BTCUSDT",
        base: "BTC",
        quote: "USDT",
        tick: "0.01",
        lot: "0.00001",
        min_qty: "0.00001",
        min_notional: "5",
        interval: HOUR,
        gaps: "skip",
        candles: Candle::read(&support::bundled().join("binance_spot_BTCUSDT_1h.parquet")),
    }
}

#[test]
fn bundled_candles_give_the_decimals_of_the_specification() {
    let market = bundled();
    let pairs = [(10, 30), (1, 2), (48, 168), (5, 50)];
    let fills: usize =
        cases("61234.567890123456", &pairs).into_iter().map(|case| check(&market, case)).sum();
    assert!(fills > 2_000, "{fills} fills");
}

/// Little cash and a coarse lot: orders that are denied, rejected, or too small to place.
#[test]
fn what_cash_cannot_pay_is_refused() {
    let market = Market { lot: "0.1", min_qty: "0.2", min_notional: "9000", ..bundled() };
    for (size, cash) in [("1", "44000"), ("33%", "28000"), ("100%", "9100"), ("0.25", "10200")] {
        let case = Case { averages: Some((3, 8)), size, fee_bps: "10", slippage_bps: "1.5", cash };
        let expected = Book::new(&market, case).run();
        assert!(expected.refused > 0, "{case:?}");
        check(&market, case);
    }
}

/// A budget that pays for the exact notional, but not for what is booked of it: one lot fewer.
#[test]
fn rounding_never_spends_more_than_the_share() {
    let bar =
        Candle { ts: 0, open: 1.00003, high: 1.00003, low: 1.00003, close: 1.00003, volume: 1.0 };
    let candles = [0, HOUR, 2 * HOUR].map(|ts| Candle { ts, ..bar }).to_vec();
    let (tick, lot) = ("0.00001", "0.00000001");
    let market = Market { tick, lot, min_qty: "0", min_notional: "0", candles, ..bundled() };
    let mut rounded_up = 0;
    for lots in (1_000_000_000_u64..).take(10) {
        let qty = Decimal::from(lots) * number(lot);
        let notional = decimal(bar.open) * qty;
        let cash = (notional / number("0.33") * Decimal::from(1_000_000_000_000_u64)).ceil()
            / Decimal::from(1_000_000_000_000_u64);
        rounded_up += usize::from(booked(notional) > cash * number("0.33"));
        let cash: &'static str = cash.to_string().leak();
        let case = Case { averages: None, size: "33%", fee_bps: "0", slippage_bps: "0", cash };
        assert_eq!(check(&market, case), 1);
    }
    assert!(rounded_up > 1, "{rounded_up} budgets are too small by less than 10⁻¹²");
}

#[test]
fn real_hourly_candles_give_the_decimals_of_the_specification() {
    let Some(path) = support::shared("candles/bybit/BTCUSDT/1h.parquet") else { return };
    let market = Market {
        id: "bybit:spot:BTCUSDT",
        tick: "0.01",
        lot: "0.000001",
        min_qty: "0.000048",
        candles: Candle::read(&path),
        ..bundled()
    };
    let pairs = [(10, 30), (7, 23), (24, 120)];
    let fills: usize = cases("150000", &pairs).into_iter().map(|case| check(&market, case)).sum();
    assert!(fills > 2_000, "{fills} fills");
}

/// Prices with six decimals, a tick that most of them miss, a lot of eight, and missing minutes.
fn minutes(gaps: &'static str) -> Option<Market> {
    let mut candles = Candle::read(&support::shared("candles/bitfinex/ETHUSD/1m.parquet")?);
    candles.truncate(15_000);
    let holes = candles.windows(2).filter(|pair| pair[1].ts - pair[0].ts > MINUTE).count();
    assert!(holes > 100, "{holes} holes");
    Some(Market {
        id: "bitfinex:spot:ETHUSD",
        base: "ETH",
        quote: "USD",
        tick: "0.00025",
        lot: "0.00000001",
        min_qty: "0",
        min_notional: "0",
        interval: MINUTE,
        gaps,
        candles,
    })
}

#[test]
fn real_minutes_with_holes_give_the_decimals_of_the_specification() {
    let Some(market) = minutes("skip") else { return };
    let pairs = [(10, 30), (3, 11), (60, 240)];
    let fills: usize =
        cases("10000000.01", &pairs).into_iter().map(|case| check(&market, case)).sum();
    assert!(fills > 2_000, "{fills} fills");
}

/// Synthetic bars count in the averages, and orders wait until something trades.
#[test]
fn real_minutes_with_synthetic_bars_give_the_decimals_of_the_specification() {
    let Some(market) = minutes("synthetic") else { return };
    let bars = market.bars();
    assert!(bars.len() > market.candles.len() + 100);
    let fills: usize =
        cases("10000000.01", &[(2, 5), (1, 3)]).into_iter().map(|case| check(&market, case)).sum();
    assert!(fills > 2_000, "{fills} fills");
}

#[test]
fn equity_of_buy_and_hold_is_the_price_path() {
    let market = bundled();
    let case =
        Case { averages: None, size: "100%", fee_bps: "0", slippage_bps: "0", cash: "50000" };
    let scene = Scene::new(&run_file(&market, case));
    Candle::write(&scene.path("candles.parquet"), &market.candles);
    scene.run(App::new(), &[], "out");
    let table = Table::read(&scene.path("out/equity.parquet"));
    let [equity, cash, gross] = ["equity", "cash", "gross"].map(|column| table.floats(column));
    let quantity = (gross[1] / market.candles[1].close * 1e5).round() / 1e5;
    assert!(quantity * market.candles[1].open <= 50_000.0);
    for (row, candle) in market.candles.iter().enumerate().skip(1) {
        assert!(ulps(gross[row], quantity * candle.close) <= 2, "row {row}");
        assert!(ulps(equity[row], cash[row] + quantity * candle.close) <= 2, "row {row}");
        assert!(cash[row] < market.candles[1].open * 1e-5, "less than one lot is left");
    }
}

/// The last equity of every UTC day after the capital; a bar that closes at midnight ends its day.
fn daily_marks(capital: f64, ts: &[i64], equity: &[f64]) -> Vec<f64> {
    let mut marks = vec![capital];
    for (row, ts) in ts.iter().enumerate() {
        let ends_day = ts % DAY == 0 || row + 1 == equity.len();
        marks.extend(ends_day.then_some(equity[row]));
    }
    marks
}

#[expect(clippy::cast_precision_loss, reason = "a count of days")]
fn days(values: &[f64]) -> f64 {
    values.len() as f64
}

#[test]
fn metrics_follow_from_the_equity_at_midnight() {
    let market = bundled();
    let case = Case {
        averages: Some((24, 72)),
        size: "90%",
        fee_bps: "10",
        slippage_bps: "1.5",
        cash: "12345.67",
    };
    let scene = Scene::new(&run_file(&market, case));
    Candle::write(&scene.path("candles.parquet"), &market.candles);
    // Both ends inside a day.
    let window = ["start=2024-02-03T05:00:00Z", "end=2024-11-20T17:00:00Z"];
    let metrics = scene.run(App::new(), &window, "out").summary.metrics;
    let table = Table::read(&scene.path("out/equity.parquet"));
    let marks = daily_marks(12_345.67, &table.times("ts"), &table.floats("equity"));
    assert_eq!(marks.len(), 1 + 292, "3 February to 20 November");
    let returns: Vec<f64> = marks.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
    let mean = returns.iter().sum::<f64>() / days(&returns);
    let squares: f64 = returns.iter().map(|r| (r - mean) * (r - mean)).sum();
    let deviation = (squares / (days(&returns) - 1.0)).sqrt();
    let falls = (0..marks.len()).flat_map(|trough| {
        let trough_mark = marks[trough];
        marks[..=trough].iter().map(move |peak| 1.0 - trough_mark / peak)
    });
    let total = marks[marks.len() - 1] / marks[0] - 1.0;
    for (name, found, expected) in [
        ("total_return", metrics.total_return, total),
        ("volatility", metrics.volatility, deviation * 365_f64.sqrt()),
        ("sharpe", metrics.sharpe, mean / deviation * 365_f64.sqrt()),
        ("max_drawdown", metrics.max_drawdown, falls.fold(0.0, f64::max)),
    ] {
        let found = found.unwrap();
        assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{name}: {found}, {expected}");
    }
}
