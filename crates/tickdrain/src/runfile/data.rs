//! `[[data]]`: the series that a run reads.

use std::path::{Path, PathBuf};

use model::instrument::{InstrumentId, InstrumentIx};
use model::time::Interval;
use store::candles::{BarsOf, ColumnNames, GapPolicy, SeriesSpec, TimeLabel, TimeUnit};

use super::document::Node;
use super::fault::{Fault, FaultLog};
use super::field::{Choice, Length, OneOrMany, Text};
use super::instruments::{InstrumentBook, Listed};
use super::path::FilePath;
use super::place::Place;
use super::points::{self, PointKind, PointSeries};
use super::reader::TableReader;

/// A series of candles, or of bars of mark prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandleSeries {
    /// Of which prices.
    pub of: BarsOf,
    /// Of what.
    pub instrument: InstrumentId,
    /// The place of that instrument in the run's table.
    pub ix: InstrumentIx,
    /// Files, in the order of time; absolute.
    pub paths: Vec<PathBuf>,
    /// What the time column holds.
    pub time: TimeLabel,
    /// Length of a bar; divides the length of a frame, or is a multiple of it if they are marks.
    pub interval: Interval,
    /// Unit of times that are whole numbers; `None` if the file must say itself.
    pub time_unit: Option<TimeUnit>,
    /// Names of columns.
    pub columns: ColumnNames,
    /// What to do where bars are missing.
    pub gaps: GapPolicy,
    /// Where the run file names the instrument.
    pub(super) place: Place,
    /// The key that names it.
    pub(super) key: String,
}

impl CandleSeries {
    /// What people call it.
    pub fn name(&self) -> String {
        match self.of {
            BarsOf::Trades => self.instrument.to_string(),
            BarsOf::Mark => format!("{} mark", self.instrument),
        }
    }

    /// What the reader of candle files needs to know.
    pub fn spec(&self) -> SeriesSpec {
        SeriesSpec {
            of: self.of,
            instrument: self.ix,
            name: self.name(),
            paths: self.paths.clone(),
            label: self.time,
            interval: self.interval,
            time_unit: self.time_unit,
            columns: self.columns.clone(),
            gaps: self.gaps,
        }
    }
}

/// All series of a run.
#[derive(Clone, Debug)]
pub(super) struct DataSection {
    /// Those of known instruments, no instrument twice.
    pub(super) series: Vec<CandleSeries>,
    /// Finer ones of some of these instruments.
    pub(super) finer: Vec<CandleSeries>,
    /// Marks of some of these instruments, none of them twice.
    pub(super) marks: Vec<CandleSeries>,
    /// Funding of some of these instruments, and prices; none of them twice.
    pub(super) points: Vec<PointSeries>,
    /// Whether no series of candles was left out for a fault of its own, so that what is missing is missing indeed.
    pub(super) complete: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Bars(BarsOf),
    Points(PointKind),
    Other(&'static str),
}

const KINDS: Choice<'static, Kind> = Choice(&[
    ("candles", Kind::Bars(BarsOf::Trades)),
    ("mark", Kind::Bars(BarsOf::Mark)),
    ("funding", Kind::Points(PointKind::Funding)),
    ("lending", Kind::Other("lending")),
    ("staking", Kind::Other("staking")),
    ("price", Kind::Points(PointKind::Price)),
    ("gas", Kind::Other("gas")),
    ("rewards", Kind::Other("rewards")),
    ("predictions", Kind::Other("predictions")),
]);
const LABELS: Choice<'static, TimeLabel> =
    Choice(&[("open", TimeLabel::Open), ("close", TimeLabel::Close)]);
pub(super) const TIME_UNITS: Choice<'static, TimeUnit> =
    Choice(&[("s", TimeUnit::S), ("ms", TimeUnit::Ms), ("us", TimeUnit::Us), ("ns", TimeUnit::Ns)]);
const GAP_POLICIES: Choice<'static, GapPolicy> = Choice(&[
    ("error", GapPolicy::Error),
    ("skip", GapPolicy::Skip),
    ("synthetic", GapPolicy::Synthetic),
]);
/// Where nothing is filled in.
pub(super) const HOLE_POLICIES: Choice<'static, GapPolicy> =
    Choice(&[("error", GapPolicy::Error), ("skip", GapPolicy::Skip)]);

