//! `[initial]`: what the run starts with.

use std::collections::BTreeMap;

use model::Decimal;
use model::instrument::InstrumentTable;
use model::key::{ParseKeyError, PositionKey, PositionType};

use super::document::Entry;
use super::fault::{Fault, FaultLog};
use super::field::Field;
use super::instruments::InstrumentBook;
use super::number::Number;
use super::place::Place;
use super::reader::TableReader;
use super::venues::{VenueBook, unknown_venue};

/// A holding at the start of the run, with where the run file has it.
#[derive(Clone, Debug)]
pub(super) struct Holding {
    pub(super) key: PositionKey,
    pub(super) amount: Decimal,
    place: Place,
    path: String,
}

/// From nothing to 10¹⁵, which leaves room to grow in the 28 digits of the ledger.
const AMOUNT: Number =
    Number { min: Decimal::ZERO, max: Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0) };

/// Reads `[initial]`, in the order of the keys.
pub(super) fn read(
    root: &mut TableReader<'_>,
    venues: &VenueBook,
    book: &InstrumentBook,
) -> Vec<Holding> {
    let mut reader = root.table("initial");
    let entries = reader.free_keys();
    if root.is_vacant("initial") {
        let expected = "at least one holding, such as \"binance:BaseToken:USDT\" = \"10000\"";
        root.record_missing("initial", expected);
    }
    let mut holdings = BTreeMap::new();
    for Entry { key: text, place, node } in entries {
        let path = reader.key_path(text);
        let field = AMOUNT;
        let amount = field.read(node).unwrap_or_else(|faults| {
            for fault in faults {
                reader.log().record(fault.key(path.clone()));
            }
            Decimal::ZERO
        });
        match parse_key(text, place, venues, book) {
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

/// Reads a position key in the order of specification 01 §2.4: form, venue, type, symbol.
fn parse_key(
    text: &str,
    place: &Place,
    venues: &VenueBook,
    book: &InstrumentBook,
) -> Result<PositionKey, Box<Fault>> {
    let key: PositionKey = text.parse().map_err(|error: ParseKeyError| {
        let form = "venue:type:symbol, such as binance:BaseToken:USDT";
        let fault = Fault::new("CFG-KEY-MALFORMED", place.clone(), format!("`{text}`"), form)
            .headline(format!("malformed position key: {error}"));
        match error {
            ParseKeyError::Type(kind) => {
                fault.hint_nearest(&kind, PositionType::ALL.map(PositionType::name))
            }
            ParseKeyError::Venue(venue) if venue.contains(char::is_uppercase) => {
                fault.hint("venues are written in lower case")
            }
            ParseKeyError::Parts(_) | ParseKeyError::Venue(_) | ParseKeyError::Symbol(_) => fault,
        }
    })?;
    let Some(venue) = venues.get(key.venue()) else {
        let mut fault = unknown_venue(place.clone(), key.venue(), venues);
        fault.code = "CFG-KEY-VENUE";
        return Err(fault.into());
    };
    let types = venue.kind.position_types();
    if !types.contains(&key.kind()) {
        let names: Vec<&str> = types.iter().map(|kind| kind.name()).collect();
        let expected = match names.as_slice() {
            [] => format!("another venue: nothing is held at one of kind {}", venue.kind.name()),
            names => format!("one of {}, which `{}` has", names.join(", "), key.venue()),
        };
        let found = format!("the type {} at `{}`", key.kind().name(), key.venue());
        return Err(Fault::new("CFG-KEY-VENUE", place.clone(), found, expected).into());
    }
    check_symbol(&key, place, book, venue.kind == crate::registry::VenueKind::Wallet)?;
    Ok(key)
}

fn check_symbol(
    key: &PositionKey,
    place: &Place,
    book: &InstrumentBook,
    wallet: bool,
) -> Result<(), Box<Fault>> {
    let known: Vec<&str> = match key.kind() {
        PositionType::BaseToken => {
            let venue = (!wallet).then(|| key.venue());
            book.assets(venue).into_iter().collect()
        }
        PositionType::Perp => book.perps(key.venue()).collect(),
        kind @ (PositionType::AToken
        | PositionType::DebtToken
        | PositionType::Lst
        | PositionType::Claim
        | PositionType::Transit
        | PositionType::FlashDebt) => {
            let subject = format!("an initial holding of type {}", kind.name());
            return Err(Fault::not_implemented(place.clone(), &subject, "type BaseToken").into());
        }
    };
    if !known.contains(&key.symbol()) {
        let found = format!("the unknown symbol `{}`", key.symbol());
        let expected = format!(
            "a {} that the registry or [[instruments]] has at `{}`",
            key.kind().name(),
            key.venue()
        );
        return Err(Fault::new("CFG-KEY-SYMBOL", place.clone(), found, expected)
            .hint_nearest(key.symbol(), known)
            .into());
    }
    if key.kind() == PositionType::Perp {
        let subject = "an initial holding of type Perp";
        return Err(Fault::not_implemented(place.clone(), subject, "type BaseToken").into());
    }
    Ok(())
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
