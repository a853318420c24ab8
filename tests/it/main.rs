//! Tests of the whole.

mod architecture;
mod bad_input;
mod causality;
mod child_process;
mod determinism;
mod exactness;
mod examples;
mod reference;
mod support;
mod tables;
