//! What the chain says, in the log and in the results: a coin bought on spot, as much sold short on
//! a perpetual, and funding.

use std::rc::Rc;
use std::sync::Arc;

use expect_test::expect;
use model::Decimal;
use model::event::{Envelope, Payload, Publisher};
use model::instrument::{InstrumentIx, KeyIx};
use model::ladder::RiskLevel;
use model::pnl::PnlComponent::{BasisPnl, DeltaPnl, FundingPnl, TransactionCosts};
use model::pnl::{Attribution, PnlComponent, PnlFigures};
use model::risk::{Binding, RiskReading, RiskType, RiskTypes};
use model::settlement::{Settlement, SettlementKind};
use model::snapshot::{AccountBook, ChainSnapshots};

use super::{Figures, tables};
use crate::audit::Kind;
use crate::audit::chain_watch::{ChainPlan, ChainWatch};
use crate::audit::fixtures::{chain, minute, names, snapshot};
use crate::audit::holdings::Holdings;
use crate::audit::records::Records;
use crate::audit::tables::{batch_of, schema_of};
use crate::columns::shown::shown;

/// Frames one after the other, as the audit sees them.
struct Stage {
    watch: ChainWatch,
    records: Records,
    seq: u64,
    book: Rc<AccountBook>,
    holdings: Holdings,
    pnl: Attribution,
}

impl Stage {
    fn new(every_frame: bool) -> Self {
        let enabled = RiskTypes::of(&[RiskType::CexMarginRatio]);
        let instruments = Rc::new(crate::audit::fixtures::instruments());
        let book = AccountBook { balances: vec![Decimal::ZERO; 4], ..AccountBook::default() };
        Self {
            watch: ChainWatch::new(ChainPlan { every_frame, enabled }),
            records: Records::default(),
            seq: 0,
            book: Rc::new(book),
            holdings: Holdings::new(instruments),
            pnl: Attribution::default(),
        }
    }

    fn publish(&mut self, ts: i64, payload: Payload) {
        self.seq += 1;
        let envelope = Envelope {
            seq: self.seq,
            seq_topic: 1,
            ts: minute(ts),
            cause_seq: None,
            publisher: Publisher(1),
            payload,
        };
        self.records.take(&envelope);
        self.watch.take(&envelope, &mut self.records);
    }

    /// One frame at the price of the coin, with what it adds to profit.
    fn frame(&mut self, ts: i64, price: f64, added: &[(PnlComponent, f64)]) {
        self.snapshot(ts, false, price, added);
        self.watch.close_tick(&mut self.records);
    }

    fn snapshot(&mut self, ts: i64, is_warmup: bool, price: f64, added: &[(PnlComponent, f64)]) {
        for (component, amount) in added {
            self.pnl.add(*component, *amount);
        }
        let account = snapshot(ts, is_warmup, &self.book, self.chain(price));
        if self.holdings.note_changes(&account, &mut self.records.positions) {
            self.watch.note_news();
        }
        self.publish(ts, Payload::Account(Rc::new(account)));
    }

    fn chain(&self, price: f64) -> ChainSnapshots {
        let held = if self.book.balances[1].is_zero() { 0.0 } else { 2.0 };
        let mut chain = chain();
        let exposure = Rc::get_mut(&mut chain.exposure).unwrap();
        (exposure.equity_exit, exposure.leverage) = (1_000.0, held * price / 500.0);
        exposure.assets[0].price = 1.0;
        (exposure.assets[1].price, exposure.assets[1].gross) = (price, 2.0 * held);
        let total = self.pnl.total();
        let pnl = Rc::get_mut(&mut chain.pnl).unwrap();
        pnl.initial = 1_000.0;
        pnl.cumulative = PnlFigures { total, attribution: self.pnl, ..PnlFigures::default() };
        if held > 0.0 {
            let reading = RiskReading {
                value: 30.0 / price,
                level: RiskLevel::Warn,
                distance: Some(0.05),
                binding: Binding::Instrument(InstrumentIx(1)),
            };
            let risk = Rc::get_mut(&mut chain.risk).unwrap();
            risk.readings[RiskType::CexMarginRatio.index()] = Some(reading);
            let (value, binding) = (0.0, Binding::Account);
            let reading = RiskReading { value, level: RiskLevel::Ok, distance: None, binding };
            risk.readings[RiskType::Drawdown.index()] = Some(reading);
        }
        chain
    }

    fn trade(&mut self) {
        let balances = ["800", "2", "-2", "0"].map(crate::audit::fixtures::decimal).to_vec();
        self.book = Rc::new(AccountBook { balances, ..AccountBook::default() });
    }

    fn settle(&mut self, ts: i64) {
        let settlement = Settlement {
            kind: SettlementKind::Funding,
            key: KeyIx(2),
            ts_event: minute(ts),
            rate: None,
            px: None,
            amount: Decimal::ONE,
            paid_to: KeyIx(0),
            deltas: Vec::new(),
            number: 0,
        };
        self.publish(ts, Payload::Settlement(Arc::new(settlement)));
    }
}

/// Nothing at 2, 4, 6 and 1441; the last frame is 1442.
fn run(every_frame: bool) -> Records {
    let mut stage = Stage::new(every_frame);
    stage.frame(1, 100.0, &[]);
    stage.frame(2, 101.0, &[]);
    stage.trade();
    stage.frame(3, 102.0, &[(TransactionCosts, -0.4), (BasisPnl, 0.25)]);
    stage.frame(4, 103.0, &[(DeltaPnl, 0.5)]);
    stage.settle(5);
    stage.frame(5, 103.0, &[(FundingPnl, 1.0)]);
    stage.frame(6, 103.0, &[]);
    stage.frame(1_440, 110.0, &[(BasisPnl, -0.125)]);
    stage.frame(1_441, 120.0, &[(BasisPnl, -0.125)]);
    stage.frame(1_442, 90.0, &[(BasisPnl, 0.5)]);
    stage.watch.finish(&mut stage.records);
    stage.records
}

