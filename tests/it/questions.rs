//! Questions to a finished run: why, why not, and what if.

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use model::time::UtcMillis;
use proof::diff::first_difference_until;
use proof::verify::verify_folder;
use store::audit::LogReader;
use store::audit::reading::Units;
use tickdrain::past_run::{PastRun, Reexecution};
use tickdrain::run_folder::Output;
use tickdrain::what_if::branch::{Branch, Fact, branch};
use tickdrain::what_if::lookahead;
use tickdrain::{App, Backtest};

use crate::support::{self, bundled, root};
use crate::tables::Table;

/// A run of the source tree, in a folder of this name.
fn run_of(run_file: &str, folder: &Path, name: &str) -> PathBuf {
    let (path, overwrite) = (folder.join(name), false);
    let output = Output::Explicit { path: path.clone(), overwrite };
    Backtest::from_file(root().join(run_file)).unwrap().output(output).run().unwrap();
    path
}

/// The bundled example in a folder `a`.
fn example(folder: &Path) -> PathBuf {
    run_of("data/sma-cross.toml", folder, "a")
}

/// What the command prints.
fn asked(folder: &Path, arguments: &[&str], expected: &Expect) {
    let output = support::run(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    expected.assert_eq(&format!("{errors}{}", String::from_utf8_lossy(&output.stdout)));
}

#[test]
fn a_run_says_why_and_why_not() {
    let folder = tempfile::tempdir().unwrap();
    example(folder.path());
    let ask = |subject: &[&str], expected: &Expect| {
        asked(folder.path(), &[&["explain", "a"], subject].concat(), expected);
    };
    ask(
        &["order", "sma_cross-2"],
        &expect![[r"
        decided at 2024-01-13T11:00:00Z
          account: equity 9929.4918224163, cash 0.2563624163, net 9929.23546, 0 orders at work
          decision: trade: fast crossed below slow
          yes  bars seen: 168 against 168
          no   fast above slow: 40792.09375 against 40799.91369047619, off by -7.819940
          yes  crossed at this bar: 1 against 1
          no   holds or waits for a position: 0 against 1, off by -1.000000
          request: action submit, instrument binance:spot:BTCUSDT, side sell, type market, share 1, tif gtc, post_only no, reduce_only no
        submit accepted by the gate at 2024-01-13T11:00:00Z
          may fill in bars that open at 2024-01-13T11:00:00Z or later
        executed at 2024-01-13T12:00:00Z
          loop sma_cross-2/0: routing > executing > reconciling > success
          binance:BaseToken:BTC changed by -0.24443 (trade)
          binance:BaseToken:USDT changed by 9917.8240181301 (trade)
          both books compared: 2 positions, all equal
        filled at 2024-01-13T11:00:00Z
          sell 0.24443 at 40615.93, worth 9927.7517699
          rule market_open: A market order at the open.
          the bar went from 40493 to 40924; it took 0.0300 % of its volume
          price before slippage 40620, slippage 1.001969473165928 bps, fee 9.9277517699 from binance:BaseToken:USDT as taker
          the closed part gained -62.0021138 before fees
          closes 0.24443 bought or sold at 40869.59 on 2024-01-09T00:00:00Z: -62.0021138 before fees
        became filled at 2024-01-13T12:00:00Z
          order_qty 0.24443, cum_qty 0.24443, avg_px 40615.93
        profit since it was last told, at 2024-01-13T12:00:00Z
          transaction_costs -10.922582
          gap_pnl -0.488860
          unexplained +0.000000
          total -11.411442
    "]],
    );
    ask(
        &["tick", "2024-02-02"],
        &expect![[r"
        events of 2024-02-02T00:00:00Z
          2328 frame bars=1 is_warmup=no
            because of 2328: 2329 account equity=10311.1977097574 cash=0.4031847574 gross=10310.794525 net=10310.794525 unrealized=62.23261399999865 working_orders=0
            because of 2328: 2329 exposure asset=USDT net_delta=0.4031847574 gross=0 price=1 value=0.4031847574 equity_exit=10311.1977097574 leverage=0.9999608983583915 delta_share=0
            because of 2328: 2329 exposure asset=BTC net_delta=0.24905 gross=0.24905 price=41400.5 value=10310.794525 equity_exit=10311.1977097574 leverage=0.9999608983583915 delta_share=0
            because of 2328: 2329 pnl supply_yield=0 staking_yield_oracle=0 staking_yield_rewards=0 borrow_costs=0 funding_pnl=0 delta_pnl=367.3195850000002 basis_pnl=0 transaction_costs=-55.383965242599515 gap_pnl=-0.7379100000000001 peg_pnl=0 liquidation_pnl=0 dust_pnl=0 correction=0 unexplained=-0.0000000000007389644451905042 total=311.19770975739993 flows=0
            because of 2329: 2330 decision publisher=2 action=hold pattern=1
        what was decided, and what was looked at
          publisher 2: hold
        why nothing was asked for, computed again up to here
          sma_cross: yes  bars seen: 168 against 168
          sma_cross: yes  fast above slow: 41165.229166666664 against 41069.51190476191
          sma_cross: no   crossed at this bar: 0 against 1, off by -1.000000
          sma_cross: yes  holds or waits for a position: 1 against 1
    "]],
    );
    ask(
        &["tick", "2024-02-02T00:30:00Z"],
        &expect![[r"
        error[USAGE]: 2024-02-02T00:30:00Z is no frame of the run
          hint:     the frames around it are 2024-02-02T00:00:00Z and 2024-02-02T01:00:00Z
    "]],
    );
    ask(
        &["order", "sma_cross-99"],
        &expect![[r"
        error[USAGE]: no order is called `sma_cross-99`
          hint:     orders.parquet lists them all
    "]],
    );
    ask(
        &["pnl", "transaction_costs", "--from", "2024-12-01"],
        &expect![[r"
        transaction_costs came to -39.836366, in share class
        when transaction_costs changed most
                -19.939139  from 2024-12-26T09:00:00Z to 2024-12-26T10:00:00Z
                -19.897227  from 2024-12-31T20:00:00Z to 2024-12-31T21:00:00Z
        fees, in share class
          -36.211543 in 2 fills: binance:spot:BTCUSDT
    "]],
    );
    ask(
        &["pnl", "luck"],
        &expect![[r"
        error[USAGE]: `luck` is no component of profit
          hint:     components are supply_yield, staking_yield_oracle, staking_yield_rewards, borrow_costs, funding_pnl, delta_pnl, basis_pnl, transaction_costs, gap_pnl, peg_pnl, liquidation_pnl, dust_pnl, correction, unexplained, total, flows
    "]],
    );
}

/// A branch of a run, checked to be a run like any other that is the same before `at`.
fn branched(run: &Path, at: &str, facts: &[&str]) -> Branch {
    let at: UtcMillis = at.parse().unwrap();
    let facts: Vec<Fact> = facts.iter().map(|fact| fact.parse().unwrap()).collect();
    let out = run.with_file_name(format!("branch-{}", facts.len()));
    let found = branch(App::new(), run, at, &facts, Some(out.clone())).unwrap();
    let (before, after) = (LogReader::open(run).unwrap(), LogReader::open(&out).unwrap());
    // What falls on the instant itself is changed already.
    let just_before = UtcMillis::new(at.millis() - 1);
    assert_eq!(first_difference_until(&before, &after, just_before).unwrap(), None);
    assert!(verify_folder(&out).holds());
    let again = PastRun::open(App::new(), &out).unwrap().reexecute().unwrap();
    assert!(matches!(again, Reexecution::Same { .. }), "{again:?}");
    let (mut parts, mut total) = (0.0, 0.0);
    for (name, one, two) in &found.comparison.profit {
        match name.as_str() {
            "total" => total = two - one,
            "flows" => {}
            _ => parts += two - one,
        }
    }
    assert!((parts - total).abs() < 1e-6, "{parts} is not {total}");
    found
}

#[test]
fn fees_that_change_change_fills_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let run = example(folder.path());
    let found = branched(&run, "2024-06-01", &["venues.binance.taker_bps=20"]);
    let fees = |folder: &Path| {
        let fills = Table::read(&folder.join("fills.parquet"));
        let (fees, ts) = (fills.decimals("fee"), fills.times("ts"));
        let at = "2024-06-01".parse::<UtcMillis>().unwrap().millis();
        let before = ts.iter().filter(|ts| **ts < at).count();
        (fees[..before].to_vec(), fees[before..].iter().sum::<i128>())
    };
    let (before, after) = fees(&run);
    let (same, more) = fees(found.report.folder.as_deref().unwrap());
    assert_eq!(before, same);
    // Twice the rate on a little less capital.
    assert!(more * 100 > after * 190 && more < after * 2, "{after} became {more}");
}

#[test]
fn an_order_that_does_not_fill_is_the_first_difference() {
    let folder = tempfile::tempdir().unwrap();
    let run = example(folder.path());
    let found = branched(&run, "2024-01-01T02:00:00Z", &["orders.sma_cross-30=unfilled"]);
    let first = found.comparison.first.unwrap();
    assert!(first.right.unwrap().records[0].contains("op_id=sma_cross-30/0 status=canceled"));
    assert_eq!(found.report.summary.orders.canceled_by_reason["VEN-UNFILLED"], 1);
}

#[test]
fn twice_the_funding_from_some_day_on_is_paid_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_of("examples/cash_and_carry.toml", folder.path(), "carry");
    let fact = "data.funding.bybit:perp:BTCUSDT*=2";
    let found = branched(&run, "2024-07-01", &[fact]);
    let paid = |folder: &Path| {
        let table = Table::read(&folder.join("settlements.parquet"));
        let at = "2024-07-01".parse::<UtcMillis>().unwrap().millis();
        let rows = table.times("ts").into_iter().zip(table.decimals("amount"));
        let (mut before, mut after) = (0, 0);
        for (ts, amount) in rows {
            *(if ts < at { &mut before } else { &mut after }) += amount;
        }
        (before, after)
    };
    let (before, after) = paid(&run);
    let (same, other) = paid(found.report.folder.as_deref().unwrap());
    assert_eq!(before, same);
    assert_ne!(after, other);
    let funding = found.comparison.profit.iter().find(|(name, ..)| name == "funding_pnl").unwrap();
    let difference = Units(other - after).to_f64();
    assert!((funding.2 - funding.1 - difference).abs() < 1e-6, "{funding:?} and {difference}");
}

#[test]
fn what_a_run_has_not_cannot_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    example(folder.path());
    for (fact, expected) in [
        (
            "data.funding.binance:perp:BTCUSDT=0",
            expect![[r"
            error[USAGE]: --set: the run has no data of kind funding of binance:perp:BTCUSDT
        "]],
        ),
        (
            "venues.okx.taker_bps=1",
            expect![[r"
            error[USAGE]: --set: the run has no venue okx
        "]],
        ),
        (
            "seed=7",
            expect![[r"
            error[USAGE]: --set: `seed=7` is no fact that can be changed from some time on: venues.<venue>.maker_bps=<bps>, venues.<venue>.taker_bps=<bps>, data.<kind>.<of>=<value>, data.<kind>.<of>*=<factor>, or orders.<order id>=unfilled
        "]],
        ),
    ] {
        let arguments = ["branch", "a", "--at", "2024-06-01", "--set", fact, "--out", "b"];
        asked(folder.path(), &arguments, &expected);
    }
}

#[test]
fn the_shipped_strategies_do_not_look_ahead() {
    for run_file in ["data/sma-cross.toml", "examples/cash_and_carry.toml"] {
        let backtest = Backtest::from_file(root().join(run_file)).unwrap();
        let found = lookahead::check(&backtest, 3).unwrap();
        assert_eq!(found.cuts.len(), 3);
        assert!(found.leak.is_none(), "{run_file}: {:?}", found.leak);
    }
}

/// A log that ends too early differs from one that goes on, wherever its last commit ends.
#[test]
fn a_log_that_has_ended_before_the_instant_is_not_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let run = example(folder.path());
    let whole = LogReader::open(&run).unwrap();
    let path = run.join("audit/commits.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let end = whole.commits().last().unwrap().last_tick;
    for kept in 0..whole.commits().len() {
        let lines: String = text.split_inclusive('\n').take(kept + 1).collect();
        std::fs::write(&path, lines).unwrap();
        let short = LogReader::open(&run).unwrap();
        std::fs::write(&path, &text).unwrap();
        for (left, right) in [(&whole, &short), (&short, &whole)] {
            let until = |ts| first_difference_until(left, right, UtcMillis::new(ts)).unwrap();
            assert!(until(end).is_some(), "{kept} commits");
            let common = short.commits().last().map_or(0, |commit| commit.last_tick);
            assert_eq!(until(common), None, "{kept} commits");
        }
    }
}

#[test]
fn a_run_file_without_a_log_can_be_checked_all_the_same() {
    let run_file = bundled().join("sma-cross.toml");
    let overrides = ["audit.level=\"off\"".to_owned()];
    let backtest = Backtest::with_app(App::new(), &run_file, &overrides).unwrap();
    assert_eq!(backtest.fuzz_schedules(1).unwrap().len(), 64);
    assert!(lookahead::check(&backtest, 1).unwrap().leak.is_none());
}
