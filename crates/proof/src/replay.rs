//! Replay: the state of the account at any time, from the records alone.

use std::collections::HashMap;

use model::time::UtcMillis;
use store::audit::reading::{CommitReader, Event, LogError, Units};
use store::audit::{Kind, LogReader};

use crate::orders::{OpenOrder, OrderBook};

/// Why a log cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),

    /// It holds what no run writes.
    #[error("event {seq}: {what}")]
    Content {
        /// Which event.
        seq: u64,
        /// What is wrong with it.
        what: String,
    },
}

/// What the engine said of the account at the last frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AccountFigures {
    /// Everything owned less everything owed, in share class.
    pub equity: f64,
    /// All balances.
    pub cash: f64,
    /// Sum of the sizes of all other holdings.
    pub gross: f64,
    /// Their sum.
    pub net: f64,
    /// What they have gained since they were bought.
    pub unrealized: f64,
    /// Orders at work.
    pub working_orders: u64,
}

/// The account after some event.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The last event.
    pub seq: u64,
    /// Its tick.
    pub ts: UtcMillis,
    /// Frames so far.
    pub frames: u64,
    /// What the last snapshot said.
    pub account: Option<AccountFigures>,
    /// Orders that are not over.
    pub orders: OrderBook,
    names: Vec<String>,
    amounts: Vec<Units>,
    places: HashMap<String, usize>,
}

impl State {
    /// What a run starts with.
    ///
    /// # Errors
    ///
    /// An opening amount that is none.
    pub fn opening(log: &LogReader) -> Result<Self, ReplayError> {
        let mut state = Self::default();
        for holding in &log.header().terms.opening {
            let amount = holding.amount.parse::<Units>();
            let amount =
                amount.map_err(|error| ReplayError::Content { seq: 0, what: error.to_string() })?;
            state.change(&holding.position_key, amount, 0)?;
        }
        Ok(state)
    }

    /// What is held of a position.
    pub fn position(&self, key: &str) -> Units {
        self.places.get(key).map_or(Units::ZERO, |place| self.amounts[*place])
    }

    /// All positions that were ever held, with what is held of them now, by name.
    pub fn positions(&self) -> Vec<(&str, Units)> {
        let mut all: Vec<(&str, Units)> =
            self.names.iter().map(String::as_str).zip(self.amounts.iter().copied()).collect();
        all.sort_unstable_by_key(|(name, _)| *name);
        all
    }

    /// Orders at work, by name.
    pub fn open_orders(&self) -> impl Iterator<Item = &OpenOrder> {
        self.orders.open()
    }

    /// Takes the next event.
    ///
    /// # Errors
    ///
    /// An amount that no run can hold.
    pub fn take(&mut self, event: &Event<'_>) -> Result<(), ReplayError> {
        self.seq = event.seq;
        let Some(first) = event.first() else { return Ok(()) };
        self.ts = first.ts();
        match event.kind {
            Some(Kind::Frame) => self.frames += 1,
            Some(Kind::Account) => {
                let figure = |name| first.float(name).unwrap_or(f64::NAN);
                self.account = Some(AccountFigures {
                    equity: figure("equity"),
                    cash: figure("cash"),
                    gross: figure("gross"),
                    net: figure("net"),
                    unrealized: figure("unrealized"),
                    working_orders: first.count("working_orders").unwrap_or(0),
                });
            }
            Some(Kind::Intent) => self.orders.ask(event),
            Some(Kind::Verdict) => self.orders.judge(event),
            Some(Kind::OrderUpdate) => self.orders.update(first),
            Some(Kind::TightLoop | Kind::Settlement) => {
                for delta in event.attached(Kind::Delta) {
                    let amount = delta.amount("amount").unwrap_or_default();
                    self.change(delta.text("position_key"), amount, event.seq)?;
                }
                if let Some((order_id, _)) = first.text("op_id").rsplit_once('/') {
                    self.orders.end_operation(order_id);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn change(&mut self, key: &str, amount: Units, seq: u64) -> Result<(), ReplayError> {
        let place = if let Some(place) = self.places.get(key) {
            *place
        } else {
            self.names.push(key.to_owned());
            self.amounts.push(Units::ZERO);
            self.places.insert(key.to_owned(), self.names.len() - 1);
            self.names.len() - 1
        };
        let too_much = || format!("{key} would hold more than 38 digits");
        let sum = self.amounts[place].plus(amount);
        self.amounts[place] = sum.ok_or_else(|| ReplayError::Content { seq, what: too_much() })?;
        Ok(())
    }
}

/// Goes through a log event by event, with the state after each.
///
/// Memory holds one commit, whatever the length of the log.
#[derive(Debug)]
pub struct Replay<'a> {
    commits: CommitReader<'a>,
    state: State,
}

impl<'a> Replay<'a> {
    /// A replay from the beginning.
    ///
    /// # Errors
    ///
    /// As [`State::opening`].
    pub fn new(log: &'a LogReader) -> Result<Self, ReplayError> {
        Ok(Self { commits: log.read(), state: State::opening(log)? })
    }

    /// Gives every event to `visit` together with the state after it, until it says to stop.
    ///
    /// # Errors
    ///
    /// The log cannot be read, or holds what no run writes.
    pub fn each(
        mut self,
        mut visit: impl FnMut(&Event<'_>, &State) -> bool,
    ) -> Result<State, ReplayError> {
        for rows in self.commits.by_ref() {
            let rows = rows?;
            for event in rows.events() {
                self.state.take(&event)?;
                if !visit(&event, &self.state) {
                    return Ok(self.state);
                }
            }
        }
        Ok(self.state)
    }

    /// The state after the last event of the last tick up to `at`; at the end without a time.
    ///
    /// # Errors
    ///
    /// As [`Replay::each`].
    pub fn until(mut self, at: Option<UtcMillis>) -> Result<State, ReplayError> {
        for rows in self.commits.by_ref() {
            let rows = rows?;
            for event in rows.events() {
                if at.is_some_and(|at| event.ts() > at) {
                    return Ok(self.state);
                }
                self.state.take(&event)?;
            }
        }
        Ok(self.state)
    }
}
