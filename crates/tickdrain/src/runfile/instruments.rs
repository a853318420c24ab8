//! `[[instruments]]`: what the registry lacks or has otherwise, and the book of all that is known.

use std::collections::{BTreeMap, BTreeSet};

use model::instrument::{Contract, Instrument, InstrumentId};
use model::money::{Bps, LedgerScale};
use model::time::UtcMillis;

use super::document::Node;
use super::fault::Fault;
use super::field::{Field, wrong};
use super::place::Place;
use super::reader::TableReader;
use super::venues::VenueTerms;
use crate::registry::{ContractKind, InstrumentEntry, InstrumentName, PerpTerms, Registry};

/// Every instrument that a run file can name: the registry's, and on top of them its own.
#[derive(Clone, Debug)]
pub struct InstrumentBook {
    entries: BTreeMap<InstrumentId, InstrumentEntry>,
    declared: Vec<Declared>,
    /// Declared, but not well: whoever names them is not at fault.
    broken: Vec<InstrumentId>,
}

/// An instrument that the run file itself describes, with where it does.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) id: InstrumentId,
    pub(super) place: Place,
    pub(super) key: String,
}

impl InstrumentBook {
    /// Reads `[[instruments]]` on top of a registry, with the terms of an instant.
    pub(super) fn read(
        root: &mut TableReader<'_>,
        registry: &Registry,
        instant: Option<UtcMillis>,
    ) -> Self {
        let entries: BTreeMap<_, _> =
            registry.instruments().map(|entry| (entry.id.clone(), entry.at(instant))).collect();
        let registered = entries.clone();
        let mut book = Self { entries, declared: Vec::new(), broken: Vec::new() };
        let mut resolved = Vec::new();
        for reader in root.tables("instruments") {
            let (log, place, key) = (reader.log(), reader.place("id"), reader.key_path("id"));
            let (entry, table) = InstrumentEntry::read(reader, |id| registered.get(id));
            resolved.push(toml::Value::Table(table));
            let entry = match entry {
                Ok(entry) => entry,
                Err(id) => {
                    book.broken.extend(id);
                    continue;
                }
            };
            let entry = entry.at(instant);
            let id = entry.id.clone();
            if book.declared.iter().any(|declared| declared.id == id) {
                let found = format!("`{id}` for the second time");
                log.record(Fault::new("CFG-INSTRUMENT", place, found, "every id once").key(key));
                continue;
            }
            book.entries.insert(id.clone(), entry);
            book.declared.push(Declared { id, place, key });
        }
        if !resolved.is_empty() {
            root.put("instruments", toml::Value::Array(resolved));
        }
        book
    }

    /// The instrument of an id.
    pub fn get(&self, id: &InstrumentId) -> Option<&InstrumentEntry> {
        self.entries.get(id)
    }

    /// The instruments that the run file itself declares, in its order.
    pub(super) fn declared(&self) -> &[Declared] {
        &self.declared
    }

    /// All assets that any instrument involves, or those that can be held at a venue to trade there.
    pub fn assets(&self, venue: Option<&str>) -> BTreeSet<&str> {
        self.entries
            .values()
            .filter(|entry| venue.is_none_or(|venue| &*entry.id.venue == venue))
            .flat_map(|entry| match venue {
                Some(_) => entry.held().collect::<Vec<_>>(),
                None => entry.assets().collect(),
            })
            .collect()
    }

    /// The settle currency of a venue's perpetual.
    pub fn settle(&self, venue: &str, symbol: &str) -> Option<&str> {
        let is_it =
            |entry: &&InstrumentEntry| *entry.id.venue == *venue && *entry.id.symbol == *symbol;
        self.entries.values().filter(is_it).find_map(|entry| Some(&*entry.perp.as_ref()?.settle))
    }

    /// The symbols of a venue's perpetuals.
    pub fn perps(&self, venue: &str) -> impl Iterator<Item = &str> {
        self.entries
            .values()
            .filter(move |entry| &*entry.id.venue == venue && entry.perp.is_some())
            .map(|entry| &*entry.id.symbol)
    }
}

/// The instrument as the rest of the program knows it.
pub(super) fn instrument(entry: &InstrumentEntry, terms: &VenueTerms) -> Instrument {
    let contract = match &entry.perp {
        None => Contract::Spot,
        Some(PerpTerms { settle, contract: ContractKind::Linear, contract_size, .. }) => {
            Contract::Linear { settle: settle.clone(), size: *contract_size }
        }
        Some(PerpTerms { settle, contract: ContractKind::Inverse, contract_size, .. }) => {
            Contract::Inverse { settle: settle.clone(), size: *contract_size }
        }
    };
    Instrument {
        id: entry.id.clone(),
        base: entry.base.clone(),
        quote: entry.quote.clone(),
        contract,
        tick: entry.tick,
        lot: entry.lot,
        min_qty: entry.min_qty,
        max_qty: entry.max_qty,
        min_notional: entry.min_notional,
        price_band: entry.price_band_bps.map(Bps),
        is_trading: entry.trading,
        fee_asset: terms.fee_asset,
        leverage: terms.leverage,
        margin_mode: terms.margin_mode,
        settles_daily: terms.settles_daily,
        ledger_scale: LedgerScale::DEFAULT,
    }
}

/// The id of an instrument in the book.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed<'a>(pub(super) &'a InstrumentBook);

impl Field for Listed<'_> {
    type Value = InstrumentId;

    fn expected(&self) -> String {
        "an instrument of the registry or of [[instruments]]".to_owned()
    }

    fn read(&self, node: &Node) -> Result<InstrumentId, Vec<Fault>> {
        let id = InstrumentName.read(node)?;
        if self.0.broken.contains(&id) {
            return Err(Vec::new());
        }
        if self.0.entries.contains_key(&id) {
            return Ok(id);
        }
        let text = id.to_string();
        let ids: Vec<String> = self.0.entries.keys().map(InstrumentId::to_string).collect();
        let mut fault = wrong(self, node).hint_nearest(&text, ids.iter().map(String::as_str));
        fault.code = "CFG-INSTRUMENT";
        if fault.hint.is_none() {
            fault = fault.hint("declare it in [[instruments]] with id, base and quote");
        }
        Err(vec![fault])
    }

    fn write(&self, value: &InstrumentId) -> toml::Value {
        InstrumentName.write(value)
    }
}
