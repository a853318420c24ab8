//! A chain with a pool, a staking protocol, an exchange and a flash lender; operations as text.

use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;

use model::Decimal;
use model::handshake::Handshake;
use model::instrument::{InstrumentTable, KeyIx};
use model::interface::{Holding, PositionInterface};
use model::lending::Ray;
use model::operation::{Amount, GroupId, Operation, OperationOrder, OperationRequest};
use model::order::{OrderId, StrategyIx};
use model::protocol::{FlashLender, Protocols, Reserve, Reward, Staking, Token};
use model::time::UtcMillis;

use crate::on_chain::{
    Chain, ChainLedger, ChainMarket, ChainPositions, ChainSettings, MarketScript,
};

pub(super) const KEYS: [&str; 16] = [
    "wallet:BaseToken:ETH",
    "wallet:BaseToken:WETH",
    "wallet:BaseToken:USDT",
    "etherfi:LST:weETH",
    "aave_v3:aToken:aweETH",
    "aave_v3:aToken:aUSDT",
    "aave_v3:debtToken:debtWETH",
    "etherfi:Claim:ETH.unstake",
    "morpho:FlashDebt:WETH",
    "wallet:BaseToken:KING",
    "wallet:BaseToken:EIGEN",
    "binance:BaseToken:USDT",
    "binance:Transit:USDT",
    "bybit:BaseToken:USDT",
    "bybit:Transit:USDT",
    "aave_v3:aToken:aWETH",
];

pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(super) fn at(millis: i64) -> UtcMillis {
    UtcMillis::new(millis)
}

pub(super) fn table() -> InstrumentTable {
    let mut table = InstrumentTable::new();
    for key in KEYS {
        table.add_key(key.parse().unwrap());
    }
    table
}

pub(super) fn key(text: &str) -> KeyIx {
    KeyIx(u16::try_from(KEYS.iter().position(|key| *key == text).unwrap()).unwrap())
}

pub(super) fn protocols() -> Protocols {
    let token = |symbol: &str, place: &str, decimals| Token {
        symbol: symbol.into(),
        key: key(place),
        decimals,
    };
    let reserve = |token: &str, a_token: &str, debt: Option<&str>| Reserve {
        venue: "aave_v3".into(),
        token: token.into(),
        a_token: key(a_token),
        debt: debt.map(key),
        ltv: decimal("0.9"),
        liquidation_threshold: decimal("0.95"),
    };
    let staking = |coin: &str| Staking {
        venue: "etherfi".into(),
        coin: coin.into(),
        token: "weETH".into(),
        claim: Some((key("etherfi:Claim:ETH.unstake"), key("wallet:BaseToken:ETH"))),
        unstake_delay_ms: 168 * 3_600_000,
    };
    Protocols {
        gas: key("wallet:BaseToken:ETH"),
        tokens: vec![
            token("ETH", "wallet:BaseToken:ETH", 18),
            token("WETH", "wallet:BaseToken:WETH", 18),
            token("USDT", "wallet:BaseToken:USDT", 6),
            token("weETH", "etherfi:LST:weETH", 18),
            token("KING", "wallet:BaseToken:KING", 18),
            token("EIGEN", "wallet:BaseToken:EIGEN", 18),
        ],
        reserves: vec![
            reserve("weETH", "aave_v3:aToken:aweETH", None),
            reserve("USDT", "aave_v3:aToken:aUSDT", None),
            reserve("WETH", "aave_v3:aToken:aWETH", Some("aave_v3:debtToken:debtWETH")),
        ],
        stakings: vec![staking("ETH"), staking("WETH")],
        flash: vec![FlashLender {
            venue: "morpho".into(),
            token: "WETH".into(),
            debt: key("morpho:FlashDebt:WETH"),
            fee: Decimal::ZERO,
        }],
        rewards: vec![Reward {
            venue: "etherfi".into(),
            token: "KING".into(),
            parts: vec![("EIGEN".into(), decimal("0.5"))],
        }],
    }
}

