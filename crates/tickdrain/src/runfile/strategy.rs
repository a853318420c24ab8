//! `[strategy]`: which strategies run, with which parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use model::instrument::{InstrumentIx, InstrumentTable, MarketType};
use model::parameter::{ParameterFault, ParameterKind, ParameterSpec, ParameterValue, Parameters};
use model::strategy::StrategySetup;
use model::time::Interval;

use super::allocation::AllocationTable;
use super::data::{CandleSeries, DataSection};
use super::document::Node;
use super::fault::{Fault, FaultLog};
use super::field::{Field, OneOrMany, Text};
use super::instruments::{InstrumentBook, Listed};
use super::parameter::{Scalar, TextFile, default_value};
use super::path::FilePath;
use super::place::{Place, Source};
use super::reader::TableReader;
use super::risk::RiskConfig;
use super::venues::VenueBook;
use crate::catalog::{Catalog, CatalogEntry};

/// A strategy of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrategyConfig {
    /// What its orders, fills and trades carry; unique in the run.
    pub id: String,
    /// Its name in the catalogue.
    pub kind: &'static str,
    /// Its parameters, defaults included.
    pub parameters: Parameters,
}

/// What strategies are read against: the rest of the run.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) book: &'a InstrumentBook,
    pub(super) venues: &'a VenueBook,
    pub(super) risk: &'a RiskConfig,
    pub(super) data: &'a DataSection,
    pub(super) table: &'a InstrumentTable,
    pub(super) share_class: Option<&'a str>,
    pub(super) interval: Interval,
    pub(super) base: &'a Path,
}

/// Reads all `[strategy]`.
pub(super) fn read(
    root: &mut TableReader<'_>,
    catalog: &Catalog,
    scope: Scope<'_>,
) -> Vec<StrategyConfig> {
    let readers = root.tables("strategy");
    if root.is_vacant("strategy") {
        if catalog.is_optional() {
            return Vec::new();
        }
        root.record_missing("strategy", "a [strategy] section with kind = \"…\"");
    }
    // An id that is given to one strategy is no default of another.
    let given: BTreeSet<&str> =
        readers.iter().filter_map(|reader| reader.peek("id")?.as_str()).collect();
    let mut taken = BTreeSet::new();
    let mut strategies = Vec::new();
    let mut resolved = Vec::new();
    let mut trades_anything = false;
    for mut reader in readers {
        let Some(entry) = read_kind(&mut reader, catalog) else {
            reader.abandon();
            continue;
        };
        trades_anything |= !entry.names_instruments();
        let id = read_id(&mut reader, entry.name(), &given, &mut taken);
        let faults_before = reader.log().len();
        let parameters = read_parameters(&mut reader, entry.parameters(), scope);
        check_target_ltv(&reader, &parameters, scope.risk);
        if reader.log().len() == faults_before && scope.data.complete {
            check_build(&reader, entry, &parameters, scope);
        }
        strategies.push(StrategyConfig { id, kind: entry.name(), parameters });
        resolved.push(toml::Value::Table(reader.finish()));
    }
    if trades_anything {
        scope.data.series.iter().for_each(|series| record_untradable(root, scope, series));
    }
    let resolved = match <[toml::Value; 1]>::try_from(resolved) {
        Ok([only]) => only,
        Err(several) => toml::Value::Array(several),
    };
    root.put("strategy", resolved);
    strategies
}

fn read_kind<'c>(reader: &mut TableReader<'_>, catalog: &'c Catalog) -> Option<&'c CatalogEntry> {
    let kind = reader.required("kind", &Text("the name of a strategy"))?;
    let entry = catalog.get(&kind);
    if entry.is_none() {
        let names: Vec<&str> = catalog.names().collect();
        let expected = format!("one of {}", names.join(", "));
        let found = format!("the unknown strategy `{kind}`");
        let fault = Fault::new("CFG-STRATEGY", reader.place("kind"), found, expected);
        reader.log().record(fault.key(reader.key_path("kind")).hint_nearest(&kind, names));
    }
    entry
}

