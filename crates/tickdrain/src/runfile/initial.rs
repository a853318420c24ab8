//! `[initial]`: what the run starts with.

use std::collections::BTreeMap;

use model::Decimal;
use model::instrument::InstrumentTable;
use model::key::{PositionKey, PositionType};

use super::document::Entry;
use super::fault::{Fault, FaultLog};
use super::field::Field;
use super::key::KeyRules;
use super::number::Number;
use super::place::Place;
use super::reader::TableReader;

/// A holding at the start of the run, with where the run file has it.
#[derive(Clone, Debug)]
pub(super) struct Holding {
    pub(super) key: PositionKey,
    pub(super) amount: Decimal,
    pub(super) place: Place,
    pub(super) path: String,
}

/// Reads `[initial]`, in the order of the keys.
pub(super) fn read(root: &mut TableReader<'_>, rules: KeyRules<'_>) -> Vec<Holding> {
    let mut reader = root.table("initial");
    let entries = reader.free_keys();
    if root.is_vacant("initial") {
        let expected = "at least one holding, such as \"binance:BaseToken:USDT\" = \"10000\"";
        root.record_missing("initial", expected);
    }
    let mut holdings = BTreeMap::new();
    for Entry { key: text, place, node } in entries {
        let path = reader.key_path(text);
        let field = Number::NOT_NEGATIVE;
        let amount = field.read(node).unwrap_or_else(|faults| {
            for fault in faults {
                reader.log().record(fault.key(path.clone()));
            }
            Decimal::ZERO
        });
        match rules.read(text, place).and_then(|key| check_type(key, place)) {
            Ok(key) => {
                let place = place.clone();
                holdings.insert(key.clone(), Holding { key, amount, place, path });
            }
            Err(fault) => reader.log().record(fault.key(path)),
        }
    }
    let mut resolved = toml::Table::new();
    for (key, holding) in &holdings {
        resolved.insert(key.to_string(), Number::NOT_NEGATIVE.write(&holding.amount));
    }
    reader.abandon();
    root.put("initial", toml::Value::Table(resolved));
    holdings.into_values().collect()
}

/// Only balances can be held at the start so far.
fn check_type(key: PositionKey, place: &Place) -> Result<PositionKey, Box<Fault>> {
    if key.kind() == PositionType::BaseToken {
        return Ok(key);
    }
    let subject = format!("an initial holding of type {}", key.kind().name());
    Err(Fault::not_implemented(place.clone(), &subject, "type BaseToken").into())
}

/// Checks that every holding has a price in the share class.
pub(super) fn check_price_paths(
    holdings: &[Holding],
    instruments: &InstrumentTable,
    share_class: &str,
    log: &FaultLog,
) {
    for Holding { key, place, path, .. } in holdings {
        let (venue, asset) = (key.venue(), key.symbol());
        if instruments.conversion(venue, asset, share_class).is_none() {
            let found = format!("{asset}, which nothing in the run prices in {share_class}");
            let expected =
                format!("[[data]] of a spot instrument with base {asset} and quote {share_class}");
            log.record(
                Fault::new("CFG-PRICE-PATH", place.clone(), found, expected).key(path.clone()),
            );
        }
    }
}
