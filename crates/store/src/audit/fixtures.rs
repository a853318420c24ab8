//! Events for tests: one strategy `s`, one order per line, minutes as instants.

use std::rc::Rc;
use std::sync::Arc;

use model::Decimal;
use model::exposure::{ExposureLayout, ExposureSnapshot};
use model::fill::{ClosedLot, Fill, Liquidity, PriceRule};
use model::frame::FrameBatch;
use model::instrument::{Contract, Instrument, InstrumentIx, InstrumentTable};
use model::money::{Cash, Price, Quantity};
use model::order::{
    Exit, Exits, IntentGroup, Order, OrderId, OrderIntent, OrderRequest, OrderSide, OrderStatus,
    OrderType, OrderUpdate, Pricing, Refusal, RefusalCode, Request, Size, StrategyIx, Verdict,
    VerdictGroup,
};
use model::snapshot::{AccountBook, AccountSnapshot, ChainSnapshots};
use model::time::UtcMillis;

use super::records::{Rare, RareEvent, Records};
use crate::names::Names;

pub(crate) const SPOT: InstrumentIx = InstrumentIx(0);
pub(crate) const LINEAR: InstrumentIx = InstrumentIx(1);
pub(crate) const INVERSE: InstrumentIx = InstrumentIx(2);

/// A spot pair, and perpetuals that settle in USDT and in BTC.
pub(crate) fn instruments() -> InstrumentTable {
    let listed = |id: &str, contract| Instrument {
        contract,
        ..Instrument::spot(id.parse().unwrap(), "BTC", "USDT")
    };
    let linear = Contract::Linear { settle: "USDT".into(), size: Decimal::ONE };
    let inverse = Contract::Inverse { settle: "BTC".into(), size: Decimal::ONE_HUNDRED };
    let mut table = InstrumentTable::new();
    table.add(listed("binance:spot:BTCUSDT", Contract::Spot));
    table.add(listed("binance:perp:BTCUSDT", linear));
    table.add(listed("binance:perp:BTCUSD", inverse));
    table
}

/// What a chain says of the account before anything is in it.
pub(crate) fn chain() -> ChainSnapshots {
    let exposure = ExposureSnapshot::empty(&ExposureLayout::new(&instruments()));
    ChainSnapshots { exposure: Rc::new(exposure), ..ChainSnapshots::default() }
}

/// A snapshot of the frame at a minute.
pub(crate) fn snapshot(
    ts: i64,
    is_warmup: bool,
    book: &Rc<AccountBook>,
    chain: ChainSnapshots,
) -> AccountSnapshot {
    let mut batch = FrameBatch::with_capacity(0, 1);
    batch.push(minute(ts), is_warmup, &[]);
    AccountSnapshot {
        frame: Arc::new(batch).frame(0).unwrap(),
        marks: Vec::new(),
        equity: 0.0,
        cash: 0.0,
        gross: 0.0,
        net: 0.0,
        unrealized: 0.0,
        book: Rc::clone(book),
        chain,
    }
}

pub(crate) fn names() -> Names {
    Names::new(&instruments(), vec!["s".to_owned()])
}

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) const fn id(number: u32) -> OrderId {
    OrderId { strategy: StrategyIx(0), number }
}

pub(crate) const fn minute(count: i64) -> UtcMillis {
    UtcMillis::new(count * 60_000)
}

pub(crate) fn units(text: &str) -> Size {
    Size::Units(Quantity(decimal(text)))
}

pub(crate) fn refusal(code: RefusalCode) -> Refusal {
    Refusal::new(code, "why")
}

/// A limit order for two BTC.
pub(crate) fn limit(side: OrderSide, price: &str) -> OrderRequest {
    OrderRequest::limit(SPOT, side, units("2"), decimal(price))
}

/// The order that a sound request becomes, decided at `ts` and eligible at once.
pub(crate) fn order(number: u32, request: &OrderRequest, ts: UtcMillis) -> Arc<Order> {
    let price = |value: Option<Decimal>| value.and_then(Price::new).expect("a price");
    let exit = |place, level: Option<_>| Some(Exit { order_id: id(number + place), level: level? });
    Arc::new(Order {
        order_id: id(number),
        client_order_id: request.client_order_id.clone(),
        instrument: request.instrument.expect("an instrument"),
        side: request.side.expect("a side"),
        pricing: match request.order_type {
            OrderType::Market => Pricing::Market,
            OrderType::Limit => Pricing::Limit { price: price(request.price) },
            OrderType::Stop => Pricing::Stop { stop_price: price(request.stop_price) },
            OrderType::StopLimit => Pricing::StopLimit {
                stop_price: price(request.stop_price),
                price: price(request.price),
            },
            OrderType::Trailing => Pricing::Trailing { trail: request.trail.expect("a distance") },
        },
        tif: request.tif,
        expire_at: request.expire_at,
        size: request.size,
        post_only: request.post_only,
        reduce_only: request.reduce_only,
        oco_group: request.oco_group,
        parent: request.parent,
        origin: request.origin,
        exits: Exits {
            take_profit: exit(1, request.take_profit),
            stop_loss: exit(2, request.stop_loss),
        },
        ts_decided: ts,
        ts_eligible: ts,
    })
}

