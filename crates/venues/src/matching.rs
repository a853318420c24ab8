//! Matching on bars: what a venue does with an order when a bar comes.

use model::Decimal;
use model::frame::{Bar, BarKind};
use model::instrument::Instrument;
use model::money::{Cash, Price, Quantity, ceil_to};
use model::numeric::decimal_of;
use model::order::{Order, OrderSide, Refusal, RefusalCode, Size};

use crate::fees::{fee_on, with_fee};
use crate::slippage::{Slippage, slippage_bps};

/// What the account can spend on a trade, according to the venue.
#[derive(Clone, Copy, Debug)]
pub struct Funds {
    /// Quote currency for a buy.
    pub cash: Decimal,
    /// Base units for a sell.
    pub base: Decimal,
    /// Base units held, of which a share is a share.
    pub held: Decimal,
}

/// A trade at the venue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Execution {
    /// Base units; positive.
    pub last_qty: Quantity,
    /// Price after slippage and rounding to the tick.
    pub last_px: Price,
    /// Cash for the base units, before the fee; positive.
    pub notional: Cash,
    /// Cost positive.
    pub fee: Cash,
    /// Distance from the bar's price, against the account.
    pub slippage_bps: f64,
}

/// What comes of an order at a bar.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The bar fills nothing; the order waits for the next.
    Waits,
    /// It filled.
    Filled(Execution),
    /// The venue refuses it.
    Rejected(Refusal),
    /// A share of what is left is nothing that could be traded.
    NothingLeft(Refusal),
}

/// Fills a market order at the open of a bar (10 §12.2: O, taker).
///
/// A synthetic bar and a bar without volume fill nothing. Lack of funds makes no partial fill.
///
/// # Panics
///
/// If the bar opens at no price; sources refuse such rows.
pub fn market_at_open(
    order: &Order,
    bar: &Bar,
    instrument: &Instrument,
    slippage: Slippage,
    funds: Funds,
) -> Outcome {
    if bar.kind != BarKind::Real || bar.volume <= 0.0 {
        return Outcome::Waits;
    }
    let base = decimal_of(bar.open).and_then(Price::new).expect("sources check their prices");
    let Some(px) = slippage.apply(base, order.side, instrument.tick) else {
        let detail = format!("{} is less than one tick, {}", base.value(), instrument.tick).into();
        return Outcome::Rejected(Refusal { code: RefusalCode::VenueTick, detail });
    };
    let trade = |quantity: Quantity| Execution {
        last_qty: quantity,
        last_px: px,
        notional: (px * quantity).booked(instrument.ledger_scale),
        fee: fee_on(px * quantity, instrument.taker_fee, instrument.ledger_scale),
        slippage_bps: slippage_bps(base, px, order.side),
    };
    match order.size {
        Size::Units(quantity) => units(trade(quantity), order.side, funds),
        Size::Share(share) => share_of(share, &trade, order.side, instrument, px, funds),
    }
}

fn units(execution: Execution, side: OrderSide, funds: Funds) -> Outcome {
    if execution.last_qty.is_zero() {
        let detail = "nothing is left to reduce".into();
        return Outcome::NothingLeft(Refusal { code: RefusalCode::VenueNothingLeft, detail });
    }
    let (need, have, code) = match side {
        OrderSide::Buy => (cost(&execution), funds.cash, RefusalCode::VenueBalance),
        OrderSide::Sell => (execution.last_qty.0, funds.base, RefusalCode::VenuePosition),
    };
    if need > have {
        let detail = format!("needs {need}, has {have}").into();
        return Outcome::Rejected(Refusal { code, detail });
    }
    Outcome::Filled(execution)
}

