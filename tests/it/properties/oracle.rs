//! Order simulation as the specification states it, bar by bar and order by order.
//!
//! Written from 10 (order simulation), 02 §3.1–3.3 and 11 §13.1, in integers and without code of the
//! engine. Everything is a scan over all orders. Where the specification is silent a comment says so;
//! there the engine's choice is followed.

use std::collections::BTreeMap;

use super::scenario::{
    Bar, Kind, LOT, Level, ONE, Order, Request, Rules, START, Scenario, Side, Size, TICK, Tif,
    Trail,
};
use crate::tables::HOUR;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Accepted,
    PartiallyFilled,
    Filled,
    Canceled,
    Expired,
    Rejected,
    Denied,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) order: String,
    pub(crate) ts: i64,
    pub(crate) side: Side,
    pub(crate) qty: i128,
    pub(crate) px: i128,
    pub(crate) fee: i128,
    pub(crate) is_maker: bool,
    pub(crate) rule: &'static str,
}

/// A run as it must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) fills: Vec<Fill>,
    /// Status and filled quantity by order.
    pub(crate) orders: BTreeMap<String, (Status, i128)>,
    pub(crate) cash: i128,
    /// Base units, or the position of a perpetual.
    pub(crate) position: i128,
}

/// `value / by`, rounded half-even.
pub(crate) fn rounded(value: i128, by: i128) -> i128 {
    let (quotient, rest) = (value.div_euclid(by), value.rem_euclid(by));
    match (2 * rest).cmp(&by) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + quotient % 2,
    }
}

/// The product of two amounts, rounded half-even to the ledger scale (D74).
pub(crate) fn product(left: i128, right: i128) -> i128 {
    rounded(left * right, ONE)
}

fn down(value: i128, step: i128) -> i128 {
    value.div_euclid(step) * step
}

fn up(value: i128, step: i128) -> i128 {
    -down(-value, step)
}

/// To the tick, away from what the side wants to pay or get.
fn passive(side: Side, px: i128) -> i128 {
    if side == Side::Buy { down(px, TICK) } else { up(px, TICK) }
}

/// To the tick against the account.
fn aggressive(side: Side, px: i128) -> i128 {
    passive(side.other(), px)
}

/// Whether `px` is at least as good as `limit`.
fn within(side: Side, px: i128, limit: i128) -> bool {
    side.sign() * (limit - px) >= 0
}

/// Where within a bar something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// At the open or before it.
    Open,
    /// On the way through the bar, at a price that was reached from below or from above.
    Inside { px: i128, upward: bool },
}

/// A place on the path of a bar: the segment, and how far it has gone along it.
type Place = (usize, i128);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Until its parent fills.
    Waiting,
    /// Until its first bar.
    Sent(usize),
    Working,
    Ended(Status),
}

#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of one order that do not exclude each other"
)]
struct Live {
    terms: Order,
    seq: usize,
    phase: Phase,
    /// What it is for in all, unless it is a share that is not resolved yet.
    qty: i128,
    cum: i128,
    /// The open of its first bar is still to come, or is now.
    is_new: bool,
    /// A stop-limit that is a limit by now.
    triggered: bool,
    /// A stop that is a market order by now.
    is_market: bool,
    /// The best price that a trailing order has followed.
    best: i128,
    /// From when on it has been working in the present bar.
    since: Moment,
    place: Place,
    /// It has had its turn in this bar.
    done: bool,
    /// A fill of this open has armed it.
    is_fresh: bool,
    /// Units that others of its group have filled in its stead.
    given_up: i128,
    /// Prices times quantities of its fills.
    traded: i128,
    /// Price of its last fill before slippage.
    base_px: i128,
    /// Last close at the decision.
    last: i128,
    /// What it holds back of cash, or of base for a sale.
    lock: i128,
    /// Where an exit lies.
    level: Option<Level>,
}

impl Live {
    fn leaves(&self) -> i128 {
        self.qty - self.cum
    }

    fn is_working(&self) -> bool {
        self.phase == Phase::Working
    }

    /// The level of a stop or trailing order.
    fn stop_level(&self) -> Option<i128> {
        match self.terms.kind {
            Kind::Stop | Kind::StopLimit if !self.triggered => self.terms.stop,
            Kind::Trailing => {
                let distance = match self.terms.trail? {
                    Trail::By(distance) => distance,
                    Trail::Bps(bps) => product(self.best, bps),
                };
                Some(self.best + self.terms.side.sign() * distance)
            }
            Kind::Market | Kind::Limit | Kind::Stop | Kind::StopLimit => None,
        }
    }

