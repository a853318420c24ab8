//! The registry: venues and instruments with the rules and fees that hold unless a run file says
//! otherwise.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use model::Decimal;
use model::instrument::{InstrumentId, MarketType};
use model::key::{PositionKey, PositionType};

use crate::runfile::document::{self, Node};
use crate::runfile::fault::{Fault, FaultLog, Faults};
use crate::runfile::field::{Choice, Field, Text, wrong};
use crate::runfile::number::{Number, Positive};
use crate::runfile::place::{Place, Source};
use crate::runfile::reader::TableReader;

const BUILT_IN: &str = include_str!("../registry.toml");

/// What a venue is, which decides what can be held there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VenueKind {
    /// A centralised exchange.
    Cex,
    /// A decentralised exchange.
    Dex,
    /// A lending protocol.
    Lending,
    /// A staking protocol.
    Staking,
    /// A wallet on chain.
    Wallet,
    /// Infrastructure that holds nothing: an RPC node, a bundler of flash loans.
    Infra,
    /// A service such as a model that predicts.
    Service,
}

/// The words for [`VenueKind`].
pub(crate) const VENUE_KINDS: Choice<'static, VenueKind> = Choice(&[
    ("cex", VenueKind::Cex),
    ("dex", VenueKind::Dex),
    ("lending", VenueKind::Lending),
    ("staking", VenueKind::Staking),
    ("wallet", VenueKind::Wallet),
    ("infra", VenueKind::Infra),
    ("service", VenueKind::Service),
]);

impl VenueKind {
    /// The kind as files spell it.
    pub fn name(self) -> &'static str {
        VENUE_KINDS.word(self)
    }

    /// The types of position that can be held there (specification 01 §2.4).
    pub const fn position_types(self) -> &'static [PositionType] {
        use PositionType::{AToken, BaseToken, Claim, DebtToken, FlashDebt, Lst, Perp, Transit};
        match self {
            Self::Cex => &[BaseToken, Perp, Transit],
            Self::Lending => &[AToken, DebtToken, FlashDebt],
            Self::Staking => &[Lst, Claim],
            Self::Wallet => &[BaseToken, Transit],
            Self::Dex | Self::Infra | Self::Service => &[],
        }
    }
}

/// Maker and taker fee, in basis points of the notional; negative for a rebate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fees {
    /// Fee of an order that rests first.
    pub maker_bps: Decimal,
    /// Fee of an order that takes liquidity.
    pub taker_bps: Decimal,
}

/// A venue with its fees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueEntry {
    /// Its name in keys and ids.
    pub name: Box<str>,
    /// What it is.
    pub kind: VenueKind,
    /// Fees of its spot market, and of every market that is no perpetual.
    pub spot: Fees,
    /// Fees of its perpetuals.
    pub perp: Fees,
}

impl VenueEntry {
    /// The fees on one of its markets.
    pub const fn fees(&self, market: MarketType) -> Fees {
        match market {
            MarketType::Perp => self.perp,
            MarketType::Spot | MarketType::Pool | MarketType::Swap => self.spot,
        }
    }
}

/// Whether a perpetual's profit is in quote or in base currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// Settled in quote currency.
    Linear,
    /// Settled in base currency.
    Inverse,
}

const CONTRACTS: Choice<'static, Contract> =
    Choice(&[("linear", Contract::Linear), ("inverse", Contract::Inverse)]);

/// What only a perpetual has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerpTerms {
    /// Asset in which profit is paid.
    pub settle: Box<str>,
    /// Linear or inverse.
    pub contract: Contract,
    /// Base units (linear) or quote units (inverse) of one contract.
    pub contract_size: Decimal,
}

/// An instrument as the registry or the run file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentEntry {
    /// Its id.
    pub id: InstrumentId,
    /// Asset that is bought and sold.
    pub base: Box<str>,
    /// Asset in which prices are stated.
    pub quote: Box<str>,
    /// Smallest price step, in quote currency.
    pub tick: Decimal,
    /// Smallest quantity step, in base units.
    pub lot: Decimal,
    /// Smallest order, in base units.
    pub min_qty: Decimal,
    /// Smallest order, in quote currency.
    pub min_notional: Decimal,
    /// Terms of a perpetual; `None` on every other market.
    pub perp: Option<PerpTerms>,
}

impl InstrumentEntry {
    /// Every asset that it involves.
    pub fn assets(&self) -> impl Iterator<Item = &str> {
        let settle = self.perp.as_ref().map(|perp| &*perp.settle);
        [&*self.base, &*self.quote].into_iter().chain(settle)
    }

    /// Reads one; what is absent comes from the entry that `known` has for its id, else from the
    /// defaults.
    ///
    /// After a fault there is no entry, and the id only if that could be read.
    pub(crate) fn read<'k>(
        mut reader: TableReader<'_>,
        known: impl FnOnce(&InstrumentId) -> Option<&'k Self>,
    ) -> (Result<Self, Option<InstrumentId>>, toml::Table) {
        let Some(id) = reader.required("id", &InstrumentName) else {
            return (Err(None), reader.abandon());
        };
        let known = known(&id);
        let base = asset(&mut reader, "base", known.map(|known| &*known.base));
        let quote = asset(&mut reader, "quote", known.map(|known| &*known.quote));
        let perp = read_perp(&mut reader, &id, quote.as_deref(), known);
        let step = Decimal::new(1, 8);
        let tick = reader.or_default("tick", &Positive, known.map_or(step, |known| known.tick));
        let lot = reader.or_default("lot", &Positive, known.map_or(step, |known| known.lot));
        let none = Decimal::ZERO;
        let field = Number::NOT_NEGATIVE;
        let min_qty = known.map_or(none, |known| known.min_qty);
        let min_qty = reader.or_default("min_qty", &field, min_qty);
        let min_notional = known.map_or(none, |known| known.min_notional);
        let min_notional = reader.or_default("min_notional", &field, min_notional);
        let entry = match base.zip(quote) {
            Some((base, quote)) => {
                let (base, quote) = (base.into(), quote.into());
                Ok(Self { id, base, quote, tick, lot, min_qty, min_notional, perp })
            }
            None => Err(Some(id)),
        };
        (entry, reader.finish())
    }
}