fn share_of(
    share: Decimal,
    trade: &dyn Fn(Quantity) -> Execution,
    side: OrderSide,
    instrument: &Instrument,
    px: Price,
    funds: Funds,
) -> Outcome {
    let budget = funds.cash * share;
    let quantity = match side {
        OrderSide::Buy => budget / (px.value() * with_fee(instrument.taker_fee)),
        OrderSide::Sell => (funds.held * share).min(funds.base),
    };
    let mut quantity = Quantity(quantity).floor_to(instrument.lot);
    // Rounding of notional and fee may cost more than the budget: by less than a lot, or by many if
    // a lot is worth less than the last digit of cash.
    while side == OrderSide::Buy && quantity.0 > Decimal::ZERO {
        let excess = cost(&trade(quantity)) - budget;
        if excess <= Decimal::ZERO {
            break;
        }
        quantity.0 -= ceil_to(excess / px.value(), instrument.lot);
    }
    let notional = (px * quantity).value();
    let too_small = quantity.0 <= Decimal::ZERO
        || quantity.0 < instrument.min_qty
        || notional < instrument.min_notional;
    if too_small {
        let what = match side {
            OrderSide::Buy => format!("{budget} {} of free cash", instrument.quote),
            OrderSide::Sell => {
                format!("{} {} to sell", quantity.0.max(Decimal::ZERO), instrument.base)
            }
        };
        let detail = format!("{what} is less than the smallest order").into();
        return Outcome::NothingLeft(Refusal { code: RefusalCode::VenueNothingLeft, detail });
    }
    Outcome::Filled(trade(quantity))
}

