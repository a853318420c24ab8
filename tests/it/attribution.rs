//! Where profit comes from, over a month of the bundled market: a coin on spot, as much sold short on
//! the perpetual, and the funding that it earns.

use std::collections::BTreeMap;

use tickdrain::run_folder::Output;
use tickdrain::{App, Report};

use crate::support::{self, bundled};
use crate::tables::{Scene, Table};

/// What the run starts with, in USDT.
const CAPITAL: f64 = 100_000.0;

/// Bought and sold short at the first close, closed after a month.
fn carry() -> Scene {
    let series = [
        ("candles", "binance:spot:BTCUSDT", "binance_spot_BTCUSDT_1h"),
        ("candles", "binance:perp:BTCUSDT", "binance_perp_BTCUSDT_1h"),
        ("mark", "binance:perp:BTCUSDT", "binance_perp_BTCUSDT_mark_1h"),
        ("funding", "binance:perp:BTCUSDT", "binance_perp_BTCUSDT_funding_8h"),
    ];
    let data = series.map(|(kind, of, file)| {
        let path = bundled().join(format!("{file}.parquet"));
        let path = path.display();
        format!("[[data]]\nkind = \"{kind}\"\nof = \"{of}\"\npath = '{path}'\n")
    });
    let head = "share_class = \"USDT\"\nstart = \"2024-01-01\"\nend = \"2024-02-03\"\n\
                interval = \"1h\"\n[initial]\n\"binance:BaseToken:USDT\" = \"100000\"\n\
                [execution]\nslippage = { model = \"fixed\", bps = 2 }\n\
                [risk]\ndelta_tracking_asset = \"BTC\"\n\
                [strategy]\nkind = \"scripted\"\norders = \"orders.csv\"\n";
    Scene::new(&(head.to_owned() + &data.concat())).file(
        "orders.csv",
        "decide_ts,order_id,instrument,side,qty\n\
         2024-01-01T01:00:00Z,coin,binance:spot:BTCUSDT,buy,1\n\
         2024-01-01T01:00:00Z,hedge,binance:perp:BTCUSDT,short,1\n\
         2024-02-01T01:00:00Z,unhedge,binance:perp:BTCUSDT,buy,1\n\
         2024-02-01T01:00:00Z,cash,binance:spot:BTCUSDT,sell,1\n",
    )
}

fn run(scene: &Scene, every_frame: bool, out: &str) -> Report {
    let setting = format!("results.every_frame={every_frame}");
    scene.run(App::new(), &[&setting], out)
}

/// Equity of every frame, by its instant.
fn equity(scene: &Scene, out: &str) -> BTreeMap<i64, f64> {
    let table = Table::read(&scene.path(out).join("equity.parquet"));
    table.times("ts").into_iter().zip(table.floats("equity")).collect()
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-6
}

const PARTS: [&str; 5] = ["funding_pnl", "delta_pnl", "basis_pnl", "transaction_costs", "gap_pnl"];

#[test]
fn at_every_row_the_parts_of_profit_are_the_change_of_equity() {
    let scene = carry();
    for (every_frame, out) in [(false, "some"), (true, "all")] {
        run(&scene, every_frame, out);
        let (equity, pnl) =
            (equity(&scene, out), Table::read(&scene.path(out).join("pnl.parquet")));
        let (ts, total) = (pnl.times("ts"), pnl.floats("total"));
        let parts = PARTS.map(|name| pnl.floats(name));
        for (row, ts) in ts.iter().enumerate() {
            let sum: f64 = parts.iter().map(|part| part[row]).sum();
            let change = equity[ts] - CAPITAL;
            assert!(close(sum, change) && close(total[row], change), "{ts}: {sum} of {change}");
        }
        assert_eq!(ts.len() == equity.len(), every_frame, "{} rows", ts.len());
        assert_eq!(ts.first(), equity.keys().next());
        assert_eq!(ts.last(), equity.keys().last());
        // One per day and two more where funding falls due between, and those of the trades.
        assert!(every_frame || (90..160).contains(&ts.len()), "{} rows", ts.len());
    }
}

