//! The registry: venues, assets, tokens and instruments with the rules and fees that hold unless a
//! run file says otherwise.

mod asset;
mod change;
mod instrument;
mod tiers;
mod token;
mod venue;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use model::instrument::InstrumentId;
use model::key::{PositionKey, PositionType};

pub use self::asset::AssetEntry;
pub use self::change::TermsChange;
pub(crate) use self::instrument::{Asset, InstrumentName};
pub use self::instrument::{ContractKind, InstrumentEntry, PerpTerms};
pub use self::tiers::MarginTierEntry;
pub use self::token::{TokenEntry, TokenTerms};
pub use self::venue::{AccountRules, Fees, VenueEntry, VenueKind};
pub(crate) use self::venue::{FEE_BPS, VENUE_KINDS};
use crate::runfile::document::{self, Node};
use crate::runfile::fault::{Fault, FaultLog, Faults};
use crate::runfile::number::Whole;
use crate::runfile::place::{Place, Source};
use crate::runfile::reader::TableReader;

const BUILT_IN: &str = include_str!("../registry.toml");

/// Venues, assets, tokens and instruments, with the hash that stands for them in a run id.
#[derive(Clone, Debug)]
pub struct Registry {
    version: String,
    venues: Vec<VenueEntry>,
    assets: BTreeMap<Box<str>, AssetEntry>,
    tokens: BTreeMap<PositionKey, TokenEntry>,
    instruments: BTreeMap<InstrumentId, InstrumentEntry>,
    gas_units: BTreeMap<String, u64>,
    hash: blake3::Hash,
}

