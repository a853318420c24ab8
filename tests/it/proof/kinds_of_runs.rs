//! Runs of every kind: each law holds in their logs, and replay comes to their snapshots.

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::fmt::Write as _;
use std::path::Path;

use expect_test::expect;
use proof::laws::Law;
use tickdrain::run_folder::Output;
use tickdrain::{App, Backtest};

use super::prove;
use crate::properties::{Dice, Menu, draw};
use crate::support::{bundled, root};
use crate::tables::{Candle, HOUR, Scene, orders};

const COIN: &str = "binance:spot:BTCUSDT";
const PERP: &str = "binance:perp:BTCUSDT";
const INVERSE: &str = "[[instruments]]\nid = \"binance:perp:BTCUSD\"\nbase = \"BTC\"\n\
     quote = \"USD\"\nsettle = \"BTC\"\ncontract = \"inverse\"\ncontract_size = 100\nlot = 1\ntick = 1\n";

/// Orders on candles of an hour each, of one instrument.
struct Kind {
    of: &'static str,
    share_class: &'static str,
    cash: &'static str,
    /// What else the run file says.
    more: &'static str,
    candles: String,
    orders: &'static str,
}

impl Default for Kind {
    fn default() -> Self {
        let (of, share_class) = (COIN, "USDT");
        Self { of, share_class, cash: "10000", more: "", candles: waves(), orders: "" }
    }
}

/// Two days between 96 and 105: up, down and up again.
fn waves() -> String {
    let mut rows = String::new();
    for hour in 0..48 {
        let px = 100 + [0, 1, 3, 4, 2, 0, -1, -3, -2, 0][hour % 10];
        writeln!(rows, "{px} {} {} {} 10", px + 1, px - 1, f64::from(px) + 0.5).unwrap();
    }
    rows
}

impl Kind {
    fn scene(&self) -> Scene {
        let Self { of, share_class, cash, more, .. } = self;
        let text = format!(
            "share_class = \"{share_class}\"\ninterval = \"1h\"\n[initial]\n\
             \"binance:BaseToken:{share_class}\" = \"{cash}\"\n\
             [strategy]\nkind = \"scripted\"\norders = \"orders.csv\"\n\
             [[data]]\nof = \"{of}\"\npath = \"candles.csv\"\ntime_unit = \"ms\"\n{more}\n"
        );
        Scene::new(&text)
            .file("candles.csv", Candle::csv(&Candle::series(HOUR, &self.candles)))
            .file("orders.csv", orders(of, self.orders))
            .file("funding.csv", "time,rate,mark_price\n2024-01-01T08:00:00Z,0.001,100\n\
                                  2024-01-01T16:00:00Z,-0.0007,101\n2024-01-02T00:00:00Z,0.0002,99\n")
    }
}

/// How often each law was applied, in the order of [`Law::ALL`].
fn checked(folder: &Path) -> String {
    let log = prove(folder).log.unwrap();
    log.tally.checked.map(|count| format!("{count:>7}")).concat()
}

fn file(path: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = Output::Explicit { path: out.clone(), overwrite: false };
    let backtest = Backtest::with_app(App::new(), path, &[]).unwrap();
    backtest.output(output).run().unwrap();
    checked(&out)
}

fn kind(kind: &Kind) -> String {
    let scene = kind.scene();
    scene.run(App::new(), &[], "out");
    checked(&scene.path("out"))
}

/// Brackets, groups of which one cancels the other, children, replaces and cancels, some of them of
/// orders that are there no more, and a name that is used again.
const RELATED: &str = "
    02 entry   buy market 5 take_profit=+3 stop_loss=-2
    02 dip     buy limit 1 price=97.5 oco_group=either
    02 rise    buy stop 1 stop_price=103.2 oco_group=either
    03 waits   buy limit 2 price=96
    04 waits   replace price=97
    05 waits   replace qty=3
    06 child   sell limit price=104.4 parent=rise
    08 early   buy limit 1 price=90 take_profit=110 stop_loss=80
    09 early   replace price=91
    10 early   cancel
    10 day     buy limit 1 price=90 tif=day
    11 gone    buy limit 1 price=90
    12 gone    cancel
    13 gone    cancel
    14 late    buy market 2 take_profit=+90 stop_loss=-90
    17 part    sell market 1 reduce_only=true
    18 twice   buy limit 1 price=80
    19 twice   buy limit 1 price=80
    20 twice   buy limit 1 price=81
    21 follow  sell trailing 1 trail=2
    22 wish    buy stop_limit 1 stop_price=102 price=102.4
    23 denied  buy market 0
    23 much    buy market 9999
    23 out     sell market 100%";

