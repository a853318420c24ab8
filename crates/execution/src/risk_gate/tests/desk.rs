//! A desk of the tests: an account, as text, and a gate that judges orders, as text.

use ledger::chain::Chain;
use ledger::exposure::ExposureTerms;
use ledger::pnl::Strictness;
use ledger::risk::RiskTerms;
use model::Decimal;
use model::frame::{Bar, BarKind, FrameBatch};
use model::instrument::{Contract, Instrument, InstrumentIx};
use model::market::DataProvider;
use model::money::{Bps, Quantity};
use model::order::{OcoGroup, OrderRequest, OrderSide, Size, StrategyIx};
use model::risk::{RiskType, RiskTypes};
use model::snapshot::{AccountBook, ChainSnapshots};
use model::time::{Interval, UtcMillis};
use venues::fees::MakerTaker;

use super::super::*;

const T: UtcMillis = UtcMillis::new(3_600_000);

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// One spot instrument and two linear perpetuals with 20 times leverage, all at 50,000.
fn table() -> InstrumentTable {
    let mut table = InstrumentTable::new();
    let listed = |id: &str| Instrument {
        lot: decimal("0.001"),
        ..Instrument::spot(id.parse().unwrap(), "BTC", "USDT")
    };
    let perp = |id: &str| Instrument {
        contract: Contract::Linear { settle: "USDT".into(), size: Decimal::ONE },
        leverage: decimal("20"),
        ..listed(id)
    };
    table.add(listed("binance:spot:BTCUSDT"));
    table.add(perp("bybit:perp:BTCUSDT"));
    table.add(perp("okx:perp:BTCUSDT"));
    table
}

/// A gate, and the account that it judges by.
pub(super) struct Desk {
    pub(super) gate: RiskGate,
    pub(super) account: AccountSnapshot,
    next: u32,
}

