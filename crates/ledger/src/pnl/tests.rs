//! Profit against the worked examples of 05 §7.4 to §7.6, and of random trades.
#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use expect_test::{Expect, expect};
use model::Decimal;
use model::delta::{Cause, Delta};
use model::money::{LedgerScale, Price, Quantity};
use model::order::OrderSide;
use model::perp::PerpPosition;
use proptest::prelude::*;

use super::*;
use crate::exposure::{ExposureMonitor, ExposureTerms};
use crate::fixture::{World, decimal};

struct Run {
    world: World,
    exposure: ExposureMonitor,
    pnl: PnlMonitor,
}

impl Run {
    fn new(share_class: &str, text: &str) -> Self {
        let mut world = World::new(text);
        world.tick();
        let (table, provider) = (&world.table, &world.provider);
        let terms = ExposureTerms { share_class: share_class.into(), ..ExposureTerms::default() };
        let exposure = ExposureMonitor::new(Rc::clone(table), Rc::clone(provider), terms);
        let (table, provider) = (Rc::clone(table), Rc::clone(provider));
        let pnl = PnlMonitor::new(table, provider, share_class, Strictness::Strict);
        let mut run = Self { world, exposure, pnl };
        run.pass().unwrap();
        run
    }

    fn pass(&mut self) -> Result<PnlSnapshot, PnlError> {
        self.exposure.positions_changed();
        let exposure = self.exposure.stage(self.world.ts, &self.world.book).unwrap();
        self.pnl.stage(self.world.ts, exposure)?;
        self.exposure.commit();
        self.pnl.commit();
        Ok(**self.pnl.latest())
    }

    /// Lines `<key> <amount> <cause>`, then perhaps `[<id>|-] <px> <px_ref>`: applied and noted.
    fn apply(&mut self, text: &str) {
        let mut deltas = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (key, amount) = (self.world.key(words[0]), decimal(words[1]));
            let cause = match words[2] {
                "trade" => Cause::Trade,
                "gas" => Cause::Gas,
                "funding" => Cause::Funding,
                "reward" => Cause::Reward,
                "initial" => Cause::Initial,
                "liquidation" => Cause::Liquidation,
                "dust" => Cause::Dust,
                other => panic!("what is {other}?"),
            };
            let mut delta = Delta::new(key, amount, cause);
            if let [id, px, px_ref] = words[3..] {
                delta.instrument = (id != "-").then(|| self.world.instrument(id));
                delta.px = Price::new(decimal(px));
                delta.px_ref = Price::new(decimal(px_ref));
            }
            self.world.book.balances[key.index()] += amount;
            deltas.push(delta);
        }
        self.pnl.note(&deltas);
    }

    /// Trades a perpetual of `venue` as its venue would.
    fn perp(&mut self, id: &str, quantity: Decimal, px: Decimal, px_ref: Decimal, fee: Decimal) {
        let place = self.world.instrument(id);
        let table = Rc::clone(&self.world.table);
        let instrument = table.instrument(place);
        let book = &mut self.world.book;
        let (quantity_before, cost) = (book.positions[place.index()], book.costs[place.index()]);
        let position = PerpPosition { quantity: quantity_before, cost };
        let side = if quantity > Decimal::ZERO { OrderSide::Buy } else { OrderSide::Sell };
        let px = Price::new(px).unwrap();
        let size = Quantity(quantity.abs());
        let notional = instrument.notional(px, size).booked(instrument.ledger_scale);
        let trade = position.trade(side, size, notional, instrument);
        book.positions[place.index()] = trade.after.quantity;
        book.costs[place.index()] = trade.after.cost;
        let (key, cash) = (table.base_key(place), table.cash_key(place));
        book.balances[key.index()] += quantity;
        book.balances[cash.index()] += trade.realized - fee;
        let delta = |key, amount, cause| Delta {
            instrument: Some(place),
            px: Some(px),
            px_ref: Price::new(px_ref),
            ..Delta::new(key, amount, cause)
        };
        self.pnl.note(&[
            delta(key, quantity, Cause::Trade),
            delta(cash, -fee, Cause::Fee),
            delta(cash, trade.realized, Cause::Realized),
        ]);
    }
}

