//! The idempotency ledger: what has been applied is never applied again (D06).

use std::collections::BTreeMap;

use model::delta::{Delta, OperationId, Subject};
use model::instrument::KeyIx;
use model::order::OrderId;
use model::settlement::SettlementKind;
use model::time::UtcMillis;

/// Which operations have been applied. A mark per order, whatever number of loops it has had.
#[derive(Clone, Debug, Default)]
pub(crate) struct Applied {
    /// By strategy and number of the order.
    orders: Vec<Vec<Mark>>,
    /// Last instant that was settled, by kind and position.
    settled: BTreeMap<(SettlementKind, KeyIx), UtcMillis>,
    others: BTreeMap<OperationId, u64>,
}

/// The loops of an order that have been applied.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    /// Number of the first that has not.
    next: u32,
    /// Of the deltas of the last that has.
    fingerprint: u64,
}

/// What the ledger says of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// It has not been applied.
    New,
    /// It has: with the same deltas, or so long ago that they are not remembered, or, of a settlement,
    /// it fell due no later than the last one of its kind and position.
    Applied,
    /// It has, with other deltas.
    Conflict,
}

impl Applied {
    /// Looks an operation up.
    pub(crate) fn look_up(&self, op_id: OperationId, deltas: &[Delta]) -> Record {
        match op_id.subject {
            Subject::Order(order_id) => {
                let mark = self.mark(order_id);
                if op_id.number >= mark.next {
                    Record::New
                } else if op_id.number + 1 < mark.next || mark.fingerprint == fingerprint(deltas) {
                    Record::Applied
                } else {
                    Record::Conflict
                }
            }
            Subject::Settlement { kind, key, ts_event } if is_single(kind) => {
                let last = self.settled.get(&(kind, key));
                if last.is_some_and(|last| ts_event <= *last) {
                    Record::Applied
                } else {
                    Record::New
                }
            }
            Subject::Initial
            | Subject::Group(_)
            | Subject::Settlement { .. }
            | Subject::Liquidation { .. } => match self.others.get(&op_id) {
                None => Record::New,
                Some(known) if *known == fingerprint(deltas) => Record::Applied,
                Some(_) => Record::Conflict,
            },
        }
    }

    /// Remembers an operation.
    pub(crate) fn remember(&mut self, op_id: OperationId, deltas: &[Delta]) {
        match op_id.subject {
            Subject::Order(OrderId { strategy, number }) => {
                let (strategy, number) = (usize::from(strategy.0), number as usize);
                if self.orders.len() <= strategy {
                    self.orders.resize_with(strategy + 1, Vec::new);
                }
                let marks = &mut self.orders[strategy];
                if marks.len() <= number {
                    marks.resize(number + 1, Mark::default());
                }
                marks[number] = Mark { next: op_id.number + 1, fingerprint: fingerprint(deltas) };
            }
            Subject::Settlement { kind, key, ts_event } if is_single(kind) => {
                self.settled.insert((kind, key), ts_event);
            }
            Subject::Initial
            | Subject::Group(_)
            | Subject::Settlement { .. }
            | Subject::Liquidation { .. } => {
                self.others.insert(op_id, fingerprint(deltas));
            }
        }
    }

    fn mark(&self, OrderId { strategy, number }: OrderId) -> Mark {
        let marks = self.orders.get(usize::from(strategy.0));
        marks.and_then(|marks| marks.get(number as usize)).copied().unwrap_or_default()
    }
}

/// Whether there is one of a kind, position and instant; several transfers may arrive at once.
const fn is_single(kind: SettlementKind) -> bool {
    !matches!(kind, SettlementKind::Transit | SettlementKind::Claim)
}

/// A hash of the keys and amounts, eight bytes at a time; kept in memory only.
fn fingerprint(deltas: &[Delta]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for delta in deltas {
        let amount = u128::from_le_bytes(delta.amount.serialize());
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        let halves = [amount as u64, (amount >> 64) as u64];
        for word in [u64::from(delta.key.0), halves[0], halves[1]] {
            hash = (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use model::Decimal;
    use model::delta::Cause;
    use model::order::StrategyIx;

    use super::*;

    fn deltas(amount: i64) -> [Delta; 1] {
        [Delta::new(KeyIx(0), Decimal::from(amount), Cause::Trade)]
    }

    #[test]
    fn an_operation_is_new_once() {
        let mut applied = Applied::default();
        let order_id = OrderId { strategy: StrategyIx(1), number: 7 };
        let op_id = |number| OperationId { number, ..OperationId::submission(order_id) };
        assert_eq!(applied.look_up(op_id(0), &deltas(1)), Record::New);
        applied.remember(op_id(0), &deltas(1));
        assert_eq!(applied.look_up(op_id(0), &deltas(1)), Record::Applied);
        assert_eq!(applied.look_up(op_id(0), &deltas(2)), Record::Conflict);
        assert_eq!(applied.look_up(op_id(2), &deltas(1)), Record::New);
        applied.remember(op_id(2), &deltas(3));
        assert_eq!(applied.look_up(op_id(1), &deltas(3)), Record::Applied);
    }

    #[test]
    fn what_fell_due_is_settled_once() {
        let mut applied = Applied::default();
        let due = |hour: i64| {
            let ts_event = UtcMillis::new(hour * 3_600_000);
            OperationId::settlement(SettlementKind::Funding, KeyIx(3), ts_event)
        };
        applied.remember(due(8), &deltas(1));
        assert_eq!(applied.look_up(due(8), &deltas(1)), Record::Applied);
        assert_eq!(applied.look_up(due(0), &deltas(1)), Record::Applied);
        assert_eq!(applied.look_up(due(16), &deltas(1)), Record::New);
        let of_other =
            OperationId::settlement(SettlementKind::Funding, KeyIx(4), UtcMillis::new(0));
        assert_eq!(applied.look_up(of_other, &deltas(1)), Record::New);
    }
}
