//! `[venues.*]`: what venues charge, and what the venues are that the registry lacks.

use std::collections::{BTreeMap, BTreeSet};

use model::Decimal;
use model::instrument::{FeeAsset, InstrumentId, MarginMode, MarketType};
use model::key::PositionKey;
use model::money::{Bps, Cash};
use venues::fees::{FeeTier, MakerTaker};

use super::document::{Entry, Node, TableNode, Value};
use super::execution::OwnModel;
use super::fault::Fault;
use super::field::{Choice, Flag, Instant};
use super::number::Number;
use super::place::Place;
use super::reader::TableReader;
use crate::catalog::{ModelCatalog, ModelKind};
use crate::registry::{AccountRules, FEE_BPS, Registry, VENUE_KINDS, VenueEntry, VenueKind};

/// What a run file says of a venue beyond its fees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueTerms {
    /// In which asset the fee of a buy is taken.
    pub fee_asset: FeeAsset,
    /// Notional over initial margin of perpetuals.
    pub leverage: Decimal,
    /// Whether perpetuals share their margin.
    pub margin_mode: MarginMode,
    /// Whether candles of its perpetuals without funding data are a fault, and not only a warning.
    pub require_funding: bool,
    /// Whether open profit of perpetuals is paid into cash every day at 08:00 UTC.
    pub settles_daily: bool,
    /// A tariff in place of two rates.
    tariff: Option<TariffConfig>,
}

impl Default for VenueTerms {
    fn default() -> Self {
        Self {
            fee_asset: FeeAsset::Quote,
            leverage: Decimal::ONE,
            margin_mode: MarginMode::Cross,
            require_funding: false,
            settles_daily: false,
            tariff: None,
        }
    }
}

/// What a venue charges on one of its markets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TariffConfig {
    /// Rates of makers and takers.
    MakerTaker(MakerTaker),
    /// A model of the program's own.
    Own(&'static str),
}

const FEE_ASSETS: Choice<'static, FeeAsset> =
    Choice(&[("quote", FeeAsset::Quote), ("base", FeeAsset::Base)]);
const MARGIN_MODES: Choice<'static, MarginMode> =
    Choice(&[("cross", MarginMode::Cross), ("isolated", MarginMode::Isolated)]);
const LEVERAGE: Number =
    Number { min: Decimal::ONE, max: Decimal::from_parts(1_000, 0, 0, false, 0) };

/// All venues of a run: the registry's, with what the run file says of them, and its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueBook {
    venues: Vec<VenueEntry>,
    terms: BTreeMap<Box<str>, VenueTerms>,
}

impl VenueBook {
    /// The venue of a name.
    pub fn get(&self, name: &str) -> Option<&VenueEntry> {
        self.venues.iter().find(|venue| &*venue.name == name)
    }

    /// What the run file says of a venue.
    pub fn terms(&self, name: &str) -> VenueTerms {
        self.terms.get(name).cloned().unwrap_or_default()
    }

    /// What is charged for trades in an instrument.
    pub fn tariff(&self, id: &InstrumentId) -> TariffConfig {
        let rates = self.get(&id.venue).map(|venue| venue.fees(id.market)).unwrap_or_default();
        let flat = || MakerTaker::flat(Bps(rates.maker_bps), Bps(rates.taker_bps));
        match self.terms(&id.venue).tariff {
            // Tiers come on top of the two rates, which hold until the first of them is reached.
            Some(TariffConfig::MakerTaker(mut table)) => {
                if !table.tiers.iter().any(is_always_reached) {
                    table.tiers.extend(flat().tiers);
                }
                TariffConfig::MakerTaker(table)
            }
            Some(own @ TariffConfig::Own(_)) => own,
            None => TariffConfig::MakerTaker(flat()),
        }
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.venues.iter().map(|venue| &*venue.name)
    }

