//! What if: the same run with other data, or with one fact changed from some instant on.

pub mod branch;
mod data;
pub mod lookahead;
mod noise;
