//! A venue that says something twice: the manager with the ledger itself.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use execution::execution_service::{ExposureTerms, RiskTerms, Strictness};
use execution::failure::{Incident, SystemFailure};
use execution::manager::ExecutionManager;
use execution::outcome::RunStop;
use execution::ports::LoopObserver;
use execution::profile::FailedOrderPolicy;
use ledger::{LedgerSetup, PositionUpdateHandler, RealSource, ReconciliationComponent};
use model::Decimal;
use model::delta::{Cause, Delta, OperationId, Source};
use model::handshake::{Handshake, HandshakeStatus, VenueReport};
use model::instrument::KeyIx;
use model::interface::{Holding, InterfaceError, PositionInterface};
use model::order::{OrderId, OrderUpdate, StrategyIx};
use model::tight_loop::{LoopRecord, WalRecord};
use model::time::{Interval, UtcMillis};

use crate::world::World;

const TS: UtcMillis = UtcMillis::new(0);

/// Holds so much cash and nothing else.
#[derive(Debug)]
struct Venue(KeyIx, Rc<Cell<i64>>);

impl PositionInterface for Venue {
    fn venue(&self) -> &'static str {
        "binance"
    }

    fn query(&self, holdings: &mut [Holding]) -> Result<(), InterfaceError> {
        holdings[self.0.index()].amount = Decimal::from(self.1.get());
        Ok(())
    }
}

/// Takes down how each loop ended.
#[derive(Default)]
struct Ends(Vec<String>);

impl LoopObserver for Ends {
    fn record(&mut self, _record: WalRecord<'_>) {}

    fn update(&mut self, _update: Arc<OrderUpdate>) {}

    fn finished(&mut self, record: &LoopRecord) {
        self.0.push(format!("{} {}", record.op_id, record.end.name()));
    }

    fn incident(&mut self, _incident: Incident) {}

    fn failed(&mut self, _failure: &SystemFailure) {}
}

#[test]
fn an_operation_that_a_venue_reports_twice_is_applied_once() {
    let world = World::new();
    let cash = world.key("binance:BaseToken:USDT");
    let held = Rc::new(Cell::new(1_000));
    let venue = Venue(cash, Rc::clone(&held));
    let mut ledger = PositionUpdateHandler::new(LedgerSetup {
        instruments: Rc::clone(&world.instruments),
        market: Rc::clone(&world.market),
        exposure: ExposureTerms { share_class: "USDT".into(), ..ExposureTerms::default() },
        risk: RiskTerms::new(Interval::HOUR),
        strictness: Strictness::Strict,
        interval: Interval::HOUR,
        initial: &[(cash, Decimal::ONE_THOUSAND)],
        real: RealSource::Venues(vec![Box::new(venue)]),
        reconciliation: ReconciliationComponent::exact(&world.instruments),
    })
    .expect("cash is priced");
    let order_id = OrderId { strategy: StrategyIx(0), number: 1 };
    let report = |amount: i64| {
        let op_id = OperationId { number: 1, ..OperationId::submission(order_id) };
        let reward = Delta::new(cash, Decimal::from(amount), Cause::Reward);
        let said = Handshake::without_deltas(op_id, HandshakeStatus::Confirmed, TS);
        Handshake { source: Source::Reward, deltas: vec![reward], ..said }
    };
    let (mut manager, mut ends) =
        (ExecutionManager::new(FailedOrderPolicy::AbortRun), Ends::default());
    held.set(1_005);
    manager
        .let_venue_move(TS, &mut ledger, &mut ends, |desk| {
            for _ in 0..2 {
                desk.take(VenueReport::Handshake(report(5)))?;
            }
            Ok(())
        })
        .expect("both books agree after each of them");
    assert_eq!(ledger.positions().balance(cash), Decimal::from(1_005));
    assert_eq!(ends.0, ["order 0.1 #1 success", "order 0.1 #1 success"]);
    // The same name with another amount is a contradiction, whatever the venue holds.
    held.set(1_011);
    let ended = manager.let_venue_move(TS, &mut ledger, &mut ends, |desk| {
        Ok(desk.take(VenueReport::Handshake(report(6)))?)
    });
    let Err(RunStop::System(failure)) = ended else { panic!("it went on") };
    assert_eq!(failure.code(), "POS-APPLY");
    assert_eq!(ledger.positions().balance(cash), Decimal::from(1_005));
}
