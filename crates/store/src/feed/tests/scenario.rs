//! Scenarios as text: what the files hold, and what the feed makes of it.
//!
//! ```text
//! run frame=2m start=00:02 end=00:10 warmup=1 align=inner
//! series A interval=1m gaps=skip label=close
//! file one
//! 00:00 1 2 1 2 10        open, high, low, close, volume
//! 00:01 5                 one price, volume 1
//! file two synthetic
//! 00:02 - 1 1 1 1         `-` is a null
//! ```
//!
//! With `sub_bars=kept`, the finer bars of a frame are told below it. A line `sub A`, in the place of
//! `series`, begins the series that supplies the finer bars of `A`.
//!
//! Times are those of 2024-01-01, or a whole time.

use std::fmt::Write as _;

use expect_test::Expect;
use futures_util::StreamExt;
use model::frame::{Bar, BarKind, Frame};
use model::time::{Interval, UtcMillis};
use tempfile::TempDir;

use super::files::{FileRow, Format, minutes};
use crate::candles::{DataError, GapPolicy, SeriesSpec, TimeLabel, inspect};
use crate::feed::{Align, CandleFeed, FeedSpec};

/// Batches and read-ahead that must not make a difference.
const CUTS: [(usize, usize); 5] = [(4_096, 4), (1, 1), (2, 3), (3, 1), (7, 2)];

/// Runs a scenario with both file formats and several batch sizes, which must agree.
#[expect(clippy::needless_pass_by_value, reason = "a reference at every call would say nothing")]
pub(super) fn check(scenario: &str, expected: Expect) {
    let mut told: Vec<String> = Vec::new();
    for format in Format::ALL {
        let folder = TempDir::new().unwrap();
        let mut spec = read(scenario, &folder, format);
        for (batch_rows, read_ahead) in CUTS {
            (spec.batch_rows, spec.read_ahead) = (batch_rows, read_ahead);
            told.push(tell(&spec));
        }
    }
    for other in &told[1..] {
        assert_eq!(told[0], *other, "format, batch size and read-ahead change nothing");
    }
    expected.assert_eq(&told[0]);
}

fn read(scenario: &str, folder: &TempDir, format: Format) -> FeedSpec {
    let mut spec = FeedSpec::new(Vec::new(), 0, "1m".parse().unwrap());
    // All series in the order of their lines, with their files.
    let mut series: Vec<(Role, SeriesSpec)> = Vec::new();
    let mut files: Vec<(usize, String, bool, Vec<FileRow>)> = Vec::new();
    for line in scenario.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "run" => words[1..].iter().for_each(|word| set_run(&mut spec, word)),
            "series" => {
                let place = u16::try_from(spec.width).unwrap();
                series.push((Role::Frames, read_series(place, &words)));
                spec.width += 1;
            }
            "sub" => {
                let of = |(_, series): &&(Role, SeriesSpec)| series.name == words[1];
                let place = series.iter().find(of).unwrap().1.instrument.0;
                series.push((Role::SubBars, read_series(place, &words)));
            }
            "file" => {
                let synthetic = words.contains(&"synthetic");
                files.push((series.len() - 1, words[1].to_owned(), synthetic, Vec::new()));
            }
            _ => files.last_mut().unwrap().3.push(row(&words)),
        }
    }
    for (place, stem, synthetic, rows) in files {
        let path = format.write(folder.path(), &stem, &rows, synthetic);
        series[place].1.paths.push(path);
    }
    for (role, series) in series {
        match role {
            Role::Frames => spec.series.push(series),
            Role::SubBars => spec.sub_series.push(series),
        }
    }
    spec
}

/// What a series is for.
#[derive(Clone, Copy)]
enum Role {
    Frames,
    SubBars,
}

fn read_series(place: u16, words: &[&str]) -> SeriesSpec {
    let mut series = minutes(words[1], place, Vec::new());
    words[2..].iter().for_each(|word| set_series(&mut series, word));
    series
}

fn row(words: &[&str]) -> FileRow {
    let cell = |word: &&str| (*word != "-").then(|| word.parse().unwrap());
    let values: Vec<Option<f64>> = words[1..].iter().map(cell).collect();
    let values = match values[..] {
        [price] => [price, price, price, price, Some(1.0)],
        [open, high, low, close, volume] => [open, high, low, close, volume],
        _ => panic!("one price or five values: {words:?}"),
    };
    ((words[0] != "-").then(|| time(words[0]).millis()), values)
}

fn time(text: &str) -> UtcMillis {
    let whole = if text.contains('-') { text.to_owned() } else { format!("2024-01-01 {text}") };
    whole.parse().unwrap()
}

