//! One digest: whatever the polling order, process, read-ahead, batch, folder or name (09 §11.2).

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use expect_test::expect;
use model::time::UtcMillis;
use tickdrain::prelude::*;

use crate::support;
use crate::tables::{Candle, HOUR, Scene, Table, orders};

/// Eight days of three instruments at two venues, with three strategies.
fn crowded() -> Scene {
    let data = support::bundled();
    let mut text = r#"
        share_class = "USDT"
        start = "2024-03-01"
        end = "2024-03-09"
        interval = "1h"
        [initial]
        "binance:BaseToken:USDT" = "100000"
        "bybit:BaseToken:USDT" = "50000"
        [execution]
        slippage = { model = "fixed", bps = 1.5 }
        [[strategy]]
        kind = "buy_and_hold"
        id = "hold"
        size = "20%"
        instruments = ["binance:spot:ETHUSDT", "bybit:spot:BTCUSDT"]
        [[strategy]]
        kind = "sma_cross"
        id = "cross"
        fast = 2
        slow = 5
        size = "40%"
        instruments = ["binance:spot:BTCUSDT", "bybit:spot:BTCUSDT"]
        [[strategy]]
        kind = "scripted"
        id = "script"
        orders = "orders.csv"
    "#
    .to_owned();
    for (venue, symbol) in [("binance", "BTCUSDT"), ("binance", "ETHUSDT"), ("bybit", "BTCUSDT")] {
        let path = data.join(format!("{venue}_spot_{symbol}_1h.parquet"));
        let path = path.display();
        writeln!(text, "[[data]]\nof = \"{venue}:spot:{symbol}\"\npath = '{path}'").unwrap();
    }
    let scene = Scene::new(&text);
    let requests = "decide_ts,order_id,action,instrument,side,type,qty\n\
                  2024-03-02T00:00:00Z,a,submit,binance:spot:ETHUSDT,buy,market,0.5\n\
                  2024-03-02T00:00:00Z,b,submit,bybit:spot:BTCUSDT,buy,market,0.01\n\
                  2024-03-02T00:00:00Z,c,submit,binance:spot:BTCUSDT,buy,market,1000\n\
                  2024-03-05T12:00:00Z,d,submit,binance:spot:ETHUSDT,sell,market,50%\n";
    fs::write(scene.path("orders.csv"), requests).unwrap();
    scene
}

#[test]
fn a_thousand_polling_orders_give_one_digest() {
    let scene = crowded();
    let report = scene.run(App::new(), &[], "out");
    let orders = &report.summary.orders;
    assert!(orders.filled > 50 && orders.denied == 1, "something happens: {orders:?}");
    let fuzzed = scene.backtest(App::new(), &[]).fuzz_schedules(1_000).unwrap();
    assert_eq!(Some(&*fuzzed), report.digest());
}

/// Ten days of two instruments whose orders of every kind are up to two hours on their way, each for
/// a time of its own.
fn late() -> Scene {
    let data = support::bundled();
    let mut text = r#"
        share_class = "USDT"
        start = "2024-03-01"
        end = "2024-03-11"
        interval = "1h"
        seed = 7
        [initial]
        "binance:BaseToken:USDT" = "100000"
        [execution]
        slippage = { model = "spread_impact", spread_bps = 2, impact_bps = 30 }
        participation_bps = 5
        latency = { min = "0s", max = "2h" }
        [venues.binance]
        leverage = 3
        [strategy]
        kind = "scripted"
        orders = "orders.csv"
    "#
    .to_owned();
    for market in ["spot", "perp"] {
        let path = data.join(format!("binance_{market}_BTCUSDT_1h.parquet"));
        let path = path.display();
        writeln!(text, "[[data]]\nof = \"binance:{market}:BTCUSDT\"\npath = '{path}'").unwrap();
    }
    let candles = Candle::read(&data.join("binance_spot_BTCUSDT_1h.parquet"));
    Scene::new(&text).file("orders.csv", orders_of_every_kind(&candles))
}

