//! The registry: venues and instruments with the rules and fees that hold unless a run file says
//! otherwise.

mod instrument;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use model::Decimal;
use model::instrument::{InstrumentId, MarketType};
use model::key::PositionType;

pub(crate) use self::instrument::{Asset, InstrumentName};
pub use self::instrument::{ContractKind, InstrumentEntry, PerpTerms};
use crate::runfile::document::{self, Node};
use crate::runfile::fault::{Fault, FaultLog, Faults};
use crate::runfile::field::{Choice, Text};
use crate::runfile::number::Number;
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
        let mut resolved = Vec::new();
        let mut venues = Vec::new();
        for table in reader.tables("venue") {
            let (venue, table) = read_venue(table);
            venues.extend(venue);
            resolved.push(table);
        }
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
        let registry = Self { version, venues, instruments, hash };
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

    /// The instrument of an id.
    pub fn instrument(&self, id: &InstrumentId) -> Option<&InstrumentEntry> {
        self.instruments.get(id)
    }
}

/// A fee may be a rebate; a tenth of the notional is more than any venue has ever given.
pub(crate) const FEE_BPS: Number = Number {
    min: Decimal::from_parts(1_000, 0, 0, true, 0),
    max: Decimal::from_parts(10_000, 0, 0, false, 0),
};

fn read_venue(mut reader: TableReader<'_>) -> (Option<VenueEntry>, toml::Table) {
    let name = reader.required("name", &Text("the venue's name in keys"));
    let kind = reader.required("kind", &VENUE_KINDS);
    let mut fees = |maker: &str, taker: &str| Fees {
        maker_bps: reader.or_default(maker, &FEE_BPS, Decimal::ZERO),
        taker_bps: reader.or_default(taker, &FEE_BPS, Decimal::ZERO),
    };
    let spot = fees("spot_maker_bps", "spot_taker_bps");
    let perp = fees("perp_maker_bps", "perp_taker_bps");
    let venue =
        name.zip(kind).map(|(name, kind)| VenueEntry { name: name.into(), kind, spot, perp });
    (venue, reader.finish())
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
    }

    #[test]
    fn only_what_the_registry_says_is_hashed() {
        let hash = |text: &str| Registry::parse(text).unwrap().hash();
        let commented = format!("# a comment\n{BUILT_IN}");
        assert_eq!(hash(&commented), Registry::built_in().hash());
        let charged = BUILT_IN.replacen("_bps = \"10\"", "_bps = \"11\"", 1);
        assert_ne!(hash(&charged), Registry::built_in().hash());
    }

    #[test]
    fn a_registry_with_faults_is_refused() {
        let twice = "[[instrument]]\nid = \"a:spot:B\"\nbase = \"B\"\nquote = \"C\"\n".repeat(2);
        let faults = Registry::parse(&twice).unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["CFG-INSTRUMENT"]);
    }
}
