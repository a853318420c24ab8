//! Scenarios: accounts, fills and bars as text, one operation per line.

use std::fmt::Write;
use std::sync::Arc;

use expect_test::Expect;
use model::exposure::ExposureSnapshot;
use model::fill::{Liquidity, PriceRule};
use model::frame::{Bar, BarKind, FrameBatch};
use model::instrument::{Contract, FeeAsset, Instrument};
use model::money::{Cash, Price};
use model::order::{OrderId, OrderSide, StrategyIx};
use model::perp::PerpPosition;
use model::time::UtcMillis;
use model::trade::deltas_of;

use super::super::*;
use crate::position::Position;

pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Two spot instruments against dollars and one between coins, and three perpetuals.
pub(super) fn instruments() -> Rc<InstrumentTable> {
    let spot = |symbol: &str, base: &str, quote: &str| Instrument {
        lot: decimal("0.00001"),
        ..Instrument::spot(format!("binance:spot:{symbol}").parse().unwrap(), base, quote)
    };
    let perp = |symbol: &str, quote: &str, contract: Contract| Instrument {
        contract,
        ..Instrument::spot(format!("binance:perp:{symbol}").parse().unwrap(), "BTC", quote)
    };
    let linear = |size: &str| Contract::Linear { settle: "USDT".into(), size: decimal(size) };
    let inverse = Contract::Inverse { settle: "BTC".into(), size: decimal("100") };
    let mut table = InstrumentTable::new();
    table.add(spot("BTCUSDT", "BTC", "USDT"));
    table.add(Instrument { fee_asset: FeeAsset::Base, ..spot("ETHUSDT", "ETH", "USDT") });
    table.add(spot("ETHBTC", "ETH", "BTC"));
    table.add(perp("BTCUSDT", "USDT", linear("1")));
    table.add(perp("BTCMINI", "USDT", linear("0.01")));
    table.add(perp("BTCUSD", "USD", inverse));
    Rc::new(table)
}

/// An account in dollars.
pub(super) fn account(initial: &[(KeyIx, Decimal)]) -> PositionUpdateHandler {
    open(instruments(), "USDT", initial).unwrap()
}

pub(super) fn open(
    instruments: Rc<InstrumentTable>,
    share_class: &str,
    initial: &[(KeyIx, Decimal)],
) -> Result<PositionUpdateHandler, LedgerError> {
    open_with(instruments, share_class, initial, RealSource::Copy)
}

/// The same with venues to ask.
pub(super) fn open_with(
    instruments: Rc<InstrumentTable>,
    share_class: &str,
    initial: &[(KeyIx, Decimal)],
    real: RealSource,
) -> Result<PositionUpdateHandler, LedgerError> {
    let market = Rc::new(DataProvider::new(&instruments));
    let reconciliation = ReconciliationComponent::exact(&instruments);
    let interval = Interval::HOUR;
    PositionUpdateHandler::new(LedgerSetup {
        instruments,
        market,
        exposure: ExposureTerms { share_class: share_class.into(), ..ExposureTerms::default() },
        risk: RiskTerms::new(interval),
        strictness: Strictness::Strict,
        interval,
        initial,
        real,
        reconciliation,
    })
}

/// Gives every instrument the same close.
pub(super) fn price_all(account: &PositionUpdateHandler, close: f64) {
    let width = account.instruments.len();
    let bar = Bar { kind: BarKind::Real, ..Bar::synthetic(close) };
    let mut batch = FrameBatch::with_capacity(width, 1);
    batch.push(UtcMillis::new(0), false, &vec![bar; width]);
    account.market.advance(&Arc::new(batch).frame(0).unwrap());
}

impl PositionUpdateHandler {
    /// Books a fill as a venue reports it: an operation of its own, with the deltas of the formula.
    pub(super) fn book_fill(&mut self, fill: &mut Fill) -> Result<(), LedgerError> {
        let number = self.operations();
        let held = self.positions.held(fill.instrument);
        let position = PerpPosition { quantity: held.quantity, cost: held.cost };
        let deltas = deltas_of(fill, fill.last_px, position, &self.instruments);
        let op_id = OperationId { number, ..OperationId::submission(fill.order_id) };
        let operation = Operation { op_id, source: Source::Trade, deltas: &deltas };
        let application = self.apply_once(operation, Some(fill))?;
        assert_eq!(application, Application::Applied);
        Ok(())
    }

