//! Laws: what must hold in every log, whatever the strategy, checked from its records alone.

mod books;
mod fills;
mod numbers;
mod orders;
mod sequence;
mod settlements;
mod valuation;

use std::collections::HashMap;

use model::time::UtcMillis;
use store::audit::commit::{Header, InstrumentTerms};
use store::audit::reading::{Event, Units};
use store::audit::{Kind, LogReader};

use crate::replay::{ReplayError, State};

/// A law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// Events are numbered without gaps, time does not go back, and causes come first.
    Sequence,
    /// What a fill changes is what was filled, what it cost and what it gained, to the last digit.
    Balance,
    /// A fill lies in its bar, not before its order may fill, and not beyond its order's price.
    Fill,
    /// What fell due is what was held, times price and rate, and is settled once.
    Settlement,
    /// No operation changes the books twice.
    Once,
    /// After everything that changed the books, both were compared and were equal.
    Books,
    /// Orders go from status to status as they may, and fills add up to what they say.
    Orders,
    /// Cash is what the positions say, and profit is what became of equity and its components.
    Valuation,
}

impl Law {
    /// All laws.
    pub const ALL: [Self; 8] = [
        Self::Sequence,
        Self::Balance,
        Self::Fill,
        Self::Settlement,
        Self::Once,
        Self::Books,
        Self::Orders,
        Self::Valuation,
    ];

    /// The law as reports show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::Balance => "balance",
            Self::Fill => "fill",
            Self::Settlement => "settlement",
            Self::Once => "once",
            Self::Books => "books",
            Self::Orders => "orders",
            Self::Valuation => "valuation",
        }
    }

    /// What it says, in a sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Sequence => "events are numbered without gaps, and causes come first",
            Self::Balance => "fills change what was filled, paid and gained, to the last digit",
            Self::Fill => "fills lie in their bar, after their order, within its price",
            Self::Settlement => "what fell due is what was held, times price and rate, once",
            Self::Once => "no operation changes the books twice",
            Self::Books => "both books were compared after every change, and were equal",
            Self::Orders => "orders change their status as they may, and fills add up",
            Self::Valuation => "cash follows from positions, and profit from equity",
        }
    }
}

/// A law that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which law.
    pub law: Law,
    /// At which event.
    pub seq: u64,
    /// At which tick.
    pub ts: UtcMillis,
    /// What was found and what was expected.
    pub text: String,
}

/// How many violations are kept; all are counted.
const KEPT: usize = 100;

/// What was checked, and what did not hold.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How often each law was applied, in the order of [`Law::ALL`].
    pub checked: [u64; Law::ALL.len()],
    /// How often each did not hold.
    pub broken: [u64; Law::ALL.len()],
    /// The first violations.
    pub violations: Vec<Violation>,
}

impl Tally {
    /// Whether all laws hold.
    pub fn holds(&self) -> bool {
        self.broken.iter().all(|count| *count == 0)
    }

    fn check(&mut self, law: Law, event: &Event<'_>, holds: bool, text: impl FnOnce() -> String) {
        self.checked[law as usize] += 1;
        if holds {
            return;
        }
        self.broken[law as usize] += 1;
        if self.violations.len() < KEPT {
            let (seq, ts) = (event.seq, event.ts());
            self.violations.push(Violation { law, seq, ts, text: text() });
        }
    }
}

/// Applies all laws to a log, event by event.
#[derive(Debug)]
pub struct Checker {
    tally: Tally,
    state: State,
    header: Header,
    instruments: HashMap<String, InstrumentTerms>,
    sequence: sequence::Sequence,
    once: books::Once,
    trades: fills::Trades,
    settled: settlements::Settled,
    orders: orders::Lives,
    valuation: valuation::Valuation,
}

impl Checker {
    /// A checker at the beginning of a log.
    ///
    /// # Errors
    ///
    /// An opening amount that is none.
    pub fn new(log: &LogReader) -> Result<Self, ReplayError> {
        let header = log.header().clone();
        let terms = header.terms.instruments.iter();
        Ok(Self {
            tally: Tally::default(),
            state: State::opening(log)?,
            instruments: terms.map(|terms| (terms.id.clone(), terms.clone())).collect(),
            valuation: valuation::Valuation::new(&header.terms),
            header,
            sequence: sequence::Sequence::default(),
            once: books::Once::default(),
            trades: fills::Trades::default(),
            settled: settlements::Settled::default(),
            orders: orders::Lives::default(),
        })
    }

    /// Applies the laws to the next event.
    ///
    /// # Errors
    ///
    /// An amount that no run can hold.
    pub fn take(&mut self, event: &Event<'_>) -> Result<(), ReplayError> {
        let Self { tally, state, .. } = self;
        self.sequence.check(event, tally);
        match event.kind {
            Some(Kind::Frame) => self.trades.frame(self.header.terms.interval_ms, event),
            Some(Kind::Intent) => self.orders.ask(event),
            Some(Kind::Verdict) => self.orders.judge(event, tally),
            Some(Kind::OrderUpdate) => self.orders.update(event, tally),
            Some(Kind::TightLoop) => {
                books::compared(event, tally);
                self.once.check(event, tally);
                self.trades.note(event);
            }
            Some(Kind::Fill) => {
                self.trades.check(event, &self.instruments, state, tally);
                self.orders.fill(event);
            }
            Some(Kind::Settlement) => {
                self.once.check(event, tally);
                self.settled.check(event, &self.instruments, state, tally);
            }
            _ => {}
        }
        state.take(event)?;
        if event.kind == Some(Kind::Account) {
            self.valuation.check(event, state, tally);
        }
        Ok(())
    }

    /// What was found; the state at the end.
    pub fn finish(self) -> (Tally, State) {
        (self.tally, self.state)
    }
}

/// Sums of deltas by key; there are a handful of them.
#[derive(Clone, Debug, Default)]
struct Sums(Vec<(String, Units)>);

impl Sums {
    fn of(event: &Event<'_>) -> Self {
        let mut sums = Self::default();
        for delta in event.attached(Kind::Delta) {
            sums.add(delta.text("position_key"), delta.amount("amount").unwrap_or_default());
        }
        sums
    }

    fn add(&mut self, key: &str, amount: Units) {
        let Some((_, sum)) = self.0.iter_mut().find(|(name, _)| name == key) else {
            self.0.push((key.to_owned(), amount));
            return;
        };
        // Wrapping cannot hide a difference: both sides would have to wrap alike.
        *sum = Units(sum.0.wrapping_add(amount.0));
    }

    /// Without what cancels out, by key.
    fn sorted(mut self) -> Vec<(String, Units)> {
        self.0.retain(|(_, sum)| *sum != Units::ZERO);
        self.0.sort_unstable();
        self.0
    }
}

fn shown(sums: &[(String, Units)]) -> String {
    let each = sums.iter().map(|(key, amount)| format!("{key} {amount}"));
    let text = each.collect::<Vec<_>>().join(", ");
    if text.is_empty() { "nothing".to_owned() } else { text }
}
