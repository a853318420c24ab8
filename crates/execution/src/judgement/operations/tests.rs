//! Rules of 02 §3.1 for operations, one row per operation or group.

use std::rc::Rc;

use expect_test::expect;
use model::frame::{Bar, BarKind, FrameBatch};
use model::instrument::Instrument;
use model::operation::GroupId;
use model::order::{OrderId, StrategyIx};
use model::protocol::{Staking, Token};
use model::snapshot::{AccountBook, AccountSnapshot, ChainSnapshots};
use model::time::UtcMillis;

use super::*;
use crate::judgement::Promises;

const KEYS: [(&str, &str, &str); 4] = [
    ("wallet:BaseToken:ETH", "2", "0.5"),
    ("wallet:BaseToken:USDT", "100", "0"),
    ("wallet:BaseToken:WETH", "1", "0"),
    ("etherfi:LST:weETH", "0", "0"),
];

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A spot instrument at binance, after the keys of the chain.
fn table() -> InstrumentTable {
    let mut table = InstrumentTable::new();
    for (key, ..) in KEYS {
        table.add_key(key.parse().unwrap());
    }
    table.add(Instrument::spot("binance:spot:BTCUSDT".parse().unwrap(), "BTC", "USDT"));
    table
}

fn account() -> AccountSnapshot {
    let bar = Bar { open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: 1.0, kind: BarKind::Real };
    let mut batch = FrameBatch::with_capacity(1, 1);
    batch.push(UtcMillis::new(3_600_000), false, &[bar]);
    let none = [Decimal::ZERO; 2];
    let amounts =
        |of: fn(&(&str, &str, &str)) -> Decimal| KEYS.iter().map(of).chain(none).collect();
    AccountSnapshot {
        frame: Arc::new(batch).frame(0).unwrap(),
        marks: vec![Some(1.0)],
        equity: 0.0,
        cash: 0.0,
        gross: 0.0,
        net: 0.0,
        unrealized: 0.0,
        chain: ChainSnapshots::default(),
        book: Rc::new(AccountBook {
            balances: amounts(|(_, balance, _)| balance.parse().unwrap()),
            reserved: amounts(|(_, _, reserved)| reserved.parse().unwrap()),
            ..AccountBook::default()
        }),
    }
}

fn rules() -> OperationRules {
    let token = |symbol: &str, key: u16, decimals| Token {
        symbol: symbol.into(),
        key: KeyIx(key),
        decimals,
    };
    let protocols = Protocols {
        gas: KeyIx(0),
        tokens: vec![
            token("ETH", 0, 18),
            token("USDT", 1, 6),
            token("WETH", 2, 18),
            token("weETH", 3, 18),
        ],
        reserves: Vec::new(),
        stakings: vec![Staking {
            venue: "etherfi".into(),
            coin: "WETH".into(),
            token: "weETH".into(),
            claim: None,
            unstake_delay_ms: 0,
        }],
        flash: Vec::new(),
        rewards: Vec::new(),
    };
    OperationRules { protocols, gas_gwei: decimal("10"), max_ltv: decimal("0.75") }
}

/// `operation venue amount`, then words of the form `name=value`.
fn request(text: &str, table: &InstrumentTable) -> OperationRequest {
    let words: Vec<&str> = text.split_whitespace().collect();
    let amount = match words[2] {
        "max" => Amount::Max,
        units => Amount::Units(decimal(units)),
    };
    let mut request = OperationRequest::new(words[0].parse().unwrap(), words[1], amount);
    let key =
        |text: &str| table.keys().find(|(_, key)| key.as_str() == text).map(|(place, _)| place);
    for word in &words[3..] {
        match word.split_once('=').unwrap() {
            ("in", token) => request.token_in = Some(token.into()),
            ("out", token) => request.token_out = Some(token.into()),
            ("from", place) => request.source = key(place),
            ("to", place) => request.target = key(place),
            ("least", least) => request.min_out = Some(decimal(least)),
            ("ltv", target) => request.ltv_target = Some(decimal(target)),
            ("slot", sequence) => {
                let group = GroupId { strategy: StrategyIx(0), number: 1 };
                request = request.in_group(group, sequence.parse().unwrap());
            }
            other => panic!("{other:?}"),
        }
    }
    request
}

/// Judges what stands between semicolons together.
fn judged(text: &str) -> String {
    judged_with(text, &account())
}