fn set_run(spec: &mut FeedSpec, word: &str) {
    match word.split_once('=').unwrap() {
        ("frame", value) => spec.interval = value.parse().unwrap(),
        ("start", value) => spec.start = Some(time(value)),
        ("end", value) => spec.end = Some(time(value)),
        ("warmup", value) => spec.warmup = value.parse().unwrap(),
        ("align", "inner") => spec.align = Align::Inner,
        ("sub_bars", "kept") => spec.keeps_sub_bars = true,
        other => panic!("{other:?}"),
    }
}

fn set_series(series: &mut SeriesSpec, word: &str) {
    match word.split_once('=').unwrap() {
        ("interval", value) => series.interval = value.parse().unwrap(),
        ("gaps", "skip") => series.gaps = GapPolicy::Skip,
        ("gaps", "synthetic") => series.gaps = GapPolicy::Synthetic,
        ("label", "close") => series.label = TimeLabel::Close,
        other => panic!("{other:?}"),
    }
}

/// Frames, the error if there is one, and the facts.
fn tell(spec: &FeedSpec) -> String {
    let mut told = String::new();
    let mut feed = match CandleFeed::open(spec) {
        Ok(feed) => feed,
        Err(error) => return format!("at open: {}", tell_error(&error)),
    };
    let facts = feed.facts();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        while let Some(next) = feed.next().await {
            match next {
                Ok(frame) => tell_frame(&mut told, &frame, spec),
                Err(error) => told += &tell_error(&error),
            }
        }
    });
    let short = |ts: Option<UtcMillis>| ts.map_or("-".to_owned(), |ts| short(ts, spec.interval));
    for facts in facts.read().expect("the feed has ended") {
        let stem = facts.path.file_stem().unwrap().to_str().unwrap();
        let (first, last) = (short(facts.first), short(facts.last));
        write!(told, "{} {stem}: {} rows {first}..{last}", facts.name, facts.rows).unwrap();
        if facts.holes + facts.synthetic_bars > 0 {
            let (holes, missing, filled) = (facts.holes, facts.missing, facts.synthetic_bars);
            write!(told, ", holes {holes}, missing {missing}, filled {filled}").unwrap();
        }
        told.push('\n');
    }
    told
}

fn tell_frame(told: &mut String, frame: &Frame, spec: &FeedSpec) {
    *told += &short(frame.ts(), spec.interval);
    *told += if frame.is_warmup() { " warm" } else { "" };
    for (series, bar) in spec.series.iter().zip(frame.bars()) {
        write!(told, " {} {}", series.name, bar_text(bar)).unwrap();
    }
    told.push('\n');
    for series in &spec.series {
        for sub_bar in frame.sub_bars(series.instrument) {
            let ts = short(sub_bar.ts, spec.interval);
            writeln!(told, "  {} {ts} {}", series.name, bar_text(&sub_bar.bar)).unwrap();
        }
    }
}

fn bar_text(bar: &Bar) -> String {
    let values = format!("{} {} {} {} x{}", bar.open, bar.high, bar.low, bar.close, bar.volume);
    match bar.kind {
        BarKind::Absent => "none".to_owned(),
        BarKind::Real => values,
        BarKind::Synthetic => format!("synthetic {values}"),
    }
}

/// The time of day, unless another day or finer than minutes matters.
fn short(ts: UtcMillis, interval: Interval) -> String {
    let whole = ts.to_string();
    match whole.strip_prefix("2024-01-01T") {
        Some(time) if interval.millis() >= 60_000 => time.trim_end_matches(":00Z").to_owned(),
        _ => whole,
    }
}

/// An error as a caller prints it, without what differs between formats.
pub(super) fn tell_error(error: &DataError) -> String {
    let mut told = format!("{} {:?}", error.code(), error.class());
    if let Some(stem) = error.path().and_then(|path| path.file_stem()) {
        write!(told, " {}", stem.to_str().unwrap()).unwrap();
    }
    if let Some(place) = error.place() {
        write!(told, " row {}", place.row).unwrap();
    }
    if let Some(column) = error.column() {
        write!(told, " {column}").unwrap();
    }
    told.push('\n');
    for (label, text) in
        [("found", error.found()), ("expected", error.expected()), ("hint", error.hint())]
    {
        if let Some(text) = text {
            writeln!(told, "  {label}: {text}").unwrap();
        }
    }
    told
}

/// Rows, first and last time, and all faults with their lines.
pub(super) fn tell_series(spec: &SeriesSpec) -> String {
    let inspection = inspect(spec);
    let time = |ts: Option<_>| ts.map_or_else(|| "-".to_owned(), |ts| format!("{ts}"));
    let (first, last) = (time(inspection.first), time(inspection.last));
    let mut told = format!("{} rows, {first} to {last}\n", inspection.rows);
    for fault in &inspection.faults {
        told += &fault.line().map_or_else(String::new, |line| format!("line {line}: "));
        told += &tell_error(fault);
    }
    told
}
