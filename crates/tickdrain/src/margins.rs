//! Margin tiers: from what registry and run file say to what venues and the risk monitor use.

use std::rc::Rc;

use model::margin::{MarginTier, MarginTiers};
use model::money::Bps;
use model::numeric::float_of;
use model::time::UtcMillis;

use crate::registry::{InstrumentEntry, MarginTierEntry};
use crate::runfile::config::RunConfig;

/// The tiers of every instrument of a run, in the order of the table: all that have held, each from
/// its instant on; none where there are none.
pub(crate) fn tiers(config: &RunConfig) -> Vec<Rc<[MarginTiers]>> {
    let of_instrument = |entry: &InstrumentEntry| {
        let Some(perp) = &entry.perp else { return Rc::from([]) };
        let fee = taker_fee_in_mmr(config, entry);
        let mut dates: Vec<Option<UtcMillis>> = perp.tiers.iter().map(|it| it.valid_from).collect();
        dates.sort_unstable();
        dates.dedup();
        let known = dates.into_iter().map(|date| schedule(date, &perp.tiers, fee));
        known.collect()
    };
    config.instrument_entries.iter().map(of_instrument).collect()
}

/// The tiers of one date. A venue that takes its fee out of the margin asks for that much more.
fn schedule(date: Option<UtcMillis>, tiers: &[MarginTierEntry], fee: f64) -> MarginTiers {
    let mut floor = 0.0;
    let mut of_date = Vec::new();
    for tier in tiers.iter().filter(|tier| tier.valid_from == date) {
        let mmr = float_of(tier.mmr);
        let imr = tier.imr.map_or(1.0, float_of);
        of_date.push(MarginTier::new(floor, mmr + fee, imr.max(mmr + 2.0 * fee)));
        floor = tier.max_notional.map_or(f64::INFINITY, float_of);
    }
    let from = date.unwrap_or(UtcMillis::new(i64::MIN));
    MarginTiers::new(from, &of_date).expect("the tiers of a run file have been checked")
}

fn taker_fee_in_mmr(config: &RunConfig, entry: &InstrumentEntry) -> f64 {
    let venue = config.venues.get(&entry.id.venue);
    let takes = venue.filter(|venue| venue.rules.liquidation_fee_in_mmr);
    takes.map_or(0.0, |venue| float_of(Bps(venue.perp.taker_bps).fraction()))
}
