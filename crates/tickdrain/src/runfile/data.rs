//! `[[data]]`: the series that a run reads.

use std::path::{Path, PathBuf};

use model::instrument::{InstrumentId, InstrumentIx};
use model::time::Interval;

use super::fault::Fault;
use super::field::{Choice, Length, OneOrMany, Text};
use super::instruments::{InstrumentBook, Listed};
use super::path::FilePath;
use super::place::Place;
use super::reader::TableReader;

/// What the time column of a candle file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarTime {
    /// The instant at which the bar opened.
    Open,
    /// The instant at which it closed.
    Close,
}

/// Unit of times that are whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// Seconds since the epoch.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

/// What to do where bars are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapPolicy {
    /// The run ends.
    Error,
    /// There is no bar.
    Skip,
    /// There is a bar without volume, in which nothing fills.
    Synthetic,
}

/// Names of columns, where they are not the usual ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnNames {
    /// Time of the bar.
    pub time: Option<String>,
    /// First price.
    pub open: Option<String>,
    /// Highest price.
    pub high: Option<String>,
    /// Lowest price.
    pub low: Option<String>,
    /// Last price.
    pub close: Option<String>,
    /// Base units traded.
    pub volume: Option<String>,
}

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
    pub time: BarTime,
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

/// All series of a run.
#[derive(Clone, Debug)]
pub(super) struct DataSection {
    /// Those of known instruments, no instrument twice.
    pub(super) series: Vec<CandleSeries>,
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
const BAR_TIMES: Choice<'static, BarTime> =
    Choice(&[("open", BarTime::Open), ("close", BarTime::Close)]);
const TIME_UNITS: Choice<'static, TimeUnit> = Choice(&[
    ("s", TimeUnit::Seconds),
    ("ms", TimeUnit::Millis),
    ("us", TimeUnit::Micros),
    ("ns", TimeUnit::Nanos),
]);
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
) -> DataSection {
    let readers = root.tables("data");
    if root.is_vacant("data") {
        root.record_missing("data", "at least one [[data]] section with candles");
    }
    let mut series: Vec<CandleSeries> = Vec::new();
    let mut complete = !readers.is_empty();
    let mut resolved = Vec::new();
    for reader in readers {
        let log = reader.log();
        let (read, table) = read_series(reader, book, base, frame);
        resolved.push(toml::Value::Table(table));
        let Some(mut read) = read else {
            complete = false;
            continue;
        };
        if series.iter().any(|earlier| earlier.instrument == read.instrument) {
            let found = format!("a second series of candles of `{}`", read.instrument);
            let fault =
                Fault::new("CFG-DATA-DUPLICATE", read.place.clone(), found, "one per instrument");
            log.record(
                fault
                    .key(read.key)
                    .hint("files that follow each other in time go into one `path = [...]`"),
            );
            continue;
        }
        let place = u16::try_from(series.len()).expect("fewer than 65,536 series");
        read.ix = InstrumentIx(place);
        series.push(read);
    }
    root.put("data", toml::Value::Array(resolved));
    DataSection { series, complete }
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
    let time = reader.or_default("time", &BAR_TIMES, BarTime::Open);
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
