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
//! Likewise `mark A` begins the marks of `A`, `funding A` its funding (rows of a rate and a mark, which
//! may be left out), and `price B` prices of their own (rows of one price). What of them is in a frame
//! is told below it.
//!
//! Times are those of 2024-01-01, or a whole time.

use std::fmt::Write as _;

use expect_test::Expect;
use futures_util::StreamExt;
use model::frame::{Bar, BarKind, Frame, MarkBar};
use model::instrument::{InstrumentIx, SeriesIx};
use model::time::{Interval, UtcMillis};
use tempfile::TempDir;

use super::files::{FileRow, Format, minutes};
use crate::candles::{BarsOf, ColumnNames, DataError, GapPolicy, SeriesSpec, TimeLabel, inspect};
use crate::feed::{Align, CandleFeed, FeedSpec};
use crate::points::{PointSpec, PointsOf};

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
    let mut series: Vec<Series> = Vec::new();
    let mut files: Vec<(usize, String, bool, Vec<FileRow>)> = Vec::new();
    let place = |series: &[Series], name: &str| {
        let bars = series.iter().filter_map(|series| match series {
            Series::Frames(bars) => Some(bars),
            Series::SubBars(_) | Series::Marks(_) | Series::Points(_) => None,
        });
        bars.into_iter().find(|bars| bars.name == name).unwrap().instrument
    };
    for line in scenario.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "run" => words[1..].iter().for_each(|word| set_run(&mut spec, word)),
            "series" => {
                let place = InstrumentIx(u16::try_from(spec.width).unwrap());
                series.push(Series::Frames(read_series(place, &words)));
                spec.width += 1;
            }
            "sub" => {
                let place = place(&series, words[1]);
                series.push(Series::SubBars(read_series(place, &words)));
            }
            "mark" => {
                let bars = read_series(place(&series, words[1]), &words);
                series.push(Series::Marks(SeriesSpec { of: BarsOf::Mark, ..bars }));
            }
            "funding" => {
                let of = PointsOf::Funding(place(&series, words[1]));
                series.push(Series::Points(read_points(of, &words)));
            }
            "price" => {
                let prices = |series: &&Series| matches!(series, Series::Points(points) if matches!(points.of, PointsOf::Price(_)));
                let earlier = series.iter().filter(prices).count();
                let of = PointsOf::Price(SeriesIx(u16::try_from(earlier).unwrap()));
                series.push(Series::Points(read_points(of, &words)));
            }
            "file" => {
                let synthetic = words.contains(&"synthetic");
                files.push((series.len() - 1, words[1].to_owned(), synthetic, Vec::new()));
            }
            _ => {
                let (place, .., rows) = files.last_mut().unwrap();
                let is_points = matches!(series[*place], Series::Points(_));
                rows.push(if is_points { point(&words) } else { row(&words) });
            }
        }
    }
    for (place, stem, synthetic, rows) in files {
        series[place].write(folder, format, &stem, &rows, synthetic);
    }
    for series in series {
        match series {
            Series::Frames(series) => spec.series.push(series),
            Series::SubBars(series) => spec.sub_series.push(series),
            Series::Marks(series) => spec.marks.push(series),
            Series::Points(series) => spec.points.push(series),
        }
    }
    spec
}

/// A series, and what it is for.
enum Series {
    Frames(SeriesSpec),
    SubBars(SeriesSpec),
    Marks(SeriesSpec),
    Points(PointSpec),
}

impl Series {
    fn write(
        &mut self,
        folder: &TempDir,
        format: Format,
        stem: &str,
        rows: &[FileRow],
        synthetic: bool,
    ) {
        match self {
            Self::Frames(series) | Self::SubBars(series) | Self::Marks(series) => {
                series.paths.push(format.write(folder.path(), stem, rows, synthetic));
            }
            Self::Points(points) => {
                let names = match points.of {
                    PointsOf::Funding(_) => ["rate", "mark_price"],
                    PointsOf::Price(_) => ["price", "unused"],
                };
                let point = |(time, [value, mark, ..]): &FileRow| (*time, [*value, *mark]);
                let rows: Vec<_> = rows.iter().map(point).collect();
                let path = format.write_table(folder.path(), stem, names, &rows, synthetic);
                points.paths.push(path);
            }
        }
    }
}

fn read_series(place: InstrumentIx, words: &[&str]) -> SeriesSpec {
    let mut series = minutes(words[1], place.0, Vec::new());
    words[2..].iter().for_each(|word| set_series(&mut series, word));
    series
}

fn read_points(of: PointsOf, words: &[&str]) -> PointSpec {
    let mut points = PointSpec {
        of,
        name: words[..2].join(" "),
        paths: Vec::new(),
        interval: None,
        time_unit: None,
        columns: ColumnNames::default(),
        gaps: GapPolicy::Error,
    };
    for word in &words[2..] {
        match word.split_once('=').unwrap() {
            ("interval", value) => points.interval = Some(value.parse().unwrap()),
            ("gaps", "skip") => points.gaps = GapPolicy::Skip,
            other => panic!("{other:?}"),
        }
    }
    points
}

fn cell(word: &&str) -> Option<f64> {
    (*word != "-").then(|| word.parse().unwrap())
}

fn point(words: &[&str]) -> FileRow {
    let mark = words.get(2).and_then(cell);
    let ts = (words[0] != "-").then(|| time(words[0]).millis());
    (ts, [cell(&words[1]), mark, None, None, None])
}

fn row(words: &[&str]) -> FileRow {
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
    tell_extras(told, frame, spec);
}

fn tell_extras(told: &mut String, frame: &Frame, spec: &FeedSpec) {
    for series in &spec.series {
        if let Some(MarkBar { open, high, low, close }) = frame.mark(series.instrument) {
            writeln!(told, "  mark {} {open} {high} {low} {close}", series.name).unwrap();
        }
    }
    let name = |of| &spec.points.iter().find(|points| points.of == of).unwrap().name;
    for point in frame.funding() {
        let ts = short(point.ts, spec.interval);
        let name = name(PointsOf::Funding(point.instrument));
        let mark = point.mark.map_or("none".to_owned(), |mark| mark.to_string());
        writeln!(told, "  {name} {ts} {} at {mark}", point.rate).unwrap();
    }
    for point in frame.prices() {
        let ts = short(point.ts, spec.interval);
        writeln!(told, "  {} {ts} {}", name(PointsOf::Price(point.series)), point.value).unwrap();
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