fn judged_with(text: &str, account: &AccountSnapshot) -> String {
    let table = table();
    let intents: Vec<OperationIntent> = (1..)
        .zip(text.split(';'))
        .map(|(number, text)| OperationIntent {
            order_id: OrderId { strategy: StrategyIx(0), number },
            client_order_id: None,
            request: request(text, &table),
        })
        .collect();
    let promises = Promises::new(table.keys().count());
    let judgement = Judgement { instruments: &table, fees: &[], account, promises: &promises };
    match judgement.operated(&intents.iter().collect::<Vec<_>>(), Some(&rules())) {
        Err((place, refusal)) => format!("{}: {refusal}", place + 1),
        Ok(grant) => {
            let need = |(key, need): (&KeyIx, &Decimal)| {
                format!(" {} {}", table.key(*key).symbol(), need.normalize())
            };
            format!(
                "{} needing{}",
                grant.orders.len(),
                grant.needs.iter().map(need).collect::<String>()
            )
        }
    }
}

#[test]
fn operations_are_judged_by_their_terms_and_what_they_need() {
    let text: String = [
        "supply aave_v3 1",
        "supply aave_v3 0 in=USDT",
        "supply aave_v3 100 in=USDT",
        "supply aave_v3 100.000001 in=USDT",
        "supply aave_v3 max in=USDT",
        "borrow aave_v3 max in=WETH",
        "borrow aave_v3 1 in=WETH ltv=0.75",
        "borrow aave_v3 1 in=WETH ltv=0.76",
        "borrow aave_v3 1 in=WETH ltv=0",
        "swap uniswap 1 in=WETH",
        "swap uniswap 1 in=WETH out=WETH",
        "swap uniswap 1 in=WETH out=USDT least=-1",
        "swap uniswap 1 in=ETH out=USDT",
        "swap uniswap 1.5 in=ETH out=USDT",
        "spot_trade binance 1",
        "transfer wallet 1 from=wallet:BaseToken:USDT",
        "transfer wallet 1 from=wallet:BaseToken:USDT to=wallet:BaseToken:USDT",
        "transfer wallet 1 from=wallet:BaseToken:USDT to=binance:BaseToken:BTC",
        "transfer wallet 1 from=wallet:BaseToken:USDT to=binance:BaseToken:USDT",
        "transfer binance 1 from=binance:BaseToken:USDT to=wallet:BaseToken:USDT",
        "flash_borrow morpho 1 in=WETH",
        "flash_borrow morpho 9 in=WETH slot=1; stake etherfi 10 in=WETH slot=2; supply aave_v3 max in=weETH slot=3; borrow aave_v3 9 in=WETH slot=4; flash_repay morpho 9 in=WETH slot=5",
        "flash_borrow morpho 9 in=WETH slot=1; stake etherfi 10.1 in=WETH slot=2; flash_repay morpho 9 in=WETH slot=3",
        "stake etherfi 1 in=WETH slot=1; supply aave_v3 1 in=weETH slot=3",
        "stake etherfi 1 in=WETH slot=1; supply aave_v3 1 in=weETH slot=1",
        "stake etherfi 1 in=WETH slot=2",
        "stake etherfi 1 in=WETH slot=1",
        "supply aave_v3 1 in=weETH slot=2; stake etherfi 1 in=WETH slot=1",
        "stake etherfi 1 in=WETH slot=1; supply binance 1 in=USDT slot=2",
        "stake etherfi 1 in=WETH slot=1; unstake etherfi 1 in=weETH slot=2",
    ]
    .map(|row| format!("{row}\n    {}\n", judged(row)))
    .concat();
    expect![[r"
        supply aave_v3 1
            1: RISK-TOKEN: no token_in, which a supply needs
        supply aave_v3 0 in=USDT
            1: RISK-AMOUNT: 0, expected more than 0
        supply aave_v3 100 in=USDT
            1 needing ETH 0.0025 USDT 100
        supply aave_v3 100.000001 in=USDT
            1: RISK-BALANCE: needs 100.000001 of wallet:BaseToken:USDT, 100 free
        supply aave_v3 max in=USDT
            1 needing ETH 0.0025
        borrow aave_v3 max in=WETH
            1: RISK-AMOUNT: max, but a borrow has no whole
        borrow aave_v3 1 in=WETH ltv=0.75
            1 needing ETH 0.003
        borrow aave_v3 1 in=WETH ltv=0.76
            1: RISK-LTV-TARGET: 0.76, expected more than 0 and at most 0.75
        borrow aave_v3 1 in=WETH ltv=0
            1: RISK-LTV-TARGET: 0, expected more than 0 and at most 0.75
        swap uniswap 1 in=WETH
            1: RISK-TOKEN: a swap needs token_in and token_out
        swap uniswap 1 in=WETH out=WETH
            1: RISK-SWAP-TOKENS: WETH for itself, expected two tokens
        swap uniswap 1 in=WETH out=USDT least=-1
            1: RISK-AMOUNT: min_out -1, expected 0 or more
        swap uniswap 1 in=ETH out=USDT
            1 needing ETH 1.0018
        swap uniswap 1.5 in=ETH out=USDT
            1: RISK-BALANCE: needs 1.5018 of wallet:BaseToken:ETH, 1.5 free
        spot_trade binance 1
            1: RISK-INSTRUMENT: a spot_trade is an order on a market, with instrument and side
        transfer wallet 1 from=wallet:BaseToken:USDT
            1: RISK-TRANSFER: a transfer needs source_key and target_key
        transfer wallet 1 from=wallet:BaseToken:USDT to=wallet:BaseToken:USDT
            1: RISK-TRANSFER: from wallet:BaseToken:USDT to itself
        transfer wallet 1 from=wallet:BaseToken:USDT to=binance:BaseToken:BTC
            1: RISK-TRANSFER: from wallet:BaseToken:USDT to binance:BaseToken:BTC, expected the same asset
        transfer wallet 1 from=wallet:BaseToken:USDT to=binance:BaseToken:USDT
            1 needing ETH 0.00065 USDT 1
        transfer binance 1 from=binance:BaseToken:USDT to=wallet:BaseToken:USDT
            1: RISK-BALANCE: needs 1 of binance:BaseToken:USDT, 0 free
        flash_borrow morpho 1 in=WETH
            1: RISK-ATOMIC-GROUP: a flash loan outside an atomic group
        flash_borrow morpho 9 in=WETH slot=1; stake etherfi 10 in=WETH slot=2; supply aave_v3 max in=weETH slot=3; borrow aave_v3 9 in=WETH slot=4; flash_repay morpho 9 in=WETH slot=5
            5 needing ETH 0.0125 WETH 1
        flash_borrow morpho 9 in=WETH slot=1; stake etherfi 10.1 in=WETH slot=2; flash_repay morpho 9 in=WETH slot=3
            1: RISK-BALANCE: needs 10.1 of wallet:BaseToken:WETH, 1 free
        stake etherfi 1 in=WETH slot=1; supply aave_v3 1 in=weETH slot=3
            1: RISK-ATOMIC-GROUP: slots [1, 3], expected 1 to 2
        stake etherfi 1 in=WETH slot=1; supply aave_v3 1 in=weETH slot=1
            1: RISK-ATOMIC-GROUP: slots [1, 1], expected 1 to 2
        stake etherfi 1 in=WETH slot=2
            1: RISK-ATOMIC-GROUP: slots [2], expected 1 to 1
        stake etherfi 1 in=WETH slot=1
            1 needing ETH 0.0015 WETH 1
        supply aave_v3 1 in=weETH slot=2; stake etherfi 1 in=WETH slot=1
            2 needing ETH 0.004 WETH 1
        stake etherfi 1 in=WETH slot=1; supply binance 1 in=USDT slot=2
            2: RISK-ATOMIC-GROUP: binance is no chain
        stake etherfi 1 in=WETH slot=1; unstake etherfi 1 in=weETH slot=2
            2: RISK-ATOMIC-GROUP: a unstake takes time: no group can hold it
    "]].assert_eq(&text);
}

#[test]
fn without_any_eth_that_is_free_it_is_the_gas_that_is_missing() {
    let mut account = account();
    // All of it is set aside; then there is some, but too little.
    for (reserved, expected) in [
        ("2", "1: RISK-GAS: needs 0.0025 of wallet:BaseToken:ETH, 0 free"),
        ("1.998", "1: RISK-BALANCE: needs 0.0025 of wallet:BaseToken:ETH, 0.002 free"),
    ] {
        let mut book = (*account.book).clone();
        book.reserved[0] = decimal(reserved);
        account.book = Rc::new(book);
        assert_eq!(judged_with("supply aave_v3 100 in=USDT", &account), expected);
    }
}
