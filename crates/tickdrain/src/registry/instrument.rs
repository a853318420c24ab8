//! Instruments as the registry and run files describe them.

use model::Decimal;
use model::instrument::{InstrumentId, MarketType};
use model::key::PositionKey;
use model::time::{Interval, UtcMillis};

use super::change::{self, TermsChange};
use super::tiers::{self, MarginTierEntry};
use crate::runfile::document::Node;
use crate::runfile::fault::Fault;
use crate::runfile::field::{Choice, Field, Flag, Instant, Length, wrong};
use crate::runfile::number::{Number, Positive};
use crate::runfile::reader::TableReader;

/// Whether a perpetual's profit is in quote or in base currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContractKind {
    /// Settled in quote currency.
    Linear,
    /// Settled in base currency.
    Inverse,
}

impl ContractKind {
    /// The kind as files spell it.
    pub fn name(self) -> &'static str {
        CONTRACTS.word(self)
    }
}

const CONTRACTS: Choice<'static, ContractKind> =
    Choice(&[("linear", ContractKind::Linear), ("inverse", ContractKind::Inverse)]);

/// A hundred times the last close is no band any more.
const PRICE_BAND_BPS: Number = Number {
    min: Decimal::from_parts(1, 0, 0, false, 18),
    max: Decimal::from_parts(1_000_000, 0, 0, false, 0),
};

impl PerpTerms {
    /// The margin tiers of an instant, of the latest date without one.
    pub fn tiers_at(&self, instant: Option<UtcMillis>) -> Vec<MarginTierEntry> {
        tiers::at(&self.tiers, instant)
    }
}

/// What only a perpetual has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerpTerms {
    /// Asset in which profit is paid.
    pub settle: Box<str>,
    /// Linear or inverse.
    pub contract: ContractKind,
    /// Base units (linear) or quote units (inverse) of one contract.
    pub contract_size: Decimal,
    /// Usual time between two payments of funding, for people: when they fall due and what a gap is,
    /// the data say.
    pub funding_interval: Interval,
    /// Margin tiers, ascending for each date; empty where the registry has none.
    pub tiers: Vec<MarginTierEntry>,
}

/// Eight hours, as at most venues.
const FUNDING_MS: i64 = 8 * 3_600_000;

/// An instrument as the registry or the run file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentEntry {
    /// Its id.
    pub id: InstrumentId,
    /// Asset that is bought and sold.
    pub base: Box<str>,
    /// Asset in which prices are stated.
    pub quote: Box<str>,
    /// Smallest price step, in quote currency.
    pub tick: Decimal,
    /// Smallest quantity step, in base units.
    pub lot: Decimal,
    /// Smallest order, in base units.
    pub min_qty: Decimal,
    /// Largest order, in base units.
    pub max_qty: Option<Decimal>,
    /// Smallest order, in quote currency.
    pub min_notional: Decimal,
    /// How far a limit may lie beyond the last close on the aggressive side.
    pub price_band_bps: Option<Decimal>,
    /// Whether the venue takes orders in it.
    pub trading: bool,
    /// From when on the registry vouches for these terms; `None` if it does not say.
    pub valid_from: Option<UtcMillis>,
    /// What changed later, in the order of time.
    pub changes: Vec<TermsChange>,
    /// Terms of a perpetual; `None` on every other market.
    pub perp: Option<PerpTerms>,
}

impl InstrumentEntry {
    /// The entry with the terms of an instant, of the latest ones without one; what changes after it
    /// is still in [`changes`](Self::changes).
    pub fn at(&self, instant: Option<UtcMillis>) -> Self {
        let mut entry = self.clone();
        let has_come =
            |change: &TermsChange| instant.is_none_or(|instant| change.valid_from <= instant);
        for change in self.changes.iter().filter(|change| has_come(change)) {
            entry.valid_from = Some(change.valid_from);
            entry.tick = change.tick.unwrap_or(entry.tick);
            entry.lot = change.lot.unwrap_or(entry.lot);
            entry.min_qty = change.min_qty.unwrap_or(entry.min_qty);
            entry.min_notional = change.min_notional.unwrap_or(entry.min_notional);
        }
        entry.changes.retain(|change| !has_come(change));
        entry
    }

    /// Every asset that it involves.
    pub fn assets(&self) -> impl Iterator<Item = &str> {
        let settle = self.perp.as_ref().map(|perp| &*perp.settle);
        [&*self.base, &*self.quote].into_iter().chain(settle)
    }

    /// Every asset that has to be held to trade it: base and quote, or what a perpetual settles in.
    pub fn held(&self) -> impl Iterator<Item = &str> {
        let held = match &self.perp {
            Some(perp) => [Some(&*perp.settle), None],
            None => [Some(&*self.base), Some(&*self.quote)],
        };
        held.into_iter().flatten()
    }

