//! The rules of 02 §3.1, one row per order, in order of precedence.

use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::{Expect, expect};
use model::frame::{Bar, BarKind, FrameBatch};
use model::instrument::Contract;
use model::money::{Bps, Quantity};
use model::order::{
    Level, OcoGroup, OrderRequest, OrderType, Size, StrategyIx, TimeInForce, Trail,
};
use model::snapshot::{AccountBook, ChainSnapshots, WorkingOrder};
use model::time::UtcMillis;
use venues::fees::MakerTaker;

use super::*;

const T: UtcMillis = UtcMillis::new(1_704_099_600_000); // 2024-01-01 09:00

const ID: OrderId = OrderId { strategy: StrategyIx(0), number: 7 };

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Spot at 100 with steps of 0.01 and 0.001, and a linear perpetual with five times leverage.
fn instruments() -> InstrumentTable {
    let mut table = InstrumentTable::new();
    table.add(Instrument {
        tick: decimal("0.01"),
        lot: decimal("0.001"),
        min_qty: decimal("0.01"),
        max_qty: Some(decimal("50")),
        min_notional: decimal("5"),
        price_band: Some(Bps(decimal("500"))),
        ..Instrument::spot("binance:spot:BTCUSDT".parse().unwrap(), "BTC", "USDT")
    });
    table.add(Instrument {
        contract: Contract::Linear { settle: "USDT".into(), size: Decimal::ONE },
        lot: decimal("0.001"),
        leverage: decimal("5"),
        ..Instrument::spot("bybit:perp:BTCUSDT".parse().unwrap(), "BTC", "USDT")
    });
    table
}

/// 1,000 USDT and 2 BTC on spot; 100 USDT and one BTC short from 100 on the perpetual.
fn account(table: &InstrumentTable, working: Vec<WorkingOrder>) -> AccountSnapshot {
    let bar = Bar {
        open: 100.0,
        high: 100.0,
        low: 100.0,
        close: 100.0,
        volume: 1.0,
        kind: BarKind::Real,
    };
    let mut batch = FrameBatch::with_capacity(2, 1);
    batch.push(T, false, &[bar, bar]);
    let amounts = ["2", "1000", "-1", "100"].map(decimal);
    let names = [
        "binance:BaseToken:BTC",
        "binance:BaseToken:USDT",
        "bybit:Perp:BTCUSDT",
        "bybit:BaseToken:USDT",
    ];
    let balance = |key: &str| names.iter().position(|name| *name == key).map(|at| amounts[at]);
    let mut reserved = vec![Decimal::ZERO; 4];
    for order in &working {
        reserved[order.reserved.key.index()] += order.reserved.amount;
    }
    AccountSnapshot {
        frame: Arc::new(batch).frame(0).unwrap(),
        marks: vec![Some(100.0); 2],
        equity: 1_300.0,
        cash: 1_100.0,
        gross: 300.0,
        net: 100.0,
        unrealized: 0.0,
        chain: ChainSnapshots::default(),
        book: Rc::new(AccountBook {
            balances: table.keys().map(|(_, key)| balance(key.as_str()).unwrap()).collect(),
            reserved,
            positions: vec![Quantity(decimal("2")), Quantity(decimal("-1"))],
            costs: vec![decimal("200"), decimal("-100")],
            working,
        }),
    }
}