/// Every few hours an order of the next kind, at prices around the last close; now and then one is
/// replaced or canceled.
fn orders_of_every_kind(candles: &[Candle]) -> String {
    let start = "2024-03-01".parse::<UtcMillis>().unwrap().millis();
    let mut rows = String::new();
    for number in 0..75_i64 {
        let ts = start + (1 + 3 * number) * HOUR;
        let last = candles.iter().find(|candle| candle.ts + HOUR == ts).unwrap().close;
        let near = |share: f64| (last * share).round();
        let (below, above) = (near(0.996), near(1.004));
        let until = UtcMillis::new(ts + 6 * HOUR);
        let perp = "instrument=binance:perp:BTCUSDT";
        let (before, earlier) = (number - 1, number - 2);
        let (first, second) = match number % 10 {
            0 => (format!("market{number} buy 0.05"), None),
            1 => {
                let until = format!("tif=gtd expire_at={until}");
                (format!("limit{number} buy limit 0.05 price={below} {until}"), None)
            }
            2 => {
                let group = format!("0.1 {perp} oco_group=g{number}");
                let up = format!("stop_price={above} price={above}");
                (
                    format!("down{number} short stop stop_price={below} {group}"),
                    Some(format!("up{number} long stop_limit {up} {group}")),
                )
            }
            3 => {
                let exits = "take_profit=60bps stop_loss=60bps";
                (
                    format!("bracket{number} long 0.2 {perp} {exits}"),
                    Some(format!("limit{earlier} replace 0.07 price={below}")),
                )
            }
            4 => (format!("trail{number} sell trailing 0.03 trail_bps=40"), None),
            5 => {
                (format!("post{number} buy limit 0.02 price={below} tif=day post_only=true"), None)
            }
            6 => (
                format!("ioc{number} buy limit 0.02 price={above} tif=ioc"),
                Some(format!("post{before} cancel")),
            ),
            7 => (format!("fok{number} short limit 0.02 {perp} price={below} tif=fok"), None),
            8 => (
                format!("parent{number} short limit 0.1 {perp} price={above}"),
                Some(format!(
                    "child{number} buy trailing trail_bps=50 {perp} parent=parent{number}"
                )),
            ),
            _ => (format!("share{number} sell 50%"), None),
        };
        for row in [Some(first), second].into_iter().flatten() {
            writeln!(rows, "{} {row}", UtcMillis::new(ts)).unwrap();
        }
    }
    orders("binance:spot:BTCUSDT", &rows)
}

#[test]
fn orders_of_every_kind_with_random_latency_give_one_digest() {
    let scene = late();
    let report = scene.run(App::new(), &[], "out");
    let fills = |out: &str| {
        let table = Table::read(&scene.path(out).join("fills.parquet"));
        (table.times("ts"), table.texts("order_id"), table.decimals("last_px"))
    };
    let rules: BTreeSet<String> =
        Table::read(&scene.path("out/fills.parquet")).texts("price_rule").into_iter().collect();
    assert!(rules.len() > 5, "orders of several kinds are filled: {rules:?}");
    let orders = &report.summary.orders;
    assert!(orders.filled > 50 && orders.canceled > 5 && orders.expired > 0, "{orders:?}");

    let fuzzed = scene.backtest(App::new(), &[]).fuzz_schedules(50).unwrap();
    assert_eq!(Some(&*fuzzed), report.digest());

    for read_ahead in ["engine.read_ahead=1", "engine.read_ahead=64"] {
        let out = read_ahead.replace("engine.", "");
        let sets = [read_ahead, "engine.batch_rows=7"];
        assert_eq!(scene.run(App::new(), &sets, &out).digest(), report.digest(), "{out}");
        assert_same_bytes(&scene.path("out"), &scene.path(&out), &WITH_SETTINGS);
    }

    for out in ["first process", "second process"] {
        let run = ["backtest", "run.toml", "--quiet", "--out", out];
        let output = support::run(&scene.path(""), &run);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_same_bytes(&scene.path("out"), &scene.path(out), &WITH_TIMES);
    }

    let other = scene.run(App::new(), &["seed=8"], "seed 8");
    assert_ne!(other.digest(), report.digest());
    assert_ne!(fills("seed 8"), fills("out"), "another seed draws other latencies");
    let again = scene.run(App::new(), &["seed=8", "execution.latency=0s"], "at once");
    let at_once = scene.run(App::new(), &["execution.latency=0s"], "at once too");
    assert_ne!(again.summary.run_id, at_once.summary.run_id);
    assert_eq!(fills("at once"), fills("at once too"), "without latency nothing is drawn");
}

/// Says several things per frame, and answers what others say; every message carries a trace of all
/// that was heard before it, so that another order of delivery cannot pass unnoticed.
struct Gossip {
    name: &'static str,
    trace: i64,
}

impl Gossip {
    fn note(&mut self, envelope: &Envelope) {
        let seq = i64::try_from(envelope.seq).unwrap();
        self.trace = self.trace.wrapping_mul(31).wrapping_add(seq);
    }

    fn say(&self, hop: i64, outbox: &mut Outbox) {
        let message = Custom::new(self.name).with("hop", hop).with("trace", self.trace);
        outbox.publish(Payload::Custom(Arc::new(message)));
    }
}

impl BacktestService for Gossip {
    type Error = Infallible;