    /// The exposure at the present marks.
    pub(super) fn value(&mut self, ts: UtcMillis) -> Result<Rc<ExposureSnapshot>, LedgerError> {
        self.run_chain(ts)?;
        Ok(Rc::clone(self.chain.exposure.latest()))
    }

    /// Number of the first operation on the order of the tests that has not been applied.
    fn operations(&self) -> u32 {
        let name = OrderId { strategy: StrategyIx(0), number: 1 };
        let op_id = |number| OperationId { number, ..OperationId::submission(name) };
        (0..1_000).find(|number| self.applied.look_up(op_id(*number), &[]) == Record::New).unwrap()
    }
}

pub(super) fn key(text: &str) -> KeyIx {
    instruments().keys().find(|(_, key)| key.as_str().ends_with(text)).unwrap().0
}

pub(super) fn instrument(text: &str) -> InstrumentIx {
    instruments().find(&format!("binance:{text}").parse().unwrap()).unwrap()
}

/// A fill without a fee.
pub(super) fn fill(place: InstrumentIx, side: OrderSide, qty: Decimal, px: Decimal) -> Fill {
    let table = instruments();
    let (last_qty, last_px) = (Quantity(qty), Price::new(px).unwrap());
    let instrument = table.instrument(place);
    Fill {
        trade_id: 1,
        order_id: OrderId { strategy: StrategyIx(0), number: 1 },
        instrument: place,
        side,
        ts: UtcMillis::new(0),
        last_qty,
        last_px,
        notional: instrument.notional(last_px, last_qty).booked(instrument.ledger_scale),
        fee: Cash::ZERO,
        fee_key: table.cash_key(place),
        liquidity: Liquidity::Taker,
        slippage_bps: 0.0,
        px_ref: last_px,
        bar_range: None,
        bar_share: None,
        price_rule: PriceRule::MarketOpen,
        cash_value: 0.0,
        realized: Cash::ZERO,
        lots: Vec::new(),
        closed: None,
    }
}

/// Runs a scenario and compares what it writes.
///
/// - `start KEY AMOUNT …`: initial balances, once, first.
/// - `buy|sell INSTRUMENT QTY PX [fee AMOUNT] [base] [inside]`: a fill at the open of the next frame;
///   `base`: the fee is in base; `inside`: inside the next frame's bar.
/// - `bars INSTRUMENT LOW HIGH CLOSE …`: the next frame.
/// - `value`: the valuation, floats to four places.
pub(super) fn check(scenario: &str, expected: &Expect) {
    let mut run = Run { account: account(&[]), now: UtcMillis::new(0), written: String::new() };
    for line in scenario.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["start", balances @ ..] => run.start(balances),
            [side @ ("buy" | "sell"), rest @ ..] => run.trade(side, rest),
            ["bars", bars @ ..] => run.bars(bars),
            ["value"] => run.value(),
            _ => panic!("no operation: {line}"),
        }
    }
    expected.assert_eq(&run.written);
}

struct Run {
    account: PositionUpdateHandler,
    /// T of the last frame, which is the open of the next.
    now: UtcMillis,
    written: String,
}

impl Run {
    fn start(&mut self, balances: &[&str]) {
        let initial = balances.chunks_exact(2).map(|pair| (key(pair[0]), decimal(pair[1])));
        self.account = account(&initial.collect::<Vec<_>>());
    }

    fn trade(&mut self, side: &str, words: &[&str]) {
        let [place, qty, px, rest @ ..] = words else { panic!("not enough words: {words:?}") };
        let side = if side == "buy" { OrderSide::Buy } else { OrderSide::Sell };
        let mut fill = fill(instrument(place), side, decimal(qty), decimal(px));
        fill.ts = self.now;
        let mut rest = rest.iter();
        while let Some(word) = rest.next() {
            match *word {
                "fee" => fill.fee = Cash(decimal(rest.next().unwrap())),
                "base" => fill.fee_key = self.account.instruments.base_key(fill.instrument),
                "inside" => fill.ts = self.now.after(Interval::HOUR),
                other => panic!("no word of a trade: {other}"),
            }
        }
        let before = Rc::clone(self.account.book());
        if let Err(error) = self.account.book_fill(&mut fill) {
            assert_eq!(*self.account.book(), before, "nothing is booked on an error");
            writeln!(self.written, "{error}").unwrap();
            return;
        }
        self.write_changes(&before, &fill);
        self.write_results(&fill);
    }

