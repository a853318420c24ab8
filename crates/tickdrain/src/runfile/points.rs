//! `[[data]]` of kinds that are no candles: funding and prices, and what marks and funding are of.

use std::path::{Path, PathBuf};

use model::instrument::{InstrumentId, InstrumentIx, MarketType, PriceSeries, SeriesIx};
use model::key::PositionKey;
use model::time::Interval;
use store::candles::{ColumnNames, GapPolicy, TimeUnit};
use store::points::{PointSpec, PointsOf};

use super::data::{CandleSeries, DataSection, HOLE_POLICIES, TIME_UNITS, files, read_columns};
use super::document::Node;
use super::fault::{Fault, FaultLog};
use super::field::{Field, Length, wrong};
use super::instruments::{InstrumentBook, Listed};
use super::place::Place;
use super::reader::TableReader;

/// Usual distance of funding events: three a day.
const FUNDING_MS: i64 = 8 * 3_600_000;

/// Which points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PointKind {
    Funding,
    Price,
}

/// Of what the points of a series are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Funding of this perpetual.
    Funding(InstrumentId),
    /// These prices.
    Price(PriceSeries),
}

/// A series of funding events or of prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointSeries {
    /// Of what.
    pub subject: Subject,
    /// The place of that in the run's table.
    pub of: PointsOf,
    /// Files, in the order of time; absolute.
    pub paths: Vec<PathBuf>,
    /// Usual distance of two points; prices need not have one.
    pub interval: Option<Interval>,
    /// Unit of times that are whole numbers; `None` if the file must say itself.
    pub time_unit: Option<TimeUnit>,
    /// Names of columns.
    pub columns: ColumnNames,
    /// What to do where points are missing.
    pub gaps: GapPolicy,
    place: Place,
    key: String,
}

impl PointSeries {
    /// What people call it.
    pub fn name(&self) -> String {
        match &self.subject {
            Subject::Funding(instrument) => format!("{instrument} funding"),
            Subject::Price(series) => name_of(series),
        }
    }

    /// The kind of data, and of what it is, as a run file names them.
    pub fn kind_and_subject(&self) -> (&'static str, String) {
        match &self.subject {
            Subject::Funding(instrument) => ("funding", instrument.to_string()),
            Subject::Price(series) => ("price", name_of(series)),
        }
    }

    /// What the reader of such files needs to know.
    pub fn spec(&self) -> PointSpec {
        PointSpec {
            of: self.of,
            name: self.name(),
            paths: self.paths.clone(),
            interval: self.interval,
            time_unit: self.time_unit,
            columns: self.columns.clone(),
            gaps: self.gaps,
        }
    }
}

/// Reads one section; `None` if it does not say of what.
pub(super) fn read(
    mut reader: TableReader<'_>,
    kind: PointKind,
    book: &InstrumentBook,
    base: &Path,
) -> (Option<PointSeries>, toml::Table) {
    let place = reader.place("of");
    let key = reader.key_path("of");
    let subject = match kind {
        PointKind::Funding => reader.required("of", &Listed(book)).map(Subject::Funding),
        PointKind::Price => reader.required("of", &PriceName).map(Subject::Price),
    };
    let paths = reader.required("path", &files(base));
    let interval = match kind {
        PointKind::Funding => {
            let usual = Interval::from_millis(FUNDING_MS).expect("more than nothing");
            Some(reader.or_default("interval", &Length, usual))
        }
        PointKind::Price => reader.optional("interval", &Length),
    };
    let time_unit = reader.optional("time_unit", &TIME_UNITS);
    let columns: &[&str] = match kind {
        PointKind::Funding => &["time", "rate", "mark_price"],
        PointKind::Price => &["time", "price"],
    };
    let columns = read_columns(&mut reader, columns);
    let gaps = reader.or_default("gaps", &HOLE_POLICIES, GapPolicy::Error);
    let series = subject.map(|subject| PointSeries {
        subject,
        // Known when all sections have been read.
        of: PointsOf::Price(SeriesIx(0)),
        paths: paths.unwrap_or_default(),
        interval,
        time_unit,
        columns,
        gaps,
        place,
        key,
    });
    (series, reader.finish())
}

