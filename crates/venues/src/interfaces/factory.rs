//! The factory: reads credentials once and makes the interfaces of all venues.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use model::interface::{ExecutionInterface, PositionInterface};

/// What a venue asks for before it lets us trade; never shown, never logged.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials(BTreeMap<Box<str>, Box<str>>);

impl Credentials {
    /// Named secrets.
    pub fn new<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(fields.into_iter().map(|(name, secret)| (name.into(), secret.into())).collect())
    }

    /// The secret of a name.
    pub fn secret(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|secret| &**secret)
    }
}

/// Names without secrets.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// Where credentials come from.
pub trait CredentialSource {
    /// The credentials of a venue.
    ///
    /// # Errors
    ///
    /// They are missing or cannot be read.
    fn read(&mut self, venue: &str) -> Result<Credentials, Box<dyn Error + Send + Sync>>;
}

/// Simulated venues trust everybody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCredentials;

impl CredentialSource for NoCredentials {
    fn read(&mut self, _venue: &str) -> Result<Credentials, Box<dyn Error + Send + Sync>> {
        Ok(Credentials::default())
    }
}

/// Makes the interfaces of one venue.
pub trait VenueAdapter: fmt::Debug {
    /// The venue.
    fn venue(&self) -> &str;

    /// Interfaces that execute; no two of them share an operation.
    fn execution(&self, credentials: &Credentials) -> Vec<Box<dyn ExecutionInterface>>;

    /// The interface that says what the venue holds for us.
    fn positions(&self, credentials: &Credentials) -> Box<dyn PositionInterface>;
}

/// Makes the interfaces of all venues of a process.
///
/// It is built once, and reads every credential then and never again.
#[derive(Debug)]
pub struct VenueInterfaceFactory {
    venues: Vec<(Box<dyn VenueAdapter>, Credentials)>,
}

/// Why there are no interfaces.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum FactoryError {
    #[error("CFG-CREDENTIALS: the credentials of {venue} cannot be read")]
    Credentials { venue: Box<str>, source: Box<dyn Error + Send + Sync> },

    #[error("CFG-VENUE: {venue} has two adapters")]
    Twice { venue: Box<str> },
}

impl VenueInterfaceFactory {
    /// A factory for venues; the source is used up, so nobody reads credentials later.
    ///
    /// # Errors
    ///
    /// Credentials that cannot be read, or a venue that comes twice.
    pub fn new(
        adapters: Vec<Box<dyn VenueAdapter>>,
        mut source: impl CredentialSource,
    ) -> Result<Self, FactoryError> {
        let mut venues: Vec<(Box<dyn VenueAdapter>, Credentials)> = Vec::new();
        for adapter in adapters {
            let venue = adapter.venue();
            if venues.iter().any(|(known, _)| known.venue() == venue) {
                return Err(FactoryError::Twice { venue: venue.into() });
            }
            let credentials = source
                .read(venue)
                .map_err(|source| FactoryError::Credentials { venue: venue.into(), source })?;
            venues.push((adapter, credentials));
        }
        Ok(Self { venues })
    }

    /// Interfaces for routing, of all venues.
    pub fn execution_interfaces(&self) -> Vec<Box<dyn ExecutionInterface>> {
        self.venues.iter().flat_map(|(venue, credentials)| venue.execution(credentials)).collect()
    }

    /// Interfaces for the position monitor, one per venue.
    pub fn position_interfaces(&self) -> Vec<Box<dyn PositionInterface>> {
        self.venues.iter().map(|(venue, credentials)| venue.positions(credentials)).collect()
    }
}
