//! Exposure against the worked examples of 04 §5.3.

use expect_test::{Expect, expect};
use model::numeric::ulps_between;
use proptest::prelude::*;

use super::*;
use crate::fixture::World;

fn monitor(world: &World, share_class: &str, tracked: &str) -> ExposureMonitor {
    let tracked = Some(tracked.into()).filter(|_| !tracked.is_empty());
    let terms = ExposureTerms { share_class: share_class.into(), tracked, exit_costs: vec![] };
    ExposureMonitor::new(Rc::clone(&world.table), Rc::clone(&world.provider), terms)
}

/// Equity, gross, leverage and delta share, and the net delta of the tracked asset.
fn check(share_class: &str, tracked: &str, text: &str, expect: &Expect) {
    let world = World::new(text);
    let mut monitor = monitor(&world, share_class, tracked);
    monitor.stage(world.ts, &world.book).unwrap();
    monitor.commit();
    let at = monitor.latest();
    let asset = monitor.layout().find_asset(tracked).unwrap();
    let delta = at.assets[asset.index()].net_delta;
    let found = format!(
        "equity {:.6}, cash {:.6}, gross {:.6}, leverage {:.6}, {tracked} {:.6} = {:.6} of equity",
        at.equity, at.cash, at.gross, at.leverage, delta, at.delta_share
    );
    expect.assert_eq(&found);
    let venues: f64 = at.venues.iter().sum();
    assert!((venues - at.equity).abs() <= 1e-9 * at.gross.max(at.equity.abs()));
}

#[test]
fn lending_is_worth_scaled_units_times_index() {
    check(
        "USDT",
        "BTC",
        "hold aave_v3:aToken:aUSDT 96506.7516
         index aave_v3:aToken:aUSDT 1.1057484
         price binance:spot:BTCUSDT 50000",
        &expect![
            "equity 106712.186171, cash 0.000000, gross 106712.186171, leverage 1.000000, BTC 0.000000 = 0.000000 of equity"
        ],
    );
    check(
        "ETH",
        "ETH",
        "hold aave_v3:aToken:aWETH 9.8039215686274509803921568627\n index aave_v3:aToken:aWETH 1.02",
        &expect![
            "equity 10.000000, cash 0.000000, gross 10.000000, leverage 1.000000, ETH 10.000000 = 0.000000 of equity"
        ],
    );
}

#[test]
fn a_basis_has_no_delta() {
    check(
        "USDT",
        "BTC",
        "hold binance:BaseToken:USDT 8000
         hold bybit:BaseToken:USDT 6000
         hold okx:BaseToken:USDT 6000
         hold binance:BaseToken:BTC 1.6
         perp binance:perp:BTCUSDT -0.64 50000
         perp bybit:perp:BTCUSDT -0.48 50000
         perp okx:perp:BTCUSDT -0.48 50000
         price binance:spot:BTCUSDT 52000
         price binance:perp:BTCUSDT 52010
         price bybit:perp:BTCUSDT 52010
         price okx:perp:BTCUSDT 52010",
        &expect![
            "equity 99984.000000, cash 20000.000000, gross 166416.000000, leverage 1.664426, BTC 0.000000 = 0.000000 of equity"
        ],
    );
    check(
        "USDT",
        "ETH",
        "hold binance:BaseToken:USDT 20000
         hold binance:BaseToken:ETH 32
         perp binance:perp:ETHUSDT -32 2500
         price binance:spot:ETHUSDT 2500
         price binance:perp:ETHUSDT 2500",
        &expect![
            "equity 100000.000000, cash 20000.000000, gross 160000.000000, leverage 1.600000, ETH 0.000000 = 0.000000 of equity"
        ],
    );
}

#[test]
fn staking_in_its_own_share_class_has_no_delta() {
    check(
        "ETH",
        "ETH",
        "hold etherfi:LST:weETH 96.32426601\n rate etherfi:LST:weETH 1.05655",
        &expect![
            "equity 101.771403, cash 0.000000, gross 101.771403, leverage 1.000000, ETH 101.771403 = 0.000000 of equity"
        ],
    );
    // 28.571429 ETH of aweETH against 18.571429 WETH.
    check(
        "ETH",
        "ETH",
        "hold aave_v3:aToken:aweETH 25.9740263636363636
         index aave_v3:aToken:aweETH 1.1
         rate etherfi:LST:weETH 1
         hold aave_v3:debtToken:debtWETH 18.571429",
        &expect![
            "equity 10.000000, cash 0.000000, gross 47.142858, leverage 2.857143, ETH 10.000000 = 0.000000 of equity"
        ],
    );
}

const NEUTRAL: &str = "hold binance:BaseToken:USDT 20000
     perp binance:perp:ETHUSDT -26.666667 3000
     price binance:spot:ETHUSDT 3000
     price binance:perp:ETHUSDT 3000\n";

#[test]
fn a_hedged_stake_is_exposed_to_its_own_yield() {
    let unlevered = "hold etherfi:LST:weETH 26.666667\n rate etherfi:LST:weETH 1";
    check(
        "USDT",
        "ETH",
        &[NEUTRAL, unlevered].concat(),
        &expect![
            "equity 100000.001000, cash 20000.000000, gross 160000.002000, leverage 1.600000, ETH 0.000000 = 0.000000 of equity"
        ],
    );
    let levered = "hold aave_v3:aToken:aweETH 76.190476
         hold aave_v3:debtToken:debtWETH 49.52381\n";
    let at = |rate: &str| [NEUTRAL, levered, "rate etherfi:LST:weETH ", rate].concat();
    check(
        "USDT",
        "ETH",
        &at("1"),
        &expect![
            "equity 99999.998000, cash 20000.000000, gross 457142.859000, leverage 3.085714, ETH -0.000001 = -0.000000 of equity"
        ],
    );
    check(
        "USDT",
        "ETH",
        &at("1.01"),
        &expect![
            "equity 102285.712280, cash 20000.000000, gross 459428.573280, leverage 3.039106, ETH 0.761904 = 0.022346 of equity"
        ],
    );
}

