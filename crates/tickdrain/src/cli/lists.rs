//! `tickdrain strategies` and `tickdrain instruments`.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use model::parameter::ParameterKind;

use crate::app::App;
use crate::registry::Registry;

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
    };
    if unit.is_empty() || kind == ParameterKind::Size { range } else { format!("{range} {unit}") }
}

pub(super) fn instruments() -> u8 {
    let registry = Registry::built_in();
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        "instrument",
        "base",
        "quote",
        "tick",
        "lot",
        "min qty",
        "min notional",
        "maker bps",
        "taker bps",
    ]);
    for entry in registry.instruments() {
        let fees = registry.venue(&entry.id.venue).map(|venue| venue.fees(entry.id.market));
        let (maker, taker) = fees.map_or_else(
            || ("-".to_owned(), "-".to_owned()),
            |fees| (fees.maker_bps.to_string(), fees.taker_bps.to_string()),
        );
        table.add_row([
            entry.id.to_string(),
            entry.base.to_string(),
            entry.quote.to_string(),
            entry.tick.to_string(),
            entry.lot.to_string(),
            entry.min_qty.to_string(),
            entry.min_notional.to_string(),
            maker,
            taker,
        ]);
    }
    say!("{table}\nregistry version {}", registry.version());
    0
}
