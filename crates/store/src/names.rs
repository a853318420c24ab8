//! Names: what places and numbers are called in files.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use model::delta::{OperationId, Subject};
use model::exposure::{AssetIx, ExposureLayout};
use model::instrument::{InstrumentIx, InstrumentTable, KeyIx};
use model::order::{OcoGroup, OperationIntent, OrderId, OrderIntent, StrategyIx};
use model::risk::Binding;

/// The names of a run's instruments, keys, strategies and orders, as files spell them.
#[derive(Clone, Debug, Default)]
pub struct Names {
    instruments: Vec<String>,
    perpetual: Vec<bool>,
    keys: Vec<String>,
    assets: Vec<Box<str>>,
    venues: Vec<Box<str>>,
    strategies: Vec<String>,
    /// Orders that their strategy gave a name of its own, and the exits of such orders; looked up,
    /// never iterated.
    given: RefCell<HashMap<OrderId, GivenName>>,
}

/// A client order id, and what it is followed by.
#[derive(Clone, Debug)]
pub(crate) struct GivenName(Arc<str>, &'static str);

impl Names {
    /// The names of a run; strategies in run-file order.
    pub fn new(instruments: &InstrumentTable, strategies: Vec<String>) -> Self {
        let listed = || instruments.instruments().map(|(_, instrument)| instrument);
        let layout = ExposureLayout::new(instruments);
        Self {
            instruments: listed().map(|instrument| instrument.id.to_string()).collect(),
            perpetual: listed().map(model::instrument::Instrument::is_perpetual).collect(),
            keys: instruments.keys().map(|(_, key)| key.to_string()).collect(),
            assets: layout.assets,
            venues: layout.venues,
            strategies,
            given: RefCell::default(),
        }
    }

    pub(crate) fn instrument(&self, place: InstrumentIx) -> &str {
        &self.instruments[place.index()]
    }

    /// What a trade in an instrument is called among other operations.
    pub(crate) fn operation(&self, place: InstrumentIx) -> &'static str {
        if self.perpetual[place.index()] { "perp_trade" } else { "spot_trade" }
    }

    pub(crate) fn key(&self, place: KeyIx) -> &str {
        &self.keys[place.index()]
    }

    /// An asset of the exposure, by its place.
    pub(crate) fn exposed_asset(&self, place: AssetIx) -> &str {
        &self.assets[place.index()]
    }

    /// What makes a reading as bad as it is.
    pub(crate) fn binding(&self, binding: Binding) -> &str {
        match binding {
            Binding::Account => "account",
            Binding::Key(place) => self.key(place),
            Binding::Instrument(place) => self.instrument(place),
            Binding::Asset(place) => self.exposed_asset(place),
            Binding::Venue(place) => &self.venues[place.index()],
        }
    }

    /// The asset of a balance.
    pub(crate) fn asset(&self, place: KeyIx) -> &str {
        self.key(place).rsplit(':').next().unwrap_or_default()
    }

    /// The strategy, or service of one's own, that publishes from a place in rank order.
    pub(crate) fn publisher(&self, publisher: u16) -> &str {
        // The engine and execution come before the first of them.
        publisher.checked_sub(2).map_or("", |place| self.strategy(StrategyIx(place)))
    }

    pub(crate) fn strategy(&self, place: StrategyIx) -> &str {
        self.strategies.get(usize::from(place.0)).map_or("", String::as_str)
    }

    /// Remembers what a new order, and the exits it brings, are called.
    ///
    /// Not for new terms of an order: it keeps its name.
    pub(crate) fn learn(&self, intent: &OrderIntent) {
        let Some(client_order_id) = &intent.request.client_order_id else { return };
        let mut given = self.given.borrow_mut();
        let mut name = |order_id, suffix| {
            given.insert(order_id, GivenName(Arc::clone(client_order_id), suffix));
        };
        name(intent.order_id, "");
        if intent.request.take_profit.is_some() {
            name(intent.take_profit_id(), "-tp");
        }
        if intent.request.stop_loss.is_some() {
            name(intent.stop_loss_id(), "-sl");
        }
    }

    /// Remembers what an operation is called.
    pub(crate) fn learn_operation(&self, intent: &OperationIntent) {
        if let Some(client_order_id) = &intent.client_order_id {
            let name = GivenName(Arc::clone(client_order_id), "");
            self.given.borrow_mut().insert(intent.order_id, name);
        }
    }

    /// What its strategy calls an order, or its strategy and number.
    pub(crate) fn order(&self, order: OrderId) -> OrderName<'_> {
        match self.given.borrow().get(&order) {
            Some(name) => OrderName::Given(name.clone()),
            None if order.strategy == StrategyIx::VENUE => {
                OrderName::Number("liquidation", order.number)
            }
            None => OrderName::Number(self.strategy(order.strategy), order.number),
        }
    }

    /// What an operation is called: its order and which of its loops it is, or what fell due when.
    pub(crate) const fn operation_id(&self, op_id: OperationId) -> OperationName<'_> {
        OperationName { names: self, op_id }
    }

    /// The strategy and number of a group of orders.
    pub(crate) fn oco_group(&self, group: OcoGroup) -> OrderName<'_> {
        OrderName::Number(self.strategy(group.strategy), group.number)
    }
}

/// Name of an operation, as files spell it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OperationName<'a> {
    names: &'a Names,
    op_id: OperationId,
}

impl fmt::Display for OperationName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { names, op_id } = self;
        match op_id.subject {
            Subject::Initial => formatter.write_str("initial"),
            Subject::Order(order_id) => names.order(order_id).fmt(formatter),
            Subject::Group(group) => {
                write!(formatter, "group {}-{}", names.strategy(group.strategy), group.number)
            }
            Subject::Settlement { kind, key, ts_event } => {
                write!(formatter, "{} {} {ts_event}", kind.name(), names.key(key))
            }
            Subject::Liquidation { key, ts } => {
                write!(formatter, "liquidation {} {ts}", names.key(key))
            }
        }?;
        write!(formatter, "/{}", op_id.number)
    }
}

/// Name of an order, or of a group of orders, as files spell it.
#[derive(Clone, Debug)]
pub(crate) enum OrderName<'a> {
    /// As its strategy calls it.
    Given(GivenName),
    /// Its strategy, and which of that strategy's orders it is.
    Number(&'a str, u32),
}

impl fmt::Display for OrderName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(GivenName(name, suffix)) => write!(formatter, "{name}{suffix}"),
            Self::Number(strategy, number) => write!(formatter, "{strategy}-{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Decimal;
    use model::order::{Level, OrderRequest, OrderSide, Size};

    use super::*;

    #[test]
    fn an_order_is_called_as_its_strategy_calls_it_and_its_exits_after_it() {
        let names = Names { strategies: vec!["sma".to_owned()], ..Names::default() };
        let order_id = |number| OrderId { strategy: StrategyIx(0), number };
        let level = Level::Price(Decimal::ONE);
        let market = OrderRequest::market(InstrumentIx(0), OrderSide::Buy, Size::ALL);
        let bracket = market.clone().take_profit(level).stop_loss(level);
        for (number, request) in [
            (1, market.clone()),
            (2, market.named("entry")),
            (3, bracket.clone()),
            (6, bracket.named("bracket")),
        ] {
            names.learn(&OrderIntent { order_id: order_id(number), request });
        }
        let called: Vec<String> =
            (1..=8).map(|number| names.order(order_id(number)).to_string()).collect();
        let expected =
            ["sma-1", "entry", "sma-3", "sma-4", "sma-5", "bracket", "bracket-tp", "bracket-sl"];
        assert_eq!(called, expected);
    }
}
