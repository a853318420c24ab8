//! Fills, round trips and snapshots: what they cost, gained and were worth.

use expect_test::expect;
use model::fill::{Fill, PriceRule, RoundTrip};
use model::instrument::InstrumentIx;
use model::ladder::RiskLevel;
use model::money::{Cash, Price, Quantity};
use model::order::OrderSide;
use model::pnl::PnlFigures;
use model::risk::{RiskAlert, RiskType};

use super::{Figures, run};
use crate::audit::fixtures::{
    INVERSE, LINEAR, SPOT, Script, decimal, fill, instruments, limit, minute,
};
use crate::audit::records::RareEvent;
use crate::results::Profit;

#[test]
fn orders_that_fill_more_than_a_tenth_of_a_bar_are_counted_once_and_ten_are_named() {
    let mut script = Script::default();
    for number in 1..=13 {
        script.accept(&[(number, limit(OrderSide::Buy, "95"))]);
        let share = if number == 1 { 0.1 } else { 0.11 };
        for _ in 0..2 {
            script.fill(Fill { bar_share: Some(share), ..fill(number, OrderSide::Buy) });
        }
    }
    let (figures, _) = run(vec![script], "fills.parquet", &[]);
    let large = &figures.orders.large_orders;
    assert_eq!(
        (large.count, large.names.join(" ").as_str()),
        (12, "s-2 s-3 s-4 s-5 s-6 s-7 s-8 s-9 s-10 s-11")
    );
}

/// A fill at 101, 100 bps above the price before slippage, or at 99, 100 bps below it.
fn slipped(instrument: InstrumentIx, side: OrderSide, notional: &str, fee: &str) -> Fill {
    let px = if side == OrderSide::Buy { "101" } else { "99" };
    Fill {
        instrument,
        last_px: Price::new(decimal(px)).unwrap(),
        notional: Cash(decimal(notional)),
        fee: Cash(decimal(fee)),
        fee_key: instruments().cash_key(instrument),
        slippage_bps: 100.0,
        ..fill(1, side)
    }
}

