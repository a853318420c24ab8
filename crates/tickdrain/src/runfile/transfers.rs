//! `[transfers]`: how long a transfer takes and what it costs, by route.

use model::Decimal;
use model::instrument::InstrumentTable;
use model::key::{PositionKey, PositionType};
use model::time::Interval;

use super::field::{Delay, Flag, Text};
use super::number::{Number, Whole};
use super::reader::TableReader;
use super::venues::{VenueBook, unknown_venue};
use crate::registry::{Asset, VenueKind};

/// Terms of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferTerms {
    /// Time until it arrives; `None` at once.
    pub delay: Option<Interval>,
    /// What is taken off on the way, in units of the token.
    pub fee: Decimal,
    /// Gas that the wallet pays, in units; zero for what leaves a venue, which pays it itself.
    pub gas_units: u64,
}

/// A route with terms of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferRoute {
    /// Venue that it leaves.
    pub from: Box<str>,
    /// Venue at which it arrives.
    pub to: Box<str>,
    /// The token; `None` for all.
    pub asset: Option<Box<str>>,
    /// What holds on it.
    pub terms: TransferTerms,
}

/// A transfer of one token from one venue to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop<'a> {
    /// Venue that it leaves.
    pub from: &'a str,
    /// Venue at which it arrives.
    pub to: &'a str,
    /// The token.
    pub asset: &'a str,
    /// Whether it leaves a wallet, which then pays gas.
    pub on_chain: bool,
}

/// Transfers of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferConfig {
    /// Whether every transfer arrives at once.
    pub instant_transfers: bool,
    /// Delay of a route that is not listed.
    pub delay: Option<Interval>,
    /// Gas of a hop on chain, in units, for a route that is not listed.
    pub gas_units: u64,
    /// Routes with terms of their own.
    pub routes: Vec<TransferRoute>,
}

impl TransferConfig {
    /// The positions that hold what is on its way over the routes that are listed.
    pub(super) fn transits(&self, table: &InstrumentTable) -> Vec<PositionKey> {
        let held_at = |venue: &str| -> Vec<String> {
            let keys = table.keys().map(|(_, key)| key);
            let held =
                keys.filter(|key| key.venue() == venue && key.kind() == PositionType::BaseToken);
            held.map(|key| key.symbol().to_owned()).collect()
        };
        let mut transits = Vec::new();
        for route in &self.routes {
            let known = held_at(&route.from);
            for asset in held_at(&route.to).into_iter().filter(|asset| known.contains(asset)) {
                if route.asset.as_deref().is_none_or(|only| only == asset) {
                    let key = format!("{}:Transit:{asset}", route.to);
                    transits.push(key.parse().expect("made of the parts of a key"));
                }
            }
        }
        transits
    }

    /// The terms of a transfer: of its route and token, else of its route, else the usual ones.
    pub fn terms(&self, hop: Hop<'_>) -> TransferTerms {
        let Hop { from, to, asset, on_chain } = hop;
        let on_route = |route: &&TransferRoute| *route.from == *from && *route.to == *to;
        let routes = || self.routes.iter().filter(on_route);
        let exact = routes().find(|route| route.asset.as_deref() == Some(asset));
        let route = exact.or_else(|| routes().find(|route| route.asset.is_none()));
        let gas_units = if on_chain { self.gas_units } else { 0 };
        let usual = TransferTerms { delay: self.delay, fee: Decimal::ZERO, gas_units };
        let terms = route.map_or(usual, |route| route.terms);
        if self.instant_transfers { TransferTerms { delay: None, ..terms } } else { terms }
    }
}

/// A quarter of an hour for a hop (specification 02 §3.2).
const DELAY_MS: i64 = 900_000;
/// Units of a transfer of a token (specification 02 §3.3).
const GAS_UNITS: i64 = 65_000;
const GAS: Whole = Whole { min: 0, max: 30_000_000 };

/// Reads `[transfers]`.
pub(super) fn read(root: &mut TableReader<'_>, venues: &VenueBook) -> TransferConfig {
    let mut reader = root.table("transfers");
    let instant_transfers = reader.or_default("instant_transfers", &Flag, false);
    let delay = reader.or_default("delay", &Delay, Interval::from_millis(DELAY_MS));
    let gas_units = reader.or_default("gas_units", &GAS, GAS_UNITS);
    let mut config = TransferConfig {
        instant_transfers,
        delay,
        gas_units: units(gas_units),
        routes: Vec::new(),
    };
    let mut resolved = Vec::new();
    for mut reader in reader.tables_of("routes", "{ from = \"wallet\", to = \"binance\" }") {
        let route = read_route(&mut reader, venues, &config);
        resolved.push(toml::Value::Table(reader.finish()));
        config.routes.extend(route);
    }
    if !resolved.is_empty() {
        reader.put("routes", toml::Value::Array(resolved));
    }
    root.put("transfers", toml::Value::Table(reader.finish()));
    config
}

fn read_route(
    reader: &mut TableReader<'_>,
    venues: &VenueBook,
    config: &TransferConfig,
) -> Option<TransferRoute> {
    let from = read_end(reader, "from", venues);
    let to = read_end(reader, "to", venues);
    let asset: Option<Box<str>> = reader.optional("asset", &Asset).map(Into::into);
    let kind = from.as_deref().and_then(|name| venues.get(name)).map(|venue| venue.kind);
    let on_chain = kind == Some(VenueKind::Wallet);
    let delay = reader.or_default("delay", &Delay, config.delay);
    let fee = reader.or_default("fee", &Number::NOT_NEGATIVE, Decimal::ZERO);
    let usual = if on_chain { i64::try_from(config.gas_units).unwrap_or(GAS.max) } else { 0 };
    let gas_units = units(reader.or_default("gas_units", &GAS, usual));
    let (from, to) = from.zip(to)?;
    if from == to {
        reader.record("to", "CFG-VALUE", format!("`{to}`, where it leaves"), "another venue");
    }
    let is_same =
        |route: &TransferRoute| (&route.from, &route.to, &route.asset) == (&from, &to, &asset);
    if config.routes.iter().any(is_same) {
        let found = format!("the route from `{from}` to `{to}` for the second time");
        reader.record("to", "CFG-VALUE", found, "every route once for a token");
    }
    Some(TransferRoute { from, to, asset, terms: TransferTerms { delay, fee, gas_units } })
}

/// A venue that tokens can be sent to and from.
fn read_end(reader: &mut TableReader<'_>, key: &str, venues: &VenueBook) -> Option<Box<str>> {
    let name = reader.required(key, &Text("the name of a venue"))?;
    let Some(venue) = venues.get(&name) else {
        let fault = unknown_venue(reader.place(key), &name, venues);
        reader.log().record(fault.key(reader.key_path(key)));
        return None;
    };
    if !venue.position_types().contains(&PositionType::Transit) {
        let found = format!("`{name}`, of kind {}", venue.kind.name());
        reader.record(key, "CFG-VENUE", found, "a wallet or an exchange");
        return None;
    }
    Some(name.into())
}

fn units(count: i64) -> u64 {
    u64::try_from(count).expect("a count is not negative")
}
