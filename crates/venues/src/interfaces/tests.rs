use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;

use model::instrument::{Instrument, InstrumentTable};
use model::interface::{
    Desk, ExecutionInterface, Holding, InterfaceError, PositionInterface, Submission,
};
use model::operation::{Amount, Operation, OperationOrder, OperationRequest};
use model::order::{OrderId, StrategyIx};
use model::time::UtcMillis;

use super::*;

#[derive(Debug)]
struct Named {
    venue: &'static str,
    operations: &'static [Operation],
}

impl ExecutionInterface for Named {
    fn takes(&self) -> (&str, &[Operation]) {
        (self.venue, self.operations)
    }

    fn execute(
        &mut self,
        _ts: UtcMillis,
        _submission: &Submission,
        _desk: &mut dyn Desk,
    ) -> Result<(), InterfaceError> {
        Ok(())
    }
}

impl PositionInterface for Named {
    fn venue(&self) -> &str {
        self.venue
    }

    fn query(&self, _holdings: &mut [Holding]) -> Result<(), InterfaceError> {
        Ok(())
    }
}

fn interface(venue: &'static str, operations: &'static [Operation]) -> Box<dyn ExecutionInterface> {
    Box::new(Named { venue, operations })
}

fn operation(operation: Operation, venue: &str) -> Arc<OperationOrder> {
    Arc::new(OperationOrder {
        order_id: OrderId { strategy: StrategyIx(0), number: 1 },
        client_order_id: None,
        request: OperationRequest::new(operation, venue, Amount::Max),
        ts_decided: UtcMillis::new(0),
        ts_eligible: UtcMillis::new(0),
    })
}

const POOL: &[Operation] = &[Operation::Supply, Operation::Borrow];

#[test]
fn a_venue_and_an_operation_lead_to_one_interface() {
    let table = InstrumentTable::new();
    let interfaces = vec![interface("lido", &[Operation::Stake]), interface("aave_v3", POOL)];
    let mut manager = VenueInterfaceManager::new(interfaces, &table).unwrap();
    for (wanted, venue, found) in [
        (Operation::Stake, "lido", Some("lido")),
        (Operation::Borrow, "aave_v3", Some("aave_v3")),
        (Operation::Supply, "aave_v3", Some("aave_v3")),
        (Operation::Supply, "lido", None),
        (Operation::Repay, "aave_v3", None),
        (Operation::Stake, "rocket", None),
    ] {
        let submission = Submission::Operation(operation(wanted, venue));
        let interface = manager.route(&submission);
        assert_eq!(interface.map(|interface| interface.takes().0.to_owned()).as_deref(), found);
        assert_eq!(manager.operation(&submission), Some(wanted));
    }
}

#[test]
fn two_interfaces_for_one_operation_are_refused() {
    let table = InstrumentTable::new();
    let interfaces = vec![interface("aave_v3", POOL), interface("aave_v3", &[Operation::Borrow])];
    let error = VenueInterfaceManager::new(interfaces, &table).unwrap_err();
    assert_eq!(error.to_string(), "CFG-ROUTE: two interfaces take borrow at aave_v3");
    let manager = VenueInterfaceManager::new(Vec::new(), &table).unwrap();
    let manager = manager.with_groups(interface("flash", &[])).unwrap();
    assert_eq!(manager.with_groups(interface("flash", &[])).unwrap_err(), RouteError::TwoForGroups);
}

#[test]
fn a_group_goes_to_the_interface_for_groups_if_all_its_members_have_a_route() {
    let mut table = InstrumentTable::new();
    table.add(Instrument::spot("binance:spot:BTCUSDT".parse().unwrap(), "BTC", "USDT"));
    let group = |members: &[(Operation, &str)]| {
        let members: Vec<_> =
            members.iter().map(|(wanted, venue)| operation(*wanted, venue)).collect();
        Submission::Group(members.into())
    };
    let across = group(&[(Operation::Stake, "lido"), (Operation::Supply, "aave_v3")]);
    let within = group(&[(Operation::Supply, "aave_v3"), (Operation::Borrow, "aave_v3")]);
    let unknown = group(&[(Operation::Supply, "aave_v3"), (Operation::Repay, "aave_v3")]);
    let interfaces = || vec![interface("lido", &[Operation::Stake]), interface("aave_v3", POOL)];
    let found = |manager: &mut VenueInterfaceManager, submission: &Submission| {
        manager.route(submission).map(|interface| interface.takes().0.to_owned())
    };
    let mut without = VenueInterfaceManager::new(interfaces(), &table).unwrap();
    assert_eq!(found(&mut without, &across), None);
    assert_eq!(found(&mut without, &within).as_deref(), Some("aave_v3"));
    let with = VenueInterfaceManager::new(interfaces(), &table).unwrap();
    let mut with = with.with_groups(interface("chain", &[])).unwrap();
    assert_eq!(found(&mut with, &across).as_deref(), Some("chain"));
    assert_eq!(found(&mut with, &unknown), None);
    assert_eq!(found(&mut with, &group(&[])), None);
}

#[derive(Debug)]
struct Adapter(&'static str);

impl VenueAdapter for Adapter {
    fn venue(&self) -> &str {
        self.0
    }

    fn execution(&self, credentials: &Credentials) -> Vec<Box<dyn ExecutionInterface>> {
        assert_eq!(credentials.secret("key"), Some(self.0));
        vec![interface(self.0, POOL)]
    }

    fn positions(&self, _credentials: &Credentials) -> Box<dyn PositionInterface> {
        Box::new(Named { venue: self.0, operations: POOL })
    }
}

struct Counting(Rc<Cell<u32>>);

impl CredentialSource for Counting {
    fn read(&mut self, venue: &str) -> Result<Credentials, Box<dyn Error + Send + Sync>> {
        self.0.set(self.0.get() + 1);
        if venue == "locked" {
            return Err("no such secret".into());
        }
        Ok(Credentials::new([("key", venue)]))
    }
}

#[test]
fn credentials_are_read_once_however_many_interfaces_are_made() {
    let reads = Rc::new(Cell::new(0));
    let adapters: Vec<Box<dyn VenueAdapter>> =
        vec![Box::new(Adapter("aave_v3")), Box::new(Adapter("spark"))];
    let factory = VenueInterfaceFactory::new(adapters, Counting(Rc::clone(&reads))).unwrap();
    for _ in 0..3 {
        assert_eq!(factory.execution_interfaces().len(), 2);
        assert_eq!(factory.position_interfaces().len(), 2);
    }
    assert_eq!(reads.get(), 2, "one read per venue");
    assert!(!format!("{factory:?}").contains("\"spark\": \"spark\""));
}

#[test]
fn a_factory_without_credentials_or_with_a_venue_twice_is_refused() {
    let build = |venues: &[&'static str]| {
        let adapters =
            venues.iter().map(|venue| Box::new(Adapter(venue)) as Box<dyn VenueAdapter>).collect();
        VenueInterfaceFactory::new(adapters, Counting(Rc::default())).unwrap_err().to_string()
    };
    assert_eq!(build(&["locked"]), "CFG-CREDENTIALS: the credentials of locked cannot be read");
    assert_eq!(build(&["spark", "spark"]), "CFG-VENUE: spark has two adapters");
    let shown = format!("{:?}", Credentials::new([("key", "hunter2")]));
    assert_eq!(shown, r#"{"key"}"#, "names are shown, secrets are not");
}