impl Registry {
    /// The registry that this program was built with.
    ///
    /// # Panics
    ///
    /// Never: a test parses it.
    pub fn built_in() -> &'static Self {
        static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
            Registry::parse(BUILT_IN).expect("the built-in registry is parsed by a test")
        });
        &REGISTRY
    }

    /// Reads a registry.
    ///
    /// # Errors
    ///
    /// All its faults.
    pub fn parse(text: &str) -> Result<Self, Faults> {
        let name = "registry.toml".to_owned();
        let log = FaultLog::new(Source { name, text: text.to_owned() });
        let tree = document::parse(text, &log);
        let mut reader = TableReader::new(&tree, Place::RUN_FILE, String::new(), &log);
        let version = reader.node("version").and_then(Node::scalar_text).unwrap_or_default();
        let mut resolved = Vec::new();
        let mut venues = Vec::new();
        for table in reader.tables("venue") {
            let (venue, table) = VenueEntry::read(table);
            venues.extend(venue);
            resolved.push(table);
        }
        let mut assets = BTreeMap::new();
        for table in reader.tables("asset") {
            let (asset, table) = AssetEntry::read(table);
            assets.extend(asset.map(|asset| (asset.name.clone(), asset)));
            resolved.push(table);
        }
        let mut tokens = BTreeMap::new();
        for table in reader.tables("token") {
            let (token, table) = TokenEntry::read(table);
            tokens.extend(token.map(|token| (token.key.clone(), token)));
            resolved.push(table);
        }
        let (gas_units, table) = read_gas_units(reader.table("gas_units"));
        resolved.push(table);
        let mut instruments = BTreeMap::new();
        for table in reader.tables("instrument") {
            let place = table.place("id");
            let (entry, table) = InstrumentEntry::read(table, |_| None);
            resolved.push(table);
            let Ok(entry) = entry else { continue };
            if let Some(twice) = instruments.insert(entry.id.clone(), entry) {
                let found = format!("`{}` for the second time", twice.id);
                log.record(Fault::new("CFG-INSTRUMENT", place, found, "every id once"));
            }
        }
        reader.finish();
        let mut hasher = blake3::Hasher::new();
        for table in &resolved {
            hasher.update(table.to_string().as_bytes());
            hasher.update(b"\n");
        }
        let hash = hasher.finalize();
        let registry = Self { version, venues, assets, tokens, instruments, gas_units, hash };
        if log.is_empty() { Ok(registry) } else { Err(log.into_faults()) }
    }

    /// Its version, for people.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Hash of what it says, for the run id; comments and layout do not count.
    pub const fn hash(&self) -> blake3::Hash {
        self.hash
    }

    /// All venues, in the order of the file.
    pub fn venues(&self) -> &[VenueEntry] {
        &self.venues
    }

    /// The venue of a name.
    pub fn venue(&self, name: &str) -> Option<&VenueEntry> {
        self.venues.iter().find(|venue| &*venue.name == name)
    }

    /// All instruments, in the order of their ids.
    pub fn instruments(&self) -> impl Iterator<Item = &InstrumentEntry> {
        self.instruments.values()
    }

    /// The instrument of an id: base, quote, settle and the rest are looked up, never cut out of the
    /// symbol (D18).
    pub fn instrument(&self, id: &InstrumentId) -> Option<&InstrumentEntry> {
        self.instruments.get(id)
    }

    /// The instruments of a symbol at a venue: at most one on each market.
    pub fn named<'a>(
        &'a self,
        venue: &'a str,
        symbol: &'a str,
    ) -> impl Iterator<Item = &'a InstrumentEntry> {
        self.instruments()
            .filter(move |known| *known.id.venue == *venue && *known.id.symbol == *symbol)
    }

    /// All assets, in the order of their names.
    pub fn assets(&self) -> impl Iterator<Item = &AssetEntry> {
        self.assets.values()
    }

    /// The asset of a name.
    pub fn asset(&self, name: &str) -> Option<&AssetEntry> {
        self.assets.get(name)
    }

    /// What an asset is added up under; its own name if the registry does not know it.
    pub fn asset_id<'a>(&'a self, name: &'a str) -> &'a str {
        self.asset(name).map_or(name, |asset| &asset.asset_id)
    }

    /// All tokens of protocols, in the order of their keys.
    pub fn tokens(&self) -> impl Iterator<Item = &TokenEntry> {
        self.tokens.values()
    }

    /// The token of a key.
    pub fn token(&self, key: &PositionKey) -> Option<&TokenEntry> {
        self.tokens.get(key)
    }

    /// Units of gas by operation; `None` for one that the registry does not list.
    pub fn gas_units(&self, operation: &str) -> Option<u64> {
        self.gas_units.get(operation).copied()
    }

    /// Every position key that the registry allows, in canonical order.
    pub fn keys(&self) -> Vec<PositionKey> {
        let mut keys: Vec<PositionKey> = self.tokens.keys().cloned().collect();
        for venue in &self.venues {
            for kind in venue.position_types() {
                let symbols = self.symbols(venue, *kind);
                let text = |symbol| format!("{}:{}:{symbol}", venue.name, kind.name());
                keys.extend(symbols.iter().filter_map(|symbol| text(symbol).parse().ok()));
            }
        }
        keys.sort();
        keys.dedup();
        keys
    }

    /// Symbols of a type at a venue; those of tokens are in [`tokens`](Self::tokens).
    fn symbols(&self, venue: &VenueEntry, kind: PositionType) -> Vec<&str> {
        let traded = self.instruments().filter(|entry| entry.id.venue == venue.name);
        match (kind, venue.kind) {
            (PositionType::Perp, _) => {
                traded.filter(|entry| entry.perp.is_some()).map(|entry| &*entry.id.symbol).collect()
            }
            (PositionType::BaseToken | PositionType::Transit, VenueKind::Wallet) => {
                let held = |asset: &&AssetEntry| self.issuer(&asset.name).is_none();
                self.assets().filter(held).map(|asset| &*asset.name).collect()
            }
            (PositionType::BaseToken | PositionType::Transit, _) => {
                traded.flat_map(InstrumentEntry::held).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The key of a token that a wallet holds under the name of its issuer (specification 01 §2.4).
    pub fn issuer(&self, asset: &str) -> Option<&PositionKey> {
        use PositionType::{AToken, DebtToken, Lst};
        self.tokens
            .keys()
            .find(|key| key.symbol() == asset && matches!(key.kind(), AToken | DebtToken | Lst))
    }
}

fn read_gas_units(mut reader: TableReader<'_>) -> (BTreeMap<String, u64>, toml::Table) {
    let keys = reader.free_keys().iter().map(|entry| entry.key.clone());
    let mut units = BTreeMap::new();
    for key in keys {
        let count = reader.optional(&key, &Whole { min: 1, max: 30_000_000 });
        units.extend(count.and_then(|count| u64::try_from(count).ok()).map(|count| (key, count)));
    }
    (units, reader.finish())
}

#[cfg(test)]
mod tests;
