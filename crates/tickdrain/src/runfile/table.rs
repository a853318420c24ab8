//! The table of a run's instruments, and what they must not do to each other or to the run.

use model::instrument::{InstrumentId, InstrumentTable, MarketType};
use model::time::UtcMillis;

use super::data::DataSection;
use super::fault::{Fault, FaultLog};
use super::instruments::{self, InstrumentBook};
use super::points::Subject;
use super::venues::{VenueBook, unknown_venue};

/// Instruments in the order of the table: those with data first, so that series and places agree.
pub(super) fn used_instruments(data: &DataSection, book: &InstrumentBook) -> Vec<InstrumentId> {
    let mut used: Vec<InstrumentId> =
        data.series.iter().map(|series| series.instrument.clone()).collect();
    for declared in book.declared() {
        if !used.contains(&declared.id) {
            used.push(declared.id.clone());
        }
    }
    used
}

pub(super) fn instrument_table(
    used: &[InstrumentId],
    data: &DataSection,
    book: &InstrumentBook,
    venues: &VenueBook,
    log: &FaultLog,
) -> InstrumentTable {
    debug_assert!(data.series.len() <= used.len(), "every series has an instrument");
    let mut table = InstrumentTable::new();
    for id in used {
        let entry = book.get(id).expect("only listed instruments are used");
        table.add(instruments::instrument(entry, &venues.terms(&id.venue)));
    }
    for series in &data.points {
        if let Subject::Price(series) = &series.subject {
            table.add_price_series(series.clone());
        }
    }
    record_twins(used, book, log);
    for declared in book.declared() {
        if venues.get(&declared.id.venue).is_none() {
            let fault = unknown_venue(declared.place.clone(), &declared.id.venue, venues);
            log.record(fault.key(declared.key.clone()));
        }
    }
    table
}

/// A run keeps the terms of its start, so they must not change while it goes on.
pub(super) fn record_changes(
    data: &DataSection,
    book: &InstrumentBook,
    end: Option<UtcMillis>,
    log: &FaultLog,
) {
    for series in &data.series {
        // The book has the terms of the start; what is left of the changes comes after it.
        let next = book.get(&series.instrument).and_then(|entry| entry.changes.first());
        if let Some(change) = next.filter(|change| end.is_none_or(|end| change.valid_from < end)) {
            let (id, from) = (&series.instrument, change.valid_from);
            let found = format!("`{id}`, whose terms change at {from}, within the run");
            let expected = "a window in which tick, lot and minimums stay as they are";
            let fault = Fault::new("CFG-TERMS-CHANGE", series.place.clone(), found, expected);
            let hint = "declare it in [[instruments]] to fix its terms, or end the run before";
            log.record(fault.key(series.key.clone()).hint(hint));
        }
    }
}

/// Two spot instruments of one venue, base and quote would share a balance and not a position.
fn record_twins(used: &[InstrumentId], book: &InstrumentBook, log: &FaultLog) {
    let spot = |id: &&InstrumentId| id.market == MarketType::Spot;
    let pair =
        |id: &InstrumentId| book.get(id).map(|entry| (entry.base.clone(), entry.quote.clone()));
    for declared in book.declared().iter().filter(|declared| spot(&&declared.id)) {
        let twin = used.iter().filter(spot).find(|id| {
            **id != declared.id && id.venue == declared.id.venue && pair(id) == pair(&declared.id)
        });
        if let Some(twin) = twin {
            let found = format!("`{}`, which trades what `{twin}` does", declared.id);
            let expected = "one spot instrument per venue, base and quote";
            let fault = Fault::new("CFG-INSTRUMENT", declared.place.clone(), found, expected);
            log.record(fault.key(declared.key.clone()));
        }
    }
}
