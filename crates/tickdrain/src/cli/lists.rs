//! `tickdrain strategies` and `tickdrain instruments`.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use model::parameter::ParameterKind;

use crate::app::App;
use crate::registry::{Registry, VenueKind};

pub(super) fn strategies(app: &App) -> u8 {
    for entry in app.catalog().iter() {
        say!("{}\n  {}", entry.name(), entry.summary());
        for parameter in entry.parameters() {
            let default = match (parameter.default, parameter.kind) {
                (Some(default), _) => format!("default {default}"),
                (None, ParameterKind::Instruments) => "default: the only one of the run".to_owned(),
                (None, _) => "required".to_owned(),
            };
            say!(
                "  {:<12} {}  [{}; {default}]",
                parameter.name,
                parameter.doc,
                values(parameter.kind, parameter.unit)
            );
        }
        say!("");
    }
    0
}

/// What a parameter may be, with its unit.
fn values(kind: ParameterKind, unit: &str) -> String {
    let range = match kind {
        ParameterKind::Integer { min, max } => format!("{min} to {max}"),
        ParameterKind::Decimal { min, max } => format!("{min} to {max}"),
        ParameterKind::Size => "an amount or a share such as \"50%\"".to_owned(),
        ParameterKind::Choice(words) => words.join(" | "),
        ParameterKind::Instruments => "instrument ids".to_owned(),
        ParameterKind::File => "path of a file".to_owned(),
        ParameterKind::Flag => "true | false".to_owned(),
        ParameterKind::Allocation => "shares of venues that add up to 1".to_owned(),
    };
    if unit.is_empty() || kind == ParameterKind::Size { range } else { format!("{range} {unit}") }
}

/// Instruments with their present terms, then venues.
pub(super) fn instruments() -> u8 {
    let registry = Registry::built_in();
    say!("{}\n{}", instrument_table(registry), venue_table(registry));
    say!("registry version {}", registry.version());
    0
}

fn instrument_table(registry: &Registry) -> Table {
    let mut table = empty_table(&[
        "instrument",
        "contract",
        "base",
        "quote",
        "settle",
        "tick",
        "lot",
        "min qty",
        "min notional",
        "funding",
        "tiers",
        "maker bps",
        "taker bps",
        "valid from",
    ]);
    let none = || "-".to_owned();
    for entry in registry.instruments().map(|entry| entry.at(None)) {
        let fees = registry.venue(&entry.id.venue).map(|venue| venue.fees(entry.id.market));
        let perp = entry.perp.as_ref();
        let contract = perp.map_or_else(none, |perp| {
            format!("{} {}", perp.contract.name(), perp.contract_size.normalize())
        });
        let from = entry.valid_from.map(|from| from.to_string());
        table.add_row([
            entry.id.to_string(),
            contract,
            entry.base.to_string(),
            entry.quote.to_string(),
            perp.map_or_else(none, |perp| perp.settle.to_string()),
            entry.tick.to_string(),
            entry.lot.to_string(),
            entry.min_qty.to_string(),
            entry.min_notional.to_string(),
            perp.map_or_else(none, |perp| perp.funding_interval.to_string()),
            perp.map_or_else(none, |perp| perp.tiers_at(None).len().to_string()),
            fees.map_or_else(none, |fees| fees.maker_bps.to_string()),
            fees.map_or_else(none, |fees| fees.taker_bps.to_string()),
            // Midnight says no more than its date.
            from.map_or_else(none, |from| from.trim_end_matches("T00:00:00Z").to_owned()),
        ]);
    }
    table
}

fn venue_table(registry: &Registry) -> Table {
    let mut table =
        empty_table(&["venue", "kind", "holds", "liquidation bps", "fee in mmr", "negative"]);
    for venue in registry.venues() {
        let kinds: Vec<&str> = venue.position_types().iter().map(|kind| kind.name()).collect();
        let yes_no = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
        // Only an exchange keeps margin accounts.
        let rules = Some(venue.rules).filter(|_| venue.kind == VenueKind::Cex);
        let none = || "-".to_owned();
        table.add_row([
            venue.name.to_string(),
            venue.kind.name().to_owned(),
            if kinds.is_empty() { none() } else { kinds.join(", ") },
            rules.map_or_else(none, |rules| rules.liquidation_fee_bps.to_string()),
            rules.map_or_else(none, |rules| yes_no(rules.liquidation_fee_in_mmr)),
            rules.map_or_else(none, |rules| yes_no(rules.allow_negative)),
        ]);
    }
    table
}

pub(super) fn empty_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.to_vec());
    table
}
