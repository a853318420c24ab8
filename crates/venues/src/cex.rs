//! Centralised exchanges behind their interfaces: the simulator that matches, and who may ask it.

use std::cell::RefCell;
use std::rc::Rc;

use model::interface::{Desk, ExecutionInterface, InterfaceError, PositionInterface, Submission};
use model::operation::Operation;
use model::time::UtcMillis;

use crate::books::SharedBooks;
use crate::exchange::Exchange;
use crate::interfaces::{Credentials, VenueAdapter};

/// What a centralised exchange executes itself.
const TRADES: [Operation; 2] = [Operation::SpotTrade, Operation::PerpTrade];

/// The simulator of all exchanges of a run, shared by whoever drives the frames and by the interface
/// of each venue.
#[derive(Clone, Debug)]
pub struct SharedExchange(Rc<RefCell<Exchange>>);

impl SharedExchange {
    /// Shares a simulator.
    pub fn new(exchange: Exchange) -> Self {
        Self(Rc::new(RefCell::new(exchange)))
    }

    /// Asks it.
    pub fn read<T>(&self, question: impl FnOnce(&Exchange) -> T) -> T {
        question(&self.0.borrow())
    }

    /// Lets it work.
    pub fn work<T>(&self, work: impl FnOnce(&mut Exchange) -> T) -> T {
        work(&mut self.0.borrow_mut())
    }
}

/// One simulated exchange: its part of the simulator and of the books.
#[derive(Clone, Debug)]
pub struct SimulatedCex {
    venue: Box<str>,
    exchange: SharedExchange,
    books: SharedBooks,
}

impl SimulatedCex {
    /// The venue of a name.
    pub fn new(venue: &str, exchange: SharedExchange, books: SharedBooks) -> Self {
        Self { venue: venue.into(), exchange, books }
    }
}

impl VenueAdapter for SimulatedCex {
    fn venue(&self) -> &str {
        &self.venue
    }

    fn execution(&self, _credentials: &Credentials) -> Vec<Box<dyn ExecutionInterface>> {
        let (venue, exchange) = (self.venue.clone(), self.exchange.clone());
        vec![Box::new(CexInterface { venue, exchange })]
    }

    fn positions(&self, _credentials: &Credentials) -> Box<dyn PositionInterface> {
        Box::new(self.books.positions(&self.venue))
    }
}

/// Executes trades at one simulated exchange.
#[derive(Debug)]
struct CexInterface {
    venue: Box<str>,
    exchange: SharedExchange,
}

impl ExecutionInterface for CexInterface {
    fn takes(&self) -> (&str, &[Operation]) {
        (&self.venue, &TRADES)
    }

    /// Matches an order that has come to the venue at the open of the present frame.
    fn execute(
        &mut self,
        _ts: UtcMillis,
        submission: &Submission,
        desk: &mut dyn Desk,
    ) -> Result<(), InterfaceError> {
        match submission {
            Submission::Trade(order) => {
                self.exchange.work(|exchange| exchange.execute(order.order_id, desk))?;
                Ok(())
            }
            Submission::Operation(_) | Submission::Group(_) => Err(InterfaceError::Unreachable {
                venue: self.venue.clone(),
                reason: "an exchange takes trades only".into(),
            }),
        }
    }
}
