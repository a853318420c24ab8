//! Every operation changes the account once (D06, 03 §4.7 T4.3).

use model::delta::Cause;
use model::order::{OrderSide, StrategyIx};

use super::scenario::{account, decimal, fill, instrument, key, price_all};
use super::*;

#[test]
fn an_operation_that_comes_again_changes_nothing() {
    let cash = key("BaseToken:USDT");
    let mut account = account(&[(cash, decimal("1000"))]);
    price_all(&account, 50_000.0);
    let order_id = OrderId { strategy: StrategyIx(0), number: 1 };
    let mut batch = DeltaBatch {
        op_id: OperationId::submission(order_id),
        source: Source::Reward,
        ts_event: UtcMillis::new(0),
        deltas: vec![Delta::new(cash, Decimal::ONE, Cause::Reward)],
    };
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