    /// Whether nothing says yet how much it is for.
    fn is_unresolved(&self) -> bool {
        match self.terms.size {
            Size::Units(_) | Size::OfParent => self.phase == Phase::Waiting,
            Size::Percent(_) => true,
        }
    }

    /// The price of an order that rests on the book.
    fn resting(&self) -> Option<i128> {
        match self.terms.kind {
            Kind::Limit => self.terms.price,
            Kind::StopLimit if self.triggered => self.terms.price,
            Kind::Market | Kind::Stop | Kind::StopLimit | Kind::Trailing => None,
        }
    }

    fn names(&self) -> [&'static str; 2] {
        match self.terms.kind {
            Kind::Market => ["market_open", "market_open"],
            Kind::Limit => ["limit", "limit_gap"],
            Kind::Stop => ["stop", "stop_gap"],
            Kind::StopLimit => ["stop_limit", "stop_limit_gap"],
            Kind::Trailing => ["trailing", "trailing_gap"],
        }
    }
}

/// What a fill is made of before slippage.
#[derive(Clone, Copy, Debug)]
struct Match {
    px: i128,
    is_maker: bool,
    rule: &'static str,
    limit: Option<i128>,
    at: Moment,
    place: Place,
}

struct Book<'a> {
    rules: Rules,
    bars: &'a [Bar],
    live: Vec<Live>,
    cancels: Vec<(usize, String)>,
    now: usize,
    /// What may still fill in this bar.
    budget: Option<i128>,
    outcome: Outcome,
    /// Entry value of the position of a perpetual.
    cost: i128,
}

/// The run of a scenario.
pub(crate) fn simulate(scenario: &Scenario) -> Outcome {
    let rules = scenario.rules;
    let outcome = Outcome { cash: rules.cash, position: rules.base, ..Outcome::default() };
    let mut book = Book {
        rules,
        bars: &scenario.bars,
        live: Vec::new(),
        cancels: Vec::new(),
        now: 0,
        budget: None,
        outcome,
        cost: 0,
    };
    if rules.is_perp {
        book.outcome.position = 0;
    }
    for now in 0..scenario.bars.len() {
        book.now = now;
        book.pass();
        for request in scenario.requests.iter().filter(|request| request.decided() == now) {
            book.decide(request);
        }
    }
    book.finish()
}

