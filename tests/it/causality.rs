//! No decision at T depends on what comes after T (09 §11.4).

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMillisecondType;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use store::audit::{Kind, LogReader};
use tickdrain::prelude::*;

use crate::support;
use crate::tables::{Candle, HOUR, Scene, Table, decimal, units};

/// Rows of the series under test.
const ROWS: usize = 480;
/// Instants at which the future is replaced.
const CUTS: usize = 50;
const SEED: u64 = 20_240_101;

/// The first rows of a bundled series.
fn candles(name: &str) -> Vec<Candle> {
    let mut candles = Candle::read(&support::bundled().join(name));
    candles.truncate(ROWS);
    candles
}

fn bitcoin() -> Vec<Candle> {
    candles("binance_spot_BTCUSDT_1h.parquet")
}

/// Valid bars that have nothing to do with those before them; some of them without volume.
fn noise(candles: &mut [Candle], random: &mut ChaCha8Rng) {
    let mut draw = |from: u32, to: u32| f64::from(from + random.next_u32() % (to - from));
    for candle in candles {
        let (open, close) = (draw(100_000, 10_000_000) / 100.0, draw(100_000, 10_000_000) / 100.0);
        let (high, low) = (open.max(close) + draw(0, 1_000), open.min(close) - draw(0, 1_000));
        let volume = if draw(0, 10) < 1.0 { 0.0 } else { draw(1, 1_000) / 8.0 };
        *candle = Candle { ts: candle.ts, open, high, low: low.max(0.01), close, volume };
    }
}

/// Numbers of rows after which the future is replaced: the first two, and others at random.
fn cuts(random: &mut ChaCha8Rng) -> Vec<usize> {
    let last = u32::try_from(ROWS - 1).unwrap();
    let cut = |_| usize::try_from(1 + random.next_u32() % (last - 1)).unwrap();
    [1, 2].into_iter().chain((2..CUTS).map(cut)).collect()
}

/// Everything that the log says up to and including the tick `last`, kind by kind.
fn recorded(folder: &Path, last: i64) -> Vec<(Kind, Vec<RecordBatch>)> {
    let log = LogReader::open(folder).unwrap();
    let until = |batch: RecordBatch| {
        let ts = batch.column_by_name("ts").expect("every record has its tick");
        let ts = ts.as_primitive::<TimestampMillisecondType>().values();
        batch.slice(0, ts.partition_point(|ts| *ts <= last))
    };
    let batches = |kind| log.batches(kind).unwrap().map(|batch| until(batch.unwrap())).collect();
    Kind::ALL.map(|kind| (kind, batches(kind))).into_iter().collect()
}

/// The first kind of record in which two runs differ up to and including the tick `last`.
fn difference(left: &Path, right: &Path, last: i64) -> Option<Kind> {
    let (left, right) = (recorded(left, last), recorded(right, last));
    let mut pairs = left.into_iter().zip(right);
    pairs.find(|(left, right)| left.1 != right.1).map(|((kind, _), _)| kind)
}

/// A run file on `candles.parquet` or `candles.csv`.
fn run_file(data: &str, strategy: &str) -> String {
    format!(
        r#"
        share_class = "USDT"
        interval = "1h"
        [initial]
        "binance:BaseToken:USDT" = "100000"
        [[data]]
        of = "binance:spot:BTCUSDT"
        path = {data:?}
        [execution]
        slippage = {{ model = "fixed", bps = 2 }}
        [strategy]
        {strategy}
        "#
    )
}

/// At how many cuts replacing the future changes the past, and in which kind of record first.
fn leaks(app: &App, strategy: &str) -> (usize, BTreeMap<Kind, usize>) {
    let original = bitcoin();
    let scene = Scene::new(&run_file("candles.parquet", strategy));
    Candle::write(&scene.path("candles.parquet"), &original);
    std::fs::write(scene.path("candles.csv"), Candle::csv(&original)).unwrap();
    let report = scene.run(app.clone(), &[], "out");
    assert!(report.summary.orders.filled > 0, "it trades");
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut found = BTreeMap::new();
    for cut in cuts(&mut random) {
        let mut altered = original.clone();
        noise(&mut altered[cut..], &mut random);
        Candle::write(&scene.path("noise.parquet"), &altered);
        std::fs::write(scene.path("noise.csv"), Candle::csv(&altered)).unwrap();
        let mut overrides = vec!["data.path=noise.parquet"];
        if strategy.contains("future") {
            overrides.push("strategy.future=noise.csv");
        }
        let out = format!("out-{cut}-{}", random.next_u64());
        let other = scene.run(app.clone(), &overrides, &out);
        assert_ne!(other.digest(), report.digest());
        let last = original[cut].ts;
        if let Some(kind) = difference(&scene.path("out"), &scene.path(&out), last) {
            *found.entry(kind).or_default() += 1;
        }
        std::fs::remove_dir_all(scene.path(&out)).unwrap();
    }
    (found.values().sum(), found)
}

