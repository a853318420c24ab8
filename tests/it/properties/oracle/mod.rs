//! Order simulation as the specification states it, bar by bar and order by order.
//!
//! Written from 10 (order simulation), 02 §3.1–3.3 and 11 §13.1, in integers and without code of the
//! engine. Everything is a scan over all orders. Where the specification is silent a comment says so;
//! there the engine's choice is followed.

mod ends;
mod fill;
mod gate;
mod open;
mod order;
mod path;
mod relatives;
mod rounding;
mod sizing;

use std::collections::BTreeMap;

pub(crate) use rounding::{product, rounded};

use super::scenario::{Bar, Rules, START, Scenario, Side};
use crate::tables::HOUR;
use order::{Live, Moment, Phase};

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

/// A run while its bars pass.
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
    /// One bar: what is due, its open, the rest of it and its close.
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

    fn bar(&self) -> Bar {
        self.bars[self.now]
    }

    fn opens_at(&self) -> i64 {
        START + i64::try_from(self.now).expect("few bars") * HOUR
    }

    fn first_bar(&self) -> usize {
        self.now + 1 + self.rules.latency_bars
    }
}