/// Cash that a buy takes.
fn cost(execution: &Execution) -> Decimal {
    execution.notional.0 + execution.fee.0
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use expect_test::{Expect, expect};
    use model::instrument::InstrumentIx;
    use model::money::{Bps, LedgerScale};
    use model::order::{OrderId, OrderType, StrategyIx, TimeInForce};
    use model::time::UtcMillis;
    use proptest::prelude::*;

    use super::*;

    fn instrument() -> Instrument {
        Instrument {
            id: "binance:spot:BTCUSDT".parse().unwrap(),
            base: "BTC".into(),
            quote: "USDT".into(),
            tick: Decimal::new(1, 2),
            lot: Decimal::new(1, 5),
            min_qty: Decimal::new(1, 5),
            min_notional: Decimal::new(5, 0),
            taker_fee: Bps(Decimal::new(10, 0)),
            maker_fee: Bps(Decimal::new(10, 0)),
            ledger_scale: LedgerScale::DEFAULT,
        }
    }

    fn order(side: OrderSide, size: Size) -> Order {
        Order {
            order_id: OrderId { strategy: StrategyIx(0), number: 1 },
            instrument: InstrumentIx(0),
            side,
            order_type: OrderType::Market,
            tif: TimeInForce::Gtc,
            size,
            reduce_only: false,
            ts_decided: UtcMillis::new(0),
            ts_eligible: UtcMillis::new(0),
        }
    }

    /// One row: side, size, cash, base, open, volume.
    fn check(rows: &str, expected: &Expect) {
        let mut found = String::new();
        for row in rows.trim().lines() {
            let cells: Vec<&str> = row.split_whitespace().collect();
            let side = if cells[0] == "buy" { OrderSide::Buy } else { OrderSide::Sell };
            let base = cells[3].parse().unwrap();
            let funds = Funds { cash: cells[2].parse().unwrap(), base, held: base };
            let (open, volume) = (cells[4].parse().unwrap(), cells[5].parse().unwrap());
            let kind = BarKind::Real;
            let bar = Bar { open, high: open, low: open, close: open, volume, kind };
            let order = order(side, cells[1].parse().unwrap());
            let text = match market_at_open(&order, &bar, &instrument(), Slippage::None, funds) {
                Outcome::Waits => "waits".to_owned(),
                Outcome::Filled(e) => format!(
                    "{} at {} for {} fee {}",
                    e.last_qty.0,
                    e.last_px.value(),
                    e.notional.0.normalize(),
                    e.fee.0.normalize()
                ),
                Outcome::Rejected(refusal) => format!("rejected {refusal}"),
                Outcome::NothingLeft(refusal) => format!("canceled {refusal}"),
            };
            writeln!(found, "{} → {text}", row.trim()).unwrap();
        }
        expected.assert_eq(&found);
    }

    #[test]
    fn market_orders_fill_at_the_open_or_say_why_not() {
        check(
            "buy  0.5  30000 0   50000 10
             buy  0.5  25025 0   50000 10
             buy  0.5  25024 0   50000 10
             sell 0.5  0     0.5 50000 10
             sell 0.5  0     0.4 50000 10
             buy  100% 10000 0   50000 10
             buy  50%  10000 0   50000 10
             sell 100% 0     0.7 50000 10
             buy  100% 3     0   50000 10
             sell 100% 0     0   50000 10
             buy  0.5  30000 0   50000 0",
            &expect![[r"
                buy  0.5  30000 0   50000 10 → 0.5 at 50000 for 25000 fee 25
                buy  0.5  25025 0   50000 10 → 0.5 at 50000 for 25000 fee 25
                buy  0.5  25024 0   50000 10 → rejected VEN-BALANCE: needs 25025.00000, has 25024
                sell 0.5  0     0.5 50000 10 → 0.5 at 50000 for 25000 fee 25
                sell 0.5  0     0.4 50000 10 → rejected VEN-POSITION: needs 0.5, has 0.4
                buy  100% 10000 0   50000 10 → 0.1998000000000000000000000000 at 50000 for 9990 fee 9.99
                buy  50%  10000 0   50000 10 → 0.0999000000000000000000000000 at 50000 for 4995 fee 4.995
                sell 100% 0     0.7 50000 10 → 0.7 at 50000 for 35000 fee 35
                buy  100% 3     0   50000 10 → canceled VEN-NOTHING-LEFT: 3 USDT of free cash is less than the smallest order
                sell 100% 0     0   50000 10 → canceled VEN-NOTHING-LEFT: 0 BTC to sell is less than the smallest order
                buy  0.5  30000 0   50000 0 → waits
            "]],
        );
    }

    #[test]
    fn a_share_of_a_sale_is_one_of_the_position_as_far_as_it_is_available() {
        let bar = Bar {
            open: 100.0,
            high: 100.0,
            low: 100.0,
            close: 100.0,
            volume: 1.0,
            kind: BarKind::Real,
        };
        let half = order(OrderSide::Sell, "50%".parse().unwrap());
        for (base, sold) in [("1", "0.5"), ("0.7", "0.5"), ("0.3", "0.3")] {
            let funds =
                Funds { cash: Decimal::ZERO, base: base.parse().unwrap(), held: Decimal::ONE };
            let outcome = market_at_open(&half, &bar, &instrument(), Slippage::None, funds);
            let Outcome::Filled(execution) = outcome else { panic!("{outcome:?}") };
            assert_eq!(execution.last_qty.0, sold.parse().unwrap(), "{base} available");
        }
    }

    #[test]
    fn a_lot_worth_less_than_the_last_digit_of_cash_does_not_overdraw() {
        let terms = Instrument {
            lot: Decimal::new(1, 8),
            tick: Decimal::new(1, 12),
            min_notional: Decimal::ZERO,
            min_qty: Decimal::ZERO,
            taker_fee: Bps(Decimal::new(1337, 2)),
            ..instrument()
        };
        let px = 0.000_002_123_457;
        let bar = Bar { open: px, high: px, low: px, close: px, volume: 1.0, kind: BarKind::Real };
        let cash: Decimal = "1000.0000000000003".parse().unwrap();
        let funds = Funds { cash, base: Decimal::ZERO, held: Decimal::ZERO };
        let all = order(OrderSide::Buy, Size::ALL);
        let outcome = market_at_open(&all, &bar, &terms, Slippage::None, funds);
        let Outcome::Filled(execution) = outcome else { panic!("{outcome:?}") };
        assert!(cost(&execution) <= cash, "{execution:?}");
    }

    proptest! {
        #[test]
        fn a_share_never_costs_more_than_its_budget_and_wastes_less_than_two_lots(
            cash in 1_000i64..100_000_000_000, share in 1i64..=100, open in 1u32..10_000_000,
        ) {
            let cash = Decimal::new(cash, 2);
            let share = Decimal::new(share, 2);
            let open = f64::from(open) / 100.0;
            let bar = Bar { open, high: open, low: open, close: open, volume: 1.0, kind: BarKind::Real };
            let funds = Funds { cash, base: Decimal::ZERO, held: Decimal::ZERO };
            let order = order(OrderSide::Buy, Size::Share(share));
            let instrument = instrument();
            if let Outcome::Filled(execution) = market_at_open(&order, &bar, &instrument, Slippage::None, funds) {
                let left = cash * share - cost(&execution);
                let lot = instrument.lot * execution.last_px.value() * with_fee(instrument.taker_fee);
                prop_assert!(left >= Decimal::ZERO && left < lot * Decimal::TWO, "{left}");
                prop_assert!((execution.last_qty.0 % instrument.lot).is_zero());
            }
        }
    }
}
