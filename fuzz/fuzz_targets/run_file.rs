#![no_main]

use fuzz::{Limited, let_panics_unwind};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static ALLOCATOR: Limited = Limited;

fuzz_target!(init: let_panics_unwind(), |bytes: &[u8]| {
    tests::hostile::run_file(bytes);
});
