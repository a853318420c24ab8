//! Turnover: what was traded at each venue in the last 30 days.

use std::collections::{BTreeMap, VecDeque};

use model::Decimal;
use model::time::UtcMillis;

/// Days that a volume tier looks back.
const DAYS: i64 = 30;
const DAY_MILLIS: i64 = 86_400_000;

/// Notional per venue and day.
#[derive(Clone, Debug, Default)]
pub(super) struct Turnover {
    venues: BTreeMap<Box<str>, Days>,
}

#[derive(Clone, Debug, Default)]
struct Days {
    /// Day and its notional, oldest first.
    days: VecDeque<(i64, Decimal)>,
}

impl Turnover {
    /// Counts a trade.
    pub(super) fn add(&mut self, venue: &str, ts: UtcMillis, notional: Decimal) {
        let day = ts.millis().div_euclid(DAY_MILLIS);
        if !self.venues.contains_key(venue) {
            self.venues.insert(venue.into(), Days::default());
        }
        let Some(venue) = self.venues.get_mut(venue) else { return };
        while venue.days.front().is_some_and(|(first, _)| *first < day - DAYS) {
            venue.days.pop_front();
        }
        match venue.days.back_mut() {
            Some((last, sum)) if *last == day => *sum += notional,
            _ => venue.days.push_back((day, notional)),
        }
    }

    /// Notional traded on the 30 days before the day of `ts`.
    pub(super) fn before(&self, venue: &str, ts: UtcMillis) -> Decimal {
        let day = ts.millis().div_euclid(DAY_MILLIS);
        let Some(venue) = self.venues.get(venue) else { return Decimal::ZERO };
        let counts = |(past, _): &&(i64, Decimal)| (day - DAYS..day).contains(past);
        venue.days.iter().filter(counts).map(|(_, notional)| *notional).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_volume_of_a_day_counts_for_the_thirty_days_after_it() {
        let mut turnover = Turnover::default();
        let at = |day: i64| UtcMillis::new(day * DAY_MILLIS + 1);
        turnover.add("a", at(0), Decimal::TEN);
        turnover.add("a", at(0), Decimal::ONE);
        turnover.add("a", at(10), Decimal::TWO);
        for (day, volume) in [(0, 0), (1, 11), (10, 11), (11, 13), (30, 13), (31, 2), (41, 0)] {
            assert_eq!(turnover.before("a", at(day)), Decimal::from(volume), "day {day}");
        }
        assert_eq!(turnover.before("b", at(11)), Decimal::ZERO);
    }
}
