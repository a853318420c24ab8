//! Price ladders: resting orders in the order in which a moving price reaches them.

use std::collections::BTreeSet;
use std::ops::Bound;

use model::money::Price;
use model::numeric::float_of;

/// Which way the price moves to reach the orders of a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// Upwards: buy stops and sell limits.
    Up,
    /// Downwards: sell stops and buy limits.
    Down,
}

/// A rung: a price, and the number of an order that waits there.
pub(super) type Rung = (Price, u64);

/// Orders that a price moving in one direction reaches, nearest first.
///
/// A bar that reaches none is told by one comparison of floats, however many orders rest.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    direction: Direction,
    rungs: BTreeSet<Rung>,
    /// The nearest rung as a float; beyond any price when there is none.
    nearest: f64,
}

impl Ladder {
    pub(super) const fn new(direction: Direction) -> Self {
        let nearest = match direction {
            Direction::Up => f64::INFINITY,
            Direction::Down => f64::NEG_INFINITY,
        };
        Self { direction, rungs: BTreeSet::new(), nearest }
    }

    pub(super) fn insert(&mut self, rung: Rung) {
        self.rungs.insert(rung);
        self.look();
    }

    pub(super) fn remove(&mut self, rung: Rung) {
        self.rungs.remove(&rung);
        self.look();
    }

    /// Whether a bar that went as far as `extreme` may have reached a rung. Reading a decimal as the
    /// nearest float keeps order, so a `false` is certain.
    pub(super) fn may_reach(&self, extreme: f64) -> bool {
        match self.direction {
            Direction::Up => extreme >= self.nearest,
            Direction::Down => extreme <= self.nearest,
        }
    }

    /// Rungs up to and including `extreme`, nearest first; of one price the oldest first.
    pub(super) fn reached(&self, extreme: Price) -> Vec<Rung> {
        match self.direction {
            Direction::Up => self.rungs.range(..=(extreme, u64::MAX)).copied().collect(),
            Direction::Down => {
                let mut reached: Vec<Rung> = self.rungs.range((extreme, 0)..).copied().collect();
                reached.sort_by_key(|(price, seq)| (std::cmp::Reverse(*price), *seq));
                reached
            }
        }
    }

    /// The rung after `from` on the way to `to`.
    pub(super) fn next_after(&self, from: Cursor, to: Price) -> Option<Rung> {
        match (self.direction, from) {
            (Direction::Up, Cursor::At(price)) => self.first_in((price, 0), (to, u64::MAX)),
            (Direction::Up, Cursor::After(rung)) => {
                let range = (Bound::Excluded(rung), Bound::Included((to, u64::MAX)));
                if rung.0 > to { None } else { self.rungs.range(range).next().copied() }
            }
            (Direction::Down, from) => {
                let (price, seq) = match from {
                    Cursor::At(price) => (price, None),
                    Cursor::After((price, seq)) => (price, Some(seq)),
                };
                // Of one price the oldest first, so within a price the walk goes up.
                let same = seq.and_then(|seq| {
                    let range = (Bound::Excluded((price, seq)), Bound::Included((price, u64::MAX)));
                    self.rungs.range(range).next().copied()
                });
                same.or_else(|| {
                    let below = match seq {
                        Some(_) => self.rungs.range(..(price, 0)),
                        None => self.rungs.range(..=(price, u64::MAX)),
                    };
                    let (next, _) = *below.last()?;
                    self.first_in((next, 0), (next, u64::MAX))
                })
                .filter(|(price, _)| *price >= to)
            }
        }
    }

    fn first_in(&self, from: Rung, to: Rung) -> Option<Rung> {
        if from > to { None } else { self.rungs.range(from..=to).next().copied() }
    }

    fn look(&mut self) {
        let (nearest, none) = match self.direction {
            Direction::Up => (self.rungs.first(), f64::INFINITY),
            Direction::Down => (self.rungs.last(), f64::NEG_INFINITY),
        };
        self.nearest = nearest.map_or(none, |(price, _)| float_of(price.value()));
    }
}

/// How far a walk along a ladder has come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cursor {
    /// At a price, with no rung of it visited.
    At(Price),
    /// At a rung that has been visited.
    After(Rung),
}

#[cfg(test)]
mod tests {
    use model::Decimal;

    use super::*;

    fn px(price: i64) -> Price {
        Price::new(Decimal::new(price, 0)).unwrap()
    }

    fn walk(ladder: &Ladder, from: i64, to: i64) -> Vec<u64> {
        let mut found = Vec::new();
        let mut cursor = Cursor::At(px(from));
        while let Some(rung) = ladder.next_after(cursor, px(to)) {
            found.push(rung.1);
            cursor = Cursor::After(rung);
        }
        found
    }

    #[test]
    fn a_walk_meets_the_nearest_first_and_of_one_price_the_oldest() {
        let rungs = [(105, 1), (103, 2), (105, 0), (110, 3), (95, 4), (98, 5), (98, 2)];
        for (direction, from, to, met) in [
            (Direction::Up, 100, 105, vec![2, 0, 1]),
            (Direction::Up, 104, 120, vec![0, 1, 3]),
            (Direction::Up, 105, 104, vec![]),
            (Direction::Down, 100, 95, vec![2, 5, 4]),
            (Direction::Down, 98, 97, vec![2, 5]),
            (Direction::Down, 97, 96, vec![]),
        ] {
            let mut ladder = Ladder::new(direction);
            for (price, seq) in rungs {
                ladder.insert((px(price), seq));
            }
            assert_eq!(walk(&ladder, from, to), met, "{direction:?} from {from} to {to}");
        }
    }

    #[test]
    fn a_bar_that_reaches_nothing_is_told_by_its_extreme() {
        let mut ladder = Ladder::new(Direction::Up);
        assert!(!ladder.may_reach(1e15));
        ladder.insert((px(105), 1));
        assert!(!ladder.may_reach(104.99) && ladder.may_reach(105.0));
        assert_eq!(ladder.reached(px(104)), []);
        assert_eq!(ladder.reached(px(105)), [(px(105), 1)]);
        ladder.remove((px(105), 1));
        assert!(!ladder.may_reach(1e15));
    }
}