#[test]
fn costs_are_in_share_class() {
    let base_fee = Fill {
        fee_key: instruments().base_key(SPOT),
        ..slipped(SPOT, OrderSide::Buy, "101", "0.001")
    };
    // One contract of 100 USD: 1/1.01 BTC bought, 1/0.99 BTC sold, against 1 BTC without slippage.
    let inverse =
        |side, notional| Fill { cash_value: 100.0, ..slipped(INVERSE, side, notional, "0.0005") };
    let mut text = String::new();
    for (case, fill) in [
        ("spot", slipped(SPOT, OrderSide::Buy, "101", "0.101")),
        ("spot, fee in base", base_fee),
        (
            "spot, cash is worth 1.1",
            Fill { cash_value: 1.1, ..slipped(SPOT, OrderSide::Sell, "99", "0.099") },
        ),
        ("linear", slipped(LINEAR, OrderSide::Sell, "99", "-0.02")),
        ("inverse buy", inverse(OrderSide::Buy, "0.990099009901")),
        ("inverse sell", inverse(OrderSide::Sell, "1.010101010101")),
    ] {
        let mut script = Script::default();
        script.fill(fill);
        let (all, table) = run(vec![script], "fills.parquet", &["fee", "fee_ccy"]);
        let costs = &all.costs;
        let row = table.lines().nth(1).unwrap_or_default().to_owned();
        let figures = format!(
            "fees {:.6} slippage {:.6} traded {:.6}",
            costs.fees, costs.slippage, costs.traded
        );
        text.extend([case, ": fee ", &row, "; ", &figures, "\n"]);
    }
    expect![[r"
        spot: fee 0.101 USDT; fees 0.101000 slippage 1.000000 traded 101.000000
        spot, fee in base: fee 0.001 BTC; fees 0.101000 slippage 1.000000 traded 101.000000
        spot, cash is worth 1.1: fee 0.099 USDT; fees 0.108900 slippage 1.100000 traded 108.900000
        linear: fee -0.02 USDT; fees -0.020000 slippage 1.000000 traded 99.000000
        inverse buy: fee 0.0005 BTC; fees 0.050000 slippage 0.990099 traded 99.009901
        inverse sell: fee 0.0005 BTC; fees 0.050000 slippage 1.010101 traded 101.010101
    "]]
    .assert_eq(&text);
}

#[test]
fn a_short_round_trip_is_shown_in_share_class() {
    let trip = RoundTrip {
        instrument: LINEAR,
        side: OrderSide::Sell,
        entry_ts: minute(1),
        exit_ts: minute(3),
        qty_max: Quantity(decimal("2")),
        entry_px: Price::new(decimal("100")).unwrap(),
        exit_px: Price::new(decimal("90")).unwrap(),
        pnl: Cash(decimal("19")),
        fees: Cash(decimal("1")),
        cash_value: 0.5,
        return_on_entry: 0.095,
        mae: -4.0,
        mfe: 24.0,
        bars: 2,
    };
    let mut script = Script::default();
    script.fill(Fill { closed: Some(Box::new(trip)), ..fill(1, OrderSide::Buy) });
    let (figures, table) = run(vec![script], "trades.parquet", &[]);
    assert_eq!(figures.trades.gross_profit.to_string(), "9.5");
    expect![[r"
        strategy_id instrument           entry_ts exit_ts side qty_max entry_px exit_px pnl return fees mae mfe bars
        s           binance:perp:BTCUSDT 1        3       sell 2       100      90      9.5 0.095  0.5  -2  12  2
    "]].assert_eq(&table);
}

#[test]
fn of_two_snapshots_of_a_frame_the_last_one_counts() {
    let mut script = Script::default();
    // (minute, equity, gross): one frame of the warm-up, and a second snapshot at minutes 3 and 4.
    for (ts, equity, gross) in [
        (1, 50.0, 0.0),
        (2, 100.0, 0.0),
        (3, 900.0, 9_000.0),
        (3, 110.0, 0.0),
        (4, 99.0, 99.0),
        (4, 88.0, 88.0),
    ] {
        let accounts = &mut script.records.accounts;
        accounts.seq.push(0);
        accounts.ts.push(minute(ts).millis());
        accounts.cause_seq.push(0);
        for (column, value) in [
            (&mut accounts.equity, equity),
            (&mut accounts.cash, equity - gross),
            (&mut accounts.gross, gross),
            (&mut accounts.net, gross),
            (&mut accounts.unrealized, 0.0),
        ] {
            column.push(value);
        }
        accounts.working_orders.push(0);
    }
    script.records.accounts.warmup_rows = 1;
    let (figures, table) =
        run(vec![script], "equity.parquet", &["ts", "equity", "cash", "gross", "drawdown"]);
    expect![[r"
        ts equity cash gross drawdown
        2  100    100  0     0
        3  110    110  0     0
        4  88     0    88    0.19999999999999996
    "]]
    .assert_eq(&table);
    assert_eq!(
        format!("{} {} {:?}", figures.equity_start, figures.equity_end, figures.exposure_time),
        "100 88 Some(0.3333333333333333)"
    );
}

#[test]
fn a_run_may_leave_two_percent_a_year_unexplained_and_at_least_those_of_a_day() {
    const DAY: i64 = 24 * 60;
    let amount = |days: i64, unexplained: f64| {
        let pnl = PnlFigures { unexplained, ..PnlFigures::default() };
        let profit = Some(Profit { initial: 36_500.0, figures: pnl });
        let (first, last) = (Some(minute(0)), Some(minute(days * DAY)));
        let figures = Figures { first, last, profit, ..Figures::default() };
        figures.unexplained().map(|beyond| beyond.tolerance.to_string())
    };
    assert_eq!(amount(365, -729.0), None);
    assert_eq!(amount(365, -731.0), Some("730".to_owned()));
    assert_eq!((amount(0, 1.9), amount(0, 2.1)), (None, Some("2".to_owned())));
    assert!(amount(1, f64::NAN).is_some());
    assert!(Figures::default().unexplained().is_none());
}

#[test]
fn liquidations_are_counted_and_of_risks_those_that_drive_actions() {
    let mut script = Script::default();
    let price_rule = PriceRule::Liquidation;
    script.fill(Fill { price_rule, fee: Cash(decimal("1")), ..fill(1, OrderSide::Sell) });
    for (before, after, is_enabled) in [
        (RiskLevel::Ok, RiskLevel::Warn, true),
        (RiskLevel::Warn, RiskLevel::ReduceOnly, true),
        (RiskLevel::ReduceOnly, RiskLevel::Critical, true),
        (RiskLevel::Critical, RiskLevel::ReduceOnly, true),
        (RiskLevel::Ok, RiskLevel::ReduceOnly, false),
    ] {
        let kind = RiskType::CexMarginRatio;
        let alert = RiskAlert { kind, before, after, value: None, is_enabled };
        script.event(RareEvent::Alert(alert));
    }
    let (figures, _) = run(vec![script], "fills.parquet", &[]);
    assert_eq!((figures.liquidations, figures.breaches), (1, 2));
    assert_eq!(figures.costs.fees.to_string(), "0");
}
