//! Which files a year is written to.

use model::frame::Bar;
use model::time::Interval;

use super::bars::{Candles, Year};
use super::file::Table;
use super::perpetual::{FUNDING_HOURS, Perpetual};
use super::{GENERATOR, PERPETUAL_GENERATOR};

/// Open of the first bar: 2024-01-01T00:00:00Z, in milliseconds since the epoch.
pub(super) const FIRST_OPEN_MS: i64 = 1_704_067_200_000;

const HOUR_MS: i64 = Interval::HOUR.millis();

/// A column of bars, by name.
type Column = (&'static str, fn(&Bar) -> f64);

/// The four prices, in the order of the schema.
const PRICES: [Column; 4] = [
    ("open", |bar| bar.open),
    ("high", |bar| bar.high),
    ("low", |bar| bar.low),
    ("close", |bar| bar.close),
];

/// The files of a year, each with the end of its name: candles, marks, funding.
pub(super) fn tables(year: &Year) -> Vec<(&'static str, Table)> {
    let candles = year.candles.iter().map(|candles| ("1h", candles_table(candles)));
    let marks = year.perpetuals.iter().map(|perpetual| ("mark_1h", marks_table(perpetual)));
    let funding = year.perpetuals.iter().map(|perpetual| ("funding_8h", funding_table(perpetual)));
    candles.chain(marks).chain(funding).collect()
}

fn columns(bars: &[Bar], of: &[Column]) -> Vec<(&'static str, Vec<f64>)> {
    of.iter().map(|(name, of)| (*name, bars.iter().map(of).collect())).collect()
}

fn candles_table(candles: &Candles) -> Table {
    let mut with_volume = PRICES.to_vec();
    with_volume.push(("volume", |bar| bar.volume));
    Table {
        instrument: candles.instrument.clone(),
        generator: GENERATOR,
        schema: "candles",
        first_ms: FIRST_OPEN_MS,
        step_ms: HOUR_MS,
        columns: columns(&candles.bars, &with_volume),
    }
}

fn marks_table(perpetual: &Perpetual) -> Table {
    Table {
        instrument: perpetual.instrument.clone(),
        generator: PERPETUAL_GENERATOR,
        schema: "marks",
        first_ms: FIRST_OPEN_MS,
        step_ms: HOUR_MS,
        columns: columns(&perpetual.marks, &PRICES),
    }
}

fn funding_table(perpetual: &Perpetual) -> Table {
    let hours = i64::try_from(FUNDING_HOURS).expect("a few hours");
    let marks = perpetual.marks_at_events().collect();
    Table {
        instrument: perpetual.instrument.clone(),
        generator: PERPETUAL_GENERATOR,
        schema: "funding",
        first_ms: FIRST_OPEN_MS + hours * HOUR_MS,
        step_ms: hours * HOUR_MS,
        columns: vec![("rate", perpetual.rates.clone()), ("mark_price", marks)],
    }
}
