//! The catalogue of strategies that a run file can name.

use std::fmt;

use model::nearest::nearest;
use model::parameter::{ParameterError, ParameterKind, ParameterSpec};
use model::strategy::{Strategy, StrategyKind, StrategySetup};

use crate::runfile::parameter::default_value;

type Build = fn(&StrategySetup<'_>) -> Result<Box<dyn Strategy>, ParameterError>;

/// A kind of strategy: what it is called, what it takes, and how one is built.
#[derive(Clone, Copy)]
pub struct CatalogEntry {
    name: &'static str,
    summary: &'static str,
    parameters: &'static [ParameterSpec],
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

/// All kinds of strategies, in the order of registration.
#[derive(Clone, Debug, Default)]
pub struct StrategyCatalog {
    entries: Vec<CatalogEntry>,
    is_optional: bool,
}

impl StrategyCatalog {
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
            build: |setup| S::build(setup).map(|strategy| Box::new(strategy) as Box<dyn Strategy>),
        });
        self
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
