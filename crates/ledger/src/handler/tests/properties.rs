use model::instrument::Contract;
use model::money::{Cash, LedgerScale};
use model::numeric::{float_of, ulps_between};
use model::order::OrderSide;
use proptest::prelude::*;

use super::scenario::{self, account, decimal, fill, instruments, key};
use super::*;
use crate::position::Position;

/// One fill: instrument, side, hundredths of a unit, cents, fee in millionths of the notional or
/// quantity, and whether it is taken in base where that can be.
type Trade = (u16, bool, u32, u32, i32, bool);

fn trades() -> impl Strategy<Value = Vec<Trade>> {
    let trade =
        (0u16..6, any::<bool>(), 1u32..1_000, 100u32..10_000_000, -300..1_000, any::<bool>());
    prop::collection::vec(trade, 1..60)
}

/// What independent sums over the fills of one instrument say.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    /// Notionals, bought less sold.
    bought: Decimal,
    realized: Decimal,
    gross: Decimal,
    fees: Decimal,
    lot_fees: Decimal,
}

struct Books {
    account: PositionUpdateHandler,
    balances: Vec<Decimal>,
    sums: Vec<Sums>,
}

impl Books {
    fn new() -> Self {
        let account = account(&[(key("USDT"), decimal("1000000000"))]);
        let balances = account.book().balances.clone();
        Self { account, balances, sums: vec![Sums::default(); instruments().len()] }
    }

    fn book(&mut self, fill: &mut Fill) -> Result<(), LedgerError> {
        let before = Rc::clone(self.account.book());
        if let Err(error) = self.account.book_fill(fill) {
            assert_eq!(*self.account.book(), before, "nothing is booked on an error");
            return Err(error);
        }
        let table = instruments();
        let (base, cash) = (table.base_key(fill.instrument), table.cash_key(fill.instrument));
        let notional = fill.side.signed(fill.notional.0);
        self.balances[base.index()] += fill.side.signed(fill.last_qty.0);
        self.balances[fill.fee_key.index()] -= fill.fee.0;
        self.balances[cash.index()] += if table.instrument(fill.instrument).is_perpetual() {
            fill.realized.0
        } else {
            -notional
        };
        let sums = &mut self.sums[fill.instrument.index()];
        sums.bought += notional;
        sums.realized += fill.realized.0;
        sums.gross += fill.lots.iter().map(|lot| lot.gross.0).sum::<Decimal>();
        let lot_fees = fill.lots.iter().map(|lot| lot.entry_fee.0 + lot.exit_fee.0);
        sums.lot_fees += lot_fees.sum::<Decimal>();
        if fill.fee_key == cash {
            sums.fees += fill.fee.0;
        }
        Ok(())
    }

    /// Whether every sum agrees to the last digit.
    fn check(&self) {
        assert_eq!(self.account.book().balances, self.balances, "cash is conserved");
        for (place, instrument) in instruments().instruments() {
            let sums = self.sums[place.index()];
            let Position { quantity, cost } = self.account.positions.held(place);
            let (units, lot_cost, lot_fees) = self.account.trades.lots(place).total();
            assert_eq!(units, quantity.0.abs(), "lots add up to the position");
            assert_eq!(sums.lot_fees + lot_fees, sums.fees, "every fee is in one lot");
            let sign = if quantity.0.is_sign_negative() { -Decimal::ONE } else { Decimal::ONE };
            let gained = |cost: Decimal| match instrument.contract {
                Contract::Spot | Contract::Linear { .. } => cost - sums.bought,
                Contract::Inverse { .. } => sums.bought - cost,
            };
            assert_eq!(sums.realized, gained(cost), "what average entry realises");
            assert_eq!(sums.gross, gained(sign * lot_cost), "what lots realise");
            if quantity.is_zero() {
                assert_eq!(sums.gross, sums.realized, "both agree when flat");
            }
        }
    }
}

