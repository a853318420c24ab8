//! Tests of the whole.

mod accounts;
mod architecture;
mod attribution;
mod bad_input;
mod cash_and_carry;
mod causality;
mod child_process;
mod corner_cases;
mod determinism;
mod exactness;
mod examples;
mod hostile;
mod loops;
mod order_ends;
mod pages;
mod proof;
mod properties;
mod quality_gate;
mod questions;
mod reference;
mod requirements;
mod settlement;
mod sub_bars;
mod support;
mod tables;
