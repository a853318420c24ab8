//! A run as validated: what the run file says, every default filled in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use model::Decimal;
use model::instrument::{InstrumentIx, InstrumentTable};
use model::key::{PositionKey, PositionType};
use model::parameter::ParameterError;
use model::strategy::{Strategy, StrategySetup};
use model::time::{Interval, UtcMillis};
use store::feed::Align;

use super::data::{self, CandleSeries, DataSection};
use super::document;
use super::execution::{self, ExecutionConfig};
use super::fault::{Fault, FaultClass, FaultLog, Faults};
use super::field::{Choice, Instant, Length, Text};
use super::initial;
use super::instruments::{InstrumentBook, Listed};
use super::key::KeyRules;
use super::number::Whole;
use super::options::{self, AuditLevel, EngineConfig, ResultsConfig};
use super::overrides;
use super::place::{Place, Source};
use super::pnl::{self, PnlConfig};
use super::points::PointSeries;
use super::reader::TableReader;
use super::risk::{self, RiskConfig};
use super::semantic;
use super::settlement;
use super::strategy::{self, Scope, StrategyConfig};
use super::subscriptions::{self, Subscriptions};
use super::table;
use super::transfers::{self, TransferConfig};
use super::venues::VenueBook;
use crate::catalog::Catalog;
use crate::registry::{Asset, InstrumentEntry, Registry};

const ALIGNS: Choice<'static, Align> = Choice(&[("outer", Align::Outer), ("inner", Align::Inner)]);

/// What a stable coin is worth in its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peg {
    /// One.
    Fixed,
    /// What a series of prices says.
    Series,
}

const PEGS: Choice<'static, Peg> = Choice(&[("fixed", Peg::Fixed), ("series", Peg::Series)]);

/// Order of the sections in a resolved run file.
const ORDER: [&str; 23] = [
    "name",
    "share_class",
    "peg",
    "start",
    "end",
    "interval",
    "align",
    "warmup",
    "benchmark",
    "seed",
    "position_subscriptions",
    "initial",
    "instruments",
    "data",
    "venues",
    "execution",
    "transfers",
    "strategy",
    "risk",
    "pnl",
    "audit",
    "results",
    "engine",
];

/// A run file as validated.
#[derive(Clone, Debug)]
pub struct RunConfig {
    /// Name of the run, for people; by default that of the file.
    pub name: String,
    /// Asset in which equity and profit are stated.
    pub share_class: Box<str>,
    /// Bars count that open at or after this instant.
    pub start: Option<UtcMillis>,
    /// Bars count that close at or before this instant.
    pub end: Option<UtcMillis>,
    /// Length of a frame.
    pub interval: Interval,
    /// Which frames there are.
    pub align: Align,
    /// Frames before `start` that are seen, but not traded in.
    pub warmup: u32,
    /// What the result is compared with; has candles.
    pub benchmark: Option<InstrumentIx>,
    /// Seed of all random streams.
    pub seed: u64,
    /// Holdings at the start, in the order of the keys; no amount is negative.
    pub initial: Vec<(PositionKey, Decimal)>,
    /// Every position that the run may touch, in canonical order; `None` if the run file leaves that to
    /// its instruments and holdings.
    pub position_subscriptions: Option<Vec<PositionKey>>,
    /// Instruments of the run: those of `data` in its order, then others that the run file declares.
    /// The keys of `initial` are in it too.
    pub instruments: InstrumentTable,
    /// What registry and run file say of each of `instruments`, in their order: funding interval,
    /// margin tiers and the rest that the table does not hold.
    pub instrument_entries: Vec<InstrumentEntry>,
    /// Series of candles; series *i* is that of instrument *i*.
    pub data: Vec<CandleSeries>,
    /// Series of finer candles of some of these instruments, which say what happened inside bars.
    pub finer_data: Vec<CandleSeries>,
    /// Series of mark prices of some of these instruments.
    pub marks: Vec<CandleSeries>,
    /// Funding of some of these instruments, and prices; the *n*th price is series *n* of
    /// `instruments`.
    pub points: Vec<PointSeries>,
    /// Venues, with fees as the run file has them.
    pub venues: VenueBook,
    /// How orders fill.
    pub execution: ExecutionConfig,
    /// Limits, and what happens beyond them.
    pub risk: RiskConfig,
    /// How profit is attributed.
    pub pnl: PnlConfig,
    /// How long transfers take and what they cost.
    pub transfers: TransferConfig,
    /// What stable coins are worth.
    pub peg: Peg,
    /// Strategies, in the order in which they decide; at least one.
    pub strategies: Vec<StrategyConfig>,
    /// How much the audit log keeps.
    pub audit: AuditLevel,
    /// What is written beside the log.
    pub results: ResultsConfig,
    /// Limits and sizes of the engine.
    pub engine: EngineConfig,
    /// What is odd about the run file without being wrong; may be empty.
    pub warnings: Faults,
    resolved: toml::Table,
}