/// Writes down everything that a strategy can read, and trades on a whim that depends on all of it.
struct Observer {
    instruments: Vec<InstrumentIx>,
    keys: Vec<model::instrument::KeyIx>,
    latest: UtcMillis,
    heard: String,
}

impl StrategyKind for Observer {
    const SUMMARY: &'static str = "Logs everything it can read.";

    fn parameters() -> &'static [ParameterSpec] {
        &[]
    }

    fn build(setup: &StrategySetup<'_>) -> Result<Self, ParameterError> {
        Ok(Self {
            instruments: setup.instruments.instruments().map(|(place, _)| place).collect(),
            keys: setup.instruments.keys().map(|(place, _)| place).collect(),
            latest: UtcMillis::default(),
            heard: String::new(),
        })
    }
}

impl Strategy for Observer {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        assert!(market.ts() > self.latest, "once per frame, and never back in time");
        assert_eq!(account.ts(), market.ts());
        self.latest = market.ts();
        let mut seen = std::mem::take(&mut self.heard);
        for place in &self.instruments {
            write!(seen, "{:?} {:?} ", market.bar(*place), account.mark(*place))?;
            write!(seen, "{} ", account.position(*place).0)?;
        }
        let free: Vec<Decimal> = self.keys.iter().map(|key| account.free(*key)).collect();
        let AccountSnapshot { equity, cash, gross, net, unrealized, book, .. } = account;
        write!(seen, "{free:?} {equity} {cash} {gross} {net} {unrealized} {book:?}")?;
        let whim = blake3::hash(seen.as_bytes()).as_bytes()[0] % 16;
        let instrument = self.instruments[usize::from(whim) % self.instruments.len()];
        match whim {
            0..=3 => orders.buy(instrument, "10%".parse()?),
            4..=5 => orders.sell(instrument, "50%".parse()?),
            6 => orders.buy(instrument, "1000".parse()?),
            _ => return Ok(Decision::hold(seen)),
        };
        Ok(Decision::trade(seen))
    }

    fn on_fill(&mut self, fill: &Fill) {
        assert!(fill.ts >= self.latest, "an order of T fills at T or later");
        write!(self.heard, "{fill:?} ").unwrap();
    }

    fn on_order_update(&mut self, update: &OrderUpdate) {
        write!(self.heard, "{update:?} ").unwrap();
    }

    fn on_verdict(&mut self, verdict: &Verdict) {
        write!(self.heard, "{verdict:?} ").unwrap();
    }
}

/// Reads the file itself, and buys before a rise.
struct Cheat {
    closes: BTreeMap<i64, f64>,
}

impl StrategyKind for Cheat {
    const SUMMARY: &'static str = "Looks one bar ahead.";

    fn parameters() -> &'static [ParameterSpec] {
        &[ParameterSpec {
            name: "future",
            kind: ParameterKind::File,
            unit: "",
            default: None,
            doc: "The candles of the run.",
        }]
    }

    fn build(setup: &StrategySetup<'_>) -> Result<Self, ParameterError> {
        let rows = setup.parameters.text("future").lines().skip(1);
        let closes = rows.map(|row| {
            let cells: Vec<&str> = row.split(',').collect();
            (cells[0].parse().unwrap(), cells[4].parse().unwrap())
        });
        Ok(Self { closes: closes.collect() })
    }
}

impl Strategy for Cheat {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        let instrument = InstrumentIx(0);
        let now = market.bar(instrument).map(|bar| bar.close);
        let Some((now, next)) = now.zip(self.closes.get(&market.ts().millis())) else {
            return Ok(Decision::HOLD);
        };
        let is_flat = account.position(instrument).is_zero();
        if *next > now && is_flat {
            orders.buy(instrument, Size::ALL);
        } else if *next < now && !is_flat {
            orders.sell(instrument, Size::ALL);
        } else {
            return Ok(Decision::HOLD);
        }
        Ok(Decision::trade("knows"))
    }
}

#[test]
fn a_moving_average_does_not_know_the_future() {
    let strategy = "kind = \"sma_cross\"\nfast = 2\nslow = 5\nsize = \"60%\"";
    assert_eq!(leaks(&App::new(), strategy), (0, BTreeMap::new()), "seed {SEED}");
}