/// Reads all `[[data]]`; a series whose instrument is not known is left out.
pub(super) fn read(
    root: &mut TableReader<'_>,
    book: &InstrumentBook,
    base: &Path,
    frame: Interval,
    takes_finer: bool,
) -> DataSection {
    let readers = root.tables("data");
    if root.is_vacant("data") {
        root.record_missing("data", "at least one [[data]] section with candles");
    }
    let mut section = DataSection {
        series: Vec::new(),
        finer: Vec::new(),
        marks: Vec::new(),
        points: Vec::new(),
        complete: !readers.is_empty(),
    };
    let mut is_repeated = false;
    let mut resolved = Vec::new();
    for mut reader in readers {
        let log = reader.log();
        let table = match reader.or_default("kind", &KINDS, Kind::Bars(BarsOf::Trades)) {
            Kind::Bars(BarsOf::Trades) => {
                let (read, table) = read_bars(reader, BarsOf::Trades, book, base, frame);
                match read {
                    Some(read) => is_repeated |= !section.add_candles(read, takes_finer, log),
                    None => section.complete = false,
                }
                table
            }
            Kind::Bars(BarsOf::Mark) => {
                let (read, table) = read_bars(reader, BarsOf::Mark, book, base, frame);
                section.marks.extend(read);
                table
            }
            Kind::Points(kind) => {
                let (read, table) = points::read(reader, kind, book, base);
                section.points.extend(read);
                table
            }
            Kind::Other(kind) => {
                // What it would have been is unknown.
                section.complete = false;
                not_implemented(reader, kind)
            }
        };
        resolved.push(toml::Value::Table(table));
    }
    root.put("data", toml::Value::Array(resolved));
    if section.complete && section.series.is_empty() {
        let expected = "a [[data]] section with candles";
        root.record("data", "CFG-DATA-MISSING", "no candles".to_owned(), expected);
    }
    if takes_finer && section.complete && !is_repeated {
        require_finer(root, &section.series, &section.finer, frame);
    }
    points::settle(&mut section, root.log());
    section
}

impl DataSection {
    /// Adds a series of candles, unless its instrument has one; whether that went well.
    fn add_candles(&mut self, mut read: CandleSeries, takes_finer: bool, log: &FaultLog) -> bool {
        let same = |earlier: &&mut CandleSeries| earlier.instrument == read.instrument;
        let Some(earlier) = self.series.iter_mut().find(same) else {
            let place = u16::try_from(self.series.len()).expect("fewer than 65,536 series");
            read.ix = InstrumentIx(place);
            self.series.push(read);
            return true;
        };
        let is_second = self.finer.iter().all(|finer| finer.ix != earlier.ix);
        if takes_finer && is_second && earlier.interval != read.interval {
            read.ix = earlier.ix;
            if read.interval > earlier.interval {
                std::mem::swap(earlier, &mut read);
            }
            self.finer.push(read);
            return true;
        }
        log.record(duplicate(&read, earlier, takes_finer && is_second, takes_finer));
        false
    }
}

fn not_implemented(reader: TableReader<'_>, kind: &str) -> toml::Table {
    let subject = format!("data kind `{kind}`");
    let expected = "\"candles\", \"mark\", \"funding\" or \"price\"";
    let fault = Fault::not_implemented(reader.place("kind"), &subject, expected);
    reader.log().record(fault.key(reader.key_path("kind")));
    // Its other keys mean other things, so nothing can be said of them.
    reader.abandon()
}

/// The fault of a series whose instrument has one already; with `is_second` a finer one would do.
fn duplicate(
    series: &CandleSeries,
    earlier: &CandleSeries,
    is_second: bool,
    takes_finer: bool,
) -> Fault {
    let found = format!("another series of candles of `{}`", series.instrument);
    let expected = match (is_second, takes_finer) {
        (true, _) => {
            format!("one whose candles are not as long as the first's, {}", earlier.interval)
        }
        (false, true) => "one per instrument, and one of finer candles".to_owned(),
        (false, false) => "one per instrument".to_owned(),
    };
    let mut hint = "files that follow each other in time go into one `path = [...]`".to_owned();
    if !takes_finer {
        hint += "; finer candles are for execution.path = \"sub_bars\"";
    }
    let fault = Fault::new("CFG-DATA-DUPLICATE", series.place.clone(), found, expected);
    fault.key(series.key.clone()).hint(hint)
}

