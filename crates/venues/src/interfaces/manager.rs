//! The router: which interface executes what. It routes and does nothing else.

use model::instrument::InstrumentTable;
use model::interface::{ExecutionInterface, Submission};
use model::operation::Operation;

/// Maps a venue and an operation to exactly one interface.
#[derive(Debug)]
pub struct VenueInterfaceManager {
    interfaces: Vec<Box<dyn ExecutionInterface>>,
    /// By instrument: the interface that trades it, and as what.
    trades: Vec<(Option<usize>, Operation)>,
    /// In ascending order.
    routes: Vec<Route>,
    /// The interface that executes atomic groups.
    groups: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Route {
    venue: Box<str>,
    operation: Operation,
    interface: usize,
}

/// `CFG-ROUTE`: two interfaces claim one thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// The same operation at the same venue.
    #[error("CFG-ROUTE: two interfaces take {} at {venue}", operation.name())]
    Twice {
        /// The venue.
        venue: Box<str>,
        /// The operation.
        operation: Operation,
    },
    /// Atomic groups.
    #[error("CFG-ROUTE: two interfaces take atomic groups")]
    TwoForGroups,
}

impl VenueInterfaceManager {
    /// A router to `interfaces`, for trades in `instruments`.
    ///
    /// # Errors
    ///
    /// Two interfaces that take the same operation at the same venue.
    pub fn new(
        interfaces: Vec<Box<dyn ExecutionInterface>>,
        instruments: &InstrumentTable,
    ) -> Result<Self, RouteError> {
        let mut routes: Vec<Route> = Vec::new();
        for (interface, candidate) in interfaces.iter().enumerate() {
            let (venue, operations) = candidate.takes();
            for &operation in operations {
                if lookup(&routes, venue, operation).is_some() {
                    return Err(RouteError::Twice { venue: venue.into(), operation });
                }
                let route = Route { venue: venue.into(), operation, interface };
                let place = routes.partition_point(|known| *known < route);
                routes.insert(place, route);
            }
        }
        let mut trades = Vec::new();
        for (_, instrument) in instruments.instruments() {
            let operation =
                if instrument.is_perpetual() { Operation::PerpTrade } else { Operation::SpotTrade };
            trades.push((lookup(&routes, &instrument.id.venue, operation), operation));
        }
        Ok(Self { interfaces, trades, routes, groups: None })
    }

    /// The same with an interface that executes atomic groups, on one chain and across its protocols.
    ///
    /// # Errors
    ///
    /// There is one already.
    pub fn with_groups(
        mut self,
        interface: Box<dyn ExecutionInterface>,
    ) -> Result<Self, RouteError> {
        if self.groups.is_some() {
            return Err(RouteError::TwoForGroups);
        }
        self.groups = Some(self.interfaces.len());
        self.interfaces.push(interface);
        Ok(self)
    }

    /// The interface that executes a submission; `None` if nothing takes it.
    ///
    /// A group goes to the interface for groups if each of its members has a route; without that
    /// interface it goes to the one that takes all its members.
    pub fn route(&mut self, submission: &Submission) -> Option<&mut dyn ExecutionInterface> {
        let interface = match submission {
            Submission::Trade(order) => self.trades.get(order.instrument.index())?.0?,
            Submission::Operation(order) => self.find(&order.request)?,
            Submission::Group(members) => {
                let mut found = members.iter().map(|member| self.find(&member.request));
                let first = found.next()??;
                let alike = found.try_fold(true, |alike, next| Some(alike && next? == first))?;
                self.groups.or_else(|| alike.then_some(first))?
            }
        };
        Some(&mut *self.interfaces[interface])
    }

    /// What a submission asks for; of a group what its first member does.
    pub fn operation(&self, submission: &Submission) -> Option<Operation> {
        match submission {
            Submission::Trade(order) => Some(self.trades.get(order.instrument.index())?.1),
            Submission::Operation(order) => Some(order.request.operation),
            Submission::Group(members) => Some(members.first()?.request.operation),
        }
    }

    fn find(&self, request: &model::operation::OperationRequest) -> Option<usize> {
        // What is offered for all venues comes last.
        lookup(&self.routes, &request.venue, request.operation)
            .or_else(|| lookup(&self.routes, EVERYWHERE, request.operation))
    }
}

/// The venue of an interface that serves all venues.
pub(crate) const EVERYWHERE: &str = "*";

fn lookup(routes: &[Route], venue: &str, operation: Operation) -> Option<usize> {
    let wanted = (venue, operation);
    let place = routes.partition_point(|route| (&*route.venue, route.operation) < wanted);
    let route = routes.get(place)?;
    ((&*route.venue, route.operation) == wanted).then_some(route.interface)
}
