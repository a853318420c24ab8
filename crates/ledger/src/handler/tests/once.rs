//! Every operation changes the account once (D06, 03 §4.7 T4.3).

use std::cell::Cell;

use model::delta::Cause;
use model::interface::{Holding, PositionInterface};
use model::order::{OrderSide, StrategyIx};

use super::scenario::{account, decimal, fill, instrument, instruments, key, open_with, price_all};
use super::*;

/// A reward of so much at a key.
fn reward(amounts: &[(KeyIx, Decimal)]) -> DeltaBatch {
    let order_id = OrderId { strategy: StrategyIx(0), number: 1 };
    let delta = |(key, amount): &(KeyIx, Decimal)| Delta::new(*key, *amount, Cause::Reward);
    DeltaBatch {
        op_id: OperationId::submission(order_id),
        source: Source::Reward,
        ts_event: UtcMillis::new(0),
        deltas: amounts.iter().map(delta).collect(),
    }
}

#[test]
fn an_operation_that_comes_again_changes_nothing() {
    let cash = key("BaseToken:USDT");
    let mut account = account(&[(cash, decimal("1000"))]);
    price_all(&account, 50_000.0);
    let mut batch = reward(&[(cash, Decimal::ONE)]);
    assert_eq!(account.apply_batch(&batch), Ok(Application::Applied));
    assert_eq!(account.apply_batch(&batch), Ok(Application::AlreadyApplied));
    assert_eq!(account.positions().balance(cash), decimal("1001"));
    // The same name with something else is a conflict.
    batch.deltas[0].amount = Decimal::TWO;
    let conflict = LedgerError::Conflict { op_id: batch.op_id };
    assert_eq!(account.apply_batch(&batch), Err(conflict));
    assert_eq!(account.positions().balance(cash), decimal("1001"));
}

#[test]
fn batches_of_all_sources_go_one_way() {
    let cash = key("BaseToken:USDT");
    let mut account = account(&[(cash, decimal("1000"))]);
    price_all(&account, 50_000.0);
    let order_id = OrderId { strategy: StrategyIx(0), number: 1 };
    let mut expected = decimal("1000");
    for (number, source) in (0..).zip(Source::ALL) {
        let amount = Decimal::new(i64::from(number) + 1, 2);
        let batch = DeltaBatch {
            op_id: OperationId { number, ..OperationId::submission(order_id) },
            source,
            ts_event: UtcMillis::new(0),
            deltas: vec![Delta::new(cash, amount, Cause::Reward)],
        };
        assert_eq!(account.apply_batch(&batch), Ok(Application::Applied), "{source:?}");
        expected += amount;
        assert_eq!(account.positions().balance(cash), expected, "{source:?}");
        assert_eq!(account.apply_batch(&batch), Ok(Application::AlreadyApplied), "{source:?}");
    }
}

#[test]
fn an_event_of_funding_is_settled_once() {
    let (cash, place) = (key("BaseToken:USDT"), instrument("perp:BTCUSDT"));
    let mut account = account(&[(cash, decimal("100000"))]);
    price_all(&account, 50_000.0);
    let mut short = fill(place, OrderSide::Sell, Decimal::ONE, decimal("50000"));
    account.book_fill(&mut short).unwrap();
    let before = account.positions().balance(cash);
    let (ts, rate, mark) = (UtcMillis::new(8), decimal("0.0001"), Some(decimal("50000")));
    let point = FundingPoint { instrument: place, ts, rate, mark };
    assert!(account.settle_funding(&point).unwrap().is_some());
    assert!(account.settle_funding(&point).unwrap().is_none());
    // 03 §4.2: short 1 BTC at 50,000 and 1 bp.
    assert_eq!(account.positions().balance(cash) - before, decimal("5"));
}

#[test]
fn a_key_that_the_run_does_not_declare_is_refused_and_nothing_is_applied() {
    let cash = key("BaseToken:USDT");
    let mut account = account(&[(cash, decimal("1000"))]);
    price_all(&account, 50_000.0);
    let undeclared = KeyIx(u16::try_from(account.book().balances.len()).unwrap());
    // The sound change comes first.
    let mut batch = reward(&[(cash, Decimal::ONE), (undeclared, Decimal::ONE)]);
    let before = Rc::clone(account.book());
    let fault = BatchFault::NotSubscribed { op_id: batch.op_id, key: undeclared };
    assert_eq!(account.apply_batch(&batch), Err(LedgerError::Batch(fault)));
    assert_eq!(*account.book(), before);
    // Nor is its name taken.
    batch.deltas.pop();
    assert_eq!(account.apply_batch(&batch), Ok(Application::Applied));
    assert_eq!(account.positions().balance(cash), decimal("1001"));
}

#[test]
fn a_copy_taken_before_the_deltas_is_found_by_the_comparison() {
    let cash = key("BaseToken:USDT");
    let mut account = account(&[(cash, decimal("1000"))]);
    price_all(&account, 50_000.0);
    account.query_real().unwrap();
    account.apply_batch(&reward(&[(cash, Decimal::ONE)])).unwrap();
    let stale = account.reconcile();
    let [mismatch] = stale.mismatches[..] else { panic!("{stale:?}") };
    assert_eq!((mismatch.key, mismatch.difference()), (cash, Decimal::ONE));
    account.query_real().unwrap();
    assert!(account.reconcile().is_match());
}

/// Counts how often it is asked what it holds.
#[derive(Debug)]
struct CountingVenue(Rc<Cell<u32>>);

impl PositionInterface for CountingVenue {
    fn venue(&self) -> &'static str {
        "binance"
    }

    fn query(&self, _holdings: &mut [Holding]) -> Result<(), InterfaceError> {
        self.0.set(self.0.get() + 1);
        Ok(())
    }
}

#[test]
fn venues_are_asked_before_a_comparison_and_never_to_value_the_account() {
    let asked = [Rc::new(Cell::new(0)), Rc::new(Cell::new(0))];
    let venue = |count: &Rc<Cell<u32>>| {
        Box::new(CountingVenue(Rc::clone(count))) as Box<dyn PositionInterface>
    };
    let real = RealSource::Venues(asked.iter().map(venue).collect());
    let mut account = open_with(instruments(), "USDT", &[], real).unwrap();
    price_all(&account, 50_000.0);
    account.run_chain(UtcMillis::new(0)).unwrap();
    account.reconcile();
    assert_eq!(asked.each_ref().map(|count| count.get()), [0, 0]);
    account.query_real().unwrap();
    assert_eq!(asked.each_ref().map(|count| count.get()), [1, 1]);
}
