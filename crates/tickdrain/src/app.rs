//! The application: which strategies and services there are.

use std::fmt;
use std::process::ExitCode;
use std::rc::Rc;

use engine::rank::{Rank, Role};
use engine::run::BacktestEngine;
use engine::service::BacktestService;
#[cfg(feature = "planted-faults")]
use execution::ExecutionService;
use model::instrument::InstrumentTable;
use model::order::StrategyIx;
use model::strategy::StrategyKind;
use model::time::Interval;
use venues::fees::FeeModel;
use venues::latency::LatencyModel;
use venues::participation::ParticipationModel;
use venues::path::PathModel;
use venues::slippage::SlippageModel;

use crate::catalog::{Catalog, OwnModel};
use crate::cli;

/// Puts a service on a bus that is being set up.
type Attach = Rc<dyn Fn(BacktestEngine, Rank, &ServiceSetup) -> BacktestEngine>;

/// Puts mistakes into execution.
#[cfg(feature = "planted-faults")]
type Plant = Rc<dyn Fn(ExecutionService) -> ExecutionService>;

/// A program around the engine: the strategies that run files can name, and services of one's own.
#[derive(Clone)]
pub struct App {
    catalog: Catalog,
    services: Vec<UserService>,
    #[cfg(feature = "planted-faults")]
    plant: Option<Plant>,
}

#[derive(Clone)]
struct UserService {
    name: &'static str,
    attach: Attach,
}

/// What a service of one's own is built from.
#[derive(Clone, Debug)]
pub struct ServiceSetup {
    /// The instruments of the run.
    pub instruments: Rc<InstrumentTable>,
    /// Whose name the orders of this service bear.
    pub strategy: StrategyIx,
    /// Length of a frame.
    pub interval: Interval,
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services: Vec<&str> = self.services.iter().map(|service| service.name).collect();
        formatter
            .debug_struct("App")
            .field("strategies", &self.catalog.names().collect::<Vec<_>>())
            .field("services", &services)
            .finish_non_exhaustive()
    }
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

impl App {
    /// An application with the shipped strategies.
    pub fn new() -> Self {
        let mut catalog = Catalog::new();
        catalog
            .register::<strategies::BuyAndHold>("buy_and_hold")
            .register::<strategies::SmaCross>("sma_cross")
            .register::<strategies::Scripted>("scripted");
        Self {
            catalog,
            services: Vec::new(),
            #[cfg(feature = "planted-faults")]
            plant: None,
        }
    }

    /// Adds a strategy that run files can name.
    ///
    /// # Panics
    ///
    /// If the name is taken, or its parameters contradict themselves.
    #[must_use]
    pub fn strategy<S: StrategyKind>(mut self, name: &'static str) -> Self {
        self.catalog.register::<S>(name);
        self
    }

    /// Adds a fill path that `execution.path` can name.
    ///
    /// # Panics
    ///
    /// If the name is taken, as for all models.
    #[must_use]
    pub fn path_model(self, name: &'static str, model: impl PathModel + 'static) -> Self {
        self.model(name, OwnModel::Path(Rc::new(model)))
    }

    /// Adds a limit on fills that `execution.participation` can name.
    #[must_use]
    pub fn participation_model(
        self,
        name: &'static str,
        model: impl ParticipationModel + 'static,
    ) -> Self {
        self.model(name, OwnModel::Participation(Rc::new(model)))
    }

    /// Adds slippage that `execution.slippage.model` can name.
    #[must_use]
    pub fn slippage_model(self, name: &'static str, model: impl SlippageModel + 'static) -> Self {
        self.model(name, OwnModel::Slippage(Rc::new(model)))
    }

    /// Adds a latency that `execution.latency.model` can name.
    #[must_use]
    pub fn latency_model(self, name: &'static str, model: impl LatencyModel + 'static) -> Self {
        self.model(name, OwnModel::Latency(Rc::new(model)))
    }

    /// Adds fees that `venues.<name>.fees.model` can name.
    #[must_use]
    pub fn fee_model(self, name: &'static str, model: impl FeeModel + 'static) -> Self {
        self.model(name, OwnModel::Fees(Rc::new(model)))
    }

    fn model(mut self, name: &'static str, model: OwnModel) -> Self {
        self.catalog.register_model(name, model);
        self
    }

    /// Adds a service that is on the bus of every run, after the strategies.
    ///
    /// It may publish intents like a strategy, so run files may do without one.
    #[must_use]
    pub fn service<S: BacktestService + 'static>(
        mut self,
        name: &'static str,
        build: impl Fn(&ServiceSetup) -> S + 'static,
    ) -> Self {
        self.catalog.make_optional();
        let attach: Attach = Rc::new(move |engine, rank, setup| engine.service(rank, build(setup)));
        self.services.push(UserService { name, attach });
        self
    }

    /// Puts mistakes into execution before it is on the bus, for tests of whoever has to find them.
    #[cfg(feature = "planted-faults")]
    #[must_use]
    pub fn planting(
        mut self,
        plant: impl Fn(ExecutionService) -> ExecutionService + 'static,
    ) -> Self {
        self.plant = Some(Rc::new(plant));
        self
    }

    /// Execution with the mistakes that were asked for.
    #[cfg(feature = "planted-faults")]
    pub(crate) fn plant(&self, execution: ExecutionService) -> ExecutionService {
        match &self.plant {
            Some(plant) => plant(execution),
            None => execution,
        }
    }

    /// Runs the command line and returns its exit code.
    pub fn main(self) -> ExitCode {
        cli::main(&self)
    }

    /// The strategies that run files can name.
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Names of the services.
    pub(crate) fn service_names(&self) -> impl Iterator<Item = &'static str> {
        self.services.iter().map(|service| service.name)
    }

    /// Puts all services on a bus that is being set up; `setup` is that of the first of them.
    pub(crate) fn attach_services(
        &self,
        mut engine: BacktestEngine,
        setup: &ServiceSetup,
    ) -> BacktestEngine {
        for (index, service) in (0u16..).zip(&self.services) {
            let strategy = StrategyIx(setup.strategy.0 + index);
            let setup = ServiceSetup { strategy, ..setup.clone() };
            engine = (service.attach)(engine, Rank::nth(Role::User, index), &setup);
        }
        engine
    }
}