#[test]
fn a_hedged_coin_earns_funding_and_hardly_anything_else() {
    let scene = carry();
    let report = run(&scene, false, "out");
    let summary = &report.summary;
    let parts = summary.attribution.as_ref().expect("there were frames");
    let change = summary.equity_end - CAPITAL;
    let settled = Table::read(&scene.path("out/settlements.parquet"));
    let funding: f64 = settled.decimals("amount").into_iter().map(amount).sum();
    assert!(funding.abs() > 1.0 && close(parts["funding_pnl"], funding));
    assert!(close(summary.costs.funding, -funding));
    assert!(close(parts["total"], change) && parts["unexplained"].abs() <= 1e-6);
    // Both legs move with spot, one up and one down.
    assert!(parts["delta_pnl"].abs() < 1e-6, "{parts:?}");
    assert!(!parts.contains_key("other"));
    let risk = &summary.risk;
    assert!(risk.max_leverage > 0.5 && risk.min_margin_fraction.is_some_and(|it| it > 0.0));
    assert_eq!((risk.min_health_factor, risk.liquidations), (None, 0));
}

#[test]
fn costs_are_those_of_the_fills() {
    let scene = carry();
    let report = run(&scene, false, "out");
    let fills = Table::read(&scene.path("out/fills.parquet"));
    assert_eq!(fills.texts("fee_ccy"), ["USDT"; 4]);
    let fees: f64 = fills.decimals("fee").into_iter().map(amount).sum();
    let prices = fills.decimals("last_px").into_iter().map(amount);
    let sides = fills.texts("side");
    let slipped = prices.zip(fills.floats("slippage_bps")).zip(&sides).map(|((px, bps), side)| {
        let sign = if side == "buy" { 1.0 } else { -1.0 };
        px - px / (1.0 + sign * bps * 1e-4)
    });
    let slippage: f64 =
        slipped.zip(&sides).map(|(it, side)| if side == "buy" { it } else { -it }).sum();
    let (costs, parts) = (&report.summary.costs, report.summary.attribution.as_ref());
    assert!(close(costs.fees, fees) && close(costs.slippage, slippage));
    assert!(close(-parts.expect("there were frames")["transaction_costs"], fees + slippage));
}

#[test]
fn components_that_are_not_named_are_shown_together() {
    let scene = carry();
    let named = "pnl.attribution_types=[\"funding_pnl\"]";
    let report = scene.run(App::new(), &[named], "out");
    let parts = report.summary.attribution.expect("there were frames");
    let names: Vec<&str> = parts.keys().copied().collect();
    assert_eq!(names, ["funding_pnl", "other", "total", "unexplained"]);
    let sum = parts["funding_pnl"] + parts["other"] + parts["unexplained"];
    assert!(close(sum, parts["total"]));
}

#[test]
fn rows_for_every_frame_change_no_digest_and_no_run_id() {
    let scene = carry();
    let [some, all] = [false, true].map(|every_frame| {
        let report = run(&scene, every_frame, &every_frame.to_string());
        (report.summary.run_id.clone(), report.digest().map(str::to_owned))
    });
    assert_eq!(some, all);
}

#[test]
fn the_page_shows_where_profit_came_from_where_there_is_more_than_prices() {
    let scene = carry();
    let output = support::run(&scene.path(""), &["backtest", "run.toml", "--out", "out"]);
    let page = String::from_utf8(output.stdout).expect("text");
    for name in ["funding_pnl", "basis_pnl", "transaction_costs", "min margin"] {
        assert!(page.contains(name), "{page}");
    }
    assert!(!page.contains("staking_yield") && !page.contains("liquidations"), "{page}");
}

#[test]
fn a_run_takes_the_place_of_another_one_whatever_that_has_written() {
    let scene = carry();
    let mut folders = [0, 1].map(|_| {
        let output = Output::Explicit { path: scene.path("out"), overwrite: true };
        let run = scene.backtest(App::new(), &[]).output(output).run();
        run.unwrap_or_else(|error| panic!("{error:?}")).folder
    });
    assert_eq!(folders[0].take(), folders[1].take());
}

/// A ledger amount as a float.
#[expect(clippy::cast_precision_loss, reason = "compared against a tolerance")]
fn amount(units: i128) -> f64 {
    units as f64 / 1e18
}