impl RunConfig {
    /// Reads a run file with overrides (`key=value`).
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, all at once.
    pub fn load(path: &Path, overrides: &[String], catalog: &Catalog) -> Result<Self, Faults> {
        let name = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| {
            let source = Source { name: name.clone(), text: String::new() };
            let fault = Fault::new("CFG-FILE", Place::RUN_FILE, error.to_string(), "a run file")
                .headline(format!("cannot read the run file: {error}"));
            let content = error.kind() == io::ErrorKind::InvalidData;
            let class = if content { FaultClass::Config } else { FaultClass::Io };
            Faults::one(source, fault.class(class))
        })?;
        let base = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Self::from_str(&name, &text, base.unwrap_or(Path::new(".")), overrides, catalog)
    }

    /// Reads the text of a run file whose paths are relative to `base`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, all at once.
    pub fn from_str(
        source_name: &str,
        text: &str,
        base: &Path,
        overrides: &[String],
        catalog: &Catalog,
    ) -> Result<Self, Faults> {
        let log = FaultLog::new(Source { name: source_name.to_owned(), text: text.to_owned() });
        let mut tree = document::parse(text, &log);
        let readable = log.is_empty();
        for argument in overrides {
            overrides::apply(&mut tree, argument, &log);
        }
        if !readable {
            // What is left of a broken text would only yield faults that are not there.
            return Err(log.into_faults());
        }
        let name = Path::new(source_name).file_stem().and_then(|stem| stem.to_str());
        let root = TableReader::new(&tree, Place::RUN_FILE, String::new(), &log);
        let config = read(root, name.unwrap_or("run"), base, catalog);
        match config {
            Some(mut config) if log.is_empty() => {
                config.warnings = log.into_warnings();
                Ok(config)
            }
            _ => Err(log.into_faults()),
        }
    }

    /// The run file as resolved: every default written out, every path absolute.
    ///
    /// Read again, it gives this configuration.
    pub const fn resolved(&self) -> &toml::Table {
        &self.resolved
    }

    /// The resolved run file without names, paths and output options, in canonical order: what the
    /// run id is made of, beside the hashes of data and registry.
    pub fn semantic_toml(&self) -> String {
        semantic::semantic_toml(&self.resolved, &self.strategies)
    }

    /// All series of bars: those of frames first, then finer ones, then marks.
    pub fn all_series(&self) -> impl Iterator<Item = &CandleSeries> {
        self.data.iter().chain(&self.finer_data).chain(&self.marks)
    }

    /// The files of every series, in the order in which the feed tells of them.
    pub fn all_files(&self) -> impl Iterator<Item = &[PathBuf]> {
        let bars = self.all_series().map(|series| &*series.paths);
        bars.chain(self.points.iter().map(|series| &*series.paths))
    }

    /// Builds the strategies, in their order.
    ///
    /// # Errors
    ///
    /// A parameter that does not fit the others: none, when `catalog` is the one that the run file
    /// was read with.
    ///
    /// # Panics
    ///
    /// If `catalog` lacks a strategy that the run file was read with.
    pub fn build_strategies(
        &self,
        catalog: &Catalog,
    ) -> Result<Vec<Box<dyn Strategy>>, ParameterError> {
        self.strategies
            .iter()
            .map(|strategy| {
                let entry =
                    catalog.get(strategy.kind).expect("the catalogue that it was read with");
                entry.build(&StrategySetup {
                    parameters: &strategy.parameters,
                    instruments: &self.instruments,
                    interval: self.interval,
                })
            })
            .collect()
    }
}

/// Whether a run keeps a key's balance; those of other types wait for venues that hold them.
const fn is_booked(key: &PositionKey) -> bool {
    matches!(key.kind(), PositionType::BaseToken | PositionType::Transit)
}