/// News of an order: its status and what it has filled.
pub(crate) fn news(number: u32, status: OrderStatus, cum_qty: &str) -> OrderUpdate {
    let cum_qty = Quantity(decimal(cum_qty));
    OrderUpdate {
        order_id: id(number),
        status,
        order_qty: None,
        cum_qty,
        avg_px: (!cum_qty.is_zero()).then(|| Price::new(Decimal::ONE_HUNDRED)).flatten(),
        refusal: None,
        terms: None,
        repeats: None,
    }
}

/// A fill of one BTC at 100, without slippage, fee or lots.
pub(crate) fn fill(number: u32, side: OrderSide) -> Fill {
    Fill {
        trade_id: 1,
        order_id: id(number),
        instrument: SPOT,
        side,
        ts: minute(0),
        last_qty: Quantity(Decimal::ONE),
        last_px: Price::new(Decimal::ONE_HUNDRED).unwrap(),
        notional: Cash(Decimal::ONE_HUNDRED),
        fee: Cash::ZERO,
        fee_key: instruments().cash_key(SPOT),
        liquidity: Liquidity::Taker,
        slippage_bps: 0.0,
        price_rule: PriceRule::MarketOpen,
        px_ref: Price::new(Decimal::ONE_HUNDRED).unwrap(),
        bar_range: None,
        bar_share: None,
        cash_value: 1.0,
        realized: Cash::ZERO,
        lots: Vec::new(),
        closed: None,
    }
}

/// A lot bought at 90 in the first minute.
pub(crate) fn lot(quantity: &str, gross: &str) -> ClosedLot {
    ClosedLot {
        entry_ts: minute(1),
        quantity: Quantity(decimal(quantity)),
        entry_px: Price::new(decimal("90")).unwrap(),
        gross: Cash(decimal(gross)),
        entry_fee: Cash(decimal("0.09")),
        exit_fee: Cash(decimal("0.1")),
    }
}

/// Records that grow event by event; a minute lies between two of them.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) records: Records,
    seq: u64,
}

impl Script {
    /// The instant of the next event.
    pub(crate) fn now(&self) -> UtcMillis {
        minute(i64::try_from(self.seq + 1).unwrap())
    }

    /// Goes on where another script ends: the next commit.
    pub(crate) const fn continue_after(&mut self, other: &Self) {
        self.seq = other.seq;
    }

    pub(crate) fn event(&mut self, event: RareEvent) {
        let ts = self.now();
        self.seq += 1;
        let cause_seq = self.seq.checked_sub(1);
        self.records.rare.push(Rare { seq: self.seq, ts, cause_seq, publisher: 1, event });
        self.records.first.get_or_insert((self.seq, ts));
        self.records.last = Some((self.seq, ts));
    }

    pub(crate) fn ask(&mut self, requests: Vec<Request>) {
        let group = IntentGroup { strategy: StrategyIx(0), requests };
        self.event(RareEvent::Intent(Arc::new(group)));
    }

    pub(crate) fn judge(&mut self, verdicts: Vec<Verdict>) {
        let group = VerdictGroup { strategy: StrategyIx(0), verdicts, impact: None };
        self.event(RareEvent::Verdict(Arc::new(group)));
    }

    /// Asks for orders that are all accepted.
    pub(crate) fn accept(&mut self, requests: &[(u32, OrderRequest)]) {
        let now = self.now();
        self.ask(requests.iter().map(|(number, request)| submit(*number, request)).collect());
        let accepted = |(number, request): &_| Verdict::Accepted(order(*number, request, now));
        self.judge(requests.iter().map(accepted).collect());
    }

    pub(crate) fn update(&mut self, update: OrderUpdate) {
        self.event(RareEvent::OrderUpdate(Arc::new(update)));
    }

    pub(crate) fn fill(&mut self, fill: Fill) {
        self.event(RareEvent::Fill(Arc::new(fill)));
    }
}

pub(crate) fn submit(number: u32, request: &OrderRequest) -> Request {
    Request::Submit(OrderIntent { order_id: id(number), request: request.clone() })
}

pub(crate) fn replace(number: u32, request: &OrderRequest) -> Request {
    Request::Replace(OrderIntent { order_id: id(number), request: request.clone() })
}
