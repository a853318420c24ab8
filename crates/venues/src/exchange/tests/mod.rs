//! Tests of the exchange, from the specification (10): text tables of bars, requests and events.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]
#![expect(clippy::too_many_lines, reason = "flat tables may be long")]

mod account;
mod audit;
mod brackets;
mod costs;
mod funds;
mod groups;
mod liquidation;
mod prices;
mod properties;
mod scenario;
mod timing;
mod volume;