impl Book<'_> {
    fn bar(&self) -> Bar {
        self.bars[self.now]
    }

    fn opens_at(&self) -> i64 {
        START + i64::try_from(self.now).expect("few bars") * HOUR
    }

    fn first_bar(&self) -> usize {
        self.now + 1 + self.rules.latency_bars
    }

    // --- Decision and gate.

    fn decide(&mut self, request: &Request) {
        match request {
            Request::Cancel { id, .. } => self.cancels.push((self.first_bar(), id.clone())),
            Request::Submit(order) => self.submit(order),
        }
    }

    fn submit(&mut self, order: &Order) {
        let mut terms = order.clone();
        let is_known = |id: &String| {
            let mut known = self.live.iter();
            known.any(|order| order.terms.id == *id && !matches!(order.phase, Phase::Ended(_)))
        };
        // Silent: a child of an order that was refused or has ended is denied.
        let is_orphan = terms.parent.as_ref().is_some_and(|parent| !is_known(parent));
        if is_orphan || self.is_denied(&mut terms) {
            self.outcome.orders.insert(order.id.clone(), (Status::Denied, 0));
            return;
        }
        // Children that close what the parent opens only reduce (12.4).
        terms.reduce_only |= terms.parent.is_some();
        let seq = self.live.len();
        let phase =
            if terms.parent.is_some() { Phase::Waiting } else { Phase::Sent(self.first_bar()) };
        let qty = match terms.size {
            Size::Units(units) => units,
            Size::Percent(_) | Size::OfParent => 0,
        };
        let exits = [("-sl", terms.stop_loss), ("-tp", terms.take_profit)];
        let blank = Live {
            terms,
            seq,
            phase,
            qty,
            cum: 0,
            is_new: true,
            triggered: false,
            is_market: false,
            best: self.bar().close,
            since: Moment::Open,
            place: (0, 0),
            done: false,
            is_fresh: false,
            given_up: 0,
            traded: 0,
            base_px: 0,
            last: self.bar().close,
            lock: 0,
            level: None,
        };
        let need = self.need(&blank);
        if !blank.is_unresolved() && need > 0 && need > self.free(blank.terms.side, None) {
            self.outcome.orders.insert(order.id.clone(), (Status::Denied, 0));
            return;
        }
        self.live
            .push(Live { lock: if blank.is_unresolved() { 0 } else { need }, ..blank.clone() });
        for (suffix, level) in exits {
            let Some(level) = level else { continue };
            let id = format!("{}{suffix}", order.id);
            let mut exit = Order::market(&id, self.now, order.side.other(), Size::OfParent);
            exit.kind = if suffix == "-tp" { Kind::Limit } else { Kind::Stop };
            exit.reduce_only = true;
            exit.parent = Some(order.id.clone());
            let seq = self.live.len();
            let exit = Live {
                terms: exit,
                seq,
                phase: Phase::Waiting,
                qty: 0,
                level: Some(level),
                ..blank.clone()
            };
            self.live.push(exit);
        }
    }

    /// What is left of cash, or of base for a sale, after what others hold back: all for the gate,
    /// at the venue those that it has.
    fn free(&self, side: Side, at_venue: Option<usize>) -> i128 {
        if self.rules.is_perp {
            return i128::MAX;
        }
        let counts = |order: &&Live| {
            order.terms.side == side
                && !matches!(order.phase, Phase::Ended(_))
                && at_venue.is_none_or(|own| order.seq != own && order.is_working())
        };
        let held: i128 = self.live.iter().filter(counts).map(|order| order.lock).sum();
        let all = if side == Side::Buy { self.outcome.cash } else { self.outcome.position };
        all - held
    }

    /// Rule 8 for spot orders; perpetuals have ample margin.
    fn need(&self, order: &Live) -> i128 {
        let terms = &order.terms;
        // Silent: what only reduces needs nothing of its own. A stop-limit is reckoned at its limit.
        if self.rules.is_perp || terms.reduce_only || terms.parent.is_some() {
            return 0;
        }
        if terms.side == Side::Sell {
            return order.leaves();
        }
        let last = order.last;
        let (px, rate, buffer) = match (terms.kind, terms.price, terms.stop) {
            (Kind::Limit, Some(price), _) if price < last => (price, self.rules.maker, false),
            (Kind::Limit | Kind::StopLimit, Some(price), _) => (price, self.rules.taker, false),
            (Kind::Stop, _, Some(stop)) => (stop.max(last), self.rules.taker, true),
            (Kind::Trailing, ..) => {
                let distance = match terms.trail.expect("a trailing order follows") {
                    Trail::By(distance) => distance,
                    Trail::Bps(bps) => product(last, bps),
                };
                (last + distance, self.rules.taker, true)
            }
            _ => (last, self.rules.taker, true),
        };
        let cost = product(px, order.leaves()) + product(product(px, order.leaves()), rate);
        if buffer { product(cost, ONE + 5 * super::scenario::BPS) } else { cost }
    }

    /// Rounds to tick and lot (D85), then applies the rules of 02 §3.1 that scenarios can break.
    fn is_denied(&self, terms: &mut Order) -> bool {
        let side = terms.side;
        let position = self.outcome.position;
        terms.price = terms.price.map(|px| passive(side, px));
        terms.stop = terms.stop.map(|px| passive(side, px));
        let closes = self.opens_at() + HOUR;
        if let Tif::Gtd(until) = terms.tif
            && until <= closes
        {
            return true;
        }
        if terms.reduce_only && terms.parent.is_none() {
            if position * side.sign() >= 0 {
                return true;
            }
            if let Size::Units(units) = &mut terms.size {
                *units = (*units).min(position.abs());
            }
        }
        if terms.take_profit.is_none() && terms.stop_loss.is_none() {
            return false;
        }
        // Rule 11; silent on an order that turns a position round: it opens one.
        let after = match terms.size {
            Size::Units(units) => position * side.sign() + units,
            Size::Percent(_) | Size::OfParent => position * side.sign() + 1,
        };
        // Rule 5; silent on the reference: the limit, else the stop, else the last close.
        let reference = terms.price.or(terms.stop).unwrap_or(self.bar().close);
        let wrong = |level: Option<Level>, sign: i128| match level {
            None => false,
            Some(Level::Price(px)) => sign * (px - reference) <= 0,
            Some(Level::Offset(distance)) => sign * distance <= 0,
            Some(Level::Bps(bps)) => bps <= 0,
        };
        after <= 0 || wrong(terms.take_profit, side.sign()) || wrong(terms.stop_loss, -side.sign())
    }

    // --- One bar.

    fn pass(&mut self) {
        let bar = self.bar();
        self.budget =
            (self.rules.participation > 0).then(|| product(bar.volume, self.rules.participation));
        for order in &mut self.live {
            order.done = false;
            order.since = Moment::Open;
            order.place = (0, 0);
            order.is_fresh = false;
            if order.phase == Phase::Sent(self.now) {
                order.phase = Phase::Working;
            }
        }
        let due = self.cancels.iter().filter(|(bar, _)| *bar == self.now);
        let due: Vec<String> = due.map(|(_, id)| id.clone()).collect();
        for id in due {
            if let Some(place) = self.live.iter().position(|order| order.terms.id == id) {
                self.end(place, Status::Canceled);
            }
        }
        self.expire_unmatched();
        // A bar without volume fills nothing and triggers nothing, and is the first one all the same.
        self.open_phase();
        if bar.volume > 0 {
            self.inside_phase();
        }
        self.close_phase();
    }

    /// Instant after which no bar of the order may close.
    fn until(order: &Live) -> Option<i64> {
        match order.terms.tif {
            Tif::Gtd(until) => Some(until),
            Tif::Day => {
                let decided = i64::try_from(order.terms.decided + 1).expect("few bars") * HOUR;
                Some(START + (decided / (24 * HOUR) + 1) * 24 * HOUR)
            }
            Tif::Gtc | Tif::Ioc | Tif::Fok => None,
        }
    }

    /// Orders of which no bar qualifies end at their first one.
    fn expire_unmatched(&mut self) {
        for place in 0..self.live.len() {
            let order = &self.live[place];
            let closes = self.opens_at() + HOUR;
            if order.is_working() && Self::until(order).is_some_and(|until| closes > until) {
                self.end(place, Status::Expired);
            }
        }
    }

    fn close_phase(&mut self) {
        let (bar, next) = (self.bar(), self.opens_at() + 2 * HOUR);
        for place in 0..self.live.len() {
            let order = &mut self.live[place];
            if !order.is_working() {
                continue;
            }
            if order.terms.kind == Kind::Trailing && bar.volume > 0 {
                // Silent: of the bar inside which it was armed only the close surely came later.
                let is_late = order.since != Moment::Open;
                order.best = match order.terms.side {
                    Side::Sell => order.best.max(if is_late { bar.close } else { bar.high }),
                    Side::Buy => order.best.min(if is_late { bar.close } else { bar.low }),
                };
            }
            order.is_new = false;
            let order = &self.live[place];
            if Self::until(order).is_some_and(|until| next > until) {
                self.end(place, Status::Expired);
            }
        }
    }

    // --- The open.

    fn open_phase(&mut self) {
        let mut place = 0;
        while place < self.live.len() {
            self.at_open(place);
            place += 1;
        }
    }

    fn at_open(&mut self, place: usize) {
        let bar = self.bar();
        let order = &self.live[place];
        if !order.is_working() || order.done || order.is_fresh {
            return;
        }
        let (side, first) = (order.terms.side, order.is_new);
        let trades = bar.volume > 0;
        let at_open = |px, is_maker, rule, limit| Match {
            px,
            is_maker,
            rule,
            limit,
            at: Moment::Open,
            place: (0, 0),
        };
        if order.is_market || order.terms.kind == Kind::Market {
            let rule = "market_open";
            self.fill(place, at_open(bar.open, false, rule, None));
            return;
        }
        if let Some(stop) = order.stop_level() {
            if !trades || !within(side, stop, bar.open) {
                if matches!(order.terms.tif, Tif::Ioc | Tif::Fok) {
                    self.end(place, Status::Canceled);
                }
                return;
            }
            let rule = order.names()[1];
            let limit = order.terms.price;
            if order.terms.kind == Kind::StopLimit {
                self.live[place].triggered = true;
                if !within(side, bar.open, limit.expect("a stop-limit has both")) {
                    self.not_filled(place);
                    return;
                }
            } else {
                self.live[place].is_market = true;
            }
            self.fill(place, at_open(bar.open, false, rule, limit));
            return;
        }
        let limit = order.resting().expect("an order rests or waits for its stop");
        if first && within(side, bar.open, limit) {
            if order.terms.post_only {
                self.end(place, Status::Rejected);
            } else {
                self.fill(place, at_open(bar.open, false, "limit_open", Some(limit)));
            }
        } else if first && matches!(order.terms.tif, Tif::Ioc | Tif::Fok) {
            self.end(place, Status::Canceled);
        } else if trades && !first && within(side, bar.open, limit) && bar.open != limit {
            let px = if self.rules.conservative_gaps { limit } else { bar.open };
            self.fill(place, at_open(px, true, "limit_gap", Some(limit)));
        }
    }

    /// Whether a price fills a limit that rests.
    fn crosses(&self, side: Side, px: i128, limit: i128) -> bool {
        within(side, px, limit) && (self.rules.touch_fills || px != limit)
    }

    // --- The rest of the bar.

    fn inside_phase(&mut self) {
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
    fn possible(&self, order: &Live, armed: Option<Moment>) -> Option<Match> {
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

    /// Whether nothing is known of the way through the bar.
    fn is_unknown(&self) -> bool {
        let bar = self.bar();
        !self.rules.nearest_extreme || bar.high - bar.open == bar.open - bar.low
    }

    /// Fills an order whose level was reached, or lets a stop-limit rest.
    fn reach(&mut self, place: usize, found: Match) {
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

    // --- Fills and what follows from them.

    fn fill(&mut self, place: usize, found: Match) {
        self.live[place].done = true;
        let order = &self.live[place];
        let side = order.terms.side;
        let slip = if found.is_maker { 0 } else { self.rules.slippage };
        let mut px = aggressive(side, found.px + side.sign() * product(found.px, slip));
        if let Some(limit) = found.limit.filter(|limit| !within(side, px, *limit)) {
            px = limit;
        }
        let rate = if found.is_maker { self.rules.maker } else { self.rules.taker };
        let mut qty = match order.terms.size {
            Size::Percent(percent) => self.share(place, percent, px, rate),
            Size::Units(_) | Size::OfParent => order.leaves(),
        };
        let is_share = matches!(order.terms.size, Size::Percent(_));
        let against = -side.sign() * self.outcome.position;
        if order.terms.reduce_only {
            qty = qty.min(down(against.max(0), LOT));
        }
        if self.bar().volume == 0 {
            self.not_filled(place);
            return;
        }
        if qty <= 0 {
            self.end(place, Status::Canceled);
            return;
        }
        let wanted = qty;
        if let Some(budget) = self.budget {
            qty = qty.min(down(budget, LOT));
        }
        if order.terms.tif == Tif::Fok && qty < wanted {
            self.end(place, Status::Canceled);
            return;
        }
        if qty == 0 {
            self.not_filled(place);
            return;
        }
        if !self.covers(place, qty, px, rate) {
            self.end(place, Status::Rejected);
            return;
        }
        let order = &mut self.live[place];
        if is_share {
            order.terms.size = Size::Units(wanted);
            order.qty = wanted;
        } else if order.terms.reduce_only {
            // Silent: what it was clipped by is not left to do.
            order.qty = order.cum + wanted;
        }
        self.book(place, qty, px, rate, found);
        let order = &mut self.live[place];
        order.traded += px * qty;
        order.base_px = found.px;
        let is_filled = order.leaves() == 0;
        if is_filled {
            self.end(place, Status::Filled);
        } else {
            self.live[place].lock = self.need(&self.live[place]);
        }
        self.reduce_partners(place, qty, is_filled);
        self.arm_children(place, px, found);
        self.drop_reducers();
        if !is_filled {
            self.not_filled(place);
        }
    }

    /// What becomes of the rest of a market order that the volume did not allow.
    fn not_filled(&mut self, place: usize) {
        let order = &self.live[place];
        let is_market = order.is_market || order.terms.kind == Kind::Market;
        let at_once = matches!(order.terms.tif, Tif::Ioc | Tif::Fok);
        if self.live[place].is_working() && (at_once || (is_market && !self.rules.market_carry)) {
            self.end(place, Status::Canceled);
        }
    }

    /// Lots that a share of free cash pays for, or a share of what is held.
    fn share(&self, place: usize, percent: i128, px: i128, rate: i128) -> i128 {
        let side = self.live[place].terms.side;
        let free = self.free(side, Some(place));
        if side == Side::Sell {
            return down((self.outcome.position * percent / 100).min(free), LOT);
        }
        let budget = free * percent / 100;
        let cost = |qty: i128| product(px, qty) + product(product(px, qty), rate);
        let mut qty = down(budget * ONE / (px + product(px, rate)), LOT);
        while cost(qty) > budget {
            qty -= LOT;
        }
        while cost(qty + LOT) <= budget {
            qty += LOT;
        }
        qty
    }

    /// Whether cash or base that nothing else holds back covers a fill.
    fn covers(&self, place: usize, qty: i128, px: i128, rate: i128) -> bool {
        let side = self.live[place].terms.side;
        let notional = product(px, qty);
        let need = if side == Side::Buy { notional + product(notional, rate) } else { qty };
        need <= self.free(side, Some(place))
    }

    fn book(&mut self, place: usize, qty: i128, px: i128, rate: i128, found: Match) {
        let order = &mut self.live[place];
        let sign = order.terms.side.sign();
        let notional = product(px, qty);
        // Price, quantity and rate have so few digits that the product is exact.
        let fee = product(notional, rate);
        let position = self.outcome.position;
        if self.rules.is_perp {
            self.outcome.cash -= fee;
            let closed = if position * sign < 0 { qty.min(position.abs()) } else { 0 };
            if closed > 0 {
                let part = rounded(self.cost * closed, position.abs());
                self.cost -= part;
                // Cost is signed like the position.
                self.outcome.cash += -sign * product(px, closed) - part;
            }
            self.cost += sign * product(px, qty - closed);
        } else {
            self.outcome.cash -= sign * notional + fee;
        }
        self.outcome.position += sign * qty;
        order.cum += qty;
        if let Some(budget) = &mut self.budget {
            *budget -= qty;
        }
        let ts = START
            + i64::try_from(self.now).expect("few bars") * HOUR
            + if found.at == Moment::Open { 0 } else { HOUR };
        self.outcome.fills.push(Fill {
            order: order.terms.id.clone(),
            ts,
            side: order.terms.side,
            qty,
            px,
            fee,
            is_maker: found.is_maker,
            rule: found.rule,
        });
    }

    /// A fill of one side reduces the others by as much; a full fill cancels them.
    fn reduce_partners(&mut self, place: usize, qty: i128, is_filled: bool) {
        let terms = self.live[place].terms.clone();
        for other in 0..self.live.len() {
            let order = &self.live[other];
            let in_group = terms.oco.is_some() && order.terms.oco == terms.oco;
            // Children of one parent that close it cancel each other.
            let siblings = terms.parent.is_some()
                && order.terms.parent == terms.parent
                && order.terms.side == terms.side;
            if other == place || !(in_group || siblings) || matches!(order.phase, Phase::Ended(_)) {
                continue;
            }
            if is_filled {
                self.end(other, Status::Canceled);
                continue;
            }
            let order = &mut self.live[other];
            if order.is_unresolved() {
                continue;
            }
            order.qty -= qty;
            order.given_up += qty;
            if order.leaves() <= 0 {
                self.end(other, Status::Canceled);
            } else {
                self.live[other].lock = self.need(&self.live[other]);
            }
        }
    }

    /// A fill arms the children, a further one makes them larger; exits lie where the average of the
    /// fills puts them.
    fn arm_children(&mut self, parent: usize, px: i128, found: Match) {
        let Live { terms, cum, traded, .. } = self.live[parent].clone();
        let of_it = |order: &Live| {
            order.terms.parent.as_ref() == Some(&terms.id)
                && !matches!(order.phase, Phase::Ended(_))
        };
        let mut children: Vec<usize> =
            (0..self.live.len()).filter(|child| of_it(&self.live[*child])).collect();
        children.sort_by_key(|child| self.live[*child].terms.kind == Kind::Limit);
        for &child in &children {
            let order = &mut self.live[child];
            let wanted = match order.terms.size {
                Size::Units(units) => units.min(cum),
                Size::Percent(_) | Size::OfParent => cum,
            };
            order.qty = wanted - order.given_up;
            if let Some(level) = order.level {
                let level = exit_level(order, level, traded, cum);
                match order.terms.kind {
                    Kind::Limit => order.terms.price = Some(level),
                    Kind::Market | Kind::Stop | Kind::StopLimit | Kind::Trailing => {
                        order.terms.stop = Some(level);
                    }
                }
            }
            if order.phase == Phase::Waiting {
                order.phase = Phase::Working;
                order.best = px;
                order.is_new = false;
                order.is_fresh = true;
                order.since = found.at;
            }
            // Silent on a child that works already and gets larger inside a bar of unknown path: all of
            // it counts as working since it was armed.
            order.place = found.place;
        }
        for child in children {
            self.pass_at_once(child, found);
        }
    }

    /// An exit that the price of the fill which armed it has passed executes there; else it waits for
    /// the rest of the bar. That price is the one before slippage: no fill lies outside the bar.
    fn pass_at_once(&mut self, child: usize, found: Match) {
        let order = &self.live[child];
        if !order.is_working() || order.done || order.is_market {
            return;
        }
        let closes = self.opens_at() + HOUR;
        if Self::until(order).is_some_and(|until| closes > until) {
            self.end(child, Status::Expired);
            return;
        }
        let side = order.terms.side;
        // A resting limit that the open jumped over is hit at its own price; the market is at the open.
        let px = if found.rule == "limit_gap" { self.bar().open } else { found.px };
        let passed = match (order.stop_level(), order.resting()) {
            (Some(stop), _) => within(side, stop, px),
            (None, Some(limit)) => within(side, px, limit),
            (None, None) => false,
        };
        if !passed {
            if found.at != Moment::Open
                && self.is_unknown()
                && let Some(found) = self.possible(order, Some(found.at))
            {
                self.reach(child, found);
            }
            return;
        }
        let limit = order.terms.price;
        if order.terms.kind == Kind::StopLimit {
            self.live[child].triggered = true;
            if !within(side, px, limit.expect("a stop-limit has both")) {
                return;
            }
        } else if order.stop_level().is_some() {
            self.live[child].is_market = true;
        }
        let rule = "exit_passed";
        self.fill(child, Match { px, is_maker: false, rule, limit, ..found });
    }

    /// Exits of a position that is gone are canceled.
    fn drop_reducers(&mut self) {
        for place in 0..self.live.len() {
            let order = &self.live[place];
            let is_exit = order.terms.reduce_only && order.is_working();
            if is_exit && -order.terms.side.sign() * self.outcome.position <= 0 {
                self.end(place, Status::Canceled);
            }
        }
    }

    fn end(&mut self, place: usize, status: Status) {
        let order = &mut self.live[place];
        if matches!(order.phase, Phase::Ended(_)) {
            return;
        }
        order.phase = Phase::Ended(status);
        if order.cum > 0 {
            return;
        }
        let id = order.terms.id.clone();
        for child in 0..self.live.len() {
            if self.live[child].terms.parent.as_deref() == Some(&id) {
                self.end(child, Status::Canceled);
            }
        }
    }

    fn finish(mut self) -> Outcome {
        for order in self.live {
            let status = match order.phase {
                Phase::Ended(status) => status,
                Phase::Waiting | Phase::Sent(_) | Phase::Working if order.cum == 0 => {
                    Status::Accepted
                }
                Phase::Waiting | Phase::Sent(_) | Phase::Working => Status::PartiallyFilled,
            };
            self.outcome.orders.insert(order.terms.id, (status, order.cum));
        }
        self.outcome
    }
}

/// Where an exit lies for fills of `traded` in all, on the tick of the passive side.
fn exit_level(order: &Live, level: Level, traded: i128, cum: i128) -> i128 {
    let side = order.terms.side;
    // Up for the profit of a long and the loss of a short.
    let sign = if order.terms.kind == Kind::Limit { -side.sign() } else { side.sign() };
    // Numerator and denominator of the exact level.
    let (top, bottom) = match level {
        Level::Price(px) => (px, 1),
        Level::Offset(distance) => (traded + distance * cum, cum),
        Level::Bps(bps) => {
            let part = bps / super::scenario::BPS;
            (traded * (10_000 + sign * part), cum * 10_000)
        }
    };
    let step = bottom * TICK;
    if side == Side::Buy { top.div_euclid(step) * TICK } else { -((-top).div_euclid(step)) * TICK }
}
