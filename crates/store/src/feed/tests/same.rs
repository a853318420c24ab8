//! Frames depend on the rows alone, and equal those of a naive calculation.

use std::collections::BTreeMap;

use futures_util::{FutureExt, StreamExt};
use model::frame::{Bar, BarKind, SubBar};
use model::instrument::InstrumentIx;
use model::time::UtcMillis;
use proptest::prelude::*;
use tempfile::TempDir;

use super::files::{FileRow, Format, minutes};
use crate::candles::{GapPolicy, SeriesSpec};
use crate::feed::{Align, CandleFeed, FeedSpec};

const MINUTE: i64 = 60_000;

/// Rows of one series: steps in minutes and closing prices.
fn rows() -> impl Strategy<Value = Vec<FileRow>> {
    let step = prop_oneof![8 => Just(1_i64), 1 => 2..4_i64, 1 => 4..40_i64];
    prop::collection::vec((step, 1..100_u8), 1..120).prop_map(|steps| {
        let mut minute = 0;
        let row = |(step, close): (i64, u8)| {
            minute += step;
            let close = f64::from(close);
            let values = [close + 1.0, close + 2.0, close - 0.5, close, 1.0];
            (Some(minute * MINUTE), values.map(Some))
        };
        steps.into_iter().map(row).collect()
    })
}

/// A frame's bar and the finer ones that it was put together from.
type Together = (Bar, Vec<SubBar>);

/// The bars of a file, with those that fill its holes.
fn filled(rows: &[FileRow], synthetic: bool, interval: i64) -> Vec<(i64, Bar)> {
    let mut bars: Vec<(i64, Bar)> = Vec::new();
    for (time, values) in rows {
        let close = time.unwrap() + interval;
        let [open, high, low, last, volume] = values.map(Option::unwrap);
        if let Some((previous, bar)) = bars.last().copied().filter(|_| synthetic) {
            let missing = (previous + interval..close).step_by(usize::try_from(interval).unwrap());
            bars.extend(missing.map(|close| (close, Bar::synthetic(bar.close))));
        }
        bars.push((close, Bar { open, high, low, close: last, volume, kind: BarKind::Real }));
    }
    bars
}

/// What the specification says, with everything in memory.
fn naive(rows: &[FileRow], synthetic: bool, frame: i64) -> BTreeMap<i64, Together> {
    let bars = filled(rows, synthetic, MINUTE);
    let end = bars.last().unwrap().0.div_euclid(frame) * frame;
    let mut buckets: BTreeMap<i64, Vec<SubBar>> = BTreeMap::new();
    for (close, bar) in bars {
        let ts = (close + frame - 1).div_euclid(frame) * frame;
        if ts <= end {
            buckets.entry(ts).or_default().push(SubBar { ts: UtcMillis::new(close), bar });
        }
    }
    buckets.into_iter().map(|(ts, sub_bars)| (ts, (together(&sub_bars), sub_bars))).collect()
}

fn together(sub_bars: &[SubBar]) -> Bar {
    let bars: Vec<Bar> = sub_bars.iter().map(|sub_bar| sub_bar.bar).collect();
    let real: Vec<Bar> = bars.iter().filter(|bar| bar.kind == BarKind::Real).copied().collect();
    let of = if real.is_empty() { bars } else { real };
    Bar {
        open: of[0].open,
        high: of.iter().map(|bar| bar.high).fold(f64::MIN, f64::max),
        low: of.iter().map(|bar| bar.low).fold(f64::MAX, f64::min),
        close: of[of.len() - 1].close,
        volume: of.iter().map(|bar| bar.volume).sum(),
        kind: of[0].kind,
    }
}

type Told = Vec<(i64, bool, Vec<Together>)>;