impl Desk {
    /// Lines `hold <key> <amount>`, `perp <venue> <contracts>` entered at the mark, `risk <type>`,
    /// `fee <bps>`.
    pub(super) fn new(text: &str) -> Self {
        let table = Rc::new(table());
        let (keys, width) = (table.keys().count(), table.len());
        let mut book = AccountBook {
            balances: vec![Decimal::ZERO; keys],
            reserved: vec![Decimal::ZERO; keys],
            positions: vec![Quantity::ZERO; width],
            costs: vec![Decimal::ZERO; width],
            working: Vec::new(),
        };
        let (mut enabled, mut fee) = (RiskTypes::NONE, Bps(Decimal::ZERO));
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match *line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["hold", key, amount] => {
                    let place = table.keys().find(|(_, known)| known.as_str() == key).unwrap().0;
                    book.balances[place.index()] = decimal(amount);
                    if place == table.base_key(InstrumentIx(0)) {
                        book.positions[0] = Quantity(decimal(amount));
                        book.costs[0] = decimal(amount) * decimal("50000");
                    }
                }
                ["perp", venue, contracts] => {
                    let place = place_of(venue);
                    book.balances[table.base_key(place).index()] = decimal(contracts);
                    book.positions[place.index()] = Quantity(decimal(contracts));
                    book.costs[place.index()] = decimal(contracts) * decimal("50000");
                }
                ["risk", name] => {
                    let kind = RiskType::ALL.into_iter().find(|kind| kind.name() == name).unwrap();
                    enabled = enabled.with(kind);
                }
                ["fee", rate] => fee = Bps(decimal(rate)),
                _ => panic!("what is `{line}`?"),
            }
        }
        let bar = Bar {
            open: 50_000.0,
            high: 50_000.0,
            low: 50_000.0,
            close: 50_000.0,
            volume: 1.0,
            kind: BarKind::Real,
        };
        let mut batch = FrameBatch::with_capacity(width, 1);
        batch.push(T, false, &vec![bar; width]);
        let frame = Arc::new(batch).frame(0).unwrap();
        let market = Rc::new(DataProvider::new(&table));
        market.advance(&frame);
        let exposure = ExposureTerms {
            share_class: "USDT".into(),
            tracked: Some("BTC".into()),
            ..ExposureTerms::default()
        };
        let mut risk = RiskTerms::new(Interval::HOUR);
        risk.limits.enabled = enabled;
        let mut chain =
            Chain::new(&table, &market, exposure.clone(), risk.clone(), Strictness::Lenient);
        chain.update(T, &book).unwrap();
        let account = AccountSnapshot {
            frame,
            marks: vec![Some(50_000.0); width],
            equity: chain.exposure.latest().equity,
            cash: 0.0,
            gross: 0.0,
            net: 0.0,
            unrealized: 0.0,
            book: Rc::new(book),
            chain: ChainSnapshots {
                exposure: Rc::clone(chain.exposure.latest()),
                risk: Rc::clone(chain.risk.latest()),
                pnl: Rc::clone(chain.pnl.latest()),
            },
        };
        let fees: Rc<dyn FeeModel> = Rc::new(MakerTaker::flat(fee, fee));
        let terms = ImpactTerms { market, exposure, risk, max_leg_delta: 0.5 };
        let gate = RiskGate::new(table, vec![fees; width], terms);
        Self { gate, account, next: 1 }
    }

    /// Judges `side venue quantity words …`, several of them between semicolons.
    pub(super) fn judge(&mut self, text: &str) -> VerdictGroup {
        let requests = text.split(';').map(|text| {
            let words: Vec<&str> = text.split_whitespace().collect();
            let order_id = OrderId { strategy: StrategyIx(0), number: self.next };
            self.next += 1;
            if let ["cancel", number] = *words {
                return Request::Cancel(OrderId { number: number.parse().unwrap(), ..order_id });
            }
            let (replaced, words) = match *words {
                ["replace", number, ..] => (Some(number.parse().unwrap()), &words[2..]),
                _ => (None, &words[..]),
            };
            let order_id = OrderId { number: replaced.unwrap_or(order_id.number), ..order_id };
            let intent = OrderIntent { order_id, request: request(words, order_id) };
            if replaced.is_some() { Request::Replace(intent) } else { Request::Submit(intent) }
        });
        let group = IntentGroup { strategy: StrategyIx(0), requests: requests.collect() };
        self.gate.judge(&group, Some(&self.account)).unwrap()
    }
}

fn place_of(venue: &str) -> InstrumentIx {
    let known = ["spot", "bybit", "okx"].iter().position(|known| *known == venue).unwrap();
    InstrumentIx(u16::try_from(known).unwrap())
}

fn request(words: &[&str], order_id: OrderId) -> OrderRequest {
    let side = if words[0] == "buy" { OrderSide::Buy } else { OrderSide::Sell };
    let size = match words[2].strip_suffix('%') {
        Some(share) => Size::Share(decimal(share) / Decimal::ONE_HUNDRED),
        None => Size::Units(Quantity(decimal(words[2]))),
    };
    let mut request = OrderRequest::market(place_of(words[1]), side, size);
    for word in &words[3..] {
        match word.split_once('=').unwrap_or((word, "")) {
            ("reduce", _) => request.reduce_only = true,
            ("limit", price) => {
                let limit = OrderRequest::limit(place_of(words[1]), side, size, decimal(price));
                request = OrderRequest { reduce_only: request.reduce_only, ..limit };
            }
            ("stop", price) => {
                let stop = OrderRequest::stop(place_of(words[1]), side, size, decimal(price));
                request = OrderRequest { reduce_only: request.reduce_only, ..stop };
            }
            ("oco", number) => {
                let number = number.parse().unwrap();
                request.oco_group = Some(OcoGroup { strategy: StrategyIx(0), number });
            }
            ("parent", number) => {
                request.parent = Some(OrderId { number: number.parse().unwrap(), ..order_id });
            }
            other => panic!("{other:?}"),
        }
    }
    request
}
