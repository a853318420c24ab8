//! Margin tiers of perpetuals: how much margin a notional has to keep (specification 04 §6.1).

use model::Decimal;
use model::time::UtcMillis;

use crate::runfile::field::Instant;
use crate::runfile::number::{Number, Positive};
use crate::runfile::reader::TableReader;

/// One tier: MM = notional × `mmr` − `amount` while the notional is above the tier before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarginTierEntry {
    /// From this instant on; `None` from the beginning.
    pub valid_from: Option<UtcMillis>,
    /// Largest notional, in quote currency; `None` for the last tier if it has no bound.
    pub max_notional: Option<Decimal>,
    /// Maintenance margin rate, a fraction of the notional between 0 and 1.
    pub mmr: Decimal,
    /// What is taken off, in quote currency, as the venue states it, rounded perhaps; what is reckoned
    /// with is the one that makes the margin continuous.
    pub amount: Decimal,
    /// Initial margin rate, a fraction above `mmr`; `None` if it is not stated. Orders are bounded by
    /// the leverage of the venue either way.
    pub imr: Option<Decimal>,
}

impl MarginTierEntry {
    /// Largest leverage in this tier.
    pub fn max_leverage(&self) -> Option<Decimal> {
        // The inverse of a third is not quite three.
        self.imr.map(|imr| (Decimal::ONE / imr).round_dp(12).normalize())
    }
}

/// A fraction, at most the whole.
const RATE: Number = Number { min: Decimal::from_parts(1, 0, 0, false, 18), max: Decimal::ONE };
const MAX_LEVERAGE: Number =
    Number { min: Decimal::ONE, max: Decimal::from_parts(1_000, 0, 0, false, 0) };
/// Venues publish rounded amounts; a step of one unit of quote currency is no gap.
const ROUNDING: Decimal = Decimal::ONE;

/// The tiers in force at an instant, those of the latest date that has come; all if none is dated.
pub(super) fn at(tiers: &[MarginTierEntry], instant: Option<UtcMillis>) -> Vec<MarginTierEntry> {
    let has_come = |tier: &&MarginTierEntry| match (tier.valid_from, instant) {
        (Some(from), Some(instant)) => from <= instant,
        (None, _) | (_, None) => true,
    };
    let latest = tiers.iter().filter(has_come).map(|tier| tier.valid_from).max().flatten();
    tiers.iter().filter(|tier| tier.valid_from == latest).cloned().collect()
}

/// Reads `tiers = [{ valid_from, max_notional, mmr, amount, imr | max_leverage }, …]`, ascending.
///
/// Records tiers that no venue can have: a maintenance margin not below the initial one, rates or
/// notionals that do not grow, an open tier that is not the last, a start that is not the end of the
/// tier before, an amount that makes the margin jump.
pub(super) fn read(instrument: &mut TableReader<'_>) -> Option<Vec<MarginTierEntry>> {
    instrument.node("tiers")?;
    let mut tiers: Vec<MarginTierEntry> = Vec::new();
    let mut resolved = Vec::new();
    for mut reader in instrument.tables_of("tiers", "{ max_notional = …, mmr = …, imr = … }")
    {
        let tier = read_tier(&mut reader, &tiers);
        resolved.push(toml::Value::Table(reader.finish()));
        tiers.extend(tier);
    }
    instrument.put("tiers", toml::Value::Array(resolved));
    Some(tiers)
}

