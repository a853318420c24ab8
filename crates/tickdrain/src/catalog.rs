//! The catalogue of strategies that a run file can name.

use std::fmt;
use std::rc::Rc;

use model::nearest::nearest;
use model::parameter::{ParameterError, ParameterKind, ParameterSpec};
use model::strategy::{Strategy, StrategyKind, StrategySetup};
use venues::fees::FeeModel;
use venues::latency::LatencyModel;
use venues::participation::ParticipationModel;
use venues::path::PathModel;
use venues::slippage::SlippageModel;

use crate::runfile::execution::shipped_models;
use crate::runfile::parameter::default_value;

type Build = fn(&StrategySetup<'_>) -> Result<Box<dyn Strategy>, ParameterError>;

/// A kind of strategy: what it is called, what it takes, and how one is built.
#[derive(Clone, Copy)]
pub struct CatalogEntry {
    name: &'static str,
    summary: &'static str,
    parameters: &'static [ParameterSpec],
    needs_funding: bool,
    build: Build,
}

impl CatalogEntry {
    /// Its name in a run file.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it does, in a sentence.
    pub const fn summary(&self) -> &'static str {
        self.summary
    }

    /// Its parameters.
    pub const fn parameters(&self) -> &'static [ParameterSpec] {
        self.parameters
    }

    /// Whether it lives on funding.
    pub const fn needs_funding(&self) -> bool {
        self.needs_funding
    }

    /// Whether a parameter says which instruments it trades; if not, it may trade any of the run.
    pub fn names_instruments(&self) -> bool {
        self.parameters.iter().any(|spec| spec.kind == ParameterKind::Instruments)
    }

    /// Builds one.
    ///
    /// # Errors
    ///
    /// A parameter that does not fit the others or the run.
    pub fn build(&self, setup: &StrategySetup<'_>) -> Result<Box<dyn Strategy>, ParameterError> {
        (self.build)(setup)
    }
}

impl fmt::Debug for CatalogEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("CatalogEntry").field(&self.name).finish()
    }
}

/// What a model of execution is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ModelKind {
    /// The order of prices inside a bar: `execution.path`.
    Path,
    /// The share of a bar's volume that may fill: `execution.participation`.
    Participation,
    /// The distance of takers' prices: `execution.slippage.model`.
    Slippage,
    /// The time that requests take: `execution.latency.model`.
    Latency,
    /// What a venue charges: `venues.<name>.fees.model`.
    Fees,
}

/// Models of execution of a program's own, by name.
#[derive(Clone, Default)]
pub struct ModelCatalog(Vec<(&'static str, OwnModel)>);

#[derive(Clone)]
pub(crate) enum OwnModel {
    Path(Rc<dyn PathModel>),
    Participation(Rc<dyn ParticipationModel>),
    Slippage(Rc<dyn SlippageModel>),
    Latency(Rc<dyn LatencyModel>),
    Fees(Rc<dyn FeeModel>),
}

impl OwnModel {
    const fn kind(&self) -> ModelKind {
        match self {
            Self::Path(_) => ModelKind::Path,
            Self::Participation(_) => ModelKind::Participation,
            Self::Slippage(_) => ModelKind::Slippage,
            Self::Latency(_) => ModelKind::Latency,
            Self::Fees(_) => ModelKind::Fees,
        }
    }
}

impl fmt::Debug for ModelCatalog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

macro_rules! lookups {
    ($($lookup:ident: $variant:ident($model:ident),)+) => {
        $(pub(crate) fn $lookup(&self, name: &str) -> Rc<dyn $model> {
            let found = self.0.iter().find_map(|(known, model)| match model {
                OwnModel::$variant(model) if *known == name => Some(Rc::clone(model)),
                _ => None,
            });
            found.expect("the run file names what is registered")
        })+
    };
}

impl ModelCatalog {
    pub(crate) fn register(&mut self, name: &'static str, model: OwnModel) {
        let kind = model.kind();
        let taken = self.names(kind).chain(shipped_models(kind)).any(|known| known == name);
        assert!(!taken, "two models of one kind are registered as `{name}`");
        self.0.push((name, model));
    }

    /// Names of all models of a kind.
    pub fn names(&self, kind: ModelKind) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(move |(_, model)| model.kind() == kind).map(|(name, _)| *name)
    }

    lookups! {
        path: Path(PathModel),
        participation: Participation(ParticipationModel),
        slippage: Slippage(SlippageModel),
        latency: Latency(LatencyModel),
        fees: Fees(FeeModel),
    }
}

/// What run files can name: kinds of strategies, in the order of registration, and models of the
/// program's own.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    entries: Vec<CatalogEntry>,
    models: ModelCatalog,
    is_optional: bool,
}

impl Catalog {
    /// An empty catalogue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind of strategy under a name.
    ///
    /// # Panics
    ///
    /// On a name that is taken, on a parameter named `kind` or `id`, and on a default that its own
    /// parameter would refuse: mistakes in the strategy's source, found by the first run.
    pub fn register<S: StrategyKind>(&mut self, name: &'static str) -> &mut Self {
        assert!(self.get(name).is_none(), "two strategies are registered as `{name}`");
        for spec in S::parameters() {
            let reserved = matches!(spec.name, "kind" | "id");
            assert!(!reserved, "`{name}` has a parameter with the reserved name `{}`", spec.name);
            if spec.default.is_some() {
                assert!(
                    default_value(spec).is_some(),
                    "the default of `{name}.{}` is not one of its values",
                    spec.name
                );
            }
        }
        self.entries.push(CatalogEntry {
            name,
            summary: S::SUMMARY,
            parameters: S::parameters(),
            needs_funding: S::NEEDS_FUNDING,
            build: |setup| S::build(setup).map(|strategy| Box::new(strategy) as Box<dyn Strategy>),
        });
        self
    }

    /// Models of the program's own.
    pub const fn models(&self) -> &ModelCatalog {
        &self.models
    }

    pub(crate) fn register_model(&mut self, name: &'static str, model: OwnModel) {
        self.models.register(name, model);
    }

    /// Allows run files without a strategy: something else on the bus decides.
    pub const fn make_optional(&mut self) {
        self.is_optional = true;
    }

    /// Whether a run file may do without a strategy.
    pub const fn is_optional(&self) -> bool {
        self.is_optional
    }

    /// The kind of a name.
    pub fn get(&self, name: &str) -> Option<&CatalogEntry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The registered name nearest to one that is not.
    pub fn nearest(&self, name: &str) -> Option<&'static str> {
        nearest(name, self.names())
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.entries.iter().map(|entry| entry.name)
    }

    /// All kinds.
    pub fn iter(&self) -> impl Iterator<Item = &CatalogEntry> {
        self.entries.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runfile::tests::{Cross, catalog};

    #[test]
    fn strategies_are_listed_in_the_order_of_registration() {
        let catalog = catalog();
        assert_eq!(catalog.names().collect::<Vec<_>>(), ["sma_cross", "scripted"]);
        assert_eq!(catalog.nearest("sma_crss"), Some("sma_cross"));
        assert_eq!(catalog.nearest("momentum"), None);
        let entry = catalog.get("sma_cross").unwrap();
        assert_eq!(entry.summary(), Cross::SUMMARY);
        assert!(entry.names_instruments());
    }

    #[test]
    #[should_panic(expected = "two strategies are registered as `sma_cross`")]
    fn a_name_is_taken_once() {
        catalog().register::<Cross>("sma_cross");
    }
}