    /// Reads one; what is absent comes from the entry that `known` has for its id, else from the
    /// defaults. Base and quote have none, and changes of terms are not taken over.
    ///
    /// Without an id, a base and a quote there is no entry, and the id only if that could be read.
    pub(crate) fn read<'k>(
        mut reader: TableReader<'_>,
        known: impl FnOnce(&InstrumentId) -> Option<&'k Self>,
    ) -> (Result<Self, Option<InstrumentId>>, toml::Table) {
        let Some(id) = reader.required("id", &InstrumentName) else {
            return (Err(None), reader.abandon());
        };
        let known = known(&id);
        let base = asset(&mut reader, "base", known.map(|known| &*known.base));
        let quote = asset(&mut reader, "quote", known.map(|known| &*known.quote));
        let perp = read_perp(&mut reader, &id, base.as_deref(), quote.as_deref(), known);
        let step = Decimal::new(1, 8);
        let tick = reader.or_default("tick", &Positive, known.map_or(step, |known| known.tick));
        let lot = reader.or_default("lot", &Positive, known.map_or(step, |known| known.lot));
        let none = Decimal::ZERO;
        let field = Number::NOT_NEGATIVE;
        let min_qty = known.map_or(none, |known| known.min_qty);
        let min_qty = reader.or_default("min_qty", &field, min_qty);
        let min_notional = known.map_or(none, |known| known.min_notional);
        let min_notional = reader.or_default("min_notional", &field, min_notional);
        let max_qty =
            reader.optional("max_qty", &Positive).or_else(|| known.and_then(|known| known.max_qty));
        if let Some(most) = max_qty.filter(|most| *most < min_qty) {
            let expected = format!("at least min_qty, {min_qty}");
            reader.record("max_qty", "CFG-VALUE", most.to_string(), expected);
        }
        let price_band_bps = reader
            .optional("price_band_bps", &PRICE_BAND_BPS)
            .or_else(|| known.and_then(|known| known.price_band_bps));
        let trading = reader.or_default("trading", &Flag, known.is_none_or(|known| known.trading));
        let valid_from = reader
            .optional("valid_from", &Instant)
            .or_else(|| known.and_then(|known| known.valid_from));
        let changes = change::read(&mut reader);
        let entry = match base.zip(quote) {
            Some((base, quote)) => {
                let (base, quote) = (base.into(), quote.into());
                Ok(Self {
                    id,
                    base,
                    quote,
                    tick,
                    lot,
                    min_qty,
                    max_qty,
                    min_notional,
                    price_band_bps,
                    trading,
                    valid_from,
                    changes,
                    perp,
                })
            }
            None => Err(Some(id)),
        };
        (entry, reader.finish())
    }
}

fn asset(reader: &mut TableReader<'_>, key: &str, known: Option<&str>) -> Option<String> {
    match known {
        Some(known) => Some(reader.or_default(key, &Asset, known.to_owned())),
        None => reader.required(key, &Asset),
    }
}

fn read_perp(
    reader: &mut TableReader<'_>,
    id: &InstrumentId,
    base: Option<&str>,
    quote: Option<&str>,
    known: Option<&InstrumentEntry>,
) -> Option<PerpTerms> {
    if id.market != MarketType::Perp {
        return None;
    }
    let known = known.and_then(|known| known.perp.as_ref());
    let contract = known.map_or(ContractKind::Linear, |known| known.contract);
    let contract = reader.or_default("contract", &CONTRACTS, contract);
    // What a contract pays in is its quote currency, or the coin itself if it is inverse.
    let usual = if contract == ContractKind::Inverse { base } else { quote };
    let settle = known.map(|known| &*known.settle).or(usual).unwrap_or("USD").to_owned();
    let settle = reader.or_default("settle", &Asset, settle);
    let size = known.map_or(Decimal::ONE, |known| known.contract_size);
    let contract_size = reader.or_default("contract_size", &Positive, size);
    let usual = Interval::from_millis(FUNDING_MS).expect("eight hours are positive");
    let funding_interval = known.map_or(usual, |known| known.funding_interval);
    let funding_interval = reader.or_default("funding_interval", &Length, funding_interval);
    let known_tiers = || known.map(|known| known.tiers.clone()).unwrap_or_default();
    let tiers = tiers::read(reader).unwrap_or_else(known_tiers);
    let settle = settle.into();
    Some(PerpTerms { settle, contract, contract_size, funding_interval, tiers })
}

/// Name of an asset: what can be the symbol of a position key.
pub(crate) struct Asset;

impl Field for Asset {
    type Value = String;

    fn expected(&self) -> String {
        "an asset such as \"BTC\" (letters, digits, `.`, `_` and `-`)".to_owned()
    }

    fn read(&self, node: &Node) -> Result<String, Vec<Fault>> {
        node.as_str()
            .filter(|text| PositionKey::base_token("any", text).is_ok())
            .map(str::to_owned)
            .ok_or_else(|| vec![wrong(self, node)])
    }

    fn write(&self, value: &String) -> toml::Value {
        toml::Value::String(value.clone())
    }
}

/// An instrument id, known or not.
pub(crate) struct InstrumentName;

impl Field for InstrumentName {
    type Value = InstrumentId;

    fn expected(&self) -> String {
        "venue:market:symbol with market = spot, perp, pool or swap".to_owned()
    }

    fn read(&self, node: &Node) -> Result<InstrumentId, Vec<Fault>> {
        node.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| vec![wrong(self, node)])
    }

    fn write(&self, value: &InstrumentId) -> toml::Value {
        toml::Value::String(value.to_string())
    }
}
