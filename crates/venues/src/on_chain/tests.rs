//! Tests of the chain, from the specification: text tables of operations and what they leave.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod groups;
mod scenario;
mod singles;
mod transfers;
