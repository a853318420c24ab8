use std::sync::Arc;

use model::fill::{Liquidity, PriceRule};
use model::frame::{Bar, FrameBatch};
use model::instrument::Instrument;
use model::money::{Bps, LedgerScale, Price};
use model::numeric::ulps_between;
use model::order::{OrderId, StrategyIx};
use model::time::UtcMillis;
use proptest::prelude::*;

use super::*;

const BTC: InstrumentIx = InstrumentIx(0);

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn instruments() -> Rc<InstrumentTable> {
    let mut table = InstrumentTable::new();
    table.add(Instrument {
        id: "binance:spot:BTCUSDT".parse().unwrap(),
        base: "BTC".into(),
        quote: "USDT".into(),
        tick: decimal("0.01"),
        lot: decimal("0.00001"),
        min_qty: Decimal::ZERO,
        min_notional: Decimal::ZERO,
        taker_fee: Bps(decimal("10")),
        maker_fee: Bps(decimal("10")),
        ledger_scale: LedgerScale::DEFAULT,
    });
    Rc::new(table)
}

fn account(initial: &[(&str, &str)]) -> Account {
    let instruments = instruments();
    let find = |text: &str| instruments.keys().find(|(_, key)| key.as_str() == text).unwrap().0;
    let initial: Vec<_> =
        initial.iter().map(|(key, amount)| (find(key), decimal(amount))).collect();
    Account::new(Rc::clone(&instruments), "USDT", &initial).unwrap()
}

fn fill(account: &Account, side: OrderSide, qty: &str, px: &str, fee: &str) -> Fill {
    let (last_qty, last_px) = (Quantity(decimal(qty)), Price::new(decimal(px)).unwrap());
    Fill {
        trade_id: 1,
        order_id: OrderId { strategy: StrategyIx(0), number: 1 },
        instrument: BTC,
        side,
        ts: UtcMillis::new(0),
        last_qty,
        last_px,
        notional: (last_px * last_qty).booked(LedgerScale::DEFAULT),
        fee: Cash(decimal(fee)),
        fee_key: account.instruments.quote_key(BTC),
        liquidity: Liquidity::Taker,
        slippage_bps: 0.0,
        price_rule: PriceRule::MarketOpen,
        closed: None,
    }
}

fn observe(account: &mut Account, low: f64, high: f64, close: f64) {
    let bar = Bar { open: close, high, low, close, volume: 1.0, kind: BarKind::Real };
    let mut batch = FrameBatch::with_capacity(1, 1);
    batch.push(UtcMillis::new(1), false, &[bar]);
    account.observe(&Arc::new(batch).frame(0).unwrap());
}

#[test]
fn a_buy_and_a_sell_move_base_quote_and_fee() {
    let mut account = account(&[("binance:BaseToken:USDT", "100000")]);
    let (base, quote) = (account.instruments.base_key(BTC), account.instruments.quote_key(BTC));
    let mut buy = fill(&account, OrderSide::Buy, "0.5", "50000", "25");
    account.book_fill(&mut buy).unwrap();
    assert_eq!(account.free(quote), decimal("74975"));
    assert_eq!(account.free(base), decimal("0.5"));
    let mut sell = fill(&account, OrderSide::Sell, "0.5", "50000", "25");
    account.book_fill(&mut sell).unwrap();
    // Source: 02 §3.2, sell 0.5 at 50,000 with a fee of 25 brings 24,975.
    assert_eq!(account.free(quote), decimal("74975") + decimal("24975"));
    assert!(account.position(BTC).is_zero());
}

#[test]
fn a_round_trip_knows_its_prices_its_worst_and_its_best_moment() {
    let mut account = account(&[("binance:BaseToken:USDT", "100000")]);
    let mut first = fill(&account, OrderSide::Buy, "1", "100", "0.1");
    let mut second = fill(&account, OrderSide::Buy, "1", "110", "0.11");
    account.book_fill(&mut first).unwrap();
    account.book_fill(&mut second).unwrap();
    observe(&mut account, 90.0, 130.0, 120.0);
    let value = account.value().unwrap();
    assert!((value.unrealized - 30.0).abs() < 1e-9, "{value:?}");
    let mut last = fill(&account, OrderSide::Sell, "2", "120", "0.24");
    account.book_fill(&mut last).unwrap();
    let trip = last.closed.unwrap();
    assert_eq!(trip.pnl, Cash(decimal("29.55")));
    assert_eq!(trip.entry_px.value(), decimal("105"));
    assert_eq!((trip.qty_max, trip.bars), (Quantity(decimal("2")), 1));
    assert!((trip.mae + 30.0).abs() < 1e-9 && (trip.mfe - 50.0).abs() < 1e-9, "{trip:?}");
}

