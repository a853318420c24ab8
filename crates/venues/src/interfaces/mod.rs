//! Interfaces of venues: made once, routed to by venue and operation.

mod factory;
mod manager;
#[cfg(test)]
mod tests;

pub use factory::{
    CredentialSource, Credentials, FactoryError, NoCredentials, VenueAdapter, VenueInterfaceFactory,
};
pub(crate) use manager::EVERYWHERE;
pub use manager::{RouteError, VenueInterfaceManager};