const PNL: [&str; 8] = [
    "ts",
    "funding_pnl",
    "delta_pnl",
    "basis_pnl",
    "transaction_costs",
    "unexplained",
    "total",
    "flows",
];

fn results(every_frame: bool) -> (Figures, [String; 3]) {
    let asked: [(&str, &[&str]); 3] =
        [("exposure.parquet", &[]), ("risk.parquet", &[]), ("pnl.parquet", &PNL)];
    tables(vec![run(every_frame)], every_frame, asked)
}

fn log(every_frame: bool) -> String {
    let mut records = run(every_frame);
    let batch = |kind| batch_of(kind, &schema_of(kind), &mut records, &names()).unwrap().unwrap();
    let batches = [Kind::Exposure, Kind::Risk, Kind::Pnl].map(batch);
    batches.map(|batch| shown(&batch, &[])).concat()
}

#[test]
fn a_frame_has_a_row_where_more_than_a_price_has_changed_and_once_a_day() {
    let (figures, [exposure, risk, pnl]) = results(false);
    expect![[r"
        ts   asset net_delta gross price value equity_exit leverage delta_share
        1    USDT  0         0     1     0     1000        0        0
        1    BTC   0         0     100   0     1000        0        0
        3    USDT  0         0     1     0     1000        0.408    0
        3    BTC   0         4     102   0     1000        0.408    0
        5    USDT  0         0     1     0     1000        0.412    0
        5    BTC   0         4     103   0     1000        0.412    0
        1440 USDT  0         0     1     0     1000        0.44     0
        1440 BTC   0         4     110   0     1000        0.44     0
        1442 USDT  0         0     1     0     1000        0.36     0
        1442 BTC   0         4     90    0     1000        0.36     0
    "]]
    .assert_eq(&exposure);
    expect![[r"
        ts   risk_type        value               level distance binding              enabled breaker
        3    cex_margin_ratio 0.29411764705882354 warn  0.05     binance:perp:BTCUSDT true    false
        3    drawdown         0                   ok    -        account              false   false
        5    cex_margin_ratio 0.2912621359223301  warn  0.05     binance:perp:BTCUSDT true    false
        5    drawdown         0                   ok    -        account              false   false
        1440 cex_margin_ratio 0.2727272727272727  warn  0.05     binance:perp:BTCUSDT true    false
        1440 drawdown         0                   ok    -        account              false   false
        1442 cex_margin_ratio 0.3333333333333333  warn  0.05     binance:perp:BTCUSDT true    false
        1442 drawdown         0                   ok    -        account              false   false
    "]].assert_eq(&risk);
    expect![[r"
        ts   funding_pnl delta_pnl basis_pnl transaction_costs unexplained total                flows
        1    0           0         0         0                 0           0                    0
        3    0           0         0.25      -0.4              0           -0.15000000000000002 0
        5    1           0.5       0.25      -0.4              0           1.35                 0
        1440 1           0.5       0.125     -0.4              0           1.225                0
        1442 1           0.5       0.5       -0.4              0           1.6                  0
    "]].assert_eq(&pnl);
    // Of all frames, not only of those with a row.
    let lowest = figures.extremes.min_margin_fraction;
    assert_eq!(
        (lowest.to_string(), figures.extremes.max_leverage.to_string()),
        ("0.25".into(), "0.48".into())
    );
    assert!(figures.extremes.min_health_factor.is_infinite());
    assert_eq!(figures.profit.unwrap().figures.total.to_string(), "1.6");
}

#[test]
fn all_frames_have_rows_in_the_results_if_wanted_and_the_log_is_the_same() {
    let (_, [_, _, pnl]) = results(true);
    let minutes: Vec<&str> =
        pnl.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(minutes, ["1", "2", "3", "4", "5", "6", "1440", "1441", "1442"]);
    assert_eq!(log(true), log(false));
}

#[test]
fn the_log_has_the_rows_of_the_results_of_risks_the_enabled_ones() {
    let rows = |table: &str| {
        let places = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        places.map(|cells| cells.join(" ")).collect::<Vec<String>>()
    };
    let (_, tables) = results(false);
    let is_logged = |row: &String| !row.contains("drawdown");
    let shown = tables.iter().take(2).flat_map(|table| rows(table)).filter(is_logged);
    let log = rows(&log(false));
    let logged = log.iter().filter_map(|row| row.split_once(' ')).map(|(_, rest)| rest.to_owned());
    let shown: Vec<String> = shown.collect();
    assert_eq!(shown, logged.take(shown.len()).collect::<Vec<_>>());
}

#[test]
fn profit_counts_from_the_end_of_the_warm_up() {
    let mut stage = Stage::new(true);
    stage.snapshot(1, true, 100.0, &[(DeltaPnl, 5.0)]);
    stage.watch.close_tick(&mut stage.records);
    stage.frame(2, 100.0, &[(DeltaPnl, 2.0)]);
    stage.frame(3, 100.0, &[(DeltaPnl, -3.0)]);
    stage.watch.finish(&mut stage.records);
    let columns: &[&str] = &["ts", "delta_pnl", "total"];
    let (figures, [pnl]) = tables(vec![stage.records], true, [("pnl.parquet", columns)]);
    expect![[r"
        ts delta_pnl total
        2  0         0
        3  -3        -3
    "]]
    .assert_eq(&pnl);
    assert_eq!(figures.profit.unwrap().initial.to_string(), "1007");
}