    fn name(&self) -> &str {
        self.name
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Frame, Topic::Account, Topic::Fill, Topic::Decision, Topic::Custom]
    }

    fn handle(&mut self, envelope: &Envelope, outbox: &mut Outbox) -> Result<(), Infallible> {
        self.note(envelope);
        match &envelope.payload {
            Payload::Account(_) => (0..3).for_each(|_| self.say(0, outbox)),
            Payload::Custom(heard)
                if *heard.kind != *self.name && heard.field("hop") == Some(&Scalar::Integer(0)) =>
            {
                self.say(1, outbox);
            }
            Payload::Frame(_)
            | Payload::Intent(_)
            | Payload::Verdict(_)
            | Payload::OrderUpdate(_)
            | Payload::Fill(_)
            | Payload::TightLoop(_)
            | Payload::Settlement(_)
            | Payload::Alert(_)
            | Payload::Decision(_)
            | Payload::Control(_)
            | Payload::Custom(_) => {}
        }
        Ok(())
    }

    fn finish(&mut self, _outcome: &RunOutcome) -> Result<ServiceReport, Infallible> {
        Ok(ServiceReport::new(self.name).with("trace", self.trace))
    }
}

#[test]
fn services_that_talk_at_once_give_one_digest() {
    let app = ["anna", "bert", "carl"]
        .into_iter()
        .fold(App::new(), |app, name| app.service(name, move |_| Gossip { name, trace: 0 }));
    let scene = crowded();
    let alone = scene.backtest(App::new(), &[]).fuzz_schedules(0).unwrap();
    let report = scene.run(app.clone(), &[], "out");
    let messages = report.summary.frames * (3 * 3 + 3 * 3 * 2);
    assert!(report.summary.events > messages, "{} events", report.summary.events);
    assert_ne!(Some(&*alone), report.digest(), "messages are in the log");
    let fuzzed = scene.backtest(app, &[]).fuzz_schedules(150).unwrap();
    assert_eq!(Some(&*fuzzed), report.digest());
}

/// All files below a run folder but those in `except`, with their bytes, in the order of their names.
fn bytes_below(folder: &Path, except: &[&str]) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap().to_path_buf();
            if !except.iter().any(|except| name == Path::new(except)) {
                files.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// Files that hold times of the wall, and the seal that covers them.
const WITH_TIMES: [&str; 2] = ["summary.json", "seal.json"];

/// Compares two run folders file by file.
fn assert_same_bytes(left: &Path, right: &Path, except: &[&str]) {
    let (left, right) = (bytes_below(left, except), bytes_below(right, except));
    let names = |files: &[(PathBuf, Vec<u8>)]| -> Vec<PathBuf> {
        files.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&left), names(&right));
    for ((name, left), (_, right)) in left.iter().zip(&right) {
        assert!(left == right, "{} differs", name.display());
    }
}

/// `summary.json` without what may differ between equal runs.
fn summary(folder: &Path) -> serde_json::Value {
    let text = fs::read_to_string(folder.join("summary.json")).unwrap();
    let mut summary: serde_json::Value = serde_json::from_str(&text).unwrap();
    let timing = summary.as_object_mut().unwrap().remove("timing");
    assert!(timing.is_some_and(|timing| timing["wall_s"].is_number()));
    summary
}

/// The bundled example by a command, in a process of its own.
fn example_by(mut command: Command, folder: &Path, out: &str) -> PathBuf {
    let output = command
        .args(["backtest", "--quiet", "--out", out])
        .arg(support::bundled().join("sma-cross.toml"))
        .current_dir(folder)
        .output()
        .expect("the command can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder.join(out)
}

#[test]
fn two_processes_leave_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let [left, right] = ["a", "b"].map(|out| example_by(support::command(), folder.path(), out));
    assert_same_bytes(&left, &right, &WITH_TIMES);
    let names: Vec<PathBuf> = bytes_below(&left, &[]).into_iter().map(|(name, _)| name).collect();
    for file in ["run.toml", "equity.parquet", "fills.parquet", "audit/commits.jsonl"] {
        assert!(names.contains(&PathBuf::from(file)), "{file} is compared");
    }
    assert_eq!(summary(&left), summary(&right));
}

/// A change of this digest is a change of what the example does or how it is logged: the commit
/// that makes it says why.
#[test]
fn the_bundled_example_has_its_pinned_digest() {
    let folder = tempfile::tempdir().unwrap();
    // Without a run file, the command takes the bundled one.
    let output = support::run(folder.path(), &["backtest", "--quiet", "--out", "out"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary = summary(&folder.path().join("out"));
    expect!["74b9e68596eb218e6b1a615701225136d9724cd32da862b2450d5586ae236193"]
        .assert_eq(summary["digest"].as_str().unwrap());
}

#[test]
fn debug_and_release_builds_give_one_digest() {
    let debug = support::command();
    let release = Path::new(debug.get_program()).parent().unwrap().with_file_name("release");
    let release = release.join("tickdrain");
    let is_current = fs::metadata(&release)
        .and_then(|release| Ok(release.modified()? >= newest_source(&support::root())))
        .unwrap_or(false);
    if !is_current {
        let why = format!("no release build of these sources at {}", release.display());
        support::say_skipped(&why);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let debug = example_by(debug, folder.path(), "debug");
    let release = example_by(Command::new(release), folder.path(), "release");
    assert_same_bytes(&debug, &release, &WITH_TIMES);
}

/// When the sources of the crates changed last.
fn newest_source(root: &Path) -> std::time::SystemTime {
    let mut newest = fs::metadata(root.join("Cargo.lock")).unwrap().modified().unwrap();
    let mut folders = vec![root.join("crates")];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                newest = newest.max(fs::metadata(&path).unwrap().modified().unwrap());
            }
        }
    }
    newest
}

