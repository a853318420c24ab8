//! Changes of terms: tick, lot and minimums that a venue altered at a date.

use model::Decimal;
use model::time::UtcMillis;

use crate::runfile::field::Instant;
use crate::runfile::number::{Number, Positive};
use crate::runfile::reader::TableReader;

/// What is otherwise from an instant on; `None` where nothing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermsChange {
    /// From this instant on.
    pub valid_from: UtcMillis,
    /// Smallest price step.
    pub tick: Option<Decimal>,
    /// Smallest quantity step.
    pub lot: Option<Decimal>,
    /// Smallest order, in base units.
    pub min_qty: Option<Decimal>,
    /// Smallest order, in quote currency.
    pub min_notional: Option<Decimal>,
}

/// Reads `changes = [{ valid_from = …, tick = … }, …]`, in the order of time.
pub(super) fn read(instrument: &mut TableReader<'_>) -> Vec<TermsChange> {
    let mut changes: Vec<TermsChange> = Vec::new();
    if instrument.node("changes").is_none() {
        return changes;
    }
    let mut resolved = Vec::new();
    for mut reader in instrument.tables_of("changes", "{ valid_from = …, tick = … }") {
        let valid_from = reader.required("valid_from", &Instant);
        let tick = reader.optional("tick", &Positive);
        let lot = reader.optional("lot", &Positive);
        let min_qty = reader.optional("min_qty", &Number::NOT_NEGATIVE);
        let min_notional = reader.optional("min_notional", &Number::NOT_NEGATIVE);
        if let (Some(now), Some(last)) = (valid_from, changes.last())
            && now <= last.valid_from
        {
            let found = format!("{now} after {}", last.valid_from);
            reader.record("valid_from", "CFG-VALUE", found, "changes in the order of time");
        }
        changes.extend(valid_from.map(|valid_from| TermsChange {
            valid_from,
            tick,
            lot,
            min_qty,
            min_notional,
        }));
        resolved.push(toml::Value::Table(reader.finish()));
    }
    instrument.put("changes", toml::Value::Array(resolved));
    changes
}