/// Whether the run takes bars apart, as `execution.path` says; asked before that section is read.
pub(super) fn takes_sub_bars(root: &TableReader<'_>) -> bool {
    let execution = root.peek("execution").and_then(Node::as_table);
    let path = execution.and_then(|execution| execution.get("path"));
    path.and_then(|entry| entry.node.as_str()) == Some("sub_bars")
}

/// Bars can only be taken apart where some candles are finer than a frame.
fn require_finer(
    root: &TableReader<'_>,
    series: &[CandleSeries],
    finer: &[CandleSeries],
    frame: Interval,
) {
    if finer.is_empty() && series.iter().all(|series| series.interval == frame) {
        let found = format!("no candles finer than a frame, which is {frame}");
        let expected = "finer candles for execution.path = \"sub_bars\"";
        root.record("data", "CFG-DATA-MISSING", found, expected);
    }
}

fn read_bars(
    mut reader: TableReader<'_>,
    of: BarsOf,
    book: &InstrumentBook,
    base: &Path,
    frame: Interval,
) -> (Option<CandleSeries>, toml::Table) {
    let is_mark = of == BarsOf::Mark;
    let instrument = reader.required("of", &Listed(book));
    let place = reader.place("of");
    let paths = reader.required("path", &files(base));
    let time = reader.or_default("time", &LABELS, TimeLabel::Open);
    let interval = reader.or_default("interval", &Length, frame);
    check_length(&reader, of, interval, frame);
    let time_unit = reader.optional("time_unit", &TIME_UNITS);
    let prices = ["time", "open", "high", "low", "close", "volume"];
    let columns = read_columns(&mut reader, if is_mark { &prices[..5] } else { &prices });
    let policies = if is_mark { &HOLE_POLICIES } else { &GAP_POLICIES };
    let gaps = reader.or_default("gaps", policies, GapPolicy::Error);
    let key = reader.key_path("of");
    let series = instrument.map(|instrument| CandleSeries {
        of,
        instrument,
        ix: InstrumentIx(0),
        paths: paths.unwrap_or_default(),
        time,
        interval,
        time_unit,
        columns,
        gaps,
        place,
        key,
    });
    (series, reader.finish())
}

/// Frames are put together from candles; marks may also be rarer than frames.
fn check_length(reader: &TableReader<'_>, of: BarsOf, interval: Interval, frame: Interval) {
    let divides = |long: Interval, short: Interval| long.millis() % short.millis() == 0;
    if divides(frame, interval) || (of == BarsOf::Mark && divides(interval, frame)) {
        return;
    }
    let found = match of {
        BarsOf::Trades => format!("candles of {interval}"),
        BarsOf::Mark => format!("marks of {interval}"),
    };
    let expected = match of {
        BarsOf::Mark => {
            format!("a length that divides that of a frame, {frame}, or a multiple of it")
        }
        BarsOf::Trades if interval > frame => {
            format!("candles no longer than a frame, which is {frame}")
        }
        BarsOf::Trades => format!("a length that divides that of a frame, which is {frame}"),
    };
    reader.record("interval", "CFG-INTERVAL", found, expected);
}

/// One data file, or several that follow each other.
pub(super) const fn files(base: &Path) -> OneOrMany<FilePath<'_>> {
    OneOrMany(FilePath { base, extensions: &["parquet", "csv"] })
}

/// The names of columns; `known` are those that files of the kind have.
pub(super) fn read_columns(reader: &mut TableReader<'_>, known: &[&str]) -> ColumnNames {
    let field = Text("the name of a column in the file");
    let mut columns = reader.table("columns");
    let mut names = ColumnNames::default();
    for key in known {
        *names.of_mut(key) = columns.optional(key, &field);
    }
    let resolved = columns.finish();
    if !resolved.is_empty() {
        reader.put("columns", toml::Value::Table(resolved));
    }
    names
}