#[test]
fn in_runs_of_every_kind_all_laws_hold_and_replay_comes_to_the_snapshots() {
    let mut rows = String::from("                   ");
    for law in Law::ALL {
        write!(rows, " {:>6.6}", law.name()).unwrap();
    }
    let mut row = |name: &str, checked: String| write!(rows, "\n{name:<19}{checked}").unwrap();
    row("crossing averages", file(&bundled().join("sma-cross.toml")));
    row("cash and carry", file(&root().join("examples/cash_and_carry.toml")));
    row("related orders", kind(&Kind { orders: RELATED, ..Kind::default() }));
    let same_close = "[execution]\nfill = \"same_close\"";
    row("fill at the close", kind(&Kind { more: same_close, orders: RELATED, ..Kind::default() }));
    let base = "[venues.binance]\nmaker_bps = 2\ntaker_bps = 5\nfee_in = \"base\"";
    row("fee in base", kind(&Kind { more: base, orders: RELATED, ..Kind::default() }));
    let parts = "[execution]\nparticipation_bps = 1000\nslippage = { model = \"fixed\", bps = 7 }";
    row("partial fills", kind(&Kind { more: parts, orders: RELATED, ..Kind::default() }));
    let late = "[execution]\nlatency = { min = \"0s\", max = \"6h\" }";
    row("latency", kind(&Kind { more: late, orders: RELATED, ..Kind::default() }));
    let funding = "[venues.binance]\nleverage = 3\n[[data]]\nkind = \"funding\"\n\
                   of = \"binance:perp:BTCUSDT\"\npath = \"funding.csv\"";
    row(
        "linear perpetual",
        kind(&Kind { of: PERP, more: funding, orders: RELATED, ..Kind::default() }),
    );
    let daily = "[venues.binance]\nleverage = 3\nmargin_pnl_enabled = true\n[[data]]\n\
                 kind = \"funding\"\nof = \"binance:perp:BTCUSDT\"\npath = \"funding.csv\"";
    row(
        "margins paid daily",
        kind(&Kind { of: PERP, more: daily, orders: RELATED, ..Kind::default() }),
    );
    row("inverse perpetual", kind(&inverse()));
    row("liquidation", kind(&liquidation()));
    row("transfers", transfers());
    row("several strategies", strategies());
    expect![[r"
                            sequen balanc   fill settle   once  books orders valuat
        crossing averages    35393    102    255      0     51    153    204   9710
        cash and carry       36243      8     20   3267   1093     12     16  10974
        related orders         298     18     46      0      9     69     93     96
        fill at the close      324     18     47      0      9     69     93    107
        fee in base            298     18     46      0      9     69     93     96
        partial fills          350     42    105      0     21    107    174    104
        latency                295     18     46      0      9     63     93    108
        linear perpetual       278     16     41      6     10     46     69     98
        margins paid daily     280     16     41     10     12     46     69    100
        inverse perpetual      225     12     30      0      6     20     24     76
        liquidation             57      4      7      0      2      6      4     20
        transfers              207      0      0      6      6      9     12     66
        several strategies     378     30     76      0     15     87    118    116"]]
    .assert_eq(&rows);
}

fn inverse() -> Kind {
    Kind {
        of: "binance:perp:BTCUSD",
        share_class: "BTC",
        cash: "100",
        more: INVERSE,
        candles: waves().replace("10\n", "1000\n"),
        orders: "
            01 short sell market 3
            02 more  sell market 4
            04 back  buy market 2
            06 turn  buy market 9
            12 stop  sell stop 2 stop_price=98
            22 out   sell market 100%",
    }
}

/// Twenty times what there is, and a price that falls by a tenth.
fn liquidation() -> Kind {
    Kind {
        of: PERP,
        more: "[venues.binance]\nleverage = 20\n[risk]\nmax_leg_delta = 99",
        candles: "20000 20000 20000 20000 99\n".repeat(5)
            + "20000 20000 19500 19500 99\n19500 19500 17000 17500 99\n"
            + &"17500 17600 17400 17500 99\n".repeat(5),
        orders: "01 long long market 9",
        ..Kind::default()
    }
}

/// Two that arrive at the same instant, and one after the other.
fn transfers() -> String {
    let text = r#"
        share_class = "USDT"
        interval = "1h"
        position_subscriptions = ["wallet:BaseToken:USDT", "binance:BaseToken:USDT",
            "binance:Transit:USDT", "binance:BaseToken:BTC"]
        [initial]
        "wallet:BaseToken:USDT" = "5000"
        "binance:BaseToken:USDT" = "1000"
        [transfers]
        delay = "90m"
        gas_units = 0
        [strategy]
        kind = "scripted"
        orders = "orders.csv"
        [[data]]
        of = "binance:spot:BTCUSDT"
        path = "candles.csv"
        time_unit = "ms"
    "#;
    let mut csv = "decide_ts,order_id,operation,amount,source_key,target_key\n".to_owned();
    for (hour, name, amount) in [(2, "one", "1000"), (2, "two", "500.5"), (7, "three", "20")] {
        writeln!(
            csv,
            "2024-01-01T{hour:02}:00:00Z,{name},transfer,{amount},wallet:BaseToken:USDT,\
             binance:BaseToken:USDT"
        )
        .unwrap();
    }
    let scene = Scene::new(text)
        .file("candles.csv", Candle::csv(&Candle::series(HOUR, &waves())))
        .file("orders.csv", csv);
    scene.run(App::new(), &[], "out");
    checked(&scene.path("out"))
}

/// Two that trade one coin, of which the second one sells what the first one bought.
fn strategies() -> String {
    let text = r#"
        share_class = "USDT"
        interval = "1h"
        [initial]
        "binance:BaseToken:USDT" = "10000"
        [[data]]
        of = "binance:spot:BTCUSDT"
        path = "candles.csv"
        time_unit = "ms"
        [[strategy]]
        kind = "sma_cross"
        id = "averages"
        fast = 2
        slow = 5
        size = "50%"
        [[strategy]]
        kind = "scripted"
        id = "file"
        orders = "orders.csv"
    "#;
    let scene = Scene::new(text)
        .file("candles.csv", Candle::csv(&Candle::series(HOUR, &waves())))
        .file("orders.csv", orders(COIN, RELATED));
    scene.run(App::new(), &[], "out");
    checked(&scene.path("out"))
}

#[test]
fn in_random_runs_all_laws_hold_and_replay_comes_to_the_snapshots() {
    for seed in 0..crate::properties::count(60) {
        for is_perp in [false, true] {
            let scenario = draw(&mut Dice::new(seed), is_perp, Menu::ALL);
            let scene = scenario.scene();
            // Proves what it leaves.
            scene.run(App::new(), &[], "out");
        }
    }
}
