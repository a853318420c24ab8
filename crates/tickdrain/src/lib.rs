//! The composition root of Tickdrain: run files, the strategies they can name, and the registry of
//! venues and instruments.
//!
//! Rule of this crate: configuration ends here. What leaves it is validated, so no other crate ever
//! sees a half-valid run.

pub mod catalog;
pub mod registry;
pub mod runfile;
