//! The scheduler: bus, barrier, services, strategy host and the run loop.

pub mod feed;