#[test]
fn a_perpetual_alone_is_exposed_without_a_spot_price() {
    check(
        "USDT",
        "BTC",
        "hold binance:BaseToken:USDT 10000
         perp binance:perp:BTCUSDT 0.2 50000
         price binance:spot:BTCUSDT 51000
         price binance:perp:BTCUSDT 51000",
        &expect![
            "equity 10200.000000, cash 10000.000000, gross 10200.000000, leverage 1.000000, BTC 0.200000 = 1.000000 of equity"
        ],
    );
    // 1,000 contracts of 100 USD and 2 BTC of margin.
    check(
        "BTC",
        "BTC",
        "hold binance:BaseToken:BTC 2
         perp binance:perp:BTCUSD 1000 50000
         price binance:perp:BTCUSD 52000",
        &expect![
            "equity 2.076923, cash 2.000000, gross 1.923077, leverage 0.925926, BTC 3.923077 = 0.888889 of equity"
        ],
    );
}

#[test]
fn an_empty_book_is_all_zeros_with_all_keys() {
    let world = World::new("");
    let mut monitor = monitor(&world, "USDT", "BTC");
    let keys = world.table.keys().count();
    let staged = monitor.stage(world.ts, &world.book).unwrap();
    assert_eq!(staged.keys.len(), keys);
    assert!(staged.keys.iter().all(|key| key.value.abs() + key.native.abs() <= 0.0));
    assert!(staged.venues.iter().all(|value| value.abs() <= 0.0));
    let sums = [staged.equity, staged.gross, staged.net, staged.leverage, staged.delta_share];
    assert!(sums.iter().all(|value| value.abs() <= 0.0));
}

#[test]
fn what_is_on_its_way_is_part_of_equity_and_of_cash() {
    let mut world = World::new("hold wallet:Transit:USDT 90\n hold wallet:BaseToken:USDT 10");
    let mut monitor = monitor(&world, "USDT", "BTC");
    let before = monitor.stage(world.ts, &world.book).unwrap().equity;
    world.read("hold wallet:Transit:USDT 0\n hold wallet:BaseToken:USDT 100");
    monitor.positions_changed();
    let after = monitor.stage(world.ts, &world.book).unwrap();
    assert_eq!(ulps_between(before, after.equity), 0);
    assert!((after.cash - 100.0).abs() <= 0.0 && after.gross.abs() <= 0.0);
}

#[test]
fn the_exit_equity_takes_the_market_rate() {
    let world = World::new(
        "hold etherfi:LST:weETH 100\n rate etherfi:LST:weETH 1.05\n sells etherfi:LST:weETH 1.029",
    );
    let mut monitor = monitor(&world, "ETH", "ETH");
    let staged = monitor.stage(world.ts, &world.book).unwrap();
    assert!((staged.equity - 105.0).abs() < 1e-9 && (staged.equity_exit - 102.9).abs() < 1e-9);
}

#[test]
fn a_held_key_without_a_price_ends_the_run_and_commits_nothing() {
    let mut world = World::new("hold binance:BaseToken:USDT 10");
    let mut monitor = monitor(&world, "USDT", "BTC");
    monitor.stage(world.ts, &world.book).unwrap();
    monitor.commit();
    world.read("hold etherfi:LST:weETH 1\n price binance:spot:ETHUSDT 3000");
    monitor.positions_changed();
    let error = monitor.stage(world.ts, &world.book).unwrap_err().to_string();
    expect!["EXP-NO-PRICE: etherfi:LST:weETH is held and the rate of etherfi:LST:weETH has had no price yet"].assert_eq(&error);
    assert!((monitor.latest().equity - 10.0).abs() <= 0.0 && monitor.latest().number == 1);
    assert_eq!(monitor.history().count(), 1);
}

proptest! {
    #[test]
    fn equity_is_linear_in_prices(btc in 1.0f64..1e6, eth in 1.0f64..1e5) {
        let mut world = World::new(
            "hold binance:BaseToken:USDT 1000
             hold binance:BaseToken:BTC 2
             hold aave_v3:aToken:aweETH 3
             index aave_v3:aToken:aweETH 1.1
             rate etherfi:LST:weETH 1.05
             hold aave_v3:debtToken:debtWETH 1
             perp binance:perp:BTCUSDT -2 50000",
        );
        let mut monitor = monitor(&world, "USDT", "");
        let mut equity = |btc: f64, eth: f64| {
            world.read(&format!("price binance:spot:BTCUSDT {btc}\n price binance:perp:BTCUSDT {btc}\n price binance:spot:ETHUSDT {eth}"));
            monitor.stage(world.ts, &world.book).unwrap().equity
        };
        let (once, twice, thrice) = (equity(btc, eth), equity(2.0 * btc, 2.0 * eth), equity(3.0 * btc, 3.0 * eth));
        prop_assert!((once - 2.0 * twice + thrice).abs() <= 1e-9 * (btc + eth + 1e5));
    }
}
