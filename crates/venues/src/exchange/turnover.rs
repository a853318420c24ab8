//! Turnover: what was traded on each market of each venue in the last 30 days.

use std::collections::VecDeque;

use model::Decimal;
use model::instrument::{InstrumentIx, InstrumentTable, MarketType};
use model::time::{DAY_MS, UtcMillis};

/// Days that a volume tier looks back.
const DAYS: i64 = 30;

/// Notional per market and day. Spot and perpetuals of a venue are markets of their own, and so are
/// currencies: amounts of two of them do not add up.
#[derive(Clone, Debug, Default)]
pub(super) struct Turnover {
    /// Place of the market of each instrument.
    markets: Vec<usize>,
    days: Vec<Days>,
}

#[derive(Clone, Debug, Default)]
struct Days {
    /// Past days and their notionals, oldest first.
    past: VecDeque<(i64, Decimal)>,
    /// The day of the last trade.
    today: i64,
    sum_today: Decimal,
    /// Sum of the 30 days before `today`: asked for at every fill, changes once a day.
    sum_before: Decimal,
}

impl Turnover {
    pub(super) fn new(instruments: &InstrumentTable) -> Self {
        let mut known: Vec<(&str, MarketType, &str)> = Vec::new();
        let mut markets = Vec::with_capacity(instruments.len());
        for (_, instrument) in instruments.instruments() {
            let market = (&*instrument.id.venue, instrument.id.market, &*instrument.quote);
            let place = known.iter().position(|other| *other == market);
            markets.push(place.unwrap_or(known.len()));
            if place.is_none() {
                known.push(market);
            }
        }
        let days = vec![Days::default(); known.len()];
        Self { markets, days }
    }

    /// Counts a trade.
    pub(super) fn add(&mut self, instrument: InstrumentIx, ts: UtcMillis, notional: Decimal) {
        let day = ts.millis().div_euclid(DAY_MS);
        let days = &mut self.days[self.markets[instrument.index()]];
        if day != days.today {
            days.turn_to(day);
        }
        days.sum_today += notional;
    }

    /// Notional traded on the 30 days before the day of `ts`.
    pub(super) fn before(&self, instrument: InstrumentIx, ts: UtcMillis) -> Decimal {
        let day = ts.millis().div_euclid(DAY_MS);
        let days = &self.days[self.markets[instrument.index()]];
        if day == days.today { days.sum_before } else { days.sum_before(day) }
    }
}

impl Days {
    fn turn_to(&mut self, day: i64) {
        if !self.sum_today.is_zero() {
            self.past.push_back((self.today, self.sum_today));
        }
        while self.past.front().is_some_and(|(first, _)| *first < day - DAYS) {
            self.past.pop_front();
        }
        (self.today, self.sum_today) = (day, Decimal::ZERO);
        self.sum_before = self.sum_before(day);
    }

    fn sum_before(&self, day: i64) -> Decimal {
        let today = std::iter::once((self.today, self.sum_today));
        let counts = |(past, _): &(i64, Decimal)| (day - DAYS..day).contains(past);
        let days = self.past.iter().copied().chain(today).filter(counts);
        days.map(|(_, notional)| notional).sum()
    }
}

#[cfg(test)]
mod tests {
    use model::instrument::Instrument;

    use super::*;

    #[test]
    fn the_volume_of_a_day_counts_for_the_thirty_days_after_it() {
        let mut table = InstrumentTable::new();
        let spot = |id: &str, base: &str| Instrument::spot(id.parse().unwrap(), base, "USDT");
        let [btc, eth] =
            ["BTC", "ETH"].map(|base| table.add(spot(&format!("a:spot:{base}"), base)));
        let other = table.add(spot("b:spot:BTC", "BTC"));
        let mut turnover = Turnover::new(&table);
        let at = |day: i64| UtcMillis::new(day * DAY_MS + 1);
        turnover.add(btc, at(0), Decimal::TEN);
        turnover.add(eth, at(0), Decimal::ONE);
        turnover.add(btc, at(10), Decimal::TWO);
        for (day, volume) in [(10, 11), (11, 13), (30, 13), (31, 2), (41, 0)] {
            assert_eq!(turnover.before(eth, at(day)), Decimal::from(volume), "day {day}");
        }
        turnover.add(btc, at(45), Decimal::ONE);
        assert_eq!(turnover.before(btc, at(45)), Decimal::ZERO);
        assert_eq!(turnover.before(btc, at(46)), Decimal::ONE);
        assert_eq!(turnover.before(other, at(11)), Decimal::ZERO);
    }
}
