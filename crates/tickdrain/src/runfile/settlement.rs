//! Whether the run has the data that its positions are settled with.

use model::instrument::InstrumentTable;

use super::data::DataSection;
use super::document::{Node, TableNode};
use super::fault::{Fault, FaultLog};
use super::reader::TableReader;
use super::strategy::StrategyConfig;
use super::venues::VenueBook;
use crate::catalog::{Catalog, CatalogEntry};

/// Checks that perpetuals with candles have funding data too: a run without them holds for nothing.
///
/// That is a warning; it is a fault if the venue has `require_funding`, or if a strategy lives on
/// funding, whose name `demanded` then is.
pub(super) fn check(
    root: &TableReader<'_>,
    data: &DataSection,
    table: &InstrumentTable,
    venues: &VenueBook,
    demanded: Option<&str>,
    log: &FaultLog,
) {
    let funded = funded(root);
    for series in &data.series {
        let id = &series.instrument;
        let name = id.to_string();
        if !table.instrument(series.ix).is_perpetual() || funded.contains(&name.as_str()) {
            continue;
        }
        let why = if venues.terms(&id.venue).require_funding {
            format!(", which venues.{}.require_funding asks for", id.venue)
        } else {
            demanded.map(|kind| format!(", which `{kind}` asks for")).unwrap_or_default()
        };
        let expected = format!("[[data]] with kind = \"funding\" of `{name}`{why}");
        let found = format!("`{name}` without funding data: positions in it pay and earn none");
        let fault = Fault::new("CFG-DATA-SETTLEMENT", series.place.clone(), found, expected);
        let fault = fault.key(series.key.clone());
        if why.is_empty() { log.warn(fault) } else { log.record(fault) }
    }
}

/// The strategy of a run that lives on funding.
pub(super) fn demanded(strategies: &[StrategyConfig], catalog: &Catalog) -> Option<&'static str> {
    let needs = |strategy: &&StrategyConfig| {
        catalog.get(strategy.kind).is_some_and(CatalogEntry::needs_funding)
    };
    strategies.iter().find(needs).map(|strategy| strategy.kind)
}

/// What the run file names series of funding rates of, well or not: what is wrong with such a series
/// is said where it is read.
fn funded<'a>(root: &TableReader<'a>) -> Vec<&'a str> {
    let Some(data) = root.peek("data") else { return Vec::new() };
    let nodes = data.as_array().unwrap_or(std::slice::from_ref(data));
    let text =
        |table: &'a TableNode, key: &str| table.get(key).and_then(|entry| entry.node.as_str());
    let tables = nodes.iter().filter_map(Node::as_table);
    let funding = tables.filter(|table| text(table, "kind") == Some("funding"));
    funding.filter_map(|table| text(table, "of")).collect()
}
