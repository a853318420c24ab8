//! The rest of a bar: which levels its price meets, along a known path or in the worse order.

use super::Book;
use super::order::{Live, Match, Moment};
use super::rounding::within;
use crate::properties::scenario::{Kind, LOT, Side};

impl Book<'_> {
    pub(super) fn inside_phase(&mut self) {
        let bar = self.bar();
        let (rise, fall) = (bar.high - bar.open, bar.open - bar.low);
        if self.rules.nearest_extreme && rise != fall {
            let turns = if rise < fall { [bar.high, bar.low] } else { [bar.low, bar.high] };
            self.follow_path([bar.open, turns[0], turns[1], bar.close]);
        } else {
            self.take_the_worse();
        }
    }

    /// Stops before limits: what is worse for the account (10 §12.4). Silent on more than one of each:
    /// first what hurts the position, then in the order in which a price that leaves the open passes.
    fn take_the_worse(&mut self) {
        let short = self.outcome.position < 0;
        let mut waiting: Vec<_> = (0..self.live.len())
            .filter_map(|place| {
                let order = &self.live[place];
                let level = order.stop_level().or(order.resting())?;
                let is_limit = order.stop_level().is_none();
                let upward = (order.terms.side == Side::Buy) != is_limit;
                let distance = if upward { level } else { -level };
                order.is_working().then_some((is_limit, upward != short, distance, place, level))
            })
            .collect();
        waiting.sort_unstable();
        for (is_limit, _, _, place, level) in waiting {
            let order = &self.live[place];
            // A sibling's fill may have moved it or made it something else.
            let now = if is_limit { order.resting() } else { order.stop_level() };
            if now == Some(level)
                && let Some(found) = self.possible(order, None)
            {
                self.reach(place, found);
            }
        }
    }

    /// What may happen to an order within the bar when its path is not known; `armed` if a fill has
    /// just armed it, and from where it came.
    pub(super) fn possible(&self, order: &Live, armed: Option<Moment>) -> Option<Match> {
        if !order.is_working() || order.done {
            return None;
        }
        let (bar, side) = (self.bar(), order.terms.side);
        // What the price surely does after the order began to work.
        let (low, high) = match armed.unwrap_or(order.since) {
            Moment::Open => (bar.low, bar.high),
            Moment::Inside { px, upward: true } => (bar.close.min(px), bar.high),
            Moment::Inside { px, upward: false } => (bar.low, bar.close.max(px)),
        };
        let inside = |px, upward| Moment::Inside { px, upward };
        if let Some(stop) = order.stop_level() {
            let reached = if side == Side::Buy { bar.high >= stop } else { bar.low <= stop };
            return reached.then(|| Match {
                px: stop,
                is_maker: false,
                rule: order.names()[0],
                limit: order.terms.price,
                at: inside(stop, side == Side::Buy),
                place: (0, 0),
            });
        }
        let limit = order.resting()?;
        let extreme = if side == Side::Buy { low } else { high };
        // Of a target that lies back where the price came from, it is enough that the close is there
        // (12.4).
        let is_back =
            matches!(armed, Some(Moment::Inside { upward, .. }) if upward != (side == Side::Sell));
        let at_close = is_back && within(side, bar.close, limit);
        (at_close || self.crosses(side, extreme, limit)).then(|| Match {
            px: limit,
            is_maker: true,
            rule: "limit",
            limit: Some(limit),
            at: inside(limit, side == Side::Sell),
            place: (0, 0),
        })
    }

    fn follow_path(&mut self, path: [i128; 4]) {
        loop {
            let found = (0..self.live.len()).filter_map(|index| {
                let order = &self.live[index];
                let found = self.on_path(order, path)?;
                Some((found.place, order.seq, index, found))
            });
            let Some((.., index, found)) = found.min_by_key(|(place, seq, ..)| (*place, *seq))
            else {
                return;
            };
            self.reach(index, found);
        }
    }

    /// Where the path first meets an order.
    fn on_path(&self, order: &Live, path: [i128; 4]) -> Option<Match> {
        if !order.is_working() || order.done {
            return None;
        }
        let side = order.terms.side;
        let stop = order.stop_level();
        let level = stop.or(order.resting())?;
        // Stops lie where the price comes from the good side, limits where it comes from the bad one.
        let upward = (side == Side::Buy) == stop.is_some();
        let sign = if upward { 1 } else { -1 };
        for (segment, ends) in path.windows(2).enumerate() {
            let (from, to) = (ends[0], ends[1]);
            let place = (segment, (level - from).abs());
            // Silent on a touch where a segment starts: it belongs to the one in its direction.
            let goes_up = (segment % 2 == 0) == (path[1] > path[2]);
            let passes =
                goes_up == upward && sign * (level - from) >= 0 && sign * (to - level) >= 0;
            let fills = stop.is_some() || self.crosses(side, to, level);
            if passes && fills && place >= order.place {
                return Some(Match {
                    px: level,
                    is_maker: stop.is_none(),
                    rule: if stop.is_some() { order.names()[0] } else { "limit" },
                    limit: order.terms.price,
                    at: Moment::Inside { px: level, upward },
                    place,
                });
            }
        }
        None
    }

    /// Whether a price fills a limit that rests.
    fn crosses(&self, side: Side, px: i128, limit: i128) -> bool {
        within(side, px, limit) && (self.rules.touch_fills || px != limit)
    }

    /// Whether nothing is known of the way through the bar.
    pub(super) fn is_unknown(&self) -> bool {
        let bar = self.bar();
        !self.rules.nearest_extreme || bar.high - bar.open == bar.open - bar.low
    }

    /// Fills an order whose level was reached, or lets a stop-limit rest.
    pub(super) fn reach(&mut self, place: usize, found: Match) {
        // What is resolved at the fill does not fail where nothing can fill.
        if found.is_maker && self.budget.is_some_and(|budget| budget < LOT) {
            self.live[place].done = true;
            return;
        }
        let order = &mut self.live[place];
        match order.terms.kind {
            Kind::StopLimit if !order.triggered => {
                order.triggered = true;
                order.since = found.at;
                order.place = found.place;
                let limit = order.terms.price.expect("a stop-limit has both");
                if !within(order.terms.side, found.px, limit) {
                    if self.is_unknown()
                        && let Some(found) = self.possible(&self.live[place], None)
                    {
                        self.fill(place, found);
                    }
                    return;
                }
            }
            Kind::Stop | Kind::Trailing => order.is_market = true,
            Kind::Market | Kind::Limit | Kind::StopLimit => {}
        }
        self.fill(place, found);
    }
}