#[test]
fn a_holding_that_the_run_started_with_makes_no_round_trip() {
    let mut account =
        account(&[("binance:BaseToken:USDT", "1000"), ("binance:BaseToken:BTC", "1")]);
    observe(&mut account, 100.0, 100.0, 100.0);
    let mut buy = fill(&account, OrderSide::Buy, "0.1", "100", "0.01");
    account.book_fill(&mut buy).unwrap();
    let mut sell = fill(&account, OrderSide::Sell, "1.1", "90", "0.1");
    account.book_fill(&mut sell).unwrap();
    assert_eq!(sell.closed, None, "the first unit has no entry price");
    // What begins flat after it is a trip again.
    let mut buy = fill(&account, OrderSide::Buy, "1", "90", "0.1");
    account.book_fill(&mut buy).unwrap();
    let mut sell = fill(&account, OrderSide::Sell, "1", "90", "0.1");
    account.book_fill(&mut sell).unwrap();
    assert_eq!(sell.closed.map(|trip| trip.pnl), Some(Cash(decimal("-0.2"))));
}

#[test]
fn a_balance_that_would_be_negative_books_nothing() {
    let mut account = account(&[("binance:BaseToken:USDT", "100")]);
    let before = Rc::clone(account.book());
    let mut buy = fill(&account, OrderSide::Buy, "1", "100", "0.1");
    let error = account.book_fill(&mut buy).unwrap_err();
    assert_eq!(error.to_string(), "POS-NEGATIVE: binance:BaseToken:USDT would be -0.1");
    assert_eq!(*account.book(), before);
}

#[test]
fn a_holding_without_a_price_is_an_error_and_never_zero() {
    let mut account = account(&[("binance:BaseToken:BTC", "2")]);
    assert!(matches!(account.value(), Err(AccountError::NoPrice { .. })));
    observe(&mut account, 100.0, 100.0, 100.0);
    let value = account.value().unwrap();
    assert!((value.equity - 200.0).abs() < 1e-9 && value.unrealized.abs() < 1e-9, "{value:?}");
}

#[test]
fn an_asset_that_nothing_prices_cannot_be_an_initial_balance() {
    let mut table = (*instruments()).clone();
    let key = table.add_key("wallet:BaseToken:EIGEN".parse().unwrap());
    let error = Account::new(Rc::new(table), "USDT", &[(key, Decimal::ONE)]).unwrap_err();
    assert!(matches!(error, AccountError::NoPath { .. }), "{error}");
}

proptest! {
    #[test]
    fn cash_is_conserved_to_the_last_digit_and_equity_stays_within_two_ulp(
        trades in prop::collection::vec((1u32..1_000_000, 1u32..100_000_000), 1..40),
    ) {
        let mut account = account(&[("binance:BaseToken:USDT", "1000000000")]);
        let quote = account.instruments.quote_key(BTC);
        let mut cash = decimal("1000000000");
        for (at, (lots, px)) in trades.into_iter().enumerate() {
            let (qty, px) = (Decimal::new(lots.into(), 5), Decimal::new(px.into(), 2));
            let side = if at % 2 == 0 { OrderSide::Buy } else { OrderSide::Sell };
            let qty = if side == OrderSide::Sell { account.position(BTC).0 } else { qty };
            let fee = LedgerScale::DEFAULT.round(qty * px * Decimal::new(1, 3));
            let mut fill = fill(&account, side, &qty.to_string(), &px.to_string(), &fee.to_string());
            cash += if side == OrderSide::Buy { -qty * px } else { qty * px };
            cash -= fee;
            account.book_fill(&mut fill).unwrap();
            prop_assert_eq!(account.free(quote), cash);
            let close = float_of(px);
            observe(&mut account, close, close, close);
            let exact = cash + account.position(BTC).0 * px;
            let equity = account.value().unwrap().equity;
            prop_assert!(ulps_between(equity, float_of(exact)) <= 2);
        }
    }
}