pub(super) fn market() -> ChainMarket {
    let aave = |token: &str, index: &str| {
        ((Box::from("aave_v3"), Box::from(token)), Ray::of(decimal(index)).unwrap())
    };
    let swap = |from: &str, to: &str, px: &str, cost: &str| {
        ((Box::from(from), Box::from(to)), (decimal(px), decimal(cost)))
    };
    ChainMarket {
        supply_index: [aave("weETH", "1"), aave("USDT", "1.25")].into(),
        borrow_index: [aave("WETH", "1")].into(),
        pool_cash: [((Box::from("aave_v3"), Box::from("WETH")), decimal("1000"))].into(),
        staking_rate: [(Box::from("weETH"), decimal("1"))].into(),
        oracle: [("weETH", "3000"), ("WETH", "3000"), ("USDT", "1")]
            .map(|(token, px)| (Box::from(token), decimal(px)))
            .into(),
        swap: [
            swap("weETH", "WETH", "1", "0.0025"),
            swap("WETH", "weETH", "1", "0"),
            swap("ETH", "USDT", "3000", "0.001"),
        ]
        .into(),
        claimable: [(Box::from("KING"), decimal("2"))].into(),
        gas_gwei: decimal("10"),
    }
}

pub(super) struct Scenario {
    pub(super) chain: Chain,
    orders: u32,
}

impl Scenario {
    pub(super) fn new(initial: &[(&str, &str)]) -> Self {
        Self::with(initial, |_| {})
    }

    pub(super) fn with(initial: &[(&str, &str)], change: impl FnOnce(&mut ChainSettings)) -> Self {
        let initial: Vec<_> =
            initial.iter().map(|(place, amount)| (key(place), decimal(amount))).collect();
        let ledger = ChainLedger::shared(KEYS.len(), &initial);
        let mut settings = ChainSettings {
            protocols: protocols(),
            script: MarketScript::constant(market()),
            gas_multiplier: Decimal::ONE,
            max_gas_eth: None,
            has_emode: false,
        };
        change(&mut settings);
        Self { chain: Chain::new(Rc::new(table()), settings, ledger), orders: 0 }
    }

    /// `operation venue token amount`, then `-> token` and `>= least` of a swap.
    pub(super) fn order(&mut self, text: &str) -> OperationOrder {
        let words: Vec<&str> = text.split_whitespace().collect();
        let operation: Operation = words[0].parse().unwrap();
        let amount = match words[3] {
            "max" => Amount::Max,
            units => Amount::Units(decimal(units)),
        };
        let mut request = OperationRequest::of_token(operation, words[1], words[2], amount);
        let after =
            |mark: &str| words.iter().position(|word| *word == mark).map(|place| words[place + 1]);
        request.token_out = after("->").map(Box::from);
        request.min_out = after(">=").map(decimal);
        self.orders += 1;
        let order_id = OrderId { strategy: StrategyIx(0), number: self.orders };
        let ts = at(0);
        OperationOrder { order_id, client_order_id: None, request, ts_decided: ts, ts_eligible: ts }
    }

    pub(super) fn run(&mut self, text: &str) -> Handshake {
        let order = self.order(text);
        let handshake = self.chain.execute(at(0), &order);
        handshake.check().unwrap();
        handshake
    }

    /// One operation per line, as a group.
    pub(super) fn group(&mut self, lines: &str) -> Handshake {
        let group = GroupId { strategy: StrategyIx(0), number: 1 };
        let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
        let members: Vec<Arc<OperationOrder>> = (1..)
            .zip(lines)
            .map(|(sequence, line)| {
                let order = self.order(line);
                let request = order.request.clone().in_group(group, sequence);
                Arc::new(OperationOrder { request, ..order })
            })
            .collect();
        let handshake = self.chain.execute_group(at(0), &members);
        handshake.check().unwrap();
        handshake
    }

    pub(super) fn held(&self) -> Vec<Decimal> {
        let keys = (0..16).map(KeyIx).collect();
        let ledger = Rc::clone(self.chain.ledger());
        let mut holdings = vec![Holding::default(); KEYS.len()];
        ChainPositions::new("wallet", keys, ledger).query(&mut holdings).unwrap();
        holdings.into_iter().map(|holding| holding.amount).collect()
    }
}

/// A handshake in lines: its status and reason, then its deltas.
pub(super) fn shown(handshake: &Handshake) -> String {
    let mut text = handshake.status.name().to_owned();
    if let Some(refusal) = &handshake.refusal {
        write!(text, " {refusal}").unwrap();
    }
    if let Some(gas) = &handshake.gas {
        write!(text, " gas {}", gas.units).unwrap();
    }
    text.push('\n');
    for delta in &handshake.deltas {
        let arrives = delta.arrival.map(|arrival| format!(" until {}", arrival.at.millis()));
        let (name, amount) = (KEYS[delta.key.index()], delta.amount.normalize());
        writeln!(text, "  {name} {amount:+}{}", arrives.unwrap_or_default()).unwrap();
    }
    text
}