/// The id as given, else the kind, with a number if that is taken.
fn read_id(
    reader: &mut TableReader<'_>,
    kind: &str,
    given: &BTreeSet<&str>,
    taken: &mut BTreeSet<String>,
) -> String {
    let free = |id: &String| !taken.contains(id) && !given.contains(id.as_str());
    let mut numbered = (2..).map(|number| format!("{kind}-{number}"));
    let default = Some(kind.to_owned())
        .filter(free)
        .or_else(|| numbered.find(free))
        .expect("there are more numbers than strategies");
    let id = reader.or_default("id", &Text("a name for the strategy's orders"), default);
    if !taken.insert(id.clone()) {
        let found = format!("the id `{id}` for the second time");
        reader.record("id", "CFG-STRATEGY-ID", found, "an id of its own for every strategy");
    }
    id
}

fn read_parameters(
    reader: &mut TableReader<'_>,
    specs: &'static [ParameterSpec],
    scope: Scope<'_>,
) -> Parameters {
    let mut parameters = Parameters::default();
    for spec in specs {
        let value = match spec.kind {
            ParameterKind::Instruments => {
                read_instruments(reader, spec.name, scope).map(ParameterValue::Instruments)
            }
            ParameterKind::File => {
                let field = TextFile(FilePath { base: scope.base, extensions: &[] });
                let file = reader.required(spec.name, &field);
                file.map(|(path, text)| ParameterValue::File { path, text })
            }
            ParameterKind::Allocation => {
                let field = AllocationTable(scope.venues);
                let shares = match default_value(spec) {
                    Some(ParameterValue::Allocation(default)) => {
                        Some(reader.or_default(spec.name, &field, default))
                    }
                    _ => reader.required(spec.name, &field),
                };
                shares.map(ParameterValue::Allocation)
            }
            ParameterKind::Integer { .. }
            | ParameterKind::Decimal { .. }
            | ParameterKind::Size
            | ParameterKind::Choice(_)
            | ParameterKind::Flag => match default_value(spec) {
                Some(default) => Some(reader.or_default(spec.name, &Scalar(spec), default)),
                None => reader.required(spec.name, &Scalar(spec)),
            },
        };
        if let Some(value) = value {
            parameters.set(spec.name, value);
        }
    }
    parameters
}

/// A target LTV must not be a reason to act against itself (D65).
fn check_target_ltv(reader: &TableReader<'_>, parameters: &Parameters, risk: &RiskConfig) {
    let name = "target_ltv";
    let given = parameters.iter().find(|(known, _)| *known == name);
    let Some((_, ParameterValue::Decimal(target))) = given else { return };
    if let Some((found, expected)) = risk.target_ltv_fault(*target) {
        reader.record(name, "CFG-RISK-TARGET", found, expected);
    }
}

/// The instruments as given, else the only one that can be traded.
fn read_instruments(
    reader: &mut TableReader<'_>,
    name: &str,
    scope: Scope<'_>,
) -> Option<Vec<InstrumentIx>> {
    let field = Traded(scope);
    let list = |instruments: &[InstrumentIx]| {
        toml::Value::Array(instruments.iter().map(|ix| field.write(ix)).collect())
    };
    if reader.node(name).is_some() {
        let instruments = reader.optional(name, &OneOrMany(field))?;
        reader.put(name, list(&instruments));
        let distinct: BTreeSet<InstrumentIx> = instruments.iter().copied().collect();
        if distinct.len() < instruments.len() {
            let found = "an instrument for the second time".to_owned();
            reader.record(name, "CFG-VALUE", found, "every instrument once");
        }
        return Some(instruments);
    }
    let trades = |ix: &InstrumentIx| is_traded(scope.table.instrument(*ix).id.market);
    let tradable: Vec<InstrumentIx> =
        scope.data.series.iter().map(|series| series.ix).filter(trades).collect();
    let &[only] = tradable.as_slice() else {
        if tradable.is_empty() {
            scope.data.series.iter().for_each(|series| record_untradable(reader, scope, series));
        } else if scope.data.complete {
            let count = tradable.len();
            let expected = format!("a list of instruments, since the run has candles of {count}");
            reader.record_missing(name, expected);
        }
        return None;
    };
    reader.put(name, list(&[only]));
    record_untradable(reader, scope, &scope.data.series[only.index()]);
    Some(vec![only])
}