/// The components that are not zero, and the total.
fn shown(snapshot: &PnlSnapshot) -> String {
    let line = |component: PnlComponent| {
        let amount = snapshot.step.attribution.of(component);
        (amount.abs() > 1e-9).then(|| format!("{} {amount:.6}\n", component.name()))
    };
    let text: String = PnlComponent::ALL.into_iter().filter_map(line).collect();
    assert!(snapshot.step.unexplained.abs() <= 1e-9, "{}", snapshot.step.unexplained);
    text + &format!("total {:.6}\n", snapshot.step.total)
}

/// One step from what is held before to what is priced after, with `deltas` in between.
fn check(share_class: &str, before: &str, deltas: &str, after: &str, expect: &Expect) {
    let mut run = Run::new(share_class, before);
    run.apply(deltas);
    run.world.tick();
    run.world.read(after);
    expect.assert_eq(&shown(&run.pass().unwrap()));
}

#[test]
fn a_leveraged_neutral_position_earns_its_yields() {
    // Source: 05 §7.4.
    check(
        "USDT",
        "hold aave_v3:aToken:aweETH 50
         hold aave_v3:debtToken:debtWETH 30
         perp binance:perp:ETHUSDT -22.5 3001
         rate etherfi:LST:weETH 1.05
         price binance:spot:ETHUSDT 3000
         price binance:perp:ETHUSDT 3001",
        "binance:BaseToken:USDT 6.7725 funding",
        "index aave_v3:aToken:aweETH 1.0001
         index aave_v3:debtToken:debtWETH 1.0003
         rate etherfi:LST:weETH 1.0502
         price binance:spot:ETHUSDT 3030
         price binance:perp:ETHUSDT 3032",
        &expect![[r#"
            supply_yield 15.750000
            staking_yield_oracle 30.003000
            borrow_costs -27.000000
            funding_pnl 6.772500
            delta_pnl 0.187530
            basis_pnl -22.500000
            total 3.213030
        "#]],
    );
}

#[test]
fn a_basis_earns_funding_and_pays_the_basis() {
    // Source: 05 §7.5.
    check(
        "USDT",
        "hold binance:BaseToken:USDT 20000
         hold binance:BaseToken:BTC 1.6
         perp binance:perp:BTCUSDT -1.6 50000
         price binance:spot:BTCUSDT 50000
         price binance:perp:BTCUSDT 50000",
        "binance:BaseToken:USDT 8.32 funding",
        "price binance:spot:BTCUSDT 52000\n price binance:perp:BTCUSDT 52010",
        &expect![[r#"
            funding_pnl 8.320000
            basis_pnl -16.000000
            total -7.680000
        "#]],
    );
}

#[test]
fn a_trade_pays_its_gap_its_slippage_and_its_fee() {
    // Source: 05 §7.6.
    check(
        "USDT",
        "hold binance:BaseToken:USDT 10000\n price binance:spot:BTCUSDT 100",
        "binance:BaseToken:BTC 10 trade binance:spot:BTCUSDT 101.0505 101
         binance:BaseToken:USDT -1011.515505 trade binance:spot:BTCUSDT 101.0505 101",
        "price binance:spot:BTCUSDT 103",
        &expect![[r#"
            delta_pnl 30.000000
            transaction_costs -1.515505
            gap_pnl -10.000000
            total 18.484495
        "#]],
    );
}

#[test]
fn what_has_no_price_yet_is_taken_where_the_market_was() {
    check(
        "USDT",
        "hold binance:BaseToken:USDT 10000",
        "binance:BaseToken:BTC 10 trade binance:spot:BTCUSDT 101 100
         binance:BaseToken:USDT -1010 trade binance:spot:BTCUSDT 101 100",
        "price binance:spot:BTCUSDT 103",
        &expect![[r#"
            delta_pnl 30.000000
            transaction_costs -10.000000
            total 20.000000
        "#]],
    );
    // A reward without a reference is worth what it is valued at first.
    check(
        "USDT",
        "hold binance:BaseToken:USDT 10000",
        "wallet:BaseToken:ETH 2 reward",
        "price binance:spot:ETHUSDT 3000",
        &expect![[r#"
            staking_yield_rewards 6000.000000
            total 6000.000000
        "#]],
    );
}

#[test]
fn gas_and_rewards_are_valued_at_their_own_instant() {
    // D88: the step from the last valuation to that instant is the gap.
    check(
        "USDT",
        "hold wallet:BaseToken:ETH 1\n price binance:spot:ETHUSDT 3000",
        "wallet:BaseToken:ETH -0.001 gas - 3010 3010
         wallet:BaseToken:ETH 0.01 reward - 3010 3010",
        "price binance:spot:ETHUSDT 3030",
        &expect![[r#"
            staking_yield_rewards 30.100000
            delta_pnl 30.270000
            transaction_costs -3.010000
            gap_pnl -0.090000
            total 57.270000
        "#]],
    );
}

#[test]
fn a_swap_below_the_protocols_rate_costs_the_peg() {
    // 10 weETH at 1.05 sold at 1.04 and 1.0348: the market is .01 below, the fill .0052 below that.
    check(
        "ETH",
        "hold etherfi:LST:weETH 10\n rate etherfi:LST:weETH 1.05",
        "etherfi:LST:weETH -10 trade - 1.0348 1.04
         wallet:BaseToken:WETH 10.348 trade",
        "",
        &expect![[r#"
            transaction_costs -0.052000
            peg_pnl -0.100000
            total -0.152000
        "#]],
    );
}

#[test]
fn liquidations_and_dust_have_their_own_components() {
    check(
        "USDT",
        "hold aave_v3:aToken:aUSDT 10000",
        "aave_v3:aToken:aUSDT -215 liquidation\n aave_v3:aToken:aUSDT -0.0001 dust",
        "index aave_v3:aToken:aUSDT 1.001",
        &expect![[r#"
            supply_yield 9.785000
            liquidation_pnl -215.000000
            dust_pnl -0.000100
            total -205.215100
        "#]],
    );
}

#[test]
fn an_inverse_perpetual_in_dollars_splits_into_coin_and_basis() {
    // 1,000 contracts of 100 USD on 2 BTC.
    check(
        "USDT",
        "hold binance:BaseToken:BTC 2
         perp binance:perp:BTCUSD -1000 50000
         price binance:spot:BTCUSDT 50000
         price binance:perp:BTCUSD 50010",
        "binance:BaseToken:BTC 0.0002 funding binance:perp:BTCUSD 50005 50005",
        "price binance:spot:BTCUSDT 52000\n price binance:perp:BTCUSD 52020",
        &expect![[r#"
            funding_pnl 10.001000
            delta_pnl 1.199840
            basis_pnl -19.250590
            gap_pnl -0.001000
            total -8.050750
        "#]],
    );
}

#[test]
fn capital_from_outside_is_no_profit_and_links_the_return() {
    let mut run = Run::new("USDT", "hold binance:BaseToken:BTC 1\n price binance:spot:BTCUSDT 100");
    run.world.tick();
    run.world.read("price binance:spot:BTCUSDT 110");
    run.pass().unwrap();
    run.apply("binance:BaseToken:USDT 890 initial");
    run.world.tick();
    run.world.read("price binance:spot:BTCUSDT 210");
    let last = run.pass().unwrap();
    assert!((last.initial - 100.0).abs() < 1e-12 && (last.cumulative.flows - 890.0).abs() < 1e-12);
    assert!(
        (last.cumulative.total - 110.0).abs() < 1e-9 && (last.simple_return - 1.1).abs() < 1e-9
    );
    assert!((last.time_weighted_return - (1.1 * 1.1 - 1.0)).abs() < 1e-9);
    assert_eq!(run.pnl.history().count(), 3);
}

#[test]
fn what_nothing_explains_ends_the_run_and_commits_nothing() {
    let mut run = Run::new("USDT", "hold binance:BaseToken:USDT 1000");
    let before = Rc::clone(run.pnl.latest());
    run.world.read("hold binance:BaseToken:USDT 1001");
    let error = run.pass().unwrap_err();
    let PnlError::Step { unexplained, tolerance, .. } = error else { panic!("{error}") };
    assert!((unexplained - 1.0).abs() < 1e-9 && (tolerance - 1e-3).abs() < 1e-12);
    assert_eq!(before, *run.pnl.latest());
    // Within the tolerance it is recorded.
    run.world.read("hold binance:BaseToken:USDT 1000.0009");
    assert!((run.pass().unwrap().cumulative.unexplained - 0.0009).abs() < 1e-9);
}

/// A trade or a move of prices, by numbers.
fn walk() -> impl Strategy<Value = Vec<(u8, i64, i64, i64)>> {
    let step = (0u8..6, -1_000_000i64..1_000_000, -500i64..500, 0i64..1_000);
    prop::collection::vec(step, 1..40)
}

proptest! {
    #[test]
    fn random_trades_and_prices_leave_nothing_unexplained(steps in walk()) {
        let mut run = Run::new(
            "USDT",
            "hold binance:BaseToken:USDT 1000000
             hold binance:BaseToken:BTC 3
             hold aave_v3:aToken:aweETH 50
             hold aave_v3:debtToken:debtWETH 30
             rate etherfi:LST:weETH 1.05
             price binance:spot:ETHUSDT 3000
             price binance:spot:BTCUSDT 50000
             price binance:perp:BTCUSDT 50010
             price binance:perp:BTCUSD 50020",
        );
        let mut worst: f64 = 0.0;
        let (mut btc, mut growth) = (Decimal::from(50_000), 1.0);
        for (what, size, slip, fee) in steps {
            let (quantity, fee) = (Decimal::new(size, 6), Decimal::new(fee, 3));
            let (reference, px) = (btc + Decimal::new(slip, 1), btc + Decimal::new(slip, 0));
            match what {
                0 if !quantity.is_zero() => {
                    run.perp("binance:perp:BTCUSDT", quantity, px, reference, fee);
                }
                1 if !quantity.is_zero() => {
                    let contracts = quantity * Decimal::from(500);
                    let fee = LedgerScale::DEFAULT.round(fee / btc);
                    run.perp("binance:perp:BTCUSD", contracts, px, reference, fee);
                }
                2 => run.apply(&format!(
                    "binance:BaseToken:BTC {quantity} trade binance:spot:BTCUSDT {px} {reference}
                     binance:BaseToken:USDT {} trade binance:spot:BTCUSDT {px} {reference}",
                    -(quantity * px) - fee
                )),
                3 => run.apply(&format!("aave_v3:aToken:aweETH {quantity} trade\n etherfi:LST:weETH {} trade", -quantity)),
                4 => run.apply(&format!("binance:BaseToken:BTC {} funding binance:perp:BTCUSD {px} {reference}", fee / Decimal::from(1_000))),
                _ => {
                    btc = (btc + Decimal::new(size, 2)).max(Decimal::from(1_000));
                    growth *= 1.0 + f64::from(u32::try_from(slip.unsigned_abs()).unwrap()) * 1e-7;
                    run.world.tick();
                    run.world.read(&format!(
                        "price binance:spot:BTCUSDT {btc}
                         price binance:perp:BTCUSDT {px}
                         price binance:perp:BTCUSD {reference}
                         price binance:spot:ETHUSDT {}
                         index aave_v3:aToken:aweETH {growth}
                         index aave_v3:debtToken:debtWETH {}
                         rate etherfi:LST:weETH {}",
                        btc / Decimal::from(17), growth * growth, 1.05 * growth,
                    ));
                }
            }
            let snapshot = run.pass().unwrap();
            let gross = run.exposure.latest().gross;
            worst = worst.max(snapshot.step.unexplained.abs() / gross);
            worst = worst.max(snapshot.cumulative.unexplained.abs() / gross);
        }
        prop_assert!(worst <= 1e-9, "{worst}");
    }
}