fn read_tier(reader: &mut TableReader<'_>, before: &[MarginTierEntry]) -> Option<MarginTierEntry> {
    let valid_from = reader.optional("valid_from", &Instant);
    let last = before.last().filter(|last| last.valid_from == valid_from);
    let known_date = before.iter().any(|tier| tier.valid_from == valid_from);
    if last.is_none() && known_date {
        let expected = "the tiers of one date one after another";
        reader.record("valid_from", "CFG-TIERS", "a date for the second time".to_owned(), expected);
    }
    let floor = check_floor(reader, last);
    let max_notional = reader.optional("max_notional", &Positive);
    if let Some(most) = max_notional.filter(|most| *most <= floor) {
        let expected = format!("more than the tier before has, {floor}");
        reader.record("max_notional", "CFG-TIERS", most.to_string(), expected);
    }
    let mmr = reader.required("mmr", &RATE);
    let amount = read_amount(reader, mmr, floor, last);
    let imr = read_imr(reader);
    let mmr = mmr?;
    if let Some(imr) = imr.filter(|imr| mmr >= *imr) {
        let found = format!("a maintenance margin of {mmr} and an initial margin of {imr}");
        reader.record("mmr", "CFG-TIERS", found, "a maintenance margin below the initial one");
    }
    if imr.is_none() && mmr >= Decimal::ONE {
        let expected = "less than 1: no position has more margin than its notional";
        reader.record("mmr", "CFG-TIERS", mmr.to_string(), expected);
    }
    if let Some(last) = last {
        if mmr <= last.mmr {
            let expected = format!("more than the tier before has, {}", last.mmr);
            reader.record("mmr", "CFG-TIERS", mmr.to_string(), expected);
        }
        if let Some((imr, lower)) = imr.zip(last.imr).filter(|(imr, before)| imr < before) {
            let expected = format!("no less than the tier before has, {lower}");
            reader.record("imr", "CFG-TIERS", imr.to_string(), expected);
        }
    }
    Some(MarginTierEntry { valid_from, max_notional, mmr, amount, imr })
}

/// Where the tier starts: the end of the one before it, which `min_notional` may repeat.
fn check_floor(reader: &mut TableReader<'_>, last: Option<&MarginTierEntry>) -> Decimal {
    let floor = match last {
        None => Decimal::ZERO,
        Some(MarginTierEntry { max_notional: Some(most), .. }) => *most,
        Some(MarginTierEntry { max_notional: None, mmr, .. }) => {
            let found = format!("a tier after the one of mmr {mmr}, which has no bound");
            let expected = "a max_notional for every tier but the last";
            reader.record("max_notional", "CFG-TIERS", found, expected);
            Decimal::ZERO
        }
    };
    let given = reader.optional("min_notional", &Number::NOT_NEGATIVE);
    if let Some(given) = given.filter(|given| *given != floor) {
        let word = if given > floor { "a gap" } else { "an overlap" };
        let found = format!("{given}, which leaves {word}");
        reader.record("min_notional", "CFG-TIERS", found, format!("{floor}"));
    }
    floor
}

/// The amount as given, else the one that makes the margin continuous.
fn read_amount(
    reader: &mut TableReader<'_>,
    mmr: Option<Decimal>,
    floor: Decimal,
    last: Option<&MarginTierEntry>,
) -> Decimal {
    let step = last.zip(mmr).and_then(|(last, mmr)| floor.checked_mul(mmr - last.mmr));
    let continuous = last.map_or(Decimal::ZERO, |last| last.amount) + step.unwrap_or_default();
    let amount = reader.or_default("amount", &Number::NOT_NEGATIVE, continuous.max(Decimal::ZERO));
    if mmr.is_some() && (amount - continuous).abs() > ROUNDING {
        let found = format!("{amount}, with which the margin jumps at {floor}");
        reader.record("amount", "CFG-TIERS", found, continuous.normalize().to_string());
    }
    amount
}

/// The initial margin rate, or the largest leverage whose inverse it is.
fn read_imr(reader: &mut TableReader<'_>) -> Option<Decimal> {
    let imr = reader.optional("imr", &RATE);
    let most = reader.optional("max_leverage", &MAX_LEVERAGE);
    if imr.is_some() && most.is_some() {
        let found = "both imr and max_leverage".to_owned();
        reader.record("max_leverage", "CFG-TIERS", found, "one of imr and max_leverage");
    }
    imr.or_else(|| most.map(|most| Decimal::ONE / most))
}