    /// Reads `[venues.*]` on top of a registry, for a run that uses the instruments `used`.
    pub(super) fn read(
        root: &mut TableReader<'_>,
        registry: &Registry,
        used: &[InstrumentId],
        models: &ModelCatalog,
    ) -> Self {
        let mut book = Self { venues: registry.venues().to_vec(), terms: BTreeMap::new() };
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
            book.read_venue(&mut section, key, place, Some((table, &node.place)), used, models);
        }
        // Venues that are used but not named charge what the registry says; that is written down too.
        for id in used {
            let known = registry.venue(&id.venue).is_some();
            if known && named.insert(&id.venue) {
                book.read_venue(&mut section, &id.venue, &Place::RUN_FILE, None, used, models);
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
        models: &ModelCatalog,
    ) {
        let (table, place) = table.unwrap_or((TableNode::EMPTY, name_place));
        let log = section.log();
        let mut reader = TableReader::new(table, place.clone(), section.key_path(name), log);
        let known = self.venues.iter().position(|venue| &*venue.name == name);
        let Some(kind) = self.read_kind(&mut reader, name, name_place, known) else {
            // Taken for an exchange, so that what trades there is not reported as well.
            self.venues.push(VenueEntry::new(name, VenueKind::Cex));
            reader.abandon();
            return;
        };
        let place = known.unwrap_or_else(|| {
            self.venues.push(VenueEntry::new(name, kind));
            self.venues.len() - 1
        });
        if matches!(kind, VenueKind::Cex | VenueKind::Dex) {
            read_fees(&mut reader, &mut self.venues[place], used);
            let rules = self.venues[place].rules;
            self.venues[place].rules = AccountRules::read(&mut reader, rules);
            let terms = VenueTerms {
                fee_asset: reader.or_default("fee_in", &FEE_ASSETS, FeeAsset::Quote),
                leverage: reader.or_default("leverage", &LEVERAGE, Decimal::ONE),
                margin_mode: reader.or_default("margin", &MARGIN_MODES, MarginMode::Cross),
                require_funding: reader.or_default("require_funding", &Flag, false),
                settles_daily: reader.or_default("margin_pnl_enabled", &Flag, false),
                tariff: read_tariff(&mut reader, models),
            };
            check_rebates(&reader, &self.venues[place], &terms);
            self.terms.insert(name.into(), terms);
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
        let expected = self.venues[known].kind;
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

/// `fees = { minimum = …, per_trade = …, tiers = [{ valid_from, volume_30d, maker_bps, taker_bps }] }`
/// or `fees = { model = … }`.
fn read_tariff(venue: &mut TableReader<'_>, models: &ModelCatalog) -> Option<TariffConfig> {
    venue.node("fees")?;
    let mut reader = venue.table_of("fees", "a table such as { minimum = 1, tiers = […] }");
    if reader.node("model").is_some() {
        let own = OwnModel::of(models, ModelKind::Fees, "tiers of rates");
        let name = reader.required("model", &own);
        venue.put("fees", toml::Value::Table(reader.finish()));
        return name.map(TariffConfig::Own);
    }
    let amount = |reader: &mut TableReader<'_>, key: &str| {
        Cash(reader.or_default(key, &Number::NOT_NEGATIVE, Decimal::ZERO))
    };
    let (minimum, per_trade) = (amount(&mut reader, "minimum"), amount(&mut reader, "per_trade"));
    let mut tiers: Vec<FeeTier> = Vec::new();
    let mut resolved = Vec::new();
    for mut tier in reader.tables_of("tiers", "{ volume_30d = …, maker_bps = …, taker_bps = … }")
    {
        let valid_from = tier.optional("valid_from", &Instant);
        let volume_30d = tier.or_default("volume_30d", &Number::NOT_NEGATIVE, Decimal::ZERO);
        let maker = tier.required("maker_bps", &FEE_BPS);
        let taker = tier.required("taker_bps", &FEE_BPS);
        let is_same =
            |other: &FeeTier| (other.valid_from, other.volume_30d) == (valid_from, volume_30d);
        if tiers.iter().any(is_same) {
            let found = format!("{volume_30d} a second time, with the same `valid_from`");
            tier.record("volume_30d", "CFG-VALUE", found, "every tier once");
        }
        if let Some((maker, taker)) = maker.zip(taker) {
            tiers.push(FeeTier { valid_from, volume_30d, maker: Bps(maker), taker: Bps(taker) });
        }
        resolved.push(toml::Value::Table(tier.finish()));
    }
    if !resolved.is_empty() {
        reader.put("tiers", toml::Value::Array(resolved));
    }
    venue.put("fees", toml::Value::Table(reader.finish()));
    Some(TariffConfig::MakerTaker(MakerTaker { tiers, minimum, per_trade }))
}

/// A rebate as large as the margin that a perpetual asks for would pay for the position itself.
fn check_rebates(reader: &TableReader<'_>, venue: &VenueEntry, terms: &VenueTerms) {
    let flat = [("maker_bps", venue.perp.maker_bps), ("taker_bps", venue.perp.taker_bps)];
    let tiers = match &terms.tariff {
        Some(TariffConfig::MakerTaker(table)) => table.tiers.as_slice(),
        Some(TariffConfig::Own(_)) | None => &[],
    };
    let tiers =
        tiers.iter().flat_map(|tier| [("fees.tiers", tier.maker.0), ("fees.tiers", tier.taker.0)]);
    let lowest = flat.into_iter().chain(tiers).min_by_key(|(_, rate)| *rate);
    let Some((key, rate)) = lowest else { return };
    let margin_bps = Decimal::from(10_000) / terms.leverage;
    if margin_bps + rate <= Decimal::ZERO {
        let found = format!("{} with a {key} of {rate}", terms.leverage);
        let most = (Decimal::from(10_000) / -rate).normalize();
        let expected = format!("less than {most}: a margin above the rebate");
        reader.record("leverage", "CFG-VALUE", found, expected);
    }
}

fn is_always_reached(tier: &FeeTier) -> bool {
    tier.valid_from.is_none() && tier.volume_30d.is_zero()
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
