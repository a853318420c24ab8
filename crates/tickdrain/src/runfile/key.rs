//! Position keys in a run file, read by the rules of specification 01 §2.4.

use std::collections::BTreeSet;

use model::key::{ParseKeyError, PositionKey, PositionType};

use super::fault::Fault;
use super::instruments::InstrumentBook;
use super::place::Place;
use super::venues::{VenueBook, unknown_venue};
use crate::registry::{AssetEntry, Registry, VenueEntry, VenueKind};

/// What keys are read against.
#[derive(Clone, Copy)]
pub(super) struct KeyRules<'a> {
    pub(super) venues: &'a VenueBook,
    pub(super) book: &'a InstrumentBook,
    pub(super) registry: &'a Registry,
}

impl KeyRules<'_> {
    /// Reads a key: form, then venue and type, then symbol; the first of them that is wrong.
    pub(super) fn read(&self, text: &str, place: &Place) -> Result<PositionKey, Box<Fault>> {
        let key = text.parse().map_err(|error| malformed(text, place, error))?;
        let venue = self.check_venue(&key, place)?;
        self.check_symbol(&key, venue, place)?;
        Ok(key)
    }

    fn check_venue(&self, key: &PositionKey, place: &Place) -> Result<&VenueEntry, Box<Fault>> {
        let Some(venue) = self.venues.get(key.venue()) else {
            let mut fault = unknown_venue(place.clone(), key.venue(), self.venues);
            fault.code = "CFG-KEY-VENUE";
            return Err(fault.into());
        };
        let types = venue.position_types();
        if types.contains(&key.kind()) {
            return Ok(venue);
        }
        let names: Vec<&str> = types.iter().map(|kind| kind.name()).collect();
        let expected = match names.as_slice() {
            [] => format!("another venue: nothing is held at one of kind {}", venue.kind.name()),
            names => format!("one of {}, which `{}` has", names.join(", "), key.venue()),
        };
        let found = format!("the type {} at `{}`", key.kind().name(), key.venue());
        let fault = Fault::new("CFG-KEY-VENUE", place.clone(), found, expected);
        let shown = venue.kind == VenueKind::Infra && key.kind() == PositionType::BaseToken;
        Err(if shown {
            fault.hint(format!("what it shows is `wallet:BaseToken:{}`", key.symbol()))
        } else {
            fault
        }
        .into())
    }

    fn check_symbol(
        &self,
        key: &PositionKey,
        venue: &VenueEntry,
        place: &Place,
    ) -> Result<(), Box<Fault>> {
        let known = self.symbols(key.kind(), venue);
        if known.contains(key.symbol()) {
            return Ok(());
        }
        let found = format!("the unknown symbol `{}`", key.symbol());
        let (kind, name) = (key.kind().name(), key.venue());
        let expected = format!("a {kind} that the registry or [[instruments]] has at `{name}`");
        let fault = Fault::new("CFG-KEY-SYMBOL", place.clone(), found, expected);
        Err(match self.registry.issuer(key.symbol()) {
            Some(issued) => {
                fault.hint(format!("its key names the protocol that issues it: `{issued}`"))
            }
            None => fault.hint_nearest(key.symbol(), known),
        }
        .into())
    }

    /// What can be held of a type at a venue.
    fn symbols(&self, kind: PositionType, venue: &VenueEntry) -> BTreeSet<&str> {
        let issued = || self.registry.tokens().filter(|token| token.key.kind() == kind);
        match kind {
            PositionType::Perp => self.book.perps(&venue.name).collect(),
            PositionType::BaseToken | PositionType::Transit => {
                if venue.kind != VenueKind::Wallet {
                    return self.book.assets(Some(&venue.name));
                }
                // What a protocol issues lies in the wallet, but its key names the issuer.
                let registered = self.registry.assets().map(|asset: &AssetEntry| &*asset.name);
                let all = self.book.assets(None).into_iter().chain(registered);
                all.filter(|asset| self.registry.issuer(asset).is_none()).collect()
            }
            PositionType::AToken
            | PositionType::DebtToken
            | PositionType::Lst
            | PositionType::Claim
            | PositionType::FlashDebt => issued()
                .filter(|token| token.key.venue() == &*venue.name)
                .map(|token| token.key.symbol())
                .collect(),
        }
    }

    /// The key that has to be there beside one: settle currency of a perpetual, at its venue;
    /// underlying of an aToken or debtToken, in the wallet.
    pub(super) fn companion(&self, key: &PositionKey) -> Option<PositionKey> {
        match key.kind() {
            PositionType::Perp => {
                let settle = self.book.settle(key.venue(), key.symbol())?;
                PositionKey::base_token(key.venue(), settle).ok()
            }
            PositionType::AToken | PositionType::DebtToken => {
                let underlying = self.registry.token(key)?.underlying();
                let issued = self.registry.issuer(underlying).cloned();
                issued.or_else(|| PositionKey::base_token("wallet", underlying).ok())
            }
            PositionType::BaseToken
            | PositionType::Lst
            | PositionType::Claim
            | PositionType::Transit
            | PositionType::FlashDebt => None,
        }
    }

    /// The asset whose price a key needs, after its index or rate.
    pub(super) fn priced_as(&self, key: &PositionKey) -> Option<&str> {
        let registry = self.registry;
        match key.kind() {
            PositionType::Perp => self.book.settle(key.venue(), key.symbol()),
            PositionType::BaseToken | PositionType::Transit => {
                let known = self.book.assets(None).into_iter().find(|asset| *asset == key.symbol());
                known.or_else(|| Some(&registry.asset(key.symbol())?.name))
            }
            PositionType::AToken
            | PositionType::DebtToken
            | PositionType::Lst
            | PositionType::Claim
            | PositionType::FlashDebt => {
                let asset = registry.token(key)?.underlying();
                let staked = registry.issuer(asset).and_then(|issued| registry.token(issued));
                Some(staked.map_or(asset, |token| token.underlying()))
            }
        }
    }
}

fn malformed(text: &str, place: &Place, error: ParseKeyError) -> Box<Fault> {
    let form = "venue:type:symbol, such as binance:BaseToken:USDT";
    let fault = Fault::new("CFG-KEY-MALFORMED", place.clone(), format!("`{text}`"), form)
        .headline(format!("malformed position key: {error}"));
    Box::new(match error {
        ParseKeyError::Type(kind) => {
            fault.hint_nearest(&kind, PositionType::ALL.map(PositionType::name))
        }
        ParseKeyError::Venue(venue) if venue.contains(char::is_uppercase) => {
            fault.hint("venues are written in lower case")
        }
        ParseKeyError::Parts(_) | ParseKeyError::Venue(_) | ParseKeyError::Symbol(_) => fault,
    })
}
