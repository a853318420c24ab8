//! Time to read, check and deliver a million candles: `cargo bench -p store`.

use std::path::PathBuf;

use divan::{Bencher, black_box};
use futures_util::{FutureExt, StreamExt};
use model::instrument::InstrumentIx;
use model::time::Interval;
use store::candles::{BarsOf, ColumnNames, GapPolicy, SeriesSpec, TimeLabel, fingerprint};
use store::feed::{CandleFeed, FeedSpec};

fn main() {
    divan::main();
}

/// Two years of minutes, 1,033,226 rows; without the shared data nothing is measured.
fn million() -> Option<PathBuf> {
    let shared = std::env::var_os("TICKDRAIN_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    Some(shared.join("candles/bitfinex/BTCUSD/1m.parquet")).filter(|path| path.exists())
}

fn series(path: PathBuf) -> SeriesSpec {
    SeriesSpec {
        of: BarsOf::Trades,
        instrument: InstrumentIx(0),
        name: "bitfinex:spot:BTCUSD".to_owned(),
        paths: vec![path],
        label: TimeLabel::Open,
        interval: minute(),
        time_unit: None,
        columns: ColumnNames::default(),
        gaps: GapPolicy::Skip,
    }
}

fn minute() -> Interval {
    "1m".parse().expect("an interval")
}

fn drain(spec: &FeedSpec) -> usize {
    let mut feed = CandleFeed::open(spec).expect("a sound file");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let mut frames = 0;
        while let Some(frame) = feed.next().await {
            black_box(frame.expect("a sound file"));
            frames += 1;
        }
        frames
    })
}

#[divan::bench]
fn million_minutes(bencher: Bencher) {
    let Some(path) = million() else { return };
    let spec = FeedSpec::new(vec![series(path)], 1, minute());
    bencher.bench(|| drain(&spec));
}

#[divan::bench]
fn million_minutes_to_hours(bencher: Bencher) {
    let Some(path) = million() else { return };
    let spec = FeedSpec::new(vec![series(path)], 1, Interval::HOUR);
    bencher.bench(|| drain(&spec));
}

#[divan::bench]
fn million_minutes_kept_in_hours(bencher: Bencher) {
    let Some(path) = million() else { return };
    let mut spec = FeedSpec::new(vec![series(path)], 1, Interval::HOUR);
    spec.keeps_sub_bars = true;
    bencher.bench(|| drain(&spec));
}

#[divan::bench]
fn million_minutes_hashed(bencher: Bencher) {
    let Some(path) = million() else { return };
    bencher.bench(|| fingerprint(&path).expect("a readable file"));
}

/// Only the consumer's side: all frames wait in the channel.
#[divan::bench]
fn frames_that_are_ready(bencher: Bencher) {
    let Some(path) = million() else { return };
    let mut spec = FeedSpec::new(vec![series(path)], 1, minute());
    spec.read_ahead = 300;
    bencher
        .with_inputs(|| {
            let mut feed = CandleFeed::open(&spec).expect("a sound file");
            let handle = feed.facts();
            while handle.read().is_none() {
                std::thread::yield_now();
            }
            // The first poll is not part of the measure.
            assert!(feed.next().now_or_never().is_some());
            feed
        })
        .bench_values(|mut feed| {
            let mut frames = 0_u32;
            while let Some(frame) = feed.next().now_or_never().expect("all frames are ready") {
                black_box(frame.expect("a sound file"));
                frames += 1;
            }
            frames
        });
}