/// Reads the whole tree; `None` only after a fault.
fn read(
    mut root: TableReader<'_>,
    default_name: &str,
    base: &Path,
    catalog: &Catalog,
) -> Option<RunConfig> {
    let registry = Registry::built_in();
    let log = root.log();
    // Asked for in advance, so that a fault lists them in this order.
    for key in ORDER {
        root.node(key);
    }
    let name = root.or_default("name", &Text("a name for the run"), default_name.to_owned());
    let (start, end) = read_window(&mut root);
    let book = InstrumentBook::read(&mut root, registry, start.or(end));
    let share_class = read_share_class(&mut root, &book);
    let interval = root.or_default("interval", &Length, Interval::HOUR);
    let align = root.or_default("align", &ALIGNS, Align::Outer);
    let warmup = root.or_default("warmup", &Whole { min: 0, max: i64::from(u32::MAX) }, 0);
    let peg = root.or_default("peg", &PEGS, Peg::Fixed);
    let seed = root.or_default("seed", &Whole { min: 0, max: i64::MAX }, 0);
    let takes_finer = data::takes_sub_bars(&root);
    let data = data::read(&mut root, &book, base, interval, takes_finer);
    let used = table::used_instruments(&data, &book);
    let venues = VenueBook::read(&mut root, registry, &used, catalog.models());
    let mut table = table::instrument_table(&used, &data, &book, &venues, log);
    let benchmark = read_benchmark(&mut root, &book, &data);
    if start.is_some() {
        table::record_changes(&data, &book, end, log);
    }
    let rules = KeyRules { venues: &venues, book: &book, registry };
    let holdings = initial::read(&mut root, rules);
    let subscriptions = subscriptions::read(&mut root, rules);
    let execution = execution::read(&mut root, catalog.models());
    let risk = risk::read(&mut root);
    let transfers = transfers::read(&mut root, &venues);
    // Before the strategies are read, which may name any of them.
    let subscribed = subscriptions.iter().flat_map(Subscriptions::keys);
    for key in subscribed.filter(|key| is_booked(key)) {
        table.add_key(key.clone());
    }
    for holding in &holdings {
        table.add_key(holding.key.clone());
    }
    for key in transfers.transits(&table) {
        table.add_key(key);
    }
    let scope = Scope {
        book: &book,
        venues: &venues,
        risk: &risk,
        data: &data,
        table: &table,
        share_class: share_class.as_deref(),
        interval,
        base,
    };
    let strategies = strategy::read(&mut root, catalog, scope);
    settlement::check(
        &root,
        &data,
        &table,
        &venues,
        settlement::demanded(&strategies, catalog),
        log,
    );
    if let (Some(share_class), true) = (&share_class, data.complete) {
        initial::check_price_paths(&holdings, &table, share_class, log);
        if let Some(subscriptions) = &subscriptions {
            subscriptions.check_price_paths(rules, &table, share_class, log);
        }
    }
    if let Some(subscriptions) = &subscriptions {
        subscriptions.check_companions(rules, log);
        subscriptions.check_cover(&data.series, &table, &holdings, log);
    }
    Some(RunConfig {
        name,
        start,
        end,
        interval,
        align,
        warmup: u32::try_from(warmup).expect("a count within its limits"),
        benchmark,
        seed: u64::try_from(seed).expect("a seed is not negative"),
        position_subscriptions: subscriptions.map(|listed| listed.keys().cloned().collect()),
        initial: holdings.into_iter().map(|holding| (holding.key, holding.amount)).collect(),
        instruments: table,
        instrument_entries: used.iter().filter_map(|id| book.get(id).cloned()).collect(),
        data: data.series,
        finer_data: data.finer,
        marks: data.marks,
        points: data.points,
        venues,
        execution,
        risk,
        pnl: pnl::read(&mut root),
        transfers,
        peg,
        strategies,
        audit: options::read_audit(&mut root),
        results: options::read_results(&mut root),
        engine: options::read_engine(&mut root),
        warnings: Faults::NONE,
        resolved: in_order(root.finish()),
        share_class: share_class?.into(),
    })
}

fn in_order(mut table: toml::Table) -> toml::Table {
    ORDER.iter().filter_map(|key| Some(((*key).to_owned(), table.remove(*key)?))).collect()
}

fn read_share_class(root: &mut TableReader<'_>, book: &InstrumentBook) -> Option<String> {
    let asset = root.required("share_class", &Asset)?;
    let known = book.assets(None);
    if !known.contains(asset.as_str()) {
        let found = format!("the unknown asset `{asset}`");
        let expected = "an asset of the registry or of [[instruments]]";
        let fault = Fault::new("CFG-ASSET", root.place("share_class"), found, expected);
        root.log().record(fault.key("share_class").hint_nearest(&asset, known));
        return None;
    }
    Some(asset)
}

fn read_window(root: &mut TableReader<'_>) -> (Option<UtcMillis>, Option<UtcMillis>) {
    let (start, end) = (root.optional("start", &Instant), root.optional("end", &Instant));
    if let (Some(start), Some(end)) = (start, end)
        && start >= end
    {
        let found = format!("an empty window: {end} is not after {start}");
        root.record("end", "CFG-WINDOW", found, "an end after the start");
    }
    (start, end)
}

fn read_benchmark(
    root: &mut TableReader<'_>,
    book: &InstrumentBook,
    data: &DataSection,
) -> Option<InstrumentIx> {
    let id = root.optional("benchmark", &Listed(book))?;
    let fault = Fault::not_implemented(
        root.place("benchmark"),
        "a comparison with a benchmark",
        "no benchmark",
    );
    root.log().record(fault.key("benchmark"));
    let series = data.series.iter().find(|series| series.instrument == id);
    if series.is_none() && data.complete {
        let found = format!("`{id}`, of which the run has no candles");
        root.record(
            "benchmark",
            "CFG-DATA-MISSING",
            found,
            "an instrument with candles in [[data]]",
        );
    }
    series.map(|series| series.ix)
}
