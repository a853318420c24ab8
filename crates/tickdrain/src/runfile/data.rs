//! `[[data]]`: the series that a run reads.

use std::path::{Path, PathBuf};

use model::instrument::{InstrumentId, InstrumentIx};
use model::time::Interval;
use store::candles::{ColumnNames, GapPolicy, SeriesSpec, TimeLabel, TimeUnit};

use super::document::Node;
use super::fault::Fault;
use super::field::{Choice, Length, OneOrMany, Text};
use super::instruments::{InstrumentBook, Listed};
use super::path::FilePath;
use super::place::Place;
use super::reader::TableReader;

/// A series of candles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandleSeries {
    /// Of what.
    pub instrument: InstrumentId,
    /// The place of that instrument in the run's table.
    pub ix: InstrumentIx,
    /// Files, in the order of time; absolute.
    pub paths: Vec<PathBuf>,
    /// What the time column holds.
    pub time: TimeLabel,
    /// Length of a bar; divides the length of a frame.
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
    /// What the reader of candle files needs to know.
    pub fn spec(&self) -> SeriesSpec {
        SeriesSpec {
            instrument: self.ix,
            name: self.instrument.to_string(),
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
    /// Whether none was left out for a fault of its own, so that what is missing is missing indeed.
    pub(super) complete: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Candles,
    Other(&'static str),
}

const KINDS: Choice<'static, Kind> = Choice(&[
    ("candles", Kind::Candles),
    ("mark", Kind::Other("mark")),
    ("funding", Kind::Other("funding")),
    ("lending", Kind::Other("lending")),
    ("staking", Kind::Other("staking")),
    ("price", Kind::Other("price")),
    ("gas", Kind::Other("gas")),
    ("rewards", Kind::Other("rewards")),
    ("predictions", Kind::Other("predictions")),
]);
const LABELS: Choice<'static, TimeLabel> =
    Choice(&[("open", TimeLabel::Open), ("close", TimeLabel::Close)]);
const TIME_UNITS: Choice<'static, TimeUnit> =
    Choice(&[("s", TimeUnit::S), ("ms", TimeUnit::Ms), ("us", TimeUnit::Us), ("ns", TimeUnit::Ns)]);
const GAP_POLICIES: Choice<'static, GapPolicy> = Choice(&[
    ("error", GapPolicy::Error),
    ("skip", GapPolicy::Skip),
    ("synthetic", GapPolicy::Synthetic),
]);

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
    let mut series: Vec<CandleSeries> = Vec::new();
    let mut finer = Vec::new();
    let mut complete = !readers.is_empty();
    let mut is_repeated = false;
    let mut resolved = Vec::new();
    for reader in readers {
        let log = reader.log();
        let (read, table) = read_series(reader, book, base, frame);
        resolved.push(toml::Value::Table(table));
        let Some(mut read) = read else {
            complete = false;
            continue;
        };
        let earlier = series.iter_mut().find(|earlier| earlier.instrument == read.instrument);
        if let Some(earlier) = earlier {
            let is_second = finer.iter().all(|finer: &CandleSeries| finer.ix != earlier.ix);
            if takes_finer && is_second && earlier.interval != read.interval {
                read.ix = earlier.ix;
                if read.interval > earlier.interval {
                    std::mem::swap(earlier, &mut read);
                }
                finer.push(read);
                continue;
            }
            log.record(duplicate(&read, earlier, takes_finer && is_second, takes_finer));
            is_repeated = true;
            continue;
        }
        let place = u16::try_from(series.len()).expect("fewer than 65,536 series");
        read.ix = InstrumentIx(place);
        series.push(read);
    }
    root.put("data", toml::Value::Array(resolved));
    if takes_finer && complete && !is_repeated {
        require_finer(root, &series, &finer, frame);
    }
    DataSection { series, finer, complete }
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

fn read_series(
    mut reader: TableReader<'_>,
    book: &InstrumentBook,
    base: &Path,
    frame: Interval,
) -> (Option<CandleSeries>, toml::Table) {
    match reader.or_default("kind", &KINDS, Kind::Candles) {
        Kind::Candles => {}
        Kind::Other(kind) => {
            let fault = Fault::not_implemented(
                reader.place("kind"),
                &format!("data kind `{kind}`"),
                "\"candles\"",
            );
            reader.log().record(fault.key(reader.key_path("kind")));
            // Its other keys mean other things, so nothing can be said of them.
            return (None, reader.abandon());
        }
    }
    let field = Listed(book);
    let instrument = reader.required("of", &field);
    let place = reader.place("of");
    let files = OneOrMany(FilePath { base, extensions: &["parquet", "csv"] });
    let paths = reader.required("path", &files);
    let time = reader.or_default("time", &LABELS, TimeLabel::Open);
    let interval = reader.or_default("interval", &Length, frame);
    if frame.millis() % interval.millis() != 0 {
        let found = format!("candles of {interval}");
        let expected = if interval > frame {
            format!("candles no longer than a frame, which is {frame}")
        } else {
            format!("a length that divides that of a frame, which is {frame}")
        };
        reader.record("interval", "CFG-INTERVAL", found, expected);
    }
    let time_unit = reader.optional("time_unit", &TIME_UNITS);
    let columns = read_columns(&mut reader);
    let gaps = reader.or_default("gaps", &GAP_POLICIES, GapPolicy::Error);
    let key = reader.key_path("of");
    let series = instrument.map(|instrument| CandleSeries {
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

fn read_columns(reader: &mut TableReader<'_>) -> ColumnNames {
    let field = Text("the name of a column in the file");
    let mut columns = reader.table("columns");
    let mut column = |key: &str| columns.optional(key, &field);
    let names = ColumnNames {
        time: column("time"),
        open: column("open"),
        high: column("high"),
        low: column("low"),
        close: column("close"),
        volume: column("volume"),
    };
    let resolved = columns.finish();
    if !resolved.is_empty() {
        reader.put("columns", toml::Value::Table(resolved));
    }
    names
}
