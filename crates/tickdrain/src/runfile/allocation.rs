//! Allocations: how a strategy divides something among venues.

use model::Decimal;
use model::parameter::Allocation;

use super::document::{self, Node, TableNode};
use super::fault::Fault;
use super::field::{Field, wrong};
use super::number::{Number, write_decimal};
use super::place::SourceIx;
use super::venues::{VenueBook, unknown_venue};

const SHARE: Number = Number { min: Decimal::ZERO, max: Decimal::ONE };

/// A table of venues with their shares, which add up to exactly one.
pub(super) struct AllocationTable<'a>(pub(super) &'a VenueBook);

impl Field for AllocationTable<'_> {
    type Value = Allocation;

    fn expected(&self) -> String {
        "shares of venues that add up to 1, such as { binance = 0.6, okx = 0.4 }".to_owned()
    }

    fn read(&self, node: &Node) -> Result<Allocation, Vec<Fault>> {
        let table = node.as_table().ok_or_else(|| vec![wrong(self, node)])?;
        let unknown = table.entries.iter().filter(|entry| self.0.get(&entry.key).is_none());
        let mut faults: Vec<Fault> =
            unknown.map(|entry| unknown_venue(entry.place.clone(), &entry.key, self.0)).collect();
        let shares = shares(table).map_err(|wrong| faults.extend(wrong)).ok();
        let allocation = shares.and_then(|shares| {
            let total: Decimal = shares.iter().map(|(_, share)| *share).sum();
            let allocation = Allocation::new(shares);
            if allocation.is_none() {
                let found = format!("shares that add up to {}", total.normalize());
                let place = node.place.clone();
                faults.push(Fault::new("CFG-ALLOCATION", place, found, self.expected()));
            }
            allocation
        });
        allocation.filter(|_| faults.is_empty()).ok_or(faults)
    }

    fn write(&self, value: &Allocation) -> toml::Value {
        let shares = value.iter().map(|(venue, share)| (venue.to_owned(), write_decimal(share)));
        toml::Value::Table(shares.collect())
    }
}

/// The allocation that an inline table spells.
pub(super) fn allocation_of(text: &str) -> Option<Allocation> {
    let node = document::parse_value(text, SourceIx::RUN_FILE, 0)?;
    Allocation::new(shares(node.as_table()?).ok()?)
}

fn shares(table: &TableNode) -> Result<Vec<(Box<str>, Decimal)>, Vec<Fault>> {
    let mut shares = Vec::with_capacity(table.entries.len());
    let mut faults = Vec::new();
    for entry in &table.entries {
        match SHARE.read(&entry.node) {
            Ok(share) => shares.push((entry.key.as_str().into(), share)),
            Err(wrong) => faults.extend(wrong),
        }
    }
    if faults.is_empty() { Ok(shares) } else { Err(faults) }
}
