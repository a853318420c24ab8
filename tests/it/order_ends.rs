//! How orders end at the venue: rejected, canceled or expired, each with its reason in the results.

use std::collections::BTreeSet;

use expect_test::expect;
use model::order::RefusalCode;
use tickdrain::App;

use crate::tables::{Candle, HOUR, Scene, Table, orders};

/// One instrument with candles of its own, whose orders come from a file.
fn scene(of: &str, initial: &str, more: &str, candles: &[Candle], orders: &str) -> Scene {
    let text = format!(
        "share_class = \"USDT\"\ninterval = \"1h\"\n[initial]\n{initial}\n\
         [strategy]\nkind = \"scripted\"\norders = \"orders.csv\"\n\
         [[data]]\nof = \"{of}\"\npath = \"candles.csv\"\ntime_unit = \"ms\"\n{more}\n"
    );
    Scene::new(&text).file("candles.csv", Candle::csv(candles)).file("orders.csv", orders)
}

/// Runs a scene; its orders as text, and the codes that they ended with.
fn ends(scene: &Scene, overrides: &[&str]) -> (String, BTreeSet<String>) {
    let report = scene.run(App::new(), overrides, "out");
    let table = Table::read(&scene.path("out/orders.parquet"));
    let reasons = table.texts("reason");
    let codes = reasons.iter().filter_map(|reason| Some(reason.split_once(':')?.0.to_owned()));
    let orders = &report.summary.orders;
    assert_eq!(orders.denied, 0, "the venue takes them all");
    let rows = reasons.len() as u64;
    assert_eq!(orders.submitted, rows, "an order, a row");
    let text = table.lines(&["order_id", "status", "cum_qty", "reason"]);
    (text, codes.collect())
}

/// Twenty-five hours at 120, before which the price jumped to 130 and fell back.
fn jump() -> Vec<Candle> {
    let first = "100 101  99 100 10
                 100 101  99 100 10
                 130 131 129 130 10
                 130 132 128 130 10
                 120 121 119 120 10
                 ";
    Candle::series(HOUR, &(first.to_owned() + &"120 121 119 120 10\n".repeat(20)))
}