    fn write_changes(&mut self, before: &AccountBook, fill: &Fill) {
        let mut line = String::new();
        for (key, name) in self.account.instruments.keys() {
            let change = self.account.positions.balance(key) - before.balances[key.index()];
            if !change.is_zero() {
                write!(line, "{} {:+}, ", name.symbol(), change.normalize()).unwrap();
            }
        }
        let Position { quantity, cost } = self.account.positions.held(fill.instrument);
        let (quantity, cost) = (quantity.0.normalize(), cost.normalize());
        write!(line, "holds {quantity} for {cost}").unwrap();
        if !fill.realized.0.is_zero() {
            write!(line, ", realized {:+}", fill.realized.0.normalize()).unwrap();
        }
        writeln!(self.written, "{line}").unwrap();
    }

    fn write_results(&mut self, fill: &Fill) {
        let hours = |ts: UtcMillis| ts.millis() / Interval::HOUR.millis();
        for lot in &fill.lots {
            let [quantity, px, gross, entry_fee, exit_fee, net] = [
                lot.quantity.0,
                lot.entry_px.value(),
                lot.gross.0,
                lot.entry_fee.0,
                lot.exit_fee.0,
                lot.net().0,
            ]
            .map(|amount| amount.normalize());
            let entry = format!("{quantity} of {px} at {}", hours(lot.entry_ts));
            let gain = format!("{gross:+} -{entry_fee} -{exit_fee} = {net:+}");
            writeln!(self.written, "    lot {entry}: {gain}").unwrap();
        }
        let Some(trip) = &fill.closed else { return };
        let [entry_px, exit_px, qty_max, pnl, fees] =
            [trip.entry_px.value(), trip.exit_px.value(), trip.qty_max.0, trip.pnl.0, trip.fees.0]
                .map(|amount| amount.normalize());
        let (side, bars) = (trip.side.name(), trip.bars);
        let span = format!("{}..{}", hours(trip.entry_ts), hours(trip.exit_ts));
        let ends = format!("{side} {qty_max} {entry_px} -> {exit_px} at {span}");
        let result = format!("pnl {pnl:+} fees {fees} return {:+.4}", trip.return_on_entry);
        let range = format!("mae {:.4} mfe {:+.4} bars {bars}", trip.mae, trip.mfe);
        let value = trip.cash_value;
        writeln!(self.written, "    trip {ends}: {result} {range} worth {value:.4}").unwrap();
    }

    fn bars(&mut self, words: &[&str]) {
        let mut bars = vec![Bar::default(); self.account.instruments.len()];
        for bar in words.chunks_exact(4) {
            let [low, high, close] = [bar[1], bar[2], bar[3]].map(|px| px.parse().unwrap());
            let place = instrument(bar[0]).index();
            bars[place] = Bar { open: close, high, low, close, volume: 1.0, kind: BarKind::Real };
        }
        self.now = self.now.after(Interval::HOUR);
        let mut batch = FrameBatch::with_capacity(bars.len(), 1);
        batch.push(self.now, false, &bars);
        let frame = Arc::new(batch).frame(0).unwrap();
        self.account.market.advance(&frame);
        self.account.observe(&frame);
    }

    fn value(&mut self) {
        match self.account.value(self.now) {
            Ok(exposure) => {
                let ExposureSnapshot { equity, cash, gross, net, unrealized, .. } = &*exposure;
                let sizes = format!("gross {gross:.4} net {net:+.4} unrealized {unrealized:+.4}");
                writeln!(self.written, "equity {equity:.4} cash {cash:.4} {sizes}").unwrap();
            }
            Err(error) => writeln!(self.written, "{error}").unwrap(),
        }
    }
}