#[test]
fn buying_and_holding_does_not_know_the_future() {
    let found = leaks(&App::new(), "kind = \"buy_and_hold\"\nsize = \"50%\"");
    assert_eq!(found, (0, BTreeMap::new()), "seed {SEED}");
}

#[test]
fn nothing_that_a_strategy_can_read_knows_the_future() {
    let app = App::new().strategy::<Observer>("observer");
    assert_eq!(leaks(&app, "kind = \"observer\""), (0, BTreeMap::new()), "seed {SEED}");
}

/// The comparison is worth nothing if it cannot fail.
#[test]
fn a_strategy_that_looks_one_bar_ahead_is_caught() {
    let app = App::new().strategy::<Cheat>("cheat");
    let (caught, _) = leaks(&app, "kind = \"cheat\"\nfuture = \"candles.csv\"");
    assert!(caught > CUTS / 4, "caught at {caught} of {CUTS} cuts (seed {SEED})");
}

#[test]
fn an_order_of_t_fills_at_the_open_of_the_next_bar_that_trades() {
    let mut candles = bitcoin();
    candles.iter_mut().step_by(3).for_each(|candle| candle.volume = 0.0);
    let strategy = "kind = \"sma_cross\"\nfast = 2\nslow = 5";
    let scene = Scene::new(&run_file("candles.parquet", strategy));
    Candle::write(&scene.path("candles.parquet"), &candles);
    scene.run(App::new(), &["execution.slippage={model = \"none\"}"], "out");
    let orders = Table::read(&scene.path("out/orders.parquet"));
    let fills = Table::read(&scene.path("out/fills.parquet"));
    let decided: BTreeMap<String, i64> =
        orders.texts("order_id").into_iter().zip(orders.times("ts_decided")).collect();
    let found = fills.texts("order_id").into_iter().zip(fills.times("ts"));
    let mut waits = [0; 2];
    for ((order, ts), px) in found.zip(fills.decimals("last_px")) {
        let decided = decided[&order];
        let next = candles.iter().find(|candle| candle.ts >= decided && candle.volume > 0.0);
        let next = next.expect("it has filled");
        assert_eq!(ts, next.ts, "{order}, decided at {decided}");
        assert_eq!(px, units(decimal(next.open)), "{order}");
        waits[usize::from(ts > decided)] += 1;
    }
    assert!(waits.iter().all(|count| *count > 5), "{waits:?} filled at once and later");
}

#[test]
fn a_strategy_is_called_once_per_frame_with_all_instruments() {
    let mut text = run_file("candles.parquet", "kind = \"observer\"");
    let all = bitcoin();
    // Listed late, with a hole; ended early.
    let late: Vec<Candle> =
        all.iter().skip(100).copied().filter(|c| c.ts % (7 * HOUR) != 0).collect();
    let ended = candles("bybit_spot_BTCUSDT_1h.parquet")[..200].to_vec();
    for (id, path) in [("okx:spot:BTCUSDT", "late"), ("bybit:spot:BTCUSDT", "ended")] {
        write!(text, "\n[[data]]\nof = {id:?}\npath = \"{path}.parquet\"\ngaps = \"skip\"\n")
            .unwrap();
    }
    let scene = Scene::new(&text);
    for (name, candles) in [("candles", &all), ("late", &late), ("ended", &ended)] {
        Candle::write(&scene.path(&format!("{name}.parquet")), candles);
    }
    scene.run(App::new().strategy::<Observer>("observer"), &[], "out");
    let log = recorded(&scene.path("out"), i64::MAX);
    let of = |wanted: Kind| &log.iter().find(|(kind, _)| *kind == wanted).unwrap().1[0];
    let ticks = |kind: Kind| -> Vec<i64> {
        let ts = of(kind).column_by_name("ts").unwrap();
        ts.as_primitive::<TimestampMillisecondType>().values().to_vec()
    };
    let closes: Vec<i64> = all.iter().map(|candle| candle.ts + HOUR).collect();
    assert_eq!(ticks(Kind::Frame), closes);
    assert_eq!(ticks(Kind::Account), closes);
    assert_eq!(ticks(Kind::Decision), closes);
    let reasons = of(Kind::Decision).column_by_name("reason").unwrap().as_string::<i32>();
    for (candle, reason) in all.iter().zip(reasons) {
        let there = [&all, &late, &ended].map(|series| series.iter().any(|c| c.ts == candle.ts));
        let bars = there.iter().filter(|there| **there).count();
        let seen = reason.unwrap().matches("Some(Bar").count();
        assert_eq!(seen, bars, "bars at the frame of the row {}", candle.ts);
    }
}