/// Reads `spot|perp side type qty name=value …`.
fn request(text: &str) -> OrderRequest {
    let words: Vec<&str> = text.split_whitespace().collect();
    let kind = OrderType::ALL.into_iter().find(|kind| kind.name() == words[2]).unwrap();
    let size = match words[3].strip_suffix('%') {
        Some(percent) => Size::Share(decimal(percent) / Decimal::ONE_HUNDRED),
        None => Size::Units(Quantity(decimal(words[3]))),
    };
    let mut request = OrderRequest::of_type(kind, InstrumentIx(0), OrderSide::Buy, size);
    request.instrument = match words[0] {
        "spot" => Some(InstrumentIx(0)),
        "perp" => Some(InstrumentIx(1)),
        _ => None,
    };
    request.side = match words[1] {
        "buy" => Some(OrderSide::Buy),
        "sell" => Some(OrderSide::Sell),
        _ => None,
    };
    let level = |text: &str| match text.strip_suffix("bps") {
        Some(rate) => Level::OffsetBps(Bps(decimal(rate))),
        None if text.starts_with(['+', '-']) => Level::Offset(decimal(text)),
        None => Level::Price(decimal(text)),
    };
    for word in &words[4..] {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        match name {
            "price" => request.price = Some(decimal(value)),
            "stop" => request.stop_price = Some(decimal(value)),
            "trail" => request.trail = Some(Trail::Absolute(decimal(value))),
            "tp" => request.take_profit = Some(level(value)),
            "sl" => request.stop_loss = Some(level(value)),
            "post" => request.post_only = true,
            "reduce" => request.reduce_only = true,
            "oco" => {
                let number = value.parse().unwrap();
                request.oco_group = Some(OcoGroup { strategy: StrategyIx(0), number });
            }
            "parent" => request.parent = Some(OrderId { number: value.parse().unwrap(), ..ID }),
            "until" => {
                let hours: i64 = value.parse().unwrap();
                request.expire_at = Some(UtcMillis::new(T.millis() + hours * 3_600_000));
            }
            tif => {
                let known = TimeInForce::ALL.into_iter().find(|known| known.name() == tif);
                request.tif = known.unwrap();
            }
        }
    }
    request
}

fn told(table: &InstrumentTable, verdict: Result<Grant, Refusal>) -> String {
    let Grant { order, holds, .. } = match verdict {
        Ok(grant) => grant,
        Err(refusal) => return refusal.to_string(),
    };
    let mut text = format!("{}", order.size);
    let price = order.pricing.price().map(|price| format!(" price {}", price.value()));
    let stop = order.pricing.stop_price().map(|stop| format!(" stop {}", stop.value()));
    let until = order.expire_at.map(|last| format!(" until {last}"));
    let reduce = order.reduce_only.then(|| " reduce".to_owned());
    text.extend([price, stop, until, reduce].into_iter().flatten());
    write!(text, ", holds {} {}", holds.amount.normalize(), table.key(holds.key)).unwrap();
    text
}

fn check(rows: &str, expected: &Expect) {
    let table = instruments();
    let fees: Rc<dyn FeeModel> = Rc::new(MakerTaker::flat(Bps(decimal("10")), Bps(decimal("20"))));
    let fees = vec![Rc::clone(&fees), fees];
    let account = account(&table, Vec::new());
    let mut promises = Promises::new(table.keys().count());
    let mut found = String::new();
    for (number, row) in (1u32..).zip(rows.trim().lines().map(str::trim)) {
        let judgement =
            Judgement { instruments: &table, fees: &fees, account: &account, promises: &promises };
        let order_id = OrderId { number, ..ID };
        let verdict = if let Some(row) = row.strip_prefix("replace ") {
            let (target, row) = row.split_once(' ').unwrap();
            let order_id = OrderId { number: target.parse().unwrap(), ..ID };
            let verdict = judgement.replaced(&OrderIntent { order_id, request: request(row) });
            if let Ok(grant) = &verdict {
                promises.add(grant.clone());
            }
            verdict
        } else {
            let keeps = row.strip_prefix("keep ");
            let intent = OrderIntent { order_id, request: request(keeps.unwrap_or(row)) };
            let verdict = judgement.submitted(&intent);
            if let (Some(_), Ok(grant)) = (keeps, &verdict) {
                promises.add(grant.clone());
            }
            verdict
        };
        writeln!(found, "{row} → {}", told(&table, verdict)).unwrap();
    }
    expected.assert_eq(&found);
}