/// Gives marks and points their places in the run's table, and leaves out those that have none.
pub(super) fn settle(section: &mut DataSection, log: &FaultLog) {
    let perpetuals = Perpetuals { candles: &section.series, complete: section.complete, log };
    let mut marks: Vec<CandleSeries> = Vec::new();
    for mut read in section.marks.drain(..) {
        if marks.iter().any(|earlier| earlier.instrument == read.instrument) {
            log.record(duplicate(&read.name(), &read.place, &read.key));
        } else if let Some(ix) = perpetuals.find(&read.instrument, &read.place, &read.key) {
            read.ix = ix;
            marks.push(read);
        }
    }
    section.marks = marks;
    let mut points: Vec<PointSeries> = Vec::new();
    let mut prices = 0;
    for mut read in section.points.drain(..) {
        if points.iter().any(|earlier| earlier.subject == read.subject) {
            log.record(duplicate(&read.name(), &read.place, &read.key));
            continue;
        }
        read.of = match &read.subject {
            Subject::Funding(instrument) => {
                let found = perpetuals.find(instrument, &read.place, &read.key);
                let Some(ix) = found else { continue };
                PointsOf::Funding(ix)
            }
            Subject::Price(_) => {
                prices += 1;
                PointsOf::Price(SeriesIx(prices - 1))
            }
        };
        points.push(read);
    }
    section.points = points;
}

/// The instruments that can have marks and funding.
struct Perpetuals<'a> {
    candles: &'a [CandleSeries],
    complete: bool,
    log: &'a FaultLog,
}

impl Perpetuals<'_> {
    fn find(&self, instrument: &InstrumentId, place: &Place, key: &str) -> Option<InstrumentIx> {
        if instrument.market != MarketType::Perp {
            let found = format!("`{instrument}`, which is no perpetual");
            let fault = Fault::new("CFG-INSTRUMENT", place.clone(), found, "a perpetual");
            self.log.record(fault.key(key));
            return None;
        }
        let series = self.candles.iter().find(|series| series.instrument == *instrument);
        if series.is_none() && self.complete {
            let found = format!("`{instrument}`, of which the run has no candles");
            let expected = "an instrument with candles in [[data]]";
            let fault = Fault::new("CFG-DATA-MISSING", place.clone(), found, expected);
            self.log.record(fault.key(key));
        }
        series.map(|series| series.ix)
    }
}

fn duplicate(name: &str, place: &Place, key: &str) -> Fault {
    let found = format!("another series of `{name}`");
    let fault = Fault::new("CFG-DATA-DUPLICATE", place.clone(), found, "every series once");
    fault.key(key).hint("files that follow each other in time go into one `path = [...]`")
}

fn name_of(series: &PriceSeries) -> String {
    format!("{}:{}/{}", series.source, series.base, series.quote)
}

/// `source:BASE/QUOTE`.
#[derive(Clone, Copy, Debug)]
struct PriceName;

impl Field for PriceName {
    type Value = PriceSeries;

    fn expected(&self) -> String {
        "source:BASE/QUOTE, such as \"dex:weETH/ETH\"".to_owned()
    }

    fn read(&self, node: &Node) -> Result<PriceSeries, Vec<Fault>> {
        let parsed = node.as_str().and_then(|text| {
            let (source, pair) = text.split_once(':')?;
            let (base, quote) = pair.split_once('/')?;
            // Sources are named like venues, and assets as position keys name them.
            let sound = |asset| PositionKey::base_token(source, asset).is_ok();
            (sound(base) && sound(quote) && base != quote).then(|| PriceSeries {
                source: source.into(),
                base: base.into(),
                quote: quote.into(),
            })
        });
        parsed.ok_or_else(|| vec![wrong(self, node)])
    }

    fn write(&self, value: &PriceSeries) -> toml::Value {
        toml::Value::String(name_of(value))
    }
}