/// The bundled example as a scene of its own, with `name` as its name and its data in `folder`.
fn example_in(name: &str, folder: &str) -> Scene {
    let data = support::bundled();
    let text = fs::read_to_string(data.join("sma-cross.toml")).unwrap();
    let file = "binance_spot_BTCUSDT_1h.parquet";
    let text = text
        .replace("\"btc-sma-cross\"", &format!("{name:?}"))
        .replace(file, &format!("{folder}/candles.parquet"));
    let scene = Scene::new(&text);
    fs::create_dir_all(scene.path(folder)).unwrap();
    fs::copy(data.join(file), scene.path(folder).join("candles.parquet")).unwrap();
    scene
}

/// The files that repeat settings on which no result depends.
const WITH_SETTINGS: [&str; 3] = ["run.toml", "summary.json", "seal.json"];

#[test]
fn read_ahead_and_batches_change_no_byte() {
    let scene = example_in("batches", ".");
    let expected = scene.run(App::new(), &[], "default");
    assert!(expected.summary.frames > 4_096, "the log has more than one commit");
    for read_ahead in [1, 64] {
        for batch_rows in [1, 7, 4_096, 100_000] {
            let overrides = [
                format!("engine.read_ahead={read_ahead}"),
                format!("engine.batch_rows={batch_rows}"),
            ];
            let out = format!("{read_ahead}-{batch_rows}");
            let report = scene.run(App::new(), &overrides.each_ref().map(|set| &**set), &out);
            assert_eq!(report.digest(), expected.digest(), "{out}");
            assert_eq!(report.summary.run_id, expected.summary.run_id, "{out}");
            assert_same_bytes(&scene.path("default"), &scene.path(&out), &WITH_SETTINGS);
        }
    }
}

#[test]
fn names_and_paths_change_neither_run_id_nor_digest() {
    let plain = example_in("btc-sma-cross", ".");
    let other = example_in("Ünder another näme", "some/where else");
    let expected = plain.run(App::new(), &[], "out").summary;
    let found = other.run(App::new(), &[], "a/b").summary;
    assert_eq!((&*expected.name, &*found.name), ("btc-sma-cross", "Ünder another näme"));
    assert_eq!((expected.run_id, expected.digest), (found.run_id, found.digest));
    assert_same_bytes(&plain.path("out"), &other.path("a/b"), &WITH_SETTINGS);
}

#[test]
fn whatever_a_result_depends_on_changes_the_run_id() {
    let scene = example_in("inputs", ".");
    let nowhere = tickdrain::run_folder::Output::Nowhere;
    let short = ["start=2024-02-01", "end=2024-02-03"];
    let identity = |overrides: &[&str]| {
        let overrides = [&short, overrides].concat();
        let backtest = scene.backtest(App::new(), &overrides).output(nowhere.clone());
        let summary = backtest.run().unwrap().summary;
        (summary.run_id, summary.digest.unwrap())
    };
    let mut run_ids = BTreeSet::new();
    let mut digests = BTreeSet::new();
    let mut check = |what: &str, (run_id, digest): (String, String)| {
        assert!(run_ids.insert(run_id), "{what} leaves the run id as it is");
        assert!(digests.insert(digest), "{what} leaves the digest as it is");
    };
    check("nothing", identity(&[]));
    for change in [
        "venues.binance.taker_bps=7.5",
        "seed=8",
        "start=2024-01-31",
        "end=2024-02-04",
        "strategy.fast=47",
        "strategy.size=99%",
        "warmup=1",
        "execution.slippage.bps=2",
        "initial.\"binance:BaseToken:USDT\"=10001",
        "interval=2h",
    ] {
        check(change, identity(&[change]));
    }
    // One price, in the last digit, on a row that the window does not even reach.
    let path = scene.path("candles.parquet");
    let mut candles = Candle::read(&path);
    let last = candles.last_mut().unwrap();
    last.volume = f64::from_bits(last.volume.to_bits() + 1);
    Candle::write(&path, &candles);
    check("another data file", identity(&[]));
}
