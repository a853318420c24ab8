//! A stage for tests of strategies: frames and positions in, requests as text out.

use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;

use model::Decimal;
use model::frame::{Bar, BarKind, Frame, FrameBatch, MarketView};
use model::instrument::{Contract, Instrument, InstrumentIx, InstrumentTable, MarketType};
use model::money::Quantity;
use model::operation::Amount;
use model::order::{OperationIntent, OrderId, OrderRequest, Request, StrategyIx, Trail};
use model::parameter::{ParameterError, ParameterValue, Parameters};
use model::snapshot::{AccountBook, AccountSnapshot, ChainSnapshots};
use model::strategy::{
    DeskNumbers, OrderDesk, Strategy, StrategyError, StrategyKind, StrategySetup,
};
use model::time::{Interval, UtcMillis};

pub(crate) const SPOT: &str = "binance:spot:BTCUSDT";
pub(crate) const PERP: &str = "binance:perp:BTCUSDT";

/// The instruments of a run, and what a strategy has counted and holds.
pub(crate) struct Stage {
    pub(crate) instruments: InstrumentTable,
    numbers: DeskNumbers,
    positions: Vec<Quantity>,
}

impl Stage {
    pub(crate) fn new(ids: &[&str]) -> Self {
        let mut instruments = InstrumentTable::new();
        for id in ids {
            let spot = Instrument::spot(id.parse().unwrap(), "BTC", "USDT");
            let contract = if spot.id.market == MarketType::Perp {
                Contract::Linear { settle: "USDT".into(), size: Decimal::ONE }
            } else {
                Contract::Spot
            };
            instruments.add(Instrument { contract, ..spot });
        }
        let positions = vec![Quantity::ZERO; ids.len()];
        Self { instruments, numbers: DeskNumbers::default(), positions }
    }

    pub(crate) fn build<S: StrategyKind>(
        &self,
        values: impl IntoIterator<Item = (&'static str, ParameterValue)>,
    ) -> Result<S, ParameterError> {
        let mut parameters = Parameters::default();
        values.into_iter().for_each(|(name, value)| parameters.set(name, value));
        S::build(&StrategySetup {
            parameters: &parameters,
            instruments: &self.instruments,
            interval: Interval::HOUR,
        })
    }

    pub(crate) fn hold(&mut self, instrument: InstrumentIx, units: i64) {
        self.positions[instrument.index()] = Quantity(Decimal::from(units));
    }

    /// What a strategy asks for at a frame in which all instruments close at `close`.
    pub(crate) fn decide(
        &mut self,
        strategy: &mut impl Strategy,
        ts: UtcMillis,
        close: f64,
    ) -> Result<Vec<Request>, StrategyError> {
        let account = self.account(ts, close);
        let mut requests = Vec::new();
        let mut desk = OrderDesk::new(StrategyIx(0), &mut self.numbers, &mut requests, 100);
        strategy.decide(MarketView::new(&account.frame), &account, &mut desk)?;
        Ok(requests)
    }

    fn account(&self, ts: UtcMillis, close: f64) -> AccountSnapshot {
        let width = self.instruments.len();
        let bar =
            Bar { open: close, high: close, low: close, close, volume: 1.0, kind: BarKind::Real };
        let mut batch = FrameBatch::with_capacity(width, 1);
        batch.push(ts, false, &vec![bar; width]);
        let frame: Frame = Arc::new(batch).frame(0).unwrap();
        AccountSnapshot {
            frame,
            marks: vec![Some(close); width],
            equity: 0.0,
            cash: 0.0,
            gross: 0.0,
            net: 0.0,
            unrealized: 0.0,
            chain: ChainSnapshots::default(),
            book: Rc::new(AccountBook {
                positions: self.positions.clone(),
                ..AccountBook::default()
            }),
        }
    }

    /// A request in a line: what differs from a market order that is good till canceled.
    pub(crate) fn show(&self, request: &Request) -> String {
        match request {
            Request::Submit(intent) => {
                format!("submit {}: {}", number(intent.order_id), self.terms(&intent.request))
            }
            Request::Operate(intent) => {
                format!("operate {}: {}", number(intent.order_id), self.operation(intent))
            }
            Request::Cancel(order_id) => format!("cancel {}", number(*order_id)),
            Request::Replace(intent) => {
                format!("replace {}: {}", number(intent.order_id), self.terms(&intent.request))
            }
        }
    }

    fn operation(&self, intent: &OperationIntent) -> String {
        let OperationIntent { client_order_id, request, .. } = intent;
        let amount = match request.amount {
            Amount::Max => "max".to_owned(),
            Amount::Units(units) => units.to_string(),
        };
        let mut text = format!("{} {amount} at {}", request.operation.name(), request.venue);
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                write!(text, ", {name} {value}").unwrap();
            }
        };
        add("in", request.token_in.as_ref().map(ToString::to_string));
        add("out", request.token_out.as_ref().map(ToString::to_string));
        add("from", request.source.map(|key| self.instruments.key(key).to_string()));
        add("to", request.target.map(|key| self.instruments.key(key).to_string()));
        add("at least", request.min_out.map(|least| least.to_string()));
        add("slot", request.atomic.map(|slot| format!("{}.{}", slot.group.number, slot.sequence)));
        add("as", client_order_id.as_ref().map(ToString::to_string));
        text
    }

    fn terms(&self, request: &OrderRequest) -> String {
        let side = request.side.map_or("no side", |side| side.name());
        let instrument = request.instrument.map_or_else(
            || "no instrument".to_owned(),
            |place| self.instruments.instrument(place).id.to_string(),
        );
        let order_type = request.order_type.name();
        let mut text = format!("{order_type} {side} {} of {instrument}", request.size);
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                write!(text, ", {name} {value}").unwrap();
            }
        };
        add("price", request.price.map(|price| price.to_string()));
        add("stop", request.stop_price.map(|price| price.to_string()));
        add("trail", request.trail.map(trail));
        add("tif", Some(request.tif.name()).filter(|tif| *tif != "gtc").map(str::to_owned));
        add("until", request.expire_at.map(|instant| instant.to_string()));
        add("take", request.take_profit.map(|level| level.to_string()));
        add("end", request.stop_loss.map(|level| level.to_string()));
        add("post", request.post_only.then(|| "only".to_owned()));
        add("reduce", request.reduce_only.then(|| "only".to_owned()));
        add("group", request.oco_group.map(|group| group.number.to_string()));
        add("child of", request.parent.map(|parent| number(parent).to_string()));
        add("as", request.client_order_id.as_ref().map(ToString::to_string));
        text
    }
}

const fn number(order_id: OrderId) -> u32 {
    order_id.number
}

fn trail(trail: Trail) -> String {
    match trail {
        Trail::Absolute(distance) => distance.to_string(),
        Trail::Bps(rate) => rate.to_string(),
    }
}