/// Records, where the run file names the series, that its instrument cannot be traded, if so.
fn record_untradable(reader: &TableReader<'_>, scope: Scope<'_>, series: &CandleSeries) {
    if let Err(fault) = check_tradable(scope, series.ix) {
        reader.log().record(fault.placed(series.place.clone()).key(series.key.clone()));
    }
}

/// Builds the strategy once, only to hear what it has to say about its parameters.
fn check_build(
    reader: &TableReader<'_>,
    entry: &CatalogEntry,
    parameters: &Parameters,
    scope: Scope<'_>,
) {
    let setup = StrategySetup { parameters, instruments: scope.table, interval: scope.interval };
    let Err(error) = entry.build(&setup) else { return };
    let log: &FaultLog = reader.log();
    // Each file once, however many faults it has.
    let mut sources = BTreeMap::new();
    for ParameterFault { parameter, line, found, expected } in error.faults() {
        let file = parameters.iter().find(|(name, _)| name == parameter);
        let place = match (line, file) {
            (Some(line), Some((_, ParameterValue::File { path, text }))) => {
                let source = *sources.entry(*parameter).or_insert_with(|| {
                    let name = path.display().to_string();
                    log.add_source(Source { name, text: text.to_string() })
                });
                log.line(source, *line)
            }
            _ => reader.place(parameter),
        };
        let fault = Fault::new("CFG-VALUE", place, found.clone(), expected.clone());
        log.record(fault.key(reader.key_path(parameter)));
    }
}

/// Whether a strategy can trade an instrument of the run; the fault has no place yet.
fn check_tradable(scope: Scope<'_>, ix: InstrumentIx) -> Result<(), Box<Fault>> {
    let instrument = scope.table.instrument(ix);
    let id = &instrument.id;
    let place = Place::RUN_FILE;
    if !is_traded(id.market) {
        let subject = format!("trading `{id}` on a {} market", id.market.name());
        let expected = "a spot instrument or a perpetual";
        return Err(Fault::not_implemented(place, &subject, expected).into());
    }
    if !instrument.is_trading {
        let found = format!("`{id}`, which does not trade");
        let expected = "an instrument with trading = true";
        return Err(Fault::new("CFG-INSTRUMENT", place, found, expected).into());
    }
    let Some(share_class) = scope.share_class else { return Ok(()) };
    for asset in [instrument.cash_asset(), &*instrument.base] {
        let is_held = !instrument.is_perpetual() || asset == instrument.cash_asset();
        let priced = scope.table.conversion(&id.venue, asset, share_class).is_some();
        if is_held && !priced {
            let found =
                format!("{asset} of `{id}`, which nothing in the run prices in {share_class}");
            let expected =
                format!("[[data]] of spot instruments between {asset} and {share_class}");
            return Err(Fault::new("CFG-PRICE-PATH", place, found, expected).into());
        }
    }
    Ok(())
}

const fn is_traded(market: MarketType) -> bool {
    matches!(market, MarketType::Spot | MarketType::Perp)
}

/// An instrument that the run has candles of and that can be traded.
#[derive(Clone, Copy)]
struct Traded<'a>(Scope<'a>);

impl Field for Traded<'_> {
    type Value = InstrumentIx;

    fn expected(&self) -> String {
        "an instrument with candles in [[data]]".to_owned()
    }

    fn read(&self, node: &Node) -> Result<InstrumentIx, Vec<Fault>> {
        let Self(scope) = self;
        let id = Listed(scope.book).read(node)?;
        let Some(series) = scope.data.series.iter().find(|series| series.instrument == id) else {
            // A series that was left out for its own fault may be the one that is missing here.
            let fault = Fault::new(
                "CFG-DATA-MISSING",
                node.place.clone(),
                format!("`{id}`, of which the run has no candles"),
                self.expected(),
            );
            return Err(if scope.data.complete { vec![fault] } else { Vec::new() });
        };
        check_tradable(*scope, series.ix)
            .map(|()| series.ix)
            .map_err(|fault| vec![fault.placed(node.place.clone())])
    }

    fn write(&self, value: &InstrumentIx) -> toml::Value {
        toml::Value::String(self.0.table.instrument(*value).id.to_string())
    }
}
