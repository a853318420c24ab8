//! Names: what places and numbers are called in files.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::order::{OrderId, OrderIntent, StrategyIx};

/// The names of a run's instruments, keys, strategies and orders, as files spell them.
#[derive(Debug, Default)]
pub struct Names {
    instruments: Vec<String>,
    keys: Vec<String>,
    strategies: Vec<String>,
    /// Orders that their strategy gave a name of its own; looked up, never iterated.
    labels: RefCell<HashMap<OrderId, Arc<str>>>,
}

impl Names {
    /// The names of a run; strategies in run-file order.
    pub fn new(instruments: &InstrumentTable, strategies: Vec<String>) -> Self {
        Self {
            instruments: instruments.instruments().map(|(_, one)| one.id.to_string()).collect(),
            keys: instruments.keys().map(|(_, key)| key.to_string()).collect(),
            strategies,
            labels: RefCell::default(),
        }
    }

    pub(crate) fn instrument(&self, place: InstrumentIx) -> &str {
        &self.instruments[place.index()]
    }

    pub(crate) fn key(&self, place: KeyIx) -> &str {
        &self.keys[place.index()]
    }

    /// The asset of a balance.
    pub(crate) fn asset(&self, place: KeyIx) -> &str {
        self.key(place).rsplit(':').next().unwrap_or_default()
    }

    pub(crate) fn strategy(&self, place: StrategyIx) -> &str {
        self.strategies.get(usize::from(place.0)).map_or("", String::as_str)
    }

    /// The order that an intent wants to become; remembers its label.
    pub(crate) fn order_of(&self, intent: &OrderIntent) -> OrderName<'_> {
        if let Some(label) = &intent.label {
            self.labels.borrow_mut().insert(intent.order_id, Arc::clone(label));
        }
        self.order(intent.order_id)
    }

    /// The label of an order, or its strategy and number.
    pub(crate) fn order(&self, order: OrderId) -> OrderName<'_> {
        match self.labels.borrow().get(&order) {
            Some(label) => OrderName::Label(Arc::clone(label)),
            None => OrderName::Number(self.strategy(order.strategy), order.number),
        }
    }
}

/// Name of an order as files spell it.
#[derive(Clone, Debug)]
pub(crate) enum OrderName<'a> {
    /// As its strategy calls it.
    Label(Arc<str>),
    /// Its strategy, and which of that strategy's orders it is.
    Number(&'a str, u32),
}

impl fmt::Display for OrderName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(label) => formatter.write_str(label),
            Self::Number(strategy, number) => write!(formatter, "{strategy}-{number}"),
        }
    }
}