fn read(spec: &FeedSpec) -> Result<Told, String> {
    let feed = CandleFeed::open(spec).map_err(|error| error.code().to_owned())?;
    let frames = feed.map(|frame| {
        let frame = frame.map_err(|error| error.code().to_owned())?;
        let together =
            |(place, bar): (u16, &Bar)| (*bar, frame.sub_bars(InstrumentIx(place)).to_vec());
        let bars = (0..).zip(frame.bars()).map(together).collect();
        Ok((frame.ts().millis(), frame.is_warmup(), bars))
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(frames.collect::<Vec<_>>()).into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn frames_depend_on_the_rows_alone(
        (first, second) in (rows(), rows()),
        (synthetic, inner, kept) in any::<(bool, bool, bool)>(),
        frame in prop::sample::select(vec![1, 2, 5, 60]),
        window in prop::option::of((0..150_i64, 0..100_i64)),
        warmup in 0..6_u32,
        (batch_rows, read_ahead, cut) in (1..40_usize, 1..5_usize, 1..100_usize),
    ) {
        let folder = TempDir::new().unwrap();
        let frame_ms = frame * MINUTE;
        // The second series lies in two files.
        let (head, tail) = second.split_at(cut.min(second.len()));
        let files = [("one", &first[..]), ("two", head), ("three", tail)];
        let mut paths = files.map(|(stem, rows)| Format::Csv.write(folder.path(), stem, rows, false)).to_vec();
        if tail.is_empty() {
            paths.pop();
        }
        let gaps = if synthetic { GapPolicy::Synthetic } else { GapPolicy::Skip };
        let series = |name, place, paths| SeriesSpec { gaps, ..minutes(name, place, paths) };
        let second_paths = paths.split_off(1);
        let series = vec![series("A", 0, paths), series("B", 1, second_paths)];
        let interval = model::time::Interval::from_millis(frame_ms).unwrap();
        let mut spec = FeedSpec::new(series, 2, interval);
        spec.align = if inner { Align::Inner } else { Align::Outer };
        spec.warmup = warmup;
        spec.keeps_sub_bars = kept;
        let start = window.map(|(start, _)| start * MINUTE);
        spec.start = start.map(UtcMillis::new);

        let told = read(&spec);
        let expect = |rows| {
            let mut bars = naive(rows, synthetic, frame_ms);
            if !kept || frame == 1 {
                for (_, sub_bars) in bars.values_mut() {
                    sub_bars.clear();
                }
            }
            bars
        };
        let (one, two) = (expect(&first), expect(&second));
        let instants: std::collections::BTreeSet<i64> = one.keys().chain(two.keys()).copied().collect();
        let of = |bars: &BTreeMap<i64, Together>, ts| bars.get(&ts).cloned().unwrap_or_default();
        let all: Vec<(i64, Vec<Together>)> = instants
            .into_iter()
            .filter(|ts| !inner || (one.contains_key(ts) && two.contains_key(ts)))
            .map(|ts| (ts, [of(&one, ts), of(&two, ts)].to_vec()))
            .collect();
        let run_from = match start {
            Some(start) => all.iter().position(|(ts, _)| ts - frame_ms >= start).unwrap_or(all.len()),
            None => (warmup as usize).min(all.len()),
        };
        let from = run_from.saturating_sub(warmup as usize);
        let expected: Told = all
            .into_iter()
            .enumerate()
            .skip(from)
            .map(|(place, (ts, bars))| (ts, place < run_from, bars))
            .collect();
        match &told {
            Ok(told) => prop_assert_eq!(told, &expected),
            // Without a frame of the run there is nothing to deliver.
            Err(_) => prop_assert!(expected.iter().all(|(_, warmup, _)| *warmup)),
        }
        (spec.batch_rows, spec.read_ahead) = (batch_rows, read_ahead);
        prop_assert_eq!(&read(&spec), &told);
        if let (Some((start, length)), Ok(told)) = (window, told) {
            let end = (start + length) * MINUTE;
            spec.end = Some(UtcMillis::new(end));
            let shorter: Told = told.into_iter().filter(|(ts, ..)| *ts <= end).collect();
            if shorter.iter().any(|(_, warmup, _)| !warmup) {
                prop_assert_eq!(read(&spec), Ok(shorter));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn finer_bars_of_another_series_depend_on_the_rows_alone(
        (coarse, fine) in (rows(), rows()),
        (synthetic, fine_synthetic) in any::<(bool, bool)>(),
        frame in prop::sample::select(vec![2, 5, 60]),
        (later, start, warmup) in (0..300_i64, prop::option::of(0..300_i64), 0..6_u32),
        (batch_rows, read_ahead) in (1..40_usize, 1..5_usize),
    ) {
        let folder = TempDir::new().unwrap();
        let frame_ms = frame * MINUTE;
        let moved = |rows: Vec<FileRow>, of: &dyn Fn(i64) -> i64| -> Vec<FileRow> {
            rows.into_iter().map(|(time, values)| (time.map(of), values)).collect()
        };
        let coarse = moved(coarse, &|time| time * frame);
        let fine = moved(fine, &|time| time + later * MINUTE);
        let series = |stem, rows: &[FileRow], interval, synthetic| SeriesSpec {
            interval: model::time::Interval::from_millis(interval).unwrap(),
            gaps: if synthetic { GapPolicy::Synthetic } else { GapPolicy::Skip },
            ..minutes("A", 0, vec![Format::Csv.write(folder.path(), stem, rows, false)])
        };
        let of_frames = series("coarse", &coarse, frame_ms, synthetic);
        let mut spec = FeedSpec::new(vec![of_frames.clone()], 1, of_frames.interval);
        spec.warmup = warmup;
        spec.start = start.map(|start| UtcMillis::new(start * MINUTE));
        let alone = read(&spec);
        spec.sub_series = vec![series("fine", &fine, MINUTE, fine_synthetic)];
        let told = read(&spec);

        let fine = filled(&fine, fine_synthetic, MINUTE);
        let expected = alone.map(|mut frames| {
            for (ts, _, bars) in &mut frames {
                let (bar, sub_bars) = &mut bars[0];
                let within = fine.iter().filter(|(close, _)| *ts - frame_ms < *close && close <= ts);
                sub_bars.extend(within.map(|(close, bar)| SubBar { ts: UtcMillis::new(*close), bar: *bar }));
                let any_real = sub_bars.iter().any(|sub_bar| sub_bar.bar.kind == BarKind::Real);
                if bar.kind == BarKind::Synthetic || !any_real {
                    sub_bars.clear();
                }
            }
            frames
        });
        prop_assert_eq!(&told, &expected);
        (spec.batch_rows, spec.read_ahead) = (batch_rows, read_ahead);
        prop_assert_eq!(&read(&spec), &told);
    }
}

#[test]
fn dropping_a_feed_ends_its_reader() {
    let folder = TempDir::new().unwrap();
    let rows: Vec<FileRow> =
        (0..20_000).map(|minute| (Some(minute * MINUTE), [Some(1.0); 5])).collect();
    let path = Format::Csv.write(folder.path(), "one", &rows, false);
    let mut spec = FeedSpec::new(vec![minutes("A", 0, vec![path])], 1, "1m".parse().unwrap());
    (spec.batch_rows, spec.read_ahead) = (10, 1);
    let mut feed = CandleFeed::open(&spec).unwrap();
    let facts = feed.facts();
    drop(feed.next().now_or_never());
    assert_eq!(facts.read(), None);
    drop(feed);
    let facts = facts.read().expect("the reader has ended");
    assert!(facts[0].rows < 1_000, "{facts:?}");
}