fn spot_at_a_jump() -> BTreeSet<String> {
    let instrument = "binance:spot:BTCUSDT";
    // 1,000 USDT pay nine at 100, and not at the open of 130.
    let rows = "
        02 gap            buy market 9
        02 passive        buy limit 0.5 price=140 post_only=true
        03 at-once        buy limit 0.1 price=100 tif=ioc
        03 all-now        buy limit 0.1 price=100 tif=fok
        03 date           buy limit 0.1 price=100 tif=gtd expire_at=2024-01-01T05:00:00Z
        03 day            buy limit 0.1 price=90 tif=day
        03 entry          buy limit 0.1 price=95 tif=gtd expire_at=2024-01-01T05:00:00Z take_profit=150 stop_loss=90
        03 twice          buy limit 0.1 price=80
        04 twice          buy limit 0.1 price=80
        04 twice          buy limit 0.1 price=81
        03 withdrawn      buy limit 0.1 price=80
        04 withdrawn      cancel
        03 dip            buy limit 0.1 price=119.5 oco_group=either
        03 rise           buy stop 0.1 stop_price=200 oco_group=either
        05 guard          sell stop 0.1 stop_price=50 reduce_only=true
        06 out            sell market 100%
        06 again          sell market 100%";
    let scene = scene(
        instrument,
        "\"binance:BaseToken:USDT\" = \"1000\"",
        "",
        &jump(),
        &orders(instrument, rows),
    );
    let (orders, codes) = ends(&scene, &[]);
    expect![[r"
        gap  rejected  0  VEN-BALANCE: needs 1171.17, has 1000
        passive  rejected  0  VEN-POST-ONLY: would take at 130
        at-once  canceled  0  VEN-IOC: 0.1 not filled at 2024-01-01T03:00:00Z
        all-now  canceled  0  VEN-FOK: 0.1 not filled at 2024-01-01T03:00:00Z
        date  expired  0  VEN-EXPIRED: good till 2024-01-01T05:00:00Z
        day  expired  0  VEN-EXPIRED: good till 2024-01-02T00:00:00Z
        entry  expired  0  VEN-EXPIRED: good till 2024-01-01T05:00:00Z
        entry-tp  canceled  0  VEN-PARENT: its parent ended without a fill
        entry-sl  canceled  0  VEN-PARENT: its parent ended without a fill
        twice  accepted  0  -
        withdrawn  canceled  0  VEN-CANCELED: canceled by its strategy
        dip  filled  0.1  -
        rise  canceled  0  VEN-OCO: another of its group filled
        twice  rejected  0  VEN-CLIENT-ID: `twice` names another order with other terms
        guard  canceled  0  VEN-POSITION-CLOSED: its position is closed
        out  filled  0.1  -
        again  canceled  0  VEN-NOTHING-LEFT: 0 BTC to sell is less than the smallest order
    "]]
    .assert_eq(&orders);
    codes
}

fn margin_at_a_jump() -> BTreeSet<String> {
    let instrument = "bybit:perp:BTCUSDT";
    let scene = scene(
        instrument,
        "\"bybit:BaseToken:USDT\" = \"1000\"",
        "",
        &jump(),
        &orders(instrument, "02 short sell market 9"),
    );
    let (orders, codes) = ends(&scene, &[]);
    expect![[r"
        short  rejected  0  VEN-MARGIN: needs 1170.6435, has 1000
    "]]
    .assert_eq(&orders);
    codes
}

fn little_volume() -> BTreeSet<String> {
    let instrument = "binance:spot:BTCUSDT";
    let rows = "
        01 cut            buy market 2
        02 crumbs         buy limit 1.05 price=120
        03 at-once        buy limit 3 price=120 tif=ioc
        04 all-now        buy limit 3 price=120 tif=fok
        05 patient        buy limit 3 price=120";
    let more = "[[instruments]]\nid = \"binance:spot:BTCUSDT\"\nlot = \"0.01\"\nmin_qty = \"0.1\"\n\
                [execution]\nparticipation_bps = 1000\nmarket_carry = false";
    let scene = scene(
        instrument,
        "\"binance:BaseToken:USDT\" = \"1000\"",
        more,
        &Candle::series(HOUR, &"100 101  99 100 10\n".repeat(7)),
        &orders(instrument, rows),
    );
    let (orders, codes) = ends(&scene, &[]);
    expect![[r"
        cut  canceled  1  VEN-NOT-CARRIED: 1 not filled at 2024-01-01T01:00:00Z
        crumbs  canceled  1  VEN-DUST: 0.05 is less than 0.1
        at-once  canceled  1  VEN-IOC: 2 not filled at 2024-01-01T03:00:00Z
        all-now  canceled  0  VEN-FOK: 1 of 3 could fill
        patient  partially_filled  2  -
    "]]
    .assert_eq(&orders);
    codes
}

fn sales_of_what_is_gone() -> BTreeSet<String> {
    let instrument = "binance:spot:BTCUSDT";
    let initial = "\"binance:BaseToken:USDT\" = \"1000\"\n\"binance:BaseToken:BTC\" = \"1\"";
    let candles = Candle::series(HOUR, &"100 101  99 100 10\n".repeat(12));
    let rows = "
        01 slow           sell market 1
        01 fast           sell market 100%";
    // Each order draws its own latency; with this seed the share arrives first.
    let more = "[execution]\nlatency = { min = \"0s\", max = \"6h\" }";
    let first = scene(instrument, initial, more, &candles, &orders(instrument, rows));
    let (text, mut codes) = ends(&first, &["seed=4"]);
    expect![[r"
        slow  rejected  0  VEN-POSITION: needs 1, has 0
        fast  filled  1  -
    "]]
    .assert_eq(&text);

    let rows = "01 worthless sell market 1";
    let more = "[execution]\nslippage = { model = \"fixed\", bps = 10000 }";
    let second = scene(instrument, initial, more, &candles, &orders(instrument, rows));
    let (text, more) = ends(&second, &[]);
    expect![[r"
        worthless  rejected  0  VEN-TICK: 100 is less than one tick, 0.01
    "]]
    .assert_eq(&text);
    codes.extend(more);
    codes
}

fn not_to_fill() -> BTreeSet<String> {
    let instrument = "binance:spot:BTCUSDT";
    let more = "[execution]\nunfilled = [\"lost\", \"found\"]\n";
    let rows = "
        02 lost           buy market 1
        02 kept           buy market 1
        03 found          buy limit 1 price=200
    ";
    let cash = "\"binance:BaseToken:USDT\" = 1000";
    let scene = scene(instrument, cash, more, &jump(), &orders(instrument, rows));
    let (text, codes) = ends(&scene, &[]);
    expect![[r"
        lost  canceled  0  VEN-UNFILLED: the run file says so
        kept  filled  1  -
        found  canceled  0  VEN-UNFILLED: the run file says so
    "]]
    .assert_eq(&text);
    codes
}

#[test]
fn every_end_of_an_order_is_in_the_results_with_its_reason() {
    let mut codes = spot_at_a_jump();
    codes.extend(margin_at_a_jump());
    codes.extend(little_volume());
    codes.extend(sales_of_what_is_gone());
    codes.extend(not_to_fill());
    // Those of operations that are no trades are said by a chain, not by an exchange.
    let of_operations = RefusalCode::NoRoute..=RefusalCode::VenueGroup;
    let of_orders = RefusalCode::ALL.iter().filter(|code| !of_operations.contains(code));
    let venue = of_orders.map(|code| code.name());
    let missing: Vec<&str> =
        venue.filter(|code| code.starts_with("VEN-") && !codes.contains(*code)).collect();
    assert!(missing.is_empty(), "no order ends with {missing:?}");
}