fn fill_of((place, is_buy, qty, px, fee, in_base): Trade) -> Fill {
    let table = instruments();
    let side = if is_buy { OrderSide::Buy } else { OrderSide::Sell };
    let place = InstrumentIx(place);
    let instrument = table.instrument(place);
    // A coin costs a small part of another coin.
    let px = if instrument.cash_asset() == "BTC" && !instrument.is_perpetual() {
        Decimal::new(px.into(), 8)
    } else {
        Decimal::new(px.into(), 2)
    };
    let mut fill = fill(place, side, Decimal::new(qty.into(), 2), px);
    let rate = Decimal::new(fee.into(), 6);
    let in_base = in_base && is_buy && !instrument.is_perpetual();
    let whole = if in_base { fill.last_qty.0 } else { fill.notional.0 };
    fill.fee = Cash(LedgerScale::DEFAULT.round(whole * rate));
    if in_base {
        fill.fee_key = table.base_key(place);
    }
    fill
}

proptest! {
    #[test]
    fn fills_on_several_instruments_are_conserved_to_the_last_digit(trades in trades()) {
        let mut books = Books::new();
        scenario::price_all(&books.account, 50_000.0);
        for trade in trades {
            let mut fill = fill_of(trade);
            match books.book(&mut fill) {
                Ok(()) => books.check(),
                Err(error) => prop_assert!(
                    matches!(error, LedgerError::Batch(BatchFault::Negative { .. })),
                    "{error}"
                ),
            }
        }
        for (place, instrument) in instruments().instruments() {
            let held = books.account.positions.position(place).0;
            // A spot instrument may have sold what another one bought: that cannot be closed.
            if held.is_zero() || !instrument.is_perpetual() {
                continue;
            }
            let side = if held.is_sign_positive() { OrderSide::Sell } else { OrderSide::Buy };
            books.book(&mut fill(place, side, held.abs(), decimal("777.77"))).unwrap();
            books.check();
            prop_assert!(books.account.positions.position(place).is_zero());
        }
    }

    #[test]
    fn round_trips_gain_what_the_cash_gained(
        trades in prop::collection::vec((any::<bool>(), 1u32..100, 100u32..100_000, -300..1_000), 1..60),
        place in 3u16..6,
    ) {
        let mut account = account(&[]);
        scenario::price_all(&account, 1.0);
        let cash = instruments().cash_key(InstrumentIx(place));
        let mut gained = Decimal::ZERO;
        let mut trips = 0;
        for (is_buy, qty, px, fee) in trades {
            let mut fill = fill_of((place, is_buy, qty, px, fee, false));
            account.book_fill(&mut fill).unwrap();
            if let Some(trip) = fill.closed {
                gained += trip.pnl.0;
                trips += 1;
            }
        }
        let held = account.positions.position(InstrumentIx(place)).0;
        if !held.is_zero() {
            let side = if held.is_sign_positive() { OrderSide::Sell } else { OrderSide::Buy };
            let mut last = scenario::fill(InstrumentIx(place), side, held.abs(), decimal("500"));
            account.book_fill(&mut last).unwrap();
            gained += last.closed.expect("flat").pnl.0;
            trips += 1;
        }
        prop_assert!(trips > 0);
        prop_assert_eq!(account.positions.balance(cash), gained);
    }

    #[test]
    fn cash_is_conserved_to_the_last_digit_and_equity_stays_within_two_ulp(
        trades in prop::collection::vec((1u32..1_000_000, 1u32..100_000_000), 1..40),
    ) {
        let mut account = account(&[(key("USDT"), decimal("1000000000"))]);
        let (btc, usdt) = (InstrumentIx(0), key("USDT"));
        let mut cash = decimal("1000000000");
        for (at, (lots, px)) in trades.into_iter().enumerate() {
            let (qty, px) = (Decimal::new(lots.into(), 5), Decimal::new(px.into(), 2));
            let side = if at % 2 == 0 { OrderSide::Buy } else { OrderSide::Sell };
            let qty = if side == OrderSide::Sell { account.positions.position(btc).0 } else { qty };
            let mut fill = fill(btc, side, qty, px);
            fill.fee = Cash(LedgerScale::DEFAULT.round(qty * px * Decimal::new(1, 3)));
            cash -= side.signed(qty * px) + fill.fee.0;
            account.book_fill(&mut fill).unwrap();
            prop_assert_eq!(account.positions.balance(usdt), cash);
            scenario::price_all(&account, float_of(px));
            let exact = cash + account.positions.position(btc).0 * px;
            let equity = account.value(model::time::UtcMillis::new(0)).unwrap().equity;
            prop_assert!(ulps_between(equity, float_of(exact)) <= 2);
        }
    }
}
