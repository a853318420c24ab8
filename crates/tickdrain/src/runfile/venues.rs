//! `[venues.*]`: what venues charge, and what the venues are that the registry lacks.

use std::collections::BTreeSet;

use model::Decimal;
use model::instrument::{InstrumentId, MarketType};
use model::key::PositionKey;

use super::document::{Entry, Node, TableNode, Value};
use super::fault::Fault;
use super::field::Choice;
use super::number::Number;
use super::place::Place;
use super::reader::TableReader;
use crate::registry::{FEE_BPS, Fees, Registry, VENUE_KINDS, VenueEntry, VenueKind};

/// In which asset a fee is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeeAsset {
    /// In quote currency.
    Quote,
    /// In what a buy brings in.
    Base,
}

/// Whether perpetuals share their margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarginMode {
    /// One pool of margin.
    Cross,
    /// Each position its own.
    Isolated,
}

const FEE_ASSETS: Choice<'static, FeeAsset> =
    Choice(&[("quote", FeeAsset::Quote), ("base", FeeAsset::Base)]);
const MARGIN_MODES: Choice<'static, MarginMode> =
    Choice(&[("cross", MarginMode::Cross), ("isolated", MarginMode::Isolated)]);
const LEVERAGE: Number =
    Number { min: Decimal::ONE, max: Decimal::from_parts(1_000, 0, 0, false, 0) };

/// All venues of a run: the registry's, with what the run file says of them, and its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueBook(Vec<VenueEntry>);

impl VenueBook {
    /// The venue of a name.
    pub fn get(&self, name: &str) -> Option<&VenueEntry> {
        self.0.iter().find(|venue| &*venue.name == name)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|venue| &*venue.name)
    }

    /// Reads `[venues.*]` on top of a registry, for a run that uses the instruments `used`.
    pub(super) fn read(
        root: &mut TableReader<'_>,
        registry: &Registry,
        used: &[InstrumentId],
    ) -> Self {
        let mut book = Self(registry.venues().to_vec());
        let mut section = root.table("venues");
        let mut named = BTreeSet::new();
        for Entry { key, place, node } in section.free_keys() {
            named.insert(key.as_str());
            if PositionKey::base_token(key, "any").is_err() {
                let expected = "a name of lower case letters, digits and _";
                let fault = Fault::new("CFG-VENUE", place.clone(), format!("`{key}`"), expected);
                section.log().record(fault.key(section.key_path(key)));
                continue;
            }
            let Node { value: Value::Table(table), .. } = node else {
                let fault = Fault::new("CFG-VALUE", node.place.clone(), node.describe(), "a table");
                section.log().record(fault.key(section.key_path(key)));
                continue;
            };
            book.read_venue(&mut section, key, place, Some((table, &node.place)), used);
        }
        // Venues that are used but not named charge what the registry says; that is written down too.
        for id in used {
            let known = registry.venue(&id.venue).is_some();
            if known && named.insert(&id.venue) {
                book.read_venue(&mut section, &id.venue, &Place::RUN_FILE, None, used);
            }
        }
        let resolved = section.finish();
        if !resolved.is_empty() {
            root.put("venues", toml::Value::Table(resolved));
        }
        book
    }

    fn read_venue(
        &mut self,
        section: &mut TableReader<'_>,
        name: &str,
        name_place: &Place,
        table: Option<(&TableNode, &Place)>,
        used: &[InstrumentId],
    ) {
        let (table, place) = table.unwrap_or((TableNode::EMPTY, name_place));
        let log = section.log();
        let mut reader = TableReader::new(table, place.clone(), section.key_path(name), log);
        let known = self.0.iter().position(|venue| &*venue.name == name);
        let Some(kind) = self.read_kind(&mut reader, name, name_place, known) else {
            // Taken for an exchange, so that what trades there is not reported as well.
            let (name, fees) = (name.into(), Fees::default());
            self.0.push(VenueEntry { name, kind: VenueKind::Cex, spot: fees, perp: fees });
            reader.abandon();
            return;
        };
        let place = known.unwrap_or_else(|| {
            let (name, fees) = (name.into(), Fees::default());
            self.0.push(VenueEntry { name, kind, spot: fees, perp: fees });
            self.0.len() - 1
        });
        if matches!(kind, VenueKind::Cex | VenueKind::Dex) {
            read_fees(&mut reader, &mut self.0[place], used);
            reader.only_default("fee_in", &FEE_ASSETS, FeeAsset::Quote);
            reader.only_default("leverage", &LEVERAGE, Decimal::ONE);
            reader.only_default("margin", &MARGIN_MODES, MarginMode::Cross);
        }
        section.put(name, toml::Value::Table(reader.finish()));
    }

    fn read_kind(
        &self,
        reader: &mut TableReader<'_>,
        name: &str,
        name_place: &Place,
        known: Option<usize>,
    ) -> Option<VenueKind> {
        let Some(known) = known else {
            if reader.node("kind").is_none() {
                let fault = unknown_venue(name_place.clone(), name, self)
                    .key(reader.key_path("kind"))
                    .headline(format!("venue `{name}` is not in the registry and has no `kind`"));
                reader.log().record(fault);
                return None;
            }
            return reader.optional("kind", &VENUE_KINDS);
        };
        let expected = self.0[known].kind;
        let kind = reader.or_default("kind", &VENUE_KINDS, expected);
        if kind != expected {
            let found = format!("the kind {:?}", kind.name());
            reader.record(
                "kind",
                "CFG-VALUE",
                found,
                format!("{:?}, as the registry has it", expected.name()),
            );
        }
        Some(expected)
    }
}

/// Fees of the run file hold on all markets of the venue.
///
/// The default is written down only where it is one: a run that uses spot and perpetuals of a venue
/// has two, and writing either would turn it into the fee of both.
fn read_fees(reader: &mut TableReader<'_>, venue: &mut VenueEntry, used: &[InstrumentId]) {
    let mut markets = used.iter().filter(|id| id.venue == venue.name).map(|id| id.market);
    let market = markets.next().unwrap_or(MarketType::Spot);
    let default = venue.fees(market);
    let single = markets.all(|other| venue.fees(other) == default);
    let mut fee = |key: &str, default: Decimal| {
        if single {
            Some(reader.or_default(key, &FEE_BPS, default))
        } else {
            reader.optional(key, &FEE_BPS)
        }
    };
    let (maker, taker) = (fee("maker_bps", default.maker_bps), fee("taker_bps", default.taker_bps));
    for fees in [&mut venue.spot, &mut venue.perp] {
        fees.maker_bps = maker.unwrap_or(fees.maker_bps);
        fees.taker_bps = taker.unwrap_or(fees.taker_bps);
    }
}

/// The fault of a venue that is nowhere described.
pub(super) fn unknown_venue(place: Place, name: &str, known: &VenueBook) -> Fault {
    let expected = "a venue of the registry, or one with kind = \"cex\" (or dex, lending, staking, wallet) in [venues]";
    let mut fault = Fault::new("CFG-VENUE", place, format!("the unknown venue `{name}`"), expected)
        .hint_nearest(name, known.names());
    if name == "aave" {
        fault = fault.hint("name the version: `aave_v3`");
    }
    fault
}