#[test]
fn quantities_and_prices_are_rounded_before_they_are_checked() {
    check(
        "-    buy  market 1
         spot -    market 1
         spot buy  market 150%
         spot buy  market 0
         spot buy  market -1
         spot buy  market 0.0009
         spot buy  market 0.0099
         spot buy  market 50.001
         spot buy  market 0.0405
         spot buy  market 0.0505
         spot buy  limit 1
         spot buy  limit 1 price=0
         spot buy  limit 1 price=-5
         spot buy  limit 1 price=0.009
         spot buy  limit 1 price=99.999
         spot sell limit 1 price=99.991
         spot buy  limit 0.05 price=99
         spot buy  market 1 price=100
         spot buy  stop 1
         spot buy  stop 1 stop=0
         spot buy  stop 1 stop=101.009
         spot sell stop 1 stop=98.991
         spot buy  stop 1 stop=101 price=102
         spot buy  stop_limit 1 stop=101
         spot buy  stop_limit 1 stop=101 price=102
         spot buy  trailing 1
         spot buy  trailing 1 trail=0
         spot sell trailing 1 trail=5
         spot sell market 1 trail=5
         perp buy  limit 1000000000000 price=1000000000000",
        &expect![[r"
            -    buy  market 1 → RISK-INSTRUMENT: no instrument, expected one of the run
            spot -    market 1 → RISK-SIDE: no side, expected buy or sell
            spot buy  market 150% → RISK-SHARE: a share of 1.50, expected more than 0 and at most 1
            spot buy  market 0 → RISK-QTY-ZERO: 0 of binance:spot:BTCUSDT is less than one lot, 0.001
            spot buy  market -1 → RISK-QTY-ZERO: -1 of binance:spot:BTCUSDT is less than one lot, 0.001
            spot buy  market 0.0009 → RISK-QTY-ZERO: 0.0009 of binance:spot:BTCUSDT is less than one lot, 0.001
            spot buy  market 0.0099 → RISK-QTY-MIN: 0.0090 of binance:spot:BTCUSDT, at least 0.01
            spot buy  market 50.001 → RISK-QTY-MAX: 50.001 of binance:spot:BTCUSDT, at most 50
            spot buy  market 0.0405 → RISK-NOTIONAL-MIN: 4 of binance:spot:BTCUSDT, at least 5
            spot buy  market 0.0505 → 0.0500, holds 5.012505 binance:BaseToken:USDT
            spot buy  limit 1 → RISK-PRICE: no price, which a limit order needs
            spot buy  limit 1 price=0 → RISK-PRICE: price 0, expected at least one tick, 0.01
            spot buy  limit 1 price=-5 → RISK-PRICE: price -5, expected at least one tick, 0.01
            spot buy  limit 1 price=0.009 → RISK-PRICE: price 0.009, expected at least one tick, 0.01
            spot buy  limit 1 price=99.999 → 1 price 99.990, holds 100.08999 binance:BaseToken:USDT
            spot sell limit 1 price=99.991 → 1 price 100.000, holds 1 binance:BaseToken:BTC
            spot buy  limit 0.05 price=99 → RISK-NOTIONAL-MIN: 4.95 of binance:spot:BTCUSDT, at least 5
            spot buy  market 1 price=100 → RISK-PRICE: price 100, but a market order has none
            spot buy  stop 1 → RISK-STOP-PRICE: no stop_price, which a stop order needs
            spot buy  stop 1 stop=0 → RISK-STOP-PRICE: stop_price 0, expected at least one tick, 0.01
            spot buy  stop 1 stop=101.009 → 1 stop 101.000, holds 101.252601 binance:BaseToken:USDT
            spot sell stop 1 stop=98.991 → 1 stop 99.000, holds 1 binance:BaseToken:BTC
            spot buy  stop 1 stop=101 price=102 → RISK-PRICE: price 102, but a stop order has none
            spot buy  stop_limit 1 stop=101 → RISK-PRICE: no price, which a stop_limit order needs
            spot buy  stop_limit 1 stop=101 price=102 → 1 price 102 stop 101, holds 102.204 binance:BaseToken:USDT
            spot buy  trailing 1 → RISK-TRAIL: no distance, which a trailing order needs
            spot buy  trailing 1 trail=0 → RISK-TRAIL: a distance of 0, expected more than 0
            spot sell trailing 1 trail=5 → 1, holds 1 binance:BaseToken:BTC
            spot sell market 1 trail=5 → RISK-TRAIL: a distance, but a market order has none
            perp buy  limit 1000000000000 price=1000000000000 → RISK-QTY-MAX: 1000000000000 of bybit:perp:BTCUSDT is worth more than 10^15
        "]],
    );
}

#[test]
fn bands_times_and_flags_do_not_contradict_the_order() {
    check(
        "spot buy  limit 1 price=105.01
         spot buy  limit 1 price=105
         spot sell limit 1 price=94.99
         spot sell limit 1 price=500
         spot buy  market 1 post
         spot buy  limit 1 price=99 post ioc
         spot buy  limit 1 price=99 post
         spot buy  limit 1 price=99 gtd
         spot buy  limit 1 price=99 gtd until=0
         spot buy  limit 1 price=99 gtd until=1
         spot buy  limit 1 price=99 until=1
         spot buy  limit 1 price=99 day
         spot sell limit 1 price=110 ioc parent=1",
        &expect![[r"
            spot buy  limit 1 price=105.01 → RISK-PRICE-BAND: 105.01 lies beyond 105, 500 bps from 100
            spot buy  limit 1 price=105 → 1 price 105, holds 105.21 binance:BaseToken:USDT
            spot sell limit 1 price=94.99 → RISK-PRICE-BAND: 94.99 lies beyond 95, 500 bps from 100
            spot sell limit 1 price=500 → 1 price 500, holds 1 binance:BaseToken:BTC
            spot buy  market 1 post → RISK-POST-ONLY: post-only, but an order of type market and time in force gtc never rests
            spot buy  limit 1 price=99 post ioc → RISK-POST-ONLY: post-only, but an order of type limit and time in force ioc never rests
            spot buy  limit 1 price=99 post → 1 price 99, holds 99.099 binance:BaseToken:USDT
            spot buy  limit 1 price=99 gtd → RISK-EXPIRE-AT: no expire_at, which a gtd order needs
            spot buy  limit 1 price=99 gtd until=0 → RISK-EXPIRE-AT: 2024-01-01T09:00:00Z is not after 2024-01-01T09:00:00Z
            spot buy  limit 1 price=99 gtd until=1 → 1 price 99 until 2024-01-01T10:00:00Z, holds 99.099 binance:BaseToken:USDT
            spot buy  limit 1 price=99 until=1 → RISK-EXPIRE-AT: 2024-01-01T10:00:00Z, but a gtc order has none
            spot buy  limit 1 price=99 day → 1 price 99 until 2024-01-02T00:00:00Z, holds 99.099 binance:BaseToken:USDT
            spot sell limit 1 price=110 ioc parent=1 → RISK-PARENT: time in force ioc, but a child waits
        "]],
    );
}

#[test]
fn exits_lie_on_their_sides_of_an_entry() {
    check(
        "spot buy  market 1 tp=110 sl=90
         spot buy  market 1 tp=100
         spot buy  market 1 sl=101
         spot buy  limit 1 price=95 tp=96 sl=94
         spot buy  limit 1 price=95 tp=94
         spot buy  market 1 tp=+5 sl=-5
         spot buy  market 1 tp=-5
         spot buy  market 1 sl=+100bps
         spot buy  market 1 sl=-10000bps
         perp sell market 0.1 tp=90 sl=110
         perp sell market 0.1 tp=110
         spot sell market 1 tp=90
         perp buy  market 1 tp=110
         perp buy  market 1.5 tp=110",
        &expect![[r"
            spot buy  market 1 tp=110 sl=90 → 1, holds 100.2501 binance:BaseToken:USDT
            spot buy  market 1 tp=100 → RISK-BRACKET: take_profit 100 on the wrong side of a buy at 100
            spot buy  market 1 sl=101 → RISK-BRACKET: stop_loss 101 on the wrong side of a buy at 100
            spot buy  limit 1 price=95 tp=96 sl=94 → 1 price 95, holds 95.095 binance:BaseToken:USDT
            spot buy  limit 1 price=95 tp=94 → RISK-BRACKET: take_profit 94 on the wrong side of a buy at 95
            spot buy  market 1 tp=+5 sl=-5 → 1, holds 100.2501 binance:BaseToken:USDT
            spot buy  market 1 tp=-5 → RISK-BRACKET: take_profit -5 on the wrong side of a buy at 100
            spot buy  market 1 sl=+100bps → RISK-BRACKET: stop_loss +100bps on the wrong side of a buy at 100
            spot buy  market 1 sl=-10000bps → RISK-BRACKET: stop_loss -10000bps on the wrong side of a buy at 100
            perp sell market 0.1 tp=90 sl=110 → 0.1, holds 2.02101 bybit:BaseToken:USDT
            perp sell market 0.1 tp=110 → RISK-BRACKET: take_profit 110 on the wrong side of a sell at 100
            spot sell market 1 tp=90 → RISK-EXITS: a sell that opens no position has no exits
            perp buy  market 1 tp=110 → RISK-EXITS: a buy that opens no position has no exits
            perp buy  market 1.5 tp=110 → 1.5, holds 0 bybit:BaseToken:USDT
        "]],
    );
}

#[test]
fn reduce_only_orders_oppose_the_position_and_are_clipped_to_it() {
    check(
        "spot buy  market 1 reduce
         spot sell market 5 reduce
         spot sell market 50% reduce
         perp sell market 1 reduce
         perp buy  market 5 reduce",
        &expect![[r"
            spot buy  market 1 reduce → RISK-REDUCE-ONLY: a buy of binance:spot:BTCUSDT reduces nothing
            spot sell market 5 reduce → 2 reduce, holds 0 binance:BaseToken:BTC
            spot sell market 50% reduce → 50% reduce, holds 0 binance:BaseToken:BTC
            perp sell market 1 reduce → RISK-REDUCE-ONLY: a sell of bybit:perp:BTCUSDT reduces nothing
            perp buy  market 5 reduce → 1 reduce, holds 0 bybit:BaseToken:USDT
        "]],
    );
}

#[test]
fn what_is_free_covers_what_an_order_may_need() {
    check(
        "spot buy  market 9.975
         spot buy  market 9.976
         spot buy  limit 10.5 price=95
         spot buy  limit 10.6 price=95
         spot buy  limit 9 price=105
         spot buy  stop 9 stop=105
         spot buy  stop 9.9 stop=101
         spot buy  market 100%
         spot sell market 2
         spot sell market 2.001
         spot sell limit 2 price=110
         perp buy  market 1
         perp sell market 3.9
         perp sell market 4
         perp buy  market 5.8
         perp sell limit 3 price=120",
        &expect![[r"
            spot buy  market 9.975 → 9.975, holds 999.9947475 binance:BaseToken:USDT
            spot buy  market 9.976 → RISK-BALANCE: needs 1000.0949976 of binance:BaseToken:USDT, 1000 free
            spot buy  limit 10.5 price=95 → 10.5 price 95, holds 998.4975 binance:BaseToken:USDT
            spot buy  limit 10.6 price=95 → RISK-BALANCE: needs 1008.007 of binance:BaseToken:USDT, 1000 free
            spot buy  limit 9 price=105 → 9 price 105, holds 946.89 binance:BaseToken:USDT
            spot buy  stop 9 stop=105 → 9 stop 105, holds 947.363445 binance:BaseToken:USDT
            spot buy  stop 9.9 stop=101 → RISK-BALANCE: needs 1002.4007499 of binance:BaseToken:USDT, 1000 free
            spot buy  market 100% → 100%, holds 0 binance:BaseToken:USDT
            spot sell market 2 → 2, holds 2 binance:BaseToken:BTC
            spot sell market 2.001 → RISK-POSITION: needs 2.001 of binance:BaseToken:BTC, 2 free
            spot sell limit 2 price=110 → 2 price 110, holds 2 binance:BaseToken:BTC
            perp buy  market 1 → 1, holds 0 bybit:BaseToken:USDT
            perp sell market 3.9 → 3.9, holds 78.81939 bybit:BaseToken:USDT
            perp sell market 4 → RISK-BALANCE: needs 80.8404 of bybit:BaseToken:USDT, 80 free
            perp buy  market 5.8 → 5.8, holds 77.19858 bybit:BaseToken:USDT
            perp sell limit 3 price=120 → 3 price 120, holds 72.39618 bybit:BaseToken:USDT
        "]],
    );
}

#[test]
fn what_was_just_accepted_is_promised() {
    check(
        "keep spot buy  limit 5 price=100
         keep spot buy  limit 5 price=100
         spot buy  limit 4.9 price=100
         replace 1 spot buy  limit 6 price=100
         replace 1 spot buy  limit 9 price=100
         spot buy  limit 1 price=100
         replace 1 spot buy  limit 9.99 price=100
         replace 1 spot sell limit 1 price=100
         replace 9 spot buy  limit 1 price=100
         keep spot sell limit 2 price=110 oco=1
         keep spot sell stop 2 stop=90 oco=1
         spot sell limit 0.1 price=110
         spot sell limit 5 price=110 parent=1
         spot sell market 5 parent=77
         perp sell market 5 parent=1",
        &expect![[r"
            keep spot buy  limit 5 price=100 → 5 price 100, holds 501 binance:BaseToken:USDT
            keep spot buy  limit 5 price=100 → RISK-BALANCE: needs 501 of binance:BaseToken:USDT, 499 free
            spot buy  limit 4.9 price=100 → 4.9 price 100, holds 490.98 binance:BaseToken:USDT
            replace 1 spot buy  limit 6 price=100 → 6 price 100, holds 601.2 binance:BaseToken:USDT
            replace 1 spot buy  limit 9 price=100 → 9 price 100, holds 901.8 binance:BaseToken:USDT
            spot buy  limit 1 price=100 → RISK-BALANCE: needs 100.2 of binance:BaseToken:USDT, 98.2 free
            replace 1 spot buy  limit 9.99 price=100 → RISK-BALANCE: needs 1000.998 of binance:BaseToken:USDT, 1000 free
            replace 1 spot sell limit 1 price=100 → RISK-REPLACE: a replace keeps instrument and side
            replace 9 spot buy  limit 1 price=100 → RISK-REPLACE: the order is not working
            keep spot sell limit 2 price=110 oco=1 → 2 price 110, holds 2 binance:BaseToken:BTC
            keep spot sell stop 2 stop=90 oco=1 → 2 stop 90, holds 0 binance:BaseToken:BTC
            spot sell limit 0.1 price=110 → RISK-POSITION: needs 0.1 of binance:BaseToken:BTC, 0 free
            spot sell limit 5 price=110 parent=1 → 5 price 110 reduce, holds 0 binance:BaseToken:BTC
            spot sell market 5 parent=77 → RISK-PARENT: its parent is not working: a child comes with it, or before it has filled
            perp sell market 5 parent=1 → RISK-PARENT: its parent trades something else
        "]],
    );
}
