//! Routes of transfers: from what the run file says to positions of the run.

use model::instrument::{InstrumentTable, KeyIx};
use model::key::{PositionKey, PositionType};
use venues::transfer::Route;

use crate::registry::VenueKind;
use crate::runfile::config::RunConfig;
use crate::runfile::transfers::Hop;

/// Every way from one position to another of the same asset at another venue that has a place for
/// what is on its way.
pub(crate) fn routes(config: &RunConfig) -> Vec<Route> {
    let table = &config.instruments;
    let mut routes = Vec::new();
    for (transit, way) in table.keys().filter(|(_, key)| key.kind() == PositionType::Transit) {
        let Some(target) = balance(table, way.venue(), way.symbol()) else { continue };
        let sources = table.keys().filter(|(_, key)| {
            key.kind() == PositionType::BaseToken
                && key.symbol() == way.symbol()
                && key.venue() != way.venue()
        });
        for (source, from) in sources {
            routes.push(route(config, (source, from), transit, (target, way)));
        }
    }
    routes
}

fn route(
    config: &RunConfig,
    (source, from): (KeyIx, &PositionKey),
    transit: KeyIx,
    (target, to): (KeyIx, &PositionKey),
) -> Route {
    let kind = config.venues.get(from.venue()).map(|venue| venue.kind);
    let terms = config.transfers.terms(Hop {
        from: from.venue(),
        to: to.venue(),
        asset: from.symbol(),
        on_chain: kind == Some(VenueKind::Wallet),
    });
    let delay_ms = terms.delay.map_or(0, model::time::Interval::millis);
    let (fee, gas_units) = (terms.fee, terms.gas_units);
    Route { source, transit, target, delay_ms, fee, gas_units }
}

/// The balance of an asset at a venue.
fn balance(table: &InstrumentTable, venue: &str, asset: &str) -> Option<KeyIx> {
    let is_it = |key: &PositionKey| {
        key.kind() == PositionType::BaseToken && key.venue() == venue && key.symbol() == asset
    };
    table.keys().find(|(_, key)| is_it(key)).map(|(place, _)| place)
}