fn asset(reader: &mut TableReader<'_>, key: &str, known: Option<&str>) -> Option<String> {
    match known {
        Some(known) => Some(reader.or_default(key, &Asset, known.to_owned())),
        None => reader.required(key, &Asset),
    }
}

fn read_perp(
    reader: &mut TableReader<'_>,
    id: &InstrumentId,
    quote: Option<&str>,
    known: Option<&InstrumentEntry>,
) -> Option<PerpTerms> {
    if id.market != MarketType::Perp {
        return None;
    }
    let known = known.and_then(|known| known.perp.as_ref());
    let contract = known.map_or(Contract::Linear, |known| known.contract);
    let contract = reader.or_default("contract", &CONTRACTS, contract);
    let settle = known.map(|known| &*known.settle).or(quote).unwrap_or("USD").to_owned();
    let settle = reader.or_default("settle", &Asset, settle);
    let size = known.map_or(Decimal::ONE, |known| known.contract_size);
    let contract_size = reader.or_default("contract_size", &Positive, size);
    Some(PerpTerms { settle: settle.into(), contract, contract_size })
}

/// Name of an asset: what can be the symbol of a position key.
pub(crate) struct Asset;

impl Field for Asset {
    type Value = String;

    fn expected(&self) -> String {
        "an asset such as \"BTC\" (letters, digits, `.`, `_` and `-`)".to_owned()
    }

    fn read(&self, node: &Node) -> Result<String, Vec<Fault>> {
        node.as_str()
            .filter(|text| PositionKey::base_token("any", text).is_ok())
            .map(str::to_owned)
            .ok_or_else(|| vec![wrong(self, node)])
    }

    fn write(&self, value: &String) -> toml::Value {
        toml::Value::String(value.clone())
    }
}

/// An instrument id, known or not.
pub(crate) struct InstrumentName;

impl Field for InstrumentName {
    type Value = InstrumentId;

    fn expected(&self) -> String {
        "venue:market:symbol with market = spot, perp, pool or swap".to_owned()
    }

    fn read(&self, node: &Node) -> Result<InstrumentId, Vec<Fault>> {
        node.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| vec![wrong(self, node)])
    }

    fn write(&self, value: &InstrumentId) -> toml::Value {
        toml::Value::String(value.to_string())
    }
}

/// Venues and instruments, with the hash that stands for them in a run id.
#[derive(Clone, Debug)]
pub struct Registry {
    version: String,
    venues: Vec<VenueEntry>,
    instruments: BTreeMap<InstrumentId, InstrumentEntry>,
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
        let venues = reader.tables("venue").into_iter().filter_map(read_venue).collect();
        let mut instruments = BTreeMap::new();
        for table in reader.tables("instrument") {
            let place = table.place("id");
            let (entry, _) = InstrumentEntry::read(table, |_| None);
            let Ok(entry) = entry else { continue };
            if let Some(twice) = instruments.insert(entry.id.clone(), entry) {
                let found = format!("`{}` for the second time", twice.id);
                log.record(Fault::new("CFG-INSTRUMENT", place, found, "every id once"));
            }
        }
        reader.finish();
        let registry = Self { version, venues, instruments, hash: blake3::hash(text.as_bytes()) };
        if log.is_empty() { Ok(registry) } else { Err(log.into_faults()) }
    }

    /// Its version, for people.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Hash of its text, for the run id.
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

    /// The instrument of an id.
    pub fn instrument(&self, id: &InstrumentId) -> Option<&InstrumentEntry> {
        self.instruments.get(id)
    }
}

/// A fee may be a rebate, but never more than the notional itself.
pub(crate) const FEE_BPS: Number = Number {
    min: Decimal::from_parts(10_000, 0, 0, true, 0),
    max: Decimal::from_parts(10_000, 0, 0, false, 0),
};

fn read_venue(mut reader: TableReader<'_>) -> Option<VenueEntry> {
    let name = reader.required("name", &Text("the venue's name in keys"));
    let kind = reader.required("kind", &VENUE_KINDS);
    let mut fees = |maker: &str, taker: &str| Fees {
        maker_bps: reader.or_default(maker, &FEE_BPS, Decimal::ZERO),
        taker_bps: reader.or_default(taker, &FEE_BPS, Decimal::ZERO),
    };
    let spot = fees("spot_maker_bps", "spot_taker_bps");
    let perp = fees("perp_maker_bps", "perp_taker_bps");
    reader.finish();
    Some(VenueEntry { name: name?.into(), kind: kind?, spot, perp })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_registry_is_whole() {
        let registry = Registry::built_in();
        for instrument in registry.instruments() {
            let venue = registry.venue(&instrument.id.venue);
            assert!(venue.is_some(), "{}", instrument.id);
            assert_eq!(instrument.perp.is_some(), instrument.id.market == MarketType::Perp);
        }
        assert!(registry.venue("wallet").is_some(), "initial holdings may be in a wallet");
        assert_eq!(registry.hash(), blake3::hash(BUILT_IN.as_bytes()));
    }
}
