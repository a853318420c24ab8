//! A market and a book of the tests, as text: one line per thing that is held or priced.

use std::rc::Rc;

use model::Decimal;
use model::instrument::{
    Contract, Instrument, InstrumentIx, InstrumentTable, KeyIx, MarginMode, Parity, ParityKind,
};
use model::market::{DataProvider, FundingTrail};
use model::money::{Price, Quantity};
use model::snapshot::AccountBook;
use model::time::UtcMillis;

pub(crate) struct World {
    pub(crate) table: Rc<InstrumentTable>,
    pub(crate) provider: Rc<DataProvider>,
    pub(crate) book: AccountBook,
    pub(crate) ts: UtcMillis,
}

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Spot instruments and perpetuals.
fn instruments() -> InstrumentTable {
    let mut table = InstrumentTable::new();
    let spot = |id: &str, base| Instrument::spot(id.parse().unwrap(), base, "USDT");
    let linear = |id: &str, base| Instrument {
        contract: Contract::Linear { settle: "USDT".into(), size: Decimal::ONE },
        leverage: Decimal::from(5),
        ..spot(id, base)
    };
    table.add(spot("binance:spot:BTCUSDT", "BTC"));
    table.add(spot("binance:spot:ETHUSDT", "ETH"));
    table.add(linear("binance:perp:BTCUSDT", "BTC"));
    table.add(linear("bybit:perp:BTCUSDT", "BTC"));
    table.add(linear("okx:perp:BTCUSDT", "BTC"));
    table.add(linear("binance:perp:ETHUSDT", "ETH"));
    let isolated = linear("isolated:perp:BTCUSDT", "BTC");
    table.add(Instrument { margin_mode: MarginMode::Isolated, ..isolated });
    let inverse = Contract::Inverse { settle: "BTC".into(), size: Decimal::ONE_HUNDRED };
    let inverse = Instrument { contract: inverse, ..spot("binance:perp:BTCUSD", "BTC") };
    table.add(Instrument { quote: "USD".into(), ..inverse });
    table
}

/// The same, and what chains have.
fn table() -> InstrumentTable {
    let mut table = instruments();
    for (key, underlying) in [
        ("wallet:BaseToken:USDT", ""),
        ("wallet:BaseToken:ETH", ""),
        ("wallet:BaseToken:WETH", ""),
        ("wallet:Transit:USDT", ""),
        ("etherfi:LST:weETH", "ETH"),
        ("etherfi:Claim:ETH.unstake", "ETH"),
        ("aave_v3:aToken:aUSDT", "USDT"),
        ("aave_v3:aToken:aWETH", "WETH"),
        ("aave_v3:aToken:aweETH", "weETH"),
        ("aave_v3:debtToken:debtWETH", "WETH"),
    ] {
        let key = table.add_key(key.parse().unwrap());
        if !underlying.is_empty() {
            table.set_underlying(key, underlying);
        }
    }
    let mut parity = |token: &str, asset: &str, kind| {
        table.add_parity(Parity { token: token.into(), asset: asset.into(), kind });
    };
    parity("WETH", "ETH", ParityKind::Wrap);
    parity("USDT", "USD", ParityKind::Peg);
    table
}

impl World {
    pub(crate) fn new(text: &str) -> Self {
        Self::of(table(), text)
    }

    /// A world of exchanges alone.
    pub(crate) fn of_exchanges(text: &str) -> Self {
        Self::of(instruments(), text)
    }

    fn of(table: InstrumentTable, text: &str) -> Self {
        let table = Rc::new(table);
        let (keys, width) = (table.keys().count(), table.len());
        let book = AccountBook {
            balances: vec![Decimal::ZERO; keys],
            reserved: vec![Decimal::ZERO; keys],
            positions: vec![Quantity::ZERO; width],
            costs: vec![Decimal::ZERO; width],
            working: Vec::new(),
        };
        let provider = Rc::new(DataProvider::new(&table));
        let mut world = Self { table, provider, book, ts: UtcMillis::new(0) };
        world.read(text);
        world
    }

    pub(crate) fn key(&self, name: &str) -> KeyIx {
        let found = self.table.keys().find(|(_, key)| key.as_str() == name);
        found.unwrap_or_else(|| panic!("no key {name}")).0
    }

    pub(crate) fn instrument(&self, id: &str) -> InstrumentIx {
        self.table.find(&id.parse().unwrap()).unwrap()
    }

    /// Lines `hold <key> <amount>`, `perp <id> <quantity> <entry>`, `price <id> <px>`,
    /// `index <key> <i>`, `rate <key> <r>`, `sells <key> <market rate>`,
    /// `funding <id> <mean of 8 h>`.
    pub(crate) fn read(&mut self, text: &str) {
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match *words.as_slice() {
                ["hold", key, amount] => {
                    let key = self.key(key);
                    self.book.balances[key.index()] = decimal(amount);
                }
                ["perp", id, quantity, entry] => {
                    let place = self.instrument(id);
                    let instrument = self.table.instrument(place);
                    let quantity = Quantity(decimal(quantity));
                    let entry = Price::new(decimal(entry)).unwrap();
                    let cost = instrument.notional(entry, quantity).booked(instrument.ledger_scale);
                    let key = self.table.base_key(place);
                    self.book.balances[key.index()] = quantity.0;
                    self.book.positions[place.index()] = quantity;
                    self.book.costs[place.index()] = cost.0;
                }
                ["price", id, px] => {
                    let (place, px) = (self.instrument(id).index(), px.parse().unwrap());
                    self.provider.change().closes[place] = Some(px);
                    self.provider.change().marks[place] = Some(px);
                }
                ["index", key, index] => {
                    self.provider.change().indices[self.key(key).index()] = index.parse().unwrap();
                }
                ["rate", key, rate] => {
                    let rate = Some(rate.parse().unwrap());
                    self.provider.change().rates[self.key(key).index()] = rate;
                }
                ["sells", key, rate] => {
                    let rate = Some(rate.parse().unwrap());
                    self.provider.change().market_rates[self.key(key).index()] = rate;
                }
                ["yearly", key, rate] => {
                    let rate = Some(rate.parse().unwrap());
                    self.provider.change().yearly_rates[self.key(key).index()] = rate;
                }
                ["funding", id, mean] => {
                    let trail =
                        FundingTrail { mean_8h: mean.parse().unwrap(), negative_share: 0.0 };
                    self.provider.change().funding[self.instrument(id).index()] = Some(trail);
                }
                _ => panic!("what is `{line}`?"),
            }
        }
    }

    /// The next instant.
    pub(crate) fn tick(&mut self) -> UtcMillis {
        self.ts = UtcMillis::new(self.ts.millis() + 3_600_000);
        self.provider.change().ts = self.ts;
        self.ts
    }
}
